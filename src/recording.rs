//! Recordings: bytes of a file in, the load they tell of out.
//!
//! A recording is a CSV file with a header, or JSON, one object a line; either may be compressed with
//! gzip. A row is a rate at a time, or an instant at which one job is due. Times count from the first
//! row.

mod rows;
mod value;

use crate::exact::whole;
use crate::problem::did_you_mean;
use crate::timeline::curve::RatePoint;
use rows::Rows;
use std::sync::Arc;

pub use value::TimeUnit;

/// How large a recording may be, uncompressed, in bytes.
const MAX_BYTES: u64 = 512 << 20;
/// How many points a rate may have.
const MAX_POINTS: usize = 1_000_000;
/// How many instants.
const MAX_MOMENTS: usize = crate::timeline::MAX_MOMENTS;
/// The longest recording: 100 years, in nanoseconds.
const MAX_NANOS: i128 = 100 * 366 * 86_400 * 1_000_000_000;
/// The highest rate.
const MAX_RATE: i128 = 1_000_000_000;

/// Names of the column of times, and of rates, where the script names none.
const TIMES: &[&str] = &["t_s", "t", "time", "seconds", "timestamp", "at", "ts"];
const RATES: &[&str] = &["rate_per_s", "rate", "rps", "jobs_per_s"];

/// What is in a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Recording {
    /// A rate over time, its first point at 0.
    Rates(Arc<[RatePoint]>),
    /// Instants in order, the first at 0, in nanoseconds.
    Moments(Arc<[u64]>),
}

/// A column of times.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeColumn {
    /// Its name.
    pub name: String,
    /// What its numbers are in; seconds if not said.
    pub unit: Option<TimeUnit>,
}

/// Which columns to read.
#[derive(Clone, Debug, PartialEq)]
pub enum Columns {
    /// Those of the usual names: a time and a rate, or only a time, which is then an instant.
    Usual,
    /// A rate over time; those not named have a usual name.
    Rate(Option<TimeColumn>, Option<String>),
    /// An instant.
    Moments(TimeColumn),
}

/// Why a recording cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// The line of the file, from 1.
    pub row: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

fn fault(row: Option<u64>, message: impl Into<String>, help: impl Into<String>) -> RecordingError {
    RecordingError { row, message: message.into(), help: help.into() }
}

/// Reads a recording.
///
/// # Errors
///
/// If it cannot be read, a column is missing, or a row makes no sense.
pub fn read(bytes: &[u8], columns: &Columns) -> Result<Recording, RecordingError> {
    let bytes = rows::plain(bytes, MAX_BYTES)?;
    let rows = Rows::open(&bytes)?;
    let (time, rate) = chosen(&rows, columns)?;
    match rate {
        Some(rate) => rates(rows, &time, &rate),
        None => instants(rows, &time),
    }
}

/// The column of times and, unless a row is an instant, of rates.
fn chosen(
    rows: &Rows<'_>,
    columns: &Columns,
) -> Result<(TimeColumn, Option<String>), RecordingError> {
    let usual = |names: &[&str]| {
        let found = names.iter().find(|name| rows.names().iter().any(|known| known == *name));
        found.map(|name| (*name).to_owned())
    };
    let time = || {
        let name = usual(TIMES).ok_or_else(|| {
            let help = format!("{}; name the one of the times: `time \"…\"`", listed(rows));
            fault(None, "no column has a usual name for a time", help)
        })?;
        Ok(TimeColumn { name, unit: None })
    };
    let there = |name: &str| match rows.names().iter().any(|known| known == name) {
        true => Ok(()),
        false => {
            let meant = did_you_mean(name, rows.names().iter().map(String::as_str));
            let help = meant.map_or_else(|| listed(rows), |name| format!("did you mean `{name}`?"));
            Err(fault(None, format!("it has no column `{name}`"), help))
        }
    };
    let (time, rate) = match columns {
        Columns::Usual => (time()?, usual(RATES)),
        Columns::Moments(column) => (column.clone(), None),
        Columns::Rate(column, rate) => {
            let rate = rate.clone().or_else(|| usual(RATES)).ok_or_else(|| {
                let help = format!("{}; name the one of the rate: `rate \"…\"`", listed(rows));
                fault(None, "no column has a usual name for a rate", help)
            })?;
            (column.clone().map_or_else(time, Ok)?, Some(rate))
        }
    };
    there(&time.name)?;
    rate.as_deref().map(there).transpose()?;
    Ok((time, rate))
}

