//! Numbers drawn by their law: binomial, Poisson, gamma and beta.
//!
//! Where a job falls is a contract, as bytes are: so these are our own and not a library's, and they
//! use nothing but the four operations and the square root, which every machine rounds alike.

use crate::random::Draws;

/// Fair coins up to this many are tossed one by one, 64 to a word.
const FEW_COINS: u64 = 1024;
/// Below this mean a Poisson number is counted out, as events at exponential distances.
const SMALL_MEAN: f64 = 10.0;

/// How many of `n` fair coins fall on one side.
///
/// For many, by transformed rejection (W. Hörmann, "The generation of binomial random variates",
/// 1993, algorithm BTRS), about a middle that is a whole number, so that nothing is lost for n up
/// to 2⁶³.
pub fn fair_coins(draws: &mut Draws, n: u64) -> u64 {
    if n <= FEW_COINS {
        let words = (0..n / 64).map(|_| draws.word().count_ones()).sum::<u32>();
        let rest = n % 64;
        let last = if rest == 0 { 0 } else { (draws.word() >> (64 - rest)).count_ones() };
        return u64::from(words + last);
    }
    let size = n as f64;
    let deviation = size.sqrt() / 2.0;
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.005;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let sure = 0.92 - 4.2 / b;
    let middle = n / 2;
    let odd = n - 2 * middle;
    // Half the mean's fraction, and one half to round by.
    let shift = 0.5 + 0.5 * odd as f64;
    loop {
        let (u, v) = (draws.unit() - 0.5, draws.unit());
        let us = 0.5 - u.abs();
        let offset = ((2.0 * a / us + b) * u + shift).floor();
        if offset.abs() * 4.0 > size {
            // Further out than e⁻¹³⁰.
            continue;
        }
        let heads = middle.wrapping_add_signed(offset as i64);
        let likely = us >= 0.07 && v <= sure;
        if likely || ln(v * alpha / (a / (us * us) + b)) <= coins_log_odds(n, odd, offset) {
            return heads;
        }
    }
}

/// The logarithm of the probability of n/2 + offset heads against that of the most likely number:
/// the binomial by Stirling's formula, arranged so that no large terms cancel (C. Loader, "Fast and
/// accurate computation of binomial probabilities", 2000).
fn coins_log_odds(n: u64, odd: u64, offset: f64) -> f64 {
    let size = n as f64;
    let part = |offset: f64| {
        let x = (2.0 * offset - odd as f64) / size;
        let (heads, tails) = (size * (1.0 + x) / 2.0, size * (1.0 - x) / 2.0);
        let distance = size * entropy(x);
        -0.5 * ln(1.0 - x * x) - stirling(heads) - stirling(tails) - distance
    };
    part(offset) - part(odd as f64)
}

/// `½((1+x)·ln(1+x) + (1−x)·ln(1−x))` for |x| up to ½: Σ x²ʲ/(2j(2j−1)).
fn entropy(x: f64) -> f64 {
    let square = x * x;
    (1..=30).rev().fold(0.0, |sum, j| {
        let j = f64::from(2 * j);
        square * (1.0 / (j * (j - 1.0)) + sum)
    })
}

/// What ln m! has beyond `m·ln m − m + ½·ln(2πm)`, for m above about 15.
fn stirling(m: f64) -> f64 {
    let square = m * m;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / m
}

