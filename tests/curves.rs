//! The curves in the documentation are drawn by loadc: a block that begins as a chart does shows the
//! script above it. `LOADC_UPDATE_DOCS=1` draws them anew.

use loadc::check::{Options, check};
use loadc::gather::gather;
use loadc::source::SourceFile;
use loadc::view::{Load, Look, chart::chart};
use std::fmt::Write as _;
use std::path::Path;

/// What stands over a chart, and so begins a block that is one.
const TITLE: &str = "rate, jobs/s";

/// Columns of a chart.
const LOOK: Look = Look { color: false, width: 80 };

fn drawn(script: &str) -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/page.load");
    let source = gather(SourceFile::new("page.load", script).from_path(beside));
    let plan = check(&source, &Options::default()).plan.expect("a script that checks");
    let mut text = String::new();
    for line in chart(&Load::of(&plan), TITLE, LOOK) {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The page with its charts drawn anew, and how many there are.
fn redrawn(page: &str) -> (String, usize) {
    let (mut out, mut count) = (String::new(), 0);
    let (mut script, mut lines) = (String::new(), page.lines().peekable());
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        let is_chart = line == "```text" && lines.peek().is_some_and(|next| *next == TITLE);
        if line == "```load" || is_chart {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let block = block.iter().map(|line| format!("{line}\n")).collect::<String>();
            if is_chart {
                out.push_str(&drawn(&script));
                count += 1;
            } else {
                out.push_str(&block);
                script = block;
            }
            out.push_str("```\n");
        }
    }
    (out, count)
}

#[test]
fn the_curves_in_the_reference_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (new, count) = redrawn(&page);
    if std::env::var_os("LOADC_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &new).unwrap();
    }
    assert!(count >= 13, "only {count} curves");
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == new, "draw them anew: LOADC_UPDATE_DOCS=1 cargo test --test main curves");
}
