//! When jobs fall due: a sentence for each phrase, with the numbers of the plan and, for the form
//! of the curve, the words of the script.

use super::{INDENT, Page};
use crate::ast::{
    Arg, Arrival, Between, Burst, Chaos, Comparison, Expr, ExprKind, Phrase as Tree, PhraseKind,
    Points, Ramp, RampCurve, Replay, Script, Sine, Statement, StatementKind, Steps, Unit, Until,
    Walk,
};
use crate::plan::{Phrase, PhraseJobs, Stream};
use crate::show;
use crate::source::{SourceFile, Span};
use std::collections::HashMap;

/// The phrases of a script, by where they stand.
pub(super) struct Phrases<'a> {
    source: &'a SourceFile,
    trees: HashMap<Span, &'a Tree>,
}

impl<'a> Phrases<'a> {
    pub fn of(source: &'a SourceFile, scripts: &'a [Script]) -> Self {
        let mut trees = HashMap::new();
        for script in scripts {
            collect(&script.statements, &mut trees);
        }
        Phrases { source, trees }
    }

    /// Says when the jobs of a stream fall due.
    pub fn say(&self, stream: &Stream, page: &mut Page) {
        for phrase in &stream.phrases {
            self.phrase(phrase, stream.after_ns, false, INDENT, page);
        }
    }

    /// `scaled` says that a `total` around it scales its rates: its words state others.
    fn phrase(&self, phrase: &Phrase, after_ns: u64, scaled: bool, indent: usize, page: &mut Page) {
        // What is laid over the rest makes an entry with a place and no words of its own.
        let is_sum = phrase.phrases.iter().any(|inner| inner.is_overlay);
        let tree = self.trees.get(&phrase.span).copied().filter(|_| !is_sum);
        let at = |t_ns: u64| show::duration(t_ns.saturating_add(after_ns));
        let label = phrase.label.as_ref();
        let label = label.map_or_else(String::new, |label| format!(" (“{}”)", show::clean(label)));
        let is_instant = phrase.start_ns == phrase.end_ns;
        let when = match is_instant {
            true => format!("At {}{label}", at(phrase.start_ns)),
            false => format!("From {} to {}{label}", at(phrase.start_ns), at(phrase.end_ns)),
        };
        let says = match tree {
            Some(tree) if is_empty_block(&tree.kind) => "runs nothing".to_owned(),
            Some(tree) => self.says(tree),
            None if is_sum => "runs the sum of what follows".to_owned(),
            None => format!("`{}`", show::clean(&phrase.text)),
        };
        let jobs = match phrase.jobs {
            PhraseJobs::Exact(jobs) => show::plural(jobs, "job"),
            PhraseJobs::Share(jobs) => format!("{} jobs of the sum", show::share_of_jobs(jobs)),
        };
        let scaled = scaled || tree.is_some_and(|tree| tree.total.is_some());
        let numbers = match tree.map(|tree| &tree.kind) {
            Some(kind) if scaled && !kind.is_block() && phrase.peak_per_s > 0.0 => format!(
                "; by its total it begins at {} and ends at {}: {jobs}, at most {}",
                show::rate(phrase.rate_start_per_s),
                show::rate(phrase.rate_end_per_s),
                show::rate(phrase.peak_per_s)
            ),
            Some(PhraseKind::Pause(_) | PhraseKind::Drain(_) | PhraseKind::AtOnce(_)) => {
                String::new()
            }
            Some(PhraseKind::Hold(_)) => {
                format!(": at most {jobs}, at most {}", show::rate(phrase.peak_per_s))
            }
            Some(PhraseKind::Constant { rate, .. }) if is_number(rate) => format!(": {jobs}"),
            _ if is_instant || phrase.peak_per_s == 0.0 => format!(": {jobs}"),
            _ => format!(": {jobs}, at most {}", show::rate(phrase.peak_per_s)),
        };
        let total = tree.and_then(|tree| tree.total.as_ref()).map_or_else(String::new, |total| {
            format!(" (its rates scaled so that it holds exactly {})", self.words(total))
        });
        let until = tree.and_then(|tree| tree.until.as_ref());
        let until = until.map_or_else(String::new, |until| self.until(until));
        page.say(indent, &format!("{when} {says}{numbers}{total}{until}."));
        // What runs no time at all has no time of its own to tell.
        let inner = if is_instant && phrase.jobs == PhraseJobs::Exact(0) {
            &[][..]
        } else {
            &phrase.phrases
        };
        for inner in inner {
            self.phrase(inner, after_ns, scaled, indent + INDENT, page);
        }
    }

