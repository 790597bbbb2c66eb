//! Laravel's Redis queue (illuminate 8 and later): `RPUSH queues:Q job …` and one entry in
//! `queues:Q:notify` for each; jobs for later in the sorted set `queues:Q:delayed`.

use super::text::{quoted, whole_seconds};
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Laravel {
    key: String,
    notify: String,
    delayed: String,
    /// From the UUID to the data.
    middle: String,
}

impl Laravel {
    pub(super) fn new(name: &str, prefix: &str, envelope: &Envelope) -> Laravel {
        let job = envelope.text("job").unwrap_or_default();
        // The method is called, `handle` where none is named; the name shown is the class.
        let class = job.split('@').next().unwrap_or(job);
        let number =
            |value: Option<u64>| value.map_or("null".to_owned(), |value| value.to_string());
        let seconds = |word| number(envelope.duration_ns(word).map(whole_seconds));
        let key = format!("{prefix}queues:{name}");
        Laravel {
            notify: format!("{key}:notify"),
            delayed: format!("{key}:delayed"),
            key,
            middle: format!(
                "\",\"displayName\":{},\"job\":{},\"maxTries\":{},\"maxExceptions\":null,\
                 \"failOnTimeout\":false,\"backoff\":{},\"timeout\":{},\"data\":",
                quoted(class),
                quoted(job),
                number(envelope.count("tries")),
                seconds("backoff"),
                seconds("timeout"),
            ),
        }
    }

    fn job(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"uuid\":\"");
        job.id.push_uuid(out);
        out.extend_from_slice(self.middle.as_bytes());
        job.body(out);
        out.extend_from_slice(b",\"id\":\"");
        job.id.push_hex(out);
        out.extend_from_slice(b"\",\"attempts\":0,\"createdAt\":");
        write::push_u64(out, job.now_unix_ns / 1_000_000_000);
        out.extend_from_slice(b",\"delay\":");
        match job.delay_ns {
            0 => out.extend_from_slice(b"null"),
            ns => write::push_u64(out, whole_seconds(ns)),
        }
        out.push(b'}');
    }
}

impl Encode for Laravel {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        if job.delay_ns > 0 {
            let add = unit.shared(2, |args| words(args, &[b"ZADD", self.delayed.as_bytes()]));
            add.push_with(|out| write::push_u64(out, whole_seconds(job.ready_unix_ns())));
            add.push_with(|out| self.job(job, out));
            return;
        }
        let push = unit.shared(0, |args| words(args, &[b"RPUSH", self.key.as_bytes()]));
        push.push_with(|out| self.job(job, out));
        unit.shared(1, |args| words(args, &[b"RPUSH", self.notify.as_bytes()])).push(b"1");
    }
}

/// The list, those for later, and those that workers have reserved.
pub(super) fn watch(name: &str, prefix: &str) -> Plain {
    let key = |end: &str| format!("{prefix}queues:{name}{end}");
    Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("")])
        .ask(Kind::Delayed, &["ZCARD", &key(":delayed")])
        .ask(Kind::Active, &["ZCARD", &key(":reserved")])
        .ask(Kind::Head, &["LINDEX", &key(""), "0"])
}
