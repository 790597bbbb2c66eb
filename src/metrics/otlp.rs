//! The same metrics pushed by OTLP over HTTP, as JSON, to an OpenTelemetry collector.
//!
//! What is pushed is what is served: each page of the OpenMetrics format is put into OTLP's words.
//! Counters are sums since the run's start.

use super::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From one push to the next.
const EVERY: Duration = Duration::from_secs(5);
/// How long one may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Where to push: `http://127.0.0.1:4318`, to which `/v1/metrics` is added where it is missing.
///
/// # Errors
///
/// If it is no address of HTTP, in words.
pub fn address(written: &str) -> Result<String, String> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| written.starts_with(scheme));
    let Some(scheme) = scheme.filter(|scheme| written.len() > scheme.len()) else {
        return Err(format!("`{written}` is no address of OTLP over HTTP"));
    };
    let base = written.trim_end_matches('/');
    let whole = base.len() > scheme.len() && base.ends_with("/v1/metrics");
    Ok(if whole { base.to_owned() } else { format!("{base}/v1/metrics") })
}

/// Pushes on a thread of its own: nobody waits for a collector but the end of the run, and that no
/// longer than it may.
#[derive(Debug)]
pub struct Pusher {
    end: Option<Sender<()>>,
    done: Receiver<Pushed>,
}

/// What came of the pushes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// How many arrived.
    pub arrived: u64,
    /// How many did not, and why the last of them did not.
    pub failed: u64,
    /// See there.
    pub fault: Option<String>,
}

impl Pusher {
    /// Begins.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn begin(address: String, source: Source) -> std::io::Result<Pusher> {
        let (end, ends) = channel();
        let (tell, done) = channel();
        let start_ns = now_ns();
        let push = move || {
            let mut pushed = Pushed::default();
            loop {
                let over = !matches!(ends.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout));
                let document = document(&source(), start_ns, now_ns()).to_string();
                match post(&address, &document) {
                    Ok(()) => pushed.arrived += 1,
                    Err(why) => {
                        pushed.failed += 1;
                        pushed.fault = Some(why);
                    }
                }
                if over {
                    let _ = tell.send(pushed);
                    return;
                }
            }
        };
        std::thread::Builder::new().name("otlp".to_owned()).spawn(push)?;
        Ok(Pusher { end: Some(end), done })
    }

    /// Pushes the last numbers, and waits for that.
    pub fn finish(mut self) -> Pushed {
        drop(self.end.take());
        // One that is under way when the run ends, and the last.
        let late = || Pushed { failed: 1, fault: Some("no answer in time".to_owned()), arrived: 0 };
        self.done.recv_timeout(2 * LIMIT).unwrap_or_else(|_| late())
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn post(address: &str, document: &str) -> Result<(), String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(LIMIT));
    let agent = ureq::Agent::new_with_config(config.build());
    let request = agent.post(address).header("content-type", "application/json");
    request.send(document).map(drop).map_err(|error| error.to_string())
}

/// A metric of the page, with its samples: what follows its name, its labels, its value.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    help: String,
    unit: String,
    samples: Vec<(String, Labels, f64)>,
}

type Labels = Vec<(String, String)>;

/// A page of the OpenMetrics format as a request of OTLP.
fn document(page: &str, start_ns: u64, now_ns: u64) -> Value {
    let mut families: Vec<Family> = Vec::new();
    for line in page.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what @ ("HELP" | "TYPE" | "UNIT")), Some(name), rest) => {
                if families.last().is_none_or(|last| last.name != name) {
                    families.push(Family { name: name.to_owned(), ..Family::default() });
                }
                let (Some(last), Some(rest)) = (families.last_mut(), rest) else { continue };
                match what {
                    "HELP" => rest.clone_into(&mut last.help),
                    "TYPE" => rest.clone_into(&mut last.kind),
                    _ => rest.clone_into(&mut last.unit),
                }
            }
            _ => {
                let Some(family) = families.last_mut() else { continue };
                if let Some((name, labels, value)) = sample(line)
                    && let Some(suffix) = name.strip_prefix(family.name.as_str())
                {
                    family.samples.push((suffix.to_owned(), labels, value));
                }
            }
        }
    }
    let (info, rest): (Vec<Family>, Vec<Family>) =
        families.into_iter().partition(|family| family.kind == "info");
    let facts = info.iter().flat_map(|family| &family.samples).flat_map(|(_, labels, _)| labels);
    let mut resource = vec![attribute("service.name", "loadc")];
    resource.extend(facts.map(|(name, value)| match name.as_str() {
        "run_id" => attribute("service.instance.id", value),
        "version" => attribute("service.version", value),
        other => attribute(&format!("loadc.{other}"), value),
    }));
    let metrics: Vec<Value> = rest.iter().map(|family| family.metric(start_ns, now_ns)).collect();
    let scope = json!({ "name": "loadc", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceMetrics": [{
        "resource": { "attributes": resource },
        "scopeMetrics": [{ "scope": scope, "metrics": metrics }],
    }] })
}

fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

impl Family {
    fn metric(&self, start_ns: u64, now_ns: u64) -> Value {
        // Numbers of 64 bits are texts in OTLP's JSON.
        let (start, now) = (start_ns.to_string(), now_ns.to_string());
        let attributes = |labels: &Labels| -> Vec<Value> {
            labels.iter().map(|(name, value)| attribute(name, value)).collect()
        };
        let point = |(_, labels, value): &(String, Labels, f64)| {
            json!({
                "attributes": attributes(labels), "startTimeUnixNano": start,
                "timeUnixNano": now, "asDouble": value,
            })
        };
        let mut metric = json!({ "name": self.name, "description": self.help });
        metric["unit"] = match self.unit.as_str() {
            "seconds" => "s".into(),
            "bytes" => "By".into(),
            _ => "1".into(),
        };
        let points: Vec<Value> = match self.kind.as_str() {
            "histogram" => Vec::new(),
            _ => self.samples.iter().map(point).collect(),
        };
        match self.kind.as_str() {
            "counter" => {
                metric["sum"] = json!({
                    "dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true,
                });
            }
            "histogram" => {
                metric["histogram"] = json!({
                    "dataPoints": self.histograms(&start, &now), "aggregationTemporality": 2,
                });
            }
            _ => metric["gauge"] = json!({ "dataPoints": points }),
        }
        metric
    }

    /// The samples of each set of labels as one point. OTLP's buckets do not add up.
    fn histograms(&self, start: &str, now: &str) -> Vec<Value> {
        let mut points: BTreeMap<Labels, Value> = BTreeMap::new();
        let mut before: BTreeMap<Labels, f64> = BTreeMap::new();
        for (suffix, labels, value) in &self.samples {
            let bound = labels.iter().find(|(name, _)| name == "le").map(|(_, bound)| bound);
            let own: Labels = labels.iter().filter(|(name, _)| name != "le").cloned().collect();
            let attributes: Vec<Value> =
                own.iter().map(|(name, value)| attribute(name, value)).collect();
            let point = points.entry(own.clone()).or_insert_with(|| {
                json!({
                    "attributes": attributes, "startTimeUnixNano": start, "timeUnixNano": now,
                    "explicitBounds": [], "bucketCounts": [],
                })
            });
            match (suffix.as_str(), bound) {
                ("_sum", _) => point["sum"] = json!(value),
                ("_count", _) => point["count"] = (*value as u64).to_string().into(),
                ("_bucket", Some(bound)) => {
                    let below = before.insert(own, *value).unwrap_or(0.0);
                    let count = (value - below) as u64;
                    if let Some(counts) = point["bucketCounts"].as_array_mut() {
                        counts.push(count.to_string().into());
                    }
                    if let (Ok(bound), Some(bounds)) =
                        (bound.parse::<f64>(), point["explicitBounds"].as_array_mut())
                        && bound.is_finite()
                    {
                        bounds.push(json!(bound));
                    }
                }
                _ => {}
            }
        }
        points.into_values().collect()
    }
}

