//! The summary at the end of a run, for people.

use crate::run::guards::{GuardEntry, Severity};
use crate::run::report::{OutcomeName, Report, StreamReport};
use crate::show;
use crate::stats::times::Summary;
use crate::stats::workers::WorkersReport;

/// The last words of a run.
pub(crate) fn summary(report: &Report, target: &str, color: bool) -> String {
    let mut text = Text { out: String::new(), color };
    text.head(report);
    text.row("target", target);
    let jobs = &report.jobs;
    text.row("jobs", &account(report));
    if jobs.due < jobs.planned {
        text.row("", &format!("{} never fell due", show::plural(jobs.planned - jobs.due, "job")));
    }
    text.row(
        "rate",
        &format!(
            "{} in the mean, {} MB/s; deviation {}",
            show::rate(report.achieved_per_s),
            show::number(report.mb_per_s),
            percent(report.deviation)
        ),
    );
    text.times("send delay", report.send_delay_us.as_ref());
    text.times("service", report.service_time_us.as_ref());
    text.times("response", report.response_time_us.as_ref());
    text.judged(report);
    for stream in &report.streams {
        text.stream(stream, report.streams.len() > 1);
    }
    text.findings(report);
    text.row(
        "loadc itself",
        &format!(
            "{} of processor time{}",
            show::micros(report.cpu_s * 1e6),
            report
                .rss_max_bytes
                .map_or_else(String::new, |rss| format!(", {} of memory", show::bytes(rss)))
        ),
    );
    text.row("digest", &format!("{}, seed {}", report.digest, report.seed));
    text.out
}

/// Why a run did not end well, in one line, for those who asked for quiet.
pub(crate) fn reason(report: &Report) -> String {
    let file = &report.file;
    let missed = report.expectations.iter().find(|expectation| !expectation.met);
    let stop = |hit: &&GuardEntry| hit.severity == Severity::Critical;
    match (report.outcome, &report.failure, report.guards.iter().rev().find(stop), missed) {
        (OutcomeName::Failed, Some(failure), ..) => format!("{file}: failed: {}", failure.message),
        (OutcomeName::Guard, _, Some(hit), _) => {
            format!("{file}: stopped by `{}` at {}", hit.guard, show::number(hit.value))
        }
        (OutcomeName::Missed, ..) => {
            let stopped = report.expectations.iter().find(|expectation| expectation.stopped);
            let text = stopped.map_or("", |expectation| expectation.text.as_str());
            format!("{file}: stopped, not as expected: {text}")
        }
        (OutcomeName::Done, _, _, Some(missed)) => {
            format!("{file}: not as expected: {}", missed.text)
        }
        _ => format!("{file}: ended early, {} sent", show::plural(report.jobs.sent, "job")),
    }
}

fn account(report: &Report) -> String {
    let jobs = &report.jobs;
    let mut text =
        format!("{} of {} acknowledged", show::count(jobs.acked), show::count(jobs.planned));
    for (count, word) in [
        (jobs.failed, "failed"),
        (jobs.unknown, "unknown"),
        (jobs.skipped, "skipped"),
        (jobs.cut, "cut from the plan"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {} {word}", show::count(count)));
        }
    }
    text
}

fn percent(share: f64) -> String {
    format!("{}%", show::decimal(share * 100.0, 3))
}

struct Text {
    out: String,
    color: bool,
}

