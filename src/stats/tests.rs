use super::minutes::Minutes;
use super::*;

fn failure(kind: &str) -> Failure {
    Failure { kind: kind.to_owned(), message: "why".to_owned(), lasting: false }
}

fn flight(stream: u32, job: u32, intended_ns: u64) -> Flight {
    Flight { index: 1, intended_ns, stream, job, parts: 0, is_warmup: false }
}

fn command(sent_ns: u64, at_ns: u64) -> Settled {
    Settled { bytes: 20, sent_ns, at_ns }
}

fn two_streams() -> Stats {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Stats::new(vec![(10, names(&["a", "b"])), (5, names(&["c"]))], 1)
}

#[test]
fn every_job_is_in_one_place() {
    let mut stats = two_streams();
    stats.due(0, 4, 0);
    stats.due(0, 4, 0); // a total, not an addition
    stats.due(1, 2, 0);
    let flights =
        [flight(0, 0, 1_000), flight(0, 1, 2_000), flight(1, 0, 1_500), flight(0, 1, 3_000)];
    stats.handed_over(&flights);
    let counts = stats.counts();
    assert_eq!((counts.planned, counts.due, counts.sent), (15, 6, 4));
    assert_eq!((counts.overdue(), counts.in_flight()), (2, 4));

    stats.settled(&flights[..2], &Outcome::Acked, command(5_000, 9_000));
    stats.settled(&flights[2..3], &Outcome::Failed(failure("OOM")), command(5_000, 9_000));
    stats.settled(&flights[3..], &Outcome::NotSent(failure("io")), command(5_000, 9_000));
    stats.skipped(0, 2);
    let counts = stats.counts();
    assert_eq!((counts.sent, counts.acked, counts.failed), (3, 2, 1));
    assert_eq!((counts.overdue(), counts.in_flight(), counts.skipped), (1, 0, 2));
    assert_eq!(stats.errors().entries().len(), 1, "a job not sent is no error");
    assert_eq!(counts.error_share(), 1.0 / 3.0);

    let first = &stats.streams()[0];
    assert_eq!((first.by_job[0].acked, first.by_job[1].acked, first.by_job[1].sent), (1, 1, 1));
    assert_eq!(first.bytes, 20);
    assert_eq!(stats.streams()[1].by_job[0].failed, 1);
}

#[test]
fn times_are_measured_from_the_intended_instant() {
    let mut stats = two_streams();
    let flights = [flight(0, 0, 1_000_000), flight(1, 0, 2_000_000)];
    stats.handed_over(&flights);
    stats.settled(&flights, &Outcome::Acked, command(4_000_000, 4_500_000));
    let times = stats.times();
    assert_eq!(times.send_delay.mean_us(), Some(2_500.0));
    assert_eq!(times.service.mean_us(), Some(500.0));
    assert_eq!(times.response.max_us(), Some(3_500.0));
    assert_eq!(stats.streams()[1].times.response.max_us(), Some(2_500.0));
}

#[test]
fn refused_jobs_have_a_send_delay_and_no_response() {
    let mut stats = two_streams();
    let flights = [flight(0, 0, 0)];
    stats.handed_over(&flights);
    stats.settled(&flights, &Outcome::Unknown(failure("io")), command(7_000, 9_000));
    let times = stats.times();
    assert_eq!(
        (times.send_delay.count(), times.service.count(), times.response.count()),
        (1, 0, 0)
    );
    assert_eq!(stats.counts().unknown, 1);
}

#[test]
fn the_distance_from_the_plan_counts_the_second_of_sending() {
    let mut stats = two_streams();
    stats.due(0, 2_000, 0);
    let flights = vec![flight(0, 0, 0); 2_000];
    stats.handed_over(&flights);
    stats.settled(&flights[..1_500], &Outcome::Acked, command(900_000_000, 1_000_000_000));
    stats.settled(&flights[1_500..], &Outcome::Acked, command(1_100_000_000, 1_200_000_000));
    assert!((stats.deviation().of_run() - 0.25).abs() < 1e-12);
    stats.close_seconds(1);
    assert!((stats.deviation().so_far() - 0.25).abs() < 1e-12);
    assert_eq!(stats.streams()[1].deviation.of_run(), 0.0);
}

#[test]
fn minutes_take_what_is_new() {
    let mut stats = two_streams();
    let mut minutes = Minutes::default();
    let flights = [flight(0, 0, 0), flight(0, 0, 0), flight(1, 0, 0), flight(1, 0, 0)];
    stats.handed_over(&flights);
    stats.settled(&flights[..3], &Outcome::Acked, command(5_000, 9_000));
    stats.settled(&flights[3..], &Outcome::Failed(failure("OOM")), command(5_000, 9_000));
    let first = minutes.cut(&stats, 60.0);
    assert_eq!((first.minute, first.jobs, first.success), (0, 4, 0.75));
    assert_eq!(first.response.unwrap().samples, 3);
    stats.handed_over(&flights[..1]);
    stats.settled(&flights[..1], &Outcome::Acked, command(5_000, 9_000));
    let second = minutes.cut(&stats, 0.5);
    assert_eq!((second.minute, second.jobs, second.rate_per_s, second.success), (1, 1, 2.0, 1.0));
    assert_eq!(minutes.cut(&stats, 60.0).send_delay, None);
}
