//! Statements that could not be read: what is wrong with one is said once, and what its blocks hold
//! is read all the same.

use super::blame::Broken;
use super::lexicon::FLOW;
use super::lexicon::{
    EXPECT, GUARD, JOB, belongs_elsewhere, is_rest, is_rule, lacks_brace, lacks_object_brace,
    meant_statement, swallows_block,
};
use super::table::STATEMENT;
use super::tokens::{Token, tokens};
use super::{Pair, Reader, Rule};
use crate::ast::{Hours, Job, Load, Name, Phrase, PhraseKind, Statement, StatementKind};
use crate::problem::Code;
use crate::source::Span;

impl Reader {
    /// Words a broken statement; what blocks it has are read all the same.
    pub(super) fn broken_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        let span = self.trimmed(&pair);
        let text = &pair.as_str()[..span.len()];
        let behind = &pair.input()[pair.start() + span.len()..];
        let all = tokens(text);
        // Its own line is what matters: a block further on speaks for itself.
        let head = all.iter().position(|token| token.text == "{").map_or(all.len(), |at| at + 1);
        let input = pair.input();
        let first = all.first().map_or("", |first| first.text);
        let quiet = self.is_full()
            || self.is_blamed_before(span, behind)
            || self.goes_on(&all, span, input)
            || self.shaky && (belongs_elsewhere(&all, STATEMENT) || is_suffix(first));
        if !quiet {
            let base = span.start as usize;
            let broken = Broken { text, all: &all, head, base, within: None };
            let (mut problem, ended) = broken.statement(behind);
            let place = problem.place.0;
            let seizing = broken.if_a_name().into_iter().map(|word| (place, word.to_owned()));
            self.seizing.extend(seizing);
            // Further rules that lack the same block follow from this one.
            self.shaky |= is_rule(&all);
            if lacks_brace(&all) || swallows_block(&all, head) {
                problem.code = Code::Bracket;
                self.shaky = true;
                self.unopened.push(span.start);
            }
            if ended {
                self.unfinished = Some((span.end as usize, self.problems.len()));
            }
            self.push(problem);
        }
        let name = defined_name(&all, span.start as usize);
        let words = all.get(1..head).unwrap_or_default();
        // A `guard` behind something else is read as a block of shapes.
        self.shaky |= words.iter().any(|word| matches!(word.text, "job" | "guard" | "expect"));
        let brace = all.get(..head).and_then(<[_]>::last).filter(|token| token.text == "{");
        let head =
            brace.map(|brace| Span::new(span.start as usize, span.start as usize + brace.start));
        self.what_it_holds(pair, first, name, head)
    }

    /// A broken statement as the one that it nearly is: what its blocks hold is checked, and its
    /// names are known. The head is what stands before its brace, if it has one.
    fn what_it_holds(
        &mut self,
        pair: Pair<'_>,
        first: &str,
        name: Option<Name>,
        head: Option<Span>,
    ) -> StatementKind {
        let broken = |name| StatementKind::Broken(name);
        match (meant_statement(first), head) {
            (Some("load"), Some(head)) => {
                let unnamed = || Name::new(format!("line at {}", head.start), head);
                let name = name.unwrap_or_else(unnamed);
                StatementKind::Load(Load { name, body: self.blocks(pair) })
            }
            // Only these words themselves open a block of rules or of fields.
            (Some(meant @ ("job" | "flow" | "guard" | "expect" | "hours")), _)
                if meant != first =>
            {
                broken(name)
            }
            (Some("job"), _) => {
                match (self.block_of(pair, Rule::job_block, Self::job_fields), name) {
                    (Some(fields), Some(name)) => {
                        StatementKind::Job(Job { name, weight: None, fields })
                    }
                    (_, name) => broken(name),
                }
            }
            (Some("flow"), _) => {
                let _ = self.block_of(pair, Rule::flow_block, Self::flow_steps);
                broken(name)
            }
            (Some("guard"), _) => {
                let rules = self.block_of(pair, Rule::guard_block, Self::guard_rules);
                rules.map_or_else(|| broken(None), StatementKind::Guard)
            }
            (Some("expect"), _) => {
                let rules = self.block_of(pair, Rule::expect_block, Self::expectations);
                rules.map_or_else(|| broken(None), StatementKind::Expect)
            }
            (Some("hours"), _) => {
                let rules = self.block_of(pair, Rule::hours_block, Self::hour_rules);
                let hours = |rules| StatementKind::Hours(Hours { on: None, rules });
                rules.map_or_else(|| broken(None), hours)
            }
            (
                Some(
                    "repeat" | "together" | "scale" | "cap" | "floor" | "speed" | "jitter"
                    | "warmup" | "at",
                ),
                Some(head),
            ) => {
                let kind = PhraseKind::Group(self.blocks(pair));
                StatementKind::Phrase(Box::new(Phrase {
                    kind,
                    total: None,
                    label: None,
                    until: None,
                    head,
                }))
            }
            _ => broken(name),
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
        // It may go on over several lines.
        self.unfinished = Some((span.end as usize, problem));
        true
    }

    /// Words a broken line of a job, a guard or an expectation.
    pub(super) fn broken_rule(&mut self, pair: &Pair<'_>, start: Rule) {
        let span = self.trimmed(pair);
        let text = &pair.as_str()[..span.len()];
        let all = tokens(text);
        let behind = &pair.input()[pair.start() + span.len()..];
        let words = match start {
            Rule::lone_job_field => &JOB,
            Rule::lone_guard_rule => &GUARD,
            Rule::lone_flow_step => &FLOW,
            _ => &EXPECT,
        };
        let misled = self.shaky && belongs_elsewhere(&all, words.kind);
        if self.is_full() || misled || self.is_blamed_before(span, behind) {
            return;
        }
        let first = all.first().map_or("", |first| first.text);
        let opens = text == "body" || lacks_object_brace(&all);
        self.shaky |= opens;
        // A brace that closes nothing behind it is that of one that was lost in here.
        if opens || matches!(first, "body" | "args" | "kwargs") {
            self.unopened.push(span.start);
        }
        let base = span.start as usize;
        let within = (start == Rule::lone_flow_step).then_some("flow");
        let broken = Broken { text, all: &all, head: all.len(), base, within };
        let mut problem = broken.rule(start, words);
        if opens && text != "body" {
            problem.code = Code::Bracket;
        }
        self.push(problem);
    }
}

