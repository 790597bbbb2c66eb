//! Which lints are not shown, and which make a check fail.

use crate::problem::{Code, Problem, Severity};
use std::collections::BTreeSet;

/// What the command line says of lints.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Not shown.
    pub allowed: BTreeSet<Code>,
    /// Errors.
    pub denied: BTreeSet<Code>,
    /// Every lint is an error, unless it is allowed.
    pub all_denied: bool,
}

impl Levels {
    /// A finding as it counts; `None` for a lint that is allowed. What is no lint stays what it is.
    pub fn judge(&self, mut problem: Problem) -> Option<Problem> {
        if problem.code.lint().is_none() {
            return Some(problem);
        }
        if self.allowed.contains(&problem.code) {
            return None;
        }
        if self.all_denied || self.denied.contains(&problem.code) {
            problem.severity = Severity::Error;
        }
        Some(problem)
    }
}
