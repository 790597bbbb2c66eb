//! A curve on one line.

use super::Load;

/// Bars, from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The highest rates of so many stretches of the same length, as bars as high as the load's peak
/// allows; a blank where the rate is 0 throughout. Empty if the load has no length.
pub fn spark(load: &Load<'_>, columns: usize) -> String {
    let bar = |rate: f64| {
        let height = rate / load.peak_per_s * BARS.len() as f64;
        match height.ceil() {
            _ if rate <= 0.0 || height.is_nan() => ' ',
            height => BARS[(height as usize).clamp(1, BARS.len()) - 1],
        }
    };
    load.spans(columns).iter().map(|span| bar(span.high)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    #[test]
    fn bars_are_as_high_as_their_share_of_the_peak() {
        let of = |script: &str, columns| spark(&Load::of(&plan(script)), columns);
        assert_eq!(of("ramp 0->80 over 8s", 8), "▁▂▃▄▅▆▇█");
        assert_eq!(of("constant 5 for 2s; pause 1s; constant 1 for 1s", 4), "██ ▂");
        assert_eq!(of("constant 1 for 100d; constant 9 for 1ms; constant 1 for 100d", 3), "▁█▁");
        assert_eq!(of("send 5 at once; pause 1s", 3), "   ");
        assert_eq!(of("send 5 at once", 3), "");
    }
}
