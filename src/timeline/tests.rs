//! Helpers of the tests, and the tests by subject.

mod definition;
mod exact;
mod fuzz;
mod hours;
mod jitter;
mod marks;
mod noise;
mod oracle;
mod plain;
mod precise;
mod replay;
mod streams;
mod tables;

use super::Timeline;
use super::curve::Curve;
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};
use proptest::prelude::ProptestConfig;

fn timeline(curve: &Curve) -> Timeline {
    Timeline::new(curve).unwrap()
}

fn exact_fractions(pairs: &[(i128, i128)]) -> Vec<Exact> {
    pairs.iter().map(|(n, d)| fraction(*n, *d)).collect()
}

fn constant(rate: Exact, seconds: Exact) -> Curve {
    Curve::Constant { rate, length: Some(seconds) }
}

fn ramp(from: Exact, to: Exact, over: Exact, curve: RampCurve, mirrored: bool) -> Curve {
    Curve::Ramp { from, to, over, curve, mirrored }
}

fn linear(from: Exact, to: Exact, over: Exact, mirrored: bool) -> Curve {
    ramp(from, to, over, RampCurve::Linear, mirrored)
}

fn smooth(from: Exact, to: Exact, over: Exact, mirrored: bool) -> Curve {
    ramp(from, to, over, RampCurve::Smooth, mirrored)
}

fn at_once(jobs: u64) -> Curve {
    Curve::AtOnce { jobs }
}

fn cut(length: Exact, body: Curve) -> Curve {
    Curve::Cut { length, body: Box::new(body) }
}

fn sine(base: i128, amp: i128, period: i128, length: i128) -> Curve {
    Curve::Sine {
        base: whole(base),
        amp: whole(amp),
        period: whole(period),
        phase: whole(0),
        length: Some(whole(length)),
    }
}

/// So many cases, or as many as the environment asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if asked { config } else { ProptestConfig { cases: usual, ..config } }
}
