//! What each format is told and can say: the words after `as`, their options, and what `delay`,
//! `priority`, `timeout` and `retry` become there. `check` goes by this table, the documentation's
//! table is compared with it, and the encoders of `sink::formats` rely on it.

use super::Format;

/// A format of jobs.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The word after `as`.
    pub word: &'static str,
    /// What stands for the job.
    pub carries: Carries,
    /// Whether it takes `kwargs { … }`.
    pub kwargs: bool,
    /// The options behind the word.
    pub options: &'static [Word],
    /// Whether a job can be put off.
    pub delay: Result<(), &'static str>,
    /// The numbers that `priority` takes.
    pub priority: Result<(i64, i64), &'static str>,
    /// The option that `timeout` sets.
    pub timeout: Result<&'static str, &'static str>,
    /// The option that `retry` sets, and what is added to the number of further tries.
    pub retry: Result<(&'static str, u64), &'static str>,
    /// Whether the start of single jobs can be seen, and by what.
    pub pickup: Result<&'static str, &'static str>,
}

impl Layout {
    /// Whether the age of the oldest waiting job can be seen.
    pub fn tells_age(&self) -> bool {
        !matches!(self.word, "list" | "pubsub" | "resque" | "custom")
    }

    /// Whether failed jobs can be told.
    pub fn tells_failures(&self) -> bool {
        let counted = ["sidekiq", "bullmq", "bull", "rq", "asynq", "resque", "dramatiq"];
        counted.contains(&self.word)
    }

    /// Whether what a job carries is part of a JSON text, or of a pickle made from one.
    pub fn is_json(&self) -> bool {
        !matches!(self.word, "list" | "stream" | "pubsub" | "asynq" | "custom")
    }
}

/// What stands for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// The body, whatever it is.
    Body,
    /// The arguments of a call: `args [ … ]`, or `body` as the only one.
    Arguments,
    /// What the job's own commands say.
    Commands,
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its word.
    pub word: &'static str,
    /// What stands behind it.
    pub kind: Kind,
    /// Whether a job is nothing without it.
    pub required: bool,
    /// How it is written, for messages.
    pub form: &'static str,
}

/// What stands behind an option's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: `lifo`.
    Flag,
    /// `true` or `false`.
    Truth,
    /// A count.
    Count,
    /// `true`, `false` or a count.
    TruthOrCount,
    /// A length of time.
    Duration,
    /// A text.
    Text,
    /// A text; the option may be repeated.
    Texts,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these numbers.
    Version(&'static [u64]),
}

const fn word(word: &'static str, kind: Kind, form: &'static str) -> Word {
    Word { word, kind, required: false, form }
}

const fn needed(word: &'static str, form: &'static str) -> Word {
    Word { word, kind: Kind::Text, required: true, form }
}

const PLAIN: Layout = Layout {
    word: "",
    carries: Carries::Body,
    kwargs: false,
    options: &[],
    delay: Err("nobody would hold it back: use `as delayed`, or a framework's format"),
    priority: Err("send to a queue of its own instead"),
    timeout: Err("the worker decides that"),
    retry: Err("the worker decides that"),
    pickup: Err("nothing in Redis tells when a worker took a job"),
};

const HEAD: Result<&str, &str> =
    Err("it does not record when a job began; the age of the oldest one is shown");

/// Options that every format takes.
pub const COMMON: &[Word] = &[word("watch", Kind::Truth, "watch false")];

