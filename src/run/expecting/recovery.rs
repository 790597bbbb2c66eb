//! Whether what a phrase disturbed comes back to where it was.
//!
//! The run is looked at second by second. The level is the highest of the ten seconds before the
//! phrase; it is back with the first whole second after the phrase that is not above it.

use super::part::{by_lanes, sample};
use crate::ast::{Measure, Recovery, Statistic, TimeKind};
use crate::plan::Expectation;
use crate::sink::Outcome;
use crate::stats::sketch::Sketch;
use crate::stats::{Flight, Settled};
use crate::timeline::Pass;
use std::collections::VecDeque;

/// Seconds before a phrase that its level is taken from.
const BEFORE: usize = 10;
const SECOND_NS: u64 = 1_000_000_000;

/// What a second was like, times apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// When it ended, in nanoseconds of the run.
    pub end_ns: u64,
    /// Jobs waiting in the queue at its end, or in all of them; none if that could not be read.
    pub depth: Option<u64>,
    /// Nothing was due and not answered at its end.
    pub idle: bool,
}

/// A level: the highest of some seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Level {
    time_us: Option<f64>,
    depth: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Not in the phrase, and nothing to wait for.
    Calm,
    /// In the phrase, with the level before it.
    Disturbed(Level),
    /// After it, since an instant of the run.
    Coming(Level, u64),
}

/// An expectation that something comes back.
#[derive(Clone, Debug)]
pub struct Recovering {
    /// The statistic and the kind of time, and whether the depth counts.
    time: Option<(Statistic, TimeKind)>,
    depth: bool,
    limit_us: f64,
    /// The passes of the phrase in each stream.
    times: Vec<Vec<Pass>>,
    /// The times of this second.
    sketch: Sketch,
    before: VecDeque<Level>,
    state: State,
    /// The longest that it took.
    worst_us: Option<f64>,
    /// It did not come back in time.
    missed: bool,
}

impl Recovering {
    pub(super) fn of(expectation: &Expectation, lanes: &[usize]) -> Option<Recovering> {
        let Measure::Recovers(recovery) = expectation.measure else { return None };
        let time = match recovery {
            Recovery::Both => Some((Statistic::Percentile(99_000), TimeKind::Response)),
            Recovery::Depth => None,
            Recovery::Time(statistic, kind) => Some((statistic, kind)),
        };
        let recovering = Recovering {
            time,
            depth: !matches!(recovery, Recovery::Time(..)),
            limit_us: expectation.limit,
            times: Vec::new(),
            sketch: Sketch::default(),
            before: VecDeque::new(),
            state: State::Calm,
            worst_us: None,
            missed: false,
        };
        Some(recovering.over(expectation, lanes))
    }

    /// The same over the streams of a run, as an expectation has its phrase.
    pub(super) fn over(mut self, expectation: &Expectation, lanes: &[usize]) -> Recovering {
        let phrase = expectation.phrase.as_ref();
        self.times = phrase.map_or_else(Vec::new, |phrase| by_lanes(&phrase.times, lanes));
        self
    }

    pub(super) fn settled(&mut self, flight: &Flight, outcome: &Outcome, command: Settled) {
        if let Some((_, kind)) = self.time
            && !matches!(outcome, Outcome::NotSent(_))
            && let Some(ns) = sample(kind, flight, outcome, command)
        {
            self.sketch.record(ns, 1);
        }
    }

    /// Tells it where the streams are in the script; `None` for those that are over.
    pub fn look(&mut self, places: &[Option<u64>], now_ns: u64) {
        let within = |(stream, passes): (usize, &Vec<Pass>)| {
            let Some(place_ns) = places.get(stream).copied().flatten() else { return false };
            let next = passes.partition_point(|pass| pass.last_ns < place_ns);
            passes.get(next).is_some_and(|pass| pass.first_ns <= place_ns)
        };
        let inside = self.times.iter().enumerate().any(within);
        match self.state {
            State::Calm if inside => self.state = State::Disturbed(self.level()),
            State::Disturbed(level) if !inside => {
                self.state = State::Coming(level, self.ended_ns(places, now_ns));
            }
            // The next pass begins before this one's mark is gone.
            State::Coming(level, _) if inside => {
                self.missed = true;
                self.state = State::Disturbed(level);
            }
            State::Coming(_, since_ns) => {
                let passed_us = now_ns.saturating_sub(since_ns) as f64 / 1e3;
                self.missed |= passed_us > self.limit_us + SECOND_NS as f64 / 1e3;
            }
            _ => {}
        }
    }

    /// When the phrase ended, in the run's time: the script has gone on a little since.
    fn ended_ns(&self, places: &[Option<u64>], now_ns: u64) -> u64 {
        let since = |(stream, passes): (usize, &Vec<Pass>)| {
            let place_ns = places.get(stream).copied().flatten()?;
            let ended = passes.iter().rev().find(|pass| pass.last_ns < place_ns)?;
            Some(place_ns - ended.last_ns)
        };
        let since_ns = self.times.iter().enumerate().filter_map(since).min().unwrap_or(0);
        // A jump in the script is no time that has passed.
        now_ns - if since_ns > SECOND_NS { 0 } else { since_ns.min(now_ns) }
    }

    /// The highest of the seconds before; none of what one of them did not show.
    fn level(&self) -> Level {
        let highest = |level: Level, second: &Level| Level {
            time_us: level.time_us.into_iter().chain(second.time_us).reduce(f64::max),
            depth: level.depth.max(second.depth),
        };
        self.before.iter().fold(Level::default(), highest)
    }

