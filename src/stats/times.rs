//! Times as distributions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// The times of a run, of answered jobs.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Sent minus intended, of every job sent.
    pub send_delay: Distribution,
    /// Acknowledged minus sent, of every job acknowledged.
    pub service: Distribution,
    /// Acknowledged minus intended, likewise.
    pub response: Distribution,
}

impl Times {
    /// Adds the samples of another.
    pub fn add(&mut self, other: &Times) {
        self.send_delay.add(&other.send_delay);
        self.service.add(&other.service);
        self.response.add(&other.response);
    }
}

/// A distribution of times: percentiles to three significant digits, mean and maximum exact.
/// Samples are rounded up to whole microseconds for the percentiles; what is above an hour counts
/// there as an hour.
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Histogram<u64>,
    sum_ns: u128,
    max_ns: u64,
}

/// The longest time a histogram tells apart, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { histogram: empty(), sum_ns: 0, max_ns: 0 }
    }
}

#[expect(clippy::expect_used, reason = "the bounds are constants that the constructor takes")]
fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("constant bounds")
}

impl Distribution {
    /// Notes a time of so many jobs.
    pub fn record(&mut self, ns: u64, jobs: u64) {
        self.histogram.saturating_record_n(ns.div_ceil(1_000), jobs);
        self.sum_ns += u128::from(ns) * u128::from(jobs);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds the samples of another.
    pub fn add(&mut self, other: &Distribution) {
        // The bounds are the same throughout, so there is no error to have.
        _ = self.histogram.add(&other.histogram);
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The mean in microseconds, if there is any sample.
    pub fn mean_us(&self) -> Option<f64> {
        mean_us(self.sum_ns, self.count())
    }

    /// The largest sample in microseconds.
    pub fn max_us(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.max_ns as f64 / 1e3)
    }

    /// The time in microseconds that a share (0 to 1) of the samples does not exceed.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let bound = self.max_us()?;
        Some((self.histogram.value_at_quantile(share) as f64).min(bound))
    }

    /// The samples as the report keeps them.
    pub fn kept(&self) -> Kept {
        let mut steps: Vec<(u64, u64)> = Vec::new();
        for step in self.histogram.iter_recorded() {
            // Sixty-four steps to an octave are finer than any picture.
            let us = step.value_iterated_to();
            let end = us.next_multiple_of(1 << us.max(1).ilog2().saturating_sub(6));
            match steps.last_mut() {
                Some((last, count)) if *last == end => *count += step.count_since_last_iteration(),
                _ => steps.push((end, step.count_since_last_iteration())),
            }
        }
        let mut bytes = Vec::new();
        let encoded = V2DeflateSerializer::new().serialize(&self.histogram, &mut bytes);
        let hdr = (self.count() > 0 && encoded.is_ok()).then(|| STANDARD.encode(&bytes));
        Kept { steps, hdr }
    }

    /// The statistics of a report, if there is any sample.
    pub fn summary(&self) -> Option<Summary> {
        Some(Summary {
            mean: self.mean_us()?,
            p50: self.quantile_us(0.5)?,
            p90: self.quantile_us(0.9)?,
            p95: self.quantile_us(0.95)?,
            p99: self.quantile_us(0.99)?,
            p999: self.quantile_us(0.999)?,
            max: self.max_us()?,
        })
    }
}

/// A distribution as the report keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Upper ends of steps in microseconds, and the samples in each.
    pub steps: Vec<(u64, u64)>,
    /// The histogram in microseconds as HdrHistogram writes it (V2, compressed, base64).
    pub hdr: Option<String>,
}

fn mean_us(sum_ns: u128, count: u64) -> Option<f64> {
    (count > 0).then(|| sum_ns as f64 / count as f64 / 1e3)
}

/// Statistics of a distribution, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 90 %
    pub p90: f64,
    /// 95 %
    pub p95: f64,
    /// 99 %
    pub p99: f64,
    /// 99.9 %
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

/// Statistics of the samples of a while, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Brief {
    /// How many.
    pub samples: u64,
    /// Their mean.
    pub mean_us: f64,
    /// 99 % of them.
    pub p99_us: f64,
}

