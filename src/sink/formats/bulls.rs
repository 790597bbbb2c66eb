//! What Bull 4 and BullMQ have in common: a hash for each job, `bull:Q:ID`, lists of ids, and a sorted
//! set of those for later.

use super::text::{millis, quoted};
use super::{Job, words};
use crate::job::{Envelope, Setting, write};
use crate::sink::{Args, Unit};

/// The keys of a queue, and what all of its jobs share.
#[derive(Debug)]
pub(super) struct Bulls {
    base: String,
    delayed: String,
    name: String,
    options: Options,
    push: &'static [u8],
}

impl Bulls {
    /// `nameless` is what a job is called that has no name.
    pub(super) fn new(name: &str, prefix: &str, nameless: &str, envelope: &Envelope) -> Bulls {
        Bulls {
            base: format!("{prefix}:{name}:"),
            delayed: format!("{prefix}:{name}:delayed"),
            name: envelope.text("name").unwrap_or(nameless).to_owned(),
            options: Options::new(envelope),
            // Workers take from the right.
            push: if envelope.is_set("lifo") { b"RPUSH" } else { b"LPUSH" },
        }
    }

    /// The name of its jobs.
    pub(super) fn job_name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// The sorted set of those for later.
    pub(super) fn delayed(&self) -> &[u8] {
        self.delayed.as_bytes()
    }

    /// Writes a job's hash.
    pub(super) fn store(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        args.push(b"HSET");
        args.push_with(|out| {
            out.extend_from_slice(self.base.as_bytes());
            job.id.push_uuid(out);
        });
        self.options.fields(job, &self.name, args);
    }

    /// Puts it among those for later, by the millisecond it is due, and twelve bits that keep the order
    /// of jobs of the same millisecond.
    pub(super) fn put_off(&self, job: &Job<'_>, slot: usize, unit: &mut Unit) {
        let add = unit.shared(slot, |args| words(args, &[b"ZADD", self.delayed.as_bytes()]));
        add.push_with(|out| write::push_u64(out, due_ms(job) * 4096 + job.context.number % 4096));
        add.push_with(|out| job.id.push_uuid(out));
    }

    /// Pushes it by a script, which looks where to in the same step. The script goes along each time, once
    /// a batch: its digest alone would be refused by a server that has forgotten it, in the midst of a
    /// transaction whose other commands are done by then.
    pub(super) fn push(&self, job: &Job<'_>, script: &str, keys: &[&str], unit: &mut Unit) {
        let push = unit.shared(0, |args| {
            words(args, &[b"EVAL", script.as_bytes(), keys.len().to_string().as_bytes()]);
            keys.iter().for_each(|key| args.push(key.as_bytes()));
            args.push(self.push);
        });
        push.push_with(|out| job.id.push_uuid(out));
    }
}

/// The millisecond in which a job is due.
pub(super) fn due_ms(job: &Job<'_>) -> u64 {
    job.now_ms().saturating_add(millis(job.delay_ns))
}

/// What is kept of a job besides its data.
#[derive(Debug)]
struct Options {
    /// The options in JSON, without their braces and without delay and priority.
    json: String,
}

impl Options {
    fn new(envelope: &Envelope) -> Options {
        let mut parts = Vec::new();
        if let Some(attempts) = envelope.count("attempts") {
            parts.push(format!("\"attempts\":{attempts}"));
        }
        for (word, kind) in [("backoff", "fixed"), ("backoff_exponential", "exponential")] {
            if let Some(ns) = envelope.duration_ns(word) {
                let delay = millis(ns);
                parts.push(format!("\"backoff\":{{\"type\":\"{kind}\",\"delay\":{delay}}}"));
            }
        }
        if let Some(ns) = envelope.duration_ns("timeout") {
            parts.push(format!("\"timeout\":{}", millis(ns)));
        }
        if envelope.is_set("lifo") {
            parts.push("\"lifo\":true".to_owned());
        }
        for word in ["removeOnComplete", "removeOnFail"] {
            match envelope.options.get(word) {
                Some(Setting::Flag(flag)) => parts.push(format!("{}:{flag}", quoted(word))),
                Some(Setting::Count(count)) => parts.push(format!("{}:{count}", quoted(word))),
                _ => {}
            }
        }
        Options { json: parts.join(",") }
    }

    /// The fields and values of a job's hash.
    fn fields(&self, job: &Job<'_>, name: &str, args: &mut Args) {
        let (delay_ms, priority) = (millis(job.delay_ns), job.priority());
        words(args, &[b"name", name.as_bytes(), b"data"]);
        args.push_with(|out| job.body(out));
        args.push(b"opts");
        args.push_with(|out| {
            out.push(b'{');
            out.extend_from_slice(self.json.as_bytes());
            for (word, value) in [("delay", delay_ms), ("priority", priority.max(0) as u64)] {
                if value > 0 {
                    let comma: &[u8] = if out.last() == Some(&b'{') { b"\"" } else { b",\"" };
                    out.extend_from_slice(comma);
                    out.extend_from_slice(word.as_bytes());
                    out.extend_from_slice(b"\":");
                    write::push_u64(out, value);
                }
            }
            out.push(b'}');
        });
        args.push(b"timestamp");
        args.push_with(|out| write::push_u64(out, job.now_ms()));
        args.push(b"delay");
        args.push_with(|out| write::push_u64(out, delay_ms));
        args.push(b"priority");
        args.push_with(|out| write::push_i64(out, priority));
    }
}
