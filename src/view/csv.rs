//! The curve as CSV: one row a point, one column more for each stream if there are several.

use super::Load;
use super::points::{Point, TooMany, times};
use crate::plan::Plan;
use std::fmt::Write as _;

/// The whole file of a plan, whose load is given. The points are those of [`times`].
pub fn csv(plan: &Plan, load: &Load<'_>, every_ns: Option<u64>) -> Result<String, TooMany> {
    let streams: Vec<Load<'_>> = match plan.streams.as_slice() {
        [_] => Vec::new(),
        several => several.iter().map(Load::of_stream).collect(),
    };
    let mut out = "t_s,rate_per_s,cumulative_jobs".to_owned();
    if !streams.is_empty() {
        for stream in &plan.streams {
            out.push(',');
            out.push_str(&field(stream.name.as_deref().unwrap_or("unnamed")));
        }
    }
    out.push('\n');
    for t_ns in times(load.end_ns, every_ns)? {
        let Point { rate_per_s, cumulative_jobs, .. } = load.point(t_ns, load.end_ns);
        let _ = write!(out, "{},{rate_per_s},{cumulative_jobs}", seconds(t_ns));
        for stream in &streams {
            let _ = write!(out, ",{}", stream.point(t_ns, load.end_ns).rate_per_s);
        }
        out.push('\n');
    }
    Ok(out)
}

/// Seconds, exact to the nanosecond.
fn seconds(t_ns: u64) -> String {
    let (whole, rest) = (t_ns / 1_000_000_000, t_ns % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:09}").trim_end_matches('0').to_owned()
}

/// The name of a column, in quotes where RFC 4180 wants them: the rate of a stream, with its unit.
fn field(stream: &str) -> String {
    let name = format!("{stream}_rate_per_s");
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    #[test]
    fn one_stream_has_three_columns() {
        let plan = plan("constant 10 for 1s; ramp 10->20 over 1s");
        let csv = csv(&plan, &Load::of(&plan), Some(500_000_000)).unwrap();
        assert_eq!(
            csv,
            "t_s,rate_per_s,cumulative_jobs\n0,10,0\n0.5,10,5\n1,10,10\n1.5,15,16\n2,20,25\n"
        );
    }

    #[test]
    fn several_streams_have_a_column_each() {
        let script = r#"load "a,b" { constant 10 for 2s }; load c { after 1s; constant 5 for 2s }"#;
        let plan = plan(script);
        let csv = csv(&plan, &Load::of(&plan), Some(1_000_000_000)).unwrap();
        let expected = "t_s,rate_per_s,cumulative_jobs,\"a,b_rate_per_s\",c_rate_per_s\n\
                        0,10,0,10,0\n1,15,10,10,5\n2,5,25,0,5\n3,5,30,0,5\n";
        assert_eq!(csv, expected);
    }
}
