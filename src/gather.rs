//! The files that a script uses, read in: each once, those it names and those that these name.
//!
//! A path is relative to the file that says it. What could not be read is noted with the `use` that
//! asked for it, and `check` says so there.

use crate::ast::{Name, Statement, StatementKind};
use crate::parse::{self, MAX_BYTES, decode};
use crate::source::{SourceFile, Used};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// Files that one script may be read from.
const MAX_FILES: usize = 1000;

/// Reads in the files that a script uses.
#[must_use]
pub fn gather(mut source: SourceFile) -> SourceFile {
    // The same file by another way is the same file.
    let mut known: HashMap<PathBuf, usize> = HashMap::new();
    if let Some(own) = source.files().first().and_then(|path| path.canonicalize().ok()) {
        known.insert(own, 0);
    }
    let mut part = 0;
    while part < source.parts() {
        for path in parse::uses(&source, part) {
            let used = one(&mut source, &path, &mut known);
            source.resolve(path.span, used);
        }
        part += 1;
    }
    source
}

/// The paths of the `use`s of a file.
pub fn uses(statements: &[Statement]) -> impl Iterator<Item = &Name> {
    statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Use(path) => Some(path),
        _ => None,
    })
}

/// Reads one file, if it has not been read.
fn one(source: &mut SourceFile, written: &Name, known: &mut HashMap<PathBuf, usize>) -> Used {
    let path = source.path_from(written.span.start, &written.node);
    let unread = |what: &str, help: &str| Used::Unread {
        path: path.clone(),
        what: what.to_owned(),
        help: help.to_owned(),
    };
    if written.node.is_empty() {
        return unread("it has no name", "write the path of a script: `use \"shared/day.load\"`");
    }
    let whole = match path.canonicalize() {
        Ok(whole) => whole,
        Err(error) => {
            return unread(&what(&error), "the path is relative to the file that says it");
        }
    };
    if let Some(part) = known.get(&whole) {
        return Used::Part(*part);
    }
    // A pipe or a device would be waited for.
    if !whole.is_file() {
        return unread("it is no file", "name a script in that folder");
    }
    if source.parts() >= MAX_FILES {
        return unread("there are too many files", "one script is read from 1,000 files at most");
    }
    let room = MAX_BYTES.saturating_sub(source.text.len());
    let text = match read(&whole, room) {
        Ok(text) => text,
        Err((what, help)) => return unread(&what, help),
    };
    let says = Path::new(source.name_at(written.span.start)).to_owned();
    let name = tidy(&says.parent().unwrap_or(Path::new("")).join(&written.node));
    let part = source.add(name, path, &text);
    known.insert(whole, part);
    Used::Part(part)
}

fn read(path: &Path, room: usize) -> Result<String, (String, &'static str)> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let done = file.and_then(|file| file.take(room as u64 + 1).read_to_end(&mut bytes));
    done.map_err(|error| (what(&error), "check that the file can be read"))?;
    if bytes.len() > room {
        let what = format!("a script and what it uses are larger than {} MiB", MAX_BYTES >> 20);
        return Err((what, "payload files and recordings stay outside of scripts"));
    }
    let file = decode("", bytes).map_err(|refused| {
        (format!("it is not UTF-8 text: {}", refused.1.place.1), "save it as UTF-8")
    })?;
    Ok(file.text)
}

/// What went wrong, without the number of the system's error.
fn what(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// A path as a reader would write it: without `.`, and without a folder that is left again at once.
fn tidy(path: &Path) -> String {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(tidy.components().next_back(), Some(Component::Normal(_))) =>
            {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_they_would_be_written() {
        let cases = [
            ("load/../shared/day.load", "shared/day.load"),
            ("./day.load", "day.load"),
            ("../../day.load", "../../day.load"),
            ("/a/./b/../c.load", "/a/c.load"),
        ];
        for (path, shown) in cases {
            assert_eq!(tidy(Path::new(path)), shown);
        }
    }
}
