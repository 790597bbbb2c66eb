//! Expectations of phrases and queues, at a time, that come back, and that stop.

use super::reloading::{change, play_on};
use super::*;
use crate::run::report::ExpectationEntry;

/// A sink that is slow from an instant to another, and has a queue that fills meanwhile.
fn slow(from_ns: u64, to_ns: u64, after_ns: u64) -> impl FnOnce(FakeSink) -> FakeSink {
    move |sink| {
        let slow = move |ns: u64| (from_ns..to_ns).contains(&ns);
        let answer = move |_, now_ns: u64| {
            Answer::all(Fate::Acked, if slow(now_ns) { after_ns } else { 2 * MS })
        };
        FakeSink::new(sink.clock, answer)
            .with_depth(move |now_ns, _| Ok(if slow(now_ns) { 900 } else { 9 }))
    }
}

fn judged(text: &str, with: impl FnOnce(FakeSink) -> FakeSink) -> (Played, Vec<ExpectationEntry>) {
    let played = play_on(text, with, async |_, _| {});
    let entries = played.report.expectations.clone();
    (played, entries)
}

fn values(entries: &[ExpectationEntry]) -> Vec<(Option<f64>, bool)> {
    entries.iter().map(|entry| (entry.value, entry.met)).collect()
}

const DAY: &str =
    "constant 100 for 2s as \"a\"\nconstant 100 for 1s as \"b\"\nconstant 100 for 2s as \"a\"\n";

#[test]
fn phrases_and_queues_are_judged_by_their_own_jobs() {
    let text = format!(
        "job x {{ queue \"x\" }}\njob y {{ queue \"y\" }}\nsend x 3, y\n{DAY}expect {{
           \"a\" jobs = 400; \"b\" jobs = 100; queue \"x\" jobs = 375; \"b\" queue \"y\" jobs = 25
           \"a\" p99 response < 3ms; \"b\" p99 response < 3ms; \"b\" max send delay < 1ms
           queue \"y\" max response < 3ms; \"b\" mean service < 3ms; \"b\" errors < 1%
         }}"
    );
    let (played, entries) = judged(&text, slow(2 * SECOND, 3 * SECOND, 40 * MS));
    assert_eq!(played.outcome(), (OutcomeName::Done, 1));
    let met: Vec<bool> = entries.iter().map(|entry| entry.met).collect();
    assert_eq!(met, [true, true, true, true, true, false, true, false, false, true]);
    assert_eq!(entries[5].value, Some(40_000.0));
    assert_eq!(entries[8].value, Some(40_000.0));
}

#[test]
fn what_is_judged_at_a_time_is_what_was_by_then() {
    let text = format!(
        "{DAY}expect {{ at 1s jobs = 100; at 3s jobs < 100; at 2s depth < 10; at 2500ms depth < 10; at 5s jobs = 500
           at 1s p99 response < 3ms; p99 response < 3ms }}"
    );
    let (played, entries) = judged(&text, slow(2 * SECOND, 3 * SECOND, 40 * MS));
    let [one, three, before, within, end, fast, last] = &entries[..] else { panic!() };
    assert_eq!((one.value, one.met, one.at_s), (Some(100.0), true, Some(1.0)));
    assert!(!three.met && !three.stopped && three.at_s == Some(3.0));
    assert!(before.met && !within.met && within.value == Some(900.0));
    assert_eq!((end.value, end.met), (Some(500.0), true));
    assert!(fast.met && !last.met && last.at_s.is_none());
    assert_eq!(played.report.jobs.acked, 500, "none of them stops anything");
    let told = played.instants(|event| matches!(event, Event::Expectation { .. }));
    assert_eq!(told, [1.0, 1.0, 2.0, 2.5, 3.0, 5.0]);
}

