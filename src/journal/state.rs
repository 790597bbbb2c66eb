//! What a journal tells in whole.

use crate::schedule::Joint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which run a journal is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of loadc that wrote it.
    pub version: String,
    /// The run's id.
    pub run_id: String,
    /// The script's file as it was named, `-` for standard input.
    pub file: String,
    /// The folder it was named in.
    pub folder: String,
    /// The plan's digest.
    pub digest: String,
    /// The plan's seed.
    pub seed: u64,
    /// The words of the command line, the program's name first, without a password.
    pub flags: Vec<String>,
    /// The target as it was shown, without its password.
    pub target: String,
    /// The run's first start, in nanoseconds since the Unix epoch.
    pub started_unix_ns: u64,
    /// Whether each batch leaves its number beside the queue.
    pub proven: bool,
    /// The jobs of each stream's plan.
    pub jobs: Vec<u64>,
    /// The queue beside which batches leave their numbers; none for the first of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Its script was read again while it ran: digest, seed and jobs are those of the newest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reloaded: bool,
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The run's time, in nanoseconds.
    pub run_ns: u64,
    /// The number of the next batch.
    pub next_batch: u64,
    /// The newest batch of which jobs were acknowledged; 0 for none.
    pub settled: u64,
    /// Queues whose commands failed by themselves when they were last answered, as where a key holds
    /// something else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refusing: BTreeSet<String>,
    /// The same lane by lane; none for lanes of which none were.
    #[serde(default)]
    pub settled_in: Vec<u64>,
    /// Its streams.
    pub streams: Vec<StreamBase>,
}

/// Where a stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamBase {
    /// Its own time, in nanoseconds.
    pub stream_ns: u64,
    /// Every job before this index has been handed out.
    pub next: u64,
    /// Those of them that are to be handed out again.
    pub returned: Vec<u64>,
    /// Jobs from that index on that are left out: first and last of each row, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<(u64, u64)>,
    /// It was stopped by itself: nothing more falls due in it.
    #[serde(default)]
    pub stopped: bool,
    /// Where its present script was spliced in, if the run began with another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint: Option<Joint>,
    /// A script that was spliced in has no such load: what is not sent of it is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// Where it left the plan: what it follows from there on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seams: Vec<Seam>,
    /// What became of the others.
    pub account: Account,
    /// The same by kind of job.
    pub by_job: Vec<Account>,
    /// The names of those kinds; none where they are the plan's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

/// A load that the script has no more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Its name.
    pub name: Option<String>,
}

/// A place at which a stream began to follow its script otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seam {
    /// The stream's own time then, from the plan's start, in nanoseconds.
    pub at_ns: u64,
    /// The script's time at which it goes on, in nanoseconds; none for where it was.
    pub to_ns: Option<u64>,
    /// By what the script's rates are multiplied from here on.
    pub factor: f64,
    /// Jobs that had fallen due.
    pub due: u64,
    /// Jobs of the stream in all, by what it follows now.
    pub jobs: u64,
}

impl Eq for Seam {}

/// What became of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Accepted.
    pub acked: u64,
    /// Refused.
    pub failed: u64,
    /// Nobody can tell.
    pub unknown: u64,
    /// Given up.
    pub skipped: u64,
    /// Left out of the plan, and never due.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cut: u64,
}

/// What serde asks before it writes a number.
fn is_none(jobs: &u64) -> bool {
    *jobs == 0
}

impl Account {
    /// All of them that were due.
    pub fn jobs(&self) -> u64 {
        [self.failed, self.unknown, self.skipped]
            .iter()
            .fold(self.acked, |sum, more| sum.saturating_add(*more))
    }
}
