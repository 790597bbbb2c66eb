//! Tokens in lists of items, as deep as their brackets: what is laid out.

use super::lex::{Kind, Token};
use super::roles::{Role, blank_between, goes_on};
use crate::show;

/// Statements, or values between commas.
#[derive(Debug, Default)]
pub(super) struct List<'s> {
    /// Items and the comments between them.
    pub entries: Vec<Entry<'s>>,
}

/// An item or a comment, and how it stood.
#[derive(Debug)]
pub(super) struct Entry<'s> {
    /// A blank line stood before it.
    pub blank_before: bool,
    /// It was the first of its line.
    pub starts_line: bool,
    /// What it is.
    pub kind: EntryKind<'s>,
}

#[derive(Debug)]
pub(super) enum EntryKind<'s> {
    /// A comment on a line of its own.
    Comment(&'s str),
    /// A statement or a value.
    Item(Item<'s>),
}

/// A statement or a value.
#[derive(Debug, Default)]
pub(super) struct Item<'s> {
    /// Its words, marks and brackets.
    pub parts: Vec<Part<'s>>,
    /// The comment at its end.
    pub trailing: Option<&'s str>,
    /// How many columns it takes on one line; `None` if it must not stand on one.
    pub width: Option<usize>,
}

/// A piece of an item.
#[derive(Debug)]
pub(super) struct Part<'s> {
    /// A blank stands before it.
    pub gap: bool,
    /// The writer began a line with it.
    pub starts_line: bool,
    /// A line may be broken before it.
    pub may_start_line: bool,
    /// What it is.
    pub kind: PartKind<'s>,
}

#[derive(Debug)]
pub(super) enum PartKind<'s> {
    Token(&'s str),
    Bracket(Bracket<'s>),
    /// A comment in the midst, with the line ends before it: none at the end of a line.
    Comment(&'s str, usize),
}

/// Brackets and what is in them.
#[derive(Debug)]
pub(super) struct Bracket<'s> {
    /// The opening one.
    pub open: &'s str,
    /// The closing one.
    pub close: &'s str,
    /// What stands between two items.
    pub separator: &'static str,
    /// A comment behind the opening bracket.
    pub lead: Option<&'s str>,
    /// What is between.
    pub list: List<'s>,
    /// How many columns it takes on one line; `None` if it must not stand on one.
    pub width: Option<usize>,
}

impl Bracket<'_> {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.lead.is_none() && self.list.entries.is_empty()
    }

    /// Whether it is `{ }`, which has blanks inside.
    pub fn is_brace(&self) -> bool {
        self.open == "{"
    }

    fn measure(&self, spread: bool) -> Option<usize> {
        if self.is_empty() {
            return Some(2);
        }
        if spread {
            return None;
        }
        let mut width = if self.is_brace() { 4 } else { 2 };
        for (at, entry) in self.list.entries.iter().enumerate() {
            let EntryKind::Item(item) = &entry.kind else { return None };
            width += item.width? + if at == 0 { 0 } else { 2 };
        }
        Some(width)
    }
}

impl Part<'_> {
    /// How many columns it takes on one line, without the blank before it.
    pub fn width(&self) -> Option<usize> {
        match &self.kind {
            PartKind::Token(text) => Some(show::width(text)),
            PartKind::Bracket(bracket) => bracket.width,
            PartKind::Comment(..) => None,
        }
    }
}

/// The tree of a text's tokens.
pub(super) fn build<'s>(tokens: &[Token<'s>], roles: &[Role]) -> List<'s> {
    let mut builder = Builder { tokens, roles, at: 0 };
    builder.list(Role::Block, false).0
}

struct Builder<'t, 's> {
    tokens: &'t [Token<'s>],
    roles: &'t [Role],
    at: usize,
}

/// The list in hand.
#[derive(Default)]
struct Growing<'s> {
    /// It stands in brackets.
    bracketed: bool,
    list: List<'s>,
    lead: Option<&'s str>,
    /// The item in hand, with how it stood.
    item: Option<Entry<'s>>,
    /// The last token of the item that is no comment.
    last: Option<usize>,
    /// Line ends before a token that leaves no trace, since the last entry.
    newlines: usize,
}

