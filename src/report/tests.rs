use super::*;
use crate::stats::history::{Grain, History, Sample};
use crate::stats::sketch::SliceTimes;
use serde_json::{Value, json};

const SECOND_NS: u64 = 1_000_000_000;

/// A history of so many seconds at 100 jobs a second, with a pause in it.
fn history(seconds: u64) -> Columns {
    let grain = Grain { every_ns: SECOND_NS, slices: 1_000 };
    let mut history = History::new(grain, vec!["orders".to_owned(), "a,b".to_owned()]);
    for second in 1..=seconds {
        let mut times = SliceTimes::default();
        let paused = (5..8).contains(&second);
        if !paused {
            times.response.record(second * 1_000_000, 100);
        }
        let mut sample = Sample { at_ns: second * SECOND_NS, paused, ..Sample::default() };
        sample.counts.sent = second * 100;
        sample.counts.due = second * 100;
        sample.target_per_s = if paused { 0.0 } else { 100.0 };
        sample.depths = vec![Some(second * 3), None];
        history.push(sample, &times);
    }
    Columns::of(&history)
}

/// A document as `run --json` writes it, with words that markup must not take for its own.
fn document() -> Value {
    let times = json!({ "mean": 900.0, "p50": 800.0, "p90": 1_500.0, "p95": 2_000.0, "p99": 9_000.0, "p999": 9_500.0, "max": 10_000.0 });
    let jobs = json!({ "planned": 1000, "due": 1000, "sent": 1000, "acked": 990, "failed": 10, "unknown": 0, "skipped": 0 });
    json!({
        "run_id": "r1", "file": "a <b> & \"c\".load", "digest": "d1", "seed": 7, "target": "redis://127.0.0.1:1", "shard": null,
        "started_at": "2026-11-21T13:40:00.123Z", "elapsed_s": 10.0, "jobs": jobs,
        "achieved_per_s": 100.0, "mb_per_s": 0.1, "deviation": 0.001,
        "send_delay_us": times, "service_time_us": times, "response_time_us": times,
        "streams": [{ "name": "shop", "jobs": jobs, "achieved_per_s": 100.0, "deviation": 0.001, "response_time_us": times,
            "by_job": [{ "job": "order", "sent": 1000, "acked": 990, "failed": 10, "unknown": 0 }],
            "queues": [{ "name": "orders", "depth_start": 0, "depth_end": 5, "depth_max": 30 }] }],
        "errors": [{ "kind": "OOM", "outcome": "failed", "count": 10, "last": "<script>alert(1)</script>", "at_s": 3.0, "first_at_s": 2.0 }],
        "forgotten": [], "guards_unlisted": 0,
        "guards": [{ "guard": "depth <= 20 then pause until 5", "at_s": 4.0, "value": 21.0, "limit": 20.0, "action": "pause until 5", "cause": null }],
        "events": [
            { "at": "2026-11-21T13:40:04.123Z", "t_s": 4.0, "event": "guard", "guard": "depth <= 20", "value": 21.0, "action": "pause until 5", "cause": null },
            { "at": "2026-11-21T13:40:05.123Z", "t_s": 5.0, "event": "something_new", "by": "hand", "from": 3 }
        ],
        "expectations": [{ "text": "errors < 0.1%", "met": false, "value": 0.01, "unit": "share" }, { "text": "p99 response < 20ms", "met": true, "value": 9_000.0 }],
        "cpu_s": 0.5, "rss_max_bytes": 9_000_000, "outcome": "done", "failure": null, "exit_code": 1,
        "script": { "name": "a.load", "text": "constant 100 for 10s  # <b>\n" },
        "plan": { "duration_s": 10.0, "peak_per_s": 100.0, "guards": [{ "text": "depth <= 20 then pause until 5" }, { "text": "jobs <= 5k" }] },
        "environment": { "loadc": "0", "processors": 2 },
        "histograms": { "response_time_us": { "steps": [[800, 500], [1_500, 400], [9_000, 100]], "hdr": null } },
        "history": history(10),
    })
}

fn run_of(document: &Value) -> Run {
    Run::read(&document.to_string()).unwrap()
}

/// The page up to its downloads, as a tree: what is no well-formed markup has none.
fn body(page: &str) -> String {
    let start = page.find("<main>").unwrap();
    let end = page.find("</main>").unwrap() + "</main>".len();
    page[start..end].replace(" hidden>", ">")
}

