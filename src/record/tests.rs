use super::*;
use crate::run::events::{Publisher, Snapshot, channel};
use std::fs;

const PATIENCE: Duration = Duration::from_secs(60);

fn record(t_s: f64, event: Event) -> Record {
    Record { at: 1_763_732_400_123_456_789, t_s, event }
}

fn warn(publisher: &Publisher, message: &str) {
    publisher.tell(record(1.0, Event::Warning { message: message.to_owned() }));
}

fn begun(form: Form, path: &str, room: usize) -> (Publisher, Writer) {
    let (mut publisher, _) = channel(1);
    let tap = publisher.tap(room);
    (publisher, Writer::begin(form, Place::open(path).unwrap(), tap).unwrap())
}

#[test]
fn every_event_is_a_line_and_every_second_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let path = path.to_str().unwrap();
    let snapshot = Snapshot { elapsed_s: 2.0, depth: Some(7), ..Snapshot::default() };
    let mut texts = Vec::new();
    for form in [Form::Events, Form::Csv] {
        let (publisher, writer) = begun(form, path, 10);
        warn(&publisher, "a \"quoted\" one");
        publisher.tell(record(2.0, Event::Metrics(snapshot.clone())));
        drop(publisher);
        assert_eq!(writer.finish(PATIENCE), Written { lines: 2, ..Written::default() });
        texts.push(fs::read_to_string(path).unwrap());
    }
    let lines: Vec<serde_json::Value> =
        texts[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[1]["depth"]), (&"warning".into(), &7.into()));
    let rows: Vec<Vec<&str>> = texts[1].lines().map(|row| row.split(',').collect()).collect();
    assert_eq!((rows.len(), rows[0].len()), (2, rows[1].len()));
    assert_eq!((rows[0][12], rows[1][12]), ("depth", "7"));
    assert_eq!((rows[0][14], rows[1][14]), ("p99_response_us", ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_nothing_more() {
    let (publisher, writer) = begun(Form::Events, "/dev/full", 10);
    warn(&publisher, "one");
    warn(&publisher, "two");
    drop(publisher);
    let written = writer.finish(PATIENCE);
    assert_eq!((written.lines, written.lost), (0, 2));
    assert!(written.fault.unwrap().contains("No space left"));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_once_somebody_reads_and_waited_for_no_longer_than_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let (publisher, writer) = begun(Form::Events, path.to_str().unwrap(), 2);
    warn(&publisher, "nobody reads");
    let written = writer.finish(Duration::from_millis(1));
    assert!(written.fault.unwrap().contains("its reader"));
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    drop(publisher);
    assert_eq!(writer.finish(PATIENCE), Written { lines: 1, ..Written::default() });
    assert!(reader.join().unwrap().contains("nobody reads"));
}

#[test]
fn what_finds_no_room_is_counted() {
    let (mut publisher, _) = channel(1);
    let tap = publisher.tap(3);
    for _ in 0..10 {
        warn(&publisher, "again");
    }
    drop(publisher);
    let folder = tempfile::tempdir().unwrap();
    let place = Place::open(folder.path().join("out").to_str().unwrap()).unwrap();
    let writer = Writer::begin(Form::Events, place, tap).unwrap();
    assert_eq!(writer.finish(PATIENCE), Written { lines: 3, lost: 7, fault: None });
}

#[test]
fn a_file_that_cannot_be_written_is_refused_beforehand() {
    let error = Place::open("/nowhere/at/all.jsonl").unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all.jsonl: No such file"), "{error}");
    assert!(error.help().contains("folder"));
    assert!(Place::open("/").unwrap_err().help().contains("in that folder"));
}