/// A Poisson number of a mean up to 2⁶², by transformed rejection (W. Hörmann, "The transformed
/// rejection method for generating Poisson random variables", 1993, algorithm PTRS).
pub fn poisson(draws: &mut Draws, mean: f64) -> u64 {
    if mean < SMALL_MEAN {
        let (mut count, mut at) = (0, -ln(draws.unit()));
        while at <= mean {
            count += 1;
            at -= ln(draws.unit());
        }
        return count;
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let sure = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let (u, v) = (draws.unit() - 0.5, draws.unit());
        let us = 0.5 - u.abs();
        let count = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= sure {
            return count as u64;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if ln(v * inverse_alpha / (a / (us * us) + b)) <= poisson_log_probability(count, mean) {
            return count as u64;
        }
    }
}

fn poisson_log_probability(count: f64, mean: f64) -> f64 {
    if count < 16.0 {
        let factorial: f64 = (2..=count as u32).map(|i| ln(f64::from(i))).sum();
        return count * ln(mean) - mean - factorial;
    }
    let x = (count - mean) / mean;
    // (1+x)·ln(1+x) − x
    let distance = if x.abs() < 0.1 {
        let sum = (2..=18).rev().fold(0.0, |sum, j| {
            let j = f64::from(j);
            1.0 / (j * (j - 1.0)) - x * sum
        });
        x * x * sum
    } else {
        (1.0 + x) * ln(1.0 + x) - x
    };
    -0.5 * ln(std::f64::consts::TAU * count) - stirling(count) - mean * distance
}

/// The logarithm of a gamma number of a shape above 0 and scale 1 (G. Marsaglia, W. Tsang, "A
/// simple method for generating gamma variables", 2000; below 1 by their power of a uniform, whose
/// logarithm does not underflow).
pub fn ln_gamma_number(draws: &mut Draws, shape: f64) -> f64 {
    if shape < 1.0 {
        let larger = ln(gamma_number(draws, shape + 1.0));
        return larger + ln(draws.unit()) / shape;
    }
    ln(gamma_number(draws, shape))
}

/// A gamma number of a shape of at least 1 and scale 1.
pub fn gamma_number(draws: &mut Draws, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = normal(draws);
        let t = c * normal;
        if t <= -1.0 {
            continue;
        }
        let cube = (1.0 + t) * (1.0 + t) * (1.0 + t);
        let u = draws.unit();
        let square = normal * normal;
        if u < 1.0 - 0.0331 * square * square || ln(u) < gamma_log_bound(d, t, square, cube) {
            return d * cube;
        }
    }
}

/// `½x² + d − d·v + d·ln v` with v = (1+t)³ and x = t·√(9d), where for small t all terms but those
/// of t⁴ and above cancel.
fn gamma_log_bound(d: f64, t: f64, square: f64, cube: f64) -> f64 {
    if t.abs() >= 0.05 {
        return 0.5 * square + d - d * cube + d * ln(cube);
    }
    let sum = (4..=16).rev().fold(0.0, |sum, j| 1.0 / f64::from(j) - t * sum);
    -3.0 * d * t * t * t * t * sum
}

/// A normal number (G. Marsaglia's polar method).
fn normal(draws: &mut Draws) -> f64 {
    loop {
        let (x, y) = (2.0 * draws.unit() - 1.0, 2.0 * draws.unit() - 1.0);
        let square = x * x + y * y;
        if square < 1.0 && square > 0.0 {
            return x * (-2.0 * ln(square) / square).sqrt();
        }
    }
}

/// A beta number of two equal shapes, from 0 to 1: what of a sum of two gamma numbers is the first's.
pub fn even_beta(draws: &mut Draws, shape: f64) -> f64 {
    if shape >= 1.0 {
        let (first, second) = (gamma_number(draws, shape), gamma_number(draws, shape));
        return first / (first + second);
    }
    let (first, second) = (ln_gamma_number(draws, shape), ln_gamma_number(draws, shape));
    1.0 / (1.0 + exp(second - first))
}

/// ln x for x above 0: 2·artanh((m−1)/(m+1)) of the mantissa m, from √½ to √2.
pub fn ln(x: f64) -> f64 {
    // What is below the normal numbers has no mantissa of full length.
    let (x, lift) = if x < f64::MIN_POSITIVE { (x * (1_u64 << 54) as f64, 54) } else { (x, 0) };
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1023 - lift;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, n| 1.0 / f64::from(2 * n + 1) + square * sum);
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * series
}

/// eˣ: the series of the rest after whole powers of two.
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-760.0, 709.0);
    let power = (x / std::f64::consts::LN_2).round();
    let rest = x - power * std::f64::consts::LN_2;
    let series = (1..=18).rev().fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    // In two steps, since neither end of the exponents is symmetrical.
    let half = (power / 2.0).floor();
    series * power_of_two(half) * power_of_two(power - half)
}

fn power_of_two(n: f64) -> f64 {
    f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests;
