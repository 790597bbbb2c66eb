//! A look over the raw text before the grammar: comments, brackets and quotes.
//!
//! Brackets that pair with nothing are reported here, once and at the right place, and blanked out
//! of the text the grammar sees. What it sees is therefore always balanced and of bounded depth,
//! so that it reads every block exactly once and its recursion stays shallow. Comments and quotes
//! of other languages are reported here too, and taken for what they were meant to be.

use crate::problem::{Code, Problem};
use crate::source::Span;

/// Brackets may be nested this deep.
pub(super) const MAX_DEPTH: usize = 64;

/// Bytes of a line that are searched for a bracket that closes: enough for any that was written by
/// hand.
const LOOK_AHEAD: usize = 400;

/// What the look found.
#[derive(Default)]
pub(super) struct Scan {
    /// Every comment, from its `#` to the end of its line.
    pub comments: Vec<Span>,
    /// Unpaired brackets, open quotes, and what belongs to other languages.
    pub problems: Vec<Problem>,
    /// The places among them that leave the text around them in doubt.
    pub blamed: Vec<Span>,
    /// Bytes that the grammar is to see as others, in no order.
    pub edits: Vec<Edit>,
    /// Where lines begin at which the text may be cut: no statement goes on from the line before.
    pub cuts: Vec<usize>,
    /// Whether the nesting is deeper than the grammar may follow; then the look ended there.
    pub too_deep: bool,
    /// Where the line in hand begins.
    line: usize,
    /// No further `*/` comes.
    no_comment_end: bool,
    /// Where the last comment ends.
    comment_end: usize,
}

impl Scan {
    /// Moves every place that a reader is told, for a text that does not stand first.
    pub fn shift(&mut self, by: u32) {
        for span in self.comments.iter_mut().chain(&mut self.blamed) {
            *span = span.shifted(by);
        }
        for problem in &mut self.problems {
            problem.place.0 = problem.place.0.shifted(by);
            for (span, _) in &mut problem.others {
                *span = span.shifted(by);
            }
        }
    }
}

/// Every byte of a place but its line ends is read as another.
pub(super) struct Edit {
    /// The place.
    pub span: Span,
    /// What each byte is read as.
    pub with: u8,
}

struct Open {
    bracket: u8,
    at: usize,
}

/// Looks over a text.
pub(super) fn scan(text: &str) -> Scan {
    let mut scan = Scan::default();
    let mut stack: Vec<Open> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' | b'\r' => {
                scan.line = at + 1;
                if stack.is_empty() && scan.is_cut(bytes, at) {
                    scan.cuts.push(at + 1);
                }
            }
            b'#' => {
                let end = line_end(bytes, at);
                scan.comments.push(Span::new(at, end));
                scan.comment_end = end;
                at = end;
                continue;
            }
            b'"' => {
                at = scan.string(text, at);
                continue;
            }
            b'\'' => at = scan.single_quotes(text, at),
            b'/' if stands_apart(bytes, at) => {
                if let Some(end) = scan.foreign_comment(text, at) {
                    scan.comment_end = end;
                    at = end;
                    continue;
                }
            }
            bracket @ (b'{' | b'(' | b'[') => {
                stack.push(Open { bracket, at });
                if stack.len() > MAX_DEPTH {
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
                    return scan;
                }
            }
            bracket @ (b'}' | b')' | b']') => scan.close(text, &mut stack, bracket, at),
            _ => {}
        }
        at += 1;
    }
    for open in stack {
        scan.unclosed(&open);
    }
    scan.problems.sort_by_key(|problem| problem.place.0);
    scan.blamed.sort_unstable();
    scan
}

impl Scan {
    fn push(&mut self, problem: Problem) {
        if self.problems.len() < super::MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Whether the statement of a line outside of all brackets ends with it, and another begins on
    /// the next. What a line goes on behind is a mark; where a comment hides it, nothing is said.
    fn is_cut(&self, bytes: &[u8], end: usize) -> bool {
        let last = end.checked_sub(1).and_then(|last| bytes.get(last));
        let ends = last.is_some_and(|last| last.is_ascii_alphanumeric() || b"\"%)}".contains(last));
        // What is read as something else ends no statement: a brace too many is a blank.
        let edited = self.edits.last().is_some_and(|edit| edit.span.end as usize == end);
        let next = bytes.get(end + 1).is_some_and(u8::is_ascii_lowercase);
        ends && next && !edited && self.comment_end != end
    }

    /// Passes a string; returns where to go on.
    fn string(&mut self, text: &str, start: usize) -> usize {
        let bytes = text.as_bytes();
        let mut at = start + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'"' => return at + 1,
                b'\n' | b'\r' => break,
                b'\\' if !matches!(bytes.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
                _ => at += 1,
            }
        }
        self.blamed.push(Span::new(start, at));
        self.push(
            Problem::error(Code::Quote, Span::new(start, at), "this quote is not closed")
                .label("opened here")
                .help("close it with `\"` on the same line"),
        );
        self.closed_for(text, start, at)
    }

