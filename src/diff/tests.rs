use super::*;
use crate::check::{Options, check};
use crate::source::SourceFile;
use crate::view::Look;

fn plan(script: &str) -> Plan {
    let checked = check(&SourceFile::new("test.load", script), &Options::default());
    checked.plan.unwrap_or_else(|| panic!("{:?}", checked.problems))
}

/// What is said of two scripts, without the curves.
fn said(old: &str, new: &str) -> String {
    let (old, new) = (plan(old), plan(new));
    let diff = Diff::of(Some(&old), Some(&new));
    let text = text::text(&diff, ("a", "b"), Look { color: false, width: 100 });
    assert_eq!(diff.is_same(), text.starts_with("the load is the same"), "{text}");
    text.split("\n\nrate, jobs/s").next().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_says(old: &str, new: &str, parts: &[&str]) {
    let text = said(old, new);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

/// The signed lines of phrases and rules.
fn signs(old: &str, new: &str) -> Vec<String> {
    let text = said(old, new);
    let lines = text
        .lines()
        .filter(|line| ["+ ", "- ", "~ "].iter().any(|sign| line.trim_start().starts_with(sign)));
    lines.map(|line| line.trim_start().to_owned()).collect()
}

#[test]
fn other_words_for_the_same_load_are_no_change() {
    for (old, new) in [
        ("constant 5 for 60s", "constant 5 for 1m  # a comment"),
        ("let a = 5; constant a for 1m", "constant 300/min for 1m as \"night\""),
        (
            "ramp 1->9 over 1m; guard { jobs <= 1k }",
            "ramp 1->9 over 1m linear; guard { jobs <= 1000 }",
        ),
    ] {
        assert!(said(old, new).starts_with("the load is the same: "), "{old}");
    }
}

#[test]
fn phrases_are_added_removed_and_changed() {
    let old = "constant 5 for 1h; ramp 5->100 over 1h; constant 100 for 1h; ramp 100->5 over 1h";
    let new = "constant 5 for 1h; ramp 5->200 over 1h; burst 9 for 1s every 1m over 1h; constant 100 for 60m; pause 1h";
    assert_eq!(
        signs(old, new),
        [
            "~ ramp 5->100 over 1h",
            "+ burst 9 for 1s every 1m over 1h",
            "- ramp 100->5 over 1h",
            "+ pause 1h"
        ]
    );
    assert_says(
        old,
        new,
        &[
            "→ ramp 5->200 over 1h\n      189,000 → 369,000 jobs, peak 100/s → 200/s, ends at 100/s → 200/s",
            "540 jobs in 1h from 2h, peak 9/s",
            "and 2 phrases as before",
            "length    4h → 5h",
        ],
    );
}

#[test]
fn a_phrase_that_only_moves_is_the_same_one() {
    let old = "constant 3.3 for 10s; repeat 3 { sine base 5 amp 5 period 7s for 20s }";
    let new = "pause 7.31s; constant 3.3 for 10s; repeat 3 { sine base 5 amp 5 period 7s for 20s }";
    assert_eq!(signs(old, new), ["+ pause 7.31s"]);
}

#[test]
fn a_name_keeps_a_phrase_that_takes_another_shape() {
    let old = "constant 5 for 1h as \"night\"; ramp 5->9 over 1h as \"day\"";
    let new = "ramp 5->11 over 1h as \"night\"; sine base 7 amp 2 for 1h as \"day\"";
    assert_says(old, new, &["~ constant 5 for 1h", "→ ramp 5->11 over 1h", "18,000 → 28,800 jobs"]);
}

#[test]
fn another_form_with_the_same_numbers_is_a_change() {
    let text = said("ramp 0->9 over 1h", "ramp 0->9 over 1h smooth");
    assert!(text.contains("16,200 jobs as before, on another curve"), "{text}");
}

#[test]
fn what_is_within_a_block_is_compared_within() {
    let old = "repeat 3 { constant 5 for 1m; pause 1m }";
    let new = "repeat 3 { constant 6 for 1m; pause 1m }";
    assert_says(
        old,
        new,
        &[
            "  ~ repeat 3 { … }\n      900 → 1,080 jobs",
            "    ~ constant 5 for 1m",
            "and 1 phrase as before",
        ],
    );
}

#[test]
fn the_values_behind_names_count() {
    let script = |peak: &str| {
        format!("let peak = {peak}\nconstant peak for 1m\nguard {{ rate <= peak * 2 }}")
    };
    assert_says(
        &script("50/s"),
        &script("60/s"),
        &[
            "~ constant peak for 1m\n      3,000 → 3,600 jobs, peak 50/s → 60/s",
            "  ~ rate <= peak * 2\n      bound 100 jobs → 120 jobs",
        ],
    );
}

#[test]
fn guards_and_expectations_are_matched_by_what_they_are_about() {
    let old =
        "constant 1 for 1m; guard { jobs <= 100; time <= 1h; file \"/a\" }; expect { errors < 1% }";
    let new = "constant 1 for 1m; guard { time <= 1h; jobs <= 200 then stop; rate <= 5 }; expect { errors < 2%; jobs = 60 }";
    assert_eq!(
        signs(old, new),
        [
            "~ jobs <= 100 → jobs <= 200 then stop",
            "+ rate <= 5",
            "- file \"/a\"",
            "~ errors < 1% → errors < 2%",
            "+ jobs = 60"
        ]
    );
}

#[test]
fn streams_and_jobs_are_matched_by_name() {
    let old = "job a { queue \"a\" }; job b { queue \"b\" }
        load x { send a 1, b 1; constant 1 for 1m }; load y { constant 1 for 1m }";
    let new = "job a { queue \"a\" as stream; body { n: 1 } }; job b { queue \"b\" }
        load z { constant 1 for 1m }; load x { after 5s; send a 3, b 1; constant 1 for 1m }";
    assert_says(
        old,
        new,
        &[
            "load z  added: 60 jobs in 1m",
            "load y  removed: 60 jobs in 1m",
            "  ~ after 0s → 5s",
            "  ~ job a: 50% of the jobs → 75% of the jobs, 52 B each → 7 B each",
            "list a → stream a",
            "body.n seq() → 1",
            "  ~ job b: 50% of the jobs → 25% of the jobs",
        ],
    );
}

#[test]
fn seed_and_target_count_and_a_password_is_not_shown() {
    assert_says("constant 1 for 1m", "seed 5; constant 1 for 1m", &["seed      0 → 5"]);
    let with = |url: &str| format!("target \"{url}\"\nconstant 1 for 1m");
    let text = said(&with("redis://u:secret@a.test"), &with("redis://u:secret@b.test"));
    assert!(text.contains("a.test") && text.contains("b.test"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_load_that_comes_or_goes_is_told_as_a_whole() {
    let one = plan("constant 5 for 1m");
    let look = Look { color: false, width: 80 };
    let added = Diff::of(None, Some(&one));
    let text = text::text(&added, ("/dev/null", "b"), look);
    assert!(
        text.contains("--- /dev/null  no load") && text.contains("+ constant 5 for 1m"),
        "{text}"
    );
    assert!(text.contains("rate, jobs/s"), "{text}");
    let removed = Diff::of(Some(&one), None);
    assert!(text::text(&removed, ("a", "/dev/null"), look).contains("- constant 5 for 1m"));
    assert!(!added.is_same() && !removed.is_same());
    assert!(Diff::of(None, None).is_same());
}

#[test]
fn what_a_run_does_otherwise_is_told_with_both_values() {
    let with = |setting: &str| format!("{setting}\nconstant 5 for 1m");
    assert_says(&with("late send"), &with("late skip after 1s"), &["~ late send → skip after 1s"]);
    assert_says(
        &with("late send"),
        &with("late spread over 2s"),
        &["~ late send → spread over 2s"],
    );
    let block = |word: &str| format!("{word}{{ constant 5 for 1m }}\nconstant 5 for 1m");
    assert_says(&block(""), &block("warmup "), &["~ warmup none → 0s..1m", "+ warmup { … }"]);
    let until = |level: &str| format!("constant 5 for 1m{level}");
    let told = "~ ends early none → depth > 5 within 0s..1m";
    assert_says(&until(""), &until(" until depth > 5"), &[told]);
    let told = "~ ends early depth > 5 within 0s..1m → depth > 6 within 0s..1m";
    assert_says(&until(" until depth > 5"), &until(" until depth > 6"), &[told]);
}

#[test]
fn each_option_of_a_job_is_told_with_both_values() {
    let job = |queue: &str, rest: &str| format!("job b {{ {queue}; {rest} }}\nconstant 1 for 9s");
    let sidekiq =
        |class: &str, rest: &str| job(&format!("queue \"q\" as sidekiq class \"{class}\""), rest);
    assert_says(
        &sidekiq("A", "delay 1s; retry 3"),
        &sidekiq("B", "delay 2s..3s; retry 4"),
        &["~ job b: class \"A\" → \"B\", retry 3 → 4, delay 1s → 2s..3s"],
    );
    let stream = |rest: &str| job(&format!("queue \"q\" as stream{rest}"), "body { n: 1 }");
    assert_says(&stream(" maxlen 10k"), &stream(" maxlen 20k"), &["job b: maxlen 10,000 → 20,000"]);
    assert_says(&stream(""), &stream(" maxlen 20k"), &["job b: maxlen none → 20,000"]);
    let body = |body: &str| job("queue \"q\"", &format!("body {{ a: 1, n: {body} }}"));
    assert_says(&body("int(1..5)"), &body("int(1..6)"), &["body.n int(1..5) → int(1..6)"]);
}

#[test]
fn a_flow_is_told_by_its_ways() {
    let flow = |way: &str| {
        format!(
            "job a {{ queue \"q\" }}; job b {{ queue \"q\" }}\nflow f {{ a -> b {way} }}\nsend f\nconstant 100 for 30s"
        )
    };
    let old = flow("10% after 1m");
    assert_eq!(signs(&old, &flow("10% after 2m")), ["~ flow f a -> b 10% after 1m → 10% after 2m"]);
    // Of 3,000 things each is looked at: about a tenth, and a fifth.
    let told = signs(&old, &flow("20% after 1m"));
    let [steps, way] = &told[..] else { panic!("{told:?}") };
    assert!(steps.starts_with("~ flow f steps 2"), "{steps}");
    assert!(steps.contains(" jobs counted → 5") && steps.ends_with(" jobs counted"), "{steps}");
    assert_eq!(way, "~ flow f a -> b 10% after 1m → 20% after 1m");
}

#[test]
fn how_a_guard_warns_and_waits_is_told() {
    let guard = |rest: &str| {
        format!("constant 1 for 1m; guard {{ jobs <= 100; depth <= 9 then pause until 3; {rest} }}")
    };
    assert_says(
        &guard("warn at 80%; cooldown 1s"),
        &guard("warn at 90%; cooldown 2s"),
        &["  ~ jobs <= 100\n      warns at 80 jobs → 90 jobs", "cooldown 1s → 2s"],
    );
}

#[test]
fn a_call_with_other_arguments_is_the_same_call() {
    let call = |peak: u32| format!("shape rush(p) {{ constant p for 1m }}\nrush({peak})");
    assert_says(&call(100), &call(110), &["  ~ rush(100)\n      → rush(110)"]);
}

#[test]
fn libraries_are_compared_by_what_they_define() {
    let of = |text: &str| {
        let source = SourceFile::new("lib.load", text);
        let script = crate::parse::parse(&source).0;
        definitions(&source, &[script])
    };
    let old =
        "let a = 10/s # slow\nshape s() { constant 5 for 1m; pause 1s }\njob j { queue \"x\" }";
    let same = "# all\njob j {\n  queue \"x\"\n}\nlet a = 10/s\nshape s() {\n  constant 5 for 1m\n  pause 1s }";
    assert!(Diff::of_definitions(of(old), of(same)).is_same());
    let new =
        "let a = 50/s\nshape s() { constant 5 for 2m; pause 1s }\njob j { queue \"y\" }; let b = 1";
    let diff = Diff::of_definitions(of(old), of(new));
    assert!(!diff.is_same());
    let text = text::text(&diff, ("a", "b"), Look { color: false, width: 100 });
    for part in [
        "~ let a\n      = 10 → = 50",
        "~ shape s\n      for 1m → for 2m",
        "~ job j\n      queue \"x\" → queue \"y\"",
        "+ let b = 1",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let document = json::document(&diff, ("a", "b"), None);
    assert_eq!(document["same"], false);
    assert_eq!(document["definitions"][0]["new"], "let a = 50 / s");
}
