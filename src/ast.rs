//! The script as it was written: an owned tree with a span on everything a message may point at.
//!
//! No pest type and no lifetime appears here, comments are kept in a side table, and a statement
//! that could not be read stands as [`StatementKind::Broken`], so that `check`, `fmt` and a
//! language server can all work from the same tree.

use crate::exact::Exact;
use crate::source::{Span, Spanned};

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The statements, in the order of the file.
    pub statements: Vec<Statement>,
    /// Every comment, in the order of the file, from its `#` to the end of its line.
    pub comments: Vec<Span>,
}

/// A statement and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// From its first to its last character.
    pub span: Span,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let NAME = EXPR`
    Let(Let),
    /// `use "shared/day.load"`
    Use(Name),
    /// `seed`, `target`, `after`
    Setting(Setting),
    /// `job NAME … { … }`
    Job(Job),
    /// `flow NAME … { … }`
    Flow(Flow),
    /// `load NAME { … }`
    Load(Load),
    /// `send order 40, ping 60`
    Mix(Vec<MixItem>),
    /// `guard { … }`
    Guard(Vec<GuardRule>),
    /// `expect { … }`
    Expect(Vec<Expectation>),
    /// `hours { 07:00-09:00 x1.5 }`
    Hours(Hours),
    /// `shape NAME(PARAM = DEFAULT, …) { … }`
    Shape(Shape),
    /// A shape or a block of shapes.
    Phrase(Box<Phrase>),
    /// What could not be read; its errors are in the parser's list. The name is what the statement
    /// defines, where that much could be told, so that its uses are no errors of their own.
    Broken(Option<Name>),
}

/// A name as written, without its quotes.
pub type Name = Spanned<String>;

/// `let NAME = EXPR`
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name defined.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// `shape NAME(PARAM = DEFAULT, …) { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The name defined.
    pub name: Name,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// What stands in its braces.
    pub body: Vec<Statement>,
}

/// A parameter of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its value where a call gives none.
    pub default: Option<Expr>,
}

/// An argument of a call: `800`, or `peak = 800`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The parameter it is for, where it is named.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// A setting of the file or of a load.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// `seed 42`; `None` is `seed random`.
    Seed(Option<Expr>),
    /// `target "redis://…"` or `target env("REDIS_URL")`
    Target(Expr),
    /// `after 10s`
    After(Expr),
    /// `batch 10`
    Batch(Expr),
    /// `arrivals poisson`
    Arrivals(Arrival),
    /// `late skip after 1s`
    Late(Lateness),
    /// `starts 2026-03-29 00:00 in "Europe/Berlin"`
    Starts(Starts),
}

/// What becomes of jobs that are overdue after a stall.
#[derive(Clone, Debug, PartialEq)]
pub enum Lateness {
    /// `late send`
    Send,
    /// `late skip after 1s`
    Skip(Expr),
    /// `late spread over 5s`
    Spread(Expr),
}

/// `starts DATE CLOCK in ZONE`
#[derive(Clone, Debug, PartialEq)]
pub struct Starts {
    /// `2026-03-29`
    pub date: Name,
    /// `00:00`
    pub clock: Option<Name>,
    /// `in "Europe/Berlin"`
    pub zone: Option<Name>,
}

/// `hours on sat..sun { 07:00-09:00 x1.5 }`
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// The days of the week for which they are, from Monday on; all if none are named.
    pub on: Option<[bool; 7]>,
    /// What multiplies when.
    pub rules: Vec<HourLine>,
}

/// `22:00-06:00 x0.3`
#[derive(Clone, Debug, PartialEq)]
pub struct HourLine {
    /// When it begins, as written.
    pub from: Name,
    /// When it ends.
    pub to: Name,
    /// The factor.
    pub factor: Expr,
    /// Its place.
    pub span: Span,
}

/// How jobs lie along the curve.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// `even`
    Even,
    /// `poisson`, or `poisson exact`
    Poisson {
        /// As many jobs as `even`.
        exact: bool,
    },
    /// `gamma cv 2`: the coefficient of variation.
    Gamma(Expr),
}

