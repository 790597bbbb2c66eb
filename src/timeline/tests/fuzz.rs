//! Whatever the curve: no panic, no endless loop, and what is always true of a timeline.

use crate::ast::RampCurve;
use crate::exact::{Exact, fraction};
use crate::timeline::curve::Curve;
use crate::timeline::{CurveError, MarkJobs, Timeline};
use proptest::prelude::*;

fn absurd() -> impl Strategy<Value = Exact> {
    prop_oneof![
        8 => (0i128..1000, 1i128..100).prop_map(|(n, d)| fraction(n, d)),
        2 => Just(fraction(0, 1)),
        1 => (-100i128..0, 1i128..10).prop_map(|(n, d)| fraction(n, d)),
        1 => prop::sample::select(vec![
            fraction(1, i128::MAX), fraction(i128::MAX, 1), fraction(i128::MIN, 1),
            fraction(i128::MAX, i128::MAX - 1), fraction(1, 1_000_000_000_000_000_000),
            fraction(1_000_000_000_000, 1), fraction(i128::MIN + 1, i128::MAX),
            fraction(1, 1 << 100), fraction(1 << 90, 3),
        ]),
    ]
}

fn maybe() -> impl Strategy<Value = Option<Exact>> {
    prop_oneof![6 => absurd().prop_map(Some), 1 => Just(None)]
}

fn way() -> impl Strategy<Value = RampCurve> {
    prop::sample::select(vec![
        RampCurve::Linear,
        RampCurve::Exponential,
        RampCurve::Logarithmic,
        RampCurve::Smooth,
    ])
}

fn leaf() -> impl Strategy<Value = Curve> {
    let ramp = (absurd(), absurd(), absurd(), way(), any::<bool>()).prop_map(
        |(from, to, over, curve, mirrored)| Curve::Ramp { from, to, over, curve, mirrored },
    );
    let sine = (absurd(), absurd(), absurd(), absurd(), maybe()).prop_map(
        |(base, amp, period, phase, length)| Curve::Sine { base, amp, period, phase, length },
    );
    prop_oneof![
        3 => (absurd(), maybe()).prop_map(|(rate, length)| Curve::Constant { rate, length }),
        3 => ramp,
        3 => sine,
        1 => prop_oneof![0u64..10, any::<u64>()].prop_map(|jobs| Curve::AtOnce { jobs }),
    ]
}

/// Any curve, its marks all of one name: numbered below.
pub(super) fn any_curve() -> impl Strategy<Value = Curve> {
    leaf().prop_recursive(6, 32, 4, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        let many = || prop::collection::vec(inner.clone(), 0..4);
        let times = prop_oneof![
            4 => (0u64..9).prop_map(Some), 1 => any::<u64>().prop_map(Some), 2 => Just(None),
        ];
        prop_oneof![
            3 => many().prop_map(Curve::Sequence),
            2 => many().prop_map(Curve::Together),
            2 => (times, one()).prop_map(|(times, body)| Curve::Repeat { times, body }),
            1 => (absurd(), one()).prop_map(|(factor, body)| Curve::Scale { factor, body }),
            1 => (absurd(), one()).prop_map(|(factor, body)| Curve::Speed { factor, body }),
            1 => (absurd(), one()).prop_map(|(rate, body)| Curve::Cap { rate, body }),
            1 => (absurd(), one()).prop_map(|(rate, body)| Curve::Floor { rate, body }),
            2 => (absurd(), one()).prop_map(|(length, body)| Curve::Cut { length, body }),
            1 => (0u64..1000, one()).prop_map(|(jobs, body)| Curve::Total { jobs, body }),
            1 => one().prop_map(|body| Curve::Mark { id: 0, body }),
        ]
    })
}

