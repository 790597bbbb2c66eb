//! What could not be read: finding the one place in a broken statement that its writer must mend.
//!
//! The grammar has only said that the statement is none. Here it is read again, alone, so that
//! pest tells how far it came and what it looked for; slips that have a known cause are recognised
//! first.

use super::slips::{Look, slip};
use super::tokens::{Token, tokens};
use super::words::{self, STATEMENTS};
use super::{Pair, Reader, Rule, grammar::Grammar};
use crate::ast::{Job, Load, Name, Phrase, PhraseKind, Statement, StatementKind};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};

/// Words that begin a statement in other tools, and what they are here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("wait", "pause 30s"),
    ("sleep", "pause 30s"),
    ("nothing", "pause 30s"),
    ("const", "constant 100 for 5m"),
    ("rate", "constant 100 for 5m"),
    ("rps", "constant 100 for 5m"),
    ("duration", "constant 100 for 5m"),
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
    ("def", "let peak = 500/s"),
    ("stream", "load orders { … }"),
    ("scenario", "load orders { … }"),
    ("scenarios", "load orders { … }"),
    ("queue", "job order { queue \"orders\" }"),
    ("body", "job order { body { … } }"),
    ("payload", "job order { body { … } }"),
    ("thresholds", "expect { p99 response < 20ms }"),
    ("limit", "guard { rate <= 1000/s }"),
    ("import", "let peak = 500/s"),
];

/// Words of the language that this version does not speak yet.
const NOT_YET: &[&str] = &[
    "walk", "chaos", "replay", "starts", "hours", "jitter", "shape", "use", "arrivals", "late",
    "warmup", "flow", "at", "until", "drain", "rows", "batch",
];

/// What a block of rules knows.
struct RuleWords {
    /// The block in words.
    block: &'static str,
    /// The words that begin its rules.
    known: &'static [&'static str],
    /// Those that this version does not have yet.
    later: &'static [&'static str],
    /// Those of other tools, and what they are here.
    elsewhere: &'static [(&'static str, &'static str)],
}

const JOB: RuleWords = RuleWords {
    block: "a job",
    known: &["queue", "body", "size"],
    later: &["priority", "delay", "timeout", "retry", "rows", "batch", "args"],
    elsewhere: &[
        ("payload", "body { id: uuid() }"),
        ("data", "body { id: uuid() }"),
        ("json", "body { id: uuid() }"),
        ("key", "queue \"orders\""),
        ("list", "queue \"orders\""),
        ("stream", "queue \"orders\" as stream"),
        ("as", "queue \"orders\" as stream"),
        ("format", "queue \"orders\" as stream"),
        ("weight", "job order weight 2 { … }"),
    ],
};

const GUARD: RuleWords = RuleWords {
    block: "a guard",
    known: &["rate", "jobs", "time", "depth", "errors", "file"],
    later: &["memory", "cpu", "warn", "server", "age", "failed"],
    elsewhere: &[
        ("rps", "rate <= 1000/s"),
        ("duration", "time <= 1h"),
        ("length", "time <= 1h"),
        ("total", "jobs <= 1M"),
        ("count", "jobs <= 1M"),
        ("queue", "depth <= 10k"),
        ("backlog", "depth <= 10k"),
        ("error", "errors <= 1%"),
        ("stop", "time <= 1h then stop"),
    ],
};

const EXPECT: RuleWords = RuleWords {
    block: "an expectation",
    known: &["jobs", "deviation", "errors", "mean", "max", "p50", "p90", "p99"],
    later: &["drains", "depth", "recovers"],
    elsewhere: &[
        ("latency", "p99 response < 20ms"),
        ("response", "p99 response < 20ms"),
        ("service", "p99 service < 20ms"),
        ("send", "p99 send delay < 1ms"),
        ("delay", "p99 send delay < 1ms"),
        ("p", "p99 response < 20ms"),
        ("median", "p50 response < 20ms"),
        ("avg", "mean response < 20ms"),
        ("average", "mean response < 20ms"),
        ("min", "p0.1 response < 20ms"),
        ("rate", "deviation < 1%"),
        ("error", "errors < 0.1%"),
        ("failures", "errors < 0.1%"),
    ],
};

