//! `jitter` against its law, and against the curve that it shakes.

use super::timeline;
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;

const S: u64 = 1_000_000_000;

fn constant(rate: i128, seconds: i128) -> Curve {
    Curve::Constant { rate: whole(rate), length: Some(whole(seconds)) }
}

fn jitter(amount: Exact, key: u64, body: Curve) -> Curve {
    Curve::Jitter { amount, key, body: Box::new(body) }
}

fn sine(seconds: i128) -> Curve {
    Curve::Sine {
        base: whole(20),
        amp: whole(25),
        period: fraction(37, 3),
        phase: fraction(1, 3),
        length: Some(whole(seconds)),
    }
}

fn bodies() -> Vec<Curve> {
    let ramp = |from, to| Curve::Ramp {
        from: whole(from),
        to: whole(to),
        over: fraction(29, 4),
        curve: RampCurve::Linear,
        mirrored: false,
    };
    let bursts = Curve::Sequence(vec![constant(60, 1), constant(0, 3)]);
    let jumps = Curve::Sequence(vec![constant(3, 2), Curve::AtOnce { jobs: 40 }, constant(0, 5)]);
    vec![
        constant(10, 31),
        sine(31),
        ramp(0, 40),
        ramp(40, 0),
        Curve::Repeat { times: Some(7), body: Box::new(bursts) },
        jumps,
        Curve::Together(vec![sine(20), constant(5, 27)]),
        Curve::Sequence(vec![ramp(1, 30), constant(0, 4), sine(9)]),
    ]
}

#[test]
fn pairs_of_seconds_keep_their_jobs_and_no_factor_is_too_far_off() {
    for body in bodies() {
        let (plain, shaken) =
            (timeline(&body), timeline(&jitter(fraction(3, 10), 7, body.clone())));
        assert_eq!(plain.length_ns(), shaken.length_ns());
        assert_eq!(plain.jobs(), shaken.jobs());
        let end = plain.length_ns().unwrap();
        for t in (0..end).step_by((2 * S) as usize) {
            let (a, b) = (plain.cumulative(t), shaken.cumulative(t));
            assert!((a - b).abs() < 1e-9 * (1.0 + a), "{body:?} at {t}: {a} {b}");
        }
        let mut last = 0.0;
        for t in (0..end).step_by(93_000_001) {
            let (a, b) = (plain.rate(t), shaken.rate(t));
            assert!((b - a).abs() <= 0.3 * a + 1e-9, "{body:?} at {t}");
            let (low, high) = shaken.bounds(t, t + S / 10);
            assert!(low <= b + 1e-9 && b <= high + 1e-9, "{body:?} at {t}");
            let count = shaken.cumulative(t);
            assert!(count >= last, "{body:?} at {t}");
            last = count;
        }
        assert!(shaken.peak() <= plain.peak() * 1.3 + 1e-9);
    }
}

fn assert_times_agree(timeline: &Timeline, what: &Curve) {
    for k in 1..=timeline.jobs().unwrap() {
        let t = timeline.time_of(k);
        assert!(timeline.jobs_by(t) >= k, "{what:?}: job {k}");
        assert!(t == 0 || timeline.jobs_by(t - 1) < k, "{what:?}: job {k}");
    }
}

#[test]
fn times_and_counts_agree() {
    for body in bodies() {
        for key in 0..3 {
            let shaken = jitter(fraction(1, 2), key, body.clone());
            assert_times_agree(&timeline(&shaken), &shaken);
            let before = Curve::Sequence(vec![constant(1, 1), sine(3), shaken, constant(2, 2)]);
            assert_times_agree(&timeline(&before), &before);
        }
    }
}

#[test]
fn blocks_around_do_what_they_do_to_any_curve() {
    for body in bodies() {
        let shaken = || Box::new(jitter(fraction(2, 5), 3, body.clone()));
        let plain = timeline(&shaken());
        let scaled = timeline(&Curve::Scale { factor: whole(3), body: shaken() });
        let sped = timeline(&Curve::Speed { factor: whole(4), body: shaken() });
        let end = plain.length_ns().unwrap();
        let jumps = plain.bounds(0, end).1.is_infinite();
        let capped = (!jumps).then(|| timeline(&Curve::Cap { rate: whole(12), body: shaken() }));
        for t in (0..end - 8).step_by(170_000_004) {
            let rate = plain.rate(t);
            assert!((scaled.rate(t) - 3.0 * rate).abs() < 1e-8, "{body:?}");
            assert!((sped.rate(t / 4) - 4.0 * rate).abs() < 1e-6 * (1.0 + rate), "{body:?} {t}");
            if let Some(capped) = &capped {
                assert!((capped.rate(t) - rate.min(12.0)).abs() < 1e-8, "{body:?} {t}");
            }
        }
    }
}

#[test]
fn each_pass_of_a_repetition_is_shaken_anew() {
    let repeated = Curve::Repeat {
        times: Some(3),
        body: Box::new(jitter(fraction(1, 10), 5, constant(100, 10))),
    };
    let timeline = timeline(&repeated);
    let pass = |n: u64| (0..10).map(|s| timeline.rate((n * 10 + s) * S)).collect::<Vec<_>>();
    assert!(pass(0) != pass(1) && pass(1) != pass(2));
}

/// The factors of many seconds, over a steady rate, from −1 to 1 of the amount.
fn factors(seconds: i128, key: u64) -> Vec<f64> {
    let timeline = timeline(&jitter(fraction(1, 20), key, constant(100, seconds)));
    let factor = |s: i128| (timeline.rate(s as u64 * S + S / 2) / 100.0 - 1.0) / 0.05;
    (0..seconds).map(factor).collect()
}

#[test]
fn factors_are_uniform_and_pairs_know_nothing_of_each_other() {
    let factors = factors(40_000, 11);
    let pairs: Vec<f64> = factors.iter().copied().step_by(2).collect();
    let n = pairs.len() as f64;
    let mean = pairs.iter().sum::<f64>() / n;
    let variance = pairs.iter().map(|x| x * x).sum::<f64>() / n;
    // Five standard errors: of the mean √(1/3/n), of the square √(4/45/n).
    assert!(mean.abs() < 5.0 * (1.0 / 3.0 / n).sqrt(), "{mean}");
    assert!((variance - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / n).sqrt(), "{variance}");
    let mut sorted = pairs.clone();
    sorted.sort_by(f64::total_cmp);
    let distance = sorted.iter().enumerate().map(|(i, x)| {
        let expected = (x + 1.0) / 2.0;
        (expected - i as f64 / n).abs().max((expected - (i as f64 + 1.0) / n).abs())
    });
    // Kolmogorov and Smirnov at one in a million: √(ln(2·10⁶)/2)/√n.
    assert!(distance.fold(0.0, f64::max) < 2.7 / n.sqrt());
    let neighbours = pairs.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
    assert!(neighbours.abs() < 5.0 / 3.0 / n.sqrt(), "{neighbours}");
    for pair in factors.chunks(2) {
        assert!((pair[0] + pair[1]).abs() < 1e-9, "the second makes up for the first");
    }
}
