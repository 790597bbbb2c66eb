//! Bull 4: as BullMQ, without markers and events: its workers block on the list itself. A paused queue
//! (`bull:Q:meta-paused`) takes its jobs in `bull:Q:paused`.

use super::text::{millis, quoted};
use super::watch::{Clocks, Done, Kind, Plain, Seen, Watch, bytes, items, number};
use super::{Encode, Job, command, words};
use crate::job::{Envelope, Setting, write};
use crate::sink::{Args, Unit};
use redis::Value;

/// KEYS: meta-paused, wait, paused. ARGV: how to push, then the ids.
const PUSH: &str = "\
local list = KEYS[2]
if redis.call('EXISTS', KEYS[1]) == 1 then list = KEYS[3] end
for i = 2, #ARGV do redis.call(ARGV[1], list, ARGV[i]) end
return #ARGV - 1";

/// What Bull and BullMQ keep of a job besides its data.
#[derive(Debug)]
pub(super) struct Options {
    /// The options in JSON, without their braces and without delay and priority.
    json: String,
}

impl Options {
    pub(super) fn new(envelope: &Envelope) -> Options {
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
    pub(super) fn fields(&self, job: &Job<'_>, name: &str, args: &mut Args) {
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

    /// Its place among those for later: the millisecond it is due, and twelve bits that keep the order
    /// of jobs of the same millisecond.
    pub(super) fn delayed_score(job: &Job<'_>) -> u64 {
        let due_ms = job.now_ms().saturating_add(millis(job.delay_ns));
        due_ms * 4096 + job.context.number % 4096
    }
}

#[derive(Debug)]
pub(super) struct Bull {
    base: String,
    meta: String,
    wait: String,
    paused: String,
    delayed: String,
    name: String,
    options: Options,
    push: &'static [u8],
}

impl Bull {
    pub(super) fn new(name: &str, prefix: &str, envelope: &Envelope) -> Bull {
        let key = |part: &str| format!("{prefix}:{name}:{part}");
        Bull {
            base: key(""),
            meta: key("meta-paused"),
            wait: key("wait"),
            paused: key("paused"),
            delayed: key("delayed"),
            // Bull's own word for a job without a name.
            name: envelope.text("name").unwrap_or("__default__").to_owned(),
            options: Options::new(envelope),
            push: if envelope.is_set("lifo") { b"RPUSH" } else { b"LPUSH" },
        }
    }
}

impl Encode for Bull {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        args.push(b"HSET");
        args.push_with(|out| {
            out.extend_from_slice(self.base.as_bytes());
            job.id.push_uuid(out);
        });
        self.options.fields(job, &self.name, args);
        if job.delay_ns > 0 {
            let delayed = self.delayed.as_bytes();
            let add = unit.shared(1, |args| words(args, &[b"ZADD", delayed]));
            add.push_with(|out| write::push_u64(out, Options::delayed_score(job)));
            add.push_with(|out| job.id.push_uuid(out));
            // Its workers sleep until the soonest instant they have heard of.
            let place = 2;
            let tell = unit.shared(place, |_| {});
            tell.begin_command();
            words(tell, &[b"PUBLISH", delayed]);
            tell.push_with(|out| {
                write::push_u64(out, job.now_ms().saturating_add(millis(job.delay_ns)));
            });
            return;
        }
        let push = unit.shared(0, |args| {
            words(args, &[b"EVAL", PUSH.as_bytes(), b"3", self.meta.as_bytes()]);
            words(args, &[self.wait.as_bytes(), self.paused.as_bytes(), self.push]);
        });
        push.push_with(|out| job.id.push_uuid(out));
    }
}

/// The lists and sets. Those done lately tell when they began.
#[derive(Debug)]
pub(super) struct Lists {
    plain: Plain,
    base: String,
    completed: String,
    /// Ids whose start has been counted, the newest last.
    counted: Done,
}

/// Finished jobs that a look asks about.
const SAMPLE: usize = 50;

pub(super) fn watch(name: &str, prefix: &str) -> Lists {
    let key = |end: &str| format!("{prefix}:{name}:{end}");
    let plain = Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("wait")])
        .ask(Kind::Waiting, &["LLEN", &key("paused")])
        .ask(Kind::Delayed, &["ZCARD", &key("delayed")])
        .ask(Kind::Active, &["LLEN", &key("active")])
        .ask(Kind::Dead, &["ZCARD", &key("failed")])
        .ask(Kind::Head, &["LINDEX", &key("wait"), "-1"])
        .ask(Kind::Paused, &["EXISTS", &key("meta-paused")]);
    Lists { plain, base: key(""), completed: key("completed"), counted: Done::default() }
}

impl Watch for Lists {
    fn ask(&mut self) -> Vec<Args> {
        let mut asks = self.plain.questions();
        let last = (SAMPLE - 1).to_string();
        asks.push(command(&[b"ZREVRANGE", self.completed.as_bytes(), b"0", last.as_bytes()]));
        asks
    }

    fn ask_more(&mut self, answers: &[Value]) -> Vec<Args> {
        let ids = answers.get(self.plain.len()).map(items).unwrap_or_default();
        let fresh = self.counted.take_fresh(ids.iter().filter_map(bytes));
        let ask = |id: Vec<u8>| {
            let key = [self.base.as_bytes(), &id].concat();
            command(&[b"HMGET", &key, b"timestamp", b"processedOn", b"delay"])
        };
        fresh.into_iter().map(ask).collect()
    }

    fn read(&mut self, answers: &[Value], more: &[Value], _: Clocks) -> Result<Seen, Value> {
        let mut seen = self.plain.answers(answers)?;
        seen.pickups_us = more.iter().filter_map(pickup_us).collect();
        Ok(seen)
    }
}

/// From a job's due instant to its start, both by the framework's own clocks.
fn pickup_us(times: &Value) -> Option<u64> {
    let [enqueued, begun, delay] = items(times) else { return None };
    if *begun == Value::Nil || *enqueued == Value::Nil {
        return None;
    }
    let ready_ms = number(enqueued)?.saturating_add(number(delay).unwrap_or(0));
    Some(number(begun)?.saturating_sub(ready_ms) * 1_000)
}