    /// What a phrase does, behind the times it takes.
    fn says(&self, tree: &Tree) -> String {
        match &tree.kind {
            PhraseKind::Constant { rate, .. } => format!("the rate is {}", self.rate(rate)),
            PhraseKind::Pause(_) => "nothing falls due".to_owned(),
            PhraseKind::Drain(_) => {
                "nothing falls due until the queues are empty, or that time is up".to_owned()
            }
            PhraseKind::Hold(hold) => {
                let depth = self.words(&hold.depth);
                let queue = hold.queue.as_ref();
                let queue = queue.map_or_else(String::new, |queue| {
                    format!(" of `{}`", show::clean(&queue.node))
                });
                format!("no more jobs fall due than bring the depth{queue} up to {depth}")
            }
            PhraseKind::Ramp(ramp) => self.ramp(ramp),
            PhraseKind::Sine(sine) => self.sine(sine),
            PhraseKind::Burst(burst) => self.burst(burst),
            PhraseKind::Steps(steps) => self.steps(steps),
            PhraseKind::Stairs { from, to, by, every } => format!(
                "the rate goes from {} to {} in steps of {}, one every {}",
                self.rate(from),
                self.rate(to),
                self.rate(by),
                self.words(every)
            ),
            PhraseKind::Points(points) => self.points(points),
            PhraseKind::Walk(walk) => self.walk(walk),
            PhraseKind::Chaos(chaos) => self.chaos(chaos),
            PhraseKind::Replay(replay) => self.replay(replay),
            PhraseKind::AtOnce(jobs) => format!("{} jobs fall due at once", self.words(jobs)),
            PhraseKind::Call { name, args } => {
                let arg = |arg: &Arg| {
                    let value = self.source.slice(arg.value.span).split_whitespace();
                    let value = value.collect::<Vec<_>>().join(" ");
                    let lead = arg.name.as_ref().map(|name| format!("{} = ", name.node));
                    format!("{}{value}", lead.unwrap_or_default())
                };
                let args = args.iter().map(arg).collect::<Vec<_>>().join(", ");
                let args = if args.is_empty() { args } else { format!("({args})") };
                format!("runs the shape `{}`", show::clean(&format!("{}{args}", name.node)))
            }
            PhraseKind::Group(_) => "runs what follows, one after another".to_owned(),
            PhraseKind::Repeat(None, _) => "runs what follows again and again".to_owned(),
            PhraseKind::Repeat(Some(times), _) => {
                let times = self.words(times);
                format!("runs what follows {times} times over (the times are those of the first)")
            }
            PhraseKind::Together(_) => "runs the sum of what follows".to_owned(),
            PhraseKind::Scale(by, _) => {
                format!("runs what follows with its rate times {}", self.factor(by))
            }
            PhraseKind::Cap(at, _) => {
                format!("runs what follows with its rate cut off above {}", self.rate(at))
            }
            PhraseKind::Floor(at, _) => {
                format!("runs what follows with its rate never below {}", self.rate(at))
            }
            PhraseKind::Arrivals(arrival, _) => {
                let how = match arrival {
                    Arrival::Even => "evenly",
                    Arrival::Poisson { exact: false } => "by chance, as a Poisson process",
                    Arrival::Poisson { exact: true } => "by chance, as many as the curve says",
                    Arrival::Gamma(_) => "by chance, at gamma intervals",
                };
                format!("runs what follows with jobs that arrive {how}")
            }
            PhraseKind::Jitter(by, _) => format!(
                "runs what follows with its rate shaken, by up to {} in each second",
                self.words(by)
            ),
            PhraseKind::Warmup(_) => {
                "runs what follows to warm up: no expectation judges it".to_owned()
            }
            PhraseKind::At(..) => "runs what follows, added to the rest".to_owned(),
            PhraseKind::Speed(by, _) => {
                format!("runs what follows {} times as fast", self.factor(by))
            }
        }
    }

