//! Every shape and composition against the definition of its rate, integrated numerically.

use super::{at_once, timeline};
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, to_f64, whole};
use crate::timeline::curve::Curve;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// A curve as the language defines it: its length, its rate and its jumps.
struct Defined {
    length: f64,
    rate: Box<dyn Fn(f64) -> f64>,
    /// Where the rate may jump or bend.
    borders: Vec<f64>,
    jumps: Vec<(f64, f64)>,
}

fn defined(curve: &Curve) -> Defined {
    let f = to_f64;
    match curve {
        Curve::Constant { rate, length } => {
            let rate = f(rate);
            shape(length.as_ref().map_or(f64::INFINITY, f), move |_| rate)
        }
        Curve::Ramp { from, to, over, curve, mirrored } => {
            let (a, b, over, curve, mirrored) = (f(from), f(to), f(over), *curve, *mirrored);
            shape(over, move |t| {
                let u = if mirrored { 1.0 - t / over } else { t / over };
                match curve {
                    RampCurve::Linear => a + (b - a) * u,
                    RampCurve::Exponential => a * (b / a).powf(u),
                    RampCurve::Logarithmic => a + (b - a) * (1.0 + 9.0 * u).log10(),
                    RampCurve::Smooth => a + (b - a) * (3.0 * u * u - 2.0 * u * u * u),
                }
            })
        }
        Curve::Sine { base, amp, period, phase, length } => {
            let (base, amp, period, phase) = (f(base), f(amp), f(period), f(phase));
            shape(length.as_ref().map_or(f64::INFINITY, f), move |t| {
                (base + amp * (TAU * (t / period + phase)).sin()).max(0.0)
            })
        }
        Curve::AtOnce { jobs } => {
            Defined { jumps: vec![(0.0, *jobs as f64)], ..shape(0.0, |_| 0.0) }
        }
        Curve::Sequence(items) => items.iter().map(defined).fold(shape(0.0, |_| 0.0), then),
        Curve::Repeat { times, body } => {
            let times = times.unwrap_or(50);
            (0..times).map(|_| defined(body)).fold(shape(0.0, |_| 0.0), then)
        }
        Curve::Together(members) => members.iter().map(defined).fold(shape(0.0, |_| 0.0), plus),
        Curve::Scale { factor, body } => times(defined(body), f(factor)),
        Curve::Total { jobs, body } => {
            let body = defined(body);
            let factor = *jobs as f64 / cumulative(&body, body.length);
            times(body, factor)
        }
        Curve::Cap { rate, body } => {
            let (level, body) = (f(rate), defined(body));
            let rate = body.rate;
            Defined { rate: Box::new(move |t| rate(t).min(level)), ..body }
        }
        Curve::Floor { rate, body } => {
            let (level, body) = (f(rate), defined(body));
            let rate = body.rate;
            Defined { rate: Box::new(move |t| rate(t).max(level)), ..body }
        }
        Curve::Speed { factor, body } => {
            let (factor, body) = (f(factor), defined(body));
            let rate = body.rate;
            Defined {
                length: body.length / factor,
                rate: Box::new(move |t| factor * rate(t * factor)),
                borders: body.borders.iter().map(|at| at / factor).collect(),
                jumps: body.jumps.iter().map(|(at, jobs)| (at / factor, *jobs)).collect(),
            }
        }
        Curve::Cut { length, body } => {
            let mut body = defined(body);
            body.length = body.length.min(f(length));
            let end = body.length;
            body.jumps.retain(|(at, _)| *at <= end);
            body
        }
        Curve::Mark { body, .. } => defined(body),
        Curve::Walk { .. }
        | Curve::Chaos { .. }
        | Curve::Replay { .. }
        | Curve::Moments { .. }
        | Curve::Hours { .. }
        | Curve::Jitter { .. }
        | Curve::Arrivals { .. } => {
            panic!("no formula")
        }
    }
}

fn shape(length: f64, rate: impl Fn(f64) -> f64 + 'static) -> Defined {
    Defined { length, rate: Box::new(rate), borders: vec![0.0, length], jumps: Vec::new() }
}

