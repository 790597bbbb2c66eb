//! `loadc ctl` and `loadc ps`: runs on this machine, seen and steered from outside.

use super::Exit;
use super::output::Output;
use super::shared;
use crate::ctl::{CallError, Found, Question, call, folders, runs, stream};
use crate::exact::{seconds_to_nanos, to_f64};
use crate::show;
use serde_json::{Value, json};

/// Steer a run on this machine, or ask how it is
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: its id or the beginning of it, or the name of its script
    #[arg(value_name = "RUN")]
    run: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// Stop the clocks of all loads: nothing falls due until `resume`
    Pause,
    /// Let the clocks go on
    Resume,
    /// End the run gracefully
    Stop,
    /// Let so many times the plan's jobs fall due from here on; x1 is the plan itself
    Scale {
        /// Such as x1.5
        #[arg(value_name = "xN", value_parser = factor)]
        factor: f64,
    },
    /// Go on at another time of the plan
    Seek {
        /// Where a clock first shows it, such as 14:00; or from the plan's start, such as 90m
        #[arg(value_name = "TIME", value_parser = time)]
        time: Place,
    },
    /// Read the script again and go on with it
    Reload,
    /// Say how the run is
    Status {
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print each event as a line of JSON, until the run ends
    Events,
    /// Print what the run was like: a line for each slice of it
    History {
        /// How far back; the whole run if not given
        #[arg(long, value_name = "DURATION", value_parser = nanos)]
        last: Option<u64>,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
}

fn factor(text: &str) -> Result<f64, String> {
    shared::speed(text)
        .map(|factor| to_f64(&factor))
        .map_err(|_| "write a factor above 0, such as `x1.5`".to_owned())
}

fn nanos(text: &str) -> Result<u64, String> {
    let seconds = shared::length(text)?;
    seconds_to_nanos(&seconds).ok_or_else(|| "that is too long".to_owned())
}

/// A place in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many nanoseconds after its start.
    After(u64),
    /// Where a clock first shows this second of the day.
    Clock(u32),
}

/// `14:00`, `14:00:30`, or a duration.
fn time(text: &str) -> Result<Place, String> {
    if !text.contains(':') {
        return if text == "0s" { Ok(Place::After(0)) } else { nanos(text).map(Place::After) };
    }
    let clock_s = crate::calendar::clock(text).filter(|clock_s| *clock_s < 86_400);
    clock_s.map(Place::Clock).ok_or_else(|| {
        "write a time of the day, such as `14:00`, or a duration such as `90m`".to_owned()
    })
}

/// Steers a run.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let found = match find(&args.run) {
        Ok(found) => found,
        Err((message, help)) => {
            out.fault(&message, &help);
            return Exit::Wrong;
        }
    };
    let done = match &args.verb {
        Verb::Events => stream(&found.path, |line| {
            out.say(line);
            !out.has_lost()
        }),
        verb => ask(verb, &found, out),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(error @ CallError::Refused(_)) => {
            out.fault(&error.to_string(), "");
            Exit::Wrong
        }
        Err(error) => {
            out.fault(
                &format!("run {}: {error}", found.run_id),
                "`loadc ps` lists those that go on",
            );
            Exit::Failed
        }
    }
}

fn ask(verb: &Verb, found: &Found, out: &Output) -> Result<(), CallError> {
    let question = match verb {
        Verb::Pause => Question::Pause,
        Verb::Resume => Question::Resume,
        Verb::Stop => Question::Stop,
        Verb::Scale { factor } => Question::Scale { factor: *factor },
        Verb::Seek { time: Place::After(ns) } => {
            Question::Seek { plan_ns: Some(*ns), clock_s: None }
        }
        Verb::Seek { time: Place::Clock(clock_s) } => {
            Question::Seek { plan_ns: None, clock_s: Some(*clock_s) }
        }
        Verb::Reload => Question::Reload,
        Verb::Status { .. } => Question::Status,
        Verb::History { last, .. } => Question::History { last_ns: *last },
        Verb::Events => Question::Events,
    };
    let reply = call(&found.path, &question)?;
    match verb {
        Verb::Status { json: true } => out.json(&reply["status"]),
        Verb::Status { json: false } => out.say(&status(&reply["status"])),
        Verb::History { json: true, .. } => out.json(&reply["history"]),
        Verb::History { json: false, .. } => {
            reply["history"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|point| out.say(&line(point)));
        }
        _ => {}
    }
    Ok(())
}

/// The run that is meant. Sockets that nobody listens at any more are tidied up on the way.
fn find(name: &str) -> Result<Found, (String, String)> {
    let alive = alive();
    let of_id = |(found, _): &&(Found, Value)| found.run_id.starts_with(name);
    let of_file = |(_, status): &&(Found, Value)| {
        let file = std::path::Path::new(status["file"].as_str().unwrap_or(""));
        [file.file_stem(), file.file_name(), Some(file.as_os_str())].contains(&Some(name.as_ref()))
    };
    let mut fitting: Vec<&(Found, Value)> = alive.iter().filter(of_id).collect();
    if fitting.is_empty() {
        fitting = alive.iter().filter(of_file).collect();
    }
    let ids = |runs: &[&(Found, Value)]| {
        let ids: Vec<&str> = runs.iter().map(|(found, _)| found.run_id.as_str()).collect();
        ids.join(", ")
    };
    match fitting.as_slice() {
        [(found, _)] => Ok(found.clone()),
        [] if alive.is_empty() => {
            Err((format!("no run `{name}`: nothing runs here"), String::new()))
        }
        [] => Err((
            format!("no run `{name}`"),
            format!("these go on: {}", ids(&alive.iter().collect::<Vec<_>>())),
        )),
        several => {
            Err((format!("`{name}` is more than one run"), format!("name one of {}", ids(several))))
        }
    }
}

