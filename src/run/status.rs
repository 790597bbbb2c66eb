//! How a run is, for whoever asks.

use super::events::Snapshot;
use serde::Serialize;

/// A run at the moment it was asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The run's id.
    pub run_id: String,
    /// The script's file.
    pub file: String,
    /// The digest of the plan that is in force.
    pub digest: String,
    /// Where the jobs go.
    pub target: String,
    /// The process.
    pub pid: u32,
    /// `running`, `paused`, or `ending`: nothing more falls due.
    pub state: &'static str,
    /// When it began, in RFC 3339.
    pub started_at: String,
    /// So many times the plan's jobs fall due.
    pub scale: f64,
    /// How often another plan was spliced in.
    pub reloads: usize,
    /// Where each load is.
    pub places: Vec<PlaceNow>,
    /// The last error, if there was one.
    pub last_error: Option<LastError>,
    /// Jobs met errors: how many.
    pub errors: u64,
    /// Counts, rates, depth and delays; the rates are those of the last whole second.
    #[serde(flatten)]
    pub now: Snapshot,
}

/// Where a load is in its script.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaceNow {
    /// Its name, null for the phrases outside any load.
    pub load: Option<String>,
    /// The time of the plan, in seconds from its start.
    pub plan_s: f64,
    /// The phrase, on one line; null before its first and after its last.
    pub phrase: Option<String>,
    /// `as "night"`
    pub label: Option<String>,
    /// The phrase's line in the script.
    pub line: Option<usize>,
    /// When the phrase ends by the plan, in seconds from its start.
    pub phrase_end_s: Option<f64>,
}

/// An error that jobs met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// The kind, in the server's own word where it gave one.
    pub kind: String,
    /// The message.
    pub message: String,
}
