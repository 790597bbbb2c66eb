//! `arrivals even`: job k is due at Λ⁻¹(k − ½).

use super::placed::{DueTimes, Placed};
use crate::timeline::Timeline;
use std::sync::Arc;

/// A stream whose jobs follow the curve as closely as whole jobs can.
pub type Even = Placed<Arc<Timeline>>;

impl DueTimes for Arc<Timeline> {
    fn timeline(&self) -> &Timeline {
        self
    }

    fn jobs(&self) -> Option<u64> {
        Timeline::jobs(self)
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        Timeline::jobs_by(self, t_ns)
    }

    fn time_of(&self, k: u64) -> u64 {
        Timeline::time_of(self, k)
    }
}
