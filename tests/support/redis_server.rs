//! A real redis-server for tests: on a free port of 127.0.0.1, in a directory of its own, killed
//! when dropped. Both the unit tests and the test binary take this file in by its path.

#![allow(dead_code, reason = "each of the places that include it uses a part")]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a server is to be.
#[derive(Default)]
pub struct Setup {
    arguments: Vec<String>,
    password: Option<String>,
    tls: bool,
    /// Where certificates are taken from, if they are not made.
    certificates: Option<PathBuf>,
    /// The master of a sentinel: its port, and how many must agree that it is gone.
    watched: Option<(u16, u32)>,
}

impl Setup {
    /// Is a sentinel, alone, that watches a master as the service `main`.
    pub fn sentinel_of(self, master: &RedisServer) -> Setup {
        self.one_of_sentinels(master, 1)
    }

    /// Is one of several sentinels that watch a master as the service `main`, of which so many must
    /// agree that it is gone. By TLS, if the sentinel speaks that.
    pub fn one_of_sentinels(mut self, master: &RedisServer, quorum: u32) -> Setup {
        let port = if self.tls { master.tls_port.expect("a master by TLS") } else { master.port };
        self.watched = Some((port, quorum));
        self
    }

    /// Speaks TLS with the certificate of another server, also to other servers.
    pub fn tls_as(mut self, other: &RedisServer) -> Setup {
        self.certificates = Some(other.dir.path().to_owned());
        self.tls().option("tls-replication", "yes")
    }

    /// Follows another server by TLS.
    pub fn tls_replica_of(self, master: &RedisServer) -> Setup {
        let port = master.tls_port.expect("a master by TLS");
        self.tls_as(master).option("replicaof", &format!("127.0.0.1 {port}"))
    }