/// Every format, in the order of the documentation.
pub const LAYOUTS: &[Layout] = &[
    Layout {
        word: "list",
        options: &[word("left", Kind::Flag, "left"), word("right", Kind::Flag, "right")],
        ..PLAIN
    },
    Layout {
        word: "stream",
        options: &[
            word("maxlen", Kind::Count, "maxlen 10k"),
            word("group", Kind::Texts, "group \"workers\""),
        ],
        delay: Err("a stream is read in order: use `as delayed`, or a framework's format"),
        pickup: Ok("the pending entries of its groups"),
        ..PLAIN
    },
    Layout {
        word: "delayed",
        options: &[word("unit", Kind::OneOf(&["s", "ms"]), "unit ms")],
        delay: Ok(()),
        ..PLAIN
    },
    Layout {
        word: "pubsub",
        delay: Err("a message is read when it is sent, or never"),
        pickup: Err("a message is read when it is sent, or never"),
        ..PLAIN
    },
    Layout {
        word: "sidekiq",
        carries: Carries::Arguments,
        options: &[
            needed("class", "class \"OrderWorker\""),
            word("activejob", Kind::Flag, "activejob"),
            word("wrapper", Kind::Text, "wrapper \"Sidekiq::ActiveJob::Wrapper\""),
            word("version", Kind::Version(&[6, 7, 8]), "version 8"),
            word("retry", Kind::TruthOrCount, "retry 3"),
            word("retry_for", Kind::Duration, "retry_for 1h"),
        ],
        delay: Ok(()),
        priority: Err("Sidekiq has queues for that: send to one with more weight"),
        timeout: Err("Sidekiq has no time limit of its own"),
        retry: Ok(("retry", 0)),
        pickup: HEAD,
        ..PLAIN
    },
    Layout {
        word: "bullmq",
        options: &[
            word("name", Kind::Text, "name \"send\""),
            word("attempts", Kind::Count, "attempts 3"),
            word("backoff", Kind::Duration, "backoff 200ms"),
            word("backoff_exponential", Kind::Duration, "backoff_exponential 200ms"),
            word("lifo", Kind::Flag, "lifo"),
            word("removeOnComplete", Kind::TruthOrCount, "removeOnComplete true"),
            word("removeOnFail", Kind::TruthOrCount, "removeOnFail 1000"),
            word("prefix", Kind::Text, "prefix \"bull\""),
        ],
        delay: Ok(()),
        priority: Ok((0, 2_097_152)),
        timeout: Err("BullMQ has no time limit of its own"),
        retry: Ok(("attempts", 1)),
        pickup: Ok("the queue's events"),
        ..PLAIN
    },
    Layout {
        word: "celery",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("task", "task \"shop.tasks.order\""),
            word("expires", Kind::Duration, "expires 1h"),
            word("time_limit", Kind::Duration, "time_limit 30s"),
            word("soft_time_limit", Kind::Duration, "soft_time_limit 20s"),
        ],
        delay: Ok(()),
        priority: Ok((0, 9)),
        timeout: Ok("time_limit"),
        retry: Err("in Celery the task's own code decides that (`autoretry_for`, `max_retries`)"),
        pickup: HEAD,
    },
    Layout {
        word: "rq",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("function", "function \"shop.tasks.order\""),
            word("serializer", Kind::OneOf(&["pickle", "json"]), "serializer json"),
            word("timeout", Kind::Duration, "timeout 3m"),
            word("retry", Kind::Count, "retry 3"),
            word("retry_interval", Kind::Duration, "retry_interval 10s"),
            word("at_front", Kind::Flag, "at_front"),
            word("result_ttl", Kind::Duration, "result_ttl 500s"),
            word("failure_ttl", Kind::Duration, "failure_ttl 1h"),
            word("ttl", Kind::Duration, "ttl 1h"),
        ],
        delay: Ok(()),
        priority: Err("RQ has queues for that, or `at_front`"),
        timeout: Ok("timeout"),
        retry: Ok(("retry", 0)),
        pickup: Ok("the jobs' `started_at`"),
    },
    Layout {
        word: "arq",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("function", "function \"order\""),
            word("serializer", Kind::OneOf(&["pickle", "json"]), "serializer json"),
            word("expires", Kind::Duration, "expires 1d"),
        ],
        delay: Ok(()),
        priority: Err("arq runs jobs by their due time"),
        timeout: Err("in arq the worker's function decides that (`job_timeout`)"),
        retry: Err("in arq the worker's function decides that (`max_tries`)"),
        pickup: Ok("the jobs' results"),
    },
    Layout {
        word: "dramatiq",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("actor", "actor \"order\""),
            word("max_retries", Kind::Count, "max_retries 3"),
            word("min_backoff", Kind::Duration, "min_backoff 15s"),
            word("max_backoff", Kind::Duration, "max_backoff 1h"),
            word("time_limit", Kind::Duration, "time_limit 10m"),
            word("max_age", Kind::Duration, "max_age 1h"),
            word("namespace", Kind::Text, "namespace \"dramatiq\""),
        ],
        delay: Ok(()),
        priority: Err("in dramatiq the actor decides that"),
        timeout: Ok("time_limit"),
        retry: Ok(("max_retries", 0)),
        pickup: HEAD,
    },
    Layout {
        word: "asynq",
        options: &[
            needed("type", "type \"email:send\""),
            word("retry", Kind::Count, "retry 25"),
            word("timeout", Kind::Duration, "timeout 30m"),
            word("deadline", Kind::Duration, "deadline 1h"),
            word("retention", Kind::Duration, "retention 1h"),
        ],
        delay: Ok(()),
        priority: Err("asynq has queues for that: send to one with more weight"),
        timeout: Ok("timeout"),
        retry: Ok(("retry", 0)),
        pickup: HEAD,
        ..PLAIN
    },
    Layout {
        word: "resque",
        carries: Carries::Arguments,
        options: &[
            needed("class", "class \"OrderJob\""),
            word("namespace", Kind::Text, "namespace \"resque\""),
        ],
        delay: Err("Resque has no delayed jobs of its own"),
        priority: Err("Resque has queues for that: workers take them in order"),
        timeout: Err("Resque has no time limit of its own"),
        retry: Err("Resque has no retries of its own"),
        pickup: Err("its jobs have neither an id nor a time"),
        ..PLAIN
    },
    Layout {
        word: "laravel",
        options: &[
            needed("job", "job \"App\\\\Jobs\\\\Order@handle\""),
            word("tries", Kind::Count, "tries 3"),
            word("backoff", Kind::Duration, "backoff 10s"),
            word("timeout", Kind::Duration, "timeout 60s"),
            word("prefix", Kind::Text, "prefix \"laravel_database_\""),
        ],
        delay: Ok(()),
        priority: Err("Laravel has queues for that: workers take them in order"),
        timeout: Ok("timeout"),
        retry: Ok(("tries", 1)),
        pickup: HEAD,
        ..PLAIN
    },
    Layout {
        word: "taskiq",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("task", "task \"shop.tasks:order\""),
            word("stream", Kind::Flag, "stream"),
            word("group", Kind::Texts, "group \"taskiq\""),
            word("max_retries", Kind::Count, "max_retries 3"),
            word("timeout", Kind::Duration, "timeout 30s"),
        ],
        delay: Err("taskiq's Redis brokers have no delayed jobs"),
        priority: Err("taskiq's Redis brokers have no priorities"),
        timeout: Ok("timeout"),
        retry: Ok(("max_retries", 0)),
        pickup: HEAD,
    },
    Layout {
        word: "huey",
        carries: Carries::Arguments,
        kwargs: true,
        options: &[
            needed("task", "task \"shop.tasks.order\""),
            word("retries", Kind::Count, "retries 3"),
            word("retry_delay", Kind::Duration, "retry_delay 10s"),
            word("timeout", Kind::Duration, "timeout 30s"),
        ],
        delay: Ok(()),
        priority: Err("RedisHuey takes jobs in order"),
        timeout: Ok("timeout"),
        retry: Ok(("retries", 0)),
        pickup: HEAD,
    },
    Layout {
        word: "bull",
        options: &[
            word("name", Kind::Text, "name \"send\""),
            word("attempts", Kind::Count, "attempts 3"),
            word("backoff", Kind::Duration, "backoff 200ms"),
            word("backoff_exponential", Kind::Duration, "backoff_exponential 200ms"),
            word("lifo", Kind::Flag, "lifo"),
            word("timeout", Kind::Duration, "timeout 30s"),
            word("removeOnComplete", Kind::TruthOrCount, "removeOnComplete true"),
            word("removeOnFail", Kind::TruthOrCount, "removeOnFail 1000"),
            word("prefix", Kind::Text, "prefix \"bull\""),
        ],
        delay: Ok(()),
        priority: Err("Bull orders them by a script of its own"),
        timeout: Ok("timeout"),
        retry: Ok(("attempts", 1)),
        pickup: Ok("the jobs' `processedOn`"),
        ..PLAIN
    },
    Layout {
        word: "custom",
        carries: Carries::Commands,
        delay: Err("write the due time into your commands"),
        priority: Err("write it into your commands"),
        timeout: Err("write it into your commands"),
        retry: Err("write it into your commands"),
        pickup: Err("only your workers know"),
        ..PLAIN
    },
];

/// The format of a word.
pub fn layout(word: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.word == word)
}

impl Format {
    /// The word after `as`.
    pub fn word(&self) -> &'static str {
        match self {
            Format::List => "list",
            Format::Stream { .. } => "stream",
            Format::Delayed => "delayed",
            Format::PubSub => "pubsub",
            Format::Sidekiq => "sidekiq",
            Format::BullMq { .. } => "bullmq",
            Format::Bull { .. } => "bull",
            Format::Celery => "celery",
            Format::Rq => "rq",
            Format::Arq => "arq",
            Format::Dramatiq { .. } => "dramatiq",
            Format::Asynq => "asynq",
            Format::Resque { .. } => "resque",
            Format::Laravel { .. } => "laravel",
            Format::Taskiq { .. } => "taskiq",
            Format::Huey => "huey",
            Format::Custom => "custom",
        }
    }
}
