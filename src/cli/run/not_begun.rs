//! The report of a run that failed before its first job.

use super::prepared::run_id;
use super::reached::Reached;
use super::{Args, afterwards};
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::plan::Plan;
use serde_json::json;

/// The report of a run that failed before its first job.
pub(super) fn not_begun(
    args: &Args,
    plan: &Plan,
    reached: &Reached,
    kind: &str,
    message: &str,
    out: &Output,
) {
    let planned =
        |stream: &crate::plan::Stream| crate::run::schedule(stream, plan.seed, plan.part).len();
    let (part, of) = (plan.part.shard.part(), plan.part.shard.of());
    let shard = (of > 1).then(|| format!("{part}/{of}"));
    let account = |planned: u64| json!({ "planned": planned, "due": 0, "sent": 0, "acked": 0, "failed": 0, "unknown": 0, "skipped": 0 });
    let streams = plan.streams.iter().map(|stream| {
        json!({ "name": stream.name, "jobs": account(planned(stream)), "by_job": [], "queues": [] })
    });
    let document = json!({
        "run_id": run_id(), "file": plan.file, "digest": plan.digest, "seed": plan.seed,
        "target": reached.target.shown(), "shard": shard,
        "started_at": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), "elapsed_s": 0.0,
        "jobs": account(plan.streams.iter().map(planned).sum()),
        "achieved_per_s": 0.0, "mb_per_s": 0.0, "deviation": 0.0,
        "send_delay_us": null, "service_time_us": null, "response_time_us": null,
        "streams": streams.collect::<Vec<_>>(), "errors": [], "forgotten": [], "stalls": [], "guards": [], "expectations": [],
        "outcome": "failed", "failure": { "kind": kind, "message": message },
        "exit_code": Exit::Failed as u8,
    });
    if args.json {
        out.json(&document);
    }
    afterwards::put_pages(args, &document.to_string(), out);
}
