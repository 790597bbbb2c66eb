//! The one place in a broken statement that its writer must mend.
//!
//! The statement is read again, alone, so that pest tells how far it came and what it looked for;
//! slips that have a known cause are recognised first.

use super::lexicon::{ELSEWHERE, GUARD, RuleWords, holds_depth, is_percentile, is_rule};
use super::slips::{Look, slip};
use super::table::{self, STATEMENT};
use super::tokens::Token;
use super::words;
use super::{Rule, tree};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;

/// Bytes of a statement that is tried with other words.
const MOST_TRIED: usize = 1000;

/// A statement that could not be read.
pub(super) struct Broken<'t> {
    pub(super) text: &'t str,
    /// Its words.
    pub(super) all: &'t [Token<'t>],
    /// How many of them come before or with its first brace.
    pub(super) head: usize,
    /// Where it begins in the file.
    pub(super) base: usize,
    /// What it is a part of, where that and not its first word says how it is written.
    pub(super) within: Option<&'static str>,
}

impl Broken<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        Span::new(self.base + from, self.base + to)
    }

    fn span_of(&self, token: &Token<'_>) -> Span {
        self.span(token.start, token.end())
    }

    /// What is wrong with a statement, and whether it ended too early.
    pub(super) fn statement(&self, behind: &str) -> (Problem, bool) {
        let Some(first) = self.all.first() else {
            let span = self.span(0, self.text.len());
            let problem = Problem::error(Code::Expected, span, "this cannot be read");
            return (problem.label("no word of the language"), false);
        };
        let called = self.all.get(1).is_some_and(|second| second.text == "(" && !first.is_number());
        if table::leads(first.text, STATEMENT) || called || holds_depth(self.all) {
            return self.expected(Rule::lone_statement, behind);
        }
        (self.no_statement(first), false)
    }

    /// What is wrong with a field of a body.
    pub(super) fn entry(&self) -> Problem {
        self.expected(Rule::lone_entry, "").0
    }

    /// The word of the language for which the statement could be read, were it a name.
    pub(super) fn if_a_name(&self) -> Option<&str> {
        if self.text.len() > MOST_TRIED {
            return None;
        }
        let ends = self.all.iter().skip(1).filter(|token| words::is_argument(token.text));
        let mut ends = ends.take(8);
        let found = ends.find(|token| {
            let (before, behind) = (&self.text[..token.start], &self.text[token.end()..]);
            tree::reads(Rule::lone_statement, &format!("{before}name{behind}"))
        });
        found.map(|token| token.text)
    }

    fn no_statement(&self, first: &Token<'_>) -> Problem {
        let span = self.span_of(first);
        let word = first.text;
        let unknown = |message: String| Problem::error(Code::UnknownStatement, span, message);
        let line = self.text.lines().next().unwrap_or("");
        if first.is_number() {
            let shape = if line.contains("->") { "ramp" } else { "constant" };
            let form = words::form(shape).unwrap_or("");
            return unknown(format!("no statement begins with a number: `{word}`")).help(format!(
                "a shape comes first, as in `{form}`; a line goes on only behind `,`, `->` or an operator"
            ));
        }
        if word == "-" && self.text.starts_with("--") {
            return Problem::error(Code::Comment, span, "a comment begins with `#`")
                .help("write `#` for `--`; it goes to the end of its line");
        }
        if !first.is_word() {
            return unknown(format!("no statement begins with `{word}`")).help(
                "a statement begins with a word, such as `constant 100 for 5m`; a line goes on only behind `,`, `->` or an operator",
            );
        }
        let next = self.all.get(1).map_or("", |next| next.text);
        let named = self.all.get(2).map_or("", |third| third.text);
        if next == "=" || matches!(word, "var" | "const" | "set" | "def") && named == "=" {
            let rest = self.text.split_once('=').map_or("", |(_, rest)| rest);
            let rest = rest.lines().next().unwrap_or("").trim().trim_end_matches(';');
            let name = if next == "=" { word } else { next };
            let free = if table::leads(name, table::RESERVED) { "my_" } else { "" };
            let message = match next {
                "=" => "a name is given its value by `let`".to_owned(),
                _ => format!("a name is given its value by `let`, not by `{word}`"),
            };
            return unknown(message).help(format!("write `let {free}{name} = {rest}`"));
        }
        if is_rule(self.all) {
            let block = if GUARD.knows(word) { "guard" } else { "expect" };
            return unknown(format!("`{word}` stands in the braces of `{block}`"))
                .help(format!("write it as `{}`", words::form(block).unwrap_or(block)));
        }
        if let (Some(again), true) = (self.repetition(), words::is_argument(word)) {
            return unknown(format!("`{word}` does not begin a statement")).help(again);
        }
        if words::is_argument(word) && (word != "hold" || next.ends_with(['s', 'm', 'h'])) {
            return unknown(format!("`{word}` does not begin a statement"))
                .label("seems to belong to the line above")
                .help(
                    "write both on one line; a line goes on only behind `,`, `->` or an operator",
                );
        }
        if let Some(kind) = self.named_block(next) {
            return unknown(format!("`{kind}` is missing before `{word}`"))
                .help(format!("write `{kind} {word} {{ … }}`"));
        }
        let problem = unknown(format!("there is no statement `{word}`"));
        let lower = word.to_lowercase();
        let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == lower);
        problem.help(match (elsewhere, did_you_mean(&lower, table::leading(STATEMENT))) {
            (_, Some(meant)) if meant == lower => {
                format!("words of the language are written in lower case: `{meant}`")
            }
            (Some((_, example)), _) => format!("write it as `{example}`"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("statements begin with {}", quoted_list(STATEMENT)),
        })
    }

    /// What a block with nothing before it but a name is, by what it says first.
    fn named_block(&self, next: &str) -> Option<&'static str> {
        let (first, inside) = (self.all.first()?, self.all.get(2)?);
        let lower = first.text.to_lowercase();
        let meant = did_you_mean(&lower, table::leading(STATEMENT)).is_some()
            || ELSEWHERE.iter().any(|(other, _)| *other == lower);
        match next {
            "{" if meant => None,
            "{" if table::leads(inside.text, table::JOB) => Some("job"),
            "{" if table::leads(inside.text, STATEMENT) => Some("load"),
            _ => None,
        }
    }

    /// How a block that comes again is written: `for 3 { … }`, `loop { … }`.
    fn repetition(&self) -> Option<String> {
        let brace = self.all.get(self.head.checked_sub(1)?)?;
        let count = self.all.get(1)?;
        match self.head {
            _ if brace.text != "{" => None,
            2 => Some("write `repeat forever { … }`".to_owned()),
            _ if count.is_number() => Some(format!("write `repeat {} {{ … }}`", count.text)),
            _ => Some("write `repeat 3 { … }` for what comes again".to_owned()),
        }
    }

    /// What is wrong with a rule of a block.
    pub(super) fn rule(&self, start: Rule, words: &RuleWords) -> Problem {
        let (word, span) = match self.all.first() {
            Some(first) => (first.text, self.span_of(first)),
            None => ("", self.span(0, self.text.len())),
        };
        if start == Rule::lone_flow_step {
            // A step begins with a name: whatever is wrong stands behind it.
            return self.expected(start, "").0;
        }
        // An expectation may begin with the name of a phrase.
        let judged = is_percentile(word) || word.starts_with('"');
        if words.knows(word) || judged && words.knows("p99") {
            return self.expected(start, "").0;
        }
        let elsewhere = words.elsewhere.iter().find(|(other, _)| *other == word);
        let help = match (elsewhere, did_you_mean(word, table::leading(words.kind))) {
            (Some((_, example)), _) => format!("write it as `{example}`"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("{} knows {}", words.block, quoted_list(words.kind)),
        };
        let message = format!("{} has no `{word}`", words.block);
        Problem::error(Code::UnknownStatement, span, message).help(help)
    }

    /// Reads the statement alone and says what was expected where, and whether it ended too early.
    fn expected(&self, start: Rule, behind: &str) -> (Problem, bool) {
        let Some((at, mut rules)) = stopped(start, self.text) else {
            let whole = self.span(0, self.text.len());
            let problem = Problem::error(Code::Expected, whole, "this cannot stand here");
            return (problem.help("begin the statement on a line of its own"), false);
        };
        let stop = self.all.iter().position(|token| token.start >= at);
        let mut index = stop.unwrap_or(self.all.len()).max(1);
        // Reading stops before a word that is right if what follows it is wrong, and blanks are
        // expected silently: ask what may follow, word by word, until one is refused.
        let mut asked = index - 1;
        while let Some(token) = self.all.get(asked) {
            // An operator is right or wrong by the blanks around it.
            let operator = matches!(token.text, "+" | "-" | "*" | "/");
            let blank = if operator { "" } else { " " };
            match stopped(start, &format!("{}{blank}\0", &self.text[..token.end()])) {
                Some((at, found)) if at >= token.end() + blank.len() => rules = found,
                _ if asked < index => {}
                _ => break,
            }
            asked += 1;
            index = asked;
        }
        let before = self.all.get(index - 1).map(|token| token.text);
        let statement = self.first_word();
        let mut expected = words::expected(&rules, before, statement);
        if start == Rule::lone_entry {
            // It is one of several: its end is none of a statement.
            expected.retain(|word| *word != words::END);
        }
        let complete = self
            .all
            .get(index)
            .is_some_and(|token| tree::reads(start, self.text[..token.start].trim_end()));
        let look = Look {
            text: self.text,
            tokens: self.all,
            index,
            rules: &rules,
            expected: &expected,
            complete,
            within: self.within,
        };
        self.worded(start, &look, behind)
    }

    /// The word that says how this is written.
    fn first_word(&self) -> &str {
        self.within.unwrap_or_else(|| self.all.first().map_or("", |first| first.text))
    }

    fn worded(&self, start: Rule, look: &Look<'_>, behind: &str) -> (Problem, bool) {
        let statement = self.first_word();
        let token = self.all.get(look.index).filter(|_| look.index < self.head.max(1));
        let place = match (token, self.all.get(look.index.saturating_sub(1))) {
            (Some(token), _) => self.span_of(token),
            (None, Some(last)) => {
                let width = last.text.chars().next_back().map_or(0, char::len_utf8);
                self.span(last.end() - width, last.end())
            }
            (None, None) => self.span(0, self.text.len()),
        };
        if let Some(slip) = slip(look) {
            let place = slip.place.map_or(place, |(from, to)| self.span(from, to));
            return (Problem::error(Code::Expected, place, slip.message).help(slip.help), false);
        }
        let message = match token {
            Some(token) if token.text.starts_with('"') => {
                format!("this text is not what `{statement}` needs here")
            }
            Some(token) if look.complete => format!("`{}` does not belong here", token.text),
            Some(token) => format!("`{}` is not what `{statement}` needs here", token.text),
            None if self.within.is_some() => {
                format!("this part of the {statement} is not complete")
            }
            None => format!("`{statement}` is not complete: the line ends here"),
        };
        let mut problem = Problem::error(Code::Expected, place, message);
        if let Some(list) = words::list(look.expected) {
            problem = problem.label(format!("expected {list}"));
        }
        let meant = token.and_then(|token| {
            let words = look.expected.iter();
            let words = words.filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
            did_you_mean(&token.text.to_lowercase(), words)
        });
        let block = token.is_none() && look.expected.contains(&words::BLOCK);
        let form = match start {
            Rule::lone_expectation => words::expectation_form(statement),
            _ => words::form(statement),
        };
        let help = match (meant, form) {
            _ if block && behind.trim_start().starts_with('{') => {
                Some("put the `{` on the same line".to_owned())
            }
            (Some(meant), _) => Some(format!("did you mean `{meant}`?")),
            (None, Some(form)) => Some(format!("its form is `{form}`")),
            // Neither a label nor a form to show: say at least where to look.
            (None, None) if problem.place.1.is_empty() => {
                Some(format!("the language page shows how `{statement}` is written"))
            }
            (None, None) => None,
        };
        problem.help = help;
        (problem, token.is_none())
    }
}

/// Where reading a text stopped, and what was looked for there; `None` if it can be read.
fn stopped(start: Rule, text: &str) -> Option<(usize, Vec<Rule>)> {
    let stopped = tree::read(start, text).err()?;
    Some((stopped.at, stopped.sought))
}

fn quoted_list(kind: u8) -> String {
    let quoted = table::leading(kind).map(|word| format!("`{word}`")).collect::<Vec<_>>();
    quoted.join(", ")
}
