//! Findings as people read them: the place marked in its line, what is wrong, what to write.

use crate::problem::{Problem, Severity};
use crate::show;
use crate::source::{SourceFile, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// How findings are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colour.
    pub color: bool,
    /// Columns to fill.
    pub width: usize,
}

/// How much of a line is shown on each side of a place: a line may be megabytes long.
const LINE_CONTEXT_BYTES: usize = 40;

/// Draws findings, one after another, in the order given.
pub fn human(source: &SourceFile, problems: &[Problem], style: Style) -> String {
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_context_lines(1)
        .without_cause_chain();
    let cleaned = cleaned(source);
    let source = cleaned.as_ref().unwrap_or(source);
    let mut out = String::new();
    for problem in problems {
        let shown = Shown { problem, source };
        // Writing into a String cannot fail; an error here would mean a source that can't be read,
        // and then the message alone is still worth having.
        if handler.render_report(&mut out, &shown).is_err() {
            out.push_str(&show::clean(&problem.message));
        }
        out.push('\n');
    }
    out
}

/// A source whose text could command a terminal, with other characters of the same length in their
/// place, so that every place stays what it is; `None` if it has none.
fn cleaned(source: &SourceFile) -> Option<SourceFile> {
    let hidden = |c: char| show::is_hidden(c) && !matches!(c, '\n' | '\r' | '\t');
    let mut names = (0..source.parts()).map(|part| source.name_at(source.part_span(part).start));
    if !source.text.contains(hidden) && !names.any(|name| name.contains(show::is_hidden)) {
        return None;
    }
    let same_length = |c: char| match c.len_utf8() {
        1 => '?',
        2 => '·',
        _ => '\u{fffd}',
    };
    let text = source.text.chars().map(|c| if hidden(c) { same_length(c) } else { c });
    Some(source.shown_as(show::clean, text.collect()))
}

/// A problem with its source, as miette wants it.
struct Shown<'a> {
    problem: &'a Problem,
    source: &'a SourceFile,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show::clean(&self.problem.message))
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let code = self.problem.code;
        Some(match code.lint() {
            Some(lint) => Box::new(format!("{} {lint}", code.as_str())),
            None => Box::new(code.as_str()),
        })
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(show::clean(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let first = std::iter::once(&self.problem.place);
        let all = first.chain(&self.problem.others).enumerate().map(|(index, (span, text))| {
            let text = (!text.is_empty()).then(|| show::clean(text));
            let span = self.clipped(*span);
            match index {
                0 => LabeledSpan::new_primary_with_span(text, span),
                _ => LabeledSpan::new_with_span(text, span),
            }
        });
        Some(Box::new(all))
    }
}

impl Shown<'_> {
    /// The span within its first line, so that a block's mark does not run down the page.
    fn clipped(&self, span: Span) -> SourceSpan {
        let text = &self.source.text;
        let start = text.floor_char_boundary(span.start as usize);
        let end = (span.end as usize).max(start).min(start + LINE_CONTEXT_BYTES);
        let end = text.floor_char_boundary(end).max(start);
        let length = text[start..end].find('\n').unwrap_or(end - start);
        SourceSpan::from((start, length))
    }
}

impl SourceCode for Shown<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.source.text.as_str();
        let start = text.floor_char_boundary(span.offset());
        let end = text.floor_char_boundary(start + span.len()).max(start);
        // Places in two files are drawn apart.
        let file = |at: usize| self.source.part_of(u32::try_from(at).unwrap_or(u32::MAX));
        if file(start) != file(end) {
            return Err(MietteError::OutOfBounds);
        }
        // miette asks twice: without context for the line and column it names in its header, and
        // with some for what it draws.
        let (from, to) = match before {
            0 => (start, end),
            _ => (line_start(text, start), line_end(text, end)),
        };
        let offset = u32::try_from(from).unwrap_or(u32::MAX);
        let (line, column) = self.source.line_column(offset);
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name_at(offset).to_owned(),
            &text.as_bytes()[from..to],
            SourceSpan::from((from, to - from)),
            line - 1,
            column - 1,
            1,
        )))
    }
}

/// The start of the line that holds `at`, or of a part of it where it is very long.
fn line_start(text: &str, at: usize) -> usize {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let near = text.floor_char_boundary(at.saturating_sub(LINE_CONTEXT_BYTES));
    if at - line > 2 * LINE_CONTEXT_BYTES { near.max(line) } else { line }
}

fn line_end(text: &str, at: usize) -> usize {
    let line = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let line = if text[..line].ends_with('\r') && line > at { line - 1 } else { line };
    if line - at > 2 * LINE_CONTEXT_BYTES {
        text.floor_char_boundary(at + LINE_CONTEXT_BYTES).max(at)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn a_script_cannot_command_the_terminal() {
        let text = "\x1b[2J\u{9b}\u{202e}constant 1\0";
        let source = SourceFile::new("a\x07.load", text);
        let problem = Problem::error(Code::Expected, Span::new(4, 17), format!("`{text}`"))
            .label(text)
            .help(text);
        let drawn = human(&source, &[problem], Style { color: false, width: 80 });
        assert!(!drawn.contains(|c: char| show::is_hidden(c) && c != '\n'), "{drawn:?}");
        assert!(drawn.contains("?[2J·\u{fffd}constant 1?"), "{drawn}");
    }
}
