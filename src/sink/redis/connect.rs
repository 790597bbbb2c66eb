//! From a target to a connection that has logged in.

use super::dialogue::{Answer, Dialogue};
use crate::sink::Failure;
use crate::target::{Address, Target};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

pub use error::{ConnectError, ConnectErrorKind};

mod error;
mod tls;

/// A connection, whatever it runs over.
pub(super) type Socket = Box<dyn Transport>;

/// What a connection runs over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// After this long without a sign of life from the peer's machine a connection counts as broken.
/// A server that is merely stopped still gives such signs, and may be silent for as long as it
/// likes, save that its machine must take in what has been written within [`UNTAKEN_FOR`].
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);

/// After this long a peer that takes in nothing of what was written counts as gone.
const UNTAKEN_FOR: Duration = Duration::from_secs(120);

/// Makes connections to one server.
#[derive(Clone)]
pub(super) struct Connector {
    target: Target,
    timeout: Duration,
    tls: Option<TlsConnector>,
}

impl Connector {
    /// For TLS reads the trusted certificates, once for all connections.
    pub(super) fn new(target: &Target, timeout: Duration) -> Result<Connector, ConnectError> {
        let tls = match target.address() {
            Address::Tls { .. }
            | Address::Cluster { tls: true, .. }
            | Address::Sentinel { tls: true, .. } => {
                let fail = |detail| ConnectError::new(ConnectErrorKind::Tls, target, detail);
                Some(tls::connector().map_err(fail)?)
            }
            _ => None,
        };
        Ok(Connector { target: target.clone(), timeout, tls })
    }

