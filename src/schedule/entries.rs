//! What a stream sends whose jobs begin things that go on by themselves: its jobs and the steps of
//! those things, each with the instant at which it is due.
//!
//! Nothing is kept of a thing: its steps follow from its number, so that any stretch of time can be
//! worked out from the jobs that may reach into it.

use super::Schedule;
use crate::job::{Mix, Paths, paced};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// From here up the bits of a number tell which step it is; below, which thing.
const STEP_SHIFT: u32 = 56;

/// The number of a job in two: that of the thing, or of the job where it is none, and the step, which
/// is 0 where the stream's own curve has it due.
pub fn thing_and_step(number: u64) -> (u64, usize) {
    (number & ((1 << STEP_SHIFT) - 1), (number >> STEP_SHIFT) as usize)
}

/// A flow of a stream.
#[derive(Clone, Debug)]
pub struct Things {
    /// Which of the mix begins its things.
    pub entry: usize,
    /// What becomes of them.
    pub paths: Paths,
    /// See [`Flow::reach_ns`](crate::job::Flow::reach_ns).
    pub reach_ns: (u64, u64),
    /// From these instants of the plan on, in order, things that begin go so many times as fast.
    pub paces: Arc<[(u64, f64)]>,
}

impl Things {
    /// The steps of a thing that begins at an instant of the plan.
    pub(super) fn walk(&self, number: u64, begun_ns: u64, step: impl FnMut(usize, u64)) {
        let before = self.paces.partition_point(|(from_ns, _)| *from_ns <= begun_ns);
        let pace = before.checked_sub(1).map_or(1.0, |at| self.paces[at].1);
        self.paths.walk(number, begun_ns, pace, step);
    }

    /// The shortest and the longest time that a thing takes, at whatever pace.
    fn reach_ns(&self) -> (u64, u64) {
        let paces = || self.paces.iter().map(|(_, pace)| *pace);
        let (slowest, fastest) = (paces().fold(1.0, f64::min), paces().fold(1.0, f64::max));
        (paced(self.reach_ns.0, fastest), paced(self.reach_ns.1, slowest))
    }
}

/// Where a plan ends what is still under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// What is due after this instant of the plan, in nanoseconds, is not part of it, …
    pub at_ns: u64,
    /// … nor what is due at that very instant with a higher number than this.
    pub last: u64,
}

impl Until {
    /// Everything up to an instant, and all that is due at it.
    pub fn after(at_ns: u64) -> Until {
        Until { at_ns, last: u64::MAX }
    }
}

/// A job or a step. Those of one instant come by their numbers, so that jobs come before steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) due_ns: u64,
    pub(super) number: u64,
}

/// See the module.
pub struct Entries {
    /// The jobs that the curve has due, from the plan's start on.
    pub(super) due: Box<dyn Schedule>,
    mix: Mix,
    batch: u64,
    pub(super) flows: Vec<Things>,
    /// The shortest and the longest of all reaches.
    pub(super) reach_ns: (u64, u64),
    pub(super) until: Until,
}

impl Entries {
    /// The jobs of `due`, which is a whole stream or a shard of one from the plan's start on, and the
    /// steps of the things that they begin by the mix, as far as the plan goes.
    pub fn new(
        due: Box<dyn Schedule>,
        (mix, batch): (Mix, u64),
        flows: Vec<Things>,
        until: Option<Until>,
    ) -> Entries {
        let shortest = flows.iter().map(|things| things.reach_ns().0).min().unwrap_or(0);
        let longest = flows.iter().map(|things| things.reach_ns().1).max().unwrap_or(0);
        let until = until.unwrap_or(Until::after(u64::MAX));
        Entries { due, mix, batch, flows, reach_ns: (shortest, longest), until }
    }

    /// Ends them there.
    pub fn end_at(&mut self, until: Until) {
        self.until = until;
    }

    /// The flow whose thing a job begins, if it does, by its place.
    fn flow_of(&self, number: u64) -> Option<(usize, &Things)> {
        let entry = self.mix.job_of(number.div_ceil(self.batch));
        self.flows.iter().enumerate().find(|(_, things)| things.entry == entry)
    }

    fn due_before(&self, t_ns: u64) -> u64 {
        t_ns.checked_sub(1).map_or(0, |t| self.due.due_by(t))
    }

