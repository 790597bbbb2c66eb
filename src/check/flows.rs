//! Flows: their states in order, their ways with shares and delays, and what each step is sent as.

use super::Checker;
use super::jobs::{Jobs, Ready};
use crate::ast::{Flow, FlowWay, Name, RangeArg};
use crate::exact::{Exact, checked, seconds_to_nanos, to_f64, whole};
use crate::job::{self, JobSpec, MAX_STATES, Payload, TextPart, Value, Way};
use crate::plan::{FlowJobs, Steps, Stream};
use crate::problem::{Code, Problem};
use crate::schedule::{Until, expected};
use crate::show;
use crate::source::Span;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most things of a flow in a stream: its steps are counted one by one before a run.
const MAX_THINGS: u64 = 100_000_000;

impl Checker<'_> {
    /// Checks a flow against the jobs that its steps are sent as.
    pub(super) fn flow(&mut self, flow: &Flow, jobs: &Jobs) -> Option<Ready> {
        let weight = flow.weight.as_ref().map_or(Some(whole(1)), |weight| self.weight(weight));
        if flow.broken {
            return None;
        }
        let order = self.order_of_states(flow)?;
        let places: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut states: Vec<job::State> =
            order.iter().map(|name| job::State { name: name.clone(), ways: Vec::new() }).collect();
        let mut good = true;
        for step in &flow.steps {
            match self.ways(&step.ways, step.span, &places) {
                Some(ways) => states[places[step.from.node.as_str()]].ways = ways,
                None => good = false,
            }
        }
        if !good {
            return None;
        }
        let mut specs = Vec::new();
        for name in &order {
            specs.push(match jobs.get(name) {
                Some(Some(ready)) => Arc::clone(&ready.spec),
                // What is wrong with it has been said.
                Some(None) => return None,
                None => Arc::new(default_step(&flow.name.node, name)),
            });
        }
        let spec = Arc::clone(&specs[0]);
        let flow = job::Flow { name: flow.name.node.clone(), states };
        let flow_jobs = FlowJobs { flow: Arc::new(flow), jobs: specs };
        Some(Ready {
            spec,
            weight: weight?,
            place: Span::default(),
            flow: Some(Arc::new(flow_jobs)),
        })
    }

    /// The states, so that every way leads to a later one; what is wrong with them is reported.
    fn order_of_states(&mut self, flow: &Flow) -> Option<Vec<String>> {
        let mut left: BTreeMap<&str, &Name> = BTreeMap::new();
        for step in &flow.steps {
            let from = &step.from;
            if let Some(first) = left.insert(&from.node, from) {
                let message = format!("`{}` is left twice", from.node);
                self.report(
                    Problem::error(Code::DuplicateName, from.span, message)
                        .and(first.span, "left here too")
                        .help(
                            "write all ways out of a state in one line: `a -> b after 5m, or c 5%`",
                        ),
                );
                return None;
            }
        }
        let mut entered: BTreeMap<&str, usize> = BTreeMap::new();
        for way in flow.steps.iter().flat_map(|step| &step.ways) {
            *entered.entry(&way.to.node).or_default() += 1;
        }
        let starts: Vec<&Name> = flow
            .steps
            .iter()
            .map(|step| &step.from)
            .filter(|name| !entered.contains_key(name.node.as_str()))
            .collect();
        let first = match starts.as_slice() {
            [first] => (*first).clone(),
            [] => {
                let (span, what) = match flow.steps.first() {
                    None => (flow.name.span, "this flow has no states"),
                    Some(_) => {
                        (flow.name.span, "this flow has no first state: each is led to by another")
                    }
                };
                self.report(Problem::error(Code::BadFlow, span, what).help(
                    "begin with a state that no way leads to: `created -> paid after 5m..30m`",
                ));
                return None;
            }
            [one, other, ..] => {
                let message = "this flow begins in two states";
                self.report(
                    Problem::error(Code::BadFlow, other.span, message)
                        .label("nothing leads here")
                        .and(one.span, "nor here")
                        .help("a thing begins in one state: make two flows, or lead to this one"),
                );
                return None;
            }
        };
        // Kahn's order: a state follows when all ways into it have.
        let mut order: Vec<String> = Vec::new();
        let mut ready = vec![first.node.clone()];
        while let Some(state) = ready.pop() {
            if let Some(step) = flow.steps.iter().find(|step| step.from.node == state) {
                for way in step.ways.iter().rev() {
                    let open = entered.entry(&way.to.node).or_default();
                    *open = open.saturating_sub(1);
                    if *open == 0 {
                        ready.push(way.to.node.clone());
                    }
                }
            }
            order.push(state);
        }
        if let Some(step) = flow.steps.iter().find(|step| !order.contains(&step.from.node)) {
            let message = format!("things may come back to `{}` again and again", step.from.node);
            self.report(
                Problem::error(Code::BadFlow, step.from.span, message).label("in a circle").help(
                    "name the second time another state, such as `retried`: every way leads on",
                ),
            );
            return None;
        }
        if order.len() > MAX_STATES {
            let message = format!("this flow has more than {MAX_STATES} states");
            let problem = Problem::error(Code::BadFlow, flow.name.span, message);
            self.report(problem.help("make it two flows"));
            return None;
        }
        Some(order)
    }

    /// The ways out of a state: those without a share of their own have what the others leave, in
    /// equal parts; one without a delay of its own takes as long as the first.
    fn ways(
        &mut self,
        ways: &[FlowWay],
        span: Span,
        places: &BTreeMap<&str, usize>,
    ) -> Option<Vec<Way>> {
        let first = self.way_delay(ways.first().and_then(|way| way.after.as_ref()), span);
        let (mut found, mut sum, mut open) = (Vec::new(), whole(0), 0);
        let mut good = first.is_some();
        for (at, way) in ways.iter().enumerate() {
            let own = way.after.as_ref().filter(|_| at > 0);
            let delay = own.map_or(first, |after| self.way_delay(Some(after), span));
            let share = way.share.as_ref().map(|share| self.share(share));
            match share {
                None => open += 1,
                Some(Some(share)) => sum += share,
                Some(None) => good = false,
            }
            good &= delay.is_some();
            found.push((places[way.to.node.as_str()], share.flatten(), delay));
        }
        if !good {
            return None;
        }
        let left = whole(1) - sum;
        if left < whole(0) || (open > 0 && left == whole(0)) {
            let text = show::percent(to_f64(&sum));
            self.report(
                Problem::error(Code::OutOfRange, span, format!("these shares add up to {text}"))
                    .help(
                        "they may add up to 100%; a way without a share has what the others leave",
                    ),
            );
            return None;
        }
        let each = if open > 0 { checked('/', &left, &whole(open))? } else { whole(0) };
        let way = |(to, share, delay): (usize, Option<Exact>, Option<(u64, u64)>)| {
            let share = to_f64(&share.unwrap_or(each));
            Some(Way { to, share, delay_ns: delay? })
        };
        let ways: Option<Vec<Way>> = found.into_iter().map(way).collect();
        ways.map(|ways| ways.into_iter().filter(|way| way.share > 0.0).collect())
    }

    /// How long a way takes, in nanoseconds; `--speed` makes it shorter.
    fn way_delay(&mut self, after: Option<&RangeArg>, span: Span) -> Option<(u64, u64)> {
        let Some(after) = after else {
            self.report(
                Problem::error(
                    Code::MissingArgument,
                    span,
                    "this way does not say how long it takes",
                )
                .help("add it: `created -> paid after 5m..30m`"),
            );
            return None;
        };
        let low = self.duration(&after.low);
        let high = after.high.as_ref().map_or(low, |high| self.duration(high));
        let (low, high) = (low?, high?);
        if low > high {
            let high = after.high.as_ref().map_or(after.low.span, |high| high.span);
            self.range_order(after.low.span, high);
            return None;
        }
        let factor = self.options.speed.unwrap_or(whole(1));
        let nanos = |time: Exact| seconds_to_nanos(&checked('/', &time, &factor)?);
        Some((nanos(low)?, nanos(high)?))
    }

    /// Works out what is to be expected of the flows of a stream, whose plan ends at `until` at
    /// the latest.
    pub(super) fn expect_steps(
        &mut self,
        stream: &mut Stream,
        speeds: &[(u32, f64)],
        until: Option<Until>,
    ) -> Option<()> {
        if stream.mix.iter().all(|mixed| mixed.flow.is_none()) {
            return Some(());
        }
        stream.paces = self.paces(stream, speeds)?;
        let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
        let mut steps = Vec::new();
        for (entry, mixed) in stream.mix.iter().enumerate() {
            let Some(jobs) = &mixed.flow else { continue };
            let share = f64::from(mixed.weight) / weights;
            if stream.jobs() as f64 * share > MAX_THINGS as f64 {
                let place = self.flow_place(&jobs.flow.name);
                let message = format!("flow `{}` begins too many things", jobs.flow.name);
                self.report(Problem::error(Code::TooIntricate, place, message).help(format!(
                    "loadc follows up to {} of them in a load",
                    show::count(MAX_THINGS)
                )));
                return None;
            }
            let until_ns = until.map(|until| until.at_ns.saturating_sub(stream.after_ns));
            let expected = expected(&jobs.flow, share, &stream.timeline, &stream.paces, until_ns);
            steps.push(Steps {
                entry,
                timeline: Arc::new(Timeline::new(&expected.curve).ok()?),
                jobs: Arc::clone(jobs),
                expected: expected.steps,
                counted: false,
            });
        }
        stream.steps = steps;
        stream.until = until;
        Some(())
    }

    fn flow_place(&self, name: &str) -> Span {
        self.flows.get(name).copied().unwrap_or_default()
    }
}

/// What a step is sent as where no job bears its state's name.
fn default_step(flow: &str, state: &str) -> JobSpec {
    let text = |text: &str| Value::Text(vec![TextPart::Literal(text.to_owned())]);
    let fields = [("thing", Value::Seq), ("flow", text(flow)), ("state", text(state))];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    JobSpec {
        name: state.to_owned(),
        payload: Payload::Body(Value::Object(fields.into())),
        ..JobSpec::default_job()
    }
}
