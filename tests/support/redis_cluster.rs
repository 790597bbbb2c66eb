//! A local Redis Cluster of real servers: three masters and, if wanted, a replica of each.

use crate::redis_server::{RedisServer, free_port};
use redis::{FromRedisValue, Value};
use std::time::Duration;

/// Slots of a cluster.
const SLOTS: usize = 16384;

/// The servers; the replica of the master at `n` is at `n + 3`.
pub struct Cluster {
    pub nodes: Vec<RedisServer>,
}

fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

impl Cluster {
    pub fn start(replicas: bool) -> Cluster {
        let node = |_| {
            RedisServer::with()
                .option("cluster-enabled", "yes")
                .option("cluster-port", &free_port().to_string())
                .option("cluster-node-timeout", "2000")
                .option("repl-diskless-sync-delay", "0")
                .start()
        };
        let nodes: Vec<RedisServer> = (0..if replicas { 6 } else { 3 }).map(node).collect();
        let cluster = Cluster { nodes };
        cluster.meet();
        for (replica, master) in (3..cluster.nodes.len()).zip(0..) {
            let id = cluster.id(master);
            // Refused until it has heard of its master.
            while cluster.try_ask::<Value>(replica, &format!("CLUSTER REPLICATE {id}")).is_err() {
                pause();
            }
        }
        for replica in 3..cluster.nodes.len() {
            while !cluster.info(replica, "INFO replication").contains("master_link_status:up") {
                pause();
            }
        }
        cluster.wait_until_ok();
        cluster
    }

    /// Gives the masters their slots and makes all known to each other.
    fn meet(&self) {
        for (place, node) in self.nodes.iter().enumerate() {
            _ = node.ask::<String>(&format!("CLUSTER SET-CONFIG-EPOCH {}", place + 1));
            if place < 3 {
                let (first, end) = (place * SLOTS / 3, (place + 1) * SLOTS / 3);
                let range = format!("CLUSTER ADDSLOTSRANGE {first} {}", end - 1);
                _ = node.ask::<String>(&range);
            }
        }
        for node in &self.nodes[1..] {
            let bus: Vec<String> = node.ask("CONFIG GET cluster-port");
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", node.port(), bus[1]);
            _ = self.nodes[0].ask::<String>(&meet);
        }
        self.wait_until_ok();
    }

    /// Until every server that runs knows of all and finds the cluster whole.
    pub fn wait_until_ok(&self) {
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        for place in 0..self.nodes.len() {
            let is_ok = |text: &str| text.contains("cluster_state:ok") && text.contains(&known);
            while self.nodes[place].is_running() && !is_ok(&self.info(place, "CLUSTER INFO")) {
                pause();
            }
        }
    }

    /// Sets an option of all servers.
    pub fn set(&self, option: &str, value: &str) {
        for node in &self.nodes {
            _ = node.ask::<String>(&format!("CONFIG SET {option} {value}"));
        }
    }

    fn info(&self, node: usize, question: &str) -> String {
        self.try_ask(node, question).unwrap_or_default()
    }

    pub fn try_ask<T: FromRedisValue>(&self, node: usize, command: &str) -> redis::RedisResult<T> {
        self.nodes[node].try_ask(command)
    }

    /// The URL of all servers.
    pub fn url(&self) -> String {
        let places: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", places.join(","))
    }

    pub fn id(&self, node: usize) -> String {
        self.nodes[node].ask("CLUSTER MYID")
    }

    pub fn slot(&self, key: &str) -> u16 {
        let running = self.nodes.iter().position(RedisServer::is_running).unwrap();
        self.try_ask(running, &format!("CLUSTER KEYSLOT {key}")).unwrap()
    }

    /// The server that answers for a key.
    pub fn owner(&self, key: &str) -> usize {
        loop {
            let owns = |node: &usize| {
                self.nodes[*node].is_running()
                    && self.try_ask::<String>(*node, &format!("TYPE {key}")).is_ok()
            };
            match (0..self.nodes.len()).find(owns) {
                Some(node) => return node,
                None => pause(),
            }
        }
    }

    pub fn ask<T: FromRedisValue>(&self, key: &str, command: &str) -> T {
        loop {
            if let Ok(answer) = self.try_ask(self.owner(key), command) {
                return answer;
            }
            pause();
        }
    }

    /// Announces that a key's slot moves to another master.
    pub fn begin_move(&self, key: &str, to: usize) -> Move {
        let (slot, from) = (self.slot(key), self.owner(key));
        let importing = format!("CLUSTER SETSLOT {slot} IMPORTING {}", self.id(from));
        let migrating = format!("CLUSTER SETSLOT {slot} MIGRATING {}", self.id(to));
        _ = self.nodes[to].ask::<String>(&importing);
        _ = self.nodes[from].ask::<String>(&migrating);
        Move { slot, from, to }
    }

    /// Moves the keys of the slot that are there.
    pub fn move_keys(&self, moving: &Move) {
        let Move { slot, from, to } = *moving;
        loop {
            let question = format!("CLUSTER GETKEYSINSLOT {slot} 100");
            let keys: Vec<String> = self.nodes[from].ask(&question);
            if keys.is_empty() {
                return;
            }
            let port = self.nodes[to].port();
            let keys = keys.join(" ");
            let migrate = format!("MIGRATE 127.0.0.1 {port}  0 60000 KEYS {keys}");
            _ = self.nodes[from].ask::<String>(&migrate);
        }
    }

    /// Gives the slot to its new owner.
    pub fn end_move(&self, moving: &Move) {
        let owned = format!("CLUSTER SETSLOT {} NODE {}", moving.slot, self.id(moving.to));
        for node in [moving.to, moving.from] {
            _ = self.nodes[node].ask::<String>(&owned);
        }
    }
}

/// A slot on its way from one master to another.
pub struct Move {
    slot: u16,
    from: usize,
    to: usize,
}
