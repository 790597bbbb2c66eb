//! What it costs to write a payload: `cargo bench --bench payload`.
//!
//! Each line is the fastest of many short runs (what else the machine does only ever adds), on one
//! thread, into a buffer that is kept.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

use loadc::ast::Content;
use loadc::job::{
    Envelope, Format, JobContext, JobSpec, Mix, Payload, QueueChoice, Template, TextPart, Value,
};
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 100;

fn main() {
    let text = |text: &str| Value::Text(vec![TextPart::Literal(text.to_owned())]);
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    let object =
        |fields: Vec<(&str, Value)>| Value::Object(fields.into_iter().map(named).collect());
    let user = Value::Pick(vec![(text("ann"), 70.0), (text("bo"), 30.0)]);

    let five = object(vec![
        ("id", Value::Uuid),
        ("user", user.clone()),
        ("items", Value::Int { min: 1, max: 6 }),
        ("n", Value::Seq),
        ("note", Value::RandomText { min: 8, max: 24 }),
    ]);
    let line = object(vec![
        ("sku", Value::Int { min: 1, max: 965 }),
        ("qty", Value::Int { min: 1, max: 3 }),
    ]);
    let order = object(vec![
        ("id", Value::Uuid),
        ("user", user),
        ("total", Value::Float { min: 1.0, max: 90.0 }),
        ("lines", Value::List { min: 1, max: 6, item: Box::new(line) }),
        (
            "note",
            Value::Text(vec![
                TextPart::Literal("order ".to_owned()),
                TextPart::Value(Value::Seq),
                TextPart::Literal(" of ".to_owned()),
                TextPart::Value(Value::Field(vec!["user".to_owned()])),
            ]),
        ),
        ("at", Value::Now),
    ]);

    payload("five fields: uuid, pick, int, seq, short text", Payload::Body(five), 50_000);
    payload("an order: float, list, text, instant", Payload::Body(order), 10_000);
    payload("nothing", Payload::Body(Value::Null), 50_000);
    payload("one seq", Payload::Body(Value::Seq), 50_000);
    payload("one uuid", Payload::Body(Value::Uuid), 50_000);
    payload("one int", Payload::Body(Value::Int { min: 1, max: 965 }), 50_000);
    payload("one float", Payload::Body(Value::Float { min: 0.0, max: 1.0 }), 50_000);
    payload("one instant", Payload::Body(Value::Now), 50_000);
    payload("text of 4 KB", Payload::Body(Value::RandomText { min: 4_096, max: 4_096 }), 2_000);
    payload(
        "size 1 MB",
        Payload::Size { min: 1_000_000, max: 1_000_000, content: Content::Text },
        20,
    );
    payload(
        "size 100 MB",
        Payload::Size { min: 100_000_000, max: 100_000_000, content: Content::Text },
        1,
    );
    mix("mix of 2 jobs, cycle of 5", &[2, 3]);
    mix("mix of 3 jobs, cycle of 64", &[40, 20, 4]);
    mix("mix of 2 jobs, cycle of 1000", &[999, 1]);
}

fn payload(name: &str, payload: Payload, jobs: u64) {
    let spec = JobSpec {
        name: "bench".to_owned(),
        queue: QueueChoice::Fixed("bench".to_owned()),
        format: Format::List,
        payload,
        envelope: Envelope::default(),
    };
    let template = Template::compile(&spec, 42, None).expect("the bench's own job compiles");
    let mut out = Vec::new();
    let mut bytes = 0;
    let ns = fastest_ns(jobs, || {
        bytes = 0;
        for number in 1..=jobs {
            out.clear();
            let due_unix_ns = 1_800_000_000_000_000_000 + number * 1_000;
            template.write_body(&JobContext { number, due_unix_ns }, &mut out);
            bytes += black_box(&out).len();
        }
    });
    let bytes_per_job = bytes as f64 / jobs as f64;
    println!(
        "{name:<48} {ns:>12.1} ns/job {bytes_per_job:>12.1} B/job {:>7.2} GB/s",
        bytes_per_job / ns
    );
}

fn mix(name: &str, weights: &[u32]) {
    const JOBS: u64 = 50_000;
    let mix = Mix::new(weights, 42, None);
    let ns = fastest_ns(JOBS, || {
        for number in 1..=JOBS {
            black_box(mix.job_of(number));
        }
    });
    println!("{name:<48} {ns:>12.1} ns/job");
}

fn fastest_ns(jobs: u64, mut run: impl FnMut()) -> f64 {
    let run_ns = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / jobs as f64
    };
    (0..RUNS).map(run_ns).fold(f64::INFINITY, f64::min)
}
