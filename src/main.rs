//! The `loadc` command: everything it does is in the library, see `loadc::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadc::cli::main()
}
