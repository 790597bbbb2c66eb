//! A Redis server as the target.
//!
//! Two connections: jobs go over one, whose bytes are loadc's own ([`link`], [`wire`]), so that each
//! command's fate is known to the last byte when the connection breaks; questions such as a queue's
//! depth go over another, driven by the redis crate ([`control`]), and never wait behind jobs.
//!
//! On the connection of the jobs nothing has a timeout: a server that stalls is waited for. When a
//! connection breaks, the server is asked over the next one which batches went in: each carries its
//! proof ([`cursor`]), and what is known to have stayed out comes back as [`Outcome::NotSent`].
//! Without proofs what was in flight is unknown.

mod connect;
mod control;
mod cursor;
mod depth;
mod dialogue;
mod health;
pub(in crate::sink) mod link;
mod preflight;
mod wire;

pub use connect::{ConnectError, ConnectErrorKind};
pub use cursor::Cursor;
pub use health::{Health, Latency, health};
pub use link::Recollection;
pub use preflight::Problem;

use crate::sink::formats::Seen;
use crate::sink::{Args, Command, Failure, Notice, Outcome, Queue, ServerMemory, Sink, State};
use crate::target::Target;
use connect::Connector;
use control::Control;
use link::Link;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Bounds on connecting and asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long one try to connect and log in may take.
    pub connect_timeout: Duration,
    /// How long the answer to a question such as a queue's depth may take.
    pub ask_timeout: Duration,
    /// How long to try for a new connection after one broke.
    pub reconnect_for: Duration,
    /// How many times to try.
    pub reconnect_tries: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            connect_timeout: Duration::from_secs(5),
            ask_timeout: Duration::from_secs(3),
            reconnect_for: Duration::from_secs(30),
            reconnect_tries: u32::MAX,
        }
    }
}

/// A Redis server that takes jobs.
pub struct RedisSink {
    link: Link,
    control: Control,
    target: Target,
    cursor: Option<Cursor>,
    lookers: depth::Lookers,
}

/// How long the cursor's removal at the end may take: it would go by itself in time.
const REMOVAL: Duration = Duration::from_secs(1);

impl RedisSink {
    /// Connects and logs in, twice. What is sent carries no proof.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn connect(target: &Target, options: Options) -> Result<RedisSink, ConnectError> {
        Ok(RedisSink::open(target, None, false, options).await?.0)
    }

    /// The same, and what is sent carries its proof in a key that nobody else writes to.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn connect_with(
        target: &Target,
        cursor: Cursor,
        options: Options,
    ) -> Result<RedisSink, ConnectError> {
        Ok(RedisSink::open(target, Some(cursor), false, options).await?.0)
    }

    /// The same for a run whose process has ended: its connections are ended for good, and what the
    /// target knows of it is told. What it sends is [`Sink::send_marked`].
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn resume_with(
        target: &Target,
        cursor: Cursor,
        options: Options,
    ) -> Result<(RedisSink, Recollection), ConnectError> {
        let (sink, told) = RedisSink::open(target, Some(cursor), true, options).await?;
        Ok((sink, told.unwrap_or(Recollection { marks: None, fenced: false })))
    }

    async fn open(
        target: &Target,
        cursor: Option<Cursor>,
        resumes: bool,
        options: Options,
    ) -> Result<(RedisSink, Option<Recollection>), ConnectError> {
        let connector = Arc::new(Connector::new(target, options.connect_timeout)?);
        let socket = Box::pin(connector.connect()).await?;
        let control = Control::new(connector.clone(), options.ask_timeout);
        control.open().await?;
        let starting = Link::start(connector.clone(), socket, cursor.clone(), resumes, options);
        let (link, told) = match tokio::time::timeout(options.connect_timeout, starting).await {
            Ok(link) => link.map_err(|failure| connector.turned_away(&failure))?,
            Err(_) => return Err(connector.late()),
        };
        let lookers = depth::Lookers::default();
        Ok((RedisSink { link, control, target: target.clone(), cursor, lookers }, told))
    }

    /// The server.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The state and its changes, for whoever reports them.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.link.watch()
    }

    /// What would keep jobs out of these queues, asked before the first one is sent.
    ///
    /// # Errors
    ///
    /// When the server can't be asked.
    pub async fn preflight(&self, queues: &[Queue]) -> Result<Vec<Problem>, Failure> {
        let mut problems = preflight::problems(&self.control, queues).await?;
        if let Some(cursor) = &self.cursor {
            problems.extend(preflight::of_cursor(&self.control, cursor).await?);
        }
        Ok(problems)
    }
}

impl RedisSink {
    /// Runs commands that make what jobs need, such as a stream's groups, each of which is there
    /// already or made now.
    ///
    /// # Errors
    ///
    /// The first refusal, or why the server can't be told.
    pub async fn prepare(&self, commands: &[Args]) -> Result<(), Failure> {
        if commands.is_empty() {
            return Ok(());
        }
        let replies = self.control.ask(&control::pipeline(commands)).await?;
        let refusals = replies.iter().filter_map(control::refusal);
        let mut lasting = refusals.filter(|failure| failure.kind != "BUSYGROUP");
        lasting.next().map_or(Ok(()), Err)
    }
}

impl Sink for RedisSink {
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.link.send(&commands, 0)
    }

    fn send_ref(
        &self,
        commands: &[Command],
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.link.send(commands, 0)
    }

    fn send_marked(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.link.send(commands, mark)
    }

    fn state(&self) -> State {
        self.link.watch().borrow().clone()
    }

    fn wait_ready(&self) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        link::ready_or_lost(self.link.watch())
    }

    async fn depth(&self, queue: &Queue) -> Result<u64, Failure> {
        self.lookers.depth(&self.control, queue).await
    }

    async fn look(&self, queue: &Queue) -> Result<Seen, Failure> {
        self.lookers.look(&self.control, queue).await
    }

    async fn memory(&self) -> Result<ServerMemory, Failure> {
        health::memory(&self.control).await
    }

    fn notices(&self) -> Vec<Notice> {
        self.link.notices()
    }

    /// Removes the cursor, if the server lets it within a second.
    async fn finish(&self) {
        if let Some(cursor) = &self.cursor {
            let mut removal = redis::pipe();
            removal.cmd("DEL").arg(cursor.key());
            _ = tokio::time::timeout(REMOVAL, self.control.ask(&removal)).await;
        }
    }
}

/// A connection that broke, or can't be had.
fn broken(message: &str) -> Failure {
    Failure { kind: "io".to_owned(), message: message.to_owned(), lasting: false }
}

#[cfg(test)]
mod tests;
