//! A plan, seen: as a text for people, a curve drawn in a terminal, an SVG, CSV and JSON.
//!
//! Everything here is pure: a plan goes in, a text or a value comes out.
//!
//! ```text
//! Plan → Load ─┬─ points  → JSON, CSV
//!              ├─ spans   → the curve in a terminal
//!              └─ outline → the curve as a path
//! ```

pub mod chart;
pub mod csv;
pub mod json;
pub mod load;
pub mod outline;
pub mod points;
pub mod spark;
pub mod svg;
pub mod text;
pub mod ticks;

mod jumps;
mod spans;
mod table;

pub use jumps::{Jump, Jumps};
pub use load::Load;
pub use spans::Span;

/// How a text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With colour.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Look {
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn accent(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(crate) fn alert(self, text: &str) -> String {
        self.paint("33", text)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use crate::check::{Options, check};
    use crate::plan::Plan;
    use crate::source::SourceFile;

    /// The plan of a script that is right.
    pub(crate) fn plan(script: &str) -> Plan {
        let options = Options { seed: Some(1), ..Options::default() };
        let checked = check(&SourceFile::new("test.load", script), &options);
        checked.plan.unwrap_or_else(|| panic!("{:?}", checked.problems))
    }
}
