//! Writing a journal.

use super::{Base, Head, Seam, Spans, checksum};
use std::fmt::{Display, Write as _};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A journal that has grown by this much is written anew.
const LONG: u64 = 1 << 20;

/// The same while what is written anew is long itself.
const VERY_LONG: u64 = 16 << 20;

/// A journal that is being written. While it is, nobody else can write it.
#[derive(Debug)]
pub struct Journal {
    head: Head,
    path: PathBuf,
    file: File,
    grown: u64,
    line: String,
    /// Lines that may wait for the next one.
    waiting: String,
}

impl Journal {
    /// Begins a journal. One that is there gives way, unless somebody is writing it.
    ///
    /// # Errors
    ///
    /// When the file can't be written; [`io::ErrorKind::WouldBlock`] if somebody else writes it.
    pub fn begin(path: &Path, head: Head, base: &Base) -> io::Result<Journal> {
        let path = std::path::absolute(path)?;
        // Whoever writes it holds its lock: it is not to be replaced under them.
        let _held = match File::open(&path) {
            Ok(old) => Some(lock(old)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let file = anew(&path, &head, base, std::iter::empty())?;
        let (line, waiting) = (String::new(), String::new());
        Ok(Journal { head, path, file, grown: 0, line, waiting })
    }

    /// The run.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes when the run started, unless it did before, and begins anew from here.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn starts(&mut self, unix_ns: Option<u64>, base: &Base) -> io::Result<()> {
        self.head.started_unix_ns = unix_ns.unwrap_or(self.head.started_unix_ns);
        self.rebase(base, std::iter::empty())
    }

    /// Notes a batch that is about to be sent; all before `oldest` have their outcome.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn sends(&mut self, batch: u64, oldest: u64, jobs: &Spans) -> io::Result<()> {
        self.add(format_args!("s {batch} {oldest} {jobs}"));
        self.flush()
    }

    /// Notes that a queue's commands fail by themselves from now on, or are taken again.
    pub fn refuses(&mut self, queue: &str, is_so: bool) {
        let kind = if is_so { 'w' } else { 'o' };
        // A text always serialises.
        self.add(format_args!("{kind} {}", serde_json::to_string(queue).unwrap_or_default()));
    }

    /// Writes what waits for the next batch: what was refused must be known before the target is asked
    /// about it.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn settled(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Notes, with the next batch, what became of jobs of one: `f`, `u` or `n`.
    pub fn settles(&mut self, kind: char, batch: u64, jobs: &Spans) {
        self.add(format_args!("{kind} {batch} {jobs}"));
    }

    /// Notes, with the next batch, that a lane of the target has answered its part of one. What did
    /// not go in is said before.
    pub fn answers(&mut self, batch: u64, lane: usize) {
        self.add(format_args!("a {batch} {lane}"));
    }

    /// Notes, with the next batch, that a stream has been gone through up to a job: what is handed
    /// out of it by nothing else waits.
    pub fn passes(&mut self, stream: usize, last: u64) {
        self.add(format_args!("h {stream} {last}"));
    }

    /// Notes, with the next batch, jobs that were given up for being late.
    pub fn skips(&mut self, jobs: &Spans) {
        self.add(format_args!("k {jobs}"));
    }

    /// Notes, with what is noted next, jobs that are left out of the plan.
    pub fn leaves_out(&mut self, jobs: &Spans) {
        self.add(format_args!("c {jobs}"));
    }

