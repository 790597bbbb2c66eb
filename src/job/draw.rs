//! Numbers of other laws than the uniform one, from the words of a key.
//!
//! Logarithms and the like come from `libm`, whose results do not depend on the machine: what a seed
//! stands for is the same everywhere.

use crate::random::Key;

/// Distance of neighbouring floats below 1 that have 53 bits after the point.
const STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// A number from 0 to below 1.
fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * STEP
}

/// A normal number of mean 0 and standard deviation 1, no further out than [`FARTHEST`] (G. Box,
/// M. Muller, "A note on the generation of random normal deviates", 1958).
pub fn normal([radius, angle]: [u64; 2]) -> f64 {
    // From above 0 to 1, as 0 has no logarithm.
    let radius = libm::sqrt(-2.0 * libm::log(unit(radius) + STEP));
    radius * libm::cos(std::f64::consts::TAU * unit(angle))
}

/// No number of [`normal`] is farther from 0: √(2·53·ln 2), rounded up.
pub const FARTHEST: f64 = 8.6;

/// An exponential number of mean 1, no larger than [`LARGEST`]: −ln(1 − u).
pub fn exponential(word: u64) -> f64 {
    -libm::log1p(-unit(word))
}

/// No number of [`exponential`] is larger: 53·ln 2, rounded up.
pub const LARGEST: f64 = 36.8;

/// The ranks 1 to n, rank k with a probability in proportion to 1/kˢ: rejection-inversion
/// (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", 1996), which takes little more than one try whatever n and s are.
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    ranks: f64,
    exponent: f64,
    /// H(3/2) − 1 and H(n + 1/2): where the area under the hat begins and ends.
    area: (f64, f64),
    /// What lies this near to its rank needs no look at the histogram.
    near: f64,
}

impl Zipf {
    /// That of n ranks (1 to 2⁵³) with an exponent from 0 on.
    pub fn new(ranks: u64, exponent: f64) -> Zipf {
        let ranks = ranks.max(1) as f64;
        let mut zipf = Zipf { ranks, exponent, area: (0.0, 0.0), near: 0.0 };
        zipf.area = (zipf.integral(1.5) - 1.0, zipf.integral(ranks + 0.5));
        zipf.near = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.height(2.0));
        zipf
    }

    /// The highest rank.
    pub fn highest(&self) -> u64 {
        self.ranks as u64
    }

    /// The rank of a job.
    pub fn draw(&self, key: Key, number: u64) -> u64 {
        let (low, high) = self.area;
        let mut draws = key.draws(number);
        loop {
            let area = high + unit(draws.word()) * (low - high);
            let place = self.inverse(area);
            let rank = libm::round(place).clamp(1.0, self.ranks);
            if rank - place <= self.near || area >= self.integral(rank + 0.5) - self.height(rank) {
                return rank as u64;
            }
        }
    }

    /// h(x) = x⁻ˢ
    fn height(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// H(x) = ∫₁ˣ h = (x¹⁻ˢ − 1)/(1 − s), and ln x where s is 1.
    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let power = (1.0 - self.exponent) * log;
        log * if power.abs() > 1e-8 { libm::expm1(power) / power } else { 1.0 + power / 2.0 }
    }

    /// H⁻¹
    fn inverse(&self, area: f64) -> f64 {
        // Rounding may reach beyond the pole.
        let share = (area * (1.0 - self.exponent)).max(-1.0);
        let log = if share.abs() > 1e-8 { libm::log1p(share) / share } else { 1.0 - share / 2.0 };
        libm::exp(log * area)
    }
}
