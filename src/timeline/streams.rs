//! Several timelines at once: their sum, and what can be proven of it before a run.

mod windows;

use super::node::Node;
use super::num::Num;
use super::peak::peak;
use super::shape::Shape;
use super::{NANOS, Timeline};

pub use windows::{RateProof, first_beyond_rate};

/// A timeline and when it starts, in nanoseconds from the run's start.
pub type Stream<'a> = (&'a Timeline, u64);

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
pub fn jobs_of_sum_by(streams: &[Stream<'_>], t_ns: u64) -> u64 {
    streams.iter().map(|stream| jobs_by(stream, t_ns)).fold(0, u64::saturating_add)
}

fn jobs_by((timeline, after): &Stream<'_>, t_ns: u64) -> u64 {
    t_ns.checked_sub(*after).map_or(0, |t| timeline.jobs_by(t))
}

/// When the last of them ends, `u64::MAX` if one never does.
fn end_of_sum(streams: &[Stream<'_>]) -> u64 {
    let end = |(timeline, after): &Stream<'_>| {
        timeline.length_ns().map_or(u64::MAX, |length| length.saturating_add(*after))
    };
    streams.iter().map(end).max().unwrap_or(0)
}

/// Where the number of jobs of all streams first passes `limit`: job `limit + 1`. Among jobs due at
/// one instant, those of an earlier stream come first.
pub fn first_beyond_jobs(streams: &[Stream<'_>], limit: u64) -> Option<Beyond> {
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
    let earlier = |stream: &Stream<'_>| high.checked_sub(1).map_or(0, |t| jobs_by(stream, t));
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
