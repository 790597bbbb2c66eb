//! What would keep jobs out, asked before the first is sent.

use super::control::{Control, refusal, text};
use super::health::Info;
use crate::job::Format;
use crate::sink::{Failure, Queue};
use redis::Value;

/// Why jobs would be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The queue's key holds something else.
    #[error("`{queue}` holds a {found}, but its jobs are sent to a {wanted}")]
    WrongType {
        /// The queue.
        queue: String,
        /// What the key holds: `string`, `stream`, …
        found: String,
        /// `list` or `stream`.
        wanted: &'static str,
    },
    /// The server is a replica that takes no writes.
    #[error("the target is a read-only replica{}", of(.master))]
    ReadOnly {
        /// Its master, `host:port`.
        master: Option<String>,
    },
    /// The server's memory is full and nothing may be evicted.
    #[error("the target's memory is full ({used_bytes} of {max_bytes} bytes, policy noeviction)")]
    OutOfMemory {
        /// Bytes it uses.
        used_bytes: u64,
        /// Bytes it may use.
        max_bytes: u64,
    },
    /// The server still reads its data from disk.
    #[error("the target is still loading its data")]
    Loading,
    /// The server is one of a cluster, and the queue lives on another.
    #[error("the target belongs to a cluster, and `{queue}` lives on another of its servers")]
    Elsewhere {
        /// The queue.
        queue: String,
    },
    /// The server refuses even to be asked about the queue.
    #[error("the target refuses to be asked about `{queue}`: {failure}")]
    Refused {
        /// The queue.
        queue: String,
        /// Its words.
        failure: Failure,
    },
}

fn of(master: &Option<String>) -> String {
    master.as_ref().map(|master| format!(" of {master}")).unwrap_or_default()
}

impl Problem {
    /// The kind as one word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Problem::WrongType { .. } => "wrong-type",
            Problem::ReadOnly { .. } => "read-only",
            Problem::OutOfMemory { .. } => "out-of-memory",
            Problem::Loading => "loading",
            Problem::Elsewhere { .. } => "elsewhere",
            Problem::Refused { .. } => "refused",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Problem::WrongType { queue, found, .. } if found == "list" => {
                format!("drop `as stream` from the job, name another queue, or `DEL {queue}`")
            }
            Problem::WrongType { queue, found, .. } if found == "stream" => {
                format!("write `as stream` in the job, name another queue, or `DEL {queue}`")
            }
            Problem::WrongType { queue, .. } => {
                format!("name another queue, or `DEL {queue}` if nobody needs what it holds")
            }
            Problem::ReadOnly { master: Some(master) } => {
                format!("send to its master instead: `redis://{master}`")
            }
            Problem::ReadOnly { master: None } => "send to its master instead".to_owned(),
            Problem::OutOfMemory { .. } => {
                "let workers drain the queues, raise `maxmemory`, or use another server".to_owned()
            }
            Problem::Loading => "wait until it has, then run again".to_owned(),
            Problem::Elsewhere { .. } => {
                "loadc drives one server: use one outside the cluster".to_owned()
            }
            Problem::Refused { .. } => "the server's own words say why".to_owned(),
        }
    }
}

/// Everything that is wrong, the server's own state first.
pub(super) async fn problems(control: &Control, queues: &[Queue]) -> Result<Vec<Problem>, Failure> {
    let mut questions = redis::pipe();
    questions.cmd("INFO");
    for queue in queues {
        questions.cmd("TYPE").arg(&queue.name);
    }
    let replies = control.ask(&questions).await?;
    // Without leave to ask INFO there is nothing known against the server.
    let info = replies.first().and_then(text).map(|info| Info::parse(&info)).unwrap_or_default();
    let mut problems = of_server(&info);
    let kinds = replies.iter().skip(1);
    problems.extend(queues.iter().zip(kinds).filter_map(|(queue, kind)| of_queue(queue, kind)));
    problems.dedup();
    Ok(problems)
}

fn of_server(info: &Info) -> Vec<Problem> {
    let mut problems = Vec::new();
    if info.is_loading() {
        problems.push(Problem::Loading);
    }
    if info.is_read_only() {
        problems.push(Problem::ReadOnly { master: info.master() });
    }
    if let Some((used_bytes, max_bytes)) = info.full_memory() {
        problems.push(Problem::OutOfMemory { used_bytes, max_bytes });
    }
    problems
}

fn of_queue(queue: &Queue, kind: &Value) -> Option<Problem> {
    let name = || queue.name.clone();
    if let Some(failure) = refusal(kind) {
        return match failure.kind.as_str() {
            "MOVED" | "ASK" => Some(Problem::Elsewhere { queue: name() }),
            // One may be allowed to push and not to ask; said about the server above.
            "NOPERM" | "LOADING" | "MASTERDOWN" => None,
            _ => Some(Problem::Refused { queue: name(), failure }),
        };
    }
    let wanted = match queue.format {
        Format::List => "list",
        Format::Stream { .. } => "stream",
    };
    let found = text(kind)?;
    if found == "none" || found == wanted {
        return None;
    }
    Some(Problem::WrongType { queue: name(), found, wanted })
}
