use super::*;
use crate::stats::Counts;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// A run at a constant rate whose jobs take as many microseconds as their slice's number says.
struct Run {
    history: History,
    at_ns: u64,
    sent: u64,
    step: u64,
}

impl Run {
    fn new(grain: Grain, queues: usize) -> Run {
        let queues = (0..queues).map(|queue| format!("q{queue}")).collect();
        Run { history: History::new(grain, queues), at_ns: 0, sent: 0, step: 0 }
    }

    fn tick(&mut self, length_ns: u64, jobs: u64) {
        self.at_ns += length_ns;
        self.sent += jobs;
        self.step += 1;
        let mut times = SliceTimes::default();
        times.response.record((self.step % 500 + 1) * 1_000, jobs);
        let counts =
            Counts { due: self.sent, sent: self.sent, acked: self.sent, ..Counts::default() };
        let depths = vec![Some(self.step); self.history.queues().len()];
        let sample = Sample {
            at_ns: self.at_ns,
            target_per_s: 10_000.0,
            counts,
            depths,
            cpu_s: self.at_ns as f64 / 1e9 * 0.05,
            ..Sample::default()
        };
        self.history.push(sample, &times);
    }
}

fn assert_seamless(slices: &[Slice], from_ns: u64, to_ns: u64) {
    assert_eq!(slices.first().map(Slice::start_ns), Some(from_ns));
    assert_eq!(slices.last().map(|slice| slice.end_ns), Some(to_ns));
    for pair in slices.windows(2) {
        assert_eq!(pair[0].end_ns, pair[1].start_ns());
    }
}

#[test]
fn a_day_at_ten_thousand_a_second_is_under_twenty_megabytes_and_loses_no_job() {
    let mut run = Run::new(Grain::default(), QUEUES);
    for _ in 0..864_000 {
        run.tick(100 * MS, 1_000);
    }
    let history = &run.history;
    assert!(history.bytes() < 20_000_000, "{}", history.bytes());
    let whole = history.whole();
    assert_seamless(&whole, 0, 86_400 * S);
    assert_eq!(whole.iter().map(|slice| slice.acked).sum::<u64>(), 864_000_000);
    assert!(whole.len() <= 3_600 && whole[0].length_ns == 100 * S, "{}", whole.len());
    assert!((whole[5].cpu - 0.05).abs() < 1e-9 && whole[5].target_per_s == 10_000.0);
    // Near now it is fine, and what is asked for is all there.
    let minutes = history.since(86_100 * S);
    assert_eq!((minutes.len(), minutes[0].length_ns), (3_000, 100 * MS));
    let hour = history.since(82_801 * S);
    assert_eq!((hour.len(), hour[0].length_ns), (3_599, S));
}

#[test]
fn a_run_of_a_century_stays_as_small() {
    let mut run = Run::new(Grain { every_ns: 100 * MS, slices: 50 }, 2);
    let early = run.history.bytes();
    for step in 0..200_000_u64 {
        run.tick(100 * MS * (1 + step / 50), 10);
    }
    assert!(run.history.bytes() < early + 8 * 64 * (size_of::<Slice>() + 64));
    assert!(run.history.levels.iter().all(|level| level.slices.len() <= 50));
}

#[test]
fn the_whole_of_a_run_has_the_open_end_too() {
    let mut run = Run::new(Grain { every_ns: 100 * MS, slices: 30 }, 1);
    for _ in 0..1_234 {
        run.tick(100 * MS, 7);
    }
    let whole = run.history.whole();
    assert_seamless(&whole, 0, run.at_ns);
    assert_eq!(whole.iter().map(|slice| slice.sent).sum::<u64>(), 1_234 * 7);
    assert_eq!(whole.last().unwrap().depths, [Some(1_234)]);
    let since = run.history.since(run.at_ns - 2 * S);
    assert_eq!(since.len(), 20);
}

#[test]
fn percentiles_of_a_long_slice_are_of_all_its_jobs() {
    let mut run = Run::new(Grain { every_ns: 100 * MS, slices: 100 }, 0);
    for _ in 0..5_000 {
        run.tick(100 * MS, 10);
    }
    // 500 slices, of 1 to 500 µs.
    let whole = run.history.whole();
    let response = whole[1].response.unwrap();
    assert_eq!(whole[1].length_ns, 10 * S);
    assert!((100..=320).contains(&response.p50) && response.max <= 500, "{response:?}");
    let all = run.history.totals().response.quantiles().unwrap();
    assert!((250..=258).contains(&all.p50) && all.max == 500, "{all:?}");
}

#[test]
fn a_stall_is_one_long_slice() {
    let mut run = Run::new(Grain::default(), 0);
    run.tick(100 * MS, 1);
    run.tick(7_350 * MS, 1);
    run.tick(50 * MS, 1);
    run.tick(100 * MS, 0);
    let whole = run.history.whole();
    let lengths: Vec<u64> = whole.iter().map(|slice| slice.length_ns / MS).collect();
    assert_eq!(lengths, [100, 7_350, 50, 100]);
    assert_eq!(run.history.levels[1].slices.iter().map(|slice| slice.sent).sum::<u64>(), 2);
}

#[test]
fn a_reader_never_holds_the_run_up() {
    let shared = SharedHistory::default();
    let times = SliceTimes::default();
    let sample = || Sample { at_ns: S, ..Sample::default() };
    shared.look(|_| assert!(!shared.try_push(sample, &times)));
    assert!(shared.try_push(sample, &times));
    assert_eq!(shared.look(|history| history.whole().len()), 1);
    // No time has passed: there is nothing to add.
    shared.push(sample(), &times);
    assert_eq!(shared.look(|history| history.whole().len()), 1);
}
