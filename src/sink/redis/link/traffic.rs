//! What is on its way over one connection after another: bytes out, replies in, and which belong
//! together.

use super::super::connect::Socket;
use super::super::cursor::SLOTS;
use super::super::route::Turns;
use super::super::{broken, wire};
use super::flight::{Batch, Fate, Flight, Progress, Proof};
use super::inquiry::{Evidence, Identity, Question};
use super::silence::{Check, Silence};
use super::standing::{Standing, Verdict, forgot};
use crate::sink::{Failure, Forgotten};
use std::collections::{BTreeSet, VecDeque};
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Room for replies that one read may fill.
const READ_SIZE: usize = 16 << 10;

/// Why a connection is over.
pub(super) enum End {
    /// Nobody can send any more, and all is answered.
    Closed,
    Broken(Failure),
    /// Something was sent to the wrong server. All that was written is answered.
    Turned(Failure),
}

/// What is on its way.
pub(super) struct Traffic {
    /// Counts connections.
    generation: u64,
    /// Batches in the order of their sending. The last `unwritten` are not written whole; of the
    /// first of those `written` bytes are.
    flights: VecDeque<Flight>,
    unwritten: usize,
    written: usize,
    inbox: Vec<u8>,
    /// The proof that batches carry, if they do.
    standing: Option<Standing>,
    /// Refusals that mean so.
    turns: Turns,
    /// The first of them since the connection was made: nothing more is sent over it.
    turned: Option<Failure>,
    /// What was refused so.
    refused: Vec<Flight>,
    /// Commands are announced.
    asking: bool,
    /// Batches that were not refused so.
    taken: u64,
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

impl Traffic {
    pub(super) fn new(standing: Option<Standing>, turns: Turns) -> Traffic {
        Traffic {
            generation: 0,
            flights: VecDeque::new(),
            unwritten: 0,
            written: 0,
            inbox: Vec::new(),
            standing,
            turns,
            turned: None,
            refused: Vec::new(),
            asking: false,
            taken: 0,
        }
    }

    /// Whether the next connection leads to a server to which the slot is on its way.
    pub(super) fn set_asking(&mut self, asking: bool) {
        self.asking = asking;
    }

    /// Batches that were let in or refused for what they are, over all connections.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Writes and reads side by side, so that a server that waits for its replies to be read before
    /// it reads on never waits for good.
    pub(super) async fn drive(
        &mut self,
        socket: Socket,
        batches: &mut mpsc::UnboundedReceiver<Batch>,
        check: impl Fn() -> Option<Check>,
    ) -> End {
        let (mut reader, mut writer) = tokio::io::split(socket);
        let mut silence = Silence::new(self.turns, check);
        let most = self.standing.as_ref().map_or(usize::MAX, |_| SLOTS as usize);
        let mut open = true;
        let mut unflushed = false;
        loop {
            if let (true, Some(failure)) = (self.flights.is_empty(), &self.turned) {
                return End::Turned(failure.clone());
            }
            if !open && self.flights.is_empty() {
                return End::Closed;
            }
            self.inbox.reserve(READ_SIZE);
            let next = self.flights.get(self.flights.len() - self.unwritten);
            let next = next.map(|flight| &flight.bytes[self.written..]);
            let busy = next.is_some() || unflushed;
            tokio::select! {
                biased;
                read = reader.read_buf(&mut self.inbox) => match read {
                    Ok(0) => return End::Broken(broken("the server closed the connection")),
                    Ok(_) => {
                        silence.ends();
                        if let Err(failure) = self.take_replies() {
                            return End::Broken(failure);
                        }
                    }
                    Err(error) => return End::Broken(broken(&error.to_string())),
                },
                batch = batches.recv(), if open && self.turned.is_none() && self.flights.len() < most => match batch {
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
                () = silence.is_over(), if silence.matters(!self.flights.is_empty()) => {
                    return End::Broken(broken("another server has taken over from one that is silent"));
                }
            }
        }
    }

    fn take_in(&mut self, batch: Batch) {
        if batch.generation != self.generation {
            return batch.not_sent(&broken("the connection broke"));
        }
        if batch.marks.is_empty() {
            _ = batch.answer.send(Vec::new());
            return;
        }
        self.take_off(Flight::new(batch, None));
    }

    /// Takes a batch in as if it were written at once.
    pub(super) fn hands_over(&mut self, batch: Batch) {
        self.take_in(batch);
        (self.unwritten, self.written) = (0, 0);
    }

    /// Takes in bytes from the server.
    ///
    /// # Errors
    ///
    /// What ends the connection.
    pub(super) fn comes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.inbox.extend_from_slice(bytes);
        self.take_replies()
    }

    /// Puts a flight behind the others, with its proof if it is to carry one.
    fn take_off(&mut self, mut flight: Flight) {
        if let Some(standing) = &mut self.standing {
            let now = Instant::now();
            let (number, renews) = standing.close(now, flight.mark, &mut flight.bytes);
            flight.set_proof(Proof::new(number, renews, now));
        }
        if self.asking {
            flight.announce();
        }
        self.flights.push_back(flight);
        self.unwritten += 1;
    }

    fn has_written(&mut self, count: usize) {
        self.written += count;
        let writing = self.flights.get(self.flights.len() - self.unwritten);
        if writing.is_some_and(|flight| self.written == flight.bytes.len()) {
            self.unwritten -= 1;
            self.written = 0;
        }
    }

