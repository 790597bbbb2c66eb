//! Whether what loadc shows of the workers is what they wrote down.

use crate::frameworks::Framework;
use crate::play::PICKED;
use crate::record::Line;
use crate::stage::Trouble;
use serde_json::Value;

/// How far a pickup may be from the worker's record, in milliseconds.
const WITHIN_MS: f64 = 2.0;

fn queue(report: &Value) -> &Value {
    &report["streams"][0]["queues"][0]
}

/// So many jobs wait, and nobody works: as deep is the queue, and as old its oldest job.
pub fn standing(report: &Value, jobs: u64) -> Result<(), Trouble> {
    let queue = queue(report);
    if queue["depth_end"] != jobs {
        return Err(format!("{jobs} jobs wait, and loadc says {queue}").into());
    }
    let age_s = queue["workers"]["oldest_age_s"].as_f64();
    // The first ones were sent when the run began, and it ended no sooner than it says.
    let run_s = report["elapsed_s"].as_f64().unwrap_or(0.0);
    match age_s {
        Some(age_s) if age_s > run_s + 2.0 => {
            Err(format!("nothing is older than {run_s} s, and loadc says {queue}").into())
        }
        _ => Ok(()),
    }
}

/// Everything is done: what loadc counts is what the worker wrote down.
pub fn counters(
    report: &Value,
    acked: u64,
    dead: u64,
    lines: &[Line],
    framework: &Framework,
) -> Result<(), Trouble> {
    let workers = &queue(report)["workers"];
    let starts = lines.iter().filter(|line| line.is_start());
    let failed = lines.iter().filter(|line| line.kind.starts_with("fail"));
    let cut = lines.iter().filter(|line| line.kind.ends_with("_cut"));
    let attempts = starts.count() as u64;
    let attempts_failed = (failed.count() + cut.count()) as u64;
    let mut wanted = vec![
        ("waiting", 0),
        ("delayed", 0),
        ("active", 0),
        ("failed", 0),
        ("dead", dead),
        ("processed", acked),
    ];
    if framework.totals.is_some() {
        wanted.extend([("attempts", attempts), ("attempts_failed", attempts_failed)]);
    }
    for (what, number) in wanted {
        let shown = &workers[what];
        let counts = matches!(what, "processed" | "attempts" | "attempts_failed");
        if (counts || !shown.is_null()) && *shown != number {
            let why = format!("loadc says `{what}` {shown}, the worker {number}");
            return Err(format!("{why}: {workers}").into());
        }
    }
    Ok(())
}

/// How long the same jobs waited, by loadc and by the framework.
pub fn pickups(report: &Value, waits_ms: &[f64]) -> Result<(), Trouble> {
    let workers = &queue(report)["workers"];
    let mut waits_ms = waits_ms.to_vec();
    waits_ms.sort_by(f64::total_cmp);
    let mean = waits_ms.iter().sum::<f64>() / waits_ms.len() as f64;
    let shown = |what: &str| workers["pickup_us"][what].as_f64().unwrap_or(f64::NAN) / 1e3;
    let pairs = [
        ("mean", mean),
        ("p50", waits_ms[waits_ms.len() / 2]),
        ("max", waits_ms[waits_ms.len() - 1]),
    ];
    for (what, wait_ms) in pairs {
        // Histograms keep three figures.
        if (shown(what) - wait_ms).abs() <= WITHIN_MS + wait_ms / 1e3 {
            continue;
        }
        let shown = shown(what);
        return Err(format!("loadc says pickup {what} {shown} ms, the worker {wait_ms} ms").into());
    }
    if workers["pickup_samples"] != PICKED {
        return Err(format!("loadc saw {} of {PICKED} starts", workers["pickup_samples"]).into());
    }
    Ok(())
}
