//! A plan as JSON. What the names mean is a contract, see `docs/interfaces.md`; times are in seconds
//! from the run's start, rates in jobs per second.

use super::points::{TooMany, times};
use super::{Load, text};
use crate::job::QueueChoice;
use crate::plan::{Action, Guard, MixEntry, Part, Phrase, PhraseJobs, Plan, Steps, Stream};
use serde::Serialize;

/// The document of `loadc plan --json`.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    file: &'a str,
    digest: &'a str,
    seed: u64,
    target: Option<&'a str>,
    /// The instant at which it starts in the calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts: Option<String>,
    /// The part of it that a run plays, where that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<PartEntry>,
    jobs: u64,
    duration_s: f64,
    peak_per_s: f64,
    mean_per_s: f64,
    streams: Vec<StreamEntry<'a>>,
    guards: Vec<GuardEntry<'a>>,
    expectations: Vec<&'a str>,
    notes: &'a [String],
    curve: Vec<PointEntry>,
}

#[derive(Debug, Serialize)]
struct PartEntry {
    from_s: f64,
    shard: Option<String>,
    jobs: u64,
}

#[derive(Debug, Serialize)]
struct StreamEntry<'a> {
    name: Option<&'a str>,
    jobs: u64,
    /// Those that no expectation judges.
    #[serde(skip_serializing_if = "is_zero")]
    warmup_jobs: u64,
    /// Those that are an upper bound.
    #[serde(skip_serializing_if = "is_zero")]
    bound_jobs: u64,
    start_s: f64,
    duration_s: f64,
    peak_per_s: f64,
    arrivals: String,
    late: String,
    /// How many jobs fall due together.
    batch: u64,
    mix: Vec<MixLine<'a>>,
    flows: Vec<FlowEntry<'a>>,
    phrases: Vec<PhraseEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct FlowEntry<'a> {
    flow: &'a str,
    /// The job that begins a thing.
    job: &'a str,
    expected_steps: u64,
    /// They are counted, and exactly so many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    counted: bool,
    states: Vec<StateEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct StateEntry<'a> {
    state: &'a str,
    expected: f64,
    queues: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct MixLine<'a> {
    job: &'a str,
    weight: u32,
    /// From 0 to 1.
    share: f64,
    format: &'static str,
    queues: Vec<&'a str>,
    payload_mean_bytes: Option<f64>,
    /// What a waiting job takes of a server's memory, estimated.
    stored_mean_bytes: Option<f64>,
}

#[derive(Debug, Serialize)]
struct PhraseEntry<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    /// Where the phrase stands in a file that the script uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: usize,
    start_s: f64,
    end_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    rate_start_per_s: f64,
    rate_end_per_s: f64,
    peak_per_s: f64,
    /// It is laid over the phrases around it.
    #[serde(skip_serializing_if = "is_false")]
    overlay: bool,
    /// No expectation judges it.
    #[serde(skip_serializing_if = "is_false")]
    warmup: bool,
    /// It may end before its time: its jobs are an upper bound.
    #[serde(skip_serializing_if = "is_false")]
    bound: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phrases: Vec<PhraseEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct GuardEntry<'a> {
    text: &'a str,
    stream: Option<&'a str>,
    /// `stop`, `pause`, `slow`, `shed`, or none: a claim.
    action: Option<&'static str>,
    /// From where on it warns, in its own measure.
    warn: Option<f64>,
}

#[derive(Debug, Serialize)]
struct PointEntry {
    t_s: f64,
    rate_per_s: f64,
    cumulative_jobs: u64,
}

/// The document of a plan, whose load is given, with the points that [`times`] gives.
pub fn document<'a>(
    plan: &'a Plan,
    load: &Load<'_>,
    every_ns: Option<u64>,
) -> Result<Document<'a>, TooMany> {
    let point = |t_ns| {
        let point = load.point(t_ns, load.end_ns);
        PointEntry {
            t_s: seconds(t_ns),
            rate_per_s: point.rate_per_s,
            cumulative_jobs: point.cumulative_jobs,
        }
    };
    Ok(Document {
        file: &plan.file,
        digest: &plan.digest,
        seed: plan.seed,
        target: plan.target.as_deref(),
        starts: plan.starts.as_ref().map(ToString::to_string),
        part: part(plan),
        jobs: load.jobs,
        duration_s: seconds(load.end_ns),
        peak_per_s: load.peak_per_s,
        mean_per_s: load.mean_per_s(),
        streams: plan.streams.iter().map(|entry| stream(entry, plan.seed)).collect(),
        guards: plan.guards.iter().map(|entry| guard(plan, entry)).collect(),
        expectations: plan.expectations.iter().map(|expect| expect.text.as_str()).collect(),
        notes: &plan.notes,
        curve: times(load.end_ns, every_ns)?.map(point).collect(),
    })
}

