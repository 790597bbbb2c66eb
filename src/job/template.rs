//! A job compiled for one seed and one stream.

use crate::ast::{Content, RowOrder};
use crate::job::compile::{CompileError, Compiler, Mode, Place};
use crate::job::program::{BlockId, Cell, Fill, Program};
use crate::job::{JobSpec, MIXED, Mix, Payload, QueueChoice, Rows, Value};
use crate::random::{self, Key, Kind};
use crate::sink::{Args, Queue};
use std::sync::Arc;

/// The field of a stream's entry that holds a payload which has no fields of its own.
const WHOLE_PAYLOAD: &str = "data";

/// What a payload is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobContext {
    /// The job's number in its stream, from 1.
    pub number: u64,
    /// When it is due: the run's start plus the due offset, in nanoseconds since 1970-01-01 UTC
    /// (which reaches to the year 2554).
    pub due_unix_ns: u64,
}

/// A [`JobSpec`] compiled once: keys hashed, punctuation and written text rendered, so that writing
/// a job is one pass over its steps that only appends to a buffer and allocates nothing else.
///
/// Payload and queue follow from (seed, load's name, job's name, job number) and, for `now()`, from
/// the due instant. Each value has a key of its own, made of its path, so that a change to one field
/// or load leaves the others as they were. The generator is described at the head of
/// `job/random.rs`.
#[derive(Clone, Debug)]
pub struct Template {
    queues: Vec<Queue>,
    queue_key: Key,
    queue_thresholds: Vec<u64>,
    program: Program,
    body: BlockId,
    fields: Vec<(String, BlockId)>,
    /// The mix it is in and its place there, where that matters.
    turns: Option<(Mix, usize, u64)>,
}

fn fill_of(content: Content) -> Fill {
    match content {
        Content::Text => Fill::Printable,
        Content::Binary => Fill::Raw,
    }
}

impl Template {
    /// Compiles a job of the stream of `load`, or of the one outside any load.
    ///
    /// Fails only for what `check` refuses, see [`CompileError`]; of a range whose ends are the
    /// wrong way round, which `check` refuses too, the first end stands. How much a job may weigh is
    /// not bounded here, see [`Template::sizes`].
    pub fn compile(
        spec: &JobSpec,
        seed: u64,
        load: Option<&str>,
    ) -> Result<Template, CompileError> {
        let job_key = Key::stream(seed, load).named(Kind::Job, &spec.name);
        let top = Place::top(job_key.derive(Kind::Payload, &[]));

        let mut compiler = Compiler::new(top.key);
        let whole = |block| vec![(WHOLE_PAYLOAD.to_owned(), block)];
        let (body, fields) = match &spec.payload {
            Payload::Size { min, max, content } => {
                let body = compiler.fill_block(top.key, fill_of(*content), (*min, *max));
                (body, whole(body))
            }
            Payload::Mixed(content) => {
                let body = compiler.mixed_block(top.key, fill_of(*content), &MIXED);
                (body, whole(body))
            }
            Payload::File(blob) => {
                let body = compiler.bytes_block(&blob.bytes);
                (body, whole(body))
            }
            Payload::Body(value) => {
                let body = compiler.value_block(value, Mode::Json, top)?;
                let fields = match value {
                    // An entry must have a field, so an empty object is sent as a whole.
                    Value::Object(fields) if !fields.is_empty() => {
                        compiler.field_blocks(fields, top)?
                    }
                    _ => whole(compiler.value_block(value, Mode::Raw, top)?),
                };
                (body, fields)
            }
        };

        let (names, queue_thresholds) = match &spec.queue {
            QueueChoice::Fixed(name) => (vec![name], Vec::new()),
            QueueChoice::Pick(queues) if queues.is_empty() => {
                return Err(CompileError::NothingToPick);
            }
            QueueChoice::Pick(queues) => (
                queues.iter().map(|(name, _)| name).collect(),
                random::thresholds(queues.iter().map(|(_, weight)| *weight)),
            ),
        };
        let queue = |name: &String| Queue { name: name.clone(), format: spec.format.clone() };
        Ok(Template {
            queues: names.into_iter().map(queue).collect(),
            queue_key: job_key.derive(Kind::Queue, &[]),
            queue_thresholds,
            program: compiler.finish(),
            body,
            fields,
            turns: None,
        })
    }

    /// This one as the `job`-th of a mix: which row of a file a job has goes by its place among those
    /// of its kind, which the mix chooses for a whole batch. Without, it is taken for the only one.
    #[must_use]
    pub fn in_mix(mut self, mix: &Mix, job: usize, batch: u64) -> Template {
        let by_turn = |rows: &Arc<Rows>| rows.order != RowOrder::Random;
        self.turns = self.program.tables.iter().any(by_turn).then(|| (mix.clone(), job, batch));
        self
    }

    fn cell<'a>(&self, context: &'a JobContext) -> Cell<'a> {
        let number = context.number;
        let turn = self.turns.as_ref().map_or(number, |(mix, job, batch)| {
            let before = number.saturating_sub(1);
            let turn = mix.turn_of(before / batch + 1, *job);
            (turn - 1).saturating_mul(*batch).saturating_add(before % batch + 1)
        });
        Cell::of_job(context, turn)
    }

    /// The queues its jobs go to, at least one, in the order of the script.
    pub fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// Which of [`Template::queues`] the job with this number goes to.
    pub fn queue(&self, number: u64) -> usize {
        if self.queue_thresholds.is_empty() {
            return 0;
        }
        random::choose(&self.queue_thresholds, self.queue_key.word(number))
    }

    /// Appends the payload: JSON, or text of the size drawn.
    pub fn write_body(&self, context: &JobContext, out: &mut Vec<u8>) {
        self.program.run(self.body, &self.cell(context), out);
    }

    /// Appends the payload as the fields and values of a stream's entry: for each field of the body
    /// its key and its value, strings without quotes and unescaped, everything else as JSON. A body
    /// that is not written as an object, or has no fields, and a payload of a size go into one
    /// field `data`.
    pub fn write_fields(&self, context: &JobContext, args: &mut Args) {
        let cell = self.cell(context);
        for (name, block) in &self.fields {
            args.push(name.as_bytes());
            args.push_with(|out| self.program.run(*block, &cell, out));
        }
    }

    /// The bytes of [`Template::write_body`] over the jobs 1 to `jobs`.
    pub fn sizes(&self, jobs: u64) -> super::Sizes {
        super::sizes::of_block(&self.program, self.body, jobs)
    }
}
