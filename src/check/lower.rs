//! Phrases become a curve.

use super::Checker;
use super::value::MAX_COUNT;
use crate::ast::{
    Between, Burst, Expr, Length, Phrase, PhraseKind, Points, Ramp, RampCurve, Sine, Statement,
    StatementKind, Steps,
};
use crate::exact::{Exact, checked, whole};
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
    /// The phrases within.
    pub children: Vec<Node>,
}

/// Where a phrase stands.
#[derive(Clone, Copy, Default)]
struct Inside {
    /// The word of a `cap` or `floor` around it, which cannot hold jobs at once.
    limit: Option<Span>,
    /// Nothing after it is reached.
    together: bool,
}

/// Most steps a `stairs` may have.
const MAX_STEPS: i128 = 100_000;

impl Checker<'_> {
    /// The phrases among some statements as one curve; other statements are not looked at.
    pub(super) fn stream_curve(&mut self, statements: &[&Statement]) -> (Option<Curve>, Vec<Node>) {
        let (parts, nodes) = self.parts(statements.iter().copied(), Inside::default());
        (parts.map(Curve::Sequence), nodes)
    }

    fn parts<'s>(
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
            if let Some(before) = endless.filter(|_| !inside.together) {
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
            let curve = self.phrase(phrase, inside, &mut children);
            if curve.as_ref().is_some_and(is_endless) {
                endless = Some(phrase.head);
            }
            nodes.push(Node {
                mark,
                text: self.phrase_text(phrase),
                label: phrase.label.as_ref().map(|label| label.node.clone()),
                span: phrase.head,
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

    fn phrase_text(&self, phrase: &Phrase) -> String {
        let words = self.source.slice(phrase.head).lines();
        let words = words.map(|line| line.split('#').next().unwrap_or("").trim());
        let head = words.collect::<Vec<_>>().join(" ");
        match phrase.kind {
            PhraseKind::Group(_) => "{ … }".to_owned(),
            PhraseKind::Repeat(..)
            | PhraseKind::Together(_)
            | PhraseKind::Scale(..)
            | PhraseKind::Cap(..)
            | PhraseKind::Floor(..)
            | PhraseKind::Speed(..) => format!("{head} {{ … }}"),
            _ => head.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    fn phrase(
        &mut self,
        phrase: &Phrase,
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Curve> {
        let body = self.phrase_kind(phrase, inside, children);
        let Some(total) = &phrase.total else { return body };
        let jobs = self.count(total, "a total");
        let body = body?;
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
            PhraseKind::Ramp(ramp) => self.ramp(ramp),
            PhraseKind::Sine(sine) => self.sine(sine),
            PhraseKind::Burst(burst) => self.burst(burst),
            PhraseKind::Steps(steps) => self.steps(steps),
            PhraseKind::Stairs { from, to, by, every } => self.stairs(from, to, by, every),
            PhraseKind::Points(points) => self.points(points),
            PhraseKind::AtOnce(jobs) => self.at_once(jobs, phrase.head, inside),
            PhraseKind::Group(body) => self.serial(body, inside, children).map(Curve::Sequence),
            PhraseKind::Together(body) => {
                let inside = Inside { together: true, ..inside };
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
                let value = self.factor(factor);
                let body = Box::new(Curve::Sequence(self.serial(body, inside, children)?));
                let value = self.positive(factor, value?, "a speed")?;
                Some(Curve::Speed { factor: value, body })
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

    fn block(
        &mut self,
        body: &[Statement],
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Vec<Curve>> {
        self.misplaced(body);
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

    fn positive(&mut self, expr: &Expr, value: Exact, what: &str) -> Option<Exact> {
        if value > whole(0) {
            return Some(value);
        }
        self.report(Problem::error(Code::OutOfRange, expr.span, format!("{what} is above 0")));
        None
    }

    /// `None` inside is forever.
    fn length(&mut self, length: &Length) -> Option<Option<Exact>> {
        match length {
            Length::Forever(_) => Some(None),
            Length::For(expr) => self.duration(expr).map(Some),
        }
    }

    fn ramp(&mut self, ramp: &Ramp) -> Option<Curve> {
        let (from, to) = (self.rate(&ramp.from), self.rate(&ramp.to));
        let over = self.duration(&ramp.over);
        let hold = ramp.hold.as_ref().map(|hold| self.duration(hold));
        let back = match &ramp.back {
            None => None,
            Some(None) => Some(over),
            Some(Some(back)) => Some(self.duration(back)),
        };
        let (from, to) = (from?, to?);
        if ramp.curve.node == RampCurve::Exponential {
            for (value, expr) in [(from, &ramp.from), (to, &ramp.to)] {
                if value.is_zero() {
                    self.report(
                        Problem::error(
                            Code::BadShape,
                            expr.span,
                            "an exponential ramp cannot touch 0",
                        )
                        .label("its ends are both above 0")
                        .and(ramp.curve.span, "grows by a factor in each second")
                        .help("begin a little above, such as `0.1`, or use `smooth`"),
                    );
                    return None;
                }
            }
        }
        let leg = |over: Exact, mirrored: bool| Curve::Ramp {
            from,
            to,
            over,
            curve: ramp.curve.node,
            mirrored,
        };
        let mut parts = vec![leg(over?, false)];
        if let Some(hold) = hold {
            parts.push(Curve::Constant { rate: to, length: Some(hold?) });
        }
        if let Some(back) = back {
            parts.push(leg(back?, true));
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Curve::Sequence(parts) })
    }

    fn sine(&mut self, sine: &Sine) -> Option<Curve> {
        let (base, amp) = (self.rate(&sine.base), self.signed_rate(&sine.amp));
        let length = self.length(&sine.length);
        let period = sine.period.as_ref().map(|period| self.some_duration(period));
        let period = match (period, length) {
            (Some(period), _) => period,
            (None, Some(Some(length))) if length > whole(0) => Some(length),
            (None, Some(Some(_)) | None) => None,
            (None, Some(None)) => {
                self.report(
                    Problem::error(
                        Code::MissingArgument,
                        sine.base.span,
                        "a sine that goes on forever needs a `period`",
                    )
                    .help("write `period 1h`"),
                );
                None
            }
        };
        let phase = match &sine.phase {
            Some(phase) => self.phase(phase, period),
            None => Some(whole(0)),
        };
        if length == Some(Some(whole(0))) {
            return Some(Curve::Constant { rate: whole(0), length: Some(whole(0)) });
        }
        Some(Curve::Sine {
            base: base?,
            amp: amp?,
            period: period?,
            phase: phase?,
            length: length?,
        })
    }

    fn burst(&mut self, burst: &Burst) -> Option<Curve> {
        let base = match &burst.base {
            Some(base) => self.rate(base),
            None => Some(whole(0)),
        };
        let rate = self.rate_or_factor(&burst.rate);
        let (on, every) = (self.duration(&burst.on), self.some_duration(&burst.every));
        let over = burst.over.as_ref().map(|over| self.length(over));
        let times = burst.times.as_ref().map(|times| self.count(times, "a number of bursts"));
        let (base, on, every) = (base?, on?, every?);
        let (rate, is_factor) = rate?;
        if is_factor && burst.base.is_none() {
            self.report(
                Problem::error(
                    Code::MissingArgument,
                    burst.rate.span,
                    "a burst by a factor needs a `base` to multiply",
                )
                .help("write `base 30`, or the burst's own rate"),
            );
            return None;
        }
        if on > every {
            self.report(
                Problem::error(
                    Code::BadShape,
                    burst.on.span,
                    "the burst is longer than its period",
                )
                .label("lasts this long")
                .and(burst.every.span, "and comes again after this")
                .help("make `for` at most as long as `every`"),
            );
            return None;
        }
        let rate = match is_factor {
            true => checked('*', &rate, &base)?,
            false => rate,
        };
        let cycle = Curve::Sequence(vec![
            Curve::Constant { rate, length: Some(on) },
            Curve::Constant { rate: base, length: Some(every - on) },
        ]);
        let times = match times {
            None => None,
            Some(times) => Some(times?),
        };
        let over = match over {
            None => None,
            Some(over) => over?,
        };
        let repeated = Curve::Repeat { times, body: Box::new(cycle) };
        Some(match over {
            // With both, whichever ends first.
            Some(length) => Curve::Cut { length, body: Box::new(repeated) },
            None => repeated,
        })
    }

    fn steps(&mut self, steps: &Steps) -> Option<Curve> {
        let each = steps.each.as_ref().map(|each| self.duration(each));
        let over = steps.over.as_ref().map(|over| (over, self.length(over)));
        let mut parts = Some(Vec::new());
        let mut sum = whole(0);
        for (level, length) in &steps.levels {
            let rate = self.rate(level);
            let length = match length {
                Some(length) => self.duration(length),
                None => each.flatten(),
            };
            match (rate, length, parts.as_mut()) {
                (Some(rate), Some(length), Some(parts)) => {
                    sum += length;
                    parts.push(Curve::Constant { rate, length: Some(length) });
                }
                _ => parts = None,
            }
        }
        let round = Curve::Sequence(parts?);
        self.round(round, sum, over, steps.levels.first().map(|(level, _)| level.span))
    }

    /// Goes round until a length is full; once if there is none.
    fn round(
        &mut self,
        round: Curve,
        length: Exact,
        over: Option<(&Length, Option<Option<Exact>>)>,
        place: Option<Span>,
    ) -> Option<Curve> {
        let Some((_, over)) = over else { return Some(round) };
        let over = over?;
        if length.is_zero() {
            let problem = Problem::error(
                Code::BadShape,
                place.unwrap_or_default(),
                "this goes round and round in no time",
            );
            self.report(problem.help("give its parts a length above 0"));
            return None;
        }
        let repeated = Curve::Repeat { times: None, body: Box::new(round) };
        Some(match over {
            Some(length) => Curve::Cut { length, body: Box::new(repeated) },
            None => repeated,
        })
    }

    fn stairs(&mut self, from: &Expr, to: &Expr, by: &Expr, every: &Expr) -> Option<Curve> {
        let (first, last) = (self.rate(from), self.rate(to));
        let (step, every) = (self.rate(by), self.duration(every));
        let (first, last, step, every) = (first?, last?, step?, every?);
        let height = if last > first { last - first } else { first - last };
        if step.is_zero() {
            self.report(
                Problem::error(Code::OutOfRange, by.span, "a step of 0 gets nowhere")
                    .help("write the height of a step, up or down: `by 10`"),
            );
            return None;
        }
        let steps = checked('/', &height, &step)?.ceil().to_integer();
        if steps > MAX_STEPS {
            self.report(
                Problem::error(
                    Code::TooIntricate,
                    by.span,
                    format!("these stairs have {steps} steps"),
                )
                .help(format!("at most {MAX_STEPS}; a `ramp` has as many as you like")),
            );
            return None;
        }
        let level = |n: i128| {
            let height = step * whole(n);
            if last > first { (first + height).min(last) } else { (first - height).max(last) }
        };
        let parts = (0..=steps).map(|n| Curve::Constant { rate: level(n), length: Some(every) });
        Some(Curve::Sequence(parts.collect()))
    }

    fn points(&mut self, points: &Points) -> Option<Curve> {
        let mut values = Some(Vec::new());
        for (at, rate) in &points.points {
            match (self.duration(at), self.rate(rate), values.as_mut()) {
                (Some(time), Some(rate), Some(values)) => values.push((time, rate, at.span)),
                _ => values = None,
            }
        }
        let over = points.repeat.as_ref().map(|length| (length, self.length(length)));
        let values = values?;
        let (start, _, place) = *values.first()?;
        if !start.is_zero() {
            self.report(
                Problem::error(Code::BadShape, place, "points begin at `0s`")
                    .label("the first point")
                    .help("put a point `0s …` before it"),
            );
            return None;
        }
        if values.len() == 1 {
            self.report(
                Problem::error(Code::BadShape, place, "one point makes no line")
                    .help("add the point where it ends: `0s 10, 30s 100`"),
            );
            return None;
        }
        let mut parts = Vec::new();
        for pair in values.windows(2) {
            let [(t0, r0, earlier), (t1, r1, later)] = pair else { continue };
            if t1 < t0 {
                self.report(
                    Problem::error(Code::BadShape, *later, "points go forward in time")
                        .label("earlier than the one before it")
                        .and(*earlier, "the one before")
                        .help("put the points in the order of their times"),
                );
                return None;
            }
            let (from, to, over) = (*r0, *r1, *t1 - *t0);
            let ramp = |curve| Curve::Ramp { from, to, over, curve, mirrored: false };
            parts.push(match points.between {
                Between::Linear => ramp(RampCurve::Linear),
                Between::Smooth => ramp(RampCurve::Smooth),
                Between::Held => Curve::Constant { rate: from, length: Some(over) },
            });
        }
        let sum = values.last().map_or(whole(0), |(time, ..)| *time);
        self.round(Curve::Sequence(parts), sum, over, Some(place))
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
        Curve::Ramp { .. } | Curve::AtOnce { .. } | Curve::Total { .. } | Curve::Cut { .. } => {
            false
        }
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().any(is_endless),
        Curve::Repeat { times, body } => times.is_none() || (*times != Some(0) && is_endless(body)),
        Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Mark { body, .. } => is_endless(body),
    }
}

/// Whether a curve has no length.
fn is_empty(curve: &Curve) -> bool {
    match curve {
        Curve::Constant { length, .. }
        | Curve::Sine { length, .. }
        | Curve::Walk { length, .. }
        | Curve::Chaos { length, .. }
        | Curve::Replay { length, .. } => length.is_some_and(|length| length.is_zero()),
        Curve::Ramp { over, .. } => over.is_zero(),
        Curve::AtOnce { .. } => true,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().all(is_empty),
        Curve::Repeat { times, body } => *times == Some(0) || is_empty(body),
        Curve::Cut { length, body } => length.is_zero() || is_empty(body),
        Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Total { body, .. }
        | Curve::Mark { body, .. } => is_empty(body),
    }
}

/// The most jobs a stream may hold; above it counts would leave exact arithmetic.
pub(super) const MAX_JOBS: u64 = MAX_COUNT as u64;
