//! Formats of jobs: one file each says how a job becomes commands and what can be asked of the other
//! side, the workers.
//!
//! Every format was tried with the framework's own worker (`tests/workers`). None of them needs an
//! answer to write the next job, so a batch stays one round trip.

mod arq;
mod asynq;
mod bull;
mod bullmq;
mod bulls;
mod celery;
mod custom;
mod delayed;
mod dramatiq;
mod huey;
mod laravel;
mod list;
mod pickle;
mod pubsub;
mod resque;
mod rq;
mod sidekiq;
mod stream;
mod taskiq;
mod text;
pub(super) mod watch;

pub use watch::Seen;

use super::{Args, Queue, Unit};
use crate::job::{Envelope, Format, Id, JobContext, Template};
use std::fmt::Debug;
use watch::Watch;

/// A job on its way into commands.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What writes its payload.
    pub template: &'a Template,
    /// Its number, and when it was due.
    pub context: JobContext,
    /// The present instant, in nanoseconds since the Unix epoch: when it is enqueued.
    pub now_unix_ns: u64,
    /// How long workers leave it alone, in nanoseconds.
    pub delay_ns: u64,
    /// Its id.
    pub id: Id,
}

impl Job<'_> {
    fn now_ms(&self) -> u64 {
        self.now_unix_ns / 1_000_000
    }

    /// When workers may take it, in nanoseconds since the Unix epoch.
    fn ready_unix_ns(&self) -> u64 {
        self.now_unix_ns.saturating_add(self.delay_ns)
    }

    fn ready_ms(&self) -> u64 {
        self.ready_unix_ns() / 1_000_000
    }

    fn priority(&self) -> i64 {
        self.template.priority(self.context.number).unwrap_or(0)
    }

    fn body(&self, out: &mut Vec<u8>) {
        self.template.write_body(&self.context, out);
    }

    fn kwargs(&self, out: &mut Vec<u8>) {
        self.template.write_kwargs(&self.context, out);
    }
}

