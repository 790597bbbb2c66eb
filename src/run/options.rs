//! What a run can be told beforehand.

use super::resumption::Resumption;
use crate::journal::Journal;
use crate::notify::Notifier;
use crate::plan::Guard;
use crate::schedule::Shard;
use crate::sink::Limits;
use crate::stats::history::Grain;
use crate::stats::process::Meter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a run can be told beforehand. `RunOptions::default()` is what a user gets who says nothing.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The run's id.
    pub run_id: String,
    /// The target as the report names it.
    pub target: String,
    /// Which part of the plan to run.
    pub shard: Shard,
    /// Where to enter the plan, in nanoseconds from its start.
    pub from_ns: u64,
    /// The instant that payloads take for the run's start, in nanoseconds since the Unix epoch;
    /// none for the real one.
    pub payload_start_unix_ns: Option<u64>,
    /// Where the run's steps are noted, so that it can be gone on with.
    pub journal: Option<Arc<Mutex<Journal>>>,
    /// A journal goes on over a reload: whatever the queues, batches leave their numbers in one key.
    pub resumes_reloaded: bool,
    /// Where to go on from, in place of the start.
    pub resumption: Option<Resumption>,
    /// Guards beside the plan's: those that hold by default, and a policy's.
    pub guards: Vec<Guard>,
    /// Who is told of guards that are hit.
    pub notifier: Option<Arc<Notifier>>,
    /// What tells how much this process uses.
    pub meter: Meter,
    /// How fine the history is and how much it keeps.
    pub history: Grain,
    /// The least time between two wake-ups.
    pub gap: Duration,
    /// The most jobs in flight: sent and not answered.
    pub max_in_flight_jobs: u64,
    /// The most bytes of commands in flight, in one batch more than this only if nothing else is
    /// in flight.
    pub max_in_flight_bytes: u64,
    /// The most jobs in one write. A larger number that is due goes out in several, and answers
    /// are read between them.
    pub batch_jobs: u64,
    /// Bytes at which a write takes no further job.
    pub batch_bytes: u64,
    /// How large one command may grow.
    pub command: Limits,
    /// How long to wait for what is in flight when the run is stopped early.
    pub drain: Duration,
    /// For how long the target may refuse everything, for reasons that last, before the run gives
    /// up. While a guard on errors is stated it holds only at the run's end.
    pub refused_for: Duration,
    /// The same where some of the reasons pass by themselves, as a server's being full may.
    pub refused_passing_for: Duration,
    /// How many jobs it must have refused by then.
    pub refused_jobs: u64,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            run_id: String::new(),
            target: String::new(),
            shard: Shard::WHOLE,
            from_ns: 0,
            payload_start_unix_ns: None,
            journal: None,
            resumes_reloaded: true,
            resumption: None,
            guards: Vec::new(),
            notifier: None,
            meter: Meter::default(),
            history: Grain::default(),
            gap: Duration::from_millis(1),
            max_in_flight_jobs: 32_768,
            max_in_flight_bytes: 16 << 20,
            batch_jobs: 2_048,
            batch_bytes: 1 << 20,
            command: Limits::default(),
            drain: Duration::from_secs(10),
            refused_for: Duration::from_secs(5),
            refused_passing_for: Duration::from_secs(30),
            refused_jobs: 100,
        }
    }
}

/// A duration in nanoseconds, as far as 64 bits go.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
