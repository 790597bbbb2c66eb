//! Reading a journal.

use super::{Base, Head, Seam, Spans, checksum};
use std::collections::{BTreeMap, BTreeSet};

/// A batch has far fewer jobs than this, however it was made.
const MOST_JOBS: u64 = 1 << 24;

/// A journal has far fewer bytes than this: it is written anew long before.
const LONGEST: usize = 64 << 20;

/// What a journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Which run it is of.
    pub head: Head,
    /// Where it stood, times and numbers of batches brought up to the last line.
    pub base: Base,
    /// Jobs whose outcome was known since.
    pub acked: Vec<Spans>,
    /// The numbers of their batches.
    pub acked_in: Vec<u64>,
    /// The same of those refused.
    pub failed: Vec<Spans>,
    /// The same of those nobody can tell of.
    pub unknown: Vec<Spans>,
    /// The same of those that were given up.
    pub skipped: Vec<Spans>,
    /// Jobs that came back unsent and have not been sent again: streams and indices.
    pub returned: BTreeSet<(usize, u64)>,
    /// Jobs that are left out behind the next of their streams: the last of each row by its stream and
    /// first.
    left_out: BTreeMap<(usize, u64), u64>,
    /// Batches that were sent, by their numbers, and whose outcome is not told.
    pub in_doubt: BTreeMap<u64, Spans>,
    /// Lanes that have answered theirs, by the numbers of those batches.
    pub answered: BTreeMap<u64, BTreeSet<usize>>,
    /// The newest batch of which jobs were acknowledged; 0 for none.
    pub settled: u64,
    /// The run had the time to say that it ended.
    pub ended: bool,
}

/// Why a journal can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It has no bytes, or not even its first lines.
    #[error("it ends before its first lines do")]
    Empty,
    /// It is far longer than a journal gets.
    #[error("it is longer than any journal")]
    TooLong,
    /// It is no journal, or was written by a version that writes it in another way.
    #[error("line {line} is not one of a journal's")]
    Foreign {
        /// The line, from 1.
        line: usize,
    },
    /// A line does not match its checksum, and others follow.
    #[error("line {line} is damaged")]
    Mangled {
        /// The line, from 1.
        line: usize,
    },
    /// A line contradicts those before it.
    #[error("line {line} does not follow from those before it")]
    Contradiction {
        /// The line, from 1.
        line: usize,
    },
}

/// Reads a journal.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Replay, Damage> {
    if bytes.len() > LONGEST {
        return Err(Damage::TooLong);
    }
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        lines.push(&rest[..end]);
        rest = &rest[end + 1..];
    }
    let count = lines.len();
    let mut replay: Option<Replay> = None;
    let mut head = None;
    for (place, line) in lines.into_iter().enumerate() {
        let number = place + 1;
        let Some(text) = verified(line) else {
            // The last one may have been torn, and nothing was written behind it.
            if number == count && rest.is_empty() && replay.is_some() {
                break;
            }
            let foreign = number == 1;
            return Err(if foreign {
                Damage::Foreign { line: number }
            } else {
                Damage::Mangled { line: number }
            });
        };
        match (&mut replay, &head) {
            (Some(replay), _) => {
                replay.take(text).map_err(|wrong| wrong.at(number))?;
            }
            (None, None) => {
                let json = text.strip_prefix("head ");
                let parsed: Option<Head> = json.and_then(|json| serde_json::from_str(json).ok());
                head = Some(parsed.ok_or(Damage::Foreign { line: number })?);
            }
            (None, Some(head)) => {
                let json = text.strip_prefix("base ");
                let base: Option<Base> = json.and_then(|json| serde_json::from_str(json).ok());
                let base = base.ok_or(Damage::Foreign { line: number })?;
                replay = Some(
                    Replay::new(head.clone(), base)
                        .ok_or(Damage::Contradiction { line: number })?,
                );
            }
        }
    }
    replay.ok_or(Damage::Empty)
}

/// A line without its checksum, if it matches.
fn verified(line: &[u8]) -> Option<&str> {
    let (sum, text) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    (sum.len() == 8 && u32::from_str_radix(sum, 16).ok()? == checksum(text)).then_some(text)
}

enum Wrong {
    Foreign,
    Contradiction,
}

