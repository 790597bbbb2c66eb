//! Other rates, other places in the plan and other plans for a run under way.

use super::*;
use crate::check::{Options, check};
use crate::plan::Plan;
use crate::run::control::Change;
use crate::run::run;
use crate::schedule::Entry;
use crate::source::SourceFile;
use std::collections::BTreeSet;

pub(super) fn plan(text: &str) -> Arc<Plan> {
    let checked = check(&SourceFile::new("test.load", text), &Options::default());
    Arc::new(checked.plan.unwrap_or_else(|| panic!("{text}: {:?}", checked.problems)))
}

pub(super) fn change(text: &str) -> Change {
    Change { plan: plan(text), entry: Entry::Elapsed, notifier: None }
}

/// Plays a script beside somebody who steers it.
fn play(text: &str, actor: impl AsyncFnOnce(RehearsalClock, Control)) -> Played {
    play_on(text, |sink| sink, actor)
}

/// The same, on a sink that answers as is said.
pub(super) fn play_script(
    text: &str,
    answers: impl FnMut(u64, u64) -> Answer + Send + 'static,
    actor: impl AsyncFnOnce(RehearsalClock, Control),
) -> Played {
    play_upon(text, |clock| FakeSink::new(clock, answers), actor)
}

pub(super) fn play_on(
    text: &str,
    with: impl FnOnce(FakeSink) -> FakeSink,
    actor: impl AsyncFnOnce(RehearsalClock, Control),
) -> Played {
    let prompt = |clock| with(FakeSink::new(clock, |_, _| Answer::all(Fate::Acked, 0)));
    play_upon(text, prompt, actor)
}

fn play_upon(
    text: &str,
    sink: impl FnOnce(RehearsalClock) -> FakeSink,
    actor: impl AsyncFnOnce(RehearsalClock, Control),
) -> Played {
    let rehearsal = Rehearsal::starting_at(1_763_732_400 * SECOND);
    let clock = rehearsal.clock();
    let sink = sink(clock.clone());
    let (publisher, mut views) = channel(100_000);
    let control = Control::new();
    let acting = actor(clock.clone(), control.clone());
    let plan = plan(text);
    let running = run(&plan, sink.clone(), RunOptions::default(), clock, control, publisher);
    let (report, ()) = rehearsal.play(join(running, acting)).expect("the run goes on");
    let mut events = Vec::new();
    while let Ok(event) = views.events.try_recv() {
        events.push(event);
    }
    let played = Played { report: report.unwrap(), seen: sink.seen(), events };
    played.assert_balanced();
    played
}

/// The numbers that payloads `{"n":…}` carry.
fn numbers(played: &Played) -> Vec<u64> {
    let number = |(_, payload): &(u64, String)| {
        let value: serde_json::Value = serde_json::from_str(payload).unwrap();
        value["n"].as_u64().unwrap()
    };
    played.seen.accepted.iter().map(number).collect()
}

/// Every number from 1 to the last was sent once.
pub(super) fn assert_each_once(played: &Played) {
    let numbers = numbers(played);
    let known: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(known.len(), numbers.len(), "none twice");
    assert_eq!(known.last().copied(), Some(numbers.len() as u64), "none left out");
}

#[test]
fn a_factor_holds_from_its_instant_on() {
    let played = play("constant 100 for 10s", async |clock, control| {
        clock.sleep_until(3_007 * MS).await;
        control.scale(1.5).await.unwrap();
        clock.sleep_until(6 * SECOND).await;
        control.scale(0.25).await.unwrap();
        let status = control.status().await.unwrap();
        assert_eq!((status.scale, status.state, status.now.target_per_s), (0.25, "running", 25.0));
        assert_eq!(status.places[0].phrase.as_deref(), Some("constant 100 for 10s"));
        clock.sleep_until(8 * SECOND).await;
        control.scale(1.0).await.unwrap();
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(control.scale(wrong).await.is_err());
        }
    });
    // 300.7 + 1.5·299.3 + 0.25·200 + 200 jobs.
    assert_eq!((played.report.jobs.acked, played.report.jobs.planned), (1_000, 1_000));
    assert_each_once(&played);
    assert_eq!(played.report.elapsed_s, 10.0);
    assert_eq!(played.instants(|event| matches!(event, Event::Scaled { .. })), [3.007, 6.0, 8.0]);
}

