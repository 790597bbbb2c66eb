//! `arrivals even`: job k is due at Λ⁻¹(k − ½).

use super::placed::Placed;
use crate::timeline::Timeline;
use std::sync::Arc;

/// A stream whose jobs follow the curve as closely as whole jobs can.
pub type Even = Placed<Arc<Timeline>>;
