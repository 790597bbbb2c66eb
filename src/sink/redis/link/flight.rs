//! A batch on its way: its commands, the replies to them, and what they come to.

use super::super::cursor::Cursor;
use super::super::route::Turns;
use super::super::{broken, wire};
use crate::sink::{Command, Failure, Outcome};
use std::collections::{BTreeSet, HashMap};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What one call sends.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) marks: Vec<Mark>,
    /// Its sender's own number for it.
    pub(super) mark: u64,
    pub(super) answer: oneshot::Sender<Vec<Outcome>>,
    /// The connection it was handed over for; it goes over no other.
    pub(super) generation: u64,
}

/// A command in a batch, or several that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where it ends in the bytes.
    pub(super) end: usize,
    /// Jobs in it.
    pub(super) jobs: u32,
    /// Replies that it gets: one for each command.
    pub(super) replies: u32,
    /// Of these, where the first command ends: before that nothing of it can have run.
    pub(super) begun: usize,
}

/// Room for what ends a batch that carries its proof.
const TAIL: usize = 256;

impl Batch {
    /// Encodes commands, as a transaction that [`super::standing::Standing::close`] will end if
    /// they are to carry their proof.
    pub(super) fn new(
        commands: &[Command],
        proven: bool,
        mark: u64,
        generation: u64,
        answer: oneshot::Sender<Vec<Outcome>>,
    ) -> Batch {
        let size: usize = commands.iter().map(|command| wire::encoded_len(&command.args)).sum();
        let mut bytes = Vec::with_capacity(size + if proven { TAIL } else { 0 });
        let mut marks = Vec::with_capacity(commands.len());
        if proven {
            Cursor::open(&mut bytes);
        }
        for command in commands {
            let start = bytes.len();
            wire::encode(&command.args, &mut bytes);
            let (end, replies) = (bytes.len(), command.args.commands());
            let first = wire::commands(&bytes[start..]).next().filter(|_| replies > 1);
            let begun = first.map_or(end, |first| start + first.len());
            let replies = u32::try_from(replies).unwrap_or(u32::MAX);
            marks.push(Mark { end, jobs: command.jobs, replies, begun });
        }
        Batch { bytes, marks, mark, answer, generation }
    }

    pub(super) fn not_sent(self, failure: &Failure) {
        let outcomes = vec![Outcome::NotSent(failure.clone()); self.marks.len()];
        // Nobody waits any more for what nobody needs to know.
        _ = self.answer.send(outcomes);
    }
}

/// What announces a command to a server to which its slot is on its way.
const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

/// A batch that waits for replies.
pub(super) struct Flight {
    pub(super) bytes: Vec<u8>,
    /// Of these, what stands before the transaction.
    lead: usize,
    marks: Vec<Mark>,
    pub(super) mark: u64,
    /// Of its first commands, as far as replies have come. In a transaction they are provisional
    /// until its end: `Acked` is queued.
    outcomes: Vec<Outcome>,
    /// Replies that the last of these still awaits.
    awaited: u32,
    answer: oneshot::Sender<Vec<Outcome>>,
    proof: Option<Proof>,
}

/// What a transaction needs to know of itself.
pub(super) struct Proof {
    pub(super) number: u64,
    pub(super) renews: bool,
    pub(super) sent: Instant,
    /// `MULTI` was answered; with false it was refused, and the commands stand by themselves.
    begun: Option<bool>,
    /// Replies that come before that of `MULTI`.
    lead_left: u32,
    /// Replies to the cursor's own commands that are still to come.
    tail_left: u32,
    tail_refused: Option<Failure>,
}

impl Proof {
    pub(super) fn new(number: u64, renews: bool, sent: Instant) -> Proof {
        let tail_left = 1 + u32::from(renews);
        Proof { number, renews, sent, begun: None, lead_left: 0, tail_left, tail_refused: None }
    }
}

/// Where a flight is after a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Flying,
    /// All is known; with true the cursor has its number.
    Done(bool),
}

