//! Waves.

use super::Near;
use crate::timeline::dd::Dd;
use crate::timeline::functions::{INVERSE_TWO_PI, cos_turns, sin_cos, sin_turns};
use crate::timeline::num::Num;
use crate::timeline::plain::Kepler;
use std::f64::consts::TAU;

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
    /// The same in plain numbers.
    pub kepler: Option<Kepler>,
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
        let cos_phase = cos_turns(phase.dd());
        let [plain_base, plain_amp, plain_period, plain_phase] =
            [base, amp, period, phase].map(|number| number.dd().hi);
        Sine {
            base,
            amp,
            period,
            phase,
            frequency: Dd::ONE / period.dd(),
            swing: amp.dd() * period.dd() * INVERSE_TWO_PI,
            cos_phase,
            kepler: Kepler::new(plain_base, plain_amp, plain_period, plain_phase, cos_phase.hi),
        }
    }

    fn turns(&self, x: Dd) -> Dd {
        self.phase.dd() + x * self.frequency
    }

    /// The rate at x.
    pub fn rate(&self, x: Dd) -> Dd {
        self.base.dd() + self.amp.dd() * sin_turns(self.turns(x))
    }

    /// `base·x + amp·period/2π·(cos φ − cos(φ + 2πx/period))`. After whole waves, and at the wave's
    /// mirror image, the cosines are the same but for rounding well below the tolerance of counts:
    /// ties of counts can only be there.
    #[inline]
    pub fn area(&self, x: Dd) -> Dd {
        self.base.dd() * x + self.swing * (self.cos_phase - cos_turns(self.turns(x)))
    }

    /// The least and the greatest change of rate between two times.
    pub fn slope_bounds(&self, from: Dd, to: Dd) -> (f64, f64) {
        let (a, b) = (self.turns(from), self.turns(to));
        let (first, last) = (cos_turns(a).hi, cos_turns(b).hi);
        let passes = |turn: f64| (b.hi - turn + 1e-12).floor() > (a.hi - turn - 1e-12).floor();
        let least = if passes(0.5) { -1.0 } else { first.min(last) };
        let most = if passes(0.0) { 1.0 } else { first.max(last) };
        let steepest = TAU * self.amp.dd().hi * self.frequency.hi;
        let (a, b) = (steepest * least, steepest * most);
        (a.min(b), a.max(b))
    }

    /// Lowest and highest rate between two times.
    pub fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
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

    /// Integral and rate at x in plain precision.
    pub fn aim(&self, x: f64) -> (f64, f64) {
        let turns = self.phase.dd().hi + x * self.frequency.hi;
        let (sin, cos) = sin_cos((turns - turns as i64 as f64) * TAU);
        let base = self.base.dd().hi;
        (base * x + self.swing.hi * (self.cos_phase.hi - cos), base + self.amp.dd().hi * sin)
    }

    /// Only the wave in plain precision: its sine is good to 10⁻¹⁵ on any machine.
    pub fn near(&self, x: Dd) -> Near {
        let turns = self.turns(x);
        let (sin, cos) = sin_cos((turns - turns.floor()).hi * TAU);
        let wave = self.swing.hi * (self.cos_phase.hi - cos);
        Near {
            area: self.base.dd() * x + Dd::new(wave),
            rate: self.base.dd().hi + self.amp.dd().hi * sin,
            doubt: self.swing.hi.abs() * 1e-14,
        }
    }

    /// The size of the numbers that the integral from 0 to x is made of in plain precision: its
    /// even part, and the wave with what is lost of the turns.
    pub fn size(&self, x: f64) -> f64 {
        let turns = 1.0 + x * self.frequency.hi;
        self.base.dd().hi.abs() * x + 10.0 * self.swing.hi.abs() * turns
    }

    /// The greatest change of rate in a nanosecond.
    pub fn steepest(&self) -> f64 {
        TAU * (self.amp.dd().hi * self.frequency.hi).abs()
    }
}

/// A phase within one turn.
fn reduced(phase: Num) -> Num {
    match phase.exact() {
        Some(exact) => Num::of(exact - exact.floor()),
        None => Num::about(phase.dd() - phase.dd().floor()),
    }
}
