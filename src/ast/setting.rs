//! The settings of the file and of a load, and its hours.

use super::{Expr, Name};
use crate::source::Span;

/// A setting of the file or of a load.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// `seed 42`; `None` is `seed random`.
    Seed(Option<Expr>),
    /// `target "redis://…"` or `target env("REDIS_URL")`
    Target(Expr),
    /// `after 10s`
    After(Expr),
    /// `batch 10`
    Batch(Expr),
    /// `arrivals poisson`
    Arrivals(Arrival),
    /// `late skip after 1s`
    Late(Lateness),
    /// `starts 2026-03-29 00:00 in "Europe/Berlin"`
    Starts(Starts),
}

/// What becomes of jobs that are overdue after a stall.
#[derive(Clone, Debug, PartialEq)]
pub enum Lateness {
    /// `late send`
    Send,
    /// `late skip after 1s`
    Skip(Expr),
    /// `late spread over 5s`
    Spread(Expr),
}

/// `starts DATE CLOCK in ZONE`
#[derive(Clone, Debug, PartialEq)]
pub struct Starts {
    /// `2026-03-29`
    pub date: Name,
    /// `00:00`
    pub clock: Option<Name>,
    /// `in "Europe/Berlin"`
    pub zone: Option<Name>,
}

/// `hours on sat..sun { 07:00-09:00 x1.5 }`
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// The days of the week for which they are, from Monday on; all if none are named.
    pub on: Option<[bool; 7]>,
    /// What multiplies when.
    pub rules: Vec<HourLine>,
}

/// `22:00-06:00 x0.3`
#[derive(Clone, Debug, PartialEq)]
pub struct HourLine {
    /// When it begins, as written.
    pub from: Name,
    /// When it ends.
    pub to: Name,
    /// The factor.
    pub factor: Expr,
    /// Its place.
    pub span: Span,
}

/// How jobs lie along the curve.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// `even`
    Even,
    /// `poisson`, or `poisson exact`
    Poisson {
        /// As many jobs as `even`.
        exact: bool,
    },
    /// `gamma cv 2`: the coefficient of variation.
    Gamma(Expr),
}
