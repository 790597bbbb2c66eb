//! The options behind a format's word.

use super::Told;
use crate::ast::{Expr, ExprKind, Name};
use crate::check::Checker;
use crate::exact::seconds_to_nanos;
use crate::job::Setting;
use crate::job::layouts::{self, Kind, Layout, Word};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;

impl Checker<'_> {
    pub(super) fn option(
        &mut self,
        layout: &Layout,
        option: &Name,
        value: Option<&Expr>,
        told: &mut Told,
    ) {
        let mut known = layout.options().chain(layouts::COMMON);
        let Some(word) = known.find(|word| word.word == option.node) else {
            self.unknown_option(layout, option);
            told.good = false;
            return;
        };
        let repeats = word.kind == Kind::Texts;
        if let Some(first) = told.places.insert(option.node.clone(), option.span)
            && !repeats
        {
            let message = format!("`{}` is given twice", option.node);
            self.report(
                Problem::error(Code::Twice, option.span, message)
                    .and(first, "given first here")
                    .help("remove one of the two"),
            );
            told.good = false;
            return;
        }
        let Some(setting) = self.option_value(word, option, value) else {
            told.good = false;
            return;
        };
        match (told.envelope.options.get_mut(&option.node), setting) {
            (Some(Setting::Texts(texts)), Setting::Texts(more)) if repeats => texts.extend(more),
            (_, setting) => _ = told.envelope.options.insert(option.node.clone(), setting),
        }
    }

    fn unknown_option(&mut self, layout: &Layout, option: &Name) {
        let fields = ["size", "body", "queue", "args", "kwargs", "priority", "delay", "command"];
        let refused = match option.node.as_str() {
            "priority" => layout.priority.err(),
            "delay" => layout.delay.err(),
            "timeout" => layout.timeout.err(),
            "retry" => layout.retry.err(),
            _ => None,
        };
        if let Some(why) = refused {
            // As a statement of its own it would be refused as well.
            self.cannot_say(layout, &option.node, option.span, why);
            return;
        }
        let known = layout.options().map(|word| word.word);
        let forms = layout.options().map(|word| format!("`{}`", word.form));
        let help = match did_you_mean(&option.node, known) {
            _ if fields.contains(&option.node.as_str()) => {
                format!("begin it on a new line, or write `; {}`", option.node)
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None if layout.options().next().is_none() => {
                format!("`as {}` takes no options", layout.word)
            }
            None => {
                format!("`as {}` takes {}", layout.word, forms.collect::<Vec<_>>().join(", "))
            }
        };
        let message = format!("`as {}` has no option `{}`", layout.word, option.node);
        self.report(Problem::error(Code::BadFormat, option.span, message).help(help));
    }

    /// The value of an option.
    fn option_value(
        &mut self,
        word: &Word,
        option: &Name,
        value: Option<&Expr>,
    ) -> Option<Setting> {
        let Some(value) = value else {
            if word.kind == Kind::Flag {
                return Some(Setting::Flag(true));
            }
            self.bad_option(word, option.span);
            return None;
        };
        let truth = match &value.kind {
            ExprKind::Name(name) if name == "true" => Some(true),
            ExprKind::Name(name) if name == "false" => Some(false),
            _ => None,
        };
        match (word.kind, truth) {
            (Kind::Flag | Kind::Truth | Kind::TruthOrCount, Some(truth)) => {
                Some(Setting::Flag(truth))
            }
            (Kind::Count | Kind::TruthOrCount, None) => {
                self.count(value, &format!("`{}`", word.word)).map(Setting::Count)
            }
            (Kind::Duration, None) => {
                let seconds = self.duration(value)?;
                Some(Setting::Duration(self.nanos(&seconds, value.span)?))
            }
            (Kind::Text | Kind::Texts, None) => {
                let text = self.text(value, word.word)?;
                if text.is_empty() {
                    self.bad_option(word, value.span);
                    return None;
                }
                Some(Setting::Texts(vec![text]))
            }
            (Kind::OneOf(words), None) => {
                let text = match &value.kind {
                    ExprKind::Name(name) | ExprKind::Text(name) => Some(name),
                    _ => None,
                };
                match text.filter(|text| words.contains(&text.as_str())) {
                    Some(text) => Some(Setting::Texts(vec![text.clone()])),
                    None => {
                        let forms = words.join("` or `");
                        self.bad_value(word, value.span, &format!("it is `{forms}`"));
                        None
                    }
                }
            }
            (Kind::Version(versions), None) => {
                let version = self.count(value, &format!("`{}`", word.word))?;
                if !versions.contains(&version) {
                    let known = versions.iter().map(u64::to_string).collect::<Vec<_>>();
                    self.bad_value(word, value.span, &format!("known are {}", known.join(", ")));
                    return None;
                }
                Some(Setting::Count(version))
            }
            _ => {
                self.bad_option(word, value.span);
                None
            }
        }
    }

    fn bad_option(&mut self, word: &Word, span: Span) {
        self.bad_value(word, span, &format!("write `{}`", word.form));
    }

    fn bad_value(&mut self, word: &Word, span: Span, help: &str) {
        let message = format!("`{}` has no such value", word.word);
        self.report(Problem::error(Code::BadFormat, span, message).help(help));
    }

    pub(super) fn nanos(&mut self, seconds: &crate::exact::Exact, span: Span) -> Option<u64> {
        let nanos = seconds_to_nanos(seconds);
        if nanos.is_none() {
            self.report(
                Problem::error(Code::OutOfRange, span, "this is too long")
                    .help("a job waits a hundred years at most"),
            );
        }
        nanos
    }
}
