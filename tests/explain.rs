//! `loadc explain`, and the pages of the error codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::docs::blocks;
use loadc::check::{Options, check};
use loadc::diag::{Style, human};
use loadc::explain::pages;
use loadc::gather::gather;
use loadc::lint;
use loadc::problem::{Code, Problem};
use loadc::source::SourceFile;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn explain(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.arg("explain").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("REDIS_URL").output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Where the scripts of a page stand: beside the examples.
fn beside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/page.load")
}

fn found(text: &str) -> Vec<Problem> {
    let options = Options { lenient_env: true, ..Options::default() };
    let source = gather(SourceFile::new("page.load", text).from_path(beside()));
    check(&source, &options).problems
}

#[test]
fn every_code_has_a_page_with_an_example_that_fails_so_and_a_cure() {
    for code in Code::ALL.iter().filter(|code| code.lint().is_none()) {
        let (name, page) = (code.as_str(), pages::page(*code));
        let fails = blocks(page, "load,fail");
        for (_, text) in &fails {
            let problems = found(text);
            assert!(!problems.is_empty(), "{name}: nothing is wrong with\n{text}");
            let others: Vec<_> = problems.iter().filter(|problem| problem.code != *code).collect();
            assert!(others.is_empty(), "{name}: {others:?}");
        }
        let commands = blocks(page, "sh,fail");
        assert_eq!(fails.len() + commands.len(), 1, "{name}: one example that fails");
        let cures = blocks(page, "load");
        assert_eq!(cures.len(), 1, "{name}: one cure");
        assert!(found(&cures[0].1).is_empty(), "{name}: {:?}", found(&cures[0].1));
        let prose = page.split("```").next().unwrap();
        assert!(prose.trim().len() > 40, "{name}: {prose}");
    }
}

/// Everything that is said of a script, with the lints of a server that has 100 MB.
fn said(text: &str) -> Vec<Problem> {
    let options = Options { lenient_env: true, ..Options::default() };
    let source = gather(SourceFile::new("page.load", text).from_path(beside()));
    let mut checked = check(&source, &options);
    checked.problems.append(&mut checked.lints);
    checked.problems.extend(checked.plan.iter().flat_map(|plan| lint::memory(plan, 100 << 20)));
    checked.problems
}

#[test]
fn every_lint_has_a_page_with_an_example_that_shows_it_and_a_cure() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lints.md"));
    let text = text.unwrap();
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let lints = Code::ALL.iter().filter(|code| code.lint().is_some());
    let expected: Vec<String> = lints.clone().map(|code| pages::heading(*code)).collect();
    assert_eq!(headings, expected);
    assert!(expected.len() >= 20);
    let mut wrong = Vec::new();
    for code in lints {
        let (name, page) = (code.lint().unwrap(), pages::page(*code));
        let (fails, cures) = (blocks(page, "load,fail"), blocks(page, "load"));
        assert_eq!((fails.len(), cures.len()), (1, 1), "{name}: one example and one cure");
        let found = said(&fails[0].1);
        let source = gather(SourceFile::new("page.load", &*fails[0].1).from_path(beside()));
        let shown = human(&source, &found, Style { color: false, width: 100 });
        insta::assert_snapshot!(format!("lint_{name}"), shown);
        if found.is_empty() || found.iter().any(|problem| problem.code != *code) {
            wrong.push(format!("{name}: the example shows {found:?}"));
        }
        if !said(&cures[0].1).is_empty() {
            wrong.push(format!("{name}: the cure has {:?}", said(&cures[0].1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let intro = &blocks(&text, "load")[0].1;
    assert!(said(intro).is_empty(), "{:?}", said(intro));
}

/// What no text of a page could hold is made by a command.
#[cfg(unix)]
#[test]
fn examples_that_are_commands_fail_so() {
    let folder = Path::new(env!("CARGO_BIN_EXE_loadc")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for code in Code::ALL {
        for (_, text) in blocks(pages::page(*code), "sh,fail") {
            let output =
                Command::new("sh").args(["-c", &text]).env("PATH", &path).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{text}: {error}");
            assert!(error.contains(code.as_str()), "{text}: {error}");
            count += 1;
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn the_pages_are_in_order_under_the_titles_of_their_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let text = fs::read_to_string(path).unwrap();
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let errors = Code::ALL.iter().filter(|code| code.lint().is_none());
    let expected: Vec<String> = errors.map(|code| pages::heading(*code)).collect();
    assert_eq!(headings, expected);
}

#[test]
fn a_code_is_explained_whatever_its_case() {
    let text = out(&explain(&["e0301"]));
    assert!(text.starts_with("E0301: a value of the wrong kind\n\nA rate, a duration"), "{text}");
    assert!(text.contains("\n    constant 100 for 5\n") && !text.contains("```"), "{text}");
    assert!(text.contains("\n    constant 100 for 5m\n"), "{text}");
    assert!(out(&explain(&["E0501"])).contains("are in the language."), "links are their words");
    let list = out(&explain(&[]));
    assert_eq!(list.lines().count(), Code::ALL.len());
    let unknown = explain(&["E0399"]);
    assert_eq!(unknown.status.code(), Some(2));
    let error = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        error.contains("there is no code E0399") && error.contains("there are E0301, "),
        "{error}"
    );
}

#[test]
fn a_check_with_errors_says_where_to_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.load");
    fs::write(&path, "constant 100 for 5\nconstant paek for 5m\n").unwrap();
    let check = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
        let output = command.arg("check").arg(&path).args(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(check(&[]).contains("loadc explain E0301"));
    assert!(!check(&["--format", "json"]).contains("loadc explain"));
    fs::write(&path, "constant 100 for 5s\nguard { jobs <= 500 }\n").unwrap();
    assert!(!check(&[]).contains("loadc explain"));
}

#[test]
fn scripts_are_said_in_sentences() {
    for name in
        ["examples/three-queues.load", "examples/flash-sale.load", "tests/scripts/ok/blocks.load"]
    {
        let text = out(&explain(&[name]));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(name.replace('/', "_"), text);
    }
    let library = out(&explain(&["tests/scripts/ok/library.load"]));
    assert!(library.contains("is a library: it defines `peak`"), "{library}");
}

#[test]
fn every_good_script_can_be_said_and_a_bad_one_is_refused() {
    for folder in ["examples", "tests/scripts/ok"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "load") {
                continue;
            }
            assert!(!out(&explain(&[path.to_str().unwrap()])).is_empty(), "{}", path.display());
        }
    }
    let refused = explain(&["tests/scripts/check_error/units.load"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty());
}

#[test]
fn a_password_is_never_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.load");
    fs::write(&path, "target \"redis://ann:hunter2@db.test:6379/3\"\nconstant 1 for 1s\n").unwrap();
    let text = out(&explain(&[path.to_str().unwrap()]));
    assert!(text.contains("db.test") && !text.contains("hunter2"), "{text}");
}
