//! `loadc diff`: what changed in a load between two scripts.
//!
//! Git may call it as an external diff, with the arguments that it gives to one. It takes any exit
//! code but 0 for a crash then, and a script that is wrong is still worth a look: the lines are
//! compared in place of the loads.

use super::Exit;
use super::lines::unified;
use super::output::{self, Color, Output};
use super::policy::PolicyFlag;
use super::shared::{PlanFlags, ReadError, read, read_alone};
use crate::check::check;
use crate::diff::{Definition, Diff, definitions, json, text};
use crate::gather::gather;
use crate::parse::parse_part;
use crate::plan::Plan;
use crate::source::SourceFile;
use crate::view::Look;

/// What stands for a file that is not there.
const NOTHING: &str = "/dev/null";

/// Git hands out the two versions of one file, and does not say which commits they are of: what they
/// use can't be had as it was.
const OF_WORKING_TREE: &str = "note: `use` files are those of the working tree on both sides; a change in them is shown at those files";

/// Show what changed in a load between two scripts.
#[derive(Debug, clap::Args)]
#[command(override_usage = "loadc diff [OPTIONS] OLD NEW")]
pub(super) struct Args {
    /// The script as it was and as it is (/dev/null is none, `-` reads standard input); or what git gives to an external diff
    #[arg(required = true, num_args = 1..=9, value_names = ["OLD", "NEW"])]
    files: Vec<String>,
    /// Print one JSON document in place of the text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: PlanFlags,
    #[command(flatten)]
    policy: PolicyFlag,
}

/// Compares scripts.
pub(super) fn run(args: &Args, color: Color, out: &Output) -> Exit {
    let by_git = std::env::var_os("GIT_DIFF_PATH_COUNTER").is_some();
    match args.files.as_slice() {
        [old, new] => compare(args, old, new, out),
        [path, old, _, _, new, _, _] => git(args, (path, path), (old, new), color, out),
        [path, old, _, _, new, _, _, to, _] => git(args, (path, to), (old, new), color, out),
        [path] if by_git => {
            out.say(&format!("* Unmerged path {path}"));
            Exit::Done
        }
        other => {
            out.fault(
                &format!(
                    "two scripts can be compared, and {} named",
                    match other.len() {
                        1 => "one was".to_owned(),
                        count => format!("{count} were"),
                    }
                ),
                "write `loadc diff OLD NEW`; git calls it with seven arguments",
            );
            Exit::Wrong
        }
    }
}

fn compare(args: &Args, old: &str, new: &str, out: &Output) -> Exit {
    let read = |path| plan(path, None, args, out).map_err(|wrong| wrong.tell(out));
    let (old_plan, new_plan) = (read(old), read(new));
    let (Ok(old_side), Ok(new_side)) = (old_plan, new_plan) else { return Exit::Wrong };
    let diff = compared(&old_side, &new_side);
    show(args, &diff, (old, new), None, out.color_out, out);
    if diff.is_same() { Exit::Done } else { Exit::Missed }
}

