//! Every integration test, in one binary, one module for each subject.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod calendar;
mod check_cli;
mod check_props;
mod check_scripts;
mod cli_plan;
mod cli_run;
mod clustered;
mod curves;
mod diff;
mod docs;
mod drawn;
mod exactly_once;
mod explain;
mod flows;
mod fmt;
mod fmt_properties;
mod formats;
mod fuzz_corpus;
mod grammar_page;
mod hold_depth;
#[cfg(target_os = "linux")]
mod lints;
mod live;
mod pages;
mod parts;
mod profiles;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/redis_cluster.rs"]
mod redis_cluster;
#[path = "support/redis_server.rs"]
mod redis_server;
mod report_page;
mod resume;
mod seeing;
#[cfg(unix)]
mod steer_ctl;
mod steer_guards;
mod uses;
mod walls;
mod worker_guards;
