//! Drawn arrivals against their laws, and against what every schedule promises.

use super::statistics::{bound, distance, excess, gamma_below, ln_gamma, moments, neighbours};
use crate::exact::{fraction, whole};
use crate::schedule::{Arrivals, Placed, Schedule, Shard, due, points};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;
const POISSON: Arrivals = Arrivals::Poisson { exact: false };
const EXACT: Arrivals = Arrivals::Poisson { exact: true };

fn compiled(curve: &Curve) -> Arc<Timeline> {
    Arc::new(Timeline::new(curve).unwrap())
}

fn steady(rate: i128, seconds: i128) -> Arc<Timeline> {
    compiled(&Curve::Constant { rate: whole(rate), length: Some(whole(seconds)) })
}

/// A ramp, a rest, jobs at once, a wave and another rest.
fn varied() -> Arc<Timeline> {
    let rest = |seconds| Curve::Constant { rate: whole(0), length: Some(whole(seconds)) };
    let ramp = Curve::Ramp {
        from: whole(0),
        to: whole(30),
        over: whole(10),
        curve: crate::ast::RampCurve::Linear,
        mirrored: false,
    };
    let wave = Curve::Sine {
        base: whole(10),
        amp: whole(10),
        period: fraction(7, 3),
        phase: whole(0),
        length: Some(whole(14)),
    };
    let jobs = Curve::AtOnce { jobs: 20 };
    compiled(&Curve::Sequence(vec![ramp, rest(2), jobs, wave, rest(3)]))
}

fn schedule(arrivals: Arrivals, timeline: &Arc<Timeline>, key: u64) -> Arc<dyn Schedule> {
    placed(arrivals, timeline, key, 0, Shard::WHOLE, 0)
}

fn placed(
    arrivals: Arrivals,
    timeline: &Arc<Timeline>,
    key: u64,
    after_ns: u64,
    shard: Shard,
    from_ns: u64,
) -> Arc<dyn Schedule> {
    let due = due(Arc::clone(timeline), points(arrivals, timeline, key));
    Arc::new(Placed::new(due, after_ns, shard, from_ns))
}

fn times(schedule: &dyn Schedule) -> Vec<u64> {
    (1..=schedule.len()).map(|index| schedule.time_of(index)).collect()
}

/// All kinds that are drawn.
fn kinds() -> [Arrivals; 5] {
    let gamma = |cv| Arrivals::Gamma { cv };
    [POISSON, EXACT, gamma(0.3), gamma(1.0), gamma(3.0)]
}

#[test]
fn counts_and_times_agree_and_never_go_back() {
    for arrivals in kinds() {
        for timeline in [varied(), steady(40, 6), steady(1, 1), steady(0, 5)] {
            for key in 0..8 {
                let schedule = schedule(arrivals, &timeline, key);
                let times = times(&*schedule);
                assert!(times.is_sorted(), "{arrivals:?}");
                let due = due(Arc::clone(&timeline), points(arrivals, &timeline, key));
                assert_eq!(Some(schedule.len()), due.jobs());
                assert!(times.iter().all(|t| *t <= schedule.end_ns()));
                for t in &times {
                    let due = times.partition_point(|other| other <= t) as u64;
                    assert_eq!(schedule.due_by(*t), due, "{arrivals:?} {key} {t}");
                    let before = times.partition_point(|other| other < t) as u64;
                    assert_eq!(schedule.due_by(t.wrapping_sub(1)) * u64::from(*t > 0), before);
                }
                assert_eq!(schedule.due_by(u64::MAX), schedule.len());
                if times.first().is_some_and(|first| *first > 0) {
                    assert_eq!(schedule.due_by(0), 0);
                }
            }
        }
    }
}

#[test]
fn shards_are_the_whole_and_late_runs_its_end() {
    let timeline = varied();
    for arrivals in kinds() {
        let make = |after, shard, from| placed(arrivals, &timeline, 5, after, shard, from);
        let all = times(&*make(0, Shard::WHOLE, 0));
        for from in [0, 3 * SECOND, 14 * SECOND, 19 * SECOND, 90 * SECOND] {
            let after = 2 * SECOND;
            let mut parts: Vec<(u64, u64)> = (1..=3)
                .map(|part| make(after, Shard::new(part, 3).unwrap(), from))
                .flat_map(|part| {
                    (1..=part.len())
                        .map(|index| (part.number_of(index), part.time_of(index)))
                        .collect::<Vec<_>>()
                })
                .collect();
            parts.sort_unstable();
            let expected: Vec<(u64, u64)> = (1..)
                .zip(&all)
                .filter(|(_, t)| **t + after >= from)
                .map(|(number, t)| (number, t + after - from))
                .collect();
            assert_eq!(parts, expected, "{arrivals:?} from {from}");
        }
    }
}

