//! The walls between the rooms: no room names what it must not know (see `docs/architecture.md`).

use std::fs;
use std::path::{Path, PathBuf};

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The sources of a room (`src/name.rs` and `src/name/**`), without comments and tests.
fn room(name: &str) -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let file = src.join(format!("{name}.rs"));
    if file.exists() {
        found.push(file);
    }
    if src.join(name).is_dir() {
        sources(&src.join(name), &mut found);
    }
    assert!(!found.is_empty(), "no room {name}");
    let is_test = |path: &PathBuf| {
        path.components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
    };
    found.retain(|path| !is_test(path));
    found.into_iter().map(|path| (path.clone(), code(&fs::read_to_string(path).unwrap()))).collect()
}

/// A source up to its tests (modules in braces that only tests have), without its comments.
fn code(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = |next: &&str| next.contains("mod ") && next.ends_with('{');
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(opens) {
            break;
        }
        if !line.trim_start().starts_with("//") {
            kept.push(line);
        }
    }
    kept.join("\n")
}

fn all_rooms() -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = fs::read_dir(src).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let stem = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "rs" && stem != "lib" && stem != "main").then_some(stem)
    });
    names.collect()
}

/// Rooms, and the words that none of their sources may hold.
const WALLS: &[(&str, &[&str])] = &[
    ("source", &["crate::", "tokio", "pest::", "redis::"]),
    ("exact", &["crate::", "tokio", "pest::", "redis::"]),
    (
        "calendar",
        &["crate::plan", "crate::check", "crate::parse", "tokio", "Instant", "Timestamp::now"],
    ),
    (
        "recording",
        &["crate::check", "crate::parse", "crate::plan", "crate::run", "tokio", "std::fs"],
    ),
    ("random", &["crate::", "tokio", "pest::", "redis::"]),
    ("problem", &["crate::parse", "crate::check", "miette", "serde", "tokio"]),
    ("ast", &["pest::", "crate::parse", "crate::check", "tokio", "redis::", "Instant"]),
    (
        "parse",
        &["crate::check", "crate::plan", "crate::run", "crate::sink", "tokio", "miette", "Instant"],
    ),
    ("gather", &["crate::check", "crate::plan", "crate::run", "crate::cli", "tokio", "miette"]),
    (
        "lint",
        &[
            "crate::check",
            "crate::parse",
            "crate::run",
            "crate::sink",
            "crate::cli",
            "tokio",
            "std::fs",
        ],
    ),
    (
        "timeline",
        &[
            "crate::plan",
            "crate::check",
            "crate::parse",
            "tokio",
            "Instant",
            "SystemTime",
            "redis::",
        ],
    ),
    ("schedule", &["crate::run", "crate::sink", "crate::check", "tokio", "Instant", "SystemTime"]),
    (
        "job",
        &[
            "crate::run",
            "crate::check",
            "crate::parse",
            "tokio",
            "Instant",
            "SystemTime",
            "redis::",
        ],
    ),
    (
        "check",
        &[
            "crate::run",
            "crate::sink",
            "crate::cli",
            "tokio",
            "miette",
            "pest::",
            "Instant",
            "SystemTime",
        ],
    ),
    ("plan", &["crate::run", "crate::sink", "crate::check", "tokio"]),
    ("target", &["crate::plan", "crate::run", "crate::check", "println!"]),
    ("sink", &["crate::plan", "crate::check", "crate::run", "crate::schedule", "crate::cli"]),
    (
        "journal",
        &[
            "crate::run",
            "crate::sink",
            "crate::plan",
            "crate::check",
            "crate::cli",
            "tokio",
            "clap",
        ],
    ),
    ("stats", &["tokio", "crate::run", "crate::cli", "redis::"]),
    (
        "run",
        &["crate::parse", "crate::check", "crate::ast::Script", "crate::cli", "redis::", "miette"],
    ),
    ("view", &["crate::run", "crate::sink", "crate::check", "crate::cli", "tokio", "clap"]),
    (
        "diff",
        &[
            "crate::parse",
            "crate::check",
            "crate::run",
            "crate::sink",
            "crate::cli",
            "std::fs",
            "tokio",
            "clap",
        ],
    ),
    ("ctl", &["crate::parse", "crate::check", "crate::plan", "crate::sink", "crate::cli", "clap"]),
    ("notify", &["crate::run", "crate::check", "crate::cli", "crate::sink", "tokio", "clap"]),
    (
        "record",
        &[
            "crate::parse",
            "crate::check",
            "crate::plan",
            "crate::sink",
            "crate::cli",
            "tokio",
            "clap",
        ],
    ),
    (
        "report",
        &["crate::parse", "crate::check", "crate::sink", "crate::cli", "std::fs", "tokio", "clap"],
    ),
    (
        "live",
        &[
            "crate::parse",
            "crate::check",
            "crate::sink",
            "crate::cli",
            "std::fs",
            "tokio",
            "clap",
            "crossterm",
        ],
    ),
    ("metrics", &["crate::parse", "crate::check", "crate::sink", "crate::cli", "std::fs", "clap"]),
    ("profiles", &["crate::", "std::fs", "tokio", "clap"]),
    (
        "explain",
        &[
            "crate::parse",
            "crate::check",
            "crate::run",
            "crate::sink",
            "crate::cli",
            "std::fs",
            "tokio",
            "clap",
        ],
    ),
    (
        "fmt",
        &[
            "crate::parse",
            "crate::check",
            "crate::plan",
            "crate::run",
            "crate::sink",
            "crate::cli",
            "std::fs",
            "tokio",
            "clap",
        ],
    ),
    ("diag", &["crate::parse", "crate::check", "crate::run", "crate::cli", "tokio"]),
];

