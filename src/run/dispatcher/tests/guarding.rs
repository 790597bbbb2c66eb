//! Guards in a run: each hit, and each nearly hit.

use super::*;

fn rate(limit_jobs: u64) -> GuardKind {
    GuardKind::Rate { limit_jobs, window_ns: SECOND }
}

fn depth(limit: u64) -> GuardKind {
    GuardKind::Depth { queue: None, limit }
}

/// 1,000 jobs a second for 5 s.
fn thousand() -> Scene {
    Scene::of(vec![Listed::every(MS, 5_000)])
}

#[test]
fn a_claim_on_jobs_stops_before_the_job_too_many() {
    let scene = thousand().guard(GuardKind::Jobs(2_345), None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    played.assert_whole(0, 2_345);
    let hit = &played.report.guards[0];
    assert_eq!((hit.guard.as_str(), hit.at_s, hit.limit), ("guard 0", 2.3455, 2_345.0));
    assert_eq!((hit.value, hit.action.as_str()), (2_346.0, "stop"));
    assert_eq!(played.instants(|event| matches!(event, Event::Guard { .. })).len(), 1);

    let scene = thousand().guard(GuardKind::Jobs(5_000), None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
}

#[test]
fn jobs_then_stop_is_the_plans_own_end() {
    // The sink is slow and few may be in flight: the last allowed job still goes out.
    let scene = thousand()
        .guard(GuardKind::Jobs(2_345), Some(Action::Stop), None)
        .options(|options| options.max_in_flight_jobs = 10);
    let sink = scene.prompt(50 * MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 2_345);
    assert_eq!(played.report.jobs.skipped, 0);
    assert!(played.report.elapsed_s > 11.0);
}

#[test]
fn jobs_of_several_streams_are_counted_together_and_of_one_alone() {
    let streams = || vec![Listed::every(MS, 5_000), Listed::every(2 * MS, 2_500)];
    let scene = Scene::of(streams()).guard(GuardKind::Jobs(3_000), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.seen.accepted.len(), 3_000);
    played.assert_whole(0, 2_000);
    played.assert_whole(1, 1_000);

    let scene = Scene::of(streams()).guard(GuardKind::Jobs(700), Some(Action::Stop), Some(1));
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    played.assert_whole(0, 5_000);
    played.assert_whole(1, 700);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn time_stops_the_run_and_not_one_that_ends_on_it() {
    let scene = thousand().guard(GuardKind::Time(2 * SECOND), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 2_000);

    let scene = thousand().guard(GuardKind::Time(2 * SECOND), None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    played.assert_whole(0, 2_000);
    assert_eq!(played.report.guards[0].value, 2.0);

    let scene = thousand().guard(GuardKind::Time(5 * SECOND), None, None);
    let sink = scene.prompt(MS);
    assert_eq!(scene.play(&sink).outcome(), (OutcomeName::Done, 0));
}

#[test]
fn time_is_kept_while_nothing_falls_due() {
    let scene = Scene::of(vec![Listed::at(vec![0, 90 * SECOND])]);
    let scene = scene.guard(GuardKind::Time(1_234_567_891), None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.report.elapsed_s, 1.234567891);
    assert_eq!(played.report.jobs.sent, 1);
}

#[test]
fn time_counts_the_pauses_too() {
    for (limit_ns, outcome, sent) in
        [(6 * SECOND, (OutcomeName::Guard, 3), 4_000), (7 * SECOND, (OutcomeName::Done, 0), 5_000)]
    {
        let scene = thousand().guard(GuardKind::Time(limit_ns), None, None);
        let scene = scene.guard(depth(100), Some(Action::PauseUntil(50.0)), None);
        let sink = scene.prompt(0).with_depth(|now_ns, _| {
            let deep = (2 * SECOND..4 * SECOND).contains(&now_ns);
            Ok(if deep { 101 } else { 50 })
        });
        let played = scene.play(&sink);
        assert_eq!((played.outcome(), played.report.jobs.sent), (outcome, sent), "{limit_ns}");
        played.assert_whole(0, sent);
    }
}

#[test]
fn time_of_one_stream_leaves_the_other_alone() {
    let of = |limit_ns| {
        let scene = Scene::of(vec![Listed::every(MS, 5_000), Listed::every(MS, 3_000)]);
        let scene = scene.guard(GuardKind::Time(limit_ns), Some(Action::Stop), Some(1));
        let sink = scene.prompt(MS);
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), (OutcomeName::Done, 0));
        played.assert_whole(0, 5_000);
        (played.report.streams[1].jobs.sent, played.report.guards.len())
    };
    assert_eq!((of(2 * SECOND), of(3 * SECOND)), ((2_000, 1), (3_000, 0)));
}

#[test]
fn time_ends_what_is_overdue_after_the_plan() {
    // All due within 1 s, but the sink takes 10 jobs per 100 ms.
    let scene = Scene::of(vec![Listed::every(MS, 1_000)])
        .guard(GuardKind::Time(3 * SECOND), None, None)
        .options(|options| options.max_in_flight_jobs = 10);
    let sink = scene.prompt(100 * MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert!((3.0..3.3).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
    assert!(played.report.jobs.skipped > 600);
}

#[test]
fn a_rate_is_never_exceeded_after_a_stall() {
    for limit in [1_000, 1_001, 1_500] {
        let scene = thousand().guard(rate(limit), None, None);
        let clock = scene.rehearsal.clock();
        let mut stalled = false;
        let sink = scene.sink(move |_, now_ns| {
            if now_ns >= SECOND && !stalled {
                stalled = true;
                clock.stall(5 * SECOND);
            }
            Answer::all(Fate::Acked, MS)
        });
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), (OutcomeName::Done, 0), "throttled, not stopped");
        assert_eq!(played.report.guards, []);
        played.assert_whole(0, 5_000);
        assert_eq!(played.seen.busiest(SECOND), limit, "full, and not one job above");
    }
}

#[test]
fn a_rate_of_one_stream_leaves_the_other_alone() {
    let streams = vec![Listed::at(vec![0; 300]), Listed::at(vec![0; 300])];
    let scene = Scene::of(streams).guard(rate(100), None, Some(0)).guard(rate(350), None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    let by = |stream: &str, until: u64| {
        let own = played.seen.accepted.iter().filter(|(_, job)| job.starts_with(stream));
        own.filter(|(at, _)| *at < until).count()
    };
    assert_eq!((by("0:", SECOND), by("1:", SECOND)), (100, 250));
    assert_eq!((by("0:", 2 * SECOND), by("1:", 2 * SECOND)), (200, 300));
    played.assert_whole(0, 300);
    played.assert_whole(1, 300);
}

#[test]
fn a_planned_rate_above_the_guard_stops_to_the_job() {
    let scene = Scene::of(vec![Listed::rising(1_000.0, 10.0)]);
    let scene = scene.guard(rate(500), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert!(played.seen.busiest(SECOND) <= 500);
    let hit = &played.report.guards[0];
    assert_eq!((hit.value, hit.limit), (501.0, 500.0));
    // Λ(t) − Λ(t−1) = 100t − 50 reaches 501 about t = 5.5 s.
    assert!((5.45..5.6).contains(&hit.at_s), "{hit:?}");

    let scene = thousand().guard(rate(1_000), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    assert_eq!(scene.play(&sink).outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_rate_over_a_longer_window_lets_a_busy_second_pass() {
    // 2,000 jobs in the second second, 1,000 in each other: 4,000 in three of them.
    let streams = || {
        let wave = (0..1_000).map(|k| SECOND + k * MS).collect();
        vec![Listed::every(MS, 5_000), Listed::at(wave)]
    };
    let over = |limit_jobs| GuardKind::Rate { limit_jobs, window_ns: 3 * SECOND };
    let scene = Scene::of(streams()).guard(over(4_000), Some(Action::Stop), None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
    assert_eq!((played.seen.busiest(SECOND), played.seen.busiest(3 * SECOND)), (2_000, 4_000));

    let scene = Scene::of(streams()).guard(over(3_999), Some(Action::Stop), None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert!(played.seen.busiest(3 * SECOND) <= 3_999);
    let hit = &played.report.guards[0];
    assert_eq!((hit.value, hit.limit), (4_000.0, 3_999.0));
    assert!((2.99..3.0).contains(&hit.at_s), "{hit:?}");
}

#[test]
fn a_depth_above_its_limit_stops_and_one_at_it_does_not() {
    let scene = thousand().guard(depth(100), None, None);
    let sink = scene.prompt(MS).with_depth(|now_ns, _| Ok(now_ns / (20 * MS)));
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    let hit = &played.report.guards[0];
    assert_eq!((hit.at_s, hit.value, hit.limit), (2.1, 105.0, 100.0));
    played.assert_whole(0, 2_100);

    let scene = thousand().guard(depth(100), None, None);
    let sink = scene.prompt(MS).with_depth(|_, _| Ok(100));
    assert_eq!(scene.play(&sink).outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_depth_pauses_its_stream_until_it_is_low() {
    let streams = vec![Listed::every(MS, 5_000), Listed::every(MS, 5_000)];
    let scene = Scene::of(streams).guard(depth(100), Some(Action::PauseUntil(50.0)), Some(1));
    let sink = scene.prompt(0).with_depth(|now_ns, queue| {
        let deep = queue == "q1" && (2 * SECOND..4 * SECOND).contains(&now_ns);
        Ok(if deep { 500 } else { 50 })
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 5_000);
    played.assert_whole(1, 5_000);
    assert!((7.0..=7.001).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
    assert_eq!(played.report.send_delay_us.unwrap().max, 0.0, "a pause is no delay");
    let of_second = played.seen.accepted.iter().filter(|(_, job)| job.starts_with("1:"));
    let in_pause = of_second.filter(|(at, _)| (2 * SECOND + 1..4 * SECOND).contains(at));
    assert_eq!(in_pause.count(), 0);
    assert_eq!(played.report.guards.len(), 1);
    assert_eq!(played.report.guards[0].action, "pause until 50");
}

#[test]
fn a_depth_at_its_limit_pauses_nothing() {
    let scene = thousand().guard(depth(100), Some(Action::PauseUntil(50.0)), None);
    // Low in the end, so that a pause that should not be is over some time.
    let sink =
        scene.prompt(0).with_depth(|now_ns, _| Ok(if now_ns < 3 * SECOND { 100 } else { 50 }));
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
    assert!(played.instants(|event| matches!(event, Event::Paused { .. })).is_empty());
    assert!(played.report.elapsed_s < 5.01, "{}", played.report.elapsed_s);
}

#[test]
fn a_depth_that_can_never_be_read_fails_the_run_before_its_first_job() {
    let play = |scene: Scene| {
        let sink = scene.prompt(MS).with_depth(|_, _| Err(failure("WRONGTYPE", true)));
        scene.play(&sink)
    };
    let played = play(thousand().guard(depth(100), None, None));
    assert_eq!(played.outcome(), (OutcomeName::Failed, 4));
    assert_eq!((played.report.jobs.due, played.report.elapsed_s), (0, 0.0));
    let why = played.report.failure.unwrap();
    let message = "`guard 0` can't be kept: depth of queue \"q0\" unknown: WRONGTYPE it is";
    assert_eq!((why.kind.as_str(), why.message.as_str()), ("WRONGTYPE", message));

    let played = play(thousand());
    assert_eq!(played.outcome(), (OutcomeName::Done, 0), "nothing watches it");
    let warned = played.instants(|event| matches!(event, Event::Warning { .. }));
    assert_eq!(warned.len(), 1);
}

#[test]
fn a_depth_that_cant_be_read_for_long_stops_as_the_guard_would() {
    let play = |action, until_ns: u64| {
        let scene = Scene::of(vec![Listed::every(MS, 10_000)]).guard(depth(100), action, None);
        let sink = scene.prompt(MS).with_depth(move |now_ns, _| {
            let blind = (SECOND..until_ns).contains(&now_ns);
            if blind { Err(failure("NOPERM", true)) } else { Ok(7) }
        });
        scene.play(&sink)
    };
    for action in [None, Some(Action::Stop), Some(Action::PauseUntil(50.0))] {
        let played = play(action, u64::MAX);
        assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
        played.assert_whole(0, 6_000);
        let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
        assert_eq!((hit.at_s, hit.value, hit.action.as_str()), (6.0, 7.0, "stop"));
        let cause = "depth of queue \"q0\" unknown: NOPERM it is";
        assert_eq!(hit.cause.as_deref(), Some(cause));
    }
    let played = play(None, 5_900 * MS);
    assert_eq!((played.outcome(), played.report.guards), ((OutcomeName::Done, 0), vec![]));
}

#[test]
fn while_the_connection_is_lost_no_depth_is_missed() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)]).guard(depth(100), None, None);
    let sink = scene.prompt(MS).with_depth(|now_ns, _| {
        let down = (SECOND..8 * SECOND).contains(&now_ns);
        if down { Err(failure("io", false)) } else { Ok(7) }
    });
    let down = sink.down_until_ns.clone();
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        *down.lock().unwrap() = 8 * SECOND;
    });
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 10_000);
}

#[test]
fn a_named_queue_may_be_one_that_nobody_writes_to() {
    let kind = || GuardKind::Depth { queue: Some("downstream".to_owned()), limit: 9 };
    let scene = thousand().guard(kind(), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    let sink = sink.with_depth(|_, queue| Ok(if queue == "downstream" { 10 } else { 0 }));
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert_eq!(played.report.elapsed_s, 0.0);

    // At its bound, while one that it does not speak of is far above.
    let scene = thousand().guard(kind(), Some(Action::Stop), None);
    let sink = scene.prompt(MS);
    let sink = sink.with_depth(|_, queue| Ok(if queue == "downstream" { 9 } else { 900 }));
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
    played.assert_whole(0, 5_000);
}

#[test]
fn errors_above_their_share_stop_and_at_it_do_not() {
    let errors = GuardKind::Errors { limit: 0.1, window_ns: 10 * SECOND };
    for (every, outcome) in [(10, (OutcomeName::Done, 0)), (9, (OutcomeName::Guard, 3))] {
        let scene = thousand().guard(errors.clone(), None, None);
        let sink = scene.sink(move |call, _| {
            let bad = call % every == every - 1;
            Answer::all(if bad { Fate::Failed("OOM", true) } else { Fate::Acked }, 0)
        });
        assert_eq!(scene.play(&sink).outcome(), outcome, "one in {every}");
    }
}

#[test]
fn errors_of_a_thin_stream_are_judged_too() {
    let errors = |window_ns| GuardKind::Errors { limit: 0.01, window_ns };
    let play = |interval_ns, count, window_ns| {
        let scene = Scene::of(vec![Listed::every(interval_ns, count)]);
        let scene = scene.guard(errors(window_ns), None, None);
        let sink = scene.sink(|_, now_ns| {
            let bad = now_ns >= SECOND;
            Answer::all(if bad { Fate::Failed("OOM", false) } else { Fate::Acked }, 0)
        });
        scene.play(&sink)
    };
    // The 20th of 9 a second is answered after 2.17 s.
    let played = play(SECOND / 9, 72, 10 * SECOND);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert_eq!(played.report.jobs.sent, 20);
    // One a second: a whole window has passed after 5 s, with five answers in it.
    let played = play(SECOND, 8, 5 * SECOND);
    assert_eq!((played.outcome(), played.report.jobs.sent), ((OutcomeName::Guard, 3), 5));
    assert_eq!(played.report.guards[0].at_s, 5.0);
    // Neither before the run is over: the end judges.
    let played = play(SECOND, 8, 10 * SECOND);
    assert_eq!((played.outcome(), played.report.jobs.sent), ((OutcomeName::Guard, 3), 8));
    assert_eq!((played.report.guards[0].at_s, played.report.guards[0].value), (8.0, 0.875));
}

#[test]
fn errors_pause_until_the_window_has_emptied() {
    let errors = GuardKind::Errors { limit: 0.5, window_ns: SECOND };
    let scene = thousand().guard(errors, Some(Action::PauseUntil(0.1)), None);
    let sink = scene.sink(|_, now_ns| {
        let bad = (SECOND..2 * SECOND).contains(&now_ns);
        Answer::all(if bad { Fate::Failed("OOM", true) } else { Fate::Acked }, 0)
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert_eq!(played.report.jobs.sent, 5_000);
    let pauses = played.instants(|event| matches!(event, Event::Paused { .. }));
    let resumes = played.instants(|event| matches!(event, Event::Resumed { .. }));
    assert_eq!((pauses.len(), resumes.len()), (1, 1));
    assert!((1.5..1.51).contains(&pauses[0]) && (2.4..2.6).contains(&resumes[0]));
}

#[test]
fn errors_at_their_share_pause_nothing() {
    let errors = GuardKind::Errors { limit: 0.5, window_ns: SECOND };
    let scene = thousand().guard(errors, Some(Action::PauseUntil(0.1)), None);
    let sink = scene.sink(|call, _| {
        let bad = call % 2 == 1;
        Answer::all(if bad { Fate::Failed("OOM", true) } else { Fate::Acked }, 0)
    });
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
    assert_eq!((played.report.jobs.failed, played.report.jobs.acked), (2_500, 2_500));
}

#[test]
fn a_file_that_appears_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stop");
    let kind = GuardKind::File(path.to_string_lossy().into_owned());
    let scene = thousand().guard(kind, None, None);
    let sink = scene.prompt(MS);
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(1_250 * MS).await;
        std::fs::write(&path, "").unwrap();
    });
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    assert_eq!(played.report.guards[0].at_s, 1.3);
}

#[test]
fn a_file_of_nearly_the_name_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kind = GuardKind::File(folder.path().join("stop").to_string_lossy().into_owned());
    let scene = thousand().guard(kind, None, None);
    let sink = scene.prompt(MS);
    let played = scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(1_250 * MS).await;
        for name in ["sto", "stop.", "stops", ".stop"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
    });
    assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), 0));
    played.assert_whole(0, 5_000);
}

#[test]
fn a_file_that_is_there_beforehand_leaves_no_job() {
    let folder = tempfile::tempdir().unwrap();
    let kind = GuardKind::File(folder.path().to_string_lossy().into_owned());
    let scene = Scene::of(vec![Listed::at(vec![0; 10])]).guard(kind, None, None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.jobs.sent), ((OutcomeName::Guard, 3), 0));
}

