//! Double-double numbers: the unevaluated sum of two `f64`, about 106 bits.
//!
//! Counts must be exact for 10¹² jobs over a year of nanoseconds, which is beyond one `f64`. The
//! algorithms are the classic error-free transformations (Dekker 1971; Knuth, TAOCP vol. 2, 4.2.2).
//! They use nothing but the four IEEE operations and the square root, which every machine rounds in
//! the same way, so that a plan is the same plan everywhere.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `hi + lo`, where `lo` is at most half a unit in the last place of `hi`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Dd {
    /// The nearest `f64`.
    pub hi: f64,
    /// What is left.
    pub lo: f64,
}

/// `a + b` and its rounding error.
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}

/// [`two_sum`] for |a| ≥ |b|.
#[inline]
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

/// `a·b` and its rounding error. With or without a fused instruction the result is the same.
#[inline]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        return (p, a.mul_add(b, -p));
    }
    let (a1, a2) = split(a);
    let (b1, b2) = split(b);
    (p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2)
}

/// The upper 26 bits and the rest.
#[inline]
fn split(a: f64) -> (f64, f64) {
    let t = 134_217_729.0 * a; // 2²⁷ + 1
    let upper = t - (t - a);
    (upper, a - upper)
}

/// `f64::floor`, without a call into the system's library where the processor has no instruction.
#[inline]
fn floor(value: f64) -> f64 {
    if value.abs() < 4_503_599_627_370_496.0 {
        let toward_zero = value as i64 as f64;
        return if toward_zero > value { toward_zero - 1.0 } else { toward_zero };
    }
    value
}

impl Dd {
    /// 0
    pub const ZERO: Dd = Dd { hi: 0.0, lo: 0.0 };
    /// 1
    pub const ONE: Dd = Dd { hi: 1.0, lo: 0.0 };

    /// An `f64` as it is.
    #[inline]
    pub const fn new(value: f64) -> Dd {
        Dd { hi: value, lo: 0.0 }
    }

    /// Exactly.
    #[inline]
    pub fn from_u64(value: u64) -> Dd {
        if value < 1 << 53 {
            return Dd::new(value as i64 as f64);
        }
        let upper = f64::from((value >> 32) as u32) * 4_294_967_296.0;
        let (hi, lo) = quick_two_sum(upper, f64::from(value as u32));
        Dd { hi, lo }
    }

    /// self − other·factor as a plain number, where the two are nearly the same: the difference of
    /// the leading parts is then exact.
    #[inline]
    pub fn residual(self, other: Dd, factor: f64) -> f64 {
        let (p, e) = two_product(other.hi, factor);
        ((self.hi - p) - e) + (self.lo - other.lo * factor)
    }

    /// self + near + step as the nearest whole number and what it is off, where `step` is small and
    /// the sum below 2⁶³; beyond, it is the last one there is.
    #[inline]
    pub fn whole_and_rest(self, near: f64, step: f64) -> (i64, f64) {
        let (sum, error) = two_sum(self.hi, near);
        let whole = floor(sum + 0.5);
        let rest = (sum - whole) + (error + (self.lo + step));
        let carry = floor(rest + 0.5);
        ((whole as i64).saturating_add(carry as i64), rest - carry)
    }

    /// To within 2⁻¹⁰⁶ relative.
    pub fn from_i128(value: i128) -> Dd {
        // A conversion of 128 bits is a call.
        if value.unsigned_abs() < 1 << 62 {
            let small = value as i64;
            let hi = small as f64;
            return Dd { hi, lo: (small - hi as i64) as f64 };
        }
        let hi = value as f64;
        let lo = value.wrapping_sub(hi as i128) as f64;
        Dd { hi, lo: 0.0 } + Dd::new(lo)
    }

    /// |self|
    pub fn abs(self) -> Dd {
        if self.hi < 0.0 { -self } else { self }
    }

    /// The smaller.
    #[inline]
    pub fn min(self, other: Dd) -> Dd {
        if other < self { other } else { self }
    }

    /// The larger.
    #[inline]
    pub fn max(self, other: Dd) -> Dd {
        if other > self { other } else { self }
    }

    /// Times a power of two, exactly.
    #[inline]
    pub fn scale_by_power(self, power: f64) -> Dd {
        Dd { hi: self.hi * power, lo: self.lo * power }
    }

    /// The largest whole number not above.
    #[inline]
    pub fn floor(self) -> Dd {
        let hi = floor(self.hi);
        if hi == self.hi {
            let (hi, lo) = quick_two_sum(hi, floor(self.lo));
            return Dd { hi, lo };
        }
        Dd { hi, lo: 0.0 }
    }

    /// The whole number at or below, between 0 and `u64::MAX`.
    #[inline]
    pub fn floor_u64(self) -> u64 {
        let floor = self.floor();
        if floor.hi < 9e15 {
            return if floor.hi > 0.0 { floor.hi as i64 as u64 } else { 0 };
        }
        if floor.hi >= 18_446_744_073_709_551_616.0 {
            return u64::MAX;
        }
        u64::try_from(floor.hi as i128 + floor.lo as i128).unwrap_or(u64::MAX)
    }

    /// The whole number at or above, between 0 and `u64::MAX`.
    #[inline]
    pub fn ceil_u64(self) -> u64 {
        let floor = self.floor();
        let whole = floor.floor_u64();
        if floor < self && self.hi >= 0.0 { whole.saturating_add(1) } else { whole }
    }

    /// The total order of finite numbers.
    pub fn order(&self, other: &Dd) -> Ordering {
        self.partial_cmp(other).unwrap_or(Ordering::Equal)
    }
}

impl Add for Dd {
    type Output = Dd;

    #[inline]
    fn add(self, other: Dd) -> Dd {
        let (s, e) = two_sum(self.hi, other.hi);
        let (t, f) = two_sum(self.lo, other.lo);
        let (s, e) = quick_two_sum(s, e + t);
        let (hi, lo) = quick_two_sum(s, e + f);
        Dd { hi, lo }
    }
}

impl Neg for Dd {
    type Output = Dd;

    #[inline]
    fn neg(self) -> Dd {
        Dd { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Dd {
    type Output = Dd;

    #[inline]
    fn sub(self, other: Dd) -> Dd {
        self + -other
    }
}

impl Mul for Dd {
    type Output = Dd;

    #[inline]
    fn mul(self, other: Dd) -> Dd {
        let (p, e) = two_product(self.hi, other.hi);
        let (hi, lo) = quick_two_sum(p, e + (self.hi * other.lo + self.lo * other.hi));
        Dd { hi, lo }
    }
}

impl Mul<f64> for Dd {
    type Output = Dd;

    #[inline]
    fn mul(self, other: f64) -> Dd {
        let (p, e) = two_product(self.hi, other);
        let (hi, lo) = quick_two_sum(p, e + self.lo * other);
        Dd { hi, lo }
    }
}

impl Div for Dd {
    type Output = Dd;

    /// Long division, three digits of 53 bits.
    #[inline]
    fn div(self, other: Dd) -> Dd {
        let q1 = self.hi / other.hi;
        let r = self - other * q1;
        let q2 = r.hi / other.hi;
        let r = r - other * q2;
        let q3 = r.hi / other.hi;
        let (hi, lo) = quick_two_sum(q1, q2);
        Dd { hi, lo } + Dd::new(q3)
    }
}
