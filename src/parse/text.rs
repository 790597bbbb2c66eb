//! Strings: escapes, and values in braces.

use super::{Pair, Reader, Rule, tree};
use crate::ast::{Name, TextPart};
use crate::problem::{Code, Problem};
use crate::source::Span;

impl Reader {
    /// A string that is taken as it is, escapes aside.
    pub(super) fn plain_string(&mut self, pair: &Pair<'_>) -> Name {
        let span = self.span(pair);
        let inner = inside(pair.as_str());
        let mut out = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let start = span.start as usize + 1 + (inner.len() - rest.len()) + at;
            let used = self.escape(&rest[at..], start, &mut out);
            rest = &rest[at + used..];
        }
        out.push_str(rest);
        Name::new(out, span)
    }

    /// A string whose `{…}` are values; `{{` and `}}` are braces.
    pub(super) fn interpolated(&mut self, pair: &Pair<'_>) -> Vec<TextPart> {
        let base = self.span(pair).start as usize + 1;
        let inner = inside(pair.as_str());
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = inner[at..].find(['\\', '{', '}']) {
            literal.push_str(&inner[at..at + found]);
            at += found;
            let rest = &inner[at..];
            if rest.starts_with('\\') {
                at += self.escape(rest, base + at, &mut literal);
            } else if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push_str(&rest[..1]);
                at += 2;
            } else if let (true, Some(end)) = (rest.starts_with('{'), rest.find('}')) {
                if !literal.is_empty() {
                    parts.push(TextPart::Literal(std::mem::take(&mut literal)));
                }
                parts.extend(self.placeholder(&rest[1..end], base + at + 1));
                at += end + 1;
            } else {
                let span = Span::new(base + at, base + at + 1);
                self.push(
                    Problem::error(Code::BadString, span, "this brace has no partner in its string")
                        .help("values stand in braces: `\"order {seq()}\"`; a brace itself is written twice: `{{` or `}}`"),
                );
                at += 1;
            }
        }
        literal.push_str(&inner[at..]);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        parts
    }

    fn placeholder(&mut self, text: &str, at: usize) -> Option<TextPart> {
        let span = Span::new(at, at + text.len());
        // Depth is bounded: a string within a string would need a quote, which ends the outer one.
        match tree::read(Rule::lone_value, text) {
            Ok(tree) => {
                let value = tree.root()?.into_inner().next()?;
                let mut reader = Reader { offset: at, ..Reader::default() };
                let value = reader.value(value);
                self.problems.append(&mut reader.problems);
                Some(TextPart::Value(value))
            }
            Err(_) => {
                self.push(
                    Problem::error(
                        Code::BadString,
                        span,
                        format!("`{{{text}}}` is not a value"),
                    )
                    .help("in braces stands the name of a field or a generator, as in `{user}` or `{seq()}`; a brace itself is written twice: `{{`"),
                );
                None
            }
        }
    }

    /// Resolves the escape at the start of `rest`; returns its length.
    fn escape(&mut self, rest: &str, at: usize, out: &mut String) -> usize {
        let mut chars = rest.chars().skip(1);
        let Some(kind) = chars.next() else {
            out.push('\\');
            return 1;
        };
        let simple = match kind {
            '"' | '\\' | '/' => Some(kind),
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            _ => None,
        };
        if let Some(simple) = simple {
            out.push(simple);
            return 2;
        }
        let code = rest.get(2..6).filter(|_| kind == 'u');
        let found = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        if let Some(found) = found {
            out.push(found);
            return 6;
        }
        let length = 1 + kind.len_utf8();
        self.push(
            Problem::error(
                Code::BadString,
                Span::new(at, at + length),
                format!("there is no escape `\\{kind}`"),
            )
            .help("escapes are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\r` and `\\u00e9`; a backslash itself is written `\\\\`"),
        );
        length
    }
}

/// Without the quotes.
fn inside(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}