/// What came into distributions since the last look: the difference of two states, so that the hot
/// path records each sample once.
#[derive(Clone, Debug)]
pub struct Recent {
    seen: Histogram<u64>,
    now: Histogram<u64>,
    sum_ns: u128,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { seen: empty(), now: empty(), sum_ns: 0 }
    }
}

impl Recent {
    /// The samples that these distributions (always the same ones) took since the last call,
    /// together; `None` if they took none.
    pub fn take<'a>(
        &mut self,
        distributions: impl Iterator<Item = &'a Distribution>,
    ) -> Option<Brief> {
        self.now.reset();
        let mut sum_ns = 0;
        for distribution in distributions {
            _ = self.now.add(&distribution.histogram);
            sum_ns += distribution.sum_ns;
        }
        let samples = self.now.len() - self.seen.len();
        let rank = samples - samples / 100;
        let mut below = 0;
        let mut p99 = None;
        for value in self.now.iter_recorded().map(|step| step.value_iterated_to()) {
            let new = self.now.count_at(value) - self.seen.count_at(value);
            below += new;
            if new > 0 && below >= rank && p99.is_none() {
                p99 = Some(value as f64);
            }
        }
        let mean_us = mean_us(sum_ns - self.sum_ns, samples);
        self.sum_ns = sum_ns;
        std::mem::swap(&mut self.now, &mut self.seen);
        Some(Brief { samples, mean_us: mean_us?, p99_us: p99? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_maximum_are_exact_and_percentiles_close() {
        let mut times = Distribution::default();
        for ns in 1..=100_000 {
            times.record(ns * 1_000, 1);
        }
        assert_eq!(times.mean_us(), Some(50_000.5));
        assert_eq!(times.max_us(), Some(100_000.0));
        let summary = times.summary().unwrap();
        for (found, exact) in [
            (summary.p50, 50_000.0),
            (summary.p90, 90_000.0),
            (summary.p95, 95_000.0),
            (summary.p99, 99_000.0),
            (summary.p999, 99_900.0),
        ] {
            assert!((found / exact - 1.0).abs() < 0.001, "{found} for {exact}");
        }
    }

    #[test]
    fn nothing_recorded_has_no_statistics() {
        assert_eq!(Distribution::default().summary(), None);
    }

    #[test]
    fn more_than_an_hour_saturates_and_keeps_its_maximum() {
        let mut times = Distribution::default();
        times.record(7_200_000_000_000, 3);
        assert_eq!(times.max_us(), Some(7.2e9));
        assert!((times.quantile_us(0.5).unwrap() / 3.6e9 - 1.0).abs() < 0.001);
        assert_eq!(times.count(), 3);
    }

    #[test]
    fn no_percentile_exceeds_the_maximum() {
        let mut times = Distribution::default();
        times.record(5_003_000, 1);
        assert_eq!(times.quantile_us(0.99), Some(5_003.0));
    }

    #[test]
    fn recent_sees_each_sample_once() {
        let (mut one, mut two) = (Distribution::default(), Distribution::default());
        let mut recent = Recent::default();
        assert_eq!(recent.take([&one, &two].into_iter()), None);
        one.record(10_000, 99);
        two.record(500_000, 1);
        let brief = recent.take([&one, &two].into_iter()).unwrap();
        assert_eq!((brief.samples, brief.p99_us), (100, 10.0));
        assert!((brief.mean_us - 14.9).abs() < 1e-9);
        two.record(20_000, 2);
        let brief = recent.take([&one, &two].into_iter()).unwrap();
        assert_eq!(brief, Brief { samples: 2, mean_us: 20.0, p99_us: 20.0 });
        assert_eq!(recent.take([&one, &two].into_iter()), None);
    }

    #[test]
    fn adding_is_recording_both() {
        let (mut one, mut two, mut both) =
            (Distribution::default(), Distribution::default(), Distribution::default());
        for ns in [1_000, 70_000, 3_000_000] {
            one.record(ns, 2);
            two.record(ns * 7, 1);
            both.record(ns, 2);
            both.record(ns * 7, 1);
        }
        one.add(&two);
        assert_eq!(one.summary(), both.summary());
    }
}
