//! The page of a run: one file that needs nothing else, readable in light and in dark, on paper, and
//! without scripts.

use super::chart::{Chart, Ground, Line, Unit};
use super::columns::{Columns, Percentiles};
use super::events::{Told, told};
use super::markup::escape;
use super::model::Run;
use super::{csv, hdr, histogram, parts, verdict};
use crate::show;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Queues drawn apart; of more only the sum is.
const QUEUES: usize = 8;

/// The page of a run.
pub fn page(run: &Run) -> String {
    let events: Vec<Told> = run.events.iter().filter_map(told).collect();
    let verdict = verdict::of(run);
    let class = verdict.mood.class();
    let mut body = format!(
        "<header><div><span class=\"brand\">loadc</span><h1>{}</h1><span class=\"soft\">{} · {}</span></div>\n<button id=\"theme\" type=\"button\" hidden>Light or dark</button></header>\n",
        escape(&run.file),
        escape(&run.started_at),
        escape(&run.target)
    );
    body.push_str(&format!(
        "<div class=\"verdict {class}\"><span class=\"badge\">{}</span><div><strong>{}</strong><p>{}</p></div></div>\n",
        verdict.mood.sign(),
        escape(&verdict.headline),
        escape(&verdict.sentence)
    ));
    body.push_str(&parts::tiles(run));
    let judged = [
        parts::section("expectations", "Expectations", &parts::expectations(run)),
        parts::section("guards", "Guards", &parts::guards(run)),
    ];
    if judged.iter().any(|part| !part.is_empty()) {
        body.push_str(&format!("<div class=\"pair\">{}</div>\n", judged.concat()));
    }
    body.push_str(&parts::section("curves", "Over time", &curves(run, &events)));
    body.push_str(&parts::section("times", "Times", &(parts::times(run) + &distributions(run))));
    body.push_str(&parts::section("loads", "Loads, queues, jobs", &parts::loads(run)));
    body.push_str(&parts::section("errors", "Errors", &parts::errors(run)));
    body.push_str(&parts::section("events", "Events", &parts::events(run, &events)));
    body.push_str(&parts::section("script", "Script", &script(run)));
    body.push_str(&parts::section("environment", "Environment", &parts::environment(run)));
    body.push_str(&parts::section("raw", "Raw data", &raw(run)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         <div id=\"tip\" role=\"status\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(&run.file),
        escape(&verdict.headline)
    )
}

/// A page without a script.
pub(super) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn reals(column: &[f64]) -> Vec<Option<f64>> {
    column.iter().copied().map(Some).collect()
}

fn counts(column: &[Option<u64>]) -> Vec<Option<f64>> {
    column.iter().map(|value| value.map(|value| value as f64)).collect()
}

fn per_second(label: &str, class: &str, field: &str, columns: &Columns, of: &[u64]) -> Line {
    Line { per_second: true, ..Line::new(label, class, &[field], columns.rates(of)) }
}

fn curves(run: &Run, events: &[Told]) -> String {
    let columns = &run.history;
    if columns.is_empty() {
        return String::new();
    }
    let end_s = columns.t_s.last().copied().unwrap_or(run.elapsed_s).max(run.elapsed_s);
    let ground = Ground { columns, end_s, events };
    let mut charts = vec![rate(columns), response(columns)];
    charts.extend(depth(columns));
    charts.extend(trouble(columns));
    charts.push(delays(columns));
    charts.push(itself(columns));
    let drawn: String = charts.iter().map(|chart| chart.draw(&ground)).collect();
    format!(
        "<p class=\"hint soft\" hidden>Point for values, drag to zoom, <button id=\"whole\" type=\"button\">show the whole run</button></p>\n{drawn}"
    )
}

fn rate(columns: &Columns) -> Chart<'static> {
    let sent = per_second("sent", "main", "sent", columns, &columns.sent);
    Chart {
        title: "Target against achieved",
        note: "jobs per second",
        height: 260.0,
        unit: Unit::Rate,
        log: false,
        lines: vec![
            Line::new("target", "target", &["target_per_s"], reals(&columns.target_per_s)),
            Line { area: true, ..sent },
            per_second("due", "due", "due", columns, &columns.due),
        ],
    }
}

fn percentile(times: &Percentiles, label: &str, class: &str, field: &str) -> Line {
    let column = match label {
        "p50" => &times.p50,
        "p90" => &times.p90,
        "p99" => &times.p99,
        _ => &times.max,
    };
    let values = column.iter().map(|us| us.map(f64::from)).collect();
    Line::new(label, class, &[field, label], values)
}

fn response(columns: &Columns) -> Chart<'static> {
    let line =
        |label, class| percentile(&columns.response_time_us, label, class, "response_time_us");
    Chart {
        title: "Response time",
        note: "from the instant a job was due to its answer",
        height: 240.0,
        unit: Unit::Micros,
        log: true,
        lines: vec![line("p50", "c1"), line("p90", "c4"), line("p99", "c0"), line("max", "c7")],
    }
}

