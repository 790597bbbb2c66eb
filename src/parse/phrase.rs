//! Shapes and blocks of shapes.

use super::{Pair, Reader, Rule};
use crate::ast::{
    Between, Burst, Chaos, Column, Comparison, Expr, Length, Name, Phrase, PhraseKind, Points,
    Ramp, RampCurve, Replay, Sine, Statement, StatementKind, Steps, Until, Walk,
};
use crate::problem::{Code, Problem};
use crate::source::{Span, Spanned};

/// What follows a shape or a block: `total`, and a label.
#[derive(Default)]
struct Suffixes {
    total: Option<Expr>,
    label: Option<Name>,
    until: Option<Until>,
}

impl Reader {
    pub(super) fn shape_phrase(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut inner = pair.into_inner();
        let Some(shape) = inner.next() else { return StatementKind::Broken(None) };
        let head = self.trimmed(&shape);
        let kind = self.shape(shape, head);
        let mut suffixes = Suffixes::default();
        for suffix in inner {
            self.suffix(suffix, &mut suffixes);
        }
        phrase(kind, suffixes, head)
    }

    pub(super) fn block_phrase(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut inner = pair.into_inner();
        let (Some(head), Some(block)) = (inner.next(), inner.next()) else {
            return StatementKind::Broken(None);
        };
        let span = self.trimmed(&head);
        let body = self.statements(block);
        let kind = self.block_head(head, body);
        let mut suffixes = Suffixes::default();
        for rest in inner {
            match rest.as_rule() {
                Rule::excess => self.excess(&rest),
                _ => self.suffix(rest, &mut suffixes),
            }
        }
        phrase(kind, suffixes, span)
    }

