//! Jobs that are done, of which some frameworks keep when they were begun.

use super::{Clocks, Plain, Seen, Watch, bytes, items};
use crate::sink::Args;
use crate::sink::formats::command;
use redis::Value;
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Ids that were seen lately.
#[derive(Debug)]
pub(in crate::sink::formats) struct Recent<K> {
    order: VecDeque<K>,
    known: HashSet<K>,
    most: usize,
}

impl<K: Clone + Eq + Hash> Recent<K> {
    /// Remembers so many.
    pub(in crate::sink::formats) fn new(most: usize) -> Recent<K> {
        Recent { order: VecDeque::new(), known: HashSet::new(), most }
    }

    /// Whether it was not there before.
    pub(in crate::sink::formats) fn is_fresh(&mut self, id: &K) -> bool {
        if !self.known.insert(id.clone()) {
            return false;
        }
        self.order.push_back(id.clone());
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// Finished jobs that a look asks about.
const SAMPLE: usize = 50;

/// Ids that are remembered: as many as a look or two show.
const REMEMBERED: usize = 1_000;

/// A queue whose finished jobs stand in a sorted set, the last ones highest, and keep in a hash of their
/// own when they were begun.
#[derive(Debug)]
pub(in crate::sink::formats) struct Finished {
    plain: Plain,
    /// The sorted set.
    set: String,
    /// What stands before a job's id in the key of its hash.
    base: String,
    /// The fields that tell of its start.
    fields: &'static [&'static str],
    /// How long it waited, by these fields, in microseconds.
    pickup_us: fn(&[Value]) -> Option<u64>,
    counted: Recent<Vec<u8>>,
    /// What was there at the first look is not this run's.
    begun: bool,
}

impl Finished {
    pub(in crate::sink::formats) fn new(
        plain: Plain,
        set: String,
        base: String,
        fields: &'static [&'static str],
        pickup_us: fn(&[Value]) -> Option<u64>,
    ) -> Finished {
        let counted = Recent::new(REMEMBERED);
        Finished { plain, set, base, fields, pickup_us, counted, begun: false }
    }
}

impl Watch for Finished {
    fn ask(&mut self) -> Vec<Args> {
        let mut asks = self.plain.questions();
        let last = (SAMPLE - 1).to_string();
        asks.push(command(&[b"ZREVRANGE", self.set.as_bytes(), b"0", last.as_bytes()]));
        asks
    }

    fn ask_more(&mut self, answers: &[Value]) -> Vec<Args> {
        let ids = answers.get(self.plain.len()).map(items).unwrap_or_default();
        let ids = ids.iter().filter_map(bytes).map(<[u8]>::to_vec);
        let fresh: Vec<_> = ids.filter(|id| self.counted.is_fresh(id)).collect();
        if !std::mem::replace(&mut self.begun, true) {
            return Vec::new();
        }
        let ask = |id: &Vec<u8>| {
            let key = [self.base.as_bytes(), id].concat();
            let mut args = command(&[b"HMGET", &key]);
            self.fields.iter().for_each(|field| args.push(field.as_bytes()));
            args
        };
        fresh.iter().map(ask).collect()
    }

    fn read(&mut self, answers: &[Value], more: &[Value], _: Clocks) -> Result<Seen, Value> {
        let mut seen = self.plain.answers(answers)?;
        seen.pickups_us = more.iter().filter_map(|times| (self.pickup_us)(items(times))).collect();
        Ok(seen)
    }
}
