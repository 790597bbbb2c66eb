//! The document of a run as it is read again. What an older version did not write is empty, what a
//! newer one adds is left out.

use super::columns::Columns;
use crate::run::report::ExpectationEntry;
use crate::stats::Counts;
use crate::stats::times::Summary;
use crate::stats::workers::WorkersReport;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// A run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the contract in docs/interfaces.md")]
pub struct Run {
    pub run_id: String,
    pub file: String,
    pub digest: String,
    pub seed: u64,
    pub target: String,
    pub shard: Option<String>,
    pub started_at: String,
    pub elapsed_s: f64,
    pub jobs: Counts,
    pub achieved_per_s: f64,
    pub mb_per_s: f64,
    pub deviation: f64,
    pub send_delay_us: Option<Summary>,
    pub service_time_us: Option<Summary>,
    pub response_time_us: Option<Summary>,
    pub streams: Vec<Stream>,
    pub errors: Vec<ErrorKind>,
    pub forgotten: Vec<Forgotten>,
    pub guards: Vec<Hit>,
    pub guards_unlisted: u64,
    pub events: Vec<Value>,
    pub events_unlisted: u64,
    pub judged: Option<Judged>,
    pub expectations: Vec<ExpectationEntry>,
    pub cpu_s: f64,
    pub rss_max_bytes: Option<u64>,
    pub reloads: Vec<Value>,
    pub outcome: String,
    pub failure: Option<Failure>,
    pub exit_code: u8,
    pub script: Option<Script>,
    pub plan: Option<Plan>,
    pub environment: Option<serde_json::Map<String, Value>>,
    pub histograms: Histograms,
    pub history: Columns,
    /// The document itself.
    #[serde(skip)]
    pub json: String,
}

/// What expectations judge, where that is not everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Judged {
    pub jobs: Counts,
    pub deviation: f64,
    pub send_delay_us: Option<Summary>,
    pub service_time_us: Option<Summary>,
    pub response_time_us: Option<Summary>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stream {
    pub name: Option<String>,
    pub jobs: Counts,
    pub achieved_per_s: f64,
    pub deviation: f64,
    pub response_time_us: Option<Summary>,
    pub by_job: Vec<ByJob>,
    pub queues: Vec<Queue>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ByJob {
    pub job: String,
    pub sent: u64,
    pub acked: u64,
    pub failed: u64,
    pub unknown: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Queue {
    pub name: String,
    pub depth_start: Option<u64>,
    pub depth_end: Option<u64>,
    pub depth_max: Option<u64>,
    pub workers: Option<WorkersReport>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ErrorKind {
    pub kind: String,
    pub outcome: String,
    pub count: u64,
    pub last: String,
    pub at_s: f64,
    pub first_at_s: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Forgotten {
    pub at_s: f64,
    pub acked_jobs: u64,
    pub message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hit {
    pub guard: String,
    pub at_s: f64,
    pub value: f64,
    pub limit: f64,
    pub action: String,
    pub cause: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Failure {
    pub kind: String,
    pub message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Script {
    pub name: String,
    pub text: String,
    pub files: Vec<UsedFile>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UsedFile {
    pub name: String,
    pub text: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Plan {
    pub duration_s: f64,
    pub peak_per_s: f64,
    pub streams: Vec<PlanStream>,
    pub guards: Vec<PlanGuard>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlanStream {
    pub name: Option<String>,
    pub phrases: Vec<Phrase>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Phrase {
    pub text: String,
    pub label: Option<String>,
    pub start_s: f64,
    pub end_s: f64,
    pub jobs: Option<u64>,
    pub peak_per_s: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlanGuard {
    pub text: String,
    pub stream: Option<String>,
    pub action: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Histograms {
    pub send_delay_us: Histogram,
    pub service_time_us: Histogram,
    pub response_time_us: Histogram,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Histogram {
    /// Upper ends of steps in microseconds, and the samples in each.
    pub steps: Vec<(u64, u64)>,
    pub hdr: Option<String>,
}

/// A document that is none of a run.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is no JSON, or of other types.
    #[error("it is no report of a run: {0}")]
    Json(#[from] serde_json::Error),
    /// It has none of its fields.
    #[error("it is no report of a run: it has no `{0}`")]
    Missing(&'static str),
}

impl Run {
    /// Reads what `loadc run --json` wrote.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn read(json: &str) -> Result<Run, ReadError> {
        let mut run: Run = serde_json::from_str(json)?;
        for (field, empty) in
            [("run_id", run.run_id.is_empty()), ("outcome", run.outcome.is_empty())]
        {
            if empty {
                return Err(ReadError::Missing(field));
            }
        }
        run.json = json.to_owned();
        Ok(run)
    }

    /// Expectations that were not met.
    pub fn missed(&self) -> usize {
        self.expectations.iter().filter(|expectation| !expectation.met).count()
    }
}
