//! What of two lists belongs together: first what is equal, then what is alike, in ever looser ways.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::HashMap;

/// Something of the old list, of the new one, or of both.
pub(super) type Matched<T> = (Option<T>, Option<T>);

/// A way to be alike: what has the same key is; without a key nothing is.
pub(super) type Key<'k, T> = &'k dyn Fn(&T) -> Option<String>;

/// Pairs up two lists whose order matters, and keeps it. What has no partner is removed or added.
pub(super) fn ordered<T: Copy>(old: &[T], new: &[T], keys: &[Key<'_, T>]) -> Vec<Matched<T>> {
    let Some((key, looser)) = keys.split_first() else {
        let removed = old.iter().map(|item| (Some(*item), None));
        return removed.chain(new.iter().map(|item| (None, Some(*item)))).collect();
    };
    // What has no key is given one that nothing else has.
    let keyed = |items: &[T], side: char| -> Vec<String> {
        let own = |at: usize| format!("\0{side}{at}");
        items.iter().enumerate().map(|(at, item)| key(item).unwrap_or_else(|| own(at))).collect()
    };
    let mut matched = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &keyed(old, '-'), &keyed(new, '+')) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                let olds = old[old_index..old_index + len].iter().map(|item| Some(*item));
                let news = new[new_index..new_index + len].iter().map(|item| Some(*item));
                matched.extend(olds.zip(news));
            }
            other => {
                let (olds, news) = (&old[other.old_range()], &new[other.new_range()]);
                matched.extend(ordered(olds, news, looser));
            }
        }
    }
    matched
}

/// Pairs up two lists whose order says nothing: in the order of the new one, then what was removed.
pub(super) fn unordered<T>(old: Vec<T>, new: Vec<T>, keys: &[Key<'_, T>]) -> Vec<Matched<T>> {
    let mut olds: Vec<Option<T>> = old.into_iter().map(Some).collect();
    let mut matched: Vec<Matched<T>> = new.into_iter().map(|item| (None, Some(item))).collect();
    for key in keys {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, item) in olds.iter().enumerate().rev() {
            if let Some(key) = item.as_ref().and_then(key) {
                places.entry(key).or_default().push(at);
            }
        }
        for (partner, item) in &mut matched {
            let key = item.as_ref().filter(|_| partner.is_none()).and_then(key);
            let place = key.and_then(|key| places.get_mut(&key)?.pop());
            if let Some(place) = place {
                *partner = olds[place].take();
            }
        }
    }
    matched.extend(olds.into_iter().flatten().map(|item| (Some(item), None)));
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Key<'_, &str> = &|item| Some((*item).to_owned());
    const FIRST: Key<'_, &str> = &|item| item.get(..1).map(str::to_owned);

    #[test]
    fn equal_goes_before_alike_and_order_is_kept() {
        let old = ["a1", "b1", "c1", "a2"];
        let new = ["b1", "a2", "c9", "d1"];
        assert_eq!(
            ordered(&old, &new, &[EXACT, FIRST]),
            [
                (Some("a1"), None),
                (Some("b1"), Some("b1")),
                (Some("c1"), None),
                (Some("a2"), Some("a2")),
                (None, Some("c9")),
                (None, Some("d1")),
            ]
        );
        assert_eq!(
            ordered(&["x", "a1", "y"], &["x", "a2", "b", "y"], &[EXACT, FIRST]),
            [
                (Some("x"), Some("x")),
                (Some("a1"), Some("a2")),
                (None, Some("b")),
                (Some("y"), Some("y")),
            ]
        );
    }

    #[test]
    fn without_order_each_has_one_partner() {
        assert_eq!(
            unordered(vec!["a1", "b1", "b1"], vec!["b1", "a2", "b2"], &[EXACT, FIRST]),
            [(Some("b1"), Some("b1")), (Some("a1"), Some("a2")), (Some("b1"), Some("b2"))]
        );
        assert_eq!(unordered(vec!["a"], vec![], &[EXACT]), [(Some("a"), None)]);
        let none: Key<'_, &str> = &|_| None;
        assert_eq!(ordered(&["a"], &["a"], &[none]), [(Some("a"), None), (None, Some("a"))]);
    }
}
