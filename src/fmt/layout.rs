//! Lists of items in lines.
//!
//! What stood on one line stays there if it fits. Where it does not, the outermost brackets are
//! spread, with one item a line; in an item without any, the line is broken behind a comma or an
//! operator. Where the writer broke lines already, they stay broken.

use super::tree::{Bracket, EntryKind, Item, List, Part, PartKind};
use super::{INDENT, MAX_WIDTH};
use crate::show;

/// A line to be written.
#[derive(Debug, Default)]
pub(super) struct Line<'s> {
    /// Blanks before it.
    pub indent: usize,
    /// A blank line before it.
    pub blank_before: bool,
    /// What it says; nothing on a line that is a comment alone.
    pub text: String,
    /// The comment at its end.
    pub comment: Option<&'s str>,
}

/// The lines of a whole text.
pub(super) fn lines<'s>(list: &List<'s>) -> Vec<Line<'s>> {
    let mut writer = Writer::default();
    writer.list(list, 0, "; ", false);
    writer.lines
}

#[derive(Default)]
struct Writer<'s> {
    lines: Vec<Line<'s>>,
    line: Line<'s>,
    /// Columns that the line in hand takes.
    column: usize,
}

impl<'s> Writer<'s> {
    /// Writes a list, each item on a line of its own, or also together with those it shared one with.
    fn list(&mut self, list: &List<'s>, indent: usize, separator: &str, one_a_line: bool) {
        let is_item = |entry: &super::tree::Entry<'_>| matches!(entry.kind, EntryKind::Item(_));
        let last_item = list.entries.iter().rposition(is_item).unwrap_or(0);
        let mut group: Vec<&Item<'s>> = Vec::new();
        for (at, entry) in list.entries.iter().enumerate() {
            let blank_before = entry.blank_before && at > 0;
            let item = match &entry.kind {
                EntryKind::Comment(text) => {
                    let (comment, text) = (Some(*text), String::new());
                    self.lines.push(Line { indent, blank_before, text, comment });
                    continue;
                }
                EntryKind::Item(item) => item,
            };
            if group.is_empty() {
                self.begin(indent);
                self.line.blank_before = blank_before;
            }
            group.push(item);
            let goes_on = list.entries.get(at + 1).is_some_and(|next| {
                is_item(next) && !next.starts_line && !one_a_line && item.trailing.is_none()
            });
            if !goes_on {
                let end = if at < last_item { separator.trim_end_matches([';', ' ']) } else { "" };
                self.group(&std::mem::take(&mut group), indent, separator, end);
            }
        }
    }

