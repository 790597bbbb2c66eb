//! The reading of a URL, by hand: a general URL parser forgives where a mistyped target should be
//! refused, and its errors quote what may be a password.

use super::{Address, DEFAULT_PORT, Login, Place, SENTINEL_PORT, Target, TargetError};
use std::path::PathBuf;

pub(super) fn target(url: &str) -> Result<Target, TargetError> {
    if url.is_empty() {
        return Err(TargetError::Empty);
    }
    let (scheme, rest) = scheme(url)?;
    match scheme {
        Scheme::Unix => unix(rest),
        Scheme::Tcp => tcp(rest, |host, port| Address::Tcp { host, port }),
        Scheme::Tls => tcp(rest, |host, port| Address::Tls { host, port }),
        Scheme::Cluster { tls } => cluster(rest, tls),
        Scheme::Sentinel { tls } => sentinel(rest, tls),
    }
}

enum Scheme {
    Tcp,
    Tls,
    Unix,
    Cluster { tls: bool },
    Sentinel { tls: bool },
}

/// The scheme and what follows its colon and slashes.
fn scheme(url: &str) -> Result<(Scheme, &str), TargetError> {
    let Some((name, rest)) = url.split_once("://") else {
        return Err(no_scheme(url));
    };
    if !is_scheme(name) {
        return Err(no_scheme(url));
    }
    let lower = name.to_ascii_lowercase();
    let scheme = match lower.as_str() {
        "redis" | "valkey" => Scheme::Tcp,
        "rediss" | "valkeys" => Scheme::Tls,
        "unix" | "redis+unix" | "valkey+unix" => Scheme::Unix,
        "redis+cluster" | "valkey+cluster" => Scheme::Cluster { tls: false },
        "rediss+cluster" | "valkeys+cluster" => Scheme::Cluster { tls: true },
        "redis+sentinel" | "valkey+sentinel" => Scheme::Sentinel { tls: false },
        "rediss+sentinel" | "valkeys+sentinel" => Scheme::Sentinel { tls: true },
        _ => return Err(unknown_scheme(name, &lower)),
    };
    Ok((scheme, rest))
}

/// A letter, then letters, digits, `+`, `-`, `.` (RFC 3986, 3.1).
fn is_scheme(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn no_scheme(url: &str) -> TargetError {
    if url.starts_with('/') && !url.starts_with("//") {
        return TargetError::NoScheme { meant: format!("unix://{url}") };
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest).trim_start_matches('/');
    // Only what is surely a host may be quoted: whatever stands before an `@` may be a password.
    let host = match rest.rsplit_once('@') {
        Some((_, host)) => format!("***@{host}"),
        None => rest.to_owned(),
    };
    let host = host.strip_prefix("redis:").unwrap_or(&host);
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_place = port.bytes().all(|byte| byte.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "*@.:-_[]".contains(c));
    let meant = if is_place { host } else { "localhost:6379" };
    TargetError::NoScheme { meant: format!("redis://{meant}") }
}

fn unknown_scheme(name: &str, lower: &str) -> TargetError {
    let scheme = name.to_owned();
    let tls = lower.starts_with("rediss") || lower.contains("tls");
    let meant = match lower {
        "https" | "tls" | "ssl" | "redis+tls" | "redis+ssl" | "redis-tls" | "rediss+tls" => {
            "rediss"
        }
        _ if lower.contains("cluster") && tls => "rediss+cluster",
        _ if lower.contains("cluster") => "redis+cluster",
        _ if lower.contains("sentinel") && tls => "rediss+sentinel",
        _ if lower.contains("sentinel") => "redis+sentinel",
        "file" | "socket" | "sock" | "redis-socket" => "unix",
        _ => {
            let near = |candidate: &&str| strsim::damerau_levenshtein(candidate, lower);
            let nearest = ["redis", "rediss", "unix"].into_iter().min_by_key(near);
            nearest.filter(|candidate| near(candidate) <= 3).unwrap_or("redis")
        }
    };
    TargetError::UnknownScheme { scheme, meant }
}

/// `[login@]host[:port][/database][?db=N]`
fn tcp(rest: &str, address: impl FnOnce(String, u16) -> Address) -> Result<Target, TargetError> {
    let Parts { login, place, path, query } = parts(rest)?;
    let (host, port) = host_and_port(place, DEFAULT_PORT)?;
    let database = path_or_parameter(path, query)?;
    Ok(Target { address: address(host, port), login, database })
}

/// `[login@]host[:port][,host[:port]…]`
fn cluster(rest: &str, tls: bool) -> Result<Target, TargetError> {
    let Parts { login, place, path, query } = parts(rest)?;
    let seeds = places(place, DEFAULT_PORT)?;
    if path_or_parameter(path, query)? != 0 {
        return Err(TargetError::ClusterDatabase);
    }
    Ok(Target { address: Address::Cluster { seeds, tls }, login, database: 0 })
}

/// `[login@]host[:port][,host[:port]…]/service[/database][?db=N]`
fn sentinel(rest: &str, tls: bool) -> Result<Target, TargetError> {
    let Parts { login, place, path, query } = parts(rest)?;
    let sentinels = places(place, SENTINEL_PORT)?;
    let (service, path) = path.split_once('/').unwrap_or((path, ""));
    let service = unescape(service)?;
    if service.is_empty() {
        return Err(TargetError::NoService);
    }
    let database = path_or_parameter(path, query)?;
    Ok(Target { address: Address::Sentinel { sentinels, service, tls }, login, database })
}

/// What stands behind `://`, taken apart.
struct Parts<'a> {
    login: Login,
    /// Host and port, or several.
    place: &'a str,
    /// Without its first slash.
    path: &'a str,
    query: &'a str,
}

