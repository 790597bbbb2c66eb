//! Where jobs go: one trait for every target, and the commands that a batch is made of.
//!
//! ```text
//! jobs of a tick ─BatchBuilder→ commands ─Sink::send→ outcomes ─Ledger::settle→ jobs with their outcome
//! ```

pub mod batch;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod formats;
#[cfg(test)]
pub(crate) mod memory;
pub mod null;
pub mod redis;
mod unit;

pub use batch::{BatchBuilder, Ledger, Limits};
pub use formats::Seen;
pub use null::NullSink;
pub use redis::RedisSink;
pub use unit::Unit;

use crate::job::Format;
use std::fmt;
use std::future::Future;

/// A queue on the target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// Its name, as the script has it.
    pub name: String,
    /// How jobs are laid out in it.
    pub format: Format,
}

/// The arguments of a command, or of several one after another, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Args {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where each command but the first begins, in arguments.
    cuts: Vec<usize>,
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

    /// Begins a further command: what follows is its name and its arguments.
    pub fn begin_command(&mut self) {
        if !self.ends.is_empty() {
            self.cuts.push(self.ends.len());
        }
    }

    /// The number of commands: 1 even where nothing has been written yet.
    pub fn commands(&self) -> usize {
        self.cuts.len() + 1
    }

    /// The number of arguments of each command.
    pub(in crate::sink) fn lengths(&self) -> impl Iterator<Item = usize> {
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain(std::iter::once(self.ends.len()));
        starts.zip(ends).map(|(start, end)| end - start)
    }

    /// Appends the commands of others behind those that are here.
    fn append(&mut self, other: &Args) {
        if other.is_empty() {
            return;
        }
        self.begin_command();
        let (bytes, arguments) = (self.bytes.len(), self.ends.len());
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| bytes + end));
        self.cuts.extend(other.cuts.iter().map(|cut| arguments + cut));
    }

    /// All arguments, of whichever command.
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

    /// Takes all arguments out and keeps the room they had.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.cuts.clear();
    }
}

/// One command of a batch, or several that belong together, and the number of jobs that succeed or
/// fail with them.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// The words, each command's name first.
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
    /// Nothing of it can be there: it never left, or it was discarded ([`Failure::discarded`]) with
    /// another of its batch that the target refused.
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

impl Failure {
    /// Why a command is not there that the target would have taken: it was to be done in one with
    /// another that was refused. It can be sent again at once.
    pub fn discarded() -> Failure {
        Failure {
            kind: "discarded".to_owned(),
            message: "another command of the transaction was refused".to_owned(),
            lasting: false,
        }
    }

    /// Whether it is [`Failure::discarded`]: with the connection nothing is wrong.
    pub fn is_discarded(&self) -> bool {
        self.kind == "discarded"
    }

    /// Whether a server says so of a command before it runs it, so that in a transaction nothing has
    /// run. Other refusals come from the command itself, after which the rest of a transaction runs on.
    pub fn precedes(&self) -> bool {
        const BEFORE: [&str; 12] = [
            "OOM",
            "READONLY",
            "NOPERM",
            "NOAUTH",
            "LOADING",
            "BUSY",
            "MISCONF",
            "MASTERDOWN",
            "NOREPLICAS",
            "CLUSTERDOWN",
            "EXECABORT",
            "lanes",
        ];
        BEFORE.contains(&self.kind.as_str())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Whether a sink takes commands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Ready,
    /// The connection broke and the sink is making a new one; what is sent meanwhile comes back as
    /// [`Outcome::NotSent`].
    Reconnecting {
        /// Tries so far that failed.
        attempts: u32,
        /// Why it broke, or why the last try failed.
        last: Failure,
    },
    /// It has given up and stays that way.
    Lost(Failure),
}

/// What the one who sends should know of and no outcome tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something that may come to matter.
    Warning(String),
    /// The target no longer has what it acknowledged.
    Forgot(Forgotten),
}

