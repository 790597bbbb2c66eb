//! Guards and expectations before and after.

use super::Pair;
use super::align::{Key, unordered};
use super::facts::{self, Change, Facts};
use crate::plan::{GuardKind, Plan};

/// A guard or an expectation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    /// As written.
    pub text: String,
    /// The load it speaks of, if it is one.
    pub load: Option<String>,
    /// What it is about: two of one subject may replace each other.
    subject: String,
    /// What it means, values resolved.
    meaning: String,
    /// The same by names.
    facts: Facts,
}

impl Rule {
    /// What of it is another one now.
    pub fn changes(&self, new: &Rule) -> Vec<Change> {
        facts::changes(&self.facts, &new.facts)
    }
}

/// The guards of a plan.
pub(super) fn guards(plan: &Plan) -> Vec<Rule> {
    let rule = |guard: &crate::plan::Guard| {
        let load = guard.stream.and_then(|stream| plan.streams.get(stream)?.name.clone());
        let subject = match &guard.kind {
            GuardKind::Depth { queue, .. } => format!("depth {queue:?}"),
            kind => kind.word().to_owned(),
        };
        let meaning = format!("{:?} {:?} {:?}", guard.kind, guard.action, guard.tuning);
        Rule { text: guard.text.clone(), load, subject, meaning, facts: facts::of_guard(guard) }
    };
    let told = |notify: &crate::plan::Notify| Rule {
        text: notify.text.clone(),
        load: None,
        subject: "notify".to_owned(),
        meaning: format!("{notify:?}"),
        facts: facts::of_notify(notify),
    };
    plan.guards.iter().map(rule).chain(plan.notify.iter().map(told)).collect()
}

/// The expectations of a plan.
pub(super) fn expectations(plan: &Plan) -> Vec<Rule> {
    let rule = |expectation: &crate::plan::Expectation| Rule {
        text: expectation.text.clone(),
        load: None,
        subject: format!(
            "{:?} {:?} {:?}",
            expectation.measure,
            expectation.queue,
            expectation.phrase.as_ref().map(|phrase| &phrase.label)
        ),
        meaning: format!(
            "{:?} {} {:?} {}",
            expectation.comparison, expectation.limit, expectation.at_ns, expectation.stops
        ),
        facts: facts::of_expectation(expectation),
    };
    plan.expectations.iter().map(rule).collect()
}

/// What became of the rules of a kind.
pub(super) fn changes(
    old: Option<&Plan>,
    new: Option<&Plan>,
    rules: fn(&Plan) -> Vec<Rule>,
) -> Vec<Pair<Rule>> {
    let of = |plan: Option<&Plan>| plan.map_or(Vec::new(), rules);
    let meaning: Key<'_, Rule> =
        &|rule| Some(format!("{:?} {} {}", rule.load, rule.subject, rule.meaning));
    let subject: Key<'_, Rule> = &|rule| Some(format!("{:?} {}", rule.load, rule.subject));
    let pair = |(old, new): (Option<Rule>, Option<Rule>)| {
        let same = old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| {
            old.load == new.load && old.subject == new.subject && old.meaning == new.meaning
        });
        Pair { old, new, same }
    };
    unordered(of(old), of(new), &[meaning, subject]).into_iter().map(pair).collect()
}
