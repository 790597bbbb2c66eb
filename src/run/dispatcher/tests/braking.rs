//! `then slow` and `then shed`, warnings and what hits lead to besides.

use super::*;
use crate::run::guards::Severity;

fn rate(limit_jobs: u64) -> GuardKind {
    GuardKind::Rate { limit_jobs, window_ns: SECOND }
}

/// Jobs in the whole seconds from one to another.
fn in_seconds(seen: &Seen, from: u64, to: u64) -> Vec<u64> {
    let second = |second: u64| {
        let inside = |at: &&(u64, String)| (second * SECOND..(second + 1) * SECOND).contains(&at.0);
        seen.accepted.iter().filter(inside).count() as u64
    };
    (from..to).map(second).collect()
}

#[test]
fn a_slowed_clock_sends_all_jobs_evenly_and_later() {
    let scene =
        Scene::of(vec![Listed::every(MS, 5_000)]).guard(rate(500), Some(Action::Slow), None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 5_000);
    assert!(played.seen.busiest(SECOND) <= 500, "{}", played.seen.busiest(SECOND));
    assert!((9.9..=10.05).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
    let mut middle = played.seen.clone();
    middle.sends.retain(|(at, _)| (SECOND..9 * SECOND).contains(at));
    let tenths = middle.busiest(SECOND / 10);
    assert!((49..=52).contains(&tenths), "evenly: {tenths} in a tenth of a second");
    let delay = played.report.send_delay_us.unwrap();
    assert!(delay.max <= 4_000.0, "to run slower is no lateness: {delay:?}");
    let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
    assert_eq!((hit.kind, hit.severity, hit.action.as_str()), ("rate", Severity::Warning, "slow"));
    assert_eq!((hit.requested, hit.allowed, hit.at_s), (1_000.0, 500.0, 0.0));
}

#[test]
fn a_rate_just_below_is_not_slowed() {
    let scene =
        Scene::of(vec![Listed::every(MS, 5_000)]).guard(rate(1_000), Some(Action::Slow), None);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!((played.report.elapsed_s, played.report.guards.len()), (5.0005, 0));
}

#[test]
fn a_wave_is_slowed_where_it_is_too_high_and_then_goes_on() {
    // Up from 0 to 1,000/s in 10 s; then slowly again.
    let rising = Listed::rising(1_000.0, 10.0);
    let scene = Scene::of(vec![rising.ending_at(12 * SECOND), Listed::every(10 * MS, 100)]).guard(
        rate(500),
        Some(Action::Slow),
        Some(0),
    );
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    played.assert_whole(0, 5_000);
    played.assert_whole(1, 100);
    let own: Vec<(u64, u64)> = played
        .seen
        .accepted
        .iter()
        .filter(|(_, job)| job.starts_with("0:"))
        .map(|(at, _)| (*at, 1))
        .collect();
    let mut seen = Seen::default();
    seen.sends = own;
    assert!(seen.busiest(SECOND) <= 500, "{}", seen.busiest(SECOND));
    // 1,250 jobs in the first 5 s, the other 3,750 at 500/s take 7.5 s, then 2 s of nothing.
    assert!((14.3..14.8).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
    let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
    assert!((4.4..5.1).contains(&hit.at_s) && hit.ended_at_s.is_some(), "{hit:?}");
    assert_eq!(played.instants(|event| matches!(event, Event::Resumed { .. })).len(), 1);
}

#[test]
fn what_falls_due_at_once_waits_while_the_clock_stands() {
    let mut times = vec![SECOND; 2_000];
    times.extend((1..=100).map(|k| SECOND + k * 10 * MS));
    let scene = Scene::of(vec![Listed::at(times)]).guard(rate(500), Some(Action::Slow), None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    played.assert_whole(0, 2_100);
    assert!(played.seen.busiest(SECOND) <= 500);
    // 2,000 at 500 a second leave from 1 s to 4 s; 25 of the others fall due then, and all have room
    // again from 5 s on.
    assert!((5.7..5.8).contains(&played.report.elapsed_s), "{}", played.report.elapsed_s);
}

#[test]
fn what_is_above_a_rate_is_shed_and_counted() {
    let scene =
        Scene::of(vec![Listed::every(MS, 5_000)]).guard(rate(400), Some(Action::Shed), None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert!(played.seen.busiest(SECOND) <= 400);
    assert_eq!(in_seconds(&played.seen, 0, 5), [400; 5]);
    let jobs = played.report.jobs;
    assert_eq!((jobs.due, jobs.acked, jobs.skipped), (5_000, 2_000, 3_000));
    assert!((4.99..5.01).contains(&played.report.elapsed_s), "the clock goes on");
    let hit = &played.report.guards[0];
    assert_eq!((hit.action.as_str(), hit.at_s, hit.allowed), ("shed", 0.4005, 400.0));

    let scene =
        Scene::of(vec![Listed::every(MS, 5_000)]).guard(rate(1_000), Some(Action::Shed), None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!((played.report.jobs.skipped, played.report.guards.len()), (0, 0));
}

#[test]
fn shedding_speaks_of_its_own_stream_alone() {
    let streams = vec![Listed::every(MS, 2_000), Listed::every(MS, 2_000)];
    let scene = Scene::of(streams).guard(rate(100), Some(Action::Shed), Some(1));
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    played.assert_whole(0, 2_000);
    assert_eq!(played.report.streams[1].jobs.skipped, 1_800);
}

#[test]
fn what_waits_for_the_server_is_not_shed() {
    let scene = Scene::of(vec![Listed::every(MS, 2_000)])
        .guard(rate(1_000), Some(Action::Shed), None)
        .options(|options| options.max_in_flight_jobs = 10);
    let sink = scene.prompt(20 * MS);
    let played = scene.play(&sink);
    assert_eq!(played.report.jobs.skipped, 0);
    played.assert_whole(0, 2_000);
}

#[test]
fn a_guard_warns_once_when_it_is_near() {
    let scene = Scene::of(vec![Listed::every(MS, 5_000)])
        .guard(GuardKind::Jobs(6_000), None, None)
        .tuned(|tuning| tuning.warn = Some(4_800.0));
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert!(played.report.guards.is_empty());
    let [near] = &played.report.warnings[..] else { panic!("{:?}", played.report.warnings) };
    assert_eq!((near.at_s, near.value, near.limit), (4.8, 4_800.0, 6_000.0));
    assert_eq!((near.severity, near.action.as_str()), (Severity::Warning, "warn"));
    let told = played.events.iter().find(|record| matches!(record.event, Event::Near { .. }));
    let told = serde_json::to_value(told).unwrap();
    assert_eq!((&told["event"], &told["kind"]), (&"warning".into(), &"jobs".into()));
    assert_eq!(told["message"], "`guard 0` is near: 80% of its bound");

    let scene = Scene::of(vec![Listed::every(MS, 5_000)])
        .guard(GuardKind::Jobs(6_000), None, None)
        .tuned(|tuning| tuning.warn = Some(5_001.0));
    let sink = scene.prompt(MS);
    assert!(scene.play(&sink).report.warnings.is_empty(), "nearly");
}

#[test]
fn a_guard_warns_again_only_after_it_was_low() {
    let depth = GuardKind::Depth { queue: None, limit: 1_000 };
    let scene = Scene::of(vec![Listed::every(10 * MS, 6_000)])
        .guard(depth, None, None)
        .tuned(|tuning| tuning.warn = Some(800.0));
    // High for 15 s with a ripple, low for 5 s, and so on for a minute.
    let sink = scene.prompt(0).with_depth(|now_ns, _| {
        let ripple = now_ns / (100 * MS) % 2 * 30;
        Ok(if now_ns / SECOND % 20 < 15 { 790 + ripple } else { 100 })
    });
    let played = scene.play(&sink);
    assert_eq!(played.report.warnings.len(), 3, "{:?}", played.report.warnings);
}

#[test]
fn a_pause_lasts_until_the_measure_has_been_low_for_the_cooldown() {
    let depth = GuardKind::Depth { queue: None, limit: 100 };
    let scene = Scene::of(vec![Listed::every(MS, 5_000)])
        .guard(depth, Some(Action::PauseUntil(50.0)), None)
        .tuned(|tuning| tuning.cooldown_ns = SECOND);
    // Low again after 1 s, but for one look at 2.5 s.
    let sink = scene.prompt(0).with_depth(|now_ns, _| {
        let deep = (SECOND..2 * SECOND).contains(&now_ns) || now_ns / (100 * MS) == 25;
        Ok(if deep { 130 } else { 20 })
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 5_000);
    let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
    assert_eq!((hit.at_s, hit.overshoot), (1.0, Some(30.0)));
    assert!((3.6..=3.7).contains(&hit.ended_at_s.unwrap()), "{hit:?}");
}
