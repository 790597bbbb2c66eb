//! What a job's framework is told: the format, its options, and what `delay`, `priority`, `timeout`
//! and `retry` become there. [`crate::job::layouts`] says what each format can say.

use super::Checker;
use crate::ast::{
    Content, Expr, ExprKind, Job, JobFieldKind, Name, Queue, RangeArg, Unit, Value, ValueKind,
};
use crate::exact::{seconds_to_nanos, to_f64};
use crate::job::layouts::{self, Carries, Kind, LAYOUTS, Layout, Word};
use crate::job::{self, Envelope, Format, Payload, Setting, WordPart};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::BTreeMap;

/// What a job tells its framework, as far as it has been read.
pub(super) struct Told {
    /// The format, if there is such a one.
    pub(super) layout: Option<&'static Layout>,
    envelope: Envelope,
    /// Where each option was given.
    places: BTreeMap<String, Span>,
    /// Its arguments were given as such.
    pub(super) positional: bool,
    pub(super) first_command: Option<Span>,
    /// Nothing wrong was found.
    pub(super) good: bool,
}

impl Told {
    pub(super) fn new(layout: Option<&'static Layout>) -> Told {
        Told {
            layout,
            envelope: Envelope::default(),
            places: BTreeMap::new(),
            positional: false,
            first_command: None,
            good: true,
        }
    }

    pub(super) fn add_command(&mut self, command: Vec<Vec<WordPart>>) {
        self.envelope.commands.push(command);
    }

    /// Notes a part that was read, or found wrong.
    fn note<T>(&mut self, slot: impl FnOnce(&mut Envelope) -> &mut Option<T>, value: Option<T>) {
        self.good &= value.is_some();
        *slot(&mut self.envelope) = value;
    }
}

/// The words after `as`.
fn words() -> String {
    LAYOUTS.iter().map(|layout| format!("`{}`", layout.word)).collect::<Vec<_>>().join(", ")
}

/// A format in a reader's words.
pub(super) fn format_name(format: &Format) -> String {
    match format {
        Format::List => "a list".to_owned(),
        Format::Stream { .. } => "a stream".to_owned(),
        other => format!("`{}`", other.word()),
    }
}

/// Whether the key of a queue's name holds its jobs, so that it can hold no others.
fn lies_at_its_name(format: &Format) -> bool {
    matches!(
        format,
        Format::List
            | Format::Stream { .. }
            | Format::Delayed
            | Format::Celery
            | Format::Arq
            | Format::Taskiq { .. }
            | Format::Custom
    )
}

/// Whether two formats can't share a name.
pub(super) fn clash(one: &Format, other: &Format) -> bool {
    one != other && (one.word() == other.word() || lies_at_its_name(one) && lies_at_its_name(other))
}

/// A JSON text of a file as a value.
fn json_value(value: serde_json::Value) -> job::Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => job::Value::Null,
        Json::Bool(value) => job::Value::Bool(value),
        Json::Number(number) => job::Value::Number(number.to_string()),
        Json::String(text) => job::Value::Text(vec![job::TextPart::Literal(text)]),
        Json::Array(items) => job::Value::Array(items.into_iter().map(json_value).collect()),
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, json_value(value)));
            job::Value::Object(fields.collect())
        }
    }
}

