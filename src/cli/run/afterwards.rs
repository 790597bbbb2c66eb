//! What a run leaves when it is over: its document on standard output, its page, its JUnit XML.

use super::Args;
use crate::cli::output::Output;
use crate::cli::report::put;
use crate::plan::Plan;
use crate::report::{Document, Environment, Run, Script, Used, junit, page};
use crate::run::Report;
use crate::source::SourceFile;
use crate::stats::history::History;
use crate::view::{Load, json};

/// Writes the page and the JUnit XML of a document, where they are asked for; false if one could not
/// be written.
pub(super) fn put_pages(args: &Args, json: &str, out: &Output) -> bool {
    let see = &args.see;
    if see.report.is_none() && see.junit.is_none() {
        return true;
    }
    let run = match Run::read(json) {
        Ok(run) => run,
        Err(error) => {
            out.fault(&format!("the page can't be made: {error}"), "");
            return false;
        }
    };
    let put = |path: &Option<String>, make: fn(&Run) -> String| {
        path.as_ref().is_none_or(|path| put(path, &make(&run), out))
    };
    // Both, even if the first could not be written.
    let page = put(&see.report, page);
    put(&see.junit, junit::xml) && page
}

/// A run that is over.
pub(super) struct Afterwards<'a> {
    pub(super) args: &'a Args,
    pub(super) source: &'a SourceFile,
    pub(super) plan: &'a Plan,
    pub(super) report: &'a Report,
}

impl Afterwards<'_> {
    /// Writes all that was asked for; false if some of it could not be written.
    pub(super) fn write(&self, history: &History, out: &Output) -> bool {
        let see = &self.args.see;
        if !self.args.json && see.report.is_none() && see.junit.is_none() {
            return true;
        }
        match self.made(history) {
            Ok(json) => {
                if self.args.json {
                    out.raw(&json);
                }
                put_pages(self.args, &json, out)
            }
            Err(message) => {
                out.fault(&format!("the report can't be made: {message}"), "");
                false
            }
        }
    }

    /// The document.
    fn made(&self, history: &History) -> Result<String, String> {
        let load = Load::of(self.plan);
        let plan =
            json::document(self.plan, &load, None).map_err(|_| "too many points".to_owned())?;
        let used = |part| {
            let span = self.source.part_span(part);
            Used { name: self.source.name_at(span.start), text: self.source.slice(span) }
        };
        let files = (1..self.source.parts()).map(used).collect();
        let script = Script { name: &self.source.name, text: self.source.script_text(), files };
        let document = Document::new(self.report, script, self.environment(), &plan, history);
        let text = document.and_then(|document| serde_json::to_string_pretty(&document));
        let mut text = text.map_err(|error| error.to_string())?;
        text.push('\n');
        Ok(text)
    }

    fn environment(&self) -> Environment {
        Environment {
            loadc: env!("CARGO_PKG_VERSION"),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            gap_ms: self.args.gap.as_secs_f64() * 1e3,
            delivery: if self.args.at_least_once { "at least once" } else { "exactly once" },
        }
    }
}
