//! What a run tells while it runs. None of it can hold the run up: a reader that falls behind
//! misses events, and is told how many.

use super::guards::{GuardEntry, GuardState};
use crate::stats::Counts;
use crate::stats::errors::Fate;
use crate::stats::history::SharedHistory;
use crate::stats::minutes::Minute;
use crate::stats::workers::WorkersNow;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first job may now fall due.
    Started {
        /// The run's id.
        run_id: String,
        /// The script's file.
        file: String,
        /// The plan's digest.
        digest: String,
        /// Where the jobs go.
        target: String,
        /// Jobs in the plan.
        jobs: u64,
        /// Length of the plan, in seconds.
        duration_s: f64,
    },
    /// Once a second.
    Metrics(Box<Snapshot>),
    /// Something odd that the run goes on from.
    Warning {
        /// What.
        message: String,
    },
    /// A guard is near its bound.
    #[serde(rename = "warning")]
    Near {
        /// What.
        message: String,
        /// The guard and what it measured.
        #[serde(flatten)]
        near: GuardEntry,
    },
    /// Jobs met errors, all of a kind within a second together.
    Error {
        /// The kind, in the server's own word where it gave one.
        kind: String,
        /// What became of the jobs.
        outcome: Fate,
        /// Jobs since the last event of this kind.
        count: u64,
        /// The last message.
        message: String,
    },
    /// A guard was hit.
    Guard {
        /// The hit.
        #[serde(flatten)]
        hit: GuardEntry,
    },
    /// An expectation was decided before the end of the run.
    Expectation {
        /// As written.
        expectation: String,
        /// Whether it was met.
        met: bool,
        /// What was measured: jobs, a share, or microseconds; null if there was nothing.
        value: Option<f64>,
        /// What the value is in.
        unit: super::report::ValueUnit,
        /// Whether it ended the run.
        stopped: bool,
    },
    /// Clocks of streams stand still.
    Paused {
        /// By what: a guard as written, or `hand`.
        by: String,
        /// The stream's name, or none for all.
        stream: Option<String>,
    },
    /// They go on.
    Resumed {
        /// What had paused them.
        by: String,
        /// The stream's name, or none for all.
        stream: Option<String>,
    },
    /// Another plan was spliced in.
    Reloaded {
        /// What came of it.
        #[serde(flatten)]
        reload: super::report::ReloadEntry,
    },
    /// A script was not taken; the run goes on as it was.
    ReloadRejected {
        /// Why.
        message: String,
    },
    /// From here on so many times the plan's jobs fall due.
    Scaled {
        /// How many times.
        factor: f64,
        /// Jobs in the plan now, those sent so far with them.
        planned: u64,
    },
    /// The run goes on at another time of the plan.
    Sought {
        /// Which, in seconds from the plan's start.
        plan_s: f64,
        /// Jobs in the plan now, those sent so far with them.
        planned: u64,
    },
    /// A phrase that waits for its queues has ended: early, or because its time was up.
    Waited {
        /// Which, and how.
        #[serde(flatten)]
        wait: super::report::WaitEntry,
    },
    /// The connection broke. What is due meanwhile is counted and sent later.
    ConnectionLost {
        /// Why.
        message: String,
        /// To which server, where there may be several.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The queues whose jobs wait, where the others' don't.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        queues: Vec<String>,
    },
    /// It is there again.
    Reconnected {
        /// After how long.
        after_s: f64,
        /// To which server, where there may be several.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The queues whose jobs waited, where the others' did not.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        queues: Vec<String>,
    },
    /// loadc itself did not run for a while: it was stopped, the machine suspended or too busy.
    /// What fell due meanwhile is overdue.
    Stalled {
        /// For how long.
        for_s: f64,
    },
    /// The server lost jobs that it had acknowledged.
    Forgot {
        /// How many.
        acked_jobs: u64,
        /// How it is known.
        message: String,
    },
    /// The run is over.
    Stopped {
        /// How: `done`, `stopped`, `guard`, `missed`, `interrupted`, `failed`.
        outcome: super::report::OutcomeName,
        /// The exit code.
        exit_code: u8,
        /// The account.
        jobs: Counts,
    },
}

