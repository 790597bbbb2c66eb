//! `loadc report` and `loadc compare`: runs afterwards, from what `run --json` wrote.

use super::Exit;
use super::files;
use super::output::Output;
use crate::report::{Run, compare, junit, page, side_by_side};
use std::io::Read as _;
use std::path::Path;

/// Make the page of a run from its JSON
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// What `loadc run --json` wrote; `-` reads standard input
    #[arg(value_name = "RUN.json")]
    run: String,
    /// The page; `-` is standard output [default: RUN.html]
    #[arg(value_name = "OUT.html")]
    out: Option<String>,
    /// Write expectations and guards as JUnit's XML, too
    #[arg(long, value_name = "OUT.xml")]
    junit: Option<String>,
}

/// Put runs side by side
#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// What `loadc run --json` wrote, of each run; changes are from the first
    #[arg(value_name = "RUN.json", num_args = 2.., required = true)]
    runs: Vec<String>,
    /// Print one JSON document in place of the table
    #[arg(long)]
    json: bool,
    /// Write a page with the curves of the runs over each other; `-` is standard output
    #[arg(long, value_name = "OUT.html")]
    report: Option<String>,
}

/// Bytes of a report that are read; more is none.
const MAX_BYTES: u64 = 256 << 20;

fn read(path: &str, out: &Output) -> Result<Run, Exit> {
    let refuse = |message: String, help: &str| {
        out.fault(&message, help);
        Exit::Wrong
    };
    let mut json = String::new();
    let done = match path {
        "-" => std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut json),
        path => std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut json)),
    };
    let help = "give it what `loadc run SCRIPT --json > RUN.json` wrote";
    if let Err(error) = done {
        return Err(refuse(format!("cannot read {path}: {}", files::what(&error)), help));
    }
    Run::read(&json).map_err(|error| refuse(format!("{path}: {error}"), help))
}

/// Makes a page.
pub(super) fn report(args: &ReportArgs, out: &Output) -> Exit {
    let run = match read(&args.run, out) {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let page_path = args.out.clone().unwrap_or_else(|| match args.run.as_str() {
        "-" => "-".to_owned(),
        path => Path::new(path).with_extension("html").to_string_lossy().into_owned(),
    });
    let to_stdout = |path: Option<&String>| path.is_some_and(|path| path == "-");
    if to_stdout(Some(&page_path)) && to_stdout(args.junit.as_ref()) {
        out.fault(
            "two results cannot share standard output",
            "give one of them the name of a file",
        );
        return Exit::Wrong;
    }
    let pages = [(Some(&page_path), page as fn(&Run) -> String), (args.junit.as_ref(), junit::xml)];
    for (path, make) in pages {
        if let Some(path) = path
            && !put(path, &make(&run), out)
        {
            return Exit::Wrong;
        }
    }
    Exit::Done
}

/// Writes a result and says so; false if it can't be written.
pub(super) fn put(path: &str, content: &str, out: &Output) -> bool {
    if path == "-" {
        out.raw(content);
        return true;
    }
    match files::put(Path::new(path), content) {
        Ok(()) => {
            out.note(&format!("wrote {path}"));
            true
        }
        Err(error) => {
            let help = "name a file that can be written, in a folder that exists";
            out.fault(&format!("cannot write {path}: {}", files::what(&error)), help);
            false
        }
    }
}

/// Compares runs.
pub(super) fn compare(args: &CompareArgs, out: &Output) -> Exit {
    let mut runs = Vec::new();
    for path in &args.runs {
        match read(path, out) {
            Ok(run) => runs.push((path.clone(), run)),
            Err(exit) => return exit,
        }
    }
    let comparison = compare::compare(&runs);
    let page_aside = args.report.as_deref() == Some("-");
    if args.json && page_aside {
        let help = "give the page the name of a file";
        out.fault("two results cannot share standard output", help);
        return Exit::Wrong;
    }
    if args.json {
        out.json(&comparison);
    } else if !page_aside {
        let text = compare::text(&comparison);
        let bars = side_by_side::bars(&runs, super::output::width().saturating_sub(30).max(10));
        out.say(format!("{text}\n{bars}").trim_end());
    }
    match &args.report {
        Some(path) if !put(path, &side_by_side::page(&comparison, &runs), out) => Exit::Wrong,
        _ => Exit::Done,
    }
}
