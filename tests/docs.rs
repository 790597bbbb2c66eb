//! What the documentation shows works: every `load` block and every example is a script that checks.

use loadc::check::{Options, check};
use loadc::diag::{Style, human};
use loadc::gather::gather;
use loadc::plan::Plan;
use loadc::source::SourceFile;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn checked(name: &str, text: &str) -> Option<Plan> {
    // What a block uses stands beside the examples.
    let source = gather(SourceFile::new(name, text).from_path(root().join("examples/block.load")));
    let options = Options { lenient_env: true, ..Options::default() };
    let checked = check(&source, &options);
    let shown = human(&source, &checked.problems, Style { color: false, width: 100 });
    assert!(checked.problems.is_empty(), "{shown}");
    checked.plan
}

fn markdown() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let queues =
        fs::read_dir(root().join("docs/queues")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(docs.chain(queues).filter(|path| path.extension().is_some_and(|e| e == "md")));
    files
}

/// The fenced blocks of a language, with the line each begins at.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) if info.trim() == language => open = Some((at + 2, String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    found
}

#[test]
fn every_load_block_checks() {
    let mut count = 0;
    for path in markdown() {
        let text = fs::read_to_string(&path).unwrap();
        for (line, block) in blocks(&text, "load") {
            let name = format!("{}:{line}", path.file_name().unwrap().to_str().unwrap());
            assert!(checked(&name, &block).is_some(), "{name} holds no load");
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} blocks were found");
}

#[test]
fn every_example_checks_and_says_how_it_is_run() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "load") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("# {name}: ")), "{name} does not begin with its name");
        let plan = checked(&name, &text).unwrap_or_else(|| panic!("{name} holds no load"));
        assert!(!plan.guards.is_empty(), "{name} has no guard");
        count += 1;
    }
    assert!(count >= 8, "only {count} examples");
}

#[test]
fn every_shared_example_is_a_library() {
    let folder = root().join("examples/shared");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(
            checked(&name, &fs::read_to_string(&path).unwrap()).is_none(),
            "{name} is no library"
        );
    }
}

/// What others start from holds nothing that is not allowed in its place, because it is meant.
#[test]
fn examples_and_profiles_have_no_lints() {
    let mut found = Vec::new();
    for folder in ["examples", "examples/shared", "profiles"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "load") {
                continue;
            }
            let source =
                SourceFile::new(path.to_string_lossy(), fs::read_to_string(&path).unwrap());
            let source = gather(source.from_path(&path));
            let options = Options { lenient_env: true, ..Options::default() };
            let lints = check(&source, &options).lints;
            found.push(human(&source, &lints, Style { color: false, width: 100 }));
        }
    }
    assert!(found.len() > 15 && found.iter().all(String::is_empty), "{}", found.join("\n"));
}

#[test]
fn recipes_have_no_lints() {
    let text = fs::read_to_string(root().join("docs/cookbook.md")).unwrap();
    let recipes = blocks(&text, "load");
    assert!(recipes.len() > 12);
    for (line, recipe) in recipes {
        let source = SourceFile::new(format!("cookbook.md:{line}"), recipe);
        let source = gather(source.from_path(root().join("examples/recipe.load")));
        let options = Options { lenient_env: true, ..Options::default() };
        let lints = check(&source, &options).lints;
        assert!(lints.is_empty(), "{}", human(&source, &lints, Style { color: false, width: 100 }));
    }
}

/// Every relative link of the documentation leads somewhere.
#[test]
fn links_lead_somewhere() {
    for path in markdown() {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or("");
            if file.is_empty() || link.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{}: {link}", path.display());
        }
    }
}
