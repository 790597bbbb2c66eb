//! dramatiq 2: `HSET dramatiq:Q.msgs ID message …` and `RPUSH dramatiq:Q ID …`; jobs for later go the
//! same way to the queue `Q.DQ`, with the instant in the message.

use super::text::{millis, quoted};
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Dramatiq {
    /// The queue, and the one for later.
    now: Place,
    later: Place,
    actor: String,
    options: String,
}

#[derive(Debug)]
struct Place {
    list: String,
    messages: String,
    name_json: String,
}

impl Place {
    fn new(namespace: &str, name: &str) -> Place {
        Place {
            list: format!("{namespace}:{name}"),
            messages: format!("{namespace}:{name}.msgs"),
            name_json: quoted(name),
        }
    }
}

impl Dramatiq {
    pub(super) fn new(name: &str, namespace: &str, envelope: &Envelope) -> Dramatiq {
        let mut options = String::new();
        if let Some(tries) = envelope.count("max_retries") {
            options.push_str(&format!(",\"max_retries\":{tries}"));
        }
        for word in ["min_backoff", "max_backoff", "time_limit", "max_age"] {
            if let Some(ns) = envelope.duration_ns(word) {
                options.push_str(&format!(",\"{word}\":{}", millis(ns)));
            }
        }
        Dramatiq {
            now: Place::new(namespace, name),
            later: Place::new(namespace, &format!("{name}.DQ")),
            actor: quoted(envelope.text("actor").unwrap_or_default()),
            options,
        }
    }

    fn message(&self, job: &Job<'_>, place: &Place, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"queue_name\":");
        out.extend_from_slice(place.name_json.as_bytes());
        out.extend_from_slice(b",\"actor_name\":");
        out.extend_from_slice(self.actor.as_bytes());
        out.extend_from_slice(b",\"args\":");
        job.body(out);
        out.extend_from_slice(b",\"kwargs\":");
        job.kwargs(out);
        out.extend_from_slice(b",\"options\":{\"redis_message_id\":\"");
        job.id.push_uuid(out);
        out.push(b'"');
        if job.delay_ns > 0 {
            out.extend_from_slice(b",\"eta\":");
            write::push_u64(out, job.ready_ms());
        }
        out.extend_from_slice(self.options.as_bytes());
        out.extend_from_slice(b"},\"message_id\":\"");
        job.id.push_uuid(out);
        out.extend_from_slice(b"\",\"message_timestamp\":");
        write::push_u64(out, job.now_ms());
        out.push(b'}');
    }
}

impl Encode for Dramatiq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let (place, slot) = if job.delay_ns > 0 { (&self.later, 2) } else { (&self.now, 0) };
        let set = unit.shared(slot, |args| words(args, &[b"HSET", place.messages.as_bytes()]));
        set.push_with(|out| job.id.push_uuid(out));
        set.push_with(|out| self.message(job, place, out));
        let push = unit.shared(slot + 1, |args| words(args, &[b"RPUSH", place.list.as_bytes()]));
        push.push_with(|out| job.id.push_uuid(out));
    }
}

/// The queue and the one for later. A worker's message stays in `.msgs` until it is done, but those of
/// a worker that waits for the instant of one for later do too.
pub(super) fn watch(name: &str, namespace: &str) -> Plain {
    let key = |end: &str| format!("{namespace}:{name}{end}");
    Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("")])
        .ask(Kind::Delayed, &["HLEN", &key(".DQ.msgs")])
        .ask(Kind::Unfinished, &["HLEN", &key(".msgs")])
        .ask(Kind::Dead, &["ZCARD", &key(".XQ")])
        .ask(Kind::Head, &["LINDEX", &key(""), "0"])
}
