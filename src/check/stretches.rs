//! Stretches of a stream that are not as the others are: what only warms up, and what goes by the depth
//! of its queues.

use super::jobs::Draft;
use super::lower::Inside;
use super::{Checker, proof};
use crate::ast::{Comparison, Hold, Phrase, Until};
use crate::exact::whole;
use crate::job::Format;
use crate::plan::{MixEntry, Stream, Wait, WaitKind, Warmup};
use crate::problem::{Code, Problem};
use crate::schedule::Shard;
use crate::show;
use crate::source::Span;
use crate::timeline::Stretch;
use crate::timeline::curve::Curve;
use std::sync::Arc;

/// How many passes of such stretches a stream may have.
const MAX_STRETCHES: usize = 100_000;

/// A phrase that goes by the depth of its queues.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Its mark.
    pub mark: u32,
    kind: WaitKind,
    text: String,
    span: Span,
    /// The queue that is named, and where.
    queue: Option<(String, Span)>,
}

impl Waiting {
    /// Whether it only waits, and sends nothing.
    pub(super) fn is_drain(&self) -> bool {
        self.kind == WaitKind::Drained
    }

    fn is_hold(&self) -> bool {
        matches!(self.kind, WaitKind::Held { .. })
    }
}

/// What it is called.
fn word(kind: &WaitKind) -> &'static str {
    match kind {
        WaitKind::Drained => "drain",
        WaitKind::Depth { .. } => "until",
        WaitKind::Held { .. } => "hold depth",
    }
}

