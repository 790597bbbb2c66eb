//! Looks at the other side of queues: how many jobs wait, and what their workers do.

use super::broken;
use super::control::{Control, pipeline, refusal, text};
use crate::sink::formats::watch::{Clocks, Watch};
use crate::sink::formats::{self, Seen};
use crate::sink::{Args, Failure, Queue};
use redis::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Who asks about each queue, and what it remembers.
#[derive(Default)]
pub(super) struct Lookers {
    by_queue: Mutex<HashMap<Queue, Box<dyn Watch>>>,
    distance: Mutex<Distance>,
}

/// How far the server's clock is from this one, by the round trip of the last [`ROUNDS`] that was the
/// quickest: what was asked can't lie further from its middle than half of it.
#[derive(Debug, Default)]
struct Distance {
    /// Of each round: how long it took, and what has to be added to this clock.
    rounds: VecDeque<(u64, i64)>,
}

/// Clocks drift apart, so what was learned long ago is forgotten.
const ROUNDS: usize = 100;

impl Distance {
    fn learn(&mut self, took_us: u64, ahead_us: i64) -> i64 {
        self.rounds.push_back((took_us, ahead_us));
        if self.rounds.len() > ROUNDS {
            self.rounds.pop_front();
        }
        let quickest = self.rounds.iter().min_by_key(|(took_us, _)| *took_us);
        quickest.map_or(ahead_us, |(_, ahead_us)| *ahead_us)
    }
}

impl Lookers {
    /// One look at a queue. The server's own clock stands around the questions, so that it is known
    /// what they took of its time and how far its clock is from this one.
    ///
    /// # Errors
    ///
    /// Why it can't be known how many jobs wait.
    pub(super) async fn look(&self, control: &Control, queue: &Queue) -> Result<Seen, Failure> {
        let known = self.lock().remove(queue);
        let mut watch = known.unwrap_or_else(|| formats::watcher(queue));
        let seen = look(control, watch.as_mut(), true, &self.distance).await;
        self.lock().insert(queue.clone(), watch);
        seen
    }

    /// How many jobs are not done, and nothing else.
    ///
    /// # Errors
    ///
    /// Why that can't be known.
    pub(super) async fn depth(&self, control: &Control, queue: &Queue) -> Result<u64, Failure> {
        let mut watch = formats::watcher(queue);
        look(control, watch.as_mut(), false, &self.distance).await.map(|seen| seen.depth())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Queue, Box<dyn Watch>>> {
        self.by_queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One look; without `whole` only what the first question tells.
async fn look(
    control: &Control,
    watch: &mut dyn Watch,
    whole: bool,
    distance: &Mutex<Distance>,
) -> Result<Seen, Failure> {
    let asked = watch.ask();
    if asked.is_empty() {
        return Ok(Seen::default());
    }
    let (answers, clocks, mut server_us) = timed(control, asked, distance).await?;
    let further = if whole { watch.ask_more(&answers) } else { Vec::new() };
    let mut more = Vec::new();
    let mut clocks_then = clocks;
    if !further.is_empty() {
        let took;
        (more, clocks_then, took) = timed(control, further, distance).await?;
        server_us += took;
    }
    let mut seen = watch
        .read(&answers, &more, clocks_then)
        .map_err(|answer| refusal(&answer).unwrap_or_else(|| broken("the reply is no count")))?;
    seen.server_us = server_us;
    Ok(seen)
}

/// Asks with the server's time before and behind: the answers, the clocks, and what it took of the
/// server in microseconds.
async fn timed(
    control: &Control,
    asked: Vec<Args>,
    distance: &Mutex<Distance>,
) -> Result<(Vec<Value>, Clocks, u64), Failure> {
    let mut time = Args::default();
    time.push(b"TIME");
    let mut questions = vec![time.clone()];
    questions.extend(asked);
    questions.push(time);
    let before_us = local_us();
    let mut answers = control.ask(&pipeline(&questions)).await?;
    let after_us = local_us();
    let middle_us = before_us.midpoint(after_us);
    let last = answers.pop().and_then(|answer| server_us(&answer));
    let first = if answers.is_empty() { None } else { server_us(&answers.remove(0)) };
    // A server that does not tell the time is taken to agree with this machine.
    let (first, last) = (first.unwrap_or(middle_us), last.unwrap_or(middle_us));
    let took_us = after_us.saturating_sub(before_us);
    let ahead_us = distance
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .learn(took_us, first.midpoint(last) as i64 - middle_us as i64);
    Ok((answers, Clocks { server_us: last, ahead_us }, last.saturating_sub(first)))
}

fn local_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// The reply to TIME: seconds and microseconds.
fn server_us(answer: &Value) -> Option<u64> {
    let Value::Array(parts) = answer else { return None };
    let [seconds, micros] = parts.as_slice() else { return None };
    let number = |part| text(part).and_then(|text| text.parse::<u64>().ok());
    Some(number(seconds)? * 1_000_000 + number(micros)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_round_tells_the_distance_of_the_clocks() {
        let mut distance = Distance::default();
        assert_eq!(distance.learn(900, 400), 400);
        assert_eq!(distance.learn(100, 20), 20);
        assert_eq!(distance.learn(5_000, -2_400), 20);
        // Until it is too long ago.
        let last = (0..ROUNDS).map(|_| distance.learn(800, 7)).last();
        assert_eq!(last, Some(7));
    }
}
