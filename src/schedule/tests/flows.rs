//! Flows against their definition: every step worked out, sorted and counted.

use super::*;
use crate::job::{Flow, Mix, Paths, State, Way};
use crate::schedule::{
    Entries, Flowing, Placed, Things, Until, ends_with, expected, thing_and_step, time_of_nth,
};

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
    let until = until_ns.map(Until::after);
    Flowing::new(Entries::new(Box::new(due), (mix, 1), vec![things], until), from_ns)
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

/// A stream of its own seed that starts `after` tenths of a second later, with a pile of jobs at once.
fn entries(seed: u64, after: u64, pile: u64, until: Option<Until>) -> Entries {
    let step = |rate| Curve::Constant { rate: whole(rate), length: Some(fraction(7, 2)) };
    let parts = vec![step(20), Curve::AtOnce { jobs: pile }, step(30)];
    let timeline = Arc::new(Timeline::new(&Curve::Sequence(parts)).unwrap());
    let due = Placed::new(timeline, after * SECOND / 10, Shard::WHOLE, 0);
    let (flow, mix) = (flow(), Mix::new(&[2, 3], seed, None));
    let paths = Paths::new(&flow, seed, None);
    let things = Things { entry: 1, paths, reach_ns: flow.reach_ns(), paces: Arc::default() };
    Entries::new(Box::new(due), (mix, 1), vec![things], until)
}

proptest! {
    /// Wherever a number of jobs ends some streams, they come to exactly that, and what is left of
    /// them is the beginning of all that there was: by time, by stream, by number.
    #[test]
    fn streams_end_with_exactly_so_many(
        seeds in prop::collection::vec((0..1_000_u64, 0..60_u64, 0..80_u64), 1..4),
        share in 0.0..1.1_f64,
    ) {
        let all = |seed, after, pile| Flowing::new(entries(seed, after, pile, None), 0);
        let mut by_hand: Vec<(u64, usize, u64)> = Vec::new();
        for (stream, (seed, after, pile)) in seeds.iter().enumerate() {
            let own = all(*seed, *after, *pile);
            let one = |index| (own.time_of(index), stream, own.number_of(index));
            by_hand.extend((1..=own.len()).map(one));
        }
        by_hand.sort_unstable();
        let n = (by_hand.len() as f64 * share) as u64;
        let streams: Vec<Entries> =
            seeds.iter().map(|(seed, after, pile)| entries(*seed, *after, *pile, None)).collect();
        let Some((at_ns, untils)) = ends_with(&streams, n) else {
            prop_assert!(by_hand.len() as u64 <= n);
            return Ok(());
        };
        prop_assert_eq!(at_ns, by_hand[(n.max(1) - 1) as usize].0);
        prop_assert_eq!(time_of_nth(&streams, n.max(1)), Some(at_ns));
        let mut left = Vec::new();
        for (stream, ((seed, after, pile), until)) in seeds.iter().zip(untils).enumerate() {
            let ended = entries(*seed, *after, *pile, Some(until));
            let (jobs, states) = (ended.jobs_by(u64::MAX), ended.states());
            let own = Flowing::new(ended, 0);
            prop_assert_eq!(own.len(), jobs + states.iter().flatten().sum::<u64>());
            left.extend((1..=own.len()).map(|index| (own.time_of(index), stream, own.number_of(index))));
            prop_assert_eq!(own.due_by(at_ns), own.len());
        }
        left.sort_unstable();
        by_hand.truncate(n as usize);
        prop_assert_eq!(left, by_hand);
    }
}
