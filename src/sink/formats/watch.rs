//! The other side of a queue: what its workers have left, do and did, as far as the format tells.
//!
//! A look is one round trip, where one question hangs on the answer to another two, of a bounded
//! number of cheap commands, whatever the queue's length.

mod finished;

pub(super) use finished::{Finished, Recent};

use crate::job::Id;
use crate::sink::Args;
use redis::Value;

/// What one look shows; none where the format does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Jobs that a worker may take now.
    pub waiting: Option<u64>,
    /// Jobs for later, those to be tried again among them where the format keeps them together.
    pub delayed: Option<u64>,
    /// Jobs that workers have taken and not finished.
    pub active: Option<u64>,
    /// Jobs in the hands of the workers of all queues, where only that is told.
    pub busy: Option<u64>,
    /// Jobs that failed and may be tried again.
    pub failed: Option<u64>,
    /// Jobs given up.
    pub dead: Option<u64>,
    /// Jobs ever run, failed ones among them: attempts, where the format counts attempts. For the
    /// whole server where [`Seen::counts_all_queues`] says so.
    pub processed_total: Option<u64>,
    /// Of these, those that failed.
    pub failed_total: Option<u64>,
    /// The totals are those of all queues together.
    pub counts_all_queues: bool,
    /// Since when the oldest waiting job could have been taken, in milliseconds since the Unix
    /// epoch by loadc's clock.
    pub oldest_unix_ms: Option<u64>,
    /// How long jobs that were begun since the last look had waited, in microseconds: a sample.
    pub pickups_us: Vec<u64>,
    /// Whether nobody takes jobs because the queue is paused.
    pub paused: bool,
    /// What the look took of the server's time, in microseconds.
    pub server_us: u64,
}

impl Seen {
    /// Jobs that are not done: waiting, for later, and in workers' hands.
    pub fn depth(&self) -> u64 {
        let kinds = [self.waiting, self.delayed, self.active];
        kinds.into_iter().flatten().fold(0, u64::saturating_add)
    }

    /// A look that shows a depth and nothing else.
    pub fn of_depth(depth: u64) -> Seen {
        Seen { waiting: Some(depth), ..Seen::default() }
    }
}

/// The server's clock at a look.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sink) struct Clocks {
    /// The server's, in microseconds since the Unix epoch.
    pub(in crate::sink) server_us: u64,
    /// What has to be added to loadc's clock to have the server's.
    pub(in crate::sink) ahead_us: i64,
}

impl Clocks {
    /// From an instant of loadc's clock to one of the server's, both in milliseconds; none if that
    /// is negative, which clocks that are not quite equal make of nothing.
    pub(super) fn pickup_us(self, ready_ms: u64, begun_ms: u64) -> Option<u64> {
        let ready_us =
            i64::try_from(ready_ms).ok()?.checked_mul(1_000)?.checked_add(self.ahead_us)?;
        let begun_us = i64::try_from(begun_ms).ok()?.checked_mul(1_000)?;
        Some(u64::try_from(begun_us - ready_us).unwrap_or(0))
    }

    /// An instant of the server's clock by loadc's, both in milliseconds.
    pub(super) fn local_ms(self, server_ms: u64) -> u64 {
        let local_us = i64::try_from(server_ms).unwrap_or(i64::MAX / 1_000) * 1_000 - self.ahead_us;
        u64::try_from(local_us / 1_000).unwrap_or(0)
    }
}

/// Asks about one queue. It remembers what it has seen, so that a job's start counts once.
pub(in crate::sink) trait Watch: Send {
    /// What to ask.
    fn ask(&mut self) -> Vec<Args>;

    /// What to ask once the answers are there.
    fn ask_more(&mut self, _answers: &[Value]) -> Vec<Args> {
        Vec::new()
    }

    /// What the answers show.
    ///
    /// # Errors
    ///
    /// The answer that refuses to tell how many jobs wait.
    fn read(&mut self, answers: &[Value], more: &[Value], clocks: Clocks) -> Result<Seen, Value>;
}

/// What a plain question counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Waiting,
    Delayed,
    Active,
    Failed,
    Dead,
    Processed,
    FailedTotal,
    /// Those not done, whether they wait or not: what is more than waiting is active.
    Unfinished,
    /// The next job a worker takes, or its id: tells since when it waits.
    Head,
    /// Anything but nil, none and 0 says that the queue is paused.
    Paused,
}

/// Questions that each have one answer.
#[derive(Debug, Default)]
pub(super) struct Plain {
    asks: Vec<(Kind, Args)>,
    counts_all_queues: bool,
}

impl Plain {
    pub(super) fn ask(mut self, kind: Kind, words: &[&str]) -> Plain {
        let mut args = Args::default();
        words.iter().for_each(|word| args.push(word.as_bytes()));
        self.asks.push((kind, args));
        self
    }

