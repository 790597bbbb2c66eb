//! The rules of the grammar in a reader's words. No other room ever shows a rule's name.

use super::Rule;
use super::table::{self, ARGUMENT, EXPECT, GUARD, JOB, STATEMENT};

/// A block, where one was expected.
pub(super) const BLOCK: &str = "a block `{ … }`";

/// Where nothing more was expected.
pub(super) const END: &str = "the end of the statement";

/// Whether a word begins a statement of a file, a job, a guard or an expectation.
pub(super) fn begins_statement(word: &str) -> bool {
    table::leads(word, STATEMENT | JOB | GUARD | EXPECT)
}

/// Whether a word leads an argument within a statement.
pub(super) fn is_argument(word: &str) -> bool {
    table::leads(word, ARGUMENT)
}

/// What a rule is called where it was expected; empty for those that are never named. The match is
/// exhaustive on purpose: a new rule does not compile until somebody has worded it for a reader.
fn word(rule: Rule) -> &'static str {
    use Rule as R;
    match rule {
        R::batch | R::kw_batch => "`batch`",
        R::arrivals | R::arrivals_block | R::kw_arrivals => "`arrivals`",
        R::late | R::kw_late => "`late`",
        R::lateness => "`send`, `skip after 1s` or `spread over 5s`",
        R::kw_skip => "`skip`",
        R::kw_spread => "`spread`",
        R::starts | R::kw_starts => "`starts`",
        R::hours | R::kw_hours => "`hours`",
        R::date => "a date such as `2026-03-29`",
        R::clock | R::hour_rule => "a time of day such as `07:00`",
        R::days | R::day => "days such as `sat..sun`",
        R::kw_on => "`on`",
        R::replay | R::kw_replay => "`replay`",
        R::at_column => "`at`",
        R::time_column => "`time`",
        R::rate_column => "`rate`",
        R::scale_by => "`scale`",
        R::speed_by => "`speed`",
        R::kw_in => "`in`",
        R::walk | R::kw_walk => "`walk`",
        R::chaos | R::kw_chaos => "`chaos`",
        R::from | R::kw_from => "`from`",
        R::within | R::kw_within => "`within`",
        R::arrival => "`even`, `poisson`, `poisson exact` or `gamma cv 2`",
        R::kw_even => "`even`",
        R::kw_poisson => "`poisson`",
        R::kw_exact => "`exact`",
        R::kw_gamma => "`gamma`",
        R::kw_cv => "`cv`",
        R::over | R::over_length | R::kw_over => "`over`",
        R::on | R::length | R::kw_for => "`for`",
        R::every | R::every_range | R::kw_every => "`every`",
        R::each | R::kw_each => "`each`",
        R::by | R::kw_by => "`by`",
        R::base | R::kw_base => "`base`",
        R::amp | R::kw_amp => "`amp`",
        R::period | R::kw_period => "`period`",
        R::phase | R::kw_phase => "`phase`",
        R::times | R::kw_times => "`times`",
        R::hold | R::kw_hold => "`hold`",
        R::back | R::kw_back => "`back`",
        R::total | R::kw_total => "`total`",
        R::label | R::format | R::kw_as => "`as`",
        R::weight | R::kw_weight => "`weight`",
        R::action | R::kw_then => "`then`",
        R::loop_for | R::kw_loop => "`loop`",
        R::pause_until => "`pause until`",
        R::let_statement | R::kw_let => "`let`",
        R::seed | R::kw_seed => "`seed`",
        R::target | R::kw_target => "`target`",
        R::after | R::kw_after => "`after`",
        R::mix | R::at_once | R::at_once_phrase | R::kw_send => "`send`",
        R::load | R::kw_load => "`load`",
        R::constant | R::kw_constant => "`constant`",
        R::pause | R::kw_pause => "`pause`",
        R::drain | R::kw_drain => "`drain`",
        R::hold_depth => "`hold depth`",
        R::rate_bound => "`at most`",
        R::kw_most => "`most`",
        R::ramp | R::kw_ramp => "`ramp`",
        R::sine | R::kw_sine => "`sine`",
        R::burst | R::kw_burst => "`burst`",
        R::steps | R::kw_steps => "`steps`",
        R::stairs | R::kw_stairs => "`stairs`",
        R::points | R::kw_points => "`points`",
        R::repeat | R::kw_repeat => "`repeat`",
        R::together | R::kw_together => "`together`",
        R::scale | R::kw_scale => "`scale`",
        R::cap | R::kw_cap => "`cap`",
        R::floor | R::kw_floor => "`floor`",
        R::speed | R::kw_speed => "`speed`",
        R::jitter | R::kw_jitter => "`jitter`",
        R::warmup | R::kw_warmup => "`warmup`",
        R::use_statement | R::kw_use => "`use`",
        R::shape_definition | R::kw_shape => "`shape`",
        R::params => "parameters in parentheses",
        R::job | R::kw_job => "`job`",
        R::flow | R::kw_flow => "`flow`",
        R::flow_after => "`after`",
        R::flow_share => "a share",
        R::kw_or => "`or`",
        R::guard | R::kw_guard => "`guard`",
        R::expect | R::kw_expect => "`expect`",
        R::queue | R::kw_queue => "`queue`",
        R::size | R::kw_size => "`size`",
        R::body | R::body_file | R::kw_body => "`body`",
        R::rows | R::kw_rows => "`rows`",
        R::content => "`binary`",
        R::row_order => "`in turn`, `random` or `once`",
        R::kw_binary => "`binary`",
        R::kw_text => "`text`",
        R::kw_turn => "`turn`",
        R::args | R::kw_args => "`args`",
        R::kwargs | R::kw_kwargs => "`kwargs`",
        R::priority | R::kw_priority => "`priority`",
        R::job_timeout => "`timeout`",
        R::retry | R::kw_retry => "`retry`",
        R::own_command => "`command`",
        R::list | R::list_head | R::kw_list => "`list`",
        R::env | R::kw_env => "`env`",
        R::rate_guard | R::kw_rate => "`rate`",
        R::jobs_guard | R::kw_jobs => "`jobs`",
        R::time_guard | R::kw_time => "`time`",
        R::depth_guard | R::kw_depth => "`depth`",
        R::errors_guard | R::kw_errors => "`errors`",
        R::age_guard | R::kw_age => "`age`",
        R::failed_guard | R::kw_failed => "`failed`",
        R::kw_pickup => "`pickup`",
        R::memory_guard | R::kw_memory => "`memory`",
        R::cpu_guard | R::kw_cpu => "`cpu`",
        R::server_guard | R::kw_server => "`server memory`",
        R::file_guard | R::kw_file => "`file`",
        R::warn | R::kw_warn => "`warn`",
        R::cooldown | R::kw_cooldown => "`cooldown`",
        R::notify | R::kw_notify => "`notify`",
        R::kw_any => "`any`",
        R::kw_elsewhere => "`elsewhere`",
        R::policy_part => "`target`",
        R::kw_command => "`command`",
        R::kw_webhook => "`webhook`",
        R::timeout | R::kw_timeout => "`timeout`",
        R::retries | R::kw_retries => "`retries`",
        R::drains | R::kw_drains => "`drains`",
        R::depth_stays => "`depth`",
        R::recovers | R::kw_recovers => "`recovers`",
        R::compared => "an expectation",
        R::recovering => "a measure such as `p99 response`",
        R::at_time => "`at`",
        R::of_phrase => "the name of a phrase",
        R::of_queue => "`queue`",
        R::else_stop | R::kw_else => "`else stop`",
        R::kw_stays => "`stays`",
        R::kw_below => "`below`",
        R::kw_slow => "`slow`",
        R::kw_shed => "`shed`",
        R::warn_of => "a guard such as `depth`",
        R::at_block | R::kw_at => "`at`",
        R::job_delay | R::kw_delay => "`delay`",
        R::kw_deviation => "`deviation`",
        R::kw_exponential => "`exponential`",
        R::kw_forever => "`forever`",
        R::kw_held => "`held`",
        R::kw_linear => "`linear`",
        R::kw_logarithmic => "`logarithmic`",
        R::kw_once => "`once`",
        R::kw_random => "`random`",
        R::kw_response => "`response`",
        R::kw_service => "`service`",
        R::kw_smooth => "`smooth`",
        R::kw_stop => "`stop`",
        R::until | R::kw_until => "`until`",
        R::arrow | R::arrow_mark => "`->`",
        R::comma_mark => "`,`",
        R::colon => "`:`",
        R::equals => "`=`",
        R::at_most => "`<=`",
        R::dots => "`..`",
        R::expr
        | R::shape_arg
        | R::number
        | R::factor
        | R::function
        | R::variable
        | R::parens
        | R::negation
        | R::inner
        | R::string_value
        | R::null
        | R::boolean
        | R::number_value
        | R::reference
        | R::column
        | R::object
        | R::array
        | R::call
        | R::call_arg
        | R::range
        | R::entry
        | R::step
        | R::point
        | R::reserved => "a value",
        R::ident | R::name | R::flow_way | R::param | R::mix_item | R::format_option => "a name",
        R::string => "a text in quotes",
        R::block
        | R::job_block
        | R::flow_block
        | R::guard_block
        | R::expect_block
        | R::hours_block
        | R::group => BLOCK,
        R::ramp_curve => "a curve: `linear`, `exponential`, `logarithmic` or `smooth`",
        R::comparison => "`<`, `<=`, `=`, `>=` or `>`",
        R::time_kind => "`send delay`, `service`, `response` or `pickup`",
        R::statistic => "`mean`, `max` or a percentile such as `p99`",
        R::measure => "`jobs`, `deviation`, `errors` or a time",
        R::EOI => END,
        R::file
        | R::policy_file
        | R::broken_policy
        | R::lone_statement
        | R::lone_job_field
        | R::lone_guard_rule
        | R::lone_flow_step
        | R::flow_step
        | R::lone_expectation
        | R::lone_entry
        | R::lone_value
        | R::lone_expr
        | R::blank
        | R::newline
        | R::comment
        | R::edge
        | R::sp
        | R::gap
        | R::nl
        | R::filler
        | R::stop
        | R::end
        | R::statements
        | R::statement
        | R::line_statement
        | R::block_statement
        | R::setting
        | R::shape_phrase
        | R::suffix
        | R::notify_arg
        | R::shape
        | R::shape_call
        | R::ramp_arg
        | R::hold_arg
        | R::sine_arg
        | R::burst_arg
        | R::steps_arg
        | R::stairs_arg
        | R::walk_arg
        | R::chaos_arg
        | R::replay_arg
        | R::block_phrase
        | R::block_head
        | R::job_field
        | R::job_field_kind
        | R::value
        | R::value_end
        | R::uncoloned
        | R::odd_value
        | R::bad_value
        | R::sep
        | R::guard_rule
        | R::guard_kind
        | R::expectation
        | R::infix
        | R::operand
        | R::primary
        | R::operator
        | R::minus
        | R::digit
        | R::ident_start
        | R::ident_char
        | R::comma
        | R::item
        | R::rule_end
        | R::step_end
        | R::part
        | R::bound
        | R::hyphened
        | R::bare_text
        | R::not_comma
        | R::no_comma
        | R::not_colon
        | R::no_colon
        | R::no_value
        | R::no_mark
        | R::not_stop
        | R::not_at_most
        | R::broken
        | R::broken_rule
        | R::excess
        | R::gone
        | R::open_string
        | R::carried
        | R::format_flag
        | R::begins
        | R::brackets
        | R::braces
        | R::inside
        | R::junk => "",
    }
}

