//! Arrivals that are drawn: points in Λ-space, that is in jobs, put into time by Λ⁻¹.

use super::renewal::Renewal;
use super::scatter::Scatter;
use crate::random::Key;
use crate::timeline::curve::Arrivals;
use crate::timeline::streams::DueTimes;
use crate::timeline::{Dd, Timeline};
use std::fmt::Debug;
use std::sync::Arc;

/// Points in Λ-space, in order.
pub trait Points: Debug + Send + Sync {
    /// How many there are.
    fn count(&self) -> u64;

    /// Where the `k`-th is, from 1; above 0, and not below the one before.
    fn position(&self, k: u64) -> Dd;

    /// How many are at or before a position.
    fn count_to(&self, position: Dd) -> u64;
}

/// The points of arrivals along a whole curve. Those that are drawn are a function of `key`: that of
/// the seed, the load's name, [`Kind::Arrivals`](crate::random::Kind::Arrivals) and their ordinal.
///
/// `None` for even ones, which need none, and where the curve never ends.
pub fn points(arrivals: Arrivals, timeline: &Timeline, key: u64) -> Option<Arc<dyn Points>> {
    let (total, key) = (timeline.total()?, Key::of(key));
    match arrivals {
        Arrivals::Even => None,
        Arrivals::Poisson { exact: true } => {
            Some(Arc::new(Scatter::exact(timeline.jobs()?, total, key)))
        }
        drawn => whole(drawn, total, key),
    }
}

/// The points of arrivals whose number is drawn, up to a count.
pub(super) fn whole(arrivals: Arrivals, total: Dd, key: Key) -> Option<Arc<dyn Points>> {
    match arrivals {
        Arrivals::Poisson { exact: false } => Some(Arc::new(Scatter::poisson(total, key))),
        Arrivals::Gamma { cv } => Some(Arc::new(Renewal::new(cv, total, key))),
        Arrivals::Even | Arrivals::Poisson { exact: true } => None,
    }
}

/// The jobs of a stream with these points; without any they are due evenly. The points may be those
/// of a longer curve of which this is the beginning.
pub fn due(timeline: Arc<Timeline>, points: Option<Arc<dyn Points>>) -> Arc<dyn DueTimes> {
    let Some(points) = points else { return timeline };
    let count = points.count();
    let len = timeline.total().map_or(count, |total| points.count_to(total).min(count));
    Arc::new(Drawn { timeline, points, len })
}

/// No more than the first so many jobs of a stream.
pub fn first(due: Arc<dyn DueTimes>, jobs: Option<u64>) -> Arc<dyn DueTimes> {
    match jobs.filter(|jobs| due.jobs().is_none_or(|all| *jobs < all)) {
        Some(jobs) => Arc::new(First { due, jobs }),
        None => due,
    }
}

#[derive(Clone, Debug)]
struct First {
    due: Arc<dyn DueTimes>,
    jobs: u64,
}

impl DueTimes for First {
    fn timeline(&self) -> &Timeline {
        self.due.timeline()
    }

    fn jobs(&self) -> Option<u64> {
        Some(self.jobs)
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        self.due.jobs_by(t_ns).min(self.jobs)
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        self.due.jobs_to(count).min(self.jobs)
    }

    fn time_of(&self, k: u64) -> u64 {
        if k <= self.jobs { self.due.time_of(k) } else { u64::MAX }
    }
}

/// A stream whose jobs are points of Λ-space.
#[derive(Clone, Debug)]
struct Drawn {
    timeline: Arc<Timeline>,
    points: Arc<dyn Points>,
    len: u64,
}

impl DueTimes for Drawn {
    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn jobs(&self) -> Option<u64> {
        Some(self.len)
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        self.jobs_to(self.timeline.count(t_ns))
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        self.points.count_to(count).min(self.len)
    }

    fn time_of(&self, k: u64) -> u64 {
        match k {
            0 => 0,
            k if k > self.len => u64::MAX,
            k => self.timeline.time_of_count(self.points.position(k)),
        }
    }
}
