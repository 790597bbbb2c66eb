use super::*;
use crate::job::Format;
use crate::plan::Tuning;
use crate::run::fakes::Listed;
use crate::run::pacer::Pacer;
use crate::sink::Queue;
use std::time::Duration;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

fn guard(kind: GuardKind, action: Option<Action>, stream: Option<usize>) -> Guard {
    Guard {
        kind,
        action,
        stream,
        text: "the guard".to_owned(),
        span: None,
        tuning: Tuning::default(),
    }
}

fn pacer(schedules: Vec<Listed>) -> Pacer {
    let schedules = schedules.into_iter().map(Listed::shared).collect();
    Pacer::new(Duration::from_millis(1), schedules)
}

fn armed(guards: Vec<Guard>) -> Guards {
    let queue = |name: &str| Queue { name: name.to_owned(), format: Format::List };
    Guards::new(guards, &[queue("a"), queue("b")], 2, |stream| vec![stream])
}

fn rate(limit_jobs: u64, action: Option<Action>) -> Guards {
    armed(vec![guard(GuardKind::Rate { limit_jobs, window_ns: SECOND }, action, None)])
}

const STOP_RUN: Effect = Effect::StopRun { planned: false };
const END_RUN: Effect = Effect::StopRun { planned: true };

#[test]
fn a_claim_on_jobs_is_broken_by_the_job_after_the_last() {
    // Jobs at 5, 15, 25 … ms in both streams: the seventh of the sum is due at 35 ms.
    let pacer = pacer(vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    let mut guards = armed(vec![guard(GuardKind::Jobs(6), None, None)]);
    assert_eq!(guards.first_breach(&pacer, 35 * MS - 1), None);
    let breach = guards.first_breach(&pacer, 90 * MS).unwrap();
    assert_eq!((breach.at_ns, breach.limit, breach.effect), (35 * MS, 6, STOP_RUN));
    assert_eq!(guards.first_breach(&pacer, 95 * MS), None, "it has had its say");
}

#[test]
fn a_claim_on_jobs_that_is_just_kept_is_not_broken() {
    let pacer = pacer(vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    for action in [None, Some(Action::Stop)] {
        let mut guards = armed(vec![guard(GuardKind::Jobs(20), action, None)]);
        assert_eq!(guards.first_breach(&pacer, SECOND), None);
    }
}

#[test]
fn jobs_then_stop_ends_the_plan_at_the_last_allowed_job() {
    let pacer = pacer(vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    let mut guards = armed(vec![guard(GuardKind::Jobs(6), Some(Action::Stop), None)]);
    let breach = guards.first_breach(&pacer, 90 * MS).unwrap();
    assert_eq!((breach.at_ns, breach.limit, breach.effect), (25 * MS, 6, END_RUN));
    let of_one = vec![guard(GuardKind::Jobs(6), Some(Action::Stop), Some(1))];
    let breach = armed(of_one).first_breach(&pacer, 90 * MS).unwrap();
    let effect = Effect::StopStream { stream: 1, planned: true };
    assert_eq!((breach.at_ns, breach.effect), (55 * MS, effect));
}

#[test]
fn breaches_come_in_the_order_of_time() {
    let pacer = pacer(vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    let mut guards = armed(vec![
        guard(GuardKind::Jobs(8), Some(Action::Stop), None),
        guard(GuardKind::Time(20 * MS), Some(Action::Stop), Some(0)),
    ]);
    let first = guards.first_breach(&pacer, 90 * MS).unwrap();
    assert_eq!((first.guard, first.at_ns), (1, 20 * MS));
    let second = guards.first_breach(&pacer, 90 * MS).unwrap();
    assert_eq!((second.guard, second.at_ns), (0, 35 * MS));
}

#[test]
fn time_is_hit_by_what_lasts_longer_and_not_by_what_ends_on_it() {
    let pacer = pacer(vec![Listed::every(10 * MS, 10), Listed::at(vec![])]);
    let mut kept = armed(vec![guard(GuardKind::Time(100 * MS), None, None)]);
    assert_eq!(kept.next_deadline_ns(), Some(100 * MS));
    assert_eq!(kept.first_breach(&pacer, SECOND), None);
    assert_eq!(kept.overstayed(SECOND, &[false, false]), None);
    let late = kept.overstayed(SECOND, &[true, false]).unwrap();
    assert_eq!((late.effect, late.value), (STOP_RUN, 1.0));

    let mut broken = armed(vec![guard(GuardKind::Time(100 * MS - 1), Some(Action::Stop), None)]);
    assert_eq!(broken.first_breach(&pacer, 100 * MS - 2), None);
    let breach = broken.first_breach(&pacer, SECOND).unwrap();
    assert_eq!((breach.at_ns, breach.effect), (100 * MS - 1, END_RUN));
    assert_eq!(broken.next_deadline_ns(), None);
}

#[test]
fn a_planned_rate_beyond_the_guard_stops_at_the_very_job() {
    // 10 in the first second, then 11 in the second: the 21st job is the 11th of its window.
    let mut times: Vec<u64> = (0..10).map(|k| k * 100 * MS).collect();
    times.extend((0..11).map(|k| SECOND + k * 90 * MS));
    let mut paced = pacer(vec![Listed::at(times)]);
    let mut kept = rate(11, Some(Action::Stop));
    assert_eq!(kept.first_breach(&paced, 3 * SECOND), None);

    let mut broken = rate(10, Some(Action::Stop));
    let breach = broken.first_breach(&paced, 3 * SECOND).unwrap();
    // The window (90 ms, 1,090 ms] has 9 of the first second and 2 of the second: 11.
    assert_eq!((breach.at_ns, breach.value, breach.effect), (1_090 * MS, 11.0, STOP_RUN));
    paced.advance_to_limit(breach.at_ns, |_| true, breach.limit);
    assert_eq!(paced.due(0), 11);
    assert_eq!(rate(10, None).first_breach(&paced, 3 * SECOND), None, "a claim was proven");
}

#[test]
fn a_late_look_at_a_planned_rate_is_no_hit() {
    // 10 a second for 10 s, looked at once: the 100 overdue jobs are not a window's.
    let paced = pacer(vec![Listed::every(100 * MS, 100)]);
    assert_eq!(rate(10, Some(Action::Stop)).first_breach(&paced, 10 * SECOND), None);
    let mut early = rate(9, Some(Action::Stop));
    assert_eq!(early.first_breach(&paced, 10 * SECOND).map(|breach| breach.at_ns), Some(950 * MS));
}

#[test]
fn room_in_the_window_opens_as_jobs_leave_it() {
    let mut guards = rate(10, None);
    guards.sent(0, 0, 4);
    guards.sent(1, 300 * MS, 6);
    assert_eq!((guards.room(None, 999 * MS), guards.room(Some(0), 999 * MS)), (0, u64::MAX));
    assert_eq!(guards.next_room_ns(999 * MS), Some(SECOND));
    assert_eq!(guards.room(None, SECOND), 4);
    assert_eq!(guards.next_room_ns(SECOND), None);
    guards.came_back(1, 300 * MS, 2);
    assert_eq!(guards.room(None, SECOND), 6);
}

#[test]
fn a_depth_is_hit_above_its_limit_only() {
    let kind = GuardKind::Depth { queue: None, limit: 100 };
    let mut guards = armed(vec![guard(kind, None, None)]);
    assert!(guards.asks_depths());
    assert_eq!(guards.judge_depth(0, 100, 0), []);
    let hit = Hit { guard: 0, value: 101.0, effect: STOP_RUN };
    assert_eq!(guards.judge_depth(1, 101, 0), [hit]);
    assert_eq!(guards.judge_depth(1, 500, 0), [], "once is enough");
    assert!(!guards.asks_depths());
}

#[test]
fn a_depth_guard_looks_at_its_own_queues() {
    let of = |queue: Option<&str>, stream| {
        let kind = GuardKind::Depth { queue: queue.map(str::to_owned), limit: 10 };
        armed(vec![guard(kind, Some(Action::Stop), stream)])
    };
    assert_eq!(of(Some("b"), None).judge_depth(0, 99, 0), []);
    assert_eq!(of(Some("b"), None).judge_depth(1, 99, 0).len(), 1);
    assert_eq!(of(None, Some(0)).judge_depth(1, 99, 0), []);
    let hit = of(None, Some(0)).judge_depth(0, 99, 0)[0];
    assert_eq!(hit.effect, Effect::StopStream { stream: 0, planned: false });
}

#[test]
fn a_pause_by_depth_ends_when_all_queues_are_low() {
    let kind = GuardKind::Depth { queue: None, limit: 100 };
    let mut guards = armed(vec![guard(kind, Some(Action::PauseUntil(50.0)), None)]);
    let effects = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.effect).collect::<Vec<_>>();
    assert_eq!(effects(guards.judge_depth(0, 101, 0)), [Effect::Pause]);
    assert_eq!(guards.pausing(1), Some(0));
    assert_eq!(effects(guards.judge_depth(1, 200, 0)), [], "it pauses already");
    assert_eq!(effects(guards.judge_depth(0, 51, 0)), []);
    assert_eq!(effects(guards.judge_depth(0, 50, 0)), [], "the other is still deep");
    assert_eq!(effects(guards.judge_depth(1, 50, 0)), [Effect::Resume]);
    assert_eq!(guards.pausing(1), None);
    assert_eq!(effects(guards.judge_depth(1, 101, 0)), [Effect::Pause], "and again");
}

#[test]
fn errors_are_judged_once_they_tell_something() {
    let kind = GuardKind::Errors { limit: 0.01, window_ns: 10 * SECOND };
    let mut guards = armed(vec![guard(kind.clone(), None, None)]);
    guards.answered(0, 0, 19, 19);
    assert_eq!(guards.judge_errors(0), [], "too few");
    guards.answered(1, 1, 1_881, 0);
    assert_eq!(guards.judge_errors(1), [], "exactly 1 %");
    guards.answered(1, 2, 1, 1);
    assert_eq!(guards.judge_errors(2).len(), 1);

    let mut guards = armed(vec![guard(kind, Some(Action::PauseUntil(0.005)), Some(0))]);
    guards.answered(1, 0, 500, 500);
    assert_eq!(guards.judge_errors(0), [], "another stream's");
    guards.answered(0, 0, 200, 100);
    assert_eq!(guards.judge_errors(0)[0].effect, Effect::Pause);
    assert_eq!(guards.judge_errors(9 * SECOND), []);
    assert_eq!(guards.judge_errors(10 * SECOND)[0].effect, Effect::Resume);
}

#[test]
fn errors_are_judged_at_the_end_however_few_answers_there_were() {
    let kind = GuardKind::Errors { limit: 0.5, window_ns: 10 * SECOND };
    let of = |action, failed| {
        let mut guards = armed(vec![guard(kind.clone(), action, None)]);
        guards.answered(0, 0, 4, failed);
        assert_eq!(guards.judge_errors(0), [], "too few");
        (guards.judge_errors_at_end(SECOND), guards.acted_on_errors())
    };
    assert_eq!(of(None, 2), (vec![], false));
    let hit = Hit { guard: 0, value: 0.75, effect: STOP_RUN };
    assert_eq!(of(Some(Action::Stop), 3), (vec![hit], true));
    assert_eq!(of(Some(Action::PauseUntil(0.1)), 3), (vec![], false), "nothing left to hold");
}

#[test]
fn a_file_stops_once_it_is_there() {
    let mut guards = armed(vec![guard(GuardKind::File("stop".to_owned()), None, None)]);
    assert_eq!(guards.files(), [(0, PathBuf::from("stop"))]);
    assert_eq!(guards.judge_file(0, false), None);
    assert_eq!(guards.judge_file(0, true), Some(Hit { guard: 0, value: 1.0, effect: STOP_RUN }));
    assert!(!guards.asks_files());
    assert_eq!(guards.judge_file(0, true), None, "once is enough");
    let entry = guards.entry(0, 1.0, 2 * SECOND);
    assert_eq!((entry.at_s, entry.action.as_str()), (2.0, "stop"));
}

/// Judges what workers do: the age of the oldest job in seconds, and how many were begun and failed.
fn workers(guards: &mut Guards, age_s: f64, begun: u64, failed: u64, now_ns: u64) -> Vec<Effect> {
    let hits = guards.judge_workers(|_| Some(age_s), |_| Some((begun, failed)), now_ns);
    hits.into_iter().map(|hit| hit.effect).collect()
}

#[test]
fn an_age_is_hit_above_its_limit_only() {
    let age = |action| armed(vec![guard(GuardKind::Age(30 * SECOND), action, None)]);
    let mut guards = age(None);
    assert!(guards.asks_workers());
    assert_eq!(workers(&mut guards, 30.0, 0, 0, 0), []);
    assert_eq!(workers(&mut guards, 30.001, 0, 0, SECOND), [STOP_RUN]);
    assert!(!guards.asks_workers());

    let mut guards = age(Some(Action::PauseUntil(10.0)));
    assert_eq!(workers(&mut guards, 30.0, 0, 0, 0), []);
    assert_eq!(workers(&mut guards, 31.0, 0, 0, SECOND), [Effect::Pause]);
    assert_eq!(workers(&mut guards, 10.001, 0, 0, 2 * SECOND), []);
    assert_eq!(workers(&mut guards, 10.0, 0, 0, 3 * SECOND), [Effect::Resume]);
}

#[test]
fn failed_jobs_are_a_hit_above_their_share_only() {
    let failed = |action| {
        let kind = GuardKind::Failed { limit: 0.1, window_ns: 10 * SECOND };
        armed(vec![guard(kind, action, None)])
    };
    let mut guards = failed(None);
    assert_eq!(workers(&mut guards, 0.0, 19, 19, 0), [], "too few");
    assert_eq!(workers(&mut failed(None), 0.0, 20, 3, 0), [STOP_RUN]);
    let mut guards = failed(None);
    assert_eq!(workers(&mut guards, 0.0, 100, 10, 0), [], "exactly 10 %");
    assert_eq!(workers(&mut guards, 0.0, 101, 11, 1), [STOP_RUN]);

    let mut guards = failed(Some(Action::PauseUntil(0.05)));
    assert_eq!(workers(&mut guards, 0.0, 100, 10, 0), [], "exactly 10 %");
    assert_eq!(workers(&mut guards, 0.0, 101, 11, 1), [Effect::Pause]);
    assert_eq!(workers(&mut guards, 0.0, 201, 11, 2), [], "5.5 %");
    assert_eq!(workers(&mut guards, 0.0, 220, 11, 3), [Effect::Resume]);
}

/// 50 a second, each sent 5 ms late: the 51st is due when the first has left the window of what is
/// due, and not yet that of what was sent.
#[test]
fn what_is_only_late_is_not_shed() {
    let (mut pacer, mut guards) =
        (pacer(vec![Listed::every(20 * MS, 200)]), rate(50, Some(Action::Shed)));
    let first_ns = pacer.intended_ns(0, 1);
    for job in 1..=50 {
        guards.sent(0, pacer.intended_ns(0, job) + 5 * MS, 1);
    }
    let now_ns = first_ns + SECOND;
    pacer.advance(now_ns);
    assert_eq!((pacer.due(0), guards.room(None, now_ns)), (51, 0));
    let (skip, braked) = guards.shedding(&pacer, &[1], now_ns);
    assert_eq!((skip, braked), (vec![0], Braked::default()));
}

/// 100 a second: of what is due above 50 in a second all is shed, and nothing else.
#[test]
fn what_is_due_above_a_bound_is_shed() {
    let (mut pacer, mut guards) =
        (pacer(vec![Listed::every(10 * MS, 400)]), rate(50, Some(Action::Shed)));
    let (mut waiting, mut shed) = (0, 0);
    for job in 1..=400 {
        let now_ns = pacer.intended_ns(0, job);
        pacer.advance(now_ns);
        waiting += 1;
        if guards.room(None, now_ns) > 0 {
            guards.sent(0, now_ns, 1);
            waiting -= 1;
        }
        let (skip, _) = guards.shedding(&pacer, &[waiting], now_ns);
        waiting -= skip[0];
        shed += skip[0];
    }
    assert_eq!((waiting, shed), (0, 200));
}
