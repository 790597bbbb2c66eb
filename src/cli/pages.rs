//! What the command says of itself to shells and to `man`.

use super::output::Output;
use super::{Cli, Exit};
use crate::problem::Code;
use crate::profiles;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;
use std::io::Write as _;

/// Print what a shell needs to complete the commands and flags of loadc.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Print a manual page, for `man` to read.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The page of one command (`ctl pause` for one of another's); that of loadc itself if not given
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// What the exit codes mean; a contract, see `docs/interfaces.md`.
const EXIT_CODES: [(u8, &str); 6] = [
    (Exit::Done as u8, "Done; every expectation met."),
    (Exit::Missed as u8, "Done, but an expectation was missed, or a difference was found."),
    (Exit::Wrong as u8, "The script, a flag or a file is wrong; nothing was sent."),
    (Exit::Guard as u8, "Stopped by a guard."),
    (Exit::Failed as u8, "The target could not be reached or failed for good."),
    (Exit::Interrupted as u8, "Stopped by hand or interrupted."),
];

/// The section of a page on exit codes.
fn exit_status() -> String {
    let code = |(code, text): &(u8, &str)| format!(".TP\n\\fB{code}\\fR\n{text}\n");
    format!(".SH \"EXIT STATUS\"\n{}", EXIT_CODES.iter().map(code).collect::<String>())
}

/// Prints completions.
pub(super) fn completions(args: &CompletionsArgs, out: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut offering(Cli::command()), "loadc", &mut script);
    out.raw(&String::from_utf8_lossy(&script));
    Exit::Done
}

/// The command with the names that its values may have, for shells to offer.
fn offering(root: Command) -> Command {
    let lints = || Code::ALL.iter().filter_map(|code| code.lint());
    let offer = |names: Vec<&'static str>| {
        move |arg: Arg| arg.value_parser(PossibleValuesParser::new(names))
    };
    let allowed = lints().collect();
    let denied = lints().chain(["warnings"]).collect();
    let scenarios = profiles::ALL.iter().map(|profile| profile.name).collect();
    root.mut_subcommand("check", |check| {
        check.mut_arg("allow", offer(allowed)).mut_arg("deny", offer(denied))
    })
    .mut_subcommand("new", |new| new.mut_arg("from", offer(scenarios)))
}

/// Prints a manual page.
pub(super) fn man(args: &ManArgs, out: &Output) -> Exit {
    let mut root = Cli::command();
    root.build();
    let mut command = root;
    // A page is called `loadc-ctl-pause`.
    for name in args.command.iter().flat_map(|name| name.split('-')) {
        command = match command.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                out.fault(&format!("there is no command `{name}`"), "`loadc help` lists them");
                return Exit::Wrong;
            }
        };
    }
    // `loadc run` has the page loadc-run(1), as those of git have.
    let title = command.get_display_name().unwrap_or("loadc").to_owned();
    let mut page = Vec::new();
    let source = concat!("loadc ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command).title(title).source(source).manual("loadc");
    let written = man.render(&mut page).and_then(|()| page.write_all(exit_status().as_bytes()));
    if let Err(error) = written {
        out.fault(&format!("cannot make the page: {error}"), "");
        return Exit::Failed;
    }
    out.raw(&String::from_utf8_lossy(&page));
    Exit::Done
}
