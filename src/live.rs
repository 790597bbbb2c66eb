//! A run as a full-screen picture in a terminal: pure, from what is known to what is drawn.
//!
//! ```text
//! Snapshot, slices, events ─Picture→ draw → cells
//! ```
//!
//! It reads at 80 columns by 24 rows and in sixteen colours, and without any: nothing is told by colour
//! alone.

mod curves;
mod ink;
mod log;
mod panels;

pub use curves::Kind;
pub use ink::Ink;

use crate::plan::Plan;
use crate::run::events::{Event, Record, Snapshot};
use crate::stats::history::Slice;
use log::Log;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

/// From here on several charts stand side by side.
const WIDE: (u16, u16) = (120, 36);
/// Smaller than this nothing can be read.
const LEAST: (u16, u16) = (40, 12);

/// How far back the curves may reach, in seconds; the last is the whole run.
const REACHES_S: [f64; 5] = [60.0, 300.0, 900.0, 3_600.0, f64::INFINITY];

/// What a key makes of the plan's rates.
const STEP: f64 = 1.25;

/// What is shown, and of what.
#[derive(Clone, Debug)]
pub struct Picture {
    plan: Plan,
    /// The script's lines.
    script: Vec<String>,
    ink: Ink,
    target: String,
    now: Snapshot,
    slices: Vec<Slice>,
    log: Log,
    /// Which chart is large.
    chart: Kind,
    reach: usize,
    asking: Option<Asking>,
    help: bool,
    ending: bool,
    /// So many times the plan's jobs fall due.
    scale: f64,
    /// Another plan is in force than the one that is known here.
    outdated: bool,
}

/// A question that waits for a second key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Stop,
}

/// What a key asks of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// Pause it, or let it go on.
    Pause,
    /// End it gracefully.
    Stop,
    /// Send so many times the jobs of the plan from here on.
    Scale(f64),
}

/// A key that the picture knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter, a digit, a sign.
    Char(char),
    /// The next chart.
    Tab,
    /// Any other.
    Other,
}

impl Picture {
    /// A picture of a run that is about to start.
    pub fn new(plan: Plan, script: &str, target: String, ink: Ink) -> Picture {
        Picture {
            plan,
            script: script.lines().map(crate::show::clean).collect(),
            ink,
            target,
            now: Snapshot::default(),
            slices: Vec::new(),
            log: Log::default(),
            chart: Kind::Rate,
            reach: 0,
            asking: None,
            help: false,
            ending: false,
            scale: 1.0,
            outdated: false,
        }
    }

    /// From when on slices are needed, in nanoseconds of the run.
    pub fn needs_from_ns(&self) -> u64 {
        (self.span().0.max(0.0) * 1e9) as u64
    }

    /// Takes in the present state, and the slices since [`Picture::needs_from_ns`].
    pub fn update(&mut self, now: Snapshot, slices: Vec<Slice>) {
        self.now = now;
        self.slices = slices;
    }

    /// Takes in an event.
    pub fn tell(&mut self, record: &Record) {
        match &record.event {
            Event::Scaled { factor, .. } => self.scale = *factor,
            Event::Reloaded { .. } => self.outdated = true,
            _ => {}
        }
        self.log.take(record);
    }

    /// Says something in the line of events.
    pub fn say(&mut self, words: &str) {
        self.log.say(self.now.elapsed_s, words);
    }

