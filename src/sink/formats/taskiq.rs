//! taskiq-redis 1: `LPUSH Q message …` for its list broker, `XADD Q * data message` for its stream
//! broker.

use super::stream::groups;
use super::text::{quoted, seconds_json};
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::Envelope;
use crate::sink::{Args, Unit};

#[derive(Debug)]
pub(super) struct Taskiq {
    key: String,
    stream: bool,
    groups: Vec<String>,
    task: String,
    labels: String,
}

impl Taskiq {
    pub(super) fn new(name: &str, stream: bool, envelope: &Envelope) -> Taskiq {
        let mut labels = Vec::new();
        if let Some(tries) = envelope.count("max_retries") {
            labels.push("\"retry_on_error\":true".to_owned());
            // It counts the first try as well.
            labels.push(format!("\"max_retries\":{}", tries.saturating_add(1)));
        }
        if let Some(ns) = envelope.duration_ns("timeout") {
            labels.push(format!("\"timeout\":{}", seconds_json(ns)));
        }
        Taskiq {
            key: name.to_owned(),
            stream,
            // Its own workers make theirs from the stream's end on, and miss what came before.
            groups: if stream { envelope.texts("group").to_vec() } else { Vec::new() },
            task: quoted(envelope.text("task").unwrap_or_default()),
            labels: labels.join(","),
        }
    }

    fn message(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"task_id\":\"");
        job.id.push_hex(out);
        out.extend_from_slice(b"\",\"task_name\":");
        out.extend_from_slice(self.task.as_bytes());
        out.extend_from_slice(b",\"labels\":{");
        out.extend_from_slice(self.labels.as_bytes());
        out.extend_from_slice(b"},\"labels_types\":null,\"args\":");
        job.body(out);
        out.extend_from_slice(b",\"kwargs\":");
        job.kwargs(out);
        out.push(b'}');
    }
}

impl Encode for Taskiq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = if self.stream {
            let args = unit.command();
            words(args, &[b"XADD", self.key.as_bytes(), b"*", b"data"]);
            args
        } else {
            unit.shared(0, |args| words(args, &[b"LPUSH", self.key.as_bytes()]))
        };
        args.push_with(|out| self.message(job, out));
    }

    fn prepare(&self) -> Vec<Args> {
        groups(&self.key, &self.groups)
    }
}

/// The list, or what the stream's groups have left.
pub(super) fn watch(name: &str) -> Plain {
    Plain::default().ask(Kind::Waiting, &["LLEN", name]).ask(Kind::Head, &["LINDEX", name, "-1"])
}
