//! The guards that hold for a target that is not this machine, where the script states none.

use super::{Checker, Options};
use crate::plan::{Guard, GuardKind, Plan};
use crate::problem::Problem;
use crate::source::SourceFile;

/// The default guards that a plan leaves to hold.
pub fn default_guards(plan: &Plan) -> Vec<Guard> {
    let open = plan.default_guards;
    let all = [
        (
            open.rate,
            "rate <= 1000/s",
            GuardKind::Rate { limit_jobs: 1000, window_ns: 1_000_000_000 },
        ),
        (open.jobs, "jobs <= 1M", GuardKind::Jobs(1_000_000)),
        (open.time, "time <= 1h", GuardKind::Time(3_600_000_000_000)),
        (open.depth, "depth <= 10k", GuardKind::Depth { queue: None, limit: 10_000 }),
    ];
    let chosen = all.into_iter().filter(|(open, ..)| *open);
    chosen
        .map(|(_, text, kind)| Guard {
            kind,
            action: None,
            stream: None,
            text: text.to_owned(),
            span: None,
        })
        .collect()
}

/// What a plan would do against the default guards, as errors with their places in the script.
pub fn prove_defaults(source: &SourceFile, plan: &Plan) -> Vec<Problem> {
    let options = Options::default();
    let mut checker = Checker::new(source, &options, Vec::new());
    checker.prove(&plan.streams, &default_guards(plan), &mut Vec::new());
    checker.problems
}
