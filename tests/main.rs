//! Every integration test, in one binary.

mod check_scripts;