impl Reader {
    /// Words a field of a body whose value cannot be read; the other fields are read all the same.
    pub(super) fn broken_entry(&mut self, pair: &Pair<'_>) {
        let span = self.trimmed(pair);
        let text = &pair.as_str()[..span.len()];
        let behind = &pair.input()[pair.start() + span.len()..];
        if self.is_full() || self.is_blamed_before(span, behind) {
            return;
        }
        let all = tokens(text);
        let base = span.start as usize;
        let broken = Broken { text, all: &all, head: all.len(), base, within: Some("body") };
        let mut problem = broken.entry();
        // A further key: the object that is the value lacks its brace.
        if has_further_key(&all) {
            problem.code = Code::Bracket;
            self.shaky = true;
            self.unopened.push(span.start);
        } else if text.ends_with(':') && behind.trim_start().starts_with('}') {
            // `a: }` was `a: {}`, or has lost its value.
            self.unopened.push(span.start);
        }
        self.push(problem);
    }
}

/// Whether a field holds a second `:` outside of all brackets.
fn has_further_key(all: &[Token<'_>]) -> bool {
    let mut depth = 0_i32;
    all.iter().skip(2).any(|token| {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        depth == 0 && token.text == ":"
    })
}

/// Whether a word follows a block, and so may have lost the one before it.
pub(super) fn is_suffix(word: &str) -> bool {
    matches!(word, "total" | "as" | "until")
}

/// The name a broken `let`, `job` or `load` would have defined.
///
/// What a `starts` defines is called so too: no `let` can be.
fn defined_name(all: &[Token<'_>], base: usize) -> Option<Name> {
    let [first, second, ..] = all else { return None };
    let meant = meant_statement(first.text).unwrap_or_default();
    let known = meant == first.text;
    let marks = |token: Option<&Token<'_>>| {
        token.is_some_and(|token| matches!(token.text, "=" | "{" | "("))
    };
    let named = second.is_word() || second.text.starts_with('"');
    let name = match meant {
        "starts" => return Some(Name::new(meant.to_owned(), Span::new(base, base + first.end()))),
        "let" | "job" | "flow" | "load" | "shape" if known || named => second,
        _ if matches!(first.text, "var" | "const" | "set" | "def") => second,
        _ if second.text == "=" => first,
        // The word before the name was left out, or is none of the language.
        _ if known => return None,
        _ if marks(Some(second)) => first,
        _ if named && marks(all.get(2)) => second,
        _ => return None,
    };
    // A `:` of another language may stand between.
    let name = if name.text == ":" { all.get(2)? } else { name };
    let word = name.text.trim_matches('"');
    word.starts_with(|c: char| c.is_alphabetic() || c == '_').then(|| {
        let span = Span::new(base + name.start, base + name.end());
        Name::new(word.to_owned(), span)
    })
}
