//! Sine, exponential and logarithm of double-doubles, to about 2⁻¹⁰² relative.
//!
//! The system's own are neither precise enough nor the same on every machine.

mod sines;

use super::dd::Dd;
use sines::SINES;

const TWO_PI: Dd = Dd { hi: std::f64::consts::TAU, lo: 2.4492935982947064e-16 };
/// 1/(2π)
pub const INVERSE_TWO_PI: Dd = Dd { hi: 0.15915494309189535, lo: -9.839338337591243e-18 };
const LN_2: Dd = Dd { hi: std::f64::consts::LN_2, lo: 2.3190468138462996e-17 };
/// 1/ln 10
pub const INVERSE_LN_10: Dd = Dd { hi: std::f64::consts::LOG10_E, lo: 1.098319650216765e-17 };

/// 1/n! for n from 2, in which the Taylor series below are written.
const INVERSE_FACTORIAL: [Dd; 14] = [
    Dd { hi: 0.5, lo: 0.0 },
    Dd { hi: 0.16666666666666666, lo: 9.25185853854297e-18 },
    Dd { hi: 0.041666666666666664, lo: 2.3129646346357427e-18 },
    Dd { hi: 0.008333333333333333, lo: 1.1564823173178714e-19 },
    Dd { hi: 0.001388888888888889, lo: -5.300543954373577e-20 },
    Dd { hi: 0.0001984126984126984, lo: 1.7209558293420705e-22 },
    Dd { hi: 2.48015873015873e-05, lo: 2.1511947866775882e-23 },
    Dd { hi: 2.7557319223985893e-06, lo: -1.858393274046472e-22 },
    Dd { hi: 2.755731922398589e-07, lo: 2.3767714622250297e-23 },
    Dd { hi: 2.505210838544172e-08, lo: -1.448814070935912e-24 },
    Dd { hi: 2.08767569878681e-09, lo: -1.20734505911326e-25 },
    Dd { hi: 1.6059043836821613e-10, lo: 1.2585294588752098e-26 },
    Dd { hi: 1.1470745597729725e-11, lo: 2.0655512752830745e-28 },
    Dd { hi: 7.647163731819816e-13, lo: 7.03872877733453e-30 },
];

/// 1/n! for n from 2 to 15.
const fn inverse_factorial(n: usize) -> Dd {
    INVERSE_FACTORIAL[n - 2]
}

/// sin(2πj/256)
#[inline]
fn table(j: usize) -> Dd {
    let quarter = |j: usize| Dd { hi: SINES[j].0, lo: SINES[j].1 };
    match j & 255 {
        j @ 0..=64 => quarter(j),
        j @ 65..=128 => quarter(128 - j),
        j @ 129..=192 => -quarter(j - 128),
        j => -quarter(256 - j),
    }
}

/// sin(2π·turns): the nearest 256th of a turn from a table, the rest by Taylor series.
pub fn sin_turns(turns: Dd) -> Dd {
    let turn = turns - turns.floor();
    let step = f64::from((turn.hi * 256.0 + 0.5) as i32);
    let x = TWO_PI * (turn - Dd::new(step / 256.0));
    let j = step as usize;
    let square = x * x;
    let s = square.hi;
    let tail =
        inverse_factorial(7).hi - s * (inverse_factorial(9).hi - s * inverse_factorial(11).hi);
    let series = inverse_factorial(3) - square * (inverse_factorial(5) - Dd::new(s * tail));
    let sine = x - x * (square * series);
    let tail =
        inverse_factorial(8).hi - s * (inverse_factorial(10).hi - s * inverse_factorial(12).hi);
    let series = inverse_factorial(4) - square * (inverse_factorial(6) - Dd::new(s * tail));
    let cosine_less_1 = square * (square * series - Dd::new(0.5));
    let (whole_sine, whole_cosine) = (table(j), table(j + 64));
    whole_sine + (whole_sine * cosine_less_1 + whole_cosine * sine)
}

/// sin(2πj/256) as plain numbers, j from 0 to 319: the sine, and 64 further on the cosine.
const PLAIN_SINES: [f64; 320] = {
    let mut all = [0.0; 320];
    let mut j = 0;
    while j < 320 {
        all[j] = match j & 255 {
            j @ 0..=64 => SINES[j].0,
            j @ 65..=128 => SINES[128 - j].0,
            j @ 129..=192 => -SINES[j - 128].0,
            j => -SINES[256 - j].0,
        };
        j += 1;
    }
    all
};

