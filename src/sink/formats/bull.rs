//! Bull 4: as BullMQ, without markers and events: its workers block on the list itself. A paused queue
//! (`bull:Q:meta-paused`) takes its jobs in `bull:Q:paused`.

use super::bulls::{Bulls, due_ms};
use super::watch::{Finished, Kind, Plain, number};
use super::{Encode, Job, words};
use crate::job::{Envelope, write};
use crate::sink::Unit;
use redis::Value;

/// KEYS: meta-paused, wait, paused. ARGV: how to push, then the ids.
const PUSH: &str = "\
local list = KEYS[2]
if redis.call('EXISTS', KEYS[1]) == 1 then list = KEYS[3] end
for i = 2, #ARGV do redis.call(ARGV[1], list, ARGV[i]) end
return #ARGV - 1";

#[derive(Debug)]
pub(super) struct Bull {
    jobs: Bulls,
    meta: String,
    wait: String,
    paused: String,
}

impl Bull {
    pub(super) fn new(name: &str, prefix: &str, envelope: &Envelope) -> Bull {
        let key = |part: &str| format!("{prefix}:{name}:{part}");
        Bull {
            // Bull's own word for a job without a name.
            jobs: Bulls::new(name, prefix, "__default__", envelope),
            meta: key("meta-paused"),
            wait: key("wait"),
            paused: key("paused"),
        }
    }
}

impl Encode for Bull {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        self.jobs.store(job, unit);
        if job.delay_ns > 0 {
            self.jobs.put_off(job, 1, unit);
            // Its workers sleep until the soonest instant they have heard of.
            let tell = unit.shared(2, |_| {});
            tell.begin_command();
            words(tell, &[b"PUBLISH", self.jobs.delayed()]);
            tell.push_with(|out| write::push_u64(out, due_ms(job)));
            return;
        }
        self.jobs.push(job, PUSH, &[&self.meta, &self.wait, &self.paused], unit);
    }
}

/// The lists and sets. Those done lately tell when they began.
pub(super) fn watch(name: &str, prefix: &str) -> Finished {
    let key = |end: &str| format!("{prefix}:{name}:{end}");
    let plain = Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key("wait")])
        .ask(Kind::Waiting, &["LLEN", &key("paused")])
        .ask(Kind::Delayed, &["ZCARD", &key("delayed")])
        .ask(Kind::Active, &["LLEN", &key("active")])
        .ask(Kind::Dead, &["ZCARD", &key("failed")])
        .ask(Kind::Head, &["LINDEX", &key("wait"), "-1"])
        .ask(Kind::Paused, &["EXISTS", &key("meta-paused")]);
    let times = &["timestamp", "processedOn", "delay"];
    Finished::new(plain, key("completed"), key(""), times, pickup_us)
}

/// From a job's due instant to its start, both by the framework's own clocks.
fn pickup_us(times: &[Value]) -> Option<u64> {
    let [enqueued, begun, delay] = times else { return None };
    if *begun == Value::Nil || *enqueued == Value::Nil {
        return None;
    }
    let ready_ms = number(enqueued)?.saturating_add(number(delay).unwrap_or(0));
    Some(number(begun)?.saturating_sub(ready_ms) * 1_000)
}
