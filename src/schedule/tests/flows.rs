//! Flows against their definition: every step worked out, sorted and counted.

use super::*;
use crate::job::{Flow, Mix, Paths, State, Way};
use crate::schedule::{Flowing, Placed, Things, expected, thing_and_step};

fn flow() -> Flow {
    let state = |name: &str, ways: &[(usize, f64, (u64, u64))]| State {
        name: name.to_owned(),
        ways: ways
            .iter()
            .map(|(to, share, (low, high))| Way {
                to: *to,
                share: *share,
                delay_ns: (low * SECOND / 10, high * SECOND / 10),
            })
            .collect(),
    };
    let states = vec![
        state("created", &[(1, 0.9, (5, 30)), (3, 0.1, (5, 30))]),
        state("picking", &[(2, 0.8, (10, 10))]),
        state("delivered", &[(3, 0.5, (0, 40))]),
        state("closed", &[]),
    ];
    Flow { name: "order".to_owned(), states }
}

/// 20/s for 30 s with a jump, three of five jobs being orders.
fn curve() -> Arc<Timeline> {
    let step = || Curve::Constant { rate: whole(20), length: Some(whole(15)) };
    let parts = vec![step(), Curve::AtOnce { jobs: 500 }, step()];
    Arc::new(Timeline::new(&Curve::Sequence(parts)).unwrap())
}

const AFTER: u64 = 2 * SECOND;

/// Ten times as fast for the things of some seconds, and half as fast for those of others.
fn paces() -> Vec<(u64, f64)> {
    [(5, 10.0), (9, 1.0), (20, 0.5), (22, 1.0)].map(|(at, pace)| (at * SECOND + AFTER, pace)).into()
}

fn pace_at(begun_ns: u64) -> f64 {
    let before = paces().into_iter().rfind(|(at, _)| *at <= begun_ns);
    before.map_or(1.0, |(_, pace)| pace)
}

fn flowing(shard: Shard, until_ns: Option<u64>, from_ns: u64) -> Flowing {
    let due = Placed::new(curve(), AFTER, shard, 0);
    let (flow, mix) = (flow(), Mix::new(&[2, 3], 7, None));
    let paths = Paths::new(&flow, 7, None);
    let things = Things { entry: 1, paths, reach_ns: flow.reach_ns(), paces: paces().into() };
    Flowing::new(Box::new(due), (mix, 1), vec![things], until_ns, from_ns)
}

/// Everything in the order of its time, with the number of the thing and of the step.
fn by_hand(until_ns: u64, from_ns: u64) -> Vec<(u64, u64, usize)> {
    let (mix, paths) = (Mix::new(&[2, 3], 7, None), Paths::new(&flow(), 7, None));
    let mut all = Vec::new();
    for k in 1..=curve().jobs().unwrap() {
        let begun = curve().time_of(k) + AFTER;
        all.push((begun, k, 0));
        if mix.job_of(k) == 1 {
            let pace = pace_at(begun);
            paths.walk(k, begun, pace, |state, due| all.push((due, k, state)));
        }
    }
    all.retain(|(due, ..)| (from_ns..=until_ns).contains(due));
    all.iter_mut().for_each(|(due, ..)| *due -= from_ns);
    all.sort_unstable();
    all
}

fn played(schedule: &Flowing) -> Vec<(u64, u64, usize)> {
    let one = |index| {
        let (thing, step) = thing_and_step(schedule.number_of(index));
        (schedule.time_of(index), thing, step)
    };
    let mut all: Vec<_> = (1..=schedule.len()).map(one).collect();
    assert!(all.is_sorted_by_key(|(due, ..)| *due));
    all.sort_unstable();
    all
}

#[test]
fn steps_are_due_where_their_things_have_them() {
    for (until, from) in
        [(u64::MAX, 0), (20 * SECOND, 0), (u64::MAX, 9 * SECOND), (25 * SECOND, 24 * SECOND)]
    {
        let schedule = flowing(Shard::WHOLE, (until < u64::MAX).then_some(until), from);
        let expected = by_hand(until, from);
        assert!(!expected.is_empty());
        assert_eq!(played(&schedule), expected, "from {from} to {until}");
        assert_eq!(schedule.time_of(schedule.len() + 1), u64::MAX - from);
        for t in (0..45 * SECOND).step_by(SECOND as usize / 3) {
            let due = expected.iter().filter(|(due, ..)| *due <= t).count() as u64;
            assert_eq!(schedule.due_by(t), due, "by {t}");
        }
        assert!(schedule.end_ns() >= expected.last().unwrap().0);
        // What is asked for once more, long gone, is as it was.
        assert_eq!(schedule.time_of(1), expected[0].0);
    }
}

#[test]
fn shards_of_a_flow_add_up_to_the_whole() {
    let parts = (1..=3).map(|n| flowing(Shard::new(n, 3).unwrap(), None, 4 * SECOND));
    let mut all: Vec<_> = parts.flat_map(|part| played(&part)).collect();
    all.sort_unstable();
    assert_eq!(all, by_hand(u64::MAX, 4 * SECOND));
}

#[test]
fn what_comes_is_what_was_to_be_expected() {
    let curve = |rate, seconds| {
        let curve = Curve::Constant { rate: whole(rate), length: Some(whole(seconds)) };
        Arc::new(Timeline::new(&curve).unwrap())
    };
    let (timeline, flow) = (curve(1_000, 30), flow());
    let paces: Vec<_> = paces().into_iter().map(|(at, pace)| (at - AFTER, pace)).collect();
    let expectation = expected(&flow, 1.0, &timeline, &paces, None);
    let things = 30_000.0;
    let shares = [0.0, 0.9, 0.72, 0.1 + 0.36];
    for (steps, share) in expectation.steps.iter().zip(shares) {
        assert!((steps - things * share).abs() < 1.0, "{steps} of {share}");
    }
    let mut steps: Vec<(u64, usize)> = Vec::new();
    let paths = Paths::new(&flow, 7, None);
    for k in 1..=30_000 {
        let (begun, pace) = (timeline.time_of(k), pace_at(timeline.time_of(k) + AFTER));
        paths.walk(k, begun, pace, |state, due| steps.push((due, state)));
    }
    let foretold = Timeline::new(&expectation.curve).unwrap();
    for t in (1..=500).map(|tenth| tenth * SECOND / 10) {
        let came = steps.iter().filter(|(due, _)| *due <= t).count() as f64;
        let told = foretold.cumulative(t);
        // Each thing takes three steps at the most.
        let spread = 5.0 * 1.5 * (told.max(10.0)).sqrt() + 60.0;
        assert!((came - told).abs() < spread, "{came} by {t}, and {told} were expected");
    }
    // Cut short, only what comes by then is expected.
    let cut = expected(&flow, 1.0, &timeline, &paces, Some(10 * SECOND));
    let told = cut.steps.iter().sum::<f64>();
    let came = steps.iter().filter(|(due, _)| *due <= 10 * SECOND).count() as f64;
    assert!((came - told).abs() < 5.0 * 1.5 * told.sqrt(), "{came}, {told}");
}
