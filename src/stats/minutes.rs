//! Slices of a run, for plain progress lines.

use super::Stats;
use super::times::{Brief, Recent};
use serde::Serialize;

/// One minute of a run, or what there was of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Minute {
    /// Which, from 0.
    pub minute: u64,
    /// Jobs sent in it.
    pub jobs: u64,
    /// Jobs per second.
    pub rate_per_s: f64,
    /// Sent minus intended, of the jobs answered in it.
    pub send_delay: Option<Brief>,
    /// Acknowledged minus intended, of the jobs acknowledged in it.
    pub response: Option<Brief>,
    /// Accepted jobs as a share of those answered in it; 1 if none was.
    pub success: f64,
}

/// Cuts a run into minutes.
#[derive(Clone, Debug, Default)]
pub struct Minutes {
    next: u64,
    sent: u64,
    acked: u64,
    lost: u64,
    send_delay: Recent,
    response: Recent,
}

impl Minutes {
    /// Ends the present minute, `seconds` long.
    pub fn cut(&mut self, stats: &Stats, seconds: f64) -> Minute {
        let counts = stats.counts();
        let jobs = counts.sent.saturating_sub(self.sent);
        let acked = counts.acked - self.acked;
        let lost = counts.failed + counts.unknown - self.lost;
        let answered = acked + lost;
        let times = || stats.streams().iter().map(|stream| &stream.times);
        let minute = Minute {
            minute: self.next,
            jobs,
            rate_per_s: if seconds > 0.0 { jobs as f64 / seconds } else { 0.0 },
            send_delay: self.send_delay.take(times().map(|times| &times.send_delay)),
            response: self.response.take(times().map(|times| &times.response)),
            success: if answered == 0 { 1.0 } else { acked as f64 / answered as f64 },
        };
        self.next += 1;
        self.sent = counts.sent;
        self.acked = counts.acked;
        self.lost += lost;
        minute
    }
}
