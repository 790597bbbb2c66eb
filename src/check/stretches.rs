//! Stretches of a stream that are not as the others are: what only warms up.

use super::{Checker, proof};
use crate::plan::{Stream, Warmup};
use crate::problem::{Code, Problem};
use crate::timeline::Stretch;

/// How many passes of such stretches a stream may have.
const MAX_STRETCHES: usize = 100_000;

impl Checker<'_> {
    /// What of a stream only warms up, by the marks of its `warmup` blocks; stretches that touch are
    /// one.
    pub(super) fn warmup(&mut self, stream: &Stream, marks: &[u32]) -> Option<Vec<Warmup>> {
        let mut stretches = self.stretches(stream, marks)?;
        stretches.sort_by_key(|stretch| stretch.start_ns);
        let mut warmup: Vec<Warmup> = Vec::new();
        for stretch in stretches {
            let own = jobs_within(stream, &stretch);
            match warmup.last_mut() {
                Some(last) if own.start_ns <= last.end_ns && own.after_job <= last.to_job => {
                    last.to_job = last.to_job.max(own.to_job);
                    last.end_ns = last.end_ns.max(own.end_ns);
                }
                _ => warmup.push(own),
            }
        }
        Some(warmup)
    }

    fn stretches(&mut self, stream: &Stream, marks: &[u32]) -> Option<Vec<Stretch>> {
        let Some(first) = marks.first() else { return Some(Vec::new()) };
        let found = stream.timeline.stretches(marks, MAX_STRETCHES);
        if found.is_none() {
            let span = proof::fault_span(&self.marks, Some(*first));
            self.report(
                Problem::error(
                    Code::TooIntricate,
                    span,
                    "this comes round more than 100,000 times",
                )
                .help("put it around the repetition in place of within it"),
            );
        }
        found
    }
}

/// The jobs of a stretch: by the counts between which it lies, or, in a sum, where it has none of its
/// own, by its time.
fn jobs_within(stream: &Stream, stretch: &Stretch) -> Warmup {
    let Stretch { start_ns, end_ns, .. } = *stretch;
    let by = |end_ns: u64| end_ns.checked_sub(1).map_or(0, |last| stream.due.jobs_by(last));
    let (after_job, to_job) = match stretch.counts {
        Some((from, to)) => (stream.due.jobs_to(from), stream.due.jobs_to(to)),
        None => (by(start_ns), by(end_ns)),
    };
    Warmup { after_job, to_job: to_job.max(after_job), start_ns, end_ns }
}
