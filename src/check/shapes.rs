//! Shapes become curves.

use super::Checker;
use crate::ast::{Between, Burst, Expr, Length, Points, Ramp, RampCurve, Sine, Steps};
use crate::exact::{Exact, checked, minus, order, plus, times, whole};
use crate::problem::{Code, Problem};
use crate::source::Span;
use crate::timeline::curve::Curve;
use num_traits::Zero;

/// Most steps that all `stairs` of a script may have.
const MAX_STEPS: i128 = 100_000;

impl Checker<'_> {
    /// `None` inside is forever.
    pub(super) fn length(&mut self, length: &Length) -> Option<Option<Exact>> {
        match length {
            Length::Forever(_) => Some(None),
            Length::For(expr) => self.duration(expr).map(Some),
        }
    }

    pub(super) fn ramp(&mut self, ramp: &Ramp) -> Option<Curve> {
        let (from, to) = (self.rate(&ramp.from), self.rate(&ramp.to));
        let over = self.duration(&ramp.over);
        let hold = ramp.hold.as_ref().map(|hold| self.duration(hold));
        let back = match &ramp.back {
            None => None,
            Some(None) => Some(over),
            Some(Some(back)) => Some(self.duration(back)),
        };
        let (from, to) = (from?, to?);
        if from == to {
            self.ramp_lint(ramp);
        }
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

    pub(super) fn sine(&mut self, sine: &Sine) -> Option<Curve> {
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
        if let (Some(base), Some(amp)) = (&base, &amp) {
            self.sine_lints(sine, base, amp);
        }
        Some(Curve::Sine {
            base: base?,
            amp: amp?,
            period: period?,
            phase: phase?,
            length: length?,
        })
    }

    pub(super) fn burst(&mut self, burst: &Burst) -> Option<Curve> {
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
        if on == every {
            self.burst_lint(burst.on.span, burst.every.span);
        }
        let rate = match is_factor {
            true => checked('*', &rate, &base)?,
            false => rate,
        };
        let off = self.arithmetic('-', &every, &on, burst.every.span)?;
        let cycle = Curve::Sequence(vec![
            Curve::Constant { rate, length: Some(on) },
            Curve::Constant { rate: base, length: Some(off) },
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

    pub(super) fn steps(&mut self, steps: &Steps) -> Option<Curve> {
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
                    sum = self.arithmetic('+', &sum, &length, level.span)?;
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

    pub(super) fn stairs(
        &mut self,
        from: &Expr,
        to: &Expr,
        by: &Expr,
        every: &Expr,
    ) -> Option<Curve> {
        let (first, last) = (self.rate(from), self.rate(to));
        let (step, every) = (self.signed_rate(by), self.duration(every));
        let (first, last, step, every) = (first?, last?, step?, every?);
        let height = if last > first { last - first } else { first - last };
        if step <= whole(0) {
            let message = match step.is_zero() {
                true => "a step of 0 gets nowhere",
                false => "the height of a step is above 0",
            };
            self.report(
                Problem::error(Code::OutOfRange, by.span, message)
                    .help("write `by 10`: stairs go down where their second end is the lower"),
            );
            return None;
        }
        let steps = checked('/', &height, &step)?.ceil().to_integer();
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS {
            self.steps = 0;
            self.report(
                Problem::error(
                    Code::TooIntricate,
                    by.span,
                    format!("these stairs have {} steps", crate::show::count(u64::try_from(steps).unwrap_or(u64::MAX))),
                )
                .help("a script's stairs have at most 100,000 steps; a `ramp` has as many as you like"),
            );
            return None;
        }
        let up = order(&last, &first).is_gt();
        let level = |n: i128| {
            let height = times(&step, &whole(n))?;
            let level = if up { plus(&first, &height)? } else { minus(&first, &height)? };
            let beyond = if up { order(&level, &last) } else { order(&last, &level) };
            Some(if beyond.is_gt() { last } else { level })
        };
        let part = |n| Some(Curve::Constant { rate: level(n)?, length: Some(every) });
        let parts = (0..=steps).map(part).collect::<Option<_>>();
        if parts.is_none() {
            let problem = Problem::error(
                Code::Arithmetic,
                by.span,
                "this needs more digits than loadc keeps",
            );
            self.report(problem.help("write steps with fewer decimals"));
        }
        parts.map(Curve::Sequence)
    }

    pub(super) fn points(&mut self, points: &Points) -> Option<Curve> {
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
            let (from, to) = (*r0, *r1);
            let over = self.arithmetic('-', t1, t0, *later)?;
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
