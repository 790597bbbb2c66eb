//! The words of the language, in one table: what each leads, and how that is written.
//!
//! The grammar is the second place where they stand; a test compares the two.

/// It begins a statement.
pub(crate) const STATEMENT: u8 = 1;
/// The statement that it begins comes with a block.
pub(crate) const BLOCK: u8 = 2;
/// It begins a line of a job.
pub(crate) const JOB: u8 = 4;
/// It begins a rule of a guard.
pub(crate) const GUARD: u8 = 8;
/// It begins an expectation.
pub(crate) const EXPECT: u8 = 16;
/// It leads an argument within a statement, or ends the value before it.
pub(crate) const ARGUMENT: u8 = 32;
/// It can be no name of a `let`, a shape or a parameter: it would be read as something else.
pub(crate) const RESERVED: u8 = 64;

/// A word of the language.
struct Word {
    word: &'static str,
    leads: u8,
    /// How what it begins is written; empty where it begins nothing.
    form: &'static str,
}

const fn word(word: &'static str, leads: u8, form: &'static str) -> Word {
    Word { word, leads, form }
}

/// All of them, in the order in which messages list them.
#[rustfmt::skip]
const WORDS: &[Word] = &[
    word("constant", STATEMENT | RESERVED, "constant 100 for 5m"),
    word("pause", STATEMENT | RESERVED, "pause 30s"),
    word("ramp", STATEMENT | RESERVED, "ramp 10->500 over 60s"),
    word("sine", STATEMENT | RESERVED, "sine base 100 amp 30 period 1h for 8h"),
    word("burst", STATEMENT | RESERVED, "burst 500 for 5s every 15s over 2m"),
    word("steps", STATEMENT | RESERVED, "steps 10, 50, 100 each 30s"),
    word("stairs", STATEMENT | RESERVED, "stairs 10->200 by 10 every 30s"),
    word("points", STATEMENT | RESERVED, "points 0s 10, 30s 100, 1m 50"),
    word("send", STATEMENT | RESERVED, "send 50k at once` or `send order 40, ping 60"),
    word("repeat", STATEMENT | BLOCK | RESERVED, "repeat 3 { … }"),
    word("together", STATEMENT | BLOCK | RESERVED, "together { … }"),
    word("scale", STATEMENT | BLOCK | RESERVED, "scale x1.5 { … }"),
    word("cap", STATEMENT | BLOCK | RESERVED, "cap 800 { … }"),
    word("floor", STATEMENT | BLOCK | RESERVED, "floor 5 { … }"),
    word("speed", STATEMENT | BLOCK | RESERVED, "speed x60 { … }"),
    word("load", STATEMENT | BLOCK | RESERVED, "load orders { … }"),
    word("job", STATEMENT | BLOCK | RESERVED, "job order weight 2 { queue \"orders\"; body { id: uuid() } }"),
    word("let", STATEMENT | RESERVED, "let peak = 500/s"),
    word("guard", STATEMENT | BLOCK | RESERVED, "guard { rate <= 1000/s; jobs <= 1M }"),
    word("expect", STATEMENT | BLOCK | RESERVED, "expect { errors < 0.1%; p99 response < 20ms }"),
    word("target", STATEMENT | RESERVED, "target \"redis://127.0.0.1:6379\""),
    word("seed", STATEMENT | RESERVED, "seed 42"),
    word("after", STATEMENT | RESERVED, "after 10s"),
    word("walk", STATEMENT | RESERVED, "walk from 60 by 5 every 1s within 20..120 for 10m"),
    word("chaos", STATEMENT | RESERVED, "chaos 10..1500 every 30s..3m for 30m"),
    word("replay", STATEMENT | RESERVED, "replay \"monday.csv\" scale x2"),
    word("arrivals", STATEMENT | RESERVED, "arrivals poisson"),
    word("starts", STATEMENT | RESERVED, "starts 2026-03-29 00:00 in \"Europe/Berlin\""),
    word("hours", STATEMENT | BLOCK | RESERVED, "hours { 07:00-09:00 x1.5; 22:00-06:00 x0.3 }"),
    word("jitter", STATEMENT | BLOCK | RESERVED, "jitter 5% { … }"),
    word("shape", STATEMENT | BLOCK | RESERVED, "shape lunch(peak = 500/s) { ramp 10->peak over 5m }"),
    word("use", STATEMENT | RESERVED, "use \"shared/day.load\""),
    word("batch", STATEMENT, "batch 10"),
    word("late", STATEMENT | RESERVED, "late skip after 1s"),
    word("flow", STATEMENT | BLOCK, "flow order { created -> paid after 5m..30m, or cancelled 5% }"),
    word("warmup", STATEMENT | BLOCK | RESERVED, "warmup { … }"),
    word("at", STATEMENT | BLOCK | EXPECT | RESERVED, "at 02:00 { … }"),
    word("drain", STATEMENT | RESERVED, "drain within 5m"),
    word("queue", JOB | EXPECT, "queue \"orders\" as stream"),
    word("body", JOB, "body { id: uuid(), n: seq() }"),
    word("size", JOB, "size 1KB..4KB"),
    word("rows", JOB, "rows \"users.csv\" as user"),
    word("args", JOB, "args [int(1..9), \"x\"]"),
    word("kwargs", JOB, "kwargs { lang: \"en\" }"),
    word("priority", JOB, "priority 5"),
    word("delay", JOB, "delay 0s..30s"),
    word("timeout", JOB, "timeout 30s"),
    word("retry", JOB, "retry 3"),
    word("command", JOB, "command \"XADD\" key \"*\" \"data\" body"),
    word("rate", GUARD, "rate <= 1000/s over 5s then stop"),
    word("jobs", GUARD | EXPECT, "jobs <= 1M"),
    word("time", GUARD, "time <= 1h then stop"),
    word("depth", GUARD | EXPECT, "depth \"orders\" <= 10k then pause until 8k"),
    word("errors", GUARD | EXPECT, "errors <= 1% over 10s"),
    word("age", GUARD, "age <= 30s then pause until 10s"),
    word("failed", GUARD, "failed <= 1% then stop"),
    word("memory", GUARD, "memory <= 100MB"),
    word("cpu", GUARD, "cpu <= 80%"),
    word("server", GUARD, "server memory <= 80%"),
    word("file", GUARD, "file \"/tmp/stop\""),
    word("warn", GUARD, "warn at 80%` or `warn depth at 2k"),
    word("cooldown", GUARD, "cooldown 30s"),
    word("notify", GUARD, "notify webhook \"https://…\" timeout 5s retries 3"),
    word("deviation", EXPECT, ""),
    word("mean", EXPECT, "p99 response < 20ms"),
    word("max", EXPECT | RESERVED, "p99 response < 20ms"),
    word("p50", EXPECT, "p99 response < 20ms"),
    word("p90", EXPECT, "p99 response < 20ms"),
    word("p95", 0, "p99 response < 20ms"),
    word("p99", EXPECT, "p99 response < 20ms"),
    word("drains", EXPECT, "drains within 60s"),
    word("recovers", EXPECT, "recovers within 30s after \"spike\""),
    word("for", ARGUMENT | RESERVED, ""),
    word("over", ARGUMENT | RESERVED, ""),
    word("every", ARGUMENT | RESERVED, ""),
    word("each", ARGUMENT | RESERVED, ""),
    word("by", ARGUMENT | RESERVED, ""),
    word("base", ARGUMENT | RESERVED, ""),
    word("amp", ARGUMENT | RESERVED, ""),
    word("period", ARGUMENT | RESERVED, ""),
    word("phase", ARGUMENT | RESERVED, ""),
    word("times", ARGUMENT | RESERVED, ""),
    word("hold", ARGUMENT | RESERVED, "hold depth 5k for 10m"),
    word("back", ARGUMENT | RESERVED, ""),
    word("loop", ARGUMENT | RESERVED, ""),
    word("total", ARGUMENT | RESERVED, ""),
    word("as", ARGUMENT | RESERVED, ""),
    word("then", ARGUMENT | RESERVED, ""),
    word("until", ARGUMENT | RESERVED, ""),
    word("forever", ARGUMENT | RESERVED, ""),
    word("linear", ARGUMENT | RESERVED, ""),
    word("exponential", ARGUMENT | RESERVED, ""),
    word("logarithmic", ARGUMENT | RESERVED, ""),
    word("smooth", ARGUMENT | RESERVED, ""),
    word("weight", ARGUMENT | RESERVED, ""),
    word("from", ARGUMENT | RESERVED, ""),
    word("within", ARGUMENT | RESERVED, ""),
    word("env", RESERVED, ""),
    word("false", RESERVED, ""),
    word("held", RESERVED, ""),
    word("list", RESERVED, ""),
    word("min", RESERVED, ""),
    word("null", RESERVED, ""),
    word("once", RESERVED, ""),
    word("random", RESERVED, ""),
    word("true", RESERVED, ""),
];

