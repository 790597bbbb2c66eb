//! Flows and batches, into a real redis-server.

use crate::cli_run::{assert_done, count, run};
use crate::redis_server::RedisServer;
use redis::Commands as _;
use serde_json::Value;
use std::collections::BTreeMap;

const FLOW: &str = r#"
job created { queue "created"; body { order: thing } }
job picking { queue "picking"; body { order: thing } }
job paid { queue "paid"; body { order: thing } }
job ping { queue "pings" }
flow order { created -> picking after 100ms..400ms, or lost 10%; picking -> paid 80% after 50ms..300ms }
send order 3, ping 1
constant 1000 for 1s
"#;

fn things(redis: &mut redis::Connection, queue: &str) -> Vec<u64> {
    let jobs: Vec<String> = redis.lrange(queue, 0, -1).unwrap();
    let thing = |job: &String| {
        let job: Value = serde_json::from_str(job).unwrap();
        job.get("order").or(job.get("thing")).and_then(Value::as_u64).unwrap()
    };
    let mut things: Vec<u64> = jobs.iter().map(thing).collect();
    things.sort_unstable();
    things
}

#[test]
fn every_step_of_every_thing_arrives_once() {
    let server = RedisServer::start();
    let (output, report) = run(FLOW, &server.url(), &[]);
    let planned = count(&report, "planned");
    assert_done(&output, &report, planned);
    let mut redis = server.connection();
    let [created, picking, paid, lost] =
        ["created", "picking", "paid", "loadc"].map(|queue| things(&mut redis, queue));
    assert_eq!((created.len(), redis.llen::<_, u64>("pings").unwrap()), (750, 250));
    // Each thing that is created is picked or lost, and only what is picked is paid.
    let mut after: Vec<u64> = picking.iter().chain(&lost).copied().collect();
    after.sort_unstable();
    assert_eq!(after, created);
    assert!(paid.iter().all(|thing| picking.binary_search(thing).is_ok()));
    assert!((40..120).contains(&lost.len()) && (480..600).contains(&paid.len()), "{report}");
    let by_job = report["streams"][0]["by_job"].as_array().unwrap();
    let by_job: BTreeMap<&str, u64> = by_job
        .iter()
        .map(|job| (job["job"].as_str().unwrap(), job["acked"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("created", 750),
        ("lost", lost.len() as u64),
        ("paid", paid.len() as u64),
        ("picking", picking.len() as u64),
        ("ping", 250),
    ];
    assert_eq!(by_job, BTreeMap::from(expected));
    assert_eq!(planned, expected.iter().map(|(_, count)| count).sum::<u64>());
}

#[test]
fn a_batch_is_one_command() {
    let server = RedisServer::start();
    let script = "batch 10\njob order { queue \"orders\"; body { n: seq() } }\nconstant 100 for 1s";
    let (output, report) = run(script, &server.url(), &[]);
    assert_done(&output, &report, 100);
    let jobs: Vec<String> = server.connection().lrange("orders", 0, -1).unwrap();
    let expected: Vec<String> = (1..=100).rev().map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(jobs, expected);
    let stats: String = server.ask("INFO commandstats");
    let pushes = stats.lines().find_map(|line| line.strip_prefix("cmdstat_lpush:calls=")).unwrap();
    let pushes: u64 = pushes.split(',').next().unwrap().parse().unwrap();
    assert!(pushes <= 10, "{pushes}");
}
