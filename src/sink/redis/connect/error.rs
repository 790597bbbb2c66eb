//! Why there is no connection, and what to do about it.

use crate::sink::Failure;
use crate::target::{Address, Target};

/// No connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {kind}: {detail}")]
pub struct ConnectError {
    /// What failed.
    pub kind: ConnectErrorKind,
    /// The target, its password hidden.
    pub target: String,
    /// The server's or the system's own words.
    pub detail: String,
    help: String,
    in_transition: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ConnectErrorKind {
    /// Nothing listens there.
    #[error("nothing listens there")]
    Refused,
    /// No connection, or no answer on it, in time.
    #[error("it does not answer")]
    Timeout,
    /// Its name has no address.
    #[error("its name is unknown")]
    UnknownHost,
    /// The network or the socket's file is in the way.
    #[error("it can't be reached")]
    Unreachable,
    /// TLS failed.
    #[error("TLS failed")]
    Tls,
    /// It speaks another protocol, or TLS.
    #[error("it is not a Redis server")]
    NotRedis,
    /// It wants a password.
    #[error("it wants a password")]
    PasswordNeeded,
    /// It refuses this user and password.
    #[error("it refuses the password")]
    WrongPassword,
    /// It has no password, and was given one.
    #[error("it has no password set")]
    NoPasswordSet,
    /// It has no such database.
    #[error("it refuses the database")]
    WrongDatabase,
    /// It still reads its data from disk.
    #[error("it is still loading its data")]
    Loading,
    /// Nobody tells which server takes jobs: the sentinels know no such service, or a part of the
    /// cluster has no master.
    #[error("it has no master")]
    NoMaster,
    /// It is no server of a cluster.
    #[error("it belongs to no cluster")]
    NoCluster,
    /// It is no sentinel.
    #[error("it is no sentinel")]
    NoSentinel,
    /// A target on this machine names servers on others.
    #[error("it leads to another machine")]
    Elsewhere,
    /// It refuses for another reason: too many clients, protected mode.
    #[error("it turned loadc away")]
    TurnedAway,
}

impl ConnectErrorKind {
    /// The kind as one word for machines.
    pub fn code(self) -> &'static str {
        match self {
            ConnectErrorKind::Refused => "refused",
            ConnectErrorKind::Timeout => "timeout",
            ConnectErrorKind::UnknownHost => "unknown-host",
            ConnectErrorKind::Unreachable => "unreachable",
            ConnectErrorKind::Tls => "tls",
            ConnectErrorKind::NotRedis => "not-redis",
            ConnectErrorKind::PasswordNeeded => "password-needed",
            ConnectErrorKind::WrongPassword => "wrong-password",
            ConnectErrorKind::NoPasswordSet => "no-password-set",
            ConnectErrorKind::WrongDatabase => "wrong-database",
            ConnectErrorKind::Loading => "loading",
            ConnectErrorKind::NoMaster => "no-master",
            ConnectErrorKind::NoCluster => "no-cluster",
            ConnectErrorKind::NoSentinel => "no-sentinel",
            ConnectErrorKind::Elsewhere => "elsewhere",
            ConnectErrorKind::TurnedAway => "turned-away",
        }
    }

    /// Whether only somebody's doing helps: the login or the address is wrong. All else may pass while a server
    /// restarts.
    fn is_lasting(self) -> bool {
        matches!(
            self,
            ConnectErrorKind::PasswordNeeded
                | ConnectErrorKind::WrongPassword
                | ConnectErrorKind::NoPasswordSet
                | ConnectErrorKind::WrongDatabase
                | ConnectErrorKind::NoCluster
                | ConnectErrorKind::NoSentinel
                | ConnectErrorKind::Elsewhere
        )
    }
}

impl ConnectError {
    pub(in crate::sink::redis) fn new(
        kind: ConnectErrorKind,
        target: &Target,
        detail: String,
    ) -> ConnectError {
        let help = help(kind, target, &detail);
        ConnectError { kind, target: target.shown(), detail, help, in_transition: false }
    }

    /// The same of one of several servers, in whose place another may come.
    pub(in crate::sink::redis) fn in_transition(self) -> ConnectError {
        let passes = !self.kind.is_lasting() && self.kind != ConnectErrorKind::Tls;
        ConnectError { in_transition: passes, ..self }
    }