    /// Gives every reply that is whole to its batch, oldest first.
    fn take_replies(&mut self) -> Result<(), Failure> {
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = inbox.as_slice();
        let result = loop {
            match wire::reply(rest) {
                Ok(Some(reply)) => {
                    if let Err(failure) = self.take_reply(&rest[..reply.len], reply.error) {
                        break Err(failure);
                    }
                    rest = &rest[reply.len..];
                }
                Ok(None) => break Ok(()),
                Err(wire::NotRedis) => break Err(broken("the server sent no Redis reply")),
            }
        };
        let consumed = inbox.len() - rest.len();
        self.inbox = inbox;
        self.inbox.drain(..consumed);
        result
    }

    fn take_reply(&mut self, reply: &[u8], error: Option<&[u8]>) -> Result<(), Failure> {
        let Some(flight) = self.flights.front_mut() else {
            // The server says so before it hangs up, as when it has too many clients.
            return Err(match error {
                Some(error) => wire::failure(error),
                None => broken("the server sent a reply to no command"),
            });
        };
        // No answer to a command: what came over could not be read, and the server hangs up.
        if let Some(error) = error.filter(|error| error.starts_with(b"ERR Protocol error")) {
            return Err(wire::failure(error));
        }
        let progress = flight.take(reply, error)?;
        if progress == Progress::Flying {
            return Ok(());
        }
        if self.unwritten == self.flights.len() {
            return Err(broken("the server sent a reply to no command"));
        }
        let Some(mut flight) = self.flights.pop_front() else { return Ok(()) };
        if let Some(failure) = flight.turn_away(self.turns) {
            self.turned.get_or_insert(failure);
            self.refused.push(flight);
            return Ok(());
        }
        self.taken += 1;
        match progress {
            Progress::Done(landed) => {
                if let (true, Some(standing), Some(proof)) =
                    (landed, &mut self.standing, flight.proof())
                {
                    standing.landed(proof.number, flight.acked());
                    if proof.renews {
                        standing.renewed(proof.sent);
                    }
                }
                flight.land();
            }
            Progress::Flying => {}
        }
        Ok(())
    }

    /// Ends the connection: what can be said of its flights at once is said, and those that only
    /// the server knows of are kept for [`Traffic::settle`].
    pub(super) fn break_off(&mut self, failure: &Failure) {
        self.generation += 1;
        self.inbox.clear();
        self.turned = None;
        self.refused.drain(..).for_each(Flight::land);
        let whole = self.flights.len() - self.unwritten;
        let flights = std::mem::take(&mut self.flights);
        for (place, flight) in flights.into_iter().enumerate() {
            let written = match place.cmp(&whole) {
                std::cmp::Ordering::Less => flight.bytes.len(),
                std::cmp::Ordering::Equal => self.written,
                std::cmp::Ordering::Greater => 0,
            };
            if flight.is_in_doubt(written) {
                self.flights.push_back(flight);
            } else {
                flight.break_off(written, failure);
            }
        }
        self.unwritten = 0;
        self.written = 0;
    }

    /// Whether batches are in doubt.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.flights.is_empty()
    }

    /// Batches that are in doubt.
    pub(super) fn doubtful(&self) -> usize {
        self.flights.len()
    }

    /// What to ask the server after a break; none where batches carry no proof.
    pub(super) fn question(&self, old: &Identity) -> Option<Question> {
        let standing = self.standing.as_ref()?;
        let mut queues = BTreeSet::new();
        self.flights.iter().for_each(|flight| flight.name_queues(&mut queues));
        Some(Question { old: old.clone(), cursor: standing.cursor().clone(), queues })
    }

    /// Ends the batches in doubt as the evidence has it. `failure` is what broke their connection.
    pub(super) fn settle(&mut self, evidence: &Evidence, failure: &Failure) -> Option<Forgotten> {
        let oldest = self.flights.front().and_then(Flight::proof).map(|proof| proof.sent);
        let standing = self.standing.as_mut()?;
        let verdict = standing.judge(evidence, oldest);
        let (forgotten, reason) = match &verdict {
            Verdict::Told { .. } => (None, failure.clone()),
            Verdict::Silent(why) => (None, why.clone()),
            Verdict::Forgot { forgotten, .. } => (Some(forgotten.clone()), forgot(forgotten)),
        };
        for mut flight in self.flights.drain(..) {
            let number = flight.proof().map_or(0, |proof| proof.number);
            match &verdict {
                Verdict::Told { ring, .. } | Verdict::Forgot { ring, .. } if ring.holds(number) => {
                    flight.settle(&Fate::In(&evidence.types));
                    standing.landed(number, flight.acked());
                }
                Verdict::Told { open: false, .. } => flight.settle(&Fate::Out(&reason)),
                _ => flight.settle(&Fate::Unknown(&reason)),
            }
            flight.land();
        }
        forgotten
    }

    /// Ends the batches in doubt when nobody can be asked any more.
    pub(super) fn abandon(&mut self, failure: &Failure) {
        for mut flight in self.flights.drain(..) {
            flight.settle(&Fate::Unknown(failure));
            flight.land();
        }
    }
}

#[cfg(test)]
mod tests;
