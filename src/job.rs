//! What is sent: jobs as `check` has resolved them, compiled once into templates whose bytes follow
//! from (seed, load, job number) alone.

mod compile;
mod draw;
mod encode;
mod envelope;
mod fake;
mod flow;
pub mod layouts;
mod mix;
mod program;
mod sizes;
mod table;
mod template;
pub(crate) mod write;

#[cfg(test)]
mod tests;

pub use compile::{CompileError, MAX_DEPTH};
pub use envelope::{Envelope, Id, IdKey, Setting, WordPart};
pub use fake::Fake;
pub use flow::{Flow, MAX_STATES, Paths, State, Way, paced};
pub use mix::Mix;
pub use sizes::Sizes;
pub use table::{Blob, Column, Rows, Table};
pub use template::{JobContext, Template};

use crate::ast::Content;
use serde::Serialize;
use std::sync::Arc;

/// One job of the script, every name and number in it resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobSpec {
    /// Its name; `default` for the one a script without jobs sends.
    pub name: String,
    /// Where it goes.
    pub queue: QueueChoice,
    /// How it is laid out there.
    pub format: Format,
    /// What it carries. For frameworks that call a function, the array of its arguments.
    pub payload: Payload,
    /// What its framework is told besides.
    #[serde(skip_serializing_if = "Envelope::is_empty")]
    pub envelope: Envelope,
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
    /// A sorted set by the instant a job is due: `ZADD key due member …`
    Delayed,
    /// A channel: `PUBLISH channel job`
    PubSub,
    /// Sidekiq's `queue:NAME`.
    Sidekiq,
    /// BullMQ's `PREFIX:NAME:…`, versions 5 and 6.
    BullMq {
        /// `prefix`, `bull` if not given.
        prefix: String,
    },
    /// Bull's `PREFIX:NAME:…`, version 4.
    Bull {
        /// `prefix`, `bull` if not given.
        prefix: String,
    },
    /// Celery's list of the queue's name, one for each step of priority.
    Celery,
    /// RQ's `rq:queue:NAME`.
    Rq,
    /// arq's sorted set of the queue's name.
    Arq,
    /// dramatiq's `NAMESPACE:NAME`.
    Dramatiq {
        /// `namespace`, `dramatiq` if not given.
        namespace: String,
    },
    /// asynq's `asynq:{NAME}:…`.
    Asynq,
    /// Resque's `resque:queue:NAME`.
    Resque {
        /// `namespace`, `resque` if not given.
        namespace: String,
    },
    /// Laravel's `PREFIXqueues:NAME`.
    Laravel {
        /// `prefix`, none if not given.
        prefix: String,
    },
    /// taskiq's list, or stream, of the queue's name.
    Taskiq {
        /// `stream`
        stream: bool,
    },
    /// Huey's `huey.redis.NAME`.
    Huey,
    /// What the job's own commands say, with the queue's name as `key`.
    Custom,
}

/// What a job carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Payload {
    /// Bytes of a size that is drawn uniformly, both ends included.
    Size {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// Printable text, or any bytes.
        content: Content,
    },
    /// Bytes of a size out of one of the [`MIXED`] ranges.
    Mixed(Content),
    /// A file's content, always the same.
    File(Blob),
    /// JSON.
    Body(Value),
}

/// The ranges of `size small`, `medium` and `large`, in bytes.
pub const SMALL: (u64, u64) = (64, 999);
/// See [`SMALL`].
pub const MEDIUM: (u64, u64) = (1_000, 1_000_000);
/// See [`SMALL`].
pub const LARGE: (u64, u64) = (1_000_000, 100_000_000);
/// The ranges of `size mixed`, and the share of each.
pub const MIXED: [((u64, u64), f64); 3] = [(SMALL, 0.90), (MEDIUM, 0.09), (LARGE, 0.01)];

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
    /// A ULID, as a string: the instant the job is due and 80 random bits, so that they sort by time.
    Ulid,
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
    /// A normal number.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// An exponential number of this mean, which is above 0.
    Exponential(f64),
    /// A rank from 1 on, k with a probability in proportion to 1/k to the power of `exponent`.
    Zipf {
        /// The highest rank, at least 1.
        ranks: u64,
        /// From 0 on.
        exponent: f64,
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
    /// Random bytes in base64, as a string; the size is that before they are written so, both ends
    /// included.
    Bytes {
        /// Fewest.
        min: u64,
        /// Most.
        max: u64,
    },
    /// A name, an address or the like.
    Fake(Fake),
    /// A cell of the job's row of a file: a number in a column of numbers, else a string.
    Cell {
        /// The file, and which row a job has.
        rows: Arc<Rows>,
        /// The column.
        column: usize,
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

impl Payload {
    /// The files whose rows it has, each once.
    pub fn rows(&self) -> Vec<&Rows> {
        let mut found = Vec::new();
        if let Payload::Body(body) = self {
            collect_rows(body, &mut found);
        }
        found
    }
}

fn collect_rows<'v>(value: &'v Value, found: &mut Vec<&'v Rows>) {
    match value {
        Value::Cell { rows, .. } if found.iter().all(|known| known.name != rows.name) => {
            found.push(rows);
        }
        Value::Array(items) => items.iter().for_each(|item| collect_rows(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(_, item)| collect_rows(item, found)),
        Value::List { item, .. } => collect_rows(item, found),
        Value::Pick(values) => values.iter().for_each(|(item, _)| collect_rows(item, found)),
        Value::Text(parts) => {
            for part in parts {
                if let TextPart::Value(item) = part {
                    collect_rows(item, found);
                }
            }
        }
        _ => {}
    }
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
            envelope: Envelope::default(),
        }
    }
}
