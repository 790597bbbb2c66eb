//! Where lines go: a file, a pipe, standard output.

use std::fs::File;
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A place that takes lines.
#[derive(Debug)]
pub struct Place {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A file with so many bytes of whole lines.
    File { file: File, whole: u64 },
    /// A pipe that is opened when the first line comes: opening waits for a reader.
    Unopened(PathBuf),
    /// Something that takes bytes in order.
    Stream(File),
    /// Standard output.
    Stdout(io::Stdout),
    /// It has refused bytes in the middle of a line and takes no more.
    Broken,
}

/// A file that can't be written.
#[derive(Debug, Error)]
#[error("cannot write {name}: {what}")]
pub struct PlaceError {
    name: String,
    what: String,
    kind: ErrorKind,
}

impl PlaceError {
    fn new(name: &str, error: &io::Error) -> PlaceError {
        PlaceError { name: name.to_owned(), what: what(error), kind: error.kind() }
    }

    /// A way out.
    pub fn help(&self) -> &'static str {
        match self.kind {
            ErrorKind::NotFound => "the folder must exist; `-` is standard output",
            ErrorKind::IsADirectory => "name a file in that folder",
            _ => "name a file that can be written; `-` is standard output",
        }
    }
}

fn what(error: &io::Error) -> String {
    let what = error.to_string();
    what.split(" (os error").next().unwrap_or_default().to_owned()
}

impl Place {
    /// Opens a file, anew; `-` is standard output. A named pipe is opened when the first line comes,
    /// since that waits for its reader.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn open(path: &str) -> Result<Place, PlaceError> {
        let name = if path == "-" { "standard output" } else { path }.to_owned();
        let kind = match path {
            "-" => Kind::Stdout(io::stdout()),
            path if is_pipe(Path::new(path)) => Kind::Unopened(PathBuf::from(path)),
            path => {
                let file = File::create(path).map_err(|error| PlaceError::new(path, &error))?;
                match file.metadata() {
                    Ok(facts) if facts.is_file() => Kind::File { file, whole: 0 },
                    _ => Kind::Stream(file),
                }
            }
        };
        Ok(Place { name, kind })
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes a whole line or, in a file, nothing of it: then a later line may find room again.
    pub(super) fn put(&mut self, line: &str) -> io::Result<()> {
        if let Kind::Unopened(path) = &self.kind {
            let pipe = std::fs::OpenOptions::new().write(true).open(path);
            self.kind = match pipe {
                Ok(pipe) => Kind::Stream(pipe),
                Err(_) => Kind::Broken,
            };
        }
        let done = match &mut self.kind {
            Kind::File { file, whole } => {
                let done = file.write_all(line.as_bytes());
                if done.is_ok() {
                    *whole += line.len() as u64;
                } else {
                    // If half a line can't be taken back, the next whole one still follows it.
                    let _ = file.set_len(*whole);
                    let _ = file.seek(SeekFrom::Start(*whole));
                }
                done
            }
            Kind::Stream(out) => out.write_all(line.as_bytes()),
            Kind::Stdout(out) => out.write_all(line.as_bytes()).and_then(|()| out.flush()),
            Kind::Unopened(_) | Kind::Broken => Err(io::Error::other("it takes no more")),
        };
        if done.is_err() && !matches!(self.kind, Kind::File { .. }) {
            self.kind = Kind::Broken;
        }
        done.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, "its reader is gone"),
            kind => io::Error::new(kind, what(&error)),
        })
    }
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|facts| facts.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}
