//! Jobs: where they go and what is said of them.

use super::{Expr, Name, RangeArg, Value};
use crate::source::Span;

/// `job NAME weight W { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's name.
    pub name: Name,
    /// `weight W`
    pub weight: Option<Expr>,
    /// The statements in its braces.
    pub fields: Vec<JobField>,
}

/// A statement within a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobField {
    /// What it says.
    pub kind: JobFieldKind,
    /// Its place.
    pub span: Span,
}

/// What a statement within a job says.
#[derive(Clone, Debug, PartialEq)]
pub enum JobFieldKind {
    /// `queue "orders" as stream`
    Queue(Queue),
    /// `body { … }`
    Body(Value),
    /// `body file "order.json"`
    BodyFile(Name),
    /// `size 1KB..4KB` or `size small`
    Size(SizeSpec, Content),
    /// `rows "users.csv" as user once`
    Rows(Rows),
    /// `args [int(1..9), "x"]`
    Args(Value),
    /// `kwargs { lang: "en" }`
    Kwargs(Value),
    /// `priority 5` or `priority 1..5`
    Priority(RangeArg),
    /// `delay 30s` or `delay 0s..30s`
    Delay(RangeArg),
    /// `timeout 30s`
    Timeout(Expr),
    /// `retry 3`
    Retry(Expr),
    /// `command "XADD" key "*" "data" body`
    Command(Vec<Value>),
    /// What could not be read.
    Broken,
}

/// `queue NAME as FORMAT OPTIONS`
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// A fixed name, or a `pick` among names.
    pub name: Value,
    /// The word after `as`.
    pub format: Option<Name>,
    /// Further words and their values, for the format to judge: `maxlen 10k`.
    pub options: Vec<(Name, Option<Expr>)>,
}

/// `rows PATH as NAME ORDER`
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The file, from the script's folder.
    pub path: Name,
    /// What a row is called in the body.
    pub name: Name,
    /// Which row a job has.
    pub order: RowOrder,
}

/// Which row of a file a job has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum RowOrder {
    /// One after another, and again from the first.
    InTurn,
    /// Any, drawn for each job.
    Random,
    /// One after another, each for one job.
    Once,
}

/// What a payload without a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Content {
    /// Printable text.
    Text,
    /// Any bytes.
    Binary,
}

/// How large a payload without a body is.
#[derive(Clone, Debug, PartialEq)]
pub enum SizeSpec {
    /// `small`, `medium`, `large`, `mixed`
    Class(Name),
    /// `1KB` (both ends) or `1KB..4KB`
    Range(Expr, Option<Expr>),
}
