//! What a run is seen by besides its progress line: files and addresses that are taken before it
//! begins, so that it refuses to start if one can't be had.

use super::live;
use crate::cli::output::Output;
use crate::cli::{Exit, shared};
use crate::exact::seconds_to_nanos;
use crate::metrics::{self, Facts, Listener};
use crate::record::{Form, Place, ROOM, Writer};
use crate::run::events::{Publisher, Views};
use crate::show;
use crate::stats::history::Grain;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a run is seen and recorded.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Seeing and recording")]
pub(super) struct Flags {
    /// Show the run as a full-screen picture; `?` tells its keys
    #[arg(long)]
    pub(super) live: bool,
    /// Write every event as a line of JSON; `-` is standard output
    #[arg(long, value_name = "OUT.jsonl")]
    pub(super) events: Option<String>,
    /// Write the state of each second as a row of CSV; `-` is standard output
    #[arg(long, value_name = "OUT.csv")]
    pub(super) csv: Option<String>,
    /// Serve metrics in the OpenMetrics format at this address, under /metrics
    ///
    /// Such as 127.0.0.1:9464; a number alone is a port of 127.0.0.1, port 0 any that is free.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics: Option<String>,
    /// Push the metrics by OTLP over HTTP, as JSON, every 5 seconds and at the end
    ///
    /// Such as http://127.0.0.1:4318; `/v1/metrics` is added.
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL")]
    pub(super) otlp: Option<String>,
    /// Write a page with verdict, curves and tables that needs nothing else
    #[arg(long, value_name = "OUT.html")]
    pub(super) report: Option<String>,
    /// Write expectations and guards as JUnit's XML
    #[arg(long, value_name = "OUT.xml")]
    pub(super) junit: Option<String>,
    /// How long a slice of the history is, near now
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = slice)]
    pub(super) history_every: u64,
    /// Slices the history keeps of each fineness: of so many slices, of ten times as long ones, …
    #[arg(long, value_name = "N", default_value_t = Grain::default().slices, value_parser = slices)]
    pub(super) history_size: usize,
}

fn slice(text: &str) -> Result<u64, String> {
    let nanos = seconds_to_nanos(&shared::length(text)?).unwrap_or(u64::MAX);
    if !(10_000_000..=60_000_000_000).contains(&nanos) {
        return Err("a slice of the history is 10ms to 1m long".to_owned());
    }
    Ok(nanos)
}

fn slices(text: &str) -> Result<usize, String> {
    match text.replace('_', "").parse() {
        Ok(slices) if (100..=100_000).contains(&slices) => Ok(slices),
        _ => Err("the history keeps 100 to 100,000 slices of each fineness".to_owned()),
    }
}

impl Flags {
    pub(super) fn grain(&self) -> Grain {
        Grain { every_ns: self.history_every, slices: self.history_size }
    }

    /// Whether standard output is taken by a record.
    pub(super) fn take_stdout(&self) -> bool {
        [&self.events, &self.csv].into_iter().any(|path| path.as_deref() == Some("-"))
    }
}

