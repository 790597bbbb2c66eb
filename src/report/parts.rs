//! The tables of the page.

use super::events::Told;
use super::markup::{escape, known, measured, percent, seconds};
use super::model::{Hit, Run};
use crate::run::report::ExpectationEntry;
use crate::show;
use crate::stats::times::Summary;
use crate::stats::workers::WorkersReport;

/// Rows of a table that are shown; more are counted.
const ROWS: usize = 500;

/// A section with a heading; nothing without content.
pub(super) fn section(id: &str, title: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section id=\"{id}\"><h2>{}</h2>\n{content}</section>\n", escape(title))
}

/// A table; cells are markup. Columns whose head begins with `#` hold numbers.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let class = |head: &str| if head.starts_with('#') { " class=\"n\"" } else { "" };
    let mut out = String::from("<div class=\"scroll\"><table><thead><tr>");
    for head in heads {
        out.push_str(&format!("<th{}>{}</th>", class(head), escape(head.trim_start_matches('#'))));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows.iter().take(ROWS) {
        out.push_str("<tr>");
        for (cell, head) in row.iter().zip(heads) {
            out.push_str(&format!("<td{}>{cell}</td>", class(head)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    if rows.len() > ROWS {
        let more = show::plural((rows.len() - ROWS) as u64, "row");
        out.push_str(&format!("<p class=\"soft\">and {more} more, in the raw data</p>\n"));
    }
    out
}

/// The figures that are looked at first.
pub(super) fn tiles(run: &Run) -> String {
    let jobs = &run.jobs;
    let p99 = |times: &Option<Summary>| {
        times.as_ref().map_or_else(|| "–".to_owned(), |times| show::micros(times.p99))
    };
    let depth_of = |depth: fn(&super::model::Queue) -> Option<u64>| {
        let mut names = Vec::new();
        let queues = run.streams.iter().flat_map(|stream| &stream.queues);
        let queues = queues.filter(|queue| {
            let new = !names.contains(&queue.name.as_str());
            names.push(&queue.name);
            new
        });
        queues.filter_map(depth).reduce(u64::saturating_add)
    };
    // Of a run that was steered, the highest rate that was in force; else that of the plan.
    let steered = run
        .events
        .iter()
        .any(|event| matches!(event["event"].as_str(), Some("reloaded" | "scaled" | "sought")));
    let in_force = run.history.target_per_s.iter().copied().reduce(f64::max);
    let planned = run.plan.as_ref().map(|plan| plan.peak_per_s);
    let peak = in_force.filter(|_| steered).or(planned);
    let peak = peak.map_or(String::new(), |peak| format!("peak {}", show::rate(peak)));
    // Queues are at their deepest at different instants, so those depths make no sum.
    let queues = || run.streams.iter().flat_map(|stream| &stream.queues);
    let most = queues().filter_map(|queue| queue.depth_max).max();
    let several = queues().any(|queue| queues().any(|other| other.name != queue.name));
    let of_one = if several { " in one queue" } else { "" };
    let tiles = [
        (
            "Acknowledged",
            show::count(jobs.acked),
            format!("of {} planned", show::count(jobs.planned)),
        ),
        ("Rate, mean", show::rate(run.achieved_per_s), peak),
        (
            "Response, p99",
            p99(&run.response_time_us),
            format!("send delay {}", p99(&run.send_delay_us)),
        ),
        (
            "Errors",
            percent(jobs.error_share()),
            format!("{} failed, {} unknown", show::count(jobs.failed), show::count(jobs.unknown)),
        ),
        ("Deviation", percent(run.deviation), "of sent from due".to_owned()),
        (
            "Depth at the end",
            known(depth_of(|queue| queue.depth_end)),
            format!("most {}{of_one}", known(most)),
        ),
    ];
    let tile = |(name, value, more): &(&str, String, String)| {
        format!(
            "<div class=\"tile\"><span class=\"soft\">{name}</span><b>{}</b><span class=\"soft\">{}</span></div>\n",
            escape(value),
            escape(more)
        )
    };
    format!("<div class=\"tiles\">\n{}</div>\n", tiles.iter().map(tile).collect::<String>())
}

fn sign(good: bool, word: &str) -> String {
    let (class, mark) = if good { ("good", "✓") } else { ("bad", "✗") };
    format!("<span class=\"sign {class}\">{mark}</span> {}", escape(word))
}

pub(super) fn expectations(run: &Run) -> String {
    let row = |expectation: &ExpectationEntry| {
        let value = expectation.measured();
        let when = expectation.at_s.map_or_else(String::new, |at_s| {
            let end = if expectation.stopped { ", which ended the run" } else { "" };
            format!(" <span class=\"soft\">after {}{end}</span>", seconds(at_s))
        });
        vec![
            sign(expectation.met, if expectation.met { "met" } else { "missed" }),
            format!("<code>{}</code>{when}", escape(&expectation.text)),
            escape(&value),
        ]
    };
    let rows: Vec<Vec<String>> = run.expectations.iter().map(row).collect();
    let mut out = table(&["", "Expected", "#Measured"], &rows);
    if let Some(judged) = run.judged.as_ref().filter(|_| !rows.is_empty()) {
        let (all, own) = (run.jobs.acked + run.jobs.failed + run.jobs.unknown, judged.jobs.sent);
        let (own, warm) = (show::plural(own, "job"), show::count(all.saturating_sub(own)));
        out.push_str(&format!("<p class=\"soft\">of {own}, without {warm} to warm up</p>\n"));
    }
    out
}

pub(super) fn guards(run: &Run) -> String {
    let stated = run.plan.iter().flat_map(|plan| &plan.guards);
    let stated = stated.map(|guard| (guard.text.as_str(), guard.stream.as_deref().unwrap_or("")));
    let mut all: Vec<(&str, &str)> = stated.collect();
    for hit in &run.guards {
        if all.iter().all(|(text, _)| *text != hit.guard) {
            all.push((&hit.guard, ""));
        }
    }
    let several = all.iter().any(|(_, load)| !load.is_empty());
    let row = |(text, load): &(&str, &str)| {
        let hits: Vec<&Hit> = run.guards.iter().filter(|hit| hit.guard == *text).collect();
        let name = if several && !load.is_empty() {
            format!("{} <span class=\"soft\">in {}</span>", code(text), escape(load))
        } else {
            code(text)
        };
        let (state, most, first) = match hits.first() {
            None => (sign(true, "kept"), String::new(), String::new()),
            Some(first) => {
                let worst = hits.iter().map(|hit| hit.value).fold(0.0, f64::max);
                (hit_state(&hits), escape(&measured(text, worst)), seconds(first.at_s))
            }
        };
        vec![state, name, most, first]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    table(&["", "Guard", "#Most", "#First at"], &rows)
}

/// What a guard that was hit did.
fn hit_state(hits: &[&Hit]) -> String {
    let Some(last) = hits.last() else { return String::new() };
    let action = last.action.split(' ').next().unwrap_or_default();
    let word = match (action, hits.len()) {
        ("stop", _) => {
            return sign(false, if last.cause.is_some() { "can't be kept" } else { "stopped" });
        }
        ("pause", 1) => "paused once".to_owned(),
        ("pause", times) => format!("paused {times} times"),
        (_, 1) => "hit once".to_owned(),
        (_, times) => format!("hit {times} times"),
    };
    format!("<span class=\"sign doubtful\">!</span> {}", escape(&word))
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

pub(super) fn times(run: &Run) -> String {
    let row = |(name, times): (&str, &Option<Summary>)| {
        let times = times.as_ref()?;
        let mut row = vec![escape(name)];
        for us in [times.p50, times.p90, times.p95, times.p99, times.p999, times.max, times.mean] {
            row.push(escape(&show::micros(us)));
        }
        Some(row)
    };
    let judged = run.judged.clone().unwrap_or_default();
    let all = [
        ("Response: due to answered", &run.response_time_us),
        ("… without what warms up", &judged.response_time_us),
        ("Send delay: due to sent", &run.send_delay_us),
        ("… without what warms up", &judged.send_delay_us),
        ("Service: sent to answered", &run.service_time_us),
        ("… without what warms up", &judged.service_time_us),
    ];
    let rows: Vec<Vec<String>> = all.into_iter().filter_map(row).collect();
    table(&["Time", "#p50", "#p90", "#p95", "#p99", "#p99.9", "#max", "#mean"], &rows)
}

pub(super) fn loads(run: &Run) -> String {
    let name =
        |stream: &super::model::Stream| escape(stream.name.as_deref().unwrap_or("(no load)"));
    let mut loads = Vec::new();
    let mut jobs = Vec::new();
    let mut queues = Vec::new();
    let mut workers = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for stream in &run.streams {
        let own = &stream.jobs;
        let p99 =
            stream.response_time_us.map_or_else(|| "–".to_owned(), |times| show::micros(times.p99));
        let mut row = vec![name(stream)];
        row.extend(
            [own.planned, own.due, own.sent, own.acked, own.failed, own.unknown, own.skipped]
                .map(show::count),
        );
        row.extend([percent(stream.deviation), p99]);
        loads.push(row);
        for job in &stream.by_job {
            let counts = [job.sent, job.acked, job.failed, job.unknown].map(show::count);
            let mut row = vec![escape(&job.job), name(stream)];
            row.extend(counts);
            jobs.push(row);
        }
        for queue in &stream.queues {
            let mut row = vec![escape(&queue.name), name(stream)];
            row.extend([queue.depth_start, queue.depth_max, queue.depth_end].map(known));
            queues.push(row);
            // A queue that several loads write to has one crew.
            if let Some(crew) = queue.workers.as_ref().filter(|_| !seen.contains(&&*queue.name)) {
                seen.push(&queue.name);
                workers.push(crew_row(&queue.name, crew));
            }
        }
    }
    let head = [
        "Load",
        "#Planned",
        "#Due",
        "#Sent",
        "#Acked",
        "#Failed",
        "#Unknown",
        "#Skipped",
        "#Deviation",
        "#p99 response",
    ];
    let mut out = table(&head, &loads);
    out.push_str("<div class=\"pair\">");
    out.push_str(&table(&["Queue", "Load", "#Depth before", "#Most", "#After"], &queues));
    out.push_str(&table(&["Job", "Load", "#Sent", "#Acked", "#Failed", "#Unknown"], &jobs));
    out.push_str("</div>\n");
    out.push_str(&table(
        &[
            "Workers of",
            "#Done",
            "#Per second",
            "#For later",
            "#Active",
            "#Retry",
            "#Given up",
            "#Failed attempts",
            "#Oldest waited",
            "#Pickup p50",
            "#p99",
            "#max",
        ],
        &workers,
    ));
    out
}

/// What the workers of a queue did; a dash where nothing tells.
fn crew_row(queue: &str, crew: &WorkersReport) -> Vec<String> {
    let dash = || "–".to_owned();
    let pickup = |of: fn(&Summary) -> f64| {
        crew.pickup_us.as_ref().map_or_else(dash, |pickup| show::micros(of(pickup)))
    };
    vec![
        escape(queue),
        known(crew.processed),
        crew.processed_per_s.map_or_else(dash, show::rate),
        known(crew.delayed),
        known(crew.active),
        known(crew.failed),
        known(crew.dead),
        known(crew.attempts_failed),
        crew.oldest_age_max_s.map_or_else(dash, |age| show::micros(age * 1e6)),
        pickup(|pickup| pickup.p50),
        pickup(|pickup| pickup.p99),
        pickup(|pickup| pickup.max),
    ]
}

pub(super) fn errors(run: &Run) -> String {
    let row = |error: &super::model::ErrorKind| {
        vec![
            code(&error.kind),
            show::count(error.count),
            escape(&error.outcome),
            seconds(error.first_at_s),
            seconds(error.at_s),
            escape(&error.last),
        ]
    };
    let rows: Vec<Vec<String>> = run.errors.iter().map(row).collect();
    let mut out = table(&["Kind", "#Jobs", "Outcome", "#First", "#Last", "Message"], &rows);
    let lost = |forgotten: &super::model::Forgotten| {
        vec![seconds(forgotten.at_s), show::count(forgotten.acked_jobs), escape(&forgotten.message)]
    };
    let rows: Vec<Vec<String>> = run.forgotten.iter().map(lost).collect();
    out.push_str(&table(&["#At", "#Forgotten jobs", "How it is known"], &rows));
    out
}

pub(super) fn events(run: &Run, events: &[Told]) -> String {
    let row = |event: &Told| vec![seconds(event.t_s), escape(&event.words)];
    let mut out = table(&["#At", "What happened"], &events.iter().map(row).collect::<Vec<_>>());
    if run.events_unlisted > 0 {
        let more = show::plural(run.events_unlisted, "event");
        out.push_str(&format!("<p class=\"soft\">and {more} more that were not kept</p>\n"));
    }
    out
}

pub(super) fn environment(run: &Run) -> String {
    let mut rows: Vec<(String, String)> = vec![
        ("Run".to_owned(), run.run_id.clone()),
        ("Started".to_owned(), run.started_at.clone()),
        ("Target".to_owned(), run.target.clone()),
        ("Digest".to_owned(), run.digest.clone()),
        ("Seed".to_owned(), run.seed.to_string()),
    ];
    rows.extend(run.shard.iter().map(|shard| ("Shard".to_owned(), shard.clone())));
    for (name, value) in run.environment.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push((name.replace('_', " "), value));
    }
    let memory = run
        .rss_max_bytes
        .map_or(String::new(), |bytes| format!(", {} of memory", show::bytes(bytes)));
    rows.push((
        "loadc itself".to_owned(),
        format!("{} of processor time{memory}", show::micros(run.cpu_s * 1e6)),
    ));
    let row = |(name, value): &(String, String)| {
        format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value))
    };
    format!("<dl>\n{}</dl>\n", rows.iter().map(row).collect::<String>())
}