/// How the jobs of a queue are written.
pub trait Encode: Debug + Send + Sync {
    /// Appends a job. What shows it to workers comes behind everything else of it.
    fn encode(&self, job: &Job<'_>, unit: &mut Unit);

    /// Commands to run once, before the first job. An error of theirs that says that it is done
    /// already (`BUSYGROUP`) is none.
    fn prepare(&self) -> Vec<Args> {
        Vec::new()
    }
}

/// What writes the jobs of an envelope to a queue.
pub fn encoder(queue: &Queue, envelope: &Envelope) -> Box<dyn Encode> {
    let name = queue.name.as_str();
    match &queue.format {
        Format::List => Box::new(list::List::new(name, envelope)),
        Format::Stream { max_len } => Box::new(stream::Stream::new(name, *max_len, envelope)),
        Format::Delayed => Box::new(delayed::Delayed::new(name, envelope)),
        Format::PubSub => Box::new(pubsub::PubSub::new(name)),
        Format::Sidekiq => Box::new(sidekiq::Sidekiq::new(name, envelope)),
        Format::BullMq { prefix } => Box::new(bullmq::BullMq::new(name, prefix, envelope)),
        Format::Bull { prefix } => Box::new(bull::Bull::new(name, prefix, envelope)),
        Format::Celery => Box::new(celery::Celery::new(name, envelope)),
        Format::Rq => Box::new(rq::Rq::new(name, envelope)),
        Format::Arq => Box::new(arq::Arq::new(name, envelope)),
        Format::Dramatiq { namespace } => {
            Box::new(dramatiq::Dramatiq::new(name, namespace, envelope))
        }
        Format::Asynq => Box::new(asynq::Asynq::new(name, envelope)),
        Format::Resque { namespace } => Box::new(resque::Resque::new(name, namespace, envelope)),
        Format::Laravel { prefix } => Box::new(laravel::Laravel::new(name, prefix, envelope)),
        Format::Taskiq { stream } => Box::new(taskiq::Taskiq::new(name, *stream, envelope)),
        Format::Huey => Box::new(huey::Huey::new(name, envelope)),
        Format::Custom => Box::new(custom::Custom::new(name)),
    }
}

/// What asks about the workers of a queue.
pub(super) fn watcher(queue: &Queue) -> Box<dyn Watch> {
    let name = queue.name.as_str();
    match &queue.format {
        Format::List => Box::new(list::watch(name)),
        Format::Stream { .. } | Format::Taskiq { stream: true } => Box::new(stream::watch(name)),
        Format::Delayed => Box::new(delayed::watch(name)),
        Format::PubSub => Box::new(pubsub::watch()),
        Format::Sidekiq => Box::new(sidekiq::watch(name)),
        Format::BullMq { prefix } => Box::new(bullmq::watch(name, prefix)),
        Format::Bull { prefix } => Box::new(bull::watch(name, prefix)),
        Format::Celery => Box::new(celery::watch(name)),
        Format::Rq => Box::new(rq::watch(name)),
        Format::Arq => Box::new(arq::watch(name)),
        Format::Dramatiq { namespace } => Box::new(dramatiq::watch(name, namespace)),
        Format::Asynq => Box::new(asynq::watch(name)),
        Format::Resque { namespace } => Box::new(resque::watch(name, namespace)),
        Format::Laravel { prefix } => Box::new(laravel::watch(name, prefix)),
        Format::Taskiq { stream: false } => Box::new(taskiq::watch(name)),
        Format::Huey => Box::new(huey::watch(name)),
        Format::Custom => Box::new(custom::watch()),
    }
}

/// Whether jobs of a format share commands. An entry of a stream, a message and a job with commands
/// of its own succeed or fail by themselves.
pub(super) fn shares(format: &Format) -> bool {
    !matches!(
        format,
        Format::Stream { .. } | Format::PubSub | Format::Custom | Format::Taskiq { stream: true }
    )
}

/// The key that shows whether a queue takes its jobs; its name where none does.
pub fn home_of(queue: &Queue) -> String {
    home(queue).map_or_else(|| queue.name.clone(), |(key, _)| key)
}

/// The key that shows by its type whether a queue is what it should be, and the type it should be.
pub(super) fn home(queue: &Queue) -> Option<(String, &'static str)> {
    let name = &queue.name;
    Some(match &queue.format {
        Format::List | Format::Celery | Format::Taskiq { stream: false } => (name.clone(), "list"),
        Format::Stream { .. } | Format::Taskiq { stream: true } => (name.clone(), "stream"),
        Format::Delayed | Format::Arq => (name.clone(), "zset"),
        Format::Sidekiq => (format!("queue:{name}"), "list"),
        Format::BullMq { prefix } | Format::Bull { prefix } => {
            (format!("{prefix}:{name}:wait"), "list")
        }
        Format::Rq => (format!("rq:queue:{name}"), "list"),
        Format::Dramatiq { namespace } => (format!("{namespace}:{name}"), "list"),
        Format::Asynq => (format!("asynq:{{{name}}}:pending"), "list"),
        Format::Resque { namespace } => (format!("{namespace}:queue:{name}"), "list"),
        Format::Laravel { prefix } => (format!("{prefix}queues:{name}"), "list"),
        Format::Huey => (format!("huey.redis.{}", huey::clean(name)), "list"),
        Format::PubSub | Format::Custom => return None,
    })
}

/// Appends a command's words.
fn words(args: &mut Args, words: &[&[u8]]) {
    words.iter().for_each(|word| args.push(word));
}

/// A command.
fn command(of: &[&[u8]]) -> Args {
    let mut args = Args::default();
    words(&mut args, of);
    args
}

/// Appends the pickle of the JSON that `write` appends.
fn pickled(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    // The room is kept between jobs: an allocation for each would cost as much as the pickle.
    thread_local! {
        static JSON: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    JSON.with_borrow_mut(|json| {
        json.clear();
        write(json);
        pickle::value(out, json);
    });
}
