//! What is drawn (walks, chaos, jitter, arrivals): what it depends on, and that a run sends exactly what the plan says.

use crate::cli_run::{assert_done, run};
use crate::redis_server::RedisServer;
use loadc::check::{Options, check};
use loadc::plan::{Plan, Stream};
use loadc::source::SourceFile;
use redis::Commands as _;

fn plan_with(text: &str, options: &Options) -> Plan {
    let checked = check(&SourceFile::new("drawn.load", text), options);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    checked.plan.unwrap()
}

fn plan(text: &str) -> Plan {
    plan_with(text, &Options::default())
}

/// When the jobs of a stream are due, and the rate at each whole second.
fn drawn(stream: &Stream) -> (Vec<u64>, Vec<f64>) {
    let times = (1..=stream.jobs()).map(|k| stream.due.time_of(k)).collect();
    let seconds = stream.timeline.length_ns().unwrap() / 1_000_000_000;
    (times, (0..seconds).map(|s| stream.timeline.rate(s * 1_000_000_000)).collect())
}

const WALK: &str = "walk from 60 by 5 every 1s within 20..120 for 1m";
const CHAOS: &str = "chaos 10..50 every 2s..7s for 1m";

#[test]
fn editing_one_load_reshuffles_no_other() {
    let before = plan(&format!(
        "arrivals poisson\nload a {{ {WALK}; {CHAOS} }}\nload b {{ {WALK}; {CHAOS}; {WALK} }}"
    ));
    let after = plan(&format!(
        "arrivals poisson
         {WALK}
         load new {{ {CHAOS}; {WALK} }}
         load a {{ arrivals gamma cv 2; {WALK}; pause 10s; {WALK}; {CHAOS}; constant 5 for 1m }}
         load b {{ {WALK}; {CHAOS}; {WALK} }}"
    ));
    assert_eq!(drawn(&before.streams[1]), drawn(after.streams.last().unwrap()));
    // In the load that was edited, the first of each kind is what it was.
    let [a, edited] = [&before.streams[0], &after.streams[2]].map(|stream| drawn(stream).1);
    assert_eq!(a[..60], edited[..60], "the first walk");
    assert_eq!(a[60..], edited[130..190], "the first chaos");
    assert_ne!(a[..60], edited[70..130], "the second walk is another");
}

#[test]
fn streams_and_seeds_draw_their_own() {
    let text =
        format!("load a {{ arrivals poisson; {WALK} }}\nload b {{ arrivals poisson; {WALK} }}");
    let first = plan(&text);
    assert_ne!(drawn(&first.streams[0]), drawn(&first.streams[1]));
    assert_eq!(drawn(&first.streams[0]), drawn(&plan(&text).streams[0]));
    let seeded = plan_with(&text, &Options { seed: Some(1), ..Options::default() });
    assert_ne!(drawn(&first.streams[0]), drawn(&seeded.streams[0]));
    assert_ne!(first.digest, seeded.digest);
    let even = plan(&text.replace("arrivals poisson; ", ""));
    assert_eq!(
        drawn(&first.streams[0]).1,
        drawn(&even.streams[0]).1,
        "the rate is not drawn by them"
    );
    assert_ne!(first.digest, even.digest);
}

#[test]
fn passes_of_a_repeat_draw_their_own() {
    let plan = plan(&format!("repeat 3 {{ {WALK} }}"));
    let rates = drawn(&plan.streams[0]).1;
    assert!(rates[..60] != rates[60..120] && rates[60..120] != rates[120..]);
}

#[test]
fn a_poisson_total_is_drawn_and_an_exact_one_is_not() {
    let jobs = |arrivals: &str| plan(&format!("{arrivals}\nconstant 100 for 1m")).streams[0].jobs();
    assert_eq!(jobs("arrivals poisson exact"), 6000);
    let drawn = jobs("arrivals poisson");
    // Seven standard deviations.
    assert!(drawn != 6000 && drawn.abs_diff(6000) < 542, "{drawn}");
}

#[test]
fn a_bound_on_jobs_ends_what_is_drawn_without_end() {
    for arrivals in ["poisson", "poisson exact", "gamma cv 3", "gamma cv 0.2"] {
        let text = format!(
            "arrivals {arrivals}\nsine base 50 amp 50 period 1m forever\nguard {{ jobs <= 500 then stop }}"
        );
        let plan = plan(&text);
        assert_eq!(plan.streams[0].jobs(), 500, "{arrivals}");
        let end = plan.streams[0].timeline.length_ns().unwrap();
        assert_eq!(plan.streams[0].due.time_of(500), end, "{arrivals}");
    }
}

#[test]
fn phrases_of_drawn_arrivals_add_up() {
    let plan = plan(&format!(
        "arrivals poisson\nconstant 50 for 10s\nsend 200 at once\nrepeat 5 {{ {CHAOS}; pause 3s }}\n{WALK}"
    ));
    let jobs = |phrase: &loadc::plan::Phrase| match phrase.jobs {
        loadc::plan::PhraseJobs::Exact(jobs) => jobs,
        loadc::plan::PhraseJobs::Share(_) => panic!("{phrase:?}"),
    };
    let phrases = &plan.streams[0].phrases;
    assert_eq!(phrases.iter().map(jobs).sum::<u64>(), plan.streams[0].jobs());
    assert_eq!(phrases[2].phrases.iter().map(jobs).sum::<u64>(), jobs(&phrases[2]));
}

