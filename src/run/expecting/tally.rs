//! What each job does to an expectation, so that it is known at once that none can mend it.

use super::part::sample;
use crate::ast::{Comparison, Measure, Statistic, TimeKind};
use crate::plan::Expectation;
use crate::sink::Outcome;
use crate::stats::{Flight, Settled};

/// Samples of a time against its bound.
///
/// With n the samples so far, r those that can still come, and k those beyond the bound, a percentile
/// q is lost when
///
/// ```text
/// k > (n + r) − ⌈q·(n + r)⌉
/// ```
///
/// for however short the others are, the one of rank ⌈q·N⌉ is beyond the bound then; fewer than
/// n + r samples in the end make it no better. A mean is lost when Σ/(n + r) is beyond, a maximum with
/// the first sample that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    statistic: Statistic,
    kind: TimeKind,
    comparison: Comparison,
    limit_us: f64,
    samples: u64,
    beyond: u64,
    sum_us: f64,
}

impl Tally {
    /// For an expectation that is said to stop and is judged at the end; for an upper bound on a time
    /// alone.
    pub(super) fn of(expectation: &Expectation) -> Option<Tally> {
        let Measure::Time(statistic, kind) = expectation.measure else { return None };
        let upper = matches!(expectation.comparison, Comparison::Less | Comparison::AtMost);
        let wanted = expectation.stops && expectation.at_ns.is_none() && upper;
        wanted.then_some(Tally {
            statistic,
            kind,
            comparison: expectation.comparison,
            limit_us: expectation.limit,
            samples: 0,
            beyond: 0,
            sum_us: 0.0,
        })
    }

    fn is_beyond(&self, us: f64) -> bool {
        match self.comparison {
            Comparison::Less => us >= self.limit_us,
            _ => us > self.limit_us,
        }
    }

    pub(super) fn settled(&mut self, flight: &Flight, outcome: &Outcome, command: Settled) {
        if matches!(outcome, Outcome::NotSent(_)) {
            return;
        }
        let Some(ns) = sample(self.kind, flight, outcome, command) else { return };
        let us = ns as f64 / 1e3;
        self.samples += 1;
        self.beyond += u64::from(self.is_beyond(us));
        self.sum_us += us;
    }

    /// Whether it is lost if no more than so many samples can still come.
    pub fn is_lost(&self, rest: u64) -> bool {
        let all = self.samples.saturating_add(rest);
        match self.statistic {
            _ if self.samples == 0 => false,
            Statistic::Max => self.beyond > 0,
            Statistic::Mean => self.is_beyond(self.sum_us / all as f64),
            Statistic::Percentile(thousandths) => {
                let share = f64::from(thousandths) / 100_000.0;
                let rank = ((all as f64 * share).ceil() as u64).max(1);
                self.beyond > all.saturating_sub(rank)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(statistic: Statistic, samples_us: &[u64]) -> Tally {
        let (kind, comparison) = (TimeKind::Response, Comparison::Less);
        let mut tally = Tally {
            statistic,
            kind,
            comparison,
            limit_us: 10.0,
            samples: 0,
            beyond: 0,
            sum_us: 0.0,
        };
        for us in samples_us {
            let flight =
                Flight { index: 1, intended_ns: 0, stream: 0, job: 0, parts: 0, is_warmup: false };
            let command = Settled { bytes: 0, sent_ns: 0, at_ns: us * 1_000 };
            tally.settled(&flight, &Outcome::Acked, command);
        }
        tally
    }

    #[test]
    fn a_percentile_is_lost_when_the_rest_can_not_outweigh_it() {
        // Of 100 the 90th counts: eleven beyond the bound are one too many.
        let eleven = tally(Statistic::Percentile(90_000), &[10; 11]);
        assert!(eleven.is_lost(89) && !eleven.is_lost(99));
        assert!(!tally(Statistic::Percentile(90_000), &[10; 10]).is_lost(90));
        assert!(!tally(Statistic::Percentile(90_000), &[9; 50]).is_lost(0));
        assert!(!tally(Statistic::Percentile(90_000), &[]).is_lost(0));
    }

    #[test]
    fn a_mean_and_a_maximum_are_lost_at_their_bounds() {
        assert!(tally(Statistic::Max, &[1, 10]).is_lost(1_000_000));
        assert!(!tally(Statistic::Max, &[1, 9]).is_lost(0));
        let mean = tally(Statistic::Mean, &[30]);
        assert!(mean.is_lost(2) && !mean.is_lost(3));
    }
}
