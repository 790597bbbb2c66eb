//! RQ 3: a hash for each job, `rq:job:ID`, and its id in the list `rq:queue:Q`; jobs for later in the
//! sorted set `rq:scheduled:Q`.

use super::text::{quoted, whole_seconds};
use super::watch::{Finished, Kind, Plain, bytes};
use super::{Encode, Job, pickle, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;
use redis::Value;

/// RQ's own default, in seconds.
const TIMEOUT: u64 = 180;

#[derive(Debug)]
pub(super) struct Rq {
    name: String,
    key: String,
    scheduled: String,
    function: String,
    description: String,
    json: bool,
    push: &'static [u8],
    /// Fields of the hash that are the same in every job.
    fixed: Vec<(&'static str, String)>,
    /// Seconds that a job may wait.
    ttl: Option<String>,
}

impl Rq {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Rq {
        let function = envelope.text("function").unwrap_or_default();
        let seconds = |word| envelope.duration_ns(word).map(whole_seconds);
        let mut fixed = vec![("timeout", seconds("timeout").unwrap_or(TIMEOUT).to_string())];
        for word in ["result_ttl", "failure_ttl", "ttl"] {
            fixed.extend(seconds(word).map(|seconds| (word, seconds.to_string())));
        }
        if let Some(tries) = envelope.count("retry") {
            fixed.push(("retries_left", tries.to_string()));
            let interval = seconds("retry_interval");
            fixed.extend(interval.map(|seconds| ("retry_intervals", format!("[{seconds}]"))));
        }
        Rq {
            name: name.to_owned(),
            key: format!("rq:queue:{name}"),
            scheduled: format!("rq:scheduled:{name}"),
            description: format!("{function} (loadc)"),
            function: function.to_owned(),
            json: envelope.text("serializer") == Some("json"),
            push: if envelope.is_set("at_front") { b"LPUSH" } else { b"RPUSH" },
            fixed,
            ttl: seconds("ttl").map(|seconds| seconds.to_string()),
        }
    }

    /// The call: function, instance, arguments, named arguments.
    fn data(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        if self.json {
            out.push(b'[');
            out.extend_from_slice(quoted(&self.function).as_bytes());
            out.extend_from_slice(b",null,");
            job.body(out);
            out.push(b',');
            job.kwargs(out);
            out.push(b']');
            return;
        }
        pickle::begin(out);
        out.push(pickle::MARK);
        pickle::string(out, &self.function);
        out.push(pickle::NONE);
        super::pickled(out, |json| job.body(json));
        super::pickled(out, |json| job.kwargs(json));
        out.push(pickle::TUPLE);
        pickle::end(out);
    }

    fn hash(&self, job: &Job<'_>, unit: &mut Unit) {
        let key = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"rq:job:");
            job.id.push_uuid(out);
        };
        let args = unit.command();
        args.push(b"HSET");
        args.push_with(key);
        let status: &[u8] = if job.delay_ns > 0 { b"scheduled" } else { b"queued" };
        words(args, &[b"status", status, b"created_at"]);
        args.push_with(|out| instant(out, job.now_unix_ns));
        if job.delay_ns == 0 {
            args.push(b"enqueued_at");
            args.push_with(|out| instant(out, job.now_unix_ns));
        }
        words(args, &[b"origin", self.name.as_bytes()]);
        words(args, &[b"description", self.description.as_bytes(), b"data"]);
        args.push_with(|out| self.data(job, out));
        for (field, value) in &self.fixed {
            words(args, &[field.as_bytes(), value.as_bytes()]);
        }
        // The field alone forgets nobody. A job for later gets its time when the scheduler enqueues it.
        if let Some(ttl) = self.ttl.as_ref().filter(|_| job.delay_ns == 0) {
            let args = unit.command();
            args.push(b"EXPIRE");
            args.push_with(key);
            args.push(ttl.as_bytes());
        }
    }
}

/// An instant with microseconds, as RQ reads it.
fn instant(out: &mut Vec<u8>, unix_ns: u64) {
    write::push_instant(out, unix_ns);
    out.pop();
    let micros = unix_ns / 1_000 % 1_000;
    for digit in [micros / 100, micros / 10 % 10, micros % 10] {
        out.push(b'0' + digit as u8);
    }
    out.push(b'Z');
}

impl Encode for Rq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        self.hash(job, unit);
        unit.shared(0, |args| words(args, &[b"SADD", b"rq:queues", self.key.as_bytes()]));
        if job.delay_ns > 0 {
            let add = unit.shared(1, |args| words(args, &[b"ZADD", self.scheduled.as_bytes()]));
            add.push_with(|out| write::push_u64(out, whole_seconds(job.ready_unix_ns())));
            add.push_with(|out| job.id.push_uuid(out));
            return;
        }
        let push = unit.shared(2, |args| words(args, &[self.push, self.key.as_bytes()]));
        push.push_with(|out| job.id.push_uuid(out));
    }
}

/// The list and the registries. The last done come first in theirs: it goes by when they are forgotten.
pub(super) fn watch(name: &str) -> Finished {
    let key = |kind: &str| format!("rq:{kind}:{name}");
    let plain = Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("queue")])
        .ask(Kind::Delayed, &["ZCARD", &key("scheduled")])
        .ask(Kind::Active, &["ZCARD", &key("wip")])
        .ask(Kind::Dead, &["ZCARD", &key("failed")])
        .ask(Kind::Head, &["LINDEX", &key("queue"), "0"]);
    let times = &["enqueued_at", "started_at"];
    Finished::new(plain, key("finished"), "rq:job:".to_owned(), times, pickup_us)
}

/// From a job's enqueueing to its start, by RQ's own record.
fn pickup_us(times: &[Value]) -> Option<u64> {
    let [enqueued, begun] = times else { return None };
    let instant = |value| -> Option<i64> {
        let text = std::str::from_utf8(bytes(value)?).ok()?;
        text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
    };
    u64::try_from(instant(begun)? - instant(enqueued)?).ok()
}