/// Every run that answers, and how it is.
fn alive() -> Vec<(Found, Value)> {
    let mut alive = Vec::new();
    for found in runs(&folders()) {
        match call(&found.path, &Question::Status) {
            Ok(reply) => alive.push((found, reply["status"].clone())),
            Err(CallError::Gone) => _ = std::fs::remove_file(&found.path),
            // One that is just ending, or does not answer now.
            Err(_) => {}
        }
    }
    alive
}

/// List the runs on this machine
#[derive(Debug, clap::Args)]
pub(super) struct PsArgs {
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

/// Lists the runs.
pub(super) fn ps(args: &PsArgs, out: &Output) -> Exit {
    let alive = alive();
    if args.json {
        out.json(&json!(alive.iter().map(|(_, status)| status).collect::<Vec<_>>()));
        return Exit::Done;
    }
    if alive.is_empty() {
        out.note("nothing runs here");
    }
    for (found, status) in &alive {
        let text = |name: &str| status[name].as_str().unwrap_or("").to_owned();
        let number = |name: &str| status[name].as_f64().unwrap_or(0.0);
        out.say(&format!(
            "{}  {:<8} {}  {} of {}, {}, {} on, to {}",
            found.run_id,
            text("state"),
            text("file"),
            show::count(status["jobs"]["sent"].as_u64().unwrap_or(0)),
            show::plural(status["jobs"]["planned"].as_u64().unwrap_or(0), "job"),
            show::rate(number("achieved_per_s")),
            show::duration((number("elapsed_s") * 1e3) as u64 * 1_000_000),
            text("target"),
        ));
    }
    Exit::Done
}

/// How a run is, for people.
fn status(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let number = |name: &str| status[name].as_f64().unwrap_or(0.0);
    let jobs = |name: &str| show::count(status["jobs"][name].as_u64().unwrap_or(0));
    let seconds = |seconds: f64| show::duration((seconds * 1e3) as u64 * 1_000_000);
    let mut lines = vec![format!(
        "{}  {}, {} on, {} to go",
        text(&status["run_id"]),
        text(&status["state"]),
        seconds(number("elapsed_s")),
        seconds(number("remaining_s"))
    )];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<11}{value}"));
    row("script", format!("{}, digest {}", text(&status["file"]), text(&status["digest"])));
    row("target", text(&status["target"]));
    for place in status["places"].as_array().into_iter().flatten() {
        let load = place["load"].as_str().map_or_else(String::new, |load| format!("load {load}: "));
        let phrase = place["phrase"].as_str().unwrap_or("between its phrases");
        let line = place["line"].as_u64().map_or_else(String::new, |line| format!("line {line}, "));
        let at = seconds(place["plan_s"].as_f64().unwrap_or(0.0));
        row("place", format!("{load}{line}{at} into the plan: {phrase}"));
    }
    row(
        "jobs",
        format!(
            "{} of {} sent, {} acknowledged, {} overdue",
            jobs("sent"),
            jobs("planned"),
            jobs("acked"),
            show::count(status["overdue"].as_u64().unwrap_or(0))
        ),
    );
    let scale = match number("scale") {
        1.0 => String::new(),
        scale => format!(", scaled to x{}", show::number(scale)),
    };
    row(
        "rate",
        format!(
            "{} of {}{scale}",
            show::rate(number("achieved_per_s")),
            show::rate(number("target_per_s"))
        ),
    );
    if let Some(depth) = status["depth"].as_u64() {
        row("depth", show::count(depth));
    }
    for (name, field) in [("send delay", "p99_send_delay_us"), ("response", "p99_response_us")] {
        if let Some(p99) = status[field].as_f64() {
            row(name, format!("p99 {}", show::micros(p99)));
        }
    }
    if let Some(message) = status["last_error"]["message"].as_str() {
        let errors = status["errors"].as_u64().unwrap_or(0);
        row("errors", format!("{}, the last: {message}", show::plural(errors, "job")));
    }
    for guard in status["guards"].as_array().into_iter().flatten() {
        let value = guard["value"].as_f64().unwrap_or(0.0);
        let pausing = if guard["pausing"].as_bool() == Some(true) { ", acting" } else { "" };
        row("guard", format!("`{}` at {}{pausing}", text(&guard["guard"]), show::number(value)));
    }
    lines.join("\n")
}

/// A slice of the history on a line.
fn line(point: &Value) -> String {
    let number = |name: &str| point[name].as_f64().unwrap_or(0.0);
    let length_s = number("length_s").max(1e-9);
    let p99 = point["response_p99_us"].as_f64();
    format!(
        "{:>10}  {} of {}  depth {}  p99 {}",
        show::duration((number("t_s") * 1e3) as u64 * 1_000_000),
        show::rate(number("sent") / length_s),
        show::rate(number("target_per_s")),
        point["depth"].as_u64().map_or_else(|| "unknown".to_owned(), show::count),
        p99.map_or_else(|| "-".to_owned(), show::micros),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_plan_are_read() {
        assert_eq!(time("14:00"), Ok(Place::Clock(14 * 3_600)));
        assert_eq!(time("0:00:30"), Ok(Place::Clock(30)));
        assert_eq!(
            (time("90m"), time("0s")),
            (Ok(Place::After(5_400_000_000_000)), Ok(Place::After(0)))
        );
        for wrong in ["14", "24:00", "14:60", "14:00:00:00", "a:b", "-1:00", ""] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
