//! Policies: guards for targets, in a file of their own.

use super::{Pair, Reader, Rule, brackets, edited, tree};
use crate::ast::{PolicyPart, PolicyTargets};
use crate::problem::{Code, Problem};
use crate::source::{SourceFile, Span};

/// Reads a policy. What could be read is in the list of parts, what could not in that of problems.
pub fn policy(source: &SourceFile) -> (Vec<PolicyPart>, Vec<Problem>) {
    let scan = brackets::scan(&source.text);
    let text = edited(&source.text, &scan.edits);
    let mut reader = Reader { problems: scan.problems, blamed: scan.blamed, ..Reader::default() };
    let mut parts = Vec::new();
    match tree::read(Rule::policy_file, &text) {
        Ok(tree) => {
            for pair in tree.root().into_iter().flat_map(Pair::into_inner) {
                match pair.as_rule() {
                    Rule::policy_part => parts.push(reader.policy_part(pair)),
                    Rule::broken_policy => reader.broken_policy(&pair),
                    _ => {}
                }
            }
        }
        Err(_) => {
            let problem = Problem::error(Code::Expected, Span::default(), "this cannot be read");
            reader.push(problem.help(FORM));
        }
    }
    (parts, reader.problems)
}

const FORM: &str = "a policy is made of parts such as `target \"prod-*\" { rate <= 100/s }` or `target any { time <= 1h }`";

impl Reader {
    fn policy_part(&mut self, pair: Pair<'_>) -> PolicyPart {
        let mut part = PolicyPart { targets: PolicyTargets::Any, rules: Vec::new() };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::kw_elsewhere => part.targets = PolicyTargets::Elsewhere,
                Rule::string => {
                    let pattern = self.quoted(&inner, "a target");
                    part.targets = PolicyTargets::Like(pattern.node);
                }
                Rule::guard_block => part.rules = self.guard_rules(inner),
                Rule::excess => self.excess(&inner),
                _ => {}
            }
        }
        part
    }

    fn broken_policy(&mut self, pair: &Pair<'_>) {
        let span = self.trimmed(pair);
        let message = "this is no part of a policy";
        self.push(Problem::error(Code::UnknownStatement, span, message).help(FORM));
    }
}
