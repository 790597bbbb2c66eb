//! Smooth and logarithmic ramps.

use crate::timeline::dd::Dd;
use crate::timeline::functions::{INVERSE_LN_10, ln_1p};
use crate::timeline::num::Num;

/// A way between two rates, of which a piece may use a part.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The rate at u = 0.
    pub from: Num,
    /// The rate at u = 1.
    pub to: Num,
    /// The length of the whole way.
    pub over: Num,
    /// How much of it lies before x = 0.
    pub offset: Num,
    /// Whether time runs backwards along it.
    pub mirrored: bool,
}

impl Way {
    fn place(&self, x: Dd) -> Dd {
        let place = self.offset.dd() + x;
        if self.mirrored { self.over.dd() - place } else { place }
    }

    /// The rate at x.
    pub fn smooth_rate(&self, x: Dd) -> Dd {
        let u = self.place(x) / self.over.dd();
        let rise = u * u * (Dd::new(3.0) - u.scale_by_power(2.0));
        self.from.dd() + (self.to.dd() - self.from.dd()) * rise
    }

    /// The rate at x.
    pub fn logarithmic_rate(&self, x: Dd) -> Dd {
        let u = self.place(x) / self.over.dd();
        let rise = ln_1p(u * 9.0) * INVERSE_LN_10;
        self.from.dd() + (self.to.dd() - self.from.dd()) * rise
    }

    /// ∫ from 0 to z: `from·z + (to − from)·over·(u³ − u⁴/2)`
    pub fn smooth_integral(&self, z: Dd) -> Dd {
        let u = z / self.over.dd();
        let rise = u * u * (Dd::ONE - u.scale_by_power(0.5));
        z * (self.from.dd() + (self.to.dd() - self.from.dd()) * rise)
    }

    /// ∫ from 0 to z: `from·z + (to − from)/ln 10·over/9·((1 + v)·ln(1 + v) − v)`, v = 9z/over
    pub fn logarithmic_integral(&self, z: Dd) -> Dd {
        let v = z * 9.0 / self.over.dd();
        let shape = (Dd::ONE + v) * ln_1p(v) - v;
        let height = (self.to.dd() - self.from.dd()) * INVERSE_LN_10;
        self.from.dd() * z + height * self.over.dd() / Dd::new(9.0) * shape
    }

    /// The integral from 0 to x of a way given by its own integral.
    pub fn area(&self, x: Dd, integral: impl Fn(Dd) -> Dd) -> Dd {
        let (start, end) = (self.place(Dd::ZERO), self.place(x));
        if self.mirrored {
            integral(start) - integral(end)
        } else if self.offset.dd().hi == 0.0 {
            integral(end)
        } else {
            integral(end) - integral(start)
        }
    }

    /// How far apart its ends are, in plain precision.
    pub fn height(&self) -> f64 {
        (self.to.dd() - self.from.dd()).hi
    }

    /// The same rates in 1/factor of the time.
    pub fn sped(&self, factor: Num) -> Way {
        Way { over: self.over.over(factor), offset: self.offset.over(factor), ..*self }
    }

    /// The way from a time on.
    pub fn after(&self, x: Num) -> Way {
        Way { offset: self.offset.plus(x), ..*self }
    }

    /// Every rate times a factor.
    pub fn scaled(&self, factor: Num) -> Way {
        Way { from: self.from.times(factor), to: self.to.times(factor), ..*self }
    }

    /// Integral and rate of a smooth way in plain precision.
    pub fn aim_smooth(&self, x: f64) -> (f64, f64) {
        let (from, over, height) = (self.from.dd().hi, self.over.dd().hi, self.height());
        let upto = |u: f64| u * over * (from + height * u * u * (1.0 - u / 2.0));
        let start = self.offset.dd().hi / over;
        let u = start + x / over;
        (upto(u) - upto(start), from + height * u * u * (3.0 - 2.0 * u))
    }

    /// Integral and rate of a logarithmic way in plain precision.
    pub fn aim_logarithmic(&self, x: f64) -> (f64, f64) {
        let (from, over, height) = (self.from.dd().hi, self.over.dd().hi, self.height());
        let height = height * INVERSE_LN_10.hi;
        let upto = |v: f64| over / 9.0 * (from * v + height * ((1.0 + v) * v.ln_1p() - v));
        let place = |x: f64| 9.0 * self.place(Dd::new(x)).hi / over;
        let (start, v) = (place(0.0), place(x));
        let area = if self.mirrored { upto(start) - upto(v) } else { upto(v) - upto(start) };
        (area, from + height * v.ln_1p())
    }

    /// The least and the greatest change of rate between two times, `6·(to − from)·u(1 − u)/over`:
    /// the way back is turned into a way forth before, so that it is never mirrored.
    pub fn smooth_slopes(&self, from: Dd, to: Dd) -> (f64, f64) {
        let over = self.over.dd().hi;
        let bend = |x: Dd| {
            let u = self.place(x).hi / over;
            (u * (1.0 - u)).max(0.0)
        };
        let passes_middle = self.place(from).hi <= over / 2.0 && self.place(to).hi >= over / 2.0;
        let most = if passes_middle { 0.25 } else { bend(from).max(bend(to)) };
        let least = bend(from).min(bend(to));
        let steepest = 6.0 * self.height() / over;
        in_order(steepest * least, steepest * most)
    }

    /// The least and the greatest change of rate between two times.
    pub fn logarithmic_slopes(&self, from: Dd, to: Dd) -> (f64, f64) {
        let over = self.over.dd().hi;
        let sign = if self.mirrored { -1.0 } else { 1.0 };
        let steepest = sign * 9.0 * self.height() * INVERSE_LN_10.hi / over;
        let slope = |x: Dd| steepest / (1.0 + 9.0 * self.place(x).hi / over);
        in_order(slope(from), slope(to))
    }
}

fn in_order(a: f64, b: f64) -> (f64, f64) {
    (a.min(b), a.max(b))
}