/// Whether a result may be written there at the end: its folder is there, and it is none itself.
fn reachable(path: &str) -> Result<(), String> {
    let path = Path::new(path);
    if path.is_dir() {
        return Err(format!("cannot write {}: it is a folder", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(format!("cannot write {}: there is no such folder", path.display()));
    }
    Ok(())
}

/// Files and addresses that are taken.
pub(super) struct Seeing {
    records: Vec<(Form, Place)>,
    metrics: Option<Listener>,
    #[cfg(feature = "otlp")]
    otlp: Option<String>,
}

impl Seeing {
    /// Takes what the flags name.
    pub(super) fn prepare(flags: &Flags, json: bool, out: &Output) -> Result<Seeing, Exit> {
        let refuse = |message: String, help: &str| {
            out.fault(&message, help);
            Exit::Wrong
        };
        let paths = [(Form::Events, &flags.events), (Form::Csv, &flags.csv)];
        let to_stdout = paths.iter().filter(|(_, path)| path.as_deref() == Some("-")).count();
        if to_stdout + usize::from(json) > 1 {
            let help = "give --events or --csv the name of a file in place of `-`";
            return Err(refuse("two results cannot share standard output".to_owned(), help));
        }
        if flags.live && !live::is_possible() {
            let help = "leave out --live, or start it where you see its standard error";
            return Err(refuse("--live needs a terminal to draw on".to_owned(), help));
        }
        for path in [&flags.report, &flags.junit].into_iter().flatten() {
            let help = "name a file, in a folder that exists";
            reachable(path).map_err(|message| refuse(message, help))?;
        }
        let mut records = Vec::new();
        for (form, path) in paths {
            let Some(path) = path else { continue };
            let place =
                Place::open(path).map_err(|error| refuse(error.to_string(), error.help()))?;
            records.push((form, place));
        }
        let listen = |address: &String| {
            Listener::bind(address).map_err(|error| refuse(error.to_string(), error.help()))
        };
        let metrics = flags.metrics.as_ref().map(listen).transpose()?;
        if let Some(listener) = &metrics {
            out.note(&format!("metrics at http://{}/metrics", listener.address()));
        }
        #[cfg(feature = "otlp")]
        let otlp =
            flags.otlp.as_deref().map(metrics::otlp::address).transpose().map_err(|message| {
                refuse(message, "name a collector, such as `--otlp http://127.0.0.1:4318`")
            })?;
        Ok(Seeing {
            records,
            metrics,
            #[cfg(feature = "otlp")]
            otlp,
        })
    }

    /// Begins to write and to answer.
    pub(super) fn begin(
        self,
        publisher: &mut Publisher,
        views: &Views,
        facts: Facts,
    ) -> std::io::Result<Recording> {
        let mut writers = Vec::new();
        for (form, place) in self.records {
            writers.push(Writer::begin(form, place, publisher.tap(ROOM))?);
        }
        let (snapshots, history) = (views.snapshots.clone(), views.history.clone());
        let told = views.told.clone();
        let page = move || metrics::text(&facts, snapshots.borrow().clone(), &history, &told);
        let page: metrics::Source = Arc::new(page);
        #[cfg(feature = "otlp")]
        let begin = |address| metrics::otlp::Pusher::begin(address, Arc::clone(&page));
        #[cfg(feature = "otlp")]
        let pusher = self.otlp.map(begin).transpose()?;
        if let Some(listener) = self.metrics {
            listener.serve(page)?;
        }
        Ok(Recording {
            writers,
            #[cfg(feature = "otlp")]
            pusher,
        })
    }
}

/// What is being written.
pub(super) struct Recording {
    writers: Vec<Writer>,
    #[cfg(feature = "otlp")]
    pusher: Option<metrics::otlp::Pusher>,
}

/// How long the end of a run waits for a reader of its records.
const PATIENCE: Duration = Duration::from_secs(2);

impl Recording {
    /// Waits for the last lines, and says what is missing.
    pub(super) fn finish(self, out: &Output) {
        #[cfg(feature = "otlp")]
        if let Some(pushed) = self.pusher.map(metrics::otlp::Pusher::finish)
            && let Some(fault) = pushed.fault
        {
            let all = pushed.arrived + pushed.failed;
            let (failed, all) = (show::count(pushed.failed), show::count(all));
            out.note(&format!("warning: {failed} of {all} tries to push by OTLP failed: {fault}"));
        }
        for writer in self.writers {
            let written = writer.finish(PATIENCE);
            if written.fault.is_none() && written.lost == 0 {
                continue;
            }
            let why = written.fault.unwrap_or_else(|| "they came too fast".to_owned());
            let lost = match written.lost {
                0 => "the last lines are missing".to_owned(),
                lost => format!("{} missing", show::plural(lost, "line")),
            };
            out.fault(&format!("{} is not whole: {lost}: {why}", writer.name()), "");
        }
    }
}
