//! `loadc check` as CI calls it: lints allowed and denied, folders, formats, exit codes.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.arg("check").args(arguments).current_dir(folder).env_remove("REDIS_URL");
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn code(folder: &Path, arguments: &[&str]) -> Option<i32> {
    check(folder, arguments).status.code()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = check(folder, arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stdout));
    })
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The lints and codes that are found in a script.
fn found(script: &str, arguments: &[&str]) -> Vec<String> {
    let folder = folder(&[("a.load", script)]);
    let mut all = vec!["--format", "json", "a.load"];
    all.extend(arguments);
    let problems = json(folder.path(), &all)["files"][0]["problems"].clone();
    let name = |problem: &Value| {
        let name = problem.get("lint").unwrap_or(&problem["code"]);
        name.as_str().unwrap().to_owned()
    };
    problems.as_array().unwrap().iter().map(name).collect()
}

const JUMP: &str = "constant 5 for 1m\nconstant 100 for 5m\n";

#[test]
fn denied_lints_alone_are_exit_code_1_and_errors_2() {
    let folder = folder(&[
        ("good.load", "constant 5 for 1m\nguard { jobs <= 300 }\n"),
        ("lint.load", JUMP),
        ("bad.load", "constant 5 for 5\n"),
    ]);
    let at = folder.path();
    assert_eq!(code(at, &["good.load", "--deny", "warnings"]), Some(0));
    assert_eq!(code(at, &["lint.load"]), Some(0), "lints are warnings");
    assert_eq!(code(at, &["lint.load", "--deny", "cold-jump"]), Some(1));
    assert_eq!(code(at, &["lint.load", "--deny", "W0203"]), Some(1), "a lint by its code");
    assert_eq!(code(at, &["lint.load", "--deny", "flat-ramp"]), Some(0));
    assert_eq!(code(at, &["lint.load", "--deny", "warnings"]), Some(1));
    let all = ["lint.load", "--deny", "warnings", "--allow", "cold-jump", "--allow", "no-guard"];
    assert_eq!(code(at, &all), Some(0));
    assert_eq!(code(at, &["lint.load", "bad.load", "--deny", "warnings"]), Some(2));
    assert_eq!(code(at, &["missing.load", "good.load"]), Some(2));
    let verdict = check(at, &["lint.load", "--deny", "warnings"]);
    let verdict = String::from_utf8(verdict.stdout).unwrap();
    assert_eq!(verdict, "lint.load: refused, 2 findings\n");
}

#[test]
fn an_unknown_lint_is_an_error_with_a_suggestion() {
    let folder = folder(&[("a.load", JUMP)]);
    for flag in ["--deny", "--allow"] {
        let output = check(folder.path(), &["a.load", flag, "cold_jmp"]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("did you mean `cold-jump`?"), "{error}");
    }
    assert_eq!(code(folder.path(), &["a.load", "--deny", "E0301"]), Some(2), "errors are no lints");
    let both = ["a.load", "--deny", "cold-jump", "--allow", "cold-jump"];
    assert_eq!(code(folder.path(), &both), Some(2));
}

#[test]
fn comments_allow_the_next_statement_their_own_or_the_file() {
    let all = ["no-guard", "cold-jump"];
    assert_eq!(found(JUMP, &[]), all);
    let above = "constant 5 for 1m\n# loadc: allow(cold-jump)\n\n# why\nconstant 100 for 5m\n";
    assert_eq!(found(above, &[]), ["no-guard"]);
    let behind = "constant 5 for 1m\nconstant 100 for 5m # loadc: allow(cold-jump)\n";
    assert_eq!(found(behind, &[]), ["no-guard"]);
    let elsewhere = "# loadc: allow(cold-jump)\nconstant 5 for 1m\nconstant 100 for 5m\n";
    assert_eq!(found(elsewhere, &[]), ["unused-allow", "no-guard", "cold-jump"]);
    let file = format!("{JUMP}# loadc: allow-file(cold-jump, no-guard)\n");
    assert_eq!(found(&file, &[]), [""; 0]);
    let block = "# loadc: allow(cold-jump)\nrepeat 2 { constant 5 for 1m; { constant 5 for 1s; constant 100 for 5m } }";
    assert_eq!(found(block, &["--allow", "no-guard"]), [""; 0], "all that stands in a statement");
    let rule = "constant 5 for 1m\nguard {\n  rate <= 10/s\n  # loadc: allow(loose-guard)\n  jobs <= 1M\n}";
    assert_eq!(found(rule, &[]), [""; 0], "a rule of a block");
    let denied = ["--deny", "warnings"];
    assert_eq!(found(&file, &denied), [""; 0], "a comment goes before a flag");
    let forever = "# loadc: allow-file(unreachable)\nconstant 5 forever; pause 1s\nguard { time <= 1m then stop }";
    assert_eq!(found(forever, &[]), [""; 0], "warnings that are found elsewhere");
}

