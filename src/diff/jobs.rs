//! What a stream sends, before and after.

use super::Pair;
use super::align::{Key, unordered};
use super::facts::{self, Change};
use crate::job::JobSpec;
use crate::plan::Stream;
use crate::view::text::size;

/// A job of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobLine<'a> {
    /// The job.
    pub spec: &'a JobSpec,
    /// Its share of the stream's jobs, from 0 to 1.
    pub share: f64,
    /// The mean size of its payloads, in bytes.
    pub mean_bytes: Option<f64>,
}

/// What of a job is another one now, its share and its size besides.
pub(super) fn facts(pair: &Pair<JobLine<'_>>) -> Vec<Change> {
    match (&pair.old, &pair.new) {
        (Some(old), Some(new)) => {
            facts::changes(&facts::of_job(old.spec), &facts::of_job(new.spec))
        }
        _ => Vec::new(),
    }
}

/// The jobs of a stream.
pub(super) fn changes<'a>(
    old: Option<&'a Stream>,
    new: Option<&'a Stream>,
    seeds: (u64, u64),
) -> Vec<Pair<JobLine<'a>>> {
    let name: Key<'_, JobLine<'_>> = &|line| Some(line.spec.name.clone());
    let pair = |(old, new): (Option<JobLine<'a>>, Option<JobLine<'a>>)| {
        let same = old.zip(new).is_some_and(|(old, new)| {
            old.spec == new.spec && (old.share - new.share).abs() < 1e-12
        });
        Pair { old, new, same }
    };
    let lines = |stream: Option<&'a Stream>, seed| stream.map_or(Vec::new(), |s| lines(s, seed));
    unordered(lines(old, seeds.0), lines(new, seeds.1), &[name]).into_iter().map(pair).collect()
}

fn lines(stream: &Stream, seed: u64) -> Vec<JobLine<'_>> {
    let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
    let mut lines = Vec::with_capacity(stream.mix.len());
    for entry in &stream.mix {
        let mean_bytes = size(stream, entry, seed).map(|sizes| sizes.mean_bytes);
        let share = f64::from(entry.weight) / weights;
        lines.push(JobLine { spec: &entry.job, share, mean_bytes });
    }
    lines
}
