//! What lines that could not be read are likely to be: words of other tools, words to come, and
//! lines that have got into the wrong block.

use super::table::{self, BLOCK, STATEMENT};
use super::tokens::{Token, is_duration};
use super::words;
use crate::problem::did_you_mean;

/// Words that begin a statement in other tools, and what they are here.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
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
    ("warm", "warmup { constant 10 for 1m }"),
    ("var", "let peak = 500/s"),
    ("set", "let peak = 500/s"),
    ("def", "let peak = 500/s"),
    ("stream", "load orders { … }"),
    ("scenario", "load orders { … }"),
    ("scenarios", "load orders { … }"),
    ("queue", "job order { queue \"orders\" }"),
    ("body", "job order { body { … } }"),
    ("rows", "job order { rows \"users.csv\" as user; … }"),
    ("payload", "job order { body { … } }"),
    ("thresholds", "expect { p99 response < 20ms }"),
    ("limit", "guard { rate <= 1000/s }"),
    ("import", "use \"shared/day.load\""),
    ("include", "use \"shared/day.load\""),
    ("source", "use \"shared/day.load\""),
];

/// What a block of rules knows.
pub(super) struct RuleWords {
    /// The block in words.
    pub(super) block: &'static str,
    /// The kind of the words that begin its rules.
    pub(super) kind: u8,
    /// Those of other tools, and what they are here.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
}

impl RuleWords {
    /// Whether a word begins one of its rules.
    pub(super) fn knows(&self, word: &str) -> bool {
        table::leads(word, self.kind)
    }
}

pub(super) const JOB: RuleWords = RuleWords {
    block: "a job",
    kind: table::JOB,
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
        ("batch", "load orders { batch 10; … }"),
    ],
};

pub(super) const FLOW: RuleWords = RuleWords { block: "a flow", kind: 0, elsewhere: &[] };

pub(super) const GUARD: RuleWords = RuleWords {
    block: "a guard",
    kind: table::GUARD,
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
        ("webhook", "notify webhook \"https://…\""),
        ("alert", "notify webhook \"https://…\""),
        ("command", "notify command \"…\""),
    ],
};

pub(super) const EXPECT: RuleWords = RuleWords {
    block: "an expectation",
    kind: table::EXPECT,
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

/// The statement that a first word stands for, if what it leads is of this language.
pub(super) fn meant_statement(word: &str) -> Option<&str> {
    match word {
        "{" | "loop" | "parallel" => Some("together"),
        _ if table::leads(word, STATEMENT) => Some(word),
        _ => did_you_mean(&word.to_lowercase(), table::leading(STATEMENT)),
    }
}

/// Whether a line is a statement that begins with `hold depth`; `hold` alone belongs to a ramp.
pub(super) fn holds_depth(all: &[Token<'_>]) -> bool {
    matches!(all, [first, second, ..] if first.text == "hold" && second.text == "depth")
}

/// Whether a line is the rest of the one above.
pub(super) fn is_rest(all: &[Token<'_>]) -> bool {
    let whole = all.iter().skip(1).any(|token| matches!(token.text, "for" | "over" | "->"));
    let first = all.first();
    let begins = holds_depth(all);
    first.is_some_and(|first| {
        first.is_number() && !whole || words::is_argument(first.text) && !begins
    })
}

/// Whether a line is a rule of a guard or an expectation.
pub(super) fn is_rule(all: &[Token<'_>]) -> bool {
    let words = all.iter().take(8).map(|token| token.text).collect::<Vec<_>>();
    let [first, rest @ ..] = words.as_slice() else { return false };
    let known = GUARD.knows(first) || EXPECT.knows(first) || is_percentile(first);
    // An expectation may begin with the name of a phrase.
    let known = known || first.starts_with('"');
    known && rest.iter().any(|word| matches!(*word, "<=" | "<" | ">" | ">="))
}

/// Whether a statement that comes with a block has none.
pub(super) fn lacks_brace(all: &[Token<'_>]) -> bool {
    let blocks = all.first().is_some_and(|first| {
        let holds = || all.iter().skip(1).any(|token| words::begins_statement(token.text));
        table::leads(first.text, BLOCK) || first.text == "arrivals" && holds()
    });
    blocks && all.iter().all(|token| token.text != "{")
}

/// Whether the first brace of a statement that comes with a block, up to which `head` words stand, is
/// that of another statement within it: its own has got lost.
pub(super) fn swallows_block(all: &[Token<'_>], head: usize) -> bool {
    let Some(first) = all.first().filter(|first| table::leads(first.text, BLOCK)) else {
        return false;
    };
    // A name may be any word.
    let named = matches!(first.text, "load" | "job" | "flow" | "shape");
    let inner = all.get(1 + usize::from(named)..head).unwrap_or_default();
    inner.iter().any(|token| table::leads(token.text, BLOCK) || token.text == "arrivals")
}

/// Whether the object of a job's field lacks its brace: a key stands there.
pub(super) fn lacks_object_brace(all: &[Token<'_>]) -> bool {
    let word = all.first().map_or("", |first| first.text);
    let keyed = all.get(2).is_some_and(|third| third.text == ":");
    matches!(word, "body" | "args" | "kwargs") && keyed && all[1].text != "{"
}

/// Whether a line would be right in another block: it has got into this one by a brace that is
/// missing elsewhere.
pub(super) fn belongs_elsewhere(all: &[Token<'_>], kind: u8) -> bool {
    let (first, second) = (all.first(), all.get(1));
    let word = first.map_or("", |first| first.text);
    let field = second.is_some_and(|second| {
        matches!(second.text, ":" | "->") || kind == table::JOB && second.text == "("
    });
    let rule =
        words::begins_statement(word) || is_percentile(word) || matches!(word, "mean" | "max");
    // `at 5m` begins an expectation, `at 02:00` a block.
    let timed = word == "at" && second.is_some_and(|second| is_duration(second.text));
    (is_rule(all) || timed) && kind == STATEMENT
        || !table::leads(word, kind) && (rule || field || matches!(word, "]" | ")" | ","))
}

pub(super) fn is_percentile(word: &str) -> bool {
    word.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
