//! A proxy between loadc and a server that treats connections badly, on a seeded schedule.
//!
//! It takes what the client writes in pieces, as they come, and now and then does to a piece what
//! networks, proxies and servers do to connections. How often is a matter of pieces, never of time,
//! so that a run through it sees as many breaks however slow the machine is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

/// What is done to a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// It goes on.
    Forward,
    /// It goes on after a while.
    Delay,
    /// The connection ends before it.
    Cut,
    /// Half of it goes on, then the connection ends.
    Halve,
    /// It goes on, and its answer doesn't come back: the connection ends.
    Swallow,
    /// The client's side ends, and the piece goes on to the server long after.
    Haunt,
    /// A length in it is made unreadable.
    Corrupt,
    /// It goes on, and its answer comes back unreadable.
    Garble,
    /// Half of it goes on, the other half after a while.
    Stall,
}

/// The proxy. It takes no further connections once it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: AtomicU16,
    seed: u64,
    /// Pieces on average between two breaks; 0 for none.
    calm: AtomicU64,
    breaks: AtomicU64,
    connections: AtomicU64,
    closed: AtomicBool,
}

impl Proxy {
    /// A proxy to a port of this machine that breaks connections every `calm` pieces on average.
    pub fn start(server: u16, seed: u64, calm: u64) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            server: AtomicU16::new(server),
            seed,
            calm: AtomicU64::new(calm),
            breaks: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        });
        let mine = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if mine.closed.load(Ordering::Relaxed) {
                    return;
                }
                let number = mine.connections.fetch_add(1, Ordering::Relaxed);
                let shared = mine.clone();
                std::thread::spawn(move || shared.serve(client, number));
            }
        });
        Proxy { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on it breaks nothing.
    pub fn calm_down(&self) {
        self.shared.calm.store(0, Ordering::Relaxed);
    }

    /// New connections go to another server.
    pub fn point_at(&self, server: u16) {
        self.shared.server.store(server, Ordering::Relaxed);
    }

    /// Connections it has broken so far.
    pub fn breaks(&self) -> u64 {
        self.shared.breaks.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// A number for each turn of a connection, the same in each run (SplitMix64).
fn draw(seed: u64, connection: u64, turn: u64) -> u64 {
    let mut z = seed ^ connection.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (turn << 40);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Shared {
    /// What is done to a piece. Only pieces with jobs are met with anything but patience: whoever
    /// only asks shall not keep the run from beginning.
    fn deed(&self, connection: u64, turn: u64, piece: &[u8]) -> Deed {
        let dice = draw(self.seed, connection, turn);
        let jobs = holds(piece, b"LPUSH") || holds(piece, b"XADD");
        let calm = self.calm.load(Ordering::Relaxed);
        if !jobs || calm == 0 || !dice.is_multiple_of(calm) {
            return match (dice >> 32) % 32 {
                0 => Deed::Delay,
                1 => Deed::Stall,
                _ => Deed::Forward,
            };
        }
        let deeds = [
            [Deed::Cut, Deed::Cut, Deed::Halve, Deed::Halve],
            [Deed::Corrupt, Deed::Corrupt, Deed::Garble, Deed::Haunt],
            [Deed::Garble, Deed::Swallow, Deed::Swallow, Deed::Swallow],
        ];
        deeds.as_flattened()[(dice >> 32) as usize % 12]
    }

    fn serve(self: Arc<Shared>, mut client: TcpStream, number: u64) {
        let Ok(mut server) =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.server.load(Ordering::Relaxed)))
        else {
            return;
        };
        _ = client.set_nodelay(true);
        _ = server.set_nodelay(true);
        // Replies go straight back until they are to be swallowed.
        let swallow = Arc::new(AtomicBool::new(false));
        let garble = Arc::new(AtomicBool::new(false));
        let (Ok(from), Ok(to)) = (server.try_clone(), client.try_clone()) else { return };
        let (swallowing, garbling) = (swallow.clone(), garble.clone());
        let answering = std::thread::spawn(move || answer(from, to, &swallowing, &garbling));
        let mut piece = vec![0; 1 << 20];
        for turn in 0.. {
            let Ok(len @ 1..) = client.read(&mut piece) else { break };
            let piece = &piece[..len];
            let deed = self.deed(number, turn, piece);
            match deed {
                Deed::Forward => {}
                Deed::Delay => std::thread::sleep(Duration::from_millis(2)),
                Deed::Stall => {
                    _ = server.write_all(&piece[..len / 2]);
                    std::thread::sleep(Duration::from_millis(5));
                }
                Deed::Garble => garble.store(true, Ordering::Relaxed),
                _ => {}
            }
            if matches!(deed, Deed::Forward | Deed::Delay | Deed::Stall | Deed::Garble) {
                let rest = if deed == Deed::Stall { &piece[len / 2..] } else { piece };
                self.breaks.fetch_add(u64::from(deed == Deed::Garble), Ordering::Relaxed);
                if server.write_all(rest).is_err() {
                    break;
                }
                continue;
            }
            self.breaks.fetch_add(1, Ordering::Relaxed);
            self.harm(deed, piece, &client, &mut server, &swallow);
            break;
        }
        _ = client.shutdown(Shutdown::Both);
        _ = server.shutdown(Shutdown::Both);
        _ = answering.join();
    }

    fn harm(
        &self,
        deed: Deed,
        piece: &[u8],
        client: &TcpStream,
        server: &mut TcpStream,
        swallow: &AtomicBool,
    ) {
        match deed {
            Deed::Halve => _ = server.write_all(&piece[..piece.len() / 2]),
            Deed::Corrupt => {
                let mut piece = piece.to_vec();
                let lengths = piece.windows(4).rposition(|bytes| bytes.starts_with(b"\r\n$"));
                if let Some(at) = lengths {
                    piece[at + 3] = b'x';
                }
                _ = server.write_all(&piece);
                // It says what it has against it, and hangs up.
                std::thread::sleep(Duration::from_millis(1));
            }
            Deed::Swallow => {
                swallow.store(true, Ordering::Relaxed);
                _ = server.write_all(piece);
                // The server reads all there is before it sees the end.
                _ = server.shutdown(Shutdown::Write);
            }
            Deed::Haunt => {
                swallow.store(true, Ordering::Relaxed);
                _ = client.shutdown(Shutdown::Both);
                // Time enough for the client to come back and send it all again.
                std::thread::sleep(Duration::from_millis(30));
                _ = server.write_all(piece);
                _ = server.shutdown(Shutdown::Write);
                std::thread::sleep(Duration::from_millis(5));
            }
            Deed::Cut | Deed::Forward | Deed::Delay | Deed::Stall | Deed::Garble => {}
        }
    }
}

fn answer(mut from: TcpStream, mut to: TcpStream, swallow: &AtomicBool, garble: &AtomicBool) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(len @ 1..) = from.read(&mut piece) {
        if garble.load(Ordering::Relaxed) {
            piece[0] = b'?';
        }
        if !swallow.load(Ordering::Relaxed) && to.write_all(&piece[..len]).is_err() {
            return;
        }
    }
    _ = to.shutdown(Shutdown::Both);
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
