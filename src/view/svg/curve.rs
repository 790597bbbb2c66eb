//! The curve itself: a line where it can be followed by eye, and a band from the lowest to the
//! highest rate, with the mean, where it turns too often for that.

use super::canvas::{Canvas, number};
use super::{MAX_BORDERS, PLOT, Scene};
use crate::view::outline::{Fineness, Vertex, outline};
use crate::view::spans::at_column;
use crate::view::{Jumps, Load, Span};

/// About the width, in pixels, over which turns are counted.
const WINDOW: f64 = 8.0;
/// With this many turns in a pixel it is drawn as a band.
const MANY_TURNS: f64 = 0.6;
/// Windows to either side that the mean is taken over, so that it does not follow each turn.
const MEAN_REACH: usize = 2;

/// A part of a curve, from one time to another.
enum Stroke {
    Line(Vec<Vertex>),
    Band { columns: Vec<(u64, u64, Span)>, mean: Vec<Vertex> },
}

/// Draws the sum of all streams, and each stream where there are few enough.
///
/// Says whether there is a band in it.
pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas) -> bool {
    if scene.load.end_ns == 0 {
        return false;
    }
    let strokes = strokes(scene, scene.load, scene.jumps);
    canvas.path(&area(scene, &strokes), "area");
    for (i, stream) in scene.lines().iter().enumerate() {
        let load = Load::of_stream(stream);
        let own = self::strokes(scene, &load, &load.jumps());
        stroke(scene, canvas, &own, &format!("part s{i}"), &format!("haze f{i}"));
    }
    stroke(scene, canvas, &strokes, "curve", "spread");
    strokes.iter().any(|stroke| matches!(stroke, Stroke::Band { .. }))
}

fn stroke(scene: &Scene<'_>, canvas: &mut Canvas, strokes: &[Stroke], line: &str, band: &str) {
    for stroke in strokes {
        match stroke {
            Stroke::Line(vertices) => canvas.path(&path(scene, 'M', vertices), line),
            Stroke::Band { columns, mean } => {
                let mut edge = path(scene, 'M', &edge(columns, |span| span.high));
                let mut low = self::edge(columns, |span| span.low);
                low.reverse();
                edge.push_str(&path(scene, 'L', &low));
                edge.push('Z');
                canvas.path(&edge, band);
                canvas.path(&path(scene, 'M', mean), line);
            }
        }
    }
}

/// What lies under the curve; under a band, what lies under its lower edge.
fn area(scene: &Scene<'_>, strokes: &[Stroke]) -> String {
    let base = number(scene.bottom());
    let mut data = format!("M{} {base}", number(scene.left));
    for stroke in strokes {
        match stroke {
            Stroke::Line(vertices) => data.push_str(&path(scene, 'L', vertices)),
            Stroke::Band { columns, .. } => {
                data.push_str(&path(scene, 'L', &edge(columns, |span| span.low)));
            }
        }
    }
    data.push_str(&format!("L{} {base}Z", number(scene.right)));
    data
}

/// One edge of a band.
fn edge(columns: &[(u64, u64, Span)], of: fn(&Span) -> f64) -> Vec<Vertex> {
    columns.iter().flat_map(|(from, to, span)| [(*from, of(span)), (*to, of(span))]).collect()
}

/// The data of a path along a line; `first` is the letter it begins with.
fn path(scene: &Scene<'_>, first: char, line: &[Vertex]) -> String {
    let mut data = String::new();
    let mut last = String::new();
    for (t_ns, rate) in line {
        let point = format!("{} {}", number(scene.x(*t_ns)), number(scene.y(*rate)));
        if point == last {
            continue;
        }
        data.push(if data.is_empty() { first } else { 'L' });
        data.push_str(&point);
        last = point;
    }
    data
}

