//! Phrases become a curve.

use super::Checker;
use super::units::MAX_COUNT;
use crate::ast::{Expr, Phrase, PhraseKind, Statement, StatementKind};
use crate::exact::{Exact, to_f64, whole};
use crate::problem::{Code, Problem};
use crate::source::Span;
use crate::timeline::curve::Curve;
use num_traits::Zero;

/// A phrase of the table to come: what is known of it before the timeline is compiled.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The curve's mark.
    pub mark: u32,
    /// As written, on one line.
    pub text: String,
    /// `as "night"`
    pub label: Option<String>,
    /// Its place.
    pub span: Span,
    /// It is the call of a shape.
    pub is_call: bool,
    /// It is laid over the others.
    pub is_overlay: bool,
    /// The phrases within.
    pub children: Vec<Node>,
}

/// Where a phrase stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Inside {
    /// The word of a `cap` or `floor` around it, which cannot hold jobs at once.
    pub limit: Option<Span>,
    /// A `together` or a `jitter` around it, in which a count belongs to no phrase alone.
    pub shared: bool,
    /// Its time is that of others too: a `together` around it, or something laid over it.
    pub parallel: bool,
    /// Nothing after it is reached.
    pub together: bool,
    /// A shape is checked by itself.
    pub alone: bool,
    /// How many blocks and calls stand around it.
    pub depth: usize,
    /// It is laid over the stream, and may be: see `check/overlay.rs`.
    pub overlay: bool,
}

