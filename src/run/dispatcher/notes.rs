//! What is noted in the run's journal, and how a run goes on from one.

use super::lanes::OfStream;
use super::{Dispatcher, SECOND_NS};
use crate::journal::{Account, Base, Journal, Seam, Spans, StreamBase};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::Jobs;
use crate::run::resumption::Resumption;
use crate::sink::{Outcome, Sink};
use crate::stats::{Counts, Flight, JobCounts};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// The journal, if one is kept.
#[derive(Default)]
pub(super) struct Notes {
    journal: Option<Arc<Mutex<Journal>>>,
    /// The jobs of the batch that is being filled.
    filling: Spans,
    /// Jobs that were left out and are not noted yet.
    left_out: Spans,
    /// The streams of which jobs were passed over since the last line, for their lanes take nothing,
    /// and the last of those.
    passed: Vec<(usize, u64)>,
    /// The newest batch of which jobs were acknowledged, lane by lane.
    settled: Vec<u64>,
    /// Takes the file once a second and puts it on the disk, on a thread of its own: a disk that
    /// is slow holds up no job.
    saver: Option<SyncSender<File>>,
    /// What each stream follows, where that is not its script as it stands.
    seams: Vec<Vec<Seam>>,
    /// What was in flight was given up waiting for: the target may be asked about it later.
    left_in_doubt: bool,
}

impl Notes {
    pub(super) fn new(journal: Option<Arc<Mutex<Journal>>>, settled: Vec<u64>) -> Notes {
        let saver = journal.as_ref().and_then(|_| {
            let (sender, files) = sync_channel::<File>(1);
            let save = move || files.iter().for_each(|file| _ = file.sync_data());
            let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(save);
            thread.is_ok().then_some(sender)
        });
        Notes { journal, settled, saver, ..Notes::default() }
    }

    /// Notes that a job is in the batch that is being filled.
    pub(super) fn fill(&mut self, stream: usize, index: u64) {
        if self.journal.is_some() {
            self.filling.push(stream, index);
        }
    }

    /// Notes, with what is noted next, jobs in a row that are left out.
    pub(super) fn leave_out(&mut self, stream: usize, first: u64, last: u64) {
        if self.journal.is_some() {
            self.left_out.push_range(stream, first, last);
        }
    }

    /// Notes that a job is passed over.
    pub(super) fn pass(&mut self, stream: usize, index: u64) {
        match self.passed.last_mut() {
            _ if self.journal.is_none() => {}
            Some((last, until)) if *last == stream => *until = index,
            _ => self.passed.push((stream, index)),
        }
    }

    pub(super) fn leave_in_doubt(&mut self) {
        self.left_in_doubt = self.journal.is_some();
    }

    pub(super) fn has_doubts(&self) -> bool {
        self.left_in_doubt
    }