/// `job NAME weight W { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's name.
    pub name: Name,
    /// `weight W`
    pub weight: Option<Expr>,
    /// The statements in its braces.
    pub fields: Vec<JobField>,
}

/// `flow NAME weight W { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The flow's name.
    pub name: Name,
    /// `weight W`
    pub weight: Option<Expr>,
    /// How its states are left.
    pub steps: Vec<FlowStep>,
    /// One of them could not be read.
    pub broken: bool,
}

/// `created -> picking after 5m..30m, or cancelled 5%`
#[derive(Clone, Debug, PartialEq)]
pub struct FlowStep {
    /// The state that is left.
    pub from: Name,
    /// The ways, in order.
    pub ways: Vec<FlowWay>,
    /// Its place.
    pub span: Span,
}

/// `picking after 5m..30m 95%`
#[derive(Clone, Debug, PartialEq)]
pub struct FlowWay {
    /// The state it leads to.
    pub to: Name,
    /// How long it takes.
    pub after: Option<RangeArg>,
    /// The share of things that go this way.
    pub share: Option<Expr>,
}

/// A statement within a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobField {
    /// What it says.
    pub kind: JobFieldKind,
    /// Its place.
    pub span: Span,
}

/// What a statement within a job says.
#[derive(Clone, Debug, PartialEq)]
pub enum JobFieldKind {
    /// `queue "orders" as stream`
    Queue(Queue),
    /// `body { … }`
    Body(Value),
    /// `body file "order.json"`
    BodyFile(Name),
    /// `size 1KB..4KB` or `size small`
    Size(SizeSpec, Content),
    /// `rows "users.csv" as user once`
    Rows(Rows),
    /// `args [int(1..9), "x"]`
    Args(Value),
    /// `kwargs { lang: "en" }`
    Kwargs(Value),
    /// `priority 5` or `priority 1..5`
    Priority(RangeArg),
    /// `delay 30s` or `delay 0s..30s`
    Delay(RangeArg),
    /// `timeout 30s`
    Timeout(Expr),
    /// `retry 3`
    Retry(Expr),
    /// `command "XADD" key "*" "data" body`
    Command(Vec<Value>),
    /// What could not be read.
    Broken,
}

/// `queue NAME as FORMAT OPTIONS`
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// A fixed name, or a `pick` among names.
    pub name: Value,
    /// The word after `as`.
    pub format: Option<Name>,
    /// Further words and their values, for the format to judge: `maxlen 10k`.
    pub options: Vec<(Name, Option<Expr>)>,
}

/// `rows PATH as NAME ORDER`
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The file, from the script's folder.
    pub path: Name,
    /// What a row is called in the body.
    pub name: Name,
    /// Which row a job has.
    pub order: RowOrder,
}

/// Which row of a file a job has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum RowOrder {
    /// One after another, and again from the first.
    InTurn,
    /// Any, drawn for each job.
    Random,
    /// One after another, each for one job.
    Once,
}

/// What a payload without a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Content {
    /// Printable text.
    Text,
    /// Any bytes.
    Binary,
}

/// How large a payload without a body is.
#[derive(Clone, Debug, PartialEq)]
pub enum SizeSpec {
    /// `small`, `medium`, `large`, `mixed`
    Class(Name),
    /// `1KB` (both ends) or `1KB..4KB`
    Range(Expr, Option<Expr>),
}

/// A value in a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Its place.
    pub span: Span,
}

/// What a value in a body is.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it was written, to be sent so.
    Number(Literal),
    /// `"order {seq()} of {user}"`
    Text(Vec<TextPart>),
    /// `[a, b]`
    Array(Vec<Value>),
    /// `{ key: value, … }`
    Object(Vec<(Name, Value)>),
    /// `list(1..6) { … }`
    List {
        /// How many items.
        count: Box<RangeArg>,
        /// What each is.
        item: Box<Value>,
    },
    /// `uuid()`, `int(1..6)`, `pick("a" 70%, "b" 30%)`
    Call {
        /// The generator's name.
        name: Name,
        /// Its arguments.
        args: Vec<CallArg>,
    },
    /// `user`: the value of another field of the body, or a `let`.
    Reference(Name),
    /// `user.name`: a column of the job's row.
    Column(Name, Name),
}

