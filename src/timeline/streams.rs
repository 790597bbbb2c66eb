//! Several timelines at once: their sum, and what can be proven of it before a run.

use super::dd::Dd;
use super::locate::slack;
use super::node::{Node, Range};
use super::num::Num;
use super::peak::peak;
use super::shape::Shape;
use super::{NANOS, Timeline};

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

/// Whether a bound on the jobs in a window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateProof {
    /// No window holds more.
    Holds,
    /// The window that ends here is the first to hold more.
    Beyond {
        /// Its end, in nanoseconds from the run's start.
        t_ns: u64,
        /// The jobs in it.
        count: u64,
    },
    /// Not decided within the budget.
    Unproven,
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
    let member = |(timeline, after): &Stream<'_>| {
        let pause = Node::piece(Shape::constant(Num::zero()), Some(Num::whole(*after)));
        Node::sequence(vec![pause, timeline.root.clone()])
    };
    (peak(&Node::together(streams.iter().map(member).collect())) * NANOS).hi
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

/// Whether any window (t − `window_ns`, t] holds more than `limit_jobs` jobs, and the first that
/// does. Looks at no more than `budget` stretches of time.
pub fn first_beyond_rate(
    streams: &[Stream<'_>],
    window_ns: u64,
    limit_jobs: u64,
    budget: usize,
) -> RateProof {
    let search = Windows { streams, window: window_ns, limit: limit_jobs };
    let mut open = vec![(0, end_of_sum(streams))];
    let mut left = budget;
    while let Some((first, last)) = open.pop() {
        if left == 0 {
            return RateProof::Unproven;
        }
        left -= 1;
        if search.holds(first, last) {
            continue;
        }
        if first == last {
            return RateProof::Beyond { t_ns: first, count: search.count(first, first) };
        }
        let middle = first + (last - first) / 2;
        open.push((middle + 1, last));
        open.push((first, middle));
    }
    RateProof::Holds
}

struct Windows<'a> {
    streams: &'a [Stream<'a>],
    window: u64,
    limit: u64,
}

impl Windows<'_> {
    /// Whether all windows that end from `first` to `last` are proven to hold no more than the
    /// limit: by the highest rate, by all jobs from the first's start to the last's end, or by the
    /// first window and how much more can come in than goes out.
    fn holds(&self, first: u64, last: u64) -> bool {
        self.holds_by_rate(first, last)
            || self.count(first, last) <= self.limit
            || (first < last && self.holds_by_drift(first, last))
    }

    /// Jobs in (first − window, last].
    fn count(&self, first: u64, last: u64) -> u64 {
        let earlier = first.checked_sub(self.window).map_or(0, |t| self.jobs_by(t));
        self.jobs_by(last).saturating_sub(earlier)
    }

    fn jobs_by(&self, t: u64) -> u64 {
        jobs_of_sum_by(self.streams, t)
    }

    fn holds_by_rate(&self, first: u64, last: u64) -> bool {
        let start = first.saturating_sub(self.window);
        self.fits(|stream| {
            let range = range(stream, Dd::from_u64(start), Dd::from_u64(last));
            (!range.jumps).then(|| range.high * Dd::from_u64(self.window))
        })
    }

    fn holds_by_drift(&self, first: u64, last: u64) -> bool {
        let (from, to) = (Dd::from_u64(first), Dd::from_u64(last));
        let window = Dd::from_u64(self.window);
        self.fits(|stream| {
            let (enters, leaves) =
                (range(stream, from, to), range(stream, from - window, to - window));
            if enters.jumps {
                return None;
            }
            let growth = (enters.high - leaves.low).max(Dd::ZERO) * (to - from);
            Some(area(stream, from) - area(stream, from - window) + growth)
        })
    }

    /// Whether the limit holds if no stream has more than the given amount in a window. A stream
    /// with an amount of 2.5 can have 3 jobs there, never 4.
    fn fits(&self, amount: impl Fn(&Stream<'_>) -> Option<Dd>) -> bool {
        let mut left = self.limit;
        for stream in self.streams {
            let Some(amount) = amount(stream) else { return false };
            let rounding = Dd::new(amount.hi * 1e-28);
            let Some(rest) = left.checked_sub((amount - rounding).ceil_u64()) else { return false };
            left = rest;
        }
        true
    }
}

fn range((timeline, after): &Stream<'_>, from: Dd, to: Dd) -> Range {
    let after = Dd::from_u64(*after);
    timeline.root.range_between(from - after, to - after, slack(to))
}

fn area((timeline, after): &Stream<'_>, t: Dd) -> Dd {
    let t = t - Dd::from_u64(*after);
    timeline.root.area(t, slack(t))
}
