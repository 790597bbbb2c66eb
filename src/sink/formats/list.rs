//! Jobs in a list: `LPUSH key job job …`, taken by the worker at the other end (`RPOP`, `BRPOP`); or
//! `RPUSH` for workers that take from the left.

use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::Envelope;
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct List {
    key: String,
    push: &'static [u8],
}

impl List {
    pub(super) fn new(name: &str, envelope: &Envelope) -> List {
        let push: &[u8] = if envelope.is_set("right") { b"RPUSH" } else { b"LPUSH" };
        List { key: name.to_owned(), push }
    }
}

impl Encode for List {
    /// A push of several takes them in order, so workers see them in the order they were added.
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let push = unit.shared(0, |args| words(args, &[self.push, self.key.as_bytes()]));
        push.push_with(|out| job.body(out));
    }
}

/// How long the list is.
pub(super) fn watch(name: &str) -> Plain {
    Plain::default().ask(Kind::Waiting, &["LLEN", name])
}
