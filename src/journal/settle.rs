//! What became of the batches in flight when a process was killed.

use super::{Base, Replay, Spans};
use std::collections::BTreeSet;

/// What the target tells of a run.
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

/// The most batches that a target keeps the numbers of.
const KEPT: usize = 1023;

impl Replay {
    /// Settles what was in flight by what the target tells; without a target that keeps numbers
    /// nobody can tell.
    ///
    /// # Errors
    ///
    /// When the target tells of batches that the journal does not know.
    pub fn settle(mut self, told: Option<&Told>) -> Result<Settled, TornOff> {
        let in_doubt = std::mem::take(&mut self.in_doubt);
        let marks = told.and_then(|told| told.marks.as_ref());
        let fenced = told.is_some_and(|told| told.fenced);
        let newest = marks.and_then(|marks| marks.last().copied()).unwrap_or(0);
        if newest >= self.base.next_batch {
            return Err(TornOff { batches: newest + 1 - self.base.next_batch.max(1) });
        }
        let knows = |batch: u64| marks.is_some_and(|marks| marks.contains(&batch));
        let kept = marks.map_or(0, BTreeSet::len) >= KEPT;
        let whole = self.settled == 0 || knows(self.settled) || kept;
        for (batch, jobs) in in_doubt {
            if knows(batch) {
                self.acked.push(jobs);
            } else if whole && fenced {
                self.comes_back(jobs.jobs());
            } else {
                self.unknown.push(jobs);
            }
        }
        self.base.streams.iter_mut().for_each(|stream| stream.returned.clear());
        for (stream, index) in std::mem::take(&mut self.returned) {
            self.base.streams[stream].returned.push(index);
        }
        let forgot = told.is_some() && !whole && !self.ended;
        let Replay { base, acked, failed, unknown, skipped, .. } = self;
        Ok(Settled { base, acked, failed, unknown, skipped, forgot })
    }
}