/// What a value would be behind a word of a statement: its kind and an example.
fn value_behind(before: Option<&str>, statement: &str) -> &'static str {
    let before = match before.unwrap_or("") {
        // What a mark compares says its first word.
        "<=" | "<" | ">=" | ">" | "=" if statement != "let" => statement,
        before => before,
    };
    match before {
        "for" | "over" | "every" | "each" | "hold" | "period" | "after" | "time" | "delay"
        | "timeout" => "a duration such as `30s`",
        "constant" | "ramp" | "stairs" | "base" | "amp" | "cap" | "floor" | "by" | "->"
        | "from" | "rate" | "most" => "a rate such as `50` or `50/s`",
        "scale" | "speed" => "a factor such as `x2`",
        "total" | "times" | "repeat" | "jobs" | "weight" | "seed" | "depth" | "priority"
        | "retry" | "batch" => "a number such as `10`",
        "size" | "memory" => "a size such as `4KB`",
        "cpu" | "server" => "a share such as `80%`",
        "cooldown" | "drains" | "drain" | "recovers" => "a duration such as `30s`",
        "retries" => "a number such as `3`",
        "chaos" | "within" => "two rates such as `20..120`",
        "cv" => "a number such as `2`",
        "phase" => "an angle such as `90deg`",
        "errors" | "deviation" | "jitter" => "a share such as `1%`",
        "at" => "a time of day such as `02:00`",
        "use" => "a path such as `\"shared/day.load\"`",
        "target" => "an address such as `\"redis://127.0.0.1:6379\"`",
        "points" => "a time and a rate such as `0s 10`",
        "send" => "a number such as `50k`",
        "pause" => "a duration such as `30s`",
        "steps" | "burst" => "a rate such as `50` or `50/s`",
        _ if before.starts_with('p') && before[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            "a duration such as `20ms`"
        }
        "mean" | "max" => "a duration such as `20ms`",
        _ => "a value",
    }
}

