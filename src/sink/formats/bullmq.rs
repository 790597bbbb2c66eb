//! BullMQ 5 and 6: a hash for each job, `bull:Q:ID`, its id in the list `bull:Q:wait` (or by priority,
//! or by the instant it is due, in a sorted set), a marker that wakes idle workers, and two events.
//!
//! A paused queue of version 5 takes its jobs in another list, and one that was pushed to `wait`
//! meanwhile is lost when it goes on; version 6 has one list. Which it is stands in `bull:Q:meta`, and
//! between asking and pushing it could change. So the push is a small script: the server itself looks
//! and pushes in one step.

use super::bulls::Bulls;
use super::watch::{Clocks, Kind, Plain, Seen, Watch, bytes, field, items, stream_ms};
use super::{Encode, Job, command, words};
use crate::job::{Envelope, Id, write};
use crate::sink::{Args, Unit};
use redis::Value;

/// KEYS: meta, wait, paused, marker. ARGV: how to push, then the ids.
const PUSH: &str = "\
local m = redis.call('HMGET', KEYS[1], 'paused', 'version')
local held, six = m[1], m[2] and string.match(m[2], ':(%d+)')
local list = KEYS[2]
if held and not (six and tonumber(six) >= 6) then list = KEYS[3] end
for i = 2, #ARGV do redis.call(ARGV[1], list, ARGV[i]) end
if not held then redis.call('ZADD', KEYS[4], 0, '0') end
return #ARGV - 1";

/// KEYS: meta, prioritized, pc, marker. ARGV: priority and id in turn. A lower number is sooner;
/// among equals the counter keeps the order of arrival.
const PRIORITIZE: &str = "\
for i = 1, #ARGV, 2 do
local n = redis.call('INCR', KEYS[3])
redis.call('ZADD', KEYS[2], tonumber(ARGV[i]) * 4294967296 + n % 4294967296, ARGV[i + 1])
end
if redis.call('HEXISTS', KEYS[1], 'paused') == 0 then redis.call('ZADD', KEYS[4], 0, '0') end
return #ARGV / 2";

#[derive(Debug)]
pub(super) struct BullMq {
    jobs: Bulls,
    meta: String,
    wait: String,
    paused: String,
    marker: String,
    events: String,
    prioritized: String,
    counter: String,
}

impl BullMq {
    pub(super) fn new(name: &str, prefix: &str, envelope: &Envelope) -> BullMq {
        let key = |part: &str| format!("{prefix}:{name}:{part}");
        BullMq {
            jobs: Bulls::new(name, prefix, "job", envelope),
            meta: key("meta"),
            wait: key("wait"),
            paused: key("paused"),
            marker: key("marker"),
            events: key("events"),
            prioritized: key("prioritized"),
            counter: key("pc"),
        }
    }

    fn event<'u>(&self, event: &[u8], job: &Job<'_>, unit: &'u mut Unit) -> &'u mut Args {
        let args = unit.command();
        words(args, &[b"XADD", self.events.as_bytes(), b"MAXLEN", b"~", b"10000", b"*"]);
        words(args, &[b"event", event, b"jobId"]);
        args.push_with(|out| job.id.push_uuid(out));
        args
    }
}

impl Encode for BullMq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        self.jobs.store(job, unit);
        words(self.event(b"added", job, unit), &[b"name", self.jobs.job_name()]);
        if job.delay_ns > 0 {
            self.event(b"delayed", job, unit).push(b"delay");
            unit.last().push_with(|out| write::push_u64(out, job.ready_ms()));
            self.jobs.put_off(job, 2, unit);
            let marker = self.marker.as_bytes();
            let mark = unit.shared(3, |args| words(args, &[b"ZADD", marker, b"LT"]));
            // The same member again and again: the soonest stays.
            mark.push_with(|out| write::push_u64(out, job.ready_ms()));
            mark.push(b"1");
            return;
        }
        self.event(b"waiting", job, unit);
        let priority = job.priority();
        if priority > 0 {
            let add = unit.shared(1, |args| {
                words(args, &[b"EVAL", PRIORITIZE.as_bytes(), b"4", self.meta.as_bytes()]);
                words(args, &[self.prioritized.as_bytes(), self.counter.as_bytes()]);
                args.push(self.marker.as_bytes());
            });
            add.push_with(|out| write::push_i64(out, priority));
            add.push_with(|out| job.id.push_uuid(out));
            return;
        }
        self.jobs.push(job, PUSH, &[&self.meta, &self.wait, &self.paused, &self.marker], unit);
    }
}

/// The lists and sets, and the queue's own events, which tell of each job that was begun.
#[derive(Debug)]
pub(super) struct Events {
    plain: Plain,
    events: String,
    /// The last event read; none before the first look.
    last: Option<String>,
}

/// Events that a look reads. Where more happen between two looks the newest are read, and what they
/// show is a sample.
const SAMPLE: &[u8] = b"500";

pub(super) fn watch(name: &str, prefix: &str) -> Events {
    let key = |end: &str| format!("{prefix}:{name}:{end}");
    let plain = Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("wait")])
        .ask(Kind::Waiting, &["LLEN", &key("paused")])
        .ask(Kind::Waiting, &["ZCARD", &key("prioritized")])
        .ask(Kind::Delayed, &["ZCARD", &key("delayed")])
        .ask(Kind::Active, &["LLEN", &key("active")])
        .ask(Kind::Dead, &["ZCARD", &key("failed")])
        .ask(Kind::Head, &["LINDEX", &key("wait"), "-1"])
        .ask(Kind::Paused, &["HEXISTS", &key("meta"), "paused"]);
    Events { plain, events: key("events"), last: None }
}

impl Watch for Events {
    fn ask(&mut self) -> Vec<Args> {
        let mut asks = self.plain.questions();
        let events = self.events.as_bytes();
        asks.push(match &self.last {
            // What went before the first look is not this run's.
            None => command(&[b"XREVRANGE", events, b"+", b"-", b"COUNT", b"1"]),
            Some(last) => {
                let after = format!("({last}");
                command(&[b"XREVRANGE", events, b"+", after.as_bytes(), b"COUNT", SAMPLE])
            }
        });
        asks
    }

    fn read(&mut self, answers: &[Value], _: &[Value], clocks: Clocks) -> Result<Seen, Value> {
        let mut seen = self.plain.answers(answers)?;
        let events = answers.get(self.plain.len()).map(items).unwrap_or_default();
        let newest = events.first().and_then(|event| bytes(items(event).first()?));
        let newest = newest.map(|id| String::from_utf8_lossy(id).into_owned());
        let is_first = self.last.is_none();
        if is_first || newest.is_some() {
            self.last = Some(newest.unwrap_or_else(|| "0-0".to_owned()));
        }
        if !is_first {
            seen.pickups_us = events.iter().filter_map(|event| begun(event, clocks)).collect();
        }
        Ok(seen)
    }
}

/// How long a job of loadc's waited, of an event that it was begun: from the instant in its id to
/// that of the event.
fn begun(event: &Value, clocks: Clocks) -> Option<u64> {
    let [at, fields] = items(event) else { return None };
    if field(fields, "event").and_then(bytes) != Some(b"active") {
        return None;
    }
    let id = Id::at(bytes(field(fields, "jobId")?)?)?;
    clocks.pickup_us(id.ready_unix_ms(), stream_ms(at)?)
}