    /// Any option of redis.conf, without its dashes.
    pub fn option(mut self, name: &str, value: &str) -> Setup {
        self.arguments.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// Asks clients for a password.
    pub fn password(mut self, password: &str) -> Setup {
        self.password = Some(password.to_owned());
        self.option("requirepass", password)
    }

    /// Follows another server, and takes no writes.
    pub fn replica_of(self, master: &RedisServer) -> Setup {
        self.option("replicaof", &format!("127.0.0.1 {}", master.port))
    }

    /// Listens on a second port that speaks TLS, with a certificate for `localhost` and 127.0.0.1
    /// signed by an authority of its own.
    pub fn tls(mut self) -> Setup {
        self.tls = true;
        self
    }

    /// Starts the server and waits until it answers.
    pub fn start(self) -> RedisServer {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut server = RedisServer {
            port: 0,
            tls_port: None,
            child: None,
            arguments: self.arguments,
            password: self.password,
            watched: self.watched,
            dir,
        };
        match self.certificates {
            Some(from) => {
                for name in ["ca.pem", "cert.pem", "key.pem"] {
                    std::fs::copy(from.join(name), server.dir.path().join(name)).expect("a copy");
                }
            }
            None if self.tls => write_certificates(server.dir.path()),
            None => {}
        }
        // The port is free when it is asked for, and may be gone when the server takes it.
        for _ in 0..5 {
            server.port = free_port();
            server.tls_port = self.tls.then(free_port);
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server did not start: {}", server.log());
    }
}

/// The server.
pub struct RedisServer {
    port: u16,
    tls_port: Option<u16>,
    child: Option<Child>,
    arguments: Vec<String>,
    password: Option<String>,
    watched: Option<(u16, u32)>,
    dir: TempDir,
}

impl RedisServer {
    /// A server as it is without any setting.
    pub fn start() -> RedisServer {
        Setup::default().start()
    }

    /// A server with settings.
    pub fn with() -> Setup {
        Setup::default()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, without a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its URL for TLS.
    pub fn tls_url(&self, host: &str) -> String {
        let port = self.tls_port.expect("a server set up with tls()");
        format!("rediss://{host}:{port}")
    }

    /// The certificate of the authority that signed the server's.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    /// A plain connection, for looking behind loadc's back.
    pub fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.login_url()).expect("a URL");
        client.get_connection_with_timeout(Duration::from_secs(10)).expect("a connection")
    }

    /// Runs one command, its words parted by blanks.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &str) -> T {
        self.try_ask(command).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// The same for one that may be refused, or cut off.
    pub fn try_ask<T: redis::FromRedisValue>(&self, command: &str) -> redis::RedisResult<T> {
        let mut words = command.split(' ');
        let mut question = redis::cmd(words.next().unwrap_or_default());
        words.for_each(|word| _ = question.arg(word));
        let client = redis::Client::open(self.login_url())?;
        question.query(&mut client.get_connection_with_timeout(Duration::from_secs(10))?)
    }

    fn login_url(&self) -> String {
        let login = self.password.as_ref().map(|password| format!(":{password}@"));
        format!("redis://{}127.0.0.1:{}", login.unwrap_or_default(), self.port)
    }

    /// Stops it where it is (SIGSTOP), its connections open and silent.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it has been started and not killed.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Kills it at once (SIGKILL). Its data is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // By the handle, so that only this very process can be meant.
            _ = child.kill();
            _ = child.wait();
        }
    }

    /// Starts it again after [`RedisServer::kill`], on the same port.
    pub fn restart(&mut self) {
        assert!(self.launch(), "redis-server did not start again: {}", self.log());
    }

    /// The same with further arguments.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self.restart();
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a running server");
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a signal of one's own");
    }

    fn launch(&mut self) -> bool {
        let dir = self.dir.path();
        let mut command = Command::new("redis-server");
        if let Some((master, quorum)) = self.watched {
            let settings = format!(
                "sentinel monitor main 127.0.0.1 {master} {quorum}\n\
                 sentinel down-after-milliseconds main 2000\n\
                 sentinel failover-timeout main 10000\n"
            );
            std::fs::write(dir.join("sentinel.conf"), settings).expect("a writable directory");
            command.arg(dir.join("sentinel.conf")).arg("--sentinel");
        }
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--logfile", "log", "--dir"])
            .arg(dir);
        if self.watched.is_none() {
            command.args(["--save", "", "--appendonly", "no"]);
            command.arg("--unixsocket").arg(dir.join("redis.sock"));
        }
        if let Some(port) = self.tls_port {
            command
                .args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
                .arg("--tls-cert-file")
                .arg(dir.join("cert.pem"))
                .arg("--tls-key-file")
                .arg(dir.join("key.pem"))
                .arg("--tls-ca-cert-file")
                .arg(dir.join("ca.pem"));
        }
        command.args(&self.arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("these tests need redis-server (Debian: apt-get install redis-server): {error}")
        });
        self.child = Some(child);
        self.wait_until_up()
    }

    /// Until it answers; false when it has ended instead.
    fn wait_until_up(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(child) = &mut self.child
                && child.try_wait().is_ok_and(|status| status.is_some())
            {
                return false;
            }
            if answers(self.port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
        false
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a PING is answered by what a server says that is up, be it a demand for a password.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut reply = [0; 7];
    _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut reply).is_ok()
        && (&reply == b"+PONG\r\n" || &reply == b"-NOAUTH")
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn write_certificates(dir: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Another name than the servers': to OpenSSL one that is its own issuer is signed by itself.
    authority.distinguished_name.push(DnType::CommonName, "authority of loadc's tests");
    let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names).expect("parameters");
    let server_pem = server.signed_by(&key, &issuer).expect("a certificate").pem();
    for (name, text) in
        [("ca.pem", authority_pem), ("cert.pem", server_pem), ("key.pem", key.serialize_pem())]
    {
        std::fs::write(dir.join(name), text).expect("a writable directory");
    }
}
