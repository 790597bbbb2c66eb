//! `loadc plan`: what a script comes to, without a server.

use super::Exit;
use super::output::{self, Output};
use super::policy::PolicyFlag;
use super::shared::{self, PlanFlags};
use crate::exact::{Exact, seconds_to_nanos};
use crate::show;
use crate::view::points::{MAX_POINTS, TooMany};
use crate::view::{Load, Look, csv, json, svg, text};

/// Show what a script comes to: its phrases, totals and curve.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("points").multiple(true))]
pub(super) struct Args {
    /// The script; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// Print one JSON document in place of the text
    #[arg(long, group = "points")]
    json: bool,
    /// Draw the curve into a file; `-` is standard output
    #[arg(long, value_name = "OUT")]
    svg: Option<String>,
    /// Write the curve's points into a file; `-` is standard output
    #[arg(long, value_name = "OUT", group = "points")]
    csv: Option<String>,
    /// From one point of the curve to the next, in JSON and CSV [default: about 200 points]
    #[arg(long, value_name = "DURATION", value_parser = shared::length, requires = "points")]
    every: Option<Exact>,
    #[command(flatten)]
    flags: PlanFlags,
    #[command(flatten)]
    policy: PolicyFlag,
}

/// Shows a plan.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    match show_plan(args, out) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn show_plan(args: &Args, out: &Output) -> Result<(), Exit> {
    let wrong = |(message, help): (String, String)| {
        out.fault(&message, &help);
        Exit::Wrong
    };
    let to_stdout = |path: &Option<String>| path.as_deref() == Some("-");
    let taken = [args.json, to_stdout(&args.csv), to_stdout(&args.svg)];
    if taken.into_iter().filter(|taken| *taken).count() > 1 {
        let message = "two results cannot share standard output";
        let help = "give --svg or --csv the name of a file in place of `-`";
        return Err(wrong((message.to_owned(), help.to_owned())));
    }
    let every_ns = args.every.as_ref().map(step).transpose().map_err(wrong)?;
    let (source, mut plan) = shared::plan(&args.file, &args.flags.options(true), out)?;
    args.policy.add_to_checked(&source, &mut plan, out)?;
    let load = Load::of(&plan);
    if let Some(path) = &args.csv {
        let csv = csv::csv(&plan, &load, every_ns).map_err(|found| wrong(too_many(found)))?;
        write(path, &csv, out).map_err(wrong)?;
    }
    if let Some(path) = &args.svg {
        write(path, &svg::svg(&plan, &load), out).map_err(wrong)?;
    }
    if args.json {
        let document =
            json::document(&plan, &load, every_ns).map_err(|found| wrong(too_many(found)))?;
        out.json(&document);
    } else if !taken.contains(&true) {
        let look = Look { color: out.color_out, width: output::width() };
        out.say(&text::text(&plan, &load, look));
    }
    Ok(())
}

/// A step in whole nanoseconds.
fn step(every: &Exact) -> Result<u64, (String, String)> {
    match seconds_to_nanos(every) {
        Some(nanos) if nanos > 0 => Ok(nanos),
        _ => Err((
            "--every is too short or too long to count".to_owned(),
            "give it a step such as `--every 10s`".to_owned(),
        )),
    }
}

fn too_many(found: TooMany) -> (String, String) {
    let message = format!(
        "--every gives {} points, more than the {} that a curve may have",
        show::count(found.points),
        show::count(MAX_POINTS)
    );
    (message, format!("take a longer step: `--every {}`", show::duration(found.better_ns)))
}

/// Writes a file, or to standard output if it is `-`; what was there before is gone.
fn write(path: &str, content: &str, out: &Output) -> Result<(), (String, String)> {
    if path == "-" {
        out.say(content.trim_end_matches('\n'));
        return Ok(());
    }
    std::fs::write(path, content).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" (os error").next().unwrap_or_default();
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "the folder must exist; `-` is standard output",
            std::io::ErrorKind::IsADirectory => "name a file in that folder",
            _ => "name a file that can be written; `-` is standard output",
        };
        (format!("cannot write {path}: {what}"), help.to_owned())
    })?;
    out.note(&format!("wrote {path}"));
    Ok(())
}
