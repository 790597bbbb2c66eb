//! What is noted in the run's journal, and how a run goes on from one.

use super::lanes::OfStream;
use super::{Dispatcher, SECOND_NS};
use crate::journal::{Account, Base, Journal, Left, Seam, Spans, StreamBase};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::Jobs;
use crate::run::resumption::Resumption;
use crate::schedule::{Joint, Spliced};
use crate::sink::formats::home_of;
use crate::sink::{Outcome, Sink};
use crate::stats::{Counts, Flight, JobCounts};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Where the present script was spliced into each.
    joints: Vec<Option<Joint>>,
    /// Which of them it has no more.
    left: Vec<Option<Left>>,
    /// The streams in the journal's order, which is that of its script, and those that it has no more;
    /// none while that is the run's own.
    order: Vec<usize>,
    /// For each stream its place there.
    places: Vec<usize>,
    /// Queues whose commands fail by themselves.
    refusing: BTreeSet<String>,
    /// What was in flight was given up waiting for: the target may be asked about it later.
    left_in_doubt: bool,
}

impl Notes {
    pub(super) fn new(
        journal: Option<Arc<Mutex<Journal>>>,
        settled: Vec<u64>,
        refusing: BTreeSet<String>,
    ) -> Notes {
        let saver = journal.as_ref().and_then(|_| {
            let (sender, files) = sync_channel::<File>(1);
            let save = move || files.iter().for_each(|file| _ = file.sync_data());
            let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(save);
            thread.is_ok().then_some(sender)
        });
        Notes { journal, settled, saver, refusing, ..Notes::default() }
    }

    /// Notes that a job is in the batch that is being filled.
    pub(super) fn fill(&mut self, stream: usize, index: u64) {
        if self.journal.is_some() {
            self.filling.push(self.place(stream), index);
        }
    }

    /// Notes, with what is noted next, jobs in a row that are left out.
    pub(super) fn leave_out(&mut self, stream: usize, first: u64, last: u64) {
        if self.journal.is_some() {
            self.left_out.push_range(self.place(stream), first, last);
        }
    }

    /// The place of a stream in the journal.
    fn place(&self, stream: usize) -> usize {
        self.places.get(stream).copied().unwrap_or(stream)
    }