    /// Ends an open string before the brackets that end its line, so that these close what they
    /// were meant to. Returns where to go on.
    fn closed_for(&mut self, text: &str, start: usize, end: usize) -> usize {
        let inside = &text[start + 1..end];
        let kept = inside.trim_end_matches(['}', ')', ']', ';', ',', ' ']);
        let Some(last) = kept.char_indices().next_back().map(|(at, _)| start + 1 + at) else {
            return end;
        };
        let kept = start + 1 + kept.len();
        // A backslash before it would make the quote a part of the text.
        let escapes = text[..last].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 1 {
            self.edits.push(Edit { span: Span::new(last - 1, last), with: b' ' });
        }
        self.edits.push(Edit { span: Span::new(last, kept - 1), with: b' ' });
        self.edits.push(Edit { span: Span::new(kept - 1, kept), with: b'"' });
        kept
    }

    /// `'text'`, as other languages write it: read as `"text"`. Returns where its last quote stands,
    /// or `start` if there is none on the line.
    fn single_quotes(&mut self, text: &str, start: usize) -> usize {
        if text[..start].ends_with(char::is_alphanumeric) {
            return start;
        }
        let near = text.floor_char_boundary((start + 1 + LOOK_AHEAD).min(text.len()));
        let line = text[start + 1..near].split(['\n', '\r']).next().unwrap_or_default();
        let Some(length) = line.find('\'') else { return start };
        for (at, _) in line[..length].match_indices(['"', '\\']) {
            let span = Span::new(start + 1 + at, start + 2 + at);
            self.edits.push(Edit { span, with: b' ' });
        }
        let end = start + 1 + length;
        let problem =
            Problem::error(Code::Quote, Span::new(start, end + 1), "texts stand in double quotes");
        self.push(problem.help(format!("write `{:?}`", &line[..length])));
        for at in [start, end] {
            self.edits.push(Edit { span: Span::new(at, at + 1), with: b'"' });
        }
        end
    }

    /// `// …` and `/* … */`: read as blanks. Returns where to go on.
    fn foreign_comment(&mut self, text: &str, start: usize) -> Option<usize> {
        let line = line_end(text.as_bytes(), start);
        let (mark, end) = match text.as_bytes().get(start + 1)? {
            b'/' => ("//", line),
            b'*' => {
                let length = if self.no_comment_end { None } else { text[start..].find("*/") };
                self.no_comment_end |= length.is_none();
                ("/*", length.map_or(line, |length| start + length + 2))
            }
            _ => return None,
        };
        self.push(
            Problem::error(Code::Comment, Span::new(start, start + 2), "a comment begins with `#`")
                .help(format!("write `#` for `{mark}`; it goes to the end of its line")),
        );
        self.edits.push(Edit { span: Span::new(start, end), with: b' ' });
        Some(end)
    }

    fn close(&mut self, text: &str, stack: &mut Vec<Open>, bracket: u8, at: usize) {
        let opening = match bracket {
            b'}' => b'{',
            b')' => b'(',
            _ => b'[',
        };
        let found = stack.iter().rposition(|open| open.bracket == opening);
        // What closes a bracket closes all within it, so these were forgotten; but a bracket that is
        // opened and closed on one line is whole, and what stands between is one too many.
        let found = found.filter(|found| {
            let within = &stack[found + 1..];
            match bracket {
                b'}' => !within.iter().any(|open| self.closes_on_line(text, open, at)),
                _ => {
                    let braces = within.iter().any(|open| open.bracket == b'{');
                    !braces || stack[*found].at >= self.line
                }
            }
        });
        match found {
            Some(found) => {
                for open in stack.drain(found..).skip(1).collect::<Vec<_>>() {
                    self.unclosed(&open);
                }
            }
            None => {
                let shown = bracket as char;
                self.blamed.push(Span::new(at, at + 1));
                self.push(
                    Problem::error(
                        Code::Bracket,
                        Span::new(at, at + 1),
                        format!("this `{shown}` closes nothing"),
                    )
                    .label("nothing is open here")
                    .help(format!("remove it, or open a `{}` before it", opening as char)),
                );
                self.edits.push(Edit { span: Span::new(at, at + 1), with: b' ' });
            }
        }
    }

    /// Whether a round or square bracket of this line closes further on in it.
    fn closes_on_line(&self, text: &str, open: &Open, at: usize) -> bool {
        let closing = match open.bracket {
            b'(' => b')',
            b'[' => b']',
            _ => return false,
        };
        let rest = text.as_bytes()[at..].iter().take(LOOK_AHEAD);
        let mut line = rest.take_while(|byte| !matches!(byte, b'\n' | b'\r'));
        open.at >= self.line && line.any(|byte| *byte == closing)
    }

    fn unclosed(&mut self, open: &Open) {
        let closing = match open.bracket {
            b'{' => '}',
            b'(' => ')',
            _ => ']',
        };
        self.blamed.push(Span::new(open.at, open.at + 1));
        self.push(
            Problem::error(
                Code::Bracket,
                Span::new(open.at, open.at + 1),
                format!("this `{}` is not closed", open.bracket as char),
            )
            .label("opened here")
            .help(format!("close it with `{closing}`")),
        );
        self.edits.push(Edit { span: Span::new(open.at, open.at + 1), with: b' ' });
    }
}

/// Whether what begins here is no part of a word or an address.
fn stands_apart(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    before.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b'{' | b'}'))
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(bytes.len(), |length| from + length)
}