/// `name{label="value",…} 5`
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = head.split_once('{') else { return Some((head, Vec::new(), value)) };
    let mut rest = labels.strip_suffix('}')?;
    let mut found = Vec::new();
    while let Some((label, quoted)) = rest.split_once("=\"") {
        let mut text = String::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next()? {
                (end, '"') => break end,
                (_, '\\') => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                (_, other) => text.push(other),
            }
        };
        found.push((label.to_owned(), text));
        rest = quoted[end + 1..].trim_start_matches(',');
    }
    Some((name, found, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;

    const PAGE: &str = "# HELP loadc_run What runs\n# TYPE loadc_run info\nloadc_run_info{run_id=\"r\",file=\"a\\\"b.load\",version=\"0\"} 1\n\
        # HELP loadc_jobs Jobs by what became of them\n# TYPE loadc_jobs counter\nloadc_jobs_total{load=\"\",state=\"sent\"} 19\n\
        # HELP loadc_response_time_seconds Times\n# TYPE loadc_response_time_seconds histogram\n# UNIT loadc_response_time_seconds seconds\n\
        loadc_response_time_seconds_sum 2.5\nloadc_response_time_seconds_count 5\n\
        loadc_response_time_seconds_bucket{le=\"0.5\"} 3\nloadc_response_time_seconds_bucket{le=\"1.0\"} 3\nloadc_response_time_seconds_bucket{le=\"+Inf\"} 5\n\
        # HELP loadc_queue_depth Jobs waiting\n# TYPE loadc_queue_depth gauge\nloadc_queue_depth{queue=\"a b\"} 7.0\n# EOF\n";

    /// Takes posts, and answers each.
    fn collector(answer: &'static str) -> (String, Receiver<(String, Value)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut reader = BufReader::new(stream);
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).unwrap() > 2 {
                    head.push_str(&line.to_lowercase());
                    line.clear();
                }
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
                reader.read_exact(&mut body).unwrap();
                let _ = tell.send((head, serde_json::from_slice(&body).unwrap()));
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\n\r\n{{}}");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        (address, told)
    }

    #[test]
    fn a_collector_gets_every_number_in_its_own_words() {
        let (base, told) = collector("200 OK");
        let pusher = Pusher::begin(address(&base).unwrap(), Arc::new(|| PAGE.to_owned())).unwrap();
        assert_eq!(pusher.finish(), Pushed { arrived: 1, ..Pushed::default() });
        let (head, body) = told.recv().unwrap();
        assert!(head.starts_with("post /v1/metrics http/1.1"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let resource = &body["resourceMetrics"][0];
        let attributes = resource["resource"]["attributes"].as_array().unwrap();
        assert!(attributes.contains(&attribute("service.instance.id", "r")));
        assert!(attributes.contains(&attribute("loadc.file", "a\"b.load")));
        let metrics = resource["scopeMetrics"][0]["metrics"].as_array().unwrap();
        let [jobs, times, depth] = &metrics[..] else { panic!("{metrics:?}") };
        assert_eq!(
            (&jobs["name"], &jobs["sum"]["isMonotonic"]),
            (&json!("loadc_jobs"), &json!(true))
        );
        let point = &jobs["sum"]["dataPoints"][0];
        assert_eq!(point["asDouble"], json!(19.0));
        assert_eq!(point["attributes"][1], attribute("state", "sent"));
        assert!(
            point["timeUnixNano"].as_str().unwrap() >= point["startTimeUnixNano"].as_str().unwrap()
        );
        let histogram = &times["histogram"]["dataPoints"][0];
        assert_eq!((&times["unit"], &histogram["count"]), (&json!("s"), &json!("5")));
        assert_eq!(histogram["bucketCounts"], json!(["3", "0", "2"]));
        assert_eq!(
            (&histogram["explicitBounds"], &histogram["sum"]),
            (&json!([0.5, 1.0]), &json!(2.5))
        );
        assert_eq!(depth["gauge"]["dataPoints"][0]["attributes"][0], attribute("queue", "a b"));
    }

    #[test]
    fn what_does_not_arrive_is_counted_with_why() {
        let (base, _told) = collector("503 Service Unavailable");
        let pusher = Pusher::begin(address(&base).unwrap(), Arc::new(String::new)).unwrap();
        let pushed = pusher.finish();
        assert_eq!((pushed.arrived, pushed.failed), (0, 1));
        assert!(pushed.fault.unwrap().contains("503"));
    }

    #[test]
    fn addresses_are_those_of_http() {
        let of = |text| address(text).ok();
        assert_eq!(of("http://a:4318").as_deref(), Some("http://a:4318/v1/metrics"));
        assert_eq!(of("https://a/otlp/").as_deref(), Some("https://a/otlp/v1/metrics"));
        assert_eq!(of("http://a/v1/metrics").as_deref(), Some("http://a/v1/metrics"));
        assert_eq!([of("127.0.0.1:4318"), of("grpc://a"), of("http://")], [None, None, None]);
    }
}
