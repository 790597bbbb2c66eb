use super::*;
use crate::job::Format;
use crate::sink::{Args, BatchBuilder, Limits};
use redis_server::{RedisServer, free_port};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

#[path = "../../../tests/support/redis_server.rs"]
mod redis_server;

fn target(url: &str) -> Target {
    Target::parse(url).unwrap()
}

async fn connect(url: &str) -> RedisSink {
    RedisSink::connect(&target(url), Options::default()).await.unwrap()
}

async fn refusal(url: &str) -> ConnectError {
    let options = Options { connect_timeout: Duration::from_secs(2), ..Options::default() };
    RedisSink::connect(&target(url), options).await.err().unwrap()
}

fn list(name: &str) -> Queue {
    Queue { name: name.to_owned(), format: Format::List }
}

fn stream(name: &str) -> Queue {
    Queue { name: name.to_owned(), format: Format::Stream { max_len: None } }
}

fn command(words: &str) -> Command {
    let mut args = Args::default();
    words.split(' ').for_each(|word| args.push(word.as_bytes()));
    Command { args, jobs: 1 }
}

fn commands(lines: &[&str]) -> Vec<Command> {
    lines.iter().map(|line| command(line)).collect()
}

/// The outcomes, each as a word.
fn words(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Acked => "acked".to_owned(),
            Outcome::Failed(failure) => failure.kind.clone(),
            Outcome::Unknown(_) => "unknown".to_owned(),
            Outcome::NotSent(_) => "not sent".to_owned(),
        })
        .collect()
}

/// Sends ticks of jobs to two lists and two streams, without waiting for one before the next, and
/// counts what has been acknowledged.
async fn send_ticks(sink: &RedisSink, ticks: u64, jobs: u64) -> u64 {
    let names = ["list-a", "stream-a", "list-b", "stream-b"];
    let queues = vec![list(names[0]), stream(names[1]), list(names[2]), stream(names[3])];
    let mut builder = BatchBuilder::new(queues, Limits { jobs: 100, bytes: 1 << 20 });
    let mut flying = Vec::new();
    for tick in 0..ticks {
        for job in 0..jobs {
            let queue = usize::try_from(job % 4).unwrap();
            let number = (tick * jobs + job).to_string();
            builder.add(queue, job, |unit| {
                if queue % 2 == 1 {
                    let args = unit.command();
                    for word in ["XADD", names[queue], "*", "number", &number] {
                        args.push(word.as_bytes());
                    }
                } else {
                    unit.push_to(names[queue], number.as_bytes());
                }
            });
        }
        let (commands, ledger) = builder.finish();
        flying.push((sink.send_ref(&commands), ledger));
        builder.recycle(commands);
    }
    let mut acked = 0;
    for (outcomes, ledger) in flying {
        for (outcome, jobs) in ledger.settle(&outcomes.await) {
            assert_eq!(outcome, &Outcome::Acked);
            acked += jobs.len() as u64;
        }
    }
    acked
}

#[tokio::test]
async fn every_job_is_there_once_and_in_order() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    assert_eq!(send_ticks(&sink, 50, 1000).await, 50_000);
    for queue in [list("list-a"), list("list-b"), stream("stream-a"), stream("stream-b")] {
        assert_eq!(sink.depth(&queue).await, Ok(12_500), "{}", queue.name);
    }
    let numbers: Vec<u64> = server.ask("LRANGE list-b 0 -1");
    let wanted: Vec<u64> = (0..50_000).filter(|number| number % 4 == 2).rev().collect();
    assert!(numbers == wanted);
    let entries: Vec<(String, Vec<String>)> = server.ask("XRANGE stream-a - +");
    let numbers: Vec<u64> = entries.iter().map(|(_, fields)| fields[1].parse().unwrap()).collect();
    let wanted: Vec<u64> = (0..50_000).filter(|number| number % 4 == 1).collect();
    assert!(numbers == wanted);
}

