//! What is found of a target before the first job is sent to it.

use super::{dry, progress};
use crate::plan::Plan;
use crate::run::jobs::Jobs;
use crate::show;
use crate::sink::redis::Problem;
use crate::sink::{Failure, RedisSink, Sink as _};

/// What would keep jobs out of their queues.
pub(super) async fn preflight(
    sink: &RedisSink,
    plan: &Plan,
    jobs: &impl Jobs,
) -> Result<Vec<Problem>, Failure> {
    let samples = dry::one_of_each(plan, jobs);
    let samples = samples.iter().map(|(queue, args)| (&jobs.queues()[*queue], args));
    let crossing = sink.crossing(samples);
    if crossing.is_empty() { sink.preflight(jobs.queues()).await } else { Ok(crossing) }
}

/// Says what was found of the target before the first job.
pub(super) async fn say(sink: &RedisSink, jobs: &impl Jobs) {
    if let Ok(memory) = sink.memory().await {
        let of = memory.allowed_bytes.map(|bytes| format!(" of {}", show::bytes(bytes)));
        let used = show::bytes(memory.used_bytes);
        progress::aside(&format!("the target uses {used}{}", of.unwrap_or_default()));
    }
    for queue in jobs.queues() {
        let waiting = match sink.depth(queue).await {
            Ok(depth) => format!("{} in it", show::plural(depth, "job")),
            Err(failure) => failure.message,
        };
        progress::aside(&format!("queue `{}`: {waiting}", queue.name));
    }
    for key in sink.cursors() {
        progress::aside(&format!("batches leave their numbers in `{key}`"));
    }
}