impl Checker<'_> {
    /// `until depth < 100` behind a phrase.
    pub(super) fn until(&mut self, until: &Until, phrase: &Phrase, mark: u32, inside: Inside) {
        let limit = self.count(&until.limit, "a depth");
        let comparison = until.comparison.node;
        if comparison == Comparison::Equal {
            self.report(
                Problem::error(
                    Code::BadGuard,
                    until.comparison.span,
                    "a depth is looked at now and then: it may never be exactly this",
                )
                .help("write `until depth < 100` or `until depth > 10k`"),
            );
            return;
        }
        let Some(limit) = limit else { return };
        if comparison == Comparison::Less && limit == 0 {
            self.report(
                Problem::error(Code::BadGuard, until.limit.span, "a depth is never below 0")
                    .help("write `until depth <= 0`, or `drain within 5m` behind the phrase"),
            );
            return;
        }
        let queue = until.queue.as_ref().map(|queue| (queue.node.clone(), queue.span));
        let name = queue.as_ref().map(|(name, _)| name.clone());
        let kind = WaitKind::Depth { queue: name, comparison, limit };
        self.wait(kind, queue, until.span, phrase, mark, inside);
    }

    /// `drain within 5m`
    pub(super) fn drain(&mut self, phrase: &Phrase, inside: Inside) {
        self.wait(WaitKind::Drained, None, phrase.head, phrase, self.mark_in_hand, inside);
    }

    /// `hold depth "orders" 5k at most 200/s for 10m`: a constant rate, as an upper bound.
    pub(super) fn hold_depth(
        &mut self,
        hold: &Hold,
        phrase: &Phrase,
        inside: Inside,
    ) -> Option<Curve> {
        let limit = self.count(&hold.depth, "a depth");
        let rate = hold.most.as_ref().map(|most| self.rate(most));
        let length = self.length(&hold.length);
        let limit = limit?;
        if limit == 0 {
            self.report(
                Problem::error(
                    Code::BadGuard,
                    hold.depth.span,
                    "no job is needed for a depth of 0",
                )
                .help("write `drain within 5m` to wait until the queues are empty"),
            );
            return None;
        }
        let queue = hold.queue.as_ref().map(|queue| (queue.node.clone(), queue.span));
        let name = queue.as_ref().map(|(name, _)| name.clone());
        let kind = WaitKind::Held { queue: name, limit };
        self.wait(kind, queue, phrase.head, phrase, self.mark_in_hand, inside);
        let rate = rate.unwrap_or_else(|| Some(whole(i128::from(limit))));
        Some(Curve::Constant { rate: rate?, length: length? })
    }

    /// How many jobs it takes to hold a depth shows only in the run. `before` counts what waited
    /// before the phrase that is to have a total.
    pub(super) fn no_total_of_held(&mut self, total: Span, before: usize) {
        let held = self.waits.get(before..).unwrap_or_default();
        let Some(held) = held.iter().find(|wait| wait.is_hold()) else { return };
        let what = format!("a total over `{}`", held.text);
        self.out_of_place(
            total,
            &what,
            "how many jobs it takes to hold a depth shows only in the run: bound them by `at most`, or by a guard on `jobs`",
        );
    }

    fn wait(
        &mut self,
        kind: WaitKind,
        queue: Option<(String, Span)>,
        span: Span,
        phrase: &Phrase,
        mark: u32,
        inside: Inside,
    ) {
        let word = word(&kind);
        let held = matches!(kind, WaitKind::Held { .. });
        if inside.parallel {
            let help = if held {
                "what runs beside it falls due whatever the depth is: give this part a `load` of its own"
            } else {
                "it would end what runs beside it, too: put it around the whole of it, or give this part a `load` of its own"
            };
            self.out_of_place(span, &format!("`{word}` in a sum"), help);
            return;
        }
        if self.options.shard.is_some_and(|shard| shard != Shard::WHOLE) {
            let help = if held {
                "each part would fill the queue by itself, and together they would go beyond the depth: run it without `--shard`"
            } else {
                "each part would end it by itself, and the parts would no longer be the whole: run it without `--shard`"
            };
            self.out_of_place(span, &format!("`{word}` in a plan that is run in parts"), help);
            return;
        }
        let text = self.phrase_text(phrase);
        self.waits.push(Waiting { mark, kind, text, span, queue });
    }

    /// What goes by its queues needs queues whose depth is known, and no flows.
    pub(super) fn waits_can_be_kept(&mut self, drafts: &[Draft]) {
        for (stream, draft) in drafts.iter().enumerate() {
            for wait in &draft.waits {
                let word = word(&wait.kind);
                if draft.mix.iter().any(|entry| entry.flow.is_some()) {
                    self.out_of_place(
                        wait.span,
                        &format!("`{word}` in a load with a flow"),
                        "the steps of its things fall due by their own time: give the flow a `load` of its own",
                    );
                }
                let kept =
                    |entry: &MixEntry| !matches!(entry.job.format, Format::PubSub | Format::Custom);
                if wait.is_hold() && !draft.mix.iter().all(kept) {
                    self.out_of_place(
                        wait.span,
                        &format!("`{word}` in a load whose jobs wait in no queue that loadc knows"),
                        "nobody can tell the depth of a channel, or of what a `command` writes: use a format that keeps its jobs",
                    );
                }
                if let Some((name, span)) = &wait.queue {
                    let name = crate::ast::Name::new(name.clone(), *span);
                    self.known_queue(&name, Some(stream), drafts);
                }
            }
        }
    }

    /// What of a stream may end before its time, in order.
    pub(super) fn waits(&mut self, stream: &Stream, waits: &[Waiting]) -> Option<Vec<Wait>> {
        let marks: Vec<u32> = waits.iter().map(|wait| wait.mark).collect();
        let stretches = self.stretches(stream, &marks)?;
        let source = self.source;
        let wait = |stretch: &Stretch| {
            let of = waits.iter().filter(|wait| wait.mark == stretch.id);
            let within = jobs_within(stream, stretch);
            let wait = move |wait: &Waiting| Wait {
                kind: wait.kind.clone(),
                text: wait.text.clone(),
                line: source.line_column(wait.span.start).0,
                after_job: within.after_job,
                to_job: within.to_job,
                start_ns: within.start_ns,
                end_ns: within.end_ns,
            };
            of.map(wait).collect::<Vec<_>>()
        };
        let mut found: Vec<Wait> = stretches.iter().flat_map(wait).collect();
        found.sort_by_key(|wait| (wait.start_ns, wait.end_ns));
        Some(found)
    }

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

    /// How fast a stream goes by its `speed` blocks, as steps; those within others with them.
    pub(super) fn paces(
        &mut self,
        stream: &Stream,
        speeds: &[(u32, f64)],
    ) -> Option<Arc<[(u64, f64)]>> {
        let marks: Vec<u32> = speeds.iter().map(|(mark, _)| *mark).collect();
        let mut edges = Vec::new();
        for stretch in self.stretches(stream, &marks)? {
            let of = speeds.iter().find(|(mark, _)| *mark == stretch.id);
            let Some((_, factor)) = of.filter(|_| stretch.end_ns > stretch.start_ns) else {
                continue;
            };
            // What ends at an instant ends before what begins there.
            edges.push((stretch.start_ns, true, *factor));
            edges.push((stretch.end_ns, false, *factor));
        }
        edges.sort_by_key(|(at_ns, begins, _)| (*at_ns, *begins));
        let (mut open, mut paces): (Vec<f64>, Vec<(u64, f64)>) = (Vec::new(), Vec::new());
        for (at_ns, begins, factor) in edges {
            if begins {
                open.push(factor);
            } else if let Some(at) = open.iter().rposition(|own| *own == factor) {
                open.remove(at);
            }
            let pace = open.iter().product();
            match paces.last_mut() {
                Some((last_ns, last)) if *last_ns == at_ns => *last = pace,
                _ => paces.push((at_ns, pace)),
            }
        }
        Some(paces.into())
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

/// Which part of a stream's total is an upper bound.
pub(super) fn note(stream: &Stream) -> Option<String> {
    let of = stream.name.as_ref().map_or_else(String::new, |name| format!("load {name}: "));
    let bound = stream.bound_jobs();
    let mut untils = stream.waits.iter().filter(|wait| wait.kind != WaitKind::Drained);
    if let Some(first) = untils.next() {
        let (all, bound) = (show::count(stream.jobs()), show::plural(bound, "job"));
        let others = untils.any(|wait| wait.text != first.text);
        let others = if others { " (and others)" } else { "" };
        let why = match first.kind {
            WaitKind::Held { .. } => "since only those fall due that the depth has room for",
            _ => "since it may end before its time",
        };
        return Some(format!(
            "{of}at most {all} jobs: the {bound} of `{}`{others} are an upper bound, {why}",
            first.text
        ));
    }
    let drain = stream.waits.first()?;
    Some(format!(
        "{of}the times are at the latest: `{}` ends as soon as the queues are empty",
        drain.text
    ))
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
