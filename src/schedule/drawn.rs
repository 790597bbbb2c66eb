//! Arrivals that are drawn: points in Λ-space, that is in jobs, put into time by Λ⁻¹.

use super::placed::DueTimes;
use super::renewal::Renewal;
use super::scatter::Scatter;
use super::{Even, Placed, Schedule, Shard};
use crate::random::Key;
use crate::timeline::{Dd, Timeline};
use std::sync::Arc;

/// How the jobs of a stream lie along its curve.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub enum Arrivals {
    /// Job k at Λ⁻¹(k − ½).
    Even,
    /// A Poisson process of rate λ(t).
    Poisson {
        /// As many jobs as `Even`, placed as those of a Poisson process of known count are; else
        /// their number is a Poisson number of mean Λ(T).
        exact: bool,
    },
    /// A renewal process in Λ-space, of gamma intervals with mean 1.
    Gamma {
        /// Coefficient of variation of the intervals, above 0: 1 is a Poisson process, 0 would be
        /// even.
        cv: f64,
    },
}

/// Points in Λ-space, in order.
pub trait Points: Send + Sync {
    /// How many there are.
    fn count(&self) -> u64;

    /// Where the `k`-th is, from 1; above 0, and not below the one before.
    fn position(&self, k: u64) -> Dd;

    /// How many are at or before a position.
    fn count_to(&self, position: Dd) -> u64;
}

/// A stream whose jobs are points of Λ-space.
#[derive(Clone, Debug)]
pub struct Drawn<P> {
    timeline: Arc<Timeline>,
    points: P,
}

impl<P: Points> DueTimes for Drawn<P> {
    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn jobs(&self) -> Option<u64> {
        Some(self.points.count())
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        self.points.count_to(self.timeline.count(t_ns)).min(self.points.count())
    }

    fn time_of(&self, k: u64) -> u64 {
        match k {
            0 => 0,
            k if k > self.points.count() => u64::MAX,
            k => self.timeline.time_of_count(self.points.position(k)),
        }
    }
}

impl Arrivals {
    /// How many jobs a stream has whose curve is this one, `None` if the curve never ends.
    pub fn jobs(self, timeline: &Timeline, key: u64) -> Option<u64> {
        let total = timeline.total()?;
        Some(match self {
            Arrivals::Even => timeline.jobs()?,
            Arrivals::Poisson { exact } => scatter(exact, timeline, total, key)?.count(),
            Arrivals::Gamma { cv } => Renewal::new(cv, total, Key::of(key)).count(),
        })
    }

    /// The schedule of a stream with these arrivals; the other arguments are those of
    /// [`Placed::new`]. Drawn arrivals are a function of `key`: that of the seed, the load's name,
    /// [`Kind::Arrivals`](crate::random::Kind::Arrivals) and their ordinal.
    ///
    /// `None` if the curve never ends and the arrivals are not even.
    pub fn schedule(
        self,
        timeline: Arc<Timeline>,
        key: u64,
        after_ns: u64,
        shard: Shard,
        from_ns: u64,
    ) -> Option<Arc<dyn Schedule>> {
        let Some(total) = timeline.total() else {
            let even =
                || Arc::new(Even::new(timeline, after_ns, shard, from_ns)) as Arc<dyn Schedule>;
            return (self == Arrivals::Even).then(even);
        };
        Some(match self {
            Arrivals::Even => Arc::new(Even::new(timeline, after_ns, shard, from_ns)),
            Arrivals::Poisson { exact } => {
                let points = scatter(exact, &timeline, total, key)?;
                Arc::new(Placed::new(Drawn { timeline, points }, after_ns, shard, from_ns))
            }
            Arrivals::Gamma { cv } => {
                let points = Renewal::new(cv, total, Key::of(key));
                Arc::new(Placed::new(Drawn { timeline, points }, after_ns, shard, from_ns))
            }
        })
    }
}

fn scatter(exact: bool, timeline: &Timeline, total: Dd, key: u64) -> Option<Scatter> {
    let key = Key::of(key);
    Some(match exact {
        true => Scatter::exact(timeline.jobs()?, total, key),
        false => Scatter::poisson(total, key),
    })
}
