//! The run: plans and sinks in, events and a report out.
//!
//! ```text
//! schedules ─Pacer→ due counts ─guards→ allowance ─Backlog→ jobs ─BatchBuilder→ Sink ─outcomes→ stats
//! ```

pub mod clock;
#[cfg(test)]
pub(crate) mod fakes;
pub mod pacer;
pub mod stream_clock;
