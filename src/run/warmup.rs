//! What of the streams only warms up.

use crate::plan::{Plan, Warmup};
use crate::schedule::thing_and_step;
use std::ops::Range;
use std::sync::Arc;

/// The stretches of each stream that no expectation judges.
///
/// A job belongs to one by its number; where numbers are no longer those of the script (after a
/// reload, a seek or a scale), and in a stream of flows, by when it is due in the script.
#[derive(Clone, Debug, Default)]
pub struct Warmups {
    lanes: Vec<Vec<Segment>>,
}

/// What holds for the jobs of a stream from an index on.
#[derive(Clone, Debug)]
struct Segment {
    from_index: u64,
    stretches: Stretches,
}

/// Stretches of a stream that follow one another.
#[derive(Clone, Debug, Default)]
pub struct Stretches {
    /// In order.
    pub all: Arc<[Warmup]>,
    /// A job belongs to one by its number, else by when it is due.
    pub by_number: bool,
}

/// A job, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its number in the script.
    pub number: u64,
    /// When it is due, in nanoseconds from the script's start.
    pub script_ns: u64,
}

/// The stretches of a stream, their times from the plan's start.
pub fn of_stream(stream: &crate::plan::Stream) -> Arc<[Warmup]> {
    let shifted = |stretch: &Warmup| Warmup {
        start_ns: stretch.start_ns.saturating_add(stream.after_ns),
        end_ns: stretch.end_ns.saturating_add(stream.after_ns),
        ..*stretch
    };
    stream.warmup.iter().map(shifted).collect()
}

impl Stretches {
    /// How many stretches begin before a job, and how many are over by then.
    fn passed(&self, job: Place) -> (usize, usize) {
        let (number, _) = thing_and_step(job.number);
        let of = |begun: &dyn Fn(&Warmup) -> bool| self.all.partition_point(begun);
        if self.by_number {
            (of(&|one| one.after_job < number), of(&|one| one.to_job < number))
        } else {
            (of(&|one| one.start_ns <= job.script_ns), of(&|one| one.end_ns <= job.script_ns))
        }
    }

    fn holds(&self, job: Place) -> bool {
        let (begun, over) = self.passed(job);
        begun > over
    }

    /// Which of some jobs, by their indices, belong to which stretch, in order.
    pub fn among(&self, of: Range<u64>, job: impl Fn(u64) -> Place) -> Vec<(usize, Range<u64>)> {
        if self.all.is_empty() || of.is_empty() {
            return Vec::new();
        }
        let first_with = |passes: &dyn Fn(Place) -> bool| {
            let (mut low, mut high) = (of.start, of.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if passes(job(middle)) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            low
        };
        let (begun, over) = (self.passed(job(of.end - 1)).0, self.passed(job(of.start)).1);
        let within = |stretch: usize| {
            let from = first_with(&|job| self.passed(job).0 > stretch);
            (stretch, from..first_with(&|job| self.passed(job).1 > stretch))
        };
        (over..begun.max(over)).map(within).filter(|(_, jobs)| !jobs.is_empty()).collect()
    }
}

impl Warmups {
    /// Those of a plan's streams.
    pub fn of(plan: &Plan) -> Warmups {
        let lane = |stream: &crate::plan::Stream| {
            let stretches =
                Stretches { all: of_stream(stream), by_number: stream.steps.is_empty() };
            vec![Segment { from_index: 0, stretches }]
        };
        Warmups { lanes: plan.streams.iter().map(lane).collect() }
    }

    /// Whether anything warms up.
    pub fn is_any(&self) -> bool {
        self.lanes.iter().flatten().any(|segment| !segment.stretches.all.is_empty())
    }

