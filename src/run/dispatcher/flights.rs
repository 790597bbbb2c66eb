//! What is in flight.

use crate::sink::{Ledger, Outcome};
use crate::stats::Flight;
use std::collections::BTreeMap;

/// Batches handed to the sink whose outcome is not known yet, by the order of their sending, each
/// lane's part by itself.
#[derive(Debug)]
pub(super) struct Flights {
    parts: BTreeMap<(u64, usize), Sent>,
    next: u64,
    sum: InFlight,
    by_lane: Vec<InFlight>,
}

/// How much is in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InFlight {
    pub(super) batches: u64,
    pub(super) jobs: u64,
    pub(super) bytes: u64,
}

/// A lane's part of a batch in flight.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ledger: Ledger<Flight>,
    /// The size of each command.
    pub(super) command_bytes: Vec<u64>,
    pub(super) sent_ns: u64,
}

/// The outcome of a lane's part of a batch.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) batch: u64,
    pub(super) lane: usize,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) at_ns: u64,
}

impl Sent {
    fn jobs(&self) -> u64 {
        self.ledger.metas().len() as u64
    }

    fn bytes(&self) -> u64 {
        self.command_bytes.iter().sum()
    }
}

impl Flights {
    /// None so far; the first batch gets this number.
    pub(super) fn from(next: u64) -> Flights {
        let (parts, by_lane) = (BTreeMap::new(), Vec::new());
        Flights { parts, next, sum: InFlight::default(), by_lane }
    }

    /// The number of the next batch.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The number of the oldest batch in flight, or of the next if there is none.
    pub(super) fn oldest(&self) -> u64 {
        self.parts.first_key_value().map_or(self.next, |((batch, _), _)| *batch)
    }

    /// The parts in flight and the numbers of their batches, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Sent)> {
        self.parts.iter().map(|((batch, _), sent)| (*batch, sent))
    }

    /// Gives a batch its number; its parts are added one by one.
    pub(super) fn begin(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Takes a lane's part of a batch in.
    pub(super) fn add(&mut self, batch: u64, lane: usize, sent: Sent) {
        let (jobs, bytes) = (sent.jobs(), sent.bytes());
        if self.by_lane.len() <= lane {
            self.by_lane.resize(lane + 1, InFlight::default());
        }
        for sum in [&mut self.sum, &mut self.by_lane[lane]] {
            sum.batches += 1;
            sum.jobs += jobs;
            sum.bytes += bytes;
        }
        self.parts.insert((batch, lane), sent);
    }

    /// Lets a part go; `None` if it has gone before.
    pub(super) fn remove(&mut self, batch: u64, lane: usize) -> Option<Sent> {
        let sent = self.parts.remove(&(batch, lane))?;
        let (jobs, bytes) = (sent.jobs(), sent.bytes());
        for sum in [&mut self.sum, &mut self.by_lane[lane]] {
            sum.batches -= 1;
            sum.jobs -= jobs;
            sum.bytes -= bytes;
        }
        Some(sent)
    }

    /// The batches and lanes of all parts.
    pub(super) fn parts(&self) -> Vec<(u64, usize)> {
        self.parts.keys().copied().collect()
    }

    pub(super) fn jobs(&self) -> u64 {
        self.sum.jobs
    }

    pub(super) fn bytes(&self) -> u64 {
        self.sum.bytes
    }

    /// What is in flight in a lane.
    pub(super) fn in_lane(&self, lane: usize) -> InFlight {
        self.by_lane.get(lane).copied().unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// When the oldest batch in a lane was sent.
    pub(super) fn oldest_ns_in(&self, lane: usize) -> Option<u64> {
        self.parts.iter().find(|((_, own), _)| *own == lane).map(|(_, sent)| sent.sent_ns)
    }

    /// When the oldest batch was sent.
    pub(super) fn oldest_ns(&self) -> Option<u64> {
        self.parts.first_key_value().map(|(_, sent)| sent.sent_ns)
    }
}
