//! Shapes that name their levels: steps, stairs and points.

use crate::ast::{Between, PhraseKind, Points, Steps};
use crate::parse::arguments::arguments;
use crate::parse::{Pair, Reader, Rule};
use crate::source::Span;

impl Reader {
    pub(super) fn steps(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn stairs(&mut self, pair: Pair<'_>, span: Span) -> Option<PhraseKind> {
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

    pub(super) fn points(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
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
}
