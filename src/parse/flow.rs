//! Flows.

use super::{Pair, Reader, Rule};
use crate::ast::{Expr, Flow, FlowStep, FlowWay, Name, RangeArg, StatementKind};
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
        let (mut after, mut share): (Option<RangeArg>, Option<Expr>) = (None, None);
        for part in pair.into_inner() {
            let span = self.span(&part);
            let twice = match part.as_rule() {
                Rule::name => {
                    to = Some(self.name(part));
                    false
                }
                Rule::flow_after => {
                    let range = part.into_inner().find(|part| part.as_rule() != Rule::kw_after);
                    let range = range.and_then(|range| self.range(range));
                    std::mem::replace(&mut after, range).is_some()
                }
                _ => {
                    let expr = part.into_inner().find(|part| part.as_rule() == Rule::expr);
                    let expr = expr.map(|expr| self.expr(expr));
                    std::mem::replace(&mut share, expr).is_some()
                }
            };
            if twice {
                let message = "a way has one `after` and one share";
                self.push(
                    Problem::error(Code::Twice, span, message)
                        .label("the second time")
                        .help("write `created -> paid after 5m..30m 95%, or cancelled 5%`"),
                );
            }
        }
        to.map(|to| FlowWay { to, after, share })
    }
}
