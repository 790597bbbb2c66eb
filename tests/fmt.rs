//! `loadc fmt`, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const UGLY: &str = "let a=5\nconstant  a for 5s # five\nconstant 100 for 5s # a hundred\n";
const TIDY: &str = "let a = 5\nconstant a for 5s    # five\nconstant 100 for 5s  # a hundred\n";

/// Runs `loadc fmt` with a text at its standard input.
fn fmt(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.arg("fmt").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads files does not read this.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Exit code, standard output and standard error.
fn seen(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn standard_input_goes_to_standard_output() {
    assert_eq!(seen(&fmt(&["-"], UGLY)), (0, TIDY.to_owned(), String::new()));
    assert_eq!(seen(&fmt(&["-"], TIDY)), (0, TIDY.to_owned(), String::new()));
}

#[test]
fn files_are_written_only_if_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let (ugly, tidy) = (file(&folder, "ugly.load", UGLY), file(&folder, "tidy.load", TIDY));
    let before = fs::metadata(&tidy).unwrap().modified().unwrap();
    let (code, out, error) = seen(&fmt(&[&ugly, &tidy], ""));
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(error, format!("formatted {ugly}\n"));
    assert_eq!(fs::read_to_string(&ugly).unwrap(), TIDY);
    assert_eq!(fs::metadata(&tidy).unwrap().modified().unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside them");
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "ugly.load", UGLY);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.load");
    std::os::unix::fs::symlink("ugly.load", &link).unwrap();
    assert_eq!(seen(&fmt(&[link.to_str().unwrap()], "")).0, 0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), TIDY);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    fs::write(&path, UGLY).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let (code, _, error) = seen(&fmt(&[&path], ""));
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("cannot write"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), UGLY);
}

#[test]
fn check_shows_what_would_change_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "ugly.load", UGLY);
    let (code, diff, error) = seen(&fmt(&["--check", &path], ""));
    assert_eq!((code, error.as_str()), (1, ""));
    let expected = format!(
        "--- {path}\t(as it is)\n+++ {path}\t(formatted)\n@@ -1,3 +1,3 @@\n\
         -let a=5\n-constant  a for 5s # five\n-constant 100 for 5s # a hundred\n\
         +let a = 5\n+constant a for 5s    # five\n+constant 100 for 5s  # a hundred\n"
    );
    assert_eq!(diff, expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), UGLY);
    assert_eq!(seen(&fmt(&["--check", "-"], TIDY)), (0, String::new(), String::new()));
    assert_eq!(seen(&fmt(&["--check", "-"], "pause 1s")).0, 1);
}

#[test]
fn what_cannot_be_read_is_left_as_it_is_and_the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "constant  5 fro 5s\n";
    let (bad, ugly) = (file(&folder, "bad.load", broken), file(&folder, "ugly.load", UGLY));
    let (code, _, error) = seen(&fmt(&[&bad, "no-such.load", &ugly], ""));
    assert_eq!(code, 2);
    assert!(error.contains("E01") && error.contains("cannot read no-such.load"), "{error}");
    assert_eq!(fs::read_to_string(&bad).unwrap(), broken);
    assert_eq!(fs::read_to_string(&ugly).unwrap(), TIDY);
    let (code, out, _) = seen(&fmt(&["-"], broken));
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(seen(&fmt(&["--check", &bad, "-"], UGLY)).0, 2, "wrong goes before different");
    // What cannot be meant can be formatted all the same.
    assert_eq!(seen(&fmt(&["-"], "constant  x for 5")).1, "constant x for 5\n");
}

/// Every script that readers are shown, with its name.
fn shown() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = |folder: &str| fs::read_dir(root.join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = vec![root.join("README.md")];
    for folder in ["docs", "examples"] {
        paths.extend(entries(folder).map(|entry| entry.unwrap().path()));
    }
    let mut all = Vec::new();
    for path in paths {
        let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if is("load") {
            all.push((name, fs::read_to_string(&path).unwrap()));
        } else if is("md") {
            let text = fs::read_to_string(&path).unwrap();
            let blocks = super::docs::blocks(&text, "load");
            all.extend(blocks.into_iter().map(|(line, block)| (format!("{name}:{line}"), block)));
        }
    }
    all
}

#[test]
fn every_script_that_is_shown_is_formatted() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = shown();
    assert!(scripts.len() > 20, "only {} scripts", scripts.len());
    let paths: Vec<String> = scripts
        .iter()
        .map(|(name, text)| file(&folder, &name.replace(['/', ':'], "_"), text))
        .collect();
    let mut arguments = vec!["--check"];
    arguments.extend(paths.iter().map(String::as_str));
    let (code, out, error) = seen(&fmt(&arguments, ""));
    assert_eq!(code, 0, "{out}{error}");
}