    fn is_within(&self, entry: Entry) -> bool {
        let Until { at_ns, last } = self.until;
        entry <= Entry { due_ns: at_ns, number: last }
    }

    /// Tells each of the stream's own jobs that is due between two instants, both included.
    fn each_job(&self, (from_ns, to_ns): (u64, u64), mut tell: impl FnMut(Entry)) {
        let to_ns = to_ns.min(self.until.at_ns);
        for index in self.due_before(from_ns) + 1..=self.due.due_by(to_ns) {
            let number = self.due.number_of(index);
            let entry = Entry { due_ns: self.due.time_of(index), number };
            if self.is_within(entry) {
                tell(entry);
            }
        }
    }

    /// Tells each step of the things that some of the stream's jobs begin, by their places, with its
    /// flow's place and the state it leads to; not in their order.
    fn each_step_of(&self, jobs: RangeInclusive<u64>, mut tell: impl FnMut(Entry, usize, usize)) {
        for index in jobs {
            let number = self.due.number_of(index);
            let Some((flow, things)) = self.flow_of(number) else { continue };
            things.walk(number, self.due.time_of(index), |state, due_ns| {
                let entry = Entry { due_ns, number: number | (state as u64) << STEP_SHIFT };
                if self.is_within(entry) {
                    tell(entry, flow, state);
                }
            });
        }
    }

    /// Tells each step that is due between two instants, both included.
    fn each_step(&self, (from_ns, to_ns): (u64, u64), mut tell: impl FnMut(Entry)) {
        if self.flows.is_empty() {
            return;
        }
        let to_ns = to_ns.min(self.until.at_ns);
        let (shortest, longest) = self.reach_ns;
        let first = self.due_before(from_ns.saturating_sub(longest)) + 1;
        let reaching = to_ns.checked_sub(shortest).map_or(0, |t| self.due.due_by(t));
        self.each_step_of(first..=reaching, |entry, _, _| {
            if (from_ns..=to_ns).contains(&entry.due_ns) {
                tell(entry);
            }
        });
    }

    /// All between two instants, both included, in their order.
    pub(super) fn between(&self, from_ns: u64, to_ns: u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.each_job((from_ns, to_ns), |entry| entries.push(entry));
        self.each_step((from_ns, to_ns), |entry| entries.push(entry));
        entries.sort_unstable();
        entries
    }

    /// How many of the stream's own jobs are due at or before an instant.
    pub fn jobs_by(&self, t_ns: u64) -> u64 {
        let Until { at_ns, last } = self.until;
        if t_ns < at_ns || last == u64::MAX {
            return self.due.due_by(t_ns.min(at_ns));
        }
        // Numbers grow with their places.
        let (mut low, mut high) = (self.due_before(at_ns), self.due.due_by(at_ns));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.due.number_of(middle) <= last {
                true => low = middle,
                false => high = middle - 1,
            }
        }
        low
    }

    /// How many are due at or before an instant.
    pub fn count_by(&self, t_ns: u64) -> u64 {
        let t_ns = t_ns.min(self.until.at_ns);
        let (jobs, mut steps) = (self.jobs_by(t_ns), 0);
        if self.flows.is_empty() {
            return jobs;
        }
        // Whatever began so long before is through.
        let surely = t_ns.checked_sub(self.reach_ns.1.saturating_add(1));
        let through = surely.map_or(0, |t| self.due.due_by(t));
        for index in 1..=through {
            let number = self.due.number_of(index);
            steps += self.flow_of(number).map_or(0, |(_, things)| things.paths.steps(number));
        }
        self.each_step_of(through + 1..=jobs, |entry, _, _| {
            steps += u64::from(entry.due_ns <= t_ns);
        });
        jobs + steps
    }

    /// How many steps there are into each state, flow by flow.
    pub fn states(&self) -> Vec<Vec<u64>> {
        let mut counts: Vec<Vec<u64>> = vec![Vec::new(); self.flows.len()];
        self.each_step_of(1..=self.jobs_by(u64::MAX), |_, flow, state| {
            let counts = &mut counts[flow];
            if counts.len() <= state {
                counts.resize(state + 1, 0);
            }
            counts[state] += 1;
        });
        counts
    }

    /// When the last of all is due, or the curve is over.
    pub(super) fn end_ns(&self) -> u64 {
        let jobs = self.due.len();
        let mut end_ns = self.due.end_ns();
        // Whatever began longer before the last job than a thing takes is through by then.
        let last_ns = if jobs > 0 { self.due.time_of(jobs) } else { 0 };
        self.each_step((last_ns, u64::MAX), |entry| end_ns = end_ns.max(entry.due_ns));
        end_ns.min(self.until.at_ns)
    }
}

