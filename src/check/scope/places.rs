//! What stands where it does not belong, or twice where it belongs once.

use crate::ast::{Setting, Statement, StatementKind};
use crate::check::Checker;
use crate::problem::{Code, Problem};
use crate::source::Span;

impl Checker<'_> {
    /// Reports what cannot stand in a block of phrases.
    pub(in crate::check) fn misplaced(&mut self, body: &[Statement]) {
        for statement in body {
            if let StatementKind::Setting(Setting::Starts(_)) = &statement.kind {
                self.calendar_missed = true;
            }
            let what = match &statement.kind {
                StatementKind::Load(_) => "a load within a block",
                StatementKind::Guard(_) => "a guard within a block",
                StatementKind::Expect(_) => "an `expect` within a block",
                StatementKind::Mix(_) => "a choice of jobs within a block",
                StatementKind::Use(_) => "a `use` within a block",
                StatementKind::Setting(Setting::Arrivals(_)) => {
                    self.out_of_place(
                        statement.span,
                        "a setting within a block",
                        "write it around what it is for: `arrivals poisson { … }`",
                    );
                    continue;
                }
                StatementKind::Setting(_) | StatementKind::Hours(_) => "a setting within a block",
                _ => continue,
            };
            self.out_of_place(
                statement.span,
                what,
                "move it out of the block, to the load or the file it belongs to",
            );
        }
    }

    pub(in crate::check) fn out_of_place(&mut self, span: Span, what: &str, help: &str) {
        if self.shaky {
            return;
        }
        let message = format!("{what} does not belong here");
        self.report(Problem::error(Code::Misplaced, span, message).help(help));
    }

    pub(super) fn only_once(&mut self, first: bool, word: &str, span: Span) -> bool {
        if !first && !self.shaky {
            self.report(
                Problem::error(Code::Twice, span, format!("`{word}` is given twice"))
                    .label("the second time")
                    .help("a setting stands once in its scope: remove one of the two"),
            );
        }
        first
    }
}
