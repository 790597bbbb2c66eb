//! The formats themselves, each in a few words.

use super::{Carries, Kind, Layout, Stored, Word};

const fn word(word: &'static str, kind: Kind, form: &'static str) -> Word {
    Word { word, kind, required: false, form }
}

const fn needed(word: &'static str, form: &'static str) -> Word {
    Word { word, kind: Kind::Text, required: true, form }
}

/// A format that carries a body and can say nothing else.
const fn layout(word: &'static str) -> Layout {
    Layout {
        word,
        carries: Carries::Body,
        kwargs: false,
        options: &[],
        delay: Err("nobody would hold it back: use `as delayed`, or a framework's format"),
        priority: Err("send to a queue of its own instead"),
        timeout: Err("the worker decides that"),
        retry: Err("the worker decides that"),
        pickup: Err("nothing in Redis tells when a worker took a job"),
        stored: None,
    }
}

/// Why the start of a job can't be seen where nothing but its age is known.
const HEAD: &str = "it does not record when a job began; the age of the oldest one is shown";

impl Layout {
    const fn with(self, options: &'static [&'static [Word]]) -> Layout {
        Layout { options, ..self }
    }

    /// Its jobs are calls with arguments.
    const fn calls(self) -> Layout {
        Layout { carries: Carries::Arguments, ..self }
    }

    /// Its jobs are calls with arguments, named ones too.
    const fn calls_by_name(self) -> Layout {
        Layout { carries: Carries::Arguments, kwargs: true, ..self }
    }

    const fn delay(self, delay: Result<(), &'static str>) -> Layout {
        Layout { delay, ..self }
    }

    const fn priority(self, priority: Result<(i64, i64), &'static str>) -> Layout {
        Layout { priority, ..self }
    }

    const fn timeout(self, timeout: Result<&'static str, &'static str>) -> Layout {
        Layout { timeout, ..self }
    }

    const fn retry(self, retry: Result<(&'static str, u64), &'static str>) -> Layout {
        Layout { retry, ..self }
    }

    const fn pickup(self, pickup: Result<&'static str, &'static str>) -> Layout {
        Layout { pickup, ..self }
    }

    const fn stored(self, envelope_bytes: f64, per_byte: f64) -> Layout {
        Layout { stored: Some(Stored { envelope_bytes, packed: None, per_byte }), ..self }
    }

    /// A hash for each job, packed up to a payload of so many bytes.
    const fn hashed(self, envelope_bytes: f64, per_byte: f64, packed: (f64, f64)) -> Layout {
        Layout { stored: Some(Stored { envelope_bytes, packed: Some(packed), per_byte }), ..self }
    }
}

/// What Bull and BullMQ share.
const BULLS: &[Word] = &[
    word("name", Kind::Text, "name \"send\""),
    word("attempts", Kind::Count, "attempts 3"),
    word("backoff", Kind::Duration, "backoff 200ms"),
    word("backoff_exponential", Kind::Duration, "backoff_exponential 200ms"),
    word("lifo", Kind::Flag, "lifo"),
    word("removeOnComplete", Kind::TruthOrCount, "removeOnComplete true"),
    word("removeOnFail", Kind::TruthOrCount, "removeOnFail 1000"),
    word("prefix", Kind::Text, "prefix \"bull\""),
];

/// Options that every format takes.
pub const COMMON: &[Word] = &[word("watch", Kind::Truth, "watch false")];

