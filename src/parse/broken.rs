//! What could not be read: finding the one place in a broken statement that its reader must mend.
//!
//! The grammar has only said that the statement is none. Here it is read again, alone, so that
//! pest tells how far it came and what it looked for; slips that have a known cause are recognised
//! first.

use super::{Pair, Reader, Rule, grammar::Grammar, words};
use crate::ast::{Name, StatementKind};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};

/// Words that begin a statement.
pub(super) const STATEMENTS: &[&str] = &[
    "after", "burst", "cap", "constant", "expect", "floor", "guard", "job", "let", "load", "pause",
    "points", "ramp", "repeat", "scale", "seed", "send", "sine", "speed", "stairs", "steps",
    "target", "together",
];

/// Words that begin a statement in other tools, and what they are here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("wait", "pause 30s"),
    ("sleep", "pause 30s"),
    ("nothing", "pause 30s"),
    ("const", "constant 100 for 5m"),
    ("rate", "constant 100 for 5m"),
    ("steady", "constant 100 for 5m"),
    ("hold", "constant 100 for 5m"),
    ("linear", "ramp 10->500 over 60s"),
    ("rampup", "ramp 10->500 over 60s"),
    ("stages", "ramp 10->500 over 60s"),
    ("spike", "burst 500 for 5s every 15s over 2m"),
    ("wave", "sine base 100 amp 30 period 1h for 8h"),
    ("loop", "repeat 3 { … }"),
    ("parallel", "together { … }"),
    ("var", "let peak = 500/s"),
    ("set", "let peak = 500/s"),
    ("stream", "load orders { … }"),
    ("scenario", "load orders { … }"),
    ("queue", "job order { queue \"orders\" }"),
    ("body", "job order { body { … } }"),
];

/// Words of the language that this version does not speak yet.
const NOT_YET: &[&str] = &[
    "walk", "chaos", "replay", "starts", "hours", "jitter", "shape", "use", "arrivals", "late",
    "warmup", "flow", "at", "hold", "until", "drain", "rows", "batch",
];

/// A token, for a second look.
struct Token<'t> {
    text: &'t str,
    start: usize,
}

