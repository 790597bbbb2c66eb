//! `loadc check`: every mistake of some scripts at once, and what they may not mean.

use super::Exit;
use super::output::Output;
use super::policy::PolicyFlag;
use super::scripts::{Named, scripts};
use super::shared::{PlanFlags, ReadError, read};
use super::target;
use crate::check::{Options, check};
use crate::diag;
use crate::explain::pages;
use crate::lint::{self, levels::Levels};
use crate::plan::Plan;
use crate::problem::{Code, Problem, Severity};
use crate::show;
use crate::sink::redis::{Options as Connection, health};
use crate::source::SourceFile;
use crate::view::Load;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Find every mistake in scripts, and prove their guards.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scripts, and folders of them; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How to print what was found
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    format: Format,
    /// Let a lint make the check fail, or all of them
    #[arg(long, value_name = "LINT|warnings", value_parser = denied)]
    deny: Vec<Denied>,
    /// Say nothing of a lint
    #[arg(long, value_name = "LINT", value_parser = lint_name)]
    allow: Vec<Code>,
    /// Ask this target how much memory it has
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    #[command(flatten)]
    flags: PlanFlags,
    #[command(flatten)]
    policy: PolicyFlag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, on standard error
    Human,
    /// For machines, on standard output
    Json,
    /// The interchange format of static analysis, on standard output
    Sarif,
    /// Annotations of GitHub Actions, on standard output
    Github,
}

/// What is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    /// Every lint.
    All,
    /// One.
    One(Code),
}

fn denied(text: &str) -> Result<Denied, String> {
    if text == "warnings" { Ok(Denied::All) } else { lint_name(text).map(Denied::One) }
}

fn lint_name(text: &str) -> Result<Code, String> {
    Code::of_lint_or_code(text).ok_or_else(|| match Code::nearest_lint(text) {
        Some(meant) => format!("there is no lint of that name; did you mean `{meant}`?"),
        None => "there is no lint of that name; `loadc explain` lists every lint".to_owned(),
    })
}

/// A script as it was found.
struct Found {
    source: SourceFile,
    problems: Vec<Problem>,
    /// How many of them another script that uses the same file has told already, at the same place.
    told: usize,
    plan: Option<Plan>,
}

impl Found {
    fn is_good(&self) -> bool {
        self.problems.iter().all(|problem| problem.severity != Severity::Error)
    }

    /// What is told of it: all but what was told at the same place before.
    fn untold(&self) -> &[Problem] {
        self.problems.get(..self.problems.len() - self.told).unwrap_or_default()
    }

    /// Whether something is wrong besides denied lints.
    fn is_wrong(&self) -> bool {
        let wrong = |problem: &Problem| {
            problem.severity == Severity::Error && problem.code.lint().is_none()
        };
        self.problems.iter().any(wrong)
    }
}

/// Checks scripts.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let Some(levels) = levels(args, out) else { return Exit::Wrong };
    let memory = match args.target.as_deref().map(|url| max_memory(url, out)) {
        None => None,
        Some(Ok(memory)) => memory,
        Some(Err(exit)) => return exit,
    };
    let options = args.flags.options(true);
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    let mut told = BTreeSet::new();
    for named in scripts(&args.files) {
        let found = match named {
            Named::Script(path) => {
                one(&path, &options, &levels, memory).map_err(|fault| (path, fault))
            }
            Named::Fault(name, message, help) => Err((name, (message, help))),
        };
        match found {
            Ok(mut found) => {
                if let Some(plan) = &found.plan {
                    match args.policy.broken_by(&found.source, plan, out) {
                        Ok(broken) => found.problems.extend(broken),
                        Err(exit) => return exit,
                    }
                }
                found.told = tell_once(&mut found, &mut told);
                if args.format == Format::Human {
                    out.problems(&found.source, found.untold());
                    out.say(&verdict(&found));
                }
                files.push(found);
            }
            Err((path, (message, help))) => {
                if args.format != Format::Github {
                    out.fault(&message, &help);
                }
                faults.push((path, message));
            }
        }
    }
    show(args, &files, &faults, out);
    if !faults.is_empty() || files.iter().any(Found::is_wrong) {
        Exit::Wrong
    } else if files.iter().all(Found::is_good) {
        Exit::Done
    } else {
        Exit::Missed
    }
}

/// Moves what was told already, of the same place of the same file, behind the rest of a script's
/// findings, and says how many those are.
fn tell_once(found: &mut Found, told: &mut BTreeSet<(PathBuf, u32, String)>) -> usize {
    let source = &found.source;
    let is_new = |problem: &Problem| {
        let start = problem.place.0.start;
        let part = source.part_of(start);
        let path = PathBuf::from(source.name_at(start));
        let file = path.canonicalize().unwrap_or(path);
        let offset = start - source.part_span(part).start;
        told.insert((file, offset, format!("{:?} {}", problem.code, problem.message)))
    };
    let (mut new, mut old): (Vec<_>, Vec<_>) =
        std::mem::take(&mut found.problems).into_iter().partition(is_new);
    let count = old.len();
    new.append(&mut old);
    found.problems = new;
    count
}

