//! asynq 0.24: a hash for each task, `asynq:{Q}:t:ID`, whose message is a protocol buffer, and its id
//! in the list `asynq:{Q}:pending`; tasks for later in the sorted set `asynq:{Q}:scheduled`.

use super::text::whole_seconds;
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;

/// asynq's own defaults: further tries, and seconds a task may take.
const RETRY: u64 = 25;
const TIMEOUT: u64 = 1800;

#[derive(Debug)]
pub(super) struct Asynq {
    name: String,
    base: String,
    pending: String,
    scheduled: String,
    kind: String,
    retry: u64,
    timeout: u64,
    deadline_ns: Option<u64>,
    retention: u64,
}

impl Asynq {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Asynq {
        let deadline_ns = envelope.duration_ns("deadline");
        let timeout = envelope.duration_ns("timeout").map(whole_seconds);
        Asynq {
            name: name.to_owned(),
            base: format!("asynq:{{{name}}}:t:"),
            pending: format!("asynq:{{{name}}}:pending"),
            scheduled: format!("asynq:{{{name}}}:scheduled"),
            kind: envelope.text("type").unwrap_or_default().to_owned(),
            retry: envelope.count("retry").unwrap_or(RETRY),
            // With a deadline there is no time limit unless one is asked for.
            timeout: timeout.unwrap_or(if deadline_ns.is_some() { 0 } else { TIMEOUT }),
            deadline_ns,
            retention: envelope.duration_ns("retention").map_or(0, whole_seconds),
        }
    }

    /// `TaskMessage`: 1 type, 2 payload, 3 id, 4 queue, 5 retry, 8 timeout, 9 deadline,
    /// 12 retention; what is 0 is left out, as proto3 has it.
    fn message(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        bytes(out, 1, |out| out.extend_from_slice(self.kind.as_bytes()));
        bytes(out, 2, |out| job.body(out));
        bytes(out, 3, |out| job.id.push_uuid(out));
        bytes(out, 4, |out| out.extend_from_slice(self.name.as_bytes()));
        number(out, 5, self.retry);
        number(out, 8, self.timeout);
        let deadline = self.deadline_ns.map(|ns| job.ready_unix_ns().saturating_add(ns));
        number(out, 9, deadline.map_or(0, |ns| ns / 1_000_000_000));
        number(out, 12, self.retention);
    }
}

/// A number in seven bits a byte, lowest first (protocol buffers, "Base 128 Varints").
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    if value > 0 {
        varint(out, field << 3);
        varint(out, value);
    }
}

/// A field whose length is known once it is written: its digits go before it then.
fn bytes(out: &mut Vec<u8>, field: u64, write: impl FnOnce(&mut Vec<u8>)) {
    varint(out, field << 3 | 2);
    let start = out.len();
    write(out);
    let length = out.len() - start;
    varint(out, length as u64);
    out[start..].rotate_left(length);
}

impl Encode for Asynq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        args.push(b"HSET");
        args.push_with(|out| {
            out.extend_from_slice(self.base.as_bytes());
            job.id.push_uuid(out);
        });
        args.push(b"msg");
        args.push_with(|out| self.message(job, out));
        let later = job.delay_ns > 0;
        words(args, &[b"state", if later { b"scheduled" } else { b"pending" }]);
        if !later {
            args.push(b"pending_since");
            args.push_with(|out| write::push_u64(out, job.now_unix_ns));
        }
        unit.shared(0, |args| words(args, &[b"SADD", b"asynq:queues", self.name.as_bytes()]));
        if later {
            let add = unit.shared(1, |args| words(args, &[b"ZADD", self.scheduled.as_bytes()]));
            add.push_with(|out| write::push_u64(out, whole_seconds(job.ready_unix_ns())));
            add.push_with(|out| job.id.push_uuid(out));
            return;
        }
        let push = unit.shared(2, |args| words(args, &[b"LPUSH", self.pending.as_bytes()]));
        push.push_with(|out| job.id.push_uuid(out));
    }
}

/// Its totals count attempts, failed ones among those processed.
pub(super) fn watch(name: &str) -> Plain {
    let key = |end: &str| format!("asynq:{{{name}}}:{end}");
    Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("pending")])
        .ask(Kind::Delayed, &["ZCARD", &key("scheduled")])
        .ask(Kind::Active, &["LLEN", &key("active")])
        .ask(Kind::Failed, &["ZCARD", &key("retry")])
        .ask(Kind::Dead, &["ZCARD", &key("archived")])
        .ask(Kind::Processed, &["GET", &key("processed")])
        .ask(Kind::FailedTotal, &["GET", &key("failed")])
        .ask(Kind::Head, &["LINDEX", &key("pending"), "-1"])
        .ask(Kind::Paused, &["EXISTS", &key("paused")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_protocol_buffers() {
        let mut out = Vec::new();
        bytes(&mut out, 2, |out| out.extend_from_slice(&[b'x'; 300]));
        number(&mut out, 12, 3600);
        number(&mut out, 9, 0);
        assert_eq!(out[..3], [0x12, 0xAC, 0x02]);
        assert_eq!(out[3..303], [b'x'; 300]);
        assert_eq!(out[303..], [0x60, 0x90, 0x1C]);
    }
}
