//! Findings as workflow commands of GitHub Actions, which it shows beside the lines of a pull request.

use super::severity_word;
use crate::problem::Problem;
use crate::source::SourceFile;

/// One command for each finding, each on a line of its own.
///
/// The form is `::error file=F,line=L,endLine=L,col=C,endColumn=C,title=T::MESSAGE`; columns are
/// left out where a place runs over several lines, for GitHub takes them on one line only.
pub fn github(source: &SourceFile, problems: &[Problem]) -> String {
    problems.iter().map(|problem| command(source, problem)).collect()
}

fn command(source: &SourceFile, problem: &Problem) -> String {
    let (span, label) = &problem.place;
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    let file = property(source.name_at(span.start));
    let mut place = format!("file={file},line={line},endLine={end_line}");
    if line == end_line {
        place.push_str(&format!(",col={column},endColumn={end_column}"));
    }
    let code = problem.code.as_str();
    let title =
        problem.code.lint().map_or_else(|| code.to_owned(), |lint| format!("{code} {lint}"));
    let mut message = problem.message.clone();
    if !label.is_empty() {
        message.push_str(&format!(" ({label})"));
    }
    for (other, text) in &problem.others {
        let (line, _) = source.line_column(other.start);
        message.push_str(&format!("\n{}:{line}: {text}", source.name_at(other.start)));
    }
    if let Some(help) = &problem.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let level = severity_word(problem.severity);
    format!("::{level} {place},title={}::{}\n", property(&title), data(&message))
}

/// A fault that has no place in a file.
pub fn fault(message: &str) -> String {
    format!("::error title=loadc::{}\n", data(message))
}

/// The text of a command: what would end it is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command: what would end the property, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;
    use crate::source::Span;

    #[test]
    fn a_finding_is_one_line_whatever_is_in_it() {
        let source = SourceFile::new("a,b:c%.load", "one\ntwo three\n");
        let problem =
            Problem::error(Code::Expected, Span::new(4, 7), "50% of\r\nthis: that, :: all")
                .label("here")
                .and(Span::new(8, 13), "there")
                .help("do, so");
        assert_eq!(
            github(&source, &[problem]),
            "::error file=a%2Cb%3Ac%25.load,line=2,endLine=2,col=1,endColumn=4,title=E0107::50%25 of%0D%0Athis: \
             that, :: all (here)%0Aa,b:c%25.load:2: there%0Ahelp: do, so\n"
        );
    }

    #[test]
    fn columns_are_left_out_where_a_place_has_several_lines() {
        let source = SourceFile::new("a.load", "one\ntwo\n");
        let lint = Problem::warning(Code::NoGuard, Span::new(0, 6), "nothing");
        assert_eq!(
            github(&source, &[lint]),
            "::warning file=a.load,line=1,endLine=2,title=W0201 no-guard::nothing\n"
        );
        assert_eq!(fault("no\nfile"), "::error title=loadc::no%0Afile\n");
    }
}
