//! Values in the body of a job.

use super::{Expr, Literal, Name};
use crate::source::Span;

/// A value in a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Its place.
    pub span: Span,
}

/// What a value in a body is.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written, to be sent so.
    Number(Literal),
    /// `"order {seq()} of {user}"`
    Text(Vec<TextPart>),
    /// `[a, b]`
    Array(Vec<Value>),
    /// `{ key: value, … }`
    Object(Vec<(Name, Value)>),
    /// `list(1..6) { … }`
    List {
        /// How many items.
        count: Box<RangeArg>,
        /// What each is.
        item: Box<Value>,
    },
    /// `uuid()`, `int(1..6)`, `pick("a" 70%, "b" 30%)`
    Call {
        /// The generator's name.
        name: Name,
        /// Its arguments.
        args: Vec<CallArg>,
    },
    /// `user`: the value of another field of the body, or a `let`.
    Reference(Name),
    /// `user.name`: a column of the job's row.
    Column(Name, Name),
}

/// A piece of an interpolated string.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters to be sent as they are, escapes resolved.
    Literal(String),
    /// `{seq()}`
    Value(Value),
}

/// `1..6`, or `6` alone.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeArg {
    /// The first number.
    pub low: Expr,
    /// The number after `..`.
    pub high: Option<Expr>,
    /// Its place.
    pub span: Span,
}

/// An argument of a generator.
#[derive(Clone, Debug, PartialEq)]
pub enum CallArg {
    /// `1..6`
    Range(RangeArg),
    /// A value, with the weight that `pick` allows behind it: `"ann" 70%`.
    Value(Value, Option<Expr>),
}
