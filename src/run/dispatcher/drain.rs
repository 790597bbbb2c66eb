//! Whether the queues come to be empty after the last job, for `expect { drains within … }`.

use super::Dispatcher;
use crate::ast::Measure;
use crate::run::clock::Clock;
use crate::run::control::End;
use crate::run::guards::ASK_EVERY_NS;
use crate::run::jobs::Jobs;
use crate::sink::Sink;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Waits until no job waits in any queue that is written to, if that is expected of a run that
    /// went to its end, and no longer than is expected. A second wish to end is heard.
    pub(super) async fn wait_for_drain(&mut self) {
        let limits =
            self.task.expectations.iter().filter(|expect| expect.measure == Measure::Drains);
        let Some(limit_us) = limits.map(|expect| expect.limit).reduce(f64::max) else { return };
        if self.ending.is_some() {
            return;
        }
        let start_ns = self.clock.now_ns();
        let limit_ns = (limit_us * 1e3) as u64;
        loop {
            let now_ns = self.clock.now_ns();
            let mut waiting = Some(0);
            for queue in self.written() {
                let depth = self.sink.depth(&self.probe.queues()[queue]).await.ok();
                if let Some(depth) = depth {
                    self.stats.depth_mut(queue).seen(depth);
                }
                waiting = waiting.zip(depth).map(|(sum, depth)| sum + depth);
            }
            let passed_ns = now_ns - start_ns;
            if waiting == Some(0) {
                self.drained_us = Some(passed_ns as f64 / 1e3);
                return;
            }
            let ended = matches!(self.wishes.borrow().end, Some(End::Drain(_) | End::Now(_)));
            if passed_ns >= limit_ns || ended {
                return;
            }
            let next_ns = now_ns.saturating_add(ASK_EVERY_NS);
            self.clock.sleep_until(next_ns.min(start_ns.saturating_add(limit_ns))).await;
        }
    }

    /// The queues that are written to, by their places among those that are asked.
    pub(super) fn written(&self) -> Vec<usize> {
        let mut queues: Vec<usize> =
            self.streams().flat_map(|stream| self.lane_queues(stream)).collect();
        queues.sort_unstable();
        queues.dedup();
        queues
    }
}
