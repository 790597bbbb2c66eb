use super::*;
use crate::plan::NotifyWay;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Long enough for anything that does happen, on any machine.
const AMPLE: Duration = Duration::from_secs(60);

fn notify(way: NotifyWay, timeout: Duration, retries: u32) -> Notify {
    Notify { way, timeout_ns: timeout.as_nanos() as u64, retries, text: "notify …".to_owned() }
}

/// The body of a request; an answer with this status goes back.
fn answer(connection: TcpStream, status: &str) -> String {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.into_inner().write_all(answer.as_bytes()).unwrap();
    String::from_utf8(body).unwrap()
}

fn listener() -> (TcpListener, NotifyWay) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    (listener, NotifyWay::Webhook(address))
}

#[test]
fn a_webhook_that_fails_is_tried_again() {
    let (listener, way) = listener();
    let notifier = Notifier::start(&[notify(way, AMPLE, 1)]).unwrap();
    notifier.tell("{\"a\":1}");
    let bodies: Vec<String> = ["503 Busy", "200 OK"]
        .map(|status| answer(listener.accept().unwrap().0, status))
        .into_iter()
        .collect();
    assert_eq!(bodies, ["{\"a\":1}", "{\"a\":1}"]);
    assert_eq!(notifier.finish(AMPLE), Vec::<String>::new());
}

#[test]
fn a_webhook_that_hangs_is_given_up() {
    let (listener, way) = listener();
    let notifier = Notifier::start(&[notify(way, Duration::from_millis(50), 0)]).unwrap();
    notifier.tell("{}");
    let _open = listener.accept().unwrap();
    let troubles = notifier.finish(AMPLE);
    assert!(troubles[0].starts_with("`notify …` was not told: timeout"), "{troubles:?}");
    assert!(troubles[0].ends_with(", after 1 attempt"), "{troubles:?}");
}

#[test]
fn telling_never_waits() {
    let (_listener, way) = listener();
    let notifier = Notifier::start(&[notify(way, AMPLE, 0)]).unwrap();
    (0..WAITING + 3).for_each(|_| notifier.tell("{}"));
    let troubles = notifier.troubles();
    assert!((1..=3).contains(&troubles.len()), "{troubles:?}");
    assert!(troubles[0].ends_with("too many messages wait already"), "{troubles:?}");
    let late = notifier.finish(Duration::ZERO);
    assert!(late[0].contains("did not get through in time"), "{late:?}");
}

#[cfg(unix)]
#[test]
fn a_command_gets_the_message_and_no_more_time_than_it_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("got");
    let command = |text: String| NotifyWay::Command(text);
    let notifier = Notifier::start(&[
        notify(command(format!("cat > {}", path.display())), AMPLE, 0),
        notify(command("exit 7".to_owned()), AMPLE, 0),
        notify(command("sleep 1000 & wait".to_owned()), Duration::from_millis(50), 0),
    ])
    .unwrap();
    notifier.tell("{\"n\":2}");
    let mut troubles = notifier.finish(AMPLE);
    troubles.sort();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"n\":2}\n");
    assert_eq!(
        troubles,
        [
            "`notify …` was not told: it failed: exit status: 7, after 1 attempt",
            "`notify …` was not told: it took too long, after 1 attempt",
        ]
    );
}
