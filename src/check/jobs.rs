//! Jobs and who sends which.

use super::Checker;
use super::drawn::Drawing;
use super::envelope::{Told, clash, format_name};
use super::lower::Node;
use super::scope::{Scope, Scopes, Settings};
use super::stretches::Waiting;
use crate::ast::{
    Content, Expr, Job, JobFieldKind, Lateness, MixItem, Name, Queue, SizeSpec, Value, ValueKind,
};
use crate::exact::{Exact, seconds_to_nanos, to_f64, whole};
use crate::job::{Format, JobSpec, LARGE, MEDIUM, Payload, QueueChoice, SMALL};
use crate::plan::{FlowJobs, Late, MixEntry};
use crate::problem::{Code, Problem};
use crate::schedule::Block;
use crate::show;
use crate::source::Span;
use crate::timeline::curve::{Arrivals, Curve};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A job that checks, with its weight.
#[derive(Clone)]
pub(super) struct Ready {
    pub spec: Arc<JobSpec>,
    pub weight: Exact,
    pub place: Span,
    /// What its jobs begin, if it is a flow.
    pub flow: Option<Arc<FlowJobs>>,
}

/// The jobs of a script by name; `None` for those found wrong.
pub(super) type Jobs = BTreeMap<String, Option<Ready>>;

/// A stream before its timeline is compiled.
pub(super) struct Draft {
    /// The load's name and its place.
    pub name: Option<Name>,
    /// Its index among the scopes.
    pub scope: usize,
    /// `after`, in seconds.
    pub after: Exact,
    /// How its jobs lie along it.
    pub arrivals: Drawing,
    /// What becomes of its overdue jobs.
    pub late: Late,
    /// How many of its jobs fall due together.
    pub batch: u64,
    /// Its blocks with arrivals of their own.
    pub blocks: Vec<Block>,
    /// The marks of what only warms up.
    pub warmups: Vec<u32>,
    /// What may end before its time.
    pub waits: Vec<Waiting>,
    /// Its `speed` blocks.
    pub speeds: Vec<(u32, f64)>,
    /// Its curve, if all of its phrases check.
    pub curve: Option<Curve>,
    /// Its phrases.
    pub nodes: Vec<Node>,
    /// Its jobs.
    pub mix: Vec<MixEntry>,
}

/// The most jobs of a batch.
const MAX_BATCH: u64 = 10_000;

/// Weights of one mix may add up to this, once they are whole numbers.
const MAX_CYCLE: i128 = 1_000_000;

