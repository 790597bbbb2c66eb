//! The curves a phrase can take, each with its rate and its integral in closed form.
//!
//! Time x is in nanoseconds from where the shape starts, a rate in jobs per nanosecond.

mod sine;
mod way;

use super::build::Fault;
use super::course::Course;
use super::dd::Dd;
use super::functions::{exp, expm1_over, ln, ln_1p};
use super::locate::{Side, slack};
use super::num::Num;

use crate::exact::{Exact, plus, times};
use num_traits::Zero as _;

pub use sine::Sine;
pub use way::Way;

/// A rate as a function of time.
#[derive(Clone, Debug)]
pub enum Shape {
    /// `from + slope·x`
    Line(Line),
    /// `from + (to − from)·(3u² − 2u³)`, u = (offset + x)/over
    Smooth(Way),
    /// `from·e^(bend·x)`
    Exponential(Exponential),
    /// `from + (to − from)·log₁₀(1 + 9u)`, u = (offset + x)/over, or 1 − that
    Logarithmic(Way),
    /// `base + amp·sin(2π(x/period + phase))`
    Sine(Box<Sine>),
    /// What is made step by step.
    Course(Box<Course>),
    /// The sum of others.
    Sum(Vec<Shape>),
}

/// One half.
const HALF: Exact = Exact::new_raw(1, 2);

/// A straight line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The rate at 0.
    pub from: Num,
    /// Change of rate in a nanosecond.
    pub slope: Num,
}

/// An exponential.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    /// The rate at 0.
    pub from: Num,
    /// ln(b/a)/T
    pub bend: Dd,
}

impl Line {
    fn rate(&self, x: Dd) -> Dd {
        if self.slope.dd().hi == 0.0 {
            return self.from.dd();
        }
        self.from.dd() + self.slope.dd() * x
    }

    /// The integral as far as a length, where every step to it is exact.
    fn exact_total(&self, length: Num) -> Option<Exact> {
        let (from, slope, length) = (self.from.exact()?, self.slope.exact()?, length.exact()?);
        if slope.is_zero() {
            return Num::step(&from, &length, times);
        }
        let rise = Num::step(&slope, &length, times)?;
        let middle = Num::step(&from, &Num::step(&rise, &HALF, times)?, plus)?;
        Num::step(&middle, &length, times)
    }

    /// x·(from + slope·x/2)
    #[inline]
    fn area(&self, x: Dd) -> Dd {
        if self.slope.dd().hi == 0.0 {
            return self.from.dd() * x;
        }
        x * (self.from.dd() + self.slope.dd().scale_by_power(0.5) * x)
    }
}

impl Exponential {
    /// `a·(b/a)^(x/over)`; both ends above 0.
    pub fn between(a: Num, b: Num, over: Num) -> Exponential {
        let growth = b.minus(a).dd() / a.dd();
        let log = if growth.hi.abs() < 0.5 { ln_1p(growth) } else { ln(b.dd() / a.dd()) };
        Exponential { from: a, bend: log / over.dd() }
    }
}

impl Shape {
    /// One rate throughout.
    pub fn constant(rate: Num) -> Shape {
        Shape::Line(Line { from: rate, slope: Num::zero() })
    }

    /// The rate at a time, in jobs per nanosecond.
    pub fn rate(&self, x: Dd) -> Dd {
        match self {
            Shape::Line(line) => line.rate(x),
            Shape::Smooth(way) => way.smooth_rate(x),
            Shape::Exponential(it) => it.from.dd() * exp(it.bend * x),
            Shape::Logarithmic(way) => way.logarithmic_rate(x),
            Shape::Sine(sine) => sine.rate(x),
            Shape::Course(course) => course.rate(x, slack(x), Side::Right),
            Shape::Sum(terms) => terms.iter().fold(Dd::ZERO, |sum, term| sum + term.rate(x)),
        }
    }

    /// The integral of the rate from 0 to x, in jobs.
    #[inline]
    pub fn area(&self, x: Dd) -> Dd {
        match self {
            Shape::Line(line) => line.area(x),
            Shape::Smooth(way) => way.area(x, |z| way.smooth_integral(z)),
            Shape::Exponential(it) => it.from.dd() * x * expm1_over(it.bend * x),
            Shape::Logarithmic(way) => way.area(x, |z| way.logarithmic_integral(z)),
            Shape::Sine(sine) => sine.area(x),
            Shape::Course(course) => course.area(x),
            Shape::Sum(terms) => terms.iter().fold(Dd::ZERO, |sum, term| sum + term.area(x)),
        }
    }

