//! The curves a phrase can take, each with its rate and its integral in closed form.
//!
//! Time x is in nanoseconds from where the shape starts, a rate in jobs per nanosecond.

use super::dd::Dd;
use super::functions::{
    INVERSE_LN_10, INVERSE_TWO_PI, cos_turns, exp, expm1_over, ln, ln_1p, sin_turns,
};
use super::num::Num;

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
    /// The sum of others.
    Sum(Vec<Shape>),
}

/// A straight line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The rate at 0.
    pub from: Num,
    /// Change of rate in a nanosecond.
    pub slope: Num,
}

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

/// An exponential.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    /// The rate at 0.
    pub from: Num,
    /// ln(b/a)/T
    pub bend: Dd,
}

/// A wave.
#[derive(Clone, Debug)]
pub struct Sine {
    /// Middle.
    pub base: Num,
    /// Height above it, below 0 for a wave that starts downwards.
    pub amp: Num,
    /// Length of a wave.
    pub period: Num,
    /// Turns at x = 0.
    pub phase: Num,
    /// Waves in a nanosecond.
    frequency: Dd,
    /// amp·period/2π
    swing: Dd,
    /// cos(2π·phase)
    cos_phase: Dd,
}

impl Line {
    fn rate(&self, x: Dd) -> Dd {
        if self.slope.dd().hi == 0.0 {
            return self.from.dd();
        }
        self.from.dd() + self.slope.dd() * x
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

impl Way {
    fn place(&self, x: Dd) -> Dd {
        let place = self.offset.dd() + x;
        if self.mirrored { self.over.dd() - place } else { place }
    }

    fn smooth_rate(&self, x: Dd) -> Dd {
        let u = self.place(x) / self.over.dd();
        let rise = u * u * (Dd::new(3.0) - u.scale_by_power(2.0));
        self.from.dd() + (self.to.dd() - self.from.dd()) * rise
    }

    fn logarithmic_rate(&self, x: Dd) -> Dd {
        let u = self.place(x) / self.over.dd();
        let rise = ln_1p(u * 9.0) * INVERSE_LN_10;
        self.from.dd() + (self.to.dd() - self.from.dd()) * rise
    }

    /// ∫ from 0 to z: `from·z + (to − from)·over·(u³ − u⁴/2)`
    fn smooth_integral(&self, z: Dd) -> Dd {
        let u = z / self.over.dd();
        let rise = u * u * (Dd::ONE - u.scale_by_power(0.5));
        z * (self.from.dd() + (self.to.dd() - self.from.dd()) * rise)
    }

    /// ∫ from 0 to z: `from·z + (to − from)/ln 10·over/9·((1 + v)·ln(1 + v) − v)`, v = 9z/over
    fn logarithmic_integral(&self, z: Dd) -> Dd {
        let v = z * 9.0 / self.over.dd();
        let shape = (Dd::ONE + v) * ln_1p(v) - v;
        let height = (self.to.dd() - self.from.dd()) * INVERSE_LN_10;
        self.from.dd() * z + height * self.over.dd() / Dd::new(9.0) * shape
    }

    /// The integral from 0 to x of a way given by its own integral.
    fn area(&self, x: Dd, integral: impl Fn(Dd) -> Dd) -> Dd {
        let (start, end) = (self.place(Dd::ZERO), self.place(x));
        if self.mirrored {
            integral(start) - integral(end)
        } else if self.offset.dd().hi == 0.0 {
            integral(end)
        } else {
            integral(end) - integral(start)
        }
    }

    fn height(&self) -> f64 {
        (self.to.dd() - self.from.dd()).hi
    }

    fn scaled(&self, factor: Num) -> Way {
        Way { from: self.from.times(factor), to: self.to.times(factor), ..*self }
    }
}

/// Whether a number of turns is whole but for rounding.
#[inline]
fn is_whole(turns: Dd, magnitude: f64) -> bool {
    let off = turns - (turns + Dd::new(0.5)).floor();
    off.hi.abs() <= (magnitude.abs() + 1.0) * 3e-30
}

impl Sine {
    /// A wave; the period must be above 0.
    pub fn new(base: Num, amp: Num, period: Num, phase: Num) -> Sine {
        let phase = reduced(phase);
        Sine {
            base,
            amp,
            period,
            phase,
            frequency: Dd::ONE / period.dd(),
            swing: amp.dd() * period.dd() * INVERSE_TWO_PI,
            cos_phase: cos_turns(phase.dd()),
        }
    }

    fn turns(&self, x: Dd) -> Dd {
        self.phase.dd() + x * self.frequency
    }

    fn rate(&self, x: Dd) -> Dd {
        self.base.dd() + self.amp.dd() * sin_turns(self.turns(x))
    }

    /// `base·x + amp·period/2π·(cos φ − cos(φ + 2πx/period))`. The difference of the cosines is 0
    /// where it is so in truth, after whole waves and at the wave's mirror image: ties of counts
    /// can only be there.
    #[inline]
    fn area(&self, x: Dd) -> Dd {
        let waves = x * self.frequency;
        let phase = self.phase.dd();
        let even = self.base.dd() * x;
        if is_whole(waves, waves.hi) || is_whole(phase.scale_by_power(2.0) + waves, waves.hi) {
            return even;
        }
        even + self.swing * (self.cos_phase - cos_turns(phase + waves))
    }

    fn slope_bounds(&self, from: Dd, to: Dd) -> (f64, f64) {
        let (a, b) = (self.turns(from), self.turns(to));
        let (first, last) = (cos_turns(a).hi, cos_turns(b).hi);
        let passes = |turn: f64| (b.hi - turn + 1e-12).floor() > (a.hi - turn - 1e-12).floor();
        let least = if passes(0.5) { -1.0 } else { first.min(last) };
        let most = if passes(0.0) { 1.0 } else { first.max(last) };
        let steepest = std::f64::consts::TAU * self.amp.dd().hi * self.frequency.hi;
        let (a, b) = (steepest * least, steepest * most);
        (a.min(b), a.max(b))
    }

    /// Lowest and highest rate between two times.
    fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
        let (a, b) = (self.turns(from), self.turns(to));
        let passes = |turn: f64| {
            let turn = Dd::new(turn);
            (b - turn).floor() > (a - turn).floor() || is_whole(a - turn, a.hi)
        };
        let (first, last) = (self.rate(from), self.rate(to));
        let (mut low, mut high) = (first.min(last), first.max(last));
        let height = self.amp.dd().abs();
        let (crest, trough) = if self.amp.is_negative() { (0.75, 0.25) } else { (0.25, 0.75) };
        if passes(crest) {
            high = self.base.dd() + height;
        }
        if passes(trough) {
            low = self.base.dd() - height;
        }
        (low, high)
    }
}

/// A phase within one turn.
fn reduced(phase: Num) -> Num {
    match phase.exact() {
        Some(exact) => Num::of(exact - exact.floor()),
        None => Num::about(phase.dd() - phase.dd().floor()),
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
            Shape::Sum(terms) => terms.iter().fold(Dd::ZERO, |sum, term| sum + term.area(x)),
        }
    }

