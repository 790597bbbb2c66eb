//! The lowest and the highest rate in a stretch of time: what a column of a drawn curve shows.
//!
//! A sample would miss a burst shorter than a column, so the search follows the timeline's bounds:
//! the stretch that promises most is halved until a rate that is reached there comes close to what
//! it promises. One stretch of a lone curve keeps its promise all the way down; sums promise more
//! than they keep, and jobs sent at once promise anything, so the search is bounded.

use super::Load;
use std::collections::BinaryHeap;

/// Halvings before what was found has to do: more than a century has of its shortest stretches.
const MAX_HALVINGS: usize = 64;
/// How far from the extreme a rate may be and still stand for it, relative to the load's peak.
const TOLERANCE: f64 = 1.0 / 1000.0;
/// Shorter stretches, in nanoseconds, have no inside.
const SHORTEST_NS: u64 = 4;

/// Rates from a lowest to a highest, in jobs per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

#[derive(Clone, Copy)]
enum Side {
    Low,
    High,
}

/// A part of the stretch that may hold a more extreme rate: towards `side`, greater is further.
struct Part {
    promise: f64,
    from_ns: u64,
    to_ns: u64,
}

impl Ord for Part {
    /// By what they promise, then the shorter first, so that one burst is followed to its end.
    fn cmp(&self, other: &Part) -> std::cmp::Ordering {
        let length = |part: &Part| part.to_ns - part.from_ns;
        self.promise.total_cmp(&other.promise).then_with(|| length(other).cmp(&length(self)))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Part) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Part) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Part {}

impl Load<'_> {
    /// The rates between two times. The first includes what begins there, the second does not.
    pub fn span(&self, from_ns: u64, to_ns: u64) -> Span {
        let low = -self.extreme(from_ns, to_ns, Side::Low);
        let high = self.extreme(from_ns, to_ns, Side::High);
        Span { low: low.max(0.0), high: high.max(low).max(0.0) }
    }

    /// The spans of `count` columns of the same width over the whole load; none without a length.
    pub fn spans(&self, count: usize) -> Vec<Span> {
        self.spans_until(self.end_ns, count)
    }

    /// The spans of `count` columns of the same width from the run's start to a time; only of those
    /// that begin before the load ends.
    pub fn spans_until(&self, end_ns: u64, count: usize) -> Vec<Span> {
        let border = |i: usize| at_column(end_ns, i, count).min(self.end_ns);
        let columns = (0..count).take_while(|i| at_column(end_ns, *i, count) < self.end_ns);
        columns.map(|i| self.span(border(i), border(i + 1))).collect()
    }

    fn extreme(&self, from_ns: u64, to_ns: u64, side: Side) -> f64 {
        let sign = |rate: f64| if matches!(side, Side::High) { rate } else { -rate };
        let part = |from_ns: u64, to_ns: u64| {
            let (low, high) = self.bounds(from_ns + 1, to_ns - 1);
            let promise = if matches!(side, Side::High) { high } else { -low };
            Part { promise, from_ns, to_ns }
        };
        let mut best = sign(self.rate(from_ns));
        if to_ns > from_ns {
            best = best.max(sign(self.rate_before(to_ns)));
        }
        let mut open = BinaryHeap::new();
        if to_ns.saturating_sub(from_ns) >= SHORTEST_NS {
            open.push(part(from_ns, to_ns));
        }
        let tolerance = self.peak_per_s * TOLERANCE;
        for _ in 0..MAX_HALVINGS {
            let Some(top) = open.pop() else { return best };
            if top.promise <= best + tolerance {
                return best;
            }
            let middle = top.from_ns + (top.to_ns - top.from_ns) / 2;
            best = best.max(sign(self.rate(middle))).max(sign(self.rate_before(middle)));
            for (from, to) in [(top.from_ns, middle), (middle, top.to_ns)] {
                if to - from >= SHORTEST_NS {
                    open.push(part(from, to));
                }
            }
        }
        match side {
            Side::Low => best,
            Side::High => {
                let reached = open.iter().map(|part| self.reached(part.from_ns, part.to_ns));
                let ceiling = self.ceiling(from_ns, to_ns);
                reached.fold(best, f64::max).min(ceiling.max(best))
            }
        }
    }

    /// A rate that is reached between two times if one stream's bound is: its highest with the
    /// others' lowest. Of a lone stream that is its bound, so that no burst of it is lost.
    fn reached(&self, from_ns: u64, to_ns: u64) -> f64 {
        let each: Vec<(f64, f64)> = self.bounds_of_each(from_ns + 1, to_ns - 1).collect();
        let lows: f64 = each.iter().map(|(low, _)| low).sum();
        each.iter().map(|(low, high)| lows + (high - low)).fold(0.0, f64::max)
    }
}

/// Where column `i` of `count` begins.
pub(super) fn at_column(end_ns: u64, i: usize, count: usize) -> u64 {
    let t = u128::from(end_ns) * i as u128 / count.max(1) as u128;
    u64::try_from(t).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    fn spans(script: &str, count: usize) -> Vec<(f64, f64)> {
        let plan = plan(script);
        Load::of(&plan).spans(count).iter().map(|span| (span.low, span.high)).collect()
    }

    #[test]
    fn a_burst_far_narrower_than_a_column_is_found() {
        let script = "constant 10 for 200d; constant 900 for 5ms; pause 5ms; constant 10 for 165d";
        let spans = spans(script, 10);
        assert_eq!(spans[5], (0.0, 900.0));
        assert!(spans.iter().enumerate().all(|(i, span)| i == 5 || *span == (10.0, 10.0)));
    }

    #[test]
    fn what_touches_a_border_from_outside_does_not_count() {
        let spans = spans("constant 10 for 10s; constant 500 for 10s; constant 20 for 10s", 3);
        assert_eq!(spans, [(10.0, 10.0), (500.0, 500.0), (20.0, 20.0)]);
    }

    #[test]
    fn streams_that_take_turns_never_add_up() {
        let script = "load a { repeat 50 { constant 100 for 1s; pause 1s } }
                      load b { repeat 50 { pause 1s; constant 100 for 1s } }";
        for span in spans(script, 7) {
            assert_eq!(span.1, 100.0);
            assert!(span.0 > 99.0, "{span:?}");
        }
    }

    #[test]
    fn jobs_sent_at_once_do_not_hide_the_rate() {
        assert_eq!(
            spans("constant 10 for 10s; send 1M at once; constant 20 for 10s; pause 4s", 2),
            [(10.0, 20.0), (0.0, 20.0)],
        );
        let many =
            spans("repeat 100k { send 3 at once; constant 5 for 1s }; constant 90 for 1s", 20);
        assert_eq!(many[3], (5.0, 5.0));
        assert_eq!(many[19], (5.0, 90.0));
    }

    #[test]
    fn no_length_has_no_columns() {
        assert!(spans("send 5 at once", 20).is_empty());
    }
}
