//! Curves of several runs over each other: on a page, and as bars for a terminal.

use super::chart::{Chart, Ground, Line, Unit};
use super::columns::Columns;
use super::compare::Comparison;
use super::html;
use super::markup::escape;
use super::model::Run;
use super::parts::table;

/// Bars, from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column of a run on the times of another: of each the slice that holds its middle.
fn upon(times: &Columns, own: &Columns, values: &[Option<f64>]) -> Vec<Option<f64>> {
    let at = |(end_s, length_s): (&f64, &f64)| {
        let middle_s = end_s - length_s / 2.0;
        let place = own.t_s.partition_point(|own_s| *own_s < middle_s);
        values.get(place).copied().flatten()
    };
    times.t_s.iter().zip(&times.length_s).map(at).collect()
}

/// The history that reaches furthest: the others are drawn over its times.
fn longest(runs: &[(String, Run)]) -> Option<&Columns> {
    let all = runs.iter().map(|(_, run)| &run.history).filter(|columns| !columns.is_empty());
    all.max_by(|a, b| {
        let end = |columns: &Columns| columns.t_s.last().copied().unwrap_or(0.0);
        end(a).total_cmp(&end(b))
    })
}

type Of = fn(&Columns) -> Vec<Option<f64>>;

fn target(columns: &Columns) -> Vec<Option<f64>> {
    columns.target_per_s.iter().copied().map(Some).collect()
}

fn sent(columns: &Columns) -> Vec<Option<f64>> {
    columns.rates(&columns.sent)
}

fn p99(columns: &Columns) -> Vec<Option<f64>> {
    columns.response_time_us.p99.iter().map(|us| us.map(f64::from)).collect()
}

fn depth(columns: &Columns) -> Vec<Option<f64>> {
    let sum = |at: usize| {
        let all = columns.depth.iter().filter_map(|queue| queue.get(at).copied().flatten());
        all.map(|depth| depth as f64).reduce(|sum, depth| sum + depth)
    };
    (0..columns.t_s.len()).map(sum).collect()
}

