//! Phrases that hold the depth of queues.

use super::reloading::{change, play_on};
use super::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Queues that workers empty at so many jobs a second, from an instant on. What is in a queue is what
/// the sink took less what the workers had; a test reads how full it ever was.
#[derive(Default)]
struct Workers {
    queues: Mutex<BTreeMap<String, Filled>>,
}

#[derive(Clone, Copy, Default)]
struct Filled {
    at_ns: u64,
    /// What the sink had taken by then.
    came: u64,
    depth: f64,
    most: f64,
}

impl Workers {
    /// How full a queue is at an instant if so many jobs have come by then, taken away at a rate.
    fn depth(&self, queue: &str, now_ns: u64, came: u64, per_s: f64) -> u64 {
        let mut queues = self.queues.lock().unwrap();
        let filled = queues.entry(queue.to_owned()).or_default();
        let new = (came - filled.came) as f64;
        // All that came is in at once, before the workers take any: as full as it can have been.
        filled.most = filled.most.max(filled.depth + new);
        let taken = per_s * (now_ns - filled.at_ns) as f64 / 1e9;
        filled.depth = (filled.depth + new - taken).max(0.0);
        (filled.at_ns, filled.came) = (now_ns, came);
        filled.depth.ceil() as u64
    }

    fn most(&self) -> f64 {
        self.queues.lock().unwrap().values().map(|filled| filled.most).fold(0.0, f64::max)
    }
}

/// Plays a script against queues that workers empty at rates that a function of the instant and the
/// queue's name tells; returns how full a queue ever was.
fn play_against(
    text: &str,
    per_s: impl Fn(u64, &str) -> f64 + Send + Sync + 'static,
    actor: impl AsyncFnOnce(RehearsalClock, Control),
) -> (Played, f64) {
    let workers = Arc::new(Workers::default());
    let own = Arc::clone(&workers);
    let played = play_on(
        text,
        move |sink| {
            let seen = sink.clone();
            sink.with_depth(move |now_ns, queue| {
                let came = seen.taken_by(queue);
                Ok(own.depth(queue, now_ns, came, per_s(now_ns, queue)))
            })
        },
        actor,
    );
    (played, workers.most())
}

fn counts(played: &Played) -> (u64, u64, u64) {
    let jobs = played.report.jobs;
    assert_eq!((jobs.skipped, jobs.failed, jobs.unknown), (0, 0, 0));
    assert_eq!((jobs.acked, jobs.due), (jobs.planned, jobs.planned));
    (jobs.acked, jobs.cut, jobs.acked + jobs.cut)
}

fn holds(played: &Played) -> Vec<(&str, bool, f64, u64)> {
    let entries = played.report.waits.iter().filter(|one| one.kind == "hold");
    entries.map(|one| (one.phrase.as_str(), one.met, one.after_s, one.cut)).collect()
}

#[test]
fn the_depth_comes_up_to_its_level_and_never_above_it() {
    // 300 fill the queue within the first 0.6 s, then 70 a second are taken.
    let (played, most) =
        play_against("hold depth 300 at most 500 for 20s", |_, _| 70.0, async |_, _| {});
    let (sent, cut, all) = counts(&played);
    assert_eq!(all, 10_000);
    assert!(most <= 300.0, "{most}");
    // Full at the end, and 70 a second gone, less what is taken between two looks.
    assert!((300 + 20 * 70 - 20..=300 + 20 * 70).contains(&sent), "{sent}");
    assert_eq!(holds(&played), [("hold depth 300 at most 500 for 20s", true, 20.0, cut)]);
    assert_eq!((played.report.deviation, played.outcome()), (0.0, (OutcomeName::Done, 0)));
}

#[test]
fn a_rate_that_is_too_low_sends_all_it_has_and_says_so() {
    let (played, _) =
        play_against("hold depth 300 at most 50 for 10s", |_, _| 70.0, async |_, _| {});
    // None falls due before the first look, at the very start.
    assert_eq!(counts(&played), (500, 0, 500));
    assert_eq!(holds(&played), [("hold depth 300 at most 50 for 10s", false, 10.0, 0)]);
}

#[test]
fn jobs_beside_it_are_not_its_own_and_count_as_depth() {
    let text = "constant 100 for 2s\nsend 40 at once\nhold depth 50 for 5s\nsend 30 at once\n\
                constant 100 for 1s";
    let (played, _) = play_against(text, |_, _| 0.0, async |_, _| {});
    // 240 wait already: it needs none of its 250.
    assert_eq!(counts(&played), (370, 250, 620));
    assert_eq!(holds(&played), [("hold depth 50 for 5s", true, 5.0, 250)]);
    assert_eq!(played.report.elapsed_s, 8.0);
}