impl Wrong {
    fn at(self, line: usize) -> Damage {
        match self {
            Wrong::Foreign => Damage::Foreign { line },
            Wrong::Contradiction => Damage::Contradiction { line },
        }
    }
}

impl Replay {
    fn new(head: Head, mut base: Base) -> Option<Replay> {
        let fits = head.jobs.len() == base.streams.len()
            && base.streams.iter().zip(&head.jobs).all(|(stream, jobs)| {
                (1..=jobs.saturating_add(1)).contains(&stream.next)
                    && stream.returned.iter().all(|index| (1..stream.next).contains(index))
                    && stream
                        .left_out
                        .iter()
                        .all(|(first, last)| stream.next < *first && first <= last && last <= jobs)
            });
        let settled = base.settled;
        let streams = base.streams.iter().enumerate();
        let left_out = streams
            .flat_map(|(stream, of)| {
                of.left_out.iter().map(move |(first, last)| ((stream, *first), *last))
            })
            .collect();
        base.streams.iter_mut().for_each(|stream| stream.left_out.clear());
        let streams = base.streams.iter().enumerate();
        let returned = streams
            .flat_map(|(stream, of)| of.returned.iter().map(move |index| (stream, *index)))
            .collect();
        fits.then(|| Replay {
            head,
            base,
            acked: Vec::new(),
            acked_in: Vec::new(),
            failed: Vec::new(),
            unknown: Vec::new(),
            skipped: Vec::new(),
            returned,
            left_out,
            in_doubt: BTreeMap::new(),
            answered: BTreeMap::new(),
            settled,
            ended: false,
        })
    }

