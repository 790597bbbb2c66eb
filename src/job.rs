//! What is sent: jobs as `check` has resolved them, compiled once into templates whose bytes follow
//! from (seed, load, job number) alone.

mod compile;
mod mix;
mod program;
mod sizes;
mod template;
mod write;

#[cfg(test)]
mod tests;

pub use compile::{CompileError, MAX_DEPTH};
pub use mix::Mix;
pub use sizes::Sizes;
pub use template::{JobContext, Template};

use serde::Serialize;

/// One job of the script, every name and number in it resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobSpec {
    /// Its name; `default` for the one a script without jobs sends.
    pub name: String,
    /// Where it goes.
    pub queue: QueueChoice,
    /// How it is laid out there.
    pub format: Format,
    /// What it carries.
    pub payload: Payload,
}

/// The queue of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum QueueChoice {
    /// Always this one.
    Fixed(String),
    /// One of several, with weights (each above 0), drawn for each job.
    Pick(Vec<(String, f64)>),
}

/// How a job is laid out in its queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// A list: `LPUSH key job job …`
    List,
    /// A stream: `XADD key [MAXLEN ~ n] * field value …`
    Stream {
        /// `maxlen N`: trim to about this many entries.
        max_len: Option<u64>,
    },
}

/// What a job carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Payload {
    /// Printable text of a size in bytes, drawn uniformly, both ends included.
    Size {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// JSON.
    Body(Value),
}

/// A JSON value, or how to draw one.
///
/// Values own what they hold, and dropping, cloning and serializing one goes as deep as it nests;
/// `check` refuses bodies of more than 64 levels before it makes a `Value` of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, its digits as they are to be sent.
    Number(String),
    /// A string made of pieces; `["text"]` for a plain one.
    Text(Vec<TextPart>),
    /// `[…]`
    Array(Vec<Value>),
    /// `{…}`, in the order written. Keys are distinct.
    Object(Vec<(String, Value)>),
    /// An array of min to max items (both included), each drawn anew.
    List {
        /// Fewest items.
        min: u32,
        /// Most items.
        max: u32,
        /// What each is.
        item: Box<Value>,
    },
    /// A random (version 4) UUID, as a string.
    Uuid,
    /// The job's number in its stream, from 1.
    Seq,
    /// A whole number, both ends included.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number, low included, high not.
    Float {
        /// Smallest.
        min: f64,
        /// Bound.
        max: f64,
    },
    /// `true` with a probability.
    Chance(f64),
    /// One of several, by weight (each above 0).
    Pick(Vec<(Value, f64)>),
    /// The instant the job is due: the run's start plus the due offset, as a string in RFC 3339,
    /// UTC, with milliseconds: `2026-11-21T13:40:00.123Z`.
    Now,
    /// Lower-case letters and blanks, of a size in bytes, both ends included.
    RandomText {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// Hexadecimal digits, this many (both ends included).
    Hex {
        /// Fewest digits.
        min: u64,
        /// Most digits.
        max: u64,
    },
    /// The value of a field of the same object or of one around it: the path of the keys from the
    /// body's top. Cycles have been refused.
    Field(Vec<String>),
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum TextPart {
    /// Characters.
    Literal(String),
    /// A value: strings without their quotes, everything else as JSON.
    Value(Value),
}

impl JobSpec {
    /// What a script without a job sends: a small `{id, n}` to the list `loadc`.
    pub fn default_job() -> JobSpec {
        JobSpec {
            name: "default".to_owned(),
            queue: QueueChoice::Fixed("loadc".to_owned()),
            format: Format::List,
            payload: Payload::Body(Value::Object(vec![
                ("id".to_owned(), Value::Uuid),
                ("n".to_owned(), Value::Seq),
            ])),
        }
    }
}
