use super::*;
use crate::run::events::QueueState;
use crate::run::guards::GuardState;
use crate::stats::Counts;
use crate::stats::history::{Grain, History, Sample};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

fn page() -> String {
    let counts =
        Counts { planned: 900, due: 20, sent: 19, acked: 15, failed: 1, ..Counts::default() };
    let stream = StreamState { target_per_s: 12.5, jobs: counts, ..StreamState::default() };
    let guard = GuardState {
        guard: "depth \"a\\b\" <= 5k".to_owned(),
        value: 7.0,
        limit: 5_000.0,
        hits: 2,
        ..GuardState::default()
    };
    let workers = WorkersNow {
        waiting: Some(5),
        delayed: Some(2),
        processed: Some(8),
        failures: Some(1),
        oldest_age_s: Some(1.25),
        pickup_p50_us: Some(1_500.0),
        pickup_p99_us: Some(20_000.0),
        ..WorkersNow::default()
    };
    let now = Snapshot {
        elapsed_s: 1.5,
        streams: vec![StreamState { name: Some("a".to_owned()), ..stream.clone() }, stream],
        queues: vec![
            QueueState { name: "q".to_owned(), depth: Some(7), workers: Some(workers) },
            QueueState { name: "unread".to_owned(), ..QueueState::default() },
        ],
        guards: vec![guard],
        rss_bytes: Some(9_000_000),
        ..Snapshot::default()
    };
    let history = SharedHistory::new(History::new(Grain::default(), Vec::new()));
    let mut times = SliceTimes::default();
    for us in [10, 64, 65, 1_000, 90_000_000] {
        times.response.record(us * 1_000, 1);
    }
    history.push(Sample { at_ns: 1, cpu_s: 0.25, ..Sample::default() }, &times);
    let facts = Facts { file: "day.load".to_owned(), ..Facts::default() };
    let told = SharedTold::default();
    told.lock().unwrap().counts.insert("paused".to_owned(), 3);
    told.lock().unwrap().reload_taken = Some(false);
    text(&facts, now, &history, &told)
}

#[test]
fn the_page_holds_every_number_in_its_unit() {
    insta::assert_snapshot!(page().replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn buckets_are_exact_and_end_with_all() {
    let page = page();
    let bucket = |le: &str| {
        let line = format!("loadc_response_time_seconds_bucket{{le=\"{le}\"}} ");
        let found = page.lines().find_map(|text| text.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("{line} in {page}")).parse::<u64>().unwrap()
    };
    assert_eq!(
        [bucket("0.000064"), bucket("0.000128"), bucket("0.001024"), bucket("67.108864")],
        [2, 3, 4, 4]
    );
    assert_eq!(bucket("+Inf"), 5);
    assert!(page.ends_with("# EOF\n"));
}

fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn whoever_asks_is_answered() {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let address = listener.address();
    listener.serve(Arc::new(|| "loadc_paused 0\n# EOF\n".to_owned())).unwrap();
    // One that asks nothing keeps nobody waiting.
    let _silent = TcpStream::connect(address).unwrap();
    let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("openmetrics-text"), "{page}");
    assert!(page.ends_with("\r\n\r\nloadc_paused 0\n# EOF\n"), "{page}");
    assert!(ask(address, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 404"));
    let refused = ask(address, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("GET, HEAD"), "{refused}");
    assert!(ask(address, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn an_address_that_is_taken_is_refused_with_a_way_out() {
    let taken = Listener::bind("127.0.0.1:0").unwrap();
    let error = Listener::bind(&taken.address().to_string()).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert!(error.help().contains("another port"));
    let port = taken.address().port().to_string();
    assert!(Listener::bind(&port).unwrap_err().to_string().contains("in use"));
    assert!(Listener::bind("nonsense").unwrap_err().help().contains("127.0.0.1:9464"));
}
