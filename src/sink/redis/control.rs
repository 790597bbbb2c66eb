//! The second connection: questions about the server, which must neither wait behind megabytes of
//! jobs nor for ever.

use super::broken;
use super::connect::ConnectError;
use super::route::{Turns, Way};
use crate::sink::{Args, Failure};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline, RedisConnectionInfo, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

/// Asks questions over a connection of its own, and makes a new one when it has broken.
pub(super) struct Control {
    way: Arc<Way>,
    timeout: Duration,
    current: Mutex<Option<Live>>,
}

/// A connection and the task that moves its bytes.
struct Live {
    connection: MultiplexedConnection,
    task: AbortHandle,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Control {
    pub(super) fn new(way: Arc<Way>, timeout: Duration) -> Control {
        Control { way, timeout, current: Mutex::new(None) }
    }

    /// Connects now, so that what is wrong is known now.
    pub(super) async fn open(&self) -> Result<(), ConnectError> {
        self.connection().await.map(drop)
    }

    /// The connection, and whether it stood already.
    async fn connection(&self) -> Result<(MultiplexedConnection, bool), ConnectError> {
        let mut current = self.current.lock().await;
        if let Some(live) = &*current {
            return Ok((live.connection.clone(), true));
        }
        let socket = Box::pin(self.way.connect()).await?;
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.timeout));
        // Logged in already: with these settings the crate asks for nothing before it is ready.
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&settings, socket, config)
                .await
                .map_err(|error| self.way.errors().not_started(&error.to_string()))?;
        let task = tokio::spawn(driver).abort_handle();
        *current = Some(Live { connection: connection.clone(), task });
        Ok((connection, false))
    }

    /// The replies to some commands; a server's error is a reply, [`Value::ServerError`]. They are
    /// asked once more where the connection turns out to have broken since it was last used, so
    /// they must be questions only.
    pub(super) async fn ask(&self, questions: &Pipeline) -> Result<Vec<Value>, Failure> {
        loop {
            let (mut connection, is_old) =
                self.connection().await.map_err(|error| error.failure())?;
            let replies = connection.send_packed_commands(questions, 0, questions.len()).await;
            let error = match replies {
                Ok(replies) => match self.turned(&replies) {
                    Some(_) if is_old => {
                        *self.current.lock().await = None;
                        continue;
                    }
                    Some(failure) => return Err(failure),
                    None => return Ok(replies),
                },
                Err(error) => error,
            };
            // A server that is merely late keeps its connection: its replies stay in order.
            if error.is_timeout() {
                let message = format!("no answer within {:?}", self.timeout);
                return Err(Failure { kind: "timeout".to_owned(), message, lasting: false });
            }
            *self.current.lock().await = None;
            if !is_old {
                return Err(broken(&error.to_string()));
            }
        }
    }
}

impl Control {
    /// The refusal of a server that is not the right one any more, if there is one among replies;
    /// the next connection goes to another.
    fn turned(&self, replies: &[Value]) -> Option<Failure> {
        let turns = self.way.turns();
        if turns == Turns::Never {
            return None;
        }
        let mut refusals = replies.iter().filter_map(refusal);
        let failure = refusals.find(|failure| turns.away(&failure.kind))?;
        // Where to, the map tells; a slot that is on its way is asked about where it was.
        _ = self.way.detour(&failure, None);
        Some(Failure { lasting: false, ..failure })
    }
}

/// Commands to be asked together.
pub(super) fn pipeline(commands: &[Args]) -> Pipeline {
    let mut pipeline = redis::pipe();
    for command in commands {
        let mut words = command.iter();
        let Some(name) = words.next() else { continue };
        let asked = pipeline.cmd(&String::from_utf8_lossy(name));
        words.for_each(|word| {
            asked.arg(word);
        });
    }
    pipeline
}

/// A server's error as a failure.
pub(super) fn refusal(reply: &Value) -> Option<Failure> {
    let Value::ServerError(error) = reply else {
        return None;
    };
    let line = match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    };
    Some(super::wire::failure(line.as_bytes()))
}

/// A reply as text.
pub(super) fn text(reply: &Value) -> Option<String> {
    match reply {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}
