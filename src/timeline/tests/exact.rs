//! Polynomial curves against the oracle: equal to the job and to the nanosecond.

use super::oracle::Oracle;
use super::{at_once, constant, cut, exact_fractions, linear, smooth, timeline};
use crate::exact::{Exact, fraction, whole};
use crate::timeline::curve::Curve;
use proptest::prelude::*;

/// Rates that make ties.
fn rate() -> impl Strategy<Value = Exact> {
    prop_oneof![
        4 => prop::sample::select(exact_fractions(&[
            (0, 1), (1, 2), (1, 10), (1, 3), (1, 1), (5, 2), (3, 1), (10, 1), (7, 60), (1, 3600),
        ])),
        2 => (0i128..200, 1i128..12).prop_map(|(n, d)| fraction(n, d)),
        1 => (0i128..100_000, 1i128..1000).prop_map(|(n, d)| fraction(n, d)),
    ]
}

/// Lengths that make ties.
fn length() -> impl Strategy<Value = Exact> {
    prop_oneof![
        4 => prop::sample::select(exact_fractions(&[
            (0, 1), (1, 2), (1, 1), (3, 2), (2, 1), (5, 1), (10, 1), (1, 3), (60, 1), (1, 1000),
        ])),
        2 => (0i128..100, 1i128..10).prop_map(|(n, d)| fraction(n, d)),
        1 => (0i128..10_000_000_000_000, Just(1_000_000_000i128)).prop_map(|(n, d)| fraction(n, d)),
    ]
}

fn factor() -> impl Strategy<Value = Exact> {
    prop::sample::select(exact_fractions(&[
        (1, 2),
        (1, 3),
        (2, 1),
        (60, 1),
        (3, 2),
        (7, 5),
        (1, 60),
        (1000, 1),
    ]))
}

fn straight() -> impl Strategy<Value = Curve> {
    prop_oneof![
        4 => (rate(), length()).prop_map(|(rate, length)| constant(rate, length)),
        4 => (rate(), rate(), length(), any::<bool>())
            .prop_map(|(a, b, over, mirrored)| linear(a, b, over, mirrored)),
        1 => (rate(), length()).prop_map(|(a, over)| linear(a, whole(0), over, false)),
        1 => (rate(), length()).prop_map(|(a, over)| linear(whole(0), a, over, false)),
    ]
}

/// Anything made of straight lines and jumps; `jumps` only where no cap may stand around.
fn lines(jumps: bool) -> BoxedStrategy<Curve> {
    let leaf = if jumps {
        prop_oneof![6 => straight(), 1 => (0u64..5).prop_map(at_once)].boxed()
    } else {
        straight().boxed()
    };
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let held = (rate(), boxed.clone(), any::<bool>()).prop_map(|(rate, body, cap)| {
            if cap { Curve::Cap { rate, body } } else { Curve::Floor { rate, body } }
        });
        let repeat = (0u64..4, boxed.clone())
            .prop_map(|(times, body)| Curve::Repeat { times: Some(times), body });
        let scale =
            (factor(), boxed.clone()).prop_map(|(factor, body)| Curve::Scale { factor, body });
        let speed =
            (factor(), boxed.clone()).prop_map(|(factor, body)| Curve::Speed { factor, body });
        let cut = (length(), inner.clone()).prop_map(|(length, body)| cut(length, body));
        let sequence = prop::collection::vec(inner.clone(), 0..4).prop_map(Curve::Sequence);
        let together = prop::collection::vec(inner, 1..4).prop_map(Curve::Together);
        let all = prop_oneof![4 => sequence, 2 => repeat, 1 => scale, 1 => speed, 1 => cut];
        if jumps {
            prop_oneof![8 => all, 1 => together].boxed()
        } else {
            prop_oneof![8 => all, 1 => together, 2 => held].boxed()
        }
    })
    .boxed()
}

fn any_polynomial() -> impl Strategy<Value = Curve> {
    let bent = (rate(), rate(), length(), any::<bool>())
        .prop_map(|(a, b, over, mirrored)| smooth(a, b, over, mirrored));
    let total = (1u64..1000, lines(true)).prop_map(|(jobs, body)| {
        let body = Curve::Sequence(vec![constant(whole(1), whole(1)), body]);
        Curve::Total { jobs, body: Box::new(body) }
    });
    let part = prop_oneof![4 => lines(true), 4 => lines(false), 1 => bent, 1 => total];
    prop::collection::vec(part, 1..4).prop_map(Curve::Sequence)
}

/// Counts, due times and the number due at the due times and around them.
fn agree(curve: &Curve, places: &[u64]) -> Result<(), TestCaseError> {
    let (oracle, timeline) = (Oracle::new(curve), timeline(curve));
    let (jobs, length) = (oracle.jobs(), oracle.length_ns());
    prop_assert_eq!(timeline.jobs(), Some(jobs));
    prop_assert_eq!(timeline.length_ns(), Some(length));
    for place in places {
        let t = place % (length + 2);
        prop_assert_eq!(timeline.jobs_by(t), oracle.jobs_by(t), "jobs by {}", t);
        if jobs > 0 {
            let k = place % jobs + 1;
            let due = oracle.time_of(k);
            prop_assert_eq!(timeline.time_of(k), due, "time of {}", k);
            prop_assert_eq!(timeline.jobs_by(due), oracle.jobs_by(due));
            if let Some(before) = due.checked_sub(1) {
                prop_assert_eq!(timeline.jobs_by(before), oracle.jobs_by(before));
            }
        }
    }
    for k in [1, jobs].into_iter().filter(|k| (1..=jobs).contains(k)) {
        prop_assert_eq!(timeline.time_of(k), oracle.time_of(k), "time of {}", k);
    }
    Ok(())
}

proptest! {
    #![proptest_config(super::cases(64))]

    #[test]
    fn polynomial_curves_are_exact(
        curve in any_polynomial(),
        places in prop::collection::vec(any::<u64>(), 3),
    ) {
        agree(&curve, &places)?;
    }

    #[test]
    fn sums_and_bounds_are_exact(
        curve in lines(false),
        places in prop::collection::vec(any::<u64>(), 3),
    ) {
        agree(&curve, &places)?;
    }

    #[test]
    fn every_job_of_a_small_curve_is_exact(curve in lines(true)) {
        let oracle = Oracle::new(&curve);
        prop_assume!(oracle.jobs() < 40);
        let timeline = timeline(&curve);
        for k in 1..=oracle.jobs() {
            prop_assert_eq!(timeline.time_of(k), oracle.time_of(k), "time of {}", k);
        }
    }
}
