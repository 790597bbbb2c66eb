//! The state of a run as a row of CSV.

use crate::run::events::Snapshot;
use std::fmt::Write as _;

/// The names of the columns.
pub(super) const HEAD: &str = "at,t_s,target_per_s,achieved_per_s,due,sent,acked,failed,unknown,skipped,in_flight,overdue,depth,\
    p99_send_delay_us,p99_response_us,deviation,cpu,rss_bytes,paused\n";

/// A row: counts since the start, rates and times of the last second; what is not known is empty.
pub(super) fn row(at: &str, now: &Snapshot) -> String {
    let jobs = &now.jobs;
    let mut row = format!(
        "{at},{:.3},{:.3},{:.3},{},{},{},{},{},{},{},{}",
        now.elapsed_s,
        now.target_per_s,
        now.achieved_per_s,
        jobs.due,
        jobs.sent,
        jobs.acked,
        jobs.failed,
        jobs.unknown,
        jobs.skipped,
        now.in_flight,
        now.overdue
    );
    let mut cell = |value: Option<String>| {
        row.push(',');
        row.push_str(&value.unwrap_or_default());
    };
    cell(now.depth.map(|depth| depth.to_string()));
    cell(now.p99_send_delay_us.map(|us| us.to_string()));
    cell(now.p99_response_us.map(|us| us.to_string()));
    let rss = now.rss_bytes.map_or_else(String::new, |bytes| bytes.to_string());
    // A text can always take more.
    let _ = write!(row, ",{:.6},{:.4},{rss},{}", now.deviation, now.cpu, u8::from(now.paused));
    row
}
