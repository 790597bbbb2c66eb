//! Huey 3: `LPUSH huey.redis.NAME message …`, a pickle of its tuple `Message`; jobs for later in the
//! sorted set `huey.schedule.NAME`.

use super::text::whole_seconds;
use super::watch::{Kind, Plain};
use super::{Encode, Job, pickle, words};
use crate::job::Envelope;
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Huey {
    key: String,
    schedule: String,
    task: String,
    retries: u64,
    retry_delay: u64,
    timeout: Option<u64>,
}

/// A queue's name as Huey puts it into keys: without what is no letter, digit or `_`.
pub(super) fn clean(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

impl Huey {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Huey {
        let name = clean(name);
        Huey {
            key: format!("huey.redis.{name}"),
            schedule: format!("huey.schedule.{name}"),
            task: envelope.text("task").unwrap_or_default().to_owned(),
            retries: envelope.count("retries").unwrap_or(0),
            retry_delay: envelope.duration_ns("retry_delay").map_or(0, whole_seconds),
            timeout: envelope.duration_ns("timeout").map(whole_seconds),
        }
    }

    fn message(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        pickle::begin(out);
        // A class by its module and name, then its instance of a tuple of arguments.
        out.extend_from_slice(b"chuey.registry\nMessage\n(");
        pickle::string_with(out, |out| job.id.push_uuid(out));
        pickle::string(out, &self.task);
        // It is due by its place in the schedule, or now.
        out.push(pickle::NONE);
        pickle::integer(out, count(self.retries));
        pickle::integer(out, count(self.retry_delay));
        out.push(pickle::NONE);
        super::pickled(out, |json| job.body(json));
        super::pickled(out, |json| job.kwargs(json));
        // on_complete, on_error, expires, expires_resolved
        out.extend_from_slice(&[pickle::NONE; 4]);
        match self.timeout {
            Some(seconds) => pickle::integer(out, count(seconds)),
            None => out.push(pickle::NONE),
        }
        // chord_config, retry_backoff; then the tuple, and the instance.
        out.extend_from_slice(&[pickle::NONE, pickle::NONE, pickle::TUPLE, 0x81]);
        pickle::end(out);
    }
}

impl Encode for Huey {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        if job.delay_ns > 0 {
            let add = unit.shared(1, |args| words(args, &[b"ZADD", self.schedule.as_bytes()]));
            add.push_with(|out| super::text::seconds(out, job.ready_unix_ns()));
            add.push_with(|out| self.message(job, out));
            return;
        }
        let push = unit.shared(0, |args| words(args, &[b"LPUSH", self.key.as_bytes()]));
        push.push_with(|out| self.message(job, out));
    }
}

/// The list and the schedule, retries among the latter.
pub(super) fn watch(name: &str) -> Plain {
    let name = clean(name);
    Plain::default()
        .ask(Kind::Waiting, &["LLEN", &format!("huey.redis.{name}")])
        .ask(Kind::Delayed, &["ZCARD", &format!("huey.schedule.{name}")])
        .ask(Kind::Head, &["LINDEX", &format!("huey.redis.{name}"), "-1"])
}
