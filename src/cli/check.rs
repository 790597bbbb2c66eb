//! `loadc check`: every mistake of some scripts at once.

use super::Exit;
use super::output::Output;
use super::policy::PolicyFlag;
use super::shared::{PlanFlags, ReadError, read};
use crate::check::check;
use crate::diag;
use crate::plan::Plan;
use crate::problem::Severity;
use crate::show;
use crate::source::SourceFile;
use crate::view::Load;
use serde_json::json;

/// Find every mistake in scripts, and prove their guards.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scripts; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How to print what was found
    #[arg(long, value_enum, default_value = "human", value_name = "FORMAT")]
    format: Format,
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
}

/// Checks scripts.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let options = args.flags.options(true);
    let (mut files, mut good, mut first) = (Vec::new(), true, None);
    for path in &args.files {
        let (source, problems, plan) = match read(path) {
            Ok(source) => {
                let checked = check(&source, &options);
                (source, checked.problems, checked.plan)
            }
            Err(ReadError::Text(source, problem)) => (source, vec![*problem], None),
            Err(ReadError::Io(message, help)) => {
                out.fault(&message, &help);
                good = false;
                files.push(json!({ "file": path, "ok": false, "error": message, "problems": [] }));
                continue;
            }
        };
        let mut problems = problems;
        if let Some(found) = &plan {
            match args.policy.broken_by(&source, found, out) {
                Ok(broken) => problems.extend(broken),
                Err(exit) => return exit,
            }
        }
        let ok = problems.iter().all(|problem| problem.severity != Severity::Error);
        good &= ok;
        first = first.or(problems
            .iter()
            .find(|problem| problem.severity == Severity::Error)
            .map(|problem| problem.code));
        match args.format {
            Format::Human => {
                out.problems(&source, &problems);
                out.say(&verdict(&source, plan.as_ref(), ok, problems.len()));
            }
            Format::Json => files.push(json!({
                "file": source.name,
                "ok": ok,
                "digest": plan.as_ref().map(|plan| &plan.digest),
                "jobs": plan.as_ref().map(totals).map(|(jobs, ..)| jobs),
                "duration_s": plan.as_ref().map(totals).map(|(_, end_ns, _)| end_ns as f64 / 1e9),
                "peak_per_s": plan.as_ref().map(totals).map(|(.., peak)| peak),
                "seed": plan.as_ref().map(|plan| plan.seed),
                "notes": plan.as_ref().map(|plan| &plan.notes),
                "problems": diag::json(&source, &problems),
            })),
        }
    }
    if let (Some(code), Format::Human) = (first, args.format) {
        out.note(&format!("`loadc explain {}` says more of an error", code.as_str()));
    }
    if args.format == Format::Json {
        out.json(&json!({ "ok": good, "files": files }));
    }
    if good { Exit::Done } else { Exit::Wrong }
}

/// Jobs, end in nanoseconds and peak of a plan.
pub(crate) fn totals(plan: &Plan) -> (u64, u64, f64) {
    let load = Load::of(plan);
    (load.jobs, load.end_ns, load.peak_per_s)
}

fn verdict(source: &SourceFile, plan: Option<&Plan>, ok: bool, found: usize) -> String {
    let name = &source.name;
    match plan {
        Some(plan) => {
            let (jobs, end_ns, peak) = totals(plan);
            let mut text = format!(
                "{name}: ok, {} in {}, peak {}, digest {}",
                show::plural(jobs, "job"),
                show::duration(end_ns),
                show::rate(peak),
                plan.digest
            );
            for note in &plan.notes {
                text.push_str(&format!("\n  note: {note}"));
            }
            text
        }
        None if ok => format!("{name}: ok, a library of definitions without a load"),
        None => format!("{name}: refused, {}", show::plural(found as u64, "finding")),
    }
}
