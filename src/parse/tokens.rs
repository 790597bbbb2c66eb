//! A statement that could not be read, split into words again for a second look.

/// A word, a number, a string or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    /// As written.
    pub text: &'t str,
    /// Where it begins.
    pub start: usize,
}

impl Token<'_> {
    /// One past its last byte.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is a word and no number, string or mark.
    pub(super) fn is_word(&self) -> bool {
        is_word(self.text)
    }

    /// Whether it is a number, with or without a unit.
    pub(super) fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Whether a text begins as a word does.
pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether a text is one number with a unit of time.
pub(super) fn is_duration(text: &str) -> bool {
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_'));
    letters.len() < text.len()
        && matches!(letters, "ms" | "s" | "m" | "h" | "d" | "w" | "sec" | "min")
}

/// Splits a text roughly as the grammar does. Blanks and comments are left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string_length(rest),
            c if c.is_alphanumeric() || c == '_' => word_length(rest, first.is_ascii_digit()),
            _ if MARKS.iter().any(|mark| rest.starts_with(mark)) => 2,
            c => c.len_utf8(),
        };
        if first != '#' {
            found.push(Token { text: &rest[..length], start: at });
        }
        at += length.max(1);
    }
    found
}

/// Marks of two characters.
const MARKS: &[&str] = &["->", "<=", ">=", "..", "==", "=>"];

fn word_length(text: &str, number: bool) -> usize {
    let ends = |(at, c): &(usize, char)| {
        let point = number && *c == '.' && text[at + 1..].starts_with(|d: char| d.is_ascii_digit());
        !(c.is_alphanumeric() || *c == '_' || number && *c == '%' || point)
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}
