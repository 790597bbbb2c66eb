//! What a run shows while it runs: one line that keeps up to date on a terminal, a plain line a
//! minute elsewhere, and every event that a person should know of.

use crate::cli::output::width;
use crate::run::events::{Event, Record, Snapshot, Views};
use crate::run::guards::GuardEntry;
use crate::show;
use std::io::{IsTerminal as _, Write as _};

/// Shows a run on a thread of its own, so that a terminal that takes nothing holds up no job.
/// Without a thread to be had the run goes on unseen.
pub(super) fn spawn(views: Views, quiet: bool) -> Option<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let show = move || runtime.block_on(follow(views, quiet));
    std::thread::Builder::new().name("progress".to_owned()).spawn(show).ok()
}

/// Shows a run until its views end.
async fn follow(mut views: Views, quiet: bool) {
    let mut line =
        Line { terminal: std::io::stderr().is_terminal(), quiet, drawn: false, minute: None };
    let mut shown = true;
    loop {
        tokio::select! {
            record = views.events.recv() => match record {
                Some(record) => line.event(&record),
                None => break,
            },
            changed = views.snapshots.changed(), if shown => match changed {
                Ok(()) => {
                    let snapshot = views.snapshots.borrow_and_update().clone();
                    line.snapshot(&snapshot);
                }
                Err(_) => shown = false,
            },
        }
    }
    line.clear();
}

/// A line for whoever wants to know it all, in place of the one that keeps up to date.
pub(super) fn aside(text: &str) {
    let mut err = std::io::stderr().lock();
    let clear = if err.is_terminal() { "\r\x1b[2K" } else { "" };
    // As everything else that is shown: who does not look takes no harm.
    let _ = writeln!(err, "{clear}- {text}");
}

struct Line {
    terminal: bool,
    quiet: bool,
    drawn: bool,
    minute: Option<u64>,
}

impl Line {
    fn snapshot(&mut self, snapshot: &Snapshot) {
        if self.quiet {
            return;
        }
        if self.terminal {
            let text = live(snapshot);
            let text: String = text.chars().take(width().saturating_sub(1)).collect();
            // A terminal that has gone away takes no harm from what it does not get.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
            self.drawn = true;
            return;
        }
        let Some(minute) = snapshot.minute.as_ref() else { return };
        if self.minute.replace(minute.minute) == Some(minute.minute) {
            return;
        }
        let delay = minute.send_delay.as_ref().map_or_else(
            || "no delay".to_owned(),
            |delay| {
                format!(
                    "delay mean {} p99 {}",
                    show::micros(delay.mean_us),
                    show::micros(delay.p99_us)
                )
            },
        );
        self.say(&format!(
            "minute {}: {}, {}, {delay}, success {}%",
            minute.minute + 1,
            show::plural(minute.jobs, "job"),
            show::rate(minute.rate_per_s),
            show::decimal(minute.success * 100.0, 2)
        ));
    }

    fn event(&mut self, record: &Record) {
        let whose = |stream: &Option<String>| {
            stream.as_ref().map_or_else(String::new, |name| format!(" load `{name}`"))
        };
        let text = match &record.event {
            Event::Warning { message } => format!("warning: {message}"),
            Event::Error { kind, outcome, count, message } => {
                format!("error: {} {outcome} ({kind}): {message}", show::plural(*count, "job"))
            }
            Event::Reloaded { reload } => format!(
                "reloaded: {} of the plan from here on, it was {}; digest {} in place of {}",
                show::plural(reload.planned_after, "job"),
                show::count(reload.planned_before),
                reload.digest_after,
                reload.digest_before
            ),
            Event::ReloadRejected { message } => {
                format!("not reloaded, the run goes on as it was: {message}")
            }
            Event::Scaled { factor, planned } => {
                format!("scaled to x{factor} of the plan: {}", show::plural(*planned, "job"))
            }
            Event::Sought { plan_s, planned } => format!(
                "goes on {} after the plan's start: {}",
                show::duration((plan_s * 1e9) as u64),
                show::plural(*planned, "job")
            ),
            Event::Waited { wait } => {
                let after = show::micros(wait.after_s * 1e6);
                let cut = match wait.cut {
                    0 => String::new(),
                    cut => format!(", {} of the plan left out", show::plural(cut, "job")),
                };
                let how = wait.ending();
                format!("`{}`{} {how} after {after}{cut}", wait.phrase, whose(&wait.stream))
            }
            Event::Near { message, .. } => format!("warning: {message}"),
            Event::Guard { hit } => format!("guard: {}", guard(hit, "")),
            Event::Expectation { expectation, met, value, unit, stopped } => format!(
                "{}: {expectation} ({}){}",
                if *met { "as expected" } else { "not as expected" },
                unit.text(*value),
                if *stopped { ": the run ends" } else { "" }
            ),
            Event::Paused { by, stream } => format!("paused{} by {by}", whose(stream)),
            Event::Resumed { by, stream } => format!("resumed{} after {by}", whose(stream)),
            Event::ConnectionLost { message, server, queues } => {
                format!("connection{} lost: {message}", show::whither(server.as_deref(), queues))
            }
            Event::Reconnected { after_s, server, queues } => {
                let whither = show::whither(server.as_deref(), queues);
                format!("connected again{whither} after {}", show::micros(after_s * 1e6))
            }
            Event::Stalled { for_s } => format!("loadc itself stood still for {for_s:.3} s"),
            Event::Forgot { acked_jobs, message } => format!(
                "forgotten: {}, acknowledged before: {message}",
                show::plural(*acked_jobs, "job")
            ),
            Event::Started { .. } | Event::Metrics(_) | Event::Stopped { .. } => return,
        };
        if !self.quiet {
            self.say(&format!(
                "[{}] {text}",
                show::duration((record.t_s * 1e3) as u64 * 1_000_000)
            ));
        }
    }

