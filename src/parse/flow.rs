//! Flows.

use super::{Pair, Reader, Rule};
use crate::ast::{Expr, ExprKind, Flow, FlowStep, FlowWay, Name, RangeArg, StatementKind, Unit};
use crate::problem::{Code, Problem};

impl Reader {
    pub(super) fn flow(&mut self, pair: Pair<'_>) -> StatementKind {
        let (mut name, mut weight, mut steps) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(part)),
                Rule::weight => weight = self.argument(part),
                Rule::flow_block => steps = self.flow_steps(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        let Some(name) = name else { return StatementKind::Broken(None) };
        let broken = steps.iter().any(Option::is_none);
        let steps = steps.into_iter().flatten().collect();
        StatementKind::Flow(Flow { name, weight, steps, broken })
    }

    /// The steps of a flow's block; none in the place of one that could not be read.
    pub(super) fn flow_steps(&mut self, pair: Pair<'_>) -> Vec<Option<FlowStep>> {
        self.parted(pair).into_iter().map(|step| self.flow_step(step)).collect()
    }

    fn flow_step(&mut self, pair: Pair<'_>) -> Option<FlowStep> {
        let span = self.trimmed(&pair);
        if pair.as_rule() == Rule::broken_rule {
            self.broken_rule(&pair, Rule::lone_flow_step);
            return None;
        }
        let (mut from, mut ways) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => from = Some(self.name(part)),
                Rule::flow_way => ways.extend(self.flow_way(part)),
                _ => {}
            }
        }
        Some(FlowStep { from: from?, ways, span })
    }

    fn flow_way(&mut self, pair: Pair<'_>) -> Option<FlowWay> {
        let mut to: Option<Name> = None;
        let (mut after, mut shares): (Option<RangeArg>, Vec<Expr>) = (None, Vec::new());
        let mut twice = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::name => to = Some(self.name(part)),
                Rule::flow_after => {
                    let range = part.into_inner().find(|part| part.as_rule() != Rule::kw_after);
                    let range = range.and_then(|range| self.range(range));
                    if std::mem::replace(&mut after, range).is_some() {
                        twice.push(span);
                    }
                }
                _ => {
                    let expr = part.into_inner().find(|part| part.as_rule() == Rule::expr);
                    shares.extend(expr.map(|expr| self.expr(expr)));
                }
            }
        }
        if after.is_none() {
            after = self.lost_after(&mut shares);
        }
        twice.extend(shares.iter().skip(1).map(|share| share.span));
        for span in twice {
            let message = "a way has one `after` and one share";
            self.push(
                Problem::error(Code::Twice, span, message)
                    .label("the second time")
                    .help("write `created -> paid after 5m..30m 95%, or cancelled 5%`"),
            );
        }
        let share = shares.into_iter().next();
        to.map(|to| FlowWay { to, after, share })
    }

    /// A time where a share stands: its `after` is missing, or misspelt before it.
    fn lost_after(&mut self, shares: &mut Vec<Expr>) -> Option<RangeArg> {
        let is_time = |share: &Expr| matches!(&share.kind, ExprKind::Literal(literal) if literal.unit == Unit::Duration);
        let at = shares.iter().position(is_time)?;
        let time = shares.remove(at);
        let ExprKind::Literal(literal) = &time.kind else { return None };
        let before = at.checked_sub(1).and_then(|before| shares.get(before));
        let word = match before {
            Some(Expr { kind: ExprKind::Name(word), span }) => Some((word.clone(), *span)),
            _ => None,
        };
        let (span, message) = match &word {
            Some((word, span)) => {
                (*span, format!("`{word}` is not what a way of a flow needs here"))
            }
            None => (time.span, format!("`after` is missing before `{}`", literal.text)),
        };
        if word.is_some() {
            shares.remove(at - 1);
        }
        let help = format!("write `after {}`", literal.text);
        self.push(Problem::error(Code::Expected, span, message).help(help));
        let span = time.span;
        Some(RangeArg { low: time, high: None, span })
    }
}
