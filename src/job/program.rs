//! A payload as a list of steps, and how a job runs over them.

use crate::ast::RowOrder;
use crate::job::draw::{self, Zipf};
use crate::job::{Fake, JobContext, Rows, encode, write};
use crate::random::{self, Key};
use std::sync::Arc;

/// Which block of a [`Program`].
pub type BlockId = usize;

/// Bytes of a block that holds a short literal.
pub const BLOCK: usize = 16;

/// One step: appends something to the job.
#[derive(Clone, Debug)]
pub enum Op {
    /// Bytes of [`Program::literals`].
    Literal { start: usize, end: usize },
    /// A literal of no more than a block, in [`Program::shorts`].
    Short { at: usize, length: usize },
    /// The job's number.
    Seq,
    /// The instant the job is due.
    Now,
    /// A UUID, without quotes.
    Uuid(Key),
    /// A whole number, both ends included.
    Int { key: Key, min: i64, max: i64 },
    /// A number, high end excluded.
    Float { key: Key, min: f64, max: f64 },
    /// A normal number.
    Normal { key: Key, mean: f64, deviation: f64 },
    /// An exponential number.
    Exponential { key: Key, mean: f64 },
    /// A rank by one of [`Program::zipfs`].
    Zipf { key: Key, zipf: usize },
    /// A ULID, without quotes.
    Ulid(Key),
    /// A cell of the job's row of [`Program::tables`]: as JSON has it within quotes, or as it was.
    Cell { key: Key, table: usize, column: usize, raw: bool },
    /// A made-up text, without quotes.
    Fake { key: Key, fake: Fake },
    /// `true` for words below `below`, else `false`.
    Chance { key: Key, below: u64 },
    /// Text of a size.
    Fill { key: Key, fill: Fill, min: u64, max: u64 },
    /// One of [`Program::choices`].
    Pick { key: Key, choice: usize },
    /// Items with commas between.
    List { key: Key, min: u32, max: u32, item: BlockId },
    /// A block that belongs to a place outside `lists` or more lists: a field referred to.
    Call { block: BlockId, lists: usize },
    /// A block of JSON, escaped to stand in a JSON string.
    Escaped(BlockId),
}

/// What a text of random characters is made of.
#[derive(Clone, Copy, Debug)]
pub enum Fill {
    /// Lower-case words.
    Words,
    /// Hexadecimal digits.
    Hex,
    /// Printable ASCII.
    Printable,
    /// Any bytes.
    Raw,
    /// Any bytes, their size taken before they are written in base64.
    Base64,
}

/// Blocks to choose among.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Where each but the last ends, of all 64-bit words.
    pub thresholds: Vec<u64>,
    /// The share of each, from 0 to 1.
    pub shares: Vec<f64>,
    /// What is chosen among.
    pub blocks: Vec<BlockId>,
}

/// Compiled payloads. Objects and arrays are gone: within a block, all steps stand in one row.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The bytes of all literals.
    pub literals: Vec<u8>,
    /// Short literals once more, each in a block that can be copied whole.
    pub shorts: Vec<[u8; BLOCK]>,
    /// The blocks.
    pub blocks: Vec<Box<[Op]>>,
    /// What the picks choose among.
    pub choices: Vec<Choice>,
    /// The files whose rows jobs have.
    pub tables: Vec<Arc<Rows>>,
    /// What ranks are drawn by.
    pub zipfs: Vec<Zipf>,
}

/// Where a job's values are drawn for: the job itself, or an item of a list in it.
pub struct Cell<'a> {
    job: &'a JobContext,
    /// The job's place among those of its kind, from 1.
    turn: u64,
    /// What sets this item apart; 0 outside lists.
    salt: u64,
    /// How many lists are around.
    lists: usize,
    outer: Option<&'a Cell<'a>>,
}

impl<'a> Cell<'a> {
    /// That of a job as a whole, the `turn`-th of its kind.
    pub fn of_job(job: &'a JobContext, turn: u64) -> Cell<'a> {
        Cell { job, turn, salt: 0, lists: 0, outer: None }
    }

    fn of_item(outer: &'a Cell<'a>, list: Key, index: u32) -> Cell<'a> {
        let salt = list.salted(outer.salt).salt(outer.job.number, index);
        Cell { job: outer.job, turn: outer.turn, salt, lists: outer.lists + 1, outer: Some(outer) }
    }

    #[inline]
    fn pair(&self, key: Key) -> [u64; 2] {
        key.salted(self.salt).pair(self.job.number)
    }

    #[inline]
    fn word(&self, key: Key) -> u64 {
        self.pair(key)[0]
    }