/// A piece of an interpolated string.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters to be sent as they are, escapes resolved.
    Literal(String),
    /// `{seq()}`
    Value(Value),
}

/// `1..6`, or `6` alone.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeArg {
    /// The first number.
    pub low: Expr,
    /// The number after `..`.
    pub high: Option<Expr>,
    /// Its place.
    pub span: Span,
}

/// An argument of a generator.
#[derive(Clone, Debug, PartialEq)]
pub enum CallArg {
    /// `1..6`
    Range(RangeArg),
    /// A value, with the weight that `pick` allows behind it: `"ann" 70%`.
    Value(Value, Option<Expr>),
}

/// `load NAME { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The stream's name.
    pub name: Name,
    /// What stands in its braces.
    pub body: Vec<Statement>,
}

/// `order 40` in a `send` list.
#[derive(Clone, Debug, PartialEq)]
pub struct MixItem {
    /// The job's name.
    pub job: Name,
    /// Its weight.
    pub weight: Option<Expr>,
}

/// A shape or a block, with what may follow either.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// What it is.
    pub kind: PhraseKind,
    /// `total 15k`
    pub total: Option<Expr>,
    /// `as "night"`
    pub label: Option<Name>,
    /// `until depth < 100`
    pub until: Option<Until>,
    /// For a block the words before its brace, for a shape the whole of it.
    pub head: Span,
}

/// `until depth "orders" < 100`: the phrase ends when that holds, or at its own end.
#[derive(Clone, Debug, PartialEq)]
pub struct Until {
    /// Of which queue; of all that are written to if not given.
    pub queue: Option<Name>,
    /// How the depth is compared.
    pub comparison: Spanned<Comparison>,
    /// With what.
    pub limit: Expr,
    /// Its place.
    pub span: Span,
}

/// What a phrase is.
#[derive(Clone, Debug, PartialEq)]
pub enum PhraseKind {
    /// `constant 100 for 5m`
    Constant {
        /// The rate.
        rate: Expr,
        /// How long.
        length: Length,
    },
    /// `pause 30s`
    Pause(Length),
    /// `drain within 5m`: nothing until the queues are empty, but no longer than that.
    Drain(Expr),
    /// `ramp 10->500 over 60s`
    Ramp(Ramp),
    /// `sine base 100 amp 30 period 1h for 8h`
    Sine(Sine),
    /// `burst 500 for 5s every 15s over 2m`
    Burst(Burst),
    /// `steps 10, 50, 100 each 30s`
    Steps(Steps),
    /// `stairs 10->200 by 10 every 30s`
    Stairs {
        /// First level.
        from: Expr,
        /// Last level.
        to: Expr,
        /// Height of a step.
        by: Expr,
        /// Length of a step.
        every: Expr,
    },
    /// `points 0s 10, 30s 100`
    Points(Points),
    /// `walk from 60 by 5 every 1s within 20..120 for 150s`
    Walk(Walk),
    /// `chaos 10..1500 every 30s..3m for 30m`
    Chaos(Chaos),
    /// `replay "monday.csv" scale x2`
    Replay(Replay),
    /// `send 50k at once`
    AtOnce(Expr),
    /// `lunch(800, up = 2m)`: a shape of one's own.
    Call {
        /// The shape's name.
        name: Name,
        /// What it is given, in order.
        args: Vec<Arg>,
    },
    /// `{ … }`
    Group(Vec<Statement>),
    /// `repeat 3 { … }`; `None` is `repeat forever`.
    Repeat(Option<Expr>, Vec<Statement>),
    /// `together { … }`
    Together(Vec<Statement>),
    /// `scale x1.5 { … }`
    Scale(Expr, Vec<Statement>),
    /// `cap 800 { … }`
    Cap(Expr, Vec<Statement>),
    /// `floor 5 { … }`
    Floor(Expr, Vec<Statement>),
    /// `speed x60 { … }`
    Speed(Expr, Vec<Statement>),
    /// `arrivals poisson { … }`
    Arrivals(Arrival, Vec<Statement>),
    /// `jitter 5% { … }`
    Jitter(Expr, Vec<Statement>),
    /// `warmup { … }`
    Warmup(Vec<Statement>),
    /// `at 02:00 { … }`
    At(Name, Vec<Statement>),
}