impl Reader {
    /// Words a broken statement; what blocks it has are read all the same.
    pub(super) fn broken_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        let span = self.trimmed(&pair);
        let text = &pair.as_str()[..span.len()];
        // Its own line is what matters: a block further on speaks for itself.
        let head = text.find('{').map_or(text, |brace| &text[..=brace]);
        let head_span = Span::new(span.start as usize, span.start as usize + head.len());
        if !self.is_full() && !self.is_blamed(span) {
            let problem = self.statement_problem(text, head, head_span);
            self.push(problem);
        }
        let defined = defined_name(text, span.start as usize);
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::block => drop(self.statements(inner)),
                Rule::job_block => drop(self.job_fields(inner)),
                Rule::guard_block => drop(self.guard_rules(inner)),
                Rule::expect_block => drop(self.expectations(inner)),
                _ => {}
            }
        }
        StatementKind::Broken(defined)
    }

    /// Words a broken line of a job, a guard or an expectation.
    pub(super) fn broken_rule(&mut self, pair: &Pair<'_>, start: Rule) {
        let span = self.trimmed(pair);
        if self.is_full() || self.is_blamed(span) {
            return;
        }
        let text = &pair.as_str()[..span.len()];
        let first = tokens(text).into_iter().next();
        let (what, known): (&str, &[&str]) = match start {
            Rule::lone_job_field => ("a job", &["queue", "body", "size"]),
            Rule::lone_guard_rule => {
                ("a guard", &["rate", "jobs", "time", "depth", "errors", "file"])
            }
            _ => ("an expectation", &["jobs", "deviation", "errors", "mean", "max", "p50", "p99"]),
        };
        let later: &[&str] = match start {
            Rule::lone_job_field => {
                &["priority", "delay", "timeout", "retry", "rows", "batch", "args"]
            }
            Rule::lone_guard_rule => &["memory", "cpu", "warn", "server", "age", "failed"],
            _ => &["drains", "depth", "recovers"],
        };
        let word = first.map_or("", |token| token.text);
        let known_word = known.contains(&word) || is_percentile(word);
        let word_span = Span::new(span.start as usize, span.start as usize + word.len());
        let problem = if known_word {
            self.expected_problem(start, text, text, span)
        } else if later.contains(&word) {
            not_yet(word, word_span)
        } else {
            let list = known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
            let help = match did_you_mean(word, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("{what} knows {list}"),
            };
            Problem::error(Code::UnknownStatement, word_span, format!("{what} has no `{word}`"))
                .help(help)
        };
        self.push(problem);
    }

    fn statement_problem(&self, text: &str, head: &str, span: Span) -> Problem {
        let all = tokens(head);
        let Some(first) = all.first() else {
            return Problem::error(Code::Expected, span, "this cannot be read");
        };
        let word_span = Span::new(span.start as usize, span.start as usize + first.text.len());
        if !first.text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Problem::error(
                Code::UnknownStatement,
                word_span,
                format!("no statement begins with `{}`", first.text),
            )
            .help("a statement begins with a word, such as `constant 100 for 5m`; a line goes on only behind `,`, `->` or an operator");
        }
        if STATEMENTS.contains(&first.text) {
            return self.expected_problem(Rule::lone_statement, text, head, span);
        }
        if NOT_YET.contains(&first.text) && first.text != "hold" {
            return not_yet(first.text, word_span);
        }
        let problem = Problem::error(
            Code::UnknownStatement,
            word_span,
            format!("there is no statement `{}`", first.text),
        );
        let elsewhere = ELSEWHERE.iter().find(|(word, _)| *word == first.text.to_lowercase());
        problem.help(match (elsewhere, did_you_mean(first.text, STATEMENTS.iter().copied())) {
            (Some((_, example)), _) => format!("write it as `{example}`"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => {
                "shapes are constant, pause, ramp, sine, burst, steps, stairs, points and send"
                    .to_owned()
            }
        })
    }

    /// Reads the statement alone and says what was expected where.
    fn expected_problem(&self, start: Rule, text: &str, head: &str, span: Span) -> Problem {
        let base = span.start as usize;
        let Err(error) = Grammar::parse(start, text) else {
            return Problem::error(Code::Expected, span, "this cannot be read here");
        };
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let expected = match error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        let all = tokens(text);
        let at =
            all.iter().map(|token| token.start).find(|start| *start >= at).unwrap_or(text.len());
        let found =
            all.iter().position(|token| token.start == at).filter(|_| at < head.len().max(1));
        let before = all.iter().rposition(|token| token.start + token.text.len() <= at);
        let before = before.map(|index| all[index].text);
        let token = found.map(|index| all[index].text);
        let place = match token {
            Some(token) => Span::new(base + at, base + at + token.len()),
            None => {
                let end = head.trim_end().len();
                Span::new(base + end.saturating_sub(1), base + end)
            }
        };
        let statement = all.first().map_or("", |token| token.text);
        let looked = Looked {
            statement,
            before,
            token,
            next: found.and_then(|i| all.get(i + 1)),
            expected: &expected,
        };
        looked.problem(place)
    }
}

/// What the second look saw where reading stopped.
struct Looked<'t> {
    statement: &'t str,
    before: Option<&'t str>,
    token: Option<&'t str>,
    next: Option<&'t Token<'t>>,
    expected: &'t [Rule],
}