    /// A whole number, both ends included.
    #[inline]
    fn within(&self, key: Key, word: u64, ends: (u64, u64)) -> u64 {
        key.salted(self.salt).within(self.job.number, word, ends)
    }

    /// The one that has `lists` lists around: this or one outside it.
    fn outward(&self, lists: usize) -> &Cell<'a> {
        let mut cell = self;
        while let Some(outer) = cell.outer.filter(|_| cell.lists > lists) {
            cell = outer;
        }
        cell
    }
}

impl Program {
    /// Appends what a block makes for a cell. Calls itself only for what is chosen, repeated,
    /// escaped or referred to, as deep as those are nested in the script.
    pub fn run(&self, block: BlockId, cell: &Cell<'_>, out: &mut Vec<u8>) {
        for op in &self.blocks[block] {
            self.step(op, cell, out);
        }
    }

    #[inline]
    fn step(&self, op: &Op, cell: &Cell<'_>, out: &mut Vec<u8>) {
        match *op {
            Op::Literal { start, end } => out.extend_from_slice(&self.literals[start..end]),
            Op::Short { at, length } => write::push_start(out, &self.shorts[at], length),
            Op::Seq => write::push_u64(out, cell.job.number),
            Op::Now => write::push_instant(out, cell.job.due_unix_ns),
            Op::Uuid(key) => write::push_uuid(out, cell.pair(key)),
            Op::Int { key, min, max } => {
                // Two's complement: the distance from min is right even where i64 can't hold it.
                let value = cell.within(key, cell.word(key), (min as u64, max as u64));
                write::push_i64(out, value as i64);
            }
            Op::Float { key, min, max } => {
                write::push_f64(out, random::float(cell.word(key), min, max));
            }
            Op::Normal { key, mean, deviation } => {
                write::push_f64(out, mean + deviation * draw::normal(cell.pair(key)));
            }
            Op::Exponential { key, mean } => {
                write::push_f64(out, mean * draw::exponential(cell.word(key)));
            }
            Op::Zipf { key, zipf } => {
                let rank = self.zipfs[zipf].draw(key.salted(cell.salt), cell.job.number);
                write::push_u64(out, rank);
            }
            Op::Ulid(key) => {
                let unix_ms = cell.job.due_unix_ns / write::NANOS_PER_MILLI;
                encode::push_ulid(out, unix_ms, cell.pair(key));
            }
            Op::Cell { key, table, column, raw } => {
                let rows = &self.tables[table];
                let row = row(rows, key, cell);
                let text = rows.table.cell(row, column);
                if raw { write::push_unescaped(out, text) } else { out.extend_from_slice(text) }
            }
            Op::Fake { key, fake } => fake.push(out, cell.word(key)),
            Op::Chance { key, below } => {
                let hit = cell.word(key) < below;
                out.extend_from_slice(if hit { b"true" } else { b"false" });
            }
            Op::Fill { key, fill, min, max } => {
                let [word, seed] = cell.pair(key);
                fill.push(out, cell.within(key, word, (min, max)), seed);
            }
            Op::Pick { key, choice } => {
                let choice = &self.choices[choice];
                let index = random::choose(&choice.thresholds, cell.word(key));
                self.run(choice.blocks[index], cell, out);
            }
            Op::List { key, min, max, item } => {
                let count =
                    cell.within(key, cell.word(key), (u64::from(min), u64::from(max))) as u32;
                for index in 0..count {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.run(item, &Cell::of_item(cell, key, index), out);
                }
            }
            Op::Call { block, lists } => self.run(block, cell.outward(lists), out),
            Op::Escaped(block) => {
                let start = out.len();
                self.run(block, cell, out);
                write::escape_json_from(out, start);
            }
        }
    }
}

/// Which row a job has: the same throughout it, within its lists too.
fn row(rows: &Rows, key: Key, cell: &Cell<'_>) -> u64 {
    let last = rows.table.rows().saturating_sub(1);
    match rows.order {
        RowOrder::Random => key.within(cell.job.number, key.word(cell.job.number), (0, last)),
        RowOrder::InTurn | RowOrder::Once => cell.turn.saturating_sub(1) % (last + 1),
    }
}

impl Fill {
    fn push(self, out: &mut Vec<u8>, count: u64, seed: u64) {
        match self {
            Fill::Words => write::push_words(out, count, seed),
            Fill::Hex => write::push_hex(out, count, seed),
            Fill::Printable => write::push_printable(out, count, seed),
            Fill::Raw => encode::push_raw(out, count, seed),
            Fill::Base64 => encode::push_base64(out, count, seed),
        }
    }
}
