//! Things that move through states: which steps a thing takes, and when.

use crate::random::{self, Key, Kind};
use serde::Serialize;

/// A flow. Its first state is that of the job which begins a thing; every way leads to a later one,
/// so that no thing goes on for ever.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// Its states, the first one first, at most [`MAX_STATES`].
    pub states: Vec<State>,
}

/// The most states of a flow.
pub const MAX_STATES: usize = 100;

/// A state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// Its name, which is that of the job a step into it is sent as.
    pub name: String,
    /// How it is left; what is missing to a share of 1 stays there.
    pub ways: Vec<Way>,
}

/// A way from one state to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    /// The state it leads to.
    pub to: usize,
    /// The share of things that go this way, above 0.
    pub share: f64,
    /// How long that takes, drawn uniformly, both ends included, in nanoseconds.
    pub delay_ns: (u64, u64),
}

impl Flow {
    /// The shortest time from a thing's beginning to a step of it, and the longest to its last.
    pub fn reach_ns(&self) -> (u64, u64) {
        let first = self.states.first().map_or(&[][..], |state| &state.ways);
        let shortest = first.iter().map(|way| way.delay_ns.0).min().unwrap_or(0);
        let mut longest = vec![0_u64; self.states.len()];
        for (at, state) in self.states.iter().enumerate() {
            for way in &state.ways {
                let reached = longest[at].saturating_add(way.delay_ns.1);
                longest[way.to] = longest[way.to].max(reached);
            }
        }
        (shortest, longest.into_iter().max().unwrap_or(0))
    }
}

/// A flow in a stream: what each of its things does follows from the thing's number, and takes no
/// memory.
#[derive(Clone, Debug)]
pub struct Paths {
    states: Vec<Exits>,
}

/// How a state is left.
#[derive(Clone, Debug)]
struct Exits {
    key: Key,
    /// Where each way's part of all words ends.
    bounds: Vec<u64>,
    ways: Vec<(usize, (u64, u64))>,
    /// Nothing stays.
    is_complete: bool,
}

/// A time at a pace: rounded to whole nanoseconds, and the same on every machine.
pub fn paced(ns: u64, pace: f64) -> u64 {
    if pace == 1.0 { ns } else { (ns as f64 / pace).round() as u64 }
}

impl Paths {
    /// The paths of a flow in the stream of `load`, or of the one outside any load.
    pub fn new(flow: &Flow, seed: u64, load: Option<&str>) -> Paths {
        let key = Key::stream(seed, load).named(Kind::Flow, &flow.name);
        let exits = |state: &State| {
            let mut sum = 0.0;
            let bound = |way: &Way| {
                sum += way.share;
                random::share_of_words(sum)
            };
            let bounds = state.ways.iter().map(bound).collect();
            let ways = state.ways.iter().map(|way| (way.to, way.delay_ns)).collect();
            Exits {
                key: key.named(Kind::State, &state.name),
                bounds,
                ways,
                is_complete: sum > 1.0 - 1e-12,
            }
        };
        Paths { states: flow.states.iter().map(exits).collect() }
    }

    /// Tells the steps of the thing with this number, begun at an instant: the state each leads to,
    /// and when it is due. It goes `pace` times as fast as the flow says.
    pub fn walk(&self, number: u64, begun_ns: u64, pace: f64, mut step: impl FnMut(usize, u64)) {
        let (mut state, mut now_ns) = (0, begun_ns);
        while let Some((way, exits, word)) = self.exit(state, number) {
            let (to, delay_ns) = exits.ways[way];
            let own_ns = exits.key.within(number, word, delay_ns);
            now_ns = now_ns.saturating_add(paced(own_ns, pace));
            state = to;
            step(state, now_ns);
        }
    }

    /// How many steps a thing takes.
    pub fn steps(&self, number: u64) -> u64 {
        let (mut state, mut steps) = (0, 0);
        while let Some((way, exits, _)) = self.exit(state, number) {
            state = exits.ways[way].0;
            steps += 1;
        }
        steps
    }

    /// Which way a thing leaves a state, if it does, and the word that its delay is drawn by.
    fn exit(&self, state: usize, number: u64) -> Option<(usize, &Exits, u64)> {
        let exits = self.states.get(state)?;
        let [choice, delay] = exits.key.pair(number);
        let way = random::choose(&exits.bounds, choice);
        let last = exits.ways.len().checked_sub(1)?;
        let way = if exits.is_complete { way.min(last) } else { way };
        (way <= last).then_some((way, exits, delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Flow {
        let state = |name: &str, ways: &[(usize, f64, (u64, u64))]| State {
            name: name.to_owned(),
            ways: ways
                .iter()
                .map(|(to, share, delay_ns)| Way { to: *to, share: *share, delay_ns: *delay_ns })
                .collect(),
        };
        let states = vec![
            state("created", &[(1, 0.95, (50, 300)), (3, 0.05, (50, 300))]),
            state("picking", &[(2, 0.8, (100, 200)), (3, 0.1, (0, 0))]),
            state("delivered", &[]),
            state("cancelled", &[]),
        ];
        Flow { name: "order".to_owned(), states }
    }

    #[test]
    fn things_go_by_their_shares_and_take_their_time() {
        let (flow, things) = (order(), 100_000_u64);
        assert_eq!(flow.reach_ns(), (50, 500));
        let paths = Paths::new(&flow, 7, None);
        let (mut reached, mut first, mut steps) = ([0_u64; 4], vec![0_u64; 251], 0);
        for number in 1..=things {
            let mut last = (0, 1_000);
            let mut own = 0;
            paths.walk(number, 1_000, 1.0, |state, due| {
                reached[state] += 1;
                if last.0 == 0 {
                    first[(due - 1_050) as usize] += 1;
                }
                assert!(state > last.0 && due >= last.1);
                last = (state, due);
                own += 1;
            });
            assert_eq!(own, paths.steps(number));
            steps += own;
        }
        assert_eq!(steps, reached.iter().sum::<u64>());
        let near = |count: u64, share: f64| {
            let spread = (things as f64 * share * (1.0 - share)).sqrt();
            assert!(
                (count as f64 - things as f64 * share).abs() < 5.0 * spread,
                "{count}, {share}"
            );
        };
        near(reached[1], 0.95);
        near(reached[2], 0.95 * 0.8);
        near(reached[3], 0.05 + 0.95 * 0.1);
        // χ² of 250 degrees of freedom stays below this but for one in a million.
        let mean = things as f64 / 251.0;
        let chi: f64 = first.iter().map(|count| (*count as f64 - mean).powi(2) / mean).sum();
        assert!(chi < 370.0, "{chi}");
        assert_ne!(
            (1..60).map(|number| paths.steps(number)).collect::<Vec<_>>(),
            (1..60).map(|number| Paths::new(&flow, 7, Some("a")).steps(number)).collect::<Vec<_>>()
        );
    }
}
