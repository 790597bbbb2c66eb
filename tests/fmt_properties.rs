//! What holds of every formatted script: formatting it again changes nothing, and it says what it
//! said before, with every comment.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use loadc::check::{Options, check};
use loadc::fmt::{MAX_WIDTH, format};
use loadc::parse::parse;
use loadc::problem::Severity;
use loadc::source::SourceFile;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Good scripts, to begin with.
fn scripts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["tests/scripts/ok", "examples"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "load"));
    paths.sort();
    let read = |path: &PathBuf| {
        // The recordings that a script names are beside it.
        let text = std::fs::read_to_string(path).unwrap();
        text.replace("replay \"", &format!("replay \"{}/", path.parent().unwrap().display()))
    };
    paths.iter().map(read).collect()
}

/// Whether a text can be formatted.
fn is_readable(text: &str) -> bool {
    parse(&SourceFile::new("x", text)).1.iter().all(|found| found.severity != Severity::Error)
}

/// The tree as a text, with its places left out, and the comments, in order.
fn said(text: &str) -> (String, Vec<String>) {
    let source = SourceFile::new("x", text);
    let (script, _) = parse(&source);
    let comment = |span: &loadc::source::Span| source.slice(*span).trim_end().to_owned();
    let mut comments: Vec<String> = script.comments.iter().map(comment).collect();
    comments.sort();
    let shown = format!("{:?}", script.statements);
    let mut parts = shown.split("Span { ");
    let mut tree = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        tree.push_str(part.split_once(" }").unwrap().1);
    }
    (tree, comments)
}

/// The digest, or how many things are wrong.
fn meant(text: &str) -> Result<Option<String>, usize> {
    let options = Options { seed: Some(1), lenient_env: true, ..Options::default() };
    let checked = check(&SourceFile::new("x", text), &options);
    match checked.has_errors() {
        true => Err(checked.problems.len()),
        false => Ok(checked.plan.map(|plan| plan.digest)),
    }
}

fn formatted(text: &str) -> String {
    let (script, _) = parse(&SourceFile::new("x", text));
    format(&script, text)
}

#[track_caller]
fn assert_well_formatted(text: &str) {
    let once = formatted(text);
    assert!(is_readable(&once), "cannot be read:\n{text}\n--- became\n{once}");
    let twice = formatted(&once);
    assert_eq!(once, twice, "formatted twice differs, from\n{text}");
    let ((tree, comments), (new_tree, new_comments)) = (said(text), said(&once));
    assert_eq!(tree, new_tree, "says something else:\n{text}\n--- became\n{once}");
    assert_eq!(comments, new_comments, "comments:\n{text}\n--- became\n{once}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n"), "{once:?}");
    let ends_blank = |line: &str| line.ends_with([' ', '\t', '\r']);
    assert!(!once.lines().any(ends_blank) && !once.contains("\n\n\n"), "{once:?}");
}

#[test]
fn good_scripts_stay_what_they_are() {
    for text in scripts() {
        assert_well_formatted(&text);
        assert_eq!(meant(&text), meant(&formatted(&text)));
        let long = |line: &&str| line.split("  #").next().unwrap().chars().count() > MAX_WIDTH;
        let formatted = formatted(&text);
        assert_eq!(formatted.lines().find(long), None);
    }
}

/// What is done to a text at some place. It stands only if the text can still be read.
#[derive(Clone, Debug)]
enum Change {
    /// One text becomes another, at its so-manieth occurrence.
    Replace(&'static str, &'static str, prop::sample::Index),
    /// Something is put where a sign stands.
    Insert(&'static str, prop::sample::Index),
    /// A sign is taken away.
    Delete(prop::sample::Index),
    /// All line ends become something else.
    Join(&'static str),
    /// A line is put somewhere else.
    Copy(prop::sample::Index, prop::sample::Index),
}

const BLANKS: [&str; 16] = [
    " ",
    "  ",
    "\n",
    "\n\n\n",
    "\r\n",
    "\r",
    "\t",
    " # c\n",
    "\n# own ü\n",
    "\n\n#own\n\n# more\n",
    ";",
    " ; ",
    "# x;{\"\n",
    ",",
    "",
    " -",
];

const WORDS: [&str; 14] =
    ["\n", " ", ",", "{", "}", "(", ")", "[", "]", "->", "..", ";", ":", " + "];

fn change() -> impl Strategy<Value = Change> {
    let blank = || prop::sample::select(BLANKS.to_vec());
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => (prop::sample::select(WORDS.to_vec()), blank(), blank(), index()).prop_map(
            |(word, before, after, at)| {
                let new: &'static str = format!("{before}{word}{after}").leak();
                Change::Replace(word, new, at)
            }
        ),
        3 => (prop::sample::select(WORDS.to_vec()), blank(), index())
            .prop_map(|(word, new, at)| Change::Replace(word, new, at)),
        1 => (prop::sample::select(vec!["5", "1", "10"]), index()).prop_map(|(word, at)| {
            Change::Replace(word, "(5.000000000000000000000000000000 * 1 - 4)", at)
        }),
        1 => (prop::sample::select(vec!["[", "pick("]), index()).prop_map(|(word, at)| {
            let new: &'static str = format!("{word}\"{}\", ", "é".repeat(40)).leak();
            Change::Replace(word, new, at)
        }),
        3 => (blank(), index()).prop_map(|(new, at)| Change::Insert(new, at)),
        1 => index().prop_map(Change::Delete),
        1 => prop::sample::select(vec!["; ", "\r\n", "\n\n", " "]).prop_map(Change::Join),
        2 => (index(), index()).prop_map(|(from, to)| Change::Copy(from, to)),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let signs = |text: &str| text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
    match change {
        Change::Replace(old, new, at) => {
            let places: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
            if places.is_empty() {
                return text.to_owned();
            }
            let at = places[at.index(places.len())];
            format!("{}{new}{}", &text[..at], &text[at + old.len()..])
        }
        Change::Insert(new, at) if !text.is_empty() => {
            let at = signs(text)[at.index(signs(text).len())];
            format!("{}{new}{}", &text[..at], &text[at..])
        }
        Change::Delete(at) if !text.is_empty() => {
            let mut text = text.to_owned();
            text.remove(signs(&text)[at.index(signs(&text).len())]);
            text
        }
        Change::Insert(..) | Change::Delete(_) => text.to_owned(),
        Change::Join(with) => text.replace('\n', with),
        Change::Copy(from, to) => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let line = lines[from.index(lines.len())];
            lines.insert(to.index(lines.len()), line);
            lines.join("\n")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn formatting_is_stable_and_keeps_what_is_said(
        script in prop::sample::select(scripts()),
        changes in prop::collection::vec(change(), 0..40),
    ) {
        let mut text = script;
        for change in &changes {
            let new = changed(&text, change);
            if is_readable(&new) {
                text = new;
            }
        }
        assert_well_formatted(&text);
        prop_assert_eq!(meant(&text), meant(&formatted(&text)));
    }
}