    /// The jobs of a batch, or those of its commands with some outcomes.
    fn spans<'a>(&self, jobs: impl Iterator<Item = &'a Flight>) -> Spans {
        let placed = |flight: &Flight| (self.place(flight.stream as usize), flight.index);
        let mut sorted: Vec<(usize, u64)> = jobs.map(placed).collect();
        sorted.sort_unstable();
        let mut spans = Spans::default();
        sorted.into_iter().for_each(|(stream, index)| spans.push(stream, index));
        spans
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

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Takes up a run where it was left.
    pub(super) fn go_on_from(&mut self, resumption: &Resumption) {
        let Resumption { base, at_ns, .. } = resumption;
        for (stream, of_stream) in base.streams.iter().enumerate() {
            let StreamBase { stream_ns, next, returned, stopped, joint, left, .. } = of_stream;
            let StreamBase { seams, account, by_job, kinds, .. } = of_stream;
            if let (Some(joint), None) = (joint, left) {
                self.task.warmups.splice(stream, joint.before, None);
                self.task.waits.splice(stream);
                self.scale = f64::from_bits(joint.factor);
            }
            self.notes.joints.push(*joint);
            self.notes.left.push(left.clone());
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
            let kinds = kinds.iter().zip(by_job).map(|(name, own)| counts_of_kind(name, own));
            self.stats.carry(stream, counts(account), kinds);
            // What is to be sent again falls due again.
            self.stats.due(stream, next.saturating_sub(1), at_ns / SECOND_NS);
            if left.is_some() {
                self.pacer.close(stream, base.run_ns);
            }
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
                self.note_refusing(flights, false);
                return;
            }
            Outcome::Failed(failure) => {
                if !failure.precedes() {
                    self.note_refusing(flights, true);
                }
                'f'
            }
            Outcome::Unknown(_) => 'u',
            Outcome::NotSent(_) => 'n',
        };
        self.notes.with(|journal| journal.settles(kind, batch, &self.notes.spans(flights.iter())));
    }

    /// Notes whether the queue of a command's jobs refuses them, where that is news.
    fn note_refusing(&mut self, flights: &[Flight], is_so: bool) {
        if self.notes.journal.is_none() || (!is_so && self.notes.refusing.is_empty()) {
            return;
        }
        let Some(queue) = flights.first().and_then(|flight| self.queue_of(flight)) else { return };
        let refusing = &mut self.notes.refusing;
        let is_news = if is_so { refusing.insert(queue.clone()) } else { refusing.remove(&queue) };
        if is_news {
            self.notes.with(|journal| journal.refuses(&queue, is_so));
        }
    }

    /// The key of the queue that a job goes to.
    fn queue_of(&self, flight: &Flight) -> Option<String> {
        let stream = flight.stream as usize;
        let own = &self.sending[stream];
        let jobs = own.old.map_or(&self.task.jobs, |old| &self.old_jobs[old].0);
        let choice = jobs.choose(own.stream, self.pacer.schedule(stream).number_of(flight.index));
        jobs.queues().get(choice.queue).map(home_of)
    }

    /// Puts what was refused into the journal at once: without that the target would be taken at its
    /// word, which is that the transaction ran.
    pub(super) fn note_refusals(&mut self) {
        let noted = self.notes.with(Journal::settled);
        self.heed(noted);
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
            let place = self.notes.place(*stream);
            self.notes.with(|journal| journal.passes(place, *last));
        }
        self.notes.passed.clear();
    }

    /// Notes jobs that were given up for being late.
    pub(super) fn note_skipped(&mut self, jobs: &Spans) {
        self.notes.note_left_out();
        let mut placed = Spans::default();
        jobs.iter().for_each(|span| {
            placed.push_range(self.notes.place(span.stream), span.first, span.last);
        });
        self.notes.with(|journal| journal.skips(&placed));
    }

    /// Notes that a stream was stopped while the run goes on, what was overdue in it given up.
    pub(super) fn note_stopped(&mut self, stream: usize) {
        if self.ending.is_none() && !self.backlog.is_given_up(stream) {
            let due = self.pacer.due(stream);
            self.notes.note_left_out();
            let noted = self.notes.with(|journal| journal.stops(self.notes.place(stream), due));
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
        let placed = seams.into_iter().map(|(stream, seam)| (self.notes.place(stream), seam));
        let noted = self.notes.with(|journal| journal.splices(placed));
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
            let flying = self.flying();
            let flying = flying.iter().map(|(batch, jobs)| (*batch, jobs));
            self.notes.with(|journal| journal.rebase(&base, flying))
        } else {
            let times =
                self.in_order().into_iter().map(|stream| self.pacer.stream_ns(stream, now_ns));
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
        let of = |(batch, jobs): (u64, Vec<&Flight>)| (batch, self.notes.spans(jobs.into_iter()));
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

    /// The streams in the journal's order.
    fn in_order(&self) -> Vec<usize> {
        match self.notes.order.is_empty() {
            true => self.streams().collect(),
            false => self.notes.order.clone(),
        }
    }

    /// Notes that the run follows another script from now on, whose loads are these streams: the
    /// journal begins anew with where it stands, and with how each of them goes on from there.
    pub(super) fn note_reload(&mut self, lanes: &[usize], now_ns: u64) {
        if !self.options.resumes_reloaded {
            return self.leave_journal();
        }
        if self.notes.journal.is_none() {
            return;
        }
        let gone: Vec<usize> = self.streams().filter(|lane| !lanes.contains(lane)).collect();
        let left = |lane: usize| {
            let name = || self.task.streams[lane].0.clone();
            gone.contains(&lane).then(|| Left { name: name() })
        };
        self.notes.left = self.streams().map(left).collect();
        let joint = |spliced: &Spliced| Some(spliced.joint(self.options.from_ns));
        self.notes.joints = self.splices.iter().map(joint).collect();
        self.notes.seams = vec![Vec::new(); self.task.streams.len()];
        self.notes.order = lanes.iter().copied().chain(gone).collect();
        self.notes.places = vec![0; self.notes.order.len()];
        for (place, lane) in self.notes.order.iter().enumerate() {
            self.notes.places[*lane] = place;
        }
        // Where it stands tells what is left out, too.
        self.notes.left_out.clear();
        let (base, flying) = (self.base(now_ns), self.flying());
        let planned = |lane: usize| {
            let of_stream = &self.stats.streams()[lane];
            of_stream.counts.planned + of_stream.left_out
        };
        let jobs = self.in_order().into_iter().map(planned).collect();
        let script = (self.task.digest.as_str(), self.task.seed);
        let flying = flying.iter().map(|(batch, jobs)| (*batch, jobs));
        let noted = self.notes.with(|journal| journal.reloads(script, jobs, &base, flying));
        self.heed(noted);
    }

    /// Keeps no journal from here on: it tells how to go on with the plan as it was, and the run
    /// follows another.
    fn leave_journal(&mut self) {
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
                joint: self.notes.joints.get(stream).copied().flatten(),
                left: self.notes.left.get(stream).cloned().flatten(),
                seams: self.notes.seams.get(stream).cloned().unwrap_or_default(),
                account: Account {
                    acked: stats.counts.acked,
                    failed: stats.counts.failed,
                    unknown: stats.counts.unknown,
                    skipped: stats.counts.skipped,
                    cut: stats.left_out - ahead,
                },
                by_job: stats.by_job.iter().map(account_of_kind).collect(),
                kinds: stats.by_job.iter().map(|kind| kind.job.clone()).collect(),
            }
        };
        Base {
            run_ns: now_ns,
            next_batch: self.flights.next(),
            settled: self.notes.settled.iter().copied().max().unwrap_or(0),
            settled_in: self.notes.settled.clone(),
            refusing: self.notes.refusing.clone(),
            streams: self.in_order().into_iter().map(of_stream).collect(),
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

fn counts_of_kind(name: &str, account: &Account) -> JobCounts {
    let Account { acked, failed, unknown, .. } = *account;
    JobCounts { job: name.to_owned(), sent: acked + failed + unknown, acked, failed, unknown }
}

fn account_of_kind(kind: &JobCounts) -> Account {
    Account { acked: kind.acked, failed: kind.failed, unknown: kind.unknown, ..Account::default() }
}