#[test]
fn the_page_is_well_formed_and_says_the_verdict_first() {
    let page = page(&run_of(&document()));
    let body = body(&page);
    let tree = roxmltree::Document::parse(&body).unwrap_or_else(|error| panic!("{error}"));
    let texts: Vec<&str> = tree.descendants().filter_map(|node| node.text()).collect();
    let at = |text: &str| texts.iter().position(|found| found.contains(text)).unwrap();
    assert!(at("Not as expected: 1 of 2 expectations missed") < at("Expectations"));
    assert!(at("a <b> & \"c\".load") < at("Target against achieved"));
    assert!(at("<script>alert(1)</script>") < at("Raw data"));
    for text in ["paused once", "something new: by hand, from 3", "9 ms"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = page(&run_of(&document()));
    for word in ["src=", "<link", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    let links = page.split("href=\"").skip(1).map(|rest| rest.split(':').next().unwrap());
    assert!(links.clone().count() >= 2 && links.into_iter().all(|scheme| scheme == "data"));
}

#[test]
fn curves_are_drawn_without_scripts() {
    let page = page(&run_of(&document()));
    let body = body(&page);
    let tree = roxmltree::Document::parse(&body).unwrap();
    let with = |class: &str| {
        let nodes = tree.descendants().filter(move |node| {
            node.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
        });
        nodes.collect::<Vec<_>>()
    };
    let charts = with("chart");
    assert_eq!(charts.len(), 5, "rate, response, depth, delays, loadc itself");
    let lines = with("line");
    // Sent at a constant rate: a level line from edge to edge.
    let sent = lines.iter().find(|line| line.attribute("class") == Some("line main")).unwrap();
    assert_eq!(sent.attribute("d"), Some("M0 0L100000 0"));
    // Nothing was answered during the pause: the line of the median has two pieces.
    let median = lines.iter().find(|line| line.attribute("class") == Some("line c1")).unwrap();
    assert_eq!(median.attribute("d").unwrap().matches('M').count(), 2);
    let pause = with("pause")[0];
    assert_eq!((pause.attribute("x"), pause.attribute("width")), (Some("40000"), Some("30000")));
    assert_eq!(with("mark").len(), 10, "two marks in each chart");
}

#[test]
fn the_raw_data_is_all_there() {
    let document = document();
    let page = page(&run_of(&document));
    let data = |id: &str| {
        let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap();
        let (_, rest) = rest.split_once("base64,").unwrap();
        use base64::Engine as _;
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(rest.split('"').next().unwrap());
        String::from_utf8(bytes.unwrap()).unwrap()
    };
    assert_eq!(serde_json::from_str::<Value>(&data("raw-json")).unwrap(), document);
    let csv = data("raw-csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 11);
    assert!(rows[0].contains(",depth orders,\"depth a,b\",send_delay_p50_us,"), "{}", rows[0]);
    assert!(rows[4].starts_with("4,1,100,100,100,0,"), "{}", rows[4]);
}

#[test]
fn the_histograms_are_what_their_readers_take() {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let mut times = crate::stats::times::Distribution::default();
    for us in [800, 1_500, 9_000] {
        times.record(us * 1_000, 5);
    }
    let mut document = document();
    let kept = times.kept();
    assert_eq!(kept.steps.iter().map(|(_, count)| count).sum::<u64>(), 15);
    document["histograms"]["response_time_us"] = serde_json::to_value(kept).unwrap();
    let log = hdr::log(&run_of(&document)).unwrap();
    let entries = IntervalLogIterator::new(log.as_bytes()).map(|entry| entry.unwrap());
    let found = entries.filter_map(|entry| match entry {
        LogEntry::Interval(interval) => Some((interval.tag()?.as_str().to_owned(), interval.max())),
        _ => None,
    });
    assert_eq!(found.collect::<Vec<_>>(), [("response_time".to_owned(), 10_000.0)]);
}

#[test]
fn a_run_of_no_length_and_an_older_document_have_a_page_too() {
    let old = json!({ "run_id": "r", "outcome": "failed", "file": "x.load", "failure": { "kind": "io", "message": "refused" } });
    let page = page(&run_of(&old));
    assert!(page.contains("Failed") && page.contains("refused") && !page.contains("Over time"));
    let mut ragged = document();
    ragged["history"]["sent"] = json!([1]);
    ragged["history"]["t_s"] = json!([0.0, 0.0]);
    assert!(super::page(&run_of(&ragged)).contains("Over time"));
}

#[test]
fn queues_that_are_deep_at_different_times_are_not_added_up() {
    let mut document = document();
    assert!(parts::tiles(&run_of(&document)).contains(">most 30</span>"));
    let other = json!({ "name": "mails", "depth_start": 0, "depth_end": 2, "depth_max": 20 });
    document["streams"][0]["queues"].as_array_mut().unwrap().push(other);
    let tiles = parts::tiles(&run_of(&document));
    assert!(
        tiles.contains("<b>7</b>") && tiles.contains(">most 30 in one queue</span>"),
        "{tiles}"
    );
}

#[test]
fn what_is_no_run_is_refused() {
    for (text, why) in [
        ("", "EOF"),
        ("[]", "it has no"),
        ("{}", "it has no `run_id`"),
        ("{\"run_id\": \"x\"}", "it has no `outcome`"),
        ("{\"run_id\": 3}", "invalid type"),
    ] {
        let error = Run::read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn junit_has_a_test_for_each_expectation_and_guard() {
    insta::assert_snapshot!(junit::xml(&run_of(&document())));
    let mut stopped = document();
    stopped["outcome"] = "guard".into();
    stopped["guards"][0]["action"] = "stop".into();
    let xml = junit::xml(&run_of(&stopped));
    let tree = roxmltree::Document::parse(&xml).unwrap();
    let failures = tree.descendants().filter(|node| node.has_tag_name("failure")).count();
    assert_eq!(failures, 3, "{xml}");
    assert_eq!(tree.root_element().attribute("failures"), Some("3"));
}

#[test]
fn runs_stand_side_by_side() {
    let mut other = document();
    other["digest"] = "d2".into();
    other["response_time_us"]["p99"] = 12_000.0.into();
    other["send_delay_us"] = Value::Null;
    let runs = [("a.json".to_owned(), run_of(&document())), ("b.json".to_owned(), run_of(&other))];
    let comparison = compare::compare(&runs);
    assert!(!comparison.same_plan);
    insta::assert_snapshot!(compare::text(&comparison));
}
