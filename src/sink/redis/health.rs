//! Whether a server answers, what it is and how quickly it replies.

use super::Options;
use super::connect::ConnectError;
use super::control::{Control, text};
use super::route::{Turns, Way};
use crate::sink::{Failure, ServerMemory};
use crate::target::Target;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// PINGs that the latency is taken from.
const PINGS: usize = 9;

/// A server that answers. What it doesn't tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// The target, its password hidden.
    pub target: String,
    /// The one of several servers that was asked: the master that the sentinels name, or one of the
    /// cluster's.
    pub server: Option<String>,
    /// The cluster as that server sees it.
    pub cluster: Option<ClusterHealth>,
    /// The version of Redis, or the one whose commands it has.
    pub version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub mode: Option<String>,
    /// `master` or `slave`, in the server's words.
    pub role: Option<String>,
    /// Replicas that follow it.
    pub replicas: Option<u64>,
    /// Memory in use.
    pub used_memory_bytes: Option<u64>,
    /// Memory it may use; `None` for no bound.
    pub max_memory_bytes: Option<u64>,
    /// What it does when memory is full: `noeviction`, `allkeys-lru`, …
    pub eviction_policy: Option<String>,
    /// How long a PING takes there and back.
    pub latency: Latency,
    /// Whether it takes writes, as far as it tells.
    pub writable: bool,
    /// Why not.
    pub not_writable_because: Option<String>,
}

/// A cluster, as one of its servers sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClusterHealth {
    /// `ok`, or `fail` while some slots are served by nobody.
    pub state: Option<String>,
    /// Masters that own slots.
    pub masters: Option<u64>,
    /// Slots that are served, of 16384.
    pub slots_ok: Option<u64>,
}

/// Round trips, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// The quickest.
    pub min_us: f64,
    /// The one in the middle.
    pub median_us: f64,
    /// The slowest.
    pub max_us: f64,
}

/// Asks a server how it is.
///
/// # Errors
///
/// Why there is no connection, or no answer on it.
pub async fn health(target: &Target, options: Options) -> Result<Health, ConnectError> {
    let way = Arc::new(Way::new(target, &options)?);
    let reached = way.reach(None).await?;
    let control = Control::new(way.clone(), options.ask_timeout);
    control.open().await?;
    let silent = |failure: crate::sink::Failure| way.errors().silent(&failure.message);
    let latency = latency(&control).await.map_err(silent)?;
    let mut question = redis::pipe();
    question.cmd("INFO");
    let replies = control.ask(&question).await.map_err(silent)?;
    let info = replies.first().and_then(text).map(|info| Info::parse(&info)).unwrap_or_default();
    let cluster = match way.turns() {
        Turns::Slots => Some(cluster(&control).await.map_err(silent)?),
        _ => None,
    };
    let not_writable_because = info.refuses_writes();
    Ok(Health {
        target: way.target().shown(),
        server: reached.place.map(|place| place.to_string()),
        cluster,
        version: info.word("redis_version"),
        mode: info.word("redis_mode"),
        role: info.word("role"),
        replicas: info.number("connected_slaves"),
        used_memory_bytes: info.number("used_memory"),
        max_memory_bytes: info.number("maxmemory").filter(|bytes| *bytes > 0),
        eviction_policy: info.word("maxmemory_policy"),
        latency,
        writable: not_writable_because.is_none(),
        not_writable_because,
    })
}

/// What a server says of its memory.
pub(super) async fn memory(control: &Control) -> Result<ServerMemory, Failure> {
    let mut question = redis::pipe();
    question.cmd("INFO").arg("memory");
    let replies = control.ask(&question).await?;
    let reply = replies.first().ok_or_else(|| super::broken("a reply is missing"))?;
    if let Some(failure) = super::control::refusal(reply) {
        return Err(failure);
    }
    let info = text(reply).map(|info| Info::parse(&info)).unwrap_or_default();
    info.memory().ok_or_else(|| Failure {
        kind: "memory".to_owned(),
        message: "the server does not tell how much memory it uses".to_owned(),
        lasting: true,
    })
}

async fn cluster(control: &Control) -> Result<ClusterHealth, Failure> {
    let mut question = redis::pipe();
    question.cmd("CLUSTER").arg("INFO");
    let replies = control.ask(&question).await?;
    let info = replies.first().and_then(text).map(|info| Info::parse(&info)).unwrap_or_default();
    Ok(ClusterHealth {
        state: info.word("cluster_state"),
        masters: info.number("cluster_size"),
        slots_ok: info.number("cluster_slots_ok"),
    })
}

