//! Printing: results to standard output, everything for people beside it to standard error.
//!
//! A reader that goes away (a closed pipe) is no fault: what is left unsaid then is nobody's loss.
//! A result that cannot be written for another reason, such as a full disk, is.

use crate::diag::{self, Style};
use crate::problem::Problem;
use crate::source::SourceFile;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Findings of one file that people are shown; machines get all.
const MAX_SHOWN: usize = 50;

/// Whether a result could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where and how to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Colour on standard output.
    pub color_out: bool,
    /// Colour on standard error.
    pub color_err: bool,
}

impl Output {
    pub(crate) fn new(color: Color) -> Output {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let use_color = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Output {
            color_out: use_color(std::io::stdout().is_terminal()),
            color_err: use_color(std::io::stderr().is_terminal()),
        }
    }

    /// A result.
    pub(crate) fn say(&self, text: &str) {
        let mut out = io::stdout().lock();
        self.written(writeln!(out, "{text}").and_then(|()| out.flush()));
    }

    /// Notes that a result could not be written.
    fn written(&self, done: io::Result<()>) {
        let Err(error) = done else { return };
        if error.kind() != ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) {
            self.fault(&format!("standard output takes nothing: {error}"), "");
        }
    }

    /// Whether a result could not be written.
    pub(crate) fn has_lost(&self) -> bool {
        LOST.load(Ordering::Relaxed)
    }

    /// A result that ends its own lines.
    pub(crate) fn raw(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Something for people.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// A JSON document, on standard output.
    pub(crate) fn json(&self, value: &impl serde::Serialize) {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let document = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
        self.written(document.and_then(|()| writeln!(out)).and_then(|()| out.flush()));
    }

    /// Findings, for people.
    pub(crate) fn problems(&self, source: &SourceFile, problems: &[Problem]) {
        let style = Style { color: self.color_err, width: width() };
        let shown = &problems[..problems.len().min(MAX_SHOWN)];
        let _ = write!(std::io::stderr().lock(), "{}", diag::human(source, shown, style));
        let more = problems.len() - shown.len();
        if more > 0 {
            self.note(&format!("… and {more} more in {}", source.name));
        }
    }

    /// A fault that has no place in a script: what is wrong, and a way out.
    pub(crate) fn fault(&self, message: &str, help: &str) {
        let (bold, red, off) =
            if self.color_err { ("\x1b[1m", "\x1b[31m", "\x1b[0m") } else { ("", "", "") };
        self.note(&format!("{bold}{red}error{off}{bold}: {message}{off}"));
        if !help.is_empty() {
            self.note(&format!("  help: {help}"));
        }
    }
}

/// Columns of the terminal that people look at; 100 elsewhere.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr())
        .or_else(|_| rustix::termios::tcgetwinsize(std::io::stdout()));
    match size {
        Ok(size) if size.ws_col >= 40 => usize::from(size.ws_col.min(140)),
        _ => 100,
    }
}
