//! Numbers while a curve is compiled: a double-double, and the exact fraction as long as it fits.
//!
//! Sums of thousands of phrases then carry no rounding at all in the usual case, and no more than
//! double-double rounding in the rest.

use super::dd::Dd;
use crate::exact::{self, Exact};
use num_traits::{Signed, Zero};
use std::cmp::Ordering;

/// Fractions with a part above this are only kept as double-doubles: well inside 128 bits, so that
/// no step of their arithmetic overflows.
const LIMIT: u128 = 1 << 120;

/// A number and, if it fits, its exact value.
#[derive(Clone, Copy, Debug)]
pub struct Num {
    near: Dd,
    exact: Option<Exact>,
}

impl Num {
    /// 0
    pub fn zero() -> Num {
        Num::whole(0)
    }

    /// A whole number.
    pub fn whole(value: u64) -> Num {
        Num { near: Dd::from_u64(value), exact: Some(Exact::from_integer(i128::from(value))) }
    }

    /// A number without an exact form.
    pub fn about(near: Dd) -> Num {
        Num { near, exact: None }
    }

    /// An exact number.
    pub fn of(value: Exact) -> Num {
        let (numer, denom) = (*value.numer(), *value.denom());
        if denom == 1 {
            let exact = (numer.unsigned_abs() <= LIMIT).then_some(value);
            return Num { near: Dd::from_i128(numer), exact };
        }
        let near = Dd::from_i128(numer) / Dd::from_i128(denom);
        Num { near, exact: Num::fits(&value).then_some(value) }
    }

    /// Whether an exact value is kept.
    fn fits(value: &Exact) -> bool {
        value.numer().unsigned_abs() <= LIMIT && value.denom().unsigned_abs() <= LIMIT
    }

    /// A step of a longer calculation in exact numbers, as [`Num::plus`] and its like would take it;
    /// `None` where the value would not be kept.
    pub fn step(a: &Exact, b: &Exact, exact: fn(&Exact, &Exact) -> Option<Exact>) -> Option<Exact> {
        if Num::fits(a) && Num::fits(b) { exact(a, b).filter(Num::fits) } else { None }
    }

    fn combine(self, other: Num, exact: impl Fn(&Exact, &Exact) -> Option<Exact>) -> Option<Num> {
        let value = exact(self.exact.as_ref()?, other.exact.as_ref()?)?;
        let num = Num::of(value);
        num.exact.is_some().then_some(num)
    }

    /// self + other
    pub fn plus(self, other: Num) -> Num {
        self.combine(other, exact::plus).unwrap_or_else(|| Num::about(self.near + other.near))
    }

    /// self − other
    pub fn minus(self, other: Num) -> Num {
        self.combine(other, exact::minus).unwrap_or_else(|| Num::about(self.near - other.near))
    }

    /// self · other
    pub fn times(self, other: Num) -> Num {
        self.combine(other, exact::times).unwrap_or_else(|| Num::about(self.near * other.near))
    }

    /// self / other, which must not be 0.
    pub fn over(self, other: Num) -> Num {
        self.combine(other, exact::over).unwrap_or_else(|| Num::about(self.near / other.near))
    }

    /// The double-double.
    pub fn dd(self) -> Dd {
        self.near
    }

    /// The exact value, where it is known.
    pub fn exact(self) -> Option<Exact> {
        self.exact
    }

    /// The order of the exact values, or else of the double-doubles.
    pub fn order(self, other: Num) -> Ordering {
        match (&self.exact, &other.exact) {
            (Some(a), Some(b)) => exact::order(a, b),
            _ => self.near.order(&other.near),
        }
    }

    /// Whether it is 0.
    pub fn is_zero(self) -> bool {
        self.exact.map_or(self.near.hi == 0.0, |value| value.is_zero())
    }

    /// Whether it is known to be 1.
    pub fn is_one(self) -> bool {
        self.exact.is_some_and(|value| value == Exact::from_integer(1))
    }

    /// Whether it is known to be a whole number.
    pub fn is_whole(self) -> bool {
        self.exact.is_some_and(|value| value.is_integer())
    }

    /// Whether it is above 0.
    pub fn is_positive(self) -> bool {
        self.exact.map_or(self.near.hi > 0.0, |value| value.is_positive())
    }

    /// Whether it is below 0.
    pub fn is_negative(self) -> bool {
        self.exact.map_or(self.near.hi < 0.0, |value| value.is_negative())
    }

    /// The smaller.
    pub fn min(self, other: Num) -> Num {
        if other.order(self) == Ordering::Less { other } else { self }
    }

    /// The larger.
    pub fn max(self, other: Num) -> Num {
        if other.order(self) == Ordering::Greater { other } else { self }
    }

    /// The largest whole number not above it, if it is from 0 to below 2⁶⁴.
    pub fn floor(self) -> Option<u64> {
        match self.exact {
            Some(value) => u64::try_from(value.floor().to_integer()).ok(),
            None if self.near.hi < 0.0 || self.near.hi >= 1.8e19 => None,
            None => Some(self.near.floor_u64()),
        }
    }
}
