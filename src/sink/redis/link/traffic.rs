//! What is on its way over one connection: bytes out, replies in, and which belong together.

use super::super::connect::Socket;
use super::super::{broken, wire};
use crate::sink::{Failure, Outcome};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, oneshot};

/// Room for replies that one read may fill.
const READ_SIZE: usize = 16 << 10;

/// What one call sends.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Where each command ends in `bytes`.
    pub(super) ends: Vec<usize>,
    pub(super) answer: oneshot::Sender<Vec<Outcome>>,
    /// The connection it was handed over for; it goes over no other.
    pub(super) generation: u64,
}

impl Batch {
    pub(super) fn not_sent(self, failure: &Failure) {
        let outcomes = vec![Outcome::NotSent(failure.clone()); self.ends.len()];
        // Nobody waits any more for what nobody needs to know.
        _ = self.answer.send(outcomes);
    }
}

/// Why a connection is over.
pub(super) enum End {
    /// Nobody can send any more, and all is answered.
    Closed,
    Broken(Failure),
}

/// What is on its way over one connection.
pub(super) struct Traffic {
    generation: u64,
    /// Bytes not yet written, one buffer a batch, and how much of the first has been.
    outbox: VecDeque<Vec<u8>>,
    front_written: usize,
    /// Bytes written and taken in since the connection began.
    written: u64,
    taken_in: u64,
    inbox: Vec<u8>,
    flights: VecDeque<Flight>,
}

enum Pushed {
    Written(usize),
    Flushed,
}

/// Writes what it can of the next bytes, or flushes when there are none. Dropped before it is done,
/// it has written nothing.
async fn push(writer: &mut WriteHalf<Socket>, next: Option<&[u8]>) -> std::io::Result<Pushed> {
    match next {
        Some(next) => writer.write(next).await.map(Pushed::Written),
        None => writer.flush().await.map(|()| Pushed::Flushed),
    }
}

/// A batch that waits for replies.
struct Flight {
    /// Where its bytes start in the connection's.
    start: u64,
    ends: Vec<usize>,
    outcomes: Vec<Outcome>,
    answer: oneshot::Sender<Vec<Outcome>>,
}

impl Traffic {
    pub(super) fn new(generation: u64) -> Traffic {
        Traffic {
            generation,
            outbox: VecDeque::new(),
            front_written: 0,
            written: 0,
            taken_in: 0,
            inbox: Vec::new(),
            flights: VecDeque::new(),
        }
    }

    /// Writes and reads side by side, so that a server that waits for its replies to be read before
    /// it reads on never waits for good.
    pub(super) async fn drive(
        &mut self,
        socket: Socket,
        batches: &mut mpsc::UnboundedReceiver<Batch>,
    ) -> End {
        let (mut reader, mut writer) = tokio::io::split(socket);
        let mut open = true;
        let mut unflushed = false;
        loop {
            if !open && self.flights.is_empty() {
                return End::Closed;
            }
            self.inbox.reserve(READ_SIZE);
            let next = self.outbox.front().map(|bytes| &bytes[self.front_written..]);
            let busy = next.is_some() || unflushed;
            tokio::select! {
                biased;
                read = reader.read_buf(&mut self.inbox) => match read {
                    Ok(0) => return End::Broken(broken("the server closed the connection")),
                    Ok(_) => if let Err(failure) = self.take_replies() {
                        return End::Broken(failure);
                    },
                    Err(error) => return End::Broken(broken(&error.to_string())),
                },
                batch = batches.recv(), if open => match batch {
                    Some(batch) => self.take_in(batch),
                    None => open = false,
                },
                pushed = push(&mut writer, next), if busy => match pushed {
                    Ok(Pushed::Written(0)) => {
                        return End::Broken(broken("the connection takes no more bytes"));
                    }
                    Ok(Pushed::Written(count)) => {
                        self.has_written(count);
                        unflushed = true;
                    }
                    Ok(Pushed::Flushed) => unflushed = false,
                    Err(error) => return End::Broken(broken(&error.to_string())),
                },
            }
        }
    }

