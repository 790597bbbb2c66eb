//! From a job's values to the steps that write them.

use crate::job::draw::Zipf;
use crate::job::program::{BLOCK, BlockId, Choice, Fill, Op, Program};
use crate::job::{Rows, TextPart, Value, write};
use crate::random::{self, Key, Kind};
use std::collections::HashMap;
use std::sync::Arc;

/// How deep values may nest, a reference counting as what it stands for. Compiling and writing
/// recurse, so this keeps them within any thread's stack; it is far above what `check` lets a
/// script write (64 without references).
pub const MAX_DEPTH: usize = 256;

/// Why a job can't be compiled. `check` refuses each of these with its place in the script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A reference whose path names no field of an object around it.
    #[error("no object around the reference has a field `{0}`")]
    NoSuchField(String),
    /// A field that contains itself by way of references.
    #[error("field `{0}` refers to itself")]
    Cycle(String),
    /// More than [`MAX_DEPTH`] levels.
    #[error("values nest more than {MAX_DEPTH} deep, what they refer to included")]
    TooDeep,
    /// A `pick` of nothing.
    #[error("nothing to pick from")]
    NothingToPick,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As JSON.
    Json,
    /// Inside a JSON string: strings without their quotes, everything else as JSON, all escaped.
    Text,
    /// As a field of a stream's entry: like [`Mode::Text`], but not escaped.
    Raw,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What it is drawn by.
    pub key: Key,
    /// The field it belongs to; empty outside objects.
    field: &'a str,
    /// The innermost object around it.
    object: Option<&'a Object<'a>>,
    /// How many lists are around it.
    lists: usize,
    /// How many values are around it.
    depth: usize,
}

/// An object that values inside it may refer to.
struct Object<'a> {
    fields: &'a [(String, Value)],
    place: Place<'a>,
}

impl<'a> Place<'a> {
    /// The top of a payload.
    pub fn top(key: Key) -> Place<'static> {
        Place { key, field: "", object: None, lists: 0, depth: 0 }
    }

    fn inside(self, key: Key) -> Place<'a> {
        Place { key, depth: self.depth + 1, ..self }
    }
}

impl<'a> Object<'a> {
    /// The place of a field; as seen from a value `depth` deep, which is where the stack is.
    fn field(&'a self, name: &'a str, depth: usize) -> Place<'a> {
        Place {
            key: self.place.key.named(Kind::Field, name),
            field: name,
            object: Some(self),
            lists: self.place.lists,
            depth: depth + 1,
        }
    }

    /// Whether the keys from the top to this object are `path`.
    fn is_at(&self, path: &[String]) -> bool {
        match (self.place.object, path) {
            (None, []) => true,
            (Some(outer), [path @ .., last]) => last == self.place.field && outer.is_at(path),
            _ => false,
        }
    }
}

/// A block made for references to a field.
enum Routine {
    /// Not finished.
    Open,
    /// Finished; its values nest this deep.
    Done { block: BlockId, height: usize },
}

/// Builds a [`Program`].
#[derive(Default)]
pub struct Compiler {
    program: Program,
    /// The block under construction.
    ops: Vec<Op>,
    /// By the field's value (its address stands for its place in the script) and mode.
    routines: HashMap<(*const Value, Mode), Routine>,
    /// What files' rows are drawn by: the payload as a whole.
    rows_key: Option<Key>,
    /// The greatest depth since the routine under construction was begun.
    deepest: usize,
}

type Done = Result<(), CompileError>;

fn filling(key: Key, fill: Fill, (min, max): (u64, u64)) -> Op {
    Op::Fill { key, fill, min, max: max.max(min) }
}

impl Compiler {
    /// An empty one, for a payload drawn by a key.
    pub fn new(key: Key) -> Compiler {
        Compiler { rows_key: Some(key), ..Compiler::default() }
    }

    /// The program of all blocks made.
    pub fn finish(self) -> Program {
        self.program
    }

    /// A block that writes a value. All values compiled with one compiler must be parts of one
    /// payload that stays where it is.
    pub fn value_block(
        &mut self,
        value: &Value,
        mode: Mode,
        place: Place<'_>,
    ) -> Result<BlockId, CompileError> {
        self.block(|this| this.value(value, mode, place))
    }

