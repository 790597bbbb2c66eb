//! Expressions, and the numbers with units in them.

use super::Name;
use crate::exact::Exact;
use crate::source::{Span, Spanned};

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1.5k`, `30s`, `4KB`, `5%`, `90deg`
    Literal(Literal),
    /// `"redis://…"`
    Text(String),
    /// `peak`
    Name(String),
    /// `env("REDIS_URL")`
    Env(Name),
    /// `-x`
    Negate(Box<Expr>),
    /// `a + b`
    Binary(Box<Expr>, Spanned<Operator>, Box<Expr>),
    /// `k/min`
    Per(Box<Expr>, Spanned<PerUnit>),
    /// `x1.5`, `x(expr)`
    Factor(Box<Expr>),
    /// `min(a, b)`
    Call(Name, Vec<Expr>),
    /// `(a + b)`
    Parens(Box<Expr>),
}

/// A number with its unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// In the unit's base: seconds, bytes, turns, ones.
    pub value: Exact,
    /// What it measures.
    pub unit: Unit,
    /// As it was written.
    pub text: String,
}

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nothing: a count, a factor, or a rate in jobs per second where one belongs.
    Plain,
    /// A duration, in seconds.
    Duration,
    /// A size, in bytes.
    Size,
    /// A share, in ones: 5% is 0.05.
    Share,
    /// An angle in degrees, radians or turns, kept in turns.
    Angle,
    /// A rate, in jobs per second.
    Rate,
    /// A factor: `x1.5`.
    Factor,
}

/// An infix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// The unit glued to a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PerUnit {
    /// `/s`
    Second,
    /// `/min`
    Minute,
    /// `/h`
    Hour,
    /// `/day`
    Day,
}
