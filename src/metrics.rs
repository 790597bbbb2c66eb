//! A run as metrics in the OpenMetrics text format, for Prometheus and whatever reads the same.

#[cfg(feature = "otlp")]
pub mod otlp;
mod serve;

pub use serve::{ListenError, Listener};

use crate::run::events::{SharedTold, Snapshot, StreamState};
use crate::stats::history::SharedHistory;
use crate::stats::sketch::{Sketch, SliceTimes};
use crate::stats::workers::WorkersNow;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError};

/// What does not change in a run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The run's id.
    pub run_id: String,
    /// The script's file.
    pub file: String,
    /// The plan's digest.
    pub digest: String,
    /// Where the jobs go, without a password.
    pub target: String,
}

/// The upper bounds of the delays' buckets: 64 µs to 67 s, each twice the one before.
const BUCKETS: u32 = 21;
const FIRST_BUCKET_US: u64 = 64;

/// A run at one moment, as a text that ends with `# EOF`.
///
/// Counters begin with the run. Delays are histograms whose buckets are exact.
pub fn text(facts: &Facts, now: Snapshot, history: &SharedHistory, told: &SharedTold) -> String {
    let (events, reload_taken) = {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.counts.clone(), told.reload_taken)
    };
    let times = history.look(|history| history.totals().clone());
    let cpu_s = history.look(|history| history.last().cpu_s);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Moment {
        facts: facts.clone(),
        now,
        times,
        cpu_s,
        events,
        reload_taken,
    }));
    let mut out = String::new();
    // A text can always take more.
    let _ = text::encode(&mut out, &registry);
    out
}

#[derive(Debug)]
struct Moment {
    facts: Facts,
    now: Snapshot,
    times: SliceTimes,
    cpu_s: f64,
    events: BTreeMap<String, u64>,
    reload_taken: Option<bool>,
}

impl Collector for Moment {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.run(&mut page)?;
        self.load(&mut page)?;
        self.delays(&mut page)?;
        self.queues(&mut page)?;
        self.guards(&mut page)?;
        if let Some(taken) = self.reload_taken {
            page.gauge(
                "loadc_last_reload_successful",
                "Whether the last script that the run was given was taken",
                None,
                f64::from(u8::from(taken)),
            )?;
        }
        let of = |(event, count): (&String, &u64)| (vec![("event", event.clone())], *count);
        let events = self.events.iter().map(of).collect();
        page.counters("loadc_events", "Events by kind, as --events writes them", events)
    }
}

