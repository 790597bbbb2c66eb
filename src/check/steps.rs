//! The steps of flows where a bound on jobs speaks of them: counted one by one, so that the plan ends
//! exactly where the bound does, and says so.

use super::Checker;
use super::ends::Growing;
use crate::plan::{Action, Guard, GuardKind, Stream};
use crate::schedule::{Entries, ends_with};

impl Checker<'_> {
    /// Ends streams where their jobs and the steps of their flows come to what a guard with `then stop`
    /// allows. Returns which guards did so, and when.
    pub(super) fn end_with_steps<'g>(
        &mut self,
        guards: &'g [Guard],
        growing: &mut [Growing],
    ) -> Option<Vec<(&'g Guard, u64)>> {
        let mut bounds: Vec<(&Guard, u64)> = guards.iter().filter_map(of_jobs).collect();
        // As where curves are ended: that of one stream comes before that of the sum.
        bounds.sort_by_key(|(guard, _)| guard.stream.is_none());
        let mut ends = Vec::new();
        for (guard, limit) in bounds {
            let chosen = |index: &usize| guard.stream.is_none_or(|only| only == *index);
            let of: Vec<usize> = (0..growing.len()).filter(chosen).collect();
            if of.iter().all(|index| growing[*index].stream.steps.is_empty()) {
                continue;
            }
            let entries = |index: &usize| growing[*index].stream.entries(self.seed);
            let entries: Vec<Entries> = of.iter().map(entries).collect();
            let stops = guard.action == Some(Action::Stop);
            if let Some((end_ns, untils)) = ends_with(&entries, limit).filter(|_| stops) {
                ends.push((guard, end_ns));
                for ((index, until), mut entries) in of.iter().zip(untils).zip(entries) {
                    let one = &mut growing[*index];
                    // As many as by then: the end of a curve completes a batch, and it must not here.
                    entries.end_at(until);
                    let jobs = entries.jobs_by(u64::MAX);
                    one.end_at(end_ns, self)?;
                    one.end_things(until);
                    self.expect_steps(&mut one.stream, &one.speeds, one.until)?;
                    one.hold_to(jobs);
                }
            }
            of.iter().for_each(|index| self.count_steps(&mut growing[*index].stream));
        }
        Some(ends)
    }

    /// Puts what will be in the place of what is to be expected.
    fn count_steps(&self, stream: &mut Stream) {
        let counts = stream.entries(self.seed).states();
        for (steps, counts) in stream.steps.iter_mut().zip(counts) {
            for (state, expected) in steps.expected.iter_mut().enumerate() {
                *expected = counts.get(state).map_or(0.0, |count| *count as f64);
            }
            steps.counted = true;
        }
    }
}

/// A guard on jobs, and its bound.
fn of_jobs(guard: &Guard) -> Option<(&Guard, u64)> {
    match guard.kind {
        GuardKind::Jobs(limit) => Some((guard, limit)),
        _ => None,
    }
}
