//! What goes wrong at the target, and that the account adds up whatever does.

use super::*;
use crate::stats::errors::Fate as Ended;
use proptest::prelude::*;
use std::sync::Mutex;

#[test]
fn refused_jobs_count_as_failed() {
    let scene = Scene::of(vec![Listed::every(MS, 3_000)]);
    let sink = scene.sink(|call, _| {
        let fate = if call % 3 == 0 { Fate::Failed("OOM", true) } else { Fate::Acked };
        Answer::all(fate, MS)
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    let jobs = played.report.jobs;
    assert_eq!((jobs.sent, jobs.acked, jobs.failed), (3_000, 2_000, 1_000));
    let error = &played.report.errors[0];
    assert_eq!((error.kind.as_str(), error.outcome, error.count), ("OOM", Ended::Failed, 1_000));
    assert!(error.at_s > 2.9 && error.first_at_s < 0.1);
    let count = |record: &Record| match &record.event {
        Event::Error { count, .. } => *count,
        _ => 0,
    };
    assert_eq!(played.events.iter().map(count).sum::<u64>(), 1_000);
}

#[test]
fn what_comes_back_unsent_is_sent_once_later() {
    let scene = Scene::of(vec![Listed::every(MS, 3_000), Listed::every(MS, 3_000)]);
    let sink = scene.prompt(MS);
    let down = sink.down_until_ns.clone();
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        *down.lock().unwrap() = 2_500 * MS;
    });
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 3_000);
    played.assert_whole(1, 3_000);
    assert_eq!(played.report.errors, []);
    let max = played.report.send_delay_us.unwrap().max;
    assert!((1.49e6..=1.51e6).contains(&max), "the break shows as delay: {max}");
    let lost = played.instants(|event| matches!(event, Event::ConnectionLost { .. }));
    let back = played.instants(|event| matches!(event, Event::Reconnected { .. }));
    assert_eq!((lost.len(), back), (1, vec![2.5]));
}

#[test]
fn a_sink_that_says_ready_and_is_not_is_not_tried_in_a_loop() {
    let scene = Scene::of(vec![Listed::every(MS, 2_000)]);
    let calls = Arc::new(Mutex::new(0));
    let counted = calls.clone();
    let sink = scene.sink(move |_, now_ns| {
        let broken = (500 * MS..1_500 * MS).contains(&now_ns);
        *counted.lock().unwrap() += u64::from(broken);
        Answer::all(if broken { Fate::NotSent } else { Fate::Acked }, 0)
    });
    let played = scene.play(&sink);
    played.assert_whole(0, 2_000);
    assert!(*calls.lock().unwrap() < 15, "{}", calls.lock().unwrap());
}

#[test]
fn after_trouble_one_batch_goes_ahead_of_the_others() {
    let scene = Scene::of(vec![Listed::every(MS, 2_000)]);
    let calls = Arc::new(Mutex::new(0));
    let counted = calls.clone();
    let sink = scene.sink(move |_, now_ns| {
        // Refused only after 100 ms, in which 100 further ticks come.
        let broken = (500 * MS..1_500 * MS).contains(&now_ns);
        *counted.lock().unwrap() += u64::from(now_ns >= 700 * MS && broken);
        let fate = if broken { Fate::NotSent } else { Fate::Acked };
        Answer::all(fate, if broken { 100 * MS } else { 0 })
    });
    let played = scene.play(&sink);
    played.assert_whole(0, 2_000);
    assert!(*calls.lock().unwrap() < 10, "{}", calls.lock().unwrap());
}

#[test]
fn a_sink_lost_for_good_ends_the_run_as_failed() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)]);
    let sink = scene.prompt(MS);
    let down = sink.down_until_ns.clone();
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        *down.lock().unwrap() = u64::MAX;
    });
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4));
    let jobs = played.report.jobs;
    assert_eq!((jobs.sent, jobs.acked), (1_000, 1_000));
    assert!(jobs.skipped > 0 && jobs.due == 1_000 + jobs.skipped);
    assert_eq!(played.report.failure.as_ref().unwrap().kind, "gone");
    let error = &played.report.errors[0];
    assert_eq!((error.outcome, error.count), (Ended::Skipped, jobs.skipped));
}

