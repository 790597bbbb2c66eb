//! What the grammar has read, as a tree that is quick to go through.
//!
//! pest keeps its pairs as tokens in a row, and each step into one shares the row and its table of
//! lines anew. One pass over the tokens makes a tree of places alone.

use super::grammar::{Grammar, Rule};
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::{Parser as _, Token};
use std::ops::Range;

/// A text and every rule that was found in it, each before what is within it.
pub(super) struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    rule: Rule,
    start: u32,
    end: u32,
    /// The node behind this one and all that is within it.
    next: u32,
}

/// A rule that was found, with its place.
#[derive(Clone, Copy)]
pub(super) struct Pair<'t> {
    tree: &'t Tree<'t>,
    node: Node,
    at: u32,
}

/// The rules directly within another, in order.
#[derive(Clone, Copy)]
pub(super) struct Pairs<'t> {
    tree: &'t Tree<'t>,
    at: u32,
    end: u32,
}

/// Where reading a text stopped, and what was looked for there.
pub(super) struct Stopped {
    /// The byte.
    pub at: usize,
    /// The rules.
    pub sought: Vec<Rule>,
}

impl From<Error<Rule>> for Stopped {
    fn from(error: Error<Rule>) -> Stopped {
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let sought = match error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Stopped { at, sought }
    }
}

/// Reads all of a text by a rule.
pub(super) fn read(rule: Rule, text: &str) -> Result<Tree<'_>, Stopped> {
    read_part(rule, text, 0..text.len())
}

/// Reads a part of a text by a rule, as if it were all; places are those in the text.
pub(super) fn read_part(rule: Rule, text: &str, part: Range<usize>) -> Result<Tree<'_>, Stopped> {
    let first = part.start;
    let pairs = Grammar::parse(rule, text.get(part).unwrap_or_default()).map_err(|error| {
        let stopped = Stopped::from(error);
        Stopped { at: first + stopped.at, ..stopped }
    })?;
    let tokens = pairs.tokens();
    let place = |pos: pest::Position<'_>| u32::try_from(first + pos.pos()).unwrap_or(u32::MAX);
    let mut nodes: Vec<Node> = Vec::with_capacity(tokens.len() / 2);
    let mut open = Vec::new();
    for token in tokens {
        match token {
            // Nobody asks for it here.
            Token::Start { rule: Rule::comment, .. } | Token::End { rule: Rule::comment, .. } => {}
            Token::Start { rule, pos } => {
                open.push(nodes.len());
                let start = place(pos);
                nodes.push(Node { rule, start, end: start, next: 0 });
            }
            Token::End { pos, .. } => {
                let next = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                if let Some(node) = open.pop().and_then(|at| nodes.get_mut(at)) {
                    node.end = place(pos);
                    node.next = next;
                }
            }
        }
    }
    Ok(Tree { text, nodes })
}

/// Whether all of a text can be read by a rule.
pub(super) fn reads(rule: Rule, text: &str) -> bool {
    Grammar::parse(rule, text).is_ok()
}

impl<'t> Tree<'t> {
    /// What the text was read as.
    pub(super) fn root(&'t self) -> Option<Pair<'t>> {
        let end = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        Pairs { tree: self, at: 0, end }.next()
    }
}

impl<'t> Pair<'t> {
    /// Which rule it is.
    pub(super) fn as_rule(&self) -> Rule {
        self.node.rule
    }

    /// The text it was found in.
    pub(super) fn input(&self) -> &'t str {
        self.tree.text
    }

    /// Its first byte.
    pub(super) fn start(&self) -> usize {
        self.node.start as usize
    }

    /// One past its last byte.
    pub(super) fn end(&self) -> usize {
        self.node.end as usize
    }

    /// As written.
    pub(super) fn as_str(&self) -> &'t str {
        &self.tree.text[self.start()..self.end()]
    }

    /// What is directly within it.
    pub(super) fn into_inner(self) -> Pairs<'t> {
        Pairs { tree: self.tree, at: self.at + 1, end: self.node.next }
    }
}

impl<'t> Pairs<'t> {
    /// The next one, which stays.
    pub(super) fn peek(&self) -> Option<Pair<'t>> {
        { *self }.next()
    }
}

impl<'t> Iterator for Pairs<'t> {
    type Item = Pair<'t>;

    fn next(&mut self) -> Option<Pair<'t>> {
        if self.at >= self.end {
            return None;
        }
        let (at, node) = (self.at, *self.tree.nodes.get(self.at as usize)?);
        self.at = node.next;
        Some(Pair { tree: self.tree, node, at })
    }
}