impl Text {
    fn painted(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn head(&mut self, report: &Report) {
        let missed = report.expectations.iter().filter(|expectation| !expectation.met).count();
        let (word, code) = match report.outcome {
            OutcomeName::Done if missed > 0 => ("done, but not as expected", "33"),
            OutcomeName::Done => ("done", "32"),
            OutcomeName::Missed => ("stopped, for it can't be as expected any more", "31"),
            OutcomeName::Stopped => ("stopped by hand", "33"),
            OutcomeName::Interrupted => ("interrupted", "33"),
            OutcomeName::Guard => ("stopped by a guard", "31"),
            OutcomeName::Failed => ("failed", "31"),
        };
        let word = self.painted(&format!("1;{code}"), word);
        let after = show::duration((report.elapsed_s * 1e9) as u64 / 1_000_000 * 1_000_000);
        self.out.push_str(&format!("{}: {word} after {after}\n", report.file));
        if let Some(failure) = &report.failure {
            self.row("because", &failure.message.clone());
        }
    }

    fn row(&mut self, name: &str, value: &str) {
        let name = self.painted("2", &format!("{name:<13}"));
        self.out.push_str(&format!("  {name}{value}\n"));
    }

    fn times(&mut self, name: &str, times: Option<&Summary>) {
        let Some(times) = times else { return };
        let text = format!(
            "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}, mean {}",
            show::micros(times.p50),
            show::micros(times.p90),
            show::micros(times.p99),
            show::micros(times.p999),
            show::micros(times.max),
            show::micros(times.mean)
        );
        self.row(name, &text);
    }

    /// What is left to judge where some of it only warms up.
    fn judged(&mut self, report: &Report) {
        let Some(judged) = &report.judged else { return };
        let warm = report.jobs.acked + report.jobs.failed + report.jobs.unknown - judged.jobs.sent;
        let judged_of = show::plural(judged.jobs.sent, "job");
        self.row("judged", &format!("{judged_of}, without {} to warm up", show::count(warm)));
        self.times("  response", judged.response_time_us.as_ref());
    }

    fn stream(&mut self, stream: &StreamReport, several: bool) {
        if several {
            let name = stream.name.as_deref().unwrap_or("(no load)");
            let text = format!(
                "{name}: {} of {} acknowledged, {}",
                show::count(stream.jobs.acked),
                show::count(stream.jobs.planned),
                show::rate(stream.achieved_per_s)
            );
            self.row("load", &text);
        }
        for queue in &stream.queues {
            let depth =
                |depth: Option<u64>| depth.map_or_else(|| "unknown".to_owned(), show::count);
            let text = format!(
                "{}: depth {} → {}, most {}",
                queue.name,
                depth(queue.depth_start),
                depth(queue.depth_end),
                depth(queue.depth_max)
            );
            self.row("queue", &text);
            if let Some(workers) = &queue.workers {
                self.workers(workers);
            }
        }
    }

    /// What the workers of a queue did, as far as there is anything to say.
    fn workers(&mut self, workers: &WorkersReport) {
        let mut parts = Vec::new();
        if let Some(processed) = workers.processed {
            let rate = workers.processed_per_s.unwrap_or(0.0);
            parts.push(format!("{} done ({})", show::count(processed), show::rate(rate)));
        }
        let left = [
            (workers.delayed, "for later"),
            (workers.active, "active"),
            (workers.failed, "to be tried again"),
            (workers.dead, "given up"),
        ];
        for (count, word) in left {
            if let Some(count) = count.filter(|count| *count > 0) {
                parts.push(format!("{} {word}", show::count(count)));
            }
        }
        if let Some(failed) = workers.attempts_failed.filter(|failed| *failed > 0) {
            parts.push(format!("{} failed", show::plural(failed, "attempt")));
        }
        if let Some(age) = workers.oldest_age_max_s {
            parts.push(format!("oldest waited {}", show::micros(age * 1e6)));
        }
        if workers.server_share > 0.0 && !parts.is_empty() {
            // Rounded up: that it is not nothing is what is to be said.
            let share = (workers.server_share * 1e5).ceil() / 1e3;
            parts.push(format!("looks took {share}% of the server's time"));
        }
        if !parts.is_empty() {
            self.row("workers", &parts.join(", "));
        }
        match (&workers.pickup_us, &workers.pickup_by) {
            (Some(pickup), Some(by)) => {
                let samples = show::plural(workers.pickup_samples, "job");
                let text = format!(
                    "p50 {}, p99 {}, max {} ({samples} seen by {by})",
                    show::micros(pickup.p50),
                    show::micros(pickup.p99),
                    show::micros(pickup.max)
                );
                self.row("pickup", &text);
            }
            (None, Some(by)) if workers.processed > Some(0) => {
                self.row("pickup", &format!("unknown: none was seen by {by}"));
            }
            _ => {}
        }
    }

    fn findings(&mut self, report: &Report) {
        for error in &report.errors {
            let text = format!(
                "{} {} ({}), first after {}: {}",
                show::plural(error.count, "job"),
                error.outcome,
                error.kind,
                show::duration((error.first_at_s * 1e9) as u64),
                error.last
            );
            let name = self.painted("31", "error");
            self.row(&name, &text);
        }
        for forgotten in &report.forgotten {
            let text = format!(
                "{} acknowledged before, found out after {}: {}",
                show::plural(forgotten.acked_jobs, "job"),
                show::duration((forgotten.at_s * 1e3) as u64 * 1_000_000),
                forgotten.message
            );
            let name = self.painted("31", "forgotten");
            self.row(&name, &text);
        }
        for hit in &report.guards {
            let after = show::duration((hit.at_s * 1e3) as u64 * 1_000_000);
            let mut text = super::progress::guard(hit, &format!(" after {after}"));
            if let Some(over) = hit.overshoot {
                text.push_str(&format!("; over by {} at the most", show::number(over)));
            }
            if let Some(ended_at_s) = hit.ended_at_s {
                let lasted = show::duration(((ended_at_s - hit.at_s) * 1e3) as u64 * 1_000_000);
                text.push_str(&format!("; over after {lasted}"));
            }
            self.row("guard", &text);
        }
        match report.warnings.as_slice() {
            [] => {}
            [near] => {
                self.row("near", &format!("`{}` at {}", near.guard, show::number(near.value)))
            }
            [near, rest @ ..] => {
                let times = show::plural(rest.len() as u64 + 1, "warning");
                self.row("near", &format!("{times}, the first of `{}`", near.guard));
            }
        }
        for expectation in &report.expectations {
            let (mark, code) = if expectation.met { ("✓", "32") } else { ("✗", "31") };
            let mark = self.painted(code, mark);
            let value = expectation.measured();
            let stopped = if expectation.stopped { "; that ended the run" } else { "" };
            self.row("expected", &format!("{mark} {} ({value}){stopped}", expectation.text));
        }
    }
}
