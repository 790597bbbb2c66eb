//! Sidekiq 6, 7 and 8: `LPUSH queue:Q job job …` and the queue's name in the set `queues`; jobs for
//! later in the sorted set `schedule`.

use super::text::{quoted, seconds, seconds_json};
use super::watch::{Clocks, Kind, Plain, Seen, Watch, bytes, items, number};
use super::{Encode, Job, command, words};
use crate::job::{Envelope, Setting, write};
use crate::sink::{Args, Unit};
use redis::Value;

const CURRENT_WRAPPER: &str = "Sidekiq::ActiveJob::Wrapper";

#[derive(Debug)]
pub(super) struct Sidekiq {
    queue: String,
    key: String,
    /// The job up to its arguments.
    head: String,
    /// From the arguments to the id.
    middle: String,
    /// The ActiveJob class and queue, if the job is one.
    active_job: Option<String>,
    /// Times in whole milliseconds, as from version 8 on.
    millis: bool,
}

impl Sidekiq {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Sidekiq {
        let class = envelope.text("class").unwrap_or_default();
        let wrapped = envelope.is_set("activejob");
        let head = if wrapped {
            let wrapper = envelope.text("wrapper").unwrap_or(CURRENT_WRAPPER);
            format!("{{\"class\":{},\"wrapped\":{},\"args\":", quoted(wrapper), quoted(class))
        } else {
            format!("{{\"class\":{},\"args\":", quoted(class))
        };
        let retry = match envelope.options.get("retry") {
            Some(Setting::Count(tries)) => tries.to_string(),
            Some(Setting::Flag(false)) => "false".to_owned(),
            _ => "true".to_owned(),
        };
        let retry_for = envelope.duration_ns("retry_for");
        let retry_for =
            retry_for.map_or_else(String::new, |ns| format!(",\"retry_for\":{}", seconds_json(ns)));
        let name_json = quoted(name);
        let middle = format!(",\"queue\":{name_json},\"retry\":{retry}{retry_for},\"jid\":\"");
        let active_job = wrapped.then(|| {
            format!("[{{\"job_class\":{},\"queue_name\":{name_json},\"job_id\":\"", quoted(class))
        });
        let millis = envelope.count("version").is_none_or(|version| version >= 8);
        let key = format!("queue:{name}");
        Sidekiq { queue: name.to_owned(), key, head, middle, active_job, millis }
    }

    fn time(&self, out: &mut Vec<u8>, unix_ns: u64) {
        match self.millis {
            true => write::push_u64(out, unix_ns / 1_000_000),
            false => seconds(out, unix_ns),
        }
    }

    fn arguments(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        let Some(active_job) = &self.active_job else { return job.body(out) };
        out.extend_from_slice(active_job.as_bytes());
        job.id.push_uuid(out);
        out.extend_from_slice(b"\",\"provider_job_id\":null,\"priority\":null,\"arguments\":");
        job.body(out);
        out.extend_from_slice(
            b",\"executions\":0,\"exception_executions\":{},\"locale\":\"en\",\"timezone\":\"UTC\",\"enqueued_at\":\"",
        );
        write::push_instant(out, job.now_unix_ns);
        out.extend_from_slice(b"\"}]");
    }

    fn job(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.as_bytes());
        self.arguments(job, out);
        out.extend_from_slice(self.middle.as_bytes());
        job.id.push_short(out);
        out.extend_from_slice(b"\",\"created_at\":");
        self.time(out, job.now_unix_ns);
        // One for later is enqueued when its time has come.
        if job.delay_ns == 0 {
            out.extend_from_slice(b",\"enqueued_at\":");
            self.time(out, job.now_unix_ns);
        }
        out.push(b'}');
    }
}

impl Encode for Sidekiq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        if job.delay_ns > 0 {
            let add = unit.shared(2, |args| words(args, &[b"ZADD", b"schedule"]));
            add.push_with(|out| seconds(out, job.ready_unix_ns()));
            add.push_with(|out| self.job(job, out));
            return;
        }
        let push = unit.shared(0, |args| words(args, &[b"LPUSH", self.key.as_bytes()]));
        push.push_with(|out| self.job(job, out));
        unit.shared(1, |args| words(args, &[b"SADD", b"queues", self.queue.as_bytes()]));
    }
}

/// The queue; the sets that all queues share; and the totals, which workers add to every few seconds
/// and which count attempts. How busy they are stands with each process.
#[derive(Debug)]
pub(super) struct Processes {
    plain: Plain,
}

pub(super) fn watch(name: &str) -> Processes {
    let key = format!("queue:{name}");
    let plain = Plain::default()
        .ask(Kind::Waiting, &["LLEN", &key])
        .ask(Kind::Delayed, &["ZCARD", "schedule"])
        .ask(Kind::Failed, &["ZCARD", "retry"])
        .ask(Kind::Dead, &["ZCARD", "dead"])
        .ask(Kind::Processed, &["GET", "stat:processed"])
        .ask(Kind::FailedTotal, &["GET", "stat:failed"])
        .of_all_queues();
    let plain = plain.ask(Kind::Head, &["LINDEX", &key, "-1"]);
    Processes { plain }
}

/// Processes whose work a look adds up.
const PROCESSES: usize = 100;

impl Watch for Processes {
    fn ask(&mut self) -> Vec<Args> {
        let mut asks = self.plain.questions();
        asks.push(command(&[b"SMEMBERS", b"processes"]));
        asks
    }

    fn ask_more(&mut self, answers: &[Value]) -> Vec<Args> {
        let processes = answers.get(self.plain.len()).map(items).unwrap_or_default();
        let names = processes.iter().take(PROCESSES).filter_map(bytes);
        names.map(|name| command(&[b"HGET", name, b"busy"])).collect()
    }

    fn read(&mut self, answers: &[Value], more: &[Value], _: Clocks) -> Result<Seen, Value> {
        let mut seen = self.plain.answers(answers)?;
        // Of all queues together, so it is not part of this one's depth where it is 0.
        seen.busy = Some(more.iter().filter_map(number).sum());
        let head = answers.get(self.plain.len() - 1).and_then(bytes);
        seen.oldest_unix_ms = head.and_then(enqueued_ms);
        Ok(seen)
    }
}

/// When a job was enqueued: in seconds with a fraction up to version 7, in milliseconds from 8 on.
fn enqueued_ms(job: &[u8]) -> Option<u64> {
    let key = b"\"enqueued_at\":";
    // The job's own stands last; an ActiveJob has one in its arguments, which is a text.
    let at = job.windows(key.len()).rposition(|window| window == key)?;
    let digits = &job[at + key.len()..];
    let end = digits.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E'));
    let number: f64 = std::str::from_utf8(&digits[..end?]).ok()?.parse().ok()?;
    Some(if number < 1e11 { number * 1e3 } else { number } as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_tells_since_when_it_waits() {
        for (job, ms) in [
            (r#"{"jid":"x","enqueued_at":1763732400.123456}"#, Some(1_763_732_400_123)),
            (r#"{"enqueued_at":1763732400123,"jid":"x"}"#, Some(1_763_732_400_123)),
            (r#"{"args":[{"enqueued_at":"2025"}]}"#, None),
            ("{}", None),
        ] {
            assert_eq!(enqueued_ms(job.as_bytes()), ms, "{job}");
        }
    }
}
