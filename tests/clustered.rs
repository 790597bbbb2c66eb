//! Clusters and masters that sentinels know: real ones, whose slots move and whose masters go,
//! during a run.
//!
//! What is asserted is exact and does not depend on how fast the machine is.

use crate::cli_run::{assert_adds_up, count, fed, loadc, stderr};
use crate::exactly_once::Run;
use crate::redis_cluster::Cluster;
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

/// Queues in slots of all three masters.
const QUEUES: [&str; 4] = ["q1", "q2", "q3", "s"];

const SCRIPT: &str = "
    load one { job a { queue \"q1\"; body { n: seq() } }; constant 300 for 10m }
    load two { job b { queue \"q2\"; body { n: seq() } }; constant 300 for 10m }
    load three { job c { queue \"q3\"; body { n: seq() } }; constant 300 for 10m }
    load stream { job d { queue \"s\" as stream; body { n: seq() } }; constant 300 for 10m }
    guard { jobs <= 2M }";

/// The numbers of the jobs in a queue, with how often each is there.
fn numbers(cluster: &Cluster, queue: &str) -> BTreeMap<u64, u64> {
    let jobs: Vec<String> = if queue == "s" {
        let entries: Vec<(String, Vec<String>)> = cluster.ask(queue, "XRANGE s - +");
        entries.into_iter().map(|(_, fields)| format!("{{\"n\":{}}}", fields[1])).collect()
    } else {
        cluster.ask(queue, &format!("LRANGE {queue} 0 -1"))
    };
    let mut numbers = BTreeMap::new();
    for job in jobs {
        let job: Value = serde_json::from_str(&job).unwrap();
        *numbers.entry(job["n"].as_u64().unwrap()).or_default() += 1;
    }
    numbers
}

fn jobs_in(cluster: &Cluster, queue: &str) -> u64 {
    let word = if queue == "s" { "XLEN" } else { "LLEN" };
    cluster.ask(queue, &format!("{word} {queue}"))
}

/// Waits until so many more jobs are in each queue.
#[track_caller]
fn wait_for_more(run: &mut Run, cluster: &Cluster, jobs: u64) {
    for queue in QUEUES {
        let wanted = jobs_in(cluster, queue) + jobs;
        while jobs_in(cluster, queue) < wanted {
            run.must_go_on();
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends the run: each job that it acknowledged is there once, and nothing else.
#[track_caller]
fn assert_exact(run: Run, cluster: &Cluster) -> (Output, Value) {
    run.interrupt();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_adds_up(&report);
    let counts = ["failed", "unknown"].map(|field| count(&report, field));
    assert_eq!(counts, [0, 0], "{}", report["errors"]);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    for (queue, stream) in QUEUES.iter().zip(report["streams"].as_array().unwrap()) {
        let acked = stream["jobs"]["acked"].as_u64().unwrap();
        let wanted: BTreeMap<u64, u64> = (1..=acked).map(|number| (number, 1)).collect();
        assert_eq!(numbers(cluster, queue), wanted, "{queue}");
        let cursors: Vec<String> =
            cluster.ask(queue, &format!("KEYS loadc:cursor:{{{queue}}}:*"));
        assert!(cursors.is_empty(), "{cursors:?}");
    }
    (output, report)
}

#[test]
fn slots_that_move_take_their_jobs_with_them() {
    let cluster = Cluster::start(false);
    let mut run = Run::start(SCRIPT, &cluster.url(), &[]);
    wait_for_more(&mut run, &cluster, 30);
    for queue in ["q1", "s"] {
        // The keys go first, and the slot follows when jobs have come to them by ASK.
        let to = (cluster.owner(queue) + 1) % 3;
        let moving = cluster.begin_move(queue, to);
        wait_for_more(&mut run, &cluster, 30);
        cluster.move_keys(&moving);
        let word = if queue == "s" { "XLEN" } else { "LLEN" };
        let ask = || {
            let mut connection = cluster.nodes[to].connection();
            let mut pipeline = redis::pipe();
            pipeline.cmd("ASKING").ignore().cmd(word).arg(queue);
            pipeline.query::<(u64,)>(&mut connection).unwrap().0
        };
        let wanted = ask() + 30;
        while ask() < wanted {
            run.must_go_on();
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster.end_move(&moving);
        wait_for_more(&mut run, &cluster, 30);
    }
    // And one that moves at once.
    let moving = cluster.begin_move("q2", (cluster.owner("q2") + 1) % 3);
    cluster.move_keys(&moving);
    cluster.end_move(&moving);
    wait_for_more(&mut run, &cluster, 30);
    assert_exact(run, &cluster);
}

#[test]
fn a_master_that_hands_over_loses_no_job() {
    let cluster = Cluster::start(true);
    let mut run = Run::start(SCRIPT, &cluster.url(), &[]);
    wait_for_more(&mut run, &cluster, 30);
    for replica in 3..6 {
        _ = cluster.nodes[replica].ask::<String>("CLUSTER FAILOVER");
        wait_for_more(&mut run, &cluster, 30);
    }
    assert_exact(run, &cluster);
}
