//! Clusters and masters that sentinels know: real ones, whose slots move and whose masters go,
//! during a run.
//!
//! What is asserted is exact and does not depend on how fast the machine is.

use crate::cli_run::{assert_adds_up, count, fed, loadc, stderr};
use crate::exactly_once::Run;
use crate::redis_cluster::Cluster;
use crate::redis_server::{RedisServer, free_port};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

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
    tally(&jobs)
}

fn tally(jobs: &[String]) -> BTreeMap<u64, u64> {
    let mut numbers = BTreeMap::new();
    for job in jobs {
        let job: Value = serde_json::from_str(job).unwrap();
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
        run.wait_until(|| jobs_in(cluster, queue) >= wanted);
    }
}

/// Ends the run: nothing is there twice, and each job that it acknowledged is there once, but for
/// those of which the report says that the server which took over did not have them.
#[track_caller]
fn end(run: Run, jobs: impl Fn(&str) -> BTreeMap<u64, u64>) -> Value {
    run.interrupt();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(count(&report, "failed"), 0, "{}", report["errors"]);
    let lost = report["forgotten"].as_array().unwrap().iter();
    let lost: u64 = lost.map(|entry| entry["acked_jobs"].as_u64().unwrap()).sum();
    let mut missing = 0;
    for (queue, stream) in QUEUES.iter().zip(report["streams"].as_array().unwrap()) {
        let of = |field: &str| stream["jobs"][field].as_u64().unwrap();
        let there = jobs(queue);
        assert!(there.values().all(|times| *times == 1), "{queue}: {there:?}");
        let sent = of("acked") + of("unknown");
        assert!(there.keys().all(|number| (1..=sent).contains(number)), "{queue}: {there:?}");
        missing += sent - there.len() as u64;
    }
    let unknown = count(&report, "unknown");
    assert!(lost <= missing && missing <= lost + unknown, "{missing} {lost} {unknown}: {report}");
    report
}