/// An event and its place in time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Nanoseconds since the Unix epoch, shown in RFC 3339.
    #[serde(serialize_with = "rfc_3339")]
    pub at: u64,
    /// Seconds since the run's start.
    pub t_s: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Event {
    /// Its name, as its JSON has it.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Started { .. } => "started",
            Event::Metrics(_) => "metrics",
            Event::Warning { .. } | Event::Near { .. } => "warning",
            Event::Error { .. } => "error",
            Event::Guard { .. } => "guard",
            Event::Expectation { .. } => "expectation",
            Event::Paused { .. } => "paused",
            Event::Resumed { .. } => "resumed",
            Event::ConnectionLost { .. } => "connection_lost",
            Event::Reconnected { .. } => "reconnected",
            Event::Forgot { .. } => "forgot",
            Event::Stopped { .. } => "stopped",
            Event::Reloaded { .. } => "reloaded",
            Event::ReloadRejected { .. } => "reload_rejected",
            Event::Scaled { .. } => "scaled",
            Event::Sought { .. } => "sought",
            Event::Stalled { .. } => "stalled",
            Event::Waited { .. } => "waited",
        }
    }
}

impl Record {
    /// Its instant as text.
    pub fn at_text(&self) -> String {
        instant_text(self.at)
    }
}

/// An instant as text: UTC, with milliseconds.
pub(crate) fn instant_text(unix_ns: u64) -> String {
    let since = SignedDuration::from_millis(i64::try_from(unix_ns / 1_000_000).unwrap_or(i64::MAX));
    Timestamp::from_duration(since).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

fn rfc_3339<S: Serializer>(unix_ns: &u64, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&instant_text(*unix_ns))
}

/// A run at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// Seconds since the run's start.
    pub elapsed_s: f64,
    /// Seconds to the plan's end, if nothing pauses it from here on.
    pub remaining_s: f64,
    /// The planned rate now, in jobs per second.
    pub target_per_s: f64,
    /// Jobs fallen due in the last second.
    pub offered_per_s: f64,
    /// Jobs sent in the last second.
    pub achieved_per_s: f64,
    /// The account so far.
    pub jobs: Counts,
    /// Jobs sent and not answered yet.
    pub in_flight: u64,
    /// Jobs due and not sent yet.
    pub overdue: u64,
    /// Jobs waiting in all queues that are written to, as last read.
    pub depth: Option<u64>,
    /// How long the oldest waiting job of all queues has waited, in seconds, where a format tells.
    pub oldest_age_s: Option<f64>,
    /// Jobs that left the queues in the last second, where all of their formats tell and nobody
    /// else writes to them.
    pub processed_per_s: Option<f64>,
    /// Jobs that workers failed in the last second (attempts, where the framework counts those), where
    /// all formats tell.
    pub worker_failures_per_s: Option<f64>,
    /// 99 % of the jobs acknowledged in the last second took no longer than this from their
    /// intended instant, in microseconds.
    pub p99_response_us: Option<f64>,
    /// The same up to their sending.
    pub p99_send_delay_us: Option<f64>,
    /// Distance from the plan so far, a share.
    pub deviation: f64,
    /// Whether every stream that is not over stands still.
    pub paused: bool,
    /// Processors that loadc kept busy in the last second: 0.05 is 5 % of one.
    pub cpu: f64,
    /// Memory that loadc has resident, in bytes, where the system tells.
    pub rss_bytes: Option<u64>,
    /// Each stream.
    pub streams: Vec<StreamState>,
    /// Each queue that is written to or watched.
    pub queues: Vec<QueueState>,
    /// Each guard, and how near it is.
    pub guards: Vec<GuardState>,
    /// The last whole minute.
    #[serde(skip)]
    pub minute: Option<Minute>,
}

/// A stream at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StreamState {
    /// Its name, null for the phrases outside any load.
    pub name: Option<String>,
    /// Where it is in the plan, in seconds from the plan's start: the run's time less its pauses.
    pub place_s: f64,
    /// The planned rate now, in jobs per second.
    pub target_per_s: f64,
    /// Whether it stands still.
    pub paused: bool,
    /// Its account.
    pub jobs: Counts,
}

/// A queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QueueState {
    /// Its name.
    pub name: String,
    /// Jobs waiting in it, as last read.
    pub depth: Option<u64>,
    /// What its workers do; none where that is not watched, or nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkersNow>,
}

/// Where a run tells.
#[derive(Debug)]
pub struct Publisher {
    taps: Vec<(mpsc::Sender<Record>, Arc<AtomicU64>)>,
    snapshots: watch::Sender<Snapshot>,
    history: SharedHistory,
    told: SharedTold,
}

/// What happened so far, once a second's metrics apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// In order; the first of them if there were very many.
    pub records: Vec<Record>,
    /// How many more there were.
    pub unlisted: u64,
    /// How many of each kind.
    pub counts: BTreeMap<String, u64>,
    /// Whether the last script that the run was given was taken; none if there was no other.
    pub reload_taken: Option<bool>,
}

