//! `loadc diff`, from outside, and as git's external diff.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const OLD: &str = "constant 5 for 1m\nramp 5->100 over 1m\nguard { jobs <= 10k }\n";
const NEW: &str = "constant 8 for 1m\nramp 5->100 over 1m\nguard { jobs <= 20k }\n";

fn loadc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.arg("diff").args(arguments).current_dir(folder);
    for name in ["REDIS_URL", "GIT_DIFF_PATH_COUNTER", "GIT_PAGER_IN_USE", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

/// Exit code, standard output and standard error.
fn seen(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A folder with both scripts, a broken one and a library.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("old.load", OLD),
        ("new.load", NEW),
        ("bad.load", "constant 5 fro 1m\n"),
        ("library.load", "let peak = 5\n"),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn exit_codes_tell_same_different_and_wrong() {
    let folder = folder();
    let diff = |arguments: &[&str]| seen(&loadc(folder.path(), arguments));
    let (code, out, error) = diff(&["old.load", "old.load"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("the load is the same: 3,450 jobs in 2m"), "{out}");
    let (code, out, error) = diff(&["old.load", "new.load"]);
    assert_eq!((code, error.as_str()), (1, ""));
    assert!(out.contains("jobs      3,450 → 3,630  (+180, +5.2%)"), "{out}");
    assert!(out.contains("  ~ jobs <= 10k → jobs <= 20k") && out.contains("⠿ new  · old"), "{out}");
    let (code, out, error) = diff(&["bad.load", "no-such.load"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("E0107") && error.contains("cannot read no-such.load"), "{error}");
    assert_eq!(diff(&["library.load", "library.load"]).0, 0);
    let (code, out, _) = diff(&["library.load", "/dev/null"]);
    assert!(code == 1 && out.contains("- let peak = 5"), "{out}");
    assert_eq!(diff(&["library.load", "old.load"]).0, 1);
    assert_eq!(diff(&["old.load"]).0, 2);
    assert_eq!(diff(&["a", "b", "c"]).0, 2);
}

#[test]
fn flags_that_change_the_plan_change_both() {
    let folder = folder();
    let text = "let a = 5\nconstant a for 1m\n";
    fs::write(folder.path().join("let.load"), text).unwrap();
    fs::write(folder.path().join("plain.load"), "constant 7 for 1m\n").unwrap();
    let diff = |arguments: &[&str]| seen(&loadc(folder.path(), arguments)).0;
    assert_eq!(diff(&["let.load", "plain.load"]), 1);
    assert_eq!(diff(&["let.load", "let.load", "--set", "a=7"]), 0);
    assert_eq!(diff(&["old.load", "new.load", "--speed", "x2"]), 1);
}

#[test]
fn machines_get_one_document() {
    let folder = folder();
    let (code, out, error) = seen(&loadc(folder.path(), &["old.load", "new.load", "--json"]));
    assert_eq!((code, error.as_str()), (1, ""));
    let diff: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(diff["same"], false);
    assert_eq!((&diff["old"]["file"], &diff["new"]["jobs"]), (&"old.load".into(), &3630.into()));
    let phrases = diff["streams"][0]["phrases"].as_array().unwrap();
    let words: Vec<&str> =
        phrases.iter().map(|phrase| phrase["change"].as_str().unwrap()).collect();
    assert_eq!(words, ["changed", "same"]);
    assert_eq!(phrases[0]["old"]["text"], "constant 5 for 1m");
    assert_eq!(phrases[0]["new"]["jobs"], 480);
    assert_eq!(diff["guards"][0]["new"], "jobs <= 20k");
    let (code, out, _) = seen(&loadc(folder.path(), &["/dev/null", "new.load", "--json"]));
    let added: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &added["old"], &added["streams"][0]["change"]),
        (1, &Value::Null, &"added".into())
    );
}

#[test]
fn git_gives_its_seven_arguments() {
    let folder = folder();
    let (hex, mode) = ("0000000000000000000000000000000000000000", "100644");
    let diff = |old: &str, new: &str| {
        seen(&loadc(folder.path(), &["load/day.load", old, hex, mode, new, hex, mode]))
    };
    let (code, out, error) = diff("old.load", "new.load");
    assert_eq!((code, error.as_str()), (0, ""), "git takes another code for a crash");
    assert!(
        out.starts_with("diff --loadc a/load/day.load b/load/day.load\n--- a/load/day.load"),
        "{out}"
    );
    let (code, out, _) = diff("/dev/null", "new.load");
    assert!(code == 0 && out.contains("--- /dev/null  no load\n+++ b/load/day.load"), "{out}");
    let (code, out, error) = diff("bad.load", "new.load");
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.contains("the old version is not a script that checks; its lines:"), "{out}");
    assert!(out.contains("-constant 5 fro 1m\n+constant 8 for 1m\n"), "{out}");
}

#[test]
fn git_shows_what_changed_in_the_load() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b.test"]).args(arguments);
        command.current_dir(folder.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    git(&["init", "-q"]);
    write(".gitattributes", "*.load diff=loadc\n");
    let command = format!("'{}' diff", env!("CARGO_BIN_EXE_loadc"));
    git(&["config", "diff.loadc.command", &command]);
    write("day.load", OLD);
    write("notes.txt", "one\n");
    git(&["add", "."]);
    git(&["commit", "-qm", "old"]);
    write("day.load", NEW);
    write("night.load", OLD);
    write("notes.txt", "two\n");
    git(&["add", "-N", "night.load"]);
    let out = git(&["diff"]);
    assert!(
        out.contains("--- a/day.load  digest ") && out.contains("  ~ constant 5 for 1m"),
        "{out}"
    );
    assert!(out.contains("+++ b/night.load  digest ") && out.contains("-one\n+two\n"), "{out}");
}

#[test]
fn git_hears_that_used_files_are_those_of_the_working_tree() {
    let folder = folder();
    fs::write(folder.path().join("uses.load"), "use \"library.load\"\nconstant peak for 1m\n")
        .unwrap();
    let (hex, mode) = ("0000000000000000000000000000000000000000", "100644");
    let diff = |old: &str, new: &str, json: &[&str]| {
        let mut arguments = vec!["day.load", old, hex, mode, new, hex, mode];
        arguments.extend(json);
        seen(&loadc(folder.path(), &arguments)).1
    };
    let hint = "`use` files are those of the working tree on both sides";
    assert!(diff("uses.load", "new.load", &[]).contains(hint));
    assert!(diff("bad.load", "uses.load", &[]).contains(hint));
    assert!(diff("uses.load", "new.load", &["--json"]).contains(hint));
    assert!(!diff("old.load", "new.load", &[]).contains(hint));
}

/// A plan as a run has it: everything of it but words, places and names of files.
fn essence(plan: &loadc::plan::Plan) -> String {
    let streams = plan.streams.iter().map(|stream| {
        let steps = stream.steps.iter().map(|steps| (&steps.jobs, stream.until, &steps.expected));
        let steps: Vec<_> = steps.collect();
        let waits = stream.waits.iter().map(|wait| (&wait.kind, wait.start_ns, wait.end_ns));
        let waits: Vec<_> = waits.collect();
        format!(
            "{:?} {} {:?} {:?} {:?} {} {:?} {:?} {waits:?} {:?} {steps:?} {:?}",
            stream.name,
            stream.after_ns,
            serde_json::to_string(&stream.curve).unwrap(),
            stream.arrivals,
            stream.late,
            stream.batch,
            stream.blocks,
            stream.warmup,
            stream.paces,
            stream.mix,
        )
    });
    let guards = plan.guards.iter().map(|guard| {
        format!("{:?} {:?} {:?} {:?}", guard.kind, guard.action, guard.stream, guard.tuning)
    });
    let expectations = plan.expectations.iter().map(|one| {
        let phrase = one.phrase.as_ref().map(|phrase| &phrase.label);
        let what = (one.measure, one.comparison, one.limit, &one.queue, one.at_ns, one.stops);
        format!("{what:?} {phrase:?}")
    });
    let notify =
        plan.notify.iter().map(|one| format!("{:?} {} {}", one.way, one.timeout_ns, one.retries));
    let parts: Vec<String> = streams.chain(guards).chain(expectations).chain(notify).collect();
    format!("{} {:?} {:?} {}", plan.seed, plan.starts, plan.target, parts.join("\n"))
}

/// The scripts of the repository that check, where they stand.
fn scripts() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["tests/scripts/ok", "examples"] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "load")));
    }
    found.sort();
    found
}

