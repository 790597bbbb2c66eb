//! Rows of a file, whichever way it is written.

use super::{RecordingError, fault};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Read as _;

/// How every gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, uncompressed if they were.
pub fn plain(bytes: &[u8], limit: u64) -> Result<Cow<'_, [u8]>, RecordingError> {
    let too_large = || {
        let help = "replay it in parts, or as a rate: one row for each second";
        fault(None, format!("it is larger than {} MiB", limit >> 20), help)
    };
    if !bytes.starts_with(&GZIP) {
        return if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes.into()) };
    }
    let mut out = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut out);
    if let Err(error) = read {
        let help = "check that the file is whole: `gzip -t FILE`";
        return Err(fault(None, format!("it cannot be uncompressed: {error}"), help));
    }
    if out.len() as u64 > limit { Err(too_large()) } else { Ok(out.into()) }
}

/// A row: its line in the file, and what was asked for.
pub struct Row<const N: usize> {
    /// The line, from 1.
    pub line: u64,
    /// The values, as texts.
    pub values: [String; N],
}

/// The rows of a file.
pub struct Rows<'b> {
    names: Vec<String>,
    kind: Kind<'b>,
}

enum Kind<'b> {
    Csv { reader: csv::Reader<&'b [u8]>, record: csv::StringRecord },
    Json { rest: &'b [u8], line: u64 },
}

impl<'b> Rows<'b> {
    /// Begins to read.
    pub fn open(bytes: &'b [u8]) -> Result<Rows<'b>, RecordingError> {
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Err(fault(None, "it is empty", "a recording has a row for each point")),
            Some(b'{') => {
                let kind = Kind::Json { rest: bytes, line: 0 };
                let mut rows = Rows { names: Vec::new(), kind };
                rows.names = rows.first_keys()?;
                Ok(rows)
            }
            Some(_) => {
                let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
                let names = reader.headers().map_err(|error| wrong_csv(&error))?;
                let names = names.iter().map(str::to_owned).collect();
                Ok(Rows { names, kind: Kind::Csv { reader, record: csv::StringRecord::new() } })
            }
        }
    }

    /// The names of the columns; of JSON those of its first line.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn first_keys(&self) -> Result<Vec<String>, RecordingError> {
        let Kind::Json { mut rest, mut line } = self.kind else { return Ok(Vec::new()) };
        let object = next_object(&mut rest, &mut line)?;
        Ok(object.map_or_else(Vec::new, |object| object.keys().cloned().collect()))
    }

    /// The next row's values of some columns.
    pub fn next<const N: usize>(
        &mut self,
        columns: [&str; N],
    ) -> Result<Option<Row<N>>, RecordingError> {
        match &mut self.kind {
            Kind::Csv { reader, record } => {
                if !reader.read_record(record).map_err(|error| wrong_csv(&error))? {
                    return Ok(None);
                }
                let line = record.position().map_or(0, csv::Position::line);
                let value = |name: &str| {
                    let at = self.names.iter().position(|known| known == name);
                    at.and_then(|at| record.get(at)).unwrap_or_default().to_owned()
                };
                Ok(Some(Row { line, values: columns.map(value) }))
            }
            Kind::Json { rest, line } => {
                let Some(object) = next_object(rest, line)? else { return Ok(None) };
                let value = |name: &str| match object.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    None | Some(Value::Null) => String::new(),
                    Some(other) => other.to_string(),
                };
                Ok(Some(Row { line: *line, values: columns.map(value) }))
            }
        }
    }
}

/// The object of the next line that is not blank.
fn next_object(
    rest: &mut &[u8],
    line: &mut u64,
) -> Result<Option<serde_json::Map<String, Value>>, RecordingError> {
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (this, after) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (*rest, &rest[rest.len()..]),
        };
        *rest = after;
        *line += 1;
        if this.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        return match serde_json::from_slice(this) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(_) => Err(fault(Some(*line), "this is no object", "write one JSON object a line")),
            Err(error) => Err(fault(
                Some(*line),
                format!("this is no JSON: {error}"),
                "write one JSON object a line",
            )),
        };
    }
    Ok(None)
}

fn wrong_csv(error: &csv::Error) -> RecordingError {
    let row = error.position().map(csv::Position::line);
    let (message, help) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => (
            format!("it has {len} fields, and the header has {expected_len}"),
            "each row has a field for each column",
        ),
        csv::ErrorKind::Utf8 { .. } => {
            ("it is not UTF-8 text".to_owned(), "save the recording as UTF-8")
        }
        _ => (error.to_string(), "write it as CSV with a header, or as JSON lines"),
    };
    fault(row, message, help)
}
