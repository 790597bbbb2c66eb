//! Guards on memory and processor time: each hit, and each nearly hit.

use super::*;
use crate::plan::ServerLimit;
use crate::sink::ServerMemory;
use crate::stats::process::{Meter, Used};

const MB: u64 = 1_000_000;

fn thousand() -> Scene {
    Scene::of(vec![Listed::every(MS, 5_000)])
}

/// Uses 1 MB more each second, and from 2 s on 70 % of a core.
fn metered(scene: Scene) -> Scene {
    scene.options(|options| {
        options.meter = Meter::new(|now_ns| {
            let seconds = now_ns as f64 / 1e9;
            Used {
                cpu_s: 0.1 * seconds + 0.6 * (seconds - 2.0).max(0.0),
                rss_bytes: Some(now_ns / SECOND * MB + 5 * MB),
            }
        });
    })
}

#[test]
fn own_memory_above_its_bound_stops_and_at_it_does_not() {
    for (limit, outcome) in [(8 * MB, (OutcomeName::Guard, 3)), (10 * MB, (OutcomeName::Done, 0))] {
        let scene = metered(thousand().guard(GuardKind::Memory(limit), None, None));
        let sink = scene.prompt(0);
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), outcome, "{limit}");
        if let Some(hit) = played.report.guards.first() {
            assert_eq!((hit.kind, hit.at_s, hit.value), ("memory", 4.0, 9e6));
        }
    }
}

#[test]
fn own_memory_pauses_until_it_is_low() {
    for (limit, pauses) in [(9 * MB - 1, vec![(2.0, Some(4.0))]), (9 * MB, vec![])] {
        let scene = thousand().guard(GuardKind::Memory(limit), Some(Action::PauseUntil(5e6)), None);
        let scene = scene.options(|options| {
            options.meter = Meter::new(|now_ns| {
                let high = (2 * SECOND..4 * SECOND).contains(&now_ns);
                Used { cpu_s: 0.0, rss_bytes: Some(if high { 9 * MB } else { 5 * MB }) }
            });
        });
        let sink = scene.prompt(0);
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), (OutcomeName::Done, 0));
        played.assert_whole(0, 5_000);
        let hits = played.report.guards.iter();
        assert_eq!(hits.map(|hit| (hit.at_s, hit.ended_at_s)).collect::<Vec<_>>(), pauses);
    }
}

#[test]
fn own_memory_that_nobody_tells_fails_the_run_before_its_first_job() {
    let scene = thousand().guard(GuardKind::Memory(MB), None, None).options(|options| {
        options.meter = Meter::new(|_| Used { cpu_s: 0.0, rss_bytes: None });
    });
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.jobs.due), ((OutcomeName::Failed, 4), 0));
    let message = played.report.failure.unwrap().message;
    assert!(message.starts_with("`guard 0` can't be kept: "), "{message}");
}

#[test]
fn processor_time_is_that_of_the_last_second() {
    for (limit, hit_at) in [(0.5, Some(2.7)), (0.71, None)] {
        let scene = metered(thousand().guard(GuardKind::Cpu(limit), None, None));
        let sink = scene.prompt(0);
        let played = scene.play(&sink);
        assert_eq!(played.report.guards.first().map(|hit| hit.at_s), hit_at, "{limit}");
    }
}

#[test]
fn processor_time_pauses_until_it_is_low() {
    for (limit, paused) in [(0.75, true), (0.85, false)] {
        let scene = thousand().guard(GuardKind::Cpu(limit), Some(Action::PauseUntil(0.2)), None);
        let scene = scene.options(|options| {
            options.meter = Meter::new(|now_ns| {
                let seconds = now_ns as f64 / 1e9;
                // 10 % of a core, and 80 % from 2 s to 4 s.
                let busy_s = (seconds - 2.0).clamp(0.0, 2.0);
                Used { cpu_s: 0.1 * seconds + 0.7 * busy_s, rss_bytes: None }
            });
        });
        let sink = scene.prompt(0);
        let played = scene.play(&sink);
        assert_eq!(played.outcome(), (OutcomeName::Done, 0));
        played.assert_whole(0, 5_000);
        let hits = played.report.guards.iter().map(|hit| (hit.at_s, hit.ended_at_s));
        // Over 75 % of the last second at 3 s, and down to 20 % of it at 4.9 s.
        let expected = if paused { vec![(3.0, Some(4.9))] } else { vec![] };
        assert_eq!(hits.collect::<Vec<_>>(), expected, "{limit}");
    }
}