#[test]
fn a_sink_that_gives_up_reconnecting_ends_the_run_as_failed() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)]);
    let sink = scene.prompt(MS);
    let down = sink.down_until_ns.clone();
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        *down.lock().unwrap() = 4 * SECOND;
        clock.sleep_until(3 * SECOND).await;
        *down.lock().unwrap() = u64::MAX;
    });
    // The one who waits for readiness learns it when the first promise runs out.
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4));
    assert!(played.report.elapsed_s < 4.1);
}

#[test]
fn unanswered_jobs_are_unknown_and_never_sent_again() {
    let scene = Scene::of(vec![Listed::every(MS, 1_000)]);
    let sink = scene
        .sink(|call, _| Answer::all(if call == 500 { Fate::Unknown } else { Fate::Acked }, MS));
    let played = scene.play(&sink);
    let jobs = played.report.jobs;
    assert_eq!((jobs.unknown, jobs.acked), (1, 999));
    assert_eq!(played.report.errors[0].outcome, Ended::Unknown);
    let told = |event: &Event| matches!(event, Event::Error { outcome: Ended::Unknown, .. });
    assert_eq!(played.instants(told).len(), 1);
    let mut numbers = played.seen.numbers(0);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 999);
}

/// Refuses everything from an instant on, for a reason that lasts.
fn refusing(from_ns: u64) -> impl FnMut(u64, u64) -> Answer + Send + 'static {
    move |_, now_ns| {
        let bad = now_ns >= from_ns;
        Answer::all(if bad { Fate::Failed("READONLY", true) } else { Fate::Acked }, 0)
    }
}

#[test]
fn a_target_that_refuses_everything_ends_the_run() {
    let scene = Scene::of(vec![Listed::every(MS, 60_000)]);
    let sink = scene.sink(refusing(3 * SECOND));
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4));
    assert!((8.0..8.01).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
    assert_eq!(played.report.failure.as_ref().unwrap().kind, "READONLY");
}

#[test]
fn a_script_that_bounds_errors_has_the_say_about_refusals_until_the_end() {
    let play = |limit, action| {
        let errors = GuardKind::Errors { limit, window_ns: SECOND };
        let scene = Scene::of(vec![Listed::every(MS, 10_000)]).guard(errors, action, None);
        let sink = scene.sink(refusing(3 * SECOND));
        scene.play(&sink)
    };
    let played = play(1.0, None);
    assert_eq!(played.report.jobs.sent, 10_000, "not given up on");
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4), "but no success");
    let played = play(0.9, Some(Action::PauseUntil(0.1)));
    assert_eq!(played.outcome(), (OutcomeName::Done, 0), "the guard has acted");
}