    fn take(&mut self, text: &str) -> Result<(), Wrong> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        self.ended = false;
        match kind {
            "s" => {
                let (batch, rest) = number(rest)?;
                let (oldest, jobs) = number(rest)?;
                let jobs = self.spans(jobs)?;
                self.sends(batch, oldest, jobs)
            }
            "f" | "u" | "n" => {
                let (batch, jobs) = number(rest)?;
                let jobs = self.spans(jobs)?;
                self.settles(kind, batch, jobs)
            }
            "a" => {
                let (batch, lane) = number(rest)?;
                let lane = lane.parse().map_err(|_| Wrong::Foreign)?;
                if !self.in_doubt.contains_key(&batch) {
                    return Err(Wrong::Contradiction);
                }
                self.answered.entry(batch).or_default().insert(lane);
                Ok(())
            }
            "h" => self.passes(rest),
            "k" => {
                let jobs = self.spans(rest)?;
                self.hands_out(&jobs)?;
                self.skipped.push(jobs);
                Ok(())
            }
            "c" => {
                let jobs = self.spans(rest)?;
                self.leaves_out(&jobs)
            }
            "w" | "o" => {
                let queue: String = serde_json::from_str(rest).map_err(|_| Wrong::Foreign)?;
                let refusing = &mut self.base.refusing;
                _ = if kind == "w" { refusing.insert(queue) } else { refusing.remove(&queue) };
                Ok(())
            }
            "x" => self.stops(rest),
            "y" => self.splices(rest),
            "t" => self.ticks(rest),
            "end" => {
                self.ended = true;
                let all = u64::MAX;
                self.settle_before(all);
                Ok(())
            }
            _ => Err(Wrong::Foreign),
        }
    }

    /// Spans of streams and jobs that there are.
    fn spans(&self, text: &str) -> Result<Spans, Wrong> {
        let spans = Spans::parse(text, MOST_JOBS).ok_or(Wrong::Foreign)?;
        let known = spans
            .iter()
            .all(|span| self.head.jobs.get(span.stream).is_some_and(|jobs| span.last <= *jobs));
        if known { Ok(spans) } else { Err(Wrong::Contradiction) }
    }

    /// Jobs are left out: none of them has been handed out, nor left out before.
    fn leaves_out(&mut self, jobs: &Spans) -> Result<(), Wrong> {
        for span in jobs.iter() {
            let of = (span.stream, 0)..(span.stream.saturating_add(1), 0);
            let before = self.left_out.range(of).next_back().map_or(0, |(_, last)| *last);
            if span.first <= before || span.first < self.base.streams[span.stream].next {
                return Err(Wrong::Contradiction);
            }
            self.left_out.insert((span.stream, span.first), span.last);
            self.goes_to(span.stream, self.base.streams[span.stream].next);
        }
        Ok(())
    }

    /// The next job of a stream is this one, or the one behind those that are left out there.
    pub(super) fn goes_to(&mut self, stream: usize, next: u64) {
        let of_stream = &mut self.base.streams[stream];
        of_stream.next = next;
        while let Some(last) = self.left_out.remove(&(stream, of_stream.next)) {
            let jobs = (last - of_stream.next).saturating_add(1);
            of_stream.account.cut = of_stream.account.cut.saturating_add(jobs);
            of_stream.next = last.saturating_add(1);
        }
    }

    /// The last job up to which none is left out, of those from `first` to `last`.
    pub(super) fn row_before_left_out(&self, stream: usize, first: u64, last: u64) -> u64 {
        let out = self.left_out.range((stream, first)..=(stream, last)).next();
        out.map_or(last, |((_, out), _)| out - 1)
    }

    /// A job is handed out after the one before it, or once more after it came back.
    fn hands_out(&mut self, jobs: &Spans) -> Result<(), Wrong> {
        for span in jobs.iter() {
            let next = self.base.streams[span.stream].next;
            let clear = self.row_before_left_out(span.stream, span.first, span.last) == span.last;
            if span.first == next && clear {
                self.goes_to(span.stream, span.last.saturating_add(1));
                continue;
            }
            // Of those that came back, some may be followed by new ones.
            for index in span.first..=span.last {
                if index == self.base.streams[span.stream].next {
                    self.goes_to(span.stream, index.saturating_add(1));
                } else if !self.returned.remove(&(span.stream, index)) {
                    return Err(Wrong::Contradiction);
                }
            }
        }
        Ok(())
    }

    /// Whether some jobs in a row went out, and none of them came back.
    fn has_handed_out(&self, stream: usize, first: u64, last: u64) -> bool {
        let back = self.returned.range((stream, first)..=(stream, last)).next();
        last < self.base.streams[stream].next && back.is_none()
    }

    /// A stream was gone through: its jobs wait as those do that came back.
    fn passes(&mut self, text: &str) -> Result<(), Wrong> {
        let (stream, last) = number(text)?;
        let stream = usize::try_from(stream).map_err(|_| Wrong::Foreign)?;
        let last: u64 = last.parse().map_err(|_| Wrong::Foreign)?;
        let jobs = self.head.jobs.get(stream).copied().ok_or(Wrong::Contradiction)?;
        let of_stream = &self.base.streams[stream];
        let passed = last.saturating_add(1).saturating_sub(of_stream.next);
        let many = passed.saturating_add(self.returned.len() as u64) > MOST_JOBS;
        if last > jobs || many || of_stream.stopped {
            return Err(Wrong::Contradiction);
        }
        while self.base.streams[stream].next <= last {
            let next = self.base.streams[stream].next;
            let until = self.row_before_left_out(stream, next, last);
            self.returned.extend((next..=until).map(|index| (stream, index)));
            self.goes_to(stream, until.saturating_add(1));
        }
        Ok(())
    }

    fn sends(&mut self, batch: u64, oldest: u64, jobs: Spans) -> Result<(), Wrong> {
        if oldest > batch || self.in_doubt.contains_key(&batch) {
            return Err(Wrong::Contradiction);
        }
        self.settle_before(oldest);
        // What was in flight when the journal was written anew has been handed out before.
        if batch >= self.base.next_batch {
            self.hands_out(&jobs)?;
        } else if jobs.iter().any(|span| !self.has_handed_out(span.stream, span.first, span.last)) {
            return Err(Wrong::Contradiction);
        }
        self.in_doubt.insert(batch, jobs);
        self.base.next_batch = self.base.next_batch.max(batch.saturating_add(1));
        Ok(())
    }

    /// Batches before one that nothing else was said of went in whole.
    fn settle_before(&mut self, oldest: u64) {
        let open = self.in_doubt.split_off(&oldest);
        let settled = std::mem::replace(&mut self.in_doubt, open);
        self.answered = self.answered.split_off(&oldest);
        for (batch, jobs) in settled.into_iter().filter(|(_, jobs)| !jobs.is_empty()) {
            self.settled = self.settled.max(batch);
            self.acked.push(jobs);
            self.acked_in.push(batch);
        }
    }

    /// Some jobs of a batch did not go in; the batch keeps the others.
    fn settles(&mut self, kind: &str, batch: u64, jobs: Spans) -> Result<(), Wrong> {
        // It may have been settled before the journal was written anew.
        let Some(own) = self.in_doubt.get_mut(&batch) else { return Err(Wrong::Contradiction) };
        let gone: BTreeSet<_> = jobs.jobs().collect();
        let before = own.jobs().count();
        let mut left = Spans::default();
        own.jobs().filter(|job| !gone.contains(job)).for_each(|(s, index)| left.push(s, index));
        if left.jobs().count() + gone.len() != before {
            return Err(Wrong::Contradiction);
        }
        *own = left;
        match kind {
            "f" => self.failed.push(jobs),
            "u" => self.unknown.push(jobs),
            _ => self.comes_back(jobs.jobs()),
        }
        Ok(())
    }

    /// Jobs were not sent: they go again, unless their stream has been stopped.
    pub(super) fn comes_back(&mut self, jobs: impl Iterator<Item = (usize, u64)>) {
        let mut given_up = Spans::default();
        for (stream, index) in jobs {
            if self.base.streams[stream].stopped {
                given_up.push(stream, index);
            } else {
                self.returned.insert((stream, index));
            }
        }
        if !given_up.is_empty() {
            self.skipped.push(given_up);
        }
    }

    /// A stream follows its script otherwise.
    fn splices(&mut self, text: &str) -> Result<(), Wrong> {
        let (stream, json) = number(text)?;
        let stream = usize::try_from(stream).map_err(|_| Wrong::Foreign)?;
        let seam: Seam = serde_json::from_str(json).map_err(|_| Wrong::Foreign)?;
        let of_stream = self.base.streams.get_mut(stream).ok_or(Wrong::Contradiction)?;
        let before = of_stream.seams.last().map_or(0, |last| last.at_ns);
        let is_factor = seam.factor.is_finite() && seam.factor > 0.0;
        let follows = of_stream.next <= seam.due.saturating_add(1) && before <= seam.at_ns;
        if !(is_factor && follows && seam.due <= seam.jobs) {
            return Err(Wrong::Contradiction);
        }
        of_stream.seams.push(seam);
        self.head.jobs[stream] = seam.jobs;
        Ok(())
    }

    /// A stream was stopped: what was due in it and not sent is given up.
    fn stops(&mut self, text: &str) -> Result<(), Wrong> {
        let (stream, due) = number(text)?;
        let due: u64 = due.parse().map_err(|_| Wrong::Foreign)?;
        let stream = usize::try_from(stream).map_err(|_| Wrong::Foreign)?;
        let jobs = self.head.jobs.get(stream).copied().ok_or(Wrong::Contradiction)?;
        let of_stream = &mut self.base.streams[stream];
        if of_stream.stopped || due > jobs || due < of_stream.next - 1 {
            return Err(Wrong::Contradiction);
        }
        let mut given_up = Spans::default();
        let back: Vec<_> = self.returned.iter().copied().filter(|job| job.0 == stream).collect();
        for (stream, index) in back {
            self.returned.remove(&(stream, index));
            given_up.push(stream, index);
        }
        of_stream.stopped = true;
        while self.base.streams[stream].next <= due {
            let next = self.base.streams[stream].next;
            let last = self.row_before_left_out(stream, next, due);
            given_up.push_range(stream, next, last);
            self.goes_to(stream, last.saturating_add(1));
        }
        if !given_up.is_empty() {
            self.skipped.push(given_up);
        }
        Ok(())
    }

    fn ticks(&mut self, text: &str) -> Result<(), Wrong> {
        let (run_ns, times) = number(text)?;
        let times: Option<Vec<u64>> = times.split(',').map(|time| time.parse().ok()).collect();
        let times = times.ok_or(Wrong::Foreign)?;
        if times.len() != self.base.streams.len() || run_ns < self.base.run_ns {
            return Err(Wrong::Contradiction);
        }
        self.base.run_ns = run_ns;
        for (stream, time) in self.base.streams.iter_mut().zip(times) {
            stream.stream_ns = stream.stream_ns.max(time);
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<(u64, &str), Wrong> {
    let (number, rest) = text.split_once(' ').ok_or(Wrong::Foreign)?;
    Ok((number.parse().map_err(|_| Wrong::Foreign)?, rest))
}