#[test]
fn a_clock_is_sought_from_where_the_plan_stands_in_the_calendar() {
    let text = "starts 2026-03-02 08:00\nconstant 1/min for 3h as \"early\"\nconstant 1/min for 3h as \"late\"";
    play(text, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.seek_clock(12 * 3600).await.unwrap();
        let status = control.status().await.unwrap();
        assert_eq!(status.places[0].plan_s, 4.0 * 3600.0);
        assert_eq!(status.places[0].label.as_deref(), Some("late"));
        // Seven o'clock is that of the next day.
        assert!(control.seek_clock(7 * 3600).await.unwrap_err().contains("6h"));
        control.stop(crate::run::Why::ByHand);
    });
}

#[test]
fn a_run_goes_on_elsewhere_in_its_plan() {
    let text = "constant 100 for 10s\nconstant 10 for 10s as \"low\"";
    let played = play(text, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.seek(15 * SECOND).await.unwrap();
        let status = control.status().await.unwrap();
        assert_eq!(status.places[0].label.as_deref(), Some("low"));
        assert_eq!((status.places[0].plan_s, status.places[0].line), (15.0, Some(2)));
        clock.sleep_until(4 * SECOND).await;
        control.seek(9 * SECOND).await.unwrap();
        assert!(control.seek(20 * SECOND).await.unwrap_err().contains("20s"));
    });
    // 200, then 20 of the low ones, then 100 and all 100 low ones.
    assert_eq!((played.report.jobs.acked, played.report.elapsed_s), (420, 15.0));
    assert_each_once(&played);
}

#[test]
fn a_pause_and_a_reload_do_not_disturb_each_other() {
    let played = play("constant 100 for 10s", async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.pause();
        clock.sleep_until(4 * SECOND).await;
        control.reload(change("constant 50 for 10s")).await.unwrap();
        assert_eq!(control.status().await.unwrap().state, "paused");
        clock.sleep_until(5 * SECOND).await;
        control.resume();
    });
    assert_eq!((played.report.jobs.acked, played.report.elapsed_s), (600, 13.0));
    assert_eq!(played.report.send_delay_us.unwrap().max, 0.0);
    assert_each_once(&played);
}

#[test]
fn guards_and_jobs_change_at_once() {
    let before = "job a { queue \"q\"; body { n: seq() } }\nconstant 100 for 10s\nguard { depth <= 10 then pause until 5 }";
    let after = "job b { queue \"other\"; body { n: seq(), new: true } }\nconstant 100 for 10s\nguard { jobs <= 400 then stop }\nexpect { jobs = 1 }";
    let played = play_on(
        before,
        |sink| sink.with_depth(|now_ns, _| Ok(if now_ns >= 2 * SECOND { 50 } else { 0 })),
        async |clock, control| {
            clock.sleep_until(3 * SECOND).await;
            control.reload(change(after)).await.unwrap();
        },
    );
    // Paused by the depth from 2 s to 3 s; then up to the bound on jobs, counted from the start.
    assert_eq!(played.outcome(), (OutcomeName::Done, 1));
    assert_eq!(played.report.jobs.acked, 400);
    let new = played.seen.accepted.iter().filter(|(_, payload)| payload.contains("new"));
    assert_eq!(new.count(), 200);
    assert_each_once(&played);
    let stream = &played.report.streams[0];
    let kinds: Vec<_> = stream.by_job.iter().map(|job| (job.job.as_str(), job.acked)).collect();
    assert_eq!(kinds, [("a", 200), ("b", 200)]);
    assert_eq!(stream.queues[0].name, "other");
    assert_eq!(played.report.expectations.len(), 1);
    let [reload] = &played.report.reloads[..] else { panic!("{:?}", played.report.reloads) };
    assert_eq!((reload.at_s, reload.due, reload.splice), (3.0, 200, "elapsed"));
    assert_ne!(reload.digest_before, reload.digest_after);
    assert_eq!(played.report.digest, reload.digest_after);
}

#[test]
fn a_rate_that_was_bounded_stays_within_its_bound_over_the_seam() {
    let with = |guard: &str| format!("send 1k at once; constant 10 for 10s\nguard {{ {guard} }}");
    let played = play(&with("rate <= 500/s then slow"), async |clock, control| {
        clock.sleep_until(100 * MS).await;
        control.reload(change(&with("rate <= 600/s then slow"))).await.unwrap();
        clock.sleep_until(1_100 * MS).await;
        control.reload(change(&with("rate <= 200/s then slow"))).await.unwrap();
    });
    assert!(played.seen.busiest(SECOND) <= 600, "{}", played.seen.busiest(SECOND));
    let early: u64 = played.seen.sends.iter().filter(|(at, _)| *at < SECOND).map(|(_, n)| n).sum();
    assert_eq!(early, 600);
    assert_each_once(&played);
    assert_eq!(played.report.jobs.acked, 1_100);
}

