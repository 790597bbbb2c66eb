use super::*;
use crate::source::SourceFile;

fn formatted(text: &str) -> String {
    let source = SourceFile::new("test.load", text);
    let (script, problems) = crate::parse::parse(&source);
    assert!(problems.is_empty(), "{text}\n{problems:?}");
    format(&script, text)
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    let once = formatted(text);
    assert_eq!(once, expected);
    assert_eq!(formatted(&once), expected, "formatted twice");
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn blanks_stand_where_they_belong() {
    becomes("ramp  10 ->500\tover 60s", "ramp 10->500 over 60s\n");
    becomes("let a=5/s", "let a = 5/s\n");
    becomes(
        "let b = 5*(1+2)-max( 3,4 )/2;let c=-5 * -3",
        "let b = 5 * (1 + 2) - max(3, 4) / 2; let c = -5 * -3\n",
    );
    becomes("scale x( 1 +50% ){pause 1s}total 5", "scale x(1 + 50%) { pause 1s } total 5\n");
    becomes("send a  70 ,b", "send a 70, b\n");
    becomes("guard{rate<=5/s}", "guard { rate <= 5/s }\n");
    becomes(
        "expect{jobs=5;p99.9 send  delay<5ms}",
        "expect { jobs = 5; p99.9 send delay < 5ms }\n",
    );
    becomes("repeat 3{}", "repeat 3 {}\n");
    becomes("{\n\n}", "{}\n");
}

#[test]
fn blanks_stand_where_they_belong_in_values() {
    becomes(
        r#"job a{body{a:int( -1 .. 6 ),"b c" :list(1..3)[ 1,-2.50 ],c:{d:null},e:{ },f:[ ],}}"#,
        "job a { body { a: int(-1..6), \"b c\": list(1..3) [1, -2.50], c: { d: null }, e: {}, f: [] } }\n",
    );
    becomes(
        r#"job a { body pick("x"  70% , [ "y"],2 -5,a) }"#,
        "job a { body pick(\"x\" 70%, [\"y\"], 2 -5, a) }\n",
    );
}

#[test]
fn a_sign_is_told_from_an_operator_by_its_blanks() {
    stays("points 0s -5, 1s 10\n");
    becomes("points 0s 10-5, 1s -5 - -6", "points 0s 10 - 5, 1s -5 - -6\n");
    becomes("let a = (b -c)", "let a = (b - c)\n");
    becomes("let a = min(b -c, -d)", "let a = min(b - c, -d)\n");
    stays("sine base 100 amp -30 for 5m\n");
}

#[test]
fn a_sign_behind_a_clock_is_no_span_of_the_day() {
    becomes("hours { 02:00 - 03:00 x2 }", "hours { 02:00-03:00 x2 }\n");
    stays("hours { 20:00-21:00 -x2.5 }\n");
}

#[test]
fn a_unit_is_told_from_a_divisor_by_what_is_glued_to_it() {
    stays("let a = (b + c)/min\n");
    becomes("let a = (b /s)", "let a = (b/s)\n");
    becomes("let a = b/c", "let a = b / c\n");
    becomes("let a = (b/ s)", "let a = (b / s)\n");
    becomes("let a = b/min(c, d)", "let a = b / min(c, d)\n");
}

#[test]
fn what_is_a_writers_own_stays() {
    stays("let a = 1_000; let b = 1h30m; let c = 10k; let d = 2.50\n");
    stays("job a { queue \"a  b;{{}} # c\"; body \"{ seq() }\" }\n");
    stays("#! no blank\n#\n# text  with   blanks\n");
}

#[test]
fn line_ends_marks_and_blank_lines_are_tidied() {
    becomes(
        "\u{feff}\r\n\r\nseed 1\r\n\r\n\r\n\r\nseed 2  \r\rseed 3",
        "seed 1\n\nseed 2\n\nseed 3\n",
    );
    becomes("load a {\n\n\n  pause 1s\n\n}\n\n\n", "load a {\n  pause 1s\n}\n");
    becomes("", "");
    becomes(" \n\t\n", "");
    becomes("# only\t ", "# only\n");
}

#[test]
fn statements_share_a_line_only_where_they_did_and_fit() {
    stays("pause 1s; pause 2s\npause 3s\n");
    becomes("pause 1s;;\n;;pause 2s;", "pause 1s\npause 2s\n");
    let long = "constant 1000 for 1s as \"a name of some length\"";
    becomes(&format!("{long}; {long}; pause 1s"), &format!("{long}\n{long}\npause 1s\n"));
    becomes(
        "load a { pause 1s }; load b {\npause 2s; pause 3s }; pause 4s",
        "load a { pause 1s }\nload b {\n  pause 2s; pause 3s\n}\npause 4s\n",
    );
}

#[test]
fn a_block_stays_on_its_line_or_is_spread() {
    stays("repeat 3 { constant 5 for 1s; pause 1s } total 5k as \"x\"\n");
    becomes(
        "repeat 3 { constant 5 for 1s\npause 1s } total 5k",
        "repeat 3 {\n  constant 5 for 1s\n  pause 1s\n} total 5k\n",
    );
    becomes(
        r#"job order { queue "orders"; body { id: uuid(), user: pick("ann", "bo", "cy"), items: int(1..6), at: now() } }"#,
        "job order {\n  queue \"orders\"\n  \
         body { id: uuid(), user: pick(\"ann\", \"bo\", \"cy\"), items: int(1..6), at: now() }\n}\n",
    );
}

#[test]
fn a_long_body_has_a_field_a_line_and_a_spread_one_the_writers_lines() {
    let name = "a_rather_long_name_of_a_field";
    becomes(
        &format!(
            "job a {{\nbody {{ {name}1: 1, {name}2: {{ a: [1, 2] }}, {name}3: pick(1, 2) }}\n}}"
        ),
        &format!(
            "job a {{\n  body {{\n    {name}1: 1,\n    {name}2: {{ a: [1, 2] }},\n    {name}3: pick(1, 2)\n  }}\n}}\n"
        ),
    );
    becomes(
        "job a { body { a: 1, b: 2,\n\n\nc: [\n1,2, 3\n,4 ], }}",
        "job a {\n  body {\n    a: 1, b: 2,\n\n    c: [\n      1, 2, 3,\n      4\n    ]\n  }\n}\n",
    );
}

#[test]
fn a_group_behind_a_job_with_a_body_is_a_block() {
    stays("job a { body { id: 1 } }\n{ ramp 0->10 over 1m; pause 1s } total 10\n");
    becomes(
        "job a { body { id: 1 } } ; { pause 1s;pause 2s }",
        "job a { body { id: 1 } }; { pause 1s; pause 2s }\n",
    );
}

#[test]
fn a_long_statement_goes_on_behind_a_comma_or_an_operator() {
    let points: Vec<String> = (0..30).map(|i| format!("{i}s {i}")).collect();
    let text = formatted(&format!("points {}", points.join(",")));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].ends_with(',') && lines[0].len() > 90 && lines[0].len() <= MAX_WIDTH);
    assert!(lines[1].starts_with("  1"));
    stays(&text);
    let sum = ["a_name_of_twenty_six_chars"; 5].join("+");
    let text = formatted(&format!("let b = {sum}"));
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().next().unwrap().ends_with(" +"));
    stays(&text);
    becomes("points 0s 1,\n\n1s 2", "points 0s 1,\n  1s 2\n");
    becomes("ramp 1->\n5 over\t1s", "ramp 1->\n  5 over 1s\n");
    becomes("let a =\n5", "let a =\n  5\n");
}

