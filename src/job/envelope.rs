//! What a job's framework is told besides the job itself: which function to call, how often to try
//! again, when to begin; and the id that sets the job apart.

use super::Value;
use super::write;
use crate::random::{Key, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a framework is told of a job. Which words it knows and which it needs is in
/// [`super::layouts`]; `check` has refused all others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Envelope {
    /// The options of the format, by their words.
    pub options: BTreeMap<String, Setting>,
    /// `kwargs { … }`: named arguments.
    pub kwargs: Option<Value>,
    /// `delay 0s..30s`: how long after its enqueueing a job may be taken, in nanoseconds, drawn
    /// uniformly, both ends included.
    pub delay_ns: Option<(u64, u64)>,
    /// `priority 1..5`: the framework's own number, drawn uniformly, both ends included.
    pub priority: Option<(i64, i64)>,
    /// The commands of a `custom` job, each with its words.
    pub commands: Vec<Vec<Vec<WordPart>>>,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Setting {
    /// `lifo`, `retry false`
    Flag(bool),
    /// `retry 3`
    Count(u64),
    /// `expires 1h`, in nanoseconds.
    Duration(u64),
    /// `class "OrderWorker"`; several where the word may be repeated.
    Texts(Vec<String>),
}

/// A piece of a word of a command.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum WordPart {
    /// Characters.
    Literal(String),
    /// `key`: the queue's name.
    Key,
    /// `id`: the job's own id.
    Id,
    /// `body`: the payload.
    Body,
    /// A value: strings without their quotes, everything else as JSON.
    Value(Value),
}

impl Envelope {
    /// Whether there is nothing to be told.
    pub fn is_empty(&self) -> bool {
        *self == Envelope::default()
    }

    /// An option that is a text.
    pub fn text(&self, word: &str) -> Option<&str> {
        self.texts(word).first().map(String::as_str)
    }

    /// An option that may be given several times.
    pub fn texts(&self, word: &str) -> &[String] {
        match self.options.get(word) {
            Some(Setting::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// An option that is a number.
    pub fn count(&self, word: &str) -> Option<u64> {
        match self.options.get(word) {
            Some(Setting::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// An option that is a length of time, in nanoseconds.
    pub fn duration_ns(&self, word: &str) -> Option<u64> {
        match self.options.get(word) {
            Some(Setting::Duration(ns)) => Some(*ns),
            _ => None,
        }
    }

    /// An option that is yes or no.
    pub fn flag(&self, word: &str) -> Option<bool> {
        match self.options.get(word) {
            Some(Setting::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// Whether a flag is set.
    pub fn is_set(&self, word: &str) -> bool {
        self.flag(word) == Some(true)
    }
}

/// What the ids of one kind of job in one run are made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdKey(Key);

impl IdKey {
    /// From (seed, load, job) and the run: the same plan run twice makes different ids.
    pub(super) fn new(job: Key, run: &str) -> IdKey {
        IdKey(job.named(Kind::Run, run))
    }

    /// The id of the job of a number that may be taken from an instant on.
    pub fn id(self, number: u64, ready_unix_ns: u64) -> Id {
        let [high, low] = self.0.pair(number);
        let ready_ms = (ready_unix_ns / 1_000_000) & 0xFFFF_FFFF_FFFF;
        Id { high: ready_ms << 16 | 0x7000 | high & 0x0FFF, low: low & (u64::MAX >> 2) | 1 << 63 }
    }
}

/// A job's id in its framework: a UUID of version 7 (RFC 9562), which begins with the millisecond
/// from which on the job may be taken. So whoever sees the id knows how long the job has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    high: u64,
    low: u64,
}

impl Id {
    /// Appends it as a UUID.
    pub fn push_uuid(self, out: &mut Vec<u8>) {
        write::push_uuid_bits(out, [self.high, self.low]);
    }

    /// Appends 24 hexadecimal digits: the milliseconds, and 48 of the random bits.
    pub fn push_short(self, out: &mut Vec<u8>) {
        let head = (self.high >> 16) as u128;
        let digits = head << 48 | u128::from(self.low & 0xFFFF_FFFF_FFFF);
        for place in (0..24).rev() {
            out.push(b"0123456789abcdef"[(digits >> (4 * place)) as usize & 15]);
        }
    }

    /// Appends 32 hexadecimal digits, the UUID without its hyphens.
    pub fn push_hex(self, out: &mut Vec<u8>) {
        let digits = u128::from(self.high) << 64 | u128::from(self.low);
        for place in (0..32).rev() {
            out.push(b"0123456789abcdef"[(digits >> (4 * place)) as usize & 15]);
        }
    }

    /// The instant from which on the job may be taken, in milliseconds since the Unix epoch.
    pub fn ready_unix_ms(self) -> u64 {
        self.high >> 16
    }

    /// The first of loadc's ids in some bytes, with hyphens or without; none if there is no UUID
    /// of version 7 in them.
    pub fn find(bytes: &[u8]) -> Option<Id> {
        (0..bytes.len()).find_map(|start| Id::at(&bytes[start..]))
    }

    /// An id at the start of some bytes.
    pub fn at(bytes: &[u8]) -> Option<Id> {
        let hyphens = bytes.get(8) == Some(&b'-');
        let length = if hyphens { 36 } else { 32 };
        let text = bytes.get(..length)?;
        let mut bits: u128 = 0;
        for (at, byte) in text.iter().enumerate() {
            if hyphens && matches!(at, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            bits = bits << 4 | u128::from(char::from(*byte).to_digit(16)?);
        }
        let id = Id { high: (bits >> 64) as u64, low: bits as u64 };
        (id.high >> 12 & 15 == 7 && id.low >> 62 == 2).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: &str) -> IdKey {
        IdKey::new(Key::stream(1, None), run)
    }

    #[test]
    fn ids_are_uuids_of_version_7_that_tell_their_instant() {
        for number in 1..200 {
            let ready_ns = 1_763_732_400_123_456_789 + number * 1_000_003;
            let id = key("a").id(number, ready_ns);
            let mut text = Vec::new();
            id.push_uuid(&mut text);
            let uuid = uuid::Uuid::try_parse_ascii(&text).unwrap();
            assert_eq!(uuid.get_version_num(), 7);
            assert_eq!(id.ready_unix_ms(), ready_ns / 1_000_000);
            assert_eq!(Id::find(&[b"{\"id\":\"", &text[..], b"\"}"].concat()), Some(id));
            let mut hex = Vec::new();
            id.push_hex(&mut hex);
            assert_eq!(String::from_utf8(hex.clone()).unwrap(), uuid.simple().to_string());
            assert_eq!(Id::find(&hex), Some(id));
            let mut short = Vec::new();
            id.push_short(&mut short);
            let text = String::from_utf8(short).unwrap();
            assert_eq!(text.len(), 24);
            assert_eq!(u64::from_str_radix(&text[..12], 16), Ok(id.ready_unix_ms()));
        }
    }

    #[test]
    fn two_runs_of_one_seed_share_no_id() {
        let ids = |run| (1..=1_000).map(move |number| key(run).id(number, 0));
        let all: std::collections::HashSet<_> = ids("a").chain(ids("b")).collect();
        assert_eq!(all.len(), 2_000);
        assert!(ids("a").eq(ids("a")));
    }

    #[test]
    fn other_ids_are_not_mistaken() {
        assert_eq!(Id::find(b"9b2ba7a8-5a9d-4f2a-9d55-0f0f7d3a1c11"), None);
        assert_eq!(Id::find(b"not an id"), None);
        assert_eq!(Id::find(b""), None);
    }
}
