//! What is judged of a run.

use crate::ast::{Comparison, Measure, TimeKind};
use crate::timeline::Pass;

/// A condition judged at the end.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// What is judged.
    pub measure: Measure,
    /// How.
    pub comparison: Comparison,
    /// Against what: jobs, a share from 0 to 1, or microseconds, also for a time to drain.
    pub limit: f64,
    /// Of which queue; of all that are written to if none.
    pub queue: Option<String>,
    /// Of the jobs of which phrase; for [`Measure::Recovers`], after which.
    pub phrase: Option<PhraseTimes>,
    /// When the plan has come to this time of its own, in nanoseconds from its start; at the end of
    /// the run if none.
    pub at_ns: Option<u64>,
    /// The run ends as soon as it can no longer be met.
    pub stops: bool,
    /// As written.
    pub text: String,
}

impl Expectation {
    /// The phrase and the queue whose jobs are measured by themselves, if it speaks of such.
    pub fn part(&self) -> Option<(Option<&str>, Option<&str>)> {
        let counts = matches!(self.measure, Measure::Jobs | Measure::Errors)
            || matches!(self.measure, Measure::Time(_, kind) if kind != TimeKind::Pickup);
        let phrase = self.phrase.as_ref().map(|phrase| phrase.label.as_str());
        let part = (phrase, self.queue.as_deref());
        (counts && part != (None, None)).then_some(part)
    }
}

/// When the phrases of a name are gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhraseTimes {
    /// The name.
    pub label: String,
    /// The passes in each stream, in order, from the plan's start.
    pub times: Vec<Vec<Pass>>,
}
