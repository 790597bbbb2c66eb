//! A run as JUnit's XML, which CI systems show: each expectation and each guard is a test.

use super::markup::{escape, measured, seconds};
use super::model::{Hit, Run};
use super::verdict;
use std::fmt::Write as _;

struct Case {
    class: &'static str,
    name: String,
    /// `failure` or `error`, and why.
    fault: Option<(&'static str, String)>,
    /// Said beside it.
    note: Option<String>,
}

/// The document. The run itself is a test, which errs if it failed and fails if it was ended early.
pub fn xml(run: &Run) -> String {
    let mut cases = vec![whole(run)];
    cases.extend(run.expectations.iter().map(|expectation| {
        let mut value = match (expectation.value, expectation.measured()) {
            (None, words) if words.starts_with("not") && !words.starts_with("nothing") => words,
            (None, words) => format!("there was {words}"),
            (Some(_), words) => format!("it was {words}"),
        };
        if let Some(at_s) = expectation.at_s {
            let end = if expectation.stopped { ", which ended the run" } else { "" };
            value.push_str(&format!(" after {}{end}", seconds(at_s)));
        }
        let fault = (!expectation.met).then(|| ("failure", value.clone()));
        Case { class: "expect", name: expectation.text.clone(), fault, note: Some(value) }
    }));
    cases.extend(guards(run));
    let count = |kind: &str| {
        let faults = cases.iter().filter_map(|case| case.fault.as_ref());
        faults.filter(|(found, _)| *found == kind).count()
    };
    let sums = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\"",
        cases.len(),
        count("failure"),
        count("error"),
        run.elapsed_s
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"loadc\" {sums}>\n<testsuite name=\"{}\" {sums} timestamp=\"{}\">\n",
        escape(&run.file),
        escape(run.started_at.trim_end_matches('Z'))
    );
    out.push_str("<properties>\n");
    for (name, value) in [
        ("run_id", &run.run_id),
        ("digest", &run.digest),
        ("target", &run.target),
        ("outcome", &run.outcome),
    ] {
        let _ = writeln!(out, "<property name=\"{name}\" value=\"{}\"/>", escape(value));
    }
    out.push_str("</properties>\n");
    cases.iter().for_each(|case| case.write(run, &mut out));
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

fn whole(run: &Run) -> Case {
    let verdict = verdict::of(run);
    let fault = match run.outcome.as_str() {
        "done" => None,
        "failed" => Some(("error", verdict.sentence.clone())),
        _ => Some(("failure", format!("{}: {}", verdict.headline, verdict.sentence))),
    };
    Case { class: "run", name: "runs to its end".to_owned(), fault, note: Some(verdict.sentence) }
}

/// Stated guards, and any other that was hit. One that stopped the run fails; one that did as planned
/// does not.
fn guards(run: &Run) -> Vec<Case> {
    let mut names: Vec<&str> = Vec::new();
    let stated = run.plan.iter().flat_map(|plan| &plan.guards).map(|guard| guard.text.as_str());
    for name in stated.chain(run.guards.iter().map(|hit| hit.guard.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let case = |name: &str| {
        let hits: Vec<&Hit> = run.guards.iter().filter(|hit| hit.guard == name).collect();
        let words = |hit: &&Hit| {
            let cause = hit.cause.as_deref().map(|cause| format!(", {cause}")).unwrap_or_default();
            format!("{} at {}{cause}: {}", measured(name, hit.value), seconds(hit.at_s), hit.action)
        };
        let note = (!hits.is_empty())
            .then(|| hits.iter().take(20).map(words).collect::<Vec<_>>().join("\n"));
        let stopped =
            run.outcome == "guard" && hits.iter().any(|hit| hit.action.starts_with("stop"));
        let fault = stopped.then(|| ("failure", note.clone().unwrap_or_default()));
        Case { class: "guard", name: name.to_owned(), fault, note }
    };
    names.into_iter().map(case).collect()
}

impl Case {
    fn write(&self, run: &Run, out: &mut String) {
        let file = escape(&run.file);
        let _ = write!(
            out,
            "<testcase classname=\"{file}.{}\" name=\"{}\" time=\"{:.3}\">",
            self.class,
            escape(&self.name),
            if self.class == "run" { run.elapsed_s } else { 0.0 }
        );
        if let Some((kind, why)) = &self.fault {
            let _ = write!(out, "<{kind} message=\"{}\"/>", escape(why));
        } else if let Some(note) = &self.note {
            let _ = write!(out, "<system-out>{}</system-out>", escape(note));
        }
        out.push_str("</testcase>\n");
    }
}