    /// Writes items that shared a line: together if they fit, else one by one.
    fn group(&mut self, items: &[&Item<'s>], indent: usize, separator: &str, end: &str) {
        let widths: Option<usize> = items.iter().map(|item| item.width).sum();
        let between = separator.len() * (items.len() - 1) + end.len();
        let fits = widths.is_some_and(|width| indent + width + between <= MAX_WIDTH);
        let at_end = |at: usize| {
            let inner = if fits { separator } else { separator.trim_end_matches([';', ' ']) };
            if at + 1 < items.len() { inner } else { end }
        };
        for (at, item) in items.iter().enumerate() {
            if at > 0 && !fits {
                self.begin(indent);
            }
            if fits {
                flat(item, &mut self.line.text);
                self.push(at_end(at));
            } else {
                self.item(item, at_end(at).trim_end());
                self.push(at_end(at).trim_end());
            }
            self.line.comment = item.trailing;
            if at + 1 == items.len() || !fits {
                self.end();
            }
        }
    }

    /// Writes an item on the line in hand, and on further ones where it must. `end` is what will
    /// follow it.
    fn item(&mut self, item: &Item<'s>, end: &str) {
        let indent = self.line.indent;
        let spreads = item.parts.iter().any(
            |part| matches!(&part.kind, PartKind::Bracket(b) if b.open != "(" && !b.is_empty()),
        );
        let mut fresh = true;
        for (at, part) in item.parts.iter().enumerate() {
            let rest = &item.parts[at..];
            if let PartKind::Comment(text, newlines) = &part.kind {
                self.comment_within(text, *newlines, indent + INDENT);
                fresh = true;
                continue;
            }
            let full = || self.column + needed(rest, spreads, end) > MAX_WIDTH;
            if !fresh && (part.starts_line || part.may_start_line && !spreads && full()) {
                self.end();
                self.begin(indent + INDENT);
                fresh = true;
            }
            if part.gap && !fresh {
                self.push(" ");
            }
            fresh = false;
            match &part.kind {
                PartKind::Token(text) => self.push(text),
                PartKind::Bracket(bracket) => {
                    let behind = needed(&item.parts[at + 1..], spreads, end);
                    self.bracket(bracket, behind);
                }
                PartKind::Comment(..) => {}
            }
        }
    }

    fn comment_within(&mut self, text: &'s str, newlines: usize, indent: usize) {
        if newlines > 0 {
            self.end();
            self.begin(indent);
        }
        self.line.comment = Some(text);
        self.end();
        self.begin(indent);
    }

    /// Writes brackets: on the line in hand if they fit there with the columns `behind` them.
    fn bracket(&mut self, bracket: &Bracket<'s>, behind: usize) {
        let fits = |width: usize| bracket.is_empty() || self.column + width + behind <= MAX_WIDTH;
        if bracket.width.is_some_and(fits) {
            let before = self.line.text.len();
            flat_bracket(bracket, &mut self.line.text);
            self.column += show::width(&self.line.text[before..]);
            return;
        }
        let indent = self.line.indent;
        self.push(bracket.open);
        self.line.comment = bracket.lead;
        self.end();
        self.list(&bracket.list, indent + INDENT, bracket.separator, bracket.width.is_some());
        self.begin(indent);
        self.push(bracket.close);
    }

    fn begin(&mut self, indent: usize) {
        self.line = Line { indent, ..Line::default() };
        self.column = indent;
    }

    fn push(&mut self, text: &str) {
        self.line.text.push_str(text);
        self.column += show::width(text);
    }

    fn end(&mut self) {
        if !self.line.text.is_empty() || self.line.comment.is_some() {
            self.lines.push(std::mem::take(&mut self.line));
        }
    }
}

/// Columns up to the next place where a line may be broken, or to the bracket that is spread first.
fn needed(parts: &[Part<'_>], spreads: bool, end: &str) -> usize {
    let mut columns = 0;
    for (at, part) in parts.iter().enumerate() {
        if at > 0 && (part.starts_line || part.may_start_line && !spreads) {
            return columns;
        }
        columns += usize::from(part.gap);
        match (&part.kind, part.width()) {
            (PartKind::Bracket(bracket), _) if !bracket.is_empty() && bracket.open != "(" => {
                return columns + 1;
            }
            (_, Some(width)) => columns += width,
            (PartKind::Bracket(_), None) => return columns + 1,
            (_, None) => return columns,
        }
    }
    columns + end.len()
}

/// Writes an item on one line.
fn flat(item: &Item<'_>, text: &mut String) {
    for part in &item.parts {
        if part.gap {
            text.push(' ');
        }
        match &part.kind {
            PartKind::Token(token) => text.push_str(token),
            PartKind::Bracket(bracket) => flat_bracket(bracket, text),
            PartKind::Comment(..) => {}
        }
    }
}

fn flat_bracket(bracket: &Bracket<'_>, text: &mut String) {
    let pad = if bracket.is_brace() && !bracket.is_empty() { " " } else { "" };
    text.push_str(bracket.open);
    text.push_str(pad);
    for (at, entry) in bracket.list.entries.iter().enumerate() {
        if at > 0 {
            text.push_str(bracket.separator);
        }
        if let EntryKind::Item(item) = &entry.kind {
            flat(item, text);
        }
    }
    text.push_str(pad);
    text.push_str(bracket.close);
}