    fn until(&self, until: &Until) -> String {
        let queue = match &until.queue {
            Some(queue) => format!("the depth of `{}`", show::clean(&queue.node)),
            None => "the depth".to_owned(),
        };
        let is = match until.comparison.node {
            Comparison::Less => "below",
            Comparison::AtMost => "at most",
            Comparison::Equal => "exactly",
            Comparison::AtLeast => "at least",
            Comparison::Greater => "above",
        };
        let limit = self.words(&until.limit);
        format!(", all of it at most: it ends as soon as {queue} is {is} {limit}")
    }

    fn ramp(&self, ramp: &Ramp) -> String {
        let way = match ramp.curve.node {
            RampCurve::Linear => "in a straight line",
            RampCurve::Exponential => "by the same factor in the same time",
            RampCurve::Logarithmic => "fast at first, then ever more slowly",
            RampCurve::Smooth => "gently at both ends",
        };
        let (from, to) = (self.rate(&ramp.from), self.rate(&ramp.to));
        let mut text = format!("the rate goes from {from} to {to} {way}");
        if ramp.hold.is_some() || ramp.back.is_some() {
            text.push_str(&format!(" in {}", self.words(&ramp.over)));
        }
        if let Some(hold) = &ramp.hold {
            text.push_str(&format!(", stays there for {}", self.words(hold)));
        }
        match &ramp.back {
            Some(Some(over)) => text.push_str(&format!(", and goes back in {}", self.words(over))),
            Some(None) => text.push_str(", and goes back the same way"),
            None => {}
        }
        text
    }

    fn sine(&self, sine: &Sine) -> String {
        let base = self.rate(&sine.base);
        let mut text = match &sine.amp.kind {
            ExprKind::Negate(amp) => {
                format!("the rate swings by {} about {base}, down first", self.rate(amp))
            }
            _ => format!("the rate swings by {} about {base}", self.rate(&sine.amp)),
        };
        match &sine.period {
            Some(period) => text.push_str(&format!(", a wave every {}", self.words(period))),
            None => text.push_str(", in one wave"),
        }
        if let Some(phase) = &sine.phase {
            text.push_str(&format!(" (from {} on)", self.words(phase)));
        }
        text
    }

    fn burst(&self, burst: &Burst) -> String {
        let is_factor = matches!(&burst.rate.kind, ExprKind::Factor(_));
        let base = burst.base.as_ref().map_or_else(|| "0".to_owned(), |base| self.rate(base));
        let high = match is_factor {
            true => format!("{} times as much", self.factor(&burst.rate)),
            false => self.rate(&burst.rate),
        };
        let (on, every) = (self.words(&burst.on), self.words(&burst.every));
        let mut text =
            format!("the rate is {base}, but {high} for the first {on} of every {every}");
        if let Some(times) = &burst.times {
            text.push_str(&format!(", {} times", self.words(times)));
        }
        text
    }

    fn steps(&self, steps: &Steps) -> String {
        let level = |(level, length): &(Expr, Option<Expr>)| match length {
            Some(length) => format!("{} for {}", self.rate(level), self.words(length)),
            None => self.rate(level),
        };
        let levels: Vec<String> = steps.levels.iter().map(level).collect();
        let mut text = format!("the rate goes through the steps {}", levels.join(", "));
        if let Some(each) = &steps.each {
            let rest = if steps.levels.iter().any(|(_, length)| length.is_some()) {
                "the others "
            } else {
                ""
            };
            text.push_str(&format!(", {rest}{} each", self.words(each)));
        }
        if steps.over.is_some() {
            text.push_str(", round and round");
        }
        text
    }