#[test]
fn what_is_in_flight_counts_as_depth() {
    // Answers take 350 ms, far more than lies between two looks.
    let text = "hold depth 100 at most 1000 for 4s";
    let played = super::reloading::play_script(
        text,
        |_, _| Answer::all(Fate::Acked, 350 * MS),
        async |_, _| {},
    );
    // The queue says 0 at each look, so each answer makes room for as many again.
    assert!(played.seen.most_in_flight <= 100, "{}", played.seen.most_in_flight);
    assert!(played.report.jobs.acked > 500);
    counts(&played);
}

#[test]
fn a_depth_that_cannot_be_read_has_no_room() {
    let text = "constant 10 for 1s\nhold depth 50 for 5s\nconstant 10 for 1s";
    let played = play_on(
        text,
        |sink| sink.with_depth(|_, _| Err(failure("server", false))),
        async |_, _| {},
    );
    assert_eq!(counts(&played), (20, 250, 270));
    assert_eq!(holds(&played), [("hold depth 50 for 5s", false, 5.0, 250)]);
}

#[test]
fn streams_that_hold_the_same_queue_share_its_room() {
    let text = "job x { queue \"x\" }\nload a { hold depth 100 for 5s }\n\
                load b { after 1s; hold depth 80 at most 500 for 5s }\nload c { constant 5 for 6s }";
    let (played, most) = play_against(text, |_, _| 60.0, async |_, _| {});
    assert!(most <= 101.0, "{most}");
    let (sent, ..) = counts(&played);
    assert!(sent >= 300, "{sent}");
}

#[test]
fn each_of_several_queues_stays_at_most_so_full() {
    let text = "job x { queue pick(\"x\", \"y\") }\nhold depth 100 at most 1000 for 10s";
    let (played, most) =
        play_against(text, |_, queue| if queue == "x" { 10.0 } else { 90.0 }, async |_, _| {});
    assert!(most <= 100.0, "{most}");
    let named = "job x { queue pick(\"x\", \"y\") }\nhold depth \"y\" 100 at most 1000 for 10s";
    let (other, _) =
        play_against(named, |_, queue| if queue == "x" { 10.0 } else { 90.0 }, async |_, _| {});
    // The one that is emptied quickly needs more.
    assert!(counts(&other).0 > counts(&played).0 * 2);
}

#[test]
fn batches_stay_whole() {
    let text = "batch 30\nhold depth 100 for 6s";
    let (played, most) = play_against(text, |_, _| 20.0, async |_, _| {});
    assert!(most <= 100.0, "{most}");
    assert_eq!(counts(&played).0 % 30, 0);
    assert!(counts(&played).0 >= 90);
}

#[test]
fn each_pass_holds_by_itself_and_warmup_is_judged_apart() {
    let text = "repeat 3 { hold depth 50 at most 200 for 2s; drain within 20s }\n\
                warmup { hold depth 10 at most 100 for 2s }\nexpect { deviation < 1% }";
    let (played, _) = play_against(text, |_, _| 50.0, async |_, _| {});
    let cuts = holds(&played);
    assert_eq!(cuts.len(), 4);
    assert!(cuts.iter().all(|hold| hold.1), "{cuts:?}");
    assert_eq!(cuts.iter().map(|hold| hold.3).sum::<u64>(), counts(&played).1);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
}

#[test]
fn scaled_paused_and_reloaded_it_holds_on() {
    let text = "hold depth 100 for 6s\nsend 20 at once\nconstant 10 for 1s";
    let (played, most) = play_against(
        text,
        |_, _| 30.0,
        async |clock, control| {
            clock.sleep_until(SECOND).await;
            control.scale(3.0).await.unwrap();
            clock.sleep_until(2 * SECOND).await;
            control.pause();
            clock.sleep_until(4 * SECOND).await;
            control.resume();
            clock.sleep_until(5 * SECOND).await;
            control.reload(change("hold depth 40 for 9s\nsend 20 at once")).await.unwrap();
        },
    );
    // What is sent at once behind it is no job of its own, and has the queue fuller than that.
    assert!(most <= 100.0, "{most}");
    let jobs = played.report.jobs;
    assert_eq!((jobs.acked, jobs.skipped), (jobs.planned, 0));
    assert_eq!(jobs.planned, jobs.due);
}

#[test]
fn it_ends_with_the_phrase_around_it() {
    let text = "{ constant 10 for 1s; hold depth 50 for 1m } until depth >= 50\nconstant 10 for 1s";
    let (played, _) = play_against(text, |_, _| 0.0, async |_, _| {});
    let [hold, until] = &played.report.waits[..] else { panic!("{:?}", played.report.waits) };
    assert_eq!((hold.kind, until.kind, until.met), ("hold", "until", true));
    assert_eq!(hold.phrase, "hold depth 50 for 1m");
    assert_eq!(counts(&played).0, 60);
    assert_eq!(counts(&played).1, hold.cut + until.cut);
}