    /// The integral from 0 to `length`, exact wherever it is rational.
    pub fn total(&self, length: Num) -> Num {
        let half = || Num::of(HALF);
        match self {
            Shape::Line(line) => line.exact_total(length).map_or_else(
                || line.from.plus(line.slope.times(length).times(half())).times(length),
                Num::of,
            ),
            Shape::Smooth(way) if way.offset.is_zero() && length.over(way.over).is_one() => {
                way.from.plus(way.to).times(half()).times(length)
            }
            Shape::Sine(sine) if length.over(sine.period).is_whole() => sine.base.times(length),
            Shape::Course(course) => course.total(length),
            Shape::Sum(terms) => {
                terms.iter().fold(Num::zero(), |sum, term| sum.plus(term.total(length)))
            }
            _ => Num::about(self.area(length.dd())),
        }
    }

    /// The lowest and the highest rate between two times.
    pub fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
        match self {
            Shape::Sine(sine) => sine.bounds(from, to),
            Shape::Course(course) => {
                course.bounds(from + Dd::new(slack(from)), to - Dd::new(slack(to)))
            }
            Shape::Sum(terms) => terms.iter().fold((Dd::ZERO, Dd::ZERO), |(low, high), term| {
                let (a, b) = term.bounds(from, to);
                (low + a, high + b)
            }),
            monotone => {
                let (first, last) = (monotone.rate(from), monotone.rate(to));
                (first.min(last), first.max(last))
            }
        }
    }

    /// The least and the greatest change of rate in a nanosecond between two times, with room for
    /// rounding.
    pub fn slope_bounds(&self, from: Dd, to: Dd) -> (f64, f64) {
        let ends = |a: f64, b: f64| (a.min(b), a.max(b));
        let (least, most) = match self {
            Shape::Line(line) => (line.slope.dd().hi, line.slope.dd().hi),
            Shape::Smooth(way) => way.smooth_slopes(from, to),
            Shape::Exponential(it) => {
                let slope = |x: Dd| it.bend.hi * self.rate(x).hi;
                ends(slope(from), slope(to))
            }
            Shape::Logarithmic(way) => way.logarithmic_slopes(from, to),
            Shape::Sine(sine) => sine.slope_bounds(from, to),
            // It may jump anywhere.
            Shape::Course(_) => (f64::NEG_INFINITY, f64::INFINITY),
            Shape::Sum(terms) => terms.iter().fold((0.0, 0.0), |(least, most), term| {
                let (a, b) = term.slope_bounds(from, to);
                (least + a, most + b)
            }),
        };
        let room = 1e-12 * least.abs().max(most.abs());
        (least - room, most + room)
    }

    /// Every rate times a factor at or above 0.
    pub fn scaled(&self, factor: Num) -> Shape {
        match self {
            _ if factor.is_zero() => Shape::constant(Num::zero()),
            Shape::Line(line) => {
                Shape::Line(Line { from: line.from.times(factor), slope: line.slope.times(factor) })
            }
            Shape::Smooth(way) => Shape::Smooth(way.scaled(factor)),
            Shape::Exponential(it) => {
                Shape::Exponential(Exponential { from: it.from.times(factor), ..*it })
            }
            Shape::Logarithmic(way) => Shape::Logarithmic(way.scaled(factor)),
            Shape::Course(course) => Shape::Course(Box::new(course.scaled(factor))),
            Shape::Sine(sine) => Shape::Sine(Box::new(Sine::new(
                sine.base.times(factor),
                sine.amp.times(factor),
                sine.period,
                sine.phase,
            ))),
            Shape::Sum(terms) => Shape::Sum(terms.iter().map(|term| term.scaled(factor)).collect()),
        }
    }

    /// The same rates in 1/factor of the time; the factor is above 0.
    pub fn sped(&self, factor: Num) -> Shape {
        match self {
            Shape::Line(line) => {
                Shape::Line(Line { from: line.from, slope: line.slope.times(factor) })
            }
            Shape::Smooth(way) => Shape::Smooth(way.sped(factor)),
            Shape::Logarithmic(way) => Shape::Logarithmic(way.sped(factor)),
            Shape::Course(course) => Shape::Course(Box::new(course.sped(factor))),
            Shape::Exponential(it) => {
                Shape::Exponential(Exponential { bend: it.bend * factor.dd(), ..*it })
            }
            Shape::Sine(sine) => Shape::Sine(Box::new(Sine::new(
                sine.base,
                sine.amp,
                sine.period.over(factor),
                sine.phase,
            ))),
            Shape::Sum(terms) => Shape::Sum(terms.iter().map(|term| term.sped(factor)).collect()),
        }
    }

    /// The shape as far as a length, where it matters.
    pub fn until(self, length: Num) -> Result<Shape, Fault> {
        Ok(match self {
            Shape::Course(course) => Shape::Course(Box::new(course.until(length)?)),
            shape => shape,
        })
    }

    /// The shape from a time on.
    pub fn after(&self, x: Num) -> Shape {
        match self {
            _ if x.is_zero() => self.clone(),
            Shape::Line(line) => {
                Shape::Line(Line { from: line.from.plus(line.slope.times(x)), ..*line })
            }
            Shape::Smooth(way) => Shape::Smooth(way.after(x)),
            Shape::Logarithmic(way) => Shape::Logarithmic(way.after(x)),
            Shape::Course(course) => Shape::Course(Box::new(course.after(x))),
            Shape::Exponential(it) => Shape::Exponential(Exponential {
                from: Num::about(it.from.dd() * exp(it.bend * x.dd())),
                ..*it
            }),
            Shape::Sine(sine) => Shape::Sine(Box::new(Sine::new(
                sine.base,
                sine.amp,
                sine.period,
                sine.phase.plus(x.over(sine.period)),
            ))),
            Shape::Sum(terms) => Shape::Sum(terms.iter().map(|term| term.after(x)).collect()),
        }
    }
}

