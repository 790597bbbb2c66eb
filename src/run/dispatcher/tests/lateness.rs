//! Stalls, and what `late` makes of them.

use super::*;
use crate::plan::Late;

impl Scene {
    fn late(mut self, late: Late) -> Scene {
        self.late = vec![late];
        self
    }
}

/// Jobs that were sent in each tenth of a second from one on.
fn tenths(played: &Played, from: u64, to: u64) -> Vec<u64> {
    let sent = |tenth: u64| {
        let within = |ns: u64| (tenth * 100 * MS..(tenth + 1) * 100 * MS).contains(&ns);
        played.seen.sends.iter().filter(|(at, _)| within(*at)).map(|(_, jobs)| *jobs).sum()
    };
    (from..to).map(sent).collect()
}

/// A job a millisecond for 4 s, and a connection that is gone from 1 s to 2 s.
fn with_a_gap(late: Late) -> Played {
    let scene = Scene::of(vec![Listed::every(MS, 4_000)]).late(late);
    let sink = scene.prompt(0);
    let down = sink.down_until_ns.clone();
    scene.play_with(&sink, async |clock, _| {
        clock.sleep_until(SECOND).await;
        *down.lock().unwrap() = 2 * SECOND;
    })
}

#[test]
fn what_is_overdue_is_sent_at_once_unless_said_otherwise() {
    let played = with_a_gap(Late::Send);
    played.assert_whole(0, 4_000);
    assert!(tenths(&played, 20, 21)[0] >= 1_000);
}

#[test]
fn what_is_too_late_is_skipped_and_counted() {
    let played = with_a_gap(Late::SkipAfter(300 * MS));
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    let jobs = played.report.jobs;
    assert_eq!((jobs.acked + jobs.skipped, jobs.failed, jobs.unknown), (4_000, 0, 0));
    assert!((695..=705).contains(&jobs.skipped), "{}", jobs.skipped);
    let max = played.report.send_delay_us.unwrap().max;
    assert!(max <= 301_000.0, "{max}");
    let errors = &played.report.errors;
    assert_eq!((errors.len(), errors[0].kind.as_str(), errors[0].count), (1, "late", jobs.skipped));
}

#[test]
fn what_a_stall_left_is_spread() {
    let played = with_a_gap(Late::SpreadOver(SECOND));
    played.assert_whole(0, 4_000);
    // A thousand overdue in one second, beside the thousand that fall due in it.
    for (tenth, sent) in tenths(&played, 20, 30).into_iter().enumerate() {
        assert!((190..=210).contains(&sent), "{tenth}: {sent}");
    }
    for (tenth, sent) in tenths(&played, 31, 39).into_iter().enumerate() {
        assert!((98..=102).contains(&sent), "{tenth}: {sent}");
    }
}

#[test]
fn a_stall_of_loadc_itself_is_told_and_handled_like_any_other() {
    for (late, skipped) in [(Late::Send, 0), (Late::SkipAfter(SECOND), 1_000)] {
        let scene = Scene::of(vec![Listed::every(MS, 5_000)]).late(late);
        let sink = scene.prompt(0);
        let played = scene.play_with(&sink, async |clock, _| {
            clock.sleep_until(SECOND).await;
            clock.stall(2 * SECOND);
        });
        let stalls = &played.report.stalls;
        assert_eq!(stalls.len(), 1, "{stalls:?}");
        assert!((1.9..=2.1).contains(&stalls[0].for_s), "{stalls:?}");
        let told = played.instants(|event| matches!(event, Event::Stalled { .. }));
        assert_eq!(told.len(), 1);
        let jobs = played.report.jobs;
        assert_eq!(jobs.acked + jobs.skipped, 5_000);
        assert!(jobs.skipped.abs_diff(skipped) <= 5, "{}", jobs.skipped);
    }
}

#[test]
fn a_pause_makes_nothing_late() {
    let scene = Scene::of(vec![Listed::every(MS, 2_000)]).late(Late::SkipAfter(100 * MS));
    let sink = scene.prompt(0);
    let played = scene.play_with(&sink, async |clock, control| {
        clock.sleep_until(SECOND).await;
        control.pause();
        clock.sleep_until(5 * SECOND).await;
        control.resume();
    });
    played.assert_whole(0, 2_000);
}