    /// The integral from 0 to `length`, exact wherever it is rational.
    pub fn total(&self, length: Num) -> Num {
        let half = Num::of(crate::exact::fraction(1, 2));
        match self {
            Shape::Line(line) => {
                let middle = line.from.plus(line.slope.times(length).times(half));
                middle.times(length)
            }
            Shape::Smooth(way) if way.offset.is_zero() && length.over(way.over).is_one() => {
                way.from.plus(way.to).times(half).times(length)
            }
            Shape::Sine(sine) if length.over(sine.period).is_whole() => sine.base.times(length),
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
            Shape::Smooth(way) => {
                let bend = |x: Dd| {
                    let u = (way.place(x) / way.over.dd()).hi;
                    u * (1.0 - u)
                };
                let (mut least, mut most) = ends(bend(from), bend(to));
                let half = way.over.dd().hi / 2.0;
                if way.place(from).hi <= half && way.place(to).hi >= half {
                    most = 0.25;
                }
                least = least.max(0.0);
                let rise = 6.0 * (way.to.dd() - way.from.dd()).hi / way.over.dd().hi;
                ends(rise * least, rise * most)
            }
            Shape::Exponential(it) => {
                let slope = |x: Dd| it.bend.hi * self.rate(x).hi;
                ends(slope(from), slope(to))
            }
            Shape::Logarithmic(way) => {
                let over = way.over.dd().hi;
                let height = 9.0 * (way.to.dd() - way.from.dd()).hi * INVERSE_LN_10.hi / over;
                let sign = if way.mirrored { -1.0 } else { 1.0 };
                let slope = |x: Dd| sign * height / (1.0 + 9.0 * way.place(x).hi / over);
                ends(slope(from), slope(to))
            }
            Shape::Sine(sine) => sine.slope_bounds(from, to),
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
            Shape::Smooth(way) => Shape::Smooth(sped_way(way, factor)),
            Shape::Logarithmic(way) => Shape::Logarithmic(sped_way(way, factor)),
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

    /// The shape from a time on.
    pub fn after(&self, x: Num) -> Shape {
        match self {
            _ if x.is_zero() => self.clone(),
            Shape::Line(line) => {
                Shape::Line(Line { from: line.from.plus(line.slope.times(x)), ..*line })
            }
            Shape::Smooth(way) => Shape::Smooth(Way { offset: way.offset.plus(x), ..*way }),
            Shape::Logarithmic(way) => {
                Shape::Logarithmic(Way { offset: way.offset.plus(x), ..*way })
            }
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

fn sped_way(way: &Way, factor: Num) -> Way {
    Way { over: way.over.over(factor), offset: way.offset.over(factor), ..*way }
}

/// Plain numbers, to aim with: nothing that is decided depends on their last digits.
impl Shape {
    /// Integral and rate at x, where they are worth a look before the precise ones.
    pub fn near(&self, x: f64) -> Option<(f64, f64)> {
        match self {
            Shape::Sine(sine) => {
                let turns = (sine.phase.dd().hi + x * sine.frequency.hi).fract();
                let (sin, cos) = (turns * std::f64::consts::TAU).sin_cos();
                let area = sine.base.dd().hi * x + sine.swing.hi * (sine.cos_phase.hi - cos);
                Some((area, sine.base.dd().hi + sine.amp.dd().hi * sin))
            }
            Shape::Exponential(it) => {
                let bent = it.bend.hi * x;
                let over = if bent == 0.0 { 1.0 } else { bent.exp_m1() / bent };
                let from = it.from.dd().hi;
                Some((from * x * over, from * bent.exp()))
            }
            _ => None,
        }
    }

    /// The rate in plain precision.
    pub fn rate_near(&self, x: Dd) -> f64 {
        self.near(x.hi).map_or_else(|| self.rate(x).hi, |(_, rate)| rate)
    }

    /// A bound of how fast the rate changes in a nanosecond, up or down, where it is nowhere above
    /// `high`.
    pub fn steepest(&self, high: f64) -> f64 {
        match self {
            Shape::Sine(sine) => {
                std::f64::consts::TAU * (sine.amp.dd().hi * sine.frequency.hi).abs()
            }
            Shape::Smooth(way) => 1.5 * (way.height() / way.over.dd().hi).abs(),
            Shape::Logarithmic(way) => 4.0 * (way.height() / way.over.dd().hi).abs(),
            Shape::Line(line) => line.slope.dd().hi.abs(),
            Shape::Exponential(it) => it.bend.hi.abs() * high,
            Shape::Sum(terms) => terms.iter().map(|term| term.steepest(high)).sum(),
        }
    }
}
