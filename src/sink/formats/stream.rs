//! Jobs in a stream: `XADD key [MAXLEN ~ n] * field value …`, one command a job.

use super::watch::{Clocks, Seen, Watch, bytes, field, items, number, stream_ms};
use super::{Encode, Job, command, words};
use crate::job::Envelope;
use crate::sink::{Args, Unit};
use redis::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Stream {
    key: String,
    max_len: Option<String>,
    groups: Vec<String>,
}

impl Stream {
    pub(super) fn new(name: &str, max_len: Option<u64>, envelope: &Envelope) -> Stream {
        Stream {
            key: name.to_owned(),
            max_len: max_len.map(|entries| entries.to_string()),
            groups: envelope.texts("group").to_vec(),
        }
    }
}

/// The words before the fields. With `max_len` the server trims to about that many entries, at the
/// borders of its own blocks, which costs it nothing.
pub(super) fn begin(key: &[u8], max_len: Option<&str>, args: &mut Args) {
    words(args, &[b"XADD", key]);
    if let Some(max_len) = max_len {
        words(args, &[b"MAXLEN", b"~", max_len.as_bytes()]);
    }
    args.push(b"*");
}

impl Encode for Stream {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        begin(self.key.as_bytes(), self.max_len.as_deref(), args);
        job.template.write_fields(&job.context, args);
    }

    fn prepare(&self) -> Vec<Args> {
        groups(&self.key, &self.groups)
    }
}

/// Makes groups from the stream's first entry on: a worker that comes later misses nothing.
pub(super) fn groups(key: &str, groups: &[String]) -> Vec<Args> {
    let create = |group: &String| {
        command(&[b"XGROUP", b"CREATE", key.as_bytes(), group.as_bytes(), b"0", b"MKSTREAM"])
    };
    groups.iter().map(create).collect()
}

/// What the slowest group has left, since when its oldest undelivered entry waits, and since when each
/// of the oldest pending entries waited before it was delivered.
#[derive(Debug)]
pub(super) struct Groups {
    key: String,
    /// Per group the last entry that was counted.
    counted: BTreeMap<Vec<u8>, (u64, u64)>,
}

/// Pending entries of a group that a look takes in.
const SAMPLE: &str = "100";

pub(super) fn watch(name: &str) -> Groups {
    Groups { key: name.to_owned(), counted: BTreeMap::new() }
}

impl Watch for Groups {
    fn ask(&mut self) -> Vec<Args> {
        let key = self.key.as_bytes();
        vec![command(&[b"XLEN", key]), command(&[b"XINFO", b"GROUPS", key])]
    }

    fn ask_more(&mut self, answers: &[Value]) -> Vec<Args> {
        let groups = answers.get(1).map(items).unwrap_or_default();
        let key = self.key.as_bytes();
        // The first entry that a group has not had; of a stream without groups, which nobody has had,
        // the first of all.
        let next = |last: &[u8]| {
            let after = if last.is_empty() { b"-".to_vec() } else { [b"(", last].concat() };
            command(&[b"XRANGE", key, &after, b"+", b"COUNT", b"1"])
        };
        if groups.is_empty() {
            return vec![next(b"")];
        }
        // From the last one counted on.
        let since = |group: &[u8]| match self.counted.get(group) {
            Some((ms, seq)) => format!("({ms}-{seq}"),
            None => "-".to_owned(),
        };
        let ask = |group: &Value| {
            let name = field(group, "name").and_then(bytes).unwrap_or_default();
            let last = field(group, "last-delivered-id").and_then(bytes).unwrap_or_default();
            let start = since(name);
            let pending: [&[u8]; 6] =
                [b"XPENDING", key, name, start.as_bytes(), b"+", SAMPLE.as_bytes()];
            [command(&pending), next(last)]
        };
        groups.iter().flat_map(ask).collect()
    }

    fn read(&mut self, answers: &[Value], more: &[Value], clocks: Clocks) -> Result<Seen, Value> {
        let length = match answers.first() {
            Some(error @ Value::ServerError(_)) => return Err(error.clone()),
            answer => answer.and_then(number).unwrap_or(0),
        };
        // A key that is not there has no groups to ask for.
        let groups = answers.get(1).map(items).unwrap_or_default();
        let mut seen = Seen { waiting: Some(length), ..Seen::default() };
        let slowest =
            groups.iter().map(|group| left(group, length)).max_by_key(|(lag, active)| lag + active);
        if let Some((lag, active)) = slowest.filter(|_| length > 0) {
            (seen.waiting, seen.active) = (Some(lag), Some(active));
        }
        let heads = if groups.is_empty() { more } else { &[] };
        let heads = heads.iter().chain(more.iter().skip(1).step_by(2).take(groups.len()));
        let oldest_ms =
            heads.filter_map(|entries| stream_ms(items(items(entries).first()?).first()?));
        seen.oldest_unix_ms = oldest_ms.min().map(|ms| clocks.local_ms(ms));
        for (group, pending) in groups.iter().zip(more.iter().step_by(2)) {
            let Some(name) = field(group, "name").and_then(bytes) else { continue };
            for entry in items(pending) {
                let [id, _, idle, _] = items(entry) else { continue };
                let (Some(ms), Some(idle_ms)) = (stream_ms(id), number(idle)) else { continue };
                let begun_us = clocks.server_us.saturating_sub(idle_ms * 1_000);
                seen.pickups_us.push(begun_us.saturating_sub(ms * 1_000));
                self.counted.insert(name.to_vec(), (ms, sequence(id)));
            }
        }
        Ok(seen)
    }
}

