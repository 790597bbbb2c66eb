//! Which server a connection is made to: the target itself, the master that sentinels name, or the
//! server of a cluster that owns a hash slot.

mod cluster;
mod sentinel;
pub(super) mod slot;

use super::Options;
use super::connect::{ConnectError, ConnectErrorKind, Connector, Socket};
use super::dialogue::Dialogue;
use crate::sink::Failure;
use crate::target::{Address, Place, Target};
use cluster::Map;
use redis::Value;
use sentinel::Sentinels;
use std::sync::Arc;
use std::time::Duration;

/// Makes connections to whichever server is the right one at the time.
pub(super) struct Way {
    /// As the user named it.
    first: Connector,
    route: Route,
    aside: Option<fn(&str)>,
}

enum Route {
    Straight,
    Sentinel(Sentinels),
    /// The owner of a slot; any server where none is named.
    Cluster(Arc<Map>, Option<u16>),
}

/// What a server's answer says of the next connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detour {
    /// Where it goes.
    pub(super) place: Place,
    /// The slot is on its way there, and each command must be announced (`ASKING`).
    pub(super) asking: bool,
}

/// A connection and where it goes.
pub(super) struct Reached {
    pub(super) socket: Socket,
    /// None where the target is a single server.
    pub(super) place: Option<Place>,
}

/// Which refusals mean that a command went to the wrong server, or came at the wrong time, and that
/// nothing of it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    /// None: there is one server.
    Never,
    /// Those of a master that has become a replica.
    Demoted,
    /// Those of a cluster as well.
    Slots,
}

impl Turns {
    /// Whether a refusal of this kind is one.
    pub(super) fn away(self, kind: &str) -> bool {
        match self {
            Turns::Never => false,
            Turns::Demoted => kind == "READONLY",
            Turns::Slots => {
                matches!(kind, "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "READONLY")
            }
        }
    }
}

impl Way {
    /// The way to a target; to a cluster, any of its servers.
    ///
    /// # Errors
    ///
    /// For TLS, when the trusted certificates can't be read.
    pub(super) fn new(target: &Target, options: &Options) -> Result<Way, ConnectError> {
        let first = Connector::new(target, options.connect_timeout)?;
        let route = match target.address() {
            Address::Sentinel { sentinels, service, .. } => {
                Route::Sentinel(Sentinels::new(sentinels, service))
            }
            Address::Cluster { seeds, .. } => Route::Cluster(Arc::new(Map::new(seeds)), None),
            _ => Route::Straight,
        };
        Ok(Way { first, route, aside: options.aside })
    }

    /// The way to the server of the same cluster that owns a slot.
    pub(super) fn to_slot(&self, slot: u16) -> Way {
        let route = match &self.route {
            Route::Cluster(map, _) => Route::Cluster(map.clone(), Some(slot)),
            _ => Route::Straight,
        };
        Way { first: self.first.clone(), route, aside: self.aside }
    }