#[test]
fn comments_stay_where_they_were() {
    becomes(
        "# top\nload a { # open\n# own\npause 1s # behind\n\n  # end\n} # closed\n# last",
        "# top\nload a {  # open\n  # own\n  pause 1s  # behind\n\n  # end\n}  # closed\n# last\n",
    );
    becomes(
        "job a { body {\na: 1 # one\n, b: # two\n2 # three\n# four\n, } }",
        "job a {\n  body {\n    a: 1,  # one\n    b:     # two\n      2  # three\n    # four\n  }\n}\n",
    );
    becomes("let a = 1 + # c\n# d\n2", "let a = 1 +  # c\n  # d\n  2\n");
    becomes("; # c\npause 1s; # d", "# c\npause 1s  # d\n");
    becomes("{ # c\n}", "{  # c\n}\n");
    becomes("load a {; # c\n;}", "load a {  # c\n}\n");
}

#[test]
fn comments_at_the_ends_of_adjacent_lines_stand_in_a_column() {
    becomes(
        "pause 1s # a\npause 100s # b\n\npause 1000s # c\npause 1s\npause 1s # d",
        "pause 1s    # a\npause 100s  # b\n\npause 1000s  # c\npause 1s\npause 1s  # d\n",
    );
    let long = format!("pause 1s as \"{}\"", "x".repeat(60));
    becomes(&format!("pause 1s # a\n{long} # b"), &format!("pause 1s  # a\n{long}  # b\n"));
    // The width of a comment breaks no line.
    stays(&format!("pause 1s; pause 2s  # {}\n", "x".repeat(100)));
}