    fn points(&self, points: &Points) -> String {
        let way = match points.between {
            Between::Linear => "in straight lines",
            Between::Held => "holding each until the next",
            Between::Smooth => "in a smooth line",
        };
        let round = if points.repeat.is_some() { ", round and round" } else { "" };
        // A level that is held until the very time it begins at is never there.
        let stays = |at: usize| {
            let time = |at: usize| points.points.get(at).map(|(time, _)| self.words(time));
            points.between != Between::Held || time(at) != time(at + 1)
        };
        let points = points.points.iter().enumerate().filter(|(at, _)| stays(*at));
        let rates = points.map(|(_, (_, rate))| self.rate(rate));
        let rates: Vec<String> = rates.collect();
        format!("the rate goes through {} {way}{round}", rates.join(", "))
    }

    fn walk(&self, walk: &Walk) -> String {
        let (from, by) = (self.rate(&walk.from), self.rate(&walk.by));
        let within = match &walk.within {
            Some((low, high)) => {
                format!(", turning back at {} and {}", self.rate(low), self.rate(high))
            }
            None => ", turning back at 0".to_owned(),
        };
        let every = self.words(&walk.every);
        format!(
            "the rate starts at {from} and goes up or down by {by} every {every}, by chance{within}"
        )
    }

    fn chaos(&self, chaos: &Chaos) -> String {
        let (low, high) = (self.rate(&chaos.low), self.rate(&chaos.high));
        let every = match &chaos.every {
            (shortest, Some(longest)) => {
                format!("{} to {}", self.words(shortest), self.words(longest))
            }
            (time, None) => self.words(time),
        };
        format!(
            "the rate goes in straight lines between levels from {low} to {high}, drawn every {every}"
        )
    }

    fn replay(&self, replay: &Replay) -> String {
        let file = show::clean(&replay.file.node);
        let mut text = match &replay.at {
            Some(column) => {
                let column = show::clean(&column.name.node);
                format!("one job falls due at each instant in `{column}` of the recording {file}")
            }
            None => format!("the rate follows the recording {file}"),
        };
        if let Some(scale) = &replay.scale {
            text.push_str(&format!(", {} times as much", self.factor(scale)));
        }
        if let Some(speed) = &replay.speed {
            text.push_str(&format!(", {} times as fast", self.factor(speed)));
        }
        text
    }

    /// A rate as it was written, with its unit; what is no number in quotes.
    fn rate(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Literal(literal) if literal.unit == Unit::Plain => {
                format!("{}/s", literal.text)
            }
            _ => self.words(expr),
        }
    }

    fn factor(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Factor(inner) => self.words(inner),
            _ => self.words(expr),
        }
    }

    fn words(&self, expr: &Expr) -> String {
        let text = self.source.slice(expr.span).split_whitespace().collect::<Vec<_>>().join(" ");
        let text = show::clean(&text);
        if is_number(expr) { text } else { format!("`{text}`") }
    }
}

fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Per(inner, _) => matches!(inner.kind, ExprKind::Literal(_)),
        _ => false,
    }
}

fn collect<'a>(statements: &'a [Statement], trees: &mut HashMap<Span, &'a Tree>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Load(load) => collect(&load.body, trees),
            StatementKind::Shape(shape) => collect(&shape.body, trees),
            StatementKind::Phrase(phrase) => {
                trees.insert(phrase.head, phrase);
                collect(body(&phrase.kind).unwrap_or_default(), trees);
            }
            _ => {}
        }
    }
}

/// What is within a block.
fn body(kind: &PhraseKind) -> Option<&[Statement]> {
    kind.is_block().then(|| kind.body())
}

fn is_empty_block(kind: &PhraseKind) -> bool {
    body(kind).is_some_and(<[Statement]>::is_empty)
}
