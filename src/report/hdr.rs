//! The histograms of a run as an HdrHistogram log, to download.

use super::model::Run;

/// One line for each kind of time, over the whole run. Values are in microseconds.
pub(super) fn log(run: &Run) -> Option<String> {
    let start_s = run.started_at.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64 / 1e3;
    let histograms = &run.histograms;
    let mut lines = String::new();
    for (tag, times, histogram) in [
        ("send_delay", &run.send_delay_us, &histograms.send_delay_us),
        ("service_time", &run.service_time_us, &histograms.service_time_us),
        ("response_time", &run.response_time_us, &histograms.response_time_us),
    ] {
        if let (Some(times), Some(hdr)) = (times, &histogram.hdr) {
            let (length, max) = (run.elapsed_s, times.max);
            lines.push_str(&format!("Tag={tag},0.000,{length:.3},{max:.3},{hdr}\n"));
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "#[Values are microseconds]\n#[Histogram log format version 1.3]\n#[StartTime: {start_s:.3} (seconds since epoch)]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n{lines}"
        )
    })
}
