use super::*;
use crate::job::Format;
use crate::sink::redis::{Cursor, Options, health};
use crate::sink::{Args, Command, Failure, Outcome, Queue, RedisSink, Sink};

async fn start() -> (Embedded, RedisSink) {
    let server = Embedded::start().unwrap();
    let sink = RedisSink::connect(&server.target(), Options::default()).await.unwrap();
    (server, sink)
}

fn queue(name: &str, format: Format) -> Queue {
    Queue { name: name.to_owned(), format }
}

fn command(words: &str) -> Command {
    let mut args = Args::default();
    words.split(' ').for_each(|word| args.push(word.as_bytes()));
    Command { args, jobs: 1 }
}

async fn send(sink: &RedisSink, lines: &[&str]) -> Vec<Outcome> {
    sink.send(lines.iter().map(|line| command(line)).collect()).await
}

fn kind(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(Failure { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn lists_and_streams_hold_what_was_sent() {
    let (_server, sink) = start().await;
    let list = queue("list", Format::List);
    let stream = queue("stream", Format::Stream { max_len: None });
    let lines: Vec<_> = (0..10_000)
        .flat_map(|n| [format!("LPUSH list a{n} b{n}"), format!("XADD stream * n {n}")])
        .collect();
    let calls: Vec<_> = lines
        .chunks(500)
        .map(|lines| sink.send(lines.iter().map(|line| command(line)).collect()))
        .collect();
    for outcomes in calls {
        assert!(outcomes.await.iter().all(|outcome| *outcome == Outcome::Acked));
    }
    assert_eq!(sink.depth(&list).await, Ok(20_000));
    assert_eq!(sink.depth(&stream).await, Ok(10_000));
    let groups =
        ["XGROUP CREATE stream g 0", "XREADGROUP GROUP g me COUNT 4000 NOACK STREAMS stream >"];
    assert_eq!(send(&sink, &groups).await, [Outcome::Acked, Outcome::Acked]);
    assert_eq!(sink.depth(&stream).await, Ok(6000));
    assert_eq!(sink.depth(&queue("none", Format::Stream { max_len: None })).await, Ok(0));
}

#[tokio::test]
async fn a_stream_is_trimmed_to_about_its_length() {
    let (_server, sink) = start().await;
    sink.send(vec![command("XADD s MAXLEN ~ 100 * f v"); 5000]).await;
    let depth = sink.depth(&queue("s", Format::Stream { max_len: Some(100) })).await.unwrap();
    assert!((100..1000).contains(&depth), "{depth}");
}

#[tokio::test]
async fn errors_are_those_of_redis() {
    let (_server, sink) = start().await;
    let outcomes = send(&sink, &["LPUSH q a", "XADD q * f v", "LPUSH q b"]).await;
    assert_eq!(
        (&outcomes[0], kind(&outcomes[1]), &outcomes[2]),
        (&Outcome::Acked, "WRONGTYPE", &Outcome::Acked)
    );
    let problems = sink
        .preflight(&[queue("q", Format::Stream { max_len: None }), queue("q", Format::List)])
        .await
        .unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test]
async fn transactions_run_whole_or_not_at_all() {
    let (_server, sink) = start().await;
    let good = ["MULTI", "LPUSH q a b", "SET cursor 1 EX 60", "EXEC", "TTL cursor"];
    assert_eq!(send(&sink, &good).await, vec![Outcome::Acked; 5]);
    let spoilt = ["MULTI", "LPUSH q c", "SHUTDOWN", "EXEC"];
    let outcomes = send(&sink, &spoilt).await;
    assert_eq!((kind(&outcomes[2]), kind(&outcomes[3])), ("ERR", "EXECABORT"));
    let dropped = ["MULTI", "LPUSH q d", "DISCARD", "EXEC"];
    let outcomes = send(&sink, &dropped).await;
    assert_eq!(kind(&outcomes[3]), "ERR");
    assert_eq!(sink.depth(&queue("q", Format::List)).await, Ok(2));
}

#[tokio::test]
async fn a_killed_connection_loses_and_doubles_nothing() {
    let server = Embedded::start().unwrap();
    let killer = RedisSink::connect(&server.target(), Options::default()).await.unwrap();
    let cursor = Cursor::beside(&queue("q", Format::List), "RUN");
    let sink = RedisSink::connect_with(&server.target(), cursor, Options::default()).await.unwrap();
    assert_eq!(sink.preflight(&[queue("q", Format::List)]).await, Ok(Vec::new()));
    let (mut acked, mut sent_again) = (0, 0);
    for round in 0..40_u64 {
        let batch = || vec![command("LPUSH q a"), command("XADD s * f v")];
        let mut flying: Vec<_> = (0..20).map(|_| sink.send(batch())).collect();
        // The killer's two connections and the sink's first two took the ids up to 4.
        let ids = if round == 0 { 3..=3 } else { 4..=round + 4 };
        let kills: Vec<String> = ids.map(|id| format!("CLIENT KILL ID {id}")).collect();
        let kills = kills.iter().filter(|kill| !kill.ends_with(" 4")).map(String::as_str);
        send(&killer, &kills.collect::<Vec<_>>()).await;
        while !flying.is_empty() {
            let mut again = Vec::new();
            for outcomes in flying {
                for outcome in outcomes.await {
                    match outcome {
                        Outcome::Acked => acked += 1,
                        Outcome::NotSent(_) => again.push(()),
                        other => panic!("{other:?}"),
                    }
                }
            }
            sink.wait_ready().await.unwrap();
            sent_again += again.len();
            flying = again.chunks(2).map(|_| sink.send(batch())).collect();
        }
    }
    assert_eq!(acked, 40 * 40);
    assert!(sent_again > 0);
    assert_eq!(sink.depth(&queue("q", Format::List)).await, Ok(800));
    assert_eq!(sink.depth(&queue("s", Format::Stream { max_len: None })).await, Ok(800));
    assert_eq!(sink.notices(), []);
    let there = async || send(&killer, &["LPUSH loadc:cursor:{q}:RUN x"]).await;
    assert_eq!(kind(&there().await[0]), "WRONGTYPE");
    sink.finish().await;
    assert_eq!(there().await, [Outcome::Acked]);
}

#[tokio::test]
async fn parts_of_a_string_are_written_and_clients_are_told_apart() {
    let (_server, sink) = start().await;
    let lines = ["SETRANGE t 3 abc", "SETRANGE t 0 x", "EXPIRE t 100", "CLIENT KILL ID 99"];
    assert_eq!(send(&sink, &lines).await, vec![Outcome::Acked; 4]);
    for wrong in ["SETRANGE t", "SETRANGE t -1 a", "SETRANGE t 999999999 a", "CLIENT KILL ID x"] {
        assert_eq!(kind(&send(&sink, &[wrong]).await[0]), "ERR", "{wrong}");
    }
    send(&sink, &["LPUSH q a"]).await;
    assert_eq!(kind(&send(&sink, &["SETRANGE q 0 a"]).await[0]), "WRONGTYPE");
}

#[tokio::test]
async fn commands_beyond_the_keyspace_are_refused() {
    let (server, sink) = start().await;
    let lines = [
        "SHUTDOWN",
        "FAILOVER",
        "REPLICAOF 127.0.0.1 1",
        "CONFIG REWRITE",
        "IDX.CREATE x",
        "DEBUG SLEEP 9",
        "BRPOP q 0",
        "XREAD BLOCK 0 STREAMS s $",
        "AUTH x",
        "HELLO 3",
        "CLIENT KILL x",
        "SELECT 1",
    ];
    for outcome in send(&sink, &lines).await {
        kind(&outcome);
    }
    let health = health(&server.target(), Options::default()).await.unwrap();
    assert!(health.writable && health.version.is_some() && health.max_memory_bytes.is_some());
}

#[tokio::test]
async fn a_long_request_comes_in_pieces_and_all_at_once() {
    let (_server, sink) = start().await;
    let mut args = Args::default();
    args.push(b"LPUSH");
    args.push(b"q");
    (0..100).for_each(|_| args.push(&vec![b'x'; 100_000]));
    let outcomes = sink.send(vec![Command { args, jobs: 100 }; 3]).await;
    assert_eq!(outcomes, vec![Outcome::Acked; 3]);
    assert_eq!(sink.depth(&queue("q", Format::List)).await, Ok(300));
}

#[tokio::test]
async fn clients_may_send_all_before_they_read() {
    let server = Embedded::start().unwrap();
    let port = server.port;
    let reader = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let line = format!("ECHO {}\r\n", "x".repeat(1000));
        stream.write_all(line.repeat(20_000).as_bytes()).unwrap();
        stream.write_all(b"QUIT\r\n").unwrap();
        let mut replies = Vec::new();
        stream.read_to_end(&mut replies).unwrap();
        replies.len()
    });
    let reply = "$1000\r\n\r\n".len() + 1000;
    assert_eq!(reader.join().unwrap(), 20_000 * reply + "+OK\r\n".len());
}

#[tokio::test]
async fn nonsense_ends_the_connection_and_nothing_else() {
    let (server, sink) = start().await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await.unwrap();
    stream.write_all(b"*1\r\n:5\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "-ERR Protocol error\r\n");
    assert_eq!(send(&sink, &["PING"]).await, [Outcome::Acked]);
}

#[tokio::test]
async fn it_is_gone_when_dropped() {
    let (server, sink) = start().await;
    let port = server.port;
    let mut states = sink.watch();
    drop(server);
    states.wait_for(|state| *state != crate::sink::State::Ready).await.unwrap();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {}
}
