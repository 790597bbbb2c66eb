//! The curve of a load: rate λ(t), its integral Λ(t) and the inverse Λ⁻¹(n), as pure functions.

pub mod curve;

/// A compiled curve.
#[derive(Clone, Debug)]
pub struct Timeline;