    /// Makes connections to another server in the same manner.
    pub(super) fn to(&self, target: Target) -> Connector {
        Connector { target, ..self.clone() }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// A connection that has logged in, chosen its database and answered a PING.
    pub(super) async fn connect(&self) -> Result<Socket, ConnectError> {
        let deadline = Instant::now() + self.timeout;
        let mut dialogue = Dialogue::new(self.open(deadline).await?);
        let logged_in = tokio::time::timeout_at(deadline, self.log_in(&mut dialogue));
        logged_in.await.unwrap_or_else(|_| Err(self.late()))?;
        Ok(dialogue.into_socket())
    }

    pub(super) fn late(&self) -> ConnectError {
        self.silent(&format!("no answer within {:?}", self.timeout))
    }

    fn error(&self, kind: ConnectErrorKind, detail: impl Into<String>) -> ConnectError {
        ConnectError::new(kind, &self.target, detail.into())
    }

    /// A connection that stood and could not be used after all.
    pub(super) fn not_started(&self, detail: &str) -> ConnectError {
        self.error(ConnectErrorKind::NotRedis, detail)
    }

    /// A connection that stood and gave no answer.
    pub(super) fn silent(&self, detail: &str) -> ConnectError {
        self.error(ConnectErrorKind::Timeout, detail)
    }

    /// A connection that stood and was refused something.
    pub(super) fn turned_away(&self, failure: &Failure) -> ConnectError {
        self.error(ConnectErrorKind::TurnedAway, &failure.message)
    }

    async fn open(&self, deadline: Instant) -> Result<Socket, ConnectError> {
        let (host, port) = match self.target.address() {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                return Ok(Box::new(stream.map_err(|error| self.unopened(&error))?));
            }
            Address::Tcp { host, port } | Address::Tls { host, port } => (host.as_str(), *port),
            Address::Embedded { port } => ("127.0.0.1", *port),
            Address::Cluster { .. } | Address::Sentinel { .. } => {
                return Err(self.error(ConnectErrorKind::UnknownHost, "it is several servers"));
            }
        };
        let stream = tokio::time::timeout_at(deadline, self.tcp(host, port)).await;
        let stream = stream.unwrap_or_else(|_| Err(self.late()))?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(connector) => self.encrypt(connector, host, stream, deadline).await,
        }
    }

    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        let addresses = tokio::net::lookup_host((host, port)).await.map_err(|error| {
            self.error(ConnectErrorKind::UnknownHost, without_prefix(&error.to_string()))
        })?;
        let mut last = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    set_options(&stream).map_err(|error| self.unopened(&error))?;
                    return Ok(stream);
                }
                Err(error) => last = Some(self.unopened(&error)),
            }
        }
        Err(last.unwrap_or_else(|| self.error(ConnectErrorKind::UnknownHost, "it has no address")))
    }

    async fn encrypt(
        &self,
        connector: &TlsConnector,
        host: &str,
        stream: TcpStream,
        deadline: Instant,
    ) -> Result<Socket, ConnectError> {
        let fail = |detail: String| self.error(ConnectErrorKind::Tls, detail);
        let name = tls::server_name(host).map_err(fail)?;
        match tokio::time::timeout_at(deadline, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(fail(tls::explain(&error))),
            // A plain Redis server takes a handshake for a long command and waits for its end.
            Err(_) => {
                Err(fail("no answer to the handshake; perhaps it does not speak TLS".to_owned()))
            }
        }
    }

    /// An error before a connection stood.
    fn unopened(&self, error: &io::Error) -> ConnectError {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectErrorKind::Refused,
            io::ErrorKind::TimedOut => ConnectErrorKind::Timeout,
            _ => ConnectErrorKind::Unreachable,
        };
        self.error(kind, without_number(&error.to_string()))
    }

    /// An error on a connection that stood.
    fn cut(&self, error: &io::Error) -> ConnectError {
        if tls::is_tls(error) {
            return self.error(ConnectErrorKind::Tls, tls::explain(error));
        }
        self.error(ConnectErrorKind::NotRedis, without_number(&error.to_string()))
    }

    /// How long one try to connect, or to find out what arrived, may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// AUTH, SELECT and PING, each after the other's answer, so that every refusal is known by
    /// what it answers.
    async fn log_in(&self, dialogue: &mut Dialogue) -> Result<(), ConnectError> {
        let login = self.target.login();
        if let Some(password) = login.password() {
            let words: Vec<&str> =
                ["AUTH"].into_iter().chain(login.user()).chain([password]).collect();
            if let Some(failure) = self.ask(dialogue, &words).await? {
                return Err(self.refused_login(&failure));
            }
        }
        if self.target.database() != 0 {
            let database = self.target.database().to_string();
            if let Some(failure) = self.ask(dialogue, &["SELECT", &database]).await? {
                let kind = match failure.kind.as_str() {
                    "NOAUTH" => ConnectErrorKind::PasswordNeeded,
                    "LOADING" => ConnectErrorKind::Loading,
                    _ => ConnectErrorKind::WrongDatabase,
                };
                return Err(self.error(kind, failure.message));
            }
        }
        match self.ask(dialogue, &["PING"]).await? {
            None => Ok(()),
            Some(failure) => match failure.kind.as_str() {
                "NOAUTH" => Err(self.error(ConnectErrorKind::PasswordNeeded, failure.message)),
                "LOADING" => Err(self.error(ConnectErrorKind::Loading, failure.message)),
                // A user who may push need not be allowed to PING, and the answers below are about
                // the state of the data, which the preflight tells better.
                "NOPERM" | "MASTERDOWN" | "MISCONF" | "BUSY" => Ok(()),
                _ => Err(self.error(ConnectErrorKind::TurnedAway, failure.message)),
            },
        }
    }

    fn refused_login(&self, failure: &Failure) -> ConnectError {
        let kind = match failure.kind.as_str() {
            "WRONGPASS" | "NOAUTH" => ConnectErrorKind::WrongPassword,
            "ERR" if failure.message.contains("invalid password") => {
                ConnectErrorKind::WrongPassword
            }
            "ERR" if failure.message.contains("without any password configured") => {
                ConnectErrorKind::NoPasswordSet
            }
            "ERR" if failure.message.contains("no password is set") => {
                ConnectErrorKind::NoPasswordSet
            }
            _ => ConnectErrorKind::TurnedAway,
        };
        self.error(kind, failure.message.clone())
    }

    /// Sends one command and waits for its answer: what the server has against it, if anything.
    async fn ask(
        &self,
        dialogue: &mut Dialogue,
        words: &[&str],
    ) -> Result<Option<Failure>, ConnectError> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        match dialogue.ask(&words).await.map_err(|error| self.cut(&error))? {
            Answer::Refused(failure) => Ok(Some(failure)),
            _ => Ok(None),
        }
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    let (idle, interval, count) = KEEPALIVE;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, idle)?;
    sockopt::set_tcp_keepintvl(stream, interval)?;
    sockopt::set_tcp_keepcnt(stream, count)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, UNTAKEN_FOR.as_millis().try_into().unwrap_or(u32::MAX))?;
    Ok(())
}

/// `Connection refused (os error 111)` without what is in brackets.
fn without_number(message: &str) -> String {
    let words = message.split(" (os error").next().unwrap_or(message);
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// `failed to lookup address information: Name or service not known` without what is said already.
fn without_prefix(message: &str) -> String {
    without_number(message.rsplit(": ").next().unwrap_or(message))
}
