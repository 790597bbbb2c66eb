//! After a break: makes sure that nothing of the old connection can still run, and asks what did.
//!
//! Bytes that were written may wait in the server's socket, in a proxy or on the way, and run long
//! after the client has given their connection up. What the cursor says holds for good only once
//! that is ruled out: the server is told to drop the old connection by its id (`CLIENT KILL ID`)
//! before it is asked. Ids begin anew with each start of a server, so the server's own run id is
//! compared first: a server that has been started again has no connection from before, and an id
//! from then may be anybody's. The same goes for another server that has taken over: what the old
//! one may still run is not of its data any more.
//!
//! A user who may not do that is told so once. Then what the cursor shows is acknowledged, for that
//! can't become untrue, and what it doesn't show is unknown, for it may yet come true: sending it
//! again might double it.

use super::super::connect::Socket;
use super::super::cursor::{Cursor, Ring};
use super::super::dialogue::{Answer, Dialogue};
use super::super::health::Info;
use crate::sink::{Failure, Notice};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Mutex;

/// What tells a connection and its server from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The connection's `CLIENT ID`.
    client: Option<i64>,
    /// The server's `run_id`.
    server: Option<String>,
}

/// What to ask after a break.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The broken connection.
    pub(super) old: Identity,
    /// What the batches left.
    pub(super) cursor: Cursor,
    /// The queues of the jobs in flight.
    pub(super) queues: BTreeSet<Vec<u8>>,
}

/// What was found out.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// The cursor; none if there is no such key.
    pub(super) ring: Result<Option<Ring>, Failure>,
    /// Nothing of the old connection can still run.
    pub(super) fenced: bool,
    /// Whether the server was started again, or is another; none if it doesn't say.
    pub(super) restarted: Option<bool>,
    /// What each queue's key holds: `list`, `stream`, `none`, … where it may be asked.
    pub(super) types: HashMap<Vec<u8>, String>,
}

/// Asks a new connection who it is.
///
/// # Errors
///
/// When the connection breaks, or the server is in a state that passes.
async fn introduce(dialogue: &mut Dialogue, cursor: &Cursor) -> Result<Identity, Failure> {
    // Where it may not be named, a run that was killed can't make sure of its end.
    ask(dialogue, &[b"CLIENT", b"SETNAME", cursor.client_name().as_bytes()]).await?;
    let server = match ask(dialogue, &[b"INFO", b"server"]).await? {
        Answer::Text(text) => Info::parse(&String::from_utf8_lossy(&text)).run_id(),
        _ => None,
    };
    let client = match ask(dialogue, &[b"CLIENT", b"ID"]).await? {
        Answer::Number(id) => Some(id),
        _ => None,
    };
    Ok(Identity { client, server })
}

/// Asks the first connection who it is, and notes if its breaking could not be made certain.
///
/// # Errors
///
/// As [`introduce`].
pub(super) async fn meet(
    socket: Socket,
    cursor: &Cursor,
    notices: &Mutex<Vec<Notice>>,
) -> Result<(Socket, Identity), Failure> {
    let mut dialogue = Dialogue::new(socket);
    let identity = introduce(&mut dialogue, cursor).await?;
    if let Some(why) = unfenceable(&mut dialogue, &identity).await? {
        let message = format!(
            "should a connection break, jobs in flight that have not arrived will count as unknown: \
             loadc can't make sure that they won't arrive later ({why})"
        );
        super::lock(notices).push(Notice::Warning(message));
    }
    Ok((dialogue.into_socket(), identity))
}

/// Why connections of this server and user can't be told to be over; none if they can.
async fn unfenceable(
    dialogue: &mut Dialogue,
    identity: &Identity,
) -> Result<Option<String>, Failure> {
    if identity.server.is_none() {
        return Ok(Some("INFO does not tell the server's run_id".to_owned()));
    }
    if identity.client.is_none() {
        return Ok(Some("CLIENT ID is refused".to_owned()));
    }
    // No connection has the largest id.
    Ok(match kill(dialogue, i64::MAX).await? {
        Answer::Refused(failure) => Some(failure.message),
        _ => None,
    })
}

async fn kill(dialogue: &mut Dialogue, client: i64) -> Result<Answer, Failure> {
    ask(dialogue, &[b"CLIENT", b"KILL", b"ID", client.to_string().as_bytes()]).await
}