    /// A block of one step.
    pub fn fill_block(&mut self, key: Key, fill: Fill, size: (u64, u64)) -> BlockId {
        self.program.blocks.push(Box::new([filling(key, fill, size)]));
        self.program.blocks.len() - 1
    }

    /// A block of fixed bytes.
    pub fn bytes_block(&mut self, bytes: &[u8]) -> BlockId {
        let start = self.program.literals.len();
        self.program.literals.extend_from_slice(bytes);
        let end = self.program.literals.len();
        self.program.blocks.push(Box::new([Op::Literal { start, end }]));
        self.program.blocks.len() - 1
    }

    /// A block that fills in one of several ranges of sizes, each with its share.
    pub fn mixed_block(&mut self, key: Key, fill: Fill, sizes: &[((u64, u64), f64)]) -> BlockId {
        let mut blocks = Vec::with_capacity(sizes.len());
        for (index, (size, _)) in sizes.iter().enumerate() {
            blocks.push(self.fill_block(key.indexed(Kind::Alternative, index), fill, *size));
        }
        let shares: Vec<f64> = sizes.iter().map(|(_, share)| *share).collect();
        let thresholds = random::thresholds(shares.iter().copied());
        self.program.choices.push(Choice { thresholds, shares, blocks });
        let choice = self.program.choices.len() - 1;
        self.program.blocks.push(Box::new([Op::Pick { key, choice }]));
        self.program.blocks.len() - 1
    }

    /// A block for each field of an object at the top, written as a stream's entry has it.
    pub fn field_blocks(
        &mut self,
        fields: &[(String, Value)],
        top: Place<'_>,
    ) -> Result<Vec<(String, BlockId)>, CompileError> {
        let object = Object { fields, place: top };
        let block = |(name, value): &(String, Value)| {
            let block = self.value_block(value, Mode::Raw, object.field(name, 0))?;
            Ok((name.clone(), block))
        };
        fields.iter().map(block).collect()
    }

    fn block(&mut self, fill: impl FnOnce(&mut Compiler) -> Done) -> Result<BlockId, CompileError> {
        let outer = std::mem::take(&mut self.ops);
        let result = fill(self);
        let mut ops = std::mem::replace(&mut self.ops, outer);
        result?;
        ops.iter_mut().for_each(|op| self.shorten(op));
        self.program.blocks.push(ops.into_boxed_slice());
        Ok(self.program.blocks.len() - 1)
    }

    /// Adds bytes to the literal that the block ends with, or to a new one.
    fn literal(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.program.literals.len();
        write(&mut self.program.literals);
        let now = self.program.literals.len();
        match self.ops.last_mut() {
            Some(Op::Literal { end, .. }) if *end == start => *end = now,
            _ if now > start => self.ops.push(Op::Literal { start, end: now }),
            _ => {}
        }
    }

    /// Makes a finished literal a short one if it is.
    fn shorten(&mut self, op: &mut Op) {
        let Op::Literal { start, end } = *op else { return };
        let bytes = &self.program.literals[start..end];
        let mut short = [0; BLOCK];
        if let Some(front) = short.get_mut(..bytes.len()) {
            front.copy_from_slice(bytes);
            *op = Op::Short { at: self.program.shorts.len(), length: bytes.len() };
            self.program.shorts.push(short);
        }
    }

    fn text(&mut self, text: &str) {
        self.literal(|out| out.extend_from_slice(text.as_bytes()));
    }

    /// Quotes around something that needs no escaping, where `mode` has quotes.
    fn quoted(&mut self, mode: Mode, op: Op) {
        let quote = if mode == Mode::Json { "\"" } else { "" };
        self.text(quote);
        self.ops.push(op);
        self.text(quote);
    }