impl Reader {
    /// Words a broken statement; what blocks it has are read all the same.
    pub(super) fn broken_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        let span = self.trimmed(&pair);
        let text = &pair.as_str()[..span.len()];
        let behind = &pair.as_span().get_input()[pair.as_span().start() + span.len()..];
        let all = tokens(text);
        // Its own line is what matters: a block further on speaks for itself.
        let head = all.iter().position(|token| token.text == "{").map_or(all.len(), |at| at + 1);
        let input = pair.as_span().get_input();
        let first = all.first().map_or("", |first| first.text);
        let quiet = self.is_full()
            || self.is_blamed_before(span, behind)
            || self.goes_on(&all, span, input)
            || self.has_shapes && all.get(1).is_some_and(|second| second.text == "(")
            || self.shaky && belongs_elsewhere(&all, STATEMENTS);
        if !quiet {
            let broken = Broken { text, all: &all, head, base: span.start as usize };
            let (mut problem, ended) = broken.statement(behind);
            let ended = ended || is_rest(&all);
            // Further rules that lack the same block follow from this one.
            self.shaky |= is_rule(&all);
            if lacks_brace(&all) {
                problem.code = Code::Bracket;
                self.shaky = true;
                self.unopened.push(span.start);
            }
            if ended {
                self.unfinished = Some((span.end as usize, self.problems.len()));
            }
            self.push(problem);
        }
        self.has_shapes |= matches!(first, "shape" | "use");
        let name = defined_name(&all, span.start as usize);
        // A `guard` behind something else is read as a block of shapes.
        let words = all.get(1..head).unwrap_or_default();
        self.shaky |= words.iter().any(|word| matches!(word.text, "job" | "guard" | "expect"));
        let brace = all.get(..head).and_then(<[_]>::last).filter(|token| token.text == "{");
        let head_end = brace.map_or(text.len(), |brace| brace.start);
        let head = Span::new(span.start as usize, span.start as usize + head_end);
        match meant_statement(first) {
            Some("load") if brace.is_some() => {
                let name =
                    name.unwrap_or_else(|| Name::new(format!("line at {}", span.start), head));
                StatementKind::Load(Load { name, body: self.blocks(pair) })
            }
            // Only these words themselves open a block of rules or of fields.
            Some(meant @ ("job" | "guard" | "expect")) if meant != first => {
                StatementKind::Broken(name)
            }
            Some("job") => {
                let fields = self.block_of(pair, Rule::job_block, Self::job_fields);
                match (name, fields) {
                    (Some(name), Some(fields)) => {
                        StatementKind::Job(Job { name, weight: None, fields })
                    }
                    (name, _) => StatementKind::Broken(name),
                }
            }
            Some("guard") => match self.block_of(pair, Rule::guard_block, Self::guard_rules) {
                Some(rules) => StatementKind::Guard(rules),
                None => StatementKind::Broken(None),
            },
            Some("expect") => match self.block_of(pair, Rule::expect_block, Self::expectations) {
                Some(rules) => StatementKind::Expect(rules),
                None => StatementKind::Broken(None),
            },
            Some("repeat" | "together" | "scale" | "cap" | "floor" | "speed")
                if brace.is_some() =>
            {
                let kind = PhraseKind::Group(self.blocks(pair));
                StatementKind::Phrase(Box::new(Phrase { kind, total: None, label: None, head }))
            }
            _ => StatementKind::Broken(name),
        }
    }

    /// The statements in the blocks of a broken one: they are checked, and their names are known.
    fn blocks(&mut self, pair: Pair<'_>) -> Vec<Statement> {
        let blocks = pair.into_inner().filter(|inner| inner.as_rule() == Rule::block);
        blocks.collect::<Vec<_>>().into_iter().flat_map(|block| self.statements(block)).collect()
    }

    /// The block of a kind in a broken statement.
    fn block_of<T>(
        &mut self,
        pair: Pair<'_>,
        rule: Rule,
        read: impl Fn(&mut Self, Pair<'_>) -> T,
    ) -> Option<T> {
        let block = pair.into_inner().find(|inner| inner.as_rule() == rule)?;
        Some(read(self, block))
    }

    /// Whether this is the rest of a statement that ended too early, one line above: then that one
    /// is all there is to mend.
    fn goes_on(&mut self, all: &[Token<'_>], span: Span, input: &str) -> bool {
        let Some((end, problem)) = self.unfinished.take() else { return false };
        // What is read within a string has places of its own.
        let between = input.get(end.wrapping_sub(self.offset)..span.start as usize - self.offset);
        let blank = |line: &str| line.split('#').next().is_none_or(|code| code.trim().is_empty());
        if !is_rest(all) || !between.is_some_and(|between| between.lines().all(blank)) {
            return false;
        }
        if let Some(problem) = self.problems.get_mut(problem) {
            problem.help = Some(
                "write it on one line; a line goes on only behind `,`, `->` or an operator".into(),
            );
        }
        true
    }

    /// Words a broken line of a job, a guard or an expectation.
    pub(super) fn broken_rule(&mut self, pair: &Pair<'_>, start: Rule) {
        let span = self.trimmed(pair);
        let text = &pair.as_str()[..span.len()];
        let all = tokens(text);
        let behind = &pair.as_span().get_input()[pair.as_span().start() + span.len()..];
        let words = match start {
            Rule::lone_job_field => &JOB,
            Rule::lone_guard_rule => &GUARD,
            _ => &EXPECT,
        };
        let misled = self.shaky && belongs_elsewhere(&all, words.known);
        if self.is_full() || misled || self.is_blamed_before(span, behind) {
            return;
        }
        if text == "body" {
            self.shaky = true;
            self.unopened.push(span.start);
        }
        let broken = Broken { text, all: &all, head: all.len(), base: span.start as usize };
        self.push(broken.rule(start, words));
    }
}

/// A statement that could not be read.
struct Broken<'t> {
    text: &'t str,
    /// Its words.
    all: &'t [Token<'t>],
    /// How many of them come before or with its first brace.
    head: usize,
    /// Where it begins in the file.
    base: usize,
}