#[test]
fn comments_that_cannot_be_understood_are_errors() {
    let bad = |comment: &str| found(&format!("{comment}\n{JUMP}"), &[]);
    assert_eq!(bad("# loadc: allow(cold-jmp)"), ["E0207"]);
    assert_eq!(bad("# loadc: alow(cold-jump)"), ["E0207"]);
    assert_eq!(bad("# loadc: allow cold-jump"), ["E0207"]);
    assert_eq!(bad("# loadc: allow()"), ["E0207"]);
    assert_eq!(bad("# loadc is a tool"), ["no-guard", "cold-jump"], "words about loadc");
}

#[test]
fn lints_wait_until_there_are_no_errors() {
    assert_eq!(found(&format!("{JUMP}constant 5 for 5\n"), &[]), ["E0301"]);
}

#[test]
fn unused_names_are_those_that_nothing_needs() {
    let allow = ["--allow", "no-guard", "--allow", "no-recovery"];
    let script = "let a = 5/s\nlet b = a\nshape s() { constant b for 5s }\nshape t() { s() }\nt()\njob j { queue \"q\" }";
    assert_eq!(found(script, &allow), [""; 0]);
    let script = "let a = 5/s\nshape s() { constant a for 5s }\nconstant 5 for 5s";
    assert_eq!(found(script, &allow), ["unused-shape"]);
    let script = "let a = 5/s\njob j { queue \"q\" }\njob k { queue \"k\"; body { a: a } }\nsend j\nconstant 5 for 5s";
    assert_eq!(found(script, &allow), ["unused-job"]);
    assert_eq!(
        found("let a = 5/s\nshape s() { pause 5s }", &allow),
        [""; 0],
        "a library is for others"
    );
}

#[test]
fn folders_are_walked_but_for_what_is_hidden_or_ignored() {
    let good = "constant 5 for 1m\nguard { jobs <= 300 }\n";
    let folder = folder(&[
        ("load/b.load", good),
        ("load/a.load", good),
        ("load/deep/c.load", good),
        ("load/notes.txt", "no script"),
        ("load/.hidden/d.load", "broken"),
        ("load/.e.load", "broken"),
        ("load/drafts/f.load", "broken"),
        ("load/.gitignore", "drafts/\n"),
        ("empty/notes.txt", "no script"),
    ]);
    let at = folder.path();
    let report = json(at, &["load", "--format", "json"]);
    let files: Vec<&str> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, ["load/a.load", "load/b.load", "load/deep/c.load"]);
    assert_eq!(code(at, &["load"]), Some(0));
    assert_eq!(
        code(at, &["load", "load/drafts/f.load"]),
        Some(2),
        "a file that is named is checked"
    );
    let empty = check(at, &["empty"]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("empty holds no script"));
}

#[test]
fn github_is_told_in_its_own_commands() {
    let folder = folder(&[("a, b.load", JUMP), ("bad.load", "constant 5 for 5\n")]);
    let output =
        check(folder.path(), &["a, b.load", "bad.load", "gone.load", "--format", "github"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("::warning file=a%2C b.load,line=1,endLine=1,col=1,"), "{text}");
    assert!(
        lines[1].contains(",title=W0203 cold-jump::the rate jumps from 5/s to 100/s"),
        "{text}"
    );
    assert!(
        lines[2].starts_with(
            "::error file=bad.load,line=1,endLine=1,col=16,endColumn=17,title=E0301::"
        )
    );
    assert!(lines[3].starts_with("::error title=loadc::cannot read gone.load"), "{text}");
}

/// The schema of OASIS, as a package brings it that these tests depend on for that.
fn schema() -> Value {
    let root = env!("CARGO_MANIFEST_DIR");
    let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Packages of other platforms need not be here.
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--offline"]).current_dir(root);
    command.args(["--filter-platform", host]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = found["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let text = fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // A pattern that is no regular expression (a bracket too many), of a property that is not used.
    for place in
        ["/definitions/run/properties/language", "/definitions/toolComponent/properties/language"]
    {
        if let Some(language) = schema.pointer_mut(place).and_then(Value::as_object_mut) {
            language.remove("pattern");
        }
    }
    schema
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut count = 0;
    for arguments in [
        &["examples", "--format", "sarif"][..],
        &["tests/scripts/check_error", "tests/scripts/parse_error", "--format", "sarif"],
        &["tests/scripts/ok", "gone.load", "--format", "sarif", "--deny", "warnings"],
        &["-", "--format", "sarif"],
    ] {
        let log = json(root, arguments);
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            count += 1;
        }
    }
    assert!(count > 300, "only {count} results");
}

#[test]
fn sarif_says_where_and_what() {
    let folder = folder(&[("my load/é.load", "# ü\nconstant 5 for 5\n")]);
    let log = json(folder.path(), &["my load/é.load", "gone.load", "--format", "sarif"]);
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"E0301".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20load/%C3%A9.load");
    let region = &place["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &16.into()));
    assert_eq!((&region["byteOffset"], &region["byteLength"]), (&20.into(), &1.into()));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let fault = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(fault.contains("cannot read gone.load"), "{fault}");
}
