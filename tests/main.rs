//! Every integration test, in one binary, one module for each subject.

mod check_scripts;
mod cli_plan;
mod cli_run;
mod docs;
mod exactly_once;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/redis_server.rs"]
mod redis_server;
mod walls;
