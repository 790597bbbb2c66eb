//! A Redis-compatible server inside this process, so that a script runs with nothing installed.
//!
//! kevy's keyspace does the work; the listener is loadc's own, since kevy's would take over the
//! process: signal handlers, threads that spin, files. It listens on a free port of 127.0.0.1, so
//! any Redis client of this machine can look into the queues while a run lasts. It keeps all in
//! memory, and its data is gone when it stops.

mod commands;
mod request;

use crate::target::Target;
use commands::{Session, Store};
use std::cell::RefCell;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

/// Most bytes of a client's requests that are read before they are answered.
const READ_SIZE: usize = 64 << 10;

/// A client that leaves more bytes of replies unread than this is read from no further.
const UNREAD: usize = 64 << 20;

/// How often keys whose time is up are looked for.
const SWEEP: Duration = Duration::from_millis(100);

/// The running server. It stops, and forgets everything, when this is dropped.
pub struct Embedded {
    port: u16,
    /// Its end is the word to stop.
    _stop: oneshot::Sender<()>,
}

impl Embedded {
    /// Starts it on a free port of 127.0.0.1 and a thread of its own: like a real server it takes
    /// no turns with whoever sends.
    ///
    /// # Errors
    ///
    /// When no port or thread can be had.
    pub fn start() -> io::Result<Embedded> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let serving = async {
                tokio::select! {
                    _ = stopped => {}
                    _ = serve(listener) => {}
                }
            };
            LocalSet::new().block_on(&runtime, serving);
        };
        std::thread::Builder::new().name("embedded-server".to_owned()).spawn(run)?;
        Ok(Embedded { port, _stop: stop })
    }

    /// Where it is.
    pub fn target(&self) -> Target {
        Target::embedded(self.port)
    }
}

/// Takes connections for good; their tasks end with it.
async fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let store = Rc::new(RefCell::new(Store::new()));
    let mut clients = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => _ = clients.spawn_local(client(stream, store.clone())),
                // Out of descriptors, most likely: let go of some before the next try.
                Err(_) => tokio::time::sleep(SWEEP).await,
            },
            Some(_) = clients.join_next() => {}
            _ = sweep.tick() => store.borrow_mut().sweep(),
        }
    }
}

/// Answers one client until it leaves, breaks the protocol or is killed.
async fn client(stream: TcpStream, store: Rc<RefCell<Store>>) -> io::Result<()> {
    let (mut session, killed) = store.borrow_mut().connect();
    let done = tokio::select! {
        biased;
        _ = killed => Ok(()),
        done = converse(stream, &mut session, &store) => done,
    };
    store.borrow_mut().disconnect(&session);
    done
}

/// Reads on while replies wait, as a client may send all it has before it reads the first.
async fn converse(
    mut stream: TcpStream,
    session: &mut Session,
    store: &RefCell<Store>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.split();
    let mut inbox = Vec::new();
    let mut replies = Vec::new();
    let mut open = true;
    while open || !replies.is_empty() {
        inbox.reserve(READ_SIZE);
        tokio::select! {
            biased;
            written = writer.write(&replies), if !replies.is_empty() => {
                replies.drain(..written?);
            }
            read = reader.read_buf(&mut inbox), if open && replies.len() < UNREAD => {
                open = read? > 0 && answer(session, store, &mut inbox, &mut replies);
            }
        }
    }
    Ok(())
}

/// Runs every request that is whole. False when the client is to be let go.
fn answer(
    session: &mut Session,
    store: &RefCell<Store>,
    inbox: &mut Vec<u8>,
    replies: &mut Vec<u8>,
) -> bool {
    let mut store = store.borrow_mut();
    let mut rest = inbox.as_slice();
    let open = loop {
        match request::parse(rest) {
            Ok(None) => break true,
            Ok(Some((args, len))) => {
                rest = &rest[len..];
                if !session.run(&mut store, args, replies) {
                    break false;
                }
            }
            Err(request::Malformed) => {
                replies.extend_from_slice(b"-ERR Protocol error\r\n");
                break false;
            }
        }
    };
    let consumed = inbox.len() - rest.len();
    inbox.drain(..consumed);
    open
}

#[cfg(test)]
mod tests;
