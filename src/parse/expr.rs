//! Expressions: a flat row of operands and operators becomes a tree.

use super::{Pair, Reader, Rule, number};
use crate::ast::{Expr, ExprKind, Literal, Name, Operator, PerUnit};
use crate::problem::{Code, Problem};
use crate::source::{Span, Spanned};

/// Operators in one expression, those of the expressions around it included. A tree is as deep as
/// its operators are many, and trees are walked by recursion.
const MAX_OPERATORS: usize = 256;

impl Reader {
    /// Reads an `expr` (or an `inner`, its form in parentheses).
    pub(super) fn expr(&mut self, pair: Pair<'_>) -> Expr {
        // Nearly all are one number, or one name.
        let mut inner = pair.into_inner();
        if let (Some(only), None) = (inner.next(), inner.peek()) {
            return self.operand(only);
        }
        let whole = self.span(&pair);
        let own = pair.into_inner().filter(|p| p.as_rule() == Rule::operator).count();
        if self.operators + own > MAX_OPERATORS {
            self.push(
                Problem::error(
                    Code::TooDeep,
                    whole,
                    format!("this expression has more than {MAX_OPERATORS} operators"),
                )
                .help("name parts of it with `let`"),
            );
            return unreadable(whole);
        }
        self.operators += own;
        let expr = self.row(pair, whole);
        self.operators -= own;
        expr
    }

    /// A row of operands and operators.
    fn row(&mut self, pair: Pair<'_>, whole: Span) -> Expr {
        let mut operands: Vec<Expr> = Vec::new();
        let mut operators: Vec<Spanned<Operator>> = Vec::new();
        let mut pairs = pair.into_inner();
        while let Some(pair) = pairs.next() {
            if pair.as_rule() != Rule::operator {
                let operand = self.operand(pair);
                operands.push(operand);
                continue;
            }
            let span = self.span(&pair);
            let operator = match pair.as_str() {
                "+" => Operator::Add,
                "-" => Operator::Subtract,
                "*" => Operator::Multiply,
                _ => Operator::Divide,
            };
            let per = pairs.peek().and_then(|next| self.per_unit(&next, operator, span));
            match (per, operands.pop()) {
                (Some(per), Some(operand)) => {
                    pairs.next();
                    let span = operand.span.to(per.span);
                    operands.push(Expr { kind: ExprKind::Per(Box::new(operand), per), span });
                }
                (_, operand) => {
                    operands.extend(operand);
                    operators.push(Spanned::new(operator, span));
                }
            }
        }
        fold(operands, operators, whole)
    }

    /// `/s`, `/min`, `/h`, `/day` glued behind an operand.
    fn per_unit(&self, next: &Pair<'_>, operator: Operator, at: Span) -> Option<Spanned<PerUnit>> {
        let span = self.span(next);
        let glued = operator == Operator::Divide && at.end == span.start;
        if !glued || next.as_rule() != Rule::variable {
            return None;
        }
        let unit = match next.as_str() {
            "s" => PerUnit::Second,
            "min" => PerUnit::Minute,
            "h" => PerUnit::Hour,
            "day" => PerUnit::Day,
            _ => return None,
        };
        Some(Spanned::new(unit, at.to(span)))
    }

    fn operand(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::number => match self.number(&pair) {
                Some(literal) => ExprKind::Literal(literal),
                None => return unreadable(span),
            },
            Rule::string => ExprKind::Text(self.plain_string(&pair).node),
            Rule::variable => ExprKind::Name(pair.as_str().to_owned()),
            Rule::negation => ExprKind::Negate(Box::new(self.last_operand(pair))),
            Rule::factor => ExprKind::Factor(Box::new(self.last_operand(pair))),
            Rule::parens => match pair.into_inner().next() {
                Some(inner) => ExprKind::Parens(Box::new(self.expr(inner))),
                None => return unreadable(span),
            },
            Rule::env if !self.env_stands => {
                self.push(
                    Problem::error(
                        Code::Misplaced,
                        span,
                        "`env` stands only in `target` and `let`",
                    )
                    .help("name it first: `let peak = env(\"PEAK\")`"),
                );
                return unreadable(span);
            }
            Rule::env => match pair.into_inner().last() {
                Some(name) => ExprKind::Env(self.plain_string(&name)),
                None => return unreadable(span),
            },
            Rule::function => {
                let mut inner = pair.into_inner();
                let name = inner.next().map_or_else(
                    || Name::new(String::new(), span),
                    |name| Name::new(name.as_str().to_owned(), self.span(&name)),
                );
                let args = inner.filter(|p| p.as_rule() == Rule::inner).collect::<Vec<_>>();
                ExprKind::Call(name, args.into_iter().map(|arg| self.expr(arg)).collect())
            }
            // The grammar lets no other rule stand here.
            _ => return unreadable(span),
        };
        Expr { kind, span }
    }

    fn last_operand(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        match pair.into_inner().last() {
            Some(operand) => self.operand(operand),
            None => unreadable(span),
        }
    }

    /// Reads a number with its unit, and notes what is wrong with it; `None` where its value is in
    /// doubt.
    pub(super) fn number(&mut self, pair: &Pair<'_>) -> Option<Literal> {
        match number::read(pair.as_str(), self.span(pair)) {
            Ok(literal) => Some(literal),
            Err(problem) => {
                self.push(problem);
                None
            }
        }
    }
}

/// An expression that has been found wrong. No name is empty, so `check` can tell.
pub(super) fn unreadable(span: Span) -> Expr {
    Expr { kind: ExprKind::Name(String::new()), span }
}

/// `*` and `/` before `+` and `-`, each from left to right.
fn fold(operands: Vec<Expr>, operators: Vec<Spanned<Operator>>, span: Span) -> Expr {
    let mut operands = operands.into_iter();
    let Some(first) = operands.next() else {
        return unreadable(span);
    };
    let mut terms = vec![first];
    let mut sums: Vec<Spanned<Operator>> = Vec::new();
    for (operator, right) in operators.into_iter().zip(operands) {
        match (operator.node, terms.pop()) {
            (Operator::Multiply | Operator::Divide, Some(left)) => {
                terms.push(binary(left, operator, right));
            }
            (_, left) => {
                terms.extend(left);
                terms.push(right);
                sums.push(operator);
            }
        }
    }
    let mut terms = terms.into_iter();
    let Some(first) = terms.next() else {
        return unreadable(span);
    };
    sums.into_iter().zip(terms).fold(first, |left, (operator, right)| binary(left, operator, right))
}

fn binary(left: Expr, operator: Spanned<Operator>, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary(Box::new(left), operator, Box::new(right)), span }
}