#[test]
fn what_can_no_longer_be_met_ends_the_run_where_it_is_said_to() {
    // Of 500 jobs, more than 5 above the bound are too many: the sixth slow one is due at 2.055 s.
    let text = format!("{DAY}expect {{ p99 response < 30ms else stop; jobs >= 1 }}");
    let (played, entries) = judged(&text, slow(2 * SECOND, 3 * SECOND, 40 * MS));
    assert_eq!(played.outcome(), (OutcomeName::Missed, 1));
    assert!(entries[0].stopped && !entries[0].met && entries[1].met);
    assert_eq!(entries[0].at_s, Some(2.1));
    assert!(played.report.jobs.acked < 215, "{}", played.report.jobs.acked);

    // Nearly: five of them can be made good.
    let text = format!("{DAY}expect {{ p99 response < 30ms else stop }}");
    let (played, entries) = judged(&text, slow(2 * SECOND, 2_050 * MS, 40 * MS));
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert!(entries[0].met && entries[0].at_s.is_none());
    assert_eq!(played.report.jobs.acked, 500);
}

#[test]
fn a_phrase_is_lost_as_soon_as_it_is_over() {
    let text = format!("{DAY}expect {{ \"b\" p90 response < 30ms else stop }}");
    let (played, entries) = judged(&text, slow(2_500 * MS, 2_650 * MS, 40 * MS));
    // Fifteen of a hundred were too slow, which the 200 to come could outweigh if they were of it.
    assert_eq!(played.outcome(), (OutcomeName::Missed, 1));
    assert_eq!(entries[0].at_s, Some(3.1));
    let (played, _) = judged(&text, slow(2_500 * MS, 2_590 * MS, 40 * MS));
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_time_of_the_plan_can_stop_too_and_depths_at_once() {
    let text = format!("{DAY}expect {{ at 1s jobs > 100 else stop; at 2s jobs > 1 }}");
    let (played, entries) = judged(&text, |sink| sink);
    assert_eq!(played.outcome(), (OutcomeName::Missed, 1));
    assert_eq!(played.report.elapsed_s, 1.0);
    assert_eq!(values(&entries), [(Some(100.0), false), (None, false)]);

    let text = format!("{DAY}expect {{ depth stays below 900 else stop }}");
    let (played, _) = judged(&text, slow(2 * SECOND, 3 * SECOND, 2 * MS));
    assert_eq!((played.outcome().0, played.report.elapsed_s), (OutcomeName::Missed, 2.1));
}

#[test]
fn what_a_phrase_disturbs_comes_back_or_does_not() {
    let script = |rule: &str| {
        format!(
            "constant 100 for 5s\nconstant 100 for 2s as \"x\"\nconstant 100 for 8s\nexpect {{ {rule} }}"
        )
    };
    // Slow, and full, until a second and a half after the phrase.
    let until = |to_ns| slow(5 * SECOND, to_ns, 40 * MS);
    let both = script(
        "recovers within 4s after \"x\"; depth recovers within 2s after \"x\"; p99 response recovers within 2s after \"x\"",
    );
    let (_, entries) = judged(&both, until(8_500 * MS));
    assert_eq!(values(&entries), [(Some(3e6), true), (Some(2e6), true), (None, false)]);
    let (played, entries) =
        judged(&script("recovers within 3s after \"x\" else stop"), until(14 * SECOND));
    assert_eq!(played.outcome(), (OutcomeName::Missed, 1));
    assert_eq!((entries[0].value, entries[0].at_s), (None, Some(11.1)));
    // Never disturbed: back within the first second.
    let (_, entries) = judged(&script("recovers within 1s after \"x\""), |sink| sink);
    assert_eq!(values(&entries), [(Some(1e6), true)]);
}

#[test]
fn a_reload_brings_rules_that_judge_what_comes_after_it() {
    let before = "constant 100 for 4s as \"a\"\nexpect { \"a\" jobs >= 1; at 3s jobs = 300 }";
    let after = "constant 100 for 4s as \"a\"\nexpect { \"a\" jobs >= 1; queue \"loadc\" jobs = 200; at 3s jobs = 300 }";
    let played = play_on(
        before,
        |sink| sink,
        async |clock, control| {
            clock.sleep_until(2 * SECOND).await;
            control.reload(change(after)).await.unwrap();
        },
    );
    let entries = &played.report.expectations;
    assert_eq!(entries[0].value, Some(400.0), "what stays is measured on");
    assert_eq!((entries[1].value, entries[2].value), (Some(200.0), Some(300.0)));
}
