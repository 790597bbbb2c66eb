//! A plan's place in the calendar: `starts`, `--starts`, `hours`, and what `now()` says.

use crate::cli_run::{assert_done, loadc, run, stderr};
use crate::redis_server::RedisServer;
use loadc::check::{Options, StartsAt, check};
use loadc::plan::Plan;
use loadc::source::SourceFile;
use redis::Commands as _;

fn plan(text: &str, starts: Option<(&str, u32, Option<&str>)>) -> Plan {
    let starts = starts.map(|(date, clock_s, zone)| StartsAt {
        date: date.to_owned(),
        clock_s,
        zone: zone.map(str::to_owned),
    });
    let options = Options { starts, ..Options::default() };
    let checked = check(&SourceFile::new("hours.load", text), &options);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    checked.plan.unwrap()
}

/// 100/s in the third hour of the day, and nothing else.
const DAY: &str = "hours { 00:00-02:00 x0; 03:00-24:00 x0 }\nconstant 100 for 24h";

#[test]
fn a_day_is_as_long_as_the_zone_says() {
    let jobs = |date, zone| plan(DAY, Some((date, 0, Some(zone)))).streams[0].jobs();
    assert_eq!(jobs("2026-07-01", "Europe/Berlin"), 360_000);
    assert_eq!(jobs("2026-03-29", "Europe/Berlin"), 0, "there is no third hour that night");
    assert_eq!(jobs("2026-10-25", "Europe/Berlin"), 720_000, "and here it comes twice");
    assert_eq!(jobs("2026-10-25", "UTC"), 360_000);
}

#[test]
fn a_flag_goes_before_the_script_and_leaves_it_its_zone() {
    let text = format!("starts 2026-07-01 02:30 in \"Europe/Berlin\"\n{DAY}");
    let script = plan(&text, None);
    assert_eq!(script.streams[0].due.time_of(1), 5_000_000, "amid the hour");
    let flag = plan(&text, Some(("2026-07-01", 3600, None)));
    assert_eq!(flag.streams[0].due.time_of(1), 3_600_000_000_000 + 5_000_000);
    assert_eq!(flag.starts.as_ref().unwrap().zone, "Europe/Berlin");
    assert_ne!(script.digest, flag.digest);
    let elsewhere = plan(&text, Some(("2026-07-01", 3600, Some("Asia/Tokyo"))));
    assert_ne!(flag.digest, elsewhere.digest);
}

#[test]
fn after_and_loads_have_their_own_hours() {
    let text = "starts 2026-07-01 01:59:30
        hours { 02:00-03:00 x2 }
        load a { constant 10 for 1m }
        load b { after 30500ms; constant 10 for 1m }
        load c { hours { 01:00-02:00 x0 }; constant 10 for 1m }";
    let plan = plan(text, None);
    let jobs: Vec<u64> = plan.streams.iter().map(|stream| stream.jobs()).collect();
    assert_eq!(jobs, [300 + 600, 1200, 300]);
}

#[test]
fn now_is_the_start_and_the_due_offset() {
    let server = RedisServer::start();
    let script = "starts 2031-03-29 12:00 in \"Europe/Berlin\"
        job a { queue \"q\"; body { at: now() } }
        constant 10 for 1s";
    let (output, report) = run(script, &server.url(), &[]);
    assert_done(&output, &report, 10);
    let mut jobs: Vec<String> = server.connection().lrange("q", 0, -1).unwrap();
    jobs.sort();
    assert_eq!(jobs[0], "{\"at\":\"2031-03-29T11:00:00.050Z\"}");
    assert_eq!(jobs[9], "{\"at\":\"2031-03-29T11:00:00.950Z\"}");
}

#[test]
fn a_start_that_is_none_is_refused() {
    let flag = |value: &str| {
        let mut command = loadc();
        command.args(["plan", "examples/hello.load", "--starts", value]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.output().unwrap()
    };
    for wrong in ["tomorrow", "2026-02-30 00:00", "2026-02-28 25:00", "2026-02-28 00:00 in Nowhere"]
    {
        let output = flag(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(stderr(&output).contains("2026-03-29 00:00"), "{}", stderr(&output));
    }
    let output = flag("2026-02-28 13:30 in Asia/Tokyo");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("starts 2026-02-28T13:30:00+09:00[Asia/Tokyo]"), "{text}");
}
