//! Guards on what loadc itself uses and on the server's memory.

use super::{Boxed, Dispatcher, SECOND_NS};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::guards::{GuardEntry, Hit};
use crate::run::jobs::Jobs;
use crate::sink::{Failure, ServerMemory, Sink, State};
use std::collections::VecDeque;
use std::sync::Arc;

/// Over this long the share of processor time is taken, in nanoseconds.
const CPU_OVER_NS: u64 = SECOND_NS;

/// After this long a question is given up, and a guard on the server's memory that can't be asked for
/// stops.
const PATIENCE_NS: u64 = 5 * SECOND_NS;

/// Processor time over the last second.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Instants and what had been used by then, in seconds.
    seen: VecDeque<(u64, f64)>,
}

impl Load {
    /// The share of a core used over the last second; `None` before the first is over.
    fn share(&mut self, now_ns: u64, cpu_s: f64) -> Option<f64> {
        self.seen.push_back((now_ns, cpu_s));
        while self.seen.get(1).is_some_and(|(at_ns, _)| at_ns + CPU_OVER_NS <= now_ns) {
            self.seen.pop_front();
        }
        let (since_ns, before_s) = *self.seen.front()?;
        let passed_ns = now_ns - since_ns;
        (passed_ns >= CPU_OVER_NS).then(|| (cpu_s - before_s) / (passed_ns as f64 / 1e9))
    }
}

/// Asks the server for its memory.
#[derive(Default)]
pub(super) struct Server {
    out: Option<Boxed<Result<ServerMemory, Failure>>>,
    asked_ns: u64,
    /// Since when it could not be asked though it is connected.
    blind_since_ns: Option<u64>,
    said: bool,
}

impl Server {
    pub(super) fn is_out(&self) -> bool {
        self.out.is_some()
    }

    /// Resolves with the answer to the question that is out; never without one.
    pub(super) async fn reading(&mut self) -> Result<ServerMemory, Failure> {
        let Some(out) = &mut self.out else { return std::future::pending().await };
        let reading = out.await;
        self.out = None;
        reading
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Judges what loadc itself uses, and asks the server for its memory.
    pub(super) fn ask_own_and_server(&mut self, now_ns: u64) {
        if self.guards.asks_own() {
            let used = self.options.meter.read(now_ns);
            let share = self.load.share(now_ns, used.cpu_s);
            let hits = self.guards.judge_own(used.rss_bytes, share, now_ns);
            self.act(hits, now_ns);
        }
        if self.guards.asks_server().is_none() {
            return;
        }
        if self.server.is_out() {
            if now_ns.saturating_sub(self.server.asked_ns) > PATIENCE_NS {
                self.server.out = None;
                self.server_silent("no answer", now_ns);
            }
            return;
        }
        let sink = Arc::clone(&self.sink);
        self.server.asked_ns = now_ns;
        self.server.out = Some(Box::pin(async move { sink.memory().await }));
    }

    /// Takes the server's answer in.
    pub(super) fn memory_read(&mut self, reading: Result<ServerMemory, Failure>) {
        let now_ns = self.clock.now_ns();
        match reading {
            Ok(memory) => {
                (self.server.blind_since_ns, self.server.said) = (None, false);
                let hits = self.guards.judge_server(memory, now_ns);
                self.act(hits, now_ns);
            }
            Err(failure) => self.server_silent(&failure.message, now_ns),
        }
    }

    /// The server's memory could not be asked for: says so once, and stops what guards on it speak of
    /// if that goes on. While the connection is lost nothing is sent, and the guard is kept.
    fn server_silent(&mut self, why: &str, now_ns: u64) {
        let message = format!("the server's memory is unknown: {why}");
        if !std::mem::replace(&mut self.server.said, true) {
            self.tell(Event::Warning { message: message.clone() });
        }
        let connected = !self.lanes.is_any_lost() && matches!(self.sink.state(), State::Ready);
        let asked_ns = self.server.asked_ns;
        let since_ns = connected.then(|| self.server.blind_since_ns.unwrap_or(asked_ns));
        self.server.blind_since_ns = since_ns;
        if since_ns.is_none_or(|since_ns| now_ns.saturating_sub(since_ns) < PATIENCE_NS) {
            return;
        }
        for Hit { guard, value, effect } in self.guards.blind_on_server() {
            let entry = self.guards.entry(guard, value, now_ns);
            let (action, cause) = ("stop".to_owned(), Some(message.clone()));
            self.note_hit(guard, GuardEntry { action, cause, ..entry });
            self.stop_by_guard(effect, now_ns);
        }
    }

    /// Measures once before the run what guards on loadc's own memory and on the server's speak of.
    ///
    /// # Errors
    ///
    /// If such a guard can't be kept.
    pub(super) async fn measure_first(&mut self) -> Result<Vec<Hit>, Failure> {
        let cant = |guard: &str, why: &str| Failure {
            kind: "guard".to_owned(),
            message: format!("`{guard}` can't be kept: {why}"),
            lasting: true,
        };
        let mut hits = Vec::new();
        if let Some(guard) = self.guards.asks_memory() {
            let used = self.options.meter.read(0);
            if used.rss_bytes.is_none() {
                let text = &self.guards.guard(guard).text;
                return Err(cant(text, "this system does not tell how much memory loadc uses"));
            }
            hits.extend(self.guards.judge_own(used.rss_bytes, None, 0));
        }
        let Some(guard) = self.guards.asks_server() else { return Ok(hits) };
        let text = self.guards.guard(guard).text.clone();
        match self.sink.memory().await {
            Ok(memory) => {
                if let Some(share) = self.guards.needs_allowed()
                    && memory.allowed_bytes.is_none()
                {
                    let text = &self.guards.guard(share).text;
                    let why = "the server does not tell how much memory it may use";
                    return Err(cant(text, &format!("{why}; bound it by a size")));
                }
                hits.extend(self.guards.judge_server(memory, 0));
            }
            Err(failure) if failure.lasting => return Err(cant(&text, &failure.message)),
            Err(failure) => {
                let message = format!("the server's memory is unknown: {}", failure.message);
                self.tell(Event::Warning { message });
            }
        }
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_core_is_that_of_the_last_second() {
        let mut load = Load::default();
        let tenth = SECOND_NS / 10;
        for tick in 0..10 {
            assert_eq!(load.share(tick * tenth, 0.02 * tick as f64), None);
        }
        let of_first = load.share(SECOND_NS, 0.2).unwrap();
        assert!((of_first - 0.2).abs() < 1e-9, "{of_first}");
        // From here on a whole core.
        let shares: Vec<f64> = (11..=20)
            .map(|tick| load.share(tick * tenth, 0.2 + 0.1 * (tick - 10) as f64).unwrap())
            .collect();
        assert!((shares[4] - 0.6).abs() < 1e-9 && (shares[9] - 1.0).abs() < 1e-9, "{shares:?}");
        assert!(load.seen.len() <= 12);
    }
}
