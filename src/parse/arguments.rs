//! What the arguments of shapes and rules share: their values, and those that are missing or given
//! twice.

use super::{Pair, Reader, Rule};
use crate::ast::{Expr, Length};
use crate::problem::{Code, Problem};
use crate::source::Span;

impl Reader {
    /// The expression behind an argument's word.
    pub(super) fn argument(&mut self, pair: Pair<'_>) -> Option<Expr> {
        pair.into_inner().find(|p| p.as_rule() == Rule::expr).map(|expr| self.expr(expr))
    }

    /// Both ends of `a..b`.
    pub(super) fn bounds(&mut self, range: Pair<'_>) -> Option<(Expr, Expr)> {
        let mut ends = range.into_inner().filter(|part| part.as_rule() == Rule::expr);
        let (low, high) = (ends.next()?, ends.next()?);
        Some((self.expr(low), self.expr(high)))
    }

    /// `for 5m`, `over 5m` or `forever`.
    pub(super) fn length(&mut self, pair: Pair<'_>) -> Option<Length> {
        let span = self.span(&pair);
        match pair.into_inner().last()? {
            forever if forever.as_rule() == Rule::kw_forever => Some(Length::Forever(span)),
            expr => Some(Length::For(self.expr(expr))),
        }
    }

    /// Fills a slot, or notes that it is filled already.
    pub(super) fn once<T>(&mut self, slot: &mut Option<T>, value: T, span: Span, name: &str) {
        if slot.is_some() {
            // What follows a block belongs to another where a brace is missing.
            if self.shaky && matches!(name, "total" | "as" | "until") {
                return;
            }
            self.push(
                Problem::error(Code::Twice, span, format!("`{name}` is given twice"))
                    .label("the second time")
                    .help("remove one of the two"),
            );
        } else {
            *slot = Some(value);
        }
    }

    pub(super) fn needed<T>(
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

    pub(super) fn missing(&mut self, span: Span, shape: &str, name: &str, example: &str) {
        self.unfinished = Some((span.end as usize, self.problems.len()));
        self.push(
            Problem::error(Code::MissingArgument, span, format!("{shape} needs {name}"))
                .label("missing here")
                .help(format!("write `{example}`")),
        );
    }
}

/// The pairs of a shape without its keywords and marks.
pub(super) fn arguments(pair: Pair<'_>) -> impl Iterator<Item = Pair<'_>> {
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
