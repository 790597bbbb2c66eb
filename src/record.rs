//! What happens in a run, written down line by line while it happens: events as JSON, the state of
//! each second as CSV.
//!
//! A file is written on a thread of its own, from a queue of bounded length. Neither a full disk nor
//! a pipe that nobody reads holds the run up: what could not be written is counted and said at the
//! end.

mod csv;
mod place;

pub use place::{Place, PlaceError};

use crate::run::events::{Event, Record, Tap};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Events that wait to be written; a run tells a few a second.
pub const ROOM: usize = 16_384;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every event, one JSON object a line.
    Events,
    /// The state of each second, one row.
    Csv,
}

impl Form {
    /// The line of an event, if it has one here.
    fn line(self, record: &Record) -> Option<String> {
        match (self, &record.event) {
            (Form::Events, _) => serde_json::to_string(record).ok(),
            (Form::Csv, Event::Metrics(snapshot)) => Some(csv::row(&record.at_text(), snapshot)),
            (Form::Csv, _) => None,
        }
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct Writer {
    name: String,
    done: Receiver<Written>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Lines that are in the file.
    pub lines: u64,
    /// Lines that are not: there was no room for them, in the queue or on the disk.
    pub lost: u64,
    /// What the system said, if it refused any.
    pub fault: Option<String>,
}

impl Writer {
    /// Begins to write what comes through a tap.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn begin(form: Form, place: Place, tap: Tap) -> std::io::Result<Writer> {
        let (tell, done) = channel();
        let name = place.name().to_owned();
        let write = move || {
            // Nobody listens if the run did not wait: then nobody is told.
            let _ = tell.send(write(form, place, tap));
        };
        std::thread::Builder::new().name("record".to_owned()).spawn(write)?;
        Ok(Writer { name, done })
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits so long for the last lines to be written, after the run has let go of its taps.
    pub fn finish(&self, patience: Duration) -> Written {
        match self.done.recv_timeout(patience) {
            Ok(written) => written,
            Err(RecvTimeoutError::Timeout) => Written {
                fault: Some("its reader does not take what is written".to_owned()),
                ..Written::default()
            },
            Err(RecvTimeoutError::Disconnected) => {
                Written { fault: Some("the writer ended early".to_owned()), ..Written::default() }
            }
        }
    }
}

fn write(form: Form, mut place: Place, mut tap: Tap) -> Written {
    let mut written = Written::default();
    let mut put = |line: &str| match place.put(line) {
        Ok(()) => written.lines += 1,
        Err(error) => {
            written.lost += 1;
            written.fault.get_or_insert_with(|| error.to_string());
        }
    };
    if form == Form::Csv {
        put(csv::HEAD);
    }
    while let Some(record) = tap.events.blocking_recv() {
        if let Some(mut line) = form.line(&record) {
            line.push('\n');
            put(&line);
        }
    }
    written.lost += tap.missed.load(Ordering::Relaxed);
    written
}

#[cfg(test)]
mod tests;