/// As git calls it: names for people, and the files that hold the two versions.
fn git(
    args: &Args,
    names: (&str, &str),
    (old, new): (&str, &str),
    color: Color,
    out: &Output,
) -> Exit {
    // What is written goes to git's pager, which shows colours.
    let in_pager = std::env::var("GIT_PAGER_IN_USE").is_ok_and(|value| value == "true");
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = out.color_out || color == Color::Auto && in_pager && !plain;
    let name = |side: &str, name: &str, file: &str| match file {
        NOTHING => NOTHING.to_owned(),
        _ => format!("{side}/{name}"),
    };
    let (old_name, new_name) = (name("a", names.0, old), name("b", names.1, new));
    out.say(&format!("diff --loadc {old_name} {new_name}"));
    // Git hands out the versions of a file in a folder of its own: what they use is where they belong.
    let plan = |file: &str, name: &str| plan(file, Some(name), args, out);
    match (plan(old, names.0), plan(new, names.1)) {
        (Ok(old), Ok(new)) => {
            let diff = compared(&old, &new);
            let uses = [&old.0, &new.0].iter().any(|source| source.files().len() > 1);
            let note = uses.then_some(OF_WORKING_TREE);
            show(args, &diff, (&old_name, &new_name), note, color, out);
        }
        (old, new) => {
            let of = |side: &Result<(SourceFile, Option<Plan>), Wrong>| match side {
                Ok((source, _)) | Err(Wrong::Script(source, _)) => source.files().len(),
                Err(Wrong::File(..) | Wrong::Told) => 0,
            };
            if of(&old).max(of(&new)) > 1 {
                out.say(OF_WORKING_TREE);
            }
            let text = |side: &Result<(SourceFile, Option<Plan>), Wrong>| match side {
                Ok((source, _)) | Err(Wrong::Script(source, _)) => source.script_text().to_owned(),
                Err(Wrong::File(..) | Wrong::Told) => String::new(),
            };
            let which = match (&old, &new) {
                (Err(_), Err(_)) => "neither version is",
                (Err(_), _) => "the old version is not",
                _ => "the new version is not",
            };
            out.say(&format!("{which} a script that checks; its lines:"));
            out.raw(&unified((&old_name, &new_name), &text(&old), &text(&new), color));
        }
    }
    Exit::Done
}

/// What changed from one side to the other.
fn compared<'a>(
    (old_source, old): &'a (SourceFile, Option<Plan>),
    (new_source, new): &'a (SourceFile, Option<Plan>),
) -> Diff<'a> {
    if old.is_some() || new.is_some() {
        return Diff::of(old.as_ref(), new.as_ref());
    }
    Diff::of_definitions(said(old_source), said(new_source))
}

/// What the files of a script define.
fn said(source: &SourceFile) -> Vec<Definition> {
    let scripts: Vec<_> = (0..source.parts()).map(|part| parse_part(source, part).0).collect();
    definitions(source, &scripts)
}

fn show(
    args: &Args,
    diff: &Diff<'_>,
    names: (&str, &str),
    note: Option<&str>,
    color: bool,
    out: &Output,
) {
    if args.json {
        out.json(&json::document(diff, names, note));
        return;
    }
    if let Some(note) = note {
        out.say(note);
    }
    out.say(&text::text(diff, names, Look { color, width: output::width() }));
}

/// Why there is no plan.
enum Wrong {
    /// The file cannot be read: what is wrong, and a way out.
    File(String, String),
    /// The script is wrong.
    Script(SourceFile, Vec<crate::problem::Problem>),
    /// It breaks a policy, or there is a policy that can't be read: that has been said.
    Told,
}

impl Wrong {
    fn tell(&self, out: &Output) {
        match self {
            Wrong::File(message, help) => out.fault(message, help),
            Wrong::Script(source, problems) => out.problems(source, problems),
            Wrong::Told => {}
        }
    }
}

/// The plan of a script; none where it holds no load, or where there is no file. `belongs` is where
/// the file belongs, if it is a copy.
fn plan(
    path: &str,
    belongs: Option<&str>,
    args: &Args,
    out: &Output,
) -> Result<(SourceFile, Option<Plan>), Wrong> {
    if path == NOTHING {
        return Ok((SourceFile::new(NOTHING, ""), None));
    }
    let source = match belongs {
        None => read(path),
        Some(belongs) => read_alone(path).map(|source| gather(source.from_path(belongs))),
    };
    let source = source.map_err(|error| match error {
        ReadError::Io(message, help) => Wrong::File(message, help),
        ReadError::Text(source, problem) => Wrong::Script(source, vec![*problem]),
    })?;
    let mut checked = check(&source, &args.flags.options(true));
    if checked.has_errors() {
        return Err(Wrong::Script(source, checked.problems));
    }
    if let Some(plan) = &mut checked.plan {
        args.policy.add_to_checked(&source, plan, out).map_err(|_| Wrong::Told)?;
    }
    Ok((source, checked.plan))
}
