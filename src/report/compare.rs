//! Several runs side by side.

use super::markup::percent;
use super::model::Run;
use crate::show;
use crate::stats::times::Summary;
use serde::Serialize;

/// A figure of each run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// As people read it, one for each run.
    pub texts: Vec<String>,
    /// As a number, where it is one.
    pub values: Vec<Option<f64>>,
    /// value / first − 1, where both are known and the first is above 0.
    pub changes: Vec<Option<f64>>,
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the runs are called: their files.
    pub runs: Vec<String>,
    /// Whether all had the same plan: schedule and payloads.
    pub same_plan: bool,
    /// Their figures.
    pub rows: Vec<Row>,
}

type Value = fn(&Run) -> Option<f64>;
type Show = fn(f64) -> String;

fn micros(us: f64) -> String {
    show::micros(us)
}

fn count(value: f64) -> String {
    show::count(value as u64)
}

fn time(times: Option<&Summary>, pick: fn(&Summary) -> f64) -> Option<f64> {
    times.map(pick)
}

/// The figures: what, how it is found, how it is shown.
const FIGURES: &[(&str, Value, Show)] = &[
    ("jobs planned", |run| Some(run.jobs.planned as f64), count),
    ("jobs acknowledged", |run| Some(run.jobs.acked as f64), count),
    ("errors", |run| Some(run.jobs.error_share()), percent),
    ("elapsed", |run| Some(run.elapsed_s), super::markup::seconds),
    ("rate, mean", |run| Some(run.achieved_per_s), show::rate),
    ("deviation", |run| Some(run.deviation), percent),
    ("response p50", |run| time(run.response_time_us.as_ref(), |times| times.p50), micros),
    ("response p90", |run| time(run.response_time_us.as_ref(), |times| times.p90), micros),
    ("response p99", |run| time(run.response_time_us.as_ref(), |times| times.p99), micros),
    ("response p99.9", |run| time(run.response_time_us.as_ref(), |times| times.p999), micros),
    ("response max", |run| time(run.response_time_us.as_ref(), |times| times.max), micros),
    ("send delay p99", |run| time(run.send_delay_us.as_ref(), |times| times.p99), micros),
    ("service p50", |run| time(run.service_time_us.as_ref(), |times| times.p50), micros),
    ("service p99", |run| time(run.service_time_us.as_ref(), |times| times.p99), micros),
    ("depth, most", |run| deepest(run), count),
    ("guard hits", |run| Some((run.guards.len() as u64 + run.guards_unlisted) as f64), count),
    ("expectations missed", |run| Some(run.missed() as f64), count),
    ("processor time", |run| Some(run.cpu_s * 1e6), micros),
    (
        "memory, most",
        |run| run.rss_max_bytes.map(|bytes| bytes as f64),
        |bytes| show::bytes(bytes as u64),
    ),
];

fn deepest(run: &Run) -> Option<f64> {
    let queues = run.streams.iter().flat_map(|stream| &stream.queues);
    queues.filter_map(|queue| queue.depth_max).max().map(|depth| depth as f64)
}

/// Compares runs, each with a name; changes are from the first.
pub fn compare(runs: &[(String, Run)]) -> Comparison {
    let text = |pick: fn(&Run) -> &str, name| Row {
        name,
        texts: runs.iter().map(|(_, run)| pick(run).to_owned()).collect(),
        values: vec![None; runs.len()],
        changes: vec![None; runs.len()],
    };
    let figure = |(name, value, show): &(&'static str, Value, Show)| {
        let values: Vec<Option<f64>> = runs.iter().map(|(_, run)| value(run)).collect();
        let first = values.first().copied().flatten().filter(|first| *first > 0.0);
        Row {
            name,
            texts: values.iter().map(|value| value.map_or_else(|| "–".to_owned(), show)).collect(),
            changes: values.iter().map(|value| Some((*value)? / first? - 1.0)).collect(),
            values,
        }
    };
    let mut rows = vec![
        text(|run| &run.file, "script"),
        text(|run| &run.started_at, "started"),
        text(|run| &run.target, "target"),
        text(|run| &run.digest, "digest"),
        text(|run| &run.outcome, "outcome"),
    ];
    rows.extend(FIGURES.iter().map(figure));
    let digests = || runs.iter().map(|(_, run)| &run.digest);
    Comparison {
        runs: runs.iter().map(|(name, _)| name.clone()).collect(),
        same_plan: digests().all(|digest| Some(digest) == digests().next()),
        rows,
    }
}

/// Changes smaller than this are not shown.
const SMALL: f64 = 0.0005;

impl Row {
    pub(super) fn cell(&self, run: usize) -> String {
        let text = self.texts.get(run).cloned().unwrap_or_default();
        match self.changes.get(run).copied().flatten() {
            Some(change) if run > 0 && change.abs() >= SMALL => {
                let sign = if change > 0.0 { "+" } else { "−" };
                format!("{text} ({sign}{}%)", show::decimal(change.abs() * 100.0, 1))
            }
            _ => text,
        }
    }
}

/// The comparison as a table for people.
pub fn text(comparison: &Comparison) -> String {
    let mut lines: Vec<Vec<String>> =
        vec![std::iter::once(String::new()).chain(comparison.runs.iter().cloned()).collect()];
    for row in &comparison.rows {
        let cells = (0..comparison.runs.len()).map(|run| show::clean(&row.cell(run)));
        lines.push(std::iter::once(row.name.to_owned()).chain(cells).collect());
    }
    let columns = comparison.runs.len() + 1;
    let width =
        |column: usize| lines.iter().map(|line| show::width(&line[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width + 2 - show::width(cell)));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    if !comparison.same_plan {
        out.push_str("\nThe digests differ: these runs had different plans.\n");
    }
    out
}
