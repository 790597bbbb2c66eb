//! Guards on what workers do, through the front door: each hit for real and nearly hit.

use crate::cli_run::{count, run, stderr};
use crate::redis_server::RedisServer;
use loadc::job::layouts::{LAYOUTS, Layout};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn outcome(report: &Value) -> (&str, Option<&str>) {
    (report["outcome"].as_str().unwrap(), report["guards"][0]["kind"].as_str())
}

/// A queue `work` of a format, with no more options than it needs.
fn queue(layout: &Layout) -> String {
    let needed = layout.options().filter(|word| word.required);
    let options: String = needed.map(|word| format!(" {}", word.form)).collect();
    format!("queue \"work\" as {}{options}", layout.word)
}

#[test]
fn every_format_that_tells_an_age_is_held_to_it() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    for layout in LAYOUTS.iter().filter(|layout| layout.tells_age()) {
        redis::cmd("FLUSHALL").exec(&mut redis).unwrap();
        let job = format!("job a {{ {}; body {{ n: seq() }} }}", queue(layout));
        let script = format!("{job}\nconstant 100 for 1h\nguard {{ age <= 200ms then stop }}");
        let (output, report) = run(&script, &server.url(), &[]);
        assert_eq!(
            outcome(&report),
            ("guard", Some("age")),
            "{}: {}",
            layout.word,
            stderr(&output)
        );
    }
}

fn milliseconds_ago(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap() - seconds * 1_000
}

/// An id as loadc makes them, of a job that could be taken so many seconds ago.
fn id(seconds_ago: u64) -> String {
    let ms = milliseconds_ago(seconds_ago);
    format!("{:08x}-{:04x}-7000-8000-000000000001", ms >> 16, ms & 0xFFFF)
}

const RQ: &str = "job a { queue \"work\" as rq function \"a.b\"; body {} }\n";

#[test]
fn the_oldest_job_may_be_as_old_as_is_said() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    let script =
        format!("{RQ}constant 100 for 1s\nguard {{ age <= 1h then stop; warn age at 59m }}");
    for (seconds_ago, expected, warned) in [
        (3_660, ("guard", Some("age")), false),
        (3_570, ("done", None), true),
        (3_000, ("done", None), false),
    ] {
        redis::cmd("FLUSHALL").exec(&mut redis).unwrap();
        redis::cmd("RPUSH").arg("rq:queue:work").arg(id(seconds_ago)).exec(&mut redis).unwrap();
        let (output, report) = run(&script, &server.url(), &[]);
        assert_eq!(outcome(&report), expected, "{}", stderr(&output));
        assert_eq!(report["warnings"][0]["kind"] == "age", warned);
    }
}

#[test]
fn the_oldest_entry_of_a_stream_is_that_which_no_group_has_had() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    let script = "job a { queue \"work\" as stream }\nconstant 100 for 1s\nguard { age <= 1h }";
    let old = format!("{}-0", milliseconds_ago(3_660));
    redis::cmd("XADD").arg("work").arg(old).arg("data").arg(1).exec(&mut redis).unwrap();
    let (_, report) = run(script, &server.url(), &[]);
    assert_eq!(outcome(&report), ("guard", Some("age")));
    // A group that begins behind it.
    redis::cmd("XGROUP").arg("CREATE").arg("work").arg("g").arg("$").exec(&mut redis).unwrap();
    let (_, report) = run(script, &server.url(), &[]);
    assert_eq!(outcome(&report), ("done", None));
    let age_s = report["streams"][0]["queues"][0]["workers"]["oldest_age_s"].as_f64();
    assert!(age_s.is_some_and(|age_s| age_s < 3_600.0), "{age_s:?}");
}

#[test]
fn a_run_waits_until_the_oldest_job_is_young() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    redis::cmd("RPUSH").arg("rq:queue:work").arg(id(3_660)).exec(&mut redis).unwrap();
    let script = format!("{RQ}constant 100 for 1s\nguard {{ age <= 1h then pause until 30m }}");
    let (output, report) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            let mut redis = server.connection();
            redis::cmd("LPOP").arg("rq:queue:work").exec(&mut redis).unwrap();
        });
        run(&script, &server.url(), &[])
    });
    assert_eq!((output.status.code(), count(&report, "acked")), (Some(0), 100));
    assert_eq!(report["guards"][0]["action"], "pause until 1800");
}

/// Takes jobs of RQ's until it is told to end; `fails` says of each, by its number, whether it fails.
fn work(server: &RedisServer, fails: impl Fn(u64) -> bool, end: &AtomicBool) {
    let mut redis = server.connection();
    let mut done = 0;
    while !end.load(Ordering::Relaxed) {
        // Taken and failed in one step, so that no look falls in between.
        let step = "local id = redis.call('LPOP', 'rq:queue:work')
            if id and ARGV[1] == '1' then redis.call('ZADD', 'rq:failed:work', 1, id) end
            return id";
        let fails = u8::from(fails(done + 1));
        let taken: Option<String> =
            redis::cmd("EVAL").arg(step).arg(0).arg(fails).query(&mut redis).unwrap();
        match taken {
            Some(_) => done += 1,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn worked(guard: &str, fails: impl Fn(u64) -> bool + Send + Sync) -> (std::process::Output, Value) {
    let server = RedisServer::start();
    let script = format!("{RQ}constant 500 for 2s\nguard {{ {guard} }}");
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| work(&server, fails, &end));
        let outcome = run(&script, &server.url(), &[]);
        end.store(true, Ordering::Relaxed);
        outcome
    })
}

#[test]
fn as_many_jobs_may_fail_as_is_said() {
    let (output, report) = worked("failed <= 1%", |job| job % 10 == 0);
    assert_eq!((output.status.code(), outcome(&report)), (Some(3), ("guard", Some("failed"))));
    // Three in a thousand, late enough that it matters little which acknowledgements are counted yet.
    let fails = |job| matches!(job, 400 | 600 | 800);
    let (output, report) = worked("failed <= 1%; warn failed at 0.1%", fails);
    assert_eq!(outcome(&report), ("done", None), "{}", stderr(&output));
    assert_eq!(report["warnings"][0]["kind"], "failed");
}

#[test]
fn a_run_waits_until_jobs_succeed_again() {
    let guard = "failed <= 10% over 1s then pause until 1%";
    let (output, report) = worked(guard, |job| job <= 100);
    assert_eq!((output.status.code(), count(&report, "acked")), (Some(0), 1_000));
    assert_eq!(report["guards"][0]["action"], "pause until 0.01");
}
