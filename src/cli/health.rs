//! `loadc health`: whether a target answers, and what it is.

use super::Exit;
use super::output::Output;
use super::target;
use crate::show;
use crate::sink::redis::{Options, health};

/// Whether a target answers: its version, role, memory and latency.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The target; REDIS_URL if not given
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Asks a target how it is.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let target = match target::named(args.url.as_deref(), None, out) {
        Ok(Some((target, _))) => target,
        Ok(None) => {
            out.fault(
                "no target to ask",
                "name one, `loadc health redis://127.0.0.1:6379`, or set REDIS_URL",
            );
            return Exit::Wrong;
        }
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.fault(&format!("cannot start: {error}"), "");
            return Exit::Failed;
        }
    };
    let found = match runtime.block_on(health(&target, Options::default())) {
        Ok(found) => found,
        Err(error) => return target::unreachable(&error, out),
    };
    if args.json {
        out.json(&found);
        return Exit::Done;
    }
    let unknown = || "not told".to_owned();
    let memory = match (found.used_memory_bytes, found.max_memory_bytes) {
        (Some(used), Some(max)) => format!("{} of {}", show::bytes(used), show::bytes(max)),
        (Some(used), None) => format!("{}, no limit", show::bytes(used)),
        (None, _) => unknown(),
    };
    let writable = match &found.not_writable_because {
        None => "yes".to_owned(),
        Some(reason) => format!("no: {reason}"),
    };
    let latency = found.latency;
    out.say(&format!("{:<9} {}", "target", found.target));
    if let Some(server) = &found.server {
        out.say(&format!("{:<9} {server}", "server"));
    }
    if let Some(cluster) = &found.cluster {
        let number = |count: Option<u64>| count.map_or_else(unknown, |count| count.to_string());
        out.say(&format!(
            "{:<9} {}, {} masters, {} of 16384 slots served",
            "cluster",
            cluster.state.clone().unwrap_or_else(unknown),
            number(cluster.masters),
            number(cluster.slots_ok)
        ));
    }
    let rows = [
        ("version", found.version.clone().unwrap_or_else(unknown)),
        ("mode", found.mode.clone().unwrap_or_else(unknown)),
        ("role", found.role.clone().unwrap_or_else(unknown)),
        ("memory", memory),
        ("eviction", found.eviction_policy.clone().unwrap_or_else(unknown)),
        ("writable", writable),
        (
            "latency",
            format!(
                "{} median, {} to {}",
                show::micros(latency.median_us),
                show::micros(latency.min_us),
                show::micros(latency.max_us)
            ),
        ),
    ];
    for (name, value) in rows {
        out.say(&format!("{name:<9} {value}"));
    }
    Exit::Done
}
