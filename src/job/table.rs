//! Rows of a file that jobs take their values from, and files sent as they are.

use crate::ast::RowOrder;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What names a content: SHA-256, in hexadecimal.
pub type Hash = String;

/// A file's content.
#[derive(Clone, PartialEq)]
pub struct Blob {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Their name.
    pub hash: Hash,
}

/// The content stands for itself by its hash: it may be long.
impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.hash.serialize(serializer)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes, {})", self.bytes.len(), self.hash)
    }
}

/// The rows of a file.
#[derive(PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    hash: Hash,
    /// All cells as JSON has them, without quotes around texts, row by row.
    json: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<u32>,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Whether every cell of it is a number as JSON writes one.
    pub is_number: bool,
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.hash.serialize(serializer)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} rows, {})", self.rows(), self.hash)
    }
}

impl Table {
    /// The table of a header and its cells, row by row; as many in each as the header has, and at
    /// least one row. The hash names what it was read from.
    pub fn new(header: &[String], cells: &[String], hash: Hash) -> Table {
        let width = header.len().max(1);
        let column = |(at, name): (usize, &String)| {
            let mut cells = cells.iter().skip(at).step_by(width);
            Column { name: name.clone(), is_number: cells.all(|cell| is_number(cell)) }
        };
        let columns = header.iter().enumerate().map(column).collect();
        let (mut json, mut ends) = (Vec::new(), Vec::with_capacity(cells.len()));
        for cell in cells {
            super::write::push_escaped(&mut json, cell);
            // Files are bounded far below 4 GiB, and escaping makes at most six bytes of one.
            ends.push(u32::try_from(json.len()).unwrap_or(u32::MAX));
        }
        Table { columns, hash, json, ends }
    }

    /// What names its content.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        (self.ends.len() / self.columns.len().max(1)) as u64
    }

    /// A cell as it stands between the quotes of a JSON string, or as a number.
    pub fn cell(&self, row: u64, column: usize) -> &[u8] {
        let at = row as usize * self.columns.len() + column;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        &self.json[start..self.ends[at] as usize]
    }

    /// The sizes of a column's cells: smallest, mean and largest.
    pub fn sizes(&self, column: usize) -> (u64, f64, u64) {
        let (mut min, mut max, mut sum) = (u64::MAX, 0, 0);
        for row in 0..self.rows() {
            let size = self.cell(row, column).len() as u64;
            (min, max, sum) = (min.min(size), max.max(size), sum + size);
        }
        (min, sum as f64 / self.rows() as f64, max)
    }
}

/// Whether a text is a number as JSON writes one; `007` and `1e5` are texts.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
}

/// Rows as a job takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The rows.
    pub table: Arc<Table>,
    /// What a row is called in the body; the row is drawn by it.
    pub name: String,
    /// Which row a job has.
    pub order: RowOrder,
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Rows", 3)?;
        parts.serialize_field("table", &*self.table)?;
        parts.serialize_field("name", &self.name)?;
        parts.serialize_field("order", &self.order)?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(header: &[&str], cells: &[&str]) -> Table {
        let owned =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Table::new(&owned(header), &owned(cells), "h".to_owned())
    }

    #[test]
    fn cells_are_found_by_row_and_column() {
        let table = table(&["id", "name"], &["1", "Ann", "2", "B\"o", "3", ""]);
        assert_eq!(table.rows(), 3);
        assert_eq!((table.cell(0, 0), table.cell(1, 1)), (&b"1"[..], &b"B\\\"o"[..]));
        assert_eq!((table.cell(2, 0), table.cell(2, 1)), (&b"3"[..], &b""[..]));
        assert_eq!(table.sizes(1), (0, 7.0 / 3.0, 4));
    }

    #[test]
    fn a_column_of_numbers_alone_is_one_of_numbers() {
        let table = table(&["a", "b", "c", "d"], &["1", "-0.5", "007", "2", "0", "20", "1", ""]);
        let numbers: Vec<bool> = table.columns().iter().map(|column| column.is_number).collect();
        assert_eq!(numbers, [true, true, false, false]);
        for text in ["", "-", "1.", ".5", "1e5", "+1", "0x1", "١"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
