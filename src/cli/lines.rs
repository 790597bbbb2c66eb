//! Two texts compared line by line.

use crate::show;
use similar::{ChangeTag, TextDiff};
use std::io::IsTerminal as _;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// A unified diff under two names. On a terminal signs that are no text are shown as such; elsewhere
/// every byte is what it is, so that the diff can be applied.
pub(super) fn unified(names: (&str, &str), old: &str, new: &str, color: bool) -> String {
    let on_terminal = std::io::stdout().is_terminal();
    let shown = |text: &str| if on_terminal { show::clean(text) } else { text.to_owned() };
    let paint = |code: &str, text: &str| {
        if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut text = String::new();
    for (head, name) in [("---", names.0), ("+++", names.1)] {
        text.push_str(&paint("1", &format!("{head} {name}")));
        text.push('\n');
    }
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        text.push_str(&paint("36", &hunk.header().to_string()));
        text.push('\n');
        for change in hunk.iter_changes() {
            let (sign, code) = match change.tag() {
                ChangeTag::Delete => ('-', "31"),
                ChangeTag::Insert => ('+', "32"),
                ChangeTag::Equal => (' ', "0"),
            };
            let line = change.value();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = format!("{sign}{}", shown(line));
            text.push_str(&if sign == ' ' { line } else { paint(code, &line) });
            text.push('\n');
            if change.missing_newline() {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}
