//! How near the guards are, for those who look on.

use super::{Guards, Watch};
use serde::Serialize;

/// A guard at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GuardState {
    /// The guard as written.
    pub guard: String,
    /// The load it speaks of, null for the whole file.
    pub stream: Option<String>,
    /// What is measured now: jobs in its window, jobs due, seconds, jobs waiting, bytes, a share; 0 for a
    /// file that is not there.
    pub value: f64,
    /// The bound, in the same measure.
    pub limit: f64,
    /// Whether it holds the clock of what it speaks of, slows it, or sheds jobs.
    pub pausing: bool,
    /// How often it has been hit.
    pub hits: u64,
}

impl GuardState {
    /// How near it is: 1 is at the bound.
    pub fn nearness(&self) -> f64 {
        if self.limit > 0.0 {
            self.value / self.limit
        } else if self.value > 0.0 {
            f64::INFINITY
        } else {
            0.0
        }
    }
}

impl Guards {
    /// Each guard with its place, its measure now and its bound. `due` tells the jobs of a stream,
    /// or of all, that have fallen due.
    pub fn states(
        &mut self,
        now_ns: u64,
        due: impl Fn(Option<usize>) -> u64,
    ) -> Vec<(usize, GuardState)> {
        let measured = self.armed.iter_mut().map(|armed| match &mut armed.watch {
            Watch::Rate(window) => window.sum(now_ns) as f64,
            Watch::Jobs => due(armed.guard.stream) as f64,
            Watch::Time => now_ns as f64 / 1e9,
            Watch::Depth(queues) => {
                queues.iter().map(|(_, depth)| *depth).max().unwrap_or(0) as f64
            }
            Watch::Errors(window) => window.share(now_ns),
            Watch::Failed(window) => window.share(now_ns).unwrap_or(0.0),
            Watch::Measured(value) => value.unwrap_or(0.0),
            Watch::File(_) => f64::from(u8::from(armed.acted)),
        });
        let measured: Vec<f64> = measured.collect();
        let state = |(place, value): (usize, f64)| {
            let armed = &self.armed[place];
            let (guard, limit) = (armed.guard.text.clone(), armed.guard.kind.limit());
            let pausing = armed.pausing || armed.brake.is_on();
            (place, GuardState { guard, value, limit, pausing, ..GuardState::default() })
        };
        measured.into_iter().enumerate().map(state).collect()
    }
}