impl PhraseKind {
    /// Whether it is a block of statements, and no shape.
    pub fn is_block(&self) -> bool {
        matches!(
            self,
            PhraseKind::Group(_)
                | PhraseKind::Repeat(..)
                | PhraseKind::Together(_)
                | PhraseKind::Scale(..)
                | PhraseKind::Cap(..)
                | PhraseKind::Floor(..)
                | PhraseKind::Jitter(..)
                | PhraseKind::Arrivals(..)
                | PhraseKind::Warmup(_)
                | PhraseKind::At(..)
                | PhraseKind::Speed(..)
        )
    }

    /// The statements within a block; none of a shape.
    pub fn body(&self) -> &[Statement] {
        match self {
            PhraseKind::Group(body)
            | PhraseKind::Repeat(_, body)
            | PhraseKind::Together(body)
            | PhraseKind::Scale(_, body)
            | PhraseKind::Cap(_, body)
            | PhraseKind::Floor(_, body)
            | PhraseKind::Jitter(_, body)
            | PhraseKind::Arrivals(_, body)
            | PhraseKind::Warmup(body)
            | PhraseKind::At(_, body)
            | PhraseKind::Speed(_, body) => body,
            _ => &[],
        }
    }
}

/// How long a shape lasts.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    /// `for 5m`
    For(Expr),
    /// `forever`
    Forever(Span),
}

/// `ramp FROM->TO CURVE over LENGTH hold H back over B`
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// First rate.
    pub from: Expr,
    /// Last rate.
    pub to: Expr,
    /// How long.
    pub over: Expr,
    /// The way between; a straight line if none is named.
    pub curve: Spanned<RampCurve>,
    /// `hold 3m`
    pub hold: Option<Expr>,
    /// `back`, or `back over 30s`
    pub back: Option<Option<Expr>>,
}

/// The way a ramp takes between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RampCurve {
    /// A straight line.
    Linear,
    /// `a·(b/a)^(t/T)`
    Exponential,
    /// `a + (b−a)·log10(1+9t/T)`
    Logarithmic,
    /// `a + (b−a)·(3u² − 2u³)`, u = t/T
    Smooth,
}

/// `sine base B amp A period P phase F for L`
#[derive(Clone, Debug, PartialEq)]
pub struct Sine {
    /// The middle.
    pub base: Expr,
    /// Height above and below it.
    pub amp: Expr,
    /// Length of a wave; the phrase's length if not given.
    pub period: Option<Expr>,
    /// Where the wave starts.
    pub phase: Option<Expr>,
    /// How long.
    pub length: Length,
}

/// `burst RATE for ON every PERIOD over LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// The rate in a burst, or a factor of the base.
    pub rate: Expr,
    /// How long a burst lasts.
    pub on: Expr,
    /// From the start of one to the start of the next.
    pub every: Expr,
    /// The rate between.
    pub base: Option<Expr>,
    /// `over 2m`
    pub over: Option<Length>,
    /// `times 10`
    pub times: Option<Expr>,
}

/// `steps 10 for 30s, 50 each 1m over 5m`
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// The levels, each with its own length or none.
    pub levels: Vec<(Expr, Option<Expr>)>,
    /// The length of those without one.
    pub each: Option<Expr>,
    /// Goes round until then.
    pub over: Option<Length>,
}

/// `points smooth 0s 10, 30s 100 loop for 10m`
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// What happens between two points.
    pub between: Between,
    /// Times from the phrase's start, and rates.
    pub points: Vec<(Expr, Expr)>,
    /// `loop for 10m`
    pub repeat: Option<Length>,
}

/// What happens between two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Between {
    /// Straight lines.
    Linear,
    /// Each level holds to the next time.
    Held,
    /// Smoothstep from level to level.
    Smooth,
}

/// `target "prod-*" { … }` of a policy: guards for some targets.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyPart {
    /// For which.
    pub targets: PolicyTargets,
    /// Their guards.
    pub rules: Vec<GuardRule>,
}

