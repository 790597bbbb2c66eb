//! Scenarios to start from: whole scripts, commented, kept inside the command.

/// A script to start from.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name: `demo`.
    pub name: &'static str,
    /// The script.
    pub text: &'static str,
}

macro_rules! profiles {
    ($($name:literal)+) => {
        &[$(Profile { name: $name, text: include_str!(concat!("../profiles/", $name, ".load")) },)+]
    };
}

/// Every scenario; the first is what a beginner gets.
pub const ALL: &[Profile] = profiles![
    "demo" "standard" "peak" "stress" "api-baseline" "burst-traffic" "mobile" "peak-hours"
    "flash-sale" "soak"
];

impl Profile {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Profile> {
        ALL.iter().copied().find(|profile| profile.name == name)
    }

    /// What it is, in a line: what its first comment says behind its name.
    pub fn title(self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.split_once(": ").map_or("", |(_, title)| title)
    }
}
