//! What changed in a load between two plans: in total, phrase by phrase, in its jobs, guards and
//! expectations.
//!
//! Pure: two plans go in, what differs comes out as data; `text` and `json` show it.

mod align;
mod jobs;
pub mod json;
mod phrases;
mod rules;
pub mod text;
mod words;

use crate::plan::{Plan, Stream};
use crate::target::Target;
use crate::view::Load;
use crate::view::text::size;
use jobs::JobLine;
use phrases::PhraseChange;
use rules::Rule;

/// A thing before and after; at least one of them is there.
#[derive(Clone, Debug)]
pub struct Pair<T> {
    /// Before.
    pub old: Option<T>,
    /// After.
    pub new: Option<T>,
    /// Whether they are there both, and no different.
    pub same: bool,
}

impl<T> Pair<T> {
    /// What became of it, in a word.
    pub fn word(&self) -> &'static str {
        match (&self.old, &self.new) {
            _ if self.same => "same",
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }
}

/// One of the two plans, with its load.
#[derive(Debug)]
pub struct Side<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The sum of its streams.
    pub load: Load<'a>,
    /// The mean size of its payloads, in bytes; none if it sends nothing.
    pub mean_payload_bytes: Option<f64>,
    /// The target as it may be shown, without a password.
    pub target: Option<String>,
}

/// What changed.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The two plans; none where there is no load.
    pub sides: Pair<Side<'a>>,
    streams: Vec<StreamChange<'a>>,
    guards: Vec<Pair<Rule>>,
    expectations: Vec<Pair<Rule>>,
}

#[derive(Debug)]
struct StreamChange<'a> {
    pair: Pair<&'a Stream>,
    phrases: Vec<PhraseChange<'a>>,
    jobs: Vec<Pair<JobLine<'a>>>,
}

impl<'a> Diff<'a> {
    /// What changed from one plan to another; none is a script without a load, or no script.
    pub fn of(old: Option<&'a Plan>, new: Option<&'a Plan>) -> Diff<'a> {
        let streams = |plan: Option<&'a Plan>| {
            plan.map_or(Vec::new(), |plan| plan.streams.iter().collect::<Vec<_>>())
        };
        let pairs = align::unordered(
            streams(old),
            streams(new),
            &[&|stream: &&Stream| Some(format!("{:?}", stream.name))],
        );
        let seeds = (old.map_or(0, |plan| plan.seed), new.map_or(0, |plan| plan.seed));
        let streams = pairs.into_iter().map(|pair| stream(pair, seeds)).collect();
        let guards = rules::changes(old, new, rules::guards);
        let expectations = rules::changes(old, new, rules::expectations);
        let sides = Pair { same: false, old: old.map(side), new: new.map(side) };
        let mut diff = Diff { sides, streams, guards, expectations };
        diff.sides.same = diff.is_same();
        diff
    }

    /// Whether the load, its bounds, its target and what is expected of it are the same.
    pub fn is_same(&self) -> bool {
        let load = match (&self.sides.old, &self.sides.new) {
            (None, None) => true,
            (Some(old), Some(new)) => {
                old.plan.digest == new.plan.digest && old.target == new.target
            }
            _ => false,
        };
        load && self.guards.iter().chain(&self.expectations).all(|pair| pair.same)
    }
}

fn side(plan: &Plan) -> Side<'_> {
    let load = Load::of(plan);
    let mut bytes = 0.0;
    for stream in &plan.streams {
        let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
        for entry in &stream.mix {
            let jobs = stream.jobs() as f64;
            let mean = size(stream, entry, plan.seed).map_or(0.0, |sizes| sizes.mean_bytes);
            bytes += jobs * f64::from(entry.weight) / weights * mean;
        }
    }
    let mean_payload_bytes = (load.jobs > 0).then(|| bytes / load.jobs as f64);
    let target = plan.target.as_ref().map(|url| {
        Target::parse(url).map_or_else(|_| "a target".to_owned(), |target| target.to_string())
    });
    Side { plan, load, mean_payload_bytes, target }
}

fn stream<'a>(
    pair: (Option<&'a Stream>, Option<&'a Stream>),
    seeds: (u64, u64),
) -> StreamChange<'a> {
    let (old, new) = pair;
    let phrases = phrases::changes(old, new);
    let jobs = jobs::changes(old, new, seeds);
    let same = match (old, new) {
        (Some(old), Some(new)) => {
            old.after_ns == new.after_ns
                && old.arrivals == new.arrivals
                && old.batch == new.batch
                && flows(old).eq(flows(new))
                && phrases.iter().all(|change| change.is_same())
                && jobs.iter().all(|job| job.same)
        }
        _ => false,
    };
    StreamChange { pair: Pair { old, new, same }, phrases, jobs }
}

#[cfg(test)]
mod tests;

/// The flows of a stream.
fn flows(stream: &Stream) -> impl Iterator<Item = &crate::plan::FlowJobs> {
    stream.mix.iter().filter_map(|entry| entry.flow.as_deref())
}
