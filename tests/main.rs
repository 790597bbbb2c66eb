//! Every integration test, in one binary, one module for each subject.

mod cli_plan;
