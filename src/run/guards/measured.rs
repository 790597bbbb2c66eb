//! Guards on what is asked for every 100 ms and is one number: loadc's own memory and processor time,
//! and the server's memory.

use super::{Armed, Guards, Hit, Watch};
use crate::plan::{GuardKind, ServerLimit};
use crate::sink::ServerMemory;

impl Armed {
    fn is_measured(&self) -> bool {
        !self.spent && matches!(self.watch, Watch::Measured(_))
    }

    fn judge_measured(&mut self, value: f64, now_ns: u64) -> Option<super::Effect> {
        self.watch = Watch::Measured(Some(value));
        let over = value > self.guard.kind.limit();
        self.judge(now_ns, over, value, |_| true)
    }
}

impl Guards {
    /// Whether a guard speaks of what loadc itself uses.
    pub fn asks_own(&self) -> bool {
        let own = |kind: &GuardKind| matches!(kind, GuardKind::Memory(_) | GuardKind::Cpu(_));
        self.armed.iter().any(|armed| armed.is_measured() && own(&armed.guard.kind))
    }

    /// The first guard, if any, that speaks of the server's memory.
    pub fn asks_server(&self) -> Option<usize> {
        let server = |armed: &Armed| {
            armed.is_measured() && matches!(armed.guard.kind, GuardKind::ServerMemory(_))
        };
        self.armed.iter().position(server)
    }

    /// The first guard, if any, on loadc's own memory.
    pub fn asks_memory(&self) -> Option<usize> {
        let memory =
            |armed: &Armed| armed.is_measured() && matches!(armed.guard.kind, GuardKind::Memory(_));
        self.armed.iter().position(memory)
    }

    /// Judges the guards on what loadc itself uses: bytes, and a share of a core. What is not known
    /// is not judged.
    pub fn judge_own(
        &mut self,
        rss_bytes: Option<u64>,
        cpu_share: Option<f64>,
        now_ns: u64,
    ) -> Vec<Hit> {
        self.judge_each(|armed| {
            let value = match armed.guard.kind {
                GuardKind::Memory(_) => rss_bytes? as f64,
                GuardKind::Cpu(_) => cpu_share?,
                _ => return None,
            };
            Some((value, armed.judge_measured(value, now_ns)?))
        })
    }

    /// Whether a guard speaks of what workers do, which is then looked at every 100 ms.
    pub fn asks_workers(&self) -> bool {
        let workers =
            |kind: &GuardKind| matches!(kind, GuardKind::Age(_) | GuardKind::Failed { .. });
        self.armed.iter().any(|armed| !armed.spent && workers(&armed.guard.kind))
    }

    /// Judges the guards on what workers do: `age_s` tells the age of the oldest job of a stream's
    /// queues, or of all, `counts` how many jobs were begun and failed since the run's start. What is
    /// not known is not judged.
    pub fn judge_workers(
        &mut self,
        age_s: impl Fn(Option<usize>) -> Option<f64>,
        counts: impl Fn(Option<usize>) -> Option<(u64, u64)>,
        now_ns: u64,
    ) -> Vec<Hit> {
        self.judge_each(|armed| {
            if armed.spent {
                return None;
            }
            match (&armed.guard.kind, &mut armed.watch) {
                (GuardKind::Age(_), _) => {
                    let age_s = age_s(armed.guard.stream)?;
                    Some((age_s, armed.judge_measured(age_s, now_ns)?))
                }
                (GuardKind::Failed { limit, .. }, Watch::Failed(window)) => {
                    if let Some((begun, failed)) = counts(armed.guard.stream) {
                        window.see(now_ns, begun, failed);
                    }
                    let share = window.share(now_ns)?;
                    let over = share > *limit;
                    Some((share, armed.judge(now_ns, over, share, |_| true)?))
                }
                _ => None,
            }
        })
    }

    /// Judges the guards on the server's memory.
    pub fn judge_server(&mut self, memory: ServerMemory, now_ns: u64) -> Vec<Hit> {
        self.judge_each(|armed| {
            let GuardKind::ServerMemory(limit) = armed.guard.kind else { return None };
            let value = match limit {
                ServerLimit::Bytes(_) => memory.used_bytes as f64,
                ServerLimit::Share(_) => memory.used_bytes as f64 / memory.allowed_bytes? as f64,
            };
            Some((value, armed.judge_measured(value, now_ns)?))
        })
    }

    /// The guards on the server's memory that can't be kept where a server does not tell how much it
    /// may use.
    pub fn needs_allowed(&self) -> Option<usize> {
        let share = |armed: &Armed| {
            matches!(armed.guard.kind, GuardKind::ServerMemory(ServerLimit::Share(_)))
        };
        self.armed.iter().position(share)
    }

    /// Stops what the guards on the server's memory speak of, since it can't be asked for.
    pub fn blind_on_server(&mut self) -> Vec<Hit> {
        self.judge_each(|armed| {
            if armed.spent || !matches!(armed.guard.kind, GuardKind::ServerMemory(_)) {
                return None;
            }
            armed.spent = true;
            let Watch::Measured(last) = armed.watch else { return None };
            Some((last.unwrap_or(0.0), armed.stop_effect(false)))
        })
    }
}
