//! `loadc fmt`: one form for every script.

use super::Exit;
use super::files;
use super::lines::unified;
use super::output::Output;
use super::shared::{ReadError, read_alone};
use crate::fmt::format;
use crate::parse::parse;
use crate::problem::Severity;
use crate::show;
use std::path::Path;

/// Write scripts in their one canonical form.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scripts; `-` reads standard input and writes to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Change nothing: print what would change, and exit with 1 if anything would
    #[arg(long)]
    check: bool,
}

/// Formats scripts.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let each = args.files.iter().map(|path| file(path, args.check, out));
    // Every file has its turn, whatever became of those before it.
    let done: Vec<Exit> = each.collect();
    match () {
        () if done.contains(&Exit::Wrong) => Exit::Wrong,
        () if done.contains(&Exit::Missed) => Exit::Missed,
        () => Exit::Done,
    }
}

fn file(path: &str, check: bool, out: &Output) -> Exit {
    let source = match read_alone(path) {
        Ok(source) => source,
        Err(ReadError::Io(message, help)) => {
            out.fault(&message, &help);
            return Exit::Wrong;
        }
        Err(ReadError::Text(source, problem)) => {
            out.problems(&source, &[*problem]);
            return Exit::Wrong;
        }
    };
    let (script, problems) = parse(&source);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        out.problems(&source, &problems);
        out.note(&format!("{}: left as it is, for it cannot be read", source.name));
        return Exit::Wrong;
    }
    let new = format(&script, &source.text);
    let same = new == source.text;
    let name = show::clean(&source.name);
    match (check, path) {
        (true, _) if same => Exit::Done,
        (true, _) => {
            let names = (format!("{name}\t(as it is)"), format!("{name}\t(formatted)"));
            out.raw(&unified((&names.0, &names.1), &source.text, &new, out.color_out));
            Exit::Missed
        }
        (false, "-") => {
            out.raw(&new);
            Exit::Done
        }
        (false, _) if same => Exit::Done,
        (false, path) => match files::replace(Path::new(path), &new) {
            Ok(()) => {
                out.note(&format!("formatted {path}"));
                Exit::Done
            }
            Err(error) => {
                out.fault(
                    &format!("cannot write {path}: {}", files::what(&error)),
                    "the file is as it was; check that it and its folder can be written",
                );
                Exit::Wrong
            }
        },
    }
}
