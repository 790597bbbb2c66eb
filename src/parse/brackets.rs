//! A look over the raw text before the grammar: comments, brackets and quotes.
//!
//! Brackets that pair with nothing are reported here, once and at the right place, and blanked out
//! of the text the grammar sees. What it sees is therefore always balanced and of bounded depth,
//! so that it reads every block exactly once and its recursion stays shallow.

use crate::problem::{Code, Problem};
use crate::source::Span;

/// Brackets may be nested this deep.
pub(super) const MAX_DEPTH: usize = 64;

/// What the look found.
pub(super) struct Scan {
    /// Every comment, from its `#` to the end of its line.
    pub comments: Vec<Span>,
    /// Unpaired brackets and open quotes.
    pub problems: Vec<Problem>,
    /// Bytes to blank out: brackets that pair with nothing.
    pub blanks: Vec<u32>,
    /// Whether the nesting is deeper than the grammar may follow.
    pub too_deep: bool,
}

struct Open {
    bracket: u8,
    at: usize,
}

/// Looks over a text.
pub(super) fn scan(text: &str) -> Scan {
    let mut scan =
        Scan { comments: Vec::new(), problems: Vec::new(), blanks: Vec::new(), too_deep: false };
    let mut stack: Vec<Open> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                let end = line_end(bytes, at);
                scan.comments.push(Span::new(at, end));
                at = end;
                continue;
            }
            b'"' => {
                at = scan.string(bytes, at);
                continue;
            }
            bracket @ (b'{' | b'(' | b'[') => {
                stack.push(Open { bracket, at });
                if stack.len() > MAX_DEPTH && !scan.too_deep {
                    scan.too_deep = true;
                    scan.problems.push(
                        Problem::error(
                            Code::TooDeep,
                            Span::new(at, at + 1),
                            format!("brackets are nested more than {MAX_DEPTH} deep"),
                        )
                        .label("too deep from here on")
                        .help("take parts out of the nest: name values with `let`, and write blocks one after another"),
                    );
                }
            }
            bracket @ (b'}' | b')' | b']') => scan.close(&mut stack, bracket, at),
            _ => {}
        }
        at += 1;
    }
    for open in stack {
        scan.unclosed(&open);
    }
    scan.problems.sort_by_key(|problem| problem.place.0);
    scan
}

impl Scan {
    /// Passes a string; returns where to go on.
    fn string(&mut self, bytes: &[u8], start: usize) -> usize {
        let mut at = start + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'"' => return at + 1,
                b'\n' | b'\r' => break,
                b'\\' if !matches!(bytes.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
                _ => at += 1,
            }
        }
        self.problems.push(
            Problem::error(Code::Quote, Span::new(start, at), "this quote is not closed")
                .label("opened here")
                .help("close it with `\"` on the same line"),
        );
        at
    }

    fn close(&mut self, stack: &mut Vec<Open>, bracket: u8, at: usize) {
        let opening = match bracket {
            b'}' => b'{',
            b')' => b'(',
            _ => b'[',
        };
        // A parenthesis never reaches across a brace that opened before it closes, so only brackets
        // above the nearest brace can be taken for forgotten by a `)` or `]`.
        let floor = if opening == b'{' {
            0
        } else {
            stack.iter().rposition(|open| open.bracket == b'{').map_or(0, |brace| brace + 1)
        };
        match stack[floor..].iter().rposition(|open| open.bracket == opening) {
            Some(found) => {
                for open in stack.drain(floor + found..).skip(1).collect::<Vec<_>>() {
                    self.unclosed(&open);
                }
            }
            None => {
                let shown = bracket as char;
                self.problems.push(
                    Problem::error(
                        Code::Bracket,
                        Span::new(at, at + 1),
                        format!("this `{shown}` closes nothing"),
                    )
                    .label("nothing is open here")
                    .help(format!("remove it, or open a `{}` before it", opening as char)),
                );
                self.blanks.push(Span::new(at, at).start);
            }
        }
    }

    fn unclosed(&mut self, open: &Open) {
        let closing = match open.bracket {
            b'{' => '}',
            b'(' => ')',
            _ => ']',
        };
        self.problems.push(
            Problem::error(
                Code::Bracket,
                Span::new(open.at, open.at + 1),
                format!("this `{}` is not closed", open.bracket as char),
            )
            .label("opened here")
            .help(format!("close it with `{closing}`")),
        );
        self.blanks.push(Span::new(open.at, open.at).start);
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(bytes.len(), |length| from + length)
}