/// What could have stood there, each once, in the order in which the grammar tries it.
pub(super) fn expected(rules: &[Rule], before: Option<&str>, statement: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for rule in rules {
        let named = match (word(*rule), before) {
            ("a value", _) => value_behind(before, statement),
            (other, _) => other,
        };
        if !named.is_empty() && !found.contains(&named) {
            found.push(named);
        }
    }
    // The end of a statement is worth saying only where nothing else is.
    if found.len() > 1 {
        found.retain(|named| *named != END);
    }
    found
}

/// `a, b or c`; `None` where there is nothing to name or too much to help.
pub(super) fn list(words: &[&str]) -> Option<String> {
    match words {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] if words.len() <= 7 => Some(format!("{} or {last}", first.join(", "))),
        _ => None,
    }
}

/// How an expectation is written, by its first word.
pub(super) fn expectation_form(word: &str) -> Option<&'static str> {
    Some(match word {
        "jobs" => "jobs = 15k",
        "errors" => "errors < 0.1%",
        "deviation" => "deviation < 1%",
        "depth" => "depth \"orders\" stays below 10k",
        "queue" => "queue \"orders\" p99 response < 20ms",
        "at" => "at 5m p99 response < 20ms",
        _ if word.starts_with('"') => "\"night\" p99 response < 5ms",
        _ => return form(word),
    })
}

/// How a statement is written, by its first word.
pub(super) fn form(statement: &str) -> Option<&'static str> {
    table::form(statement)
}
