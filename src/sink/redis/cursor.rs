//! The proof of what arrived: a key beside the queue that every batch writes its number to, in the
//! same transaction as its jobs.
//!
//! ```text
//! MULTI  LPUSH orders job job …  SETRANGE loadc:cursor:{orders}:RUN 130 "000000000005 000000000007 "  EXEC
//! ```
//!
//! The key's value is a ring of the numbers of the last [`SLOTS`] batches, each at its own place.
//! One number, that of the last batch, would not do: a batch that the server discarded as a whole
//! (it was full for a moment) and a later one that went in would look the same as two that went in.
//! With a place for each, a batch is in exactly if its own number stands there. The second number is
//! the sender's own for the batch, by which it knows it again after it was killed and started anew.

use crate::sink::redis::wire;
use crate::sink::{Args, Queue};
use std::time::Duration;

/// Batches that may be unanswered at a time; the others wait their turn.
pub(super) const SLOTS: u64 = 1024;

/// Digits of a number in the ring, and the width of a place: two, each with a blank behind it.
const DIGITS: usize = 12;
const WIDTH: usize = 2 * (DIGITS + 1);

/// How long the key outlives the last batch that renewed its life: a run that is killed leaves
/// nothing for good, and can be gone on with for a day.
pub(super) const LIFE: Duration = Duration::from_secs(24 * 3600);

/// A batch renews the key's life when the last renewal is older than this.
pub(super) const RENEWAL: Duration = Duration::from_secs(600);

/// The key of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    key: String,
    run: String,
    /// In a cluster: the slot whose jobs it counts.
    slot: Option<u16>,
}

/// What begins a batch.
const OPENING: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";

impl Cursor {
    /// The bytes that [`Cursor::open`] puts before a batch's first command.
    pub(super) const OPENING: usize = OPENING.len();

    /// The key `loadc:cursor:{queue}:run`, in the same hash slot as the queue. `run` names the run
    /// and no other.
    pub fn beside(queue: &Queue, run: &str) -> Cursor {
        Cursor::beside_key(&queue.name, run)
    }

    /// The same beside a key of the queue.
    pub(super) fn beside_key(name: &str, run: &str) -> Cursor {
        let key = match tag(name) {
            Some(tag) => format!("loadc:cursor:{{{tag}}}:{run}"),
            // No tag can say such a name; on a single server nothing depends on it.
            None if name.contains('}') => format!("loadc:cursor:{name}:{run}"),
            None => format!("loadc:cursor:{{{name}}}:{run}"),
        };
        Cursor { key, run: run.to_owned(), slot: None }
    }

    /// The same for the jobs of one slot, which have a connection of their own.
    pub(super) fn of_slot(self, slot: u16) -> Cursor {
        Cursor { slot: Some(slot), ..self }
    }

    /// What the run calls its connections (`CLIENT SETNAME`), so that one that goes on with it after
    /// its process was killed can find them.
    pub(super) fn client_name(&self) -> String {
        match self.slot {
            None => format!("loadc:{}", self.run),
            Some(slot) => format!("loadc:{}:{slot}", self.run),
        }
    }

    /// The run's name.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// The key's name.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Begins a batch.
    pub(super) fn open(out: &mut Vec<u8>) {
        out.extend_from_slice(OPENING);
    }

    /// Ends the batch of a number, its sender's own number being `mark`, and renews the key's life if
    /// told to.
    pub(super) fn close(&self, number: u64, mark: u64, renews: bool, out: &mut Vec<u8>) {
        let mut write = |words: &[&[u8]]| {
            let mut args = Args::default();
            words.iter().for_each(|word| args.push(word));
            wire::encode(&args, out);
        };
        let key = self.key.as_bytes();
        let offset = (number % SLOTS) * WIDTH as u64;
        let value = format!("{number:0DIGITS$} {mark:0DIGITS$} ");
        write(&[b"SETRANGE", key, offset.to_string().as_bytes(), value.as_bytes()]);
        if renews {
            write(&[b"EXPIRE", key, LIFE.as_secs().to_string().as_bytes()]);
        }
        write(&[b"EXEC"]);
    }
}

