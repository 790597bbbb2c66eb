//! Findings as SARIF 2.1.0 (the Static Analysis Results Interchange Format of OASIS).

use crate::problem::{Code, Problem, Severity};
use crate::source::{SourceFile, Span};
use serde_json::{Value, json};

/// Where the schema of the format is found.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A log of one run over some files; `faults` are what could not be read at all. `pages` gives the
/// page of a code, in Markdown.
pub fn sarif(
    files: &[(SourceFile, Vec<Problem>)],
    faults: &[String],
    pages: impl Fn(Code) -> String,
) -> Value {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(*code, pages(*code))).collect();
    let found = files
        .iter()
        .flat_map(|(source, problems)| problems.iter().map(move |problem| result(source, problem)));
    let notifications: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "level": "error", "message": { "text": fault } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "loadc",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": faults.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": found.collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: Code, page: String) -> Value {
    let mut rule = json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "defaultConfiguration": { "level": if is_warning(code) { "warning" } else { "error" } },
    });
    if let Some(lint) = code.lint() {
        rule["name"] = json!(lint);
    }
    if !page.is_empty() {
        let text = page.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        rule["help"] = json!({ "text": text, "markdown": page });
    }
    rule
}

fn is_warning(code: Code) -> bool {
    code.as_str().starts_with('W')
}

fn result(source: &SourceFile, problem: &Problem) -> Value {
    let level = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = problem.message.clone();
    if let Some(help) = &problem.help {
        text.push_str(&format!("\n{help}"));
    }
    let (span, label) = &problem.place;
    let others = problem.others.iter().enumerate();
    let related: Vec<Value> = others
        .map(|(id, (span, label))| {
            let mut other = location(source, *span, label);
            other["id"] = json!(id);
            other
        })
        .collect();
    json!({
        "ruleId": problem.code.as_str(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == problem.code),
        "level": level,
        "message": { "text": text },
        "locations": [location(source, *span, label)],
        "relatedLocations": related,
    })
}

fn location(source: &SourceFile, span: Span, label: &str) -> Value {
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    // Offsets are counted in the file, and a script is the first part of its source.
    let base = source.part_span(source.part_of(span.start)).start;
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(source.name_at(span.start)) },
            "region": {
                "startLine": line,
                "startColumn": column,
                "endLine": end_line,
                "endColumn": end_column,
                "byteOffset": span.start - base,
                "byteLength": span.len(),
            },
        },
    });
    if !label.is_empty() {
        location["message"] = json!({ "text": label });
    }
    location
}

/// A path as a reference of RFC 3986: relative where it is relative.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    // A colon in a first segment would make a scheme of it.
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_references() {
        let cases = [
            ("load/a.load", "load/a.load"),
            ("../a b:%.load", "../a%20b%3A%25.load"),
            ("/tmp/é", "file:///tmp/%C3%A9"),
            ("<stdin>", "%3Cstdin%3E"),
        ];
        for (path, reference) in cases {
            assert_eq!(uri(path), reference);
        }
    }
}
