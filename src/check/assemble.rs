//! Curves compiled, endless ones ended, guards proven: the plan put together.

use super::Checker;
use super::ends::Growing;
use super::jobs::Draft;
use super::lower::{MAX_JOBS, Node};
use super::scope::Settings;
use super::stretches::{self, Waiting};
use super::{defaults, digest, proof};
use crate::ast::Measure;
use crate::exact::{checked, seconds_to_nanos, to_f64, whole};
use crate::plan::{Expectation, Guard, Part, Phrase, PhraseJobs, Plan, Stream, WallClock};
use crate::problem::{Code, Problem};
use crate::schedule::{Shard, Until, batched};
use crate::show;
use crate::source::Span;
use crate::target::Target;
use crate::timeline::curve::Curve;
use crate::timeline::{CurveError, MarkJobs, MarkSpan, Timeline};
use std::sync::Arc;

impl Checker<'_> {
    /// Puts the plan together.
    pub(super) fn assemble(
        &mut self,
        settings: Settings,
        drafts: Vec<Draft>,
        guards: Vec<Guard>,
        expectations: Vec<(Expectation, Span)>,
    ) -> Option<Plan> {
        if drafts.is_empty() {
            return None;
        }
        let mut growing = Vec::new();
        let mut all_nodes = Vec::new();
        // As long from where the run enters the plan.
        let until = self.options.for_length.map(|length| checked('+', &length, &self.from));
        let until_ns = until.flatten().as_ref().and_then(seconds_to_nanos);
        let until = until_ns.map(Until::after);
        for draft in drafts {
            let (key, blocks) = (draft.arrivals.key, draft.blocks.clone());
            let (warmups, waits) = (draft.warmups.clone(), draft.waits.clone());
            let speeds = draft.speeds.clone();
            let (stream, nodes) = self.stream(draft)?;
            growing.push(Growing { stream, key, blocks, speeds, points: None, until });
            all_nodes.push((nodes, warmups, waits));
        }
        let mut notes = Vec::new();
        let mut streams = self.end_streams(growing, &guards, &mut notes)?;
        for (stream, (nodes, warmups, waits)) in streams.iter_mut().zip(&all_nodes) {
            stream.warmup = self.warmup(stream, warmups)?;
            stream.waits = self.waits(stream, waits)?;
            notes.extend(stretches::note(stream));
            let marks = stream.timeline.marks_by(&|count| stream.due.jobs_to(count));
            let mut marks: Vec<&MarkSpan> = marks.iter().collect();
            marks.sort_by_key(|mark| mark.id);
            stream.phrases = self.phrases(nodes, &marks, (warmups, waits));
        }
        let of_each: Vec<&[Node]> = all_nodes.iter().map(|(nodes, ..)| nodes.as_slice()).collect();
        let expectations = self.place_expectations(expectations, &streams, &of_each)?;
        let total = streams.iter().map(Stream::jobs).fold(0, u64::saturating_add);
        if total > MAX_JOBS {
            let nodes = all_nodes.iter().flat_map(|(nodes, ..)| nodes);
            let span = nodes.map(|node| node.span).next().unwrap_or_default();
            self.report(
                Problem::error(
                    Code::TooIntricate,
                    span,
                    format!("this script sends {} jobs", show::count(total)),
                )
                .help(format!("loadc counts exactly up to {}", show::count(MAX_JOBS))),
            );
            return None;
        }
        self.prove(&streams, &guards, &mut notes);
        let seed = settings.seed;
        if settings.is_seed_drawn {
            notes.push(format!("seed drawn: {seed} (repeat this run with `--seed {seed}`)"));
        }
        let part = Part {
            from_ns: seconds_to_nanos(&self.from)?,
            shard: self.options.shard.unwrap_or(Shard::WHOLE),
        };
        notes.extend(part.note(&streams, seed));
        let mut expectations = expectations;
        share_of_part(&mut expectations, (&streams, seed), part, &mut notes);
        self.prove_payloads(&streams, seed);
        let default_guards = defaults::open(&streams, &guards);
        if is_elsewhere(settings.target.as_deref()) {
            self.prove(&streams, &defaults::guards(default_guards), &mut Vec::new());
        }
        Some(Plan {
            file: self.source.name.clone(),
            seed,
            digest: digest::digest(seed, settings.starts.as_ref(), &streams),
            wall: WallClock {
                starts: settings.starts.clone(),
                speed: self.options.speed.map_or(1.0, |speed| to_f64(&speed)),
            },
            starts: settings.starts,
            target: settings.target,
            part,
            streams,
            guards,
            expectations,
            notify: Vec::new(),
            default_guards,
            notes,
        })
    }

    fn stream(&mut self, draft: Draft) -> Option<(Stream, Vec<Node>)> {
        let mut curve = draft.curve?;
        let mut after = draft.after;
        if let Some(factor) = self.options.speed {
            curve = Curve::Speed { factor, body: Box::new(curve) };
            after = checked('/', &after, &factor)?;
        }
        if let Some(length) = self.options.for_length {
            let end = checked('+', &length, &self.from)?;
            let left = if end > after { end - after } else { whole(0) };
            curve = Curve::Cut { length: left, body: Box::new(curve) };
        }
        let timeline = Arc::new(self.timeline(&curve)?);
        let stream = Stream {
            name: draft.name.map(|name| name.node),
            after_ns: seconds_to_nanos(&after)?,
            curve,
            due: batched(timeline.clone(), draft.batch),
            timeline,
            arrivals: draft.arrivals.arrivals,
            blocks: draft.blocks.iter().map(|block| block.arrivals).collect(),
            late: draft.late,
            batch: draft.batch,
            warmup: Vec::new(),
            waits: Vec::new(),
            paces: Arc::default(),
            steps: Vec::new(),
            until: None,
            held_to: None,
            phrases: Vec::new(),
            mix: draft.mix,
        };
        Some((stream, draft.nodes))
    }

    pub(super) fn timeline(&mut self, curve: &Curve) -> Option<Timeline> {
        let error = match Timeline::new(curve) {
            Ok(timeline) => return Some(timeline),
            Err(error) => error,
        };
        // Only the first fault is known; each phrase by itself tells its own.
        let mut found = false;
        if let Curve::Sequence(parts) = curve {
            for part in parts {
                if let Err(error) = Timeline::new(part) {
                    found = true;
                    self.curve_fault(error);
                }
            }
        }
        if !found {
            self.curve_fault(error);
        }
        None
    }

    fn curve_fault(&mut self, error: CurveError) {
        let (code, mark, message, help) = match error {
            CurveError::EmptyTotal { mark } => (
                Code::EmptyTotal,
                mark,
                "there is nothing here to bring to a total: its rate is 0 throughout",
                "give it a shape with a rate above 0",
            ),
            CurveError::TotalForever { mark } => {
                (Code::NeverEnds, mark, "what goes on forever has no total", "give it a length")
            }
            CurveError::Overflow { mark } => (
                Code::TooIntricate,
                mark,
                "this is too long, or holds too many jobs to count",
                "loadc counts exactly up to 10¹⁵ jobs in 100 years",
            ),
            CurveError::TooComplex { mark } => (
                Code::TooIntricate,
                mark,
                "this is too intricate to plan",
                "a `cap` or `floor` over a `together` must come round: let the periods inside be multiples of one another",
            ),
            CurveError::NotPositive { mark } | CurveError::Negative { mark } => (
                Code::BadShape,
                mark,
                "a number in here must be above 0",
                "look at its rates and lengths",
            ),
            CurveError::OutOfBounds { mark } => (
                Code::BadShape,
                mark,
                "this starts, or reaches, outside of its own bounds",
                "let the lower end come first, and the start lie between",
            ),
            CurveError::NoLength { mark } => (
                Code::BadShape,
                mark,
                "this repeats something of no length, forever",
                "give it a length",
            ),
            CurveError::CappedJump { mark } => (
                Code::AtOnceInside,
                mark,
                "jobs sent at once have no rate to limit",
                "move them out of the block",
            ),
        };
        let span = proof::fault_span(&self.marks, mark);
        self.report(Problem::error(code, span, message).help(help));
    }

    fn phrases(
        &self,
        nodes: &[Node],
        marks: &[&MarkSpan],
        kinds: (&[u32], &[Waiting]),
    ) -> Vec<Phrase> {
        let (warmups, waits) = kinds;
        let phrase = |node: &Node| {
            let mark = marks.binary_search_by_key(&node.mark, |mark| mark.id).ok()?;
            let mark = marks[mark];
            Some(Phrase {
                text: node.text.clone(),
                label: node.label.clone(),
                file: (self.source.part_of(node.span.start) > 0)
                    .then(|| self.source.name_at(node.span.start).to_owned()),
                line: self.source.line(node.span.start),
                span: node.span,
                start_ns: mark.start_ns,
                end_ns: mark.end_ns,
                jobs: match mark.jobs {
                    MarkJobs::Exact(jobs) => PhraseJobs::Exact(jobs),
                    MarkJobs::Share(jobs) => PhraseJobs::Share(jobs),
                },
                rate_start_per_s: mark.rate_start_per_s,
                rate_end_per_s: mark.rate_end_per_s,
                peak_per_s: mark.peak_per_s,
                is_call: node.is_call,
                is_overlay: node.is_overlay,
                is_warmup: warmups.contains(&node.mark),
                is_bound: waits.iter().any(|wait| wait.mark == node.mark && !wait.is_drain()),
                phrases: self.phrases(&node.children, marks, kinds),
            })
        };
        nodes.iter().filter_map(phrase).collect()
    }
}

