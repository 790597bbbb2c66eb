//! When each job of a stream is due: the curve turned into numbered instants.

mod batched;
mod drawn;
mod entries;
mod even;
mod expected;
mod flowing;
mod law;
mod placed;
mod renewal;
mod scatter;
mod sections;
mod spliced;

pub use crate::timeline::curve::Arrivals;
pub use crate::timeline::streams::{
    Beyond, DueTimes, RateProof, first_beyond_jobs, first_beyond_rate, jobs_of_sum_by, peak_of_sum,
    rate_of_sum,
};
pub use batched::{Batched, batched};
pub use drawn::{Points, due, first, points};
pub use entries::{Entries, Things, Until, ends_with, thing_and_step, time_of_nth};
pub use even::Even;
pub use expected::{Expected, expected};
pub use flowing::Flowing;
pub use placed::{Placed, Shard};
pub use renewal::Renewal;
pub use scatter::Scatter;
pub use sections::{Block, Sections};
pub use spliced::{Entry, Joint, Source, Spliced};

/// The due jobs of one stream, as an indexed sequence. Times are in nanoseconds from the run's
/// start. Everything here is a pure function, so that a run can stop anywhere and go on from there.
pub trait Schedule: Send + Sync {
    /// How many there are.
    fn len(&self) -> u64;

    /// How many are due at or before `t_ns`.
    fn due_by(&self, t_ns: u64) -> u64;

    /// When the `index`-th (from 1 to [`Schedule::len`]) is due.
    fn time_of(&self, index: u64) -> u64;

    /// The job number of the `index`-th: the same, unless this is one shard of several or a run
    /// that enters the plan later than its start.
    fn number_of(&self, index: u64) -> u64;

    /// The planned rate at an instant, in jobs per second.
    fn rate(&self, t_ns: u64) -> f64;

    /// When the stream is over: not before its last job, and later where the curve ends in a pause.
    fn end_ns(&self) -> u64;

    /// Whether nothing is ever due.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