/// Instants that are counted apart in one pass over all entries.
const PLACES: u64 = 1 << 10;

impl Entries {
    /// Adds how many are due in each stretch of `width_ns` from `from_ns` to `to_ns`.
    fn count_places(&self, (from_ns, to_ns): (u64, u64), width_ns: u64, counts: &mut [u64]) {
        let place = |due_ns: u64| usize::try_from((due_ns - from_ns) / width_ns).unwrap_or(0);
        let before = |t_ns: u64| t_ns.checked_sub(1).map_or(0, |t| self.jobs_by(t));
        self.each_step((from_ns, to_ns), |entry| counts[place(entry.due_ns)] += 1);
        if self.jobs_by(to_ns) - before(from_ns) < PLACES {
            return self.each_job((from_ns, to_ns), |entry| counts[place(entry.due_ns)] += 1);
        }
        // Jobs of a curve can be counted without looking at each.
        let (mut done, mut start_ns) = (before(from_ns), from_ns);
        for count in counts.iter_mut() {
            let end_ns = start_ns.saturating_add(width_ns - 1).min(to_ns);
            let due = self.jobs_by(end_ns);
            *count += due.saturating_sub(done);
            if end_ns == to_ns {
                break;
            }
            (done, start_ns) = (due, end_ns + 1);
        }
    }
}

/// When the `n`-th of all entries of some streams is due, from 1; `None` if there are fewer.
pub fn time_of_nth(streams: &[Entries], n: u64) -> Option<u64> {
    let latest = |stream: &Entries| {
        let end_ns = stream.due.end_ns().saturating_add(stream.reach_ns.1);
        end_ns.min(stream.until.at_ns)
    };
    let (mut from_ns, mut to_ns) = (0, streams.iter().map(latest).max()?);
    if streams.iter().all(|stream| stream.flows.is_empty()) {
        return first_ns(to_ns, |t_ns| {
            streams.iter().map(|stream| stream.jobs_by(t_ns)).sum::<u64>() >= n
        });
    }
    let mut before = 0;
    loop {
        let width_ns = (to_ns - from_ns) / PLACES + 1;
        let mut counts = vec![0; PLACES as usize];
        for stream in streams {
            stream.count_places((from_ns, to_ns), width_ns, &mut counts);
        }
        let mut reached = counts.iter().scan(before, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        let place = reached.position(|sum| sum >= n)?;
        before += counts[..place].iter().sum::<u64>();
        from_ns += place as u64 * width_ns;
        to_ns = to_ns.min(from_ns.saturating_add(width_ns - 1));
        if width_ns == 1 {
            return Some(from_ns);
        }
    }
}

/// The first instant of which something is true that stays so.
fn first_ns(to_ns: u64, is_so: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (0, to_ns);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    is_so(low).then_some(low)
}

/// Where each of some streams ends so that they come to `n` entries in all: at the instant of the
/// `n`-th, where of what is due then the first streams' comes first. `None` if there are no more.
pub fn ends_with(streams: &[Entries], n: u64) -> Option<(u64, Vec<Until>)> {
    let all = streams.iter().map(|stream| stream.count_by(u64::MAX));
    if all.fold(0, u64::saturating_add) <= n {
        return None;
    }
    let at_ns = time_of_nth(streams, n.max(1))?;
    let before = |stream: &Entries| at_ns.checked_sub(1).map_or(0, |t| stream.count_by(t));
    let mut room = n.saturating_sub(streams.iter().map(before).sum());
    let until = |stream: &Entries| {
        let due = stream.between(at_ns, at_ns);
        let taken = usize::try_from(room).unwrap_or(usize::MAX).min(due.len());
        room -= taken as u64;
        let last = match taken.checked_sub(1) {
            None => 0,
            Some(_) if taken == due.len() => u64::MAX,
            Some(last) => due[last].number,
        };
        Until { at_ns, last }
    };
    Some((at_ns, streams.iter().map(until).collect()))
}