fn listed(rows: &Rows<'_>) -> String {
    let names = rows.names().iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    format!("its columns are {}", names.join(", "))
}

fn rates(mut rows: Rows<'_>, time: &TimeColumn, rate: &str) -> Result<Recording, RecordingError> {
    let mut points: Vec<RatePoint> = Vec::new();
    let mut first = None;
    while let Some(row) = rows.next([&time.name, rate])? {
        let [at, rate] = &row.values;
        let at =
            value::time(at, time.unit).map_err(|(what, help)| fault(Some(row.line), what, help))?;
        let rate = value::number(rate).ok_or_else(|| {
            fault(
                Some(row.line),
                format!("`{rate}` is no rate"),
                "a rate is a number: jobs per second",
            )
        })?;
        if rate < whole(0) || rate > whole(MAX_RATE) {
            let help = "a rate lies between 0 and 1,000,000,000 jobs per second";
            return Err(fault(Some(row.line), "this rate is out of range", help));
        }
        let t_ns = since(*first.get_or_insert(at), at, row.line)?;
        if points.last().is_some_and(|last| last.t_ns > t_ns) {
            let help = "put its rows in the order of their times";
            return Err(fault(Some(row.line), "its time is before that of the row above", help));
        }
        push(&mut points, RatePoint { t_ns, rate }, MAX_POINTS, row.line)?;
    }
    if points.len() < 2 {
        let help = "a rate over time has a start and an end";
        return Err(fault(None, "it has fewer than two rows", help));
    }
    Ok(Recording::Rates(points.into()))
}

fn instants(mut rows: Rows<'_>, time: &TimeColumn) -> Result<Recording, RecordingError> {
    let mut times: Vec<(i128, u64)> = Vec::new();
    while let Some(row) = rows.next([&time.name])? {
        let [at] = &row.values;
        let at =
            value::time(at, time.unit).map_err(|(what, help)| fault(Some(row.line), what, help))?;
        push(&mut times, (at, row.line), MAX_MOMENTS, row.line)?;
    }
    // A log may be a little out of order; each instant is one all the same.
    times.sort_unstable();
    let Some((first, _)) = times.first().copied() else {
        return Err(fault(None, "it has no rows", "a recording has a row for each job"));
    };
    let times = times.iter().map(|(at, line)| since(first, *at, *line));
    Ok(Recording::Moments(times.collect::<Result<Vec<u64>, _>>()?.into()))
}

fn push<T>(list: &mut Vec<T>, item: T, most: usize, line: u64) -> Result<(), RecordingError> {
    if list.len() == most {
        let message = format!("it has more than {} rows", crate::show::count(most as u64));
        let help = "replay it in parts, or as a rate: one row for each second";
        return Err(fault(Some(line), message, help));
    }
    list.push(item);
    Ok(())
}

/// Nanoseconds from the first row.
fn since(first: i128, at: i128, line: u64) -> Result<u64, RecordingError> {
    let nanos = at - first;
    if nanos < 0 {
        let help = "put its rows in the order of their times";
        return Err(fault(Some(line), "its time is before that of the first row", help));
    }
    if nanos > MAX_NANOS {
        let help = "name the unit of its numbers: `time \"ts\" in ms`";
        return Err(fault(Some(line), "it is more than 100 years after the first row", help));
    }
    Ok(nanos as u64)
}

#[cfg(test)]
mod tests;
