//! From the numbered jobs of a stream to the part of them that a run plays: its shard, from
//! where it enters the plan.

use super::Schedule;
use crate::timeline::streams::DueTimes;

/// One part of a stream that several processes share: the jobs k ≡ part (mod of).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: u64,
    of: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { part: 1, of: 1 };

    /// Part `part` of `of`, counted from 1; `None` if there is no such part.
    pub fn new(part: u64, of: u64) -> Option<Shard> {
        (1..=of).contains(&part).then_some(Shard { part, of })
    }

    /// Which part, from 1.
    pub fn part(self) -> u64 {
        self.part
    }

    /// Of how many.
    pub fn of(self) -> u64 {
        self.of
    }

    /// How many of the jobs 1 to k are its own, where it takes batches of a size.
    fn jobs_up_to(self, k: u64, batch: u64) -> u64 {
        let (batches, rest) = (k / batch, k % batch);
        let whole = if batches < self.part { 0 } else { (batches - self.part) / self.of + 1 };
        let rest = if batches % self.of == self.part - 1 { rest } else { 0 };
        whole * batch + rest
    }

    /// The job that is the `index`-th of its own, from 1, where it takes batches of a size.
    fn number_of(self, index: u64, batch: u64) -> u64 {
        let passed = index.saturating_sub(1);
        let whole = (passed / batch).saturating_mul(self.of).saturating_add(self.part - 1);
        whole.saturating_mul(batch).saturating_add(passed % batch + 1)
    }
}

/// A part of a stream, as a run plays it.
#[derive(Clone, Debug)]
pub struct Placed<I> {
    due: I,
    after_ns: u64,
    from_ns: u64,
    shard: Shard,
    /// How many jobs in a row a shard takes.
    batch: u64,
    /// Jobs of this shard that are due before the run enters the plan.
    skipped: u64,
    len: u64,
}

impl<I: DueTimes> Placed<I> {
    /// The jobs of a stream that starts `after_ns` after the plan does, as far as they are of this
    /// shard and due at or after `from_ns`, where the run enters the plan: that instant is the 0 of
    /// all times here. Of a stream without end there are 2⁶⁴ − 1 jobs.
    pub fn new(due: I, after_ns: u64, shard: Shard, from_ns: u64) -> Placed<I> {
        Placed::of_batches(due, 1, after_ns, shard, from_ns)
    }

    /// The same of a stream in batches of a size, from 1: a shard takes whole ones.
    pub fn of_batches(due: I, batch: u64, after_ns: u64, shard: Shard, from_ns: u64) -> Placed<I> {
        let last_before = from_ns.checked_sub(after_ns).and_then(|t| t.checked_sub(1));
        let skipped = shard.jobs_up_to(last_before.map_or(0, |t| due.jobs_by(t)), batch);
        let all = shard.jobs_up_to(due.jobs().unwrap_or(u64::MAX), batch);
        let len = all.saturating_sub(skipped);
        Placed { due, after_ns, from_ns, shard, batch, skipped, len }
    }

    /// A time of the run as one of the stream; `None` before its start.
    fn local(&self, t_ns: u64) -> Option<u64> {
        t_ns.saturating_add(self.from_ns).checked_sub(self.after_ns)
    }

    /// A time of the stream as one of the run.
    fn shifted(&self, t_ns: u64) -> u64 {
        t_ns.saturating_add(self.after_ns).saturating_sub(self.from_ns)
    }
}

impl<I: DueTimes> Schedule for Placed<I> {
    fn len(&self) -> u64 {
        self.len
    }

    fn due_by(&self, t_ns: u64) -> u64 {
        let due = self.local(t_ns).map_or(0, |t| self.due.jobs_by(t));
        self.shard.jobs_up_to(due, self.batch).saturating_sub(self.skipped).min(self.len)
    }

    fn time_of(&self, index: u64) -> u64 {
        self.shifted(self.due.time_of(self.number_of(index)))
    }

    fn number_of(&self, index: u64) -> u64 {
        self.shard.number_of(index + self.skipped, self.batch)
    }

    /// Of a shard, its share.
    fn rate(&self, t_ns: u64) -> f64 {
        self.local(t_ns).map_or(0.0, |t| self.due.rate(t)) / self.shard.of as f64
    }

    fn end_ns(&self) -> u64 {
        self.due.length_ns().map_or(u64::MAX, |length| self.shifted(length))
    }
}
