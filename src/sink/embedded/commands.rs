//! Commands of the embedded server: what kevy's keyspace runs, what the connection answers itself,
//! and what is refused.

use kevy::{Argv, KeyspaceStore};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use tokio::sync::oneshot;

/// Memory the data may take. A run that outgrows it gets the error a full Redis gives, before the
/// machine has none left.
const MAX_MEMORY: u64 = 1 << 30;

/// The longest string.
const LONGEST_STRING: u64 = 512 << 20;

/// Commands that kevy runs on its keyspace alone. Everything else would touch files, other servers
/// or the process.
#[rustfmt::skip]
const ALLOWED: &[&[u8]] = &[
    b"APPEND", b"COMMAND", b"DBSIZE", b"DECR", b"DECRBY", b"DEL", b"ECHO", b"EVAL", b"EVALSHA",
    b"EXISTS", b"EXPIRE", b"EXPIREAT", b"FLUSHALL", b"FLUSHDB", b"GET", b"GETDEL", b"GETSET",
    b"HDEL", b"HEXISTS", b"HGET", b"HGETALL", b"HINCRBY", b"HKEYS", b"HLEN", b"HMGET", b"HMSET",
    b"HSET", b"HSETNX", b"HVALS", b"INCR", b"INCRBY", b"LINDEX", b"LINSERT", b"LLEN", b"LPOP",
    b"LPUSH", b"LPUSHX", b"LRANGE", b"LREM", b"LSET", b"LTRIM", b"PERSIST", b"PEXPIRE",
    b"PEXPIREAT", b"PING", b"PSETEX", b"PTTL", b"RPOP", b"RPUSH", b"RPUSHX", b"SADD", b"SCARD",
    b"SCRIPT", b"SELECT", b"SET", b"SETEX", b"SETNX", b"SETRANGE", b"SISMEMBER", b"SMEMBERS", b"SREM",
    b"STRLEN", b"TTL", b"TYPE", b"UNLINK", b"XACK", b"XADD", b"XAUTOCLAIM", b"XCLAIM", b"XDEL",
    b"XGROUP", b"XINFO", b"XLEN", b"XPENDING", b"XRANGE", b"XREAD", b"XREADGROUP", b"XREVRANGE",
    b"XTRIM", b"ZADD", b"ZCARD", b"ZCOUNT", b"ZINCRBY", b"ZPOPMAX", b"ZPOPMIN", b"ZRANGE",
    b"ZRANGEBYSCORE", b"ZRANK", b"ZREM", b"ZREVRANGE", b"ZSCORE",
];

/// The data, and who is connected to it.
pub(super) struct Store {
    keys: KeyspaceStore,
    run_id: String,
    clients: Clients,
}

/// The connections by their ids, which count up from 1.
#[derive(Default)]
struct Clients {
    last_id: u64,
    /// Dropped, they end their connection.
    open: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Store {
    pub(super) fn new() -> Store {
        let mut keys = KeyspaceStore::new();
        // The policy by default: full means full, nothing is evicted.
        keys.set_max_memory(MAX_MEMORY, Default::default());
        let draw = || RandomState::new().hash_one(0);
        let run_id = format!("{:08x}{:016x}{:016x}", std::process::id(), draw(), draw());
        Store { keys, run_id, clients: Clients::default() }
    }

    /// Takes in a client; what it gets resolves when it is to be let go.
    pub(super) fn connect(&mut self) -> (Session, oneshot::Receiver<()>) {
        self.clients.last_id += 1;
        let id = self.clients.last_id;
        let (sender, killed) = oneshot::channel();
        self.clients.open.insert(id, sender);
        (Session { id, queued: None }, killed)
    }

    /// Forgets a client that has left.
    pub(super) fn disconnect(&mut self, session: &Session) {
        self.clients.open.remove(&session.id);
    }

    /// Drops keys whose time is up.
    pub(super) fn sweep(&mut self) {
        self.keys.tick_expire(20, 16);
    }
}

/// What the server knows of one client.
pub(super) struct Session {
    id: u64,
    /// The commands since MULTI; `None` outside.
    queued: Option<Queued>,
}

#[derive(Default)]
struct Queued {
    commands: Vec<Argv>,
    /// One of them could not be queued, so that EXEC runs none.
    spoilt: bool,
}

impl Session {
    /// Runs one request and appends its reply. False when the client is to be let go.
    pub(super) fn run(&mut self, store: &mut Store, args: Argv, replies: &mut Vec<u8>) -> bool {
        let Some(name) = args.first().map(<[u8]>::to_ascii_uppercase) else {
            return true;
        };
        match (name.as_slice(), &mut self.queued) {
            (b"QUIT", _) => {
                ok(replies);
                return false;
            }
            (b"MULTI", None) => {
                self.queued = Some(Queued::default());
                ok(replies);
            }
            (b"MULTI", Some(_)) => error(replies, "ERR MULTI calls can not be nested"),
            (b"DISCARD", Some(_)) => {
                self.queued = None;
                ok(replies);
            }
            (b"EXEC", Some(_)) => self.execute(store, replies),
            (b"EXEC" | b"DISCARD", None) => {
                let name = String::from_utf8_lossy(&name);
                error(replies, &format!("ERR {name} without MULTI"));
            }
            (name, Some(queued)) => {
                if is_known(name) {
                    queued.commands.push(args);
                    replies.extend_from_slice(b"+QUEUED\r\n");
                } else {
                    queued.spoilt = true;
                    unknown(replies, &args);
                }
            }
            (name, None) => run(store, self.id, name, &args, replies),
        }
        // It may have ended itself.
        store.clients.open.contains_key(&self.id)
    }

