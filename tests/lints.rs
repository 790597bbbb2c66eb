//! What lints see and advise: that advice, pasted, holds; jumps, ends and expectations; where a
//! comment allows them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use loadc::check::{Checked, Options, check};
use loadc::problem::{Code, Problem};
use loadc::source::SourceFile;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn checked(text: &str, path: &Path) -> Checked {
    let source = SourceFile::new("a.load", text).from_path(path);
    let options = Options { lenient_env: true, seed: Some(7), ..Options::default() };
    check(&loadc::gather::gather(source), &options)
}

fn lints(text: &str) -> Vec<Problem> {
    let mut found = checked(text, Path::new("a.load"));
    assert!(!found.has_errors(), "{text}: {:?}", found.problems);
    found.problems.append(&mut found.lints);
    found.problems
}

fn codes(text: &str) -> Vec<Code> {
    let quiet = "\n# loadc: allow-file(no-guard, no-recovery, unused-allow)";
    let found = lints(&format!("{text}{quiet}"));
    found.iter().map(|lint| lint.code).filter(|code| *code != Code::UnusedAllow).collect()
}

/// The scripts of the repository that check.
fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/scripts/ok", "examples"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "load")).collect()
}

/// The text between the first backticks of a lint's help.
fn advice(lint: &Problem) -> Option<String> {
    lint.help.as_ref()?.split('`').nth(1).map(str::to_owned)
}

fn unproven(found: &Checked) -> usize {
    found.problems.iter().chain(&found.lints).filter(|one| one.code == Code::Unproven).count()
}

#[track_caller]
fn assert_advice_holds(text: &str, path: &Path) -> usize {
    let before = checked(text, path);
    if before.has_errors() || before.plan.is_none() {
        return 0;
    }
    let mut pasted = 0;
    for lint in &before.lints {
        let place = lint.place.0.range();
        let text = match (lint.code, advice(lint)) {
            (Code::NoGuard, Some(guard)) => format!("{text}\n{guard}\n"),
            (Code::LooseGuard, Some(bound)) => {
                format!("{}{bound}{}", &text[..place.start], &text[place.end..])
            }
            _ => continue,
        };
        pasted += 1;
        let after = checked(&text, path);
        assert!(!after.has_errors(), "{}: {lint:?}\n{:?}", path.display(), after.problems);
        assert!(unproven(&after) <= unproven(&before), "{}: {lint:?}", path.display());
        let again = |other: &&Problem| {
            other.code == lint.code
                && (lint.code == Code::NoGuard || other.place.0.start == lint.place.0.start)
        };
        assert!(after.lints.iter().find(again).is_none(), "{}: {lint:?}", path.display());
    }
    pasted
}

#[test]
fn a_bound_that_is_advised_holds_when_it_is_pasted() {
    let here = Path::new("a.load");
    let flow = "job a { queue \"q\" }; job b { queue \"q\" }\nflow f { a -> b 50% after 1m }\nsend f\nconstant 10 for 1m\n";
    let mut pasted = 0;
    for text in [
        flow.to_owned(),
        format!("{flow}guard {{ jobs <= 1M; time <= 2d; rate <= 90k/s over 10s }}"),
        "arrivals poisson\nconstant 50 for 10m".to_owned(),
        "constant 5 for 1m\nguard { rate <= 1000/s over 10s; jobs <= 1M then stop }".to_owned(),
    ] {
        let own = assert_advice_holds(&text, here);
        assert!(own > 0, "{text}");
        pasted += own;
    }
    let over = lints("constant 5 for 1m\nguard { rate <= 1000/s over 10s; jobs <= 1M then stop }");
    let advised: Vec<String> = over.iter().filter_map(advice).collect();
    assert_eq!(advised, ["rate <= 6/s over 10s", "jobs <= 360 then stop"]);
    for path in scripts() {
        let text = fs::read_to_string(&path).unwrap();
        pasted += assert_advice_holds(&text, &path);
        let wide =
            "\nguard { rate <= 900k/s over 10s; rate <= 90M/s; jobs <= 900M; time <= 900d }\n";
        pasted += assert_advice_holds(&format!("{text}{wide}"), &path);
    }
    assert!(pasted > 40, "{pasted}");
}

