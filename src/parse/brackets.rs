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
    /// The line in which a blank of another kind was told.
    blank_told: Option<usize>,
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
            0x0b | 0x0c | 0x80.. => {
                at = scan.unusual(text, at);
                continue;
            }
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
        self.foreign_quotes(text, start, 1, &['\'']).map_or(start, |behind| behind - 1)
    }

    /// A text in quotes of another sort, the first of `first` bytes, any of `closing` the last: read as
    /// `"text"`. Returns where to go on, if it is closed on its line.
    fn foreign_quotes(
        &mut self,
        text: &str,
        start: usize,
        first: usize,
        closing: &[char],
    ) -> Option<usize> {
        if text[..start].ends_with(char::is_alphanumeric) {
            return None;
        }
        let inside = start + first;
        let near = text.floor_char_boundary((inside + LOOK_AHEAD).min(text.len()));
        let line = text[inside..near].split(['\n', '\r']).next().unwrap_or_default();
        let length = line.find(closing)?;
        let last = line[length..].chars().next().map_or(1, char::len_utf8);
        for (at, _) in line[..length].match_indices(['"', '\\']) {
            let span = Span::new(inside + at, inside + 1 + at);
            self.edits.push(Edit { span, with: b' ' });
        }
        let (end, behind) = (inside + length, inside + length + last);
        let whole = Span::new(start, behind);
        let problem = Problem::error(Code::Quote, whole, "texts stand in double quotes");
        self.push(problem.help(format!("write `{:?}`", &line[..length])));
        // The quotes stand next to the text; what else they took are blanks.
        let blanks = [(start, inside - 1), (end + 1, behind)];
        let quotes = [(inside - 1, inside), (end, end + 1)];
        let edit = |with: u8| move |(from, to)| Edit { span: Span::new(from, to), with };
        self.edits.extend(blanks.into_iter().map(edit(b' ')));
        self.edits.extend(quotes.into_iter().map(edit(b'"')));
        Some(behind)
    }

    /// A character that no part of the language begins with: blanks and quotes of print, as they come with
    /// pasted text, are told and taken for what they look like. Returns where to go on.
    fn unusual(&mut self, text: &str, at: usize) -> usize {
        let Some(found) = text.get(at..).and_then(|rest| rest.chars().next()) else {
            return at + 1;
        };
        let behind = at + found.len_utf8();
        let closing: &[char] = match found {
            '“' | '”' | '„' | '‟' => &['”', '“', '"'],
            '‘' | '’' | '‚' => &['’', '‘', '\''],
            '«' | '»' => &['»', '«'],
            _ => {
                // A mark of the order of bytes may begin a file.
                if let Some(name) = blank_name(found).filter(|_| at > 0 || found != '\u{feff}') {
                    self.foreign_blank(found, name, Span::new(at, behind));
                }
                return behind;
            }
        };
        self.foreign_quotes(text, at, found.len_utf8(), closing).unwrap_or(behind)
    }

    /// Once in a line: who pastes one pastes many.
    fn foreign_blank(&mut self, found: char, name: &str, span: Span) {
        self.edits.push(Edit { span, with: b' ' });
        // What has no width may stand within a word, which is then two.
        if !found.is_whitespace() {
            self.blamed.push(span);
        }
        if self.blank_told.replace(self.line) == Some(self.line) {
            return;
        }
        let code = u32::from(found);
        let message =
            format!("{name} (U+{code:04X}) stands here, which the language does not know");
        let help = match found.is_whitespace() {
            true => "write a plain blank for it, here and wherever else the line has one",
            false => "take it out, here and wherever else the line has one",
        };
        self.push(Problem::error(Code::Expected, span, message).help(help));
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
        let line = rest.take_while(|byte| !matches!(byte, b'\n' | b'\r'));
        // Those that another one of the line opens are not the ones.
        let (mut own, mut quoted) = (0_usize, false);
        let closes = |byte: &u8| {
            quoted ^= *byte == b'"';
            let more = !quoted && *byte == open.bracket;
            let fewer = !quoted && *byte == closing;
            if fewer && own == 0 {
                return true;
            }
            own = own + usize::from(more) - usize::from(fewer);
            false
        };
        open.at >= self.line && line.into_iter().any(closes)
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

/// What a blank of print is called, and what has no width at all.
fn blank_name(found: char) -> Option<&'static str> {
    Some(match found {
        '\u{a0}' => "a no-break space",
        '\u{202f}' => "a narrow no-break space",
        '\u{2000}'..='\u{200a}' | '\u{205f}' => "a space of print",
        '\u{3000}' => "a wide space",
        '\u{200b}' => "a space without width",
        '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{180e}' => "a joint without width",
        '\u{feff}' => "a mark of the order of bytes",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "another kind of line end",
        _ if found.is_whitespace() => "another kind of blank",
        _ => return None,
    })
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
