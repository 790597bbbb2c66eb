//! The local socket by which a run is steered: one question a connection, one line of JSON each way.
//!
//! ```text
//! {"do":"scale","factor":1.5}   →   {"ok":true}
//! {"do":"status"}               →   {"ok":true,"status":{ … }}
//! {"do":"events"}               →   {"ok":true}, then a line for each event, until somebody hangs up
//! ```
//!
//! Sockets are in a folder that only their owner may enter, with mode 0600. The server has a thread
//! of its own, so that no client holds a job up.

#[cfg(unix)]
mod client;
mod paths;
#[cfg(unix)]
mod server;

#[cfg(unix)]
pub use client::{CallError, Reply, call, stream};
pub use paths::{Folder, Found, folders, runs};
#[cfg(unix)]
pub use server::{Server, serve};

use serde::{Deserialize, Serialize};

/// The longest line that is read, in bytes: an answer holds a whole history at the most.
const MAX_LINE: u64 = 64 << 20;
/// The longest question.
const MAX_QUESTION: u64 = 4 << 10;

/// What a run can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Question {
    /// Stop the clocks of all loads.
    Pause,
    /// Let them go on.
    Resume,
    /// End gracefully.
    Stop,
    /// So many times the plan's jobs from here on.
    Scale {
        /// How many times.
        factor: f64,
    },
    /// Go on at another time of the plan.
    Seek {
        /// From its start, in nanoseconds.
        plan_ns: Option<u64>,
        /// Or where a clock on the wall first shows this second of the day.
        clock_s: Option<u32>,
    },
    /// Read the script again.
    Reload,
    /// How the run is.
    Status,
    /// What happens, from here on.
    Events,
    /// How it was.
    History {
        /// How far back, in nanoseconds; all of it if not given.
        last_ns: Option<u64>,
    },
}