    fn value(&mut self, value: &Value, mode: Mode, place: Place<'_>) -> Done {
        if place.depth >= MAX_DEPTH {
            return Err(CompileError::TooDeep);
        }
        self.deepest = self.deepest.max(place.depth);
        let key = place.key;
        match value {
            Value::Null => self.text("null"),
            Value::Bool(true) => self.text("true"),
            Value::Bool(false) => self.text("false"),
            Value::Number(digits) => self.text(digits),
            Value::Text(parts) => self.parts(parts, mode, place)?,
            Value::Array(items) => self.compound(mode, |this| this.array(items, place))?,
            Value::Object(fields) => self.compound(mode, |this| this.object(fields, place))?,
            Value::List { min, max, item } => {
                self.compound(mode, |this| this.list((*min, *max), item, place))?;
            }
            Value::Uuid => self.quoted(mode, Op::Uuid(key)),
            Value::Ulid => self.quoted(mode, Op::Ulid(key)),
            Value::Seq => self.ops.push(Op::Seq),
            Value::Int { min, max } => {
                self.ops.push(Op::Int { key, min: *min, max: *max.max(min) });
            }
            Value::Float { min, max } => self.ops.push(Op::Float { key, min: *min, max: *max }),
            Value::Normal { mean, deviation } => {
                self.ops.push(Op::Normal { key, mean: *mean, deviation: *deviation });
            }
            Value::Exponential(mean) => self.ops.push(Op::Exponential { key, mean: *mean }),
            Value::Zipf { ranks, exponent } => {
                self.program.zipfs.push(Zipf::new(*ranks, *exponent));
                self.ops.push(Op::Zipf { key, zipf: self.program.zipfs.len() - 1 });
            }
            Value::Chance(probability) if *probability >= 1.0 => self.text("true"),
            Value::Chance(probability) => {
                let below = random::share_of_words(*probability);
                self.ops.push(Op::Chance { key, below });
            }
            Value::Pick(alternatives) => self.pick(alternatives, mode, place)?,
            Value::Now => self.quoted(mode, Op::Now),
            Value::RandomText { min, max } => {
                self.quoted(mode, filling(key, Fill::Words, (*min, *max)));
            }
            Value::Hex { min, max } => {
                self.quoted(mode, filling(key, Fill::Hex, (*min, *max)));
            }
            Value::Bytes { min, max } => {
                self.quoted(mode, filling(key, Fill::Base64, (*min, *max)));
            }
            Value::Cell { rows, column } => self.cell(rows, *column, mode, key),
            Value::Fake(fake) => self.quoted(mode, Op::Fake { key, fake: *fake }),
            Value::Field(path) => self.reference(path, mode, place)?,
        }
        Ok(())
    }

    fn cell(&mut self, rows: &Arc<Rows>, column: usize, mode: Mode, key: Key) {
        let tables = &mut self.program.tables;
        let known = tables.iter().position(|known| Arc::ptr_eq(known, rows));
        let table = known.unwrap_or_else(|| {
            tables.push(Arc::clone(rows));
            tables.len() - 1
        });
        let key = self.rows_key.unwrap_or(key).named(Kind::Row, &rows.name);
        let is_number = rows.table.columns().get(column).is_some_and(|column| column.is_number);
        let op = Op::Cell { key, table, column, raw: mode == Mode::Raw };
        if is_number { self.ops.push(op) } else { self.quoted(mode, op) }
    }

    fn parts(&mut self, parts: &[TextPart], mode: Mode, place: Place<'_>) -> Done {
        let (quote, inner) = match mode {
            Mode::Json => ("\"", Mode::Text),
            Mode::Text | Mode::Raw => ("", mode),
        };
        self.text(quote);
        for (index, part) in parts.iter().enumerate() {
            match part {
                TextPart::Literal(text) if mode == Mode::Raw => self.text(text),
                TextPart::Literal(text) => self.literal(|out| write::push_escaped(out, text)),
                TextPart::Value(value) => {
                    self.value(value, inner, place.inside(place.key.indexed(Kind::Part, index)))?;
                }
            }
        }
        self.text(quote);
        Ok(())
    }

    /// Something that is JSON in every mode, and in a string has to be escaped as a whole.
    fn compound(&mut self, mode: Mode, fill: impl FnOnce(&mut Compiler) -> Done) -> Done {
        if mode != Mode::Text {
            return fill(self);
        }
        let block = self.block(fill)?;
        self.ops.push(Op::Escaped(block));
        Ok(())
    }

