//! The server that jobs go to, or the cluster or sentinels that know it, parsed from a URL.
//! Passwords stay inside: neither `Display`, `Debug` nor an error ever shows one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

/// The port of a URL that names none.
pub const DEFAULT_PORT: u16 = 6379;

/// The port of a sentinel of which the URL names none.
pub const SENTINEL_PORT: u16 = 26379;

/// A Redis server, or several that act as one, and how to log in to them.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    address: Address,
    login: Login,
    database: u32,
}

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// A TCP port that speaks TLS.
    Tls {
        /// Name or address, without brackets; the certificate must be for it.
        host: String,
        /// Port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
    /// Servers of a cluster: those that it is asked about.
    Cluster {
        /// One or more of them.
        seeds: Vec<Place>,
        /// They speak TLS.
        tls: bool,
    },
    /// Sentinels, which know the present master of a service.
    Sentinel {
        /// One or more of them.
        sentinels: Vec<Place>,
        /// The service's name in their configuration.
        service: String,
        /// They and the servers speak TLS.
        tls: bool,
    },
    /// The server inside this process.
    Embedded {
        /// Its port on 127.0.0.1.
        port: u16,
    },
}

/// A TCP port of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// User and password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    user: Option<String>,
    password: Option<String>,
}

impl Login {
    /// The user, where the URL names one.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password, to send it and for nothing else.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl Target {
    /// The server inside this process, on this port of 127.0.0.1.
    pub fn embedded(port: u16) -> Target {
        Target { address: Address::Embedded { port }, login: Login::default(), database: 0 }
    }

    /// Reads a URL: `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS,
    /// `unix:///path` or `redis+unix:///path`, each with `?db=N` if one likes;
    /// `redis+cluster://[login@]host[:port][,host[:port]…]` and
    /// `redis+sentinel://[login@]host[:port][,…]/service[/database]`, `rediss+…` for TLS.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        parse::target(url.trim())
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// User and password.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// The database's number.
    pub fn database(&self) -> u32 {
        self.database
    }

    /// One of the servers that this target stands for, with the same login and database.
    pub fn at(&self, place: Place) -> Target {
        let Place { host, port } = place;
        let tls = match &self.address {
            Address::Cluster { tls, .. } | Address::Sentinel { tls, .. } => *tls,
            address => matches!(address, Address::Tls { .. }),
        };
        let address = if tls { Address::Tls { host, port } } else { Address::Tcp { host, port } };
        Target { address, ..self.clone() }
    }

    /// The same without a login, and with the first database.
    pub fn anonymous(self) -> Target {
        Target { login: Login::default(), database: 0, ..self }
    }

    /// The same with the first database.
    pub fn on_first_database(self) -> Target {
        Target { database: 0, ..self }
    }

    /// The hosts and ports that it names; none for a socket and the embedded server.
    pub fn places(&self) -> Vec<Place> {
        match &self.address {
            Address::Tcp { host, port } | Address::Tls { host, port } => {
                vec![Place { host: host.clone(), port: *port }]
            }
            Address::Cluster { seeds: places, .. }
            | Address::Sentinel { sentinels: places, .. } => places.clone(),
            Address::Unix(_) | Address::Embedded { .. } => Vec::new(),
        }
    }

    /// Whether it surely runs on this machine: a loopback address, `localhost`, a unix socket, the
    /// embedded server. Other names count as elsewhere, whatever they resolve to. A cluster or
    /// sentinels on this machine may lead to servers elsewhere; the sink refuses to follow them.
    pub fn is_this_machine(&self) -> bool {
        match &self.address {
            Address::Unix(_) | Address::Embedded { .. } => true,
            Address::Tcp { host, .. } | Address::Tls { host, .. } => is_loopback(host),
            Address::Cluster { seeds: places, .. }
            | Address::Sentinel { sentinels: places, .. } => {
                places.iter().all(|place| is_loopback(&place.host))
            }
        }
    }

    /// The URL with its password replaced by `***`; in words for the embedded server.
    pub fn shown(&self) -> String {
        self.to_string()
    }
}