/// Finds out, over a new connection, what became of the batches in flight on the old one.
///
/// # Errors
///
/// When the new connection breaks too, or the server is in a state that passes.
pub(super) async fn inquire(
    socket: Socket,
    question: &Question,
    asking: bool,
) -> Result<(Socket, Identity, Evidence), Failure> {
    let mut dialogue = Dialogue::new(socket);
    let new = introduce(&mut dialogue, &question.cursor).await?;
    let restarted = match (&question.old.server, &new.server) {
        (Some(old), Some(new)) => Some(old != new),
        _ => None,
    };
    let fenced = match (restarted, question.old.client) {
        (Some(true), _) => true,
        // 1 if it was there, 0 if it had gone before.
        (Some(false), Some(old)) => matches!(kill(&mut dialogue, old).await?, Answer::Number(_)),
        _ => false,
    };
    let ring = ring(&mut dialogue, &question.cursor, asking).await?;
    let mut types = HashMap::new();
    for queue in &question.queues {
        announce(&mut dialogue, asking).await?;
        if let Answer::Text(found) = ask(&mut dialogue, &[b"TYPE", queue]).await? {
            types.insert(queue.clone(), String::from_utf8_lossy(&found).into_owned());
        }
    }
    Ok((dialogue.into_socket(), new, Evidence { ring, fenced, restarted, types }))
}

async fn ring(
    dialogue: &mut Dialogue,
    cursor: &Cursor,
    asking: bool,
) -> Result<Result<Option<Ring>, Failure>, Failure> {
    announce(dialogue, asking).await?;
    Ok(match ask(dialogue, &[b"GET", cursor.key().as_bytes()]).await? {
        Answer::Text(value) => Ok(Some(Ring::parse(&value))),
        Answer::Nil => Ok(None),
        Answer::Refused(failure) => Err(failure),
        _ => Err(super::super::broken("the cursor can't be read")),
    })
}

/// What the target still knows of a run whose process was killed.
pub(super) struct Memory {
    /// The cursor; none if there is no such key.
    pub(super) ring: Option<Ring>,
    /// Nothing of the killed process can still run.
    pub(super) fenced: bool,
}

/// Ends the connections that a killed process left, and reads what its batches left.
///
/// # Errors
///
/// When the connection breaks, the server is in a state that passes, or the key can't be read.
pub(super) async fn recall(socket: Socket, cursor: &Cursor) -> Result<(Socket, Memory), Failure> {
    let mut dialogue = Dialogue::new(socket);
    let name = format!(" name={} ", cursor.client_name());
    let fenced = match ask(&mut dialogue, &[b"CLIENT", b"LIST"]).await? {
        Answer::Text(list) => {
            let list = String::from_utf8_lossy(&list).into_owned();
            let mut fenced = true;
            for line in list.lines().filter(|line| line.contains(&name)) {
                let id = line.strip_prefix("id=").and_then(|rest| rest.split(' ').next());
                let id = id.and_then(|id| id.parse().ok());
                fenced &= match id {
                    Some(id) => matches!(kill(&mut dialogue, id).await?, Answer::Number(_)),
                    None => false,
                };
            }
            fenced
        }
        _ => false,
    };
    let ring = ring(&mut dialogue, cursor, false).await??;
    Ok((dialogue.into_socket(), Memory { ring, fenced }))
}

/// Asks a new connection who it is, and nothing of the old one.
///
/// # Errors
///
/// As [`introduce`].
pub(super) async fn greet(socket: Socket, cursor: &Cursor) -> Result<(Socket, Identity), Failure> {
    let mut dialogue = Dialogue::new(socket);
    let identity = introduce(&mut dialogue, cursor).await?;
    Ok((dialogue.into_socket(), identity))
}

/// Where the slot is on its way to the server, each question must be announced.
async fn announce(dialogue: &mut Dialogue, asking: bool) -> Result<(), Failure> {
    if asking {
        ask(dialogue, &[b"ASKING"]).await?;
    }
    Ok(())
}

/// A refusal that passes by itself (the server loads, or runs a script), or leads to another server
/// of a cluster, is worth another try.
async fn ask(dialogue: &mut Dialogue, words: &[&[u8]]) -> Result<Answer, Failure> {
    match dialogue
        .ask(words)
        .await
        .map_err(|error: io::Error| super::super::broken(&error.to_string()))?
    {
        Answer::Refused(failure) if !failure.lasting => Err(failure),
        Answer::Refused(failure) if matches!(failure.kind.as_str(), "MOVED" | "ASK") => {
            Err(Failure { lasting: false, ..failure })
        }
        answer => Ok(answer),
    }
}
