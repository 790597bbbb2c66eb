//! A target of several servers, some of which are missed for a while.

use super::*;
use crate::plan::Late;
use proptest::prelude::*;

/// How late each accepted job of a stream left, its jobs being due every millisecond from the half of
/// the first on.
fn delays_ns(played: &Played, stream: usize) -> Vec<u64> {
    let prefix = format!("{stream}:");
    let own = played.seen.accepted.iter();
    let delay = |(at_ns, job): &(u64, String)| {
        let number: u64 = job.strip_prefix(&prefix)?.parse().ok()?;
        Some(at_ns - ((number - 1) * MS + MS / 2))
    };
    own.filter_map(delay).collect()
}

/// Lets the lane of a queue be down from an instant to another.
async fn down(sink: &FakeSink, clock: &RehearsalClock, queue: &str, from_ns: u64, to_ns: u64) {
    clock.sleep_until(from_ns).await;
    sink.lane(queue, |lane| lane.down_until_ns = to_ns);
}

#[test]
fn a_server_that_is_missed_holds_up_its_own_queues_alone() {
    let scene = Scene::of(vec![Listed::every(MS, 3_000), Listed::every(MS, 3_000)]);
    let sink = scene.prompt(MS).with_lanes();
    let played = scene
        .play_with(&sink, async |clock, _| down(&sink, &clock, "q1", SECOND, 2_500 * MS).await);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 3_000);
    played.assert_whole(1, 3_000);
    assert_eq!(delays_ns(&played, 0).into_iter().max(), Some(0), "the other is on time");
    let held = delays_ns(&played, 1).into_iter().max().unwrap();
    assert!((1_490 * MS..=1_510 * MS).contains(&held), "{held}");
    let told: Vec<_> = (played.events.iter())
        .filter_map(|record| match &record.event {
            Event::ConnectionLost { queues, .. } => Some(("lost", record.t_s, queues.join(" "))),
            Event::Reconnected { queues, .. } => Some(("back", record.t_s, queues.join(" "))),
            _ => None,
        })
        .collect();
    assert_eq!(told[1..], [("back", 2.5, "q1".to_owned())]);
    assert_eq!((told[0].0, told[0].2.as_str()), ("lost", "q1"));
}

#[test]
fn a_stream_to_several_servers_goes_on_with_the_others() {
    let mut scene = Scene::of(vec![Listed::every(MS, 6_000)]);
    scene.jobs = FakeJobs::to(&[&["a", "b", "c"]]);
    let sink = scene.prompt(MS).with_lanes();
    let played = scene.play_with(&sink, async |clock, _| {
        down(&sink, &clock, "b", SECOND, 2_000 * MS).await;
        down(&sink, &clock, "b", 2_100 * MS, 3_000 * MS).await;
        down(&sink, &clock, "c", 3_000 * MS, 4_000 * MS).await;
    });
    played.assert_whole(0, 6_000);
    let late = |to: u64| {
        let own = played.seen.accepted.iter().filter(|(at_ns, job)| {
            let number: u64 = job[2..].parse().unwrap();
            number % 3 == to && *at_ns > number * MS + 5 * MS
        });
        own.count()
    };
    assert_eq!(late(0), 0, "the first is on time throughout");
    assert!(late(1) > 600 && late(2) > 300, "{} {}", late(1), late(2));
}

#[test]
fn a_server_that_does_not_answer_leaves_room_for_the_others() {
    let scene = Scene::of(vec![Listed::every(MS, 5_000), Listed::every(MS, 5_000)])
        .options(|options| options.max_in_flight_jobs = 200);
    let sink = scene.prompt(MS).with_lanes();
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        sink.lane("q1", |lane| lane.silent_until_ns = 4 * SECOND);
    });
    played.assert_whole(0, 5_000);
    played.assert_whole(1, 5_000);
    assert_eq!(delays_ns(&played, 0).into_iter().max(), Some(0));
    assert!(played.seen.most_in_flight <= 200, "{}", played.seen.most_in_flight);
    assert!(delays_ns(&played, 1).into_iter().max().unwrap() > 2 * SECOND);
}

#[test]
fn late_decides_about_what_waited_for_a_server() {
    let play = |late: Late| {
        let mut scene = Scene::of(vec![Listed::every(MS, 4_000)]);
        scene.jobs = FakeJobs::to(&[&["a", "b"]]);
        scene.late = vec![late];
        let sink = scene.prompt(MS).with_lanes();
        scene.play_with(&sink, async |clock, _| down(&sink, &clock, "b", SECOND, 2 * SECOND).await)
    };
    let played = play(Late::SkipAfter(100 * MS));
    let jobs = played.report.jobs;
    // Half of them are for `b`: of those the ones of 900 ms are given up, none of `a`'s.
    assert!((445..=455).contains(&jobs.skipped), "{jobs:?}");
    assert!(played.seen.numbers(0).iter().filter(|number| *number % 2 == 0).count() == 2_000);
    let played = play(Late::SpreadOver(SECOND));
    played.assert_whole(0, 4_000);
    // The stream as a whole: what fell due meanwhile goes evenly beside what falls due.
    let in_half = |from_ns: u64| {
        let window = from_ns..from_ns + SECOND / 2;
        played.seen.accepted.iter().filter(|(at_ns, _)| window.contains(at_ns)).count()
    };
    let halves = (in_half(2 * SECOND), in_half(2_500 * MS));
    assert!(halves.0.abs_diff(750) < 10 && halves.1.abs_diff(750) < 10, "{halves:?}");
}

