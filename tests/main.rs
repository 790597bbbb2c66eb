//! Every integration test, in one binary.

mod check_props;
mod check_scripts;
