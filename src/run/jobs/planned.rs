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
            let mut templates = Vec::with_capacity(stream.mix.len());
            let mut kinds = Vec::with_capacity(stream.mix.len());
            for entry in &stream.mix {
                let template = Template::compile(&entry.job, plan.seed, load)?;
                let places =
                    template.queues().iter().map(|queue| place_of(&mut queues, queue)).collect();
                kinds.push(Kind { name: entry.job.name.clone(), queues: places });
                templates.push(template);
            }
            streams.push(Stream { mix: Mix::new(&weights, plan.seed, load), templates, kinds });
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
        let job = stream.mix.job_of(number);
        Choice { job, queue: stream.kinds[job].queues[stream.templates[job].queue(number)] }
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
}
