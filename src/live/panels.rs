//! Everything but the charts.

use super::log::Weight;
use super::{Asking, Ink, Picture};
use crate::plan::Phrase;
use crate::run::guards::GuardState;
use crate::show;
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

/// From so near on a guard is shown as a warning.
const NEAR: f64 = 0.8;

pub(super) fn too_small(frame: &mut Frame<'_>, area: Rect, ink: Ink) {
    let text = Line::styled("the terminal is too small: 40 × 12 at least", ink.strong());
    frame.render_widget(Paragraph::new(text), area);
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds / 3_600 {
        0 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// What is over a line's end is cut, with a sign of it.
fn cut(text: &str, width: u16) -> String {
    show::cut(text, usize::from(width))
}

impl Picture {
    pub(super) fn title(&self, frame: &mut Frame<'_>, area: Rect) {
        let (word, style) = if self.ending {
            ("ending", self.ink.warn())
        } else if self.now.paused {
            ("paused", self.ink.warn())
        } else {
            ("running", self.ink.good())
        };
        let time = format!("{} / -{} ", clock(self.now.elapsed_s), clock(self.now.remaining_s));
        let room = area.width.saturating_sub(show::width(&time) as u16 + 11);
        let name = cut(&format!("{}  {}", self.plan.file, self.target), room.saturating_sub(8));
        let left = Line::from(vec![
            Span::styled(" loadc ", self.ink.bar()),
            Span::styled(format!(" {word} "), style.patch(self.ink.strong())),
            Span::raw(name),
        ]);
        frame.render_widget(Paragraph::new(left), area);
        let right = Line::styled(time, self.ink.strong());
        frame.render_widget(Paragraph::new(right).alignment(Alignment::Right), area);
    }

    pub(super) fn figures(&self, frame: &mut Frame<'_>, area: Rect) {
        let now = &self.now;
        let jobs = &now.jobs;
        let micros = |us: Option<f64>| us.map_or_else(|| "–".to_owned(), show::micros);
        let trouble = |count: u64| if count > 0 { self.ink.bad() } else { self.ink.soft() };
        let mut first = Figures::new(self.ink);
        first.put("target", &show::rate(now.target_per_s), self.ink.target());
        first.put("achieved", &show::rate(now.achieved_per_s), self.ink.achieved());
        first.put(
            "acked",
            &format!("{} of {}", show::count(jobs.acked), show::count(jobs.planned)),
            self.ink.strong(),
        );
        first.put("off", &show::percent(now.deviation), self.ink.soft());
        let mut second = Figures::new(self.ink);
        second.put("p99", &micros(now.p99_response_us), self.ink.warn());
        second.put(
            "depth",
            &now.depth.map_or_else(|| "–".to_owned(), show::count),
            self.ink.other(),
        );
        second.put("failed", &show::count(jobs.failed), trouble(jobs.failed));
        second.put("unknown", &show::count(jobs.unknown), trouble(jobs.unknown));
        second.put("overdue", &show::count(now.overdue), self.ink.soft());
        let memory = now.rss_bytes.map_or_else(String::new, |bytes| {
            format!(" {}", show::bytes(bytes / 100_000 * 100_000))
        });
        second.put(
            "loadc",
            &format!("{}%{memory}", show::decimal(now.cpu * 100.0, 1)),
            self.ink.soft(),
        );
        frame.render_widget(Paragraph::new(vec![first.line(), second.line()]), area);
    }

    pub(super) fn guards(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::bordered().title(" guards ").border_style(self.ink.soft());
        let inner = block.inner(area);
        frame.render_widget(block, area);
        if self.now.guards.is_empty() {
            let none = Line::styled("none is stated", self.ink.soft());
            frame.render_widget(Paragraph::new(none), inner);
            return;
        }
        let mut guards: Vec<&GuardState> = self.now.guards.iter().collect();
        // The nearest first: there may be no room for all.
        guards.sort_by(|a, b| b.nearness().total_cmp(&a.nearness()));
        let lines = guards.iter().take(usize::from(inner.height));
        let lines: Vec<Line<'_>> = lines.map(|guard| self.guard(guard, inner.width)).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    fn guard(&self, guard: &GuardState, width: u16) -> Line<'static> {
        let near = guard.nearness();
        let style = match near {
            _ if guard.pausing || near >= 1.0 => self.ink.bad(),
            _ if near >= NEAR => self.ink.warn(),
            _ => self.ink.good(),
        };
        let bar_width = usize::from(width / 5).clamp(4, 20);
        let full = (near.clamp(0.0, 1.0) * bar_width as f64).round() as usize;
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(bar_width - full));
        let percent = format!("{:>5}", format!("{}%", show::decimal(near.min(9.99) * 100.0, 0)));
        let hits = if guard.hits > 0 { format!(" ×{}", guard.hits) } else { String::new() };
        let state = if guard.pausing { " holds" } else { "" };
        let used = bar_width + 6 + show::width(&hits) + state.len();
        let room = usize::from(width).saturating_sub(used + 1);
        let load = guard.stream.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        let name = show::cut(&show::clean(&format!("{load}{}", guard.guard)), room);
        let pad = " ".repeat(room.saturating_sub(show::width(&name)) + 1);
        Line::from(vec![
            Span::raw(format!("{name}{pad}")),
            Span::styled(bar, style),
            Span::styled(format!("{percent}{hits}{state}"), style),
        ])
    }

    /// The script around the phrase that is being played, which is marked.
    pub(super) fn script(&self, frame: &mut Frame<'_>, area: Rect) {
        let title = if self.outdated { " script before it was reloaded " } else { " script " };
        let block = Block::bordered().title(title).border_style(self.ink.soft());
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let present = self.present_lines();
        let first_marked = present.first().map_or(0, |line| line - 1);
        let height = usize::from(inner.height);
        let last_start = self.script.len().saturating_sub(height);
        let start = first_marked.saturating_sub(height / 2).min(last_start);
        let shown = self.script.iter().enumerate().skip(start).take(height);
        let line = |(at, text): (usize, &String)| {
            let marked = present.contains(&(at + 1));
            let (sign, style) = if marked {
                ("▶", self.ink.achieved().patch(self.ink.strong()))
            } else {
                (" ", Style::new())
            };
            let number = format!("{sign}{:>3} ", at + 1);
            let text = cut(text, inner.width.saturating_sub(5));
            Line::from(vec![
                Span::styled(number, self.ink.soft().patch(style)),
                Span::styled(text, style),
            ])
        };
        frame.render_widget(Paragraph::new(shown.map(line).collect::<Vec<_>>()), inner);
    }

    /// Lines of the phrases that are being played, the innermost of each stream.
    pub(super) fn present_lines(&self) -> Vec<usize> {
        let mut lines = Vec::new();
        if self.outdated {
            return lines;
        }
        for (stream, state) in self.plan.streams.iter().zip(&self.now.streams) {
            let at_ns = (state.place_s * 1e9) as u64;
            if let Some(own_ns) = at_ns.checked_sub(stream.after_ns) {
                innermost(&stream.phrases, own_ns, &mut lines);
            }
        }
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    pub(super) fn events(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::bordered().title(" events ").border_style(self.ink.soft());
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let latest = self.log.latest().take(usize::from(inner.height));
        let lines: Vec<Line<'_>> = latest.map(|entry| self.entry(entry, inner.width)).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    pub(super) fn last_event(&self, frame: &mut Frame<'_>, area: Rect) {
        if let Some(entry) = self.log.latest().next() {
            frame.render_widget(Paragraph::new(self.entry(entry, area.width)), area);
        }
    }

    fn entry(&self, (t_s, weight, words): &(f64, Weight, String), width: u16) -> Line<'static> {
        let style = match weight {
            Weight::Plain => Style::new(),
            Weight::Warning => self.ink.warn(),
            Weight::Bad => self.ink.bad(),
        };
        let at = format!(" {} ", clock(*t_s));
        let words = cut(words, width.saturating_sub(at.len() as u16));
        Line::from(vec![Span::styled(at, self.ink.soft()), Span::styled(words, style)])
    }

    pub(super) fn keys(&self, frame: &mut Frame<'_>, area: Rect) {
        if self.asking == Some(Asking::Stop) {
            let text =
                " s once more ends the run: what is in flight is waited for; any other key goes on";
            frame.render_widget(
                Paragraph::new(Line::styled(cut(text, area.width), self.ink.bar())),
                area,
            );
            return;
        }
        let mut spans = Vec::new();
        for (key, word) in [
            ("p", "pause"),
            ("< >", "scale"),
            ("s", "stop"),
            ("1-5", "chart"),
            ("+ -", "zoom"),
            ("?", "help"),
        ] {
            spans.push(Span::styled(format!(" {key} "), self.ink.bar()));
            spans.push(Span::raw(format!(" {word}  ")));
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), area);
    }

    pub(super) fn help_box(&self, frame: &mut Frame<'_>, area: Rect) {
        let lines = [
            "p, blank  pause, go on",
            "< > 0     slower, faster, as planned",
            "s s       stop: finish what is in flight",
            "Ctrl+C    the same; a second time at once",
            "1 … 5     rate, response, depth, errors, loadc",
            "Tab       the next chart",
            "+ -       less, more of the past",
            "",
            "Any key closes this.",
        ];
        let (width, height) = (50.min(area.width), 11.min(area.height));
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        frame.render_widget(Clear, place);
        let text: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(text).block(Block::bordered().title(" keys ")), place);
    }
}

/// The lines of the innermost phrases that hold an instant of their stream.
fn innermost(phrases: &[Phrase], at_ns: u64, lines: &mut Vec<usize>) {
    for phrase in phrases.iter().filter(|phrase| phrase.start_ns <= at_ns && at_ns < phrase.end_ns)
    {
        let before = lines.len();
        innermost(&phrase.phrases, at_ns, lines);
        // A phrase of another file has no line here.
        if lines.len() == before && phrase.file.is_none() {
            lines.push(phrase.line);
        }
    }
}

/// Names and values in a row.
struct Figures {
    ink: Ink,
    spans: Vec<Span<'static>>,
}

impl Figures {
    fn new(ink: Ink) -> Figures {
        Figures { ink, spans: vec![Span::raw(" ")] }
    }

    fn put(&mut self, name: &str, value: &str, style: Style) {
        self.spans.push(Span::styled(format!("{name} "), self.ink.soft()));
        self.spans.push(Span::styled(format!("{value}  "), style));
    }

    fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}