/// What is known of a shape at one time without the cost of full precision.
pub struct Near {
    /// The integral from 0.
    pub area: Dd,
    /// The rate.
    pub rate: f64,
    /// How far off the integral may be, in jobs.
    pub doubt: f64,
}

/// Plain numbers, to aim with: what is decided with them has to be clear of their doubt.
impl Shape {
    /// Integral and rate at x in plain precision.
    pub fn aim(&self, x: f64) -> (f64, f64) {
        match self {
            Shape::Line(line) => {
                let (from, slope) = (line.from.dd().hi, line.slope.dd().hi);
                (x * (from + slope * x / 2.0), from + slope * x)
            }
            Shape::Smooth(way) => way.aim_smooth(x),
            Shape::Logarithmic(way) => way.aim_logarithmic(x),
            Shape::Sine(sine) => sine.aim(x),
            Shape::Exponential(it) => {
                let bent = it.bend.hi * x;
                let over = if bent == 0.0 { 1.0 } else { bent.exp_m1() / bent };
                let from = it.from.dd().hi;
                (from * x * over, from * bent.exp())
            }
            Shape::Course(course) => course.aim(x),
            Shape::Sum(terms) => terms.iter().fold((0.0, 0.0), |(area, rate), term| {
                let (a, r) = term.aim(x);
                (area + a, rate + r)
            }),
        }
    }

    /// Integral and rate at x, close enough to find most nanoseconds.
    pub fn near(&self, x: Dd) -> Near {
        match self {
            Shape::Sine(sine) => sine.near(x),
            _ => Near { area: self.area(x), rate: self.aim(x.hi).1, doubt: 0.0 },
        }
    }

    /// The integral at x in plain precision, and how far off it may be.
    pub fn plain_area(&self, x: f64) -> (f64, f64) {
        let area = self.aim(x).0;
        (area, (area.abs() + self.aim_size(x)) * 1e-13)
    }

    /// The size of the numbers whose difference an integral in plain precision is.
    fn aim_size(&self, x: f64) -> f64 {
        match self {
            Shape::Line(line) => x * (line.from.dd().hi.abs() + line.slope.dd().hi.abs() * x),
            Shape::Smooth(way) | Shape::Logarithmic(way) => {
                4.0 * way.over.dd().hi * (way.from.dd().hi + way.height().abs())
            }
            Shape::Exponential(it) => x * it.from.dd().hi,
            Shape::Sine(sine) => sine.size(x),
            // It is no difference of rounded numbers.
            Shape::Course(_) => 0.0,
            Shape::Sum(terms) => terms.iter().map(|term| term.aim_size(x)).sum(),
        }
    }

    /// A bound of how fast the rate changes in a nanosecond, up or down, where it is nowhere above
    /// `high`.
    pub fn steepest(&self, high: f64) -> f64 {
        match self {
            Shape::Sine(sine) => sine.steepest(),
            Shape::Course(_) => f64::INFINITY,
            Shape::Smooth(way) => 1.5 * (way.height() / way.over.dd().hi).abs(),
            Shape::Logarithmic(way) => 4.0 * (way.height() / way.over.dd().hi).abs(),
            Shape::Line(line) => line.slope.dd().hi.abs(),
            Shape::Exponential(it) => it.bend.hi.abs() * high,
            Shape::Sum(terms) => terms.iter().map(|term| term.steepest(high)).sum(),
        }
    }
}
