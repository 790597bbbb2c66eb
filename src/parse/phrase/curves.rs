//! Shapes that a formula gives: a rate held, a ramp, waves and bursts.

use crate::ast::{Burst, Hold, Length, PhraseKind, Ramp, RampCurve, Sine};
use crate::parse::arguments::arguments;
use crate::parse::{Pair, Reader, Rule};
use crate::problem::{Code, Problem};
use crate::source::{Span, Spanned};

impl Reader {
    pub(super) fn constant(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
        let mut inner = arguments(pair);
        let rate = inner.next().map(|rate| self.expr(rate))?;
        let length = inner.next().and_then(|length| self.length(length))?;
        Some(PhraseKind::Constant { rate, length })
    }

    pub(super) fn pause(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let expr = pair.into_inner().find(|p| p.as_rule() == Rule::expr);
        Some(PhraseKind::Pause(match expr {
            Some(expr) => Length::For(self.expr(expr)),
            None => Length::Forever(span),
        }))
    }

    pub(super) fn hold_depth(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
        let (mut queue, mut depth, mut most, mut length) = (None, None, None, None);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::string => queue = Some(self.quoted(&part, "the name of a queue")),
                Rule::expr => depth = Some(self.expr(part)),
                Rule::rate_bound => {
                    let value = self.argument(part)?;
                    self.once(&mut most, value, at, "at most");
                }
                Rule::length => {
                    let value = self.length(part)?;
                    self.once(&mut length, value, at, "the length");
                }
                _ => {}
            }
        }
        let length = self.needed(length, span, "hold depth", "`for`", "for 10m")?;
        Some(PhraseKind::Hold(Hold { queue, depth: depth?, most, length }))
    }

    pub(super) fn ramp(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn sine(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn burst(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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
}
