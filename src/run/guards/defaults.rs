//! The guards that hold by themselves for a target that is not this machine.

use crate::plan::{DefaultGuards, Guard, GuardKind};

/// The guards that `which` leaves to hold: `rate <= 1000/s`, `jobs <= 1M`, `time <= 1h`,
/// `depth <= 10k`, all of them claims over the sum of the streams.
pub fn default_guards(which: DefaultGuards) -> Vec<Guard> {
    let rate = GuardKind::Rate { limit_jobs: 1_000, window_ns: 1_000_000_000 };
    let depth = GuardKind::Depth { queue: None, limit: 10_000 };
    let all = [
        (which.rate, rate, "rate <= 1000/s"),
        (which.jobs, GuardKind::Jobs(1_000_000), "jobs <= 1M"),
        (which.time, GuardKind::Time(3_600_000_000_000), "time <= 1h"),
        (which.depth, depth, "depth <= 10k"),
    ];
    let guard = |(_, kind, text): (bool, GuardKind, &str)| Guard {
        kind,
        action: None,
        stream: None,
        text: text.to_owned(),
        span: None,
    };
    all.into_iter().filter(|(holds, _, _)| *holds).map(guard).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_script_leaves_open() {
        let which = DefaultGuards { rate: true, jobs: false, time: false, depth: true };
        let texts: Vec<_> = default_guards(which).into_iter().map(|guard| guard.text).collect();
        assert_eq!(texts, ["rate <= 1000/s", "depth <= 10k"]);
    }
}