fn strokes(scene: &Scene<'_>, load: &Load<'_>, jumps: &Jumps) -> Vec<Stroke> {
    let pixel_ns = scene.end_ns as f64 / (scene.right - scene.left);
    let fineness = Fineness {
        grain_ns: ((pixel_ns / 2.0) as u64).max(1),
        tolerance: scene.axis.top / PLOT / 5.0,
    };
    let borders = load.borders(MAX_BORDERS);
    let line = outline(load, &borders, fineness);
    let times = windows(&borders, (WINDOW * pixel_ns) as u64);
    let mut turns = vec![0.0; times.len()];
    for at in turns_of(&line, fineness.tolerance) {
        turns[times.partition_point(|t| *t <= at).saturating_sub(1)] += 1.0;
    }
    let is_band = |i: usize| turns[i] >= MANY_TURNS * (times[i + 1] - times[i]) as f64 / pixel_ns;

    let mut strokes = Vec::new();
    let (mut first, count) = (0, times.len().saturating_sub(1));
    while first < count {
        let alike = (first..count).take_while(|i| is_band(*i) == is_band(first));
        let after = alike.last().unwrap_or(first) + 1;
        let times = &times[first..=after];
        strokes.push(if is_band(first) {
            let span = |pair: &[u64]| (pair[0], pair[1], load.span(pair[0], pair[1]));
            let columns = times.windows(2).map(span).collect();
            Stroke::Band { columns, mean: mean(load, jumps, times) }
        } else {
            Stroke::Line(part(load, &line, times[0], times[times.len() - 1]))
        });
        first = after;
    }
    strokes
}

/// Times that part a curve into windows of about one length, and where phrases meet if these are
/// half a window apart.
fn windows(borders: &[u64], window_ns: u64) -> Vec<u64> {
    let window_ns = window_ns.max(1);
    let (Some(&start), Some(&end)) = (borders.first(), borders.last()) else { return Vec::new() };
    let mut times = vec![start];
    for &border in borders.iter().filter(|border| end - **border >= window_ns / 2).chain([&end]) {
        let from = times[times.len() - 1];
        let length = border - from;
        if length < window_ns / 2 && border != end || length == 0 {
            continue;
        }
        let count = (length + window_ns / 2).div_euclid(window_ns).max(1) as usize;
        times.extend((1..=count).map(|i| from + at_column(length, i, count)));
    }
    times
}

/// When a line turns from rising to falling or back, by more than rounding.
fn turns_of(line: &[Vertex], least: f64) -> impl Iterator<Item = u64> {
    let mut rises = None;
    let mut from = line.first().map_or(0.0, |vertex| vertex.1);
    line.iter().filter_map(move |(t_ns, rate)| {
        if (rate - from).abs() <= least {
            return None;
        }
        let now = *rate > from;
        from = *rate;
        rises.replace(now).filter(|before| *before != now).map(|_| *t_ns)
    })
}

/// The part of a line between two times.
fn part(load: &Load<'_>, line: &[Vertex], from: u64, to: u64) -> Vec<Vertex> {
    let inner = line.iter().copied().filter(|(t_ns, _)| from < *t_ns && *t_ns < to);
    let ends = ((from, load.rate(from)), (to, load.rate_before(to)));
    std::iter::once(ends.0).chain(inner).chain([ends.1]).collect()
}

/// The mean rate of the windows between the times, jobs sent at once left out where they are known.
fn mean(load: &Load<'_>, jumps: &Jumps, times: &[u64]) -> Vec<Vertex> {
    let last = times.len() - 1;
    let over = |from: u64, to: u64| {
        let at_once = jumps.found.iter().filter(|jump| from < jump.t_ns && jump.t_ns <= to);
        let at_once: f64 = at_once.map(|jump| jump.jobs).sum();
        let jobs = load.cumulative(to) - load.cumulative(from) - at_once;
        let rate = jobs / ((to - from).max(1) as f64 / 1e9);
        rate.clamp(0.0, load.peak_per_s)
    };
    let around =
        |i: usize| over(times[i.saturating_sub(MEAN_REACH)], times[(i + 1 + MEAN_REACH).min(last)]);
    let middles = (0..last).map(|i| (times[i] + (times[i + 1] - times[i]) / 2, around(i)));
    let ends = ((times[0], around(0)), (times[last], around(last - 1)));
    std::iter::once(ends.0).chain(middles).chain([ends.1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_meet_where_phrases_do() {
        assert_eq!(windows(&[0, 3, 20, 100], 10), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(windows(&[5, 31, 33, 60], 10), [5, 13, 22, 31, 40, 50, 60]);
        assert_eq!(windows(&[0, 96, 100], 10).last(), Some(&100));
        assert_eq!(windows(&[0, 1, 2, 3], 10), [0, 3]);
        assert_eq!(windows(&[7], 10), [7]);
        assert!(windows(&[], 10).is_empty());
    }

    #[test]
    fn turns_are_counted_without_those_of_rounding() {
        let line = [(0, 1.0), (1, 2.0), (2, 2.0), (3, 1.99), (4, 3.0), (5, 1.0), (5, 4.0)];
        assert_eq!(turns_of(&line, 0.1).collect::<Vec<_>>(), [5, 5]);
        assert_eq!(turns_of(&[], 0.1).count(), 0);
    }
}
