//! What is wrong with a script, as data: found by `parse` and `check`, shown by `diag`.

use crate::source::Span;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The script runs, but may not do what its writer thinks.
    Warning,
    /// The script cannot run.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Its code, by which it is looked up.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in a reader's words, without a full stop.
    pub message: String,
    /// The place, and what to say there.
    pub place: (Span, String),
    /// Other places that matter, where two disagree.
    pub others: Vec<(Span, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Problem {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: (span, String::new()),
            others: Vec::new(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::error(code, span, message) }
    }

    /// What to say at the marked place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.place.1 = text.into();
        self
    }

    /// Marks another place.
    #[must_use]
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push((span, text.into()));
        self
    }

    /// What to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The code of a finding: stable, so that it can be searched for and explained.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code there is, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The code as it is written: `E0301`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// What it is about, in a line.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// a bracket is missing, or closes nothing
    Bracket = "E0101",
    /// a quote is not closed
    Quote = "E0102",
    /// brackets or operators are nested too deep
    TooDeep = "E0103",
    /// the file is not text
    NotText = "E0104",
    /// the file is too large
    TooLarge = "E0105",
    /// no statement starts like this
    UnknownStatement = "E0106",
    /// something else was expected here
    Expected = "E0107",
    /// something stands behind a block that does not belong there
    Excess = "E0108",
    /// a number that cannot be read
    BadNumber = "E0110",
    /// a unit that does not exist
    UnknownUnit = "E0111",
    /// an escape in a string that does not exist
    BadString = "E0112",
    /// a comment of another language
    Comment = "E0113",
    /// an argument is missing
    MissingArgument = "E0120",
    /// an argument is given twice
    Twice = "E0121",
    /// a name that is not defined
    UnknownName = "E0201",
    /// a name that is defined twice
    DuplicateName = "E0202",
    /// a name that is a word of the language
    ReservedName = "E0203",
    /// a definition that needs itself
    Cycle = "E0204",
    /// a call that does not go with its shape
    BadCall = "E0205",
    /// a file that cannot be used
    BadUse = "E0206",
    /// a comment for loadc that it does not understand
    BadDirective = "E0207",
    /// a value of the wrong kind
    WrongUnit = "E0301",
    /// arithmetic between values that do not go together
    MixedUnits = "E0302",
    /// a value out of its range
    OutOfRange = "E0303",
    /// arithmetic without a result
    Arithmetic = "E0304",
    /// an environment variable that is not set
    Environment = "E0305",
    /// a shape that cannot be drawn
    BadShape = "E0401",
    /// a load that never ends
    NeverEnds = "E0402",
    /// jobs at once where a rate is limited
    AtOnceInside = "E0403",
    /// a total of a curve without jobs
    EmptyTotal = "E0404",
    /// a curve that is too large or too intricate
    TooIntricate = "E0405",
    /// a script without a load
    NoLoad = "E0406",
    /// a statement that does not belong here
    Misplaced = "E0407",
    /// a block that begins when the rest is over
    BehindEnd = "E0408",
    /// a total where the number of jobs is drawn
    DrawnTotal = "E0421",
    /// a recording that cannot be replayed
    Recording = "E0422",
    /// a place in the calendar that does not exist, or none where one is needed
    Calendar = "E0423",
    /// a generator or an argument of one that does not exist
    BadGenerator = "E0501",
    /// a queue format that does not exist, or an option it does not take
    BadFormat = "E0502",
    /// a job that is incomplete
    IncompleteJob = "E0503",
    /// one queue in two formats
    QueueConflict = "E0504",
    /// a file that cannot be used
    BadFile = "E0505",
    /// more jobs than a file has rows
    RowsRunOut = "E0506",
    /// a payload that may be too large
    PayloadTooLarge = "E0507",
    /// a flow that leads nowhere, or round and round
    BadFlow = "E0508",
    /// something that the queue's format cannot say
    CannotSay = "E0521",
    /// a command of a `custom` job that Redis would not take
    BadCommand = "E0522",
    /// the script breaks its own guard on jobs
    GuardJobs = "E0601",
    /// the script breaks its own guard on rate
    GuardRate = "E0602",
    /// the script breaks its own guard on time
    GuardTime = "E0603",
    /// a guard or an expectation that makes no sense
    BadGuard = "E0604",
    /// a target that cannot be used
    BadTarget = "E0605",
    /// what follows is never reached
    Unreachable = "W0101",
    /// a guard that could not be proven before the run
    Unproven = "W0102",
    /// nothing bounds this load
    NoGuard = "W0201",
    /// a guard that allows ten times what the script does
    LooseGuard = "W0202",
    /// the rate jumps by more than ten times without a ramp
    ColdJump = "W0203",
    /// the load ends at its peak
    NoRecovery = "W0204",
    /// a wave that would fall below zero
    ClippedSine = "W0205",
    /// a burst that fills its whole period
    SolidBurst = "W0206",
    /// a phrase that sends nothing
    SilentPhrase = "W0207",
    /// a phrase too short or too slow for a single job
    ThinPhrase = "W0208",
    /// a ramp between two rates that are the same
    FlatRamp = "W0209",
    /// a block that changes nothing
    IdleBlock = "W0210",
    /// a cap that takes jobs from a total within it
    CutTotal = "W0211",
    /// a `let` that nothing uses
    UnusedLet = "W0212",
    /// a shape that nothing calls
    UnusedShape = "W0213",
    /// a job that nothing sends
    UnusedJob = "W0214",
    /// a file that is used for nothing
    UnusedUse = "W0215",
    /// a used file holds a load of its own, which is not brought
    LeftBehind = "W0216",
    /// a name that hides another
    Shadowing = "W0217",
    /// two phrases of one name
    DuplicateLabel = "W0218",
    /// shares that do not add up to 100%
    OddWeights = "W0219",
    /// a number whose unit is left to the reader
    BareNumber = "W0220",
    /// a target is named, and only default jobs go there
    DefaultJob = "W0221",
    /// no stop file, though the target is another machine
    NoStopFile = "W0222",
    /// a password written in the script
    SecretInTarget = "W0223",
    /// an expectation that nothing can miss
    IdleExpect = "W0224",
    /// an expectation that no run can meet
    HopelessExpect = "W0225",
    /// queues within their guard would be larger than the server's memory
    PayloadMemory = "W0226",
    /// an allow that allows nothing
    UnusedAllow = "W0227",
}