impl Checker<'_> {
    /// A payload as the format carries it: where it is part of a JSON text it has to be JSON, and a
    /// call takes it as its only argument unless there are `args`.
    pub(super) fn carried(
        &mut self,
        payload: Payload,
        layout: Option<&Layout>,
        positional: bool,
        place: Span,
    ) -> Option<Payload> {
        let Some(layout) = layout.filter(|layout| layout.is_json()) else { return Some(payload) };
        let value = match payload {
            Payload::Body(value) => Some(value),
            Payload::Size { min, max, content: Content::Text } => {
                Some(job::Value::RandomText { min, max })
            }
            Payload::File(blob) => serde_json::from_slice(&blob.bytes).ok().map(json_value),
            Payload::Size { .. } | Payload::Mixed(_) => None,
        };
        let Some(value) = value else {
            let message = format!("a job of `as {}` is JSON, and this is not", layout.word);
            self.report(
                Problem::error(Code::CannotSay, place, message)
                    .help("write a `body`, a `size` of text, or name a file that holds JSON"),
            );
            return None;
        };
        let call = layout.carries == Carries::Arguments && !positional;
        Some(Payload::Body(if call { job::Value::Array(vec![value]) } else { value }))
    }

    /// The format of a queue, if there is such a one.
    pub(super) fn layout(&self, queue: &Queue) -> Option<&'static Layout> {
        layouts::layout(queue.format.as_ref().map_or("list", |word| &word.node))
    }

    /// The format and its options.
    pub(super) fn format(&mut self, queue: &Queue, told: &mut Told) -> Option<Format> {
        let Some(layout) = told.layout else {
            let word = queue.format.as_ref()?;
            let message = format!("there is no queue format `{}`", word.node);
            let known = LAYOUTS.iter().map(|layout| layout.word);
            let help = match did_you_mean(&word.node, known) {
                Some(meant) => format!("did you mean `as {meant}`?"),
                None => format!("formats are {}", words()),
            };
            self.report(Problem::error(Code::BadFormat, word.span, message).help(help));
            return None;
        };
        for (option, value) in &queue.options {
            self.option(layout, option, value.as_ref(), told);
        }
        let envelope = &told.envelope;
        let text = |word, default: &str| envelope.text(word).unwrap_or(default).to_owned();
        told.good.then(|| match layout.word {
            "stream" => Format::Stream { max_len: envelope.count("maxlen") },
            "delayed" => Format::Delayed,
            "pubsub" => Format::PubSub,
            "sidekiq" => Format::Sidekiq,
            "bullmq" => Format::BullMq { prefix: text("prefix", "bull") },
            "bull" => Format::Bull { prefix: text("prefix", "bull") },
            "celery" => Format::Celery,
            "rq" => Format::Rq,
            "arq" => Format::Arq,
            "dramatiq" => Format::Dramatiq { namespace: text("namespace", "dramatiq") },
            "asynq" => Format::Asynq,
            "resque" => Format::Resque { namespace: text("namespace", "resque") },
            "laravel" => Format::Laravel { prefix: text("prefix", "") },
            "taskiq" => Format::Taskiq { stream: envelope.is_set("stream") },
            "huey" => Format::Huey,
            "custom" => Format::Custom,
            _ => Format::List,
        })
    }

    fn option(&mut self, layout: &Layout, option: &Name, value: Option<&Expr>, told: &mut Told) {
        let mut known = layout.options.iter().chain(layouts::COMMON);
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
        let known = layout.options.iter().map(|word| word.word);
        let forms = layout.options.iter().map(|word| format!("`{}`", word.form));
        let help = match did_you_mean(&option.node, known) {
            _ if fields.contains(&option.node.as_str()) => {
                format!("begin it on a new line, or write `; {}`", option.node)
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None if layout.options.is_empty() => format!("`as {}` takes no options", layout.word),
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

    fn nanos(&mut self, seconds: &crate::exact::Exact, span: Span) -> Option<u64> {
        let nanos = seconds_to_nanos(seconds);
        if nanos.is_none() {
            self.report(
                Problem::error(Code::OutOfRange, span, "this is too long")
                    .help("a job waits a hundred years at most"),
            );
        }
        nanos
    }

    /// `args [ … ]`
    pub(super) fn arguments(&mut self, value: &Value, told: &mut Told) -> Option<Payload> {
        told.positional = true;
        let layout = told.layout;
        if let Some(layout) = layout.filter(|layout| layout.carries != Carries::Arguments) {
            self.cannot_say(layout, "args", value.span, "it carries a body: write `body { … }`");
            return None;
        }
        if !matches!(value.kind, ValueKind::Array(_) | ValueKind::List { .. }) {
            self.report(
                Problem::error(Code::BadFormat, value.span, "arguments stand in brackets")
                    .help("write `args [int(1..9), \"x\"]`, or `body` for a single one"),
            );
            return None;
        }
        self.body(value).map(Payload::Body)
    }

    fn cannot_say(&mut self, layout: &Layout, word: &str, span: Span, why: &str) {
        let message = format!("`as {}` cannot say `{word}`", layout.word);
        self.report(Problem::error(Code::CannotSay, span, message).help(why));
    }

    /// A field that tells the framework something.
    pub(super) fn tell(&mut self, field: &JobFieldKind, span: Span, told: &mut Told) {
        let Some(layout) = told.layout else { return };
        match field {
            JobFieldKind::Kwargs(value) => self.kwargs(layout, value, span, told),
            JobFieldKind::Delay(range) => match layout.delay {
                Ok(()) => {
                    let delay = self.delay(range);
                    told.note(|envelope| &mut envelope.delay_ns, delay);
                }
                Err(why) => self.refuse(layout, "delay", span, why, told),
            },
            JobFieldKind::Priority(range) => match layout.priority {
                Ok(ends) => {
                    let priority = self.priority(range, ends, layout);
                    told.note(|envelope| &mut envelope.priority, priority);
                }
                Err(why) => self.refuse(layout, "priority", span, why, told),
            },
            JobFieldKind::Timeout(value) => match layout.timeout {
                Ok(word) => {
                    let length = self.some_duration(value);
                    let nanos = length.and_then(|seconds| self.nanos(&seconds, value.span));
                    self.set(word, nanos.map(Setting::Duration), span, told);
                }
                Err(why) => self.refuse(layout, "timeout", span, why, told),
            },
            JobFieldKind::Retry(value) => match layout.retry {
                Ok((word, added)) => {
                    let setting = self.retry(layout, word, added, value);
                    self.set(word, setting, span, told);
                }
                Err(why) => self.refuse(layout, "retry", span, why, told),
            },
            _ => {}
        }
    }

    fn refuse(&mut self, layout: &Layout, word: &str, span: Span, why: &str, told: &mut Told) {
        self.cannot_say(layout, word, span, why);
        told.good = false;
    }

    fn kwargs(&mut self, layout: &Layout, value: &Value, span: Span, told: &mut Told) {
        if !layout.kwargs {
            return self.refuse(layout, "kwargs", span, "its jobs have no named arguments", told);
        }
        if !matches!(value.kind, ValueKind::Object(_)) {
            self.report(
                Problem::error(Code::BadFormat, value.span, "named arguments stand in braces")
                    .help("write `kwargs { lang: \"en\" }`"),
            );
            told.good = false;
            return;
        }
        let kwargs = self.body(value);
        told.note(|envelope| &mut envelope.kwargs, kwargs);
    }

    /// Sets an option by a statement of its own; given among the options too, one is too many.
    fn set(&mut self, word: &str, setting: Option<Setting>, span: Span, told: &mut Told) {
        if let Some(first) = told.places.insert(word.to_owned(), span) {
            self.report(
                Problem::error(Code::Twice, span, format!("`{word}` is one too many"))
                    .label("this one")
                    .and(first, "already given here")
                    .help("remove one of the two"),
            );
            told.good = false;
        }
        match setting {
            Some(setting) => _ = told.envelope.options.insert(word.to_owned(), setting),
            None => told.good = false,
        }
    }

    fn retry(&mut self, layout: &Layout, word: &str, added: u64, value: &Expr) -> Option<Setting> {
        let option = layout.options.iter().find(|option| option.word == word)?;
        if let (Kind::TruthOrCount, ExprKind::Name(name)) = (option.kind, &value.kind)
            && matches!(name.as_str(), "true" | "false")
        {
            return Some(Setting::Flag(name == "true"));
        }
        let tries = self.count(value, "a number of further tries")?;
        Some(Setting::Count(tries.saturating_add(added)))
    }

    fn delay(&mut self, range: &RangeArg) -> Option<(u64, u64)> {
        let low = self.duration(&range.low);
        let high = range.high.as_ref().map_or(low, |high| self.duration(high));
        let low = self.nanos(&low?, range.span)?;
        let high = self.nanos(&high?, range.span)?;
        if low > high {
            let end = range.high.as_ref().map_or(range.low.span, |high| high.span);
            self.range_order(range.low.span, end);
            return None;
        }
        Some((low, high))
    }

    fn priority(
        &mut self,
        range: &RangeArg,
        (least, most): (i64, i64),
        layout: &Layout,
    ) -> Option<(i64, i64)> {
        let mut number = |expr: &Expr| {
            let (value, unit) = self.quantity(expr)?;
            let inside = to_f64(&value) >= least as f64 && to_f64(&value) <= most as f64;
            if unit != Unit::Plain || !value.is_integer() || !inside {
                let message = format!("`as {}` has no such priority", layout.word);
                let help = format!("it is a whole number from {least} to {most}");
                self.report(Problem::error(Code::OutOfRange, expr.span, message).help(help));
                return None;
            }
            i64::try_from(value.to_integer()).ok()
        };
        let low = number(&range.low);
        let high = range.high.as_ref().map_or(low, &mut number);
        let (low, high) = (low?, high?);
        if low > high {
            let end = range.high.as_ref().map_or(range.low.span, |high| high.span);
            self.range_order(range.low.span, end);
            return None;
        }
        Some((low, high))
    }

    /// Everything a job tells its framework, and whether its arguments were given as such; none if
    /// something is wrong or missing.
    pub(super) fn envelope(&mut self, job: &Job, told: Told) -> Option<(Envelope, bool)> {
        let Told { layout, mut envelope, places, positional, first_command, mut good } = told;
        let layout = layout?;
        for word in layout.options.iter().filter(|word| word.required) {
            if !places.contains_key(word.word) {
                let message = format!("`as {}` needs its `{}`", layout.word, word.word);
                let place = queue_span(job).unwrap_or(job.name.span);
                self.report(
                    Problem::error(Code::IncompleteJob, place, message)
                        .help(format!("add it: `as {} {}`", layout.word, word.form)),
                );
                good = false;
            }
        }
        let own = layout.carries == Carries::Commands;
        if own && first_command.is_none() {
            self.report(
                Problem::error(
                    Code::IncompleteJob,
                    job.name.span,
                    "`as custom` needs its commands",
                )
                .help("add them: `command \"LPUSH\" key body`"),
            );
            good = false;
        }
        if let Some(span) = first_command.filter(|_| !own) {
            self.cannot_say(layout, "command", span, "write `as custom` for commands of your own");
            good = false;
        }
        if layout.word == "list" && envelope.is_set("left") && envelope.is_set("right") {
            let span = places.get("right").copied().unwrap_or(job.name.span);
            self.report(
                Problem::error(Code::Twice, span, "a list is pushed to at one end")
                    .help("remove one of the two"),
            );
            good = false;
        }
        if layout.word == "bullmq" {
            let name = Setting::Texts(vec![job.name.node.clone()]);
            envelope.options.entry("name".to_owned()).or_insert(name);
        }
        // What is told by the format itself is no part of the envelope.
        for word in ["maxlen", "prefix", "namespace", "stream", "left"] {
            envelope.options.remove(word);
        }
        good.then_some((envelope, positional))
    }
}

fn queue_span(job: &Job) -> Option<Span> {
    job.fields.iter().find_map(|field| match &field.kind {
        JobFieldKind::Queue(queue) => queue.format.as_ref().map(|word| word.span),
        _ => None,
    })
}
