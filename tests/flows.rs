//! Flows and batches, into a real redis-server.

use crate::cli_run::{assert_done, count, run};
use crate::redis_server::RedisServer;
use loadc::check::{Options, check};
use loadc::run::schedule;
use loadc::schedule::Shard;
use loadc::source::SourceFile;
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

/// Scripts that a bound on jobs ends among the steps of flows: with things of several loads, jobs at
/// once, drawn arrivals, batches, a time that ends the plan too.
const BOUNDED: [&str; 6] = [
    "flow f { a -> b 70% after 1s..9s; b -> c after 2s, or d 20% }
     send f; constant 20 for 1m; guard { jobs <= 700 then stop }",
    "flow f { a -> b after 0s; b -> c 50% after 0s..1s }
     job x { queue \"x\" }
     load one { send f 2, x 1; send 100 at once; constant 5 for 30s }
     load two { after 4s; send f; send 300 at once; constant 9 for 20s }
     guard { jobs <= 512 then stop }",
    "arrivals poisson
     flow f { a -> b after 1s..4s }
     send f; sine base 30 amp 40 period 7s forever; guard { jobs <= 999 then stop }",
    "batch 7
     flow f { a -> b 90% after 500ms..20s; b -> c after 1s..2s }
     send f; ramp 1->50 over 30s; guard { jobs <= 600 then stop }",
    "flow f { a -> b after 1s..30s; b -> c after 3s }
     load one { send f; constant 10 for 40s; guard { jobs <= 400 then stop } }
     load two { send f; constant 3 for 1m; guard { time <= 50s then stop } }
     guard { jobs <= 450 then stop }",
    "flow f { a -> b after 1s..2s }
     send f; constant 10 for 20s; guard { jobs <= 400 then stop }",
];

/// What a script's plan says and what runs of it send, whole or in parts.
#[test]
fn a_bound_on_jobs_is_met_to_the_job_whatever_the_seed() {
    let exactly = [700, 512, 999, 600, 450, 400];
    for (script, jobs) in BOUNDED.into_iter().zip(exactly) {
        for seed in 0..4 {
            let source = SourceFile::new("a.load", script);
            let planned = |shard: Shard| {
                let options =
                    Options { seed: Some(seed), shard: Some(shard), ..Options::default() };
                let checked = check(&source, &options);
                assert!(!checked.has_errors(), "{script}: {:?}", checked.problems);
                let plan = checked.plan.unwrap();
                let schedules = plan.streams.iter().map(|one| schedule(one, plan.seed, plan.part));
                let sent: u64 = schedules.map(|schedule| schedule.len()).sum();
                assert_eq!(plan.part.jobs(&plan.streams, plan.seed), sent, "{script}, {seed}");
                sent
            };
            assert_eq!(planned(Shard::WHOLE), jobs, "{script}, {seed}");
            let parts: u64 = (1..=3).map(|n| planned(Shard::new(n, 3).unwrap())).sum();
            assert_eq!(parts, jobs, "{script}, {seed}");
        }
    }
}

#[test]
fn a_run_ends_with_exactly_as_many_as_its_plan_says() {
    let server = RedisServer::start();
    for (place, script) in BOUNDED.into_iter().enumerate() {
        let seed = format!("{}", place + 3);
        let flags = ["--seed", &seed, "--speed", "x60"];
        let (output, report) = run(script, &server.url(), &flags);
        let (dry, told) =
            run(script, &server.url(), &["--seed", &seed, "--speed", "x60", "--dry-run"]);
        assert_eq!(dry.status.code(), Some(0));
        let jobs = told["jobs"].as_u64().unwrap();
        assert_done(&output, &report, jobs);
        let mut redis = server.connection();
        let there = |queue: &str, redis: &mut redis::Connection| redis.llen::<_, u64>(queue);
        let there = ["loadc", "x"].map(|queue| there(queue, &mut redis).unwrap());
        assert_eq!(there.iter().sum::<u64>(), jobs, "{script}");
        let () = redis::cmd("FLUSHALL").query(&mut redis).unwrap();
    }
}
