//! The proof of a rate guard: no window holds more jobs than its limit.
//!
//! Time is halved until each stretch of window ends is proven. A proof by amounts, in fractions of a
//! job, holds wherever the whole jobs may fall; so, of streams that come round, it is enough for one
//! round. A proof by jobs is for the very stretch.

use super::{Stream, end_of_sum, jobs_of_sum_by, sum};
use crate::timeline::dd::Dd;
use crate::timeline::flatten::rounds;
use crate::timeline::locate::slack;
use crate::timeline::node::Range;

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

/// Whether any window (t − `window_ns`, t] holds more than `limit_jobs` jobs, and the first that
/// does. Looks at no more than `budget` stretches of time.
pub fn first_beyond_rate(
    streams: &[Stream<'_>],
    window_ns: u64,
    limit_jobs: u64,
    budget: usize,
) -> RateProof {
    let end = end_of_sum(streams);
    let mut search = Windows { streams, window: window_ns, limit: limit_jobs, left: budget };
    if search.holds_by_amounts(0, end) {
        return RateProof::Holds;
    }
    let mut proven_to = 0;
    for (first, last) in search.proven_rounds(end) {
        match search.first_beyond(proven_to, first) {
            // The last of them is looked at again: what comes next may jump there.
            RateProof::Holds => proven_to = last,
            found => return found,
        }
    }
    search.first_beyond(proven_to, end)
}

struct Windows<'a> {
    streams: &'a [Stream<'a>],
    window: u64,
    limit: u64,
    /// Of the budget.
    left: usize,
}

impl Windows<'_> {
    /// The first window beyond the limit that ends from `first` to `last`.
    fn first_beyond(&mut self, first: u64, last: u64) -> RateProof {
        let mut open = vec![(first, last)];
        while let Some((first, last)) = open.pop() {
            if self.left == 0 {
                return RateProof::Unproven;
            }
            self.left -= 1;
            if self.count(first, last) <= self.limit || self.holds_by_amounts(first, last) {
                continue;
            }
            if first == last {
                return RateProof::Beyond { t_ns: first, count: self.count(first, first) };
            }
            let middle = first + (last - first) / 2;
            open.push((middle + 1, last));
            open.push((first, middle));
        }
        RateProof::Holds
    }

    /// Stretches of window ends that are proven because a round of them is: those that begin a
    /// window after everything has begun to come round.
    fn proven_rounds(&mut self, end: u64) -> Vec<(u64, u64)> {
        let mut proven = Vec::new();
        for (start, stop, round) in rounds(&sum(self.streams)) {
            let first = start.ceil_u64().saturating_add(self.window);
            let last = stop.map_or(end, Dd::floor_u64);
            let once = first.saturating_add(round.ceil_u64()).saturating_add(1);
            if once < last && self.round_holds(first, once) {
                proven.push((first, last));
            }
        }
        proven
    }

    /// Whether all windows that end from `first` to `last`, between whole nanoseconds too, hold by
    /// their amounts, within a fraction of what is left of the budget.
    fn round_holds(&mut self, first: u64, last: u64) -> bool {
        let mut allowed = self.left / 4;
        let mut open = vec![(first, last)];
        while let Some((first, last)) = open.pop() {
            if allowed == 0 {
                return false;
            }
            allowed -= 1;
            self.left -= 1;
            if self.holds_by_amounts(first, last) {
                continue;
            }
            if last - first <= 1 {
                return false;
            }
            let middle = first + (last - first) / 2;
            open.extend([(middle, last), (first, middle)]);
        }
        true
    }

    /// Jobs in (first − window, last].
    fn count(&self, first: u64, last: u64) -> u64 {
        let by = |t| jobs_of_sum_by(self.streams, t);
        by(last).saturating_sub(first.checked_sub(self.window).map_or(0, by))
    }

    /// Whether no window that ends from `first` to `last` can hold more than the limit: by the
    /// highest rate; by all that is due from the first's start to the last's end; or by the first
    /// window and how much more can come in than goes out.
    fn holds_by_amounts(&self, first: u64, last: u64) -> bool {
        let (from, to) = (Dd::from_u64(first), Dd::from_u64(last));
        let window = Dd::from_u64(self.window);
        self.fits(|stream| {
            let range = range(stream, (from - window).max(Dd::ZERO), to);
            (!range.jumps).then(|| range.high * window)
        }) || self.fits(|stream| Some(area(stream, to) - area(stream, from - window)))
            || self.fits(|stream| {
                let enters = range(stream, from, to);
                let leaves = range(stream, from - window, to - window);
                let growth = (enters.high - leaves.low).max(Dd::ZERO) * (to - from);
                let inside = area(stream, from) - area(stream, from - window);
                (!enters.jumps).then_some(inside + growth)
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