    fn say(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    fn clear(&mut self) {
        if self.drawn {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
            self.drawn = false;
        }
    }
}

/// What a guard did and why; `after` says when, where the line does not.
pub(super) fn guard(hit: &GuardEntry, after: &str) -> String {
    let GuardEntry { guard, action, .. } = hit;
    match &hit.cause {
        Some(cause) => format!("`{guard}` can't be kept{after}, {cause}: {action}"),
        None => format!("`{guard}` hit{after} at {}: {action}", show::number(hit.value)),
    }
}

/// The line that keeps up to date.
fn live(snapshot: &Snapshot) -> String {
    let clock = |seconds: f64| {
        let seconds = seconds.max(0.0) as u64;
        match seconds / 3600 {
            0 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
            hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        }
    };
    let mut parts = vec![
        format!("{} / -{}", clock(snapshot.elapsed_s), clock(snapshot.remaining_s)),
        format!("{} of {}", show::rate(snapshot.achieved_per_s), show::rate(snapshot.target_per_s)),
        format!("sent {}", show::count(snapshot.jobs.sent)),
    ];
    if let Some(depth) = snapshot.depth {
        parts.push(format!("depth {}", show::count(depth)));
    }
    if let Some(rate) = snapshot.processed_per_s.filter(|rate| *rate > 0.0) {
        parts.push(format!("done {}", show::rate(rate)));
    }
    if let Some(rate) = snapshot.worker_failures_per_s.filter(|rate| *rate > 0.0) {
        parts.push(format!("workers failed {}", show::rate(rate)));
    }
    if let Some(age) = snapshot.oldest_age_s.filter(|age| *age > 0.0) {
        parts.push(format!("oldest {}", show::micros(age * 1e6)));
    }
    if let Some(p99) = snapshot.p99_response_us {
        parts.push(format!("p99 {}", show::micros(p99)));
    }
    let trouble = [
        (snapshot.overdue, "overdue"),
        (snapshot.jobs.failed, "failed"),
        (snapshot.jobs.unknown, "unknown"),
    ];
    for (count, word) in trouble.into_iter().filter(|(count, _)| *count > 0) {
        parts.push(format!("{word} {}", show::count(count)));
    }
    if snapshot.paused {
        parts.push("paused".to_owned());
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Counts;

    #[test]
    fn the_line_says_what_matters() {
        let jobs = Counts { sent: 12_345, failed: 2, ..Counts::default() };
        let snapshot = Snapshot {
            elapsed_s: 61.4,
            remaining_s: 28_798.0,
            target_per_s: 130.0,
            achieved_per_s: 129.6,
            jobs,
            depth: Some(1_200),
            p99_response_us: Some(1_450.0),
            ..Snapshot::default()
        };
        assert_eq!(
            live(&snapshot),
            "01:01 / -7:59:58  129.6/s of 130/s  sent 12,345  depth 1,200  p99 1.45 ms  failed 2"
        );
    }
}
