//! Jobs in a sorted set by the instant they are due: `ZADD key due member …`. Two members that are
//! the same are one to the set, so each carries its job's id: `{"id":"…","data":…}`.

use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Delayed {
    key: String,
    millis: bool,
}

impl Delayed {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Delayed {
        Delayed { key: name.to_owned(), millis: envelope.text("unit") == Some("ms") }
    }
}

impl Encode for Delayed {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let add = unit.shared(0, |args| words(args, &[b"ZADD", self.key.as_bytes()]));
        add.push_with(|out| match self.millis {
            true => write::push_u64(out, job.ready_ms()),
            false => super::text::seconds(out, job.ready_unix_ns()),
        });
        add.push_with(|out| {
            out.extend_from_slice(b"{\"id\":\"");
            job.id.push_uuid(out);
            out.extend_from_slice(b"\",\"data\":");
            job.body(out);
            out.push(b'}');
        });
    }
}

/// Those that are due, and those for later. A worker that is idle leaves nothing due.
pub(super) fn watch(name: &str) -> Plain {
    Plain::default()
        .ask(Kind::Delayed, &["ZCARD", name])
        .ask(Kind::Head, &["ZRANGE", name, "0", "0"])
}