impl Checker<'_> {
    pub(super) fn parts<'s>(
        &mut self,
        statements: impl Iterator<Item = &'s Statement>,
        inside: Inside,
    ) -> (Option<Vec<Curve>>, Vec<Node>) {
        let mut parts = Some(Vec::new());
        let mut nodes = Vec::new();
        let mut endless: Option<Span> = None;
        // What is never reached is said once: the rest of the block follows from it.
        let mut unreached = false;
        for statement in statements {
            let phrase = match &statement.kind {
                StatementKind::Phrase(phrase) => phrase,
                StatementKind::Broken(_) => {
                    parts = None;
                    continue;
                }
                _ => continue,
            };
            if let Some(before) = endless.filter(|_| !inside.together && !inside.overlay) {
                if unreached {
                    continue;
                }
                unreached = true;
                self.report(
                    Problem::warning(Code::Unreachable, phrase.head, "this is never reached")
                        .label("stands behind something that never ends")
                        .and(before, "goes on forever")
                        .help("remove it, or give the one before it a length"),
                );
                continue;
            }
            let mark = self.next_mark(phrase.head);
            let mut children = Vec::new();
            self.mark_in_hand = mark;
            let said = self.silent_lints();
            let curve = self.phrase(phrase, inside, &mut children);
            if let Some(curve) = curve.as_ref().filter(|_| self.silent_lints() == said) {
                self.nothing_lint(phrase.head, curve);
            }
            if curve.as_ref().is_some_and(is_endless) {
                endless = Some(phrase.head);
            }
            nodes.push(Node {
                mark,
                text: self.phrase_text(phrase),
                label: phrase.label.as_ref().map(|label| label.node.clone()),
                span: phrase.head,
                is_call: matches!(phrase.kind, PhraseKind::Call { .. }),
                is_overlay: matches!(phrase.kind, PhraseKind::At(..)),
                children,
            });
            match (curve, parts.as_mut()) {
                (Some(body), Some(parts)) => {
                    parts.push(Curve::Mark { id: mark, body: Box::new(body) })
                }
                _ => parts = None,
            }
        }
        (parts, nodes)
    }

    pub(super) fn phrase_text(&self, phrase: &Phrase) -> String {
        let written = self.source.slice(phrase.head);
        let plain = !phrase.kind.is_block() && !written.contains(['\n', '\r', '#', '\t']);
        if plain && !written.contains("  ") && phrase.total.is_none() && phrase.until.is_none() {
            return written.trim().to_owned();
        }
        let words = written.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        let head = words.collect::<Vec<_>>().join(" ");
        let mut text = match &phrase.kind {
            PhraseKind::Group(_) => "{ … }".to_owned(),
            kind if kind.is_block() => format!("{head} {{ … }}"),
            _ => head.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        if let Some(total) = &phrase.total {
            text.push_str(&format!(" total {}", self.one_line(total.span)));
        }
        if let Some(until) = &phrase.until {
            text.push_str(&format!(" {}", self.one_line(until.span)));
        }
        text
    }

    fn phrase(
        &mut self,
        phrase: &Phrase,
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Curve> {
        let mark = self.mark_in_hand;
        if let Some(until) = &phrase.until {
            self.until(until, phrase, mark, inside);
        }
        let waits = self.waits.len();
        let body = self.phrase_kind(phrase, inside, children);
        if let Some(total) = &phrase.total {
            self.no_total_of_held(total.span, waits);
        }
        if let Some(curve) = &body {
            self.block_lints(&phrase.kind, phrase.head, curve);
        }
        let Some(total) = &phrase.total else { return body };
        let jobs = self.count(total, "a total");
        let body = body?;
        self.total_of_drawn(total.span, phrase.head, &body);
        // A block with arrivals of its own is a part of its own already.
        if !matches!(body, Curve::Arrivals { .. }) {
            self.exact_total(mark, inside.shared);
        }
        if jobs.is_some_and(|jobs| jobs > 0) && is_silent(&body) {
            self.report(
                Problem::error(
                    Code::EmptyTotal,
                    total.span,
                    "there is nothing here to bring to a total",
                )
                .label("so many jobs")
                .and(phrase.head, "the rate is 0 throughout")
                .help("give it a shape with a rate above 0"),
            );
            return None;
        }
        if is_endless(&body) {
            self.report(
                Problem::error(Code::NeverEnds, total.span, "what goes on forever has no total")
                    .label("this total")
                    .and(phrase.head, "has no end")
                    .help("give it a length, or remove the total"),
            );
            return None;
        }
        Some(Curve::Total { jobs: jobs?, body: Box::new(body) })
    }

    fn phrase_kind(
        &mut self,
        phrase: &Phrase,
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Curve> {
        match &phrase.kind {
            PhraseKind::Constant { rate, length } => {
                let (rate, length) = (self.rate(rate), self.length(length));
                Some(Curve::Constant { rate: rate?, length: length? })
            }
            PhraseKind::Pause(length) => {
                Some(Curve::Constant { rate: whole(0), length: self.length(length)? })
            }
            PhraseKind::Drain(within) => {
                let length = self.some_duration(within);
                self.drain(phrase, inside);
                Some(Curve::Constant { rate: whole(0), length: Some(length?) })
            }
            PhraseKind::Hold(hold) => self.hold_depth(hold, phrase, inside),
            PhraseKind::Ramp(ramp) => self.ramp(ramp),
            PhraseKind::Sine(sine) => self.sine(sine),
            PhraseKind::Burst(burst) => self.burst(burst),
            PhraseKind::Steps(steps) => self.steps(steps),
            PhraseKind::Stairs { from, to, by, every } => self.stairs(from, to, by, every),
            PhraseKind::Points(points) => self.points(points),
            PhraseKind::Walk(walk) => self.walk(walk),
            PhraseKind::Chaos(chaos) => self.chaos(chaos),
            PhraseKind::Replay(replay) => self.replay(replay, inside.limit),
            PhraseKind::AtOnce(jobs) => self.at_once(jobs, phrase.head, inside),
            PhraseKind::Call { name, args } => {
                self.call_curve(name, args, phrase.head, inside, children)
            }
            PhraseKind::Group(body) => self.serial(body, inside, children).map(Curve::Sequence),
            PhraseKind::At(clock, body) => {
                if !inside.overlay {
                    self.overlay_within(clock);
                }
                let inside = Inside { overlay: false, ..inside };
                self.serial(body, inside, children).map(Curve::Sequence)
            }
            PhraseKind::Warmup(body) => {
                self.warmups.push(self.mark_in_hand);
                self.serial(body, inside, children).map(Curve::Sequence)
            }
            PhraseKind::Together(body) => {
                let inside = Inside { together: true, shared: true, parallel: true, ..inside };
                self.block(body, inside, children).map(Curve::Together)
            }
            PhraseKind::Repeat(times, body) => {
                let times = times.as_ref().map(|times| self.count(times, "a repetition"));
                let body = self.serial(body, inside, children)?;
                self.repeat(times, Curve::Sequence(body), phrase.head)
            }
            PhraseKind::Scale(factor, body) => {
                let factor = self.factor(factor);
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                Some(Curve::Scale { factor: factor?, body })
            }
            PhraseKind::Speed(factor, body) => {
                let (value, mark) = (self.factor(factor), self.mark_in_hand);
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                let value = self.positive(factor, value?, "a speed")?;
                // In a sum no thing that begins belongs to one phrase alone.
                if !inside.parallel {
                    self.speeds.push((mark, to_f64(&value)));
                }
                Some(Curve::Speed { factor: value, body })
            }
            PhraseKind::Arrivals(arrival, body) => {
                let body = |checker: &mut Self| checker.serial(body, inside, children);
                self.arrivals_block(arrival, phrase.head, inside.shared, body)
            }
            PhraseKind::Jitter(amount, body) => {
                let key = self.jitter_key();
                let amount = self.share(amount);
                let inside = Inside { shared: true, ..inside };
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                Some(Curve::Jitter { amount: amount?, key, body })
            }
            PhraseKind::Cap(rate, body) => {
                let rate = self.rate(rate);
                let inside = Inside { limit: Some(phrase.head), ..inside };
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                Some(Curve::Cap { rate: rate?, body })
            }
            PhraseKind::Floor(rate, body) => {
                let rate = self.rate(rate);
                let inside = Inside { limit: Some(phrase.head), ..inside };
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                Some(Curve::Floor { rate: rate?, body })
            }
        }
    }

    /// A block whose members follow one another.
    fn serial(
        &mut self,
        body: &[Statement],
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Vec<Curve>> {
        self.block(body, Inside { together: false, ..inside }, children)
    }

    pub(super) fn block(
        &mut self,
        body: &[Statement],
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Vec<Curve>> {
        self.misplaced(body);
        let inside = Inside { depth: inside.depth + 1, ..inside };
        let (parts, nodes) = self.parts(body.iter(), inside);
        *children = nodes;
        parts
    }

    fn repeat(&mut self, times: Option<Option<u64>>, body: Curve, head: Span) -> Option<Curve> {
        if is_endless(&body) {
            self.report(
                Problem::error(Code::NeverEnds, head, "what is repeated never ends")
                    .help("give everything inside a length"),
            );
            return None;
        }
        let times = match times {
            None => None,
            Some(times) => Some(times?),
        };
        if times.is_none() && is_empty(&body) {
            self.report(
                Problem::error(
                    Code::BadShape,
                    head,
                    "this repeats something of no length, forever",
                )
                .help("put a shape with a length into it"),
            );
            return None;
        }
        Some(Curve::Repeat { times, body: Box::new(body) })
    }

    fn at_once(&mut self, jobs: &Expr, head: Span, inside: Inside) -> Option<Curve> {
        let count = self.count(jobs, "a number of jobs");
        if inside.limit.is_some() && self.shaky {
            // A brace that is missing may be what puts it in there.
            return None;
        }
        if let Some(limit) = inside.limit {
            self.report(
                Problem::error(Code::AtOnceInside, head, "jobs sent at once have no rate to limit")
                    .label("all at one instant")
                    .and(limit, "limits the rate of what is inside")
                    .help(
                        "move it out of the block, or write it as a shape: `constant 1000 for 50s`",
                    ),
            );
            return None;
        }
        Some(Curve::AtOnce { jobs: count? })
    }

    pub(super) fn positive(&mut self, expr: &Expr, value: Exact, what: &str) -> Option<Exact> {
        if value > whole(0) {
            return Some(value);
        }
        self.report(
            Problem::error(Code::OutOfRange, expr.span, format!("{what} is above 0"))
                .help("write a factor such as `x60`; to send nothing, `scale x0 { … }`"),
        );
        None
    }
}

/// Whether a curve goes on forever.
pub(super) fn is_endless(curve: &Curve) -> bool {
    match curve {
        Curve::Constant { length, .. }
        | Curve::Sine { length, .. }
        | Curve::Walk { length, .. }
        | Curve::Chaos { length, .. }
        | Curve::Replay { length, .. } => length.is_none(),
        Curve::Moments { .. }
        | Curve::Ramp { .. }
        | Curve::AtOnce { .. }
        | Curve::Total { .. }
        | Curve::Cut { .. } => false,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().any(is_endless),
        Curve::Repeat { times, body } => times.is_none() || (*times != Some(0) && is_endless(body)),
        Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Jitter { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Mark { body, .. } => is_endless(body),
    }
}

/// Whether a curve has no length.
pub(super) fn is_empty(curve: &Curve) -> bool {
    match curve {
        Curve::Constant { length, .. }
        | Curve::Sine { length, .. }
        | Curve::Walk { length, .. }
        | Curve::Chaos { length, .. }
        | Curve::Replay { length, .. } => length.is_some_and(|length| length.is_zero()),
        Curve::Ramp { over, .. } => over.is_zero(),
        Curve::Moments { at_ns } => at_ns.last().is_none_or(|last| *last == 0),
        Curve::AtOnce { .. } => true,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().all(is_empty),
        Curve::Repeat { times, body } => *times == Some(0) || is_empty(body),
        Curve::Cut { length, body } => length.is_zero() || is_empty(body),
        Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Total { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Jitter { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Mark { body, .. } => is_empty(body),
    }
}

/// Whether a curve never rises above 0.
pub(super) fn is_silent(curve: &Curve) -> bool {
    match curve {
        Curve::Constant { rate, .. } => rate.is_zero() || is_empty(curve),
        Curve::Ramp { from, to, .. } => from.is_zero() && to.is_zero() || is_empty(curve),
        Curve::Sine { base, amp, .. } => base.is_zero() && amp.is_zero() || is_empty(curve),
        Curve::Walk { from, by, .. } => from.is_zero() && by.is_zero() || is_empty(curve),
        Curve::Chaos { high, .. } => high.is_zero() || is_empty(curve),
        Curve::Replay { points, .. } => {
            points.iter().all(|point| point.rate.is_zero()) || is_empty(curve)
        }
        Curve::Moments { at_ns } => at_ns.is_empty(),
        Curve::AtOnce { jobs } => *jobs == 0,
        Curve::Total { jobs, .. } => *jobs == 0,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().all(is_silent),
        Curve::Repeat { times, body } => *times == Some(0) || is_silent(body),
        Curve::Cut { length, body } => length.is_zero() || is_silent(body),
        Curve::Scale { factor, body } => factor.is_zero() || is_silent(body),
        Curve::Cap { rate, body } => rate.is_zero() || is_silent(body),
        Curve::Floor { rate, body } => is_silent(body) && (rate.is_zero() || is_empty(body)),
        Curve::Speed { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Jitter { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Mark { body, .. } => is_silent(body),
    }
}

/// The most jobs a stream may hold; above it counts would leave exact arithmetic.
pub(super) const MAX_JOBS: u64 = MAX_COUNT as u64;
