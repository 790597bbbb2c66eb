use super::*;
use crate::view::samples::plan;

fn chart_of(script: &str, width: usize) -> Vec<String> {
    let plan = plan(script);
    chart(&Load::of(&plan), "rate", Look { color: false, width })
}

#[test]
fn a_burst_narrower_than_a_column_reaches_the_top() {
    let lines = chart_of("constant 10 for 20d; constant 500 for 10ms; constant 10 for 20d", 60);
    assert!(lines[1].starts_with("500 ┤"), "{lines:#?}");
    let drawn: Vec<char> = lines[1].chars().skip(5).filter(|c| *c != ' ').collect();
    assert_eq!(drawn.len(), 1, "{lines:#?}");
}

#[test]
fn a_rate_of_zero_lies_on_the_axis() {
    let lines = chart_of("pause 10m", 20);
    assert_eq!(
        lines,
        [
            "rate",
            "1 ┤",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "  │",
            "0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
            "  └┬───────────────┬",
            "  0s             10m",
        ]
    );
}

#[test]
fn no_length_is_not_drawn() {
    assert!(chart_of("send 5 at once", 60).is_empty());
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    let script = "constant 1M for 13h; send 5k at once; sine base 30 amp 40 period 7m for 1d; \
                  pause 400d; send 123456789 at once";
    for width in [12, 40, 41, 80, 140, 200] {
        let lines = chart_of(script, width);
        // Less than a drawing needs is not given.
        let room = width.max(40);
        assert!(lines.iter().all(|line| show::width(line) <= room), "{width}: {lines:#?}");
    }
}

#[test]
fn dots_join_where_the_rate_jumps_between_columns() {
    let flat = |rate| Span { low: rate, high: rate };
    let rows = dots(&[flat(1.0), flat(1.0), flat(0.0), flat(0.0)], 1.0);
    assert_eq!(rows[0], "⠉⡆");
    assert!(rows[1..11].iter().all(|row| row == " ⡇"), "{rows:#?}");
    assert_eq!(rows[11], " ⣇");
    assert!(dots(&[], 1.0).iter().all(String::is_empty));
}

#[test]
fn jobs_sent_at_once_have_an_arrow_and_a_count() {
    let lines = chart_of("constant 10 for 1m; send 5k at once; constant 10 for 1m", 60);
    assert_eq!(lines[1].find('▼').map(|at| lines[1][..at].chars().count()), Some(32));
    assert!(lines[1].ends_with("▼5,000"));
    assert_eq!(lines.last().map(String::as_str), Some("▼ 5,000 jobs due at once"));
}

#[test]
fn colour_is_only_added_where_it_is_wanted() {
    let plan = plan("constant 10 for 1m");
    let load = Load::of(&plan);
    let plain = chart(&load, "rate", Look { color: false, width: 50 }).join("\n");
    let colored = chart(&load, "rate", Look { color: true, width: 50 }).join("\n");
    assert!(!plain.contains('\x1b') && colored.contains("\x1b[36m"));
    let mut stripped = colored;
    for code in ["\x1b[2m", "\x1b[36m", "\x1b[0m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}
