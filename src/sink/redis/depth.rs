//! How many jobs wait in a queue.

use super::broken;
use super::control::{Control, count, refusal, text};
use crate::job::Format;
use crate::sink::{Failure, Queue};
use redis::Value;

/// `LLEN` of a list. Of a stream what its slowest group has not acknowledged, its length where it
/// has no group. 0 for a queue that is not there.
pub(super) async fn depth(control: &Control, queue: &Queue) -> Result<u64, Failure> {
    match queue.format {
        Format::List => {
            let mut questions = redis::pipe();
            questions.cmd("LLEN").arg(&queue.name);
            let replies = control.ask(&questions).await?;
            length(replies.first())
        }
        Format::Stream { .. } => {
            let mut questions = redis::pipe();
            questions.cmd("XLEN").arg(&queue.name);
            questions.cmd("XINFO").arg("GROUPS").arg(&queue.name);
            let replies = control.ask(&questions).await?;
            let length = length(replies.first())?;
            // A key that is not there has no groups to ask for.
            let groups = if length == 0 { None } else { replies.get(1) };
            groups.map_or(Ok(length), |groups| waiting(groups, length))
        }
    }
}

fn length(reply: Option<&Value>) -> Result<u64, Failure> {
    let reply = reply.ok_or_else(|| broken("a reply is missing"))?;
    match refusal(reply) {
        Some(failure) => Err(failure),
        None => count(reply).ok_or_else(|| broken("the reply is no length")),
    }
}

/// The most that any group has left: entries not yet delivered to it (`lag`) and delivered but not
/// acknowledged (`pending`). Where the server can't tell the lag (null, or no such field before
/// Redis 7) it is the stream's length at most; and since it counts trimmed entries too, no group
/// has more than the stream's length.
fn waiting(groups: &Value, length: u64) -> Result<u64, Failure> {
    if let Some(failure) = refusal(groups) {
        return Err(failure);
    }
    let Value::Array(groups) = groups else {
        return Err(broken("the reply names no groups"));
    };
    let left = groups.iter().map(|group| {
        let lag = field(group, "lag").unwrap_or(length);
        let pending = field(group, "pending").unwrap_or(0);
        lag.saturating_add(pending).min(length)
    });
    Ok(left.max().unwrap_or(length))
}

fn field(group: &Value, name: &str) -> Option<u64> {
    let Value::Array(words) = group else {
        return None;
    };
    let pair = words.chunks_exact(2).find(|pair| text(&pair[0]).as_deref() == Some(name))?;
    count(&pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(fields: &[(&str, Value)]) -> Value {
        let words = fields
            .iter()
            .flat_map(|(name, value)| [Value::BulkString(name.as_bytes().to_vec()), value.clone()]);
        Value::Array(words.collect())
    }

    #[test]
    fn the_slowest_group_counts() {
        let groups = |groups: &[Value]| waiting(&Value::Array(groups.to_vec()), 10).unwrap();
        let left = |lag: Value, pending| group(&[("pending", Value::Int(pending)), ("lag", lag)]);
        assert_eq!(groups(&[]), 10);
        assert_eq!(groups(&[left(Value::Int(3), 2)]), 5);
        assert_eq!(groups(&[left(Value::Int(3), 2), left(Value::Int(0), 7)]), 7);
        assert_eq!(groups(&[left(Value::Int(0), 0)]), 0);
        assert_eq!(groups(&[left(Value::Nil, 0)]), 10);
        assert_eq!(groups(&[left(Value::Int(18), 0)]), 10);
        assert_eq!(groups(&[group(&[("pending", Value::Int(4))])]), 10);
    }
}
