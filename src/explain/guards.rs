//! Guards.

use crate::plan::{Action, Guard, GuardKind, Notify, NotifyWay, Plan, ServerLimit};
use crate::show;

/// What a guard bounds, and what happens there.
pub(super) fn guard(guard: &Guard, plan: &Plan) -> String {
    let name = guard.stream.and_then(|stream| plan.streams.get(stream)?.name.as_deref());
    let of = name.map_or_else(String::new, |name| format!(" of load {}", show::clean(name)));
    let text = format!("`{}`", show::clean(&guard.text));
    let is_pause = matches!(guard.action, Some(Action::PauseUntil(_)));
    let stops = match guard.action {
        None => "the script keeps to it, and what a stall has left overdue waits for room",
        Some(Action::Stop) => "the run stops there, with exit code 3",
        Some(Action::Slow) => "where the plan has more, its clock runs slower: later, but whole",
        Some(Action::Shed) => "what is above it is skipped, and counted as skipped",
        Some(Action::PauseUntil(_)) => "its clock stops there",
    };
    let ends = match guard.action {
        Some(_) => "that is the planned end, with exit code 0",
        None => "the script keeps to it, and a run that would not is stopped, with exit code 3",
    };
    let then = match guard.action {
        Some(Action::PauseUntil(level)) => format!(
            "the clock stops until it is down to {}, and the plan goes on from there, later but whole",
            measure(&guard.kind, level)
        ),
        _ => "the run stops, with exit code 3".to_owned(),
    };
    let says = match &guard.kind {
        GuardKind::Rate { limit_jobs, window_ns } => {
            let (most, window) = (show::plural(*limit_jobs, "job"), show::duration(*window_ns));
            format!("no window of {window} holds more than {most}{of}; {stops}")
        }
        GuardKind::Jobs(limit) => {
            format!("no more than {}{of}; {ends}", show::plural(*limit, "job"))
        }
        GuardKind::Time(limit_ns) => {
            format!("no longer than {}, pauses included; {ends}", show::duration(*limit_ns))
        }
        GuardKind::Depth { queue, limit } => {
            let queue = queue.as_ref().map_or_else(
                || "a queue that is written to".to_owned(),
                |queue| format!("the queue `{}`", show::clean(queue)),
            );
            format!("if more than {} wait in {queue}, {then}", show::plural(*limit, "job"))
        }
        GuardKind::Errors { limit, window_ns } => {
            let (limit, window) = (share(*limit), show::duration(*window_ns));
            format!(
                "if more than {limit} of the jobs{of} answered within {window} have failed, {then}"
            )
        }
        GuardKind::Age(limit_ns) => {
            format!("if a job has waited for more than {}, {then}", show::duration(*limit_ns))
        }
        GuardKind::Failed { limit, window_ns } => format!(
            "if more than {} of the jobs that workers have begun within {} have failed, {then}",
            share(*limit),
            show::duration(*window_ns)
        ),
        GuardKind::Memory(bytes) => {
            format!("if loadc itself takes more than {} of memory, {then}", show::bytes(*bytes))
        }
        GuardKind::Cpu(limit) => format!(
            "if loadc itself takes more than {} of a core over a second, {then}",
            share(*limit)
        ),
        GuardKind::ServerMemory(ServerLimit::Bytes(bytes)) => {
            format!("if the server uses more than {} of memory, {then}", show::bytes(*bytes))
        }
        GuardKind::ServerMemory(ServerLimit::Share(limit)) => format!(
            "if the server uses more than {} of the memory that it may use, {then}",
            share(*limit)
        ),
        GuardKind::File(path) => {
            format!("if the file {} appears, {then}", show::clean(path))
        }
    };
    let mut hold = match guard.tuning.cooldown_ns {
        _ if !is_pause => String::new(),
        0 => " Nothing falls due meanwhile.".to_owned(),
        cooldown_ns => format!(
            " Nothing falls due meanwhile, and it must have stayed there for {}.",
            show::duration(cooldown_ns)
        ),
    };
    if let Some(warn) = guard.tuning.warn {
        let level = match guard.kind {
            GuardKind::Rate { window_ns, .. } => {
                format!("{} within {}", show::plural(warn as u64, "job"), show::duration(window_ns))
            }
            _ => measure(&guard.kind, warn),
        };
        hold.push_str(&format!(" A warning comes at {level}."));
    }
    format!("{text}: {says}.{hold}")
}

/// Whom a script tells of its guards.
pub(super) fn notify(notify: &Notify) -> String {
    let text = format!("`{}`", show::clean(&notify.text));
    let how = match notify.way {
        NotifyWay::Command(_) => "the command is run with it on its standard input",
        NotifyWay::Webhook(_) => "it is posted to the address",
    };
    format!(
        "{text}: each hit and each warning is told as JSON, {how}; a try may take {}, and {} one that fails.",
        show::duration(notify.timeout_ns),
        match notify.retries {
            1 => "one more follows".to_owned(),
            n => format!("{n} more follow"),
        },
    )
}

/// A value in a guard's own measure.
fn measure(kind: &GuardKind, value: f64) -> String {
    match kind {
        GuardKind::Errors { .. }
        | GuardKind::Failed { .. }
        | GuardKind::Cpu(_)
        | GuardKind::ServerMemory(ServerLimit::Share(_)) => share(value),
        GuardKind::Memory(_) | GuardKind::ServerMemory(ServerLimit::Bytes(_)) => {
            show::bytes(value as u64)
        }
        GuardKind::Time(_) | GuardKind::Age(_) => show::duration((value * 1e9) as u64),
        _ => show::number(value),
    }
}

/// A share from 0 to 1 as it is written in scripts, small ones too.
pub(super) fn share(share: f64) -> String {
    format!("{}%", show::decimal(share * 100.0, 4))
}
