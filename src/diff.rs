//! What changed in a load between two plans: in total, phrase by phrase, in its jobs, guards and
//! expectations.
//!
//! Pure: two plans go in, what differs comes out as data; `text` and `json` show it.

mod align;
mod contents;
mod definitions;
mod facts;
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
use facts::Change;
use jobs::JobLine;
use phrases::PhraseChange;
use rules::Rule;

pub use definitions::{Definition, definitions};

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
    definitions: Vec<Pair<Definition>>,
}

#[derive(Debug)]
struct StreamChange<'a> {
    pair: Pair<&'a Stream>,
    /// What is said of it besides, and changed.
    facts: Vec<Change>,
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
        let mut diff = Diff { sides, streams, guards, expectations, definitions: Vec::new() };
        diff.sides.same = diff.is_same();
        diff
    }

    /// What changed between files of definitions, which hold no load.
    pub fn of_definitions(old: Vec<Definition>, new: Vec<Definition>) -> Diff<'a> {
        let mut diff = Diff::of(None, None);
        diff.definitions = definitions::changes(old, new);
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
        load && self.streams.iter().all(|stream| stream.pair.same)
            && self.guards.iter().chain(&self.expectations).all(|pair| pair.same)
            && self.definitions.iter().all(|pair| pair.same)
    }

    /// Whether the digests differ, and nothing that is told of the load says why: the same rates, made
    /// up in another way.
    fn is_of_digest_alone(&self) -> bool {
        let (Some(old), Some(new)) = (&self.sides.old, &self.sides.new) else { return false };
        old.plan.digest != new.plan.digest
            && old.plan.seed == new.plan.seed
            && old.plan.starts == new.plan.starts
            && self.streams.iter().all(|stream| stream.pair.same)
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
    let facts = match (old, new) {
        (Some(old), Some(new)) => facts::changes(&facts::of_stream(old), &facts::of_stream(new)),
        _ => Vec::new(),
    };
    let same = old.is_some()
        && new.is_some()
        && facts.is_empty()
        && phrases.iter().all(PhraseChange::is_same)
        && jobs.iter().all(|job| job.same);
    StreamChange { pair: Pair { old, new, same }, facts, phrases, jobs }
}

#[cfg(test)]
mod tests;
