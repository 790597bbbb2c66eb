//! Sine, exponential and logarithm, and the curves made of them, against fixed-point numbers of 300
//! bits, from other series than the timeline's.

use super::oracle::{Big, big, int};
use super::{constant, ramp, sine, timeline};
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};
use crate::timeline::curve::Curve;
use crate::timeline::dd::Dd;
use crate::timeline::functions;
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::float::FloatCore;
use num_traits::{Signed, Zero};
use proptest::prelude::*;

const BITS: u32 = 300;

/// A number in units of 2⁻³⁰⁰.
fn fixed(value: &Big) -> BigInt {
    (value * Big::from_integer(BigInt::from(1) << BITS)).round().to_integer()
}

fn as_fraction(value: BigInt) -> Big {
    Ratio::new(value, BigInt::from(1) << BITS)
}

fn times(a: &BigInt, b: &BigInt) -> BigInt {
    (a * b) >> BITS
}

/// Σ of terms until they vanish; `next` makes a term of the one before it and its number.
fn series(first: BigInt, next: impl Fn(&BigInt, i64) -> BigInt) -> BigInt {
    let (mut sum, mut term) = (first.clone(), first);
    for n in 1.. {
        term = next(&term, n);
        if term.magnitude().bits() < 8 {
            break;
        }
        sum += &term;
    }
    sum
}

/// Σ ±yⁿ/n over odd n: artanh y, or arctan y with signs in turn.
fn odd_powers(y: &BigInt, turns: bool) -> BigInt {
    let square = times(y, y);
    let mut power = y.clone();
    let mut sum = BigInt::from(0);
    for n in (1i64..).step_by(2) {
        if power.magnitude().bits() < 8 {
            break;
        }
        sum += &power / n;
        power = times(&power, &square);
        if turns {
            power = -power;
        }
    }
    sum
}

/// Machin's formula.
fn pi() -> Big {
    let inverse = |n: i64| (BigInt::from(1) << BITS) / n;
    as_fraction(odd_powers(&inverse(5), true) * 16 - odd_powers(&inverse(239), true) * 4)
}

/// cos(2π·turns)
fn cos_turns(turns: &Big) -> Big {
    let turn = turns - turns.floor();
    let x = fixed(&(int(2) * pi() * turn));
    let square = times(&x, &x);
    let one = BigInt::from(1) << BITS;
    as_fraction(series(one, |term, n| -times(term, &square) / (2 * n * (2 * n - 1))))
}

fn exp(x: &Big) -> Big {
    let x = fixed(x);
    as_fraction(series(BigInt::from(1) << BITS, |term, n| times(term, &x) / n))
}

/// ln x = 2·artanh((x − 1)/(x + 1)), after x is halved or doubled to near 1.
fn ln(x: &Big) -> Big {
    let (mut x, mut twos) = (x.clone(), 0);
    while x > int(2) {
        x /= int(2);
        twos += 1;
    }
    while x < int(1) {
        x *= int(2);
        twos -= 1;
    }
    let near = odd_powers(&fixed(&((&x - int(1)) / (&x + int(1)))), false);
    let third = odd_powers(&fixed(&(int(1) / int(3))), false);
    as_fraction(near * 2 + third * 2 * twos)
}

fn as_big(value: Dd) -> Big {
    let exactly = |value: f64| {
        let (mantissa, exponent, sign) = value.integer_decode();
        let whole = int(i64::from(sign)) * Big::from_integer(BigInt::from(mantissa));
        let power = Big::from_integer(BigInt::from(1) << exponent.unsigned_abs());
        if exponent < 0 { whole / power } else { whole * power }
    };
    exactly(value.hi) + exactly(value.lo)
}

fn as_dd(value: &Exact) -> Dd {
    Dd::from_i128(*value.numer()) / Dd::from_i128(*value.denom())
}

/// Within 2⁻ᵇⁱᵗˢ of `scale`.
fn close(value: Dd, exact: &Big, scale: &Big, bits: u32) -> bool {
    let off = (as_big(value) - exact).abs();
    off * Big::from_integer(BigInt::from(1) << bits) <= *scale
}

fn share() -> impl Strategy<Value = Exact> {
    prop_oneof![
        (0i128..1_000_000, Just(1_000_000i128)).prop_map(|(n, d)| fraction(n, d)),
        (1i128..1000, Just(1_000_000_000_000i128)).prop_map(|(n, d)| fraction(n, d)),
    ]
}

type Integral = Box<dyn Fn(&Big) -> Big>;