    /// The totals are those of all queues.
    pub(super) fn of_all_queues(mut self) -> Plain {
        self.counts_all_queues = true;
        self
    }

    pub(super) fn len(&self) -> usize {
        self.asks.len()
    }

    pub(super) fn questions(&self) -> Vec<Args> {
        self.asks.iter().map(|(_, args)| args.clone()).collect()
    }

    /// # Errors
    ///
    /// As [`Watch::read`].
    pub(super) fn answers(&self, answers: &[Value]) -> Result<Seen, Value> {
        let mut seen = Seen { counts_all_queues: self.counts_all_queues, ..Seen::default() };
        for ((kind, _), answer) in self.asks.iter().zip(answers) {
            let slot = match kind {
                Kind::Waiting => &mut seen.waiting,
                Kind::Delayed => &mut seen.delayed,
                Kind::Active => &mut seen.active,
                Kind::Failed => &mut seen.failed,
                Kind::Dead => &mut seen.dead,
                Kind::Processed => &mut seen.processed_total,
                Kind::FailedTotal => &mut seen.failed_total,
                Kind::Unfinished => {
                    let waiting = seen.waiting.unwrap_or(0);
                    seen.active = number(answer).map(|all| all.saturating_sub(waiting));
                    continue;
                }
                Kind::Head => {
                    seen.oldest_unix_ms = head_ms(answer);
                    continue;
                }
                Kind::Paused => {
                    seen.paused = !matches!(answer, Value::Nil | Value::Int(0));
                    continue;
                }
            };
            if *kind == Kind::Waiting && matches!(answer, Value::ServerError(_)) {
                return Err(answer.clone());
            }
            // Several questions of one kind add up.
            if let Some(count) = number(answer) {
                *slot = Some(slot.unwrap_or(0).saturating_add(count));
            }
        }
        Ok(seen)
    }
}

impl Watch for Plain {
    fn ask(&mut self) -> Vec<Args> {
        self.questions()
    }

    fn read(&mut self, answers: &[Value], _: &[Value], _: Clocks) -> Result<Seen, Value> {
        self.answers(answers)
    }
}

/// A count: an integer, or one in a string; 0 for a key that is not there.
pub(super) fn number(answer: &Value) -> Option<u64> {
    match answer {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Nil => Some(0),
        answer => bytes(answer).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()),
    }
}

/// The bytes of a string.
pub(super) fn bytes(answer: &Value) -> Option<&[u8]> {
    match answer {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// The elements of an array.
pub(super) fn items(answer: &Value) -> &[Value] {
    match answer {
        Value::Array(items) | Value::Set(items) => items,
        _ => &[],
    }
}

/// The value of a word in an array of words and values.
pub(super) fn field<'v>(answer: &'v Value, word: &str) -> Option<&'v Value> {
    let pairs = items(answer).chunks_exact(2);
    pairs.into_iter().find(|pair| bytes(&pair[0]) == Some(word.as_bytes())).map(|pair| &pair[1])
}

/// Since when a job could be taken, by loadc's id in it.
fn head_ms(answer: &Value) -> Option<u64> {
    let text = match answer {
        Value::Array(items) => bytes(items.first()?)?,
        answer => bytes(answer)?,
    };
    // Bodies may be long, and the id stands early or late in them.
    Id::find(text).map(Id::ready_unix_ms)
}

/// The milliseconds of a stream's id `ms-seq`.
pub(super) fn stream_ms(id: &Value) -> Option<u64> {
    let text = std::str::from_utf8(bytes(id)?).ok()?;
    text.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_one_kind_add_up_and_a_refusal_is_told() {
        let plain = Plain::default()
            .ask(Kind::Waiting, &["LLEN", "a"])
            .ask(Kind::Waiting, &["LLEN", "b"])
            .ask(Kind::Dead, &["ZCARD", "dead"])
            .ask(Kind::Processed, &["GET", "total"])
            .ask(Kind::Paused, &["HGET", "meta", "paused"]);
        let total = Value::BulkString(b"12".to_vec());
        let seen = plain
            .answers(&[Value::Int(3), Value::Int(4), Value::Int(1), total, Value::Int(1)])
            .unwrap();
        assert_eq!((seen.waiting, seen.dead, seen.processed_total), (Some(7), Some(1), Some(12)));
        assert!(seen.paused && seen.depth() == 7);
    }

    #[test]
    fn pickups_allow_for_the_clocks() {
        let clocks = Clocks { server_us: 0, ahead_us: 5_000 };
        assert_eq!(clocks.pickup_us(100, 110), Some(5_000));
        assert_eq!(clocks.pickup_us(100, 104), Some(0));
    }
}
