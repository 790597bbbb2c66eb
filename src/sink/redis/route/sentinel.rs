//! Sentinels: they name the present master of a service.

use super::super::connect::{ConnectError, ConnectErrorKind, Socket};
use super::super::control::text;
use super::super::dialogue::Dialogue;
use super::{Way, ask};
use crate::target::Place;
use redis::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Those who know the master.
pub(super) struct Sentinels {
    places: Vec<Place>,
    service: String,
    /// The one that answered last: it is asked first.
    first: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(places: &[Place], service: &str) -> Sentinels {
        let first = AtomicUsize::new(0);
        Sentinels { places: places.to_vec(), service: service.to_owned(), first }
    }

    /// The master, as the first sentinel has it that answers and knows the service.
    ///
    /// # Errors
    ///
    /// When none of them does.
    pub(super) async fn master(&self, way: &Way) -> Result<Place, ConnectError> {
        let first = self.first.load(Ordering::Relaxed);
        let mut trouble = None;
        for turn in 0..self.places.len() {
            let at = (first + turn) % self.places.len();
            match self.ask_one(way, &self.places[at]).await {
                Ok(place) => {
                    way.tell(|| {
                        let sentinel = &self.places[at];
                        format!("the sentinel {sentinel} names {place} for `{}`", self.service)
                    });
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(place);
                }
                Err(error) => _ = trouble.get_or_insert(error),
            }
        }
        Err(trouble.unwrap_or_else(|| way.errors().silent("it names no sentinel")))
    }

    async fn ask_one(&self, way: &Way, place: &Place) -> Result<Place, ConnectError> {
        // The login is the servers'; a sentinel is given it if it asks for one.
        let with_login = way.to(place)?;
        let bare = way.first.to(with_login.target().clone().anonymous());
        let (connector, socket) = match Box::pin(bare.connect()).await {
            Err(error) if error.kind == ConnectErrorKind::PasswordNeeded => {
                let with_login = way.first.to(with_login.target().clone().on_first_database());
                let socket = Box::pin(with_login.connect()).await?;
                (with_login, socket)
            }
            connected => (bare, connected?),
        };
        let mut dialogue = Dialogue::new(socket);
        let words = ["SENTINEL", "get-master-addr-by-name", self.service.as_str()];
        let asked = ask(&mut dialogue, &words);
        let answer = tokio::time::timeout(way.timeout(), asked).await;
        let refuse = |kind, detail| Err(ConnectError::new(kind, connector.target(), detail));
        match answer.map_err(|_| connector.late())? {
            Ok(Value::Array(parts)) => {
                let mut parts = parts.iter().map(text);
                match (parts.next().flatten(), parts.next().flatten().map(|port| port.parse())) {
                    (Some(host), Some(Ok(port))) => Ok(Place { host, port }),
                    _ => Err(connector.not_started("it names a master without an address")),
                }
            }
            Ok(Value::Nil) => {
                let detail = format!("it watches no service `{}`", self.service);
                refuse(ConnectErrorKind::NoMaster, detail)
            }
            Ok(Value::ServerError(error)) => {
                let detail = format!("{} {}", error.code(), error.details().unwrap_or_default());
                refuse(ConnectErrorKind::NoSentinel, detail)
            }
            Ok(_) => Err(connector.not_started("its answer is not a sentinel's")),
            Err(detail) => Err(connector.not_started(&detail)),
        }
    }
}

/// Makes sure that the server is a master: a sentinel may name one that is not any more, or not
/// yet.
pub(super) async fn of_master(
    way: &Way,
    socket: Socket,
    place: &Place,
) -> Result<Socket, ConnectError> {
    let mut dialogue = Dialogue::new(socket);
    let answer = tokio::time::timeout(way.timeout(), ask(&mut dialogue, &["ROLE"])).await;
    let answer = answer.map_err(|_| way.errors().late())?;
    let role = match answer {
        Ok(Value::Array(parts)) => parts.first().and_then(text),
        // One who may not ask finds out by the first refusal.
        Ok(_) => None,
        Err(detail) => return Err(way.errors().not_started(&detail)),
    };
    match role.as_deref() {
        None | Some("master") => Ok(dialogue.into_socket()),
        Some(role) => {
            let detail = format!("the sentinels name {place}, which is a {role}");
            Err(way.error(ConnectErrorKind::NoMaster, detail))
        }
    }
}