#[test]
fn no_room_names_what_it_must_not_know() {
    let mut broken = Vec::new();
    for (name, forbidden) in WALLS {
        for (path, text) in room(name) {
            for word in *forbidden {
                if text.contains(word) {
                    broken.push(format!("{} names `{word}`", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn each_library_has_its_room() {
    let owners: &[(&str, &[&str])] = &[
        ("pest::", &["parse"]),
        ("redis::", &["sink"]),
        ("kevy", &["sink"]),
        ("fake::faker", &["job"]),
        ("csv::Reader", &["files", "recording"]),
        ("miette::", &["diag"]),
        ("clap::", &["cli"]),
        ("ureq::", &["notify", "metrics"]),
        ("notify::Watcher", &["cli"]),
        ("hyper::", &["metrics"]),
        ("ratatui::", &["live", "cli"]),
        ("prometheus_client::", &["metrics"]),
        ("std::time::Instant", &["run", "sink", "cli"]),
        ("print!(", &["cli"]),
        ("println!(", &["cli"]),
        ("process::exit", &["cli"]),
    ];
    let mut broken = Vec::new();
    for name in all_rooms() {
        for (path, text) in room(&name) {
            // Our own room of the same name is not the library.
            let text = text.replace("sink::redis::", "").replace("crate::sink::redis", "");
            for (word, rooms) in owners {
                if text.contains(word) && !rooms.contains(&name.as_str()) {
                    broken.push(format!("{} names `{word}`", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_the_clock_reads_the_clock_during_a_run() {
    for (path, text) in room("run") {
        if path.ends_with("clock.rs") || path.components().any(|part| part.as_os_str() == "clock") {
            continue;
        }
        for word in ["Instant::now", "SystemTime::now", "tokio::time::sleep"] {
            assert!(!text.contains(word), "{} names `{word}`", path.display());
        }
    }
}

#[test]
fn nothing_is_left_lying_about() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let leftovers =
        ["todo!(", "unimplemented!(", "dbg!(", concat!("TO", "DO"), concat!("FIX", "ME")];
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for word in leftovers {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}
