//! Λ and Λ⁻¹ in plain `f64`, where these can tell the answer for certain.
//!
//! The answers are whole numbers, and a double-double is only needed to tell them apart near a
//! border: close to a half job, to a whole nanosecond, or to where one phrase ends. Everywhere else
//! a number of 53 bits and a bound of what its rounding may do are enough, at a fifth of the cost.
//! Each function here either proves its answer by that bound or says `None`, and the precise path
//! answers: so both always say the same, on every machine.

use super::dd::Dd;
use super::functions::sin_cos;
use super::inverse;
use super::locate::Spot;
use super::node::{Kind, Node};
use super::shape::{Line, Shape};
use std::f64::consts::TAU;

/// What one operation rounds away, relative.
const ROUNDING: f64 = 1.2e-16;
/// How close to a border, relative, a time or a count is too close: a thousand roundings.
const BORDER: f64 = 1e-13;
/// A ramp whose rate has fallen below this share of its first is not followed: it cancels.
const LEAST_RATE: f64 = 0.1;
/// A wave whose height is more than this share of its middle is not followed, for the same reason.
const GREATEST_SWING: f64 = 0.9;
/// What a step of Halley's may leave of a wave's root, in nanoseconds.
const LEFT_NS: f64 = 1e-3;

/// The leaf that holds an instant or a count, clear of its borders.
struct Place<'a> {
    leaf: &'a Node,
    /// When it starts.
    start: Sum,
    /// Jobs before it.
    before: Sum,
    /// How often the two may have been rounded.
    roundings: f64,
}

/// A sum of plain numbers, and whether nothing has been rounded away.
#[derive(Clone, Copy)]
struct Sum {
    value: f64,
    exact: bool,
}

impl Sum {
    const ZERO: Sum = Sum { value: 0.0, exact: true };

    #[inline]
    fn plus(self, other: Dd) -> Sum {
        let value = self.value + other.hi;
        let exact = value - self.value == other.hi && value - other.hi == self.value;
        Sum { value, exact: exact && self.exact && other.lo == 0.0 }
    }

    /// So many times `one` more.
    #[inline]
    fn plus_times(self, times: f64, one: Dd) -> Sum {
        let product = times * one.hi;
        // Of whole numbers that are not too large.
        let exact = product < 9e15 && one.hi as i64 as f64 == one.hi && one.lo == 0.0;
        let sum = self.plus(Dd::new(product));
        Sum { exact: sum.exact && exact, ..sum }
    }
}

/// The pass of so much that a value is in, clear of where a pass begins and ends.
#[inline]
fn pass(value: f64, one: f64, times: Option<u64>, margin: f64) -> Option<f64> {
    let passes = value / one;
    if !(0.0..1e15).contains(&passes) {
        return None;
    }
    let whole = passes as i64;
    let rest = value - whole as f64 * one;
    let there = times.is_none_or(|times| (whole as u64) < times);
    (there && rest > margin && one - rest > margin).then_some(whole as f64)
}

/// The part of several that a value is in, by where each begins, clear of the borders.
#[inline]
fn part(begins: &[Dd], value: f64, margin: f64) -> Option<usize> {
    let i = begins.partition_point(|begin| begin.hi <= value).checked_sub(1)?;
    let next = begins.get(i + 1).is_none_or(|next| next.hi - value > margin);
    (next && value - begins[i].hi > margin).then_some(i)
}

/// Goes down to the leaf that holds a time, or else a count.
#[inline]
fn descend(root: &Node, value: f64, by_time: bool) -> Option<Place<'_>> {
    let margin = value * BORDER;
    let (mut leaf, mut start, mut before, mut roundings) = (root, Sum::ZERO, Sum::ZERO, 2.0);
    loop {
        let rest = value - if by_time { start.value } else { before.value };
        match &leaf.kind {
            Kind::Mark { body, .. } => leaf = body,
            Kind::Together { flat: Some(flat), .. } => leaf = flat,
            Kind::Sequence(sequence) => {
                let begins = if by_time { &sequence.starts } else { &sequence.sums };
                let i = part(begins, rest, margin)?;
                start = start.plus(sequence.starts[i]);
                before = before.plus(sequence.sums[i]);
                leaf = &sequence.items[i];
                roundings += 2.0;
            }
            Kind::Repeat { body, times } => {
                let (length, total) = (body.length.as_ref()?.dd(), body.total.as_ref()?.dd());
                let one = if by_time { length.hi } else { total.hi };
                let pass = pass(rest, one, *times, margin)?;
                start = start.plus_times(pass, length);
                before = before.plus_times(pass, total);
                leaf = body;
                roundings += 3.0;
            }
            Kind::Piece(_) => break,
            Kind::Jump | Kind::Together { .. } | Kind::Jitter(_) => return None,
        }
    }
    let (end, begin) = if by_time { (&leaf.length, start) } else { (&leaf.total, before) };
    let rest = value - begin.value;
    let clear = end.as_ref().is_none_or(|end| end.dd().hi - rest > margin);
    (clear && rest > margin).then_some(Place { leaf, start, before, roundings })
}

/// ⌊Λ(t) + ½⌋.
#[inline]
pub fn jobs_by(root: &Node, t_ns: u64) -> Option<u64> {
    let t = t_ns as f64;
    let place = descend(root, t, true)?;
    let Kind::Piece(shape) = &place.leaf.kind else { return None };
    let (area, doubt) = shape.plain_area(t - place.start.value);
    let count = place.before.value + area;
    // A start that is off moves the curve, which is nowhere steeper than its highest rate.
    let moved = place.leaf.range.high.hi * t;
    super::jobs_near(count, doubt + (moved + count) * (ROUNDING * place.roundings))
}