/// What a run writes and views read: they are to be quick.
pub type SharedTold = Arc<Mutex<Told>>;

/// Events beyond these are counted, not listed.
const LISTED: usize = 10_000;

/// Where its views listen. Dropping any of it is fine.
#[derive(Debug)]
pub struct Views {
    /// What happens, in order.
    pub events: mpsc::Receiver<Record>,
    /// How many events found no room.
    pub missed: Arc<AtomicU64>,
    /// The present state, once a second.
    pub snapshots: watch::Receiver<Snapshot>,
    /// What the run was like until now.
    pub history: SharedHistory,
    /// What happened until now.
    pub told: SharedTold,
}

/// A reader of events beside the views.
#[derive(Debug)]
pub struct Tap {
    /// What happens, in order.
    pub events: mpsc::Receiver<Record>,
    /// How many events found no room.
    pub missed: Arc<AtomicU64>,
}

/// A channel from a run to its views that holds so many unread events.
pub fn channel(events: usize) -> (Publisher, Views) {
    let (snapshots, watcher) = watch::channel(Snapshot::default());
    let history = SharedHistory::default();
    let told = SharedTold::default();
    let mut publisher =
        Publisher { taps: Vec::new(), snapshots, history: history.clone(), told: told.clone() };
    let Tap { events, missed } = publisher.tap(events);
    (publisher, Views { events, missed, snapshots: watcher, history, told })
}

impl Publisher {
    /// One more reader of all events from here on, with room for so many unread ones.
    pub fn tap(&mut self, events: usize) -> Tap {
        let (sender, receiver) = mpsc::channel(events.max(1));
        let missed = Arc::new(AtomicU64::new(0));
        self.taps.push((sender, missed.clone()));
        Tap { events: receiver, missed }
    }

    /// Tells an event to each reader that is not too far behind. With no reader left, nobody
    /// misses it.
    pub(crate) fn tell(&self, record: Record) {
        for (events, missed) in &self.taps {
            if let Err(mpsc::error::TrySendError::Full(_)) = events.try_send(record.clone()) {
                missed.fetch_add(1, Ordering::Relaxed);
            }
        }
        if !matches!(record.event, Event::Metrics(_)) {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            match record.event {
                Event::Reloaded { .. } => told.reload_taken = Some(true),
                Event::ReloadRejected { .. } => told.reload_taken = Some(false),
                _ => {}
            }
            *told.counts.entry(record.event.name().to_owned()).or_default() += 1;
            if told.records.len() < LISTED {
                told.records.push(record);
            } else {
                told.unlisted += 1;
            }
        }
    }

    /// What was told, for the report, and how much more.
    pub(crate) fn take_told(&self) -> (Vec<Record>, u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut told.records), told.unlisted)
    }

    /// The history that the run writes.
    pub(crate) fn history(&self) -> &SharedHistory {
        &self.history
    }

    /// What was last shown.
    pub(crate) fn shown(&self) -> Snapshot {
        self.snapshots.borrow().clone()
    }

    /// Shows the present state.
    pub(crate) fn show(&self, snapshot: Snapshot) {
        self.snapshots.send_replace(snapshot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event: Event) -> Record {
        Record { at: 1_763_732_400_123_456_789, t_s: 1.5, event }
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let paused = record(Event::Paused { by: "hand".to_owned(), stream: None });
        assert_eq!(
            serde_json::to_string(&paused).unwrap(),
            r#"{"at":"2025-11-21T13:40:00.123Z","t_s":1.5,"event":"paused","by":"hand","stream":null}"#
        );
        assert_eq!(paused.event.name(), "paused");
        let metrics = serde_json::to_value(record(Event::Metrics(Box::default()))).unwrap();
        assert_eq!((&metrics["event"], &metrics["jobs"]["sent"]), (&"metrics".into(), &0.into()));
    }

    #[test]
    fn a_slow_reader_misses_events_and_a_gone_one_does_not() {
        let (publisher, mut views) = channel(2);
        for number in 0..5 {
            publisher.tell(record(Event::Warning { message: number.to_string() }));
        }
        assert_eq!(views.missed.load(Ordering::Relaxed), 3);
        let message = |record: Record| match record.event {
            Event::Warning { message } => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(views.events.try_recv().map(message).unwrap(), "0");
        drop(views.events);
        publisher.tell(record(Event::Warning { message: String::new() }));
        assert_eq!(views.missed.load(Ordering::Relaxed), 3);
    }
}
