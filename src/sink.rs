//! Where jobs go: one trait for every target, and the commands that a batch is made of.

use crate::job::Format;
use std::future::Future;

/// A queue on the target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// Its name, as the script has it.
    pub name: String,
    /// How jobs are laid out in it.
    pub format: Format,
}

/// The arguments of a command, one after another in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Args {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Args {
    /// Appends an argument.
    pub fn push(&mut self, argument: &[u8]) {
        self.bytes.extend_from_slice(argument);
        self.ends.push(self.bytes.len());
    }

    /// Appends an argument that `write` puts at the end of the buffer.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The arguments.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Their bytes together.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }
}

/// One command of a batch and the number of jobs that succeed or fail with it.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// Its words, the command's name first.
    pub args: Args,
    /// Jobs in it.
    pub jobs: u32,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target has its jobs.
    Acked,
    /// The target refused it: none of its jobs are there.
    Failed(Failure),
    /// The connection broke before an answer: its jobs may or may not be there.
    Unknown(Failure),
    /// It never left: nothing of it can be there.
    NotSent(Failure),
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One word for the kind, the server's own where it gave one: `OOM`, `WRONGTYPE`, `READONLY`,
    /// `NOAUTH`, `io`, `timeout`.
    pub kind: String,
    /// The whole message.
    pub message: String,
    /// Whether trying again can't help without somebody's doing (a read-only replica, a wrong
    /// type), as against a state that passes (LOADING, BUSY, a broken connection).
    pub lasting: bool,
}

/// A target that takes jobs.
pub trait Sink: Send + Sync + 'static {
    /// Sends commands in one write and resolves when each has its outcome, in their order. The
    /// futures of several calls run side by side; commands reach the target in the order of calls.
    fn send(&self, commands: Vec<Command>) -> impl Future<Output = Vec<Outcome>> + Send + 'static;

    /// How many jobs wait in a queue.
    fn depth(&self, queue: &Queue) -> impl Future<Output = Result<u64, Failure>> + Send;
}