fn sequence(id: &Value) -> u64 {
    let text = bytes(id).and_then(|text| std::str::from_utf8(text).ok());
    text.and_then(|text| text.split_once('-')?.1.parse().ok()).unwrap_or(0)
}

/// What a group has left: entries not yet delivered to it (`lag`), and delivered but not acknowledged
/// (`pending`). Where the server can't tell the lag (null, or no such field before Redis 7) it is the
/// stream's length at most; and since it counts trimmed entries too, no group has more than that.
fn left(group: &Value, length: u64) -> (u64, u64) {
    let count = |word| field(group, word).filter(|value| **value != Value::Nil).and_then(number);
    let pending = count("pending").unwrap_or(0).min(length);
    (count("lag").unwrap_or(length).min(length - pending), pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(fields: &[(&str, Value)]) -> Value {
        let words = fields
            .iter()
            .flat_map(|(name, value)| [Value::BulkString(name.as_bytes().to_vec()), value.clone()]);
        Value::Array(words.collect())
    }

    fn depth(groups: &[Value]) -> u64 {
        let answers = [Value::Int(10), Value::Array(groups.to_vec())];
        watch("q").read(&answers, &[], Clocks::default()).unwrap().depth()
    }

    #[test]
    fn the_slowest_group_counts() {
        let left = |lag: Value, pending| group(&[("pending", Value::Int(pending)), ("lag", lag)]);
        assert_eq!(depth(&[]), 10);
        assert_eq!(depth(&[left(Value::Int(3), 2)]), 5);
        assert_eq!(depth(&[left(Value::Int(3), 2), left(Value::Int(0), 7)]), 7);
        assert_eq!(depth(&[left(Value::Int(0), 0)]), 0);
        assert_eq!(depth(&[left(Value::Nil, 0)]), 10);
        assert_eq!(depth(&[left(Value::Int(18), 0)]), 10);
        assert_eq!(depth(&[group(&[("pending", Value::Int(4))])]), 10);
    }

    #[test]
    fn a_pending_entry_tells_its_pickup_once() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let answers = [Value::Int(10), Value::Array(vec![group(&[("name", text("g"))])])];
        let entry = |id: &str, idle| {
            Value::Array(vec![text(id), text("worker"), Value::Int(idle), Value::Int(1)])
        };
        let mut watch = watch("q");
        let clocks = Clocks { server_us: 2_000_000, ahead_us: 0 };
        let pending = Value::Array(vec![entry("1900-0", 60), entry("1950-3", 10)]);
        let next = Value::Array(vec![Value::Array(vec![text("1960-0"), Value::Array(vec![])])]);
        let seen = watch.read(&answers, &[pending, next], clocks).unwrap();
        assert_eq!(seen.pickups_us, [40_000, 40_000]);
        assert_eq!(seen.oldest_unix_ms, Some(1_960));
        let asked = watch.ask_more(&answers);
        let words: Vec<_> = asked[0].iter().map(String::from_utf8_lossy).collect();
        assert_eq!(words.join(" "), "XPENDING q g (1950-3 + 100");
    }

    #[test]
    fn without_a_group_the_first_entry_is_the_oldest() {
        let mut watch = watch("q");
        let answers = [Value::Int(2), Value::Array(vec![])];
        let asked = watch.ask_more(&answers);
        let words: Vec<_> = asked[0].iter().map(String::from_utf8_lossy).collect();
        assert_eq!(words.join(" "), "XRANGE q - + COUNT 1");
        let id = Value::BulkString(b"1900-1".to_vec());
        let first = Value::Array(vec![Value::Array(vec![id, Value::Array(vec![])])]);
        let clocks = Clocks { server_us: 2_000_000, ahead_us: 100_000 };
        let seen = watch.read(&answers, &[first], clocks).unwrap();
        assert_eq!(seen.oldest_unix_ms, Some(1_800));
    }
}