fn then(first: Defined, second: Defined) -> Defined {
    let middle = first.length;
    let (early, late) = (first.rate, second.rate);
    let shifted = second.borders.iter().map(|at| at + middle);
    let jumps = second.jumps.iter().map(|(at, jobs)| (at + middle, *jobs));
    Defined {
        length: middle + second.length,
        rate: Box::new(move |t| if t < middle { early(t) } else { late(t - middle) }),
        borders: first.borders.into_iter().chain(shifted).collect(),
        jumps: first.jumps.into_iter().chain(jumps).collect(),
    }
}

fn plus(first: Defined, second: Defined) -> Defined {
    let (a, b) = (first.length, second.length);
    let (one, other) = (first.rate, second.rate);
    let within = |t: f64, length: f64, rate: &dyn Fn(f64) -> f64| {
        if t < length { rate(t) } else { 0.0 }
    };
    Defined {
        length: a.max(b),
        rate: Box::new(move |t| within(t, a, &one) + within(t, b, &other)),
        borders: first.borders.into_iter().chain(second.borders).collect(),
        jumps: first.jumps.into_iter().chain(second.jumps).collect(),
    }
}

fn times(body: Defined, factor: f64) -> Defined {
    let rate = body.rate;
    Defined {
        rate: Box::new(move |t| factor * rate(t)),
        jumps: body.jumps.iter().map(|(at, jobs)| (*at, factor * jobs)).collect(),
        ..body
    }
}

/// Λ(t) between borders by Simpson's rule, halved until it stands still.
fn cumulative(curve: &Defined, t: f64) -> f64 {
    let end = t.min(curve.length);
    let mut borders: Vec<f64> = curve.borders.iter().copied().filter(|at| *at < end).collect();
    borders.extend([0.0, end]);
    borders.sort_by(f64::total_cmp);
    let pieces = borders.windows(2).map(|pair| {
        let part = (pair[1] - pair[0]) / 32.0;
        let from = |n: i32| pair[0] + part * f64::from(n);
        (0..32).map(|n| adaptive(&curve.rate, from(n), from(n + 1), 22)).sum::<f64>()
    });
    let jumps = curve.jumps.iter().filter(|(at, _)| *at <= t + 1e-12).map(|(_, jobs)| jobs);
    pieces.sum::<f64>() + jumps.sum::<f64>()
}

/// The ends count too, but from just inside, where a border may be.
fn three_points(rate: &dyn Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let inside = (to - from) * 1e-9;
    let ends = rate(from + inside) + rate(to - inside);
    (to - from) * (ends + 4.0 * rate((from + to) / 2.0)) / 6.0
}

fn adaptive(rate: &dyn Fn(f64) -> f64, from: f64, to: f64, depth: u32) -> f64 {
    let middle = (from + to) / 2.0;
    let whole = three_points(rate, from, to);
    let halves = three_points(rate, from, middle) + three_points(rate, middle, to);
    if depth == 0 || depth < 20 && (whole - halves).abs() < 1e-10 * (1.0 + halves.abs()) {
        return halves;
    }
    adaptive(rate, from, middle, depth - 1) + adaptive(rate, middle, to, depth - 1)
}

fn number(most: i128) -> impl Strategy<Value = Exact> {
    (0i128..most * 4, 1i128..7).prop_map(|(n, d)| fraction(n, d.min(4)))
}

fn leaf() -> impl Strategy<Value = Curve> {
    let ways = prop::sample::select(vec![
        RampCurve::Linear,
        RampCurve::Exponential,
        RampCurve::Logarithmic,
        RampCurve::Smooth,
    ]);
    let ramp = (number(50), number(50), number(20), ways, any::<bool>()).prop_map(
        |(from, to, over, curve, mirrored)| {
            let above = if curve == RampCurve::Exponential { fraction(1, 3) } else { whole(0) };
            Curve::Ramp { from: from + above, to: to + above, over, curve, mirrored }
        },
    );
    let sine = (number(40), -40i128..40, 1i128..20, number(1), number(20)).prop_map(
        |(base, amp, period, phase, length)| Curve::Sine {
            base,
            amp: whole(amp),
            period: fraction(period, 2),
            phase,
            length: Some(length),
        },
    );
    prop_oneof![
        1 => (number(50), number(20))
            .prop_map(|(rate, length)| Curve::Constant { rate, length: Some(length) }),
        3 => ramp,
        3 => sine,
    ]
}