    /// Takes in a second that is over.
    pub fn second(&mut self, second: Second) {
        let time_us = self.time.and_then(|(statistic, _)| match statistic {
            Statistic::Mean if self.sketch.count() > 0 => {
                Some(self.sketch.sum_us() as f64 / self.sketch.count() as f64)
            }
            Statistic::Mean => None,
            Statistic::Max => self.sketch.quantile_us(1.0),
            Statistic::Percentile(thousandths) => {
                self.sketch.quantile_us(f64::from(thousandths) / 100_000.0)
            }
        });
        self.sketch.clear();
        let now = Level { time_us, depth: second.depth };
        match self.state {
            State::Calm => {
                if self.before.len() == BEFORE {
                    self.before.pop_front();
                }
                self.before.push_back(now);
            }
            State::Coming(level, since_ns) if second.end_ns >= since_ns + SECOND_NS => {
                if self.is_back(level, now, second.idle) {
                    let took_us = (second.end_ns - since_ns) as f64 / 1e3;
                    self.worst_us = Some(self.worst_us.unwrap_or(0.0).max(took_us));
                    self.missed |= took_us > self.limit_us;
                    self.state = State::Calm;
                }
            }
            State::Disturbed(_) | State::Coming(..) => {}
        }
    }

    fn is_back(&self, level: Level, now: Level, idle: bool) -> bool {
        let time = match (self.time, level.time_us, now.time_us) {
            (None, ..) => true,
            (_, Some(level), Some(now)) => now <= level,
            // Nothing waits for an answer: there is nothing left that is slow.
            (_, Some(_), None) => idle,
            (_, None, _) => false,
        };
        let depth =
            !self.depth || level.depth.zip(now.depth).is_some_and(|(level, now)| now <= level);
        time && depth
    }

    /// Whether the depth is to come back too.
    pub fn asks_depth(&self) -> bool {
        self.depth
    }

    /// Whether it did not come back in time.
    pub fn is_missed(&self) -> bool {
        self.missed
    }

    /// How long it took at the longest, in microseconds, if it came back whenever it was to.
    pub fn took_us(&self) -> Option<f64> {
        self.worst_us.filter(|_| !self.missed && self.state == State::Calm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovering(time: bool, depth: bool, limit_s: f64) -> Recovering {
        Recovering {
            time: time.then_some((Statistic::Percentile(99_000), TimeKind::Response)),
            depth,
            limit_us: limit_s * 1e6,
            times: vec![vec![Pass { first_ns: 5 * SECOND_NS + 1, last_ns: 8 * SECOND_NS }]],
            sketch: Sketch::default(),
            before: VecDeque::new(),
            state: State::Calm,
            worst_us: None,
            missed: false,
        }
    }

    /// Plays seconds of (response time in µs, depth), looked at ten times each.
    fn play(mut recovering: Recovering, seconds: &[(u64, u64)]) -> Recovering {
        for (second, (us, depth)) in (0_u64..).zip(seconds) {
            for tick in 1..=10 {
                let now_ns = second * SECOND_NS + tick * SECOND_NS / 10;
                if *us > 0 {
                    let flight = Flight {
                        index: 1,
                        intended_ns: 0,
                        stream: 0,
                        job: 0,
                        parts: 0,
                        is_warmup: false,
                    };
                    let command = Settled { bytes: 0, sent_ns: 0, at_ns: us * 1_000 };
                    recovering.settled(&flight, &Outcome::Acked, command);
                }
                recovering.look(&[Some(now_ns)], now_ns);
                if tick == 10 {
                    let depth = Some(*depth);
                    recovering.second(Second { end_ns: now_ns, depth, idle: *us == 0 });
                }
            }
        }
        recovering
    }

    const BEFORE_IT: [(u64, u64); 5] = [(100, 4), (90, 5), (100, 3), (95, 4), (100, 4)];
    const DURING: [(u64, u64); 3] = [(900, 50), (950, 90), (990, 120)];

    fn after(seconds: &[(u64, u64)]) -> Vec<(u64, u64)> {
        [&BEFORE_IT[..], &DURING, seconds].concat()
    }

    #[test]
    fn it_is_back_with_the_first_second_that_is_not_above_the_level() {
        let all = after(&[(500, 80), (100, 40), (90, 5), (90, 1)]);
        let both = play(recovering(true, true, 30.0), &all);
        assert_eq!((both.took_us(), both.is_missed()), (Some(3e6), false));
        let time = play(recovering(true, false, 30.0), &all);
        assert_eq!(time.took_us(), Some(2e6));
        let depth = play(recovering(false, true, 30.0), &all);
        assert_eq!(depth.took_us(), Some(3e6));
    }

    #[test]
    fn too_late_is_a_miss() {
        let all = after(&[(500, 80), (500, 40), (500, 5), (90, 1)]);
        assert!(play(recovering(true, true, 3.0), &all).is_missed());
        assert!(!play(recovering(true, true, 4.0), &all).is_missed());
        let never = play(recovering(true, true, 3.0), &after(&[(500, 80); 9]));
        assert_eq!((never.is_missed(), never.took_us()), (true, None));
        let open = play(recovering(true, true, 30.0), &after(&[(500, 80)]));
        assert_eq!((open.is_missed(), open.took_us()), (false, None), "the run ended before");
    }

    #[test]
    fn a_second_in_which_nothing_is_answered_is_calm_only_if_nothing_waits() {
        let all = after(&[(0, 4)]);
        assert_eq!(play(recovering(true, true, 30.0), &all).took_us(), Some(1e6));
        let silent = [&[(0, 4); 5][..], &DURING, &[(90, 1)]].concat();
        assert_eq!(play(recovering(true, true, 30.0), &silent).took_us(), None, "no level");
    }
}
