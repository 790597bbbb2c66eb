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
    let nanos = seconds.checked_mul(&whole(NANOS_PER_SECOND))?.ceil().to_integer();
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
        '+' => left.checked_add(right),
        '-' => left.checked_sub(right),
        '*' => left.checked_mul(right),
        '/' if !right.is_zero() => left.checked_div(right),
        _ => None,
    }
}
