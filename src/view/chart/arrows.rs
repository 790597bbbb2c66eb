//! Arrows over the columns of a chart in which jobs fall due all at once.

use crate::show;
use crate::view::jumps::ARROW;
use crate::view::spans::at_column;
use crate::view::{Jumps, Load};

/// What a column has.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Nothing,
    /// Jobs at once, so many.
    Jobs(f64),
    /// Jobs at once, not counted.
    Uncounted,
}

/// The row of arrows, each with its number where that fits; none if there is no jump.
pub(super) fn row(load: &Load<'_>, jumps: &Jumps, columns: usize) -> Option<String> {
    if jumps.complete && jumps.found.is_empty() {
        return None;
    }
    let columns = if jumps.complete {
        counted(load, jumps, columns)
    } else {
        let holds_one = |i| {
            let border = |i| at_column(load.end_ns, i, columns);
            load.jumps_between(border(i), border(i + 1))
        };
        let column = |i| if holds_one(i) { Column::Uncounted } else { Column::Nothing };
        (0..columns).map(column).collect()
    };
    Some(label(&columns))
}

fn counted(load: &Load<'_>, jumps: &Jumps, count: usize) -> Vec<Column> {
    let mut columns = vec![Column::Nothing; count];
    for jump in &jumps.found {
        let at = u128::from(jump.t_ns) * count as u128 / u128::from(load.end_ns.max(1));
        let at = usize::try_from(at).unwrap_or(0).min(count - 1);
        columns[at] = match columns[at] {
            Column::Jobs(jobs) => Column::Jobs(jobs + jump.jobs),
            _ => Column::Jobs(jump.jobs),
        };
    }
    columns
}

fn label(columns: &[Column]) -> String {
    let mut row: Vec<char> =
        columns.iter().map(|column| if *column == Column::Nothing { ' ' } else { ARROW }).collect();
    for (i, column) in columns.iter().enumerate() {
        let Column::Jobs(jobs) = column else { continue };
        let text: Vec<char> = show::number(*jobs).chars().collect();
        // Behind its arrow, else before it; with a blank to whatever else stands there.
        let behind = (i + 1, i + 1 + text.len(), (i + 1, i + 2 + text.len()));
        let before = i.checked_sub(text.len()).map(|at| (at, i, (at.saturating_sub(1), i)));
        for (start, end, (clear_from, clear_to)) in [Some(behind), before].into_iter().flatten() {
            let clear = row.get(clear_from..clear_to.min(row.len()));
            if end <= row.len() && clear.is_some_and(|part| part.iter().all(|c| *c == ' ')) {
                row[start..end].copy_from_slice(&text);
                break;
            }
        }
    }
    row.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_where_there_is_room() {
        let columns = |at: &[(usize, f64)]| {
            let mut columns = vec![Column::Nothing; 12];
            at.iter().for_each(|(i, jobs)| columns[*i] = Column::Jobs(*jobs));
            label(&columns)
        };
        assert_eq!(columns(&[(0, 5000.0)]), "▼5,000");
        assert_eq!(columns(&[(11, 5000.0)]), "      5,000▼");
        assert_eq!(columns(&[(2, 10.0), (4, 20.0)]), "10▼ ▼20");
        assert_eq!(columns(&[(4, 20.0), (6, 30.0)]), "  20▼ ▼30");
        assert_eq!(columns(&[(0, 1.0), (1, 2.0), (2, 3.0)]), "▼▼▼3");
    }
}
