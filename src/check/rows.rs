//! Files: rows that jobs have, and bodies sent as they are.

use super::Checker;
use crate::ast::{Job, JobFieldKind, Name, RowOrder, Rows};
use crate::files;
use crate::job::{self, Blob, Mix, Table, Template};
use crate::plan::Stream;
use crate::problem::{Code, Problem};
use crate::show;
use crate::source::Span;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// No server takes a larger value: Redis's own bound (`proto-max-bulk-len`), in bytes.
const MAX_PAYLOAD: u64 = 512 * 1024 * 1024;

/// The files of a script.
#[derive(Default)]
pub(super) struct Files {
    /// Read so far, by path; `None` for those that can't be used, which is said once.
    tables: BTreeMap<PathBuf, Option<Arc<Table>>>,
    blobs: BTreeMap<PathBuf, Option<Blob>>,
    /// Those of recordings, which are read where they are played.
    recordings: BTreeSet<PathBuf>,
    /// The rows of the job in hand, by what a row is called; `None` for those found wrong.
    of_job: BTreeMap<String, Option<Arc<job::Rows>>>,
    /// A statement of the job in hand could not be read: it may have been one of rows.
    unsure: bool,
    /// Where each job stands, and the rows of it that are there once, with their number.
    places: BTreeMap<String, Span>,
    once: BTreeMap<String, Vec<(Rows, Span, u64)>>,
}

impl Files {
    /// The paths of all of them.
    pub fn paths(&self) -> impl Iterator<Item = std::path::PathBuf> {
        self.tables.keys().chain(self.blobs.keys()).chain(&self.recordings).cloned()
    }

    /// Takes note of a recording.
    pub fn note(&mut self, recording: &std::path::Path) {
        self.recordings.insert(recording.to_owned());
    }
}

