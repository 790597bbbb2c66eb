//! The guards that hold for a target that is not this machine, where the script states none.

use super::guards::queue_names;
use super::{Checker, Options};
use crate::plan::{DefaultGuards, Guard, GuardKind, Plan, Stream, Tuning};
use crate::problem::Problem;
use crate::source::SourceFile;

/// A second: a guard on rate over a longer window leaves room for bursts.
const SECOND_NS: u64 = 1_000_000_000;

/// Which of them a script leaves to hold. It states its own of a kind if the file does, or every
/// one of its loads; a bound on one queue, or a rate over a long window, is not one for all.
pub(super) fn open(streams: &[Stream], guards: &[Guard]) -> DefaultGuards {
    let stated = |bounds: &dyn Fn(&GuardKind) -> bool| {
        let by = |stream: Option<usize>| {
            guards.iter().any(|guard| guard.stream == stream && bounds(&guard.kind))
        };
        by(None) || (0..streams.len()).all(|index| by(Some(index)))
    };
    let mut queues = streams
        .iter()
        .flat_map(|stream| &stream.mix)
        .flat_map(|entry| queue_names(&entry.job.queue));
    let bounded = |name: &str| {
        stated(&|kind| matches!(kind, GuardKind::Depth { queue: Some(queue), .. } if queue == name))
    };
    let depth =
        stated(&|kind| matches!(kind, GuardKind::Depth { queue: None, .. })) || queues.all(bounded);
    DefaultGuards {
        rate: !stated(
            &|kind| matches!(kind, GuardKind::Rate { window_ns, .. } if *window_ns <= SECOND_NS),
        ),
        jobs: !stated(&|kind| matches!(kind, GuardKind::Jobs(_))),
        time: !stated(&|kind| matches!(kind, GuardKind::Time(_))),
        depth: !depth,
    }
}

/// The default guards of some kinds.
pub(super) fn guards(open: DefaultGuards) -> Vec<Guard> {
    let rate = GuardKind::Rate { limit_jobs: 1000, window_ns: SECOND_NS };
    let all = [
        (open.rate, "rate <= 1000/s", rate),
        (open.jobs, "jobs <= 1M", GuardKind::Jobs(1_000_000)),
        (open.time, "time <= 1h", GuardKind::Time(3600 * SECOND_NS)),
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
            tuning: Tuning::default(),
        })
        .collect()
}

/// The default guards that a plan leaves to hold.
pub fn default_guards(plan: &Plan) -> Vec<Guard> {
    guards(plan.default_guards)
}

/// What a plan would do against the default guards, as errors with their places in the script.
pub fn prove_defaults(source: &SourceFile, plan: &Plan) -> Vec<Problem> {
    let options = Options::default();
    let mut checker = Checker::new(source, &options, Vec::new());
    checker.seed = plan.seed;
    checker.prove(&plan.streams, &default_guards(plan), &mut Vec::new());
    checker.problems
}
