//! What holds of any bytes at all: each function takes some and panics where it does not hold. The fuzz
//! targets call them with inputs of their own, and a test with the corpus.

use loadc::check::{Options, check as check_source};
use loadc::diag::{Style, human, json, sarif};
use loadc::journal::{Replay, Told, checksum, read};
use loadc::parse::{decode, parse as parse_source};
use loadc::problem::Severity;
use loadc::sink::redis::try_replies;
use loadc::source::SourceFile;
use loadc::view::{Load, Look};

/// The bytes as a script, as `loadc` takes them.
fn source(bytes: &[u8]) -> Option<SourceFile> {
    decode("fuzz.load", bytes.to_vec()).ok()
}

/// Reading ends, and every finding has a place in the text and can be shown.
pub fn parse(bytes: &[u8]) {
    let source = match decode("fuzz.load", bytes.to_vec()) {
        Ok(source) => source,
        Err(refused) => {
            human(&refused.0, &[refused.1], Style { color: false, width: 80 });
            return;
        }
    };
    let (script, problems) = parse_source(&source);
    for problem in &problems {
        let end = problem.place.0.end as usize;
        assert!(end <= source.text.len() + 1, "a place behind the text: {problem:?}");
    }
    for comment in &script.comments {
        assert!(source.slice(*comment).starts_with('#'), "no comment: {comment:?}");
    }
    human(&source, &problems[..problems.len().min(3)], Style { color: true, width: 60 });
}

/// Checking ends; what is found is in order, and there is a plan only where nothing is wrong.
pub fn check(bytes: &[u8]) {
    let Some(source) = source(bytes) else { return };
    let checked = check_source(&source, &Options::default());
    let places = checked.problems.iter().map(|problem| problem.place.0);
    assert!(places.is_sorted(), "findings out of order");
    let wrong = checked.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert!(!wrong || checked.plan.is_none(), "a plan of a script with errors");
    assert!(!wrong || checked.lints.is_empty(), "lints of a script with errors");
    json(&source, &checked.problems);
    let files = [(source, checked.lints)];
    sarif(&files, &[], |_| String::new());
}

/// A script that can be read is formatted once and for all, and means what it meant.
pub fn fmt(bytes: &[u8]) {
    let Some(source) = source(bytes) else { return };
    let read = |text: &str| {
        let source = SourceFile::new("fuzz.load", text);
        let (script, problems) = parse_source(&source);
        let good = problems.iter().all(|problem| problem.severity != Severity::Error);
        good.then(|| loadc::fmt::format(&script, text))
    };
    let Some(once) = read(&source.text) else { return };
    let twice = read(&once);
    assert_eq!(twice.as_deref(), Some(once.as_str()), "formatted again, it changes");
    let options = Options { seed: Some(1), ..Options::default() };
    let digest = |source: &SourceFile| check_source(source, &options).plan.map(|plan| plan.digest);
    assert_eq!(digest(&source), digest(&SourceFile::new("fuzz.load", once)), "another load");
}

/// A plan can be shown in every way, and its phrases hold its jobs.
pub fn plan(bytes: &[u8]) {
    let Some(source) = source(bytes) else { return };
    let options = Options { seed: Some(1), ..Options::default() };
    let Some(plan) = check_source(&source, &options).plan else { return };
    let load = Load::of(&plan);
    loadc::view::text::text(&plan, &load, Look { color: true, width: 72 });
    loadc::view::svg::svg(&plan, &load);
    let (script, _) = parse_source(&source);
    let look = Look { color: false, width: 80 };
    loadc::explain::script(&source, &[script], &plan, &[], look);
    for stream in &plan.streams {
        let jobs = stream.phrases.iter().map(|phrase| match phrase.jobs {
            loadc::plan::PhraseJobs::Exact(jobs) => jobs,
            loadc::plan::PhraseJobs::Share(_) => 0,
        });
        assert_eq!(jobs.sum::<u64>(), stream.jobs(), "phrases and stream differ");
    }
}

/// Whatever a server answers, each command has one outcome, and none counts as there that nothing
/// was answered to.
pub fn reply(bytes: &[u8]) {
    let tally = try_replies(bytes);
    assert_eq!(tally.silent, 0, "a command without an outcome: {tally:?}");
    let all = tally.acked + tally.failed + tally.unknown + tally.not_sent;
    assert_eq!(all, tally.sent, "the account does not add up: {tally:?}");
    assert!(tally.acked <= tally.replies, "acknowledged by nobody: {tally:?}");
}

/// A journal is read or refused, as it is and with its checksums made good; what is read tells only
/// of jobs that there are.
pub fn journal(bytes: &[u8]) {
    let sealed = |line: &str| {
        let text = line.get(9..).filter(|_| line.as_bytes().get(8) == Some(&b' ')).unwrap_or(line);
        format!("{:08x} {text}\n", checksum(text))
    };
    let good: String = String::from_utf8_lossy(bytes).lines().map(sealed).collect();
    for bytes in [bytes, good.as_bytes()] {
        if let Ok(replay) = read(bytes) {
            let marks = Some(replay.in_doubt.keys().copied().step_by(2).collect());
            for told in [None, Some(Told { marks, fenced: true }), Some(Told::default())] {
                settles(&replay, told.as_ref());
            }
        }
    }
}

fn settles(replay: &Replay, told: Option<&Told>) {
    let Ok(settled) = replay.clone().settle(told) else { return };
    let jobs = &replay.head.jobs;
    assert_eq!(settled.base.streams.len(), jobs.len());
    for (stream, jobs) in settled.base.streams.iter().zip(jobs) {
        assert!(stream.next <= jobs.saturating_add(1), "beyond the last job");
        let known = |index: &u64| (1..stream.next).contains(index);
        assert!(stream.returned.iter().all(known), "a job came back that never went");
    }
    let lists = [&settled.acked, &settled.failed, &settled.unknown, &settled.skipped];
    for span in lists.into_iter().flatten().flat_map(|spans| spans.iter()) {
        assert!(span.first <= span.last && span.last <= jobs[span.stream], "no such job");
    }
}