#[test]
fn keys_tell_streams_apart_and_nothing_else_does() {
    let timeline = varied();
    for arrivals in kinds() {
        let of = |key| times(&*schedule(arrivals, &timeline, key));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}

#[test]
fn exact_has_as_many_jobs_as_even() {
    for (timeline, jobs) in [(varied(), 310), (steady(7, 3), 21), (steady(0, 3), 0)] {
        assert_eq!(timeline.jobs(), Some(jobs));
        for key in 0..20 {
            assert_eq!(schedule(EXACT, &timeline, key).len(), jobs);
        }
    }
    let forever = compiled(&Curve::Constant { rate: whole(5), length: None });
    assert!(points(POISSON, &forever, 1).is_none());
}

#[test]
fn the_number_of_jobs_is_poisson() {
    let timeline = steady(12, 3);
    let mut seen = vec![0; 100];
    for key in 0..20_000 {
        seen[schedule(POISSON, &timeline, key).len() as usize] += 1;
    }
    let chance = |n: usize| (n as f64 * 36f64.ln() - 36.0 - ln_gamma(n as f64 + 1.0)).exp();
    assert!(excess(&seen, chance).abs() < 4.0);
}

/// Counts in windows of 2 s where the rate is 10/s, over many keys.
fn windows(arrivals: Arrivals, keys: u64) -> Vec<Vec<f64>> {
    let timeline = steady(10, 40);
    let of = |key| {
        let schedule = schedule(arrivals, &timeline, key);
        let by: Vec<u64> = (0..=20).map(|w| schedule.due_by(w * 2 * SECOND)).collect();
        by.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect()
    };
    (0..keys).map(of).collect()
}

#[test]
fn windows_of_a_poisson_process_are_poisson_and_independent() {
    let streams = windows(POISSON, 1500);
    let all: Vec<f64> = streams.concat();
    let (mean, variance) = moments(&all);
    let n = all.len() as f64;
    assert!((mean - 20.0).abs() < 4.0 * (20.0 / n).sqrt(), "{mean}");
    // The index of dispersion is 1, with a deviation of √(2/n).
    assert!((variance / mean - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{}", variance / mean);
    let mut seen = vec![0; 80];
    all.iter().for_each(|count| seen[*count as usize] += 1);
    let chance = |n: usize| (n as f64 * 20f64.ln() - 20.0 - ln_gamma(n as f64 + 1.0)).exp();
    assert!(excess(&seen, chance).abs() < 4.0);
    assert!(neighbours(&all).abs() < 4.0 / n.sqrt(), "{}", neighbours(&all));
    // The same window in neighbouring keys.
    let across: Vec<f64> = streams.iter().map(|stream| stream[7]).collect();
    assert!(neighbours(&across).abs() < 4.0 / 1500f64.sqrt());
}

#[test]
fn windows_of_an_exact_poisson_process_share_one_count() {
    let streams = windows(EXACT, 1500);
    assert!(streams.iter().all(|stream| stream.iter().sum::<f64>() == 400.0));
    let all: Vec<f64> = streams.concat();
    let (mean, variance) = moments(&all);
    // Each job is in the window with a chance of 1/20: binomial.
    assert_eq!(mean, 20.0);
    assert!((variance / 19.0 - 1.0).abs() < 4.0 * (2.0 / all.len() as f64).sqrt(), "{variance}");
    let mut seen = vec![0; 80];
    all.iter().for_each(|count| seen[*count as usize] += 1);
    let chance = |n: usize| {
        let n = n as f64;
        let ways = ln_gamma(401.0) - ln_gamma(n + 1.0) - ln_gamma(401.0 - n);
        (ways + n * 0.05f64.ln() + (400.0 - n) * 0.95f64.ln()).exp()
    };
    assert!(excess(&seen, chance).abs() < 4.0);
}

/// Gaps in Λ-space, where the rate is 50/s.
fn gaps(arrivals: Arrivals, seconds: i128, key: u64) -> Vec<f64> {
    let times = times(&*schedule(arrivals, &steady(50, seconds), key));
    times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 * 50.0 / 1e9).collect()
}

#[test]
fn gaps_of_poisson_arrivals_are_exponential() {
    for arrivals in [POISSON, EXACT] {
        let gaps = gaps(arrivals, 400, 3);
        assert!(neighbours(&gaps).abs() < 4.0 / (gaps.len() as f64).sqrt());
        let limit = bound(gaps.len());
        let off = distance(gaps, |gap| 1.0 - (-gap).exp());
        assert!(off < limit, "{off} {limit}");
    }
}

#[test]
fn gaps_of_gamma_arrivals_are_gamma() {
    for cv in [0.2, 0.7, 1.0, 2.0, 4.0] {
        let gaps = gaps(Arrivals::Gamma { cv }, 400, 11);
        let n = gaps.len() as f64;
        let (mean, variance) = moments(&gaps);
        assert!((mean - 1.0).abs() < 4.0 * cv / n.sqrt() + 1e-3, "{cv}: {mean}");
        // The fourth moment of a gamma law is 3 + 6/shape.
        let spread = ((2.0 + 6.0 * cv * cv) / n).sqrt();
        assert!((variance / cv / cv - 1.0).abs() < 4.0 * spread, "{cv}: {variance}");
        assert!(neighbours(&gaps).abs() < 4.0 / n.sqrt(), "{cv}");
        // Times are whole nanoseconds: the law is looked at where that is no matter.
        let (shape, least) = (1.0 / cv / cv, 1e-4);
        let short = gamma_below(shape, least * shape);
        let longer: Vec<f64> = gaps.into_iter().filter(|gap| *gap >= least).collect();
        let limit = bound(longer.len());
        let off = distance(longer, |gap| (gamma_below(shape, gap * shape) - short) / (1.0 - short));
        assert!(off < limit, "{cv}: {off} {limit}");
    }
}

#[test]
fn gamma_arrivals_follow_the_curve_from_the_start() {
    for cv in [0.3, 2.0] {
        let streams = windows(Arrivals::Gamma { cv }, 3000);
        let n = streams.len() as f64;
        for window in [0, 1, 9, 19] {
            let counts: Vec<f64> = streams.iter().map(|stream| stream[window]).collect();
            let (mean, variance) = moments(&counts);
            assert!((mean - 20.0).abs() < 4.0 * (variance / n).sqrt(), "{cv} {window}: {mean}");
        }
        // Over long windows the index of dispersion comes to cv².
        let sums: Vec<f64> = streams.iter().map(|stream| stream.iter().sum()).collect();
        let (mean, variance) = moments(&sums);
        // At 400 jobs it is still off by about (cv⁴ − 1)/(6·400) and the like.
        assert!((variance / mean / cv / cv - 1.0).abs() < 0.15, "{cv}: {}", variance / mean);
    }
}

#[test]
fn a_longer_plan_with_gamma_arrivals_begins_like_the_shorter() {
    let gamma = Arrivals::Gamma { cv: 1.5 };
    let of = |seconds| times(&*schedule(gamma, &steady(20, seconds), 4));
    let (short, long) = (of(30), of(50));
    assert_eq!(long[..short.len()], short);
    assert!(long[short.len()] > 30 * SECOND);
}

#[test]
fn very_many_jobs_take_no_memory_and_little_time() {
    // 30,000/s for a year, and 10¹⁵ jobs.
    for timeline in [steady(30_000, 31_536_000), steady(1_000_000_000, 1_000_000)] {
        let total = timeline.jobs().unwrap() as f64;
        for arrivals in [POISSON, EXACT, Arrivals::Gamma { cv: 2.0 }] {
            let schedule = schedule(arrivals, &timeline, 9);
            assert!((schedule.len() as f64 - total).abs() < 12.0 * total.sqrt());
            for share in [0.0, 1e-9, 0.1, 0.5, 0.999_999, 1.0] {
                let k = ((schedule.len() as f64 * share) as u64).clamp(2, schedule.len());
                let t = schedule.time_of(k);
                assert!(schedule.due_by(t) >= k && schedule.due_by(t - 1) < k);
                assert!(schedule.time_of(k - 1) <= t);
                let expected = total * t as f64 / schedule.end_ns() as f64;
                assert!((k as f64 - expected).abs() < 12.0 * total.sqrt(), "{arrivals:?} {k}");
            }
        }
    }
}

#[test]
fn jobs_at_once_stay_at_once() {
    let jump = compiled(&Curve::Sequence(vec![
        Curve::Constant { rate: whole(1), length: Some(whole(10)) },
        Curve::AtOnce { jobs: 500 },
        Curve::Constant { rate: whole(1), length: Some(whole(10)) },
    ]));
    for arrivals in kinds() {
        let times = times(&*schedule(arrivals, &jump, 2));
        let together = times.iter().filter(|t| **t == 10 * SECOND).count();
        assert!((250..750).contains(&together), "{arrivals:?}: {together}");
    }
}
