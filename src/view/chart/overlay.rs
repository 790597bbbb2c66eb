//! Two curves over each other: the new one in dots of Braille, the old one where it stands alone as
//! larger points, so that they are told apart without colour.

use super::{DOT_ROWS, MAX_RATE_TICKS, ROWS, dot_row, dots, time_axis};
use crate::show;
use crate::view::ticks::RateAxis;
use crate::view::{Load, Look};

/// The old curve where the new one is not.
const OLD: char = '·';

/// The curves of two loads on common axes, one line a row; nothing if neither has a length.
pub fn overlay(old: &Load<'_>, new: &Load<'_>, look: Look) -> Vec<String> {
    let end_ns = old.end_ns.max(new.end_ns);
    if end_ns == 0 {
        return Vec::new();
    }
    let axis = RateAxis::new(old.peak_per_s.max(new.peak_per_s), MAX_RATE_TICKS);
    let labels: Vec<String> = axis.ticks().map(show::number).collect();
    let margin = labels.iter().map(|label| show::width(label)).max().unwrap_or(0);
    let columns = look.width.saturating_sub(margin + 2).max(10);
    let rows = |load: &Load<'_>| dots(&load.spans_until(end_ns, 2 * columns), axis.top);
    let (olds, news) = (rows(old), rows(new));
    let legend =
        format!("rate, jobs/s: {} new  {} old", look.accent("⠿"), look.alert(&OLD.to_string()));
    let mut lines = vec![legend];
    for y in 0..ROWS {
        let tick = axis.ticks().position(|rate| dot_row(rate, axis.top) / (DOT_ROWS / ROWS) == y);
        let label = tick.and_then(|i| labels.get(i)).map_or("", String::as_str);
        let mark = if tick.is_some() { '┤' } else { '│' };
        let row = mixed(&olds[y], &news[y], look);
        lines.push(format!("{label:>margin$} {}{row}", look.dim(&mark.to_string())));
    }
    let (line, times) = time_axis(end_ns, columns);
    lines.push(format!("{:margin$} {}", "", look.dim(&line)));
    lines.push(format!("{:margin$} {times}", ""));
    lines
}

/// A row of both: runs of the new, of the old, and of nothing, each in its colour.
fn mixed(old: &str, new: &str, look: Look) -> String {
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let at = |row: &[char], x: usize| row.get(x).copied().filter(|c| *c != ' ');
    let mut out = String::new();
    let mut run = String::new();
    let mut is_new = true;
    for x in 0..old.len().max(new.len()) {
        let (shown, of_new) = match (at(&new, x), at(&old, x)) {
            (Some(dots), _) => (dots, true),
            (None, Some(_)) => (OLD, false),
            (None, None) => (' ', is_new),
        };
        if of_new != is_new {
            out.push_str(&painted(&run, is_new, look));
            run.clear();
            is_new = of_new;
        }
        run.push(shown);
    }
    out.push_str(&painted(&run, is_new, look));
    out
}

fn painted(run: &str, is_new: bool, look: Look) -> String {
    if is_new { look.accent(run) } else { look.alert(run) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    fn drawn(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (plan(old), plan(new));
        overlay(&Load::of(&old), &Load::of(&new), Look { color: false, width: 44 })
    }

    #[test]
    fn the_old_curve_shows_where_it_is_alone_on_common_axes() {
        let lines = drawn("constant 100 for 20s", "constant 50 for 10s");
        assert_eq!(lines[0], "rate, jobs/s: ⠿ new  · old");
        let with = |c: char| lines[1..=ROWS].iter().filter(|line| line.contains(c)).count();
        assert_eq!((with(OLD), with('⣀')), (1, 1), "{lines:#?}");
        let old = lines.iter().find(|line| line.starts_with("100 ┤")).unwrap();
        let new = lines.iter().find(|line| line.contains('⣀')).unwrap();
        // Half of 39 columns, the last of them by half.
        assert_eq!((old.matches(OLD).count(), new.matches('⣀').count()), (39, 19), "{lines:#?}");
        assert!(new.ends_with('⡀'), "{lines:#?}");
    }

    #[test]
    fn curves_that_are_the_same_show_no_old_one() {
        let lines =
            drawn("ramp 0->9 over 1m; constant 9 for 1m", "ramp 0->9 over 1m; constant 9 for 60s");
        assert!(!lines[1..=ROWS].iter().any(|line| line.contains(OLD)), "{lines:#?}");
        assert!(drawn("send 5 at once", "send 6 at once").is_empty());
    }
}
