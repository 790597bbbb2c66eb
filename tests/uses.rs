//! `use`: the files that a script is read from, as a user meets them.

use loadc::check::{Options, check};
use loadc::gather::gather;
use loadc::source::SourceFile;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with two scripts that share a third.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shared")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("shared/day.load", "use \"rates.load\"\nshape rush(n) { constant n for quiet }\n");
    write("shared/rates.load", "let quiet = 1m\n");
    write("main.load", "use \"shared/day.load\"\nrush(10)\n");
    folder
}

fn loadc(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.args(arguments).current_dir(folder).env_remove("REDIS_URL");
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn digest(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = loadc(folder, arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn paths_are_relative_to_the_file_that_says_them() {
    let folder = folder();
    let here = digest(folder.path(), &["plan", "--json", "main.load"], "");
    let inside = folder.path().join("shared");
    assert_eq!(digest(&inside, &["plan", "--json", "../main.load"], ""), here);
    let text = fs::read_to_string(folder.path().join("main.load")).unwrap();
    assert_eq!(digest(folder.path(), &["plan", "--json", "-"], &text), here);
    let astray = loadc(&inside, &["check", "-"], &text);
    assert_eq!(astray.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&astray.stderr).contains("E0206"));
}

#[test]
fn what_a_used_file_says_is_part_of_the_digest() {
    let folder = folder();
    let before = digest(folder.path(), &["plan", "--json", "main.load"], "");
    let rates = folder.path().join("shared/rates.load");
    fs::write(&rates, "# a comment changes nothing\nlet quiet = 1m\n").unwrap();
    assert_eq!(digest(folder.path(), &["plan", "--json", "main.load"], ""), before);
    fs::write(&rates, "let quiet = 2m\n").unwrap();
    assert_ne!(digest(folder.path(), &["plan", "--json", "main.load"], ""), before);
}

#[test]
fn a_library_checks_and_cannot_run() {
    let folder = folder();
    let checked = loadc(folder.path(), &["check", "shared/day.load"], "");
    assert_eq!(checked.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("a library of definitions"));
    for command in ["plan", "run"] {
        let refused = loadc(folder.path(), &[command, "shared/day.load"], "");
        assert_eq!(refused.status.code(), Some(2));
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(error.contains("definitions alone are a library"), "{error}");
    }
}

#[test]
fn mistakes_are_shown_in_their_own_file() {
    let folder = folder();
    fs::write(folder.path().join("shared/rates.load"), "let quiet = 1m\nlet bad = 5s + 1\n")
        .unwrap();
    let output = loadc(folder.path(), &["check", "--format", "json", "main.load"], "");
    assert_eq!(output.status.code(), Some(2));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = &found["files"][0]["problems"][0];
    assert_eq!(problem["file"], "shared/rates.load");
    assert_eq!((&problem["line"], &problem["column"]), (&2.into(), &11.into()));
}

#[test]
fn every_file_that_was_read_is_known_and_those_that_are_missing() {
    let folder = folder();
    let path = folder.path().join("main.load");
    let text = "use \"shared/day.load\"\nuse \"later.load\"\nrush(10)\n";
    let source = gather(SourceFile::new("main.load", text).from_path(&path));
    let at = |name: &str| folder.path().join(name);
    fs::write(folder.path().join("users.csv"), "name\nann\n").unwrap();
    let expected = ["main.load", "shared/day.load", "shared/rates.load", "later.load"].map(at);
    assert_eq!(source.files(), expected);
    let text = "job j { queue \"q\"; rows \"users.csv\" as user; body { name: user.name } }\n";
    let text = format!("use \"shared/day.load\"\n{text}rush(10)\n");
    let source = gather(SourceFile::new("main.load", text).from_path(&path));
    let checked = check(&source, &Options::default());
    let expected = ["main.load", "shared/day.load", "shared/rates.load", "users.csv"].map(at);
    assert_eq!(checked.files, expected);
}

/// Git hands its external diff copies in a folder of their own.
#[test]
fn a_copy_uses_what_stands_beside_the_original() {
    let folder = folder();
    fs::write(folder.path().join("old-copy"), "use \"shared/day.load\"\nrush(20)\n").unwrap();
    let arguments = ["diff", "main.load", "old-copy", "0", "0", "main.load", "0", "0"];
    let output = loadc(folder.path(), &arguments, "");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("1,200") && !text.contains("its lines"), "{text}");
}