impl Moment {
    fn run(&self, page: &mut Page<'_>) -> fmt::Result {
        let Facts { run_id, file, digest, target } = &self.facts;
        let labels = [
            ("run_id", run_id.as_str()),
            ("file", file),
            ("digest", digest),
            ("target", target),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        let mut info =
            page.0.encode_descriptor("loadc_run", "What runs", None, MetricType::Info)?;
        info.encode_info(&labels)?;
        let now = &self.now;
        page.gauge(
            "loadc_elapsed",
            "Time since the run's start",
            Some(Unit::Seconds),
            now.elapsed_s,
        )?;
        page.gauge(
            "loadc_remaining",
            "Time to the plan's end, if nothing pauses it",
            Some(Unit::Seconds),
            now.remaining_s,
        )?;
        let paused = f64::from(u8::from(now.paused));
        page.gauge("loadc_paused", "Whether every stream stands still", None, paused)?;
        page.gauge(
            "loadc_deviation_ratio",
            "Largest distance of the jobs sent from the jobs due so far, as a share",
            None,
            now.deviation,
        )?;
        page.gauge(
            "loadc_offered_rate",
            "Jobs fallen due per second, in the last second",
            None,
            now.offered_per_s,
        )?;
        page.gauge(
            "loadc_achieved_rate",
            "Jobs sent per second, in the last second",
            None,
            now.achieved_per_s,
        )?;
        page.counter_f64("loadc_cpu", "Processor time of loadc", Some(Unit::Seconds), self.cpu_s)?;
        match now.rss_bytes {
            Some(bytes) => page.gauge(
                "loadc_resident_memory",
                "Memory that loadc has resident",
                Some(Unit::Bytes),
                bytes as f64,
            ),
            None => Ok(()),
        }
    }

    fn load(&self, page: &mut Page<'_>) -> fmt::Result {
        let name = |stream: &StreamState| stream.name.clone().unwrap_or_default();
        let streams = &self.now.streams;
        let of = |value: fn(&StreamState) -> f64| {
            streams.iter().map(|stream| (vec![("load", name(stream))], value(stream))).collect()
        };
        page.gauges("loadc_target_rate", "Planned jobs per second", of(|s| s.target_per_s))?;
        page.gauges("loadc_jobs_planned", "Jobs in the plan", of(|s| s.jobs.planned as f64))?;
        page.gauges(
            "loadc_jobs_in_flight",
            "Jobs sent and not answered yet",
            of(|s| s.jobs.in_flight() as f64),
        )?;
        page.gauges(
            "loadc_jobs_overdue",
            "Jobs due and not sent yet",
            of(|s| s.jobs.overdue() as f64),
        )?;
        let mut jobs = Vec::new();
        for stream in streams {
            let counts = &stream.jobs;
            for (state, count) in [
                ("due", counts.due),
                ("sent", counts.sent),
                ("acked", counts.acked),
                ("failed", counts.failed),
                ("unknown", counts.unknown),
                ("skipped", counts.skipped),
            ] {
                jobs.push((vec![("load", name(stream)), ("state", state.to_owned())], count));
            }
        }
        page.counters(
            "loadc_jobs",
            "Jobs by what became of them: due = sent + skipped + overdue, sent = acked + failed + unknown + in flight",
            jobs,
        )
    }

    fn delays(&self, page: &mut Page<'_>) -> fmt::Result {
        let SliceTimes { send_delay, service, response } = &self.times;
        page.histogram(
            "loadc_send_delay",
            "From the instant a job was due to its sending",
            send_delay,
        )?;
        page.histogram("loadc_service_time", "From a job's sending to its answer", service)?;
        page.histogram(
            "loadc_response_time",
            "From the instant a job was due to its answer",
            response,
        )
    }

    fn queues(&self, page: &mut Page<'_>) -> fmt::Result {
        let known =
            self.now.queues.iter().filter_map(|queue| {
                Some((vec![("queue", queue.name.clone())], queue.depth? as f64))
            });
        page.gauges("loadc_queue_depth", "Jobs waiting in a queue", known.collect())?;
        self.workers(page)
    }

    /// What the workers do, where the formats of the queues tell.
    fn workers(&self, page: &mut Page<'_>) -> fmt::Result {
        let told: Vec<(&str, WorkersNow)> = self
            .now
            .queues
            .iter()
            .filter_map(|queue| Some((queue.name.as_str(), queue.workers?)))
            .collect();
        let (mut states, mut pickups) = (Vec::new(), Vec::new());
        for (queue, workers) in &told {
            let all = [
                ("waiting", workers.waiting),
                ("delayed", workers.delayed),
                ("active", workers.active),
                ("failed", workers.failed),
                ("dead", workers.dead),
            ];
            let labels =
                |name, value: &str| vec![("queue", (*queue).to_owned()), (name, value.to_owned())];
            let known = all.into_iter().filter_map(|(state, jobs)| Some((state, jobs? as f64)));
            states.extend(known.map(|(state, jobs)| (labels("state", state), jobs)));
            let quantiles = [("0.5", workers.pickup_p50_us), ("0.99", workers.pickup_p99_us)];
            let known = quantiles.into_iter().filter_map(|(share, us)| Some((share, us?)));
            pickups.extend(known.map(|(share, us)| (labels("quantile", share), us / 1e6)));
        }
        let of = |value: fn(&WorkersNow) -> Option<f64>| -> Vec<(Labels, f64)> {
            let known = told.iter().filter_map(|(queue, now)| Some((queue, value(now)?)));
            known.map(|(queue, value)| (vec![("queue", (*queue).to_owned())], value)).collect()
        };
        page.gauges("loadc_queue_jobs", "Jobs of a queue by their state", states)?;
        page.gauges(
            "loadc_queue_processed_jobs",
            "Jobs that left a queue since the run's start",
            of(|now| now.processed.map(|jobs| jobs as f64)),
        )?;
        page.gauges(
            "loadc_queue_failures",
            "Attempts of workers, or jobs, that failed since the run's start",
            of(|now| now.failures.map(|failures| failures as f64)),
        )?;
        page.gauges(
            "loadc_queue_oldest_age_seconds",
            "How long the oldest waiting job has waited",
            of(|now| now.oldest_age_s),
        )?;
        page.gauges(
            "loadc_pickup_latency_seconds",
            "From the instant a job could be taken to its start, of the jobs seen so far",
            pickups,
        )
    }

    fn guards(&self, page: &mut Page<'_>) -> fmt::Result {
        let guards = &self.now.guards;
        let labels = |guard: &crate::run::guards::GuardState| {
            vec![("guard", guard.guard.clone()), ("load", guard.stream.clone().unwrap_or_default())]
        };
        let of = |value: fn(&crate::run::guards::GuardState) -> f64| {
            guards.iter().map(|guard| (labels(guard), value(guard))).collect()
        };
        page.gauges("loadc_guard_value", "What a guard measures now", of(|guard| guard.value))?;
        page.gauges(
            "loadc_guard_limit",
            "Its bound, in the same measure",
            of(|guard| guard.limit),
        )?;
        page.gauges(
            "loadc_guard_pausing",
            "Whether a guard holds the clock of what it speaks of",
            of(|guard| f64::from(u8::from(guard.pausing))),
        )?;
        let hits = guards.iter().map(|guard| (labels(guard), guard.hits)).collect();
        page.counters("loadc_guard_hits", "How often a guard was hit", hits)
    }
}

type Labels = Vec<(&'static str, String)>;

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter_f64(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        value: f64,
    ) -> fmt::Result {
        let mut metric =
            self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        metric.encode_counter(&value, None::<&Exemplar<NoLabelSet, f64>>)
    }

    fn gauges(&mut self, name: &str, help: &str, values: Vec<(Labels, f64)>) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, values, |metric, value| {
            metric.encode_gauge(value)
        })
    }

    fn counters(&mut self, name: &str, help: &str, values: Vec<(Labels, u64)>) -> fmt::Result {
        self.family(name, help, MetricType::Counter, values, |metric, value| {
            metric.encode_counter(value, None::<&Exemplar<NoLabelSet, f64>>)
        })
    }

    fn family<T>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: Vec<(Labels, T)>,
        encode: impl Fn(&mut MetricEncoder<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in &values {
            encode(&mut family.encode_family(labels)?, value)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, times: &Sketch) -> fmt::Result {
        let mut buckets = Vec::new();
        let mut below = 0;
        for power in 0..BUCKETS {
            let bound_us = FIRST_BUCKET_US << power;
            let up_to = times.count_up_to(bound_us);
            buckets.push((bound_us as f64 / 1e6, up_to - below));
            below = up_to;
        }
        buckets.push((f64::INFINITY, times.count() - below));
        let seconds = Unit::Seconds;
        let mut metric =
            self.0.encode_descriptor(name, help, Some(&seconds), MetricType::Histogram)?;
        let none: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;
        metric.encode_histogram(times.sum_us() as f64 / 1e6, times.count(), &buckets, none)
    }
}

/// The metrics of a run that goes on, for whoever asks.
pub type Source = Arc<dyn Fn() -> String + Send + Sync>;

#[cfg(test)]
mod tests;
