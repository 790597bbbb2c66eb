//! The history of a run as CSV, to download.

use super::columns::{Columns, Percentiles};
use std::fmt::Write as _;

/// A row for each slice; what is not known is empty.
pub(super) fn csv(columns: &Columns) -> String {
    let mut out = String::from(
        "t_s,length_s,target_per_s,due,sent,acked,failed,unknown,skipped,in_flight,overdue",
    );
    for queue in &columns.queues {
        let _ = write!(out, ",{}", cell(&format!("depth {queue}")));
    }
    for time in ["send_delay", "service_time", "response_time"] {
        let _ = write!(out, ",{time}_p50_us,{time}_p90_us,{time}_p99_us,{time}_max_us");
    }
    out.push_str(",cpu,rss_bytes,paused\n");
    for slice in 0..columns.len() {
        row(columns, slice, &mut out);
    }
    out
}

fn row(columns: &Columns, at: usize, out: &mut String) {
    let real = |column: &[f64]| column.get(at).map(f64::to_string).unwrap_or_default();
    let count = |column: &[u64]| column.get(at).map(u64::to_string).unwrap_or_default();
    let maybe = |column: &[Option<u64>]| {
        column.get(at).copied().flatten().map(|value| value.to_string()).unwrap_or_default()
    };
    let mut cells = vec![real(&columns.t_s), real(&columns.length_s), real(&columns.target_per_s)];
    for column in [
        &columns.due,
        &columns.sent,
        &columns.acked,
        &columns.failed,
        &columns.unknown,
        &columns.skipped,
        &columns.in_flight,
        &columns.overdue,
    ] {
        cells.push(count(column));
    }
    cells.extend(columns.depth.iter().map(|depth| maybe(depth)));
    for Percentiles { p50, p90, p99, max } in
        [&columns.send_delay_us, &columns.service_time_us, &columns.response_time_us]
    {
        for column in [p50, p90, p99, max] {
            let us = column.get(at).copied().flatten();
            cells.push(us.map(|us| us.to_string()).unwrap_or_default());
        }
    }
    cells.extend([real(&columns.cpu), maybe(&columns.rss_bytes), real(&columns.paused)]);
    out.push_str(&cells.join(","));
    out.push('\n');
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
