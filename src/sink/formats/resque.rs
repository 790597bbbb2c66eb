//! Resque 3: `RPUSH resque:queue:Q job job …` and the queue's name in the set `resque:queues`.

use super::text::quoted;
use super::watch::{Kind, Plain};
use super::{Encode, Job, words};
use crate::job::Envelope;
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Resque {
    queue: String,
    key: String,
    queues: String,
    head: String,
}

impl Resque {
    pub(super) fn new(name: &str, namespace: &str, envelope: &Envelope) -> Resque {
        let class = quoted(envelope.text("class").unwrap_or_default());
        Resque {
            queue: name.to_owned(),
            key: format!("{namespace}:queue:{name}"),
            queues: format!("{namespace}:queues"),
            head: format!("{{\"class\":{class},\"args\":"),
        }
    }
}

impl Encode for Resque {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let push = unit.shared(0, |args| words(args, &[b"RPUSH", self.key.as_bytes()]));
        push.push_with(|out| {
            out.extend_from_slice(self.head.as_bytes());
            job.body(out);
            out.push(b'}');
        });
        unit.shared(1, |args| {
            words(args, &[b"SADD", self.queues.as_bytes(), self.queue.as_bytes()]);
        });
    }
}

/// Its totals are those of all queues, and count attempts.
pub(super) fn watch(name: &str, namespace: &str) -> Plain {
    Plain::default()
        .ask(Kind::Waiting, &["LLEN", &format!("{namespace}:queue:{name}")])
        .ask(Kind::Dead, &["LLEN", &format!("{namespace}:failed")])
        .ask(Kind::Processed, &["GET", &format!("{namespace}:stat:processed")])
        .ask(Kind::FailedTotal, &["GET", &format!("{namespace}:stat:failed")])
        .of_all_queues()
}
