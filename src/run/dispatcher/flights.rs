//! What is in flight.

use crate::sink::{Ledger, Outcome};
use crate::stats::Flight;
use std::collections::BTreeMap;

/// Batches handed to the sink whose outcome is not known yet, by the order of their sending.
#[derive(Debug)]
pub(super) struct Flights {
    batches: BTreeMap<u64, Sent>,
    next: u64,
    jobs: u64,
    bytes: u64,
}

/// A batch in flight.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ledger: Ledger<Flight>,
    /// The size of each command.
    pub(super) command_bytes: Vec<u64>,
    pub(super) sent_ns: u64,
}

/// The outcome of a batch.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) batch: u64,
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
        Flights { batches: BTreeMap::new(), next, jobs: 0, bytes: 0 }
    }

    /// The number of the next batch.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The number of the oldest batch in flight, or of the next if there is none.
    pub(super) fn oldest(&self) -> u64 {
        self.batches.first_key_value().map_or(self.next, |(batch, _)| *batch)
    }

    /// The batches in flight and their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Sent)> {
        self.batches.iter().map(|(batch, sent)| (*batch, sent))
    }

    /// Takes a batch in and gives it a number.
    pub(super) fn add(&mut self, sent: Sent) -> u64 {
        self.jobs += sent.jobs();
        self.bytes += sent.bytes();
        let batch = self.next;
        self.next += 1;
        self.batches.insert(batch, sent);
        batch
    }

    /// Lets a batch go; `None` if it has gone before.
    pub(super) fn remove(&mut self, batch: u64) -> Option<Sent> {
        let sent = self.batches.remove(&batch)?;
        self.jobs -= sent.jobs();
        self.bytes -= sent.bytes();
        Some(sent)
    }

    /// The numbers of all batches.
    pub(super) fn batches(&self) -> Vec<u64> {
        self.batches.keys().copied().collect()
    }

    pub(super) fn jobs(&self) -> u64 {
        self.jobs
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// When the oldest batch was sent.
    pub(super) fn oldest_ns(&self) -> Option<u64> {
        self.batches.first_key_value().map(|(_, sent)| sent.sent_ns)
    }
}
