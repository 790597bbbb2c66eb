//! Time: the only place of the house that reads a clock or sleeps.
//!
//! A run counts nanoseconds from its own start on a monotonic clock, so that a step of the wall
//! clock moves no job. The wall clock is read once, at the start, to give the run its place in the
//! calendar.

mod real;
mod rehearsal;

pub use real::RealClock;
pub use rehearsal::{Rehearsal, RehearsalClock};

use std::future::Future;

/// The clock of a run.
pub trait Clock: Send + Sync {
    /// Makes this instant the start of the run: [`Clock::now_ns`] is 0 here.
    fn start(&self) {
        self.start_at(0);
    }

    /// Makes this instant one of a run under way: [`Clock::now_ns`] is `run_ns` here.
    fn start_at(&self, run_ns: u64);

    /// Nanoseconds since the start of the run.
    fn now_ns(&self) -> u64;

    /// The wall clock's reading at the start of the run, in nanoseconds since the Unix epoch.
    fn start_unix_ns(&self) -> u64;

    /// The wall clock's reading now, in nanoseconds since the Unix epoch.
    fn wall_ns(&self) -> u64 {
        self.start_unix_ns().saturating_add(self.now_ns())
    }

    /// Sleeps until an instant of the run. Even when that has passed, other tasks get a turn
    /// first. A clock has one sleeper at a time: of two sleeps at once, the later call counts.
    fn sleep_until(&self, run_ns: u64) -> impl Future<Output = ()> + Send;
}

/// Lets the executor poll whatever else is ready.
pub(crate) async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if given {
            return std::task::Poll::Ready(());
        }
        given = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
