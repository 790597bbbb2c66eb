//! Sums of streams, and the proofs of guards, against counting one by one.

use super::{at_once, constant, linear, sine, timeline};
use crate::exact::{fraction, whole};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;
use crate::timeline::streams::{
    Beyond, RateProof, Stream, first_beyond_jobs, first_beyond_rate, jobs_of_sum_by, peak_of_sum,
    rate_of_sum,
};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;
const BUDGET: usize = 2_000_000;

fn flat(rate: i128, seconds: i128) -> Curve {
    constant(whole(rate), whole(seconds))
}

fn repeat(times: u64, body: Vec<Curve>) -> Curve {
    Curve::Repeat { times: Some(times), body: Box::new(Curve::Sequence(body)) }
}

/// Every due time of every stream, with the stream and the job, in order.
fn all_due(streams: &[Stream<'_>]) -> Vec<(u64, usize, u64)> {
    let of = |(index, (timeline, after)): (usize, &Stream<'_>)| {
        let due = |k| (timeline.time_of(k) + after, index, k);
        (1..=timeline.jobs().unwrap()).map(due).collect::<Vec<_>>()
    };
    let mut due: Vec<_> = streams.iter().enumerate().flat_map(of).collect();
    due.sort_unstable();
    due
}

/// The first window that holds too many, by counting.
fn counted(streams: &[Stream<'_>], window: u64, limit: u64) -> RateProof {
    let due = all_due(streams);
    let limit = limit as usize;
    let full = due.windows(limit + 1).find(|jobs| jobs[limit].0 - jobs[0].0 < window);
    full.map_or(RateProof::Holds, |jobs| {
        let t_ns = jobs[limit].0;
        let inside = |at: u64| at <= t_ns && at + window > t_ns;
        let count = due.iter().filter(|job| inside(job.0)).count() as u64;
        RateProof::Beyond { t_ns, count }
    })
}

#[test]
fn the_peak_of_a_file_is_that_of_the_sum() {
    let (high, normal) = (timeline(&sine(100, 20, 60, 600)), timeline(&sine(200, 40, 60, 600)));
    let batch = timeline(&flat(60, 600));
    let streams = [(&high, 0), (&normal, 10 * SECOND), (&batch, 20 * SECOND)];
    let highest = (0..60_000).map(|n| rate_of_sum(&streams, n * SECOND / 100)).fold(0.0, f64::max);
    let peak = peak_of_sum(&streams);
    assert!(highest <= peak && peak < highest * (1.0 + 1e-6), "{peak} for {highest}");
    assert_eq!(peak_of_sum(&[(&high, 5)]), 120.0);
    // One ends where the other starts: their rates never meet.
    let (one, other) = (timeline(&flat(500, 7)), timeline(&flat(300, 5)));
    assert_eq!(peak_of_sum(&[(&one, 0), (&other, 7 * SECOND)]), 500.0);
    assert_eq!(peak_of_sum(&[(&one, 0), (&other, 7 * SECOND - 1)]), 800.0);
    assert_eq!(peak_of_sum(&[]), 0.0);
}

#[test]
fn a_year_of_two_rhythms_has_its_peak() {
    let year = 365 * 24 * 3600;
    let fast = timeline(&repeat(year / 15, vec![flat(500, 5), flat(0, 10)]));
    let slow = timeline(&repeat(year / 60, vec![flat(0, 30), flat(300, 1), flat(0, 29)]));
    assert_eq!(peak_of_sum(&[(&fast, 0), (&slow, 0)]), 800.0);
    assert_eq!(peak_of_sum(&[(&fast, 0), (&slow, 6 * SECOND)]), 500.0);
}

#[test]
fn the_first_job_too_many_is_found() {
    let (a, b) = (timeline(&flat(10, 10)), timeline(&at_once(5)));
    let streams = [(&a, 0), (&b, 2 * SECOND)];
    assert_eq!(first_beyond_jobs(&streams, 105), None);
    let beyond = |limit| first_beyond_jobs(&streams, limit);
    assert_eq!(beyond(0), Some(Beyond { t_ns: SECOND / 20, stream: 0, job: 1 }));
    assert_eq!(beyond(19), Some(Beyond { t_ns: 1_950_000_000, stream: 0, job: 20 }));
    assert_eq!(beyond(20), Some(Beyond { t_ns: 2 * SECOND, stream: 1, job: 1 }));
    assert_eq!(beyond(24), Some(Beyond { t_ns: 2 * SECOND, stream: 1, job: 5 }));
    assert_eq!(beyond(25), Some(Beyond { t_ns: 2_050_000_000, stream: 0, job: 21 }));
    assert_eq!(beyond(104), Some(Beyond { t_ns: 9_950_000_000, stream: 0, job: 100 }));
    let endless = timeline(&Curve::Constant { rate: whole(1), length: None });
    let far = Beyond { t_ns: 1_000_000 * SECOND + SECOND / 2, stream: 0, job: 1_000_001 };
    assert_eq!(first_beyond_jobs(&[(&endless, 0)], 1_000_000), Some(far));
}

#[test]
fn a_rate_at_its_limit_is_proven_at_once() {
    let year = 365 * 24 * 3600;
    let at_limit = timeline(&flat(1000, year));
    let third = timeline(&constant(fraction(1000, 3), whole(year)));
    let wave = timeline(&sine(970, 30, 3600, year));
    let endless = timeline(&Curve::Constant { rate: whole(1000), length: None });
    for streams in [
        vec![(&at_limit, 0)],
        vec![(&wave, 5)],
        vec![(&third, 0)],
        vec![(&third, 0), (&third, 1)],
        vec![(&endless, 0)],
    ] {
        assert_eq!(first_beyond_rate(&streams, SECOND, 1000, 1), RateProof::Holds);
    }
    assert_eq!(first_beyond_rate(&[(&third, 0)], 3 * SECOND, 1000, 1), RateProof::Holds);
    assert_ne!(first_beyond_rate(&[(&at_limit, 0)], SECOND, 999, BUDGET), RateProof::Holds);
}

#[test]
fn a_window_as_long_as_the_rhythm_holds_its_volume() {
    let bursts = timeline(&repeat(200, vec![flat(500, 5), flat(0, 10)]));
    let streams = [(&bursts, 0)];
    assert_eq!(first_beyond_rate(&streams, 15 * SECOND, 2500, BUDGET), RateProof::Holds);
    let found = first_beyond_rate(&streams, 15 * SECOND, 2499, BUDGET);
    assert_eq!(found, RateProof::Beyond { t_ns: 4_999_000_000, count: 2500 });
}

#[test]
fn a_year_of_bursts_is_proven_by_one_round() {
    let year = 365 * 24 * 3600;
    let fifth = |rate| constant(whole(rate), fraction(1, 5));
    let pulse = vec![fifth(2000), constant(whole(0), fraction(74, 5)), at_once(500)];
    let bursts = repeat(year / 15, pulse);
    let wave = timeline(&sine(50, 50, 60, year as i128));
    let alone = timeline(&bursts);
    let streams = [(&alone, 5 * SECOND), (&wave, 0)];
    assert_eq!(first_beyond_rate(&streams, SECOND, 1000, BUDGET), RateProof::Holds);
    assert_ne!(first_beyond_rate(&streams, SECOND, 900, BUDGET), RateProof::Holds);
    // What comes after the rounds is still looked at: 1500 jobs a second, from the year's end on.
    let then = timeline(&Curve::Sequence(vec![bursts, flat(1500, 2)]));
    let t_ns = year * SECOND + 333_666_667;
    let count = 1001;
    let found = first_beyond_rate(&[(&then, 0)], SECOND, 1000, BUDGET);
    assert_eq!(found, RateProof::Beyond { t_ns, count });
}

#[test]
fn jobs_at_once_are_too_many_for_any_window() {
    let curve = Curve::Sequence(vec![flat(100, 10), at_once(60), flat(100, 10)]);
    let streams = [(&timeline(&curve), 3)];
    let found = first_beyond_rate(&streams, SECOND / 10, 69, BUDGET);
    assert_eq!(found, RateProof::Beyond { t_ns: 10 * SECOND + 3, count: 70 });
    assert_eq!(first_beyond_rate(&streams, SECOND / 10, 70, BUDGET), RateProof::Holds);
}

#[test]
fn without_budget_nothing_is_claimed() {
    let ramp = timeline(&linear(whole(0), whole(1010), whole(3600), false));
    assert_eq!(first_beyond_rate(&[(&ramp, 0)], SECOND, 1000, 3), RateProof::Unproven);
}

#[test]
fn the_first_window_of_a_ramp_beyond_its_limit_is_found() {
    let ramp = timeline(&linear(whole(0), whole(200), whole(20), false));
    let streams = [(&ramp, 7 * SECOND)];
    for (window, limit) in [(SECOND, 100), (SECOND / 3, 20), (5 * SECOND, 640), (SECOND, 198)] {
        let proof = first_beyond_rate(&streams, window, limit, BUDGET);
        assert_eq!(proof, counted(&streams, window, limit), "{limit} in {window}");
    }
}

fn small() -> impl Strategy<Value = Curve> {
    let part = prop_oneof![
        3 => (0i128..30, 1i128..3, 1i128..20)
            .prop_map(|(rate, d, tenths)| constant(fraction(rate, d), fraction(tenths, 10))),
        2 => (0i128..30, 0i128..30, 1i128..20)
            .prop_map(|(a, b, tenths)| linear(whole(a), whole(b), fraction(tenths, 10), false)),
        1 => (0i128..20, 0i128..30, 1i128..3, 1i128..4).prop_map(|(b, a, p, l)| sine(b, a, p, l)),
        1 => (0u64..6).prop_map(at_once),
    ];
    (1u64..4, prop::collection::vec(part, 1..4)).prop_map(|(times, parts)| repeat(times, parts))
}

proptest! {
    #![proptest_config(super::cases(60))]

    #[test]
    fn proofs_agree_with_counting(
        curves in prop::collection::vec((small(), 0u64..2_000_000_000), 1..4),
        tenths in 1u64..30,
        limit in 1u64..40,
    ) {
        let timelines: Vec<(Timeline, u64)> =
            curves.iter().map(|(curve, after)| (timeline(curve), *after)).collect();
        let streams: Vec<Stream> = timelines.iter().map(|(t, after)| (t, *after)).collect();
        let window = tenths * SECOND / 10;
        let proof = first_beyond_rate(&streams, window, limit, BUDGET);
        prop_assert_eq!(proof, counted(&streams, window, limit));
        let due = all_due(&streams);
        let beyond = first_beyond_jobs(&streams, limit);
        let job = due.get(limit as usize);
        prop_assert_eq!(beyond, job.map(|&(t_ns, stream, job)| Beyond { t_ns, stream, job }));
        for t in due.iter().map(|job| job.0).take(20) {
            let by = due.iter().filter(|job| job.0 <= t).count() as u64;
            prop_assert_eq!(jobs_of_sum_by(&streams, t), by);
        }
        let ends = streams.iter().map(|(t, after)| t.length_ns().unwrap() + after).max().unwrap();
        let peak = peak_of_sum(&streams);
        for n in 0..500 {
            prop_assert!(rate_of_sum(&streams, ends / 500 * n) <= peak * (1.0 + 1e-9));
        }
    }
}
