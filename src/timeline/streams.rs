//! Several timelines at once: their sum, and what can be proven of it before a run.

mod windows;

use super::node::Node;
use super::num::Num;
use super::peak::peak;
use super::shape::Shape;
use super::{Dd, NANOS, Timeline, whole_jobs};
use std::fmt::Debug;
use std::sync::Arc;

pub use windows::{RateProof, first_beyond_rate};

/// A timeline and when it starts, in nanoseconds from the run's start.
pub type Stream<'a> = (&'a Timeline, u64);

/// The numbered jobs of a whole stream, in its own time: nanoseconds from its start.
pub trait DueTimes: Debug + Send + Sync {
    /// The curve they follow.
    fn timeline(&self) -> &Timeline;

    /// How many there are; `None` if they never end.
    fn jobs(&self) -> Option<u64>;

    /// How many are due at or before a time.
    fn jobs_by(&self, t_ns: u64) -> u64;

    /// How many are due by the time the curve has come to a count.
    fn jobs_to(&self, count: Dd) -> u64;

    /// When job k, from 1, is due: the first nanosecond t with `jobs_by(t) ≥ k`.
    fn time_of(&self, k: u64) -> u64;

    /// The rate at a time, in jobs per second.
    fn rate(&self, t_ns: u64) -> f64 {
        self.timeline().rate(t_ns)
    }

    /// When they are over, in nanoseconds; `None` if they never are.
    fn length_ns(&self) -> Option<u64> {
        self.timeline().length_ns()
    }

    /// Whether they follow the curve as closely as whole jobs can, and are not drawn.
    fn is_even(&self) -> bool {
        false
    }
}

/// `arrivals even`: job k is due at Λ⁻¹(k − ½).
impl DueTimes for Timeline {
    fn timeline(&self) -> &Timeline {
        self
    }

    fn jobs(&self) -> Option<u64> {
        Timeline::jobs(self)
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        Timeline::jobs_by(self, t_ns)
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        whole_jobs(count)
    }

    fn time_of(&self, k: u64) -> u64 {
        Timeline::time_of(self, k)
    }

    fn is_even(&self) -> bool {
        true
    }
}

impl<D: DueTimes + ?Sized> DueTimes for Arc<D> {
    fn timeline(&self) -> &Timeline {
        (**self).timeline()
    }

    fn jobs(&self) -> Option<u64> {
        (**self).jobs()
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        (**self).jobs_by(t_ns)
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        (**self).jobs_to(count)
    }

    fn time_of(&self, k: u64) -> u64 {
        (**self).time_of(k)
    }

    fn rate(&self, t_ns: u64) -> f64 {
        (**self).rate(t_ns)
    }

    fn length_ns(&self) -> Option<u64> {
        (**self).length_ns()
    }

    fn is_even(&self) -> bool {
        (**self).is_even()
    }
}

/// The job with which a bound on their number is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// When it is due, in nanoseconds from the run's start.
    pub t_ns: u64,
    /// The stream it belongs to.
    pub stream: usize,
    /// Its number in that stream.
    pub job: u64,
}

/// The rate of the sum at a time, in jobs per second.
pub fn rate_of_sum(streams: &[Stream<'_>], t_ns: u64) -> f64 {
    let rate =
        |(timeline, after): &Stream<'_>| t_ns.checked_sub(*after).map_or(0.0, |t| timeline.rate(t));
    streams.iter().map(rate).sum()
}

/// The supremum of the rate of the sum, in jobs per second, to within 10⁻⁹ above.
pub fn peak_of_sum(streams: &[Stream<'_>]) -> f64 {
    if let [(timeline, _)] = streams {
        return timeline.peak();
    }
    (peak(&sum(streams)) * NANOS).hi
}

/// The sum as a tree of its own.
fn sum(streams: &[Stream<'_>]) -> Node {
    let member = |(timeline, after): &Stream<'_>| {
        let pause = Node::piece(Shape::constant(Num::zero()), Some(Num::whole(*after)));
        Node::sequence(vec![pause, timeline.root.clone()])
    };
    Node::together(streams.iter().map(member).collect())
}

/// How many jobs of all streams are due at or before a time.
pub fn jobs_of_sum_by<D: DueTimes + ?Sized>(streams: &[(&D, u64)], t_ns: u64) -> u64 {
    streams.iter().map(|stream| jobs_by(stream, t_ns)).fold(0, u64::saturating_add)
}

fn jobs_by<D: DueTimes + ?Sized>((due, after): &(&D, u64), t_ns: u64) -> u64 {
    t_ns.checked_sub(*after).map_or(0, |t| due.jobs_by(t))
}

/// When the last of them ends, `u64::MAX` if one never does.
fn end_of_sum<D: DueTimes + ?Sized>(streams: &[(&D, u64)]) -> u64 {
    let end = |(due, after): &(&D, u64)| {
        due.timeline().length_ns().map_or(u64::MAX, |length| length.saturating_add(*after))
    };
    streams.iter().map(end).max().unwrap_or(0)
}

/// Where the number of jobs of all streams first passes `limit`: job `limit + 1`. Among jobs due at
/// one instant, those of an earlier stream come first.
pub fn first_beyond_jobs<D: DueTimes + ?Sized>(
    streams: &[(&D, u64)],
    limit: u64,
) -> Option<Beyond> {
    let end = end_of_sum(streams);
    if jobs_of_sum_by(streams, end) <= limit {
        return None;
    }
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if jobs_of_sum_by(streams, middle) > limit {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let earlier = |stream: &(&D, u64)| high.checked_sub(1).map_or(0, |t| jobs_by(stream, t));
    let mut before: u64 = streams.iter().map(earlier).sum();
    for (index, stream) in streams.iter().enumerate() {
        let first = earlier(stream);
        let here = jobs_by(stream, high) - first;
        if before + here > limit {
            return Some(Beyond { t_ns: high, stream: index, job: first + (limit - before) + 1 });
        }
        before += here;
    }
    None
}
