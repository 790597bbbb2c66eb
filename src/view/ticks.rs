//! Round numbers along an axis.

const S: u64 = 1_000_000_000;
const M: u64 = 60 * S;
const H: u64 = 60 * M;
const D: u64 = 24 * H;

/// Lengths of time from a second on that a reader counts in, in nanoseconds.
const STEPS_NS: [u64; 31] = [
    S,
    2 * S,
    5 * S,
    10 * S,
    15 * S,
    20 * S,
    30 * S,
    M,
    2 * M,
    3 * M,
    5 * M,
    10 * M,
    15 * M,
    20 * M,
    30 * M,
    H,
    2 * H,
    3 * H,
    4 * H,
    6 * H,
    12 * H,
    D,
    2 * D,
    5 * D,
    10 * D,
    20 * D,
    50 * D,
    100 * D,
    200 * D,
    500 * D,
    1000 * D,
];

/// The shortest round length of time, in nanoseconds, that goes into another at most `most` times
/// (at least once).
pub fn time_step(length_ns: u64, most: u64) -> u64 {
    let least = length_ns.div_ceil(most.max(1)).max(1);
    let mut below_a_second = 1;
    while below_a_second < S {
        for digit in [1, 2, 5] {
            if digit * below_a_second >= least {
                return digit * below_a_second;
            }
        }
        below_a_second *= 10;
    }
    let round = STEPS_NS.into_iter().find(|step| *step >= least);
    round.unwrap_or_else(|| least.div_ceil(1000 * D).saturating_mul(1000 * D))
}

/// An axis of rates from 0 up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateAxis {
    /// Its upper end: a whole number of steps, at least the peak, above 0.
    pub top: f64,
    /// From one tick to the next.
    pub step: f64,
    /// Ticks above 0.
    pub count: u32,
}

impl RateAxis {
    /// An axis that holds a peak with at most `most` ticks above 0 (at least 2).
    pub fn new(peak_per_s: f64, most: u32) -> RateAxis {
        if !(peak_per_s > 0.0 && peak_per_s.is_finite()) {
            return RateAxis { top: 1.0, step: 1.0, count: 1 };
        }
        let peak = peak_per_s;
        let most = most.max(2);
        let mut power = 10f64.powf((peak / f64::from(most)).log10().floor());
        loop {
            for digit in [1.0, 2.0, 2.5, 5.0] {
                let step = digit * power;
                let count = (peak / step * (1.0 - 1e-12)).ceil().max(1.0);
                if count <= f64::from(most) {
                    return RateAxis { top: step * count, step, count: count as u32 };
                }
            }
            power *= 10.0;
        }
    }

    /// The ticks, 0 included.
    pub fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.count).map(move |i| self.step * f64::from(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_steps_are_round() {
        assert_eq!(time_step(28_860 * S, 200), 3 * M);
        assert_eq!(time_step(28_860 * S, 8), 2 * H);
        assert_eq!(time_step(D, 200), 10 * M);
        assert_eq!(time_step(365 * D, 200), 2 * D);
        assert_eq!(time_step(10 * S, 200), 50_000_000);
        assert_eq!(time_step(3, 200), 1);
        assert_eq!(time_step(0, 10), 1);
        assert_eq!(time_step(u64::MAX, 1), u64::MAX);
    }

    #[test]
    fn rate_axes_hold_the_peak() {
        let axis = |peak| {
            let axis = RateAxis::new(peak, 5);
            (axis.top, axis.count)
        };
        assert_eq!(axis(500.0), (500.0, 5));
        assert_eq!(axis(130.0), (150.0, 3));
        assert_eq!(axis(0.0), (1.0, 1));
        assert_eq!(axis(1e12), (1e12, 5));
        assert_eq!(axis(422.9), (500.0, 5));
        assert_eq!(axis(f64::NAN), (1.0, 1));
        for peak in [1e-9, 0.3, 7.0, 99.999, 1e5 / 3.0] {
            let axis = RateAxis::new(peak, 5);
            assert!(axis.top >= peak && axis.top < 2.0 * peak && axis.count <= 5, "{axis:?}");
        }
    }
}
