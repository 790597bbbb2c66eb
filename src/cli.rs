//! The command line: the only room that prints and that knows exit codes.

mod check;
#[cfg(unix)]
mod ctl;
mod diff;
mod explain;
mod files;
mod fmt;
mod health;
mod lines;
mod new;
mod output;
mod pages;
mod plan;
mod policy;
mod profiles;
mod report;
mod run;
mod shared;
mod target;

use clap::{Parser, Subcommand};
use output::Color;
use std::process::ExitCode;

/// What a command came to. The numbers are a contract, see `docs/interfaces.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; every expectation met.
    Done = 0,
    /// Done, but an expectation was missed, or a difference was found.
    Missed = 1,
    /// The script, a flag or a file is wrong; nothing was sent.
    Wrong = 2,
    /// Stopped by a guard.
    Guard = 3,
    /// The target could not be reached or failed for good.
    Failed = 4,
    /// Stopped by hand.
    Interrupted = 130,
}

impl Exit {
    /// The exit of a run by its report's code.
    fn from_code(code: u8) -> Exit {
        match code {
            0 => Exit::Done,
            1 => Exit::Missed,
            2 => Exit::Wrong,
            3 => Exit::Guard,
            4 => Exit::Failed,
            _ => Exit::Interrupted,
        }
    }
}

/// A language for load: so many jobs, at exactly these times, into a real Redis queue.
#[derive(Debug, Parser)]
#[command(name = "loadc", version, about, max_term_width = 100)]
struct Cli {
    /// When to use colour
    #[arg(long, value_enum, global = true, default_value = "auto", value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find every mistake in scripts, and prove their guards
    Check(check::Args),
    /// Say a script in plain sentences, or what an error code means
    Explain(explain::Args),
    /// Write scripts in their one canonical form
    Fmt(fmt::Args),
    /// Write a commented script to start from
    New(new::Args),
    /// List the scenarios that `new` can start from
    Profiles,
    /// Show what a script comes to: its phrases, totals and curve
    Plan(plan::Args),
    /// Show what changed in a load between two scripts
    Diff(diff::Args),
    /// Send a script's jobs at their planned times
    Run(run::Args),
    /// Make the page of a run from its JSON
    Report(report::ReportArgs),
    /// Put runs side by side
    Compare(report::CompareArgs),
    /// Steer a run on this machine, or ask how it is
    #[cfg(unix)]
    Ctl(ctl::Args),
    /// List the runs on this machine
    #[cfg(unix)]
    Ps(ctl::PsArgs),
    /// Ask a target how it is: version, role, memory, latency
    Health(health::Args),
    /// Print completions for a shell
    Completions(pages::CompletionsArgs),
    /// Print a manual page
    Man(pages::ManArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and errors itself, in its own colours; a closed pipe is no fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Wrong as u8 } else { 0 });
        }
    };
    let out = output::Output::new(cli.color);
    let exit = match cli.command {
        Command::Check(args) => check::run(&args, &out),
        Command::Explain(args) => explain::run(&args, &out),
        Command::Fmt(args) => fmt::run(&args, &out),
        Command::New(args) => new::run(&args, &out),
        Command::Profiles => profiles::run(&out),
        Command::Plan(args) => plan::run(&args, &out),
        Command::Diff(args) => diff::run(&args, cli.color, &out),
        Command::Run(args) => run::run(&args, &out),
        Command::Report(args) => report::report(&args, &out),
        Command::Compare(args) => report::compare(&args, &out),
        #[cfg(unix)]
        Command::Ctl(args) => ctl::run(&args, &out),
        #[cfg(unix)]
        Command::Ps(args) => ctl::ps(&args, &out),
        Command::Health(args) => health::run(&args, &out),
        Command::Completions(args) => pages::completions(&args, &out),
        Command::Man(args) => pages::man(&args, &out),
    };
    let exit = match exit {
        Exit::Done | Exit::Missed if out.has_lost() => Exit::Wrong,
        exit => exit,
    };
    ExitCode::from(exit as u8)
}
