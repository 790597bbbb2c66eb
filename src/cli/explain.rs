//! `loadc explain`: a script in plain sentences, or the page of an error code.

use super::Exit;
use super::output::{self, Output};
use super::shared::{ReadError, read};
use crate::ast::Script;
use crate::check::{Options, check, default_guards};
use crate::explain::{self, pages};
use crate::parse::parse_part;
use crate::problem::Code;
use crate::view::Look;
use std::path::Path;

/// Say a script in plain sentences, or what an error code means.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A script (`-` reads standard input), a code such as E0301 or a lint such as cold-jump; without either, all are listed
    #[arg(value_name = "FILE|CODE|LINT")]
    what: Option<String>,
}

/// Explains something.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let look = Look { color: out.color_out, width: output::width() };
    match &args.what {
        None => {
            for code in Code::ALL {
                let lint = code.lint().map_or_else(String::new, |lint| format!("{lint}: "));
                out.say(&format!("{}  {lint}{}", code.as_str(), code.title()));
            }
            Exit::Done
        }
        Some(what) if is_topic(what) && !Path::new(what).exists() => code(what, look, out),
        Some(path) => script(path, look, out),
    }
}

/// Whether a word is a code or a lint, or was meant to be one.
fn is_topic(word: &str) -> bool {
    let script = word == "-" || word.contains(['/', '.', '\\']);
    pages::looks_like_code(word)
        || Code::of_lint(word).is_some()
        || !script && Code::nearest_lint(word).is_some()
}

fn code(word: &str, look: Look, out: &Output) -> Exit {
    if let Some(code) = pages::code(word) {
        out.say(&pages::text(code, look));
        return Exit::Done;
    }
    if let Some(meant) = Code::nearest_lint(word) {
        out.fault(&format!("there is no lint `{word}`"), &format!("did you mean `{meant}`?"));
        return Exit::Wrong;
    }
    let word = word.to_uppercase();
    let alike = Code::ALL.iter().map(|code| code.as_str());
    let alike: Vec<&str> = alike.filter(|code| code.get(..3) == word.get(..3)).collect();
    let help = match alike.as_slice() {
        [] => "`loadc explain` lists every code".to_owned(),
        alike => format!("there are {}; `loadc explain` lists every code", alike.join(", ")),
    };
    out.fault(&format!("there is no code {word}"), &help);
    Exit::Wrong
}

fn script(path: &str, look: Look, out: &Output) -> Exit {
    let source = match read(path) {
        Ok(source) => source,
        Err(ReadError::Io(message, help)) => {
            out.fault(&message, &help);
            return Exit::Wrong;
        }
        Err(ReadError::Text(source, problem)) => {
            out.problems(&source, &[*problem]);
            return Exit::Wrong;
        }
    };
    let checked = check(&source, &Options { lenient_env: true, ..Options::default() });
    out.problems(&source, &checked.problems);
    if checked.has_errors() {
        return Exit::Wrong;
    }
    let trees: Vec<Script> = (0..source.parts()).map(|part| parse_part(&source, part).0).collect();
    match checked.plan {
        Some(plan) => {
            let defaults = default_guards(&plan);
            out.say(&explain::script(&source, &trees, &plan, &defaults, look));
        }
        None => out.say(&explain::library(&source, &trees[0])),
    }
    Exit::Done
}