/// Numbers one higher, words of a kind another one, texts with a letter more: at most `most` of them,
/// spread over the script.
fn changed(text: &str, most: usize) -> Vec<String> {
    const WORDS: [(&str, &str); 6] = [
        ("late send", "late skip after 1s"),
        ("poisson", "gamma cv 2"),
        ("warmup {", "repeat 1 {"),
        ("then slow", "then shed"),
        ("repeat 1 {", "warmup {"),
        ("linear", "smooth"),
    ];
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    for (word, other) in WORDS {
        places.extend(text.match_indices(word).map(|(at, _)| (at, word.len(), other.to_owned())));
    }
    let bytes = text.as_bytes();
    let mut comment = false;
    for (at, byte) in bytes.iter().enumerate() {
        comment = *byte != b'\n' && (comment || *byte == b'#');
        let before = at.checked_sub(1).map(|at| bytes[at]);
        let starts = byte.is_ascii_digit()
            && !before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'.');
        if comment || !starts {
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Ok(number) = text[at..end].parse::<u64>() {
            places.push((at, end - at, (number + 1).to_string()));
        }
    }
    let step = places.len().div_ceil(most).max(1);
    let change = |(at, length, other): &(usize, usize, String)| {
        format!("{}{other}{}", &text[..*at], &text[at + length..])
    };
    places.iter().step_by(step).map(change).collect()
}

#[test]
fn no_change_of_a_plan_is_silent() {
    use loadc::check::{Options, check};
    let look = loadc::view::Look { color: false, width: 120 };
    let (mut told, mut same) = (0, 0);
    for path in scripts() {
        let text = fs::read_to_string(&path).unwrap();
        let plan = |text: &str| {
            let source = loadc::source::SourceFile::new("a.load", text).from_path(&path);
            let options = Options { lenient_env: true, seed: Some(7), ..Options::default() };
            check(&loadc::gather::gather(source), &options).plan
        };
        let Some(old) = plan(&text) else { continue };
        let before = essence(&old);
        for changed in changed(&text, 4) {
            let Some(new) = plan(&changed) else { continue };
            let diff = loadc::diff::Diff::of(Some(&old), Some(&new));
            let shown = loadc::diff::text::text(&diff, ("a", "b"), look);
            if essence(&new) == before {
                same += 1;
                continue;
            }
            told += 1;
            assert!(!diff.is_same(), "{}: {shown}\n{changed}", path.display());
            let shown = shown.split("\n\nrate, jobs/s").next().unwrap();
            let tells = |line: &str| {
                let signed =
                    ["+ ", "- ", "~ "].iter().any(|sign| line.trim_start().starts_with(sign));
                signed && !line.trim_end().ends_with(':') || line.contains(" → ")
            };
            assert!(shown.lines().skip(2).any(tells), "{}: {shown}\n{changed}", path.display());
        }
    }
    assert!(told > 80, "{told} changes, {same} of them of nothing");
}