/// What is to be done about flights that are left after a break.
pub(super) enum Fate<'a> {
    /// It went in. What a command's key holds tells whether it was taken.
    In(&'a HashMap<Vec<u8>, String>),
    Out(&'a Failure),
    Unknown(&'a Failure),
}

impl Flight {
    pub(super) fn new(batch: Batch, proof: Option<Proof>) -> Flight {
        let Batch { bytes, marks, mark, answer, .. } = batch;
        let outcomes = Vec::with_capacity(marks.len());
        Flight { bytes, lead: 0, marks, mark, outcomes, awaited: 0, answer, proof }
    }

    pub(super) fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// Takes in the next reply to it, given whole.
    pub(super) fn take(&mut self, bytes: &[u8], error: Option<&[u8]>) -> Result<Progress, Failure> {
        let outcome = match error {
            Some(error) => Outcome::Failed(wire::failure(error)),
            None => Outcome::Acked,
        };
        let complete = self.is_answered();
        let Some(proof) = &mut self.proof else {
            self.note(outcome);
            let done = self.is_answered();
            return Ok(if done { Progress::Done(false) } else { Progress::Flying });
        };
        if proof.lead_left > 0 {
            proof.lead_left -= 1;
        } else if proof.begun.is_none() {
            // An EXEC was refused (the user's rights have changed) and the transaction before this
            // one stands open: only a new connection gets out of it.
            if error.is_some_and(|error| error.ends_with(b"calls can not be nested")) {
                return Err(broken("the server did not end the transaction before"));
            }
            proof.begun = Some(error.is_none());
        } else if !complete {
            self.note(outcome);
        } else if proof.tail_left > 0 {
            proof.tail_left -= 1;
            if let (Outcome::Failed(failure), None) = (outcome, &proof.tail_refused) {
                proof.tail_refused = Some(failure);
            }
        } else if proof.begun == Some(false) {
            // Each command has run by itself and its reply was its own; this is "no MULTI".
            return Ok(Progress::Done(proof.tail_refused.is_none()));
        } else {
            return self.execute(bytes, error);
        }
        Ok(Progress::Flying)
    }

    /// Whether each command has been answered.
    fn is_answered(&self) -> bool {
        self.outcomes.len() == self.marks.len() && self.awaited == 0
    }

    /// Takes the outcome of the next command in. Of several that belong together the first that is
    /// refused speaks for all.
    fn note(&mut self, outcome: Outcome) {
        if self.awaited == 0 {
            self.awaited = self.marks.get(self.outcomes.len()).map_or(1, |mark| mark.replies);
            self.outcomes.push(outcome);
        } else if let Some(last) = self.outcomes.last_mut().filter(|last| **last == Outcome::Acked)
        {
            *last = outcome;
        }
        self.awaited -= 1;
    }

    /// The reply to EXEC: one for each command if it ran.
    fn execute(&mut self, bytes: &[u8], error: Option<&[u8]>) -> Result<Progress, Failure> {
        let Some(mut replies) = wire::elements(bytes) else {
            return Ok(self.discarded(error));
        };
        if error.is_none() {
            return Ok(Progress::Done(true));
        }
        for (outcome, mark) in self.outcomes.iter_mut().zip(&self.marks) {
            for _ in 0..mark.replies {
                match replies.next() {
                    Some(Some(error)) if *outcome == Outcome::Acked => {
                        *outcome = Outcome::Failed(wire::failure(error));
                    }
                    Some(_) => {}
                    None => return Err(broken("the server's reply to EXEC is too short")),
                }
            }
        }
        Ok(Progress::Done(replies.all(|error| error.is_none())))
    }

    /// Nothing ran because some commands were refused. The others are worth another try, by who sent
    /// them: what became of the refused ones is to be noted before that.
    fn discarded_with_others(&mut self) -> Progress {
        for outcome in self.outcomes.iter_mut().filter(|outcome| **outcome == Outcome::Acked) {
            *outcome = Outcome::NotSent(Failure::discarded());
        }
        Progress::Done(false)
    }

    /// Nothing ran. Each refused command has its own error; a reason of EXEC's own, or one against
    /// the cursor, goes for all others.
    fn discarded(&mut self, error: Option<&[u8]>) -> Progress {
        let error = error.unwrap_or(b"ERR the server discarded the transaction");
        let own = error.strip_prefix(b"EXECABORT Transaction discarded because of: ");
        let refused = self.outcomes.iter().any(|outcome| *outcome != Outcome::Acked);
        let tail = self.proof.as_mut().and_then(|proof| proof.tail_refused.take());
        let reason = match (own, refused, tail) {
            (Some(own), _, _) => wire::failure(own),
            (None, true, _) => return self.discarded_with_others(),
            (None, false, Some(tail)) => tail,
            (None, false, None) => wire::failure(error),
        };
        for outcome in &mut self.outcomes {
            if *outcome == Outcome::Acked {
                *outcome = Outcome::Failed(reason.clone());
            }
        }
        Progress::Done(false)
    }

    pub(super) fn set_proof(&mut self, proof: Proof) {
        self.proof = Some(proof);
    }

    /// Announces its commands: in a transaction all with it, else each by itself.
    pub(super) fn announce(&mut self) {
        if let Some(proof) = &mut self.proof {
            proof.lead_left = 1;
            self.lead = ASKING.len();
            self.bytes.splice(..0, ASKING.iter().copied());
            for mark in &mut self.marks {
                mark.end += ASKING.len();
                mark.begun += ASKING.len();
            }
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() + self.marks.len() * ASKING.len());
        let mut start = 0;
        for mark in &mut self.marks {
            let commands = &self.bytes[start..mark.end];
            start = mark.end;
            let mut first = None;
            for command in wire::commands(commands) {
                bytes.extend_from_slice(ASKING);
                bytes.extend_from_slice(command);
                first.get_or_insert(bytes.len());
            }
            mark.end = bytes.len();
            mark.begun = first.unwrap_or(mark.end);
            mark.replies *= 2;
        }
        self.bytes = bytes;
    }

    /// Takes what came to the wrong server, or at the wrong time, as not sent: nothing of it was
    /// done. The first such refusal, if there is any.
    pub(super) fn turn_away(&mut self, turns: Turns) -> Option<Failure> {
        if turns == Turns::Never {
            return None;
        }
        let is_one = |failure: &&Failure| turns.away(&failure.kind);
        let of_tail = self.proof.as_ref().and_then(|proof| proof.tail_refused.as_ref());
        let refusals = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        });
        let found = refusals.chain(of_tail).find(is_one)?.clone();
        for outcome in &mut self.outcomes {
            match outcome {
                Outcome::Failed(failure) if turns.away(&failure.kind) => {
                    *outcome = Outcome::NotSent(failure.clone());
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// Jobs acknowledged.
    pub(super) fn acked(&self) -> u64 {
        let jobs = |(mark, outcome): (&Mark, &Outcome)| match outcome {
            Outcome::Acked => u64::from(mark.jobs),
            _ => 0,
        };
        self.marks.iter().zip(&self.outcomes).map(jobs).sum()
    }

    /// Gives the outcomes to who waits for them.
    pub(super) fn land(self) {
        _ = self.answer.send(self.outcomes);
    }

    /// After a break, with so many of its bytes written: whether only the server knows what became
    /// of it.
    pub(super) fn is_in_doubt(&self, written: usize) -> bool {
        let in_one = self.proof.as_ref().is_some_and(|proof| proof.begun != Some(false));
        in_one && written == self.bytes.len()
    }

    /// Ends it after a break, as far as can be said without asking: a command whose last byte was
    /// never written can't have run, one that was written whole may have. In a transaction none
    /// has before its end was written.
    pub(super) fn break_off(mut self, written: usize, failure: &Failure) {
        if self.proof.as_ref().is_some_and(|proof| proof.begun != Some(false)) {
            self.outcomes.clear();
            self.outcomes.resize(self.marks.len(), Outcome::NotSent(failure.clone()));
            return self.land();
        }
        if self.awaited > 0 {
            // Its push comes last, and has not been answered.
            self.outcomes.pop();
        }
        for mark in &self.marks[self.outcomes.len()..] {
            let outcome = if mark.begun <= written { Outcome::Unknown } else { Outcome::NotSent };
            self.outcomes.push(outcome(failure.clone()));
        }
        self.land();
    }

    /// Ends it as found out.
    pub(super) fn settle(&mut self, fate: &Fate<'_>) {
        self.outcomes.clear();
        let mut start = self.lead + Cursor::OPENING;
        for mark in &self.marks {
            self.outcomes.push(match fate {
                Fate::In(types) => taken(&self.bytes[start..mark.end], types),
                Fate::Out(failure) => Outcome::NotSent((*failure).clone()),
                Fate::Unknown(failure) => Outcome::Unknown((*failure).clone()),
            });
            start = mark.end;
        }
    }

    /// Adds the keys that its commands push to.
    pub(super) fn name_queues(&self, queues: &mut BTreeSet<Vec<u8>>) {
        let mut start = self.lead + Cursor::OPENING;
        for mark in &self.marks {
            for command in wire::commands(&self.bytes[start..mark.end]) {
                if let Some((_, key)) = pushed_to(command)
                    && !queues.contains(key)
                {
                    queues.insert(key.to_vec());
                }
            }
            start = mark.end;
        }
    }
}

/// The type that a writing command wants, and its key.
fn pushed_to(command: &[u8]) -> Option<(&'static str, &[u8])> {
    let [name, key] = wire::first_two(command)?;
    match name {
        b"LPUSH" | b"RPUSH" => Some(("list", key)),
        b"XADD" => Some(("stream", key)),
        b"ZADD" => Some(("zset", key)),
        b"SADD" => Some(("set", key)),
        _ => None,
    }
}

/// The outcome of commands of a transaction that ran and whose replies are lost. Of what a
/// transaction lets through, a push fails if its key holds something else, and the key tells.
fn taken(commands: &[u8], types: &HashMap<Vec<u8>, String>) -> Outcome {
    let outcomes = wire::commands(commands).map(|command| taken_one(command, types));
    let mut outcomes = outcomes;
    outcomes.find(|outcome| *outcome != Outcome::Acked).unwrap_or(Outcome::Acked)
}

fn taken_one(command: &[u8], types: &HashMap<Vec<u8>, String>) -> Outcome {
    let Some((wanted, key)) = pushed_to(command) else {
        return Outcome::Acked;
    };
    let name = String::from_utf8_lossy(key);
    match types.get(key) {
        Some(found) if found == wanted || found == "none" => Outcome::Acked,
        Some(found) => Outcome::Failed(Failure {
            kind: "WRONGTYPE".to_owned(),
            message: format!("WRONGTYPE `{name}` holds a {found}, not a {wanted}"),
            lasting: true,
        }),
        None => Outcome::Unknown(broken(&format!("what `{name}` holds may not be asked"))),
    }
}