#[test]
fn a_file_that_nobody_can_tell_of_fails_at_the_start_and_warns_later() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("folder");
    let path = parent.join("stop");
    let guarded = || {
        let kind = GuardKind::File(path.to_string_lossy().into_owned());
        thousand().guard(kind, None, None)
    };
    let scene = guarded();
    let sink = scene.prompt(MS);
    let played = scene.play_with(&sink, async |clock, _| {
        // Below a file there can be no other, and asking for one is an error.
        clock.sleep_until(1_250 * MS).await;
        std::fs::write(&parent, "").unwrap();
    });
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert_eq!(played.instants(|event| matches!(event, Event::Warning { .. })), [1.3]);

    let scene = guarded();
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.jobs.due), ((OutcomeName::Failed, 4), 0));
    let failure = played.report.failure.unwrap();
    let start = format!("can't look for the stop file {}: ", path.display());
    assert!(failure.message.starts_with(&start), "{failure:?}");
    assert!(failure.message.len() > start.len());
}

#[test]
fn a_stream_stopped_by_a_guard_leaves_the_others_and_marks_the_run() {
    let streams = vec![Listed::every(MS, 3_000), Listed::every(MS, 3_000)];
    let scene = Scene::of(streams).guard(depth(10), Some(Action::Stop), Some(0));
    let sink = scene.prompt(MS).with_depth(|now_ns, _| Ok(now_ns / (100 * MS)));
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    played.assert_whole(0, 1_100);
    played.assert_whole(1, 3_000);
}