fn delays(columns: &Columns) -> Chart<'static> {
    let mut send = percentile(&columns.send_delay_us, "p99", "c2", "send_delay_us");
    send.label = "send delay, p99".to_owned();
    let mut service = percentile(&columns.service_time_us, "p99", "c4", "service_time_us");
    service.label = "service time, p99".to_owned();
    Chart {
        title: "Where the time goes",
        note: "loadc's own lateness, and the network and the server",
        height: 200.0,
        unit: Unit::Micros,
        log: true,
        lines: vec![send, service],
    }
}

fn depth(columns: &Columns) -> Option<Chart<'static>> {
    let known = columns.depth.iter().flatten().any(Option::is_some);
    if !known {
        return None;
    }
    let apart = columns.depth.len() <= QUEUES;
    let drawn = columns.depth.iter().zip(&columns.queues).enumerate().take(QUEUES);
    let lines = drawn.map(|(place, (depth, name))| {
        let class = if columns.depth.len() == 1 { "main".to_owned() } else { format!("c{place}") };
        let area = columns.depth.len() == 1;
        Line { area, ..Line::new(name, &class, &["depth", &place.to_string()], counts(depth)) }
    });
    Some(Chart {
        title: "Depth",
        note: if apart {
            "jobs waiting in a queue"
        } else {
            "jobs waiting in the first eight queues"
        },
        height: 200.0,
        unit: Unit::Jobs,
        log: false,
        lines: lines.collect(),
    })
}

/// What went wrong over time; nothing if nothing did.
fn trouble(columns: &Columns) -> Option<Chart<'static>> {
    let all = [
        ("failed", "c3", &columns.failed),
        ("unknown", "c2", &columns.unknown),
        ("skipped", "c5", &columns.skipped),
    ];
    let some = all.into_iter().filter(|(_, _, counts)| counts.iter().any(|count| *count > 0));
    let lines: Vec<Line> =
        some.map(|(name, class, counts)| per_second(name, class, name, columns, counts)).collect();
    (!lines.is_empty()).then_some(Chart {
        title: "Errors",
        note: "jobs per second",
        height: 160.0,
        unit: Unit::Rate,
        log: false,
        lines,
    })
}

fn itself(columns: &Columns) -> Chart<'static> {
    Chart {
        title: "loadc itself",
        note: "of one processor",
        height: 140.0,
        unit: Unit::Share,
        log: false,
        lines: vec![Line {
            area: true,
            ..Line::new("processor", "c7", &["cpu"], reals(&columns.cpu))
        }],
    }
}

fn distributions(run: &Run) -> String {
    let histograms = &run.histograms;
    let drawn: String = [
        ("Response time", &histograms.response_time_us),
        ("Send delay", &histograms.send_delay_us),
        ("Service time", &histograms.service_time_us),
    ]
    .into_iter()
    .map(|(title, histogram)| histogram::draw(title, histogram))
    .collect();
    if drawn.is_empty() { drawn } else { format!("<div class=\"triple\">\n{drawn}</div>\n") }
}

fn script(run: &Run) -> String {
    let Some(script) = &run.script else { return String::new() };
    let mut out = format!(
        "<p class=\"soft\">{} · digest {} · seed {}</p>\n<pre>{}</pre>\n",
        escape(&script.name),
        escape(&run.digest),
        run.seed,
        numbered(&script.text)
    );
    if !run.reloads.is_empty() {
        let times = show::plural(run.reloads.len() as u64, "time");
        out.push_str(&format!(
            "<p class=\"soft\">The script as it was at the start: it was read again {times}.</p>\n"
        ));
    }
    for file in &script.files {
        let name = escape(&file.name);
        out.push_str(&format!(
            "<p class=\"soft\">{name}</p>\n<pre>{}</pre>\n",
            numbered(&file.text)
        ));
    }
    out
}

/// The lines of a text with their numbers.
fn numbered(text: &str) -> String {
    let width = text.lines().count().to_string().len();
    let line = |(at, line): (usize, &str)| {
        format!("<span class=\"soft\">{:>width$}</span>  {}\n", at + 1, escape(line))
    };
    text.lines().enumerate().map(line).collect()
}

fn raw(run: &Run) -> String {
    let stem = if run.run_id.is_empty() { "run" } else { &run.run_id };
    let link = |id: &str, name: &str, kind: &str, words: &str, data: &str| {
        format!(
            "<a id=\"{id}\" class=\"download\" download=\"{}.{name}\" href=\"data:{kind};base64,{}\">{words}</a>\n",
            escape(stem),
            STANDARD.encode(data)
        )
    };
    let mut out = link("raw-json", "json", "application/json", "JSON: everything", &run.json);
    if !run.history.is_empty() {
        out.push_str(&link(
            "raw-csv",
            "csv",
            "text/csv",
            "CSV: the curves",
            &csv::csv(&run.history),
        ));
    }
    if let Some(log) = hdr::log(run) {
        out.push_str(&link("raw-hdr", "hlog", "text/plain", "HDR log: the histograms", &log));
    }
    format!(
        "<p class=\"downloads\">{out}</p>\n<p class=\"soft\">loadc report makes this page again from the JSON, loadc compare puts it beside other runs.</p>\n"
    )
}
