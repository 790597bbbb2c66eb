//! The curve of a load: rate λ(t), its integral Λ(t) and the inverse Λ⁻¹(n), as pure functions.
//!
//! ```text
//! Curve ─build→ tree of shapes ─┬─ locate → Λ(t), λ(t)
//!                               ├─ inverse → the nanosecond of job k
//!                               ├─ bounds → peak
//!                               └─ marks → what each phrase holds
//! ```
//!
//! The tree is as large as the script: a year of bursts is one repeat. Job k is due at the first
//! whole nanosecond t with Λ(t) ≥ k − ½; to decide that, counts are double-doubles, and a count that
//! lies within rounding of k − ½ is a tie, which counts as reached.

mod build;
mod course;
mod dd;
mod drawn;
mod flatten;
mod functions;
mod hours;
mod inverse;
mod jitter;
mod level;
mod locate;
mod marks;
mod node;
mod num;
mod passes;
mod peak;
mod plain;
mod shape;
mod transform;

pub mod curve;
pub mod streams;

use build::Builder;
use curve::Curve;
use locate::{Side, slack};
use node::Node;

pub use build::CurveError;
pub use dd::Dd;
pub use drawn::MAX_MOMENTS;
pub use marks::{MarkJobs, MarkSpan, Stretch};
pub use passes::Pass;

/// What rounding may take from a count, relative: a count this close below k − ½ has reached it.
const COUNT_TOLERANCE: f64 = 1.6e-30;
/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// A compiled curve.
#[derive(Clone, Debug)]
pub struct Timeline {
    root: Node,
    marks: Vec<u32>,
    held_to: Option<u64>,
}

/// The count from which job k is due: k − ½, less what may be rounding.
#[inline]
fn threshold(k: u64) -> Dd {
    if k < 1 << 52 {
        let hi = k as f64 - 0.5;
        return Dd { hi, lo: -hi * COUNT_TOLERANCE };
    }
    let whole = Dd::from_u64(k) - Dd::new(0.5);
    whole - Dd::new(whole.hi * COUNT_TOLERANCE)
}

/// The count at which job k of an even stream is due.
pub fn even_position(k: u64) -> Dd {
    threshold(k)
}

/// How many jobs of an even stream are due by a count: ⌊count + ½⌋, ties counted.
pub fn even_count(count: Dd) -> u64 {
    whole_jobs(count)
}

/// ⌊count + ½⌋ where the count is known to within `doubt`, if that leaves but one answer.
#[inline]
fn jobs_near(count: f64, doubt: f64) -> Option<u64> {
    let up = count + 0.5;
    let jobs = up as i64;
    let (rest, doubt) = (up - jobs as f64, doubt + up * 1e-15);
    let sure = (0.0..1e15).contains(&up) && rest > doubt && rest < 1.0 - doubt;
    sure.then_some(jobs as u64)
}

/// ⌊count + ½⌋, ties counted.
#[inline]
fn whole_jobs(count: Dd) -> u64 {
    if let Some(jobs) = jobs_near(count.hi, 0.0) {
        return jobs;
    }
    let up = count + Dd::new(0.5);
    let floor = up.floor();
    let jobs = floor.floor_u64();
    // Only just below a whole number can the next one have been reached.
    if (up - floor).hi < 0.999 {
        return jobs;
    }
    let next = jobs.saturating_add(1);
    if count >= threshold(next) { next } else { jobs }
}

impl Timeline {
    /// Compiles a curve.
    pub fn new(curve: &Curve) -> Result<Timeline, CurveError> {
        let mut builder = Builder::default();
        let root = builder.build(curve)?;
        Ok(Timeline { root, marks: builder.marks, held_to: None })
    }

    /// The same where of the jobs due all at once at its end only so many are left that it holds
    /// `jobs`; as it is where it holds no more.
    #[must_use]
    pub fn ending_with(self, jobs: u64) -> Timeline {
        let Some(total) = self.root.total.filter(|total| whole_jobs(total.dd()) > jobs) else {
            return self;
        };
        let excess = total.minus(num::Num::whole(jobs));
        let root = transform::shortened(self.root, excess);
        Timeline { root, marks: self.marks, held_to: Some(jobs) }
    }

    /// The number of jobs that [`Timeline::ending_with`] has brought it to.
    pub fn held_to(&self) -> Option<u64> {
        self.held_to
    }

    /// How long it lasts, in nanoseconds, rounded up; `None` is forever.
    pub fn length_ns(&self) -> Option<u64> {
        let length = self.root.length?.dd();
        Some((length - Dd::new(slack(length))).ceil_u64())
    }

    /// How many jobs it holds, ⌊Λ(T) + ½⌋; `None` if it lasts forever.
    pub fn jobs(&self) -> Option<u64> {
        Some(whole_jobs(self.root.total?.dd()))
    }

