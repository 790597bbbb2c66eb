//! What a connection makes of any bytes that a server may send: the whole way of a reply, without a
//! server, for who wants to try that with bytes of their own.

use super::super::cursor::Cursor;
use super::super::route::Turns;
use super::super::{broken, wire};
use super::flight::Batch;
use super::inquiry::Evidence;
use super::standing::Standing;
use super::traffic::Traffic;
use crate::job::Format;
use crate::sink::{Args, Command, Outcome, Queue};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// What became of the commands that were sent, each of one job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands.
    pub sent: u64,
    /// Replies that came, whole.
    pub replies: u64,
    /// The target has them.
    pub acked: u64,
    /// It refused them.
    pub failed: u64,
    /// Nobody can tell.
    pub unknown: u64,
    /// They are known to have stayed out.
    pub not_sent: u64,
    /// Commands without an outcome: there should be none.
    pub silent: u64,
}

/// Sends some batches and takes the bytes for what comes back, until they end or make no sense and
/// the connection breaks; then the server has forgotten all. The first byte says how the connection
/// is, the second how many batches.
pub fn replies(bytes: &[u8]) -> Tally {
    let (head, bytes) = bytes.split_at(bytes.len().min(2));
    let how = head.first().copied().unwrap_or(0);
    let batches = head.get(1).map_or(1, |byte| 1 + u64::from(byte % 8));
    let proven = how & 1 != 0;
    let turns = [Turns::Never, Turns::Demoted, Turns::Slots][usize::from(how >> 2) % 3];
    let queue = Queue { name: "q".to_owned(), format: Format::List };
    let standing = proven.then(|| Standing::new(Cursor::beside(&queue, "RUN")));
    let mut traffic = Traffic::new(standing, turns);
    traffic.set_asking(how & 2 != 0);
    let commands = ["LPUSH q a", "XADD s * f v"].map(command);
    let mut answers = Vec::new();
    for _ in 0..batches {
        let (answer, receiver) = oneshot::channel();
        traffic.hands_over(Batch::new(&commands, proven, 0, 0, answer));
        answers.push(receiver);
    }
    let mut tally = Tally { sent: batches * commands.len() as u64, ..Tally::default() };
    let mut rest = bytes;
    while let Ok(Some(reply)) = wire::reply(rest) {
        tally.replies += count(&rest[..reply.len]);
        rest = &rest[reply.len..];
    }
    let trouble = bytes.chunks(16).find_map(|piece| traffic.comes(piece).err());
    let failure = trouble.unwrap_or_else(|| broken("cut"));
    traffic.break_off(&failure);
    let (ring, restarted) = (Ok(None), Some(true));
    let evidence = Evidence { ring, fenced: how & 32 != 0, restarted, types: HashMap::new() };
    _ = traffic.settle(&evidence, &failure);
    for mut answer in answers {
        let outcomes = answer.try_recv().unwrap_or_default();
        tally.silent += (commands.len() - outcomes.len().min(commands.len())) as u64;
        for outcome in outcomes {
            *match outcome {
                Outcome::Acked => &mut tally.acked,
                Outcome::Failed(_) => &mut tally.failed,
                Outcome::Unknown(_) => &mut tally.unknown,
                Outcome::NotSent(_) => &mut tally.not_sent,
            } += 1;
        }
    }
    tally
}

fn command(line: &str) -> Command {
    let mut args = Args::default();
    line.split(' ').for_each(|word| args.push(word.as_bytes()));
    Command { args, jobs: 1 }
}

/// Replies in one: those to a transaction count each.
fn count(reply: &[u8]) -> u64 {
    wire::elements(reply).map_or(1, |elements| 1 + elements.count() as u64)
}
