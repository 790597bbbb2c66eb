//! The script as it was written: an owned tree with a span on everything a message may point at.
//!
//! No pest type and no lifetime appears here, comments are kept in a side table, and a statement
//! that could not be read stands as [`StatementKind::Broken`], so that `check`, `fmt` and a
//! language server can all work from the same tree.

mod expect;
mod expr;
mod flow;
mod guard;
mod job;
mod phrase;
mod setting;
mod shape;
mod value;

pub use expect::{Comparison, ExpectKind, Expectation, Measure, Recovery, Statistic, TimeKind};
pub use expr::{Expr, ExprKind, Literal, Operator, PerUnit, Unit};
pub use flow::{Flow, FlowStep, FlowWay};
pub use guard::{GuardAction, GuardKind, GuardRule, Notify, PolicyPart, PolicyTargets, WarnOf};
pub use job::{Content, Job, JobField, JobFieldKind, Queue, RowOrder, Rows, SizeSpec};
pub use phrase::{Hold, Length, Phrase, PhraseKind, Until};
pub use setting::{Arrival, HourLine, Hours, Lateness, Setting, Starts};
pub use shape::{
    Between, Burst, Chaos, Column, Points, Ramp, RampCurve, Replay, Sine, Steps, Walk,
};
pub use value::{CallArg, RangeArg, TextPart, Value, ValueKind};

use crate::source::{Span, Spanned};

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The statements, in the order of the file.
    pub statements: Vec<Statement>,
    /// Every comment, in the order of the file, from its `#` to the end of its line.
    pub comments: Vec<Span>,
}

/// A statement and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// From its first to its last character.
    pub span: Span,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let NAME = EXPR`
    Let(Let),
    /// `use "shared/day.load"`
    Use(Name),
    /// `seed`, `target`, `after`
    Setting(Setting),
    /// `job NAME … { … }`
    Job(Job),
    /// `flow NAME … { … }`
    Flow(Flow),
    /// `load NAME { … }`
    Load(Load),
    /// `send order 40, ping 60`
    Mix(Vec<MixItem>),
    /// `guard { … }`
    Guard(Vec<GuardRule>),
    /// `expect { … }`
    Expect(Vec<Expectation>),
    /// `hours { 07:00-09:00 x1.5 }`
    Hours(Hours),
    /// `shape NAME(PARAM = DEFAULT, …) { … }`
    Shape(Shape),
    /// A shape or a block of shapes.
    Phrase(Box<Phrase>),
    /// What could not be read; its errors are in the parser's list. The name is what the statement
    /// defines, where that much could be told, so that its uses are no errors of their own.
    Broken(Option<Name>),
}

/// A name as written, without its quotes.
pub type Name = Spanned<String>;

/// `let NAME = EXPR`
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name defined.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// `shape NAME(PARAM = DEFAULT, …) { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The name defined.
    pub name: Name,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// What stands in its braces.
    pub body: Vec<Statement>,
}

/// A parameter of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its value where a call gives none.
    pub default: Option<Expr>,
}

/// An argument of a call: `800`, or `peak = 800`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The parameter it is for, where it is named.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// `load NAME { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The stream's name.
    pub name: Name,
    /// What stands in its braces.
    pub body: Vec<Statement>,
}

/// `order 40` in a `send` list.
#[derive(Clone, Debug, PartialEq)]
pub struct MixItem {
    /// The job's name.
    pub job: Name,
    /// Its weight.
    pub weight: Option<Expr>,
}
