//! What is measured for expectations alone: the jobs of a phrase or of a queue by themselves, what can
//! no longer be met, and what comes back to where it was.
//!
//! A run whose expectations speak of the whole and are judged at its end has none of it.

mod part;
mod recovery;
mod tally;

pub use part::Part;
pub use recovery::{Recovering, Second};
pub use tally::Tally;

use crate::ast::Measure;
use crate::plan::Expectation;
use crate::sink::Outcome;
use crate::stats::{Flight, Settled};

/// An expectation, and what is measured for it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// As it is planned.
    pub expectation: Expectation,
    /// The part of the run that it speaks of, if not the whole.
    pub part: Option<usize>,
    /// Where it is said to stop: what each job does to it.
    pub tally: Option<Tally>,
    /// Where something has to come back.
    pub recovery: Option<Recovering>,
    /// What came of it before the end.
    pub decided: Option<Decided>,
}

/// What came of an expectation before the end of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided {
    /// What was measured.
    pub value: Option<f64>,
    /// Whether it was met.
    pub met: bool,
    /// When, in nanoseconds of the run.
    pub at_ns: u64,
    /// Whether it ended the run.
    pub stopped: bool,
}

/// The expectations of a run, and what is measured for them.
#[derive(Clone, Debug, Default)]
pub struct Expecting {
    rules: Vec<Rule>,
    parts: Vec<Part>,
    /// For each queue, by its place among those that are written, the parts its jobs may be of.
    of_queues: Vec<u64>,
    /// For each stream what its phrases are to the parts, and between which times of the script that
    /// holds.
    of_streams: Vec<Standing>,
}

/// Between two times of the script, both with it, a stream's jobs are of these parts.
#[derive(Clone, Copy, Debug)]
struct Standing {
    first_ns: u64,
    last_ns: u64,
    parts: u64,
}

/// Not known yet.
const NOWHERE: Standing = Standing { first_ns: 1, last_ns: 0, parts: 0 };

impl Expecting {
    /// Expectations over the streams of a run: `lanes` has for each stream of the plan its place
    /// among them.
    pub fn new(expectations: &[Expectation], lanes: &[usize]) -> Expecting {
        let mut expecting = Expecting::default();
        expecting.replace(expectations, lanes);
        expecting
    }

    /// Takes other expectations. What was measured for those that stay is kept; what is measured for
    /// new ones begins here.
    pub fn replace(&mut self, expectations: &[Expectation], lanes: &[usize]) {
        let old_rules = std::mem::take(&mut self.rules);
        let mut old_parts = std::mem::take(&mut self.parts);
        for expectation in expectations {
            let part = expectation.part().map(|_| {
                let known = self.parts.iter().position(|part| part.is_of(expectation));
                known.unwrap_or_else(|| {
                    let old = old_parts.iter().position(|part| part.is_of(expectation));
                    let part = old.map_or_else(Part::default, |at| old_parts.swap_remove(at));
                    self.parts.push(part.over(expectation, lanes));
                    self.parts.len() - 1
                })
            });
            if let (Some(part), Measure::Time(_, kind)) = (part, expectation.measure) {
                self.parts[part].measure(kind);
            }
            let same = |rule: &&Rule| rule.expectation.text == expectation.text;
            let old = old_rules.iter().find(same).cloned();
            let fresh = || Rule {
                expectation: expectation.clone(),
                part,
                tally: Tally::of(expectation),
                recovery: None,
                decided: None,
            };
            let mut rule = old.unwrap_or_else(fresh);
            rule.part = part;
            rule.recovery = match rule.recovery.take() {
                Some(recovery) => Some(recovery.over(expectation, lanes)),
                None => Recovering::of(expectation, lanes),
            };
            rule.expectation = expectation.clone();
            self.rules.push(rule);
        }
        self.of_queues.clear();
        self.of_streams.clear();
    }

    /// The expectations.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// One of them, to be decided.
    pub fn rule_mut(&mut self, rule: usize) -> &mut Rule {
        &mut self.rules[rule]
    }

