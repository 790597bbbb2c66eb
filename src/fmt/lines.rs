//! Lines in a text, with the comments at their ends in a column.

use super::layout::Line;
use crate::show;

/// Blanks between a line and the comment at its end, at least.
const COMMENT_GAP: usize = 2;

/// Comments stand in one column only where their lines differ in length by no more than this: next
/// to a long line the comment of a short one would be out of sight.
const MAX_RAGGED: usize = 40;

/// The text of some lines.
pub(super) fn join(lines: &[Line<'_>]) -> String {
    let widths: Vec<usize> =
        lines.iter().map(|line| line.indent + show::width(&line.text)).collect();
    let mut text = String::new();
    let mut at = 0;
    while at < lines.len() {
        let end = run(lines, &widths, at);
        let column = widths[at..end].iter().max().copied().unwrap_or(0) + COMMENT_GAP;
        for (line, width) in lines[at..end].iter().zip(&widths[at..end]) {
            write(line, column - width, &mut text);
        }
        at = end;
    }
    text
}

/// Where the run of adjacent lines with comments ends that begins at a line.
fn run(lines: &[Line<'_>], widths: &[usize], start: usize) -> usize {
    let has_comment = |line: &Line<'_>| line.comment.is_some() && !line.text.is_empty();
    let (mut least, mut most) = (widths[start], widths[start]);
    let mut end = start + 1;
    if !has_comment(&lines[start]) {
        return end;
    }
    while let Some(line) = lines.get(end) {
        least = least.min(widths[end]);
        most = most.max(widths[end]);
        let adjacent = line.indent == lines[start].indent && !line.blank_before;
        if !adjacent || !has_comment(line) || most - least > MAX_RAGGED {
            break;
        }
        end += 1;
    }
    end
}

fn write(line: &Line<'_>, before_comment: usize, text: &mut String) {
    if line.blank_before {
        text.push('\n');
    }
    text.extend(std::iter::repeat_n(' ', line.indent));
    text.push_str(&line.text);
    if let Some(comment) = line.comment {
        if !line.text.is_empty() {
            text.extend(std::iter::repeat_n(' ', before_comment));
        }
        text.push_str(comment);
    }
    text.push('\n');
}