/// Loopback by address or by name; the unspecified address reaches this machine too.
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address.is_loopback() || address.is_unspecified();
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(url: &str) -> Result<Target, TargetError> {
        Target::parse(url)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.address {
            Address::Embedded { port } => {
                let host = Ipv4Addr::LOCALHOST;
                return write!(f, "embedded server (in this process, {host}:{port})");
            }
            Address::Tcp { .. } => "redis",
            Address::Tls { .. } => "rediss",
            Address::Unix(_) => "unix",
            Address::Cluster { tls: false, .. } => "redis+cluster",
            Address::Cluster { tls: true, .. } => "rediss+cluster",
            Address::Sentinel { tls: false, .. } => "redis+sentinel",
            Address::Sentinel { tls: true, .. } => "rediss+sentinel",
        };
        write!(f, "{scheme}://{}", self.login)?;
        let places: Vec<String> = self.places().iter().map(Place::to_string).collect();
        f.write_str(&places.join(","))?;
        match &self.address {
            Address::Unix(path) => {
                write!(f, "{}", path.display())?;
                if self.database != 0 {
                    write!(f, "?db={}", self.database)?;
                }
                return Ok(());
            }
            Address::Sentinel { service, .. } => write!(f, "/{service}")?,
            _ => {}
        }
        if self.database != 0 {
            write!(f, "/{}", self.database)?;
        }
        Ok(())
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.user, &self.password) {
            (None, None) => Ok(()),
            (None, Some(_)) => f.write_str(":***@"),
            (Some(user), None) => write!(f, "{user}@"),
            (Some(user), Some(_)) => write!(f, "{user}:***@"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({self})")
    }
}

/// What is wrong with a target's URL. No variant holds a part of the URL that may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing there.
    #[error("the target is empty")]
    Empty,
    /// A host without a scheme.
    #[error("the target has no scheme")]
    NoScheme {
        /// What was meant, perhaps; `***` where a login stood.
        meant: String,
    },
    /// A scheme of something else.
    #[error("`{scheme}://` is not a scheme of a Redis server")]
    UnknownScheme {
        /// As written.
        scheme: String,
        /// The scheme that was meant, perhaps.
        meant: &'static str,
    },
    /// A cluster with a database.
    #[error("a cluster has no database but 0")]
    ClusterDatabase,
    /// Sentinels without the name of what they watch.
    #[error("the target does not name the service that the sentinels watch")]
    NoService,
    /// No host.
    #[error("the target has no host")]
    NoHost,
    /// A host with characters that no host has.
    #[error("the target's host is not a name or an address")]
    BadHost,
    /// A port that is none.
    #[error("the target's port is not a number from 1 to 65535")]
    BadPort,
    /// A database that is none.
    #[error("the target's database is not a number from 0 to {max}", max = i32::MAX)]
    BadDatabase,
    /// A login that can't be told from the rest.
    #[error("the target's user or password holds a character that must be escaped")]
    BadLogin,
    /// `%` without two hexadecimal digits, or bytes that are no text.
    #[error("the target has a `%` that escapes nothing")]
    BadEscape,
    /// A parameter behind `?` that means nothing here.
    #[error("the target's parameter `{name}` is unknown")]
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A part behind `#`.
    #[error("the target has a part behind `#`")]
    Fragment,
    /// A unix socket's path that doesn't start at the root.
    #[error("the target's unix socket has no absolute path")]
    BadPath,
}

impl TargetError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            TargetError::Empty => {
                "write a URL such as `redis://localhost:6379`, or leave the target out to use the \
                 embedded server"
                    .to_owned()
            }
            TargetError::NoScheme { meant } => format!("did you mean `{meant}`?"),
            TargetError::UnknownScheme { meant, .. } => format!(
                "did you mean `{meant}://`? Targets are `redis://`, `rediss://` (TLS), `unix://`, \
                 `redis+cluster://` and `redis+sentinel://`"
            ),
            TargetError::ClusterDatabase => "leave out what follows the last host".to_owned(),
            TargetError::NoService => "write its name last, as in \
                                       `redis+sentinel://host:26379/mymaster`"
                .to_owned(),
            TargetError::NoHost => {
                "write the host behind `://`, as in `redis://localhost:6379`".to_owned()
            }
            TargetError::BadHost => "write a name or an address, an IPv6 address in brackets: \
                                     `redis://[::1]:6379`"
                .to_owned(),
            TargetError::BadPort => "write host and port as in `redis://localhost:6379`".to_owned(),
            TargetError::BadDatabase => {
                "write the database's number last, as in `redis://localhost:6379/2`".to_owned()
            }
            TargetError::BadLogin => "in user and password write `%40` for `@`, `%3A` for `:`, \
                                      `%2F` for `/`, `%3F` for `?` and `%23` for `#`"
                .to_owned(),
            TargetError::BadEscape => "write `%25` for a `%` itself".to_owned(),
            TargetError::UnknownParameter { .. } => {
                "the one parameter is `db`, as in `unix:///run/redis.sock?db=2`".to_owned()
            }
            TargetError::Fragment => {
                "write `%23` for a `#` itself; to trust a private certificate \
                                      authority, name its file in SSL_CERT_FILE"
                    .to_owned()
            }
            TargetError::BadPath => {
                "write three slashes, as in `unix:///run/redis/redis.sock`".to_owned()
            }
        }
    }
}

mod parse;
#[cfg(test)]
mod tests;