impl Checker<'_> {
    /// Checks every job.
    pub(super) fn jobs(&mut self, scopes: &Scopes<'_>) -> Jobs {
        let mut jobs = Jobs::new();
        let mut formats: BTreeMap<String, (Format, Span)> = BTreeMap::new();
        for job in &scopes.jobs {
            let ready = self.job(job, &mut formats);
            jobs.insert(job.name.node.clone(), ready);
        }
        for flow in &scopes.flows {
            let ready = self.flow(flow, &jobs);
            jobs.insert(flow.name.node.clone(), ready);
        }
        for name in &scopes.broken {
            jobs.entry(name.clone()).or_insert(None);
        }
        self.jobs_sound = !self.shaky
            && !self.lacks_file
            && !scopes.any_broken
            && jobs.values().all(Option::is_some);
        jobs
    }

    fn job(&mut self, job: &Job, formats: &mut BTreeMap<String, (Format, Span)>) -> Option<Ready> {
        let (mut queue, mut payload, mut broken) = (None, None, false);
        let layout = job.fields.iter().find_map(|field| match &field.kind {
            JobFieldKind::Queue(queue) => self.layout(queue),
            _ => None,
        });
        let mut told = Told::new(layout);
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        self.rows_of(job);
        for field in &job.fields {
            let (word, clash) = match &field.kind {
                JobFieldKind::Queue(_) => ("queue", "queue"),
                JobFieldKind::Body(_) | JobFieldKind::BodyFile(_) => ("body", "payload"),
                JobFieldKind::Size(..) => ("size", "payload"),
                JobFieldKind::Rows(_) => continue,
                JobFieldKind::Args(_) => ("args", "payload"),
                JobFieldKind::Kwargs(_) => ("kwargs", "kwargs"),
                JobFieldKind::Priority(_) => ("priority", "priority"),
                JobFieldKind::Delay(_) => ("delay", "delay"),
                JobFieldKind::Timeout(_) => ("timeout", "timeout"),
                JobFieldKind::Retry(_) => ("retry", "retry"),
                JobFieldKind::Command(words) => {
                    self.own_command(words, field.span, &mut told);
                    continue;
                }
                JobFieldKind::Broken => {
                    broken = true;
                    continue;
                }
            };
            if let Some(first) = seen.insert(clash, field.span) {
                self.report(
                    Problem::error(Code::Twice, field.span, format!("`{word}` is one too many"))
                        .label("this one")
                        .and(first, "already given here")
                        .help("a job has one queue, and one `body`, `args` or `size`"),
                );
                continue;
            }
            match &field.kind {
                JobFieldKind::Queue(spec) => queue = Some(self.queue(spec, formats, &mut told)),
                JobFieldKind::Body(value) => payload = Some(self.body(value).map(Payload::Body)),
                JobFieldKind::BodyFile(path) => {
                    payload = Some(self.blob(path).map(Payload::File));
                }
                JobFieldKind::Size(size, content) => {
                    payload = Some(self.size_range(size, *content));
                }
                JobFieldKind::Args(value) => payload = Some(self.arguments(value, &mut told)),
                other => self.tell(other, field.span, &mut told),
            }
        }
        let weight = job.weight.as_ref().map_or(Some(whole(1)), |weight| self.weight(weight));
        if queue.is_none() && !broken {
            self.report(
                Problem::error(
                    Code::IncompleteJob,
                    job.name.span,
                    format!("job `{}` does not say where it goes", job.name.node),
                )
                .help(format!("add its queue: `queue \"{}s\"`", job.name.node)),
            );
        }
        let payload = payload.unwrap_or_else(|| Some(JobSpec::default_job().payload));
        let envelope = self.envelope(job, told);
        let ((queue, format), payload, (envelope, positional)) = (queue??, payload?, envelope?);
        let payload = self.carried(payload, layout, positional, job.name.span)?;
        let spec = JobSpec { name: job.name.node.clone(), queue, format, payload, envelope };
        let place = job.name.span;
        (!broken).then_some(Ready { spec: Arc::new(spec), weight: weight?, place, flow: None })
    }

    fn queue(
        &mut self,
        queue: &Queue,
        formats: &mut BTreeMap<String, (Format, Span)>,
        told: &mut Told,
    ) -> Option<(QueueChoice, Format)> {
        let format = self.format(queue, told);
        let names = self.queue_names(&queue.name)?;
        let format = format?;
        for (name, span, _) in &names {
            if name.is_empty() {
                self.report(
                    Problem::error(Code::BadFormat, *span, "a queue needs a name")
                        .help("write the key that your workers read, such as `queue \"orders\"`"),
                );
                return None;
            }
            match formats.get(name) {
                Some((other, first)) if clash(other, &format) => {
                    self.report(
                        Problem::error(
                            Code::QueueConflict,
                            *span,
                            format!("queue `{name}` is written in two ways"),
                        )
                        .label(format!("as {} here", format_name(&format)))
                        .and(*first, format!("as {} here", format_name(other)))
                        .help(match format.word() == other.word() {
                            true => "jobs of one queue must agree on what is set behind its format",
                            false => "a key holds one type: use two queues, or one format",
                        }),
                    );
                    return None;
                }
                _ => {
                    formats.insert(name.clone(), (format.clone(), *span));
                }
            }
        }
        let choice = match names.as_slice() {
            [(name, ..)] => QueueChoice::Fixed(name.clone()),
            _ => QueueChoice::Pick(
                names.into_iter().map(|(name, _, weight)| (name, weight)).collect(),
            ),
        };
        Some((choice, format))
    }

    fn queue_names(&mut self, value: &Value) -> Option<Vec<(String, Span, f64)>> {
        match &value.kind {
            ValueKind::Text(_) => {
                let name = self.plain_text(value)?;
                Some(vec![(name, value.span, 1.0)])
            }
            ValueKind::Call { name, args } if name.node == "pick" => {
                let choices = self.choices(name.span, args)?;
                let named = choices.into_iter().map(|(value, weight)| {
                    let text = self.plain_text(value);
                    text.map(|text| (text, value.span, to_f64(&weight)))
                });
                named.collect::<Vec<_>>().into_iter().collect()
            }
            _ => {
                self.report(
                    Problem::error(
                        Code::BadFormat,
                        value.span,
                        "a queue is a name, or a `pick` among names",
                    )
                    .help("write `queue \"orders\"` or `queue pick(\"a\" 70%, \"b\" 30%)`"),
                );
                None
            }
        }
    }

    fn size_range(&mut self, size: &SizeSpec, content: Content) -> Option<Payload> {
        let (min, max) = match size {
            SizeSpec::Class(class) => match class.node.as_str() {
                "small" => SMALL,
                "medium" => MEDIUM,
                "large" => LARGE,
                _ => return Some(Payload::Mixed(content)),
            },
            SizeSpec::Range(low, high) => {
                let min = self.size(low);
                let max = high.as_ref().map_or(min, |high| self.size(high));
                let (min, max) = (min?, max?);
                if min > max {
                    let high = high.as_ref().map_or(low.span, |high| high.span);
                    self.range_order(low.span, high);
                    return None;
                }
                (min, max)
            }
        };
        Some(Payload::Size { min, max, content })
    }

    /// A range that runs backwards.
    pub(super) fn range_order(&mut self, low: Span, high: Span) {
        self.report(
            Problem::error(Code::OutOfRange, high, "this range runs backwards")
                .label("it ends here")
                .and(low, "and starts above that")
                .help("write the smaller number first"),
        );
    }

    /// The streams of a script: the file's own phrases, if there are any, and every load.
    pub(super) fn streams(
        &mut self,
        scopes: &Scopes<'_>,
        jobs: &Jobs,
        settings: &Settings,
    ) -> Vec<Draft> {
        let (seed, starts) = (settings.seed, settings.starts.as_ref());
        let mut drafts = Vec::new();
        let late_of_file = self.late(scopes.scopes[0].late);
        let of_file = self.chosen_arrivals(scopes.scopes[0].arrivals);
        let of_file = of_file.unwrap_or((Arrivals::Even, Span::default()));
        let batch_of_file = scopes.scopes[0].batch.map_or(1, |size| self.batch(size));
        for (index, scope) in scopes.scopes.iter().enumerate() {
            let empty = scope.phrases.is_empty() && !self.shaky;
            if let (Some(name), true) = (scope.name, empty) {
                self.report(
                    Problem::error(
                        Code::NoLoad,
                        name.span,
                        format!("load `{}` has no shape", name.node),
                    )
                    .help("say how it runs, such as `constant 100 for 5m`"),
                );
            }
            let after = scope.after.map_or(Some(whole(0)), |after| self.duration(after));
            let late = match scope.late.filter(|_| index > 0) {
                Some(own) => self.late(Some(own)),
                None => late_of_file,
            };
            let own = scope.arrivals.filter(|_| index > 0);
            let chosen = self.chosen_arrivals(own).unwrap_or(of_file);
            let own = scope.batch.filter(|_| index > 0);
            let batch = own.map_or(batch_of_file, |size| self.batch(size));
            let arrivals = self.begin_stream(seed, scope.name, chosen);
            let whole_after = after.unwrap_or_else(|| whole(0));
            let (curve, nodes) = self.stream_curve(&scope.phrases, &whole_after, starts);
            let blocks = std::mem::take(&mut self.blocks);
            let warmups = std::mem::take(&mut self.warmups);
            let waits = std::mem::take(&mut self.waits);
            let speeds = std::mem::take(&mut self.speeds);
            let curve = curve.and_then(|curve| {
                let own = [scope, &scopes.scopes[0]].into_iter().find(|one| !one.hours.is_empty());
                let hours = own.map_or(&[][..], |one| &one.hours);
                self.by_hours(curve, hours, whole_after, starts)
            });
            let mix = self.mix(scope, scopes, jobs);
            if !scope.phrases.is_empty() {
                let after = whole_after;
                let name = scope.name.cloned();
                drafts.push(Draft {
                    name,
                    scope: index,
                    after,
                    arrivals,
                    blocks,
                    warmups,
                    waits,
                    speeds,
                    late,
                    batch,
                    curve,
                    nodes,
                    mix,
                });
            }
        }
        drafts
    }

    /// What a scope says of overdue jobs; they are sent where it says nothing, or what is wrong,
    /// which has been said.
    fn late(&mut self, late: Option<&Lateness>) -> Late {
        let nanos = |checker: &mut Self, length: &Expr| {
            checker.some_duration(length).and_then(|seconds| seconds_to_nanos(&seconds))
        };
        match late {
            None | Some(Lateness::Send) => Late::Send,
            Some(Lateness::Skip(after)) => nanos(self, after).map_or(Late::Send, Late::SkipAfter),
            Some(Lateness::Spread(over)) => nanos(self, over).map_or(Late::Send, Late::SpreadOver),
        }
    }

    /// How many jobs a batch has.
    fn batch(&mut self, size: &Expr) -> u64 {
        let Some(found) = self.count(size, "the size of a batch") else { return 1 };
        if !(1..=MAX_BATCH).contains(&found) {
            let message = format!("a batch has from 1 to {} jobs", show::count(MAX_BATCH));
            self.report(
                Problem::error(Code::OutOfRange, size.span, message).help("write `batch 10`"),
            );
            return 1;
        }
        found
    }

    /// The jobs of a stream: those its `send` names; else those defined in it; else those of the
    /// file that stand outside any load; else the default one.
    fn mix(&mut self, scope: &Scope<'_>, scopes: &Scopes<'_>, jobs: &Jobs) -> Vec<MixEntry> {
        let chosen: Vec<(Ready, Exact, Span)> = match scope.mix {
            Some(items) => self.named_mix(items, jobs),
            None => {
                let own = [&scope.jobs, &scopes.scopes[0].jobs];
                let names = own.into_iter().find(|names| !names.is_empty());
                let known = names.into_iter().flatten();
                // What the steps of a flow are sent as is not sent by itself.
                let is_step = |name: &str| {
                    let flows = jobs.values().flatten().filter_map(|ready| ready.flow.as_ref());
                    let mut states = flows.flat_map(|jobs| &jobs.flow.states);
                    states.any(|state| state.name == name)
                };
                known
                    .filter(|name| !is_step(name))
                    .filter_map(|name| jobs.get(name).cloned().flatten())
                    .map(|ready| (ready.clone(), ready.weight, ready.place))
                    .collect()
            }
        };
        let spec = Arc::new(JobSpec::default_job());
        let default = Ready { spec, weight: whole(1), place: Span::default(), flow: None };
        let chosen = match chosen.is_empty() {
            true => vec![(default, whole(1), Span::default())],
            false => chosen,
        };
        self.whole_weights(chosen)
    }

    fn named_mix(&mut self, items: &[MixItem], jobs: &Jobs) -> Vec<(Ready, Exact, Span)> {
        let mut chosen = Vec::new();
        for item in items {
            let weight = item.weight.as_ref().map(|weight: &Expr| self.weight(weight));
            match jobs.get(&item.job.node) {
                Some(Some(ready)) => {
                    let weight = weight.map_or(Some(ready.weight), |weight| weight);
                    // What was left out may write to any queue.
                    self.jobs_sound &= weight.is_some();
                    chosen.extend(weight.map(|weight| (ready.clone(), weight, item.job.span)));
                }
                Some(None) => {}
                None if self.lacks_file => {}
                None if !self.misused.insert(format!("job {}", item.job.node)) => {}
                None => {
                    // The one that was meant may write to any queue.
                    self.jobs_sound = false;
                    let message = format!("there is no job `{}`", item.job.node);
                    let help = match self.meant(&item.job.node, jobs.keys().map(String::as_str)) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => {
                            let name = &item.job.node;
                            let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
                            let name = if plain { name.clone() } else { format!("{name:?}") };
                            format!("define it: `job {name} {{ queue \"…\" }}`")
                        }
                    };
                    self.report(
                        Problem::error(Code::UnknownName, item.job.span, message).help(help),
                    );
                }
            }
        }
        if chosen.len() == items.len() {
            let weights = chosen.iter().map(|(_, weight, _)| *weight).collect();
            self.mix_lint(items, weights);
        }
        chosen
    }

    /// Weights as whole numbers without a common divisor.
    fn whole_weights(&mut self, chosen: Vec<(Ready, Exact, Span)>) -> Vec<MixEntry> {
        let common = chosen.iter().try_fold(1_i128, |common, (_, weight, _)| {
            common.checked_mul(*weight.denom() / gcd(common, *weight.denom()))
        });
        let scaled = common.and_then(|common| {
            let scaled = chosen
                .iter()
                .map(|(_, weight, _)| weight.numer().checked_mul(common / weight.denom()));
            scaled.collect::<Option<Vec<_>>>()
        });
        let divisor = scaled.iter().flatten().fold(0, |divisor, weight| gcd(divisor, *weight));
        let place = chosen.first().map(|(.., span)| *span).unwrap_or_default();
        let sum = scaled.iter().flatten().sum::<i128>() / divisor.max(1);
        if scaled.is_none() || sum == 0 || sum > MAX_CYCLE {
            // The weight of a job that was found wrong may be what is missing.
            if !self.jobs_sound {
                return Vec::new();
            }
            let (message, help) = match sum {
                0 if scaled.is_some() => {
                    ("these weights are all 0", "give at least one job a weight above 0")
                }
                _ => (
                    "these weights are too fine",
                    "their ratio needs more than a million jobs to come out even: round them",
                ),
            };
            self.report(Problem::error(Code::OutOfRange, place, message).help(help));
            return Vec::new();
        }
        let entries = chosen.into_iter().zip(scaled.into_iter().flatten());
        entries
            .filter_map(|((ready, ..), weight)| {
                let weight = u32::try_from(weight / divisor.max(1)).ok()?;
                (weight > 0).then(|| {
                    let flow = ready.flow.clone();
                    MixEntry { job: ready.spec.clone(), weight, flow }
                })
            })
            .collect()
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1).min(a.abs().max(1)) } else { gcd(b, a % b) }
}
