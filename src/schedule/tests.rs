mod arrivals;
mod flows;
pub mod statistics;

use super::{Even, Schedule, Shard};
use crate::exact::{fraction, whole};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;
use proptest::prelude::*;
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;

fn stepped(first: i128, second: i128) -> Arc<Timeline> {
    let step = |rate| Curve::Constant { rate: fraction(rate, 3), length: Some(whole(3)) };
    let pause = Curve::Constant { rate: whole(0), length: Some(whole(1)) };
    let parts = vec![step(first), Curve::AtOnce { jobs: 4 }, step(second), pause];
    Arc::new(Timeline::new(&Curve::Sequence(parts)).unwrap())
}

#[test]
fn a_whole_stream_is_its_timeline_later() {
    let even = Even::new(stepped(6, 3), 10 * SECOND, Shard::WHOLE, 0);
    assert_eq!((even.len(), even.end_ns()), (13, 17 * SECOND));
    let due: Vec<u64> = (1..=13).map(|index| even.time_of(index) / 1_000_000).collect();
    assert_eq!(
        due,
        [
            10_250, 10_750, 11_250, 11_750, 12_250, 12_750, 13_000, 13_000, 13_000, 13_000, 13_500,
            14_500, 15_500
        ]
    );
    assert_eq!((even.due_by(0), even.due_by(13 * SECOND), even.due_by(u64::MAX)), (0, 10, 13));
    assert_eq!((even.rate(0), even.rate(12 * SECOND), even.rate(13 * SECOND)), (0.0, 2.0, 1.0));
    assert!(!even.is_empty());
}

#[test]
fn a_late_run_leaves_out_what_was_due_before() {
    // Job 2 is due at 10.75 s, job 3 at 11.25 s.
    let even = Even::new(stepped(6, 3), 10 * SECOND, Shard::WHOLE, 11_250_000_000);
    assert_eq!((even.len(), even.number_of(1), even.time_of(1)), (11, 3, 0));
    assert_eq!((even.due_by(0), even.end_ns()), (1, 5_750_000_000));
    let later = Even::new(stepped(6, 3), 10 * SECOND, Shard::WHOLE, 11_250_000_001);
    assert_eq!((later.len(), later.number_of(1)), (10, 4));
    let over = Even::new(stepped(6, 3), 10 * SECOND, Shard::WHOLE, 60 * SECOND);
    assert_eq!((over.len(), over.end_ns(), over.due_by(SECOND)), (0, 0, 0));
    assert!(over.is_empty());
}

#[test]
fn there_is_no_part_0_and_none_beyond_the_last() {
    assert_eq!(Shard::new(0, 4), None);
    assert_eq!(Shard::new(5, 4), None);
    assert_eq!(Shard::new(1, 0), None);
    assert_eq!(Shard::new(1, 1), Some(Shard::WHOLE));
    assert_eq!(Shard::new(3, 4).map(|shard| (shard.part(), shard.of())), Some((3, 4)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shards_add_up_to_the_whole(
        (first, second) in (0i128..90, 0i128..90),
        (of, after, from) in (1u64..7, 0u64..5 * SECOND, 0u64..12 * SECOND),
        t in 0u64..12 * SECOND,
    ) {
        let timeline = stepped(first, second);
        let part = |n| Even::new(Arc::clone(&timeline), after, Shard::new(n, of).unwrap(), from);
        let whole = Even::new(Arc::clone(&timeline), after, Shard::WHOLE, from);
        let parts: Vec<Even> = (1..=of).map(part).collect();
        prop_assert_eq!(parts.iter().map(Schedule::len).sum::<u64>(), whole.len());
        prop_assert_eq!(parts.iter().map(|part| part.due_by(t)).sum::<u64>(), whole.due_by(t));
        let rate: f64 = parts.iter().map(|part| part.rate(t)).sum();
        prop_assert!((rate - whole.rate(t)).abs() < 1e-9);
        let jobs = |even: &Even| {
            (1..=even.len()).map(|i| (even.number_of(i), even.time_of(i))).collect::<Vec<_>>()
        };
        let mut together: Vec<_> = parts.iter().flat_map(jobs).collect();
        together.sort_unstable();
        prop_assert_eq!(together, jobs(&whole));
        for (number, due) in jobs(&whole) {
            prop_assert_eq!(due + from, timeline.time_of(number) + after);
            prop_assert_eq!(
                whole.due_by(due),
                (1..=whole.len()).filter(|i| whole.time_of(*i) <= due).count() as u64
            );
        }
        let all = timeline.jobs().unwrap();
        let dropped = (1..=all).filter(|k| timeline.time_of(*k) + after < from).count() as u64;
        prop_assert_eq!(whole.len(), all - dropped);
        prop_assert!((1..=whole.len()).all(|i| whole.time_of(i) <= whole.end_ns()));
    }
}