/// The lints: findings that can be allowed or denied, by their names.
const LINTS: &[(Code, &str)] = &[
    (Code::Unreachable, "unreachable"),
    (Code::Unproven, "unproven"),
    (Code::NoGuard, "no-guard"),
    (Code::LooseGuard, "loose-guard"),
    (Code::ColdJump, "cold-jump"),
    (Code::NoRecovery, "no-recovery"),
    (Code::ClippedSine, "clipped-sine"),
    (Code::SolidBurst, "solid-burst"),
    (Code::SilentPhrase, "silent-phrase"),
    (Code::ThinPhrase, "thin-phrase"),
    (Code::FlatRamp, "flat-ramp"),
    (Code::IdleBlock, "idle-block"),
    (Code::CutTotal, "cut-total"),
    (Code::UnusedLet, "unused-let"),
    (Code::UnusedShape, "unused-shape"),
    (Code::UnusedJob, "unused-job"),
    (Code::UnusedUse, "unused-use"),
    (Code::LeftBehind, "left-behind"),
    (Code::Shadowing, "shadowing"),
    (Code::DuplicateLabel, "duplicate-label"),
    (Code::OddWeights, "odd-weights"),
    (Code::BareNumber, "bare-number"),
    (Code::DefaultJob, "default-job"),
    (Code::NoStopFile, "no-stop-file"),
    (Code::SecretInTarget, "secret-in-target"),
    (Code::IdleExpect, "idle-expect"),
    (Code::HopelessExpect, "hopeless-expect"),
    (Code::PayloadMemory, "payload-memory"),
    (Code::UnusedAllow, "unused-allow"),
];

impl Code {
    /// The name by which a lint is allowed or denied; `None` for what is no lint.
    pub fn lint(self) -> Option<&'static str> {
        LINTS.iter().find(|(code, _)| *code == self).map(|(_, name)| *name)
    }

    /// The lint of a name.
    pub fn of_lint(name: &str) -> Option<Code> {
        LINTS.iter().find(|(_, lint)| *lint == name).map(|(code, _)| *code)
    }

    /// The lint of a name, or of a code such as `W0201`.
    pub fn of_lint_or_code(name: &str) -> Option<Code> {
        let of_code = || {
            let code = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(name));
            code.copied().filter(|code| code.lint().is_some())
        };
        Code::of_lint(name).or_else(of_code)
    }

    /// The lint whose name is nearest to a word, if one is near.
    pub fn nearest_lint(word: &str) -> Option<&'static str> {
        did_you_mean(&word.to_lowercase().replace('_', "-"), LINTS.iter().map(|(_, name)| *name))
    }
}

/// The candidate nearest to `word`, if it is near enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=4 => 1,
        5..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
