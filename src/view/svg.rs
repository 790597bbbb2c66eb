//! A plan as a drawing: one SVG file that needs nothing else, readable in light and in dark.
//!
//! From the top: the file and its totals, a band of phrases for each stream, the curve, and a key
//! that names what the bands have no room for.

mod bands;
mod canvas;
mod curve;
mod key;

use super::ticks::{RateAxis, time_step};
use super::{Jumps, Load, text};
use crate::plan::{Plan, Stream};
use crate::show;
use canvas::{Canvas, text_width};

/// The drawing's width, in its own units (pixels at full size).
const WIDTH: f64 = 960.0;
/// Blank around everything.
const MARGIN: f64 = 24.0;
/// Height of the curve.
const PLOT: f64 = 320.0;
/// Room for the arrows of jobs sent at once, and their numbers.
const ARROWS: f64 = 24.0;
/// Streams with a line of their own; of more only the sum is drawn.
const MAX_LINES: usize = 8;
/// With more jobs sent at once than this, they are a row of short lines without numbers.
const MAX_JUMP_LINES: usize = 40;
/// Borders between phrases that are exact in the curve.
const MAX_BORDERS: usize = 2000;

/// A plan and where its curve goes.
struct Scene<'a> {
    plan: &'a Plan,
    load: &'a Load<'a>,
    jumps: &'a Jumps,
    axis: RateAxis,
    /// The time at the right edge, above 0.
    end_ns: u64,
    left: f64,
    right: f64,
    top: f64,
}

impl Scene<'_> {
    fn x(&self, t_ns: u64) -> f64 {
        self.left + (self.right - self.left) * (t_ns as f64 / self.end_ns as f64).min(1.0)
    }

    fn y(&self, rate: f64) -> f64 {
        self.top + PLOT * (1.0 - rate / self.axis.top)
    }

    fn bottom(&self) -> f64 {
        self.top + PLOT
    }

    /// The streams that are drawn apart.
    fn lines(&self) -> &[Stream] {
        match self.plan.streams.len() {
            2..=MAX_LINES => &self.plan.streams,
            _ => &[],
        }
    }
}

/// The drawing of a plan, whose load is given.
pub fn svg(plan: &Plan, load: &Load<'_>) -> String {
    let jumps = &load.jumps();
    let axis = RateAxis::new(load.peak_per_s, 6);
    let labels = axis.ticks().map(|rate| text_width(&show::number(rate)));
    let left = MARGIN + labels.fold(text_width("jobs/s"), f64::max) + 10.0;
    let top =
        bands::TOP + bands::height(plan) + if jumps.found.is_empty() { 22.0 } else { ARROWS + 8.0 };
    let end_ns = if load.end_ns == 0 { 1_000_000_000 } else { load.end_ns };
    let scene = Scene { plan, load, jumps, axis, end_ns, left, right: WIDTH - MARGIN, top };

    let mut canvas = Canvas::default();
    heading(&scene, &mut canvas);
    grid(&scene, &mut canvas);
    bands::draw(&scene, &mut canvas);
    let has_band = curve::draw(&scene, &mut canvas);
    jumps_at(&scene, &mut canvas);
    let end = key::draw(&scene, &mut canvas, has_band);
    canvas.finish(WIDTH, end + MARGIN, &plan_title(plan), &description(&scene))
}

fn plan_title(plan: &Plan) -> String {
    format!("Planned load of {}", plan.file)
}

/// What a reader who cannot see the drawing should know.
fn description(scene: &Scene<'_>) -> String {
    let mut sentences = vec![format!("{}.", text::totals(scene.load))];
    for stream in &scene.plan.streams {
        let name = stream.name.as_ref().map(|name| format!("Load {name}: ")).unwrap_or_default();
        let phrases = stream.phrases.iter().take(12).map(super::table::named);
        let more = if stream.phrases.len() > 12 { "; …" } else { "" };
        sentences.push(format!("{name}{}{more}.", phrases.collect::<Vec<_>>().join("; ")));
    }
    sentences.truncate(1 + 2 * MAX_LINES);
    sentences.join(" ")
}

fn heading(scene: &Scene<'_>, canvas: &mut Canvas) {
    let facts = format!("digest {} · seed {}", scene.plan.digest, scene.plan.seed);
    let room = WIDTH - 2.0 * MARGIN - text_width(&facts) - 20.0;
    let file = canvas::fit(&scene.plan.file, room / 1.6).unwrap_or_default();
    canvas.text(MARGIN, 38.0, "head", &file);
    canvas.text(WIDTH - MARGIN, 38.0, "soft end number", &facts);
    canvas.text(MARGIN, 60.0, "soft number", &text::totals(scene.load));
}

fn grid(scene: &Scene<'_>, canvas: &mut Canvas) {
    for rate in scene.axis.ticks() {
        let y = scene.y(rate);
        let class = if rate == 0.0 { "base" } else { "grid" };
        canvas.line((scene.left, y), (scene.right, y), class);
        canvas.text(scene.left - 8.0, y + 4.0, "soft end number", &show::number(rate));
    }
    canvas.text(scene.left - 8.0, scene.top - 12.0, "soft end", "jobs/s");
    let bottom = scene.bottom();
    let step = time_step(scene.load.end_ns, 10);
    let ticks = (0..=scene.load.end_ns / step).map(|i| i * step);
    for t_ns in ticks {
        let x = scene.x(t_ns);
        canvas.line((x, bottom), (x, bottom + 5.0), "base");
        let label = show::duration(t_ns);
        // The last label stays on the page.
        let half = text_width(&label) / 2.0;
        let x = x.min(WIDTH - 6.0 - half);
        canvas.text(x, bottom + 20.0, "soft middle number", &label);
    }
}

/// An arrow for each instant with jobs due at once, with their number where there is room.
fn jumps_at(scene: &Scene<'_>, canvas: &mut Canvas) {
    let y = scene.top - 8.0;
    let mut taken = scene.left - 40.0;
    if scene.jumps.found.len() > MAX_JUMP_LINES {
        for jump in &scene.jumps.found {
            let x = scene.x(jump.t_ns);
            canvas.line((x, y - 6.0), (x, y + 2.0), "rug");
        }
        return;
    }
    for jump in &scene.jumps.found {
        let x = scene.x(jump.t_ns);
        let arrow = [(x - 4.0, y - 6.0), (x + 4.0, y - 6.0), (x, y + 2.0)];
        canvas.polygon(&arrow, "arrow");
        canvas.line((x, y), (x, scene.bottom()), "jump");
        let label = show::number(jump.jobs);
        let half = text_width(&label) / 2.0;
        let middle = x.max(scene.left - 4.0 + half).min(WIDTH - 6.0 - half);
        if middle - half > taken + 6.0 {
            canvas.text(middle, y - 10.0, "count middle number", &label);
            taken = middle + half;
        }
    }
}

#[cfg(test)]
mod tests;