proptest! {
    #![proptest_config(super::cases(48))]

    #[test]
    fn functions_have_a_hundred_bits(x in share(), n in -30i128..30) {
        let x = x + whole(n);
        let (near, exact) = (as_dd(&x), big(&x));
        // Thirty turns are themselves only known to 2⁻⁹⁸ of one in two doubles.
        prop_assert!(close(functions::cos_turns(near), &cos_turns(&exact), &int(1), 97));
        let power = exp(&exact);
        prop_assert!(close(functions::exp(near), &power, &power, 98));
        let less = &power - int(1);
        prop_assert!(close(functions::expm1(near), &less, &less.abs(), 98));
        let positive = x * x + fraction(1, 1_000_000_000);
        let log = ln(&big(&positive));
        prop_assert!(close(functions::ln(as_dd(&positive)), &log, &int(1), 98));
        let log = ln(&big(&(positive + whole(1))));
        let scale = &log + int(1) / int(50);
        prop_assert!(close(functions::ln_1p(as_dd(&positive)), &log, &scale, 98));
    }

    /// Λ at a nanosecond, and the due time of the job that is next there.
    #[test]
    fn analytic_curves_are_exact(
        kind in 0..4u8,
        (a, b) in (1i128..2000, 1i128..2000),
        over in 1i128..40_000,
        place in share(),
        (mirrored, phase) in (any::<bool>(), share()),
    ) {
        let length = whole(over);
        let (a, b) = (fraction(a, 2), fraction(b, 3));
        let t_ns = (place * whole(over * 1_000_000_000)).to_integer() as u64;
        let t = super::oracle::seconds(t_ns);
        let (curve, integral): (Curve, Integral) = match kind {
            0 | 1 => {
                let period = fraction(over, 7);
                let curve = Curve::Sine {
                    base: a + b, amp: if mirrored { -b } else { b }, period, phase,
                    length: Some(length),
                };
                (curve.clone(), Box::new(move |t| sine_integral(&curve, t)))
            }
            2 => (
                ramp(a, b, length, RampCurve::Exponential, mirrored),
                Box::new(move |t| exponential_integral(&a, &b, &length, mirrored, t)),
            ),
            _ => (
                ramp(a, b, length, RampCurve::Logarithmic, mirrored),
                Box::new(move |t| logarithmic_integral(&a, &b, &length, mirrored, t)),
            ),
        };
        let timeline = timeline(&curve);
        let exact = integral(&t);
        // What is rounded are whole waves.
        let scale = big(&((a + b) * length));
        prop_assert!(close(timeline.count(t_ns), &exact, &scale, 98));
        let half = Ratio::new(BigInt::from(1), BigInt::from(2));
        let by = |t_ns: u64| (integral(&super::oracle::seconds(t_ns)) + &half).floor();
        prop_assert_eq!(int(timeline.jobs_by(t_ns) as i64), by(t_ns));
        let k = timeline.jobs_by(t_ns) + 1;
        if timeline.jobs().is_some_and(|jobs| k <= jobs) {
            let due = timeline.time_of(k);
            prop_assert!(by(due) >= int(k as i64));
            prop_assert!(due == 0 || by(due - 1) < int(k as i64));
        }
    }
}

fn sine_integral(curve: &Curve, t: &Big) -> Big {
    let Curve::Sine { base, amp, period, phase, .. } = curve else { panic!() };
    let swing = big(amp) * big(period) / (int(2) * pi());
    let turns = t / big(period) + big(phase);
    big(base) * t + swing * (cos_turns(&big(phase)) - cos_turns(&turns))
}

/// ∫ a·(b/a)^(s/T), backwards if mirrored.
fn exponential_integral(a: &Exact, b: &Exact, over: &Exact, mirrored: bool, t: &Big) -> Big {
    let (a, b, over) = (big(a), big(b), big(over));
    let bend = ln(&(&b / &a));
    if bend.is_zero() {
        return a * t;
    }
    let upto = |s: &Big| &a * &over / &bend * (exp(&(&bend * s / &over)) - int(1));
    if mirrored { upto(&over) - upto(&(&over - t)) } else { upto(t) }
}

/// ∫ a + (b − a)·log₁₀(1 + 9s/T), backwards if mirrored.
fn logarithmic_integral(a: &Exact, b: &Exact, over: &Exact, mirrored: bool, t: &Big) -> Big {
    let (a, b, over) = (big(a), big(b), big(over));
    let upto = |s: &Big| {
        let v = int(1) + int(9) * s / &over;
        let area = &v * ln(&v) - &v + int(1);
        &a * s + (&b - &a) * &over / (int(9) * ln(&int(10))) * area
    };
    if mirrored { upto(&over) - upto(&(&over - t)) } else { upto(t) }
}

#[test]
fn whole_waves_and_mirror_images_end_on_exact_counts() {
    // Half a job before the wave, so that each whole wave ends on a tie.
    let curve = Curve::Sequence(vec![
        constant(fraction(1, 2), whole(1)),
        sine(10, 7, 20, 20 * 1000),
        constant(whole(0), whole(1)),
    ]);
    let timeline = timeline(&curve);
    assert_eq!(timeline.jobs(), Some(200_001));
    for wave in [1, 2, 7, 500, 999, 1000] {
        let end = (1 + 20 * wave) * 1_000_000_000;
        assert_eq!(timeline.time_of(200 * wave + 1), end);
        assert_eq!(timeline.jobs_by(end), 200 * wave + 1);
        assert_eq!(timeline.jobs_by(end - 1), 200 * wave);
    }
    // From before half a turn to as much after it the wave comes to nothing, although its swing is
    // large: 16 jobs in 16 s.
    for d in [10_000_019, 10_000_079, 10_000_103, 10_000_121, 10_000_139] {
        let steep = Curve::Sine {
            base: whole(1),
            amp: whole(1_000_000),
            period: whole(8 * d),
            phase: fraction(1, 2) - fraction(1, d),
            length: Some(whole(17)),
        };
        let mirrored =
            super::timeline(&Curve::Sequence(vec![constant(fraction(1, 2), whole(1)), steep]));
        assert_eq!(mirrored.time_of(17), 17_000_000_000);
        assert_eq!(mirrored.jobs_by(17_000_000_000), 17);
    }
}
