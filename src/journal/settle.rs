//! What became of the batches in flight when a process was killed.

use super::{Base, Replay, Spans};
use std::collections::{BTreeMap, BTreeSet};

/// What the target, or one lane of it, tells of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The numbers of the last batches that went in; none if it keeps no such numbers any more.
    pub marks: Option<BTreeSet<u64>>,
    /// Nothing of the process before can still go in.
    pub fenced: bool,
}

/// A journal whose every batch has its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Where the run stands; the accounts are those of the journal's base.
    pub base: Base,
    /// Jobs whose outcome is known beyond those accounts.
    pub acked: Vec<Spans>,
    /// The same of those refused.
    pub failed: Vec<Spans>,
    /// The same of those nobody can tell of.
    pub unknown: Vec<Spans>,
    /// The same of those given up.
    pub skipped: Vec<Spans>,
    /// The target has lost what it had acknowledged.
    pub forgot: bool,
}

/// Batches went in that the journal does not tell of: its last lines never reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{batches} batches arrived that it does not tell of")]
pub struct TornOff {
    /// How many.
    pub batches: u64,
}

/// What is to be thought of jobs whose transaction ran, but whose answer nobody has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// They are in their queue: it took what came before, and would take more.
    Yes,
    /// Their command failed: its queue refused what came before, and still would.
    No,
    /// Nobody can tell: it refused them, or had been put right by then.
    Untold,
}

/// The most batches that a target keeps the numbers of.
const KEPT: usize = 1023;

/// What one lane of the target tells of the batches in flight.
struct Lane<'a> {
    marks: Option<&'a BTreeSet<u64>>,
    /// What is not in will not come any more.
    fenced: bool,
    /// It has what it acknowledged.
    whole: bool,
}

impl Lane<'_> {
    /// `settled` is the newest batch of which it acknowledged jobs; 0 for none.
    fn of(told: &Told, settled: u64) -> Lane<'_> {
        let marks = told.marks.as_ref();
        let kept = marks.map_or(0, BTreeSet::len) >= KEPT;
        let knows = marks.is_some_and(|marks| marks.contains(&settled));
        Lane { marks, fenced: told.fenced, whole: settled == 0 || knows || kept }
    }

    fn knows(&self, batch: u64) -> bool {
        self.marks.is_some_and(|marks| marks.contains(&batch))
    }
}

impl Replay {
    /// Settles what was in flight by what the target tells; without a target that keeps numbers
    /// nobody can tell.
    ///
    /// # Errors
    ///
    /// When the target tells of batches that the journal does not know.
    pub fn settle(self, told: Option<&Told>) -> Result<Settled, TornOff> {
        let told = told.map(std::slice::from_ref);
        self.settle_by(told.unwrap_or_default(), |_, _| 0, |_, _| Taken::Yes)
    }

    /// The same for a target that keeps them lane by lane, and where queues may have refused commands;
    /// a job is given by its stream and index.
    ///
    /// # Errors
    ///
    /// As [`Replay::settle`].
    pub fn settle_by(
        mut self,
        told: &[Told],
        lane_of: impl Fn(usize, u64) -> usize,
        taken: impl Fn(usize, u64) -> Taken,
    ) -> Result<Settled, TornOff> {
        let in_doubt = std::mem::take(&mut self.in_doubt);
        let newest = told.iter().filter_map(|told| told.marks.as_ref()?.last().copied()).max();
        let newest = newest.unwrap_or(0);
        if newest >= self.base.next_batch {
            let batches = (newest - self.base.next_batch.max(1)).saturating_add(1);
            return Err(TornOff { batches });
        }
        let settled = |lane| match told.len() {
            1 => self.settled,
            _ => self.settled_in(lane, &in_doubt, &lane_of),
        };
        let lanes: Vec<Lane<'_>> =
            told.iter().enumerate().map(|(lane, told)| Lane::of(told, settled(lane))).collect();
        for (batch, jobs) in in_doubt {
            for (lane, jobs) in by_lane(&jobs, &lane_of) {
                let answered = self.answered.get(&batch).is_some_and(|lanes| lanes.contains(&lane));
                match lanes.get(lane) {
                    _ if answered => self.acked.push(jobs),
                    Some(lane) if lane.knows(batch) => self.ran(&jobs, &taken),
                    Some(lane) if lane.whole && lane.fenced => self.comes_back(jobs.jobs()),
                    _ => self.unknown.push(jobs),
                }
            }
        }
        self.give_up_left();
        self.base.streams.iter_mut().for_each(|stream| stream.returned.clear());
        for (stream, index) in std::mem::take(&mut self.returned) {
            self.base.streams[stream].returned.push(index);
        }
        let forgot = lanes.iter().any(|lane| !lane.whole) && !self.ended;
        let Replay { base, acked, failed, unknown, skipped, .. } = self;
        Ok(Settled { base, acked, failed, unknown, skipped, forgot })
    }

    /// What was due in loads that the script has no more, and did not go out, is given up.
    fn give_up_left(&mut self) {
        for place in 0..self.base.streams.len() {
            if self.base.streams[place].left.is_none() {
                continue;
            }
            let mut given_up = Spans::default();
            self.returned.retain(|(stream, index)| {
                if *stream == place {
                    given_up.push(place, *index);
                }
                *stream != place
            });
            let due = self.head.jobs.get(place).copied().unwrap_or(0);
            while self.base.streams[place].next <= due {
                let next = self.base.streams[place].next;
                let last = self.row_before_left_out(place, next, due);
                given_up.push_range(place, next, last);
                self.goes_to(place, last.saturating_add(1));
            }
            if !given_up.is_empty() {
                self.skipped.push(given_up);
            }
        }
    }

    /// The transaction of some jobs ran.
    fn ran(&mut self, jobs: &Spans, taken: impl Fn(usize, u64) -> Taken) {
        let mut of: [Spans; 3] = Default::default();
        for (stream, index) in jobs.jobs() {
            of[taken(stream, index) as usize].push(stream, index);
        }
        let [acked, failed, unknown] = of;
        for (jobs, list) in
            [(acked, &mut self.acked), (failed, &mut self.failed), (unknown, &mut self.unknown)]
        {
            if !jobs.is_empty() {
                list.push(jobs);
            }
        }
    }

    /// The newest batch of which jobs of a lane were acknowledged; 0 for none.
    fn settled_in(
        &self,
        lane: usize,
        in_doubt: &BTreeMap<u64, Spans>,
        lane_of: impl Fn(usize, u64) -> usize,
    ) -> u64 {
        let has = |jobs: &Spans| jobs.jobs().any(|(stream, index)| lane_of(stream, index) == lane);
        let answered = self.answered.iter().rev().filter(|(_, lanes)| lanes.contains(&lane));
        let mut answered = answered.map(|(batch, _)| *batch);
        if let Some(batch) = answered.find(|batch| in_doubt.get(batch).is_some_and(has)) {
            return batch;
        }
        let before = self.base.settled_in.get(lane).copied().unwrap_or(0);
        let mut batches = self.acked.iter().zip(&self.acked_in).rev();
        batches.find(|(jobs, _)| has(jobs)).map_or(before, |(_, batch)| *batch)
    }
}

/// The jobs of a batch by their lanes.
fn by_lane(jobs: &Spans, lane_of: impl Fn(usize, u64) -> usize) -> BTreeMap<usize, Spans> {
    let mut lanes: BTreeMap<usize, Spans> = BTreeMap::new();
    for (stream, index) in jobs.jobs() {
        lanes.entry(lane_of(stream, index)).or_default().push(stream, index);
    }
    lanes
}
