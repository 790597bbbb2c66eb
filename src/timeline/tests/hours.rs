//! Factors by the hour against the same curve without them.

use super::timeline;
use crate::ast::RampCurve;
use crate::exact::{fraction, whole};
use crate::timeline::curve::{Curve, FactorStep};
use std::sync::Arc;

const S: u64 = 1_000_000_000;
/// Seconds and factors, in quarters.
const STEPS: [(u64, i128); 6] = [(0, 4), (3, 8), (10, 1), (11, 0), (17, 6), (40, 2)];

fn steps() -> Arc<[FactorStep]> {
    let step =
        |(t, quarters): &(u64, i128)| FactorStep { t_ns: t * S, factor: fraction(*quarters, 4) };
    STEPS.iter().map(step).collect()
}

fn constant(rate: i128, seconds: i128) -> Curve {
    Curve::Constant { rate: whole(rate), length: Some(whole(seconds)) }
}

fn linear(from: i128, to: i128, seconds: i128) -> Curve {
    let (from, to, over) = (whole(from), whole(to), whole(seconds));
    Curve::Ramp { from, to, over, curve: RampCurve::Linear, mirrored: false }
}

fn hours(body: Curve) -> Curve {
    Curve::Hours { steps: steps(), body: Box::new(body) }
}

fn sine(seconds: i128) -> Curve {
    Curve::Sine {
        base: whole(50),
        amp: whole(80),
        period: whole(7),
        phase: fraction(1, 5),
        length: Some(whole(seconds)),
    }
}

fn bursts() -> Curve {
    let cycle = Curve::Sequence(vec![constant(90, 2), constant(3, 3)]);
    Curve::Repeat { times: None, body: Box::new(cycle) }
}

fn walk(seconds: i128) -> Curve {
    let (from, by, every) = (whole(60), whole(5), fraction(7, 10));
    let within = Some((whole(20), whole(120)));
    Curve::Walk { from, by, every, within, length: Some(whole(seconds)), key: 5 }
}

fn chaos(seconds: i128) -> Curve {
    let every = (fraction(1, 3), whole(4));
    Curve::Chaos { low: whole(5), high: whole(70), every, length: Some(whole(seconds)), key: 9 }
}

#[test]
fn every_rate_is_multiplied_by_the_factor_of_its_time() {
    let cut = |body| Curve::Cut { length: whole(53), body: Box::new(body) };
    let marked = |body| Curve::Mark { id: 1, body: Box::new(body) };
    let twice = Curve::Sequence(vec![sine(11), chaos(9), linear(3, 40, 6)]);
    let bodies = [
        sine(53),
        cut(bursts()),
        walk(53),
        chaos(53),
        Curve::Together(vec![sine(20), cut(bursts()), walk(45)]),
        Curve::Repeat { times: Some(3), body: Box::new(twice.clone()) },
        Curve::Repeat { times: Some(3), body: Box::new(marked(twice)) },
        Curve::Sequence(vec![linear(0, 90, 13), constant(0, 2), sine(9), walk(20)]),
    ];
    for body in bodies {
        let (plain, timed) = (timeline(&body), timeline(&hours(body.clone())));
        assert_eq!(plain.length_ns(), timed.length_ns());
        let end = plain.length_ns().unwrap();
        let mut expected = 0.0;
        for (at, (from, quarters)) in STEPS.iter().enumerate() {
            let to = STEPS.get(at + 1).map_or(end, |(to, _)| to * S).min(end);
            let factor = *quarters as f64 / 4.0;
            let mut t = from * S;
            while t < to {
                let (before, after) = (plain.rate(t), timed.rate(t));
                assert!((after - factor * before).abs() < 1e-9 * (1.0 + before), "{body:?} at {t}");
                t += 317_000_011;
            }
            if from * S < end {
                expected += factor * (plain.cumulative(to) - plain.cumulative(from * S));
                assert!(
                    (timed.cumulative(to) - expected).abs() < 1e-9 * (1.0 + expected),
                    "{body:?}"
                );
            }
        }
    }
}

#[test]
fn totals_and_caps_hold_whatever_the_hour_and_speed_comes_after() {
    let total = |jobs, body| Curve::Total { jobs, body: Box::new(body) };
    assert_eq!(timeline(&hours(total(1000, sine(30)))).jobs(), Some(1000));
    let cap = Curve::Cap { rate: whole(60), body: Box::new(constant(50, 20)) };
    assert_eq!(timeline(&hours(cap)).peak(), 60.0);
    let sped = Curve::Speed { factor: whole(10), body: Box::new(constant(50, 20)) };
    let timeline = timeline(&hours(Curve::Sequence(vec![sped, constant(1, 20)])));
    // 3s, 7s twice as much, 1s at a quarter, 6s of nothing, 3s at one and a half: in a tenth of it.
    assert_eq!(timeline.cumulative(2 * S), 150.0 + 700.0 + 12.5 + 225.0);
    assert_eq!(timeline.rate(S / 2), 1000.0);
    // What follows is at 20s of the day.
    assert_eq!(timeline.rate(2 * S), 1.5);
}

#[test]
fn jobs_at_once_are_multiplied_by_the_later_factor_at_a_change() {
    let at = |seconds| {
        Curve::Sequence(vec![constant(0, seconds), Curve::AtOnce { jobs: 100 }, constant(0, 5)])
    };
    let jobs = |seconds| timeline(&hours(at(seconds))).jobs();
    assert_eq!([jobs(2), jobs(3), jobs(10), jobs(12)], [Some(100), Some(200), Some(25), Some(0)]);
    let body = Curve::Sequence(vec![Curve::AtOnce { jobs: 100 }, constant(0, 1)]);
    let repeated = Curve::Repeat { times: Some(11), body: Box::new(body) };
    assert_eq!(timeline(&hours(repeated)).jobs(), Some(3 * 100 + 7 * 200 + 25));
}
