//! The formats: their documentation says what the table of formats says, and they keep what is said of them.

use crate::cli_run::run;
use crate::redis_server::RedisServer;
use loadc::job::layouts::{Carries, LAYOUTS, Layout};
use std::fs;
use std::path::Path;

fn row(layout: &Layout) -> String {
    let yes = |can: bool| if can { "yes" } else { "–" };
    let option =
        |option: Result<&str, &str>| option.map_or("–".to_owned(), |word| format!("`{word}`"));
    let priority =
        layout.priority.map_or("–".to_owned(), |(low, high)| format!("{low} to {high}"));
    let retry = match layout.retry {
        Ok((word, 0)) => format!("`{word}`"),
        Ok((word, _)) => format!("`{word}`, the first try counted"),
        Err(_) => "–".to_owned(),
    };
    format!(
        "| `{}` | {} | {} | {} | {priority} | {} | {retry} | {} |",
        layout.word,
        yes(layout.carries == Carries::Arguments),
        yes(layout.kwargs),
        yes(layout.delay.is_ok()),
        option(layout.timeout),
        layout.pickup.unwrap_or("–"),
    )
}

fn options(layout: &Layout) -> Option<String> {
    let forms = layout.options().map(|word| {
        let needed = if word.required { " (needed)" } else { "" };
        format!("`{}`{needed}", word.form)
    });
    let forms = forms.collect::<Vec<_>>().join(", ");
    (!forms.is_empty()).then(|| format!("- `as {}`: {forms}", layout.word))
}

#[test]
fn the_table_of_formats_is_that_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/queues.md");
    let text = fs::read_to_string(path).unwrap();
    let table = LAYOUTS.iter().map(row).collect::<Vec<_>>().join("\n");
    assert!(text.contains(&table), "docs/queues.md should hold:\n{table}");
    let list = LAYOUTS.iter().filter_map(options).collect::<Vec<_>>().join("\n");
    assert!(text.contains(&list), "docs/queues.md should hold:\n{list}");
}

/// Messages that asynq 0.24.1 itself wrote for the task `email:send` with the payload
/// `{"to":"ann"}`, the queue `mail` and the id below: with other options each.
const ASYNQ: [(&str, &str); 3] = [
    ("", "281940880e"),
    ("retry 3 timeout 90s retention 1h", "2803405a60901c"),
    ("timeout 30m", "281940880e"),
];
const ASYNQ_HEAD: &[u8] = b"\x0a\x0aemail:send\x12\x0c{\"to\":\"ann\"}\x1a\x24";
const ASYNQ_TAIL: &[u8] = b"\x22\x04mail";

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn a_task_of_asynq_is_what_asynq_itself_writes() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    for (options, numbers) in ASYNQ {
        redis::cmd("FLUSHALL").exec(&mut redis).unwrap();
        let job = format!(
            "job a {{ queue \"mail\" as asynq type \"email:send\" {options}; body {{ to: \"ann\" }} }}"
        );
        let (output, _) = run(&format!("{job}\nsend 1 at once"), &server.url(), &[]);
        assert_eq!(output.status.code(), Some(0));
        let pending: Vec<String> = redis::cmd("LRANGE")
            .arg("asynq:{mail}:pending")
            .arg(0)
            .arg(-1)
            .query(&mut redis)
            .unwrap();
        let [id] = pending.as_slice() else { panic!("{pending:?}") };
        let message: Vec<u8> = redis::cmd("HGET")
            .arg(format!("asynq:{{mail}}:t:{id}"))
            .arg("msg")
            .query(&mut redis)
            .unwrap();
        let stored = [ASYNQ_HEAD, id.as_bytes(), ASYNQ_TAIL, &unhex(numbers)].concat();
        assert_eq!(message, stored, "{options}");
    }
}

#[test]
fn what_a_job_takes_of_the_server_is_about_what_the_plan_says() {
    let server = RedisServer::start();
    let mut redis = server.connection();
    let mut used = || {
        let info: String = redis::cmd("INFO").arg("memory").query(&mut redis).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.parse::<f64>().unwrap()
    };
    for layout in LAYOUTS.iter().filter(|layout| layout.stored.is_some()) {
        redis::cmd("FLUSHALL").exec(&mut server.connection()).unwrap();
        let before = used();
        let needed = layout.options().filter(|word| word.required);
        let options: String = needed.map(|word| format!(" {}", word.form)).collect();
        let job = format!(
            "job a {{ queue \"q\" as {}{options}; body {{ t: text(192B) }} }}",
            layout.word
        );
        let (output, report) = run(&format!("{job}\nsend 10k at once"), &server.url(), &[]);
        assert_eq!(output.status.code(), Some(0));
        let said = report["plan"]["streams"][0]["mix"][0]["stored_mean_bytes"].as_f64().unwrap();
        let taken = (used() - before) / 1e4;
        assert!((0.75..1.35).contains(&(said / taken)), "{}: {said} and {taken}", layout.word);
    }
}
