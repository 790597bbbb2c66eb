//! Exact numbers: what a script writes as `0.1` is one tenth here, not the nearest binary fraction.
//!
//! A job count is only exact if the rates and lengths it follows from are, so literals and their
//! arithmetic are rational numbers until the timeline turns them into its own fixed form.

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, Zero};
use std::cmp::Ordering;

/// A rational number with 128-bit numerator and denominator.
pub type Exact = Ratio<i128>;

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A whole number.
pub fn whole(n: i128) -> Exact {
    Exact::from_integer(n)
}

/// The fraction `numerator / denominator`; the denominator must not be 0.
pub fn fraction(numerator: i128, denominator: i128) -> Exact {
    Exact::new(numerator, denominator)
}

/// The nearest `f64`.
pub fn to_f64(value: &Exact) -> f64 {
    *value.numer() as f64 / *value.denom() as f64
}

/// A rational close to `value`, to within 2⁻⁶⁰ of it relative; `None` for infinities and NaN.
pub fn from_f64(value: f64) -> Option<Exact> {
    Exact::approximate_float(value)
}

/// Seconds as whole nanoseconds, rounded up; `None` if negative or above 2⁶⁴ − 2 nanoseconds.
pub fn seconds_to_nanos(seconds: &Exact) -> Option<u64> {
    let nanos = times(seconds, &whole(NANOS_PER_SECOND))?.ceil().to_integer();
    u64::try_from(nanos).ok().filter(|n| *n < u64::MAX)
}

/// Nanoseconds as exact seconds.
pub fn nanos_to_seconds(nanos: u64) -> Exact {
    fraction(i128::from(nanos), NANOS_PER_SECOND)
}

/// The four operations of the language, each `None` where the result does not fit 128 bits or the
/// divisor is 0.
pub fn checked(operator: char, left: &Exact, right: &Exact) -> Option<Exact> {
    match operator {
        '+' => plus(left, right),
        '-' => minus(left, right),
        '*' => times(left, right),
        '/' => over(left, right),
        _ => None,
    }
}

/// a + b, where it fits.
///
/// `num-rational` takes common divisors of 128-bit numbers bit by bit; most of what scripts say are
/// whole numbers, or fractions with small parts, and checking a long script is such sums for the
/// most part. Knuth, TAOCP vol. 2, 4.5.1.
pub fn plus(a: &Exact, b: &Exact) -> Option<Exact> {
    joined(a, b, i128::checked_add).or_else(|| a.checked_add(b))
}

/// a − b, where it fits.
pub fn minus(a: &Exact, b: &Exact) -> Option<Exact> {
    joined(a, b, i128::checked_sub).or_else(|| a.checked_sub(b))
}

/// a · b, where it fits.
pub fn times(a: &Exact, b: &Exact) -> Option<Exact> {
    product(a, b).or_else(|| a.checked_mul(b))
}

/// a / b, where it fits and b is not 0.
pub fn over(a: &Exact, b: &Exact) -> Option<Exact> {
    if b.is_zero() {
        return None;
    }
    let numer = if *b.numer() < 0 { -*b.denom() } else { *b.denom() };
    let upside_down = b.numer().checked_abs().map(|denom| Exact::new_raw(numer, denom));
    // The least number there is has no absolute value, and is none to go on with.
    let quotient = upside_down.and_then(|b| product(a, &b));
    quotient.filter(|quotient| *quotient.numer() != i128::MIN).or_else(|| a.checked_div(b))
}

/// The order of two numbers.
pub fn order(a: &Exact, b: &Exact) -> Ordering {
    if a.denom() == b.denom() {
        return a.numer().cmp(b.numer());
    }
    let (left, right) = (a.numer().checked_mul(b.denom()), b.numer().checked_mul(a.denom()));
    left.zip(right).map_or_else(|| a.cmp(b), |(left, right)| left.cmp(&right))
}

