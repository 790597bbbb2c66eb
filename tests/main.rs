//! The tests that go through the front door: one binary, one module for each subject.

mod cli_run;
mod docs;
#[path = "support/redis_server.rs"]
mod redis_server;
mod walls;