#[tokio::test]
async fn the_order_is_that_of_the_calls() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    let mut calls: Vec<_> =
        (0..200).map(|call| Box::pin(sink.send(commands(&[&format!("RPUSH q {call}")])))).collect();
    while let Some(last) = calls.pop() {
        assert_eq!(last.await, [Outcome::Acked]);
    }
    let numbers: Vec<u64> = server.ask("LRANGE q 0 -1");
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn each_command_has_its_own_outcome() {
    let server = RedisServer::start();
    let () = server.ask("SET text x");
    let sink = connect(&server.url()).await;
    let lines =
        ["LPUSH q a", "LPUSH text a", "XADD s * f v", "XADD text * f v", "NONSENSE", "LPUSH q b"];
    let outcomes = sink.send(commands(&lines)).await;
    let wanted = ["acked", "WRONGTYPE", "acked", "WRONGTYPE", "ERR", "acked"];
    assert_eq!(words(&outcomes), wanted);
    assert_eq!(sink.depth(&list("q")).await, Ok(2));
    let Outcome::Failed(failure) = &outcomes[1] else { panic!("{:?}", outcomes[1]) };
    assert!(failure.lasting && failure.message.starts_with("WRONGTYPE Operation"), "{failure:?}");
    assert_eq!(sink.send(Vec::new()).await, []);
}

#[tokio::test]
async fn a_transaction_s_reply_counts_as_one() {
    let server = RedisServer::start();
    let () = server.ask("SET text x");
    let sink = connect(&server.url()).await;
    let good = ["MULTI", "LPUSH q a b", "SET cursor 1 EX 60", "EXEC"];
    assert_eq!(words(&sink.send(commands(&good)).await), ["acked"; 4]);
    let bad = ["MULTI", "LPUSH text a", "EXEC", "PING"];
    let outcomes = sink.send(commands(&bad)).await;
    assert_eq!(words(&outcomes), ["acked", "acked", "WRONGTYPE", "acked"]);
}

#[tokio::test]
async fn a_full_server_says_so() {
    let server = RedisServer::with().option("maxmemory", "1").start();
    let sink = connect(&server.url()).await;
    let problems = sink.preflight(&[list("q")]).await.unwrap();
    assert!(matches!(problems[..], [Problem::OutOfMemory { max_bytes: 1, .. }]), "{problems:?}");
    let outcomes = sink.send(commands(&["LPUSH q a"])).await;
    let Outcome::Failed(failure) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((failure.kind.as_str(), failure.lasting), ("OOM", false));
}

#[tokio::test]
async fn a_replica_takes_no_jobs() {
    let master = RedisServer::start();
    let replica = RedisServer::with().replica_of(&master).start();
    let sink = connect(&replica.url()).await;
    let problems = sink.preflight(&[list("q")]).await.unwrap();
    let of = Some(format!("127.0.0.1:{}", master.port()));
    assert_eq!(problems, [Problem::ReadOnly { master: of }]);
    assert!(problems[0].help().contains(&master.url()), "{}", problems[0].help());
    let outcomes = sink.send(commands(&["LPUSH q a"])).await;
    let Outcome::Failed(failure) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((failure.kind.as_str(), failure.lasting), ("READONLY", true));
    let health = health(&target(&replica.url()), Options::default()).await.unwrap();
    assert_eq!(health.role.as_deref(), Some("slave"));
    assert!(!health.writable);
}

