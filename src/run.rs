//! The run: plans and sinks in, events and a report out.
//!
//! ```text
//! schedules ─Pacer→ due counts ─guards→ allowance ─Backlog→ jobs ─BatchBuilder→ Sink ─outcomes→ stats
//! ```

pub mod backlog;
pub mod clock;
pub mod control;
#[cfg(test)]
pub(crate) mod fakes;
pub mod guards;
pub mod jobs;
pub mod pacer;
pub mod stream_clock;
