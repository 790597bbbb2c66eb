//! What templates write, seen from outside.

mod statistics;
mod values;

use super::*;
use crate::ast::{Content, RowOrder};
use crate::sink::Args;

/// 2026-11-21T13:40:00Z
const START_NS: u64 = 1_795_268_400_000_000_000;

fn text(text: &str) -> Value {
    Value::Text(vec![TextPart::Literal(text.to_owned())])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

fn field(path: &str) -> Value {
    Value::Field(path.split('.').map(str::to_owned).collect())
}

/// Text with a value between each two literals: `interpolated("order ", [(Value::Seq, "!")])`.
fn interpolated<const N: usize>(first: &str, rest: [(Value, &str); N]) -> Value {
    let mut parts = vec![TextPart::Literal(first.to_owned())];
    for (value, literal) in rest {
        parts.extend([TextPart::Value(value), TextPart::Literal(literal.to_owned())]);
    }
    Value::Text(parts)
}

fn list(min: u32, max: u32, item: Value) -> Value {
    Value::List { min, max, item: Box::new(item) }
}

fn spec(body: Value) -> JobSpec {
    JobSpec {
        name: "order".to_owned(),
        queue: QueueChoice::Fixed("orders".to_owned()),
        format: Format::List,
        payload: Payload::Body(body),
        envelope: Envelope::default(),
    }
}

fn compiled(body: Value) -> Template {
    Template::compile(&spec(body), 42, None).unwrap()
}

fn context(number: u64) -> JobContext {
    JobContext { number, due_unix_ns: START_NS + number * 1_500_000 }
}

fn body(template: &Template, number: u64) -> String {
    let mut out = Vec::new();
    template.write_body(&context(number), &mut out);
    String::from_utf8(out).unwrap()
}

fn json(template: &Template, number: u64) -> serde_json::Value {
    serde_json::from_str(&body(template, number)).unwrap()
}

fn fields(template: &Template, number: u64) -> Vec<(String, String)> {
    let mut args = Args::default();
    template.write_fields(&context(number), &mut args);
    let words: Vec<&str> = args.iter().map(|word| std::str::from_utf8(word).unwrap()).collect();
    words.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

/// One of everything.
fn rich() -> Value {
    object([
        ("id", Value::Uuid),
        ("n", Value::Seq),
        ("user", Value::Pick(vec![(text("ann"), 0.7), (text("b\"o"), 0.3)])),
        ("total", Value::Float { min: -5.0, max: 90.5 }),
        ("whole", Value::Int { min: i64::MIN, max: i64::MAX }),
        (
            "lines",
            list(
                0,
                3,
                object([
                    ("sku", Value::Int { min: 1, max: 965 }),
                    ("gift", Value::Chance(0.25)),
                    (
                        "label",
                        interpolated(
                            "",
                            [(field("lines.sku"), " for "), (field("user"), ""), (field("n"), "")],
                        ),
                    ),
                ]),
            ),
        ),
        ("note", interpolated("order {", [(Value::Seq, "} of "), (field("user"), "\n")])),
        ("at", Value::Now),
        ("words", Value::RandomText { min: 0, max: 30 }),
        ("token", Value::Hex { min: 3, max: 12 }),
        (
            "either",
            Value::Pick(vec![
                (Value::Null, 1.0),
                (object([("deep", Value::Array(vec![Value::Uuid]))]), 2.0),
            ]),
        ),
        ("tags", Value::Array(vec![text("a"), Value::Null, Value::Bool(true)])),
        ("number", Value::Number("1.50".to_owned())),
        ("quoted", interpolated("all: ", [(field("either"), ""), (field("lines"), "")])),
    ])
}

// These bytes are a contract: who has a script and a seed has the payloads. If this fails, either
// undo the change or make it a new version that says so.
#[test]
fn payloads_stay_what_they_are() {
    let template = compiled(rich());
    let bodies: Vec<String> = (1..=10).map(|number| body(&template, number)).collect();
    let sized = JobSpec {
        payload: Payload::Size { min: 40, max: 60, content: Content::Text },
        ..spec(Value::Null)
    };
    let sized = Template::compile(&sized, 42, Some("night")).unwrap();
    let bodies = bodies.into_iter().chain((1..=3).map(|number| body(&sized, number)));
    insta::assert_snapshot!(bodies.collect::<Vec<_>>().join("\n"));
}

#[test]
fn specs_serialize_the_same_always() {
    let queue = QueueChoice::Pick(vec![("a".to_owned(), 0.1 + 0.2), ("b".to_owned(), 1e21)]);
    let spec = JobSpec { queue, format: Format::Stream { max_len: Some(9) }, ..spec(rich()) };
    insta::assert_snapshot!(serde_json::to_string(&spec).unwrap());
}

#[test]
fn payloads_follow_from_seed_load_job_and_number() {
    let of = |name: &str, seed, load, number| {
        let spec = JobSpec { name: name.to_owned(), ..spec(Value::Uuid) };
        body(&Template::compile(&spec, seed, load).unwrap(), number)
    };
    let one = of("order", 1, None, 1);
    assert_eq!(one, of("order", 1, None, 1));
    for other in [
        of("order", 2, None, 1),
        of("order", 1, Some("order"), 1),
        of("ping", 1, None, 1),
        of("order", 1, None, 2),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn editing_a_field_leaves_the_others() {
    let line = |second| object([("sku", Value::Int { min: 1, max: 1_000_000 }), second]);
    let before = compiled(object([
        ("a", Value::Uuid),
        ("b", Value::Int { min: 0, max: 9 }),
        ("lines", list(1, 5, line(("x", Value::Null)))),
        ("c", interpolated("", [(Value::Uuid, "")])),
    ]));
    let after = compiled(object([
        ("new", Value::Uuid),
        ("c", interpolated("", [(Value::Uuid, "")])),
        ("lines", list(1, 5, line(("y", list(2, 2, Value::Uuid))))),
        ("b", Value::RandomText { min: 5, max: 90 }),
        ("a", Value::Uuid),
    ]));
    for number in 1..50 {
        let (before, after) = (json(&before, number), json(&after, number));
        assert_eq!(before["a"], after["a"]);
        assert_eq!(before["c"], after["c"]);
        let skus = |of: &serde_json::Value| -> Vec<_> {
            of["lines"].as_array().unwrap().iter().map(|line| line["sku"].clone()).collect()
        };
        assert_eq!(skus(&before), skus(&after));
        assert_ne!(before["a"], after["new"]);
    }
}

#[test]
fn references_repeat_the_value() {
    let item = object([
        ("sku", Value::Int { min: 0, max: i64::MAX }),
        ("again", field("lines.sku")),
        ("parts", list(1, 3, object([("id", Value::Uuid), ("of", field("lines.sku"))]))),
        ("top", field("id")),
        ("text", interpolated("<", [(field("lines.parts"), ">")])),
    ]);
    let template = compiled(object([
        ("copy", field("lines")),
        ("lines", list(2, 4, item)),
        ("id", interpolated("\\", [(Value::Hex { min: 9, max: 9 }, "\"é\t")])),
    ]));
    for number in 1..100 {
        let job = json(&template, number);
        assert_eq!(job["copy"], job["lines"]);
        assert!(job["id"].as_str().unwrap().starts_with('\\'));
        let lines = job["lines"].as_array().unwrap();
        for (index, line) in lines.iter().enumerate() {
            assert_eq!(line["sku"], line["again"]);
            assert_eq!(line["top"], job["id"]);
            for part in line["parts"].as_array().unwrap() {
                assert_eq!(part["of"], line["sku"]);
            }
            let quoted = line["text"].as_str().unwrap();
            let inner = quoted.strip_prefix('<').unwrap().strip_suffix('>').unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(inner).unwrap(), line["parts"]);
            assert!(lines[..index].iter().all(|other| other["sku"] != line["sku"]));
        }
    }
}

#[test]
fn text_holds_values_escaped() {
    let template = compiled(object([
        ("plain", text("q\"b\\n\nc\u{1}é🦀")),
        ("s", interpolated("[", [(field("plain"), "|"), (Value::Now, "|"), (Value::Null, "]")])),
        ("o", object([("k\"ey", field("plain"))])),
        ("in", interpolated("", [(field("o"), "")])),
        ("twice", interpolated("", [(object([("x", field("in"))]), "")])),
    ]));
    let job = json(&template, 1);
    let plain = "q\"b\\n\nc\u{1}é🦀";
    assert_eq!(job["plain"], plain);
    assert_eq!(job["s"], format!("[{plain}|2026-11-21T13:40:00.001Z|null]"));
    assert_eq!(job["o"]["k\"ey"], plain);
    let inner: serde_json::Value = serde_json::from_str(job["in"].as_str().unwrap()).unwrap();
    assert_eq!(inner, job["o"]);
    let twice: serde_json::Value = serde_json::from_str(job["twice"].as_str().unwrap()).unwrap();
    assert_eq!(twice["x"], job["in"]);
}

#[test]
fn entries_have_the_fields_of_the_body() {
    let template = compiled(rich());
    for number in 1..50 {
        let job = json(&template, number);
        let fields = fields(&template, number);
        assert_eq!(fields.len(), job.as_object().unwrap().len());
        for (name, value) in fields {
            match &job[&name] {
                serde_json::Value::String(text) => assert_eq!(value, *text),
                other => {
                    assert_eq!(serde_json::from_str::<serde_json::Value>(&value).unwrap(), *other)
                }
            }
        }
    }
    assert_eq!(fields(&template, 3)[1], ("n".to_owned(), "3".to_owned()));
    assert_eq!(fields(&template, 3)[11].1, r#"["a",null,true]"#);
}

#[test]
fn entries_of_what_has_no_fields_have_data() {
    let entry = |body| fields(&compiled(body), 1);
    let data = |text: &str| vec![("data".to_owned(), text.to_owned())];
    assert_eq!(entry(object([])), data("{}"));
    assert_eq!(entry(text("a\"b")), data("a\"b"));
    assert_eq!(entry(Value::Array(vec![text("a\"b")])), data(r#"["a\"b"]"#));
    assert_eq!(entry(Value::Pick(vec![(object([("a", Value::Seq)]), 1.0)])), data(r#"{"a":1}"#));
    let sized = JobSpec {
        payload: Payload::Size { min: 7, max: 7, content: Content::Text },
        ..spec(Value::Null)
    };
    let sized = Template::compile(&sized, 42, None).unwrap();
    assert_eq!(fields(&sized, 5), data(&body(&sized, 5)));
}

#[test]
fn sized_payloads_have_their_size() {
    let payload = Payload::Size { min: 1_000, max: 1_003, content: Content::Text };
    let sized = Template::compile(&JobSpec { payload, ..spec(Value::Null) }, 42, None).unwrap();
    let mut counts = [0; 4];
    for number in 1..=400 {
        counts[body(&sized, number).len() - 1_000] += 1;
    }
    assert!(counts.iter().all(|count| (70..130).contains(count)), "{counts:?}");
    assert_ne!(body(&sized, 1)[..100], body(&sized, 2)[..100]);
}

#[test]
fn queues_are_drawn_by_weight_and_apart_from_values() {
    let weighted = ["a", "b", "c"].map(str::to_owned).into_iter().zip([5.0, 3.0, 2.0]);
    let queue = QueueChoice::Pick(weighted.collect());
    let format = Format::Stream { max_len: None };
    let spec = JobSpec { queue, format: format.clone(), ..spec(Value::Seq) };
    let template = Template::compile(&spec, 42, None).unwrap();
    assert_eq!(template.queues().len(), 3);
    assert_eq!(template.queues()[1].name, "b");
    assert_eq!(template.queues()[1].format, format);
    let mut counts = [0_u32; 3];
    (1..=10_000).for_each(|number| counts[template.queue(number)] += 1);
    for (count, expected) in counts.into_iter().zip([5_000, 3_000, 2_000]) {
        assert!(count.abs_diff(expected) < 200, "{counts:?}");
    }
    assert_eq!(compiled(Value::Seq).queue(9), 0);
}

#[test]
fn a_warm_buffer_does_not_grow() {
    let template = compiled(rich());
    let mut out = Vec::new();
    let write = |out: &mut Vec<u8>, number| {
        out.clear();
        template.write_body(&context(number), out);
    };
    (1..=2_000).for_each(|number| write(&mut out, number));
    let (capacity, place) = (out.capacity(), out.as_ptr());
    (1..=2_000).for_each(|number| write(&mut out, number));
    assert_eq!((out.capacity(), out.as_ptr()), (capacity, place));
}

#[test]
fn sizes_bound_what_is_written() {
    let template = compiled(rich());
    let jobs = 5_000;
    let sizes = template.sizes(jobs);
    let lengths = (1..=jobs).map(|number| body(&template, number).len() as u64);
    let (mut low, mut high, mut sum) = (u64::MAX, 0, 0);
    for length in lengths {
        (low, high, sum) = (low.min(length), high.max(length), sum + length);
    }
    assert!(sizes.min_bytes <= low && high <= sizes.max_bytes, "{sizes:?}, {low} to {high}");
    let mean = sum as f64 / jobs as f64;
    assert!((sizes.mean_bytes / mean - 1.0).abs() < 0.01, "{sizes:?}, {mean}");

    // Without floats and draws that never meet, the bounds are reached.
    let tight = compiled(object([
        ("s", interpolated("\"", [(object([("\\", Value::Chance(0.5))]), "")])),
        ("l", list(0, 2, Value::Int { min: -9, max: 10 })),
    ]));
    let seen: Vec<u64> = (1..=2_000).map(|number| body(&tight, number).len() as u64).collect();
    let sizes = tight.sizes(2_000);
    assert_eq!(
        (seen.iter().min(), seen.iter().max()),
        (Some(&sizes.min_bytes), Some(&sizes.max_bytes))
    );
    let mean = seen.iter().sum::<u64>() as f64 / 2_000.0;
    assert!((sizes.mean_bytes - mean).abs() < 0.1, "{sizes:?}, {mean}");
}

#[test]
fn sizes_that_explode_are_told_at_once() {
    let names: Vec<String> = (0..100).map(|index| format!("f{index}")).collect();
    let mut fields = vec![(names[0].clone(), text("boom"))];
    for pair in names.windows(2) {
        let twice = [(field(&pair[0]), ""), (field(&pair[0]), "")];
        fields.push((pair[1].clone(), interpolated("", twice)));
    }
    let sizes = compiled(Value::Object(fields)).sizes(1);
    assert_eq!(sizes.max_bytes, u64::MAX);
}

#[test]
fn what_check_refuses_is_an_error() {
    let error = |body| Template::compile(&spec(body), 1, None).unwrap_err();
    let missing = |path: &str| CompileError::NoSuchField(path.to_owned());
    let cycle = |name: &str| CompileError::Cycle(name.to_owned());
    assert_eq!(error(field("a")), missing("a"));
    assert_eq!(error(Value::Field(Vec::new())), missing(""));
    assert_eq!(
        error(object([("a", field("b.a")), ("b", object([("a", Value::Seq)]))])),
        missing("b.a")
    );
    let inside = object([("k", Value::Seq), ("x", field("b.k"))]);
    assert_eq!(error(object([("a", inside)])), missing("b.k"));
    assert_eq!(error(object([("a", field("a"))])), cycle("a"));
    assert_eq!(
        error(object([("a", interpolated("", [(field("b"), "")])), ("b", field("a"))])),
        cycle("b")
    );
    assert_eq!(error(object([("a", object([("b", field("a"))]))])), cycle("a"));
    assert_eq!(error(Value::Pick(Vec::new())), CompileError::NothingToPick);
    let queue = QueueChoice::Pick(Vec::new());
    let spec = JobSpec { queue, ..spec(Value::Null) };
    assert_eq!(Template::compile(&spec, 1, None).unwrap_err(), CompileError::NothingToPick);
}

#[test]
fn ranges_the_wrong_way_round_are_their_first_end() {
    let ranges = Value::Array(vec![
        Value::Int { min: 6, max: 1 },
        Value::Float { min: 2.5, max: -1.0 },
        list(2, 0, Value::Seq),
        Value::RandomText { min: 3, max: 1 },
        Value::Hex { min: 4, max: 0 },
    ]);
    let job = json(&compiled(ranges), 9);
    assert_eq!((&job[0], &job[1]), (&6.into(), &2.5.into()));
    assert_eq!(job[2], serde_json::json!([9, 9]));
    assert_eq!((job[3].as_str().unwrap().len(), job[4].as_str().unwrap().len()), (3, 4));
}

#[test]
fn depth_is_bounded_with_references_followed() {
    let nested = |depth: usize| (1..depth).fold(Value::Seq, |inner, _| list(1, 1, inner));
    let deepest = compiled(nested(MAX_DEPTH));
    assert_eq!(body(&deepest, 7).len(), 2 * (MAX_DEPTH - 1) + 1);
    let compile = |body: &Value| {
        let payload = Payload::Body(body.clone());
        Template::compile(&JobSpec { payload, ..spec(Value::Null) }, 1, None).map(|_| ())
    };
    assert_eq!(compile(&nested(MAX_DEPTH + 1)), Err(CompileError::TooDeep));

    // A chain of fields, each of which stands for the one before.
    let chain = |length: usize| {
        let name = |index: usize| format!("f{index}");
        let link = |index: usize| match index {
            0 => (name(0), Value::Seq),
            _ => (name(index), field(&name(index - 1))),
        };
        Value::Object((0..length).map(link).collect())
    };
    assert_eq!(compile(&chain(MAX_DEPTH - 1)), Ok(()));
    assert_eq!(compile(&chain(MAX_DEPTH)), Err(CompileError::TooDeep));
    // A depth that is met once is known again where the same field is referred to from deeper.
    let Value::Object(mut fields) = chain(100) else { unreachable!() };
    fields.extend([
        ("once".to_owned(), field("shallow")),
        ("shallow".to_owned(), Value::Array(vec![field("f99"), field("flat")])),
        ("flat".to_owned(), Value::Seq),
        ("again".to_owned(), (0..170).fold(field("shallow"), |inner, _| list(1, 1, inner))),
    ]);
    assert_eq!(compile(&Value::Object(fields.clone())), Err(CompileError::TooDeep));
    fields.pop();
    assert_eq!(compile(&Value::Object(fields)), Ok(()));
    // The other way round each link is met before what it stands for.
    let Value::Object(mut links) = chain(MAX_DEPTH) else { unreachable!() };
    links.reverse();
    assert_eq!(compile(&Value::Object(links)), Err(CompileError::TooDeep));
}

#[test]
fn ten_thousand_levels_are_an_error() {
    let mut value = Value::Null;
    for _ in 0..10_000 {
        value = Value::Array(vec![value]);
    }
    let spec = spec(value);
    assert_eq!(Template::compile(&spec, 1, None).unwrap_err(), CompileError::TooDeep);
    // Taken apart by hand, as dropping it would go as deep as it is nested.
    let Payload::Body(mut value) = spec.payload else { unreachable!() };
    while let Value::Array(mut items) = value {
        value = items.pop().unwrap();
    }
}

fn users(order: RowOrder) -> Arc<Rows> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let cells = ["7", "Ann", "8", "B\"o\u{1}\n\u{e9}", "9", ""];
    let table = Arc::new(Table::new(&owned(&["id", "name"]), &owned(&cells), "h".to_owned()));
    Arc::new(Rows { table, name: "user".to_owned(), order })
}

fn cell(rows: &Arc<Rows>, column: usize) -> Value {
    Value::Cell { rows: Arc::clone(rows), column }
}

#[test]
fn a_row_s_cells_stay_together() {
    for order in [RowOrder::InTurn, RowOrder::Random, RowOrder::Once] {
        let rows = users(order);
        let names = ["Ann", "B\"o\u{1}\n\u{e9}", ""];
        let template = compiled(object([
            ("name", cell(&rows, 1)),
            ("text", interpolated("<", [(cell(&rows, 0), " "), (cell(&rows, 1), ">")])),
            ("list", list(2, 2, object([("id", cell(&rows, 0))]))),
        ]));
        let mut seen = [0; 3];
        for number in 1..=3_000 {
            let job = json(&template, number);
            let id = job["list"][1]["id"].as_u64().unwrap();
            let row = (id - 7) as usize;
            seen[row] += 1;
            assert_eq!(job["name"], names[row]);
            assert_eq!(job["text"], format!("<{id} {}>", names[row]));
            assert_eq!(fields(&template, number)[0].1, names[row]);
            if order != RowOrder::Random {
                assert_eq!(row as u64, (number - 1) % 3);
            }
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
    }
}

#[test]
fn rows_go_by_the_turn_of_their_job_in_a_mix() {
    let mix = Mix::new(&[2, 5], 42, None);
    let template = compiled(cell(&users(RowOrder::InTurn), 0)).in_mix(&mix, 1, 1);
    let numbers = (1..=700).filter(|number| mix.job_of(*number) == 1);
    let ids: Vec<String> = numbers.map(|number| body(&template, number)).collect();
    assert!(ids.iter().zip(["7", "8", "9"].into_iter().cycle()).all(|(id, next)| id == next));
}

#[test]
fn files_and_mixed_sizes_are_payloads_too() {
    let compile =
        |payload| Template::compile(&JobSpec { payload, ..spec(Value::Null) }, 42, None).unwrap();
    let bytes = b"\xff{\"a\": 1}\n";
    let blob = Blob { bytes: Arc::from(&bytes[..]), hash: "h".to_owned() };
    let file = compile(Payload::File(blob));
    let mut out = Vec::new();
    file.write_body(&context(3), &mut out);
    assert_eq!(out, bytes);
    assert_eq!(file.sizes(9).max_bytes, bytes.len() as u64);

    let mixed = compile(Payload::Mixed(Content::Binary));
    let sizes = mixed.sizes(9);
    assert_eq!((sizes.min_bytes, sizes.max_bytes), (SMALL.0, LARGE.1));
    let mean = 0.90 * 531.5 + 0.09 * 500_500.0 + 0.01 * 50_500_000.0;
    assert!((sizes.mean_bytes - mean).abs() < 1.0, "{sizes:?}");
    let mut counts = [0; 3];
    for number in 1..=200 {
        out.clear();
        mixed.write_body(&context(number), &mut out);
        let within = |(min, max): &(u64, u64)| (*min..=*max).contains(&(out.len() as u64));
        counts[[SMALL, MEDIUM, LARGE].iter().position(within).unwrap()] += 1;
    }
    assert!((160..=195).contains(&counts[0]) && counts[1] > counts[2], "{counts:?}");
}