/// Of a number of jobs that is expected, a part of the plan has its share.
fn share_of_part(
    expectations: &mut [Expectation],
    (streams, seed): (&[Stream], u64),
    part: Part,
    notes: &mut Vec<String>,
) {
    if part.shard == Shard::WHOLE {
        return;
    }
    let whole = Part { shard: Shard::WHOLE, ..part }.jobs(streams, seed);
    let own = part.jobs(streams, seed);
    for expectation in expectations.iter_mut().filter(|one| one.measure == Measure::Jobs) {
        let all = expectation.limit;
        // What is expected of all of them is exactly what this part has of them.
        expectation.limit = if all == whole as f64 {
            own as f64
        } else {
            (all * own as f64 / (whole as f64).max(1.0)).round()
        };
        let (text, limit) = (&expectation.text, show::count(expectation.limit as u64));
        notes.push(format!("`{text}` is judged by this part's share of it, {limit}"));
    }
}

/// Whether a target is named that is not this machine.
fn is_elsewhere(url: Option<&str>) -> bool {
    url.and_then(|url| Target::parse(url).ok()).is_some_and(|target| !target.is_this_machine())
}

/// A seed nobody chose.
pub fn random_seed() -> u64 {
    // Short enough to type; a hasher's keys come from the operating system's randomness.
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() >> 24
}