#[test]
fn a_jump_is_seen_behind_a_pause_and_within_a_phrase() {
    for text in [
        "constant 5 for 1m; pause 1s; constant 500 for 1m",
        "steps 5, 500, 5 each 1m",
        "points 0s 5, 10s 5, 10s 500, 20s 500",
        "points held 0s 5, 10s 500, 20s 500",
        "stairs 5->505 by 500 every 1m",
    ] {
        assert_eq!(codes(text), [Code::ColdJump], "{text}");
    }
    for text in [
        "steps 100, 200, 900 each 1m",
        "points 0s 5, 10s 500, 20s 5",
        "points 0s 0, 10s 500, 20s 0",
        "stairs 5->55 by 10 every 1m",
        "constant 5 for 1m; pause 1s; constant 50 for 1m",
    ] {
        assert_eq!(codes(text), [], "{text}");
    }
}

#[test]
fn what_a_guard_cuts_away_is_never_reached() {
    let text =
        "constant 5 for 30s\nconstant 5 for 1m as \"never\"\nguard { time <= 30s then stop }\n";
    assert_eq!(codes(text), [Code::Unreachable]);
    let expecting = format!("{text}expect {{ \"never\" jobs > 0 }}\n");
    assert_eq!(codes(&expecting), [Code::Unreachable, Code::HopelessExpect]);
    let later = text.replace("time <= 30s", "time <= 31s");
    assert_eq!(codes(&later), []);
}

#[test]
fn expectations_are_held_against_what_is_due_by_then() {
    let of = |rule: &str| codes(&format!("constant 5 for 1m\nexpect {{ {rule} }}"));
    assert_eq!(of("at 30s jobs >= 160"), [Code::HopelessExpect]);
    assert_eq!(of("at 30s jobs <= 151"), [Code::IdleExpect]);
    assert_eq!(of("jobs < 300"), [Code::HopelessExpect]);
    assert_eq!(of("jobs <= 299"), [Code::HopelessExpect]);
    for rule in ["at 30s jobs >= 150", "at 30s jobs < 150", "jobs = 300", "jobs > 290"] {
        assert_eq!(of(rule), [], "{rule}");
    }
}

#[test]
fn a_comment_at_a_field_of_a_body_allows() {
    let job = |above: &str, behind: &str| {
        format!(
            "job a {{\n  queue \"q\"\n  body {{\n    n: 1,{above}\n    user: pick(\"a\" 70%, \"b\" 20%),{behind}\n    m: 2\n  }}\n}}\nconstant 5 for 1m\n# loadc: allow-file(no-guard)\n"
        )
    };
    let allow = "# loadc: allow(odd-weights)";
    let all = |text: &str| lints(text).iter().map(|lint| lint.code).collect::<Vec<_>>();
    assert_eq!(all(&job("", "")), [Code::OddWeights]);
    assert_eq!(all(&job(&format!("\n    {allow}"), "")), []);
    assert_eq!(all(&job("", &format!(" {allow}"))), []);
    assert_eq!(
        all(&job("", &format!(" {}", allow.replace("odd-weights", Code::OddWeights.as_str())))),
        []
    );
    let line = format!(
        "job a {{ queue \"q\"; body {{ u: pick(\"a\" 70%, \"b\" 20%), m: 2 }} }}  {allow}\nconstant 5 for 1m\n# loadc: allow-file(no-guard)\n"
    );
    assert_eq!(all(&line), []);
}

#[test]
fn a_default_bound_left_to_chance_is_named_at_a_phrase() {
    let text = "target \"redis://q.test\"\narrivals poisson; constant 900 for 1m\n";
    let found = lints(text);
    let one = found.iter().find(|one| one.code == Code::Unproven).unwrap();
    assert!(one.message.contains("`rate <= 1000/s`"), "{}", one.message);
    assert_eq!(&text[one.place.0.range()], "constant 900 for 1m");
}

#[test]
fn a_mistake_in_a_shared_file_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.load", "let peak = 5/s + 3s\n");
    for name in ["a.load", "b.load", "z.load"] {
        write(name, "use \"lib.load\"\nconstant peak for 1m\n");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_loadc"))
        .args(["check", ".", "--format", "github"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let told = out.lines().filter(|line| line.contains("lib.load")).count();
    assert_eq!((told, output.status.code()), (1, Some(2)), "{out}");
    assert!(!out.contains("./lib.load"), "{out}");
}

#[test]
fn shells_and_man_know_names() {
    let loadc = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_loadc")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let bash = loadc(&["completions", "bash"]);
    for name in ["cold-jump", "flat-ramp"] {
        assert!(bash.contains(name), "{name}");
    }
    assert!(loadc(&["man", "ctl", "pause"]).contains("loadc-ctl-pause"));
    assert!(loadc(&["man", "ctl-pause"]).contains("loadc-ctl-pause"));
}