async fn latency(control: &Control) -> Result<Latency, crate::sink::Failure> {
    let mut ping = redis::pipe();
    ping.cmd("PING");
    let mut trips_us = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let start = Instant::now();
        control.ask(&ping).await?;
        trips_us.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    trips_us.sort_by(f64::total_cmp);
    Ok(Latency {
        min_us: trips_us.first().copied().unwrap_or_default(),
        median_us: trips_us.get(PINGS / 2).copied().unwrap_or_default(),
        max_us: trips_us.last().copied().unwrap_or_default(),
    })
}

/// What INFO says, one `name:value` a line.
#[derive(Debug, Default)]
pub(super) struct Info {
    lines: HashMap<String, String>,
}

impl Info {
    pub(super) fn parse(text: &str) -> Info {
        let pairs = text.lines().filter_map(|line| line.trim().split_once(':'));
        let lines = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Info { lines }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.lines.get(name).map(String::as_str)
    }

    fn word(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// What tells this start of the server from any other.
    pub(super) fn run_id(&self) -> Option<String> {
        self.word("run_id")
    }

    pub(super) fn is_loading(&self) -> bool {
        self.get("loading") == Some("1")
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.get("role") == Some("slave") && self.get("slave_read_only") != Some("0")
    }

    pub(super) fn master(&self) -> Option<String> {
        Some(format!("{}:{}", self.get("master_host")?, self.get("master_port")?))
    }

    /// Used and allowed bytes of a server that refuses writes for want of memory.
    pub(super) fn full_memory(&self) -> Option<(u64, u64)> {
        let (used, max) = (self.number("used_memory")?, self.number("maxmemory")?);
        let evicts = self.get("maxmemory_policy").is_some_and(|policy| policy != "noeviction");
        (max > 0 && used >= max && !evicts).then_some((used, max))
    }

    /// Used and allowed bytes: of its own bound, else of its machine.
    fn memory(&self) -> Option<ServerMemory> {
        let above_0 = |name| self.number(name).filter(|bytes| *bytes > 0);
        let allowed_bytes = above_0("maxmemory").or(above_0("total_system_memory"));
        Some(ServerMemory { used_bytes: self.number("used_memory")?, allowed_bytes })
    }

    fn refuses_writes(&self) -> Option<String> {
        let reason = if self.is_loading() {
            "it is still loading its data"
        } else if self.is_read_only() {
            "it is a read-only replica"
        } else if self.full_memory().is_some() {
            "its memory is full"
        } else {
            return None;
        };
        Some(reason.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(lines: &str) -> Option<String> {
        Info::parse(lines).refuses_writes()
    }

    #[test]
    fn a_server_tells_how_much_memory_it_uses() {
        let memory = |text: &str| Info::parse(text).memory();
        let of = |used_bytes, allowed_bytes| Some(ServerMemory { used_bytes, allowed_bytes });
        let machine = "used_memory:10\r\nmaxmemory:0\r\ntotal_system_memory:80\r\n";
        assert_eq!(memory(machine), of(10, Some(80)));
        assert_eq!(memory("used_memory:10\r\nmaxmemory:40\r\n"), of(10, Some(40)));
        assert_eq!(memory("used_memory:10\r\n"), of(10, None));
        assert_eq!(memory("maxmemory:40\r\n"), None);
    }

    #[test]
    fn a_server_tells_whether_it_takes_writes() {
        let why = |text: &str| Some(text.to_owned());
        assert_eq!(reason("# Replication\r\nrole:master\r\n"), None);
        assert_eq!(reason(""), None);
        assert_eq!(reason("loading:1\r\n"), why("it is still loading its data"));
        assert_eq!(reason("role:slave\r\nslave_read_only:1\r\n"), why("it is a read-only replica"));
        assert_eq!(reason("role:slave\r\nslave_read_only:0\r\n"), None);
        let full = "used_memory:10\r\nmaxmemory:10\r\nmaxmemory_policy:";
        assert_eq!(reason(&format!("{full}noeviction\r\n")), why("its memory is full"));
        assert_eq!(reason(&format!("{full}allkeys-lru\r\n")), None);
        assert_eq!(
            reason("used_memory:10\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"),
            None
        );
    }
}
