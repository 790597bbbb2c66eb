//! The jobs of a plan, compiled.

use super::{Choice, DueJob, Jobs, Kind};
use crate::job::{CompileError, IdKey, JobContext, JobSpec, Mix, Template};
use crate::plan::Plan;
use crate::schedule::thing_and_step;
use crate::sink::formats::{self, Encode, Job};
use crate::sink::{Args, Queue, Unit};
use std::sync::Arc;

/// The jobs of a plan: the templates of each stream, their mix, and the queues of all.
#[derive(Clone, Debug)]
pub struct PlannedJobs {
    queues: Vec<Queue>,
    /// Queues that no job wants to have watched.
    unwatched: Vec<usize>,
    streams: Vec<Stream>,
}

#[derive(Clone, Debug)]
struct Stream {
    mix: Mix,
    batch: u64,
    templates: Vec<Template>,
    kinds: Vec<Kind>,
    /// Of each entry of the mix that begins things, the place of the first step's kind.
    steps: Vec<Option<usize>>,
    /// What writes each kind, to each of its queues.
    encoders: Vec<Vec<Arc<dyn Encode>>>,
    /// What makes the ids of each kind.
    ids: Vec<IdKey>,
}

impl PlannedJobs {
    /// Compiles the jobs of a plan for a run. The run's id goes into those of the jobs' envelopes, so
    /// that the jobs of a second run are not taken for those of the first.
    ///
    /// # Errors
    ///
    /// For what `check` refuses, see [`CompileError`].
    pub fn compile(plan: &Plan, run_id: &str) -> Result<PlannedJobs, CompileError> {
        let mut queues = Vec::new();
        let (mut unwatched, mut watched) = (Vec::new(), Vec::new());
        let mut streams = Vec::with_capacity(plan.streams.len());
        for stream in &plan.streams {
            let load = stream.name.as_deref();
            let weights: Vec<u32> = stream.mix.iter().map(|entry| entry.weight).collect();
            let mix = Mix::new(&weights, plan.seed, load);
            let mut templates = Vec::with_capacity(stream.mix.len());
            let mut kinds = Vec::with_capacity(stream.mix.len());
            let (mut encoders, mut ids) = (Vec::new(), Vec::new());
            let mut add = |job: &JobSpec, entry: usize| {
                let template = Template::compile(job, plan.seed, load)?;
                let template = template.in_mix(&mix, entry, stream.batch);
                let places: Vec<usize> =
                    template.queues().iter().map(|queue| place_of(&mut queues, queue)).collect();
                let quiet = job.envelope.flag("watch") == Some(false);
                if quiet { &mut unwatched } else { &mut watched }.extend(&places);
                kinds.push(Kind { name: job.name.clone(), queues: places });
                let encoder = |queue| Arc::from(formats::encoder(queue, &job.envelope));
                encoders.push(template.queues().iter().map(encoder).collect());
                ids.push(template.id_key(run_id));
                templates.push(template);
                Ok(templates.len())
            };
            let mut next = 0;
            for (at, entry) in stream.mix.iter().enumerate() {
                next = add(&entry.job, at)?;
            }
            let mut steps = vec![None; stream.mix.len()];
            for (at, entry) in stream.mix.iter().enumerate() {
                let Some(flow) = &entry.flow else { continue };
                steps[at] = Some(next);
                for job in flow.jobs.iter().skip(1) {
                    next = add(job, at)?;
                }
            }
            let batch = stream.batch;
            streams.push(Stream { mix, batch, templates, kinds, steps, encoders, ids });
        }
        unwatched.retain(|queue| !watched.contains(queue));
        Ok(PlannedJobs { queues, unwatched, streams })
    }
}

/// The place of a queue in the list of all, where it is put if it is new.
fn place_of(queues: &mut Vec<Queue>, queue: &Queue) -> usize {
    queues.iter().position(|known| known == queue).unwrap_or_else(|| {
        queues.push(queue.clone());
        queues.len() - 1
    })
}

impl Jobs for PlannedJobs {
    fn queues(&self) -> &[Queue] {
        &self.queues
    }

    fn kinds(&self, stream: usize) -> &[Kind] {
        self.streams.get(stream).map_or(&[], |stream| &stream.kinds)
    }

