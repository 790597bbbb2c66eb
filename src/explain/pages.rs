//! The page of each error code: what it means, an example, and its cure.

use crate::problem::Code;
use crate::show;
use crate::view::Look;

/// Every page, one after another.
const ALL: &str = include_str!("../../docs/errors.md");
/// The pages of the lints.
const LINTS: &str = include_str!("../../docs/lints.md");

/// A code as people type it: `E0301`, `e0301`, or a lint by its name.
pub fn code(word: &str) -> Option<Code> {
    let by_code = Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(word));
    by_code.or_else(|| Code::of_lint(word))
}

/// What stands over the page of a code.
pub fn heading(code: Code) -> String {
    match code.lint() {
        Some(lint) => format!("{lint}: {}", code.title()),
        None => format!("{}: {}", code.as_str(), code.title()),
    }
}

/// Whether a word looks like a code, known or not.
pub fn looks_like_code(word: &str) -> bool {
    let digits = word.strip_prefix(['E', 'e', 'W', 'w']).unwrap_or("");
    !digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The page of a code as it is written in the documentation, without its heading.
pub fn page(code: Code) -> &'static str {
    let all = if code.lint().is_some() { LINTS } else { ALL };
    let heading = format!("\n## {}\n", heading(code));
    let Some((_, page)) = all.split_once(&heading) else { return "" };
    page.split("\n## ").next().unwrap_or("").trim()
}

/// The page of a code, for a terminal. Ends without a newline.
pub fn text(code: Code, look: Look) -> String {
    let title = match code.lint() {
        Some(_) => format!("{} {}", code.as_str(), heading(code)),
        None => heading(code),
    };
    let mut lines = vec![look.bold(&title)];
    let mut paragraph = String::new();
    let mut in_example = false;
    for line in page(code).lines().chain([""]) {
        if line.starts_with("```") {
            in_example = !in_example;
        } else if in_example {
            lines.push(format!("    {line}").trim_end().to_owned());
        } else if line.is_empty() {
            lines.extend(show::wrap(&unlinked(&paragraph), look.width));
            lines.push(String::new());
            paragraph.clear();
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line);
        }
    }
    lines.insert(1, String::new());
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n").trim_end().to_owned()
}

/// `[words](address)` as the words.
fn unlinked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('[') {
        let link = behind.split_once("](").and_then(|(words, behind)| {
            let (_, behind) = behind.split_once(')')?;
            (!words.contains([']', '`'])).then_some((words, behind))
        });
        out.push_str(before);
        match link {
            Some((words, behind)) => {
                out.push_str(words);
                rest = behind;
            }
            None => {
                out.push('[');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}