    /// From the jobs behind an index on, other stretches hold for a stream; `None` if the script is
    /// the same, and only elsewhere.
    pub fn splice(&mut self, stream: usize, index: u64, stretches: Option<Arc<[Warmup]>>) {
        while self.lanes.len() <= stream {
            self.lanes.push(Vec::new());
        }
        let lane = &mut self.lanes[stream];
        let before = lane.last().map(|last| Arc::clone(&last.stretches.all));
        let all = stretches.or(before).unwrap_or_default();
        let stretches = Stretches { all, by_number: false };
        lane.push(Segment { from_index: index, stretches });
        // What nothing was sent of is not needed any more, and a run may be steered very often.
        if lane.len() > 2 && lane.iter().all(|segment| segment.stretches.all.is_empty()) {
            lane.drain(..lane.len() - 1);
        }
    }

    fn segment(&self, stream: usize, index: u64) -> Option<&Segment> {
        self.lanes.get(stream)?.iter().rev().find(|segment| segment.from_index < index.max(1))
    }

    /// Whether a job only warms up.
    pub fn holds(&self, stream: usize, index: u64, job: impl FnOnce() -> Place) -> bool {
        let segment = self.segment(stream, index);
        segment.is_some_and(|segment| {
            !segment.stretches.all.is_empty() && segment.stretches.holds(job())
        })
    }

    /// How many jobs of some (by their indices, all of one stretch between two splices) only warm up.
    pub fn count(&self, stream: usize, of: Range<u64>, job: impl Fn(u64) -> Place) -> u64 {
        let Some(segment) = self.segment(stream, of.start) else { return 0 };
        let found = segment.stretches.among(of, job);
        found.iter().map(|(_, jobs)| jobs.end - jobs.start).sum()
    }

    /// Whether a stream is in such a stretch at a time of the newest script.
    pub fn is_in(&self, stream: usize, script_ns: u64) -> bool {
        let last = self.lanes.get(stream).and_then(|lane| lane.last());
        last.is_some_and(|segment| {
            let all = Arc::clone(&segment.stretches.all);
            let by_time = Stretches { all, by_number: false };
            by_time.holds(Place { number: 0, script_ns })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jobs 1 to 10 are due in the first second, 11 to 30 in the two after it, and so on.
    fn place(index: u64) -> Place {
        Place { number: index, script_ns: index * 100_000_000 - 50_000_000 }
    }

    fn stretch(from_s: u64, to_s: u64) -> Warmup {
        Warmup {
            after_job: from_s * 10,
            to_job: to_s * 10,
            start_ns: from_s * 1_000_000_000,
            end_ns: to_s * 1_000_000_000,
        }
    }

    fn both(stretches: &[Warmup]) -> [Warmups; 2] {
        [true, false].map(|by_number| Warmups {
            lanes: vec![vec![Segment {
                from_index: 0,
                stretches: Stretches { all: stretches.into(), by_number },
            }]],
        })
    }

    #[test]
    fn a_job_is_told_by_its_number_and_by_its_time() {
        for warmups in both(&[stretch(0, 1), stretch(3, 5)]) {
            let warm: Vec<u64> =
                (1..=60).filter(|index| warmups.holds(0, *index, || place(*index))).collect();
            assert_eq!(warm, (1..=10).chain(31..=50).collect::<Vec<u64>>());
            for (from, to) in [(1, 61), (1, 1), (5, 8), (8, 33), (11, 31), (20, 41), (50, 61)] {
                let counted = warm.iter().filter(|index| (from..to).contains(*index)).count();
                assert_eq!(warmups.count(0, from..to, place), counted as u64, "{from}..{to}");
            }
        }
    }

    #[test]
    fn what_is_spliced_in_holds_from_there_on() {
        let [mut warmups, _] = both(&[stretch(0, 2)]);
        warmups.splice(0, 15, Some([stretch(4, 5)].into()));
        let warm: Vec<u64> =
            (1..=60).filter(|index| warmups.holds(0, *index, || place(*index))).collect();
        assert_eq!(warm, (1..=15).chain(41..=50).collect::<Vec<u64>>());
        assert_eq!(warmups.count(0, 16..61, place), 10);
        assert!(warmups.is_in(0, 4_500_000_000) && !warmups.is_in(0, 1_000_000_000));
        assert!(warmups.is_any() && !both(&[])[0].is_any());
    }
}