#[tokio::test]
async fn keys_of_another_type_are_named_before_anything_is_sent() {
    let server = RedisServer::start();
    let () = server.ask("SET text x");
    let _: u64 = server.ask("LPUSH pushed a");
    let _: String = server.ask("XADD added * f v");
    let sink = connect(&server.url()).await;
    let queues = [
        list("text"),
        list("pushed"),
        list("added"),
        list("none"),
        stream("text"),
        stream("pushed"),
        stream("added"),
        stream("none"),
    ];
    let wrong = |queue: &str, found: &str, wanted| Problem::WrongType {
        queue: queue.to_owned(),
        found: found.to_owned(),
        wanted,
    };
    assert_eq!(
        sink.preflight(&queues).await.unwrap(),
        [
            wrong("text", "string", "list"),
            wrong("added", "stream", "list"),
            wrong("text", "string", "stream"),
            wrong("pushed", "list", "stream"),
        ]
    );
    assert_eq!(sink.preflight(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn logins_are_checked_and_never_shown() {
    let server = RedisServer::with().password("s3cret").start();
    let port = server.port();
    let () = server.ask("ACL SETUSER worker on >hush ~* +@all -ping -info -type");
    for (login, kind) in [
        ("", ConnectErrorKind::PasswordNeeded),
        (":wr0ng@", ConnectErrorKind::WrongPassword),
        ("worker:wr0ng@", ConnectErrorKind::WrongPassword),
        ("nobody:s3cret@", ConnectErrorKind::WrongPassword),
    ] {
        for path in ["", "/1"] {
            let error = refusal(&format!("redis://{login}127.0.0.1:{port}{path}")).await;
            assert_eq!(error.kind, kind, "{error}");
            let said = format!("{error} {error:?} {} {:?}", error.help(), error.failure());
            assert!(!said.contains("wr0ng") && !said.contains("s3cret"), "{said}");
        }
    }
    for login in [":s3cret", "default:s3cret", "worker:hush"] {
        let sink = connect(&format!("redis://{login}@127.0.0.1:{port}")).await;
        assert_eq!(sink.preflight(&[list("q")]).await, Ok(Vec::new()));
        assert_eq!(sink.send(commands(&["LPUSH q a"])).await, [Outcome::Acked]);
        assert!(!sink.target().shown().contains("s3cret"));
    }
    let open = RedisServer::start();
    let error = refusal(&format!("redis://:s3cret@127.0.0.1:{}", open.port())).await;
    assert_eq!(error.kind, ConnectErrorKind::NoPasswordSet, "{error}");
}

#[tokio::test]
async fn databases_are_chosen_or_refused() {
    let server = RedisServer::start();
    let sink = connect(&format!("{}/3", server.url())).await;
    sink.send(commands(&["LPUSH q a"])).await;
    assert_eq!(sink.depth(&list("q")).await, Ok(1));
    let keyspace: String = server.ask("INFO keyspace");
    assert!(keyspace.contains("db3:keys=1") && !keyspace.contains("db0"), "{keyspace}");
    let error = refusal(&format!("{}/99", server.url())).await;
    assert_eq!(error.kind, ConnectErrorKind::WrongDatabase, "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    let error = refusal(&nobody).await;
    assert_eq!(error.kind, ConnectErrorKind::Refused);
    assert_eq!(error.to_string(), format!("{nobody}: nothing listens there: connection refused"));
    assert_eq!(error.failure().kind, "refused");
    assert_eq!(refusal("redis://no-such-host.invalid").await.kind, ConnectErrorKind::UnknownHost);
    let error = refusal("unix:///no/such/socket").await;
    assert_eq!(error.kind, ConnectErrorKind::Unreachable, "{error}");
}

/// Listens, and treats every client as told.
fn impostor(treat: fn(std::net::TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|stream| _ = std::thread::spawn(move || treat(stream)));
    });
    url
}

/// Reads until the text has come, and returns all that has.
fn read_until(stream: &mut std::net::TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|count| count > 0) {
        seen.push(byte[0]);
        if seen.ends_with(text.as_bytes()) {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn other_servers_are_told_apart() {
    let web = impostor(|mut stream| {
        read_until(&mut stream, "PING\r\n");
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = refusal(&web).await;
    assert_eq!(error.kind, ConnectErrorKind::NotRedis, "{error}");

    let curt = impostor(drop);
    let error = refusal(&curt).await;
    assert_eq!(error.kind, ConnectErrorKind::NotRedis, "{error}");

    let silent = impostor(std::mem::forget);
    let options = Options { connect_timeout: Duration::from_millis(50), ..Options::default() };
    let error = RedisSink::connect(&target(&silent), options).await.err().unwrap();
    assert_eq!(error.kind, ConnectErrorKind::Timeout, "{error}");

    let full = impostor(|mut stream| {
        read_until(&mut stream, "PING\r\n");
        _ = stream.write_all(b"-ERR max number of clients reached\r\n");
    });
    let error = refusal(&full).await;
    assert_eq!(error.kind, ConnectErrorKind::TurnedAway, "{error}");
    assert!(error.to_string().contains("max number of clients"), "{error}");

    let loading = impostor(|mut stream| {
        read_until(&mut stream, "PING\r\n");
        _ = stream.write_all(b"-LOADING Redis is loading the dataset in memory\r\n");
    });
    assert_eq!(refusal(&loading).await.kind, ConnectErrorKind::Loading);
}

#[tokio::test]
async fn a_certificate_must_be_trusted() {
    let server = RedisServer::with().tls().start();
    let error = refusal(&server.tls_url("localhost")).await;
    assert_eq!(error.kind, ConnectErrorKind::Tls, "{error}");
    assert!(error.help().contains("SSL_CERT_FILE"), "{error} {}", error.help());
    let plain = server.url().replace("redis://", "rediss://");
    let error = refusal(&plain).await;
    assert_eq!(error.kind, ConnectErrorKind::Tls, "{error}");
    assert!(error.help().contains("redis://"), "{error} {}", error.help());
    let encrypted = server.tls_url("127.0.0.1").replace("rediss://", "redis://");
    let error = refusal(&encrypted).await;
    assert_eq!(error.kind, ConnectErrorKind::NotRedis, "{error}");
    assert!(error.help().contains("rediss://"), "{error} {}", error.help());
}

/// The environment of a process is set from outside only, so this test runs itself once more with
/// `SSL_CERT_FILE` set, and that one connects.
#[tokio::test]
async fn a_private_authority_is_trusted_by_name_of_its_file() {
    const URL: &str = "LOADC_TEST_TLS_URL";
    if let Ok(url) = std::env::var(URL) {
        let sink = connect(&url).await;
        assert_eq!(send_ticks(&sink, 4, 1000).await, 4000);
        let by_address = connect(&url.replace("localhost", "127.0.0.1")).await;
        assert_eq!(by_address.depth(&stream("stream-a")).await, Ok(1000));
        let error = refusal(&url.replace("localhost", "127.0.0.2")).await;
        assert!(
            error.kind != ConnectErrorKind::Tls || error.help().contains("the name"),
            "{error}"
        );
        return;
    }
    let server = RedisServer::with().tls().start();
    let name = "sink::redis::tests::a_private_authority_is_trusted_by_name_of_its_file";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env("SSL_CERT_FILE", server.authority())
        .env(URL, server.tls_url("localhost"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    let jobs: u64 = server.ask("LLEN list-a");
    assert_eq!(jobs, 1000);
}

#[tokio::test]
async fn a_unix_socket_will_do() {
    let server = RedisServer::start();
    for scheme in ["unix", "redis+unix"] {
        let sink = connect(&format!("{scheme}://{}?db=2", server.socket().display())).await;
        assert_eq!(sink.send(commands(&["LPUSH q a"])).await, [Outcome::Acked]);
    }
    let keyspace: String = server.ask("INFO keyspace");
    assert!(keyspace.contains("db2:keys=1"), "{keyspace}");
}

#[tokio::test]
async fn depth_is_what_waits() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    assert_eq!(sink.depth(&list("none")).await, Ok(0));
    assert_eq!(sink.depth(&stream("none")).await, Ok(0));
    sink.send(commands(&["LPUSH q a b c"])).await;
    assert_eq!(sink.depth(&list("q")).await, Ok(3));
    assert_eq!(sink.depth(&stream("q")).await.unwrap_err().kind, "WRONGTYPE");

    sink.send(vec![command("XADD s * f v"); 10]).await;
    assert_eq!(sink.depth(&stream("s")).await, Ok(10));
    assert_eq!(sink.depth(&list("s")).await.unwrap_err().kind, "WRONGTYPE");
    let () = server.ask("XGROUP CREATE s quick 0");
    let () = server.ask("XGROUP CREATE s slow 0");
    let _: redis::Value = server.ask("XREADGROUP GROUP quick me COUNT 9 NOACK STREAMS s >");
    let _: redis::Value = server.ask("XREADGROUP GROUP slow me COUNT 4 NOACK STREAMS s >");
    assert_eq!(sink.depth(&stream("s")).await, Ok(6));
    let _: redis::Value = server.ask("XREADGROUP GROUP quick me COUNT 1 STREAMS s >");
    let _: redis::Value = server.ask("XREADGROUP GROUP slow me COUNT 6 NOACK STREAMS s >");
    assert_eq!(sink.depth(&stream("s")).await, Ok(1), "delivered but not acknowledged");
    // Trimming leaves the lag as it was, and a group made in the middle has none.
    let _: u64 = server.ask("XTRIM s MAXLEN 3");
    sink.send(vec![command("XADD s * f v"); 5]).await;
    let _: u64 = server.ask("XTRIM s MAXLEN 2");
    assert_eq!(sink.depth(&stream("s")).await, Ok(2));
}

#[tokio::test]
async fn health_tells_what_the_server_is() {
    let server = RedisServer::with().option("maxmemory", "100mb").start();
    let health = health(&target(&server.url()), Options::default()).await.unwrap();
    assert_eq!(health.mode.as_deref(), Some("standalone"));
    assert_eq!(health.role.as_deref(), Some("master"));
    assert_eq!(health.replicas, Some(0));
    assert_eq!(health.max_memory_bytes, Some(100 << 20));
    assert_eq!(health.eviction_policy.as_deref(), Some("noeviction"));
    assert!(health.version.is_some() && health.used_memory_bytes > Some(0));
    assert!(health.writable);
    let latency = health.latency;
    assert!(0.0 < latency.min_us && latency.min_us <= latency.median_us);
    assert!(latency.median_us <= latency.max_us);
}

#[tokio::test]
async fn a_stalled_server_is_waited_for() {
    let server = RedisServer::start();
    let options = Options { ask_timeout: Duration::from_millis(50), ..Options::default() };
    let sink = RedisSink::connect(&target(&server.url()), options).await.unwrap();
    server.pause();
    let mut sent: Vec<_> = (0..5).map(|_| Box::pin(sink.send(commands(&["LPUSH q a"])))).collect();
    let late = sink.depth(&list("q")).await.unwrap_err();
    assert_eq!((late.kind.as_str(), late.message.as_str()), ("timeout", "no answer within 50ms"));
    let patience = tokio::time::sleep(Duration::from_millis(1500));
    tokio::select! {
        outcomes = &mut sent[0] => panic!("{outcomes:?} from a server that is stopped"),
        () = patience => {}
    }
    assert_eq!(sink.state(), State::Ready);
    server.resume();
    for outcomes in sent {
        assert_eq!(outcomes.await, [Outcome::Acked]);
    }
    while sink.depth(&list("q")).await != Ok(5) {}
}

#[tokio::test]
async fn replies_before_a_break_count_and_what_never_left_is_known() {
    let url = impostor(|mut stream| {
        read_until(&mut stream, "PING\r\n");
        _ = stream.write_all(b"+PONG\r\n");
        read_until(&mut stream, "last\r\n");
        // Two whole replies and half of a third, then the end.
        _ = stream.write_all(b":1\r\n-OOM no room\r\n:3");
    });
    let options = Options { reconnect_tries: 0, ..Options::default() };
    let sink = RedisSink::connect(&target(&url), options).await.unwrap();
    let lines = ["LPUSH q a", "LPUSH q b", "LPUSH q c", "LPUSH q last"];
    let outcomes = sink.send(commands(&lines)).await;
    assert_eq!(words(&outcomes), ["acked", "OOM", "unknown", "unknown"]);
    let after = sink.send(commands(&["LPUSH q d"])).await;
    assert_eq!(words(&after), ["not sent"]);
}

#[tokio::test]
async fn a_killed_server_leaves_an_exact_account_and_is_found_again() {
    let mut server = RedisServer::start();
    let sink = connect(&server.url()).await;
    server.pause();
    // More than the buffers of two sockets hold: the first of it has left, the last can't have.
    let mut args = Args::default();
    args.push(b"LPUSH");
    args.push(b"q");
    args.push(&vec![b'x'; 1 << 20]);
    let big = Command { args, jobs: 1 };
    let first = sink.send(vec![big.clone(); 32]);
    let second = sink.send(vec![big; 32]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.kill();
    let (first, second) = (first.await, second.await);
    assert!(matches!(sink.state(), State::Reconnecting { .. }), "{:?}", sink.state());
    assert_eq!(words(&second), vec!["not sent"; 32]);
    let first = words(&first);
    let left = first.iter().take_while(|word| *word == "unknown").count();
    assert!(0 < left && left < 32, "{left}");
    assert!(first[left..].iter().all(|word| word == "not sent"), "{first:?}");
    assert_eq!(words(&sink.send(commands(&["LPUSH q a"])).await), ["not sent"]);

    server.restart();
    sink.wait_ready().await.unwrap();
    assert_eq!(sink.state(), State::Ready);
    assert_eq!(sink.send(commands(&["LPUSH q a"])).await, [Outcome::Acked]);
    assert_eq!(sink.depth(&list("q")).await, Ok(1), "nothing from before the break");
}

#[tokio::test]
async fn a_killed_connection_is_made_anew() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    let mut states = sink.watch();
    for round in 1..=5 {
        assert_eq!(sink.send(commands(&["LPUSH q a"])).await, [Outcome::Acked]);
        let _: u64 = server.ask("CLIENT KILL TYPE normal SKIPME yes");
        states.wait_for(|state| *state != State::Ready).await.unwrap();
        sink.wait_ready().await.unwrap();
        assert_eq!(sink.depth(&list("q")).await, Ok(round), "the other connection was killed too");
    }
}

#[tokio::test]
async fn it_gives_up_in_the_end() {
    let mut server = RedisServer::start();
    let options = Options { reconnect_for: Duration::from_millis(300), ..Options::default() };
    let sink = RedisSink::connect(&target(&server.url()), options).await.unwrap();
    server.kill();
    let mut states = sink.watch();
    states.wait_for(|state| *state != State::Ready).await.unwrap();
    let start = Instant::now();
    let failure = sink.wait_ready().await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20), "bounded");
    assert_eq!((failure.kind.as_str(), failure.lasting), ("refused", true));
    assert_eq!(sink.state(), State::Lost(failure.clone()));
    server.restart();
    let outcomes = sink.send(commands(&["LPUSH q a"])).await;
    assert_eq!(outcomes, [Outcome::NotSent(failure)]);
}

#[tokio::test]
async fn a_password_that_has_changed_is_not_tried_for_long() {
    let server = RedisServer::with().password("old").start();
    let sink = connect(&format!("redis://:old@127.0.0.1:{}", server.port())).await;
    let mut connection = server.connection();
    let () =
        redis::cmd("CONFIG").arg(&["SET", "requirepass", "new"]).query(&mut connection).unwrap();
    let _: u64 = redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .query(&mut connection)
        .unwrap();
    let mut states = sink.watch();
    let lost = states.wait_for(|state| matches!(state, State::Lost(_))).await.unwrap().clone();
    let State::Lost(failure) = lost else { panic!("{lost:?}") };
    assert_eq!(failure.kind, "wrong-password");
    assert!(failure.message.starts_with("gave up reconnecting after 1 try: "), "{failure}");
}

#[tokio::test]
async fn a_server_that_writes_while_it_is_written_to_blocks_nobody() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    // 20 MB of commands with replies of about as many bytes.
    let line = format!("ECHO {}", "x".repeat(1000));
    let outcomes = sink.send(vec![command(&line); 20_000]).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Acked));
}

#[tokio::test]
async fn what_was_handed_over_is_sent_though_nobody_waits_for_it() {
    let server = RedisServer::start();
    let sink = connect(&server.url()).await;
    drop(sink.send(commands(&["LPUSH q a"])));
    drop(sink);
    let late = connect(&server.url()).await;
    while late.depth(&list("q")).await != Ok(1) {}
}

async fn connect_proven(url: &str, options: Options) -> RedisSink {
    let cursor = Cursor::beside(&list("q"), "RUN");
    RedisSink::connect_with(&target(url), cursor, options).await.unwrap()
}

#[tokio::test]
async fn more_batches_than_the_cursor_has_places_for_are_told_apart() {
    let server = RedisServer::start();
    let sink = connect_proven(&server.url(), Options::default()).await;
    let mut waiting: Vec<usize> = (0..3000).collect();
    for _ in 0..4 {
        let mut killer = server.connection();
        server.pause();
        let send = |number: &usize| (*number, sink.send(commands(&[&format!("LPUSH q {number}")])));
        let flying: Vec<_> = waiting.iter().map(send).collect();
        // The server finds the jobs and the order to kill who sent them, and obeys in its own order.
        let mut order = redis::cmd("CLIENT");
        order.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let killing = std::thread::spawn(move || order.query::<u64>(&mut killer).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.resume();
        waiting.clear();
        for (number, outcomes) in flying {
            match &outcomes.await[..] {
                [Outcome::Acked] => {}
                [Outcome::NotSent(_)] => waiting.push(number),
                other => panic!("{number}: {other:?}"),
            }
        }
        killing.join().unwrap();
        sink.wait_ready().await.unwrap();
    }
    for number in &waiting {
        assert_eq!(sink.send(commands(&[&format!("LPUSH q {number}")])).await, [Outcome::Acked]);
    }
    let numbers: Vec<usize> = server.ask("LRANGE q 0 -1");
    assert_eq!(numbers.len(), 3000);
    assert_eq!(numbers.into_iter().collect::<std::collections::HashSet<_>>().len(), 3000);
    assert_eq!(sink.notices(), []);
}

#[tokio::test]
async fn what_nobody_can_be_asked_about_is_unknown() {
    let mut server = RedisServer::start();
    let options = Options { reconnect_tries: 0, ..Options::default() };
    let sink = connect_proven(&server.url(), options).await;
    server.pause();
    let outcomes = sink.send(commands(&["LPUSH q a", "LPUSH q b"]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.kill();
    assert_eq!(words(&outcomes.await), ["unknown", "unknown"]);
}

#[tokio::test]
async fn what_is_in_doubt_is_settled_though_nobody_sends_any_more() {
    let mut server = RedisServer::with().option("appendonly", "yes").start();
    let sink = connect_proven(&server.url(), Options::default()).await;
    assert_eq!(sink.send(commands(&["LPUSH q a"])).await, [Outcome::Acked]);
    server.pause();
    let outcomes = sink.send(commands(&["LPUSH q b"]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.kill();
    drop(sink);
    server.restart();
    assert_eq!(words(&outcomes.await), ["not sent"]);
    assert_eq!(server.ask::<u64>("LLEN q"), 1);
}
