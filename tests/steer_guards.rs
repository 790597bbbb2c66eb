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
}

#[test]
fn loadc_itself_may_come_near_its_bounds() {
    let server = RedisServer::start();
    let (_, report) = run("constant 100 for 1s", &server.url(), &[]);
    let most_bytes = report["rss_max_bytes"].as_u64().unwrap();
    // What it uses is somewhere between the level and the bound, which the warnings prove: it was
    // measured, and is no hit.
    let script = format!(
        "constant 100 for 3s\nguard {{ memory <= {}B; cpu <= 100000%\nwarn memory at {}B; warn cpu at 0.0001% }}",
        most_bytes * 4,
        most_bytes / 4,
    );
    let (output, report) = run(&script, &server.url(), &[]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(0), ("done", None)));
    let warned = report["warnings"].as_array().unwrap().iter();
    let mut warned: Vec<_> = warned.map(|near| near["kind"].as_str().unwrap()).collect();
    warned.sort_unstable();
    assert_eq!(warned, ["cpu", "memory"], "{}", stderr(&output));
}

#[test]
fn the_server_is_held_to_its_memory() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    let _: () =
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("100mb").query(&mut redis).unwrap();
    let info: String = redis::cmd("INFO").arg("memory").query(&mut redis).unwrap();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let used_bytes: u64 = used.trim().parse().unwrap();
    // Bounds of a half and of five times what is used, with a level for warnings in between.
    let (low, high) = (used_bytes / 2, used_bytes * 5);
    let percent = |bytes: u64| format!("{:.4}%", bytes as f64 / 1e6);
    for (limit, level, hit) in [
        (percent(low), percent(low / 2), true),
        (percent(high), percent(low), false),
        (format!("{low}B"), format!("{}B", low / 2), true),
        (format!("{high}B"), format!("{low}B"), false),
    ] {
        let script = format!(
            "constant 100 for 1s\nguard {{ server memory <= {limit}; warn server memory at {level} }}"
        );
        let (output, report) = run(&script, &server.url(), &[]);
        let (kind, code) = if hit { (Some("server memory"), 3) } else { (None, 0) };
        assert_eq!(
            (output.status.code(), outcome(&report).1),
            (Some(code), kind),
            "{limit}: {}",
            stderr(&output)
        );
        assert_eq!(report["warnings"][0]["kind"] == "server memory", !hit, "{limit}");
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
fn a_webhook_that_hangs_holds_up_no_job_and_is_said() {
    let server = RedisServer::start();
    // Connections are taken by the system and never answered.
    let hung = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script = format!(
        "constant 100 for 2s\nguard {{ jobs <= 10k; depth <= 150 then stop; warn jobs at 10\nnotify webhook \"http://{}\" timeout 100ms retries 1 }}",
        hung.local_addr().unwrap()
    );
    let (output, report) = run(&script, &server.url(), &[]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(3), ("guard", Some("depth"))));
    crate::cli_run::assert_adds_up(&report);
    let depth: u64 = redis::cmd("LLEN").arg("loadc").query(&mut server.connection()).unwrap();
    assert_eq!((count(&report, "acked"), count(&report, "unknown")), (depth, 0));
    assert_eq!(report["warnings"][0]["kind"], "jobs");
    let told = stderr(&output);
    assert!(told.contains("was not told: timeout") && told.contains("after 2 attempts"), "{told}");
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
    // What a script comes near and does not break is done.
    let (output, report) = run("constant 100 for 300ms", &server.url(), &["--policy", policy]);
    assert_eq!((output.status.code(), outcome(&report).0), (Some(3), "guard"), "as deep as it was");
    redis::cmd("FLUSHALL").exec(&mut server.connection()).unwrap();
    let (output, report) = run("constant 100 for 300ms", &server.url(), &["--policy", policy]);
    assert_eq!((output.status.code(), outcome(&report)), (Some(0), ("done", None)));
    assert_eq!(count(&report, "acked"), 30, "{}", stderr(&output));
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
