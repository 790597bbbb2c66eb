use super::*;

fn parse(url: &str) -> Target {
    Target::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn urls_are_taken_apart() {
    let tcp = |host: &str, port| Address::Tcp { host: host.to_owned(), port };
    for (url, address, database, shown) in [
        ("redis://localhost", tcp("localhost", 6379), 0, "redis://localhost:6379"),
        ("redis://10.1.2.3:7000/", tcp("10.1.2.3", 7000), 0, "redis://10.1.2.3:7000"),
        (" REDIS://h:1/15\n", tcp("h", 1), 15, "redis://h:1/15"),
        ("redis://h?db=3", tcp("h", 6379), 3, "redis://h:6379/3"),
        ("redis://h/3?db=3", tcp("h", 6379), 3, "redis://h:6379/3"),
        ("redis://[::1]:7000/2", tcp("::1", 7000), 2, "redis://[::1]:7000/2"),
        ("redis://[fe80::1]", tcp("fe80::1", 6379), 0, "redis://[fe80::1]:6379"),
        (
            "redis://my_queue.internal",
            tcp("my_queue.internal", 6379),
            0,
            "redis://my_queue.internal:6379",
        ),
        ("rediss://h", Address::Tls { host: "h".to_owned(), port: 6379 }, 0, "rediss://h:6379"),
        ("unix:///run/r.sock", Address::Unix("/run/r.sock".into()), 0, "unix:///run/r.sock"),
        (
            "redis+unix:///run/r%20s?db=4",
            Address::Unix("/run/r s".into()),
            4,
            "unix:///run/r s?db=4",
        ),
    ] {
        let target = parse(url);
        assert_eq!(target.address(), &address, "{url}");
        assert_eq!(target.database(), database, "{url}");
        assert_eq!(target.shown(), shown, "{url}");
        assert_eq!(target.login(), &Login::default(), "{url}");
    }
}

#[test]
fn logins_are_unescaped_and_hidden() {
    for (url, user, password, shown) in [
        ("redis://u:s3cret@h", Some("u"), Some("s3cret"), "redis://u:***@h:6379"),
        ("redis://:s3cret@h/1", None, Some("s3cret"), "redis://:***@h:6379/1"),
        ("rediss://u@h", Some("u"), None, "rediss://u@h:6379"),
        ("redis://u:s3%40%3A%2fcret@h", Some("u"), Some("s3@:/cret"), "redis://u:***@h:6379"),
        ("redis://u:s3:cret@h", Some("u"), Some("s3:cret"), "redis://u:***@h:6379"),
        ("unix://u:s3cret@/run/r.sock", Some("u"), Some("s3cret"), "unix://u:***@/run/r.sock"),
    ] {
        let target = parse(url);
        assert_eq!(target.login().user(), user, "{url}");
        assert_eq!(target.login().password(), password, "{url}");
        assert_eq!(target.shown(), shown, "{url}");
        assert!(!format!("{target:?} {:?}", target.login()).contains("cret"), "{url}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    use TargetError::*;
    let no_scheme = |meant: &str| NoScheme { meant: meant.to_owned() };
    let unknown = |scheme: &str, meant| UnknownScheme { scheme: scheme.to_owned(), meant };
    for (url, error) in [
        ("", Empty),
        ("  ", Empty),
        ("localhost:6379", no_scheme("redis://localhost:6379")),
        ("redis:localhost", no_scheme("redis://localhost")),
        ("//localhost", no_scheme("redis://localhost")),
        ("/run/redis.sock", no_scheme("unix:///run/redis.sock")),
        ("http://localhost:6379", unknown("http", "redis")),
        ("https://localhost:6379", unknown("https", "rediss")),
        ("redi://localhost", unknown("redi", "redis")),
        ("redisss://localhost", unknown("redisss", "rediss")),
        ("file:///run/redis.sock", unknown("file", "unix")),
        ("redis://", NoHost),
        ("redis://:6379", NoHost),
        ("redis://u:p@", NoHost),
        ("redis://h:port", BadPort),
        ("redis://h:", BadPort),
        ("redis://h:0", BadPort),
        ("redis://h:65536", BadPort),
        ("redis://h:+1", BadPort),
        ("redis://[::1]6379", BadPort),
        ("redis://::1:6379", BadHost),
        ("redis://[::1", BadHost),
        ("redis://[h]", BadHost),
        ("redis://a b", BadHost),
        ("redis://h/x", BadDatabase),
        ("redis://h/-1", BadDatabase),
        ("redis://h/1/2", BadDatabase),
        ("redis://h/2147483648", BadDatabase),
        ("redis://h/1?db=2", BadDatabase),
        ("redis://h?db=", BadDatabase),
        ("redis://h?timeout=3", UnknownParameter { name: "timeout".to_owned() }),
        ("redis://h#insecure", Fragment),
        ("redis://u:%zz@h", BadEscape),
        ("redis://u:%f@h", BadEscape),
        ("redis://u:%ff@h", BadEscape),
        ("redis://u:a@b@h", BadLogin),
        ("redis://u:a/b@h", BadLogin),
        ("redis://u:a#b@h", BadLogin),
        ("unix://run/r.sock", BadPath),
        ("unix://", BadPath),
        ("unix:///", BadPath),
    ] {
        assert_eq!(Target::parse(url), Err(error), "{url:?}");
    }
}

#[test]
fn clusters_and_sentinels_are_taken_apart() {
    let place = |host: &str, port| Place { host: host.to_owned(), port };
    let cluster = parse("redis+cluster://u:p@a:7000,b,[::1]:7002");
    let seeds = vec![place("a", 7000), place("b", 6379), place("::1", 7002)];
    assert_eq!(cluster.address(), &Address::Cluster { seeds, tls: false });
    assert_eq!(cluster.shown(), "redis+cluster://u:***@a:7000,b:6379,[::1]:7002");
    assert_eq!(cluster.at(place("c", 1)).shown(), "redis://u:***@c:1");
    assert!(!cluster.is_this_machine() && parse("redis+cluster://localhost").is_this_machine());
    let sentinel = parse("rediss+sentinel://:p@a,b:1/my%2Fmaster/3");
    let sentinels = vec![place("a", 26379), place("b", 1)];
    let service = "my/master".to_owned();
    assert_eq!(sentinel.address(), &Address::Sentinel { sentinels, service, tls: true });
    assert_eq!((sentinel.database(), sentinel.at(place("c", 1)).database()), (3, 3));
    assert_eq!(sentinel.shown(), "rediss+sentinel://:***@a:26379,b:1/my/master/3");
    assert_eq!(sentinel.at(place("c", 1)).anonymous().shown(), "rediss://c:1");
    let unknown =
        |scheme: &str, meant| TargetError::UnknownScheme { scheme: scheme.to_owned(), meant };
    for (url, error) in [
        ("redis+cluster://a/1", TargetError::ClusterDatabase),
        ("redis+cluster://a,", TargetError::NoHost),
        ("redis+cluster://a:x,b", TargetError::BadPort),
        ("redis+sentinel://a", TargetError::NoService),
        ("redis+sentinel://a/m/x", TargetError::BadDatabase),
        ("redis-cluster://h", unknown("redis-cluster", "redis+cluster")),
        ("rediss-sentinel://h/m", unknown("rediss-sentinel", "rediss+sentinel")),
    ] {
        assert_eq!(Target::parse(url), Err(error), "{url}");
    }
}

#[test]
fn no_error_shows_a_password() {
    for url in [
        "s3cret@h:6379",
        "u:s3cret@h",
        "u:s3cret",
        "redis:u:s3cret@h:6379",
        "http://u:s3cret@h",
        "redis+cluster://u:s3cret@h/1",
        "redis-cluster://u:s3cret@h",
        "redis://u:s3cret@h:x",
        "redis://u:/s3cret@h",
        "redis://u:s3cret/@h",
        "redis://u:?s3cret@h",
        "redis://u:%s3cret@h",
        "redis://u:s3cret%@h",
        "redis://h?password=s3cret",
        "redis://h?s3cret!",
        "redis://h#s3cret",
        "redis://h/s3cret",
        "redis://h:s3cret",
        "unix://u:s3cret@run/x",
        "u:s3cret://h@h",
    ] {
        let error = Target::parse(url).unwrap_err();
        let said = format!("{error} {error:?} {}", error.help());
        assert!(!said.contains("s3cret"), "{url}: {said}");
    }
}

#[test]
fn this_machine_is_known() {
    for (url, here) in [
        ("redis://localhost", true),
        ("redis://LocalHost.", true),
        ("redis://queue.localhost", true),
        ("redis://127.0.0.1", true),
        ("redis://127.8.8.8", true),
        ("redis://[::1]", true),
        ("redis://[::ffff:127.0.0.1]", true),
        ("redis://0.0.0.0", true),
        ("rediss://localhost", true),
        ("unix:///r.sock", true),
        ("redis://localhost.example.com", false),
        ("redis://notlocalhost", false),
        ("redis://10.0.0.1", false),
        ("redis://redis", false),
        ("redis://[::ffff:10.0.0.1]", false),
    ] {
        assert_eq!(parse(url).is_this_machine(), here, "{url}");
    }
    let embedded = Target::embedded(4711);
    assert!(embedded.is_this_machine());
    assert_eq!(embedded.shown(), "embedded server (in this process, 127.0.0.1:4711)");
}
