use super::*;
use crate::view::samples::plan;

const FIRST: &str = "ramp 10->500 over 60s; sine base 100 amp 30 period 1h for 8h";

const DAY: &str = r#"# daily.load: one weekday on the orders queue
job order { queue "orders"; body { id: uuid(), user: pick("ann", "bo", "cy"), items: int(1..6), at: now() } }

constant 5 for 6h                          # night
ramp 5->100 over 2h                        # morning
sine base 100 amp 30 period 1h for 8h      # the working day
burst 200 for 15m every 30m over 2h        # evening
ramp 100->5 over 6h                        # night again

guard { rate <= 1000/s; jobs <= 6M; depth <= 10k then pause until 8k }
expect { deviation < 1%; errors < 0.1% }
"#;

const NESTED: &str = r#"
job order weight 40 { queue "orders" as stream; body { id: uuid() } }
job ping weight 20 { queue pick("pings" 70%, "pongs" 30%); size small }
constant 5 for 10m as "night"
repeat 3 {
  ramp 10->100 over 1m
  send 5k at once
  together {
    sine base 100 amp 30 period 30s for 2m
    constant 20.3 for 1m
    { pause 10s; steps 5, 10, 20 each 20s }
  }
}
guard { jobs <= 30k then stop; file "/tmp/stop" }
"#;

const STREAMS: &str = r#"
load high   { job h { queue "high-priority" }; sine base 100 amp 20 period 1m for 10m }
load normal { after 10s; job n { queue "normal" }; constant 200 for 10m; guard { rate <= 300/s } }
"#;

fn text_of(script: &str, width: usize) -> String {
    let plan = plan(script);
    text(&plan, &Load::of(&plan), Look { color: false, width })
}

/// The digest changes with the version, which is not what these tests are about.
fn shown(script: &str, width: usize) -> String {
    let digest = plan(script).digest;
    text_of(script, width).replace(&digest, "0123456789abcdef")
}

#[test]
fn the_acceptance_scripts_and_a_nested_one() {
    insta::assert_snapshot!("first", shown(FIRST, 100));
    insta::assert_snapshot!("day", shown(DAY, 100));
    insta::assert_snapshot!("nested", shown(NESTED, 100));
    insta::assert_snapshot!("streams", shown(STREAMS, 100));
}

#[test]
fn a_narrow_terminal_has_two_lines_for_each_phrase() {
    insta::assert_snapshot!("narrow", shown(NESTED, 40));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let long = format!("constant 5 for 1m as \"{}\"", "a long name ".repeat(30));
    for script in [FIRST, DAY, NESTED, STREAMS, &long] {
        for width in [40, 60, 72, 100, 140, 200] {
            let text = text_of(script, width);
            let wide: Vec<&str> = text.lines().filter(|line| show::width(line) > width).collect();
            assert!(wide.is_empty(), "{width}: {wide:#?}");
        }
    }
}

#[test]
fn a_plan_without_length_or_jobs_says_so() {
    assert!(text_of("send 50k at once", 80).contains("total  50,000 jobs, all at once"));
    let nothing = text_of("pause 1m", 80);
    assert!(nothing.contains("total  0 jobs in 1m · peak 0/s · mean 0/s"), "{nothing}");
    assert!(!nothing.contains("NaN"));
}

#[test]
fn a_script_cannot_command_the_terminal() {
    let text = text_of("job \"a\u{1b}[2Jb\" { queue \"q\u{7}\" }; constant 5 for 1m", 100);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.contains("a�[2Jb to list q�"), "{text}");
}