    /// The parts of the run that are measured by themselves.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The same, to be told where the run is.
    pub fn parts_mut(&mut self) -> &mut [Part] {
        &mut self.parts
    }

    /// Whether any job has to be told apart.
    pub fn tells_jobs_apart(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether anything is to be looked at while the run goes on.
    pub fn looks(&self) -> bool {
        let open = |rule: &Rule| {
            let early = rule.expectation.at_ns.is_some() || rule.expectation.stops;
            rule.decided.is_none() && (early || rule.recovery.is_some())
        };
        self.rules.iter().any(open)
    }

    /// Whether depths are to be known as they are, and not the largest at the end alone.
    pub fn asks_depths(&self) -> bool {
        let asks = |rule: &Rule| match rule.expectation.measure {
            Measure::DepthNow => rule.decided.is_none(),
            Measure::Depth => rule.expectation.stops,
            Measure::Recovers(_) => rule.recovery.as_ref().is_some_and(Recovering::asks_depth),
            _ => false,
        };
        self.rules.iter().any(asks)
    }

    /// The parts that a job is of, as bits: one of a stream that is due at a time of the script and
    /// goes to a queue, by its place among those that are written and its name.
    pub fn parts_of(&mut self, stream: usize, script_ns: u64, queue: (usize, &str)) -> u64 {
        let (place, name) = queue;
        while self.of_queues.len() <= place {
            self.of_queues.push(u64::MAX);
        }
        if self.of_queues[place] == u64::MAX {
            self.of_queues[place] = bits(&self.parts, |part| part.takes_queue(name));
        }
        while self.of_streams.len() <= stream {
            self.of_streams.push(NOWHERE);
        }
        let standing = self.of_streams[stream];
        if !(standing.first_ns..=standing.last_ns).contains(&script_ns) {
            self.of_streams[stream] = self.standing(stream, script_ns);
        }
        self.of_queues[place] & self.of_streams[stream].parts
    }

    fn standing(&self, stream: usize, script_ns: u64) -> Standing {
        let (mut first_ns, mut last_ns) = (0, u64::MAX);
        let parts = bits(&self.parts, |part| {
            let (within, first, last) = part.around(stream, script_ns);
            (first_ns, last_ns) = (first_ns.max(first), last_ns.min(last));
            within
        });
        Standing { first_ns, last_ns, parts }
    }

    /// Notes that jobs are on their way.
    pub fn handed_over(&mut self, flights: &[Flight]) {
        if self.parts.is_empty() {
            return;
        }
        for flight in flights {
            each(flight.parts, |part| self.parts[part].handed_over());
        }
    }

    /// Notes what became of the jobs of one command.
    pub fn settled(&mut self, flights: &[Flight], outcome: &Outcome, command: Settled) {
        if !self.parts.is_empty() {
            for flight in flights {
                let parts = &mut self.parts;
                each(flight.parts, |part| {
                    if let Some(part) = parts.get_mut(part) {
                        part.settled(flight, outcome, command);
                    }
                });
            }
        }
        for rule in &mut self.rules {
            let Some(tally) = &mut rule.tally else { continue };
            let own = |flight: &&Flight| rule.part.is_none_or(|part| flight.parts >> part & 1 == 1);
            let named = rule.expectation.phrase.is_some();
            let judged = |flight: &&Flight| named || !flight.is_warmup;
            for flight in flights.iter().filter(own).filter(judged) {
                tally.settled(flight, outcome, command);
            }
        }
        for rule in &mut self.rules {
            let Some(recovery) = &mut rule.recovery else { continue };
            flights.iter().for_each(|flight| recovery.settled(flight, outcome, command));
        }
    }
}

/// The places of the parts of which something is true, as bits. There are no more than 64 of them.
fn bits(parts: &[Part], mut is: impl FnMut(&Part) -> bool) -> u64 {
    parts.iter().enumerate().fold(0, |bits, (at, part)| bits | u64::from(is(part)) << at)
}

fn each(mut bits: u64, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
