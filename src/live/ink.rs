//! Colours: the sixteen that every terminal has, or none.

use ratatui::style::{Color, Modifier, Style};

/// What the picture is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// With colours; without, by weight alone.
    pub color: bool,
}

impl Ink {
    fn tinted(self, color: Color, plain: Modifier) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new().add_modifier(plain) }
    }

    pub(super) fn achieved(self) -> Style {
        self.tinted(Color::Cyan, Modifier::BOLD)
    }

    pub(super) fn target(self) -> Style {
        self.tinted(Color::Gray, Modifier::empty())
    }

    pub(super) fn plan(self) -> Style {
        self.tinted(Color::Yellow, Modifier::DIM)
    }

    pub(super) fn good(self) -> Style {
        self.tinted(Color::Green, Modifier::empty())
    }

    pub(super) fn warn(self) -> Style {
        self.tinted(Color::Yellow, Modifier::BOLD)
    }

    pub(super) fn bad(self) -> Style {
        self.tinted(Color::Red, Modifier::REVERSED)
    }

    pub(super) fn other(self) -> Style {
        self.tinted(Color::Magenta, Modifier::empty())
    }

    pub(super) fn soft(self) -> Style {
        self.tinted(Color::DarkGray, Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