impl Looked<'_> {
    fn problem(&self, place: Span) -> Problem {
        let words = words::expected(self.expected, self.before);
        let shown = match self.token {
            Some(token) if token.starts_with('"') => "this text".to_owned(),
            Some(token) => format!("`{token}`"),
            None => "the line ends here".to_owned(),
        };
        if let Some((message, help)) = self.slip() {
            return Problem::error(Code::Expected, place, message).label("here").help(help);
        }
        let message = match self.token {
            Some(_) => format!("{shown} is not what `{}` needs here", self.statement),
            None => format!("`{}` is not complete: {shown}", self.statement),
        };
        let problem = Problem::error(Code::Expected, place, message);
        let problem = match words::list(&words) {
            Some(list) => problem.label(format!("expected {list}")),
            None => problem,
        };
        let meant = self.token.and_then(|token| {
            let words = words.iter().filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
            did_you_mean(token, words)
        });
        match (meant, words::form(self.statement)) {
            (Some(meant), _) => problem.help(format!("did you mean `{meant}`?")),
            (None, Some(form)) => problem.help(format!("its form is `{form}`")),
            (None, None) => problem,
        }
    }

    /// Mistakes whose cause is known.
    fn slip(&self) -> Option<(String, String)> {
        let token = self.token?;
        let wants = |rule: Rule| self.expected.contains(&rule);
        let statement = self.statement;
        if let Some(before) = self.before.filter(|before| is_duration(before) && is_duration(token))
        {
            return Some((
                "a duration is written in one word".to_owned(),
                format!("write `{before}{token}`"),
            ));
        }
        let swap = |wrong: &str, right: &str, rules: &[Rule]| {
            (token == wrong && rules.iter().any(|rule| wants(*rule))).then(|| {
                let behind = self.next.map_or("…", |next| next.text);
                (
                    format!("`{statement}` takes `{right}` here, not `{wrong}`"),
                    format!("write `{right} {behind}`"),
                )
            })
        };
        swap("for", "over", &[Rule::over, Rule::kw_over, Rule::over_length])
            .or_else(|| swap("over", "for", &[Rule::on, Rule::length, Rule::kw_for]))
            .or_else(|| swap("every", "each", &[Rule::each]))
            .or_else(|| swap("each", "every", &[Rule::every]))
            .or_else(|| swap("to", "->", &[Rule::arrow]))
            .or_else(|| swap("amplitude", "amp", &[Rule::amp]))
            .or_else(|| {
                let compares = matches!(token, "<" | "=" | "==" | ">=" | ">" | "≤");
                (compares && wants(Rule::at_most)).then(|| {
                    (
                        format!("a guard is an upper bound: `{token}` cannot stand here"),
                        format!("write `{statement} <= …`"),
                    )
                })
            })
            .or_else(|| {
                matches!(token, "+" | "-" | "*" | "/").then(|| {
                    (
                        format!("`{token}` has a blank on one side only"),
                        "blanks stand on both sides of an operator or on none: `a + b`, `a+b`"
                            .to_owned(),
                    )
                })
            })
    }
}

fn not_yet(word: &str, span: Span) -> Problem {
    Problem::error(Code::NotYet, span, format!("this version of loadc has no `{word}` yet"))
        .help("the language page of the documentation lists what this version reads")
}

fn is_duration(token: &str) -> bool {
    let letters = token.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_'));
    letters.len() < token.len()
        && matches!(letters, "ms" | "s" | "m" | "h" | "d" | "w" | "sec" | "min")
}

fn is_percentile(word: &str) -> bool {
    word.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The name a broken `let`, `job` or `load` would have defined.
fn defined_name(text: &str, base: usize) -> Option<Name> {
    let all = tokens(text);
    let [first, name, ..] = all.as_slice() else { return None };
    let defines = matches!(first.text, "let" | "job" | "load");
    let word = name.text.trim_matches('"');
    (defines && word.starts_with(|c: char| c.is_alphabetic() || c == '_')).then(|| {
        let span = Span::new(base + name.start, base + name.start + name.text.len());
        Name::new(word.to_owned(), span)
    })
}

/// Splits a text into words, numbers, strings and marks, roughly as the grammar does.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string_length(rest),
            c if c.is_alphanumeric() || c == '_' => rest
                .char_indices()
                .find(|(i, c)| {
                    let point = *c == '.'
                        && first.is_ascii_digit()
                        && rest[i + 1..].starts_with(|d: char| d.is_ascii_digit());
                    !(c.is_alphanumeric() || matches!(c, '_' | '%') || point)
                })
                .map_or(rest.len(), |(i, _)| i),
            _ if ["->", "<=", ">=", "..", "=="].iter().any(|mark| rest.starts_with(mark)) => 2,
            c => c.len_utf8(),
        };
        if first != '#' {
            found.push(Token { text: &rest[..length], start: at });
        }
        at += length.max(1);
    }
    found
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}