#[test]
fn a_target_that_may_yet_make_room_is_given_longer() {
    let scene = Scene::of(vec![Listed::every(MS, 60_000)]);
    let sink = scene.sink(|_, now_ns| {
        let full = now_ns >= 3 * SECOND;
        Answer::all(if full { Fate::Failed("OOM", false) } else { Fate::Acked }, 0)
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4));
    assert!((33.0..33.01).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
}

#[test]
fn one_accepted_job_starts_the_count_of_refusals_again() {
    let scene = Scene::of(vec![Listed::every(MS, 20_050)]);
    let sink = scene.sink(|call, _| {
        let good = call % 4_000 == 0;
        Answer::all(if good { Fate::Acked } else { Fate::Failed("OOM", true) }, 0)
    });
    assert_eq!(scene.play(&sink).outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_run_that_ends_on_refusals_has_failed() {
    let play = |good: u64| {
        let scene = Scene::of(vec![Listed::every(MS, 1_000)]);
        let sink = scene.sink(move |call, _| {
            Answer::all(if call < good { Fate::Acked } else { Fate::Failed("OOM", false) }, 0)
        });
        scene.play(&sink).outcome()
    };
    assert_eq!(play(900), (OutcomeName::Failed, 4));
    assert_eq!(play(901), (OutcomeName::Done, 0));
}

#[test]
fn a_short_run_of_which_nothing_was_accepted_has_failed() {
    for (accepted, outcome) in [(0, (OutcomeName::Failed, 4)), (1, (OutcomeName::Done, 0))] {
        let scene = Scene::of(vec![Listed::every(100 * MS, 20)]);
        let sink = scene.sink(move |call, _| {
            let good = call < accepted;
            Answer::all(if good { Fate::Acked } else { Fate::Failed("WRONGTYPE", true) }, 0)
        });
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), outcome);
        assert_eq!(played.report.errors[0].count, 20 - accepted);
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Acked),
        1 => Just(Fate::Failed("OOM", true)),
        1 => Just(Fate::Failed("BUSY", false)),
        1 => Just(Fate::Unknown),
        3 => Just(Fate::NotSent),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let delay = prop_oneof![Just(0), 0..3 * MS, 0..400 * MS];
    (delay, prop::collection::vec(fate(), 1..4))
        .prop_map(|(after_ns, fates)| Answer { after_ns: Some(after_ns), fates })
}

fn listed() -> impl Strategy<Value = Listed> {
    prop_oneof![
        prop::collection::vec(0..4 * SECOND, 0..200).prop_map(Listed::at),
        (1..20 * MS, 0..300_u64).prop_map(|(interval, count)| Listed::every(interval, count)),
        (0..SECOND, 0..500_usize).prop_map(|(at, count)| Listed::at(vec![at; count])),
    ]
}

#[derive(Clone, Debug)]
enum Deed {
    Pause(u64),
    Stop,
    Abort,
}

fn deed() -> impl Strategy<Value = Option<(u64, Deed)>> {
    let deed = prop_oneof![
        3 => (1..SECOND).prop_map(Deed::Pause),
        1 => Just(Deed::Stop),
        1 => Just(Deed::Abort),
    ];
    prop::option::of((0..3 * SECOND, deed))
}

async fn act(deed: Option<(u64, Deed)>, clock: RehearsalClock, control: Control) {
    let Some((at_ns, deed)) = deed else { return };
    clock.sleep_until(at_ns).await;
    match deed {
        Deed::Pause(for_ns) => {
            control.pause();
            clock.sleep_until(at_ns + for_ns).await;
            control.resume();
        }
        Deed::Stop => control.stop(Why::ByHand),
        Deed::Abort => control.abort(Why::ByHand),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever falls due and whatever becomes of it: the account adds up (which every play
    /// checks), no job is accepted twice, and without a stop none is missing.
    #[test]
    fn the_account_adds_up(
        streams in prop::collection::vec(listed(), 1..4),
        answers in prop::collection::vec(answer(), 1..40),
        in_flight in 1..300_u64,
        batch in 1..100_u64,
        limit in prop::option::of(20..400_u64),
        jobs_guard in prop::option::of((0..600_u64, any::<bool>())),
        deed in deed(),
        command_jobs in 1..20_u32,
    ) {
        let mut scene = Scene::of(streams.clone()).options(|options| {
            options.max_in_flight_jobs = in_flight;
            options.batch_jobs = batch;
            options.command.jobs = command_jobs;
        });
        if let Some(limit_jobs) = limit {
            scene = scene.guard(GuardKind::Rate { limit_jobs, window_ns: SECOND }, None, None);
        }
        if let Some((limit, stop)) = jobs_guard {
            scene = scene.guard(GuardKind::Jobs(limit), stop.then_some(Action::Stop), None);
        }
        // After the script is through, the sink works: every run comes to an end.
        let sink = scene.sink(move |call, _| {
            answers.get(call as usize).cloned().unwrap_or(Answer::all(Fate::Acked, MS))
        });
        let played = scene
            .play_with_losses(&sink, async move |clock, control| act(deed, clock, control).await);
        prop_assert!(played.seen.most_in_flight <= in_flight);
        if let Some(limit) = limit {
            prop_assert!(played.seen.busiest(SECOND) <= limit);
        }
        if let Some((limit, _)) = jobs_guard {
            prop_assert!(played.report.jobs.due <= limit);
        }
        for (stream, schedule) in streams.iter().enumerate() {
            let mut numbers = played.seen.numbers(stream);
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), count, "accepted twice");
            let jobs = played.report.streams[stream].jobs;
            prop_assert_eq!(jobs.planned, schedule.len());
            if played.report.outcome == OutcomeName::Done && jobs_guard.is_none() {
                prop_assert_eq!((jobs.due, jobs.skipped), (jobs.planned, 0));
            }
        }
    }
}