impl Broken<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        Span::new(self.base + from, self.base + to)
    }

    fn span_of(&self, token: &Token<'_>) -> Span {
        self.span(token.start, token.end())
    }

    /// What is wrong with a statement, and whether it ended too early.
    fn statement(&self, behind: &str) -> (Problem, bool) {
        let Some(first) = self.all.first() else {
            let span = self.span(0, self.text.len());
            let problem = Problem::error(Code::Expected, span, "this cannot be read");
            return (problem.label("no word of the language"), false);
        };
        if STATEMENTS.contains(&first.text) {
            return self.expected(Rule::lone_statement, behind);
        }
        (self.no_statement(first), false)
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
        if NOT_YET.contains(&word) {
            return not_yet(word, span);
        }
        let next = self.all.get(1).map_or("", |next| next.text);
        let named = self.all.get(2).map_or("", |third| third.text);
        if next == "=" || matches!(word, "var" | "const" | "set" | "def") && named == "=" {
            let rest = self.text.split_once('=').map_or("", |(_, rest)| rest);
            let rest = rest.lines().next().unwrap_or("").trim().trim_end_matches(';');
            let name = if next == "=" { word } else { next };
            return unknown(format!("a name is given its value by `let`, not by `{word}`"))
                .help(format!("write `let {name} = {rest}`"));
        }
        if is_rule(self.all) {
            let block = if GUARD.known.contains(&word) { "guard" } else { "expect" };
            return unknown(format!("`{word}` stands in the braces of `{block}`"))
                .help(format!("write it as `{}`", words::form(block).unwrap_or(block)));
        }
        if words::is_argument(word) && (word != "hold" || next.ends_with(['s', 'm', 'h'])) {
            return unknown(format!("`{word}` does not begin a statement"))
                .label("seems to belong to the line above")
                .help(
                    "write both on one line; a line goes on only behind `,`, `->` or an operator",
                );
        }
        let problem = unknown(format!("there is no statement `{word}`"));
        let lower = word.to_lowercase();
        let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == lower);
        problem.help(match (elsewhere, did_you_mean(&lower, STATEMENTS.iter().copied())) {
            (_, Some(meant)) if meant == lower => {
                format!("words of the language are written in lower case: `{meant}`")
            }
            (Some((_, example)), _) => format!("write it as `{example}`"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("statements begin with {}", quoted_list(STATEMENTS)),
        })
    }

    /// What is wrong with a rule of a block.
    fn rule(&self, start: Rule, words: &RuleWords) -> Problem {
        let (word, span) = match self.all.first() {
            Some(first) => (first.text, self.span_of(first)),
            None => ("", self.span(0, self.text.len())),
        };
        if words.known.contains(&word) || is_percentile(word) && words.known.contains(&"p99") {
            return self.expected(start, "").0;
        }
        if words.later.contains(&word) {
            return not_yet(word, span);
        }
        if word.starts_with('"') && words.known.contains(&"p99") {
            return Problem::error(
                Code::NotYet,
                span,
                "this version of loadc judges no phrase by itself yet",
            )
            .help("leave the name out: an expectation is judged over the whole run");
        }
        let elsewhere = words.elsewhere.iter().find(|(other, _)| *other == word);
        let help = match (elsewhere, did_you_mean(word, words.known.iter().copied())) {
            (Some((_, example)), _) => format!("write it as `{example}`"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("{} knows {}", words.block, quoted_list(words.known)),
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
        let statement = self.all.first().map_or("", |first| first.text);
        let expected = words::expected(&rules, before, statement);
        let complete = self.all.get(index).is_some_and(|token| {
            Grammar::parse(start, self.text[..token.start].trim_end()).is_ok()
        });
        let look = Look {
            text: self.text,
            tokens: self.all,
            index,
            rules: &rules,
            expected: &expected,
            complete,
        };
        self.worded(&look, behind)
    }

    fn worded(&self, look: &Look<'_>, behind: &str) -> (Problem, bool) {
        let statement = self.all.first().map_or("", |token| token.text);
        let token = self.all.get(look.index).filter(|_| look.index < self.head.max(1));
        let place = match (token, self.all.get(look.index.saturating_sub(1))) {
            (Some(token), _) => self.span_of(token),
            (None, Some(last)) => {
                let width = last.text.chars().next_back().map_or(0, char::len_utf8);
                self.span(last.end() - width, last.end())
            }
            (None, None) => self.span(0, self.text.len()),
        };
        if let Some(token) = token.filter(|token| matches!(token.text, "slow" | "shed"))
            && look.rules.contains(&Rule::kw_stop)
        {
            return (not_yet(token.text, place), false);
        }
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
        let help = match (meant, words::form(statement)) {
            _ if block && behind.trim_start().starts_with('{') => {
                Some("put the `{` on the same line".to_owned())
            }
            (Some(meant), _) => Some(format!("did you mean `{meant}`?")),
            (None, Some(form)) => Some(format!("its form is `{form}`")),
            (None, None) => None,
        };
        problem.help = help;
        (problem, token.is_none())
    }
}

/// Where reading a text stopped, and what was looked for there; `None` if it can be read.
fn stopped(start: Rule, text: &str) -> Option<(usize, Vec<Rule>)> {
    let error = Grammar::parse(start, text).err()?;
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
    match error.variant {
        ErrorVariant::ParsingError { positives, .. } => Some((at, positives)),
        ErrorVariant::CustomError { .. } => Some((at, Vec::new())),
    }
}

fn quoted_list(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    quoted.join(", ")
}

fn not_yet(word: &str, span: Span) -> Problem {
    Problem::error(Code::NotYet, span, format!("this version of loadc has no `{word}` yet"))
        .help("the language page of the documentation lists what this version reads")
}

/// The statement that a first word stands for, if what it leads is of this language.
fn meant_statement(word: &str) -> Option<&str> {
    match word {
        "{" | "at" | "jitter" | "warmup" | "loop" | "parallel" => Some("together"),
        _ if STATEMENTS.contains(&word) => Some(word),
        _ if NOT_YET.contains(&word) => None,
        _ => did_you_mean(&word.to_lowercase(), STATEMENTS.iter().copied()),
    }
}

/// Whether a line is the rest of the one above.
fn is_rest(all: &[Token<'_>]) -> bool {
    let whole = all.iter().skip(1).any(|token| matches!(token.text, "for" | "over" | "->"));
    let first = all.first();
    first.is_some_and(|first| first.is_number() && !whole || words::is_argument(first.text))
}

/// Whether a line is a rule of a guard or an expectation.
fn is_rule(all: &[Token<'_>]) -> bool {
    let words = all.iter().take(4).map(|token| token.text).collect::<Vec<_>>();
    let [first, rest @ ..] = words.as_slice() else { return false };
    let known = GUARD.known.contains(first) || EXPECT.known.contains(first) || is_percentile(first);
    known && rest.iter().any(|word| matches!(*word, "<=" | "<" | ">" | ">="))
}

/// Whether a statement that comes with a block has none.
fn lacks_brace(all: &[Token<'_>]) -> bool {
    let words =
        ["load", "job", "guard", "expect", "repeat", "together", "scale", "cap", "floor", "speed"];
    let blocks = all.first().is_some_and(|first| words.contains(&first.text));
    blocks && all.iter().all(|token| token.text != "{")
}

/// Whether a line would be right in another block: it has got into this one by a brace that is
/// missing elsewhere.
fn belongs_elsewhere(all: &[Token<'_>], known: &[&str]) -> bool {
    let (first, second) = (all.first(), all.get(1));
    let word = first.map_or("", |first| first.text);
    let field = second.is_some_and(|second| second.text == ":");
    let rule =
        words::begins_statement(word) || is_percentile(word) || matches!(word, "mean" | "max");
    !known.contains(&word) && (rule || field || matches!(word, "]" | ")" | ","))
}

fn is_percentile(word: &str) -> bool {
    word.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The name a broken `let`, `job` or `load` would have defined.
fn defined_name(all: &[Token<'_>], base: usize) -> Option<Name> {
    let [first, second, ..] = all else { return None };
    let name = match first.text {
        "let" | "job" | "load" | "var" | "const" | "set" | "def" => second,
        _ if second.text == "=" => first,
        // A `:` of another language may stand between.
        _ => return None,
    };
    let name = if name.text == ":" { all.get(2)? } else { name };
    let word = name.text.trim_matches('"');
    word.starts_with(|c: char| c.is_alphabetic() || c == '_').then(|| {
        let span = Span::new(base + name.start, base + name.end());
        Name::new(word.to_owned(), span)
    })
}
