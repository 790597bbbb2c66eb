//! Stop, abort, pause and resume by hand.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_stop_drains_what_is_in_flight() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)]);
    let sink = scene.prompt(300 * MS);
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.stop(Why::Interrupt);
    });
    assert_eq!(played.outcome(), (OutcomeName::Interrupted, 130));
    let jobs = played.report.jobs;
    assert_eq!((jobs.due, jobs.acked, jobs.skipped, jobs.unknown), (2_000, 2_000, 0, 0));
    assert!((2.29..=2.3).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
}

#[test]
fn a_stop_waits_for_answers_only_so_long() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)])
        .options(|options| options.drain = std::time::Duration::from_secs(3));
    let sink =
        scene.sink(
            |_, now_ns| {
                if now_ns < SECOND { Answer::all(Fate::Acked, 0) } else { Answer::never() }
            },
        );
    let played = scene.play_with_losses(&sink, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.stop(Why::ByHand);
    });
    let report = &played.report;
    assert_eq!((report.outcome, report.exit_code), (OutcomeName::Stopped, 130));
    assert_eq!((report.jobs.acked, report.jobs.unknown), (1_000, 1_000));
    assert_eq!(report.elapsed_s, 5.0);
    assert_eq!(report.errors[0].kind, "unanswered");
}

#[test]
fn overdue_jobs_are_skipped_by_a_stop() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)])
        .options(|options| options.max_in_flight_jobs = 10);
    let sink = scene.prompt(100 * MS);
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.stop(Why::ByHand);
    });
    let jobs = played.report.jobs;
    assert_eq!(jobs.due, 2_000);
    assert_eq!(jobs.acked + jobs.skipped, 2_000);
    assert!(jobs.skipped > 1_700, "{jobs:?}");
    assert_eq!(played.report.streams[0].jobs.planned, 10_000);
}

#[test]
fn an_abort_is_at_once() {
    let scene = Scene::of(vec![Listed::every(MS, 10_000)]);
    let asked = Arc::new(AtomicU64::new(0));
    let last_asked = asked.clone();
    let busy = scene.sink(|_, _| Answer::all(Fate::Failed("BUSY", false), 700 * MS));
    let sink = busy.with_depth(move |now_ns, _| {
        last_asked.store(now_ns, Ordering::Relaxed);
        Ok(0)
    });
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(1_500 * MS).await;
        control.stop(Why::Interrupt);
        clock.sleep_until(1_600 * MS).await;
        control.abort(Why::Interrupt);
    });
    assert_eq!(played.outcome(), (OutcomeName::Interrupted, 130));
    assert_eq!(played.report.elapsed_s, 1.6);
    let jobs = played.report.jobs;
    assert_eq!((jobs.due, jobs.sent, jobs.failed + jobs.unknown), (1_500, 1_500, 1_500));
    assert!((590..=610).contains(&jobs.unknown), "{jobs:?}");
    assert!(asked.load(Ordering::Relaxed) < 1_600 * MS, "asks nothing more");
}

#[test]
fn a_pause_by_hand_moves_the_rest_and_loses_nothing() {
    let scene = Scene::of(vec![Listed::every(10 * MS, 100), Listed::every(10 * MS, 100)]);
    let sink = scene.prompt(MS);
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(502 * MS).await;
        control.pause();
        clock.sleep_until(1_502 * MS).await;
        control.resume();
    });
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    let expected = |k: u64| k * 10 * MS + 5 * MS + if k < 50 { 0 } else { SECOND };
    for stream in 0..2 {
        played.assert_whole(stream, 100);
    }
    let times: Vec<u64> = played.seen.accepted.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, (0..200).map(|at| expected(at / 2)).collect::<Vec<_>>());
    let report = &played.report;
    assert_eq!((report.elapsed_s, report.send_delay_us.unwrap().max), (2.0, 0.0));
    assert_eq!(played.instants(|event| matches!(event, Event::Paused { .. })), [0.502]);
    assert_eq!(played.instants(|event| matches!(event, Event::Resumed { .. })), [1.502]);
}

#[test]
fn a_pause_is_no_delay_of_what_was_due_when_it_began() {
    let pause = async |clock: RehearsalClock, control: Control| {
        clock.sleep_until(552 * MS).await;
        control.pause();
        clock.sleep_until(1_552 * MS).await;
        control.resume();
    };
    // What is due since the last tick is held back by the pause.
    let scene = Scene::of(vec![Listed::every(10 * MS, 100)])
        .options(|options| options.gap = std::time::Duration::from_millis(100));
    let sink = scene.prompt(MS);
    let played = scene.play_with(&sink, pause);
    played.assert_whole(0, 100);
    let held = played.seen.sends.iter().filter(|(at, jobs)| *at == 1_552 * MS && *jobs > 0);
    assert_eq!(held.count(), 1, "{:?}", played.seen.sends);
    let max = played.report.send_delay_us.unwrap().max;
    assert!(max <= 100_000.0, "{max}");

    // Overdue for want of room before and after the pause: that is delay, the pause is none.
    let scene =
        Scene::of(vec![Listed::every(MS, 600)]).options(|options| options.max_in_flight_jobs = 10);
    let sink = scene.prompt(20 * MS);
    let played = scene.play_with(&sink, pause);
    played.assert_whole(0, 600);
    let max = played.report.send_delay_us.unwrap().max;
    assert!((550_000.0..=650_000.0).contains(&max), "{max}");
}

#[test]
fn a_paused_run_can_be_stopped() {
    let scene = Scene::of(vec![Listed::every(10 * MS, 100)]);
    scene.control.pause();
    let sink = scene.prompt(0);
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(70 * SECOND).await;
        control.stop(Why::ByHand);
    });
    assert_eq!(played.outcome(), (OutcomeName::Stopped, 130));
    assert_eq!((played.report.jobs.due, played.report.elapsed_s), (0, 70.0));
}

#[test]
fn a_wish_made_before_the_start_holds() {
    let scene = Scene::of(vec![Listed::every(10 * MS, 100)]);
    scene.control.stop(Why::Interrupt);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Interrupted, 130));
    assert_eq!(played.report.jobs.sent, 0);
}