#[test]
fn the_servers_memory_pauses_until_it_is_low() {
    let limit = GuardKind::ServerMemory(ServerLimit::Share(0.8));
    let scene = thousand().guard(limit, Some(Action::PauseUntil(0.6)), None);
    let sink = scene.prompt(0).with_memory(|now_ns| {
        let full = (2 * SECOND..4 * SECOND).contains(&now_ns);
        let used_bytes = if full { 81 } else { 60 };
        Ok(ServerMemory { used_bytes, allowed_bytes: Some(100) })
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    played.assert_whole(0, 5_000);
    let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
    assert_eq!((hit.kind, hit.value, hit.limit), ("server memory", 0.81, 0.8));
    assert_eq!((hit.at_s, hit.ended_at_s), (2.0, Some(4.0)));
}

#[test]
fn the_servers_memory_at_its_bound_is_no_hit() {
    let size = GuardKind::ServerMemory(ServerLimit::Bytes(5 * MB));
    for (used_bytes, outcome) in [(5 * MB, OutcomeName::Done), (5 * MB + 1, OutcomeName::Guard)] {
        let scene = thousand().guard(size.clone(), None, None);
        let memory = move |_| Ok(ServerMemory { used_bytes, allowed_bytes: None });
        let sink = scene.prompt(0).with_memory(memory);
        assert_eq!(scene.play(&sink).report.outcome, outcome);
    }
    let share = GuardKind::ServerMemory(ServerLimit::Share(0.8));
    for (used_bytes, hits) in [(80, 0), (81, 1)] {
        let scene = thousand().guard(share.clone(), Some(Action::PauseUntil(0.6)), None);
        let memory = move |now_ns| {
            let used_bytes = if now_ns < SECOND { used_bytes } else { 60 };
            Ok(ServerMemory { used_bytes, allowed_bytes: Some(100) })
        };
        let sink = scene.prompt(0).with_memory(memory);
        let played = scene.play(&sink);
        assert_eq!((played.outcome(), played.report.guards.len()), ((OutcomeName::Done, 0), hits));
    }
}

#[test]
fn a_server_that_does_not_tell_fails_the_run_at_the_start_and_stops_it_later() {
    let limit = || GuardKind::ServerMemory(ServerLimit::Share(0.8));
    let scene = thousand().guard(limit(), None, None);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!((played.outcome(), played.report.jobs.due), ((OutcomeName::Failed, 4), 0));
    let message = played.report.failure.unwrap().message;
    assert!(message.ends_with("bound it by a size"), "{message}");

    let scene = Scene::of(vec![Listed::every(MS, 9_000)]).guard(
        limit(),
        Some(Action::PauseUntil(0.5)),
        None,
    );
    let sink = scene.prompt(0).with_memory(|now_ns| match now_ns {
        now_ns if now_ns > SECOND => Err(failure("NOPERM", true)),
        _ => Ok(ServerMemory { used_bytes: 1, allowed_bytes: Some(100) }),
    });
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Guard, 3));
    let [hit] = &played.report.guards[..] else { panic!("{:?}", played.report.guards) };
    assert_eq!(hit.cause.as_deref(), Some("the server's memory is unknown: NOPERM it is"));
    assert_eq!((hit.action.as_str(), hit.at_s), ("stop", 6.1));
}
