//! `loadc new` and `loadc profiles`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use loadc::check::{Options, check};
use loadc::parse::parse;
use loadc::plan::{GuardKind, Plan};
use loadc::profiles::ALL;
use loadc::source::SourceFile;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn loadc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.args(arguments).current_dir(folder).env_remove("REDIS_URL").output().unwrap()
}

/// Exit code, standard output and standard error.
fn seen(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn plan(name: &str, text: &str) -> Plan {
    let checked = check(&SourceFile::new(name, text), &Options::default());
    assert!(checked.problems.is_empty(), "{name}: {:?}", checked.problems);
    checked.plan.unwrap()
}

#[test]
fn every_scenario_is_a_good_script_in_good_form() {
    for profile in ALL {
        let name = profile.name;
        assert!(profile.text.starts_with(&format!("# {name}: ")), "{name}");
        assert!((10..=66).contains(&profile.title().len()), "{name}: {}", profile.title());
        let (script, _) = parse(&SourceFile::new(name, profile.text));
        assert_eq!(loadc::fmt::format(&script, profile.text), profile.text, "{name}");
        assert!(script.comments.len() >= 3, "{name} explains nothing");
        let plan = plan(name, profile.text);
        let has = |wanted: fn(&GuardKind) -> bool| plan.guards.iter().any(|g| wanted(&g.kind));
        assert!(has(|kind| matches!(kind, GuardKind::Rate { .. })), "{name}");
        assert!(has(|kind| matches!(kind, GuardKind::Jobs(_))), "{name}");
        assert!(has(|kind| matches!(kind, GuardKind::Time(_))), "{name}");
        assert!(has(|kind| matches!(kind, GuardKind::Depth { .. })), "{name}");
        assert!(!plan.expectations.is_empty(), "{name}");
    }
}

#[test]
fn each_is_written_and_checks_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for profile in ALL {
        let file = format!("my {}.load", profile.name);
        let (code, out, error) =
            seen(&loadc(folder.path(), &["new", &file, "--from", profile.name]));
        assert_eq!((code, out.as_str()), (0, ""), "{error}");
        assert!(error.contains(&format!("loadc plan 'my {}.load'", profile.name)), "{error}");
        let text = fs::read_to_string(folder.path().join(&file)).unwrap();
        assert!(!text.contains("FILE"), "{text}");
        assert_eq!(plan(&file, &text).digest, plan("x", profile.text).digest);
        assert_eq!(seen(&loadc(folder.path(), &["fmt", "--check", &file])).0, 0, "{file}");
    }
}

#[test]
fn without_a_file_it_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(seen(&loadc(folder.path(), &["new"])).1, ALL[0].text);
    assert_eq!(seen(&loadc(folder.path(), &["new", "-", "--from", "demo"])).1, ALL[0].text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_there_is_overwritten_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.load");
    fs::write(&path, "mine").unwrap();
    let (code, _, error) = seen(&loadc(folder.path(), &["new", "a.load"]));
    assert_eq!(code, 2);
    assert!(error.contains("File exists") && error.contains("--force"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(seen(&loadc(folder.path(), &["new", "a.load", "--force"])).0, 0);
    assert!(fs::read_to_string(&path).unwrap().starts_with("# demo: "));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, error) = seen(&loadc(folder.path(), &["new", "--from", "standad"]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("did you mean `standard`?"), "{error}");
    assert_eq!(seen(&loadc(folder.path(), &["new", "no/such/a.load"])).0, 2);
    // A name cannot break out of the comment it stands in.
    let name = "a\nsend 5 at once.load";
    assert_eq!(seen(&loadc(folder.path(), &["new", name])).0, 0);
    let text = fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(plan("x", &text).digest, plan("x", ALL[0].text).digest);
}

#[test]
fn the_list_has_a_line_with_totals_and_curve_for_each() {
    let (code, out, error) = seen(&loadc(Path::new("."), &["profiles", "--color", "never"]));
    assert_eq!((code, error.as_str()), (0, ""));
    for profile in ALL {
        let line = out.lines().find(|line| line.starts_with(&format!("{} ", profile.name)));
        let line = line.unwrap_or_else(|| panic!("{}: {out}", profile.name));
        let jobs = loadc::show::plural(
            plan(profile.name, profile.text)
                .streams
                .iter()
                .map(|stream| stream.timeline.jobs().unwrap())
                .sum(),
            "job",
        );
        assert!(line.contains(&jobs) && line.contains('█') && line.contains("peak "), "{line}");
        assert!(line.chars().count() <= 100 && out.contains(profile.title()), "{line}");
    }
}