#[test]
fn loads_join_and_leave() {
    let one = "load a { job x { queue \"a\"; body { n: seq() } }; constant 100 for 10s }";
    let two = "load b { job y { queue \"b\"; body { n: seq() } }; constant 50 for 10s }";
    let played = play(one, async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        control.reload(change(&format!("{one}\n{two}"))).await.unwrap();
        clock.sleep_until(4 * SECOND).await;
        control.reload(change(two)).await.unwrap();
    });
    let names: Vec<_> = played
        .report
        .streams
        .iter()
        .map(|stream| (stream.name.as_deref().unwrap(), stream.jobs.acked))
        .collect();
    // b joins at 2 s where the plan is, not at its start.
    assert_eq!(names, [("a", 400), ("b", 400)]);
    assert_eq!(played.report.elapsed_s, 10.0);
    let queues: Vec<_> =
        played.report.streams.iter().map(|stream| stream.queues[0].name.as_str()).collect();
    assert_eq!(queues, ["a", "b"]);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_restart_sends_all_of_the_new_plan() {
    let played = play("constant 100 for 10s", async |clock, control| {
        clock.sleep_until(2 * SECOND).await;
        let next =
            Change { entry: Entry::Restart, ..change("send 50 at once; constant 10 for 5s") };
        control.reload(next).await.unwrap();
    });
    assert_eq!((played.report.jobs.acked, played.report.elapsed_s), (300, 7.0));
    assert_eq!(played.report.reloads[0].splice, "restart");
    assert_each_once(&played);
}

#[test]
fn drawn_arrivals_are_spliced_but_not_scaled() {
    let played = play("arrivals poisson exact\nconstant 100 for 10s", async |clock, control| {
        clock.sleep_until(5 * SECOND).await;
        assert!(control.scale(2.0).await.unwrap_err().contains("drawn"));
        control
            .reload(change("arrivals poisson exact\nseed 9\nconstant 100 for 10s"))
            .await
            .unwrap();
    });
    assert_each_once(&played);
    assert_eq!(played.report.jobs.acked, played.report.jobs.planned);
}

/// 200 saves in a run of 5,000 jobs a second, half of them broken: what is sent is the integral of
/// what was in force, to the job.
#[test]
fn under_fire_no_job_is_lost_or_doubled() {
    let rate = |save: u64| 4_000 + save * 7_919 % 2_000;
    let script = |rate: u64| format!("constant {rate} for 30s\nguard {{ rate <= 8000/s }}");
    let mut integral = 0_u128; // in jobs times nanoseconds
    let (mut since_ns, mut in_force) = (0, 5_000);
    let mut seams = Vec::new();
    for save in 1..=200_u64 {
        let at_ns = save * 130 * MS + save * 31 % 17 * 100_003;
        seams.push((save, at_ns));
        if save % 2 == 0 {
            integral += u128::from(in_force) * u128::from(at_ns - since_ns);
            (since_ns, in_force) = (at_ns, rate(save));
        }
    }
    integral += u128::from(in_force) * u128::from(30 * SECOND - since_ns);
    let played = play(&script(5_000), async |clock, control| {
        for (save, at_ns) in seams {
            clock.sleep_until(at_ns).await;
            if save % 2 == 0 {
                control.reload(change(&script(rate(save)))).await.unwrap();
            } else {
                let text = format!("constant {} for", rate(save));
                let checked = check(&SourceFile::new("t", text), &Options::default());
                control.reject(checked.problems[0].message.clone()).await.unwrap();
            }
        }
    });
    let whole = (integral * 2 + u128::from(SECOND)) / (2 * u128::from(SECOND));
    assert_eq!(u128::from(played.report.jobs.acked), whole);
    assert_each_once(&played);
    assert_eq!(played.report.reloads.len(), 100);
    let rejected = played.instants(|event| matches!(event, Event::ReloadRejected { .. }));
    assert_eq!(rejected.len(), 100);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_run_waits_for_its_queues_to_drain_no_longer_than_is_expected() {
    let text = "constant 100 for 2s\nexpect { drains within 5s; depth stays below 51 }";
    for (empty_at_ns, value, code) in [(4_050 * MS, Some(2_100_000.0), 0), (9 * SECOND, None, 1)] {
        let depth = move |now_ns, _: &str| Ok(if now_ns < empty_at_ns { 50 } else { 0 });
        let played = play_on(text, |sink| sink.with_depth(depth), async |_, _| {});
        assert_eq!(played.outcome(), (OutcomeName::Done, code));
        let [drains, depth] = &played.report.expectations[..] else { panic!() };
        assert_eq!((drains.value, drains.met), (value, code == 0));
        assert_eq!((depth.value, depth.met), (Some(50.0), true));
        assert_eq!(played.report.elapsed_s, 2.0, "the run itself was over before");
    }
}
