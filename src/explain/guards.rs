//! Guards and expectations.

use crate::ast::{Comparison, Measure, Statistic, TimeKind};
use crate::plan::{Action, Expectation, Guard, GuardKind, Plan};
use crate::show;

/// What a guard bounds, and what happens there.
pub(super) fn guard(guard: &Guard, plan: &Plan) -> String {
    let name = guard.stream.and_then(|stream| plan.streams.get(stream)?.name.as_deref());
    let of = name.map_or_else(String::new, |name| format!(" of load {}", show::clean(name)));
    let text = format!("`{}`", show::clean(&guard.text));
    let is_pause = matches!(guard.action, Some(Action::PauseUntil(_)));
    let stops = match guard.action {
        Some(Action::Stop) => "the run stops there, with exit code 3",
        _ => "a run that would is stopped, with exit code 3",
    };
    let ends = match guard.action {
        Some(_) => "that is the planned end, with exit code 0",
        None => "the script keeps to it, and a run that would not is stopped, with exit code 3",
    };
    let then = match guard.action {
        Some(Action::PauseUntil(level)) => format!(
            "the clock stops until it is down to {}, and the plan goes on from there, later but whole",
            match guard.kind {
                GuardKind::Errors { .. } => share(level),
                _ => show::number(level),
            }
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
        GuardKind::File(path) => {
            format!("if the file {} appears, {then}", show::clean(path))
        }
    };
    let hold = if is_pause { " Nothing falls due meanwhile." } else { "" };
    format!("{text}: {says}.{hold}")
}

/// What an expectation judges.
pub(super) fn expectation(expectation: &Expectation) -> String {
    let than = match expectation.comparison {
        Comparison::Less => "less than ",
        Comparison::AtMost => "at most ",
        Comparison::Equal => "exactly ",
        Comparison::AtLeast => "at least ",
        Comparison::Greater => "more than ",
    };
    let limit = expectation.limit;
    let text = format!("`{}`", show::clean(&expectation.text));
    let says = match expectation.measure {
        Measure::Jobs => format!("{than}{} jobs have been acknowledged", show::number(limit)),
        Measure::Deviation => {
            format!("what was sent has been {than}{} away from what was due", share(limit))
        }
        Measure::Errors => format!("{than}{} of the jobs sent have failed", share(limit)),
        Measure::Time(statistic, kind) => {
            let of = match statistic {
                Statistic::Mean => "on average".to_owned(),
                Statistic::Max => "at the most".to_owned(),
                Statistic::Percentile(thousandths) => {
                    format!("for {}% of the jobs", show::decimal(f64::from(thousandths) / 1e3, 3))
                }
            };
            let between = match kind {
                TimeKind::SendDelay => "due to sent",
                TimeKind::Service => "sent to acknowledged",
                TimeKind::Response => "due to acknowledged",
            };
            format!("{of} it took {than}{} from {between}", show::micros(limit))
        }
    };
    format!("{text}: {says}")
}

/// A share from 0 to 1 as it is written in scripts, small ones too.
fn share(share: f64) -> String {
    format!("{}%", show::decimal(share * 100.0, 4))
}
