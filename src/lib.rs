//! loadc, a language for load.
//!
//! A script goes through the house one way, room by room, and each room is a type of its own:
//!
//! ```text
//! text ─parse→ ast::Script ─check→ plan::Plan ─schedule→ due jobs ─pace→ batches ─sink→ acknowledged ─stats→ views
//! ```

pub mod ast;
pub mod calendar;
pub mod check;
pub mod cli;
pub mod ctl;
pub mod diag;
pub mod diff;
pub mod exact;
pub mod explain;
pub mod files;
pub mod fmt;
pub mod gather;
pub mod job;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod parse;
pub mod plan;
pub mod problem;
pub mod profiles;
pub mod random;
pub mod record;
pub mod recording;
pub mod report;
pub mod run;
pub mod schedule;
pub mod show;
pub mod sink;
pub mod source;
pub mod stats;
pub mod target;
pub mod timeline;
pub mod view;