impl<'s> Builder<'_, 's> {
    /// Reads up to the closing bracket, or the end. Whether a line ended on the way is told too.
    fn list(&mut self, within: Role, bracketed: bool) -> (List<'s>, Option<&'s str>, bool) {
        let mut growing = Growing { bracketed, ..Growing::default() };
        let mut spread = false;
        while let Some(token) = self.tokens.get(self.at).copied() {
            spread |= token.newlines > 0;
            match token.kind {
                Kind::Close => break,
                Kind::Comment => self.comment(&mut growing, token, within),
                Kind::Semicolon => growing.finish(token.newlines),
                Kind::Comma if within == Role::Values || within == Role::Inner => {
                    growing.finish(token.newlines);
                }
                _ => spread |= self.part(&mut growing, token, within),
            }
            self.at += 1;
        }
        growing.finish(0);
        (growing.list, growing.lead, spread)
    }

    fn comment(&self, growing: &mut Growing<'s>, token: Token<'s>, within: Role) {
        if growing.item.is_some() && (within != Role::Block || self.is_unfinished(growing)) {
            let kind = PartKind::Comment(token.text, token.newlines);
            growing.push(Part { gap: true, starts_line: false, may_start_line: false, kind });
            return;
        }
        growing.finish(0);
        let newlines = growing.newlines.max(token.newlines);
        if newlines == 0 {
            match growing.list.entries.last_mut().map(|entry| &mut entry.kind) {
                None if growing.bracketed && growing.lead.is_none() => {
                    growing.lead = Some(token.text);
                    return;
                }
                Some(EntryKind::Item(item)) if item.trailing.is_none() => {
                    item.trailing = Some(token.text);
                    return;
                }
                _ => {}
            }
        }
        growing.newlines = 0;
        let kind = EntryKind::Comment(token.text);
        growing.list.entries.push(Entry { blank_before: newlines > 1, starts_line: true, kind });
    }

    /// Adds a word, a mark or a bracket; whether a line ended in the bracket.
    fn part(&mut self, growing: &mut Growing<'s>, token: Token<'s>, within: Role) -> bool {
        let starts_line = token.newlines > 0;
        if within == Role::Block && starts_line && !self.is_unfinished(growing) {
            growing.finish(0);
        }
        let at = self.at;
        let before = growing.last.map(|last| (&self.tokens[last], self.roles[last]));
        let next = (&self.tokens[at], self.roles[at]);
        let may_start_line = before.is_some_and(|(token, role)| goes_on(token, role));
        let gap = before.is_some_and(|before| blank_between(before, next));
        growing.begin(token.newlines);
        let (kind, spread) = match token.kind {
            Kind::Open => {
                let (bracket, spread) = self.bracket(token);
                (PartKind::Bracket(bracket), spread)
            }
            _ => (PartKind::Token(token.text), false),
        };
        // The closing bracket, if there was one, is the last token now.
        growing.last = Some(self.at.min(self.tokens.len() - 1));
        let starts_line = starts_line && may_start_line;
        // A line broken behind `=` would say nothing; only where the writer did so is it kept.
        let may_start_line =
            may_start_line && before.is_some_and(|(token, _)| !matches!(token.text, "->" | "="));
        growing.push(Part { gap, starts_line, may_start_line, kind });
        spread
    }

    fn bracket(&mut self, token: Token<'s>) -> (Bracket<'s>, bool) {
        let role = self.roles[self.at];
        self.at += 1;
        let (list, lead, spread) = self.list(role, true);
        let close = self.tokens.get(self.at).map_or("", |token| token.text);
        let separator = if role == Role::Block { "; " } else { ", " };
        let mut bracket = Bracket { open: token.text, close, separator, lead, list, width: None };
        bracket.width = bracket.measure(spread);
        let spread = bracket.width.is_none();
        (bracket, spread)
    }

    fn is_unfinished(&self, growing: &Growing<'_>) -> bool {
        growing.last.is_some_and(|last| goes_on(&self.tokens[last], self.roles[last]))
    }
}

impl<'s> Growing<'s> {
    fn begin(&mut self, newlines: usize) {
        if self.item.is_none() {
            let newlines = std::mem::take(&mut self.newlines).max(newlines);
            let kind = EntryKind::Item(Item::default());
            self.item = Some(Entry { blank_before: newlines > 1, starts_line: newlines > 0, kind });
        }
    }

    fn push(&mut self, part: Part<'s>) {
        if let Some(Entry { kind: EntryKind::Item(item), .. }) = &mut self.item {
            item.parts.push(part);
        }
    }

    /// Ends the item in hand. Comments at its end were behind it, before its separator.
    fn finish(&mut self, newlines: usize) {
        self.last = None;
        let Some(mut entry) = self.item.take() else {
            self.newlines = self.newlines.max(newlines);
            return;
        };
        self.newlines = newlines;
        let mut behind = Vec::new();
        if let EntryKind::Item(item) = &mut entry.kind {
            while let Some(PartKind::Comment(text, newlines)) =
                item.parts.last().map(|part| &part.kind)
            {
                behind.push((*text, *newlines));
                item.parts.pop();
            }
            if let Some((text, _)) = behind.pop_if(|(_, newlines)| *newlines == 0) {
                item.trailing = Some(text);
            }
            item.width = measure(item);
        }
        self.list.entries.push(entry);
        for (text, newlines) in behind.into_iter().rev() {
            let (blank_before, kind) = (newlines > 1, EntryKind::Comment(text));
            self.list.entries.push(Entry { blank_before, starts_line: true, kind });
        }
    }
}

fn measure(item: &Item<'_>) -> Option<usize> {
    let mut width = 0;
    for part in &item.parts {
        if part.starts_line {
            return None;
        }
        width += part.width()? + usize::from(part.gap);
    }
    Some(width)
}