fn parts(rest: &str) -> Result<Parts<'_>, TargetError> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // An `@` behind the authority's end means that the login holds a bare `/`, `?` or `#`.
    if tail.contains('@') {
        return Err(TargetError::BadLogin);
    }
    let (login, place) = split_login(authority)?;
    let (path, query) = split_query(tail)?;
    Ok(Parts { login, place, path: path.strip_prefix('/').unwrap_or(path), query })
}

fn path_or_parameter(path: &str, query: &str) -> Result<u32, TargetError> {
    Ok(match (path, database_parameter(query)?) {
        ("", None) => 0,
        ("", Some(number)) => number,
        (path, None) => database(path)?,
        (path, Some(number)) if database(path)? == number => number,
        _ => return Err(TargetError::BadDatabase),
    })
}

fn places(text: &str, default_port: u16) -> Result<Vec<Place>, TargetError> {
    let place = |text| host_and_port(text, default_port).map(|(host, port)| Place { host, port });
    text.split(',').map(place).collect()
}

/// `/path[?db=N]`, after a login if the server asks for one.
fn unix(rest: &str) -> Result<Target, TargetError> {
    let (authority, tail) = rest.split_at(rest.find('/').ok_or(TargetError::BadPath)?);
    let (login, host) = if authority.contains('@') {
        split_login(authority)?
    } else {
        (Login::default(), authority)
    };
    if !(host.is_empty() || host == "localhost") {
        return Err(TargetError::BadPath);
    }
    let (path, query) = split_query(tail)?;
    let path = PathBuf::from(unescape(path)?);
    if path.as_os_str() == "/" {
        return Err(TargetError::BadPath);
    }
    let database = database_parameter(query)?.unwrap_or(0);
    Ok(Target { address: Address::Unix(path), login, database })
}

fn split_query(tail: &str) -> Result<(&str, &str), TargetError> {
    if tail.contains('#') {
        return Err(TargetError::Fragment);
    }
    Ok(tail.split_once('?').unwrap_or((tail, "")))
}

/// `user:password@host` in two; the last `@` parts them, and a second one is refused, since it is
/// more likely a slip than a name.
fn split_login(authority: &str) -> Result<(Login, &str), TargetError> {
    let Some((login, place)) = authority.rsplit_once('@') else {
        return Ok((Login::default(), authority));
    };
    if login.contains('@') {
        return Err(TargetError::BadLogin);
    }
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(unescape(password)?)),
        None => (login, None),
    };
    let user = Some(unescape(user)?).filter(|user| !user.is_empty());
    let password = password.filter(|password| !password.is_empty());
    Ok((Login { user, password }, place))
}

fn host_and_port(place: &str, default_port: u16) -> Result<(String, u16), TargetError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(TargetError::BadHost)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(TargetError::BadHost);
            }
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':').ok_or(TargetError::BadPort)?),
            };
            (host, port)
        }
        None => match place.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err(TargetError::BadHost),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        return Err(TargetError::NoHost);
    }
    if place.starts_with('[') || host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)) {
        Ok((host.to_owned(), port.map_or(Ok(default_port), self::port)?))
    } else {
        Err(TargetError::BadHost)
    }
}

fn port(text: &str) -> Result<u16, TargetError> {
    number(text).filter(|port| *port != 0).ok_or(TargetError::BadPort)
}

fn database(text: &str) -> Result<u32, TargetError> {
    // Redis reads the number as a C int.
    let fits = |number: &u32| i32::try_from(*number).is_ok();
    number(text).filter(fits).ok_or(TargetError::BadDatabase)
}

/// Digits only: `str::parse` would take a `+`.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn database_parameter(query: &str) -> Result<Option<u32>, TargetError> {
    let mut found = None;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "db" => found = Some(database(value)?),
            name => return Err(unknown_parameter(name)),
        }
    }
    Ok(found)
}

fn unknown_parameter(name: &str) -> TargetError {
    let is_plain = name.len() <= 32 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = if is_plain { name } else { "?" };
    TargetError::UnknownParameter { name: name.to_owned() }
}

/// Puts bytes in place of `%XX`.
fn unescape(text: &str) -> Result<String, TargetError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(TargetError::BadEscape);
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| TargetError::BadEscape)?);
    }
    String::from_utf8(bytes).map_err(|_| TargetError::BadEscape)
}