fn smooth_curve() -> BoxedStrategy<Curve> {
    leaf()
        .prop_recursive(3, 10, 3, |inner| {
            let one = || inner.clone().prop_map(Box::new);
            let many = || prop::collection::vec(inner.clone(), 1..4);
            let factor = || (1i128..9).prop_map(|n| fraction(n, 3));
            prop_oneof![
                3 => many().prop_map(Curve::Sequence),
                3 => many().prop_map(Curve::Together),
                1 => (0u64..4, one())
                    .prop_map(|(times, body)| Curve::Repeat { times: Some(times), body }),
                1 => (factor(), one()).prop_map(|(factor, body)| Curve::Scale { factor, body }),
                1 => (factor(), one()).prop_map(|(factor, body)| Curve::Speed { factor, body }),
                2 => (number(60), one()).prop_map(|(rate, body)| Curve::Cap { rate, body }),
                2 => (number(40), one()).prop_map(|(rate, body)| Curve::Floor { rate, body }),
                1 => (number(20), one()).prop_map(|(length, body)| Curve::Cut { length, body }),
            ]
        })
        .boxed()
}

fn with_jumps_and_total() -> impl Strategy<Value = Curve> {
    let part = prop_oneof![4 => smooth_curve(), 1 => (0u64..9).prop_map(at_once)];
    (prop::collection::vec(part, 1..4), prop_oneof![Just(None), (1u64..500).prop_map(Some)])
        .prop_map(|(mut parts, total)| {
            parts.push(Curve::Constant { rate: whole(3), length: Some(whole(1)) });
            let body = Curve::Sequence(parts);
            match total {
                Some(jobs) => Curve::Total { jobs, body: Box::new(body) },
                None => body,
            }
        })
}

proptest! {
    #![proptest_config(super::cases(40))]

    #[test]
    fn every_composition_is_as_defined(
        curve in with_jumps_and_total(),
        places in prop::collection::vec(0.0f64..1.05, 4),
    ) {
        let (timeline, defined) = (timeline(&curve), defined(&curve));
        let length = timeline.length_ns().unwrap();
        prop_assert!((length as f64 - defined.length * 1e9).abs() < 2.0);
        for place in places {
            let t_ns = (place * length as f64) as u64;
            let t = t_ns as f64 * 1e-9;
            let exact = cumulative(&defined, t);
            let near = timeline.cumulative(t_ns);
            let jump_near = defined.jumps.iter().any(|(at, _)| (at - t).abs() < 1e-8);
            prop_assert!(
                jump_near || (near - exact).abs() < 1e-6 * (1.0 + exact),
                "{near} instead of {exact} at {t}"
            );
            let border_near = defined.borders.iter().any(|at| (at - t).abs() < 1e-6);
            if t_ns < length && !border_near {
                let (near, exact) = (timeline.rate(t_ns), (defined.rate)(t));
                prop_assert!((near - exact).abs() < 1e-6 * (1.0 + exact), "rate at {t}");
                prop_assert!(exact <= timeline.peak() * (1.0 + 1e-9) + 1e-9, "peak");
            }
        }
    }

    /// The highest rate on a fine grid comes close to the peak, so that the peak is not too high.
    #[test]
    fn the_peak_is_reached(curve in smooth_curve()) {
        let (timeline, defined) = (timeline(&curve), defined(&curve));
        let length = defined.length;
        prop_assume!(length > 0.0);
        let grid = (0..20_000).map(|n| f64::from(n) / 20_000.0 * length);
        let beside = defined.borders.iter().flat_map(|at| [at - 1e-9, *at, at + 1e-9]);
        let inside = grid.chain(beside).filter(|t| (0.0..length).contains(t));
        let highest = inside.map(|t| (defined.rate)(t)).fold(0.0, f64::max);
        let peak = timeline.peak();
        prop_assert!(highest <= peak * (1.0 + 1e-9) + 1e-9, "{highest} above the peak {peak}");
        prop_assert!(peak <= highest * 1.001 + 0.01, "peak {peak}, but at most {highest}");
    }
}