    fn with<T>(&self, write: impl FnOnce(&mut Journal) -> T) -> Option<T> {
        let journal = self.journal.as_ref()?;
        Some(write(&mut journal.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Notes, with what is noted next, what has been left out by now.
    fn note_left_out(&mut self) {
        if !self.left_out.is_empty() {
            self.with(|journal| journal.leaves_out(&self.left_out));
            self.left_out.clear();
        }
    }
}

/// The jobs of a batch, or those of its commands with some outcomes.
fn spans<'a>(jobs: impl Iterator<Item = &'a Flight>) -> Spans {
    let mut sorted: Vec<(u32, u64)> = jobs.map(|flight| (flight.stream, flight.index)).collect();
    sorted.sort_unstable();
    let mut spans = Spans::default();
    sorted.into_iter().for_each(|(stream, index)| spans.push(stream as usize, index));
    spans
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Takes up a run where it was left.
    pub(super) fn go_on_from(&mut self, resumption: &Resumption) {
        let Resumption { base, at_ns, .. } = resumption;
        for (stream, of_stream) in base.streams.iter().enumerate() {
            let StreamBase { stream_ns, next, returned, stopped, seams, account, by_job, .. } =
                of_stream;
            for seam in seams {
                self.task.warmups.splice(stream, seam.due, None);
                self.task.waits.splice(stream);
                self.scale = seam.factor;
            }
            self.notes.seams.push(seams.clone());
            self.pacer.go_on(stream, base.run_ns, *stream_ns, next.saturating_sub(1));
            let own = &self.sending[stream];
            let (task, lists, old_jobs) = (&self.task, &self.lists, &self.old_jobs);
            let (pacer, lanes) = (&self.pacer, &self.lanes);
            let lanes = OfStream::new(task, lists, old_jobs, own, pacer, lanes, stream);
            let returned = returned.iter().copied();
            self.backlog.go_on(stream, *next, returned, |index| lanes.of(index));
            let kinds: Vec<JobCounts> = by_job.iter().map(counts_of_kind).collect();
            self.stats.carry(stream, counts(account), &kinds);
            // What is to be sent again falls due again.
            self.stats.due(stream, next.saturating_sub(1), at_ns / SECOND_NS);
            if *stopped {
                self.pacer.close(stream, base.run_ns);
                _ = self.backlog.give_up(stream, self.pacer.due(stream));
                self.stream_stopped = true;
            }
        }
        // What its streams waited for before has been told.
        for stream in self.streams().filter(|stream| *stream < self.splices.len()) {
            let script_ns = self.script_ns(stream, base.run_ns);
            self.task.waits.move_to(stream, script_ns, None);
        }
        self.fresh_ns = base.run_ns;
        self.next_ask_ns = *at_ns;
        self.teller.go_on(*at_ns, self.stats.counts().sent);
    }

    /// Notes when the run started, or that it goes on.
    pub(super) fn note_start(&mut self) {
        let base = self.base(self.clock.now_ns());
        // A run that is gone on with started when it first did.
        let first = (!self.is_resumed).then(|| self.clock.start_unix_ns());
        let noted = self.notes.with(|journal| journal.starts(first, &base));
        self.heed(noted);
    }

    /// Notes a batch before it is sent.
    pub(super) fn note_sending(&mut self, batch: u64) {
        let oldest = self.flights.oldest();
        self.notes.note_left_out();
        let noted = self.notes.with(|journal| journal.sends(batch, oldest, &self.notes.filling));
        self.notes.filling.clear();
        self.heed(noted);
    }

    /// Notes what became of the jobs of one command, if they did not go in.
    pub(super) fn note_outcome(
        &mut self,
        (batch, lane): (u64, usize),
        flights: &[Flight],
        outcome: &Outcome,
    ) {
        let kind = match outcome {
            Outcome::Acked => {
                if self.notes.settled.len() <= lane {
                    self.notes.settled.resize(lane + 1, 0);
                }
                let settled = &mut self.notes.settled[lane];
                *settled = batch.max(*settled);
                return;
            }
            Outcome::Failed(_) => 'f',
            Outcome::Unknown(_) => 'u',
            Outcome::NotSent(_) => 'n',
        };
        self.notes.with(|journal| journal.settles(kind, batch, &spans(flights.iter())));
    }

    /// Notes that a lane has answered a batch, if that does not follow from the next line: an older
    /// one is in flight, over a lane that may not answer for long.
    pub(super) fn note_answered(&mut self, batch: u64, lane: usize) {
        if self.flights.oldest() <= batch {
            self.notes.with(|journal| journal.answers(batch, lane));
        }
    }

    /// Notes the jobs that were passed over.
    pub(super) fn note_passed(&mut self) {
        self.notes.note_left_out();
        for (stream, last) in &self.notes.passed {
            self.notes.with(|journal| journal.passes(*stream, *last));
        }
        self.notes.passed.clear();
    }

    /// Notes jobs that were given up for being late.
    pub(super) fn note_skipped(&mut self, jobs: &Spans) {
        self.notes.note_left_out();
        self.notes.with(|journal| journal.skips(jobs));
    }

    /// Notes that a stream was stopped while the run goes on, what was overdue in it given up.
    pub(super) fn note_stopped(&mut self, stream: usize) {
        if self.ending.is_none() && !self.backlog.is_given_up(stream) {
            let due = self.pacer.due(stream);
            self.notes.note_left_out();
            let noted = self.notes.with(|journal| journal.stops(stream, due));
            self.heed(noted);
        }
    }

    /// Notes that streams follow their script otherwise from now on: the same factor for all, and
    /// with `to_ns` from there on.
    pub(super) fn note_seams(&mut self, streams: &[usize], to_ns: Option<u64>, now_ns: u64) {
        if self.notes.journal.is_none() {
            return;
        }
        self.notes.note_left_out();
        let open = streams.iter().filter(|stream| !self.pacer.is_closed(**stream));
        let seams: Vec<(usize, Seam)> = open
            .map(|stream| {
                let at_ns = self.plan_ns(*stream, now_ns);
                let (due, jobs) = (self.pacer.due(*stream), self.pacer.planned(*stream));
                (*stream, Seam { at_ns, to_ns, factor: self.scale, due, jobs })
            })
            .collect();
        let streams = self.task.streams.len();
        self.notes.seams.resize(streams, Vec::new());
        for (stream, seam) in &seams {
            self.notes.seams[*stream].push(*seam);
        }
        let noted = self.notes.with(|journal| journal.splices(seams.into_iter()));
        self.heed(noted);
    }

    /// Notes the time, once a second, and writes the journal anew when it has grown.
    pub(super) fn note_time(&mut self, now_ns: u64) {
        if self.notes.journal.is_none() || self.ending.is_some() {
            return;
        }
        self.notes.note_left_out();
        // Written anew, it lists each job that was passed over.
        let holes = self.backlog.has_holes();
        let is_long = self.notes.with(|journal| journal.is_long(holes)) == Some(true);
        let noted = if is_long {
            let base = self.base(now_ns);
            let flying: Vec<(u64, Spans)> = self.flying();
            let flying = flying.iter().map(|(batch, jobs)| (*batch, jobs));
            self.notes.with(|journal| journal.rebase(&base, flying))
        } else {
            let times = self.streams().map(|stream| self.pacer.stream_ns(stream, now_ns));
            self.notes.with(|journal| journal.ticks(now_ns, times))
        };
        let handle = self.notes.with(|journal| journal.handle());
        if let (Some(saver), Some(Ok(file))) = (&self.notes.saver, handle) {
            // One that waits already is the same file.
            _ = saver.try_send(file);
        }
        self.heed(noted);
    }

    /// What is in flight: batches and jobs.
    fn flying(&self) -> Vec<(u64, Spans)> {
        let mut batches: BTreeMap<u64, Vec<&Flight>> = BTreeMap::new();
        for (batch, sent) in self.flights.iter() {
            batches.entry(batch).or_default().extend(sent.ledger.metas());
        }
        let of = |(batch, jobs): (u64, Vec<&Flight>)| (batch, spans(jobs.into_iter()));
        batches.into_iter().map(of).collect()
    }

    /// Ends the journal: it is removed if nothing is left to go on with.
    pub(super) fn close_journal(&mut self, is_done: bool) {
        let Some(journal) = self.notes.journal.take() else { return };
        // Nobody else holds it any more but who began it, and who only reads where it is.
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = if is_done {
            std::fs::remove_file(journal.path())
        } else if self.notes.left_in_doubt {
            Ok(())
        } else {
            journal.ends()
        };
        drop(journal);
        self.heed(Some(ended));
    }

    /// Keeps no journal from here on: it tells how to go on with the plan as it was, and the run
    /// follows another.
    pub(super) fn leave_journal(&mut self) {
        let Some(journal) = self.notes.journal.take() else { return };
        let journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = std::fs::remove_file(journal.path());
        drop(journal);
        self.heed(Some(removed));
        let message = "the run no longer follows the plan it started with: should loadc be \
                       killed, it can't be gone on with";
        self.tell(Event::Warning { message: message.to_owned() });
    }

    /// Where the run stands, what is in flight apart.
    fn base(&self, now_ns: u64) -> Base {
        let of_stream = |stream: usize| {
            let stats = &self.stats.streams()[stream];
            let stopped = self.pacer.is_closed(stream) && self.backlog.is_given_up(stream);
            // What is left out behind the next job falls due again when the run is gone on with.
            let left_out: Vec<(u64, u64)> = match stopped {
                true => Vec::new(),
                false => self.backlog.left_out(stream).collect(),
            };
            let ahead: u64 = left_out.iter().map(|(first, last)| last - first + 1).sum();
            StreamBase {
                stream_ns: self.pacer.stream_ns(stream, now_ns),
                next: if stopped { self.pacer.due(stream) + 1 } else { self.backlog.next(stream) },
                returned: self.left_of(stream),
                left_out,
                stopped,
                seams: self.notes.seams.get(stream).cloned().unwrap_or_default(),
                account: Account {
                    acked: stats.counts.acked,
                    failed: stats.counts.failed,
                    unknown: stats.counts.unknown,
                    skipped: stats.counts.skipped,
                    cut: stats.left_out - ahead,
                },
                by_job: stats.by_job.iter().map(account_of_kind).collect(),
            }
        };
        Base {
            run_ns: now_ns,
            next_batch: self.flights.next(),
            settled: self.notes.settled.iter().copied().max().unwrap_or(0),
            settled_in: self.notes.settled.clone(),
            streams: self.streams().map(of_stream).collect(),
        }
    }

    fn left_of(&self, stream: usize) -> Vec<u64> {
        let lanes = self.lanes_of_stream(stream);
        self.backlog.returned(stream, |index| lanes.of(index))
    }

    /// A journal that can't be written is none: it would tell less than what happened.
    fn heed(&mut self, noted: Option<io::Result<()>>) {
        let Some(Err(error)) = noted else { return };
        if let Some(journal) = self.notes.journal.take() {
            let journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            _ = std::fs::remove_file(journal.path());
        }
        let message = format!(
            "the journal can't be written ({error}): should loadc be killed, this run can't be \
             gone on with"
        );
        self.tell(Event::Warning { message });
    }
}

fn counts(account: &Account) -> Counts {
    let Account { acked, failed, unknown, skipped, cut } = *account;
    let (due, sent) = (account.jobs(), acked + failed + unknown);
    Counts { planned: 0, due, sent, acked, failed, unknown, skipped, cut }
}

fn counts_of_kind(account: &Account) -> JobCounts {
    let Account { acked, failed, unknown, .. } = *account;
    JobCounts { job: String::new(), sent: acked + failed + unknown, acked, failed, unknown }
}

fn account_of_kind(kind: &JobCounts) -> Account {
    Account { acked: kind.acked, failed: kind.failed, unknown: kind.unknown, ..Account::default() }
}