    fn execute(&mut self, store: &mut Store, replies: &mut Vec<u8>) {
        let queued = self.queued.take().unwrap_or_default();
        if queued.spoilt {
            let text = "EXECABORT Transaction discarded because of previous errors.";
            return error(replies, text);
        }
        replies.extend_from_slice(format!("*{}\r\n", queued.commands.len()).as_bytes());
        for args in &queued.commands {
            let name = args.first().unwrap_or_default().to_ascii_uppercase();
            run(store, self.id, &name, args, replies);
        }
    }
}

fn is_known(name: &[u8]) -> bool {
    matches!(name, b"INFO" | b"CLIENT" | b"AUTH" | b"HELLO") || ALLOWED.binary_search(&name).is_ok()
}

fn run(store: &mut Store, client_id: u64, name: &[u8], args: &Argv, replies: &mut Vec<u8>) {
    match name {
        b"INFO" => text(replies, &info(store)),
        b"AUTH" => error(
            replies,
            "ERR AUTH <password> called without any password configured for the default user.",
        ),
        b"HELLO" => hello(args, replies),
        b"CLIENT" => client(&mut store.clients, client_id, args, replies),
        b"XADD" => add_to_stream(store, args, replies),
        b"SETRANGE" => set_range(store, args, replies),
        name if ALLOWED.binary_search(&name).is_ok() => dispatch(store, args, replies),
        _ => unknown(replies, args),
    }
}

fn dispatch(store: &mut Store, args: &Argv, replies: &mut Vec<u8>) {
    match kevy::dispatch(&mut store.keys, args).as_slice() {
        // A command that would wait, and has no way to here.
        [] => unknown(replies, args),
        reply => replies.extend_from_slice(reply),
    }
}

/// `XADD key MAXLEN ~ n …`: kevy takes "about n" for n, and a trim walks the whole stream, so that
/// every entry added to a full stream would cost as much as the stream is long. Here a trim waits
/// until a tenth has come on top, and each entry pays for ten.
fn add_to_stream(store: &mut Store, args: &Argv, replies: &mut Vec<u8>) {
    let about = args.get(3) == Some(b"~") && args.get(5).is_some_and(|next| next != b"LIMIT");
    let trims = args.get(2).is_some_and(|word| word.eq_ignore_ascii_case(b"MAXLEN"));
    let max_len =
        args.get(4).and_then(|number| std::str::from_utf8(number).ok()?.parse::<u64>().ok());
    let (Some(key), true, Some(max_len)) = (args.get(1), trims && about, max_len) else {
        return dispatch(store, args, replies);
    };
    let mut plain = Argv::default();
    (0..args.len()).filter(|at| !(2..5).contains(at)).for_each(|at| plain.push(&args[at]));
    let start = replies.len();
    dispatch(store, &plain, replies);
    if replies.get(start) == Some(&b'-') {
        return;
    }
    let slack = (max_len / 10).max(100);
    if store.keys.xlen(key).is_ok_and(|len| len > max_len.saturating_add(slack)) {
        // It has just been asked for its length: it is a stream.
        _ = store.keys.xtrim_maxlen(key, max_len);
    }
}

/// Clients ask for a protocol and introduce themselves; the second protocol is all there is.
fn hello(args: &Argv, replies: &mut Vec<u8>) {
    match args.get(1) {
        None | Some(b"2") => {
            replies.extend_from_slice(b"*6\r\n");
            text(replies, "server");
            text(replies, "redis");
            text(replies, "proto");
            replies.extend_from_slice(b":2\r\n");
            text(replies, "role");
            text(replies, "master");
        }
        Some(_) => error(replies, "NOPROTO unsupported protocol version"),
    }
}

fn client(clients: &mut Clients, own: u64, args: &Argv, replies: &mut Vec<u8>) {
    let word = |at| args.get(at).map(<[u8]>::to_ascii_uppercase).unwrap_or_default();
    match (word(1).as_slice(), word(2).as_slice(), args.get(3)) {
        (b"SETNAME" | b"SETINFO", ..) => ok(replies),
        (b"ID", ..) => number(replies, own),
        (b"GETNAME", ..) => text(replies, ""),
        (b"KILL", b"ID", Some(id)) => {
            let id = std::str::from_utf8(id).ok().and_then(|id| id.parse::<u64>().ok());
            match id {
                Some(id) => number(replies, clients.open.remove(&id).map_or(0, |_| 1)),
                None => error(replies, "ERR client-id should be greater than 0"),
            }
        }
        _ => error(replies, "ERR the embedded server has no such CLIENT subcommand"),
    }
}

/// `SETRANGE key offset value`, which kevy's keyspace has and its commands don't.
fn set_range(store: &mut Store, args: &Argv, replies: &mut Vec<u8>) {
    let (Some(key), Some(offset), Some(value), 4) =
        (args.get(1), args.get(2), args.get(3), args.len())
    else {
        return error(replies, "ERR wrong number of arguments for 'setrange' command");
    };
    let offset = std::str::from_utf8(offset).ok().and_then(|offset| offset.parse::<u32>().ok());
    let Some(offset) = offset else {
        return error(replies, "ERR offset is out of range");
    };
    if u64::from(offset) + value.len() as u64 > LONGEST_STRING {
        return error(replies, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    }
    match store.keys.setrange(key, offset.into(), value) {
        Ok(len) => number(replies, len as u64),
        Err(_) => {
            let text = "WRONGTYPE Operation against a key holding the wrong kind of value";
            error(replies, text);
        }
    }
}

/// The lines a client looks for, in Redis's own form. The version is that of the Redis whose
/// commands kevy follows.
fn info(store: &Store) -> String {
    let used = store.keys.used_memory();
    format!(
        "# Server\r\nredis_version:7.4.0\r\nserver_name:loadc-embedded\r\n\
         redis_mode:standalone\r\nprocess_id:{}\r\nrun_id:{}\r\n\
         # Memory\r\nused_memory:{used}\r\nmaxmemory:{MAX_MEMORY}\r\nmaxmemory_policy:noeviction\r\n\
         # Persistence\r\nloading:0\r\n\
         # Replication\r\nrole:master\r\nconnected_slaves:0\r\n",
        std::process::id(),
        store.run_id,
    )
}

fn ok(replies: &mut Vec<u8>) {
    replies.extend_from_slice(b"+OK\r\n");
}

fn number(replies: &mut Vec<u8>, number: u64) {
    replies.extend_from_slice(format!(":{number}\r\n").as_bytes());
}

fn text(replies: &mut Vec<u8>, text: &str) {
    replies.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
}

fn error(replies: &mut Vec<u8>, text: &str) {
    replies.extend_from_slice(format!("-{text}\r\n").as_bytes());
}

fn unknown(replies: &mut Vec<u8>, args: &Argv) {
    let name = String::from_utf8_lossy(args.first().unwrap_or_default());
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    error(replies, &format!("ERR the embedded server has no command '{name}'"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(store: &mut Store, line: &str) -> String {
        let mut args = Argv::default();
        line.split(' ').for_each(|word| args.push(word.as_bytes()));
        let mut replies = Vec::new();
        assert!(store.connect().0.run(store, args, &mut replies));
        String::from_utf8(replies).unwrap()
    }

    #[test]
    fn a_stream_is_trimmed_to_about_its_length() {
        let mut store = Store::new();
        let mut longest = 0;
        for n in 0..5000 {
            let reply = run(&mut store, &format!("XADD s MAXLEN ~ 2000 * n {n}"));
            assert!(reply.starts_with('$'), "{reply}");
            longest = longest.max(store.keys.xlen(b"s").unwrap());
        }
        assert_eq!(longest, 2200);
        assert!((2000..=2200).contains(&store.keys.xlen(b"s").unwrap()));
        run(&mut store, "XADD s MAXLEN 10 * n 1");
        assert_eq!(store.keys.xlen(b"s").unwrap(), 10);
        for wrong in ["XADD s MAXLEN ~ x * n 1", "XADD s MAXLEN ~ 5", "XADD s MAXLEN ~ 5 *"] {
            assert!(run(&mut store, wrong).starts_with("-ERR"), "{wrong}");
        }
        assert_eq!(store.keys.xlen(b"s").unwrap(), 10);
    }

    #[test]
    fn the_allowed_commands_are_sorted() {
        assert!(ALLOWED.is_sorted());
    }
}
