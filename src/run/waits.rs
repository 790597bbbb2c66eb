//! Phrases that go by the depth of queues: which are under way, and what came of those that are over.

use super::report::{ExpectationEntry, WaitEntry};
use super::warmup::{Place, Stretches};
use crate::plan::{Plan, Wait, WaitKind, Warmup};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The waits of each stream.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    lanes: Vec<Lane>,
    entries: Vec<WaitEntry>,
    drains: Vec<Drain>,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    /// Their times from the plan's start, in order of their start.
    waits: Arc<[Wait]>,
    open: Vec<Open>,
    /// Up to where the script has been looked at, in nanoseconds; all of it before that is past.
    seen_ns: u64,
    /// The places of those that hold a depth, and where they are.
    holds: Vec<usize>,
    held: Stretches,
    /// What became of those under way that hold a depth, by their places.
    tallies: BTreeMap<usize, Tally>,
}

/// What became of a phrase that holds a depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The depth came up to its level.
    pub met: bool,
    /// Jobs that it did not need.
    pub cut: u64,
}

/// A wait under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its place among those of its stream.
    pub place: usize,
    /// Since when, in nanoseconds of the run.
    pub since_ns: u64,
    /// Since when nothing of its stream is overdue or in flight, once that is so.
    pub quiet_ns: Option<u64>,
}

/// What became of a `drain` in all of its passes.
#[derive(Clone, Debug)]
struct Drain {
    stream: usize,
    text: String,
    line: usize,
    met: bool,
    longest_us: f64,
}

/// Entries beyond these are left out of the report.
const LISTED: usize = 10_000;

/// The waits of a stream, their times from the plan's start.
pub fn of_stream(stream: &crate::plan::Stream) -> Arc<[Wait]> {
    let shifted = |wait: &Wait| Wait {
        start_ns: wait.start_ns.saturating_add(stream.after_ns),
        end_ns: wait.end_ns.saturating_add(stream.after_ns),
        ..wait.clone()
    };
    stream.waits.iter().map(shifted).collect()
}

impl Lane {
    /// Jobs are those of the waits by their numbers, or by when they are due where numbers are no
    /// longer those of the script.
    fn of(waits: Arc<[Wait]>, by_number: bool) -> Lane {
        let is_hold = |at: &usize| matches!(waits[*at].kind, WaitKind::Held { .. });
        let holds: Vec<usize> = (0..waits.len()).filter(is_hold).collect();
        let stretch = |at: &usize| {
            let Wait { after_job, to_job, start_ns, end_ns, .. } = waits[*at];
            // What is due at the very instant at which it begins is sent at once before it.
            Warmup { after_job, to_job, start_ns: start_ns.saturating_add(1), end_ns }
        };
        let held = Stretches { all: holds.iter().map(stretch).collect(), by_number };
        Lane { waits, holds, held, ..Lane::default() }
    }
}

impl Waits {
    /// Those of a plan's streams.
    pub fn of(plan: &Plan) -> Waits {
        let lane = |stream| Lane::of(of_stream(stream), true);
        Waits { lanes: plan.streams.iter().map(lane).collect(), ..Waits::default() }
    }

    /// From here on the jobs of a stream have other numbers than in its script.
    pub fn splice(&mut self, stream: usize) {
        if let Some(lane) = self.lanes.get_mut(stream) {
            lane.held.by_number = false;
        }
    }

    /// Whether any phrase of a stream holds a depth.
    pub fn holds(&self, stream: usize) -> bool {
        self.lanes.get(stream).is_some_and(|lane| !lane.holds.is_empty())
    }

    /// Which jobs of a stream, of some that fall due now, are those of which phrase that holds a
    /// depth: it is given with its place.
    pub fn held(
        &self,
        stream: usize,
        of: Range<u64>,
        job: impl Fn(u64) -> Place,
    ) -> Vec<(usize, Wait, Range<u64>)> {
        let Some(lane) = self.lanes.get(stream) else { return Vec::new() };
        let found = lane.held.among(of, job).into_iter();
        found.map(|(at, jobs)| (lane.holds[at], lane.waits[lane.holds[at]].clone(), jobs)).collect()
    }

    /// Notes what became of jobs of a phrase that holds a depth.
    pub fn tally(&mut self, stream: usize, place: usize, cut: u64, met: bool) {
        let Some(lane) = self.lanes.get_mut(stream) else { return };
        let tally = lane.tallies.entry(place).or_default();
        tally.cut += cut;
        tally.met |= met;
    }

    /// What became of a phrase that holds a depth and is over, and forgets it.
    pub fn take_tally(&mut self, stream: usize, wait: &Wait) -> Tally {
        let Some(lane) = self.lanes.get_mut(stream) else { return Tally::default() };
        let same = |place: &&usize| lane.waits[**place].start_ns == wait.start_ns;
        let place = lane.tallies.keys().find(same).copied();
        place.and_then(|place| lane.tallies.remove(&place)).unwrap_or_default()
    }

    /// Whether a stream has any.
    pub fn is_any(&self, stream: usize) -> bool {
        self.lanes.get(stream).is_some_and(|lane| !lane.waits.is_empty())
    }

