//! Jobs that fall due in batches.

use crate::timeline::streams::DueTimes;
use crate::timeline::{Dd, Timeline};
use std::sync::Arc;

/// The jobs of a stream in batches of `size`, the last of which may be smaller: those of a batch fall
/// due together, when its last one would by itself. So no more than size − 1 jobs are behind the
/// curve, none is before it, and their number stays what it is.
#[derive(Clone, Debug)]
pub struct Batched {
    due: Arc<dyn DueTimes>,
    size: u64,
}

/// A stream in batches of `size`, from 1; in batches of one it is what it was.
pub fn batched(due: Arc<dyn DueTimes>, size: u64) -> Arc<dyn DueTimes> {
    if size <= 1 { due } else { Arc::new(Batched { due, size }) }
}

impl Batched {
    /// Of so many jobs those whose batch is complete.
    fn complete(&self, jobs: u64) -> u64 {
        if self.due.jobs() == Some(jobs) { jobs } else { jobs - jobs % self.size }
    }
}

impl DueTimes for Batched {
    fn timeline(&self) -> &Timeline {
        self.due.timeline()
    }

    fn jobs(&self) -> Option<u64> {
        self.due.jobs()
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        self.complete(self.due.jobs_by(t_ns))
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        self.complete(self.due.jobs_to(count))
    }

    fn time_of(&self, k: u64) -> u64 {
        let last = k.div_ceil(self.size).saturating_mul(self.size);
        self.due
            .time_of(self.due.jobs().map_or(last, |all| if k <= all { last.min(all) } else { k }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::whole;
    use crate::schedule::{Placed, Schedule as _, Shard, due, points};
    use crate::timeline::curve::{Arrivals, Curve};

    const SECOND: u64 = 1_000_000_000;

    fn ten_a_second(seconds: i128, size: u64) -> Arc<dyn DueTimes> {
        let curve = Curve::Constant { rate: whole(10), length: Some(whole(seconds)) };
        batched(Arc::new(Timeline::new(&curve).unwrap()), size)
    }

    #[test]
    fn a_batch_is_due_with_its_last_job() {
        let even = ten_a_second(3, 1);
        let batches = ten_a_second(3, 8);
        assert_eq!(batches.jobs(), Some(30));
        for k in 1..=30_u64 {
            let last = (k.div_ceil(8) * 8).min(30);
            assert_eq!(batches.time_of(k), even.time_of(last), "job {k}");
            assert_eq!(batches.jobs_by(batches.time_of(k)), last);
            assert!(batches.jobs_by(batches.time_of(k) - 1) < k);
        }
        assert_eq!((batches.jobs_by(0), batches.jobs_by(3 * SECOND)), (0, 30));
        assert_eq!(batches.time_of(31), even.time_of(31));
    }

    /// Whatever the arrivals, a batch is due with its last job, and none is lost or moved before the
    /// instant it was drawn for.
    #[test]
    fn drawn_arrivals_come_in_batches_too() {
        let curve = Curve::Constant { rate: whole(50), length: Some(whole(20)) };
        let timeline = Arc::new(Timeline::new(&curve).unwrap());
        let exact = Arrivals::Poisson { exact: true };
        for arrivals in [exact, Arrivals::Poisson { exact: false }, Arrivals::Gamma { cv: 3.0 }] {
            for key in 0..20 {
                let single = due(Arc::clone(&timeline), points(arrivals, &timeline, key));
                let all = single.jobs().unwrap();
                let batches = batched(Arc::clone(&single), 7);
                assert_eq!(batches.jobs(), Some(all), "{arrivals}");
                for k in 1..=all {
                    let last = (k.div_ceil(7) * 7).min(all);
                    let at = batches.time_of(k);
                    assert_eq!(at, single.time_of(last), "job {k}");
                    assert!(batches.jobs_by(at) >= last && at >= single.time_of(k));
                    assert!(at == 0 || batches.jobs_by(at - 1) < k);
                }
                let end = timeline.length_ns().unwrap();
                assert_eq!((batches.jobs_by(end), batches.time_of(all + 1)), (all, u64::MAX));
            }
        }
    }

    #[test]
    fn shards_take_whole_batches() {
        for (size, of) in [(1, 3), (8, 1), (8, 3), (7, 4), (50, 2)] {
            let part = |n| {
                let shard = Shard::new(n, of).unwrap();
                Placed::of_batches(ten_a_second(3, size), size, 0, shard, SECOND)
            };
            let mut all = Vec::new();
            for n in 1..=of {
                let part = part(n);
                for index in 1..=part.len() {
                    let (number, due) = (part.number_of(index), part.time_of(index));
                    assert_eq!(((number - 1) / size) % of, n - 1, "{number}");
                    assert!(part.due_by(due) >= index);
                    assert!(due == 0 || part.due_by(due - 1) < index);
                    all.push((number, due + SECOND));
                }
            }
            all.sort_unstable();
            let whole = ten_a_second(3, size);
            let expected = (1..=30).map(|k| (k, whole.time_of(k)));
            let expected: Vec<_> = expected.filter(|(_, due)| *due >= SECOND).collect();
            assert_eq!(all, expected, "batches of {size} in {of} parts");
        }
    }
}