/// The targets a part of a policy is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyTargets {
    /// `target any`
    Any,
    /// `target elsewhere`: those that are not this machine.
    Elsewhere,
    /// `target "prod-*.example.com:6379"`: by host and port, or by path; `*` stands for anything.
    Like(String),
}

/// `walk from RATE by STEP every TIME within LOW..HIGH for LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// The first level.
    pub from: Expr,
    /// How far up or down.
    pub by: Expr,
    /// How long each level is held.
    pub every: Expr,
    /// The lowest and the highest level; without them it turns back at 0 alone.
    pub within: Option<(Expr, Expr)>,
    /// How long.
    pub length: Length,
}

/// `chaos LOW..HIGH every SHORTEST..LONGEST for LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Chaos {
    /// The lowest level.
    pub low: Expr,
    /// The highest.
    pub high: Expr,
    /// The shortest time from level to level, and the longest if it is another.
    pub every: (Expr, Option<Expr>),
    /// How long.
    pub length: Length,
}

/// `replay FILE time COLUMN in UNIT rate COLUMN scale xF speed xF`
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The recording.
    pub file: Name,
    /// `at "created"`: one job for each row, at the instant in this column.
    pub at: Option<Column>,
    /// `time "t"`: the column of the times of a rate.
    pub time: Option<Column>,
    /// `rate "rps"`: the column of the rate.
    pub rate: Option<Name>,
    /// Each rate holds until the next.
    pub held: bool,
    /// `scale x2`
    pub scale: Option<Expr>,
    /// `speed x10`
    pub speed: Option<Expr>,
}

/// A column of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the file.
    pub name: Name,
    /// `in ms`: the unit of its numbers.
    pub unit: Option<Name>,
}

/// A line of `guard { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct GuardRule {
    /// What is bounded; `None` where it could not be read.
    pub kind: Option<GuardKind>,
    /// What happens at the bound; none makes it a claim.
    pub action: Option<Spanned<GuardAction>>,
    /// Its place.
    pub span: Span,
}

/// What a guard bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardKind {
    /// `rate <= 1000/s over 5s`
    Rate {
        /// The bound.
        limit: Expr,
        /// The window; 1 s if not given.
        over: Option<Expr>,
    },
    /// `jobs <= 1M`
    Jobs(Expr),
    /// `time <= 1h`
    Time(Expr),
    /// `depth "orders" <= 5k`
    Depth {
        /// Of one queue, or of any.
        queue: Option<Name>,
        /// The bound.
        limit: Expr,
    },
    /// `errors <= 1% over 10s`
    Errors {
        /// The bound.
        limit: Expr,
        /// The window; 10 s if not given.
        over: Option<Expr>,
    },
    /// `age <= 30s`
    Age(Expr),
    /// `failed <= 1% over 1m`
    Failed {
        /// The bound.
        limit: Expr,
        /// The window; a minute if not given.
        over: Option<Expr>,
    },
    /// `memory <= 100MB`
    Memory(Expr),
    /// `cpu <= 80%`
    Cpu(Expr),
    /// `server memory <= 80%`
    ServerMemory(Expr),
    /// `file "/tmp/stop"`
    File(Name),
    /// `warn at 80%`, `warn depth at 2k`
    Warn {
        /// Of which guard; of all if not given.
        of: Option<Spanned<WarnOf>>,
        /// The level: a share of the bound, or one in the guard's own measure.
        at: Expr,
    },
    /// `cooldown 30s`
    Cooldown(Expr),
    /// `notify webhook "https://…" timeout 5s retries 3`
    Notify(Notify),
}

/// The guard that a level of warning is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarnOf {
    /// `warn rate at …`
    Rate,
    /// `warn jobs at …`
    Jobs,
    /// `warn time at …`
    Time,
    /// `warn depth at …`, or of one queue, `warn depth "orders" at …`
    Depth(Option<String>),
    /// `warn errors at …`
    Errors,
    /// `warn memory at …`
    Memory,
    /// `warn cpu at …`
    Cpu,
    /// `warn age at …`
    Age,
    /// `warn failed at …`
    Failed,
    /// `warn server memory at …`
    ServerMemory,
}

