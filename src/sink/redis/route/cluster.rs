//! The map of a cluster: which server owns which slots, as one of its servers tells
//! (`CLUSTER SLOTS`).

use super::super::connect::{ConnectError, ConnectErrorKind};
use super::super::control::text;
use super::super::dialogue::Dialogue;
use super::{Way, ask};
use crate::target::Place;
use redis::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// What is known of a cluster, shared by all who send to it.
pub(super) struct Map {
    seeds: Vec<Place>,
    /// It has been found wrong since it was asked for.
    doubtful: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ranges: Vec<Range>,
    /// Who told so: asked first the next time.
    teller: Option<Place>,
}

/// Slots and the server that owns them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    owner: Place,
}

impl Map {
    pub(super) fn new(seeds: &[Place]) -> Map {
        let known = Mutex::default();
        Map { seeds: seeds.to_vec(), doubtful: AtomicBool::new(true), known }
    }

    /// The map is to be asked for again before it is used.
    pub(super) fn doubt(&self) {
        self.doubtful.store(true, Ordering::Release);
    }

    /// The owner of a slot, or of the first that has one.
    ///
    /// # Errors
    ///
    /// When no server tells, or nobody owns it.
    pub(super) async fn owner(&self, way: &Way, slot: Option<u16>) -> Result<Place, ConnectError> {
        // Who comes while another asks waits for the answer, and need not ask again.
        let mut known = self.known.lock().await;
        if self.doubtful.swap(false, Ordering::AcqRel) {
            match self.ask_around(way, &known).await {
                Ok(told) => *known = told,
                Err(error) => {
                    self.doubt();
                    return Err(error);
                }
            }
        }
        let holds =
            |range: &&Range| slot.is_none_or(|slot| (range.first..=range.last).contains(&slot));
        match known.ranges.iter().find(holds) {
            Some(range) => Ok(range.owner.clone()),
            None => {
                self.doubt();
                let detail = match slot {
                    Some(slot) => format!("no server of the cluster owns slot {slot}"),
                    None => "no server of the cluster owns any slot".to_owned(),
                };
                Err(way.error(ConnectErrorKind::NoMaster, detail).in_transition())
            }
        }
    }

    /// The map as the first server has it that answers: those known before, then the seeds.
    async fn ask_around(&self, way: &Way, known: &Known) -> Result<Known, ConnectError> {
        let owners = known.ranges.iter().map(|range| &range.owner);
        let mut places: Vec<&Place> = Vec::new();
        for place in known.teller.iter().chain(&self.seeds).chain(owners) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut trouble = None;
        for place in places {
            match ask_one(way, place).await {
                Ok(ranges) => {
                    way.tell(|| map_line(place, &ranges));
                    return Ok(Known { ranges, teller: Some(place.clone()) });
                }
                // That of the first says most: it is the one that the user named.
                Err(error) => _ = trouble.get_or_insert(error),
            }
        }
        Err(trouble.unwrap_or_else(|| way.errors().silent("it names no server")))
    }
}

/// `the cluster's slots, by 10.0.0.1:6379: 0-5460 at 10.0.0.1:6379, …`
fn map_line(teller: &Place, ranges: &[Range]) -> String {
    let mut line = format!("the cluster's slots, by {teller}:");
    for (place, Range { first, last, owner }) in ranges.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        line.push_str(&format!("{comma} {first}-{last} at {owner}"));
    }
    line
}

async fn ask_one(way: &Way, place: &Place) -> Result<Vec<Range>, ConnectError> {
    let connector = way.to(place)?;
    let mut dialogue = Dialogue::new(Box::pin(connector.connect()).await?);
    let asked = ask(&mut dialogue, &["CLUSTER", "SLOTS"]);
    let answer = tokio::time::timeout(way.timeout(), asked).await;
    match answer.map_err(|_| connector.late())? {
        Ok(Value::ServerError(error)) => {
            let detail = format!("{} {}", error.code(), error.details().unwrap_or_default());
            Err(ConnectError::new(ConnectErrorKind::NoCluster, connector.target(), detail))
        }
        Ok(answer) => Ok(ranges(&answer, place)),
        Err(detail) => Err(connector.not_started(&detail)),
    }
}

/// `[[first, last, [host, port, id, …], replica…], …]`; a server that does not know its own address
/// gives none, or an empty one.
fn ranges(answer: &Value, asked: &Place) -> Vec<Range> {
    let Value::Array(rows) = answer else { return Vec::new() };
    let row = |row: &Value| {
        let Value::Array(row) = row else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = row.as_slice() else {
            return None;
        };
        let host = master.first().and_then(text).filter(|host| !matches!(host.as_str(), "" | "?"));
        let Some(Value::Int(port)) = master.get(1) else { return None };
        let owner = Place {
            host: host.unwrap_or_else(|| asked.host.clone()),
            port: u16::try_from(*port).ok()?,
        };
        Some(Range { first: u16::try_from(*first).ok()?, last: u16::try_from(*last).ok()?, owner })
    };
    rows.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_far_as_it_can_be() {
        let bytes = b"*3\r\n*4\r\n:0\r\n:99\r\n*3\r\n$9\r\n127.0.0.1\r\n:7001\r\n$1\r\na\r\n*2\r\n$1\r\nr\r\n:1\r\n\
            *3\r\n:100\r\n:16383\r\n*2\r\n$0\r\n\r\n:7002\r\n*1\r\n:5\r\n";
        let asked = Place { host: "h".to_owned(), port: 1 };
        let answer = redis::parse_redis_value(bytes).unwrap();
        let place = |host: &str, port| Place { host: host.to_owned(), port };
        let wanted = [
            Range { first: 0, last: 99, owner: place("127.0.0.1", 7001) },
            Range { first: 100, last: 16383, owner: place("h", 7002) },
        ];
        assert_eq!(ranges(&answer, &asked), wanted);
        assert_eq!(ranges(&Value::Nil, &asked), []);
    }
}
