//! Exact numbers: what a script writes as `0.1` is one tenth here, not the nearest binary fraction.
//!
//! A job count is only exact if the rates and lengths it follows from are, so literals and their
//! arithmetic are rational numbers until the timeline turns them into its own fixed form.

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, Zero};

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
        '/' if !right.is_zero() => left.checked_div(right),
        _ => None,
    }
}

/// a + b, where it fits.
///
/// `num-rational` divides 128-bit numbers at every step; most of what scripts say are whole numbers,
/// or fractions with small parts, and checking a long script is such sums for the most part.
pub fn plus(a: &Exact, b: &Exact) -> Option<Exact> {
    let sum = if a.denom() == b.denom() {
        a.numer().checked_add(b.numer()).and_then(|numer| reduced(numer, *a.denom()))
    } else {
        across(a, b).and_then(|(left, right)| {
            reduced(left.checked_add(right)?, a.denom().checked_mul(b.denom())?)
        })
    };
    sum.or_else(|| a.checked_add(b))
}

/// a − b, where it fits.
pub fn minus(a: &Exact, b: &Exact) -> Option<Exact> {
    let difference = if a.denom() == b.denom() {
        a.numer().checked_sub(b.numer()).and_then(|numer| reduced(numer, *a.denom()))
    } else {
        across(a, b).and_then(|(left, right)| {
            reduced(left.checked_sub(right)?, a.denom().checked_mul(b.denom())?)
        })
    };
    difference.or_else(|| a.checked_sub(b))
}

/// a · b, where it fits.
pub fn times(a: &Exact, b: &Exact) -> Option<Exact> {
    let numer = a.numer().checked_mul(b.numer());
    let denom = a.denom().checked_mul(b.denom());
    let product = numer.zip(denom).and_then(|(numer, denom)| reduced(numer, denom));
    product.or_else(|| a.checked_mul(b))
}

/// Both numerators over the common denominator that is the product of theirs.
fn across(a: &Exact, b: &Exact) -> Option<(i128, i128)> {
    Some((a.numer().checked_mul(b.denom())?, b.numer().checked_mul(a.denom())?))
}

/// The fraction in its lowest terms, if that takes no more than 64-bit division; the denominator is
/// above 0.
fn reduced(numer: i128, denom: i128) -> Option<Exact> {
    if denom == 1 {
        return Some(Exact::new_raw(numer, 1));
    }
    let small = Ratio::new(u64::try_from(numer.unsigned_abs()).ok()?, u64::try_from(denom).ok()?);
    let numer = if numer < 0 { -i128::from(*small.numer()) } else { i128::from(*small.numer()) };
    Some(Exact::new_raw(numer, i128::from(*small.denom())))
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
        }
    }
}
