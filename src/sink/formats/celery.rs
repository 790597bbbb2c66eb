//! Celery 5 over Redis (kombu 5): `LPUSH Q message …`, or to `Q\x06\x16P` for the steps of priority 3,
//! 6 and 9. The message's body is base64 of JSON.

use super::text::{base64_from, iso, quoted, seconds_json};
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;

/// kombu's separator between a queue and a step of priority.
pub(super) const SEPARATOR: &str = "\x06\x16";

/// kombu's steps of priority; 0 is the bare name, and soonest.
pub(super) const STEPS: [u8; 4] = [0, 3, 6, 9];

#[derive(Debug)]
pub(super) struct Celery {
    keys: [String; 4],
    /// From the body to the task's id.
    head: String,
    /// From the times to the ids behind them.
    limits: String,
    /// From the ids to the priority.
    delivery: String,
    expires_ns: Option<u64>,
}

/// The key of a queue at a step of priority.
pub(super) fn key(name: &str, step: u8) -> String {
    if step == 0 { name.to_owned() } else { format!("{name}{SEPARATOR}{step}") }
}

impl Celery {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Celery {
        let task = quoted(envelope.text("task").unwrap_or_default());
        let limit =
            |word| envelope.duration_ns(word).map_or_else(|| "null".to_owned(), seconds_json);
        Celery {
            keys: STEPS.map(|step| key(name, step)),
            head: format!(
                "\",\"content-encoding\":\"utf-8\",\"content-type\":\"application/json\",\
                 \"headers\":{{\"lang\":\"py\",\"task\":{task},\"id\":\""
            ),
            limits: format!(
                ",\"group\":null,\"group_index\":null,\"retries\":0,\"timelimit\":[{},{}],\
                 \"root_id\":\"",
                limit("time_limit"),
                limit("soft_time_limit")
            ),
            delivery: format!(
                "\",\"reply_to\":\"\",\"delivery_mode\":2,\"delivery_info\":{{\"exchange\":\"\",\
                 \"routing_key\":{}}},\"priority\":",
                quoted(name)
            ),
            expires_ns: envelope.duration_ns("expires"),
        }
    }

    fn message(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"body\":\"");
        let start = out.len();
        out.push(b'[');
        job.body(out);
        out.push(b',');
        job.kwargs(out);
        out.extend_from_slice(
            b",{\"callbacks\":null,\"errbacks\":null,\"chain\":null,\"chord\":null}]",
        );
        base64_from(out, start);
        out.extend_from_slice(self.head.as_bytes());
        job.id.push_uuid(out);
        out.extend_from_slice(b"\",\"eta\":");
        instant(out, (job.delay_ns > 0).then(|| job.ready_unix_ns()));
        out.extend_from_slice(b",\"expires\":");
        instant(out, self.expires_ns.map(|ns| job.ready_unix_ns().saturating_add(ns)));
        out.extend_from_slice(self.limits.as_bytes());
        job.id.push_uuid(out);
        out.extend_from_slice(
            b"\",\"parent_id\":null,\"argsrepr\":\"\",\"kwargsrepr\":\"\",\"origin\":\"loadc\"},\
              \"properties\":{\"correlation_id\":\"",
        );
        job.id.push_uuid(out);
        out.extend_from_slice(self.delivery.as_bytes());
        write::push_i64(out, job.priority());
        out.extend_from_slice(b",\"body_encoding\":\"base64\",\"delivery_tag\":\"");
        job.id.push_uuid(out);
        out.extend_from_slice(b"\"}}");
    }
}

fn instant(out: &mut Vec<u8>, unix_ns: Option<u64>) {
    let Some(unix_ns) = unix_ns else { return out.extend_from_slice(b"null") };
    out.push(b'"');
    iso(out, unix_ns);
    out.push(b'"');
}

impl Encode for Celery {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        // kombu rounds a priority down to the step below it.
        let priority = job.priority();
        let step = STEPS.iter().rposition(|step| i64::from(*step) <= priority).unwrap_or(0);
        let key = self.keys[step].as_bytes();
        let push = unit.shared(step, |args| words(args, &[b"LPUSH", key]));
        push.push_with(|out| self.message(job, out));
    }
}

/// The steps of priority, and what workers hold unacknowledged: prefetched tasks, and those for later.
pub(super) fn watch(name: &str) -> Plain {
    let waiting = STEPS.iter().fold(Plain::default(), |plain, step| {
        plain.ask(Kind::Waiting, &["LLEN", &key(name, *step)])
    });
    waiting.ask(Kind::Active, &["HLEN", "unacked"]).ask(Kind::Head, &["LINDEX", name, "-1"])
}
