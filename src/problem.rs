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
    /// a bracket is not closed, or closes nothing
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
    /// part of the language, but not of this version
    NotYet = "E0109",
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
    /// a total where the number of jobs is drawn
    DrawnTotal = "E0421",
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