    /// The rate at a time, or just after it where it changes there, in jobs per second.
    pub fn rate(&self, t_ns: u64) -> f64 {
        let t = Dd::from_u64(t_ns);
        (self.root.rate(t, slack(t), Side::Right) * NANOS).hi
    }

    /// The rate just before a time, in jobs per second.
    pub fn rate_before(&self, t_ns: u64) -> f64 {
        let t = Dd::from_u64(t_ns);
        (self.root.rate(t, slack(t), Side::Left) * NANOS).hi
    }

    /// Λ(t) in full precision: jobs due at or before a time, in fractions of a job.
    pub fn count(&self, t_ns: u64) -> Dd {
        let t = Dd::from_u64(t_ns);
        self.root.area(t, slack(t))
    }

    /// Λ(t): jobs due at or before a time, in fractions of a job.
    pub fn cumulative(&self, t_ns: u64) -> f64 {
        self.count(t_ns).hi
    }

    /// ⌊Λ(t) + ½⌋: how many jobs are due at or before a time.
    #[inline]
    pub fn jobs_by(&self, t_ns: u64) -> u64 {
        plain::jobs_by(&self.root, t_ns).unwrap_or_else(|| self.precise_jobs_by(t_ns))
    }

    fn precise_jobs_by(&self, t_ns: u64) -> u64 {
        let t = Dd::from_u64(t_ns);
        let slack = slack(t);
        let ended = self.root.total.as_ref().filter(|_| self.root.is_over(t + Dd::new(slack)));
        if let Some(total) = ended {
            return whole_jobs(total.dd());
        }
        whole_jobs(self.root.spot_at(t, slack, Side::Right).area(t, slack))
    }

    /// When job k is due: the first nanosecond t with Λ(t) ≥ k − ½; `u64::MAX` if it never is.
    #[inline]
    pub fn time_of(&self, k: u64) -> u64 {
        if k == 0 {
            return 0;
        }
        plain::time_of(&self.root, k).unwrap_or_else(|| self.time_of_count(threshold(k)))
    }

    /// Λ(T) in full precision; `None` if it lasts forever.
    pub fn total(&self) -> Option<Dd> {
        Some(self.root.total?.dd())
    }

    /// The first nanosecond t with Λ(t) ≥ a count above 0; `u64::MAX` if there is none.
    #[inline]
    pub fn time_of_count(&self, count: Dd) -> u64 {
        if self.root.total.is_some_and(|total| total.dd() < count) {
            return u64::MAX;
        }
        match self.root.spot_of(count) {
            Some(spot) => inverse::first_time(&spot, count),
            None => u64::MAX,
        }
    }

    /// The supremum of the rate over what lasts, in jobs per second: jumps do not count.
    pub fn peak(&self) -> f64 {
        (peak::peak(&self.root) * NANOS).hi
    }

    /// A lower and an upper bound of the rate between two times, in jobs per second; the upper one
    /// is infinite if a jump lies there.
    pub fn bounds(&self, from_ns: u64, to_ns: u64) -> (f64, f64) {
        let (from, to) = (Dd::from_u64(from_ns), Dd::from_u64(to_ns));
        let range = self.root.range_between(from, to, slack(to));
        let high = if range.jumps { f64::INFINITY } else { (range.high * NANOS).hi };
        ((range.low * NANOS).hi, high)
    }

    /// The counts between which some marks lie, in order and pass by pass, as far as they are not
    /// within another or within a sum. `None` if there are more than `most`.
    pub fn places(&self, ids: &[u32], most: usize) -> Option<Vec<(u32, Dd, Dd)>> {
        let mut places = Vec::new();
        marks::places(&self.root, ids, Dd::ZERO, most, &mut places).then_some(places)
    }

    /// Every pass of some marks, in the order of the curve. `None` if there are more than `most`.
    pub fn stretches(&self, ids: &[u32], most: usize) -> Option<Vec<Stretch>> {
        let (mut found, zero) = (Vec::new(), num::Num::zero());
        marks::stretches(&self.root, ids, (zero, Some(zero)), most, &mut found).then_some(found)
    }

    /// Every mark of the curve, in its order, with what it holds.
    pub fn marks(&self) -> Vec<MarkSpan> {
        self.marks_by(&whole_jobs)
    }

    /// The same for jobs that are not due evenly, where `jobs` tells how many are due by the time
    /// that the curve has come to a count.
    pub fn marks_by(&self, jobs: &dyn Fn(Dd) -> u64) -> Vec<MarkSpan> {
        marks::marks(&self.root, &self.marks, jobs)
    }
}

#[cfg(test)]
mod tests;