#[test]
fn guards_count_only_what_can_go() {
    // A bound on the rate that the plan keeps to: what waits for a server is not in its way.
    let play = |action| {
        let rate = GuardKind::Rate { limit_jobs: 2_100, window_ns: SECOND };
        let scene = Scene::of(vec![Listed::every(MS, 4_000), Listed::every(MS, 4_000)]);
        let scene = scene.guard(rate, Some(action), None);
        let sink = scene.prompt(MS).with_lanes();
        let down = async |clock: RehearsalClock, _| {
            down(&sink, &clock, "q1", SECOND, 3 * SECOND).await;
        };
        scene.play_with(&sink, down)
    };
    for action in [Action::Slow, Action::Shed] {
        let played = play(action);
        let on_time = played.seen.accepted.iter().filter(|(at_ns, job)| {
            let number: u64 = job[2..].parse().unwrap();
            job.starts_with("0:") && *at_ns < 3 * SECOND && *at_ns == number * MS - MS / 2
        });
        assert_eq!(on_time.count(), 3_000, "{action:?}");
        let by_then = played.report.guards.iter().filter(|hit| hit.at_s < 3.0).count();
        assert_eq!(by_then, 0, "{action:?}");
    }
}

#[test]
fn a_guard_on_time_gives_up_what_waits_for_a_server() {
    let time = GuardKind::Time(2 * SECOND);
    let scene = Scene::of(vec![Listed::every(MS, 4_000), Listed::every(MS, 4_000)]);
    let scene = scene.guard(time, Some(Action::Stop), None);
    let sink = scene.prompt(MS).with_lanes();
    let played = scene
        .play_with(&sink, async |clock, _| down(&sink, &clock, "q1", SECOND, 9 * SECOND).await);
    let jobs = |stream: usize| played.report.streams[stream].jobs;
    assert_eq!((jobs(0).acked, jobs(0).skipped), (2_000, 0));
    assert_eq!((jobs(1).acked, jobs(1).skipped), (1_000, 1_000));
    assert!(played.report.elapsed_s < 2.1, "{}", played.report.elapsed_s);
}

#[test]
fn the_end_waits_for_a_server_that_is_missed() {
    let scene = Scene::of(vec![Listed::every(MS, 2_000), Listed::every(MS, 2_000)]);
    let sink = scene.prompt(MS).with_lanes();
    let played = scene
        .play_with(&sink, async |clock, _| down(&sink, &clock, "q1", SECOND, 9 * SECOND).await);
    played.assert_whole(1, 2_000);
    assert_eq!((played.outcome(), played.report.elapsed_s), ((OutcomeName::Done, 0), 9.001));
}

#[test]
fn depths_of_other_servers_are_read_on() {
    // The queue of a guard comes after one that nobody answers for.
    let depth = GuardKind::Depth { queue: Some("q1".to_owned()), limit: 100 };
    let scene = Scene::of(vec![Listed::every(MS, 9_000), Listed::every(MS, 9_000)]);
    let scene = scene.guard(depth, None, None);
    let clock = scene.rehearsal.clock();
    let sink = scene.prompt(MS).with_lanes().with_silent_depth("q0").with_depth(move |_, queue| {
        let over = queue == "q1" && clock.now_ns() >= 3 * SECOND;
        Ok(if over { 200 } else { 0 })
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert!(played.report.elapsed_s < 3.2, "{}", played.report.elapsed_s);
}

fn window() -> impl Strategy<Value = (usize, u64, u64, bool)> {
    (0..3_usize, 0..2 * SECOND, 0..SECOND, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever servers go and come back: the account adds up, and each job is accepted once.
    #[test]
    fn every_job_goes_once_whatever_servers_are_missed(
        windows in prop::collection::vec(window(), 0..12),
        fates in prop::collection::vec(0..9_u64, 1..40),
        in_flight in 1..300_u64,
        batch in 1..100_u64,
        late in prop_oneof![
            Just(Late::Send), (MS..SECOND).prop_map(Late::SpreadOver)
        ],
    ) {
        let mut scene = Scene::of(vec![
            Listed::every(2 * MS, 600), Listed::every(3 * MS, 400), Listed::every(5 * MS, 300),
        ])
        .options(|options| {
            options.max_in_flight_jobs = in_flight;
            options.batch_jobs = batch;
        });
        scene.jobs = FakeJobs::to(&[&["a", "b", "c"], &["b"], &["c", "a"]]);
        scene.late = vec![late; 3];
        let sink = scene.sink(move |call, _| match fates.get(call as usize) {
            Some(0) => Answer::all(Fate::NotSent, MS),
            Some(wait) => Answer::all(Fate::Acked, wait * 10 * MS),
            None => Answer::all(Fate::Acked, MS),
        })
        .with_lanes();
        let mut windows = windows;
        windows.sort_by_key(|(_, from_ns, ..)| *from_ns);
        let played = scene.play_with(&sink, async |clock, _| {
            for (queue, from_ns, for_ns, silent) in windows {
                clock.sleep_until(from_ns).await;
                sink.lane(["a", "b", "c"][queue], |lane| {
                    let until = if silent { &mut lane.silent_until_ns } else { &mut lane.down_until_ns };
                    *until = from_ns + for_ns;
                });
            }
        });
        prop_assert_eq!(played.outcome(), (OutcomeName::Done, 0));
        prop_assert!(played.seen.most_in_flight <= in_flight);
        played.assert_whole(0, 600);
        played.assert_whole(1, 400);
        played.assert_whole(2, 300);
    }
}
