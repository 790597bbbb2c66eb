//! What a worker wrote down.

use serde_json::Value;
use std::path::Path;

/// A job that was begun, or ended.
#[derive(Clone, Debug)]
pub struct Line {
    /// What kind of job.
    pub kind: String,
    /// Its number.
    pub n: u64,
    /// When, in milliseconds since the Unix epoch by the worker's clock.
    pub at_ms: f64,
    /// When it was due, as loadc wrote it into the job.
    pub due_ms: f64,
    whole: Value,
}

/// The lines of a record: those of jobs, and how long jobs waited as the framework keeps it, in
/// milliseconds.
#[derive(Debug, Default)]
pub struct Record {
    pub lines: Vec<Line>,
    pub waits_ms: Vec<f64>,
}

impl Record {
    pub fn read(path: &Path) -> Record {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // The last line may be half written.
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut record = Record::default();
        for line in whole.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            record.waits_ms.extend(line["wait_ms"].as_f64());
            record.lines.extend(Line::read(line));
        }
        record
    }
}

impl Line {
    fn read(whole: Value) -> Option<Line> {
        let due: jiff::Timestamp = whole["due"].as_str()?.parse().ok()?;
        Some(Line {
            kind: whole["kind"].as_str()?.to_owned(),
            n: whole["n"].as_u64()?,
            at_ms: whole["at_ms"].as_f64()?,
            due_ms: due.as_millisecond() as f64,
            whole,
        })
    }

    /// Whether it tells of a job's start, and not of its end.
    pub fn is_start(&self) -> bool {
        !self.kind.ends_with("_cut") && !self.kind.ends_with("_done")
    }

    /// The framework's id of the job, where the worker knows it.
    pub fn id(&self) -> Option<&str> {
        self.whole["id"].as_str()
    }

    /// Whether it has its arguments as they were written.
    pub fn check(&self, kwargs: bool) -> Result<(), String> {
        let text = format!("say \"é\" {}", self.n);
        let thing = serde_json::json!({
            "a": [1, null, true, -70_000_000_000_i64], "f": 0.5, "nested": { "s": "x" }
        });
        let named = if kwargs {
            serde_json::json!({ "lang": "en", "m": self.n })
        } else {
            serde_json::json!({})
        };
        // PHP has one kind of empty array.
        let has_names =
            self.whole["named"] == named || self.whole["named"] == serde_json::json!([]);
        if self.whole["text"] == text && self.whole["thing"] == thing && has_names {
            return Ok(());
        }
        Err(format!("a job has lost its arguments: {}", self.whole))
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.whole)
    }
}
