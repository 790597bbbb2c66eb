//! Queues that their guards allow to grow beyond what the server can hold.

use crate::job::{JobSpec, QueueChoice};
use crate::plan::{GuardKind, Plan};
use crate::problem::{Code, Problem};
use crate::show;
use crate::view::text::{size, stored};

/// Guards on depth under which waiting jobs come to more than the server's memory, in bytes: by what
/// their format takes of it, or by their payloads alone where that is not known.
pub fn memory(plan: &Plan, max_memory_bytes: u64) -> Vec<Problem> {
    let mut found = Vec::new();
    for guard in &plan.guards {
        let (GuardKind::Depth { queue, limit }, Some(span)) = (&guard.kind, guard.span) else {
            continue;
        };
        let streams = plan.streams.iter().enumerate();
        let streams = streams.filter(|(index, _)| guard.stream.is_none_or(|only| only == *index));
        let entries =
            streams.flat_map(|(_, stream)| stream.mix.iter().map(move |mix| (stream, mix)));
        let into = entries
            .filter(|(_, entry)| queue.as_deref().is_none_or(|queue| writes_to(&entry.job, queue)));
        let payload =
            |(stream, entry)| size(stream, entry, plan.seed).map_or(0.0, |s| s.mean_bytes);
        let mean = |(stream, entry)| {
            stored(stream, entry, plan.seed).unwrap_or_else(|| payload((stream, entry)))
        };
        let largest = into.map(mean).fold(0.0, f64::max);
        let bytes = largest * *limit as f64;
        if bytes <= max_memory_bytes as f64 {
            continue;
        }
        let message = format!(
            "{} of waiting jobs are allowed, and the server holds {}",
            show::bytes(bytes as u64),
            show::bytes(max_memory_bytes)
        );
        let fits = (max_memory_bytes as f64 / largest / 2.0).floor().max(1.0) as u64;
        found.push(
            Problem::warning(Code::PayloadMemory, span, message)
                .label(format!("times {} a job", show::bytes(largest as u64)))
                .help(format!(
                    "bound the depth by half of what fits: `depth <= {}`",
                    show::count(fits).replace(',', "_")
                )),
        );
    }
    found
}

fn writes_to(job: &JobSpec, queue: &str) -> bool {
    match &job.queue {
        QueueChoice::Fixed(name) => name == queue,
        QueueChoice::Pick(names) => names.iter().any(|(name, _)| name == queue),
    }
}
