//! Files that a script names: read whole, from the script's own folder.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// No file of a script may be larger.
pub const MAX_BYTES: u64 = 100_000_000;

/// Reads a file that a script names.
///
/// # Errors
///
/// What is wrong with it, in a reader's words: it is not there, is no file, is too large, or can't be
/// read.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let fault = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => {
            let what = error.to_string();
            let what = what.split(" (os error").next().unwrap_or_default();
            format!("it cannot be read: {what}")
        }
    };
    // A pipe or a device may never end, and opening a pipe waits for whoever writes to it.
    if !std::fs::metadata(path).map_err(fault)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut file = File::open(path).map_err(fault)?;
    let mut bytes = Vec::new();
    let limited = file.by_ref().take(MAX_BYTES + 1);
    { limited }.read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it is larger than 100 MB".to_owned());
    }
    Ok(bytes)
}

/// A table of texts: a header and rows of as many cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns, distinct.
    pub header: Vec<String>,
    /// The cells, row by row.
    pub cells: Vec<String>,
}

/// Reads comma-separated values (RFC 4180), the first row of which names the columns.
///
/// # Errors
///
/// What is wrong, with the row: one of another length than the header, one that is not text, a
/// column without a name or two of one name, no rows.
pub fn sheet(bytes: &[u8]) -> Result<Sheet, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header: Vec<String> =
        reader.headers().map_err(|error| fault(&error))?.iter().map(clean).collect();
    if header.is_empty() {
        return Err("it is empty; its first row names the columns".to_owned());
    }
    for (at, name) in header.iter().enumerate() {
        if name.is_empty() {
            return Err(format!("column {} has no name in the first row", at + 1));
        }
        if header[..at].contains(name) {
            return Err(format!("two columns are called `{name}`"));
        }
    }
    let mut cells = Vec::new();
    for record in reader.records() {
        cells.extend(record.map_err(|error| fault(&error))?.iter().map(str::to_owned));
    }
    if cells.is_empty() {
        return Err("it has no rows below its header".to_owned());
    }
    Ok(Sheet { header, cells })
}

fn clean(name: &str) -> String {
    name.trim().to_owned()
}

fn fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let (cells, columns) = (count(*len, "cell"), count(*expected_len, "column"));
            format!("{} has {cells}, and the header {columns}", row(pos.as_ref()))
        }
        csv::ErrorKind::Utf8 { pos, err } => {
            format!("{}: cell {} is not UTF-8", row(pos.as_ref()), err.field() + 1)
        }
        _ => error.to_string(),
    }
}

/// A row by its number below the header, from 1, and its line.
fn row(position: Option<&csv::Position>) -> String {
    match position {
        Some(at) if at.record() > 0 => format!("row {} (line {})", at.record(), at.line()),
        _ => "the header".to_owned(),
    }
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &[u8]) -> String {
        sheet(text).unwrap_err()
    }

    #[test]
    fn a_sheet_has_its_cells_in_order() {
        let text = "\u{feff}id, name \n1,Ann\n2,\"Bo, \"\"the\"\" 2nd\nline\"\n\n3,\n";
        let read = sheet(text.as_bytes()).unwrap();
        assert_eq!(read.header, ["id", "name"]);
        assert_eq!(read.cells, ["1", "Ann", "2", "Bo, \"the\" 2nd\nline", "3", ""]);
    }

    #[test]
    fn what_is_wrong_has_its_row() {
        assert_eq!(fails(b"a,b\n1,2\n3\n"), "row 2 (line 3) has 1 cell, and the header 2 columns");
        assert_eq!(
            fails(b"a\n\"x\ny\"\n1,2\n"),
            "row 2 (line 4) has 2 cells, and the header 1 column"
        );
        assert_eq!(fails(b"a,b\n1,\xFF\n"), "row 1 (line 2): cell 2 is not UTF-8");
        assert_eq!(fails(b"a,\xFF\n"), "the header: cell 2 is not UTF-8");
        assert_eq!(fails(b""), "it is empty; its first row names the columns");
        assert_eq!(fails(b"a,b\n"), "it has no rows below its header");
        assert_eq!(fails(b"a,,c\n1,2,3\n"), "column 2 has no name in the first row");
        assert_eq!(fails(b"a,b,a\n1,2,3\n"), "two columns are called `a`");
    }

    #[test]
    fn only_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "x").unwrap();
        assert_eq!(read(&folder.path().join("a.csv")).unwrap(), b"x");
        assert_eq!(read(&folder.path().join("b.csv")).unwrap_err(), "there is no such file");
        assert_eq!(read(folder.path()).unwrap_err(), "it is not a file");
    }
}
