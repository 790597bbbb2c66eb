//! `loadc fmt`: one form for every script.

use super::Exit;
use super::output::Output;
use super::shared::{ReadError, read};
use crate::fmt::format;
use crate::parse::parse;
use crate::problem::Severity;
use crate::show;
use similar::{ChangeTag, TextDiff};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

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
    let source = match read(path) {
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
    match (check, path) {
        (true, _) if same => Exit::Done,
        (true, _) => {
            out.raw(&diff(&source.name, &source.text, &new, out));
            Exit::Missed
        }
        (false, "-") => {
            out.raw(&new);
            Exit::Done
        }
        (false, _) if same => Exit::Done,
        (false, path) => match replace(Path::new(path), &new) {
            Ok(()) => {
                out.note(&format!("formatted {path}"));
                Exit::Done
            }
            Err(error) => {
                let what = error.to_string();
                let what = what.split(" (os error").next().unwrap_or_default();
                out.fault(
                    &format!("cannot write {path}: {what}"),
                    "the file is as it was; check that it and its folder can be written",
                );
                Exit::Wrong
            }
        },
    }
}

/// A unified diff. On a terminal signs that are no text are shown as such; elsewhere every byte is
/// what it is, so that the diff can be applied.
fn diff(name: &str, old: &str, new: &str, out: &Output) -> String {
    let on_terminal = std::io::stdout().is_terminal();
    let shown = |text: &str| if on_terminal { show::clean(text) } else { text.to_owned() };
    let paint = |code: &str, text: &str| {
        if out.color_out { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for (head, side) in [("---", "as it is"), ("+++", "formatted")] {
        text.push_str(&paint("1", &format!("{head} {}\t({side})", show::clean(name))));
        text.push('\n');
    }
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        text.push_str(&paint("36", &hunk.header().to_string()));
        text.push('\n');
        for change in hunk.iter_changes() {
            let (sign, code) = match change.tag() {
                ChangeTag::Delete => ('-', "31"),
                ChangeTag::Insert => ('+', "32"),
                ChangeTag::Equal => (' ', "0"),
            };
            let line = change.value();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = format!("{sign}{}", shown(line));
            text.push_str(&if sign == ' ' { line } else { paint(code, &line) });
            text.push('\n');
            if change.missing_newline() {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// Gives a file another text: all of it or nothing, with the permissions it had. A link stays a
/// link.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let beside = beside(&path);
    let mut file = std::fs::File::create_new(&beside)?;
    let written = file
        .set_permissions(permissions)
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        // What remains of it is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// A name in the same folder, hidden, that no other process takes.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
