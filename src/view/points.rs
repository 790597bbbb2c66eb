//! The curve as a table of points, for machines.

use super::{Load, ticks};

/// More points than this are refused.
pub const MAX_POINTS: u64 = 1_000_000;
/// About so many there are if nobody asks for a step.
const USUAL_POINTS: u64 = 200;

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, in nanoseconds from the run's start.
    pub t_ns: u64,
    /// The rate from here on, in jobs per second; of the last point, the rate just before it.
    pub rate_per_s: f64,
    /// How many jobs are due at or before it.
    pub cumulative_jobs: u64,
}

/// A step gives more points than [`MAX_POINTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How many it would give.
    pub points: u64,
    /// A round step that does not, in nanoseconds.
    pub better_ns: u64,
}

/// The times of the points: every `every_ns` (above 0; a round step if `None`), and the end.
pub fn times(
    end_ns: u64,
    every_ns: Option<u64>,
) -> Result<impl Iterator<Item = u64> + Clone, TooMany> {
    let every = every_ns.unwrap_or_else(|| ticks::time_step(end_ns, USUAL_POINTS)).max(1);
    let steps = end_ns.div_ceil(every);
    if steps >= MAX_POINTS {
        let better_ns = ticks::time_step(end_ns, MAX_POINTS - 1);
        return Err(TooMany { points: steps + 1, better_ns });
    }
    Ok((0..=steps).map(move |i| i.saturating_mul(every).min(end_ns)))
}

impl Load<'_> {
    /// The point at a time, where `end_ns` is that of the last one.
    pub fn point(&self, t_ns: u64, end_ns: u64) -> Point {
        let rate_per_s = if t_ns < end_ns { self.rate(t_ns) } else { self.rate_before(t_ns) };
        Point { t_ns, rate_per_s, cumulative_jobs: self.jobs_by(t_ns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    const S: u64 = 1_000_000_000;

    #[test]
    fn points_stand_at_every_step_and_at_the_end() {
        let plan = plan("constant 10 for 10s; constant 20 for 5s");
        let load = Load::of(&plan);
        let points = times(load.end_ns, Some(10 * S)).unwrap().map(|t| load.point(t, load.end_ns));
        let rows: Vec<_> = points.map(|p| (p.t_ns / S, p.rate_per_s, p.cumulative_jobs)).collect();
        assert_eq!(rows, [(0, 10.0, 0), (10, 20.0, 100), (15, 20.0, 200)]);
    }

    #[test]
    fn a_plan_of_no_length_is_one_point() {
        let plan = plan("send 5 at once");
        let load = Load::of(&plan);
        let points: Vec<_> = times(0, None).unwrap().map(|t| load.point(t, 0)).collect();
        assert_eq!(points, [Point { t_ns: 0, rate_per_s: 0.0, cumulative_jobs: 5 }]);
    }

    #[test]
    fn too_many_points_are_refused_with_a_way_out() {
        let day = 86_400 * S;
        let refused = times(day, Some(S / 100)).err().unwrap();
        assert_eq!(refused, TooMany { points: 8_640_001, better_ns: S / 10 });
        assert!(times(day, Some(refused.better_ns)).is_ok());
        assert_eq!(times(999_999, Some(1)).unwrap().count(), 1_000_000);
        assert!(times(1_000_000, Some(1)).is_err());
    }

    #[test]
    fn the_usual_step_is_round_and_gives_about_two_hundred() {
        let times: Vec<u64> = times(28_860 * S, None).unwrap().collect();
        assert_eq!((times.len(), times[1], times[161]), (162, 180 * S, 28_860 * S));
    }
}
