//! Shapes and blocks of shapes.

mod curves;
mod drawn;
mod levels;

use super::{Pair, Reader, Rule};
use crate::ast::{Comparison, Expr, Name, Phrase, PhraseKind, Statement, StatementKind, Until};
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
            Rule::hold_depth => self.hold_depth(pair, span),
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