    fn choose(&self, stream: usize, number: u64) -> Choice {
        let stream = &self.streams[stream];
        let (number, step) = thing_and_step(number);
        // A batch is of one kind and goes to one queue, so that it can be one command.
        let batch = number.div_ceil(stream.batch);
        let job = stream.mix.job_of(batch);
        if let (Some(before), Some(first)) = (step.checked_sub(1), stream.steps[job]) {
            let job = first + before;
            return Choice {
                job,
                queue: stream.kinds[job].queues[stream.templates[job].queue(number)],
            };
        }
        Choice { job, queue: stream.kinds[job].queues[stream.templates[job].queue(batch)] }
    }

    fn write(&self, due: DueJob, choice: Choice, unit: &mut Unit) {
        let stream = &self.streams[due.stream];
        let queues = &stream.kinds[choice.job].queues;
        let Some(place) = queues.iter().position(|queue| *queue == choice.queue) else { return };
        let template = &stream.templates[choice.job];
        let (number, _) = thing_and_step(due.number);
        let delay_ns = template.delay_ns(number);
        let ready_unix_ns = due.now_unix_ns.saturating_add(delay_ns);
        let job = Job {
            template,
            context: JobContext { number, due_unix_ns: due.due_unix_ns },
            now_unix_ns: due.now_unix_ns,
            delay_ns,
            id: stream.ids[choice.job].id(number, ready_unix_ns),
        };
        stream.encoders[choice.job][place].encode(&job, unit);
    }

    fn is_watched(&self, queue: usize) -> bool {
        !self.unwatched.contains(&queue)
    }

    fn prepare(&self) -> Vec<Args> {
        let encoders = self.streams.iter().flat_map(|stream| stream.encoders.iter().flatten());
        encoders.flat_map(|encoder| encoder.prepare()).collect()
    }

