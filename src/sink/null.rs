//! A sink that takes everything and keeps nothing: what a dry run sends to.

use super::{Command, Failure, Outcome, Queue, Sink};
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what it is given and acknowledges it at once. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct NullSink {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    jobs: AtomicU64,
    commands: AtomicU64,
    bytes: AtomicU64,
}

impl NullSink {
    /// A sink that has counted nothing yet.
    pub fn new() -> NullSink {
        NullSink::default()
    }

    /// Jobs so far.
    pub fn jobs(&self) -> u64 {
        self.counts.jobs.load(Ordering::Relaxed)
    }

    /// Commands so far.
    pub fn commands(&self) -> u64 {
        self.counts.commands.load(Ordering::Relaxed)
    }

    /// Bytes of arguments so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }
}

impl Sink for NullSink {
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.send_ref(&commands)
    }

    fn send_ref(
        &self,
        commands: &[Command],
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let jobs = commands.iter().map(|command| u64::from(command.jobs)).sum();
        let bytes = commands.iter().map(|command| command.args.byte_len() as u64).sum();
        self.counts.jobs.fetch_add(jobs, Ordering::Relaxed);
        self.counts.commands.fetch_add(commands.len() as u64, Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        ready(vec![Outcome::Acked; commands.len()])
    }

    /// Nothing waits: nothing is kept.
    async fn depth(&self, _: &Queue) -> Result<u64, Failure> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Args;

    #[tokio::test]
    async fn counts_what_it_swallows() {
        let sink = NullSink::new();
        let mut args = Args::default();
        args.push(b"LPUSH");
        args.push(b"q");
        args.push(b"job");
        let outcomes = sink.send(vec![Command { args, jobs: 1 }, Command::default()]).await;
        assert_eq!(outcomes, [Outcome::Acked, Outcome::Acked]);
        assert_eq!((sink.jobs(), sink.commands(), sink.bytes()), (1, 2, 9));
    }
}
