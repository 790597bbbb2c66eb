//! A text in words and marks, each with the blanks and line ends before it.

use crate::source::Span;

/// A piece of the text that is never broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// As it was written.
    pub text: &'s str,
    /// Whether anything blank stands before it.
    pub gap: bool,
    /// Line ends before it, since the token before.
    pub newlines: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword, or a number with what is glued to it.
    Word,
    /// A text in quotes.
    Text,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// Any other sign.
    Mark,
    /// From `#` to the end of the line, without the blanks there.
    Comment,
}

/// Marks of several signs, the longer ones first.
const LONG_MARKS: [&str; 5] = ["->", "..", "<=", ">=", "=="];

/// Splits a text, whose comments are known.
pub(super) fn tokens<'s>(text: &'s str, comments: &[Span]) -> Vec<Token<'s>> {
    let mut comments = comments.iter().peekable();
    let mut tokens = Vec::new();
    let (mut gap, mut newlines) = (false, 0);
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            gap = true;
            if first == '\n' || (first == '\r' && !text[at + 1..].starts_with('\n')) {
                newlines += 1;
            }
            at += first.len_utf8();
            continue;
        }
        while comments.next_if(|comment| (comment.start as usize) < at).is_some() {}
        let comment = comments.next_if(|comment| comment.start as usize == at);
        let (kind, end) = match comment {
            Some(comment) => (Kind::Comment, comment.end as usize),
            None => token(text, at, first),
        };
        let text = text[at..end].trim_end();
        tokens.push(Token { kind, text, gap, newlines });
        (gap, newlines) = (false, 0);
        at = end;
    }
    tokens
}

/// The kind and the end of the token that begins at a place.
fn token(text: &str, at: usize, first: char) -> (Kind, usize) {
    let rest = &text[at..];
    let one = at + first.len_utf8();
    match first {
        '"' => (Kind::Text, at + string(rest)),
        '(' | '[' | '{' => (Kind::Open, one),
        ')' | ']' | '}' => (Kind::Close, one),
        ',' => (Kind::Comma, one),
        ';' => (Kind::Semicolon, one),
        '0'..='9' if date(rest).is_some() => (Kind::Word, at + date(rest).unwrap_or(1)),
        _ if in_word(first) => (Kind::Word, at + word(rest)),
        _ => {
            let long = LONG_MARKS.iter().find(|mark| rest.starts_with(**mark));
            (Kind::Mark, long.map_or(one, |mark| at + mark.len()))
        }
    }
}

/// Length of a date or a clock, `2026-03-29` or `07:00`, which hold no signs of arithmetic.
fn date(rest: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = digits(rest);
    let mark = match first {
        4 if rest[first..].starts_with('-') => '-',
        1 | 2 if rest[first..].starts_with(':') => ':',
        _ => return None,
    };
    let mut end = first;
    for _ in 0..2 {
        let more = rest[end..].strip_prefix(mark).filter(|more| digits(more) == 2);
        end += if more.is_some() { 3 } else { 0 };
    }
    let length = end - first;
    (length == 6 || mark == ':' && length == 3).then_some(end)
}

/// Whether a token is a clock, `07:00`.
pub(super) fn is_clock(text: &str) -> bool {
    text.contains(':') && text.starts_with(|c: char| c.is_ascii_digit())
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of a word: `1.5k`, `p99.9`, `5%`, `über`.
fn word(rest: &str) -> usize {
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        let next = || rest[at + 1..].chars().next();
        let is_point = c == '.' && next().is_some_and(|next| next.is_ascii_digit());
        if c == '%' && before.is_ascii_digit() {
            return at + 1;
        }
        if !in_word(c) && !is_point {
            return at;
        }
        before = c;
    }
    rest.len()
}

/// Length of a text in quotes, or of what there is of it.
fn string(rest: &str) -> usize {
    let mut escaped = true; // The first quote opens.
    for (at, c) in rest.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\n' | '\r' => return at,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}