    /// Whether any is under way.
    pub fn is_waiting(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.open.is_empty())
    }

    /// A stream goes on elsewhere, at a place of its script: what was under way is left. Other waits
    /// hold from there on if it follows another script.
    pub fn move_to(&mut self, stream: usize, script_ns: u64, waits: Option<Arc<[Wait]>>) {
        while self.lanes.len() <= stream {
            self.lanes.push(Lane::default());
        }
        let lane = &mut self.lanes[stream];
        lane.open.clear();
        lane.tallies.clear();
        if let Some(waits) = waits {
            *lane = Lane::of(waits, false);
        }
        lane.seen_ns = script_ns;
    }

    /// A stream has come to a place of its script at an instant of the run. Waits that begin there
    /// are under way; those whose time was up before are told, with when they began if it was seen.
    pub fn pass(&mut self, stream: usize, script_ns: u64, now_ns: u64) -> Vec<(Wait, Option<u64>)> {
        let Some(lane) = self.lanes.get_mut(stream) else { return Vec::new() };
        let mut over = Vec::new();
        let begun = lane.waits.partition_point(|wait| wait.start_ns <= script_ns);
        for (place, wait) in lane.waits.iter().take(begun).enumerate() {
            let open = lane.open.iter().position(|open| open.place == place);
            match (wait.end_ns > script_ns, open) {
                (true, None) => lane.open.push(Open { place, since_ns: now_ns, quiet_ns: None }),
                (false, Some(at)) => {
                    over.push((wait.clone(), Some(lane.open.remove(at).since_ns)));
                }
                (false, None) if wait.start_ns >= lane.seen_ns && wait.end_ns > wait.start_ns => {
                    over.push((wait.clone(), None));
                }
                _ => {}
            }
        }
        lane.seen_ns = script_ns.saturating_add(1);
        over
    }

    /// The waits of a stream that are under way.
    pub fn open(&self, stream: usize) -> Vec<(Open, Wait)> {
        let Some(lane) = self.lanes.get(stream) else { return Vec::new() };
        lane.open.iter().map(|open| (*open, lane.waits[open.place].clone())).collect()
    }

    /// Nothing of a stream is overdue or in flight now, or something is.
    pub fn set_quiet(&mut self, stream: usize, quiet: bool, now_ns: u64) {
        let Some(lane) = self.lanes.get_mut(stream) else { return };
        for open in &mut lane.open {
            open.quiet_ns = if quiet { open.quiet_ns.or(Some(now_ns)) } else { None };
        }
    }

    /// A wait is over before its time: the stream goes on behind it.
    pub fn close(&mut self, stream: usize, wait: &Wait) {
        let Some(lane) = self.lanes.get_mut(stream) else { return };
        let waits = Arc::clone(&lane.waits);
        lane.open.retain(|open| waits[open.place].end_ns > wait.end_ns);
        lane.seen_ns = wait.end_ns;
    }

    /// Puts down what came of a wait.
    pub fn note(&mut self, stream: usize, wait: &Wait, entry: WaitEntry) {
        if wait.kind == WaitKind::Drained {
            let same = |own: &&mut Drain| {
                own.stream == stream && own.line == wait.line && own.text == wait.text
            };
            let after_us = entry.after_s * 1e6;
            match self.drains.iter_mut().find(same) {
                Some(known) => {
                    known.met &= entry.met;
                    known.longest_us = known.longest_us.max(after_us);
                }
                None => self.drains.push(Drain {
                    stream,
                    text: wait.text.clone(),
                    line: wait.line,
                    met: entry.met,
                    longest_us: after_us,
                }),
            }
        }
        if self.entries.len() < LISTED {
            self.entries.push(entry);
        }
    }

    /// What came of all, in order.
    pub fn take_entries(&mut self) -> Vec<WaitEntry> {
        std::mem::take(&mut self.entries)
    }

    /// A `drain` is an expectation: of all its passes, and with the longest time it took.
    pub fn expectations(&self) -> impl Iterator<Item = ExpectationEntry> {
        self.drains.iter().map(|drain| ExpectationEntry {
            text: drain.text.clone(),
            met: drain.met,
            value: Some(drain.longest_us),
            ..ExpectationEntry::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(start_ns: u64, end_ns: u64) -> Wait {
        let (text, line) = (format!("{start_ns}"), 1);
        let (after_job, to_job) = (0, 0);
        Wait { kind: WaitKind::Drained, text, line, after_job, to_job, start_ns, end_ns }
    }

    fn waits(all: &[(u64, u64)]) -> Waits {
        let waits = all.iter().map(|(start, end)| wait(*start, *end)).collect();
        Waits { lanes: vec![Lane::of(waits, true)], ..Waits::default() }
    }

    fn open(waits: &Waits) -> Vec<u64> {
        waits.open(0).iter().map(|(_, wait)| wait.start_ns).collect()
    }

    #[test]
    fn what_is_passed_is_told_once_even_if_nobody_looked_meanwhile() {
        let mut waits = waits(&[(10, 20), (12, 100), (30, 31), (40, 60)]);
        assert!(waits.pass(0, 9, 9).is_empty() && !waits.is_waiting());
        assert!(waits.pass(0, 15, 15).is_empty());
        assert_eq!(open(&waits), [10, 12]);
        let over = waits.pass(0, 50, 51);
        let told: Vec<_> = over.iter().map(|(wait, since)| (wait.start_ns, *since)).collect();
        assert_eq!(told, [(10, Some(15)), (30, None)]);
        assert_eq!(open(&waits), [12, 40]);
        assert!(waits.pass(0, 55, 56).is_empty());
    }

    #[test]
    fn behind_one_that_ended_early_those_around_it_go_on() {
        let mut waits = waits(&[(0, 100), (10, 50), (20, 40), (50, 60)]);
        waits.pass(0, 25, 25);
        assert_eq!(open(&waits), [0, 10, 20]);
        waits.close(0, &wait(10, 50));
        assert_eq!(open(&waits), [0]);
        waits.pass(0, 50, 26);
        assert_eq!(open(&waits), [0, 50]);
        waits.move_to(0, 5, None);
        assert!(!waits.is_waiting());
        assert!(waits.pass(0, 9, 30).is_empty());
        assert_eq!(open(&waits), [0]);
    }
}