fn part(plan: &Plan) -> Option<PartEntry> {
    let (part, of) = (plan.part.shard.part(), plan.part.shard.of());
    (plan.part != Part::WHOLE).then(|| PartEntry {
        from_s: seconds(plan.part.from_ns),
        shard: (of > 1).then(|| format!("{part}/{of}")),
        jobs: plan.part.jobs(&plan.streams, plan.seed),
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn seconds(t_ns: u64) -> f64 {
    t_ns as f64 / 1e9
}

fn stream(stream: &Stream, seed: u64) -> StreamEntry<'_> {
    let load = Load::of_stream(stream);
    let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
    StreamEntry {
        name: stream.name.as_deref(),
        jobs: stream.jobs(),
        warmup_jobs: stream.warmup_jobs(),
        bound_jobs: stream.bound_jobs(),
        start_s: seconds(stream.after_ns),
        duration_s: seconds(stream.timeline.length_ns().unwrap_or(0)),
        peak_per_s: load.peak_per_s,
        arrivals: stream.arrivals.to_string(),
        late: stream.late.to_string(),
        batch: stream.batch,
        mix: stream.mix.iter().map(|entry| mix(stream, entry, weights, seed)).collect(),
        flows: stream.steps.iter().map(flow).collect(),
        phrases: stream.phrases.iter().map(|entry| phrase(entry, stream.after_ns)).collect(),
    }
}

fn mix<'a>(stream: &Stream, entry: &'a MixEntry, weights: f64, seed: u64) -> MixLine<'a> {
    MixLine {
        job: &entry.job.name,
        weight: entry.weight,
        share: f64::from(entry.weight) / weights,
        format: entry.job.format.word(),
        queues: queues(&entry.job.queue),
        payload_mean_bytes: text::size(stream, entry, seed).map(|sizes| sizes.mean_bytes),
        stored_mean_bytes: text::stored(stream, entry, seed),
    }
}

fn queues(queue: &QueueChoice) -> Vec<&str> {
    match queue {
        QueueChoice::Fixed(queue) => vec![queue],
        QueueChoice::Pick(queues) => queues.iter().map(|(queue, _)| queue.as_str()).collect(),
    }
}

fn flow(steps: &Steps) -> FlowEntry<'_> {
    let flow = &steps.jobs.flow;
    let states = flow.states.iter().zip(&steps.expected).zip(&steps.jobs.jobs).skip(1);
    FlowEntry {
        flow: &flow.name,
        job: &steps.jobs.jobs[0].name,
        expected_steps: steps.jobs(),
        counted: steps.counted,
        states: states
            .map(|((state, expected), job)| StateEntry {
                state: &state.name,
                expected: *expected,
                queues: queues(&job.queue),
            })
            .collect(),
    }
}

fn phrase(entry: &Phrase, after_ns: u64) -> PhraseEntry<'_> {
    let (jobs, share) = match entry.jobs {
        PhraseJobs::Exact(jobs) => (Some(jobs), None),
        PhraseJobs::Share(share) => (None, Some(share)),
    };
    PhraseEntry {
        text: &entry.text,
        label: entry.label.as_deref(),
        file: entry.file.as_deref(),
        line: entry.line,
        start_s: seconds(entry.start_ns.saturating_add(after_ns)),
        end_s: seconds(entry.end_ns.saturating_add(after_ns)),
        jobs,
        share,
        rate_start_per_s: entry.rate_start_per_s,
        rate_end_per_s: entry.rate_end_per_s,
        peak_per_s: entry.peak_per_s,
        overlay: entry.is_overlay,
        warmup: entry.is_warmup,
        bound: entry.is_bound,
        phrases: entry.phrases.iter().map(|inner| phrase(inner, after_ns)).collect(),
    }
}

fn guard<'a>(plan: &'a Plan, entry: &'a Guard) -> GuardEntry<'a> {
    GuardEntry {
        text: &entry.text,
        stream: entry.stream.and_then(|index| plan.streams.get(index)?.name.as_deref()),
        action: entry.action.map(|action| match action {
            Action::Stop => "stop",
            Action::PauseUntil(_) => "pause",
            Action::Slow => "slow",
            Action::Shed => "shed",
        }),
        warn: entry.tuning.warn,
    }
}