/// The part of a key that a cluster hashes, if it is not the whole.
fn tag(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('{')?;
    let (tag, _) = rest.split_once('}')?;
    (!tag.is_empty()).then_some(tag)
}

/// The key's value as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ring {
    numbers: Vec<u64>,
    marks: Vec<u64>,
}

impl Ring {
    pub(super) fn parse(value: &[u8]) -> Ring {
        let number = |place: &[u8], at: usize| -> Option<u64> {
            std::str::from_utf8(place.get(at..at + DIGITS)?).ok()?.parse().ok()
        };
        let read = |at| value.chunks(WIDTH).map(move |place| number(place, at).unwrap_or(0));
        Ring { numbers: read(0).collect(), marks: read(DIGITS + 1).collect() }
    }

    /// Whether the batch of this number is in, if no more than [`SLOTS`] came after it.
    pub(super) fn holds(&self, number: u64) -> bool {
        let place = usize::try_from(number % SLOTS).unwrap_or_default();
        self.numbers.get(place) == Some(&number)
    }

    /// Whether the place of this batch holds its number or a later one: a key that was lost after
    /// it, and written anew since, holds neither.
    pub(super) fn reaches(&self, number: u64) -> bool {
        let place = usize::try_from(number % SLOTS).unwrap_or_default();
        number == 0 || self.numbers.get(place).is_some_and(|held| *held >= number)
    }

    /// The senders' own numbers of the batches that are in.
    pub(super) fn marks(&self) -> impl Iterator<Item = u64> {
        self.marks.iter().copied().filter(|mark| *mark > 0)
    }

    /// The last batch that is in; 0 for none.
    pub(super) fn newest(&self) -> u64 {
        self.numbers.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Format;

    fn cursor(queue: &str) -> Cursor {
        Cursor::beside(&Queue { name: queue.to_owned(), format: Format::List }, "RUN")
    }

    #[test]
    fn the_key_hashes_as_the_queue_does() {
        for (queue, key) in [
            ("orders", "loadc:cursor:{orders}:RUN"),
            ("app:{eu}:orders", "loadc:cursor:{eu}:RUN"),
            ("{a}{b}", "loadc:cursor:{a}:RUN"),
            ("a{b", "loadc:cursor:{a{b}:RUN"),
            ("a}b", "loadc:cursor:a}b:RUN"),
            ("{}a", "loadc:cursor:{}a:RUN"),
        ] {
            assert_eq!(cursor(queue).key(), key);
        }
    }

    #[test]
    fn a_batch_ends_with_its_number_at_its_own_place() {
        let mut out = Vec::new();
        cursor("q").close(SLOTS + 5, 7, true, &mut out);
        let wanted = "*4\r\n$8\r\nSETRANGE\r\n$20\r\nloadc:cursor:{q}:RUN\r\n$3\r\n130\r\n\
             $26\r\n000000001029 000000000007 \r\n*3\r\n$6\r\nEXPIRE\r\n$20\r\nloadc:cursor:{q}:RUN\r\n$5\r\n\
             86400\r\n*1\r\n$4\r\nEXEC\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn a_ring_tells_each_batch() {
        // Numbers 1 and 3 are in, 2 was discarded, and nothing came after.
        let mut value = vec![0; WIDTH];
        value.extend_from_slice(b"000000000001 000000000011 ");
        value.extend_from_slice(&[0; WIDTH]);
        value.extend_from_slice(b"000000000003 ");
        let ring = Ring::parse(&value);
        let held: Vec<bool> = (1..=4).map(|number| ring.holds(number)).collect();
        assert_eq!((held, ring.newest()), (vec![true, false, true, false], 3));
        assert!(!ring.holds(SLOTS + 1) && !ring.holds(SLOTS + 3));
        let reached: Vec<bool> = (0..=4).map(|number| ring.reaches(number)).collect();
        assert_eq!(reached, [true, true, false, true, false]);
        assert_eq!(ring.marks().collect::<Vec<_>>(), [11]);
        assert_eq!(Ring::parse(b"").newest(), 0);
        assert_eq!(Ring::parse(b"what is this").newest(), 0);
    }
}