    /// Tells whoever wants to know it all.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(aside) = self.aside {
            aside(&line());
        }
    }

    /// What a connection is for: the jobs of one slot, or all of them.
    pub(super) fn purpose(&self) -> String {
        match &self.route {
            Route::Cluster(_, Some(slot)) => format!(" (slot {slot})"),
            _ => String::new(),
        }
    }

    pub(super) fn target(&self) -> &Target {
        self.first.target()
    }

    /// How long one try to connect, or to find out what arrived, may take.
    pub(super) fn timeout(&self) -> Duration {
        self.first.timeout()
    }

    /// The errors of a connection that stood.
    pub(super) fn errors(&self) -> &Connector {
        &self.first
    }

    /// An error at a server in whose place another may come, if there are several.
    pub(super) fn in_transition(&self, error: ConnectError) -> ConnectError {
        if self.turns() == Turns::Never { error } else { error.in_transition() }
    }

    pub(super) fn turns(&self) -> Turns {
        match &self.route {
            Route::Straight => Turns::Never,
            Route::Sentinel(_) => Turns::Demoted,
            Route::Cluster(..) => Turns::Slots,
        }
    }

    /// A connection that has logged in, chosen its database and answered a PING.
    pub(super) async fn connect(&self) -> Result<Socket, ConnectError> {
        self.reach(None).await.map(|reached| reached.socket)
    }

    /// The same, by a detour if there is one.
    pub(super) async fn reach(&self, detour: Option<&Detour>) -> Result<Reached, ConnectError> {
        let reached = Box::pin(self.find(detour)).await?;
        self.tell(|| {
            let place = reached.place.as_ref().map(Place::to_string);
            let place = place.unwrap_or_else(|| self.target().shown());
            format!("connected to {place}{}", self.purpose())
        });
        Ok(reached)
    }

    async fn find(&self, detour: Option<&Detour>) -> Result<Reached, ConnectError> {
        if let Some(Detour { place, .. }) = detour {
            let socket = Box::pin(self.to(place)?.connect()).await?;
            return Ok(Reached { socket, place: Some(place.clone()) });
        }
        match &self.route {
            Route::Straight => {
                let socket = Box::pin(self.first.connect()).await?;
                Ok(Reached { socket, place: None })
            }
            Route::Sentinel(sentinels) => {
                let place = Box::pin(sentinels.master(self)).await?;
                let socket = Box::pin(self.to(&place)?.connect()).await;
                let socket = socket.map_err(ConnectError::in_transition)?;
                let socket = sentinel::of_master(self, socket, &place).await;
                let socket = socket.map_err(ConnectError::in_transition)?;
                Ok(Reached { socket, place: Some(place) })
            }
            Route::Cluster(map, slot) => {
                let place = Box::pin(map.owner(self, *slot)).await?;
                match Box::pin(self.to(&place)?.connect()).await {
                    Ok(socket) => Ok(Reached { socket, place: Some(place) }),
                    Err(error) => {
                        // Another may have taken over by the next try.
                        map.doubt();
                        Err(error.in_transition())
                    }
                }
            }
        }
    }

    /// What a refusal says of the next connection, if `here` is where it came from.
    pub(super) fn detour(&self, failure: &Failure, here: Option<&Detour>) -> Option<Detour> {
        let Route::Cluster(map, _) = &self.route else { return None };
        match failure.kind.as_str() {
            "TRYAGAIN" => here.cloned(),
            kind @ ("MOVED" | "ASK") => {
                if kind == "MOVED" {
                    map.doubt();
                }
                let place = slot::redirection(&failure.message, here.map(|here| &here.place))?;
                Some(Detour { place, asking: kind == "ASK" })
            }
            "CLUSTERDOWN" | "READONLY" => {
                map.doubt();
                None
            }
            _ => None,
        }
    }

    /// Whether another server than this one should be spoken to by now, as far as anybody tells.
    pub(super) async fn is_superseded(&self, place: &Place) -> bool {
        let now = match &self.route {
            Route::Straight => return false,
            Route::Sentinel(sentinels) => Box::pin(sentinels.master(self)).await,
            Route::Cluster(map, slot) => {
                map.doubt();
                Box::pin(map.owner(self, *slot)).await
            }
        };
        now.is_ok_and(|now| now != *place)
    }

    /// The way to one server, which has to be on this machine if the target is: what is sent to
    /// other machines is bounded.
    fn to(&self, place: &Place) -> Result<Connector, ConnectError> {
        let target = self.target().at(place.clone());
        if self.target().is_this_machine() && !target.is_this_machine() {
            return Err(self.error(ConnectErrorKind::Elsewhere, format!("it names {place}")));
        }
        Ok(self.first.to(target))
    }

    fn error(&self, kind: ConnectErrorKind, detail: impl Into<String>) -> ConnectError {
        ConnectError::new(kind, self.target(), detail.into())
    }
}

/// Asks one question, whose answer is looked into.
async fn ask(dialogue: &mut Dialogue, words: &[&str]) -> Result<Value, String> {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    dialogue.ask_value(&words).await.map_err(|error| error.to_string())
}