    fn take_in(&mut self, batch: Batch) {
        if batch.generation != self.generation {
            return batch.not_sent(&broken("the connection broke"));
        }
        if batch.ends.is_empty() {
            _ = batch.answer.send(Vec::new());
            return;
        }
        let outcomes = Vec::with_capacity(batch.ends.len());
        let (ends, answer) = (batch.ends, batch.answer);
        self.flights.push_back(Flight { start: self.taken_in, ends, outcomes, answer });
        self.taken_in += batch.bytes.len() as u64;
        self.outbox.push_back(batch.bytes);
    }

    fn has_written(&mut self, count: usize) {
        self.written += count as u64;
        self.front_written += count;
        if self.outbox.front().is_some_and(|bytes| self.front_written == bytes.len()) {
            self.outbox.pop_front();
            self.front_written = 0;
        }
    }

    /// Gives every reply that is whole to its command, oldest first.
    fn take_replies(&mut self) -> Result<(), Failure> {
        let mut rest = self.inbox.as_slice();
        let result = loop {
            let reply = match wire::reply(rest) {
                Ok(Some(reply)) => reply,
                Ok(None) => break Ok(()),
                Err(wire::NotRedis) => break Err(broken("the server sent no Redis reply")),
            };
            let Some(flight) = self.flights.front_mut() else {
                // The server says so before it hangs up, as when it has too many clients.
                break Err(match reply.error {
                    Some(error) => wire::failure(error),
                    None => broken("the server sent a reply to no command"),
                });
            };
            flight.outcomes.push(match reply.error {
                Some(error) => Outcome::Failed(wire::failure(error)),
                None => Outcome::Acked,
            });
            rest = &rest[reply.len..];
            if flight.outcomes.len() == flight.ends.len()
                && let Some(flight) = self.flights.pop_front()
            {
                _ = flight.answer.send(flight.outcomes);
            }
        };
        let consumed = self.inbox.len() - rest.len();
        self.inbox.drain(..consumed);
        result
    }

    /// Resolves what is left after a break. A command whose last byte was never written can't have
    /// run; one that was written whole may have.
    pub(super) fn settle(&mut self, failure: &Failure) {
        for mut flight in self.flights.drain(..) {
            for end in &flight.ends[flight.outcomes.len()..] {
                let left = flight.start + *end as u64 <= self.written;
                let outcome = if left { Outcome::Unknown } else { Outcome::NotSent };
                flight.outcomes.push(outcome(failure.clone()));
            }
            _ = flight.answer.send(flight.outcomes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(generation: u64) -> (Batch, oneshot::Receiver<Vec<Outcome>>) {
        let (answer, receiver) = oneshot::channel();
        let bytes = b"PING\r\nPING\r\n".to_vec();
        (Batch { bytes, ends: vec![6, 12], answer, generation }, receiver)
    }

    #[tokio::test]
    async fn what_was_meant_for_an_older_connection_is_not_sent() {
        let mut traffic = Traffic::new(1);
        let (old, answer) = batch(0);
        traffic.take_in(old);
        assert!(matches!(answer.await.unwrap()[..], [Outcome::NotSent(_), Outcome::NotSent(_)]));
        let (new, _answer) = batch(1);
        traffic.take_in(new);
        assert_eq!((traffic.outbox.len(), traffic.flights.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_command_is_unknown_from_its_last_byte_on() {
        for (written, first, second) in [
            (0, false, false),
            (5, false, false),
            (6, true, false),
            (11, true, false),
            (12, true, true),
        ] {
            let mut traffic = Traffic::new(0);
            let (batch, answer) = batch(0);
            traffic.take_in(batch);
            if written > 0 {
                traffic.has_written(written);
            }
            traffic.settle(&broken("cut"));
            let outcomes = answer.await.unwrap();
            let unknown = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_));
            let found: Vec<_> = outcomes.iter().map(unknown).collect();
            assert_eq!(found, [first, second], "{written}");
        }
    }
}
