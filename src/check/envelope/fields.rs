//! What a job tells its framework by statements of its own: `kwargs`, `delay`, `priority`, `timeout`
//! and `retry`.

use super::Told;
use crate::ast::{Expr, ExprKind, JobFieldKind, RangeArg, Unit, Value, ValueKind};
use crate::check::Checker;
use crate::exact::to_f64;
use crate::job::Setting;
use crate::job::layouts::{Kind, Layout};
use crate::problem::{Code, Problem};
use crate::source::Span;

impl Checker<'_> {
    /// A field that tells the framework something.
    pub(in crate::check) fn tell(&mut self, field: &JobFieldKind, span: Span, told: &mut Told) {
        let Some(layout) = told.layout else { return };
        match field {
            JobFieldKind::Kwargs(value) => self.kwargs(layout, value, span, told),
            JobFieldKind::Delay(range) => match layout.delay {
                Ok(()) => {
                    let delay = self.delay(range);
                    told.note(|envelope| &mut envelope.delay_ns, delay);
                }
                Err(why) => self.refuse(layout, "delay", span, why, told),
            },
            JobFieldKind::Priority(range) => match layout.priority {
                Ok(ends) => {
                    let priority = self.priority(range, ends, layout);
                    told.note(|envelope| &mut envelope.priority, priority);
                }
                Err(why) => self.refuse(layout, "priority", span, why, told),
            },
            JobFieldKind::Timeout(value) => match layout.timeout {
                Ok(word) => {
                    let length = self.some_duration(value);
                    let nanos = length.and_then(|seconds| self.nanos(&seconds, value.span));
                    self.set(word, nanos.map(Setting::Duration), span, told);
                }
                Err(why) => self.refuse(layout, "timeout", span, why, told),
            },
            JobFieldKind::Retry(value) => match layout.retry {
                Ok((word, added)) => {
                    let setting = self.retry(layout, word, added, value);
                    self.set(word, setting, span, told);
                }
                Err(why) => self.refuse(layout, "retry", span, why, told),
            },
            _ => {}
        }
    }

    fn refuse(&mut self, layout: &Layout, word: &str, span: Span, why: &str, told: &mut Told) {
        self.cannot_say(layout, word, span, why);
        told.good = false;
    }

    fn kwargs(&mut self, layout: &Layout, value: &Value, span: Span, told: &mut Told) {
        if !layout.kwargs {
            return self.refuse(layout, "kwargs", span, "its jobs have no named arguments", told);
        }
        if !matches!(value.kind, ValueKind::Object(_)) {
            self.report(
                Problem::error(Code::BadFormat, value.span, "named arguments stand in braces")
                    .help("write `kwargs { lang: \"en\" }`"),
            );
            told.good = false;
            return;
        }
        let kwargs = self.body(value);
        told.note(|envelope| &mut envelope.kwargs, kwargs);
    }

    /// Sets an option by a statement of its own; given among the options too, one is too many.
    fn set(&mut self, word: &str, setting: Option<Setting>, span: Span, told: &mut Told) {
        if let Some(first) = told.places.insert(word.to_owned(), span) {
            self.report(
                Problem::error(Code::Twice, span, format!("`{word}` is one too many"))
                    .label("this one")
                    .and(first, "already given here")
                    .help("remove one of the two"),
            );
            told.good = false;
        }
        match setting {
            Some(setting) => _ = told.envelope.options.insert(word.to_owned(), setting),
            None => told.good = false,
        }
    }

    fn retry(&mut self, layout: &Layout, word: &str, added: u64, value: &Expr) -> Option<Setting> {
        let option = layout.options().find(|option| option.word == word)?;
        if let (Kind::TruthOrCount, ExprKind::Name(name)) = (option.kind, &value.kind)
            && matches!(name.as_str(), "true" | "false")
        {
            return Some(Setting::Flag(name == "true"));
        }
        let tries = self.count(value, "a number of further tries")?;
        Some(Setting::Count(tries.saturating_add(added)))
    }

    fn delay(&mut self, range: &RangeArg) -> Option<(u64, u64)> {
        let low = self.duration(&range.low);
        let high = range.high.as_ref().map_or(low, |high| self.duration(high));
        let low = self.nanos(&low?, range.span)?;
        let high = self.nanos(&high?, range.span)?;
        if low > high {
            let end = range.high.as_ref().map_or(range.low.span, |high| high.span);
            self.range_order(range.low.span, end);
            return None;
        }
        Some((low, high))
    }

    fn priority(
        &mut self,
        range: &RangeArg,
        (least, most): (i64, i64),
        layout: &Layout,
    ) -> Option<(i64, i64)> {
        let mut number = |expr: &Expr| {
            let (value, unit) = self.quantity(expr)?;
            let inside = to_f64(&value) >= least as f64 && to_f64(&value) <= most as f64;
            if unit != Unit::Plain || !value.is_integer() || !inside {
                let message = format!("`as {}` has no such priority", layout.word);
                let help = format!("it is a whole number from {least} to {most}");
                self.report(Problem::error(Code::OutOfRange, expr.span, message).help(help));
                return None;
            }
            i64::try_from(value.to_integer()).ok()
        };
        let low = number(&range.low);
        let high = range.high.as_ref().map_or(low, &mut number);
        let (low, high) = (low?, high?);
        if low > high {
            let end = range.high.as_ref().map_or(range.low.span, |high| high.span);
            self.range_order(range.low.span, end);
            return None;
        }
        Some((low, high))
    }
}
