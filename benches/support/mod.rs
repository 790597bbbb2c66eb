//! What the benches against a real server share: the server, and a run of loadc on it.

use serde_json::Value;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server on a free port, killed in the end.
pub struct Server {
    child: Child,
    /// Its port of 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts one, and returns when it answers.
    pub fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Server { child, port };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// A connection of its own.
    pub fn connect(&self) -> redis::Connection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port));
        client.and_then(|client| client.get_connection()).expect("the server")
    }

    /// Empties it.
    pub fn flush(&self) {
        redis::cmd("FLUSHALL").exec(&mut self.connect()).expect("the server");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a script on an empty server and returns its report.
pub fn loadc(server: &Server, script: &str, flags: &[&str]) -> Value {
    server.flush();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadc"))
        .args(["run", "-", "--json", "--quiet", "--no-journal"])
        .args(["--target", &format!("redis://127.0.0.1:{}", server.port)])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("loadc");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(script.as_bytes()).expect("its input");
    drop(input);
    let output = child.wait_with_output().expect("its end");
    serde_json::from_slice(&output.stdout).expect("a report")
}
