//! Shapes that chance or a recording gives: `walk`, `chaos` and `replay`.

use crate::ast::{Chaos, Column, Name, PhraseKind, Replay, Walk};
use crate::parse::arguments::arguments;
use crate::parse::{Pair, Reader, Rule};
use crate::source::Span;

impl Reader {
    pub(super) fn walk(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn chaos(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn replay(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
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
}
