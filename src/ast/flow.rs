//! Flows: things that go from state to state.

use super::{Expr, Name, RangeArg};
use crate::source::Span;

/// `flow NAME weight W { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The flow's name.
    pub name: Name,
    /// `weight W`
    pub weight: Option<Expr>,
    /// How its states are left.
    pub steps: Vec<FlowStep>,
    /// One of them could not be read.
    pub broken: bool,
}

/// `created -> picking after 5m..30m, or cancelled 5%`
#[derive(Clone, Debug, PartialEq)]
pub struct FlowStep {
    /// The state that is left.
    pub from: Name,
    /// The ways, in order.
    pub ways: Vec<FlowWay>,
    /// Its place.
    pub span: Span,
}

/// `picking after 5m..30m 95%`
#[derive(Clone, Debug, PartialEq)]
pub struct FlowWay {
    /// The state it leads to.
    pub to: Name,
    /// How long it takes.
    pub after: Option<RangeArg>,
    /// The share of things that go this way.
    pub share: Option<Expr>,
}