/// The first nanosecond t with Λ(t) ≥ k − ½.
#[inline]
pub fn time_of(root: &Node, k: u64) -> Option<u64> {
    if k >= 1 << 52 {
        return None;
    }
    let count = k as f64 - 0.5;
    let place = descend(root, count, false)?;
    let Kind::Piece(shape) = &place.leaf.kind else { return None };
    let rest = count - place.before.value;
    let Root { x, rate, doubt } = match shape {
        // At one rate throughout most jobs are due on a whole nanosecond, which plain numbers can't
        // tell from the one before; but it takes no more than one precise step.
        Shape::Line(line) if line.slope.dd().hi == 0.0 => {
            if !(place.start.exact && place.before.exact) {
                return None;
            }
            let (start, before) = (Dd::new(place.start.value), Dd::new(place.before.value));
            let spot = Spot { leaf: place.leaf, start, before };
            return inverse::on_line(&spot, line, super::threshold(k));
        }
        Shape::Line(line) => on_slope(line, rest)?,
        Shape::Sine(sine) => sine.kepler.as_ref()?.root(rest)?,
        _ => return None,
    };
    let t = place.start.value + x;
    if !(0.0..1e15).contains(&t) {
        return None;
    }
    let whole = t as i64;
    let above = t - whole as f64;
    let doubt = doubt + (t + count / rate) * (ROUNDING * place.roundings);
    (above > doubt && above < 1.0 - doubt).then_some(whole as u64 + 1)
}

/// Where a leaf holds so many jobs.
struct Root {
    /// The time from its start, in nanoseconds.
    x: f64,
    /// A lower bound of the rate there, in jobs per nanosecond.
    rate: f64,
    /// How far off x may be.
    doubt: f64,
}

/// The root of `from·x + slope·x²/2 = rest`.
#[inline]
fn on_slope(line: &Line, rest: f64) -> Option<Root> {
    let (from, slope) = (line.from.dd().hi, line.slope.dd().hi);
    let square = from * from + 2.0 * slope * rest;
    if square < from * from * (LEAST_RATE * LEAST_RATE) || square <= 0.0 {
        return None;
    }
    let rate = square.sqrt();
    let x = 2.0 * rest / (from + rate);
    // Where the rate falls, its square is a difference of larger ones.
    let roundings = if slope > 0.0 { 10.0 } else { 10.0 + 4.0 * from / rate };
    Some(Root { x, rate, doubt: x * (roundings * ROUNDING) })
}

/// A wave in plain numbers, as Kepler's equation has it.
///
/// With θ = φ + 2πx/period and e = amp/base, `base·x + amp·period/2π·(cos φ − cos θ) = rest` is
/// `θ − e·cos θ = 2π·rest/(base·period) + φ − e·cos φ`.
#[derive(Clone, Copy, Debug)]
pub struct Kepler {
    base: f64,
    period: f64,
    /// cos φ
    cos_phase: f64,
    /// e
    swing: f64,
    /// Jobs of a whole wave, and 1 by them.
    wave: f64,
    waves: f64,
    /// φ − e·cos φ
    offset: f64,
    /// What a step of Halley's leaves of its cube, at the most, in nanoseconds.
    third: f64,
    /// How far off a root may be for the rounding within one wave, in nanoseconds.
    doubt: f64,
}

impl Kepler {
    /// `None` where plain numbers would cancel.
    pub fn new(base: f64, amp: f64, period: f64, phase: f64, cos_phase: f64) -> Option<Kepler> {
        let swing = amp / base;
        let wave = base * period;
        let fits = (-GREATEST_SWING..=GREATEST_SWING).contains(&swing) && wave > 0.0;
        let waves = 1.0 / wave;
        if !fits || !wave.is_finite() || !waves.is_finite() {
            return None;
        }
        let bend = swing.abs() / (1.0 - swing.abs());
        Some(Kepler {
            base,
            period,
            cos_phase,
            swing,
            wave,
            waves,
            offset: phase * TAU - swing * cos_phase,
            third: (bend * bend / 4.0 + bend / 6.0) * (period / TAU),
            doubt: LEFT_NS + period * (1e-15 + 3e-15 * bend),
        })
    }

    /// Where the wave holds so many jobs: whole waves first, and of what is left the root by
    /// Halley's method.
    #[inline]
    fn root(&self, rest: f64) -> Option<Root> {
        let waves = rest * self.waves;
        if !(0.0..1e15).contains(&waves) {
            return None;
        }
        let waves = waves as i64 as f64;
        let part = (rest - waves * self.wave) * self.waves;
        let mean = TAU * part + self.offset;
        let mut angle = mean;
        let (mut sin, mut cos) = sin_cos(angle);
        for _ in 0..6 {
            let (off, slope) = (angle - self.swing * cos - mean, 1.0 + self.swing * sin);
            let step = -2.0 * off * slope / (2.0 * slope * slope - off * (self.swing * cos));
            angle += step;
            let square = step * step;
            if square > 1e-4 {
                (sin, cos) = sin_cos(angle);
                continue;
            }
            // From what they were a step before.
            let less = square * (0.5 - square / 24.0);
            let turned = step * (1.0 - square / 6.0 * (1.0 - square / 20.0));
            (sin, cos) = (sin - sin * less + cos * turned, cos - cos * less - sin * turned);
            if self.third * square * step.abs() < LEFT_NS {
                let swung = self.swing * (1.0 / TAU) * (cos - self.cos_phase);
                let x = (waves + (part + swung)) * self.period;
                let doubt = self.doubt + (waves + 1.0) * self.period * (5.0 * ROUNDING);
                // The step was too short to change the rate by much.
                let rate = 0.9 * self.base * (1.0 + self.swing * sin);
                return Some(Root { x, rate, doubt });
            }
        }
        None
    }
}
