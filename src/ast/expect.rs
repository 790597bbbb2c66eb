//! Expectations: what a run is judged by.

use super::{Expr, Name};
use crate::source::{Span, Spanned};

/// A line of `expect { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What is judged; `None` where it could not be read.
    pub kind: Option<ExpectKind>,
    /// `else stop`: the run ends as soon as it can no longer be met.
    pub stops: Option<Span>,
    /// Its place.
    pub span: Span,
}

/// What an expectation judges.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectKind {
    /// The measure.
    pub measure: Measure,
    /// How it is compared.
    pub comparison: Spanned<Comparison>,
    /// With what.
    pub limit: Expr,
    /// Of which queue; of all that are written to if not given.
    pub queue: Option<Name>,
    /// Of the jobs of which phrase; for [`Measure::Recovers`], after which.
    pub phrase: Option<Name>,
    /// `at 5m`: when the plan has come to this time, not at the end.
    pub at: Option<Expr>,
}

/// A measure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The number of jobs acknowledged.
    Jobs,
    /// The largest distance from the plan.
    Deviation,
    /// Failed jobs as a share of those sent.
    Errors,
    /// How long it takes after the last job until no job waits.
    Drains,
    /// The largest depth of a queue.
    Depth,
    /// The depth of a queue at an instant.
    DepthNow,
    /// How long it takes after a phrase until what it disturbed is back where it was.
    Recovers(Recovery),
    /// A time, by statistic and kind.
    Time(Statistic, TimeKind),
}

/// What comes back to where it was before a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// The 99th percentile of the response time, and the depth.
    Both,
    /// The depth.
    Depth,
    /// A time.
    Time(Statistic, TimeKind),
}

/// Which of the recorded times a measure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeKind {
    /// Sent minus intended.
    SendDelay,
    /// Acknowledged minus sent.
    Service,
    /// Acknowledged minus intended.
    Response,
    /// Begun by a worker minus ready to be taken.
    Pickup,
}

/// A statistic over recorded times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The largest.
    Max,
    /// A percentile, in thousandths of a percent: p99.9 is 99,900.
    Percentile(u32),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}