    /// Whether it is a matter of waiting: some servers of several answer, and one is missed in whose
    /// place another may come.
    pub fn may_pass(&self) -> bool {
        self.in_transition
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The same as a sink's failure.
    pub fn failure(&self) -> Failure {
        Failure {
            kind: self.kind.code().to_owned(),
            message: self.to_string(),
            lasting: self.kind.is_lasting(),
        }
    }
}

fn help(kind: ConnectErrorKind, target: &Target, detail: &str) -> String {
    let help = match (kind, target.address()) {
        (ConnectErrorKind::Refused, Address::Tcp { .. } | Address::Tls { .. })
            if target.is_this_machine() =>
        {
            "start a server there (`redis-server --port PORT`), or name no target to use the \
             embedded one"
        }
        (ConnectErrorKind::Refused, Address::Unix(_)) => {
            "the socket's file is there but no server is behind it: start the server"
        }
        (ConnectErrorKind::Refused, _) => "check the port, and that the server listens on it",
        (ConnectErrorKind::Timeout, _) => {
            "check the host and any firewall in between; a server that is busy or stopped is \
             silent as well"
        }
        (ConnectErrorKind::UnknownHost, _) => "check the spelling of the host",
        (ConnectErrorKind::Unreachable, Address::Unix(_)) => {
            "check the path (`unixsocket` in redis.conf) and that you may open it"
        }
        (ConnectErrorKind::Unreachable, _) => "check the host and the network",
        (ConnectErrorKind::Tls, _) => tls_help(detail),
        (ConnectErrorKind::NotRedis, Address::Tcp { .. }) => {
            "check the port; if the server speaks TLS, write `rediss://`"
        }
        (ConnectErrorKind::NotRedis, _) => "check the address",
        (ConnectErrorKind::PasswordNeeded, Address::Unix(_)) => {
            "put it in the URL: `unix://user:password@/path`; `unix://:password@/path` without a \
             user"
        }
        (ConnectErrorKind::PasswordNeeded, _) => {
            "put it in the URL: `redis://user:password@host`; `redis://:password@host` without a \
             user"
        }
        (ConnectErrorKind::WrongPassword, _) => {
            "check user and password; `@ : / ? # %` in them must be escaped, as `%40` for `@`"
        }
        (ConnectErrorKind::NoPasswordSet, _) => "take the password out of the URL",
        (ConnectErrorKind::WrongDatabase, _) => {
            "a server has databases 0 to 15 unless its configuration says otherwise, and one in \
             cluster mode, or the embedded one, has 0 only"
        }
        (ConnectErrorKind::Loading, _) => "wait until it has, then run again",
        (ConnectErrorKind::NoMaster, _) if detail.contains("service") => {
            "the service's name stands last in the URL, as the sentinels' configuration has it \
             (`sentinel monitor NAME …`)"
        }
        (ConnectErrorKind::NoMaster, _) => {
            "wait until another server has taken over, or ask one of them: `redis-cli cluster info`"
        }
        (ConnectErrorKind::NoCluster, _) => "write `redis://` for a server that stands alone",
        (ConnectErrorKind::NoSentinel, _) => {
            "name the sentinels' port (26379 by default), or write `redis://` for the server itself"
        }
        (ConnectErrorKind::Elsewhere, _) => {
            "name the target by its own address instead of this machine's: then the guards for \
             targets on other machines hold"
        }
        (ConnectErrorKind::TurnedAway, _) => "the server's own words say why",
    };
    help.to_owned()
}

fn tls_help(detail: &str) -> &'static str {
    if detail.contains("speak TLS") {
        "check the port; if the server speaks no TLS, write `redis://`"
    } else if detail.contains("not signed") || detail.contains("no trusted") {
        "name the file with the certificate of your authority (PEM) in the environment: \
         `SSL_CERT_FILE=ca.pem`"
    } else if detail.contains("another name") {
        "use the name in the certificate as the target's host"
    } else if detail.contains("from its clients") {
        "set `tls-auth-clients no` (or `optional`) on the server"
    } else {
        "check the server's certificate and its TLS settings"
    }
}
