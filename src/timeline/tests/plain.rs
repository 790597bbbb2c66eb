//! Plain numbers say what precise ones say, or nothing; and on usual curves they say something.

use super::{constant, fuzz, linear, ramp, sine, timeline};
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};
use crate::timeline::curve::Curve;
use crate::timeline::dd::Dd;
use crate::timeline::functions::{INVERSE_TWO_PI, cos_turns, sin_cos, sin_turns};
use crate::timeline::{Timeline, plain, threshold};
use proptest::prelude::*;

/// Whether both ways agree on what is due at a time, if plain numbers tell.
fn count_agrees(timeline: &Timeline, t: u64) -> Result<bool, TestCaseError> {
    let Some(jobs) = plain::jobs_by(&timeline.root, t) else { return Ok(false) };
    prop_assert_eq!(jobs, timeline.precise_jobs_by(t), "by {}", t);
    Ok(true)
}

/// Whether both ways agree on when a job is due, if plain numbers tell.
fn time_agrees(timeline: &Timeline, k: u64) -> Result<bool, TestCaseError> {
    let Some(time) = plain::time_of(&timeline.root, k) else { return Ok(false) };
    prop_assert_eq!(time, timeline.time_of_count(threshold(k)), "job {}", k);
    Ok(true)
}

/// A job, its nanosecond and those around it; how many of the answers plain numbers gave.
fn agrees_around(timeline: &Timeline, k: u64) -> Result<usize, TestCaseError> {
    let due = timeline.time_of_count(threshold(k));
    let mut told = usize::from(time_agrees(timeline, k)?);
    for t in due.saturating_sub(2)..due.saturating_add(3) {
        told += usize::from(count_agrees(timeline, t)?);
    }
    Ok(told)
}

fn part() -> impl Strategy<Value = Curve> {
    let rate = || (1i128..30_000, 1i128..50).prop_map(|(n, d)| fraction(n, d));
    let seconds = || {
        prop_oneof![
            4 => (1i128..100_000, 1i128..100).prop_map(|(n, d)| fraction(n, d)),
            1 => (1i128..1000).prop_map(|n| fraction(n, 1_000_000_000)),
            1 => (1i128..1000).prop_map(|days| whole(days * 86_400)),
        ]
    };
    let way = prop::sample::select(vec![
        RampCurve::Linear,
        RampCurve::Exponential,
        RampCurve::Logarithmic,
        RampCurve::Smooth,
    ]);
    let wave = (rate(), -120i128..121, seconds(), 0i128..7, seconds()).prop_map(
        |(base, percent, period, phase, length)| Curve::Sine {
            base,
            amp: base * fraction(percent, 100),
            period,
            phase: fraction(phase, 7),
            length: Some(length),
        },
    );
    let zero_or = |rate: Exact, zero: bool| if zero { whole(0) } else { rate };
    prop_oneof![
        2 => (rate(), seconds()).prop_map(|(rate, length)| constant(rate, length)),
        1 => seconds().prop_map(|length| constant(whole(0), length)),
        2 => (rate(), rate(), seconds(), any::<[bool; 3]>()).prop_map(
            move |(from, to, over, [up, down, mirrored])| {
                linear(zero_or(from, up), zero_or(to, down), over, mirrored)
            }
        ),
        1 => (rate(), rate(), seconds(), way, any::<bool>()).prop_map(
            |(from, to, over, way, mirrored)| ramp(from, to, over, way, mirrored)
        ),
        4 => wave,
        1 => (1u64..100).prop_map(super::at_once),
    ]
}

fn composed() -> impl Strategy<Value = Curve> {
    part().prop_recursive(3, 12, 4, |inner| {
        let many = || prop::collection::vec(inner.clone(), 1..4).prop_map(Curve::Sequence);
        prop_oneof![
            2 => many(),
            2 => (2u64..5000, many())
                .prop_map(|(times, body)| Curve::Repeat { times: Some(times), body: Box::new(body) }),
            1 => many().prop_map(|body| Curve::Mark { id: 0, body: Box::new(body) }),
        ]
    })
}

proptest! {
    #![proptest_config(super::cases(400))]

    #[test]
    fn they_agree_on_composed_curves(
        curve in composed(),
        places in prop::collection::vec(any::<u64>(), 8),
    ) {
        let Ok(timeline) = Timeline::new(&curve) else { return Ok(()) };
        let (jobs, length) = (timeline.jobs().unwrap(), timeline.length_ns().unwrap());
        for place in places {
            count_agrees(&timeline, place % (length + 2))?;
            if jobs > 0 {
                agrees_around(&timeline, place % jobs + 1)?;
            }
        }
        for t in [0, 1, length.saturating_sub(1), length, length + 1, u64::MAX] {
            count_agrees(&timeline, t)?;
        }
        for k in [1, jobs, jobs + 1, u64::MAX] {
            time_agrees(&timeline, k)?;
        }
    }

    #[test]
    fn a_plain_sine_is_good_to_1e_15(angle in -12.5f64..40.0) {
        let turns = Dd::new(angle) * INVERSE_TWO_PI;
        let (sine, cosine) = sin_cos(angle);
        prop_assert!((sine - sin_turns(turns).hi).abs() < 1e-15);
        prop_assert!((cosine - cos_turns(turns).hi).abs() < 1e-15);
    }

    #[test]
    fn they_agree_on_absurd_curves(curve in fuzz::any_curve(), a in any::<u64>(), b in any::<u64>()) {
        let Ok(timeline) = Timeline::new(&curve) else { return Ok(()) };
        let end = timeline.length_ns().unwrap_or(1 << 62);
        for t in [a, b, a % (end + 1), b % (end + 1)] {
            count_agrees(&timeline, t)?;
        }
        let jobs = timeline.jobs().unwrap_or(1 << 60).max(1);
        for k in [1, a % jobs + 1, b % jobs + 1, jobs] {
            agrees_around(&timeline, k)?;
        }
    }
}

/// Without this the agreement might be one of silence.
#[test]
fn on_usual_curves_they_tell_nearly_always() {
    let hour = 3600;
    let usual = [
        constant(whole(997), whole(hour)),
        constant(fraction(1000, 7), whole(8 * hour)),
        linear(whole(10), whole(500), whole(8 * hour), false),
        linear(whole(500), whole(100), whole(hour), true),
        sine(100, 30, hour, 8 * hour),
        sine(100, -85, 60, hour),
        Curve::Repeat {
            times: Some(2000),
            body: Box::new(Curve::Sequence(vec![
                constant(whole(503), whole(5)),
                constant(whole(0), whole(10)),
            ])),
        },
    ];
    for curve in &usual {
        let timeline = timeline(curve);
        let (jobs, length) = (timeline.jobs().unwrap(), timeline.length_ns().unwrap());
        let (mut counts, mut times) = (0, 0);
        for i in 1..=1000u64 {
            counts += usize::from(count_agrees(&timeline, length / 1009 * i + 12_345).unwrap());
            times += usize::from(time_agrees(&timeline, (jobs / 1009 * i) | 1).unwrap());
        }
        assert!(counts > 900, "{counts} counts of {curve:?}");
        let flat = matches!(curve, Curve::Constant { .. } | Curve::Repeat { .. });
        assert!(flat || times > 850, "{times} times of {curve:?}");
    }
}
