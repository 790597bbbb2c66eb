//! Flags that several commands share, and the way from a file's name to a plan.

use super::Exit;
use super::output::Output;
use crate::ast::{ExprKind, Unit};
use crate::calendar;
use crate::check::{Checked, Entry, Options, StartsAt, check};
use crate::exact::{Exact, whole};
use crate::gather::gather;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::schedule::Shard;
use crate::source::SourceFile;
use std::io::Read as _;

/// Flags that change the plan.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PlanFlags {
    /// The seed of everything drawn, or `random`
    #[arg(long, value_name = "N|random", value_parser = seed)]
    pub seed: Option<u64>,
    /// Give `let NAME` another value
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Everything that much faster: the same jobs in less time
    #[arg(long, value_name = "xN", value_parser = speed)]
    pub speed: Option<Exact>,
    /// Where the plan starts in the calendar, with or without `in ZONE`
    #[arg(long, value_name = "DATE CLOCK", value_parser = starts)]
    pub starts: Option<StartsAt>,
    /// Enter the plan at this clock time, or after this long; jobs keep their numbers
    #[arg(long, value_name = "CLOCK|DURATION", value_parser = entry)]
    pub from: Option<Entry>,
    /// Send one part of the jobs, such as 1/4: those that are its own by their number
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// End the plan after this long
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    pub for_length: Option<Exact>,
}

impl PlanFlags {
    pub(crate) fn options(&self, lenient_env: bool) -> Options {
        Options {
            seed: self.seed,
            set: self.set.clone(),
            speed: self.speed,
            for_length: self.for_length,
            lenient_env,
            starts: self.starts.clone(),
            from: self.from,
            shard: self.shard,
            target_given: false,
        }
    }
}

fn seed(text: &str) -> Result<u64, String> {
    if text == "random" {
        return Ok(crate::check::random_seed());
    }
    text.replace('_', "").parse().map_err(|_| "a seed is a whole number, or `random`".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE: `--set peak=500/s`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub(crate) fn speed(text: &str) -> Result<Exact, String> {
    let text = if text.starts_with('x') { text.to_owned() } else { format!("x{text}") };
    match literal(&text) {
        Some((value, Unit::Factor)) if value > whole(0) => Ok(value),
        _ => Err("a speed is a factor above 0, such as `x60`".to_owned()),
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    if text.contains(':') {
        let clock_s = calendar::clock(text).filter(|clock_s| *clock_s < 86_400);
        return clock_s.map(Entry::Clock).ok_or_else(|| format!("no clock shows `{text}`"));
    }
    match literal(text) {
        Some((value, Unit::Duration)) => Ok(Entry::Offset(value)),
        _ => {
            Err("enter at a clock time such as `14:30`, or after a duration such as `6h`"
                .to_owned())
        }
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts =
        text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    parts
        .and_then(|(part, of)| Shard::new(part, of))
        .ok_or_else(|| "a shard is a part of several, from `1/4` to `4/4`".to_owned())
}

fn starts(text: &str) -> Result<StartsAt, String> {
    let wrong = || "write a date and a clock, such as `2026-03-29 00:00 in Europe/Berlin`";
    let (when, zone) = match text.split_once(" in ") {
        Some((when, zone)) => (when, Some(zone.trim().trim_matches('"').to_owned())),
        None => (text, None),
    };
    let (date, clock) = when.trim().split_once([' ', 'T']).unwrap_or((when.trim(), "00:00"));
    let clock_s = calendar::clock(clock.trim()).filter(|s| *s < 86_400).ok_or_else(wrong)?;
    let zone_name = zone.as_deref().unwrap_or("UTC");
    calendar::Start::new(date, clock_s, zone_name)
        .map_err(|error| format!("{error}: {}", wrong()))?;
    Ok(StartsAt { date: date.to_owned(), clock_s, zone })
}

pub(crate) fn length(text: &str) -> Result<Exact, String> {
    match literal(text) {
        Some((value, Unit::Duration)) if value > whole(0) => Ok(value),
        _ => Err("a duration has a unit, such as `30s`, `5m` or `1h30m`".to_owned()),
    }
}

/// The value of a number with its unit, as the language writes it.
fn literal(text: &str) -> Option<(Exact, Unit)> {
    match crate::parse::expression(text)?.kind {
        ExprKind::Literal(literal) => Some((literal.value, literal.unit)),
        ExprKind::Factor(inner) => match inner.kind {
            ExprKind::Literal(literal) if literal.unit == Unit::Plain => {
                Some((literal.value, Unit::Factor))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Reads a script and the files that it uses, `-` from standard input, where paths are relative to
/// the working directory.
pub(crate) fn read(path: &str) -> Result<SourceFile, ReadError> {
    let source = read_alone(path)?;
    Ok(gather(if path == "-" { source } else { source.from_path(path) }))
}

/// Reads a script, `-` from standard input, without the files that it uses. What cannot be read is a problem with a place if it
/// has one, and a message with help otherwise.
pub(crate) fn read_alone(path: &str) -> Result<SourceFile, ReadError> {
    let limit = crate::parse::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let (name, done) = match path {
        "-" => ("<stdin>", std::io::stdin().lock().take(limit).read_to_end(&mut bytes)),
        path => {
            let file = std::fs::File::open(path);
            (path, file.and_then(|file| file.take(limit).read_to_end(&mut bytes)))
        }
    };
    if let Err(error) = done {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path; `-` reads standard input",
            std::io::ErrorKind::IsADirectory => "name a script in that folder",
            _ => "check that the file can be read",
        };
        let what = error.to_string();
        let what = what.split(" (os error").next().unwrap_or_default();
        return Err(ReadError::Io(format!("cannot read {name}: {what}"), help.to_owned()));
    }
    crate::parse::decode(name, bytes)
        .map_err(|refused| ReadError::Text(refused.0, Box::new(refused.1)))
}

/// Why a script could not be read.
pub(crate) enum ReadError {
    /// The file: what is wrong, and a way out.
    Io(String, String),
    /// Its bytes.
    Text(SourceFile, Box<Problem>),
}

/// Reads and checks a script, and prints what is wrong with it.
pub(crate) fn plan(
    path: &str,
    options: &Options,
    out: &Output,
) -> Result<(SourceFile, Plan), Exit> {
    let source = match read(path) {
        Ok(source) => source,
        Err(ReadError::Io(message, help)) => {
            out.fault(&message, &help);
            return Err(Exit::Wrong);
        }
        Err(ReadError::Text(source, problem)) => {
            out.problems(&source, &[*problem]);
            return Err(Exit::Wrong);
        }
    };
    let Checked { plan, problems } = check(&source, options);
    out.problems(&source, &problems);
    match plan {
        Some(plan) => Ok((source, plan)),
        None => {
            if problems.is_empty() {
                out.fault(
                    &format!("{} holds no load: definitions alone are a library", source.name),
                    "add a shape, such as `constant 100 for 5m`, or `use` it in a script that has one",
                );
            }
            Err(Exit::Wrong)
        }
    }
}