/// The sine and the cosine of an angle in plain precision, to about 10⁻¹⁵ for some turns: as
/// [`sin_turns`], and several times as fast as the system's. The angle is above −4π.
#[inline]
pub fn sin_cos(angle: f64) -> (f64, f64) {
    // In two parts, of which the first has room for a product without rounding (Cody and Waite 1980).
    const STEP: f64 = TWO_PI.hi / 256.0;
    const UPPER: f64 = f64::from_bits(STEP.to_bits() & !0xfffff);
    const LOWER: f64 = (STEP - UPPER) + TWO_PI.lo / 256.0;
    // Rounding is towards 0.
    let step = (angle * (1.0 / STEP) + 512.5) as i64 - 512;
    let x = (angle - step as f64 * UPPER) - step as f64 * LOWER;
    let j = (step & 255) as usize;
    let (sine, cosine) = (PLAIN_SINES[j], PLAIN_SINES[j + 64]);
    let square = x * x;
    let turned = x * (1.0 - square / 6.0 * (1.0 - square / 20.0));
    let less = square * (0.5 - square / 24.0 * (1.0 - square / 30.0));
    (sine - sine * less + cosine * turned, cosine - cosine * less - sine * turned)
}

/// cos(2π·turns)
#[inline]
pub fn cos_turns(turns: Dd) -> Dd {
    sin_turns(turns + Dd::new(0.25))
}

/// eˣ − 1 for |x| ≤ ½: Taylor on x/256, then eight times e²ˣ − 1 = (eˣ − 1)·(eˣ + 1).
fn expm1_small(x: Dd) -> Dd {
    let r = x.scale_by_power(1.0 / 256.0);
    let mut series = inverse_factorial(10);
    for n in (2..10).rev() {
        series = inverse_factorial(n) + r * series;
    }
    let mut value = r + r * r * series;
    for _ in 0..8 {
        value = value.scale_by_power(2.0) + value * value;
    }
    value
}

/// 2ⁿ for n within the exponents of an `f64`.
fn power_of_two(n: i64) -> f64 {
    let biased = (n.clamp(-1022, 1023) + 1023) as u64;
    f64::from_bits(biased << 52)
}

/// eˣ − 1, for |x| below about 700.
pub fn expm1(x: Dd) -> Dd {
    if x.hi.abs() <= 0.5 {
        return expm1_small(x);
    }
    exp(x) - Dd::ONE
}

/// eˣ, for |x| below about 700.
pub fn exp(x: Dd) -> Dd {
    let n = (x.hi / LN_2.hi).round();
    let rest = expm1_small(x - LN_2 * n);
    (rest + Dd::ONE).scale_by_power(power_of_two(n as i64))
}

/// (eˣ − 1)/x, 1 at 0.
pub fn expm1_over(x: Dd) -> Dd {
    if x.hi == 0.0 { Dd::ONE } else { expm1(x) / x }
}

/// ln(1 + x), for x above −1; for small x relative to x, else to within 2⁻¹⁰² of 1.
pub fn ln_1p(x: Dd) -> Dd {
    if x.hi.abs() > 1e-3 {
        return ln(Dd::ONE + x);
    }
    // 2·artanh(x/(2 + x))
    let s = x / (Dd::new(2.0) + x);
    let square = s * s;
    let mut series = Dd::ONE / Dd::new(17.0);
    for n in (0..8).rev() {
        series = Dd::ONE / Dd::new(f64::from(2 * n + 1)) + square * series;
    }
    (s * series).scale_by_power(2.0)
}

/// ln x, for x above 0: a series in plain precision, then one step of Halley's.
pub fn ln(x: Dd) -> Dd {
    let bits = x.hi.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let mut series = 0.0;
    for n in (0..12).rev() {
        series = 1.0 / f64::from(2 * n + 1) + s * s * series;
    }
    let near = 2.0 * s * series;
    let reduced = x.scale_by_power(power_of_two(-exponent));
    let scaled = reduced * exp(Dd::new(-near));
    let step = (scaled - Dd::ONE) / (scaled + Dd::ONE);
    LN_2 * exponent as f64 + (Dd::new(near) + step.scale_by_power(2.0))
}