#[test]
fn a_jitter_keeps_its_jobs_and_draws_its_own() {
    let rates = |text: &str| drawn(&plan(text).streams[0]);
    let text = "jitter 5% { constant 100 for 1m }; jitter 5% { constant 100 for 1m }";
    let (times, rate) = rates(text);
    assert_eq!(times.len(), 12_000);
    assert!(rate.iter().all(|rate| (95.0..=105.0).contains(rate)), "{rate:?}");
    assert_ne!(rate[..60], rate[60..], "each of the two its own");
    assert_eq!(rates(&format!("{text}; {WALK}; load new {{ {text} }}")).1[..120], rate[..]);
}

/// The third acceptance script of the language, a hundred times shorter.
const CHAOS_DAY: &str = r#"
seed 7
load high   { job h { queue "high-priority" }; sine base 100 amp 20 period 600ms for 6s }
load normal { after 100ms; job n { queue "normal" }; sine base 200 amp 40 period 600ms for 6s }
load batch  { after 200ms; arrivals poisson; job b { queue "batch" }; walk from 60 by 5 every 10ms within 20..120 for 6s }
guard { rate <= 2000/s; file "/tmp/loadc-test-chaos-stop-that-never-comes" }
"#;

#[test]
fn a_run_sends_exactly_what_was_drawn() {
    let planned = plan(CHAOS_DAY);
    let jobs: Vec<u64> = planned.streams.iter().map(Stream::jobs).collect();
    assert_eq!(jobs[..2], [600, 1200]);
    let server = RedisServer::start();
    let (output, report) = run(CHAOS_DAY, &server.url(), &[]);
    assert_done(&output, &report, jobs.iter().sum());
    let mut redis = server.connection();
    let waiting =
        ["high-priority", "normal", "batch"].map(|queue| redis.llen::<_, u64>(queue).unwrap());
    assert_eq!(waiting[..], jobs[..]);
    assert_eq!(report["digest"], planned.digest);
}

#[test]
fn the_digest_is_that_of_what_a_recording_holds() {
    let folder = tempfile::tempdir().unwrap();
    let digest = |content: &str| {
        std::fs::write(folder.path().join("a.csv"), content).unwrap();
        let script = SourceFile::new("a.load", "replay \"a.csv\"");
        let checked = check(&script.from_path(folder.path().join("a.load")), &Options::default());
        checked.plan.unwrap().digest
    };
    let first = digest("t,rate\n0,10\n5,20\n");
    assert_eq!(first, digest("rate,t,note\n10,100,same\n20,105,load\n"));
    assert_ne!(first, digest("t,rate\n0,10\n5,21\n"));
}

/// One job a row, at its instant, in a run.
#[test]
fn recorded_instants_are_sent_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..1000).map(|i| format!("{}\n", i * i % 1777)).collect();
    std::fs::write(folder.path().join("a.csv"), format!("ms\n{rows}")).unwrap();
    let script = folder.path().join("replay.load");
    std::fs::write(&script, "replay \"a.csv\" at \"ms\" in ms\nguard { jobs <= 1000 }").unwrap();
    let server = RedisServer::start();
    let mut command = crate::cli_run::loadc();
    command.args(["run", script.to_str().unwrap(), "--json", "--target", &server.url()]);
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    assert_done(&output, &report, 1000);
    assert_eq!(server.connection().llen::<_, u64>("loadc").unwrap(), 1000);
}

#[test]
fn a_block_may_have_arrivals_of_its_own() {
    let text = "constant 10 for 10s
        arrivals poisson { constant 50 for 20s }
        constant 10 for 10s
        repeat 3 { arrivals gamma cv 2 { constant 20 for 10s }; constant 4 for 5s }
        arrivals poisson exact { ramp 0->30 over 10s }";
    let plan = plan(text);
    let stream = &plan.streams[0];
    let (times, _) = drawn(stream);
    assert!(times.is_sorted());
    for (k, t) in times.iter().enumerate() {
        let (k, due) = (k as u64 + 1, stream.due.jobs_by(*t));
        assert!(due >= k && (*t == 0 || stream.due.jobs_by(t - 1) < k), "job {k}");
    }
    let between = |from: u64, to: u64| {
        let second = 1_000_000_000;
        stream.due.jobs_by(to * second) - stream.due.jobs_by(from * second)
    };
    assert_eq!([between(0, 10), between(30, 40), between(50, 55)], [100, 100, 20], "even ones");
    assert_eq!(between(85, 95), 150, "as many as even");
    let poisson = between(10, 30);
    assert!(poisson.abs_diff(1000) < 230, "{poisson}");
    let passes = [between(40, 50), between(55, 65), between(70, 80)];
    assert!(passes[0] != passes[1] || passes[1] != passes[2], "{passes:?}");
    let even: Vec<u64> = times.iter().copied().take_while(|t| *t < 10_000_000_000).collect();
    assert_eq!(even[..3], [50_000_000, 150_000_000, 250_000_000]);
    assert_eq!(times.len() as u64, stream.jobs());
}

#[test]
fn a_total_among_exact_arrivals_is_exact() {
    let text = format!("arrivals poisson exact\n{CHAOS}\nconstant 7 for 1m total 1234\n{WALK}");
    let plan = plan(&text);
    assert_eq!(plan.streams[0].phrases[1].jobs, loadc::plan::PhraseJobs::Exact(1234));
}
