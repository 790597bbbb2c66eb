//! Curves compiled, endless ones ended, guards proven: the plan put together.

use super::Checker;
use super::jobs::Draft;
use super::lower::{MAX_JOBS, Node, is_endless};
use super::scope::Settings;
use super::{defaults, digest, proof};
use crate::exact::{checked, nanos_to_seconds, seconds_to_nanos, whole};
use crate::plan::{Action, Expectation, Guard, GuardKind, Phrase, PhraseJobs, Plan, Stream};
use crate::problem::{Code, Problem};
use crate::schedule;
use crate::show;
use crate::source::Span;
use crate::target::Target;
use crate::timeline::curve::Curve;
use crate::timeline::{CurveError, MarkJobs, MarkSpan, Timeline};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Checker<'_> {
    /// Puts the plan together.
    pub(super) fn assemble(
        &mut self,
        settings: Settings,
        drafts: Vec<Draft>,
        guards: Vec<Guard>,
        expectations: Vec<Expectation>,
    ) -> Option<Plan> {
        if drafts.is_empty() {
            return None;
        }
        let mut streams = Vec::new();
        let mut all_nodes = Vec::new();
        for draft in drafts {
            let (stream, nodes) = self.stream(draft)?;
            streams.push(stream);
            all_nodes.push(nodes);
        }
        let mut notes = Vec::new();
        self.end_streams(&mut streams, &guards, &mut notes)?;
        for (stream, nodes) in streams.iter_mut().zip(&all_nodes) {
            let marks = stream.timeline.marks();
            let marks = marks.iter().map(|mark| (mark.id, mark)).collect();
            stream.phrases = self.phrases(nodes, &marks);
        }
        let total = streams.iter().filter_map(|stream| stream.timeline.jobs()).sum::<u64>();
        if total > MAX_JOBS {
            let span = all_nodes.iter().flatten().next().map(|node| node.span).unwrap_or_default();
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
        let seed = settings.seed.unwrap_or_else(random_seed);
        if settings.seed.is_none() {
            notes.push(format!("seed drawn: {seed} (repeat this run with `--seed {seed}`)"));
        }
        let default_guards = defaults::open(&streams, &guards);
        if is_elsewhere(settings.target.as_deref()) {
            self.prove(&streams, &defaults::guards(default_guards), &mut Vec::new());
        }
        Some(Plan {
            file: self.source.name.clone(),
            seed,
            digest: digest::digest(seed, &streams),
            target: settings.target,
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
            let left = if length > after { length - after } else { whole(0) };
            curve = Curve::Cut { length: left, body: Box::new(curve) };
        }
        let timeline = self.timeline(&curve)?;
        let stream = Stream {
            name: draft.name.map(|name| name.node),
            after_ns: seconds_to_nanos(&after)?,
            curve,
            timeline: Arc::new(timeline),
            phrases: Vec::new(),
            mix: draft.mix,
        };
        Some((stream, draft.nodes))
    }

    /// Ends streams where a guard with an action on jobs or time says so: that is the plan's end.
    fn end_streams(
        &mut self,
        streams: &mut [Stream],
        guards: &[Guard],
        notes: &mut Vec<String>,
    ) -> Option<()> {
        let mut stops =
            guards.iter().filter(|guard| guard.action == Some(Action::Stop)).collect::<Vec<_>>();
        // What ends one stream comes before what ends their sum, which holds fewer jobs then; and a
        // time before a number of jobs, which may not be reached in it.
        stops.sort_by_key(|guard| {
            (guard.stream.is_none(), matches!(guard.kind, GuardKind::Jobs(_)))
        });
        let mut ends: Vec<(&Guard, u64)> = Vec::new();
        for guard in stops {
            let chosen = |index: usize| guard.stream.is_none_or(|only| only == index);
            let end_ns = match guard.kind {
                GuardKind::Time(limit_ns) => Some(limit_ns),
                GuardKind::Jobs(limit) => {
                    let of = streams.iter().enumerate().filter(|(index, _)| chosen(*index));
                    let of = of.map(|(_, stream)| (&*stream.timeline, stream.after_ns));
                    jobs_end(&of.collect::<Vec<_>>(), limit)
                }
                _ => None,
            };
            let Some(end_ns) = end_ns else { continue };
            for (index, stream) in streams.iter_mut().enumerate() {
                let left_ns = end_ns.saturating_sub(stream.after_ns);
                let longer = stream.timeline.length_ns().is_none_or(|length| length > left_ns);
                if chosen(index) && longer {
                    if ends.last().is_none_or(|(last, _)| !std::ptr::eq(*last, guard)) {
                        ends.push((guard, end_ns));
                    }
                    let length = nanos_to_seconds(left_ns);
                    let body = Box::new(stream.curve.clone());
                    stream.curve = Curve::Cut { length, body };
                    stream.timeline = Arc::new(self.timeline(&stream.curve)?);
                }
            }
            if let GuardKind::Jobs(limit) = guard.kind {
                end_with_jobs(streams, chosen, end_ns, limit);
            }
        }
        for (guard, end_ns) in ends {
            // Another may have ended it earlier.
            let ended = streams.iter().any(|stream| {
                stream.timeline.length_ns().is_some_and(|length| stream.after_ns + length == end_ns)
            });
            if ended {
                let when = show::duration(end_ns);
                notes.push(format!("`{}` ends the plan {when} after the start", guard.text));
            }
        }
        let mut good = Some(());
        for stream in streams.iter().filter(|stream| is_endless(&stream.curve)) {
            let name =
                stream.name.as_ref().map_or_else(String::new, |name| format!("load `{name}`: "));
            self.report(
                Problem::error(Code::NeverEnds, self.endless_span(&stream.curve), format!("{name}this never ends"))
                    .label("goes on forever")
                    .help("end it by a guard, `guard { time <= 1h then stop }` or `guard { jobs <= 1M then stop }`, or run it with `--for 10m`"),
            );
            good = None;
        }
        good
    }

    /// The innermost phrase that has no end.
    fn endless_span(&self, curve: &Curve) -> Span {
        let mut found = Span::default();
        let mut here = curve;
        loop {
            here = match here {
                Curve::Mark { id, body } => {
                    found = proof::fault_span(&self.marks, Some(*id));
                    body
                }
                Curve::Scale { body, .. }
                | Curve::Cap { body, .. }
                | Curve::Floor { body, .. }
                | Curve::Speed { body, .. } => body,
                Curve::Sequence(parts) | Curve::Together(parts) => {
                    match parts.iter().find(|part| is_endless(part)) {
                        Some(part) => part,
                        None => return found,
                    }
                }
                _ => return found,
            };
        }
    }

    fn timeline(&mut self, curve: &Curve) -> Option<Timeline> {
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

    fn phrases(&self, nodes: &[Node], marks: &BTreeMap<u32, &MarkSpan>) -> Vec<Phrase> {
        let phrase = |node: &Node| {
            let mark = marks.get(&node.mark)?;
            Some(Phrase {
                text: node.text.clone(),
                label: node.label.clone(),
                line: self.source.line_column(node.span.start).0,
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
                phrases: self.phrases(&node.children, marks),
            })
        };
        nodes.iter().filter_map(phrase).collect()
    }
}

/// When the last job that a bound allows is due; `None` if it is never reached.
fn jobs_end(of: &[(&Timeline, u64)], limit: u64) -> Option<u64> {
    schedule::first_beyond_jobs(of, limit)?;
    match limit.checked_sub(1) {
        None => Some(0),
        Some(before) => schedule::first_beyond_jobs(of, before).map(|beyond| beyond.t_ns),
    }
}

/// Of what is due at the very instant at which a bound on jobs ends some streams, leaves no more than
/// the bound: as in the run, the first streams come first.
fn end_with_jobs(streams: &mut [Stream], chosen: impl Fn(usize) -> bool, end_ns: u64, limit: u64) {
    let before = |stream: &Stream| {
        let last = end_ns.checked_sub(stream.after_ns)?.checked_sub(1)?;
        Some(stream.timeline.jobs_by(last))
    };
    let of = streams.iter().enumerate().filter(|(index, _)| chosen(*index));
    let sum: u64 = of.filter_map(|(_, stream)| before(stream)).sum();
    let mut room = limit.saturating_sub(sum);
    for (index, stream) in streams.iter_mut().enumerate() {
        if !chosen(index) || end_ns < stream.after_ns {
            continue;
        }
        let before = before(stream).unwrap_or(0);
        let due = stream.timeline.jobs_by(end_ns - stream.after_ns);
        let taken = due.saturating_sub(before).min(room);
        room -= taken;
        if taken < due.saturating_sub(before) {
            let timeline = stream.timeline.as_ref().clone();
            stream.timeline = Arc::new(timeline.ending_with(before + taken));
        }
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