/// The same where no server may have lost anything.
#[track_caller]
fn assert_exact(run: Run, cluster: &Cluster) {
    let report = end(run, |queue| numbers(cluster, queue));
    assert_eq!(count(&report, "unknown"), 0, "{}", report["errors"]);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    for queue in QUEUES {
        let cursors: Vec<String> = cluster.ask(queue, &format!("KEYS loadc:cursor:{{{queue}}}:*"));
        assert!(cursors.is_empty(), "{cursors:?}");
    }
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
        run.wait_until(|| ask() >= wanted);
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

#[test]
fn a_master_that_dies_or_hangs_is_replaced() {
    let mut cluster = Cluster::start(true);
    let mut run = Run::start(SCRIPT, &cluster.url(), &[]);
    wait_for_more(&mut run, &cluster, 30);
    let dying = cluster.owner("q1");
    cluster.nodes[dying].kill();
    wait_for_more(&mut run, &cluster, 30);
    // Another, which is silent while its connections stand; of three masters two must be left to
    // agree on that.
    let hanging =
        QUEUES[..3].iter().map(|queue| cluster.owner(queue)).find(|node| *node < 3).unwrap();
    let queue = QUEUES.into_iter().find(|queue| cluster.owner(queue) == hanging).unwrap();
    let heir = hanging + 3;
    let jobs = || cluster.try_ask::<u64>(heir, &format!("LLEN {queue}")).ok();
    cluster.nodes[hanging].pause();
    run.wait_until(|| jobs().is_some());
    let before = jobs().unwrap_or_default();
    run.wait_until(|| jobs().is_some_and(|now| now >= before + 30));
    cluster.nodes[hanging].resume();
    wait_for_more(&mut run, &cluster, 30);
    end(run, |queue| numbers(&cluster, queue));
}

/// A load for each queue, and one whose jobs go to all of them in turn.
const SHARED: &str = "
    load one { job a { queue \"q1\"; body { n: seq() } }; constant 300 for 10m }
    load two { job b { queue \"q2\"; body { n: seq() } }; constant 300 for 10m }
    load three { job c { queue \"q4\"; body { n: seq() } }; constant 300 for 10m }
    load all {
        job d { queue \"p1\"; body { n: seq() } }
        job e { queue \"p2\"; body { n: seq() } }
        job f { queue \"p3\"; body { n: seq() } }
        send d 1, e 1, f 1
        constant 300 for 10m
    }
    guard { jobs <= 2M; depth <= 2M; server memory <= 64GB }";

const SHARED_QUEUES: [&str; 6] = ["q1", "q2", "q4", "p1", "p2", "p3"];

/// Waits until many more jobs are in the queues, each asked for at its server.
#[track_caller]
fn wait_for_more_at(run: &mut Run, cluster: &Cluster, queues: &[(&str, usize)]) {
    for (queue, node) in queues {
        let jobs = || cluster.try_ask::<u64>(*node, &format!("LLEN {queue}")).unwrap_or(0);
        let wanted = jobs() + 100;
        run.wait_until(|| jobs() >= wanted);
    }
}

/// The queues, and the servers that answer for them.
fn owners(cluster: &Cluster) -> Vec<(&'static str, usize)> {
    let owners: Vec<_> = SHARED_QUEUES.iter().map(|queue| (*queue, cluster.owner(queue))).collect();
    let of = |queues: &[usize]| {
        let nodes: BTreeSet<usize> = queues.iter().map(|queue| owners[*queue].1).collect();
        nodes.len()
    };
    assert_eq!((of(&[0, 1, 2]), of(&[3, 4, 5])), (3, 3), "one on each master: {owners:?}");
    owners
}

/// Ends a run of `SHARED`, and returns its report with how often each job of each stream is there.
#[track_caller]
fn end_shared(run: Run, cluster: &Cluster) -> (Value, Vec<BTreeMap<u64, u64>>) {
    run.interrupt();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(count(&report, "failed"), 0, "{}", report["errors"]);
    let mut streams = vec![BTreeMap::new(); 4];
    for (place, queue) in SHARED_QUEUES.iter().enumerate() {
        for (number, times) in numbers(cluster, queue) {
            *streams[place.min(3)].entry(number).or_insert(0) += times;
        }
    }
    for there in &streams {
        assert!(there.values().all(|times| *times == 1), "{there:?}");
    }
    (report, streams)
}

/// The servers and queues of some events.
fn told(report: &Value, kind: &str) -> Vec<(String, Vec<String>)> {
    let events = report["events"].as_array().unwrap().iter();
    let of_kind = events.filter(|event| event["event"] == kind);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let queues = |event: &Value| event["queues"].as_array().unwrap().iter().map(text).collect();
    of_kind.map(|event| (text(&event["server"]), queues(event))).collect()
}

#[test]
fn queues_of_other_masters_go_on_while_one_stands_still() {
    let cluster = Cluster::start(true);
    // It is missed for as long as the test wants, and nobody takes over.
    cluster.set("cluster-node-timeout", "3600000");
    let owners = owners(&cluster);
    let mut run = Run::start(SHARED, &cluster.url(), &[]);
    wait_for_more_at(&mut run, &cluster, &owners);
    let missed = owners[0].1;
    cluster.nodes[missed].pause();
    let others: Vec<_> = owners.iter().copied().filter(|(_, node)| *node != missed).collect();
    for _ in 0..5 {
        wait_for_more_at(&mut run, &cluster, &others);
    }
    cluster.nodes[missed].resume();
    wait_for_more_at(&mut run, &cluster, &owners);
    let (report, streams) = end_shared(run, &cluster);
    assert_eq!(count(&report, "unknown"), 0, "{}", report["errors"]);
    for (there, stream) in streams.iter().zip(report["streams"].as_array().unwrap()) {
        assert_eq!(Some(there.len() as u64), stream["jobs"]["acked"].as_u64());
    }
    // Each of the first three goes to one queue, in order.
    for there in &streams[..3] {
        assert_eq!(there.keys().last(), Some(&(there.len() as u64)));
    }
}

#[test]
fn a_run_killed_while_a_master_is_missed_goes_on_with_what_waited() {
    let cluster = Cluster::start(true);
    cluster.set("cluster-node-timeout", "3600000");
    let owners = owners(&cluster);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.load"), SHARED).unwrap();
    let start = |words: &[&str]| {
        let mut command = loadc();
        command.current_dir(dir.path()).env("XDG_RUNTIME_DIR", dir.path());
        command.args(["run", "--json"]).args(words);
        Run::of(command)
    };
    let mut run = start(&["a.load", "--target", &cluster.url(), "--journal", "j"]);
    wait_for_more_at(&mut run, &cluster, &owners);
    let missed = owners[0].1;
    cluster.nodes[missed].pause();
    let others: Vec<_> = owners.iter().copied().filter(|(_, node)| *node != missed).collect();
    // Their keys have places for the last 1024 batches: what came before is the journal's to know.
    for _ in 0..20 {
        wait_for_more_at(&mut run, &cluster, &others[..1]);
    }
    run.kill();
    cluster.nodes[missed].resume();
    let mut run = start(&["--resume", "./j"]);
    wait_for_more_at(&mut run, &cluster, &owners);
    let (report, streams) = end_shared(run, &cluster);
    assert_eq!(count(&report, "unknown"), 0, "{}", report["errors"]);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    for (there, stream) in streams.iter().zip(report["streams"].as_array().unwrap()) {
        assert_eq!(Some(there.len() as u64), stream["jobs"]["acked"].as_u64());
    }
}

#[test]
fn queues_of_other_masters_go_on_while_one_is_dead() {
    let mut cluster = Cluster::start(true);
    cluster.set("cluster-node-timeout", "3600000");
    let owners = owners(&cluster);
    let mut run = Run::start(SHARED, &cluster.url(), &["-v"]);
    wait_for_more_at(&mut run, &cluster, &owners);
    let missed = owners[0].1;
    let place = format!("127.0.0.1:{}", cluster.nodes[missed].port());
    cluster.nodes[missed].kill();
    let others: Vec<_> = owners.iter().copied().filter(|(_, node)| *node != missed).collect();
    for _ in 0..5 {
        wait_for_more_at(&mut run, &cluster, &others);
    }
    // Its replica does not ask the others: they have not noticed yet.
    let heir = missed + 3;
    _ = cluster.nodes[heir].ask::<String>("CLUSTER FAILOVER TAKEOVER");
    let moved =
        owners.iter().map(|(queue, node)| (*queue, if *node == missed { heir } else { *node }));
    wait_for_more_at(&mut run, &cluster, &moved.collect::<Vec<_>>());
    let (report, streams) = end_shared(run, &cluster);
    let lost = report["forgotten"].as_array().unwrap().iter();
    let lost: u64 = lost.map(|entry| entry["acked_jobs"].as_u64().unwrap()).sum();
    let there: u64 = streams.iter().map(|there| there.len() as u64).sum();
    let (acked, unknown) = (count(&report, "acked"), count(&report, "unknown"));
    assert!(there <= acked + unknown && acked <= there + lost, "{there}: {report}");
    let of_missed: BTreeSet<&str> =
        owners.iter().filter(|(_, node)| *node == missed).map(|(queue, _)| *queue).collect();
    let lost = told(&report, "connection_lost");
    assert!(lost.iter().all(|(server, _)| *server == place), "{lost:?}");
    let waited: BTreeSet<&str> =
        lost.iter().flat_map(|(_, queues)| queues).map(String::as_str).collect();
    assert_eq!(waited, of_missed, "{lost:?}");
    let heir = format!("127.0.0.1:{}", cluster.nodes[heir].port());
    assert!(told(&report, "reconnected").iter().any(|(server, _)| *server == heir), "{report}");
}

#[test]
fn a_run_that_begins_or_goes_on_while_a_master_is_replaced_waits_for_that() {
    let mut cluster = Cluster::start(true);
    cluster.set("cluster-node-timeout", "3600000");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.load"), SCRIPT.replace("10m", "3s")).unwrap();
    let start = |words: &[&str]| {
        let mut command = loadc();
        command.current_dir(dir.path()).env("XDG_RUNTIME_DIR", dir.path());
        command.args(["run", "--json"]).args(words);
        Run::of(command)
    };
    // Each try asks the first place of the URL for the map of the cluster.
    let fake = free_port();
    let url = cluster.url().replace("://", &format!("://127.0.0.1:{fake},"));
    let mut run = start(&["a.load", "--target", &url, "--journal", "j"]);
    run.wait_until(|| jobs_in(&cluster, "q1") >= 100);
    run.kill();
    let missed = cluster.owner("q1");
    cluster.nodes[missed].kill();
    let first_place = TcpListener::bind(("127.0.0.1", fake)).unwrap();
    let resumed = start(&["--resume", "./j"]);
    // Who tries a second time has found nobody the first time: only now another takes over.
    for _ in 0..2 {
        drop(first_place.accept().unwrap());
    }
    drop(first_place);
    let begun = start(&["a.load", "--target", &cluster.url()]);
    _ = cluster.nodes[missed + 3].ask::<String>("CLUSTER FAILOVER TAKEOVER");
    for (run, has_waited) in [(resumed, true), (begun, false)] {
        let (output, report) = run.end();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        let said = told.contains("that may pass, and is waited for up to 2m");
        assert!(said || !has_waited, "{told}");
        assert_adds_up(&report);
        let settled = count(&report, "acked") + count(&report, "unknown");
        assert_eq!((count(&report, "planned"), settled), (3600, 3600), "{report}");
    }
}

#[test]
fn a_cluster_of_which_nobody_answers_is_not_waited_for() {
    let mut command = loadc();
    command.args(["run", "-", "--target", "redis+cluster://127.0.0.1:1,127.0.0.1:2"]);
    let output = fed(command, "constant 10 for 1s\nguard { jobs <= 1k }");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(!stderr(&output).contains("waited for"), "{}", stderr(&output));
}

#[test]
fn jobs_with_keys_in_several_slots_are_refused_before_the_run() {
    let cluster = Cluster::start(false);
    let refused = |layout: &str| {
        let mut command = loadc();
        command.args(["run", "-", "--target", &cluster.url()]);
        let script = format!("job a {{ {layout} }}\nconstant 10 for 1s\nguard {{ jobs <= 1k }}");
        let output = fed(command, &script);
        (output.status.code(), stderr(&output))
    };
    let (code, told) = refused("queue \"q\" as bullmq name \"n\"; body { n: seq() }");
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("CROSSSLOT") && told.contains("`queue \"{{q}}\"`"), "{told}");
    let (code, told) = refused("queue \"{{q}}\" as bullmq name \"n\"; body { n: seq() }");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = refused("queue \"{{q}}\" as sidekiq class \"W\"; args [1]");
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("use a single server"), "{told}");
}

/// The script for one server, whose queues are all on it.
fn on(server: &RedisServer, queue: &str) -> BTreeMap<u64, u64> {
    let jobs: Vec<String> = if queue == "s" {
        let entries: Vec<(String, Vec<String>)> = server.ask("XRANGE s - +");
        entries.into_iter().map(|(_, fields)| format!("{{\"n\":{}}}", fields[1])).collect()
    } else {
        server.ask(&format!("LRANGE {queue} 0 -1"))
    };
    tally(&jobs)
}

#[test]
fn a_master_that_sentinels_replace_is_followed() {
    let first = RedisServer::with().option("repl-diskless-sync-delay", "0").start();
    let mut second = RedisServer::with().replica_of(&first).start();
    let sentinel = RedisServer::with().sentinel_of(&first).start();
    // A sentinel cuts the connections of a master that it makes a replica, these among them.
    let knows_a_replica = || knows(&sentinel, "num-slaves", "1");
    // The first of them does not answer.
    let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/main", sentinel.port());
    let mut run = Run::start(SCRIPT, &url, &[]);
    let more = |run: &mut Run, server: &RedisServer| {
        let wanted = server.ask::<u64>("LLEN q1") + 30;
        run.wait_until(|| server.ask::<u64>("LLEN q1") >= wanted);
    };
    more(&mut run, &first);
    run.wait_until(|| tells(&second, "master_link_status:up") && knows_a_replica());
    run.wait_until(|| sentinel.try_ask::<String>("SENTINEL FAILOVER main").is_ok());
    run.wait_until(|| tells(&second, "role:master") && tells(&first, "role:slave"));
    more(&mut run, &second);
    // And back again, by the death of the new one.
    run.wait_until(|| tells(&first, "master_link_status:up") && knows_a_replica());
    second.kill();
    run.wait_until(|| tells(&first, "role:master"));
    more(&mut run, &first);
    end(run, |queue| on(&first, queue));
}

/// Whether a server tells something of its replication.
fn tells(server: &RedisServer, text: &str) -> bool {
    server.try_ask::<String>("INFO replication").is_ok_and(|told| told.contains(text))
}

/// What a sentinel tells of the service.
fn knows(sentinel: &RedisServer, what: &str, wanted: &str) -> bool {
    let told: Vec<String> = sentinel.ask("SENTINEL MASTER main");
    told.chunks(2).any(|pair| pair == [what, wanted])
}

#[test]
fn of_three_sentinels_one_that_is_left_is_enough() {
    let mut first = RedisServer::with().option("repl-diskless-sync-delay", "0").start();
    let second = RedisServer::with().replica_of(&first).start();
    let mut sentinels = [(); 3].map(|()| RedisServer::with().one_of_sentinels(&first, 2).start());
    let settled = |sentinel: &RedisServer| {
        knows(sentinel, "num-slaves", "1") && knows(sentinel, "num-other-sentinels", "2")
    };
    while !(sentinels.iter().all(settled) && tells(&second, "master_link_status:up")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let places: Vec<String> =
        sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
    sentinels[0].kill();
    let url = format!("redis+sentinel://{}/main", places.join(","));
    let mut run = Run::start(SCRIPT, &url, &[]);
    let more = |run: &mut Run, server: &RedisServer| {
        let wanted = server.ask::<u64>("LLEN q1") + 30;
        run.wait_until(|| server.ask::<u64>("LLEN q1") >= wanted);
    };
    more(&mut run, &first);
    // The two that are left must agree.
    first.kill();
    run.wait_until(|| tells(&second, "role:master"));
    more(&mut run, &second);
    sentinels[1].kill();
    // Cut off, the run has to ask again who the master is: the last one tells.
    let _: u64 = second.ask("CLIENT KILL TYPE normal");
    more(&mut run, &second);
    let report = end(run, |queue| on(&second, queue));
    let back = told_servers(&report);
    assert!(back.len() >= 2, "{back:?}");
    assert!(
        back.iter().all(|server| *server == format!("127.0.0.1:{}", second.port())),
        "{back:?}"
    );
}

/// The servers that a run was connected to again.
fn told_servers(report: &Value) -> Vec<String> {
    let events = report["events"].as_array().unwrap().iter();
    let back = events.filter(|event| event["event"] == "reconnected");
    back.map(|event| event["server"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sentinels_and_servers_by_tls_are_followed() {
    let first = RedisServer::with().tls().option("tls-replication", "yes");
    let first = first.option("repl-diskless-sync-delay", "0").start();
    let second = RedisServer::with().tls_replica_of(&first).start();
    let sentinel = RedisServer::with().tls_as(&first).sentinel_of(&first).start();
    let place = |server: &RedisServer| server.tls_url("127.0.0.1").replace("rediss://", "");
    let url = format!("rediss+sentinel://{}/main", place(&sentinel));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tls.load"), SCRIPT).unwrap();
    let mut command = loadc();
    command.current_dir(dir.path()).env("SSL_CERT_FILE", first.authority());
    command.args(["run", "tls.load", "--json", "--no-journal", "--target", &url]);
    let mut run = Run::of(command);
    let more = |run: &mut Run, server: &RedisServer| {
        let wanted = server.ask::<u64>("LLEN q1") + 30;
        run.wait_until(|| server.ask::<u64>("LLEN q1") >= wanted);
    };
    more(&mut run, &first);
    run.wait_until(|| {
        tells(&second, "master_link_status:up") && knows(&sentinel, "num-slaves", "1")
    });
    run.wait_until(|| sentinel.try_ask::<String>("SENTINEL FAILOVER main").is_ok());
    run.wait_until(|| tells(&second, "role:master") && tells(&first, "role:slave"));
    more(&mut run, &second);
    let report = end(run, |queue| on(&second, queue));
    let back = told_servers(&report);
    assert!(back.contains(&place(&second)), "{back:?}");
    // Without the authority nobody is trusted: that is no matter of waiting.
    let mut command = loadc();
    command.args(["run", "-", "--target", &url]);
    let output = fed(command, "constant 10 for 1s\nguard { jobs <= 1k }");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("TLS failed"), "{}", stderr(&output));
}

#[test]
fn a_run_tells_what_happens_to_its_connections_if_asked_to() {
    let server = RedisServer::start();
    let script = "job a { queue \"q\" }\nconstant 10 for 1s\nguard { jobs <= 1k }";
    let told = |flags: &[&str]| {
        let mut command = loadc();
        command.args(["run", "-", "--target", &server.url()]).args(flags);
        stderr(&fed(command, script))
    };
    let all = told(&["-v"]);
    let line = format!("- connected to {}", server.url());
    assert!(all.lines().any(|told| told == line), "{all}");
    assert!(all.contains("- queue `q`: 0 jobs in it"), "{all}");
    assert!(all.contains("- batches leave their numbers in `loadc:cursor:{q}:"), "{all}");
    assert!(!told(&[]).contains("connected to"));
}

#[test]
fn a_run_on_a_cluster_that_is_killed_again_and_again_sends_every_job_once() {
    let cluster = Cluster::start(false);
    let dir = tempfile::tempdir().unwrap();
    let script = SCRIPT.replace("10m", "3s");
    std::fs::write(dir.path().join("a.load"), script).unwrap();
    let start = |words: &[&str]| {
        let mut command = loadc();
        command.current_dir(dir.path()).env("XDG_RUNTIME_DIR", dir.path());
        command.args(["run", "--json"]).args(words);
        Run::of(command)
    };
    let mut run = start(&["a.load", "--target", &cluster.url(), "--journal", "j"]);
    for jobs in [100, 101, 300, 500] {
        run.wait_until(|| jobs_in(&cluster, "q1") >= jobs);
        run.kill();
        // A slot that moves between two processes takes what shows the jobs with it.
        let moving = cluster.begin_move("q2", (cluster.owner("q2") + 1) % 3);
        cluster.move_keys(&moving);
        cluster.end_move(&moving);
        run = start(&["--resume", "./j"]);
    }
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(["planned", "acked"].map(|field| count(&report, field)), [3600, 3600]);
    for queue in QUEUES {
        let wanted: BTreeMap<u64, u64> = (1..=900).map(|number| (number, 1)).collect();
        assert_eq!(numbers(&cluster, queue), wanted, "{queue}");
    }
}