    fn array(&mut self, items: &[Value], place: Place<'_>) -> Done {
        self.text("[");
        for (index, item) in items.iter().enumerate() {
            self.text(if index > 0 { "," } else { "" });
            let key = place.key.indexed(Kind::Element, index);
            self.value(item, Mode::Json, place.inside(key))?;
        }
        self.text("]");
        Ok(())
    }

    fn object(&mut self, fields: &[(String, Value)], place: Place<'_>) -> Done {
        let object = Object { fields, place };
        self.text("{");
        for (index, (name, value)) in fields.iter().enumerate() {
            self.text(if index > 0 { ",\"" } else { "\"" });
            self.literal(|out| write::push_escaped(out, name));
            self.text("\":");
            self.value(value, Mode::Json, object.field(name, place.depth))?;
        }
        self.text("}");
        Ok(())
    }

    fn list(&mut self, (min, max): (u32, u32), item: &Value, place: Place<'_>) -> Done {
        let key = place.key;
        let inside = Place { lists: place.lists + 1, ..place.inside(key.derive(Kind::Item, &[])) };
        let item = self.value_block(item, Mode::Json, inside)?;
        self.text("[");
        self.ops.push(Op::List { key, min, max: max.max(min), item });
        self.text("]");
        Ok(())
    }

    fn pick(&mut self, alternatives: &[(Value, f64)], mode: Mode, place: Place<'_>) -> Done {
        let mut blocks = Vec::with_capacity(alternatives.len());
        for (index, (value, _)) in alternatives.iter().enumerate() {
            let key = place.key.indexed(Kind::Alternative, index);
            blocks.push(self.value_block(value, mode, place.inside(key))?);
        }
        if blocks.is_empty() {
            return Err(CompileError::NothingToPick);
        }
        let weights = alternatives.iter().map(|(_, weight)| *weight);
        let total: f64 = weights.clone().sum();
        self.program.choices.push(Choice {
            thresholds: random::thresholds(weights.clone()),
            shares: weights.map(|weight| weight / total).collect(),
            blocks,
        });
        let choice = self.program.choices.len() - 1;
        self.ops.push(Op::Pick { key: place.key, choice });
        Ok(())
    }

    /// The value of a field once more: from the same key, and for the item of the field's own
    /// object where that lies in a list.
    fn reference(&mut self, path: &[String], mode: Mode, place: Place<'_>) -> Done {
        let missing = || CompileError::NoSuchField(path.join("."));
        let [around @ .., name] = path else { return Err(missing()) };
        let mut object = place.object;
        while let Some(candidate) = object.filter(|object| !object.is_at(around)) {
            object = candidate.place.object;
        }
        let object = object.ok_or_else(missing)?;
        let field = object.fields.iter().find(|(field, _)| field == name);
        let (name, value) = field.ok_or_else(missing)?;

        let block = self.routine(value, mode, object.field(name, place.depth))?;
        self.ops.push(Op::Call { block, lists: object.place.lists });
        Ok(())
    }

    fn routine(
        &mut self,
        value: &Value,
        mode: Mode,
        place: Place<'_>,
    ) -> Result<BlockId, CompileError> {
        let id = (std::ptr::from_ref(value), mode);
        match self.routines.get(&id) {
            Some(Routine::Open) => Err(CompileError::Cycle(place.field.to_owned())),
            Some(Routine::Done { height, .. }) if place.depth + height >= MAX_DEPTH => {
                Err(CompileError::TooDeep)
            }
            Some(Routine::Done { block, height }) => {
                self.deepest = self.deepest.max(place.depth + height);
                Ok(*block)
            }
            None => {
                self.routines.insert(id, Routine::Open);
                let outer = std::mem::replace(&mut self.deepest, place.depth);
                let block = self.value_block(value, mode, place)?;
                let height = self.deepest - place.depth;
                self.deepest = self.deepest.max(outer);
                self.routines.insert(id, Routine::Done { block, height });
                Ok(block)
            }
        }
    }
}
