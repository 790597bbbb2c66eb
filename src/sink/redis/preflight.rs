//! What would keep jobs out, asked before the first is sent.

use super::control::{Control, refusal, text};
use super::cursor::{Cursor, LIFE};
use super::health::Info;
use crate::sink::{Failure, Queue, formats};
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
    /// The keys of a queue's jobs lie in several hash slots of a cluster.
    #[error(
        "a job of `{queue}` needs keys in several hash slots of the cluster (CROSSSLOT): `{}` and \
         `{}`",
        keys[0],
        keys[1]
    )]
    CrossSlot {
        /// The queue.
        queue: String,
        /// Two of them.
        keys: [String; 2],
    },
    /// What shows which jobs arrived may not be written.
    #[error("the target does not let loadc keep account in `{key}`: {failure}")]
    NoProof {
        /// The cursor's key.
        key: String,
        /// The server's words.
        failure: Failure,
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
    /// Whether it is of a queue's keys.
    pub(super) fn is_of(&self, name: &str) -> bool {
        matches!(self, Problem::CrossSlot { queue, .. } if queue == name)
    }

    /// Whether it is how a server is that takes over from another, or gives over to it.
    pub fn may_pass(&self) -> bool {
        matches!(self, Problem::ReadOnly { .. } | Problem::Loading)
    }

    /// The key that holds something else than its queue's jobs want, if this is that.
    pub fn wrong_key(&self) -> Option<&str> {
        match self {
            Problem::WrongType { queue, .. } => Some(queue),
            _ => None,
        }
    }

    /// The kind as one word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Problem::WrongType { .. } => "wrong-type",
            Problem::ReadOnly { .. } => "read-only",
            Problem::OutOfMemory { .. } => "out-of-memory",
            Problem::Loading => "loading",
            Problem::Elsewhere { .. } => "elsewhere",
            Problem::CrossSlot { .. } => "cross-slot",
            Problem::NoProof { .. } => "no-proof",
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
            Problem::Elsewhere { .. } => "name the cluster: `redis+cluster://host:port`".to_owned(),
            Problem::CrossSlot { queue, keys } if keys.iter().all(|key| key.contains(queue)) => {
                format!(
                    "a hash tag in the queue's name keeps its keys together: \
                     `queue \"{{{{{queue}}}}}\"`, for the workers `{{{queue}}}`"
                )
            }
            Problem::CrossSlot { .. } => "jobs of this format can't be sent to a cluster, whose \
                                          transactions keep to one slot: use a single server"
                .to_owned(),
            Problem::NoProof { .. } => "allow the user the keys `loadc:cursor:*` with SETRANGE, \
                                        EXPIRE, GET and DEL, and MULTI, EXEC and DISCARD; or run \
                                        with `--at-least-once`, which writes no key but the \
                                        queues: jobs in flight when a connection breaks then \
                                        count as unknown"
                .to_owned(),
            Problem::Refused { .. } => "the server's own words say why".to_owned(),
        }
    }
}

/// Everything that is wrong, the server's own state first.
pub(super) async fn problems(control: &Control, queues: &[Queue]) -> Result<Vec<Problem>, Failure> {
    let mut questions = redis::pipe();
    questions.cmd("INFO");
    let homes: Vec<_> = queues.iter().filter_map(formats::home).collect();
    for (key, _) in &homes {
        questions.cmd("TYPE").arg(key);
    }
    let replies = control.ask(&questions).await?;
    // Without leave to ask INFO there is nothing known against the server.
    let info = replies.first().and_then(text).map(|info| Info::parse(&info)).unwrap_or_default();
    let mut problems = of_server(&info);
    let kinds = replies.iter().skip(1);
    problems.extend(
        homes.iter().zip(kinds).filter_map(|((key, wanted), kind)| of_key(key, wanted, kind)),
    );
    problems.dedup();
    Ok(problems)
}

/// Whether transactions and the cursor are allowed, asked without writing anything: a command that
/// is refused is refused when it is queued, and what is queued is discarded.
pub(super) async fn of_cursor(
    control: &Control,
    cursor: &Cursor,
) -> Result<Option<Problem>, Failure> {
    let key = cursor.key();
    let problem = |failure| Some(Problem::NoProof { key: key.to_owned(), failure });
    // Were MULTI refused, what follows would run; were DISCARD, the connection were lost to it.
    let mut questions = redis::pipe();
    questions.cmd("EXEC").cmd("DISCARD").cmd("MULTI").cmd("DISCARD");
    let replies = control.ask(&questions).await?;
    let refusals: Vec<_> = replies.iter().map(refusal).collect();
    let forbidden = refusals.iter().take(2).flatten().find(|failure| is_forbidden(failure));
    let refused = refusals.iter().skip(2).flatten().next();
    if let Some(failure) = forbidden.or(refused) {
        return Ok(problem(failure.clone()));
    }
    let mut questions = redis::pipe();
    questions.cmd("MULTI");
    questions.cmd("SETRANGE").arg(key).arg(0).arg("");
    questions.cmd("EXPIRE").arg(key).arg(LIFE.as_secs());
    questions.cmd("GET").arg(key);
    questions.cmd("DISCARD");
    let replies = control.ask(&questions).await?;
    let forbidden = replies.iter().filter_map(refusal).find(is_forbidden);
    Ok(forbidden.and_then(problem))
}

/// Refused for good, as against a state of the server, which is said above.
fn is_forbidden(failure: &Failure) -> bool {
    // Of EXEC it says EXECABORT first.
    failure.message.contains("NOPERM") || failure.message.contains("unknown command")
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

fn of_key(key: &str, wanted: &'static str, kind: &Value) -> Option<Problem> {
    let name = || key.to_owned();
    if let Some(failure) = refusal(kind) {
        return match failure.kind.as_str() {
            "MOVED" | "ASK" => Some(Problem::Elsewhere { queue: name() }),
            // One may be allowed to push and not to ask; said about the server above.
            "NOPERM" | "LOADING" | "MASTERDOWN" => None,
            _ => Some(Problem::Refused { queue: name(), failure }),
        };
    }
    let found = text(kind)?;
    if found == "none" || found == wanted {
        return None;
    }
    Some(Problem::WrongType { queue: name(), found, wanted })
}
