//! Circles among things that lead to others: shapes that call each other, files that use each other.

use crate::ast::Name;
use std::collections::{BTreeMap, BTreeSet};

/// The circles among some calls, each once: the calls that lead round. Found without recursion,
/// since a chain of shapes may be long.
pub(super) fn circles(calls: &BTreeMap<String, Vec<Name>>) -> Vec<Vec<Name>> {
    let mut found = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in calls.keys() {
        if done.contains(start.as_str()) {
            continue;
        }
        // The way to the shape in hand: each with the calls that are left to follow.
        let mut way: Vec<(&str, std::slice::Iter<'_, Name>)> = Vec::new();
        let mut taken: Vec<&Name> = Vec::new();
        way.push((start, calls[start].iter()));
        while let Some((name, left)) = way.last_mut() {
            let Some(call) = left.next() else {
                done.insert(*name);
                way.pop();
                taken.pop();
                continue;
            };
            let target = call.node.as_str();
            if let Some(at) = way.iter().position(|(name, _)| *name == target) {
                let mut circle: Vec<Name> =
                    taken[at..].iter().map(|name| (*name).clone()).collect();
                circle.push(call.clone());
                found.push(circle);
            } else if let Some((name, inner)) =
                calls.get_key_value(target).filter(|(name, _)| !done.contains(name.as_str()))
            {
                taken.push(call);
                way.push((name, inner.iter()));
            }
        }
    }
    found
}

/// `a → b → a`
pub(super) fn round(names: &[String]) -> String {
    let last = names.last().map_or("", String::as_str);
    let way: Vec<&str> = std::iter::once(last).chain(names.iter().map(String::as_str)).collect();
    way.join(" → ")
}