/// The page of a comparison.
pub fn page(comparison: &Comparison, runs: &[(String, Run)]) -> String {
    let heads: Vec<String> = comparison.runs.iter().map(|run| format!("#{run}")).collect();
    let heads: Vec<&str> = std::iter::once("").chain(heads.iter().map(String::as_str)).collect();
    let row = |row: &super::compare::Row| {
        let cells = (0..comparison.runs.len()).map(|run| escape(&row.cell(run)));
        std::iter::once(escape(row.name)).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = comparison.rows.iter().map(row).collect();
    let plan = match comparison.same_plan {
        true => "The runs had the same plan.",
        false => "The digests differ: the runs had different plans.",
    };
    let mut body = format!(
        "<header><div><span class=\"brand\">loadc</span><h1>{} runs side by side</h1><span class=\"soft\">{plan} Changes are from the first.</span></div></header>\n",
        runs.len()
    );
    body.push_str(&format!(
        "<section id=\"curves\"><h2>Over time</h2>\n{}</section>\n",
        curves(runs)
    ));
    body.push_str(&format!(
        "<section id=\"figures\"><h2>Figures</h2>\n{}</section>\n",
        table(&heads, &rows)
    ));
    html::document("runs side by side", &body)
}

fn curves(runs: &[(String, Run)]) -> String {
    let Some(times) = longest(runs) else {
        return "<p class=\"soft\">These runs have no history.</p>\n".to_owned();
    };
    let end_s = times.t_s.last().copied().unwrap_or(0.0);
    // When one of them stood still is not to be seen in the curves of the others.
    let times = &Columns { paused: vec![0.0; times.t_s.len()], ..times.clone() };
    let ground = Ground { columns: times, end_s, events: &[] };
    // Each of them stands where the run is, not where the drawing's own history has it.
    let line = |of: Of, at: usize, word: &str, class: String| {
        let (name, run) = &runs[at];
        let label = format!("{word}{name}");
        Line::new(&label, &class, &[], upon(times, &run.history, &of(&run.history)))
    };
    let each = |of: Of, word: &str| -> Vec<Line> {
        (0..runs.len()).map(|at| line(of, at, word, format!("c{}", at % 8))).collect()
    };
    let mut rates = each(sent, "sent, ");
    // Where the plans are the same, one target stands for all.
    let same = runs.iter().all(|(_, run)| run.digest == runs[0].1.digest);
    let targets = if same { 1 } else { runs.len() };
    rates.extend((0..targets).map(|at| {
        let word = if same { "target, as " } else { "target, " };
        line(target, at, word, "target".to_owned())
    }));
    let chart = |title, note, unit, log, lines| {
        Chart { title, note, height: 240.0, unit, log, lines }.draw(&ground)
    };
    [
        chart("Target against achieved", "jobs per second", Unit::Rate, false, rates),
        chart("Response time, p99", "from due to its answer", Unit::Micros, true, each(p99, "")),
        chart("Depth", "jobs waiting in all queues", Unit::Jobs, false, each(depth, "")),
    ]
    .concat()
}

/// The target and what was sent of each run, as bars over one time and one scale; nothing without a
/// history.
pub fn bars(runs: &[(String, Run)], columns: usize) -> String {
    let Some(times) = longest(runs) else { return String::new() };
    let end_s = times.t_s.last().copied().unwrap_or(0.0);
    let rows = runs.iter().flat_map(|(name, run)| {
        let of = |word: &str, of: Of| {
            let history = &run.history;
            (format!("{word} {name}"), upon(times, history, &of(history)))
        };
        [of("target", target), of("sent", sent)]
    });
    let rows: Vec<(String, Vec<Option<f64>>)> = rows.collect();
    let top = rows.iter().flat_map(|(_, row)| row.iter().flatten()).copied().fold(0.0, f64::max);
    let margin = rows.iter().map(|(name, _)| crate::show::width(name)).max().unwrap_or(0);
    let mut out = String::new();
    for (name, row) in &rows {
        let blank = " ".repeat(margin + 2 - crate::show::width(name));
        out.push_str(&format!("{}{blank}{}\n", crate::show::clean(name), drawn(row, columns, top)));
    }
    out.push_str(&format!(
        "{}up to {}, {} long\n",
        " ".repeat(margin + 2),
        crate::show::rate(top),
        super::markup::seconds(end_s)
    ));
    out
}

fn drawn(row: &[Option<f64>], columns: usize, top: f64) -> String {
    let columns = columns.clamp(1, row.len().max(1));
    let bar = |column: usize| {
        let (from, to) = (column * row.len() / columns, (column + 1) * row.len() / columns);
        let highest = row[from..to].iter().flatten().copied().reduce(f64::max);
        match highest.filter(|rate| *rate > 0.0 && top > 0.0) {
            Some(rate) => {
                let height = (rate / top * BARS.len() as f64).ceil() as usize;
                BARS[height.clamp(1, BARS.len()) - 1]
            }
            None => ' ',
        }
    };
    (0..columns).map(bar).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::compare::compare;

    fn run(seconds: usize, rate: u64) -> Run {
        let columns = Columns {
            t_s: (1..=seconds).map(|second| second as f64).collect(),
            length_s: vec![1.0; seconds],
            target_per_s: vec![100.0; seconds],
            sent: vec![rate; seconds],
            ..Columns::default()
        };
        Run { history: columns, digest: "d".to_owned(), ..Run::default() }
    }

    #[test]
    fn runs_stand_over_each_other_on_one_time_and_one_scale() {
        let runs = vec![("a".to_owned(), run(4, 100)), ("b".to_owned(), run(2, 50))];
        let text = bars(&runs, 4);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..4],
            ["target a  ████", "sent a    ████", "target b  ██", "sent b    ▄▄"]
        );
        assert_eq!(lines[4].trim(), "up to 100/s, 4s long");
        assert_eq!(bars(&[("a".to_owned(), Run::default())], 9), "");
    }

    #[test]
    fn a_page_shows_each_run_in_its_own_colour() {
        let runs = vec![("a<b".to_owned(), run(4, 100)), ("b".to_owned(), run(2, 50))];
        let page = page(&compare(&runs), &runs);
        for part in ["sent, a&lt;b", "class=\"c1\"", "target, as a&lt;b", "2 runs side by side"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<script"));
    }
}
