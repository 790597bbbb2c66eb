//! Looks at the other side of queues: how many jobs wait, and what their workers do.

use super::broken;
use super::control::{Control, pipeline, refusal, text};
use crate::sink::formats::watch::{Clocks, Watch};
use crate::sink::formats::{self, Seen};
use crate::sink::{Args, Failure, Queue};
use redis::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Who asks about each queue, and what it remembers.
#[derive(Default)]
pub(super) struct Lookers {
    by_queue: Mutex<HashMap<Queue, Box<dyn Watch>>>,
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
        let seen = look(control, watch.as_mut(), true).await;
        self.lock().insert(queue.clone(), watch);
        seen
    }

    /// How many jobs are not done, and nothing else.
    ///
    /// # Errors
    ///
    /// Why that can't be known.
    pub(super) async fn depth(&self, control: &Control, queue: &Queue) -> Result<u64, Failure> {
        look(control, formats::watcher(queue).as_mut(), false).await.map(|seen| seen.depth())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Queue, Box<dyn Watch>>> {
        self.by_queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One look; without `whole` only what the first question tells.
async fn look(control: &Control, watch: &mut dyn Watch, whole: bool) -> Result<Seen, Failure> {
    let asked = watch.ask();
    if asked.is_empty() {
        return Ok(Seen::default());
    }
    let (answers, clocks, mut server_us) = timed(control, asked).await?;
    let further = if whole { watch.ask_more(&answers) } else { Vec::new() };
    let mut more = Vec::new();
    let mut clocks_then = clocks;
    if !further.is_empty() {
        let took;
        (more, clocks_then, took) = timed(control, further).await?;
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
async fn timed(control: &Control, asked: Vec<Args>) -> Result<(Vec<Value>, Clocks, u64), Failure> {
    let mut time = Args::default();
    time.push(b"TIME");
    let mut questions = vec![time.clone()];
    questions.extend(asked);
    questions.push(time);
    let before_us = local_us();
    let mut answers = control.ask(&pipeline(&questions)).await?;
    let middle_us = before_us.midpoint(local_us());
    let last = answers.pop().and_then(|answer| server_us(&answer));
    let first = if answers.is_empty() { None } else { server_us(&answers.remove(0)) };
    // A server that does not tell the time is taken to agree with this machine.
    let (first, last) = (first.unwrap_or(middle_us), last.unwrap_or(middle_us));
    let ahead_us = first.midpoint(last) as i64 - middle_us as i64;
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
