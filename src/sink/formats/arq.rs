//! arq 0.28: `SET arq:job:ID call PX …` and the id in the sorted set of the queue's name (`arq:queue`
//! by default) by the millisecond it is due.

use super::text::{millis, quoted};
use super::watch::{Clocks, Kind, Plain, Recent, Seen, Watch, bytes, items};
use super::{Encode, Job, command, pickle, words};
use crate::job::{Envelope, Id, write};
use crate::sink::{Args, Unit};
use redis::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// arq's own default: a job that nobody took is forgotten after a day.
const LIFE_MS: u64 = 86_400_000;

#[derive(Debug)]
pub(super) struct Arq {
    key: String,
    function: String,
    json: bool,
    life_ms: u64,
}

impl Arq {
    pub(super) fn new(name: &str, envelope: &Envelope) -> Arq {
        Arq {
            key: name.to_owned(),
            function: envelope.text("function").unwrap_or_default().to_owned(),
            json: envelope.text("serializer") == Some("json"),
            life_ms: envelope.duration_ns("expires").map_or(LIFE_MS, millis),
        }
    }

    fn call(&self, job: &Job<'_>, out: &mut Vec<u8>) {
        if self.json {
            out.extend_from_slice(b"{\"t\":null,\"f\":");
            out.extend_from_slice(quoted(&self.function).as_bytes());
            out.extend_from_slice(b",\"a\":");
            job.body(out);
            out.extend_from_slice(b",\"k\":");
            job.kwargs(out);
            out.extend_from_slice(b",\"et\":");
            write::push_u64(out, job.now_ms());
            out.push(b'}');
            return;
        }
        pickle::begin(out);
        out.extend_from_slice(&[pickle::DICT, pickle::MARK]);
        pickle::string(out, "t");
        out.push(pickle::NONE);
        pickle::string(out, "f");
        pickle::string(out, &self.function);
        pickle::string(out, "a");
        super::pickled(out, |json| job.body(json));
        pickle::string(out, "k");
        super::pickled(out, |json| job.kwargs(json));
        pickle::string(out, "et");
        pickle::integer(out, i64::try_from(job.now_ms()).unwrap_or(i64::MAX));
        out.push(pickle::SETITEMS);
        pickle::end(out);
    }
}

impl Encode for Arq {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        args.push(b"SET");
        args.push_with(|out| {
            out.extend_from_slice(b"arq:job:");
            job.id.push_uuid(out);
        });
        args.push_with(|out| self.call(job, out));
        args.push(b"PX");
        args.push_with(|out| {
            write::push_u64(out, self.life_ms.saturating_add(millis(job.delay_ns)));
        });
        let add = unit.shared(0, |args| words(args, &[b"ZADD", self.key.as_bytes()]));
        add.push_with(|out| write::push_u64(out, job.ready_ms()));
        add.push_with(|out| job.id.push_uuid(out));
    }
}

/// Those that are due, and those for later: an id leaves the set when its job is done, so those in
/// workers' hands count as waiting. Results tell when their jobs began; a look goes over a part of the
/// server's keys for some that are new.
#[derive(Debug)]
pub(super) struct Results {
    plain: Plain,
    cursor: String,
    counted: Recent<Id>,
    /// The instant of the first look, in milliseconds since the Unix epoch: results of jobs from
    /// before it, which lie about for an hour, are not this run's.
    since_unix_ms: u64,
    /// The ids of the results that were asked for.
    asked: Vec<Id>,
}

/// Keys that a look goes over, and results that it reads.
const KEYS: &[u8] = b"500";
const SAMPLE: usize = 50;

/// Results that are remembered, so that none counts twice when the keys have been gone over.
const REMEMBERED: usize = 50_000;

pub(super) fn watch(name: &str) -> Results {
    let plain = Plain::default()
        .ask(Kind::Waiting, &["ZCARD", name])
        .ask(Kind::Head, &["ZRANGE", name, "0", "0"]);
    Results {
        plain,
        cursor: "0".to_owned(),
        counted: Recent::new(REMEMBERED),
        since_unix_ms: unix_ms(),
        asked: Vec::new(),
    }
}

impl Watch for Results {
    fn ask(&mut self) -> Vec<Args> {
        let mut asks = self.plain.questions();
        let from = self.cursor.as_bytes();
        asks.push(command(&[b"SCAN", from, b"MATCH", b"arq:result:*", b"COUNT", KEYS]));
        asks
    }

    fn ask_more(&mut self, answers: &[Value]) -> Vec<Args> {
        let Some([cursor, keys]) = answers.get(self.plain.len()).map(items) else {
            return Vec::new();
        };
        if let Some(next) = bytes(cursor) {
            self.cursor = String::from_utf8_lossy(next).into_owned();
        }
        let keys = items(keys).iter().filter_map(bytes);
        let own = keys.filter_map(|key| {
            let id = Id::find(key).filter(|id| id.ready_unix_ms() >= self.since_unix_ms)?;
            self.counted.is_fresh(&id).then_some((id, key))
        });
        let own: Vec<_> = own.take(SAMPLE).collect();
        self.asked = own.iter().map(|(id, _)| *id).collect();
        own.iter().map(|(_, key)| command(&[b"GET", key])).collect()
    }

    fn read(&mut self, answers: &[Value], more: &[Value], _: Clocks) -> Result<Seen, Value> {
        let mut seen = self.plain.answers(answers)?;
        for (id, result) in std::mem::take(&mut self.asked).into_iter().zip(more) {
            if let Some(begun_ms) = bytes(result).and_then(begun_ms) {
                seen.pickups_us.push(begun_ms.saturating_sub(id.ready_unix_ms()) * 1_000);
            }
        }
        Ok(seen)
    }
}

fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// When a job began, in milliseconds, of its result: the number behind the key `st`, in JSON or in a
/// pickle, where it takes six bytes for some thousands of years.
fn begun_ms(result: &[u8]) -> Option<u64> {
    let behind = |key: &[u8]| {
        let at = result.windows(key.len()).position(|window| window == key)?;
        Some(&result[at + key.len()..])
    };
    if let Some(text) = behind(b"\"st\":") {
        let text = std::str::from_utf8(text).ok()?.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        return text[..end].parse().ok();
    }
    let rest = behind(b"\x8c\x02st").or_else(|| behind(b"X\x02\0\0\0st"))?;
    // A key may be remembered (MEMOIZE, BINPUT) for later use.
    let rest = match rest {
        [0x94, rest @ ..] | [b'q', _, rest @ ..] => rest,
        rest => rest,
    };
    let [0x8A, 6, number @ ..] = rest else { return None };
    let low = number.first_chunk::<6>()?;
    Some(u64::from_le_bytes([low[0], low[1], low[2], low[3], low[4], low[5], 0, 0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_tells_when_its_job_began() {
        // 1763732400123 is 0x019AA6A0A97B.
        let number = 1_763_732_400_123_u64.to_le_bytes();
        let pickle = |key: &[u8]| [b"\x80\x05}(", key, b"\x8a\x06", &number[..6], b"u."].concat();
        for result in [
            pickle(b"\x8c\x02st\x94"),
            pickle(b"X\x02\0\0\0stq\x05"),
            b"{\"et\": 1, \"st\": 1763732400123, \"ft\": 2}".to_vec(),
        ] {
            assert_eq!(begun_ms(&result), Some(1_763_732_400_123));
        }
        assert_eq!(begun_ms(b"nothing"), None);
    }
}