/// The sum or the difference.
#[inline]
fn joined(a: &Exact, b: &Exact, join: fn(i128, i128) -> Option<i128>) -> Option<Exact> {
    let (a_denom, b_denom) = (*a.denom(), *b.denom());
    if a_denom == b_denom {
        return Some(reduced(join(*a.numer(), *b.numer())?, a_denom));
    }
    let common = divisor(a_denom.unsigned_abs(), b_denom.unsigned_abs());
    let (left, right) = (divided(b_denom, common), divided(a_denom, common));
    let numer = join(a.numer().checked_mul(&left)?, b.numer().checked_mul(&right)?)?;
    let denom = a_denom.checked_mul(left)?;
    // Nothing else can have come to be in both.
    let shared = divisor(numer.unsigned_abs(), common);
    Some(Exact::new_raw(divided(numer, shared), divided(denom, shared)))
}

/// The product: what is crossed out before is not in it.
#[inline]
fn product(a: &Exact, b: &Exact) -> Option<Exact> {
    let one = divisor(a.numer().unsigned_abs(), b.denom().unsigned_abs());
    let other = divisor(b.numer().unsigned_abs(), a.denom().unsigned_abs());
    let numer = divided(*a.numer(), one).checked_mul(divided(*b.numer(), other))?;
    let denom = divided(*a.denom(), other).checked_mul(divided(*b.denom(), one))?;
    Some(Exact::new_raw(numer, denom))
}

/// The fraction in its lowest terms; the denominator is above 0.
#[inline]
fn reduced(numer: i128, denom: i128) -> Exact {
    let shared = divisor(numer.unsigned_abs(), denom.unsigned_abs());
    Exact::new_raw(divided(numer, shared), divided(denom, shared))
}

/// The greatest common divisor, of which one is above 0.
#[inline]
fn divisor(a: u128, b: u128) -> u128 {
    if a == 1 || b == 1 {
        return 1;
    }
    let (mut a, mut b) = (a, b);
    loop {
        if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
            return u128::from(small_divisor(a, b));
        }
        if b == 0 {
            return a;
        }
        (a, b) = (b, a % b);
    }
}

/// The same of numbers that a processor divides. One division brings them to one size, then halving
/// and taking away is quicker (Stein 1967).
fn small_divisor(a: u64, b: u64) -> u64 {
    let (large, mut low) = if a < b { (b, a) } else { (a, b) };
    if low == 0 {
        return large;
    }
    let mut high = large % low;
    if high == 0 {
        return low;
    }
    let twos = (high | low).trailing_zeros();
    low >>= low.trailing_zeros();
    loop {
        high >>= high.trailing_zeros();
        if high < low {
            (high, low) = (low, high);
        }
        high -= low;
        if high == 0 {
            return low << twos;
        }
    }
}

/// A number divided by one of its divisors.
#[inline]
fn divided(number: i128, by: u128) -> i128 {
    if by == 1 {
        return number;
    }
    match (i64::try_from(number), i64::try_from(by), i128::try_from(by)) {
        (Ok(number), Ok(by), _) => i128::from(number / by),
        (_, _, Ok(by)) => number / by,
        // Only what is 0 or has no absolute value has so large a divisor.
        _ => number.signum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_exact() -> impl Strategy<Value = Exact> {
        let part = prop_oneof![
            -20_i128..20,
            any::<i64>().prop_map(i128::from),
            Just(i128::from(u64::MAX)),
            Just(1 << 64),
            any::<i128>(),
        ];
        let denominator = part.clone().prop_map(|n| n.checked_abs().unwrap_or(1).max(1));
        (part, prop_oneof![Just(1), denominator]).prop_map(|(numer, denom)| {
            // The library's own reduction negates what has no negative.
            if numer == i128::MIN { Exact::from_integer(1) } else { fraction(numer, denom) }
        })
    }

    proptest! {
        /// The quick ways tell what the library tells, in lowest terms.
        #[test]
        fn quick_ways_are_right(a in any_exact(), b in any_exact()) {
            prop_assert_eq!(plus(&a, &b).map(Ratio::into_raw), a.checked_add(&b).map(Ratio::into_raw));
            prop_assert_eq!(minus(&a, &b).map(Ratio::into_raw), a.checked_sub(&b).map(Ratio::into_raw));
            prop_assert_eq!(times(&a, &b).map(Ratio::into_raw), a.checked_mul(&b).map(Ratio::into_raw));
            let quotient = if b.is_zero() { None } else { a.checked_div(&b) };
            prop_assert_eq!(over(&a, &b).map(Ratio::into_raw), quotient.map(Ratio::into_raw));
            prop_assert_eq!(order(&a, &b), a.cmp(&b));
        }
    }
}