/// Whom to tell when a guard is hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Notify {
    /// Whether `to` is the address of a webhook; else it is a command.
    pub webhook: bool,
    /// The address or the command.
    pub to: Expr,
    /// `timeout 5s`
    pub timeout: Option<Expr>,
    /// `retries 3`
    pub retries: Option<Expr>,
}

/// What a guard does when its bound is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardAction {
    /// `then stop`
    Stop,
    /// `then pause until 4k`
    PauseUntil(Expr),
    /// `then slow`
    Slow,
    /// `then shed`
    Shed,
}

/// A line of `expect { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What is judged; `None` where it could not be read.
    pub kind: Option<ExpectKind>,
    /// `else stop`: the run ends as soon as it can no longer be met.
    pub stops: Option<Span>,
    /// Its place.
    pub span: Span,
}

/// What an expectation judges.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectKind {
    /// The measure.
    pub measure: Measure,
    /// How it is compared.
    pub comparison: Spanned<Comparison>,
    /// With what.
    pub limit: Expr,
    /// Of which queue; of all that are written to if not given.
    pub queue: Option<Name>,
    /// Of the jobs of which phrase; for [`Measure::Recovers`], after which.
    pub phrase: Option<Name>,
    /// `at 5m`: when the plan has come to this time, not at the end.
    pub at: Option<Expr>,
}

/// A measure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The number of jobs acknowledged.
    Jobs,
    /// The largest distance from the plan.
    Deviation,
    /// Failed jobs as a share of those sent.
    Errors,
    /// How long it takes after the last job until no job waits.
    Drains,
    /// The largest depth of a queue.
    Depth,
    /// The depth of a queue at an instant.
    DepthNow,
    /// How long it takes after a phrase until what it disturbed is back where it was.
    Recovers(Recovery),
    /// A time, by statistic and kind.
    Time(Statistic, TimeKind),
}

/// What comes back to where it was before a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// The 99th percentile of the response time, and the depth.
    Both,
    /// The depth.
    Depth,
    /// A time.
    Time(Statistic, TimeKind),
}

/// Which of the recorded times a measure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeKind {
    /// Sent minus intended.
    SendDelay,
    /// Acknowledged minus sent.
    Service,
    /// Acknowledged minus intended.
    Response,
    /// Begun by a worker minus ready to be taken.
    Pickup,
}

/// A statistic over recorded times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The largest.
    Max,
    /// A percentile, in thousandths of a percent: p99.9 is 99,900.
    Percentile(u32),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1.5k`, `30s`, `4KB`, `5%`, `90deg`
    Literal(Literal),
    /// `"redis://…"`
    Text(String),
    /// `peak`
    Name(String),
    /// `env("REDIS_URL")`
    Env(Name),
    /// `-x`
    Negate(Box<Expr>),
    /// `a + b`
    Binary(Box<Expr>, Spanned<Operator>, Box<Expr>),
    /// `k/min`
    Per(Box<Expr>, Spanned<PerUnit>),
    /// `x1.5`, `x(expr)`
    Factor(Box<Expr>),
    /// `min(a, b)`
    Call(Name, Vec<Expr>),
    /// `(a + b)`
    Parens(Box<Expr>),
}

/// A number with its unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// In the unit's base: seconds, bytes, turns, ones.
    pub value: Exact,
    /// What it measures.
    pub unit: Unit,
    /// As it was written.
    pub text: String,
}

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nothing: a count, a factor, or a rate in jobs per second where one belongs.
    Plain,
    /// A duration, in seconds.
    Duration,
    /// A size, in bytes.
    Size,
    /// A share, in ones: 5% is 0.05.
    Share,
    /// An angle in degrees, radians or turns, kept in turns.
    Angle,
    /// A rate, in jobs per second.
    Rate,
    /// A factor: `x1.5`.
    Factor,
}

/// An infix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// The unit glued to a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PerUnit {
    /// `/s`
    Second,
    /// `/min`
    Minute,
    /// `/h`
    Hour,
    /// `/day`
    Day,
}
