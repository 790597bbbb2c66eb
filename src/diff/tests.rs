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
            "~ rate <= peak * 2, of other values",
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
            "  ~ after 0s → after 5s",
            "  ~ job a: 50% of the jobs → 75% of the jobs, to list a → to stream a, ",
            "52 B each → 7 B each, other\n    contents",
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
