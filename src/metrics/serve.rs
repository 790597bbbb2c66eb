//! The metrics over HTTP, on a thread of their own.

use super::Source;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Whoever has not asked and been answered by then is let go.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that are answered at a time; others wait.
const AT_ONCE: usize = 16;
/// More bytes of a request than this are refused.
const REQUEST_BYTES: usize = 16 * 1024;
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An address that is listened at and not answered yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// An address that can't be listened at.
#[derive(Debug, Error)]
#[error("cannot serve metrics at {address}: {what}")]
pub struct ListenError {
    address: String,
    what: String,
    kind: ErrorKind,
}

impl ListenError {
    /// A way out.
    pub fn help(&self) -> &'static str {
        match self.kind {
            ErrorKind::AddrInUse => {
                "another program listens there, perhaps another run: name another port; port 0 takes any that is free"
            }
            ErrorKind::PermissionDenied => {
                "ports below 1024 are for the superuser: name a higher one"
            }
            _ => "name an address of this machine and a port, such as `--metrics 127.0.0.1:9464`",
        }
    }
}

impl Listener {
    /// Takes an address, `HOST:PORT` or a port of this machine alone.
    ///
    /// # Errors
    ///
    /// If it is none, is taken, or may not be had.
    pub fn bind(address: &str) -> Result<Listener, ListenError> {
        let refuse = |error: io::Error| {
            let what = error.to_string();
            ListenError {
                address: address.to_owned(),
                what: what.split(" (os error").next().unwrap_or_default().to_owned(),
                kind: error.kind(),
            }
        };
        let listener = match address.parse::<u16>() {
            Ok(port) => TcpListener::bind(("127.0.0.1", port)),
            Err(_) => TcpListener::bind(address),
        };
        let listener = listener.map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        Ok(Listener { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers, until the process ends.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn serve(self, source: Source) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = move || {
            // What can be said of a listener that fails for good is said by its silence.
            let _ = runtime.block_on(accept(self.listener, source));
        };
        std::thread::Builder::new().name("metrics".to_owned()).spawn(answer).map(|_| ())
    }
}

async fn accept(listener: TcpListener, source: Source) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps: not for long.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let source = Arc::clone(&source);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = respond(&request, &source);
                async { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.keep_alive(false).max_buf_size(REQUEST_BYTES);
            let answered = http.serve_connection(TokioIo::new(stream), service);
            // Who breaks off or is too slow has no answer.
            let _ = tokio::time::timeout(PATIENCE, answered).await;
            drop(place);
        });
    }
}

fn respond(request: &Request<Incoming>, source: &Source) -> Response<Full<Bytes>> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, OPENMETRICS, source()),
        (&Method::GET | &Method::HEAD, "/") => {
            (StatusCode::OK, "text/plain", "loadc: see /metrics\n".to_owned())
        }
        (&Method::GET | &Method::HEAD, _) => {
            (StatusCode::NOT_FOUND, "text/plain", "nothing here: see /metrics\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}