    /// Takes in a key, and says what it asks of the run.
    pub fn key(&mut self, key: Key) -> Option<Wish> {
        let asking = self.asking.take();
        if self.help {
            self.help = false;
            return None;
        }
        let Key::Char(letter) = key else {
            if key == Key::Tab {
                self.chart = self.chart.next();
            }
            return None;
        };
        match letter {
            'p' | ' ' => return Some(Wish::Pause),
            's' | 'q' if asking == Some(Asking::Stop) => {
                self.ending = true;
                return Some(Wish::Stop);
            }
            's' | 'q' if !self.ending => self.asking = Some(Asking::Stop),
            '+' | '=' => self.reach = self.reach.saturating_sub(1),
            '-' => self.reach = (self.reach + 1).min(REACHES_S.len() - 1),
            '>' => return Some(Wish::Scale(self.scale * STEP)),
            '<' => return Some(Wish::Scale(self.scale / STEP)),
            '0' => return Some(Wish::Scale(1.0)),
            '?' | 'h' => self.help = true,
            digit => {
                let place = digit.to_digit(10).and_then(|digit| digit.checked_sub(1));
                let chart = place.and_then(|place| Kind::ALL.get(place as usize));
                self.chart = chart.copied().unwrap_or(self.chart);
            }
        }
        None
    }

    /// The run is told to end.
    pub fn end(&mut self) {
        self.ending = true;
    }

    /// The first and the last instant of the curves, and now between them, in seconds of the run.
    fn span(&self) -> (f64, f64, f64) {
        let now = self.now.elapsed_s;
        let rest = self.now.remaining_s;
        let reach = REACHES_S[self.reach];
        if reach.is_infinite() {
            return (0.0, now, (now + rest).max(now + 1.0));
        }
        let from = (now - reach).max(0.0);
        // What the past does not fill yet is the future's.
        let width = reach * 1.5;
        let to = (from + width).min((now + rest).max(now + 1.0));
        (from, now, to)
    }

    /// Draws it all.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            panels::too_small(frame, area, self.ink);
            return;
        }
        let rows = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Min(6),
            Constraint::Length(1),
            Constraint::Length(1),
        ]);
        let [title, figures, body, last, keys] = rows.areas(area);
        self.title(frame, title);
        self.figures(frame, figures);
        if area.width >= WIDE.0 && area.height >= WIDE.1 {
            self.wide(frame, body);
        } else {
            self.narrow(frame, body);
        }
        self.last_event(frame, last);
        self.keys(frame, keys);
        if self.help {
            self.help_box(frame, area);
        }
    }

    /// One chart, with guards and script under it.
    fn narrow(&self, frame: &mut Frame<'_>, area: Rect) {
        let under = if area.height >= 16 { (area.height / 3).clamp(6, 10) } else { 0 };
        let rows = Layout::vertical([Constraint::Min(6), Constraint::Length(under)]);
        let [chart, under] = rows.areas(area);
        self.chart(frame, chart, self.chart);
        if under.height > 0 {
            let columns =
                Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]);
            let [guards, script] = columns.areas(under);
            self.guards(frame, guards);
            self.script(frame, script);
        }
    }

    /// The chart that is asked for on top, the others under it, and everything else beside them.
    fn wide(&self, frame: &mut Frame<'_>, area: Rect) {
        let columns =
            Layout::horizontal([Constraint::Min(60), Constraint::Length(area.width * 3 / 10)]);
        let [left, right] = columns.areas(area);
        let rows = Layout::vertical([
            Constraint::Percentage(44),
            Constraint::Percentage(28),
            Constraint::Percentage(28),
        ]);
        let [top, middle, bottom] = rows.areas(left);
        self.chart(frame, top, self.chart);
        let mut others = Kind::ALL.into_iter().filter(|kind| *kind != self.chart);
        for row in [middle, bottom] {
            let halves =
                Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]);
            let pair: [Rect; 2] = halves.areas(row);
            for place in pair {
                if let Some(kind) = others.next() {
                    self.chart(frame, place, kind);
                }
            }
        }
        let guards = (self.now.guards.len() as u16 * 2 + 2).clamp(4, right.height / 3);
        let rows = Layout::vertical([
            Constraint::Length(guards),
            Constraint::Min(6),
            Constraint::Length(right.height / 4),
        ]);
        let [guards, script, events] = rows.areas(right);
        self.guards(frame, guards);
        self.script(frame, script);
        self.events(frame, events);
    }
}

#[cfg(test)]
mod tests;
