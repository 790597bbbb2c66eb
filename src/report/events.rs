//! What happened in a run, in words, and what of it is marked on the curves.

use super::markup::seconds;
use crate::show;
use serde_json::Value;

/// An event of a run.
pub(super) struct Told {
    pub(super) t_s: f64,
    /// Its kind, also the class of its mark.
    pub(super) kind: String,
    pub(super) words: String,
    /// Whether it is marked on the curves.
    pub(super) marked: bool,
}

/// To where a connection of an event leads.
fn to_server(event: &Value) -> String {
    let queues = event["queues"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = queues.iter().filter_map(Value::as_str).collect();
    show::whither(event["server"].as_str(), &names)
}

/// An event in words; none if it has no place in time.
pub(super) fn told(event: &Value) -> Option<Told> {
    let t_s = event["t_s"].as_f64()?;
    let kind = event["event"].as_str()?.to_owned();
    let text = |field: &str| event[field].as_str().unwrap_or_default();
    let count = |field: &str| show::plural(event[field].as_u64().unwrap_or(0), "job");
    let of = text("stream");
    let load = if of.is_empty() { String::new() } else { format!(" load {of}") };
    let words = match kind.as_str() {
        "started" => format!("started: {} to {}", count("jobs"), text("target")),
        "warning" => format!("warning: {}", text("message")),
        "error" => {
            format!(
                "{} {} ({}): {}",
                count("count"),
                text("outcome"),
                text("kind"),
                text("message")
            )
        }
        "guard" => match event["cause"].as_str() {
            Some(cause) => {
                format!("guard {} can't be kept, {cause}: {}", text("guard"), text("action"))
            }
            None => format!(
                "guard {} hit at {}: {}",
                text("guard"),
                show::number(event["value"].as_f64().unwrap_or(0.0)),
                text("action")
            ),
        },
        "expectation" => format!(
            "{}: {}{}",
            if event["met"] == true { "as expected" } else { "not as expected" },
            text("expectation"),
            if event["stopped"] == true { ", which ended the run" } else { "" }
        ),
        "paused" => format!("paused{load} by {}", text("by")),
        "resumed" => format!("resumed{load} after {}", text("by")),
        "connection_lost" => format!("connection{} lost: {}", to_server(event), text("message")),
        "reconnected" => {
            let after = seconds(event["after_s"].as_f64().unwrap_or(0.0));
            format!("connected again{} after {after}", to_server(event))
        }
        "reloaded" => format!(
            "reloaded: {} of the plan from here on, it was {}; digest {} in place of {}",
            count("planned_after"),
            show::count(event["planned_before"].as_u64().unwrap_or(0)),
            text("digest_after"),
            text("digest_before")
        ),
        "reload_rejected" => {
            format!("not reloaded, the run goes on as it was: {}", text("message"))
        }
        "scaled" => format!(
            "scaled to x{} of the plan: {}",
            show::decimal(event["factor"].as_f64().unwrap_or(1.0), 3),
            count("planned")
        ),
        "sought" => format!(
            "goes on {} after the plan's start: {}",
            seconds(event["plan_s"].as_f64().unwrap_or(0.0)),
            count("planned")
        ),
        "stalled" => {
            let for_s = event["for_s"].as_f64().unwrap_or(0.0);
            format!("loadc itself stood still for {}", show::micros(for_s * 1e6))
        }
        "forgot" => format!("the server forgot {}: {}", count("acked_jobs"), text("message")),
        "stopped" => format!("stopped: {}", text("outcome")),
        _ => plain(&kind, event),
    };
    let marked = !matches!(kind.as_str(), "started" | "stopped" | "warning" | "error" | "metrics");
    Some(Told { t_s, kind, words, marked })
}

/// An event that this version knows no sentence for: its name and its plain fields.
fn plain(kind: &str, event: &Value) -> String {
    let mut words = kind.replace('_', " ");
    let fields = event.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| !["at", "t_s", "event"].contains(&name.as_str()));
    for (at, (name, value)) in fields.enumerate() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            _ => continue,
        };
        words.push_str(if at == 0 { ": " } else { ", " });
        words.push_str(&format!("{} {value}", name.replace('_', " ")));
    }
    words
}
