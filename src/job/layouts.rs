//! What each format is told and can say: the words after `as`, their options, and what `delay`,
//! `priority`, `timeout` and `retry` become there. `check` goes by this table, the documentation's
//! table is compared with it, and the encoders of `sink::formats` rely on it.

mod table;

pub use table::{COMMON, LAYOUTS};

use super::Format;

/// A format of jobs.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The word after `as`.
    pub word: &'static str,
    /// What stands for the job.
    pub carries: Carries,
    /// Whether it takes `kwargs { … }`.
    pub kwargs: bool,
    /// The options behind the word, in groups that formats share.
    pub options: &'static [&'static [Word]],
    /// Whether a job can be put off.
    pub delay: Result<(), &'static str>,
    /// The numbers that `priority` takes.
    pub priority: Result<(i64, i64), &'static str>,
    /// The option that `timeout` sets.
    pub timeout: Result<&'static str, &'static str>,
    /// The option that `retry` sets, and what is added to the number of further tries.
    pub retry: Result<(&'static str, u64), &'static str>,
    /// Whether the start of single jobs can be seen, and by what.
    pub pickup: Result<&'static str, &'static str>,
    /// What a job takes of a server's memory; none where nobody can tell, or nothing stays.
    pub stored: Option<Stored>,
}

/// What a waiting job takes of a server's memory: an estimate by a straight line, taken with
/// redis-server 7.0.15 and payloads of 20 B to 2 KB. Lists and small hashes lie packed, so a job's share
/// grows in steps.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// Bytes besides the payload.
    pub envelope_bytes: f64,
    /// The same where the payload is so small that its hash stays packed: at most so many bytes.
    pub packed: Option<(f64, f64)>,
    /// Bytes for each of the payload.
    pub per_byte: f64,
}

impl Stored {
    /// An estimate for a payload, in bytes.
    pub fn bytes(&self, payload_bytes: f64) -> f64 {
        let envelope_bytes = match self.packed {
            Some((most, packed)) if payload_bytes <= most => packed,
            _ => self.envelope_bytes,
        };
        envelope_bytes + self.per_byte * payload_bytes
    }
}

impl Layout {
    /// The options behind the word.
    pub fn options(&self) -> impl Iterator<Item = &'static Word> + Clone + use<> {
        self.options.iter().copied().flatten()
    }

    /// Whether the age of the oldest waiting job can be seen.
    pub fn tells_age(&self) -> bool {
        !matches!(self.word, "list" | "pubsub" | "resque" | "custom")
    }

    /// Whether failed jobs can be told.
    pub fn tells_failures(&self) -> bool {
        let counted = ["sidekiq", "bullmq", "bull", "rq", "asynq", "resque", "dramatiq"];
        counted.contains(&self.word)
    }

    /// Whether what a job carries is part of a JSON text, or of a pickle made from one.
    pub fn is_json(&self) -> bool {
        !matches!(self.word, "list" | "stream" | "pubsub" | "asynq" | "custom")
    }
}

/// What stands for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// The body, whatever it is.
    Body,
    /// The arguments of a call: `args [ … ]`, or `body` as the only one.
    Arguments,
    /// What the job's own commands say.
    Commands,
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its word.
    pub word: &'static str,
    /// What stands behind it.
    pub kind: Kind,
    /// Whether a job is nothing without it.
    pub required: bool,
    /// How it is written, for messages.
    pub form: &'static str,
}

/// What stands behind an option's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: `lifo`.
    Flag,
    /// `true` or `false`.
    Truth,
    /// A count.
    Count,
    /// `true`, `false` or a count.
    TruthOrCount,
    /// A length of time.
    Duration,
    /// A text.
    Text,
    /// A text; the option may be repeated.
    Texts,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these numbers.
    Version(&'static [u64]),
}

/// The format of a word.
pub fn layout(word: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.word == word)
}

impl Format {
    /// The word after `as`.
    pub fn word(&self) -> &'static str {
        match self {
            Format::List => "list",
            Format::Stream { .. } => "stream",
            Format::Delayed => "delayed",
            Format::PubSub => "pubsub",
            Format::Sidekiq => "sidekiq",
            Format::BullMq { .. } => "bullmq",
            Format::Bull { .. } => "bull",
            Format::Celery => "celery",
            Format::Rq => "rq",
            Format::Arq => "arq",
            Format::Dramatiq { .. } => "dramatiq",
            Format::Asynq => "asynq",
            Format::Resque { .. } => "resque",
            Format::Laravel { .. } => "laravel",
            Format::Taskiq { .. } => "taskiq",
            Format::Huey => "huey",
            Format::Custom => "custom",
        }
    }
}
