//! Guards through the front door, each hit for real and nearly hit.

use crate::cli_run::{count, run, stderr};
use crate::redis_server::RedisServer;
use serde_json::Value;

fn outcome(report: &Value) -> (&str, Option<&str>) {
    (report["outcome"].as_str().unwrap(), report["guards"][0]["kind"].as_str())
}

#[test]
fn loadc_itself_is_held_to_its_memory_and_processor_time() {
    let server = RedisServer::start();
    let with = |guard: &str| {
        let script = format!("constant 100 for 20s\nguard {{ {guard} }}");
        run(&script, &server.url(), &[])
    };
    let (output, report) = with("memory <= 1MB");
    assert_eq!((output.status.code(), count(&report, "due")), (Some(3), 0), "{}", stderr(&output));
    assert_eq!(outcome(&report), ("guard", Some("memory")));
    // Whoever waits for timers a second long uses more than that.
    let (output, report) = with("cpu <= 0.0001%");
    assert_eq!((output.status.code(), outcome(&report)), (Some(3), ("guard", Some("cpu"))));
    let script = "constant 100 for 3s\nguard { memory <= 1000GB; cpu <= 100000% }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(0), ("done", None)));
}

#[test]
fn the_server_is_held_to_its_memory() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    let _: () =
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("100mb").query(&mut redis).unwrap();
    for (limit, kind, code) in [
        ("0.01%", Some("server memory"), 3),
        ("90%", None, 0),
        ("1KB", Some("server memory"), 3),
        ("1GB", None, 0),
    ] {
        let script = format!("constant 100 for 1s\nguard {{ server memory <= {limit} }}");
        let (output, report) = run(&script, &server.url(), &[]);
        assert_eq!((output.status.code(), outcome(&report).1), (Some(code), kind), "{limit}");
    }
    // The embedded server tells its memory too.
    let script = "constant 100 for 1s\nguard { server memory <= 90% }";
    let output = crate::cli_run::fed(
        {
            let mut command = crate::cli_run::loadc();
            command.args(["run", "-"]);
            command
        },
        script,
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_rate_slows_or_sheds() {
    let server = RedisServer::start();
    let script = "constant 1000 for 2s\nguard { rate <= 500/s then slow }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!((output.status.code(), count(&report, "acked")), (Some(0), 2_000));
    assert_eq!(report["guards"][0]["action"], "slow");
    assert!(report["elapsed_s"].as_f64().unwrap() > 3.0, "it can't be faster");

    let script = "constant 1000 for 2s\nguard { rate <= 500/s then shed }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!((output.status.code(), count(&report, "due")), (Some(0), 2_000));
    let sent = count(&report, "sent");
    assert!((500..=1_500).contains(&sent), "{sent}");
    assert_eq!(sent + count(&report, "skipped"), 2_000);
    assert_eq!(report["guards"][0]["action"], "shed");
}

#[cfg(unix)]
#[test]
fn a_command_is_told_of_hits_and_one_that_fails_is_a_warning() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let script = format!(
        "constant 100 for 30s\nguard {{ jobs <= 10k; depth <= 200 then stop; warn jobs at 10\nnotify command \"cat >> {}\"; notify command \"exit 1\" retries 0 }}",
        told.display()
    );
    let (output, report) = run(&script, &server.url(), &[]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(3), ("guard", Some("depth"))));
    let lines = std::fs::read_to_string(told).unwrap();
    let events: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["warning", "guard"]);
    assert_eq!(events[1]["guard"], "depth <= 200 then stop");
    assert!(report["guards"][0]["overshoot"].as_f64().unwrap() > 0.0);
    assert_eq!(events[1]["run_id"], report["run_id"]);
    assert_eq!(report["warnings"][0]["kind"], "jobs");
    assert!(
        stderr(&output).contains("was not told: it failed: exit status: 1"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn no_script_loosens_a_policy() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.load");
    let policy = path.to_str().unwrap();
    std::fs::write(
        &path,
        "target \"127.*\" { jobs <= 50; depth <= 30 }\ntarget elsewhere { jobs <= 1 }",
    )
    .unwrap();
    let (output, report) =
        run("constant 100 for 1s\nguard { jobs <= 1k }", &server.url(), &["--policy", policy]);
    assert_eq!((output.status.code(), report), (Some(2), Value::Null));
    let said = stderr(&output);
    assert!(said.contains("jobs <= 50 (policy ") && said.contains("job 51 falls due"), "{said}");
    // What can't be proven is kept: the depth, whatever the script says of it.
    let script = "constant 10 for 5s\nguard { depth <= 1k }";
    let (output, report) = run(script, &server.url(), &["--policy", policy]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(3), ("guard", Some("depth"))));
    std::fs::write(&path, "jobs <= 50").unwrap();
    let (output, _) = run("constant 1 for 1s", &server.url(), &["--policy", policy]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is wrong, so nothing is known to be allowed"));
}

#[test]
fn a_bound_on_jobs_within_a_batch_is_its_plan_and_its_run() {
    let server = RedisServer::start();
    let script = "constant 100 for 1s; send 5k at once\nguard { jobs <= 777 then stop }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((count(&report, "planned"), count(&report, "acked")), (777, 777));
}