fn number_marks(curve: &mut Curve, next: &mut u32) {
    match curve {
        Curve::Mark { id, body } => {
            *id = *next;
            *next += 1;
            number_marks(body, next);
        }
        Curve::Sequence(items) | Curve::Together(items) => {
            items.iter_mut().for_each(|item| number_marks(item, next));
        }
        Curve::Repeat { body, .. }
        | Curve::Scale { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Cut { body, .. }
        | Curve::Total { body, .. } => number_marks(body, next),
        _ => {}
    }
}

/// What holds of every timeline at any instant and for any job.
fn sane(timeline: &Timeline, a: u64, b: u64) -> Result<(), TestCaseError> {
    let end = timeline.length_ns().unwrap_or(1 << 62);
    let (a, b) = (a % (end + 1), b % (end + 1));
    let (first, last) = (a.min(b), a.max(b));
    prop_assert!(timeline.jobs_by(first) <= timeline.jobs_by(last));
    prop_assert!(timeline.cumulative(first) <= timeline.cumulative(last) * (1.0 + 1e-15));
    let (low, high) = timeline.bounds(first, last);
    let middle = first + (last - first) / 2;
    for t in [first, middle, last] {
        let rate = timeline.rate(t);
        prop_assert!(rate >= 0.0 && rate.is_finite());
        if t < end {
            let room = 1e-9 * high.max(1e-9);
            prop_assert!(low <= rate + room && rate <= high + room, "{low} {rate} {high} at {t}");
            prop_assert!(rate <= timeline.peak() * (1.0 + 1e-6));
        }
        prop_assert!(timeline.rate_before(t) >= 0.0);
    }
    let jobs = timeline.jobs().unwrap_or(timeline.jobs_by(1 << 62).min(1 << 60));
    if jobs == 0 {
        return Ok(());
    }
    prop_assert!(timeline.jobs().is_none() || timeline.time_of(jobs) <= end);
    let (mut k, mut l) = (a % jobs + 1, b % jobs + 1);
    if k > l {
        (k, l) = (l, k);
    }
    prop_assert!(timeline.time_of(k) <= timeline.time_of(l));
    for k in [1, k, l, jobs] {
        let due = timeline.time_of(k);
        prop_assert!(timeline.jobs_by(due) >= k, "job {} at {}", k, due);
        prop_assert!(due == 0 || timeline.jobs_by(due - 1) < k, "job {} before {}", k, due);
    }
    Ok(())
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn any_curve_is_refused_or_sane(mut curve in any_curve(), a in any::<u64>(), b in any::<u64>()) {
        let mut marks = 0;
        number_marks(&mut curve, &mut marks);
        let Ok(timeline) = Timeline::new(&curve) else { return Ok(()) };
        sane(&timeline, a, b)?;
        let spans = timeline.marks();
        prop_assert_eq!(spans.len(), marks as usize);
        for (i, span) in spans.iter().enumerate() {
            prop_assert_eq!(span.id, i as u32);
            prop_assert!(span.start_ns <= span.end_ns);
            if let (MarkJobs::Exact(jobs), Some(all)) = (span.jobs, timeline.jobs()) {
                prop_assert!(jobs <= all);
            }
        }
    }
}

fn nested(depth: usize, around: impl Fn(Box<Curve>) -> Curve) -> Curve {
    let wave = super::sine(10, 20, 7, 100);
    (0..depth).fold(wave, |curve, _| around(Box::new(curve)))
}

#[test]
fn deep_nesting_works_up_to_a_point_and_is_refused_beyond() {
    let sequence = |body: Box<Curve>| Curve::Sequence(vec![*body]);
    let too_deep = CurveError::TooDeep { mark: None };
    assert_eq!(Timeline::new(&nested(2000, sequence)).unwrap_err(), too_deep);
    let around: [fn(Box<Curve>) -> Curve; 7] = [
        |body| Curve::Sequence(vec![*body]),
        |body| Curve::Together(vec![*body]),
        |body| Curve::Mark { id: 0, body },
        |body| Curve::Cap { rate: fraction(25, 1), body },
        |body| Curve::Cut { length: fraction(99, 1), body },
        |body| Curve::Speed { factor: fraction(1, 1), body },
        |body| Curve::Total { jobs: 1000, body },
    ];
    for around in around {
        let timeline = Timeline::new(&nested(131, around)).unwrap();
        sane(&timeline, 1 << 36, 1 << 33).unwrap();
        assert!(timeline.marks().len() < 132);
    }
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let year = fraction(365 * 24 * 3600, 1);
    let boxed = |curve| Box::new(curve);
    // Each cut has the tree twice: what repeats, and a last part of it. They stand too deep as well.
    let doubled = (0..60).fold(super::constant(fraction(1, 1), fraction(1, 1)), |body, i| {
        let pair = Curve::Sequence(vec![body, super::at_once(1)]);
        let body = boxed(Curve::Repeat { times: None, body: boxed(pair) });
        Curve::Cut { length: fraction(10 + i, 3), body }
    });
    // A wave of a millisecond on a slope of a year, capped where it crosses 10⁹ times.
    let wave = Curve::Sine {
        base: fraction(100, 1),
        amp: fraction(50, 1),
        period: fraction(1, 1000),
        phase: fraction(0, 1),
        length: Some(year),
    };
    let slope = super::linear(fraction(0, 1), fraction(10, 1), year, false);
    let capped =
        |members| Curve::Cap { rate: fraction(120, 1), body: boxed(Curve::Together(members)) };
    let too_deep = CurveError::TooDeep { mark: None };
    assert_eq!(Timeline::new(&doubled).unwrap_err(), too_deep);
    assert_eq!(Timeline::new(&capped(vec![wave, slope])).unwrap_err(), TOO_COMPLEX);
}

const TOO_COMPLEX: CurveError = CurveError::TooComplex { mark: None };
