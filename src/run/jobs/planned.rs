//! The jobs of a plan, compiled.

use super::{Choice, DueJob, Jobs, Kind};
use crate::job::{CompileError, Format, JobContext, Mix, Template};
use crate::plan::Plan;
use crate::sink::{Args, Queue};

/// The jobs of a plan: the templates of each stream, their mix, and the queues of all.
#[derive(Clone, Debug)]
pub struct PlannedJobs {
    queues: Vec<Queue>,
    streams: Vec<Stream>,
}

#[derive(Clone, Debug)]
struct Stream {
    mix: Mix,
    batch: u64,
    templates: Vec<Template>,
    kinds: Vec<Kind>,
}

impl PlannedJobs {
    /// Compiles the jobs of a plan.
    ///
    /// # Errors
    ///
    /// For what `check` refuses, see [`CompileError`].
    pub fn compile(plan: &Plan) -> Result<PlannedJobs, CompileError> {
        let mut queues = Vec::new();
        let mut streams = Vec::with_capacity(plan.streams.len());
        for stream in &plan.streams {
            let load = stream.name.as_deref();
            let weights: Vec<u32> = stream.mix.iter().map(|entry| entry.weight).collect();
            let mix = Mix::new(&weights, plan.seed, load);
            let mut templates = Vec::with_capacity(stream.mix.len());
            let mut kinds = Vec::with_capacity(stream.mix.len());
            for entry in &stream.mix {
                let template = Template::compile(&entry.job, plan.seed, load)?;
                let template = template.in_mix(&mix, templates.len(), stream.batch);
                let places =
                    template.queues().iter().map(|queue| place_of(&mut queues, queue)).collect();
                kinds.push(Kind { name: entry.job.name.clone(), queues: places });
                templates.push(template);
            }
            streams.push(Stream { mix, batch: stream.batch, templates, kinds });
        }
        Ok(PlannedJobs { queues, streams })
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
        &self.streams[stream].kinds
    }

    fn choose(&self, stream: usize, number: u64) -> Choice {
        let stream = &self.streams[stream];
        // A batch is of one kind and goes to one queue, so that it can be one command.
        let batch = number.div_ceil(stream.batch);
        let job = stream.mix.job_of(batch);
        Choice { job, queue: stream.kinds[job].queues[stream.templates[job].queue(batch)] }
    }

    fn write(&self, due: DueJob, kind: usize, args: &mut Args) {
        let template = &self.streams[due.stream].templates[kind];
        let context = JobContext { number: due.number, due_unix_ns: due.due_unix_ns };
        let queue = &self.queues[self.streams[due.stream].kinds[kind].queues[0]];
        match queue.format {
            Format::List => args.push_with(|out| template.write_body(&context, out)),
            Format::Stream { .. } => template.write_fields(&context, args),
        }
    }

    fn of_plan(&self, plan: &Plan) -> Result<PlannedJobs, CompileError> {
        PlannedJobs::compile(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Content;
    use crate::exact;
    use crate::job::{JobSpec, Payload, QueueChoice};
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
        MixEntry {
            job: Arc::new(JobSpec { name: name.to_owned(), queue, format, payload }),
            weight,
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
            batch: 1,
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
        let jobs = PlannedJobs::compile(&plan()).unwrap();
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
        let jobs = PlannedJobs::compile(&plan()).unwrap();
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
        let jobs = PlannedJobs::compile(&plan).unwrap();
        let choices: Vec<_> = (1..=400).map(|number| jobs.choose(0, number)).collect();
        assert!(choices.chunks(10).all(|batch| batch.iter().all(|choice| *choice == batch[0])));
        assert_eq!(choices.iter().filter(|choice| choice.job == 0).count(), 300);
    }

    #[test]
    fn lists_take_one_argument_and_streams_fields() {
        let jobs = PlannedJobs::compile(&plan()).unwrap();
        let written = |stream, kind| {
            let mut args = Args::default();
            jobs.write(DueJob { stream, number: 1, due_unix_ns: 0 }, kind, &mut args);
            args.iter().map(<[u8]>::len).collect::<Vec<_>>()
        };
        assert_eq!(written(0, 0), [5]);
        assert_eq!(written(1, 0), [4, 5], "the field `data` and its value");
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
