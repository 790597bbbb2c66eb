//! `loadc plan`, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FIRST: &str = "ramp 10->500 over 60s; sine base 100 amp 30 period 1h for 8h\n";

const DAY: &str = r#"
job order { queue "orders"; body { id: uuid(), user: pick("ann", "bo", "cy"), items: int(1..6), at: now() } }
constant 5 for 6h
ramp 5->100 over 2h
sine base 100 amp 30 period 1h for 8h
burst 200 for 15m every 30m over 2h
ramp 100->5 over 6h
guard { rate <= 1000/s; jobs <= 6M; depth <= 10k then pause until 8k }
expect { deviation < 1%; errors < 0.1% }
"#;

const STREAMS: &str = r#"
load high   { job h { queue "high" }; sine base 100 amp 20 period 1m for 10m }
load normal { after 10s; job n { queue "normal" }; repeat 3 { send 7 at once; constant 33.3 for 7s } }
load batch  { after 20s; job b { queue "batch" }; together { constant 1 for 1m; constant 2.5 for 90s } }
"#;

/// Runs `loadc plan` on a script at its standard input.
fn plan(script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.args(["plan", "-"]).args(arguments).env_remove("REDIS_URL");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its flags does not read.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(script: &str, arguments: &[&str]) -> Value {
    let output = plan(script, &[&["--json"], arguments].concat());
    serde_json::from_str(&out(&output)).unwrap()
}

#[track_caller]
fn assert_refused(output: &Output, words: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(words), "{error}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
}

/// Jobs of phrases, those within included.
fn exact_jobs(phrases: &Value) -> u64 {
    phrases.as_array().unwrap().iter().map(|phrase| phrase["jobs"].as_u64().unwrap()).sum()
}

#[test]
fn the_acceptance_scripts_have_their_totals() {
    let first = json(FIRST, &[]);
    assert_eq!(first["jobs"], 2_895_300);
    assert_eq!(first["duration_s"], 28_860.0);
    assert_eq!(first["peak_per_s"], 500.0);
    assert_eq!(first["streams"][0]["phrases"][0]["jobs"], 15_300);
    assert_eq!(first["streams"][0]["phrases"][1]["jobs"], 2_880_000);
    let day = json(DAY, &[]);
    assert_eq!(day["jobs"], 5_220_000);
    assert_eq!(day["duration_s"], 86_400.0);
    assert_eq!(day["guards"][2]["action"], "pause");
    assert_eq!(day["expectations"][1], "errors < 0.1%");
}

#[test]
fn jobs_add_up_from_phrases_to_streams_to_the_plan_and_the_curve_ends_there() {
    for script in [FIRST, DAY, STREAMS] {
        let plan = json(script, &[]);
        let mut all = 0;
        for stream in plan["streams"].as_array().unwrap() {
            let jobs = stream["jobs"].as_u64().unwrap();
            assert_eq!(exact_jobs(&stream["phrases"]), jobs, "{stream:#}");
            assert_eq!(stream["arrivals"], "even");
            all += jobs;
        }
        assert_eq!(plan["jobs"], all);
        let curve = plan["curve"].as_array().unwrap();
        assert!((80..=210).contains(&curve.len()), "{}", curve.len());
        assert_eq!(curve[0]["t_s"], 0.0);
        let last = curve.last().unwrap();
        assert_eq!(last["t_s"], plan["duration_s"]);
        assert_eq!(last["cumulative_jobs"], all);
        let mean = all as f64 / plan["duration_s"].as_f64().unwrap();
        assert!((plan["mean_per_s"].as_f64().unwrap() - mean).abs() < 1e-9);
    }
}

#[test]
fn a_block_nests_its_phrases_and_a_sum_gives_shares() {
    let plan = json(STREAMS, &[]);
    let normal = &plan["streams"][1]["phrases"][0];
    assert_eq!(normal["text"], "repeat 3 { … }");
    assert_eq!(normal["line"], 3);
    assert_eq!((&normal["start_s"], &normal["end_s"]), (&Value::from(10.0), &Value::from(31.0)));
    assert_eq!(exact_jobs(&normal["phrases"]), normal["jobs"].as_u64().unwrap());
    assert_eq!(normal["phrases"][0]["jobs"], 21);
    let sum = &plan["streams"][2]["phrases"][0];
    assert_eq!(sum["jobs"], 285);
    assert_eq!(sum["phrases"][1]["share"], 225.0);
    assert!(sum["phrases"][1].get("jobs").is_none() && sum.get("share").is_none());
}

#[test]
fn the_curve_has_a_point_every_so_often() {
    let curve =
        json("constant 10 for 25s; constant 30 for 5s", &["--every", "10s"])["curve"].take();
    let rows = curve.as_array().unwrap().iter().map(|point| {
        let number = |name: &str| point[name].as_f64().unwrap();
        (number("t_s"), number("rate_per_s"), point["cumulative_jobs"].as_u64().unwrap())
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows, [(0.0, 10.0, 0), (10.0, 10.0, 100), (20.0, 10.0, 200), (30.0, 30.0, 400)]);
}

#[test]
fn csv_never_falls_and_has_a_column_for_each_stream() {
    let csv = out(&plan(STREAMS, &["--csv", "-", "--every", "500ms"]));
    let mut lines = csv.lines();
    assert_eq!(
        lines.next().unwrap(),
        "t_s,rate_per_s,cumulative_jobs,high_rate_per_s,normal_rate_per_s,batch_rate_per_s"
    );
    let (mut time, mut jobs, mut rows) = (-1.0, 0, 0);
    for line in lines {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(cells.len(), 6);
        assert!(cells[0] > time && cells[2] as u64 >= jobs, "{line}");
        assert!((cells[3] + cells[4] + cells[5] - cells[1]).abs() < 1e-9, "{line}");
        (time, jobs, rows) = (cells[0], cells[2] as u64, rows + 1);
    }
    assert_eq!((time, rows), (600.0, 1201));
    assert_eq!(jobs, json(STREAMS, &[])["jobs"].as_u64().unwrap());
}

#[test]
fn files_are_written_and_written_over_beside_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let (svg, csv) = (folder.path().join("plan.svg"), folder.path().join("plan.csv"));
    std::fs::write(&svg, "x".repeat(1_000_000)).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let output = plan(FIRST, &["--svg", &text(&svg), "--csv", &text(&csv)]);
    assert!(out(&output).contains("total  2,895,300 jobs in 8h1m · peak 500/s"));
    let drawing = std::fs::read_to_string(&svg).unwrap();
    assert!(roxmltree::Document::parse(&drawing).is_ok());
    assert!(std::fs::read_to_string(&csv).unwrap().starts_with("t_s,rate_per_s,cumulative_jobs\n"));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder.svg");
    let output = plan(FIRST, &["--json", "--svg", path.to_str().unwrap()]);
    assert_refused(&output, "cannot write");
    assert_refused(&output, "the folder must exist");
    let output = plan(FIRST, &["--json", "--csv", folder.path().to_str().unwrap()]);
    assert_refused(&output, "name a file in that folder");
    assert_refused(&plan(FIRST, &["--json", "--csv", "-"]), "cannot share standard output");
}

#[test]
fn too_many_points_are_refused_with_a_way_out() {
    let output = plan("constant 1 for 365d", &["--json", "--every", "1s"]);
    assert_refused(&output, "--every gives 31,536,001 points, more than the 1,000,000");
    assert_refused(&output, "`--every 1m`");
    assert_refused(&plan(FIRST, &["--every", "10"]), "a duration has a unit");
    assert_refused(&plan(FIRST, &["--every", "10s"]), "--json|--csv");
}

#[test]
fn a_refused_script_and_one_without_a_load_have_no_plan() {
    let refused = DAY.replace("jobs <= 6M", "jobs <= 5M");
    assert_refused(&plan(&refused, &["--json"]), "5,000,001");
    assert_refused(&plan("let peak = 5/s", &[]), "holds no load");
    assert_refused(&plan("", &["--json"]), "says nothing");
}

#[test]
fn flags_change_the_plan() {
    let faster = json(FIRST, &["--speed", "x60"]);
    assert_eq!((&faster["jobs"], &faster["duration_s"]), (&2_895_300.into(), &481.0.into()));
    assert_eq!(faster["peak_per_s"], 30_000.0);
    let shorter = json(FIRST, &["--for", "1m", "--seed", "9"]);
    assert_eq!((&shorter["jobs"], &shorter["seed"]), (&15_300.into(), &9.into()));
    let set = json("let peak = 5/s\nconstant peak for 10s", &["--set", "peak=7/s"]);
    assert_eq!(set["jobs"], 70);
}

#[test]
fn edges_are_numbers() {
    for (script, jobs) in [("send 50k at once", 50_000), ("pause 1m", 0)] {
        let plan = json(script, &[]);
        assert_eq!(plan["jobs"], jobs);
        assert!(plan["mean_per_s"].is_number() && plan["peak_per_s"].is_number());
        let last = plan["curve"].as_array().unwrap().last().unwrap();
        assert_eq!(last["cumulative_jobs"], jobs);
        assert!(last["rate_per_s"].is_number());
    }
}