    fn suffix(&mut self, pair: Pair<'_>, suffixes: &mut Suffixes) {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if rule == Rule::until {
            if let Some(until) = self.until(pair) {
                self.once(&mut suffixes.until, until, span, "until");
            }
            return;
        }
        let Some(value) = pair.into_inner().last() else { return };
        match rule {
            Rule::total => {
                let total = self.expr(value);
                self.once(&mut suffixes.total, total, span, "total");
            }
            _ => {
                let label = self.quoted(&value, "the name of a phrase");
                self.once(&mut suffixes.label, label, span, "as");
            }
        }
    }

    fn until(&mut self, pair: Pair<'_>) -> Option<Until> {
        let span = self.trimmed(&pair);
        let (mut queue, mut comparison, mut limit) = (None, None, None);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::string | Rule::bare_text => {
                    queue = Some(self.quoted(&part, "the name of a queue"));
                }
                Rule::comparison => {
                    let found = match part.as_str() {
                        "<" => Comparison::Less,
                        "<=" | "≤" => Comparison::AtMost,
                        ">" => Comparison::Greater,
                        ">=" | "≥" => Comparison::AtLeast,
                        _ => Comparison::Equal,
                    };
                    comparison = Some(Spanned::new(found, at));
                }
                Rule::expr => limit = Some(self.expr(part)),
                _ => {}
            }
        }
        Some(Until { queue, comparison: comparison?, limit: limit?, span })
    }

    fn block_head(&mut self, pair: Pair<'_>, body: Vec<Statement>) -> Option<PhraseKind> {
        let rule = pair.as_rule();
        if rule == Rule::arrivals_block {
            let arrival = pair.into_inner().find(|part| part.as_rule() == Rule::arrival)?;
            return Some(PhraseKind::Arrivals(self.arrival(arrival)?, body));
        }
        if rule == Rule::at_block {
            let clock = pair.into_inner().find(|part| part.as_rule() == Rule::clock)?;
            let at = Name::new(clock.as_str().to_owned(), self.span(&clock));
            return Some(PhraseKind::At(at, body));
        }
        let argument =
            pair.into_inner().find(|p| p.as_rule() == Rule::expr).map(|expr| self.expr(expr));
        Some(match (rule, argument) {
            (Rule::group, _) => PhraseKind::Group(body),
            (Rule::together, _) => PhraseKind::Together(body),
            (Rule::warmup, _) => PhraseKind::Warmup(body),
            (Rule::repeat, times) => PhraseKind::Repeat(times, body),
            (Rule::scale, Some(factor)) => PhraseKind::Scale(factor, body),
            (Rule::cap, Some(rate)) => PhraseKind::Cap(rate, body),
            (Rule::floor, Some(rate)) => PhraseKind::Floor(rate, body),
            (Rule::speed, Some(factor)) => PhraseKind::Speed(factor, body),
            (Rule::jitter, Some(amount)) => PhraseKind::Jitter(amount, body),
            _ => return None,
        })
    }

    fn shape(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        match pair.as_rule() {
            Rule::constant => self.constant(pair),
            Rule::pause => self.pause(pair, span),
            Rule::drain => self.argument(pair).map(PhraseKind::Drain),
            Rule::ramp => self.ramp(pair, span),
            Rule::sine => self.sine(pair, span),
            Rule::burst => self.burst(pair, span),
            Rule::steps => self.steps(pair, span),
            Rule::stairs => self.stairs(pair, span),
            Rule::points => self.points(pair),
            Rule::shape_call => self.shape_call(pair),
            Rule::walk => self.walk(pair, span),
            Rule::chaos => self.chaos(pair, span),
            Rule::replay => self.replay(pair),
            Rule::at_once => {
                let count = pair.into_inner().find(|p| p.as_rule() == Rule::expr)?;
                Some(PhraseKind::AtOnce(self.expr(count)))
            }
            _ => None,
        }
    }

    fn constant(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
        let mut inner = arguments(pair);
        let rate = inner.next().map(|rate| self.expr(rate))?;
        let length = inner.next().and_then(|length| self.length(length))?;
        Some(PhraseKind::Constant { rate, length })
    }

    fn pause(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let expr = pair.into_inner().find(|p| p.as_rule() == Rule::expr);
        Some(PhraseKind::Pause(match expr {
            Some(expr) => Length::For(self.expr(expr)),
            None => Length::Forever(span),
        }))
    }

    fn ramp(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut ends, mut over, mut curve, mut hold, mut back) =
            (Vec::new(), None, None, None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::expr => ends.push(self.expr(part)),
                Rule::over => {
                    let value = self.argument(part)?;
                    self.once(&mut over, value, at, "over");
                }
                Rule::ramp_curve => {
                    let found = match part.as_str() {
                        "exponential" => RampCurve::Exponential,
                        "logarithmic" => RampCurve::Logarithmic,
                        "smooth" => RampCurve::Smooth,
                        _ => RampCurve::Linear,
                    };
                    self.once(&mut curve, Spanned::new(found, at), at, "the curve");
                }
                Rule::hold => hold = self.argument(part),
                Rule::back => {
                    let over = part.into_inner().find(|p| p.as_rule() == Rule::over);
                    back = Some(over.and_then(|over| self.argument(over)));
                }
                _ => {}
            }
        }
        let over = self.needed(over, span, "ramp", "`over`", "over 60s")?;
        let mut ends = ends.into_iter();
        let curve = curve.unwrap_or(Spanned::new(RampCurve::Linear, span));
        Some(PhraseKind::Ramp(Ramp {
            from: ends.next()?,
            to: ends.next()?,
            over,
            curve,
            hold,
            back,
        }))
    }

    fn sine(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut base, mut amp, mut period, mut phase, mut length) = (None, None, None, None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            let rule = part.as_rule();
            if rule == Rule::length {
                let value = self.length(part)?;
                self.once(&mut length, value, at, "the length");
                continue;
            }
            let value = self.argument(part)?;
            match rule {
                Rule::base => self.once(&mut base, value, at, "base"),
                Rule::amp => self.once(&mut amp, value, at, "amp"),
                Rule::period => self.once(&mut period, value, at, "period"),
                _ => self.once(&mut phase, value, at, "phase"),
            }
        }
        let base = self.needed(base, span, "sine", "`base`", "base 100");
        let amp = self.needed(amp, span, "sine", "`amp`", "amp 30");
        let length = self.needed(length, span, "sine", "a length", "for 8h");
        Some(PhraseKind::Sine(Sine { base: base?, amp: amp?, period, phase, length: length? }))
    }

    fn burst(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let mut inner = arguments(pair);
        let rate = inner.next().map(|rate| self.expr(rate))?;
        let (mut on, mut every, mut base, mut over, mut times) = (None, None, None, None, None);
        let mut twice = false;
        for part in inner {
            let at = self.span(&part);
            let rule = part.as_rule();
            if rule == Rule::over_length {
                let value = self.length(part)?;
                self.once(&mut over, value, at, "over");
                continue;
            }
            let value = self.argument(part)?;
            match rule {
                Rule::on if on.is_some() && over.is_none() => {
                    twice = true;
                    self.push(
                        Problem::error(Code::Twice, at, "`for` is how long one burst lasts")
                            .label("given for the second time")
                            .help("how long all of it lasts is `over`: `for 5s every 15s over 2m`"),
                    );
                }
                Rule::on => self.once(&mut on, value, at, "for"),
                Rule::every => self.once(&mut every, value, at, "every"),
                Rule::base => self.once(&mut base, value, at, "base"),
                _ => self.once(&mut times, value, at, "times"),
            }
        }
        let on = self.needed(on, span, "burst", "`for`", "for 5s");
        let every = self.needed(every, span, "burst", "`every`", "every 15s");
        if over.is_none() && times.is_none() {
            // `for` twice is an `over` that was called `for`, and has been said.
            if !twice {
                self.missing(span, "`burst`", "an end", "over 2m` or `times 10");
            }
            return None;
        }
        Some(PhraseKind::Burst(Burst { rate, on: on?, every: every?, base, over, times }))
    }

    fn steps(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut levels, mut each, mut over) = (Vec::new(), None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::step => {
                    let mut inner = part.into_inner();
                    let level = inner.next().map(|level| self.expr(level))?;
                    let length = inner.next().and_then(|on| self.argument(on));
                    levels.push((level, length));
                }
                Rule::each => {
                    let value = self.argument(part)?;
                    self.once(&mut each, value, at, "each");
                }
                Rule::over_length => {
                    let value = self.length(part)?;
                    self.once(&mut over, value, at, "over");
                }
                _ => {}
            }
        }
        if each.is_none() {
            let bare = levels.iter().find(|(_, length)| length.is_none());
            if let Some((level, _)) = bare {
                let at = level.span;
                self.missing(at, "this step", "a length", "for 30s` behind it, or `each 30s");
                self.unfinished = Some((span.end as usize, self.problems.len().saturating_sub(1)));
                return None;
            }
        }
        Some(PhraseKind::Steps(Steps { levels, each, over }))
    }

    fn stairs(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut ends, mut by, mut every) = (Vec::new(), None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::expr => ends.push(self.expr(part)),
                Rule::by => {
                    let value = self.argument(part)?;
                    self.once(&mut by, value, at, "by");
                }
                Rule::every => {
                    let value = self.argument(part)?;
                    self.once(&mut every, value, at, "every");
                }
                _ => {}
            }
        }
        let by = self.needed(by, span, "stairs", "`by`", "by 10");
        let every = self.needed(every, span, "stairs", "`every`", "every 30s");
        let mut ends = ends.into_iter();
        Some(PhraseKind::Stairs { from: ends.next()?, to: ends.next()?, by: by?, every: every? })
    }

    fn points(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
        let mut between = Between::Linear;
        let (mut points, mut repeat) = (Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_held => between = Between::Held,
                Rule::kw_smooth => between = Between::Smooth,
                Rule::point => {
                    let mut inner = part.into_inner();
                    let at = inner.next().map(|at| self.expr(at))?;
                    points.push((at, inner.next().map(|rate| self.expr(rate))?));
                }
                Rule::loop_for => {
                    let length = part.into_inner().find(|p| p.as_rule() == Rule::length)?;
                    repeat = self.length(length);
                }
                _ => {}
            }
        }
        Some(PhraseKind::Points(Points { between, points, repeat }))
    }

    fn walk(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut from, mut by, mut every, mut within, mut length) = (None, None, None, None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            let rule = part.as_rule();
            match rule {
                Rule::length => {
                    let value = self.length(part)?;
                    self.once(&mut length, value, at, "the length");
                }
                Rule::within => {
                    let range = part.into_inner().find(|part| part.as_rule() == Rule::range)?;
                    let (low, high) = self.bounds(range)?;
                    self.once(&mut within, (low, high), at, "within");
                }
                _ => {
                    let value = self.argument(part)?;
                    match rule {
                        Rule::from => self.once(&mut from, value, at, "from"),
                        Rule::by => self.once(&mut by, value, at, "by"),
                        _ => self.once(&mut every, value, at, "every"),
                    }
                }
            }
        }
        let from = self.needed(from, span, "walk", "`from`", "from 60");
        let by = self.needed(by, span, "walk", "`by`", "by 5");
        let every = self.needed(every, span, "walk", "`every`", "every 1s");
        let length = self.needed(length, span, "walk", "a length", "for 10m");
        Some(PhraseKind::Walk(Walk {
            from: from?,
            by: by?,
            every: every?,
            within,
            length: length?,
        }))
    }

    fn chaos(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut levels, mut every, mut length) = (None, None, None);
        for part in arguments(pair) {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::range => levels = self.bounds(part),
                Rule::every_range => {
                    let inner = part.into_inner().last()?;
                    let value = match inner.as_rule() {
                        Rule::range => {
                            let (shortest, longest) = self.bounds(inner)?;
                            (shortest, Some(longest))
                        }
                        _ => (self.expr(inner), None),
                    };
                    self.once(&mut every, value, at, "every");
                }
                _ => {
                    let value = self.length(part)?;
                    self.once(&mut length, value, at, "the length");
                }
            }
        }
        let (low, high) = levels?;
        let every = self.needed(every, span, "chaos", "`every`", "every 30s..3m");
        let length = self.needed(length, span, "chaos", "a length", "for 30m");
        Some(PhraseKind::Chaos(Chaos { low, high, every: every?, length: length? }))
    }

    fn replay(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
        let (mut file, mut at, mut time, mut rate, mut held) = (None, None, None, None, None);
        let (mut scale, mut speed) = (None, None);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::string => file = Some(self.plain_string(&part)),
                Rule::at_column => {
                    let column = self.column(part)?;
                    self.once(&mut at, column, span, "at");
                }
                Rule::time_column => {
                    let column = self.column(part)?;
                    self.once(&mut time, column, span, "time");
                }
                Rule::rate_column => {
                    let column = self.column(part)?.name;
                    self.once(&mut rate, column, span, "rate");
                }
                word @ (Rule::kw_held | Rule::kw_linear) => {
                    self.once(&mut held, word == Rule::kw_held, span, "`held` or `linear`");
                }
                Rule::scale_by => {
                    let value = self.argument(part)?;
                    self.once(&mut scale, value, span, "scale");
                }
                Rule::speed_by => {
                    let value = self.argument(part)?;
                    self.once(&mut speed, value, span, "speed");
                }
                _ => {}
            }
        }
        let held = held.unwrap_or(false);
        Some(PhraseKind::Replay(Replay { file: file?, at, time, rate, held, scale, speed }))
    }

    /// A column's name, and the unit of what is in it.
    fn column(&mut self, pair: Pair<'_>) -> Option<Column> {
        let (mut name, mut unit) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::string => name = Some(self.plain_string(&part)),
                Rule::ident => unit = Some(Name::new(part.as_str().to_owned(), self.span(&part))),
                _ => {}
            }
        }
        Some(Column { name: name?, unit })
    }

    /// Both ends of `a..b`.
    fn bounds(&mut self, range: Pair<'_>) -> Option<(Expr, Expr)> {
        let mut ends = range.into_inner().filter(|part| part.as_rule() == Rule::expr);
        let (low, high) = (ends.next()?, ends.next()?);
        Some((self.expr(low), self.expr(high)))
    }

    /// `for 5m`, `over 5m` or `forever`.
    fn length(&mut self, pair: Pair<'_>) -> Option<Length> {
        let span = self.span(&pair);
        match pair.into_inner().last()? {
            forever if forever.as_rule() == Rule::kw_forever => Some(Length::Forever(span)),
            expr => Some(Length::For(self.expr(expr))),
        }
    }

    /// The expression behind an argument's word.
    pub(super) fn argument(&mut self, pair: Pair<'_>) -> Option<Expr> {
        pair.into_inner().find(|p| p.as_rule() == Rule::expr).map(|expr| self.expr(expr))
    }

    /// Fills a slot, or notes that it is filled already.
    pub(super) fn once<T>(&mut self, slot: &mut Option<T>, value: T, span: Span, name: &str) {
        if slot.is_some() {
            self.push(
                Problem::error(Code::Twice, span, format!("`{name}` is given twice"))
                    .label("the second time")
                    .help("remove one of the two"),
            );
        } else {
            *slot = Some(value);
        }
    }

    fn needed<T>(
        &mut self,
        slot: Option<T>,
        span: Span,
        shape: &str,
        name: &str,
        example: &str,
    ) -> Option<T> {
        if slot.is_none() {
            self.missing(span, &format!("`{shape}`"), name, example);
        }
        slot
    }

    fn missing(&mut self, span: Span, shape: &str, name: &str, example: &str) {
        self.unfinished = Some((span.end as usize, self.problems.len()));
        self.push(
            Problem::error(Code::MissingArgument, span, format!("{shape} needs {name}"))
                .label("missing here")
                .help(format!("write `{example}`")),
        );
    }
}

/// The pairs of a shape without its keywords and marks.
fn arguments(pair: Pair<'_>) -> impl Iterator<Item = Pair<'_>> {
    pair.into_inner().filter(|part| {
        matches!(
            part.as_rule(),
            Rule::expr
                | Rule::length
                | Rule::over
                | Rule::ramp_curve
                | Rule::hold
                | Rule::back
                | Rule::base
                | Rule::amp
                | Rule::period
                | Rule::phase
                | Rule::on
                | Rule::every
                | Rule::over_length
                | Rule::times
                | Rule::step
                | Rule::each
                | Rule::by
                | Rule::from
                | Rule::within
                | Rule::range
                | Rule::every_range
        )
    })
}

fn phrase(kind: Option<PhraseKind>, suffixes: Suffixes, head: Span) -> StatementKind {
    match kind {
        Some(kind) => {
            let Suffixes { total, label, until } = suffixes;
            StatementKind::Phrase(Box::new(Phrase { kind, total, label, until, head }))
        }
        None => StatementKind::Broken(None),
    }
}
