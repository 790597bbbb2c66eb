use super::*;
use crate::run::fakes::Listed;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

fn pacer(gap_ns: u64, schedules: Vec<Listed>) -> Pacer {
    let schedules = schedules.into_iter().map(Listed::shared).collect();
    Pacer::new(Duration::from_nanos(gap_ns), schedules)
}

/// Wakes as the pacer asks, each time late by what `lateness` says, and returns the wake-ups as
/// (instant, jobs newly due).
fn play(pacer: &mut Pacer, mut lateness: impl FnMut(u64) -> u64) -> Vec<(u64, u64)> {
    let mut wakes = Vec::new();
    let mut due = 0;
    while let Some(planned) = pacer.next_wake_ns() {
        let now = planned + lateness(planned);
        pacer.wake(now);
        pacer.advance(now);
        let total: u64 = (0..pacer.streams()).map(|stream| pacer.due(stream)).sum();
        wakes.push((now, total - due));
        due = total;
        assert!(wakes.len() < 1_000_000, "the pacer goes round and round");
    }
    wakes
}

#[test]
fn a_low_rate_wakes_on_each_instant() {
    // 10 jobs a second at a gap of 1 ms, and the end of the stream.
    let wakes = play(&mut pacer(MS, vec![Listed::every(100 * MS, 10)]), |_| 0);
    let expected: Vec<_> = (0..10).map(|k| (50 * MS + k * 100 * MS, 1)).collect();
    assert_eq!(wakes[..10], expected);
    assert_eq!(wakes[10..], [(SECOND, 0)]);
}

#[test]
fn a_high_rate_is_coalesced_to_the_gap() {
    // 10,000 a second: 10 jobs a wake-up, on a grid that begins with the first job.
    let wakes = play(&mut pacer(MS, vec![Listed::every(MS / 10, 10_000)]), |_| 0);
    assert_eq!(wakes[0], (MS / 20, 1));
    for (step, wake) in wakes[1..1_000].iter().enumerate() {
        assert_eq!(*wake, (MS / 20 + (step as u64 + 1) * MS, 10));
    }
    assert_eq!(wakes.iter().map(|wake| wake.1).sum::<u64>(), 10_000);
}

#[test]
fn a_ramp_goes_from_single_jobs_to_coalesced_ones() {
    let listed = Listed::rising(10_000.0, 10.0);
    let wakes = play(&mut pacer(MS, vec![listed.clone()]), |_| 0);
    assert_eq!(wakes.iter().map(|wake| wake.1).sum::<u64>(), 50_000);
    assert_eq!(wakes[0], (listed.time_of(1), 1));
    assert!(wakes.windows(2).all(|pair| pair[1].0 - pair[0].0 >= MS));
    let late = wakes[wakes.len() - 100].1;
    assert!((9..=11).contains(&late), "{late} jobs in a tick at 10,000/s");
    for (now, _) in wakes {
        assert_eq!(listed.due_by(now), listed.due_by(now.min(listed.end_ns())));
    }
}

#[test]
fn lateness_neither_adds_up_nor_bunches() {
    // Each wake-up 60 µs late: the grid stays, every tick has its ten jobs.
    let mut late = pacer(MS, vec![Listed::every(MS / 10, 10_000)]);
    let wakes = play(&mut late, |_| 60_000);
    for (step, (now, jobs)) in wakes[1..990].iter().enumerate() {
        assert_eq!(*now, MS / 20 + (step as u64 + 1) * MS + 60_000);
        assert_eq!(*jobs, 10);
    }
}

#[test]
fn a_late_wake_takes_what_is_overdue_and_leaves_the_grid() {
    let mut late = pacer(MS, vec![Listed::every(MS / 10, 10_000)]);
    let wakes = play(&mut late, |planned| if planned == MS / 20 + 5 * MS { 7_300_000 } else { 0 });
    // Planned at 5.05 ms, come at 12.35 ms: 73 more jobs, then back on the grid at 13.05 ms.
    assert_eq!(wakes[5], (12 * MS + MS * 35 / 100, 83));
    assert_eq!(wakes[6], (13 * MS + MS / 20, 7));
    assert_eq!(wakes[7], (14 * MS + MS / 20, 10));
}

#[test]
fn two_streams_share_the_wakes() {
    let slow = Listed::every(40 * MS, 3);
    let fast = Listed::every(10 * MS, 12);
    let wakes = play(&mut pacer(MS, vec![slow, fast]), |_| 0);
    assert_eq!(wakes[0], (5 * MS, 1));
    assert_eq!(wakes[1], (15 * MS, 1));
    assert_eq!(wakes[2], (20 * MS, 1)); // the slow one's
    assert_eq!(wakes.iter().map(|wake| wake.1).sum::<u64>(), 15);
}

#[test]
fn a_pause_at_the_end_is_waited_for() {
    let mut paced = pacer(MS, vec![Listed::every(MS, 5).ending_at(SECOND)]);
    let wakes = play(&mut paced, |_| 0);
    assert_eq!(wakes.last(), Some(&(SECOND, 0)));
    assert!(paced.is_over(0));
}

#[test]
fn an_empty_stream_is_over_at_its_end() {
    let mut paced = pacer(MS, vec![Listed::at(vec![])]);
    assert_eq!(play(&mut paced, |_| 0), []);
    assert!(paced.is_over(0));
}

#[test]
fn a_pause_shifts_what_is_not_due_yet() {
    let mut paced = pacer(MS, vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    paced.wake(25 * MS);
    paced.advance(25 * MS);
    assert_eq!((paced.due(0), paced.due(1)), (3, 3));
    paced.pause(0, 27 * MS);
    paced.wake(60 * MS);
    paced.advance(60 * MS);
    assert_eq!((paced.due(0), paced.due(1)), (3, 6));
    assert_eq!((paced.rate(0, 60 * MS), paced.is_paused(0)), (0.0, true));
    paced.resume(0, 127 * MS);
    assert_eq!(paced.intended_ns(0, 3), 25 * MS);
    assert_eq!(paced.intended_ns(0, 4), 135 * MS);
    assert_eq!(paced.intended_ns(1, 4), 35 * MS);
    let wakes = play(&mut paced, |_| 0);
    assert_eq!(wakes.last(), Some(&(200 * MS, 0)));
    assert_eq!((paced.due(0), paced.due(1)), (10, 10));
}

#[test]
fn a_limit_is_kept_to_the_job() {
    // Both streams have a job at 5 ms, 15 ms, …; the third job of the sum is the first's second.
    let mut paced = pacer(MS, vec![Listed::every(10 * MS, 10), Listed::every(10 * MS, 10)]);
    paced.advance_to_limit(15 * MS, |_| true, 3);
    assert_eq!((paced.due(0), paced.due(1)), (2, 1));
    let mut paced = pacer(MS, vec![Listed::at(vec![7; 100]), Listed::at(vec![3, 7])]);
    paced.advance_to_limit(7, |stream| stream == 0, 40);
    assert_eq!((paced.due(0), paced.due(1)), (40, 2));
    paced.close(0, 7);
    paced.advance(SECOND);
    assert_eq!((paced.due(0), paced.is_over(0), paced.count_by(0, SECOND)), (40, true, 40));
}

#[test]
fn a_gap_of_nothing_still_moves_on() {
    let wakes = play(&mut pacer(0, vec![Listed::every(1_000, 100)]), |_| 0);
    assert_eq!(wakes.len(), 101);
}
