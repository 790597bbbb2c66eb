//! Phrases that end when the queues say so.

use super::reloading::{assert_each_once, change, play_on};
use super::*;

/// A queue that workers begin to empty at an instant, at so many jobs a second.
fn emptied(
    from_ns: u64,
    jobs: u64,
    per_s: u64,
) -> impl Fn(u64, &str) -> Result<u64, crate::sink::Failure> {
    move |now_ns, _| Ok(jobs.saturating_sub(now_ns.saturating_sub(from_ns) * per_s / SECOND))
}

fn waits(played: &Played) -> Vec<(&str, f64, bool, f64, u64)> {
    let entries = played.report.waits.iter();
    entries.map(|one| (one.phrase.as_str(), one.at_s, one.met, one.after_s, one.cut)).collect()
}

#[test]
fn a_phrase_ends_when_the_depth_says_so_and_what_it_had_left_is_cut() {
    let text = "constant 100 for 2s\nconstant 50 for 10s until depth < 100\nconstant 10 for 2s";
    let played = play_on(
        text,
        // 1,000 jobs until 2 s, and below 100 from 5.01 s on.
        |sink| sink.with_depth(emptied(2 * SECOND, 1_000, 300)),
        async |_, _| {},
    );
    // Looked at each 100 ms: the phrase ends at 5.1 s, after 155 of its 500 jobs.
    assert_eq!(waits(&played), [("constant 50 for 10s until depth < 100", 5.1, true, 3.1, 345)]);
    let jobs = played.report.jobs;
    assert_eq!((jobs.acked, jobs.planned, jobs.cut, jobs.skipped), (375, 375, 345, 0));
    assert_eq!((played.report.elapsed_s, played.report.deviation), (7.1, 0.0));
    assert_each_once(&played);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_phrase_whose_depth_never_comes_has_its_whole_time() {
    let text = "constant 50 for 4s until depth \"loadc\" > 10\nconstant 10 for 2s";
    let played = play_on(text, |sink| sink.with_depth(|_, _| Ok(10)), async |_, _| {});
    assert_eq!(
        waits(&played),
        [("constant 50 for 4s until depth \"loadc\" > 10", 4.0, false, 4.0, 0)]
    );
    assert_eq!((played.report.jobs.acked, played.report.jobs.cut), (220, 0));
    // It is no miss.
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn a_drain_goes_on_when_the_queues_are_empty() {
    let text = "constant 100 for 2s\ndrain within 1m\nconstant 10 for 2s";
    let depth = emptied(3 * SECOND, 500, 100);
    let played = play_on(text, |sink| sink.with_depth(depth), async |_, _| {});
    assert_eq!(waits(&played), [("drain within 1m", 8.0, true, 6.0, 0)]);
    assert_eq!((played.report.jobs.acked, played.report.elapsed_s), (220, 10.0));
    let [expectation] = &played.report.expectations[..] else { panic!() };
    assert_eq!((expectation.text.as_str(), expectation.met), ("drain within 1m", true));
    assert_eq!((expectation.value, played.outcome()), (Some(6e6), (OutcomeName::Done, 0)));
    assert_each_once(&played);
}

#[test]
fn a_drain_that_takes_too_long_is_a_miss_and_the_plan_goes_on() {
    for text in [
        "constant 100 for 2s\ndrain within 3s\nconstant 10 for 2s",
        "constant 110 for 2s\ndrain within 3s",
    ] {
        let played = play_on(text, |sink| sink.with_depth(|_, _| Ok(1)), async |_, _| {});
        assert_eq!(waits(&played), [("drain within 3s", 5.0, false, 3.0, 0)], "{text}");
        assert_eq!((played.report.jobs.acked, played.outcome()), (220, (OutcomeName::Done, 1)));
    }
}

#[test]
fn a_queue_looked_at_before_the_last_job_was_answered_is_not_empty() {
    // Everything is answered half a second late, and only then in the queue.
    let text = "constant 10 for 1s\ndrain within 10s";
    let played = super::reloading::play_script(
        text,
        |_, _| Answer::all(Fate::Acked, SECOND / 2),
        async |_, _| {},
    );
    // The last job was due at 0.95 s and answered at 1.45 s.
    let [(_, at_s, true, ..)] = waits(&played)[..] else { panic!("{:?}", waits(&played)) };
    assert!(at_s >= 1.5, "{at_s}");
}

#[test]
fn each_pass_waits_by_itself_and_the_longest_time_is_told() {
    let text = "repeat 3 { send 10 at once; drain within 20s }";
    let played = play_on(
        text,
        |sink| {
            sink.with_depth(|now_ns, _| Ok(u64::from((4 * SECOND..9 * SECOND).contains(&now_ns))))
        },
        async |clock, control| {
            clock.sleep_until(SECOND / 20).await;
            control.pause();
            clock.sleep_until(4 * SECOND).await;
            control.resume();
        },
    );
    assert_eq!(waits(&played).len(), 3);
    assert!(waits(&played).iter().all(|wait| wait.2), "{:?}", waits(&played));
    assert_eq!((played.report.jobs.acked, played.report.expectations.len()), (30, 1));
    assert!(played.report.expectations[0].value.unwrap() >= 5e6);
    assert_each_once(&played);
}

#[test]
fn a_stream_with_a_start_of_its_own_waits_in_its_own_time() {
    let text = "load a { constant 10 for 4s }\n\
                load b { after 1s; constant 100 for 10s until depth > 5; constant 1 for 2s }";
    let played = play_on(
        text,
        |sink| sink.with_depth(|now_ns, _| Ok(if now_ns >= 3 * SECOND { 6 } else { 5 })),
        async |_, _| {},
    );
    let [(_, at_s, true, after_s, cut)] = waits(&played)[..] else { panic!() };
    assert_eq!((at_s, after_s), (3.0, 2.0));
    assert_eq!((played.report.streams[1].jobs.acked, cut), (202, 800));
    assert_eq!(played.report.streams[0].jobs.acked, 40);
}

#[test]
fn after_a_seek_or_a_reload_what_was_waited_for_is_left() {
    let text = "constant 10 for 2s\ndrain within 10s\nconstant 10 for 5s";
    let played = play_on(
        text,
        |sink| sink.with_depth(|_, _| Ok(1)),
        async |clock, control| {
            clock.sleep_until(3 * SECOND).await;
            control.seek(13 * SECOND).await.unwrap();
            clock.sleep_until(4 * SECOND).await;
            control.reload(change("constant 10 for 20s until depth >= 1")).await.unwrap();
        },
    );
    // 20 before the drain, 10 behind it, and none of the new phrase, which ends at once.
    assert_eq!(waits(&played).len(), 1);
    assert_eq!(waits(&played)[0].0, "constant 10 for 20s until depth >= 1");
    assert!(played.report.expectations.is_empty());
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}