/// A target's loss of memory. The jobs stay acknowledged: the target had them, and workers may have
/// taken them before it lost them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Jobs it had acknowledged and can no longer vouch for. A few more where they go back beyond
    /// the last thousands of batches.
    pub acked_jobs: u64,
    /// How it is known.
    pub message: String,
}

/// A target's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerMemory {
    /// What it uses, in bytes.
    pub used_bytes: u64,
    /// What it may use: its own bound, else the memory of its machine. None where it tells neither.
    pub allowed_bytes: Option<u64>,
}

impl ServerMemory {
    /// Whether it has less room left, by share; by what it uses where one of them has no bound.
    pub(in crate::sink) fn is_fuller_than(&self, other: ServerMemory) -> bool {
        match (self.allowed_bytes, other.allowed_bytes) {
            (Some(own), Some(others)) => {
                u128::from(self.used_bytes) * u128::from(others)
                    > u128::from(other.used_bytes) * u128::from(own)
            }
            _ => self.used_bytes > other.used_bytes,
        }
    }
}

/// A target that takes jobs.
pub trait Sink: Send + Sync + 'static {
    /// Sends commands in one write and resolves when each has its outcome, in their order. The
    /// futures of several calls run side by side; commands reach the target in the order of calls.
    ///
    /// The order is that of the calls, not of the first polls: the call itself hands the commands
    /// over. What was handed over before a connection broke never goes over the next one.
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<Self>;

    /// [`Sink::send`] for a caller that keeps the commands to use their room again.
    fn send_ref(
        &self,
        commands: &[Command],
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<Self> {
        self.send(commands.to_vec())
    }

    /// [`Sink::send_ref`] of a batch that its sender has a number for, above 0 and none twice in a lane, by
    /// which a target that keeps such numbers can tell later whether it went in.
    fn send_marked(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<Self> {
        _ = mark;
        self.send_ref(commands)
    }

    /// Whether it takes commands now. Between the break of a connection and its repair the caller
    /// keeps what is due as numbers, and asks [`Sink::wait_ready`] when to go on.
    fn state(&self) -> State {
        State::Ready
    }

    /// Resolves once the sink takes commands, at once if it does already.
    ///
    /// # Errors
    ///
    /// The failure of [`State::Lost`].
    fn wait_ready(&self) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<Self> {
        std::future::ready(Ok(()))
    }

    /// For each queue the number of its lane, from 0 and the same in every call. The jobs of one
    /// lane share their fate where the target is several servers: what one of them can't take now
    /// holds up its own lanes alone.
    fn lanes_of(&self, queues: &[Queue]) -> Vec<usize> {
        vec![0; queues.len()]
    }

    /// [`Sink::state`] of one lane.
    fn lane_state(&self, lane: usize) -> State {
        _ = lane;
        self.state()
    }

    /// [`Sink::wait_ready`] of one lane.
    ///
    /// # Errors
    ///
    /// The failure of [`State::Lost`].
    fn lane_ready(
        &self,
        lane: usize,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<Self> {
        _ = lane;
        self.wait_ready()
    }

    /// The server that a lane leads to, or led to before it broke, where there may be several.
    fn lane_server(&self, lane: usize) -> Option<String> {
        _ = lane;
        None
    }

    /// How many jobs wait in a queue.
    fn depth(&self, queue: &Queue) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// How many jobs wait in a queue, and what its workers do, as far as its format tells.
    fn look(&self, queue: &Queue) -> impl Future<Output = Result<Seen, Failure>> + Send {
        let depth = self.depth(queue);
        async move { depth.await.map(Seen::of_depth) }
    }

    /// How much memory it uses.
    fn memory(&self) -> impl Future<Output = Result<ServerMemory, Failure>> + Send {
        std::future::ready(Err(Failure {
            kind: "memory".to_owned(),
            message: "this target does not tell".to_owned(),
            lasting: true,
        }))
    }

    /// What has happened since the last call.
    fn notices(&self) -> Vec<Notice> {
        Vec::new()
    }

    /// Tidies up after the last batch, as far as that can be done at once.
    fn finish(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