/// Every format, in the order of the documentation.
pub const LAYOUTS: &[Layout] = &[
    layout("list")
        .with(&[&[word("left", Kind::Flag, "left"), word("right", Kind::Flag, "right")]])
        .stored(5.0, 1.03),
    layout("stream")
        .with(&[&[
            word("maxlen", Kind::Count, "maxlen 10k"),
            word("group", Kind::Texts, "group \"workers\""),
        ]])
        .delay(Err("a stream is read in order: use `as delayed`, or a framework's format"))
        .pickup(Ok("the pending entries of its groups"))
        .stored(15.0, 1.02),
    layout("delayed")
        .with(&[&[word("unit", Kind::OneOf(&["s", "ms"]), "unit ms")]])
        .delay(Ok(()))
        .stored(150.0, 1.25),
    layout("pubsub")
        .delay(Err("a message is read when it is sent, or never"))
        .pickup(Err("a message is read when it is sent, or never")),
    layout("sidekiq")
        .calls()
        .with(&[&[
            needed("class", "class \"OrderWorker\""),
            word("activejob", Kind::Flag, "activejob"),
            word("wrapper", Kind::Text, "wrapper \"Sidekiq::ActiveJob::Wrapper\""),
            word("version", Kind::Version(&[6, 7, 8]), "version 8"),
            word("retry", Kind::TruthOrCount, "retry 3"),
            word("retry_for", Kind::Duration, "retry_for 1h"),
        ]])
        .delay(Ok(()))
        .priority(Err("Sidekiq has queues for that: send to one with more weight"))
        .timeout(Err("Sidekiq has no time limit of its own"))
        .retry(Ok(("retry", 0)))
        .pickup(Err(HEAD))
        .stored(160.0, 1.1),
    layout("bullmq")
        .with(&[BULLS])
        .delay(Ok(()))
        .priority(Ok((0, 2_097_152)))
        .timeout(Err("BullMQ has no time limit of its own"))
        .retry(Ok(("attempts", 1)))
        .pickup(Ok("the queue's events"))
        .hashed(650.0, 1.02, (64.0, 270.0)),
    layout("celery")
        .calls_by_name()
        .with(&[&[
            needed("task", "task \"shop.tasks.order\""),
            word("expires", Kind::Duration, "expires 1h"),
            word("time_limit", Kind::Duration, "time_limit 30s"),
            word("soft_time_limit", Kind::Duration, "soft_time_limit 20s"),
        ]])
        .delay(Ok(()))
        .priority(Ok((0, 9)))
        .timeout(Ok("time_limit"))
        .retry(Err("in Celery the task's own code decides that (`autoretry_for`, `max_retries`)"))
        .pickup(Err(HEAD))
        .stored(800.0, 1.4),
    layout("rq")
        .calls_by_name()
        .with(&[&[
            needed("function", "function \"shop.tasks.order\""),
            word("serializer", Kind::OneOf(&["pickle", "json"]), "serializer json"),
            word("timeout", Kind::Duration, "timeout 3m"),
            word("retry", Kind::Count, "retry 3"),
            word("retry_interval", Kind::Duration, "retry_interval 10s"),
            word("at_front", Kind::Flag, "at_front"),
            word("result_ttl", Kind::Duration, "result_ttl 500s"),
            word("failure_ttl", Kind::Duration, "failure_ttl 1h"),
            word("ttl", Kind::Duration, "ttl 1h"),
        ]])
        .delay(Ok(()))
        .priority(Err("RQ has queues for that, or `at_front`"))
        .timeout(Ok("timeout"))
        .retry(Ok(("retry", 0)))
        .pickup(Ok("the jobs' `started_at`"))
        .hashed(770.0, 1.0, (24.0, 385.0)),
    layout("arq")
        .calls_by_name()
        .with(&[&[
            needed("function", "function \"order\""),
            word("serializer", Kind::OneOf(&["pickle", "json"]), "serializer json"),
            word("expires", Kind::Duration, "expires 1d"),
        ]])
        .delay(Ok(()))
        .priority(Err("arq runs jobs by their due time"))
        .timeout(Err("in arq the worker's function decides that (`job_timeout`)"))
        .retry(Err("in arq the worker's function decides that (`max_tries`)"))
        .pickup(Ok("the jobs' results"))
        .stored(380.0, 1.22),
    layout("dramatiq")
        .calls_by_name()
        .with(&[&[
            needed("actor", "actor \"order\""),
            word("max_retries", Kind::Count, "max_retries 3"),
            word("min_backoff", Kind::Duration, "min_backoff 15s"),
            word("max_backoff", Kind::Duration, "max_backoff 1h"),
            word("time_limit", Kind::Duration, "time_limit 10m"),
            word("max_age", Kind::Duration, "max_age 1h"),
            word("namespace", Kind::Text, "namespace \"dramatiq\""),
        ]])
        .delay(Ok(()))
        .priority(Err("in dramatiq the actor decides that"))
        .timeout(Ok("time_limit"))
        .retry(Ok(("max_retries", 0)))
        .pickup(Err(HEAD))
        .stored(390.0, 1.15),
    layout("asynq")
        .with(&[&[
            needed("type", "type \"email:send\""),
            word("retry", Kind::Count, "retry 25"),
            word("timeout", Kind::Duration, "timeout 30m"),
            word("deadline", Kind::Duration, "deadline 1h"),
            word("retention", Kind::Duration, "retention 1h"),
        ]])
        .delay(Ok(()))
        .priority(Err("asynq has queues for that: send to one with more weight"))
        .timeout(Ok("timeout"))
        .retry(Ok(("retry", 0)))
        .pickup(Err(HEAD))
        .stored(510.0, 1.22),
    layout("resque")
        .calls()
        .with(&[&[
            needed("class", "class \"OrderJob\""),
            word("namespace", Kind::Text, "namespace \"resque\""),
        ]])
        .delay(Err("Resque has no delayed jobs of its own"))
        .priority(Err("Resque has queues for that: workers take them in order"))
        .timeout(Err("Resque has no time limit of its own"))
        .retry(Err("Resque has no retries of its own"))
        .pickup(Err("its jobs have neither an id nor a time"))
        .stored(35.0, 1.02),
    layout("laravel")
        .with(&[&[
            needed("job", "job \"App\\\\Jobs\\\\Order@handle\""),
            word("tries", Kind::Count, "tries 3"),
            word("backoff", Kind::Duration, "backoff 10s"),
            word("timeout", Kind::Duration, "timeout 60s"),
            word("prefix", Kind::Text, "prefix \"laravel_database_\""),
        ]])
        .delay(Ok(()))
        .priority(Err("Laravel has queues for that: workers take them in order"))
        .timeout(Ok("timeout"))
        .retry(Ok(("tries", 1)))
        .pickup(Err(HEAD))
        .stored(310.0, 1.05),
    layout("taskiq")
        .calls_by_name()
        .with(&[&[
            needed("task", "task \"shop.tasks:order\""),
            word("stream", Kind::Flag, "stream"),
            word("group", Kind::Texts, "group \"taskiq\""),
            word("max_retries", Kind::Count, "max_retries 3"),
            word("timeout", Kind::Duration, "timeout 30s"),
        ]])
        .delay(Err("taskiq's Redis brokers have no delayed jobs"))
        .priority(Err("taskiq's Redis brokers have no priorities"))
        .timeout(Ok("timeout"))
        .retry(Ok(("max_retries", 0)))
        .pickup(Err(HEAD))
        .stored(140.0, 1.15),
    layout("huey")
        .calls_by_name()
        .with(&[&[
            needed("task", "task \"shop.tasks.order\""),
            word("retries", Kind::Count, "retries 3"),
            word("retry_delay", Kind::Duration, "retry_delay 10s"),
            word("timeout", Kind::Duration, "timeout 30s"),
        ]])
        .delay(Ok(()))
        .priority(Err("RedisHuey takes jobs in order"))
        .timeout(Ok("timeout"))
        .retry(Ok(("retries", 0)))
        .pickup(Err(HEAD))
        .stored(125.0, 1.12),
    layout("bull")
        .with(&[BULLS, &[word("timeout", Kind::Duration, "timeout 30s")]])
        .delay(Ok(()))
        .priority(Err("Bull orders them by a script of its own"))
        .timeout(Ok("timeout"))
        .retry(Ok(("attempts", 1)))
        .pickup(Ok("the jobs' `processedOn`"))
        .hashed(645.0, 1.02, (64.0, 255.0)),
    Layout { carries: Carries::Commands, ..layout("custom") }
        .delay(Err("write the due time into your commands"))
        .priority(Err("write it into your commands"))
        .timeout(Err("write it into your commands"))
        .retry(Err("write it into your commands"))
        .pickup(Err("only your workers know")),
];