impl Checker<'_> {
    /// Reads the files that a job has rows of.
    pub(super) fn rows_of(&mut self, job: &Job) {
        self.rows.of_job.clear();
        self.rows.unsure = job.fields.iter().any(|field| field.kind == JobFieldKind::Broken);
        self.rows.places.insert(job.name.node.clone(), job.name.span);
        let mut firsts: BTreeMap<&str, Span> = BTreeMap::new();
        for field in &job.fields {
            let JobFieldKind::Rows(rows) = &field.kind else { continue };
            if let Some(first) = firsts.insert(&rows.name.node, rows.name.span) {
                let message = format!("two files' rows are called `{}`", rows.name.node);
                self.report(
                    Problem::error(Code::DuplicateName, rows.name.span, message)
                        .label("named again here")
                        .and(first, "named first here")
                        .help("give one of them another name"),
                );
                continue;
            }
            let table = self.table(&rows.path);
            if let Some(table) = table.as_ref().filter(|_| rows.order == RowOrder::Once) {
                let once = self.rows.once.entry(job.name.node.clone()).or_default();
                once.push((rows.clone(), field.span, table.rows()));
            }
            let name = rows.name.node.clone();
            let found = table.map(|table| Arc::new(job::Rows { table, name, order: rows.order }));
            self.rows.of_job.insert(rows.name.node.clone(), found);
        }
    }

    fn table(&mut self, path: &Name) -> Option<Arc<Table>> {
        let place = self.source.path_from(path.span.start, &path.node);
        if let Some(known) = self.rows.tables.get(&place) {
            return known.clone();
        }
        let read = files::read(&place);
        let read = read.and_then(|bytes| {
            let sheet = files::sheet(&bytes)?;
            Ok(Table::new(&sheet.header, &sheet.cells, hash(&bytes)))
        });
        let table = self.usable(path, read, "rows are comma-separated values, the first row of which names the columns; the path is that from the script's folder");
        let table = table.map(Arc::new);
        self.rows.tables.insert(place, table.clone());
        table
    }

    /// The content of a `body file`.
    pub(super) fn blob(&mut self, path: &Name) -> Option<Blob> {
        let place = self.source.path_from(path.span.start, &path.node);
        if let Some(known) = self.rows.blobs.get(&place) {
            return known.clone();
        }
        let read = files::read(&place);
        let blob = self.usable(path, read, "the path is that from the script's folder");
        let blob = blob.map(|bytes| Blob { hash: hash(&bytes), bytes: bytes.into() });
        self.rows.blobs.insert(place, blob.clone());
        blob
    }

    fn usable<T>(&mut self, path: &Name, read: Result<T, String>, help: &str) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(fault) => {
                let message = format!("`{}` can't be used: {fault}", path.node);
                self.report(Problem::error(Code::BadFile, path.span, message).help(help));
                None
            }
        }
    }

    /// `user.name`
    pub(super) fn column(&mut self, row: &Name, column: &Name) -> Option<job::Value> {
        let Some(found) = self.rows.of_job.get(&row.node).cloned() else {
            if !self.rows.unsure && self.misused.insert(format!("row {}", row.node)) {
                self.no_rows(row);
            }
            return None;
        };
        let rows = found?;
        let columns = rows.table.columns();
        let at = columns.iter().position(|known| known.name == column.node);
        let Some(column) = at else {
            let names = columns.iter().map(|column| column.name.as_str());
            let help = match self.meant(&column.node, names.clone()) {
                Some(meant) => format!("did you mean `{}.{}`?", row.node, written(&meant)),
                None => format!("its columns are {}", names.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` has no column `{}`", row.node, column.node);
            self.report(Problem::error(Code::UnknownName, column.span, message).help(help));
            return None;
        };
        Some(job::Value::Cell { rows, column })
    }

    /// The columns of what a row of the job in hand is called.
    pub(super) fn columns_of(&self, row: &str) -> Option<String> {
        let rows = self.rows.of_job.get(row)?.as_ref()?;
        let columns = rows.table.columns().iter();
        let columns = columns.map(|column| format!("`{row}.{}`", written(&column.name)));
        Some(columns.collect::<Vec<_>>().join(", "))
    }

    fn no_rows(&mut self, row: &Name) {
        let known = self.rows.of_job.keys().cloned().collect::<Vec<_>>();
        let help = match self.meant(&row.node, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "name a file in the job: `rows \"{}s.csv\" as {}`; a field of the body is named alone, without a point",
                row.node, row.node
            ),
        };
        let message = format!("this job has no rows called `{}`", row.node);
        self.report(Problem::error(Code::UnknownName, row.span, message).help(help));
    }

    /// The last proof: that every template compiles, that no payload is too large for a server, and
    /// that what is there once lasts.
    pub(super) fn prove_payloads(&mut self, streams: &[Stream], seed: u64) {
        let mut first_users: BTreeMap<String, Option<String>> = BTreeMap::new();
        for stream in streams {
            let jobs = stream.jobs();
            let weights: Vec<u32> = stream.mix.iter().map(|entry| entry.weight).collect();
            let load = stream.name.as_deref();
            let own = stream.mix.iter().enumerate().map(|(at, entry)| (at, &entry.job));
            let steps = stream
                .steps
                .iter()
                .flat_map(|steps| steps.jobs.jobs.iter().skip(1).map(|job| (steps.entry, job)));
            for (at, job) in own.chain(steps) {
                let name = &job.name;
                let place = self.rows.places.get(name).copied().unwrap_or_default();
                match Template::compile(job, seed, load) {
                    Ok(template) => {
                        self.prove_size(name, place, template.sizes(jobs.max(1)).max_bytes);
                    }
                    Err(error) => {
                        let message = format!("job `{name}` can't be written: {error}");
                        let problem = Problem::error(Code::TooDeep, place, message);
                        self.report(problem.help("make its body simpler"));
                    }
                }
                if self.rows.once.contains_key(name) {
                    let mix = Mix::new(&weights, seed, load);
                    let before = first_users.insert(name.clone(), stream.name.clone());
                    let (batches, rest) = (jobs / stream.batch, jobs % stream.batch);
                    let rest = if mix.job_of(batches + 1) == at { rest } else { 0 };
                    let jobs = mix.count_of(at, batches) * stream.batch + rest;
                    self.prove_rows(name, jobs, before.is_some());
                }
            }
        }
    }

    fn prove_size(&mut self, name: &str, place: Span, max_bytes: u64) {
        if max_bytes <= MAX_PAYLOAD || !self.misused.insert(format!("size {name}")) {
            return;
        }
        let most = if max_bytes > MAX_PAYLOAD * 1_000_000 {
            "beyond all bounds".to_owned()
        } else {
            format!("up to {}", show::bytes(max_bytes))
        };
        let message = format!("a payload of job `{name}` may grow {most}");
        self.report(
            Problem::error(Code::PayloadTooLarge, place, message)
                .label("this job")
                .help("Redis takes values of up to 512 MiB: shorten its texts and lists"),
        );
    }

    fn prove_rows(&mut self, name: &str, jobs: u64, used_before: bool) {
        for (rows, place, there) in self.rows.once.get(name).cloned().unwrap_or_default() {
            let file = &rows.path.node;
            let problem = if used_before {
                let message = format!("two loads send job `{name}`, and it has each row once");
                let problem = Problem::error(Code::RowsRunOut, place, message);
                problem.help("give each load a job and a file of its own, or leave `once` out")
            } else if jobs > there {
                let message = format!(
                    "this script sends {} of job `{name}`, and `{file}` has {}",
                    show::count(jobs),
                    show::plural(there, "row")
                );
                Problem::error(Code::RowsRunOut, place, message)
                    .label("each row once")
                    .help(format!(
                        "send {} or fewer, add rows, or leave `once` out: then the rows come round again",
                        show::count(there)
                    ))
            } else {
                continue;
            };
            self.report(problem);
        }
    }
}

/// SHA-256 in hexadecimal.
fn hash(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A column as a body names it: what is no word stands in quotes.
fn written(column: &str) -> String {
    let begins = column.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match begins && column.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => column.to_owned(),
        false => format!("{column:?}"),
    }
}
