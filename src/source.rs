//! Source text and places in it: the ground floor, known to every other room.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A half-open range of bytes in a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        // A source is refused above 4 GiB long before this, so saturation is never seen.
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clip(start), end: clip(end.max(start)) }
    }

    /// The span so many bytes further on.
    #[must_use]
    pub fn shifted(self, by: u32) -> Span {
        Span { start: self.start.saturating_add(by), end: self.end.saturating_add(by) }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether nothing lies in it.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes as a range, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies wholly within.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A value and where it stands in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(node: T, span: Span) -> Self {
        Spanned { node, span }
    }
}

/// A script's name and text, with those of the files that it uses behind them.
///
/// All of them share one row of bytes, so that a place in any of them is a [`Span`]; lines and
/// columns are counted in the file that holds the place.
#[derive(Clone)]
pub struct SourceFile {
    /// The name shown to readers: a path, or `<stdin>`.
    pub name: String,
    /// The text of the script, and behind a newline that of each file it uses.
    pub text: String,
    line_starts: Vec<u32>,
    files: Box<Files>,
}

/// The script and the files that it uses.
#[derive(Clone)]
struct Files {
    parts: Vec<Part>,
    uses: BTreeMap<u32, Used>,
}

/// One of the files.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    path: Option<PathBuf>,
    start: u32,
    end: u32,
}

/// What came of a `use`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// The file is this part of the source; 0 is the script.
    Part(usize),
    /// The file could not be read: where it was looked for, why, and a way out.
    Unread {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong, in words.
        what: String,
        /// What to do about it.
        help: String,
    },
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.name, self.text.len())
    }
}

impl SourceFile {
    /// Takes a text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        let Span { start, end } = Span::new(0, text.len());
        let parts = vec![Part { name: name.clone(), path: None, start, end }];
        let (line_starts, files) = (vec![0], Box::new(Files { parts, uses: BTreeMap::new() }));
        let mut source = SourceFile { name, text, line_starts, files };
        source.index(0);
        source
    }

    /// Notes where lines begin, from a byte on.
    fn index(&mut self, from: usize) {
        let newlines = self.text.bytes().enumerate().skip(from).filter(|(_, byte)| *byte == b'\n');
        let starts: Vec<u32> = newlines.map(|(at, _)| Span::new(at + 1, at + 1).start).collect();
        self.line_starts.extend(starts);
    }

    /// Says from which file the script was read: what it uses is looked for beside it.
    #[must_use]
    pub fn from_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.parts[0].path = Some(path.into());
        self
    }

    /// Puts the text of a used file behind the others; its number comes back.
    pub fn add(&mut self, name: impl Into<String>, path: PathBuf, text: &str) -> usize {
        let before = self.text.len();
        self.text.push('\n');
        self.text.push_str(text);
        self.index(before);
        let Span { start, end } = Span::new(before + 1, self.text.len());
        self.files.parts.push(Part { name: name.into(), path: Some(path), start, end });
        self.files.parts.len() - 1
    }

    /// Notes what came of the `use` whose path stands at a place.
    pub fn resolve(&mut self, place: Span, used: Used) {
        self.files.uses.insert(place.start, used);
    }

    /// What came of the `use` whose path stands at a place; `None` if nobody looked.
    pub fn used(&self, place: Span) -> Option<&Used> {
        self.files.uses.get(&place.start)
    }

    /// How many files: 1 for a script that uses none.
    pub fn parts(&self) -> usize {
        self.files.parts.len()
    }

    /// In which file a place lies.
    pub fn part_of(&self, offset: u32) -> usize {
        self.files.parts.partition_point(|part| part.start <= offset).max(1) - 1
    }

    /// Where a file lies in the text.
    pub fn part_span(&self, part: usize) -> Span {
        self.files
            .parts
            .get(part)
            .map_or(Span::default(), |part| Span { start: part.start, end: part.end })
    }

    /// The text of the script alone.
    pub fn script_text(&self) -> &str {
        self.slice(self.part_span(0))
    }

    /// The name of the file in which a place lies.
    pub fn name_at(&self, offset: u32) -> &str {
        &self.files.parts[self.part_of(offset)].name
    }

    /// The path by which a name written at a place is to be read: relative to the folder of the file
    /// that says it, or to the working directory where that is no file.
    pub fn path_from(&self, offset: u32, written: &str) -> PathBuf {
        let says = self.files.parts[self.part_of(offset)].path.as_deref();
        says.and_then(Path::parent).map_or_else(|| PathBuf::from(written), |dir| dir.join(written))
    }

    /// Every file that the script was read from, and those it asks for that could not be read: what
    /// to watch.
    pub fn files(&self) -> Vec<PathBuf> {
        let read = self.files.parts.iter().filter_map(|part| part.path.clone());
        let unread = self.files.uses.values().filter_map(|used| match used {
            Used::Unread { path, .. } => Some(path.clone()),
            Used::Part(_) => None,
        });
        read.chain(unread).collect()
    }

    /// The same files under names and with a text of the same length, for those who show them.
    #[must_use]
    pub fn shown_as(&self, name: impl Fn(&str) -> String, text: String) -> Self {
        let mut shown = self.clone();
        shown.name = name(&shown.name);
        for part in &mut shown.files.parts {
            part.name = name(&part.name);
        }
        shown.text = text;
        shown
    }

    /// Line and column of a byte offset in its file, both counted from 1; the column counts
    /// characters.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let part = &self.files.parts[self.part_of(offset)];
        let of = |offset: u32| self.line_starts.partition_point(|start| *start <= offset).max(1);
        let line = of(offset);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(end - start, |s| s.chars().count());
        (line - of(part.start) + 1, column + 1)
    }

    /// The line of a byte offset in its file, counted from 1.
    pub fn line(&self, offset: u32) -> usize {
        let start = self.files.parts[self.part_of(offset)].start;
        let of = |offset: u32| self.line_starts.partition_point(|start| *start <= offset).max(1);
        of(offset) - if start == 0 { 1 } else { of(start) } + 1
    }

    /// The text under a span; empty where the span is not within the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_their_own_file() {
        let mut source = SourceFile::new("a.load", "one\ntwo").from_path("dir/a.load");
        assert_eq!(source.add("b.load", PathBuf::from("dir/sub/b.load"), "é\nx"), 1);
        assert_eq!(source.add("c.load", PathBuf::from("c.load"), ""), 2);
        let at = |text: &str| Span::new(source.text.find(text).unwrap(), 0).start;
        assert_eq!((source.line_column(at("two")), source.name_at(at("two"))), ((2, 1), "a.load"));
        assert_eq!((source.line_column(7), source.name_at(7)), ((2, 4), "a.load"));
        assert_eq!((source.line_column(at("é")), source.name_at(at("é"))), ((1, 1), "b.load"));
        assert_eq!((source.line_column(at("x")), source.name_at(at("x"))), ((2, 1), "b.load"));
        let end = source.part_span(2).start;
        assert_eq!((source.line_column(end), source.name_at(end)), ((1, 1), "c.load"));
        assert_eq!(source.script_text(), "one\ntwo");
        assert_eq!(source.path_from(at("x"), "d.csv"), PathBuf::from("dir/sub/d.csv"));
        assert_eq!(source.path_from(at("x"), "/d.csv"), PathBuf::from("/d.csv"));
        assert_eq!(SourceFile::new("<stdin>", "").path_from(0, "d.csv"), PathBuf::from("d.csv"));
    }
}
