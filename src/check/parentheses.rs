//! Calls of shapes that lack their parentheses.

use crate::problem::{Code, Problem};
use crate::source::SourceFile;
use std::collections::BTreeMap;

/// `lunch 800`: a shape of the script, called as though it were one of the language.
pub(super) fn without_parentheses(
    source: &SourceFile,
    shapes: &BTreeMap<String, super::call::Known>,
    problems: &mut [Problem],
) {
    for problem in problems.iter_mut().filter(|one| one.code == Code::UnknownStatement) {
        let (place, _) = &problem.place;
        let name = source.slice(*place);
        if !shapes.contains_key(name) {
            continue;
        }
        let end = place.end as usize;
        let behind = source.text.get(end..).unwrap_or_default();
        let stop = behind.find(['\n', '\r', ';', '}', '#']).unwrap_or(behind.len());
        let words: Vec<&str> = behind[..stop].split_whitespace().collect();
        let own = words.iter().position(|word| matches!(*word, "total" | "as" | "until"));
        let (args, rest) = words.split_at(own.unwrap_or(words.len()));
        let bare = args.iter().all(|arg| !arg.contains([',', '=']) && !is_operator(arg));
        let args = args.join(if bare { ", " } else { " " });
        let rest = rest.iter().map(|word| format!(" {word}")).collect::<String>();
        problem.message = format!("the arguments of `{name}` stand in parentheses");
        problem.help = Some(format!("write `{name}({args}){rest}`"));
    }
}

fn is_operator(word: &str) -> bool {
    matches!(word, "+" | "-" | "*" | "/")
}
