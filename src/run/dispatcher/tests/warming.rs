//! What only warms up: sent and counted, and judged by no expectation.

use super::reloading::{change, play_script};
use super::*;

/// Refuses what it gets in these seconds of the run, and answers to all of it late.
fn cold_until(until_ns: u64) -> impl FnMut(u64, u64) -> Answer + Send + 'static {
    move |_, now_ns| match now_ns < until_ns {
        true => Answer::all(Fate::Failed("OOM", false), 200 * MS),
        false => Answer::all(Fate::Acked, MS),
    }
}

fn expectations(played: &Played) -> Vec<(&str, bool, f64)> {
    let entries = played.report.expectations.iter();
    entries.map(|entry| (entry.text.as_str(), entry.met, entry.value.unwrap())).collect()
}

#[test]
fn what_warms_up_is_counted_and_not_judged() {
    let text = "warmup { constant 100 for 2s }\nconstant 50 for 3s\n\
                expect { jobs = 150; errors <= 0%; max response < 2ms; deviation < 1% }";
    let played = play_script(text, cold_until(2 * SECOND), async |_, _| {});
    let judged = played.report.judged.unwrap();
    assert_eq!((judged.jobs.sent, judged.jobs.acked, judged.jobs.failed), (150, 150, 0));
    assert_eq!((played.report.jobs.failed, played.report.jobs.acked), (200, 150));
    let expected = [
        ("jobs = 150", true, 150.0),
        ("errors <= 0%", true, 0.0),
        ("max response < 2ms", true, 1_000.0),
        ("deviation < 1%", true, 0.0),
    ];
    assert_eq!(expectations(&played), expected);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    // The report tells of everything all the same.
    assert_eq!(played.report.streams[0].jobs.failed, 200);
    assert_eq!(played.report.send_delay_us.unwrap().max, 0.0);
}

#[test]
fn a_script_without_a_warmup_judges_everything() {
    let text = "constant 100 for 2s\nconstant 50 for 3s\nexpect { errors <= 0% }";
    let played = play_script(text, cold_until(2 * SECOND), async |_, _| {});
    assert!(played.report.judged.is_none());
    assert_eq!(expectations(&played), [("errors <= 0%", false, 200.0 / 350.0)]);
}

#[test]
fn each_pass_of_a_warmup_is_left_out_and_what_is_due_at_its_end_is_not() {
    // Of each pass the first 20 jobs, and the 30 that stand behind the block.
    let text = "repeat 3 { warmup { constant 20 for 1s }; send 30 at once; pause 1s }\nexpect { errors < 1% }";
    let played = play_script(text, |_, _| Answer::all(Fate::Acked, 0), async |_, _| {});
    assert_eq!((played.report.judged.unwrap().jobs.sent, played.report.jobs.acked), (90, 150));
    let text = "warmup { constant 20 for 1s; send 30 at once }\nconstant 10 for 1s";
    let played = play_script(text, |_, _| Answer::all(Fate::Acked, 0), async |_, _| {});
    assert_eq!(played.report.judged.unwrap().jobs.sent, 10);
}

#[test]
fn in_a_sum_it_is_the_time_that_counts() {
    let text = "together { warmup { constant 10 for 1s }; constant 100 for 3s }";
    let played = play_script(text, |_, _| Answer::all(Fate::Acked, 0), async |_, _| {});
    assert_eq!((played.report.judged.unwrap().jobs.sent, played.report.jobs.acked), (200, 310));
}

#[test]
fn another_script_warms_up_where_it_says_and_what_was_judged_stays_so() {
    let before = "constant 100 for 4s";
    let played = play_script(
        before,
        |_, _| Answer::all(Fate::Acked, 0),
        async |clock, control| {
            clock.sleep_until(SECOND).await;
            let after = "constant 100 for 2s\nwarmup { constant 100 for 1s }\nconstant 100 for 1s";
            control.reload(change(after)).await.unwrap();
            clock.sleep_until(2 * SECOND + 500 * MS).await;
            // Where the warmup goes on.
            control.seek(2 * SECOND + 700 * MS).await.unwrap();
        },
    );
    // 1 s of the first, 1 s of the second, 0.8 s of its warmup, and the last second.
    assert_eq!(played.report.jobs.acked, 380);
    assert_eq!(played.report.judged.unwrap().jobs.sent, 300);
}