    fn of_plan(&self, plan: &Plan, run_id: &str) -> Result<PlannedJobs, CompileError> {
        PlannedJobs::compile(plan, run_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Content;
    use crate::exact;
    use crate::job::{Envelope, Format, JobSpec, Payload, QueueChoice};
    use crate::plan::{DefaultGuards, MixEntry, Part, Stream as PlanStream};
    use crate::run::clock::{Clock, RealClock, Rehearsal};
    use crate::run::{Control, RunOptions, Task, channel, run};
    use crate::schedule::Shard;
    use crate::sink::NullSink;
    use crate::timeline::Timeline;
    use crate::timeline::curve::{Arrivals, Curve};
    use std::sync::Arc;

    fn job(name: &str, queue: QueueChoice, format: Format, weight: u32) -> MixEntry {
        let payload = Payload::Size { min: 5, max: 5, content: Content::Text };
        let (name, envelope) = (name.to_owned(), Envelope::default());
        MixEntry {
            job: Arc::new(JobSpec { name, queue, format, payload, envelope }),
            weight,
            flow: None,
        }
    }

    fn stream(name: &str, rate: i128, mix: Vec<MixEntry>) -> PlanStream {
        let length = Some(exact::fraction(1, 10));
        let curve = Curve::Constant { rate: exact::whole(rate), length };
        let timeline = Arc::new(Timeline::new(&curve).unwrap());
        let name = Some(name.to_owned());
        PlanStream {
            name,
            after_ns: 0,
            curve,
            due: timeline.clone(),
            timeline,
            arrivals: Arrivals::Even,
            blocks: Vec::new(),
            late: crate::plan::Late::Send,
            batch: 1,
            warmup: Vec::new(),
            waits: Vec::new(),
            paces: Arc::default(),
            steps: Vec::new(),
            until: None,
            held_to: None,
            phrases: Vec::new(),
            mix,
        }
    }

    fn plan() -> Plan {
        let fixed = |name: &str| QueueChoice::Fixed(name.to_owned());
        let pick = QueueChoice::Pick(vec![("a".to_owned(), 1.0), ("b".to_owned(), 1.0)]);
        let log = Format::Stream { max_len: None };
        Plan {
            file: "plan.load".to_owned(),
            seed: 7,
            digest: "d".to_owned(),
            target: None,
            starts: None,
            wall: crate::plan::WallClock::default(),
            part: Part::WHOLE,
            streams: vec![
                stream(
                    "one",
                    1_000,
                    vec![job("x", fixed("b"), Format::List, 3), job("y", pick, Format::List, 1)],
                ),
                stream("two", 500, vec![job("z", fixed("b"), log, 1)]),
            ],
            guards: Vec::new(),
            expectations: Vec::new(),
            notify: Vec::new(),
            default_guards: DefaultGuards { rate: false, jobs: false, time: false, depth: false },
            notes: Vec::new(),
        }
    }

    #[test]
    fn each_queue_is_listed_once_for_each_layout() {
        let jobs = PlannedJobs::compile(&plan(), "").unwrap();
        let queues: Vec<_> =
            jobs.queues().iter().map(|queue| (queue.name.as_str(), &queue.format)).collect();
        let log = Format::Stream { max_len: None };
        assert_eq!(queues, [("b", &Format::List), ("a", &Format::List), ("b", &log)]);
        let places: Vec<_> = jobs.kinds(0).iter().map(|kind| kind.queues.as_slice()).collect();
        assert_eq!(places, [&[0][..], &[1, 0]]);
        assert_eq!(crate::run::jobs::queues_of(&jobs, 0), [0, 1]);
        assert_eq!(jobs.kinds(1)[0].queues, [2]);
    }

    #[test]
    fn the_mix_and_the_queues_are_the_templates_own() {
        let jobs = PlannedJobs::compile(&plan(), "").unwrap();
        let choices: Vec<_> = (1..=400).map(|number| jobs.choose(0, number)).collect();
        assert_eq!(choices.iter().filter(|choice| choice.job == 0).count(), 300);
        let picked = |queue| {
            choices.iter().filter(|choice| choice.job == 1 && choice.queue == queue).count()
        };
        assert!(picked(0) > 20 && picked(1) > 20 && picked(0) + picked(1) == 100);
    }

    #[test]
    fn a_batch_is_of_one_kind_and_goes_to_one_queue() {
        let mut plan = plan();
        plan.streams[0].batch = 10;
        let jobs = PlannedJobs::compile(&plan, "").unwrap();
        let choices: Vec<_> = (1..=400).map(|number| jobs.choose(0, number)).collect();
        assert!(choices.chunks(10).all(|batch| batch.iter().all(|choice| *choice == batch[0])));
        assert_eq!(choices.iter().filter(|choice| choice.job == 0).count(), 300);
    }

    #[test]
    fn lists_take_one_argument_and_streams_fields() {
        let jobs = PlannedJobs::compile(&plan(), "").unwrap();
        let bytes = |stream, queue| {
            let mut unit = Unit::default();
            let due = DueJob { stream, number: 1, due_unix_ns: 0, now_unix_ns: 0 };
            jobs.write(due, Choice { job: 0, queue }, &mut unit);
            unit.byte_len()
        };
        assert_eq!(bytes(0, 0), "LPUSHb".len() + 5);
        assert_eq!(bytes(1, 2), "XADDb*data".len() + 5, "the field `data` and its value");
    }

    #[test]
    fn a_plan_is_cut_to_its_shard() {
        let plan = plan();
        let lengths = |part| {
            let shard = Shard::new(part, 3).unwrap();
            let options = RunOptions { shard, ..RunOptions::default() };
            let task = Task::of(&plan, &options).unwrap();
            task.streams.iter().map(|(_, schedule)| schedule.len()).collect::<Vec<_>>()
        };
        assert_eq!([lengths(1), lengths(2), lengths(3)], [[34, 17], [33, 17], [33, 16]]);
    }

    #[test]
    fn a_plan_runs_on_a_clock_without_time() {
        let rehearsal = Rehearsal::default();
        let (publisher, _views) = channel(10);
        let (sink, options) = (NullSink::new(), RunOptions::default());
        let plan = plan();
        let running = run(&plan, sink, options, rehearsal.clock(), Control::new(), publisher);
        let report = rehearsal.play(running).unwrap().unwrap();
        assert_eq!((report.jobs.acked, report.exit_code), (150, 0));
        assert_eq!((report.digest.as_str(), report.seed), ("d", 7));
        assert_eq!((report.streams[0].jobs.acked, report.streams[1].jobs.acked), (100, 50));
        assert_eq!(report.streams[0].by_job[1].job, "y");
        assert_eq!(report.streams[0].by_job[1].acked, 25);
        let bytes = report.mb_per_s * 1e6 * report.elapsed_s;
        assert!(bytes > 150.0 * 5.0, "{bytes}");
    }

    #[tokio::test]
    async fn a_plan_runs_on_the_real_clock() {
        let clock = RealClock::new().unwrap();
        let started = clock.start_unix_ns();
        let (publisher, _views) = channel(10);
        let (sink, options) = (NullSink::new(), RunOptions::default());
        let report = run(&plan(), sink, options, clock, Control::new(), publisher).await.unwrap();
        assert_eq!((report.jobs.acked, report.exit_code), (150, 0));
        assert!(report.elapsed_s >= 0.1 && started > 0, "it can't be early");
    }
}