fn levels(args: &Args, out: &Output) -> Option<Levels> {
    let mut levels = Levels { allowed: args.allow.iter().copied().collect(), ..Levels::default() };
    for denied in &args.deny {
        match denied {
            Denied::All => levels.all_denied = true,
            Denied::One(code) => {
                levels.denied.insert(*code);
            }
        }
    }
    let both = levels.allowed.intersection(&levels.denied).next();
    if let Some(lint) = both.and_then(|code| code.lint()) {
        out.fault(&format!("`{lint}` is both allowed and denied"), "leave one of the two out");
        return None;
    }
    Some(levels)
}

/// The memory that a target allows itself, in bytes; `None` if it has no limit.
fn max_memory(url: &str, out: &Output) -> Result<Option<u64>, Exit> {
    let Some((target, _)) = target::named(Some(url), None, out)? else { return Ok(None) };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.fault(&format!("cannot start: {error}"), "");
            return Err(Exit::Failed);
        }
    };
    let found = runtime.block_on(health(&target, Connection::default()));
    found.map(|found| found.max_memory_bytes).map_err(|error| target::unreachable(&error, out))
}

/// Checks one script; what cannot be read comes back with what is wrong and a way out.
fn one(
    path: &str,
    options: &Options,
    levels: &Levels,
    memory: Option<u64>,
) -> Result<Found, (String, String)> {
    let (source, mut problems, plan) = match read(path) {
        Ok(source) => {
            let mut checked = check(&source, options);
            checked.problems.append(&mut checked.lints);
            (source, checked.problems, checked.plan)
        }
        Err(ReadError::Text(source, problem)) => (source, vec![*problem], None),
        Err(ReadError::Io(message, help)) => return Err((message, help)),
    };
    if let (Some(plan), Some(bytes)) = (&plan, memory) {
        problems.extend(lint::memory(plan, bytes));
    }
    let mut problems: Vec<Problem> =
        problems.into_iter().filter_map(|problem| levels.judge(problem)).collect();
    problems.sort_by_key(|problem| problem.place.0);
    Ok(Found { source, problems, told: 0, plan })
}

/// Prints what is to be printed at the end.
fn show(args: &Args, files: &[Found], faults: &[(String, String)], out: &Output) {
    match args.format {
        Format::Human => {
            let worst = |found: &Found| {
                let errors = found.problems.iter().filter(|p| p.severity == Severity::Error);
                errors.chain(&found.problems).map(|problem| problem.code).next()
            };
            if let Some(code) = files.iter().find_map(worst) {
                let name = code.lint().unwrap_or(code.as_str());
                out.note(&format!("`loadc explain {name}` says more of it"));
            }
        }
        Format::Json => {
            let good = faults.is_empty() && files.iter().all(Found::is_good);
            let mut entries: Vec<_> = files.iter().map(entry).collect();
            entries.extend(faults.iter().map(|(path, message)| {
                json!({ "file": path, "ok": false, "error": message, "problems": [] })
            }));
            out.json(&json!({ "ok": good, "files": entries }));
        }
        Format::Sarif => {
            let all: Vec<_> =
                files.iter().map(|found| (found.source.clone(), found.untold().to_vec())).collect();
            let faults: Vec<String> = faults.iter().map(|(_, message)| message.clone()).collect();
            out.json(&diag::sarif(&all, &faults, |code| pages::page(code).to_owned()));
        }
        Format::Github => {
            for found in files {
                out.raw(&diag::github(&found.source, found.untold()));
            }
            for (_, message) in faults {
                out.raw(&diag::github_fault(message));
            }
        }
    }
}

fn entry(found: &Found) -> serde_json::Value {
    let plan = found.plan.as_ref();
    json!({
        "file": found.source.name,
        "ok": found.is_good(),
        "digest": plan.map(|plan| &plan.digest),
        "jobs": plan.map(totals).map(|(jobs, ..)| jobs),
        "duration_s": plan.map(totals).map(|(_, end_ns, _)| end_ns as f64 / 1e9),
        "peak_per_s": plan.map(totals).map(|(.., peak)| peak),
        "seed": plan.map(|plan| plan.seed),
        "notes": plan.map(|plan| &plan.notes),
        "problems": diag::json(&found.source, &found.problems),
    })
}

/// Jobs, end in nanoseconds and peak of a plan.
pub(crate) fn totals(plan: &Plan) -> (u64, u64, f64) {
    let load = Load::of(plan);
    (load.jobs, load.end_ns, load.peak_per_s)
}

fn verdict(found: &Found) -> String {
    let name = &found.source.name;
    let count = show::plural(found.problems.len() as u64, "finding");
    let Some(plan) = found.plan.as_ref().filter(|_| found.is_good()) else {
        return match found.is_good() {
            true => format!("{name}: ok, a library of definitions without a load"),
            false if found.told > 0 => {
                format!("{name}: refused, {count} ({} told above)", show::count(found.told as u64))
            }
            false => format!("{name}: refused, {count}"),
        };
    };
    let (jobs, end_ns, peak) = totals(plan);
    let mut text = format!(
        "{name}: ok, {} in {}, peak {}, digest {}",
        show::plural(jobs, "job"),
        show::duration(end_ns),
        show::rate(peak),
        plan.digest
    );
    if !found.problems.is_empty() {
        text.push_str(&format!(", {count}"));
    }
    for note in &plan.notes {
        text.push_str(&format!("\n  note: {note}"));
    }
    text
}