/// Whether a word leads one of some kinds of things.
pub(crate) fn leads(text: &str, kinds: u8) -> bool {
    WORDS.iter().any(|word| word.word == text && word.leads & kinds != 0)
}

/// The words that lead one of some kinds of things, in order.
pub(crate) fn leading(kinds: u8) -> impl Iterator<Item = &'static str> + Clone {
    WORDS.iter().filter(move |word| word.leads & kinds != 0).map(|word| word.word)
}

/// How what a word begins is written.
pub(crate) fn form(text: &str) -> Option<&'static str> {
    let word = WORDS.iter().find(|word| word.word == text)?;
    (!word.form.is_empty()).then_some(word.form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const GRAMMAR: &str = include_str!("../../grammar/load.pest");

    /// What a rule of the grammar says, up to the next one.
    fn rule(name: &str) -> &'static str {
        let start = GRAMMAR.find(&format!("\n{name} ")).unwrap_or_else(|| panic!("no {name}")) + 1;
        let rest = &GRAMMAR[start..];
        let end = rest.find("}\n").unwrap_or(rest.len());
        &rest[..end]
    }

    /// The words between quotes, or those of the keywords that are named.
    fn words_of(text: &'static str) -> BTreeSet<&'static str> {
        let keywords = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let keywords = keywords.filter_map(|name| name.strip_prefix("kw_"));
        let quoted = text.split('"').skip(1).step_by(2);
        keywords.chain(quoted).collect()
    }

    fn table(kinds: u8) -> BTreeSet<&'static str> {
        leading(kinds).collect()
    }

    #[test]
    fn the_grammar_has_the_same_words() {
        assert_eq!(words_of(rule("begins")), table(STATEMENT));
        assert_eq!(words_of(rule("reserved")), table(ARGUMENT));
        let lines = |name: &str| -> BTreeSet<&'static str> {
            let kinds = rule(name).split(['{', '|', '~', '(', ')']).map(str::trim);
            let kinds =
                kinds.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            let first =
                |name: &str| words_of(rule(name).split('~').next().unwrap()).into_iter().next();
            kinds.filter(|name| !name.is_empty() && *name != "rule").filter_map(first).collect()
        };
        assert_eq!(lines("job_field_kind"), table(JOB));
        let guards: BTreeSet<_> = lines("guard_kind").into_iter().collect();
        assert!(guards.is_subset(&table(GUARD)), "{guards:?}");
    }

    #[test]
    fn each_word_stands_once_and_what_begins_something_has_a_form() {
        let mut seen = BTreeSet::new();
        for word in WORDS {
            assert!(seen.insert(word.word), "{} stands twice", word.word);
            let begins = word.leads & (STATEMENT | JOB | GUARD) != 0;
            // Those that begin a word of Rust's or of another tool's own sort have none to show.
            assert!(!begins || !word.form.is_empty(), "{} has no form", word.word);
        }
        let blocks = table(BLOCK);
        assert!(blocks.is_subset(&table(STATEMENT)), "{blocks:?}");
    }
}
