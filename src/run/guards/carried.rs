//! Other guards for a run under way: what the old ones know goes over to those that bound the same.

use super::{Armed, Guards, Watch};
use crate::plan::GuardKind;

impl Guards {
    /// Goes on with other guards. What is bounded as before goes on as it was; of what is bounded
    /// otherwise, windows and depths stay known. Tells where each old guard is now.
    pub fn replace(&mut self, new: Guards) -> Vec<Option<usize>> {
        let mut old: Vec<Option<Armed>> =
            std::mem::take(&mut self.armed).into_iter().map(Some).collect();
        let mut places = vec![None; old.len()];
        self.armed = new.armed;
        for (place, armed) in self.armed.iter_mut().enumerate() {
            let same =
                old.iter().position(|old| old.as_ref().is_some_and(|old| is_same(old, armed)));
            if let Some(at) = same
                && let Some(known) = old[at].take()
            {
                places[at] = Some(place);
                armed.take_over(known);
            }
        }
        for armed in &mut self.armed {
            let alike = old.iter().flatten().find(|old| measures_alike(old, armed));
            if let Some(known) = alike {
                armed.learn(&known.watch);
            }
        }
        places
    }
}

fn is_same(old: &Armed, new: &Armed) -> bool {
    old.guard.kind == new.guard.kind
        && old.guard.action == new.guard.action
        && old.guard.stream == new.guard.stream
}

fn measures_alike(old: &Armed, new: &Armed) -> bool {
    let same = match (&old.guard.kind, &new.guard.kind) {
        (GuardKind::Rate { window_ns: a, .. }, GuardKind::Rate { window_ns: b, .. })
        | (GuardKind::Errors { window_ns: a, .. }, GuardKind::Errors { window_ns: b, .. }) => {
            a == b
        }
        (GuardKind::Depth { .. }, GuardKind::Depth { .. }) => true,
        _ => false,
    };
    same && old.guard.stream == new.guard.stream
}

impl Armed {
    /// Goes on as another of the same bound was.
    fn take_over(&mut self, known: Armed) {
        self.learn(&known.watch);
        (self.spent, self.pausing, self.acted) = (known.spent, known.pausing, known.acted);
        (self.low_since_ns, self.brake) = (known.low_since_ns, known.brake);
        (self.warned, self.warned_ns) = (known.warned, known.warned_ns);
    }

    /// Takes over what another has measured, unless this one has already.
    fn learn(&mut self, known: &Watch) {
        match (&mut self.watch, known) {
            (Watch::Rate(mine), Watch::Rate(known)) if mine.is_new() => *mine = known.clone(),
            (Watch::Errors(mine), Watch::Errors(known)) if mine.is_new() => *mine = known.clone(),
            (Watch::Failed(mine), Watch::Failed(known)) if mine.is_new() => *mine = known.clone(),
            (Watch::Measured(mine), Watch::Measured(known)) => *mine = *known,
            (Watch::Depth(mine), Watch::Depth(known)) => {
                for (queue, depth) in mine {
                    if let Some((_, seen)) = known.iter().find(|(other, _)| other == queue) {
                        *depth = *seen;
                    }
                }
            }
            _ => {}
        }
    }
}