    /// Notes that a stream was stopped by itself when so many of its jobs had fallen due.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn stops(&mut self, stream: usize, due: u64) -> io::Result<()> {
        self.add(format_args!("x {stream} {due}"));
        self.flush()
    }

    /// Notes what streams follow from now on.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn splices(&mut self, seams: impl Iterator<Item = (usize, Seam)>) -> io::Result<()> {
        for (stream, seam) in seams {
            if let Some(jobs) = self.head.jobs.get_mut(stream) {
                *jobs = seam.jobs;
            }
            self.add(format_args!("y {stream} {}", serde_json::to_string(&seam)?));
        }
        self.flush()
    }

    /// Notes the time.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn ticks(&mut self, run_ns: u64, streams_ns: impl Iterator<Item = u64>) -> io::Result<()> {
        let mut times = format!("t {run_ns} ");
        for (place, time) in streams_ns.enumerate() {
            let comma = if place > 0 { "," } else { "" };
            // Writing to a string can't fail.
            _ = write!(times, "{comma}{time}");
        }
        self.add(times);
        self.flush()
    }

    /// Notes that nothing is in flight any more, and puts it all on the disk.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn ends(&mut self) -> io::Result<()> {
        self.add("end");
        self.flush()?;
        self.file.sync_data()
    }

    /// Whether it should be written anew, where that takes a long list or does not.
    pub fn is_long(&self, lists: bool) -> bool {
        self.grown >= if lists { VERY_LONG } else { LONG }
    }

    /// Writes it anew: from here on, nothing is in flight but what is in `flying`.
    ///
    /// # Errors
    ///
    /// When it can't be written; the old one is still there.
    pub fn rebase<'a>(
        &mut self,
        base: &Base,
        flying: impl Iterator<Item = (u64, &'a Spans)>,
    ) -> io::Result<()> {
        self.waiting.clear();
        self.file = anew(&self.path, &self.head, base, flying)?;
        self.grown = 0;
        Ok(())
    }

    /// Writes it anew for another script that the run follows from here on.
    ///
    /// # Errors
    ///
    /// As [`Journal::rebase`].
    pub fn reloads<'a>(
        &mut self,
        (digest, seed): (&str, u64),
        jobs: Vec<u64>,
        base: &Base,
        flying: impl Iterator<Item = (u64, &'a Spans)>,
    ) -> io::Result<()> {
        self.head.digest = digest.to_owned();
        self.head.seed = seed;
        self.head.jobs = jobs;
        self.head.reloaded = true;
        self.rebase(base, flying)
    }

    /// The file, for whoever puts it on the disk meanwhile.
    ///
    /// # Errors
    ///
    /// When the system has no more handles.
    pub fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Removes it: there is nothing to go on from.
    ///
    /// # Errors
    ///
    /// When it can't be removed.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    fn add(&mut self, text: impl Display) {
        self.line.clear();
        // Writing to a string can't fail.
        _ = write!(self.line, "{text}");
        add_line(&mut self.waiting, &self.line);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(self.waiting.as_bytes())?;
        self.grown += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// Notes in the journal of a run whose process has ended that queues were found to refuse their
/// commands: whether what was in flight to them went in can't be told any more.
///
/// # Errors
///
/// When it can't be written, or somebody writes it.
pub fn note_refusing<'a>(path: &Path, queues: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut file = lock(OpenOptions::new().read(true).append(true).open(path)?)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // A last line that is torn counts as not written.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    file.set_len(whole as u64)?;
    let mut text = String::new();
    for queue in queues {
        add_line(&mut text, &format!("w {}", serde_json::to_string(queue)?));
    }
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// A new file with these first lines in the place of whatever is there, once it is whole: what is in
/// flight is part of that, for no account of the base has it.
fn anew<'a>(
    path: &Path,
    head: &Head,
    base: &Base,
    flying: impl Iterator<Item = (u64, &'a Spans)>,
) -> io::Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file =
        lock(OpenOptions::new().create(true).append(true).truncate(false).open(&beside)?)?;
    file.set_len(0)?;
    let mut text = String::new();
    for (kind, json) in
        [("head", serde_json::to_string(head)?), ("base", serde_json::to_string(base)?)]
    {
        add_line(&mut text, &format!("{kind} {json}"));
    }
    let flying: Vec<_> = flying.collect();
    let oldest = flying.iter().map(|(batch, _)| *batch).min().unwrap_or(base.next_batch);
    for (batch, jobs) in flying {
        add_line(&mut text, &format!("s {batch} {oldest} {jobs}"));
    }
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&beside, path)?;
    Ok(file)
}

/// Adds a line behind its checksum.
fn add_line(text: &mut String, line: &str) {
    // Writing to a string can't fail.
    _ = writeln!(text, "{:08x} {line}", checksum(line));
}

fn lock(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
