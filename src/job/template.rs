//! A job compiled for one seed and one stream.

use crate::ast::{Content, RowOrder};
use crate::job::compile::{CompileError, Compiler, Mode, Place};
use crate::job::program::{BlockId, Cell, Fill, Program};
use crate::job::{Id, IdKey, JobSpec, MIXED, Mix, Payload, QueueChoice, Rows, Value, WordPart};
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
    kwargs: Option<BlockId>,
    commands: Vec<Vec<Vec<Piece>>>,
    job_key: Key,
    delay: Option<(Key, (u64, u64))>,
    priority: Option<(Key, (i64, i64))>,
    /// The mix it is in and its place there, where that matters.
    turns: Option<(Mix, usize, u64)>,
}

/// A piece of a word of a job's own commands.
#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Key,
    Id,
    Body,
    Value(BlockId),
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
        let envelope = &spec.envelope;
        let kwargs = match &envelope.kwargs {
            None => None,
            Some(kwargs) => {
                let top = Place::top(job_key.derive(Kind::Named, &[]));
                Some(compiler.value_block(kwargs, Mode::Json, top)?)
            }
        };
        let commands = own_commands(&envelope.commands, job_key, &mut compiler)?;
        Ok(Template {
            kwargs,
            commands,
            job_key,
            delay: envelope.delay_ns.map(|ends| (job_key.derive(Kind::Delay, &[]), ends)),
            priority: envelope.priority.map(|ends| (job_key.derive(Kind::Priority, &[]), ends)),
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

    /// Appends the named arguments as a JSON object, `{}` where there are none.
    pub fn write_kwargs(&self, context: &JobContext, out: &mut Vec<u8>) {
        match self.kwargs {
            Some(kwargs) => self.program.run(kwargs, &self.cell(context), out),
            None => out.extend_from_slice(b"{}"),
        }
    }

    /// Whether there are named arguments.
    pub fn has_kwargs(&self) -> bool {
        self.kwargs.is_some()
    }

    /// How many commands of its own a job has, and how many words each.
    pub fn commands(&self) -> impl Iterator<Item = usize> {
        self.commands.iter().map(Vec::len)
    }

    /// Appends a word of one of the job's own commands.
    pub fn write_word(
        &self,
        (command, word): (usize, usize),
        context: &JobContext,
        (key, id): (&str, Id),
        out: &mut Vec<u8>,
    ) {
        let pieces = self.commands.get(command).and_then(|words| words.get(word));
        for piece in pieces.into_iter().flatten() {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Key => out.extend_from_slice(key.as_bytes()),
                Piece::Id => id.push_uuid(out),
                Piece::Body => self.write_body(context, out),
                Piece::Value(block) => self.program.run(*block, &self.cell(context), out),
            }
        }
    }

    /// What the ids of its jobs are made by in a run.
    pub fn id_key(&self, run: &str) -> IdKey {
        IdKey::new(self.job_key, run)
    }

    /// How long the job with this number waits before it may be taken, in nanoseconds.
    pub fn delay_ns(&self, number: u64) -> u64 {
        self.delay.map_or(0, |(key, ends)| key.within(number, key.word(number), ends))
    }

    /// Whether jobs may have to wait.
    pub fn is_delayed(&self) -> bool {
        self.delay.is_some()
    }

    /// The priority of the job with this number.
    pub fn priority(&self, number: u64) -> Option<i64> {
        let (key, (low, high)) = self.priority?;
        // Two's complement: the distance from low is right even where i64 can't hold it.
        Some(key.within(number, key.word(number), (low as u64, high as u64)) as i64)
    }

    /// The bytes of [`Template::write_body`] and of [`Template::write_kwargs`], where it has named
    /// arguments, over the jobs 1 to `jobs`.
    pub fn sizes(&self, jobs: u64) -> super::Sizes {
        let body = super::sizes::of_block(&self.program, self.body, jobs);
        match self.kwargs {
            Some(kwargs) => body.and(super::sizes::of_block(&self.program, kwargs, jobs)),
            None => body,
        }
    }
}

/// A job's own commands, each value in them drawn by its own place.
fn own_commands(
    commands: &[Vec<Vec<WordPart>>],
    job_key: Key,
    compiler: &mut Compiler,
) -> Result<Vec<Vec<Vec<Piece>>>, CompileError> {
    let mut place = 0;
    let mut piece = |part: &WordPart| {
        place += 1;
        Ok(match part {
            WordPart::Literal(text) => Piece::Literal(text.clone()),
            WordPart::Key => Piece::Key,
            WordPart::Id => Piece::Id,
            WordPart::Body => Piece::Body,
            WordPart::Value(value) => {
                let top = Place::top(job_key.indexed(Kind::Word, place));
                Piece::Value(compiler.value_block(value, Mode::Raw, top)?)
            }
        })
    };
    let mut word = |parts: &Vec<WordPart>| parts.iter().map(&mut piece).collect();
    commands.iter().map(|words| words.iter().map(&mut word).collect()).collect()
}
