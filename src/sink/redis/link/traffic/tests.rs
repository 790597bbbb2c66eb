use super::*;
use crate::sink::redis::cursor::{Cursor, Ring};
use crate::sink::{Args, Command, Outcome, Queue};
use tokio::sync::oneshot;

type Answer = oneshot::Receiver<Vec<Outcome>>;

fn proven() -> Traffic {
    let queue = Queue { name: "q".to_owned(), format: crate::job::Format::List };
    Traffic::new(Some(Standing::new(Cursor::beside(&queue, "RUN"))), Turns::Never)
}

fn batch(lines: &[&str], proven: bool, generation: u64) -> (Batch, Answer) {
    let command = |line: &&str| {
        let mut args = Args::default();
        line.split(' ').for_each(|word| args.push(word.as_bytes()));
        Command { args, jobs: 1 }
    };
    let commands: Vec<Command> = lines.iter().map(command).collect();
    let (answer, receiver) = oneshot::channel();
    (Batch::new(&commands, proven, 0, generation, answer), receiver)
}

/// Takes a batch in and writes it whole.
fn written(traffic: &mut Traffic, lines: &[&str]) -> Answer {
    let (batch, answer) = batch(lines, traffic.standing.is_some(), traffic.generation);
    traffic.take_in(batch);
    traffic.has_written(traffic.flights.back().unwrap().bytes.len());
    answer
}

fn replies(traffic: &mut Traffic, text: &str) {
    // In pieces, as replies come.
    for byte in text.bytes() {
        traffic.inbox.push(byte);
        traffic.take_replies().unwrap();
    }
    assert!(traffic.inbox.is_empty());
}

fn words(outcomes: &[Outcome]) -> Vec<String> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Acked => "acked".to_owned(),
        Outcome::Failed(failure) => failure.kind.clone(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        Outcome::NotSent(_) => "not sent".to_owned(),
    };
    outcomes.iter().map(word).collect()
}

/// What the server says after a break: the batches it has, and what its keys hold.
fn evidence(numbers: Option<&[u64]>, fenced: bool, types: &[(&str, &str)]) -> Evidence {
    let mut value = vec![0; 26 * 20];
    for number in numbers.unwrap_or_default() {
        let at = 26 * *number as usize;
        value[at..at + 13].copy_from_slice(format!("{number:012} ").as_bytes());
    }
    let types = types.iter().map(|(key, kind)| (key.as_bytes().to_vec(), (*kind).to_owned()));
    Evidence {
        ring: Ok(numbers.map(|_| Ring::parse(&value))),
        fenced,
        restarted: Some(false),
        types: types.collect(),
    }
}

#[tokio::test]
async fn what_was_meant_for_an_older_connection_is_not_sent() {
    let mut traffic = Traffic::new(None, Turns::Never);
    traffic.break_off(&broken("cut"));
    let (old, answer) = batch(&["PING", "PING"], false, 0);
    traffic.take_in(old);
    assert_eq!(words(&answer.await.unwrap()), ["not sent", "not sent"]);
    let (new, _answer) = batch(&["PING"], false, 1);
    traffic.take_in(new);
    assert_eq!((traffic.unwritten, traffic.flights.len()), (1, 1));
}

#[tokio::test]
async fn without_proof_a_command_is_unknown_from_its_last_byte_on() {
    for (written, wanted) in [
        (0, ["not sent", "not sent"]),
        (13, ["not sent", "not sent"]),
        (14, ["unknown", "not sent"]),
        (27, ["unknown", "not sent"]),
        (28, ["unknown", "unknown"]),
    ] {
        let mut traffic = Traffic::new(None, Turns::Never);
        let (batch, answer) = batch(&["PING", "PING"], false, 0);
        traffic.take_in(batch);
        if written > 0 {
            traffic.has_written(written);
        }
        traffic.break_off(&broken("cut"));
        assert_eq!(words(&answer.await.unwrap()), wanted, "{written}");
    }
}

#[tokio::test]
async fn with_proof_nothing_is_there_before_the_last_byte_and_the_cursor_tells_after_it() {
    let (whole, _) = batch(&["LPUSH q a", "LPUSH q b"], true, 0);
    let mut bytes = whole.bytes.clone();
    proven().standing.unwrap().close(Instant::now(), 0, &mut bytes);
    for count in [1, whole.bytes.len(), bytes.len() - 1] {
        let mut traffic = proven();
        let (batch, answer) = batch(&["LPUSH q a", "LPUSH q b"], true, 0);
        traffic.take_in(batch);
        traffic.has_written(count);
        traffic.break_off(&broken("cut"));
        assert!(!traffic.is_in_doubt());
        assert_eq!(words(&answer.await.unwrap()), ["not sent", "not sent"], "{count}");
    }
    let list = [("q", "list")];
    for (evidence, wanted) in [
        (evidence(Some(&[1]), true, &list), "acked"),
        (evidence(Some(&[1]), false, &list), "acked"),
        (evidence(Some(&[]), true, &list), "not sent"),
        (evidence(None, true, &[]), "not sent"),
        (evidence(None, false, &[]), "unknown"),
        (Evidence { ring: Err(broken("no")), ..evidence(None, true, &[]) }, "unknown"),
        (evidence(Some(&[1]), true, &[("q", "none")]), "acked"),
        (evidence(Some(&[1]), true, &[("q", "string")]), "WRONGTYPE"),
        (evidence(Some(&[1]), true, &[]), "unknown"),
    ] {
        let mut traffic = proven();
        let answer = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
        traffic.break_off(&broken("cut"));
        let question = traffic.question(&Identity::default()).unwrap();
        assert_eq!(question.cursor.key(), "loadc:cursor:{q}:RUN");
        assert_eq!(question.queues.into_iter().collect::<Vec<_>>(), [b"q"]);
        assert_eq!(traffic.settle(&evidence, &broken("cut")), None);
        assert_eq!(words(&answer.await.unwrap()), [wanted, wanted], "{evidence:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_transaction_tells_what_became_of_each_command() {
    // The first batches renew the life of the cursor, which has a reply too.
    let queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n";
    let oom = "+OK\r\n-OOM a\r\n-OOM b\r\n-OOM c\r\n+QUEUED\r\n";
    let full = "+OK\r\n+QUEUED\r\n+QUEUED\r\n-OOM c\r\n+QUEUED\r\n";
    let no_multi = "-NOPERM multi\r\n:1\r\n-OOM b\r\n:5\r\n:1\r\n";
    let previous = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    let because = "-EXECABORT Transaction discarded because of: READONLY no.\r\n";
    for (first, last, wanted) in [
        (queued, "*4\r\n:1\r\n:2\r\n:13\r\n:1\r\n", ["acked", "acked"]),
        (queued, "*4\r\n:1\r\n-WRONGTYPE no\r\n:13\r\n:1\r\n", ["acked", "WRONGTYPE"]),
        (queued, because, ["READONLY", "READONLY"]),
        (queued, "-NOPERM exec\r\n", ["NOPERM", "NOPERM"]),
        (queued, "*-1\r\n", ["ERR", "ERR"]),
        (oom, previous, ["OOM", "OOM"]),
        (full, previous, ["OOM", "OOM"]),
        (no_multi, "-ERR EXEC without MULTI\r\n", ["acked", "OOM"]),
    ] {
        let mut traffic = proven();
        let answer = written(&mut traffic, &["LPUSH q a", "LPUSH r b"]);
        replies(&mut traffic, first);
        replies(&mut traffic, last);
        assert_eq!(words(&answer.await.unwrap()), wanted, "{first} {last}");
        assert!(!traffic.is_in_doubt());
    }
}

#[tokio::test]
async fn what_is_discarded_with_a_refused_command_comes_back() {
    let mut traffic = proven();
    let answer = written(&mut traffic, &["LPUSH q a", "LPUSH no b", "LPUSH q c", "LPUSH q d"]);
    let later = written(&mut traffic, &["LPUSH q e", "LPUSH wrong f"]);
    let previous = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    replies(&mut traffic, "+OK\r\n+QUEUED\r\n-NOPERM no\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    replies(&mut traffic, &format!("+QUEUED\r\n{previous}"));
    let outcomes = answer.await.unwrap();
    assert_eq!(words(&outcomes), ["not sent", "NOPERM", "not sent", "not sent"]);
    let discarded = |outcome: &Outcome| match outcome {
        Outcome::NotSent(failure) => failure.is_discarded(),
        _ => false,
    };
    assert_eq!(outcomes.iter().filter(|outcome| discarded(outcome)).count(), 3);
    replies(&mut traffic, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    replies(&mut traffic, "*4\r\n:1\r\n-WRONGTYPE no\r\n:13\r\n:1\r\n");
    assert_eq!(words(&later.await.unwrap()), ["acked", "WRONGTYPE"]);
}

#[tokio::test]
async fn a_discarded_batch_is_told_from_those_around_it() {
    let mut traffic = proven();
    let answers: Vec<_> =
        (0..4).map(|_| written(&mut traffic, &["LPUSH q a", "XADD s * f v"])).collect();
    replies(&mut traffic, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    replies(&mut traffic, "*4\r\n:1\r\n$3\r\n1-1\r\n:13\r\n:1\r\n");
    traffic.break_off(&broken("cut"));
    // The second was discarded when the server was full, the third went in, the fourth never came.
    let evidence = evidence(Some(&[1, 3]), true, &[("q", "list"), ("s", "stream")]);
    assert_eq!(traffic.settle(&evidence, &broken("cut")), None);
    let mut found = Vec::new();
    for answer in answers {
        found.push(words(&answer.await.unwrap())[0].clone());
    }
    assert_eq!(found, ["acked", "not sent", "acked", "not sent"]);
}

#[tokio::test]
async fn a_cursor_lost_in_between_doubles_nothing() {
    let mut traffic = proven();
    let answers: Vec<_> = (0..3).map(|_| written(&mut traffic, &["LPUSH q a"])).collect();
    replies(&mut traffic, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:13\r\n:1\r\n");
    traffic.break_off(&broken("cut"));
    // The second went in, the key was evicted, the third wrote it anew.
    let evidence = evidence(Some(&[3]), true, &[("q", "list")]);
    assert_eq!(traffic.settle(&evidence, &broken("cut")).unwrap().acked_jobs, 1);
    let mut found = Vec::new();
    for answer in answers {
        found.push(words(&answer.await.unwrap())[0].clone());
    }
    assert_eq!(found, ["acked", "unknown", "acked"]);
}

#[tokio::test]
async fn a_server_that_forgot_leaves_jobs_unknown_and_says_how_many_it_lost() {
    let mut traffic = proven();
    let first = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
    let second = written(&mut traffic, &["LPUSH q c"]);
    replies(&mut traffic, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    replies(&mut traffic, "*4\r\n:1\r\n:2\r\n:13\r\n:1\r\n");
    traffic.break_off(&broken("cut"));
    let restarted = Evidence { restarted: Some(true), ..evidence(None, true, &[]) };
    let forgotten = traffic.settle(&restarted, &broken("cut")).unwrap();
    assert_eq!(forgotten.acked_jobs, 2);
    assert!(forgotten.message.contains("has lost its data"), "{}", forgotten.message);
    assert_eq!(words(&first.await.unwrap()), ["acked", "acked"]);
    let outcomes = second.await.unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Unknown(failure)] if failure.kind == "forgotten"));
}

#[tokio::test]
async fn what_is_no_answer_to_a_command_breaks_the_connection_and_is_asked_about() {
    for reply in [
        "-ERR Protocol error: invalid bulk length\r\n",
        "+OK\r\n+QUEUED\r\n-ERR Protocol error: expected '$', got 'x'\r\n",
        "-ERR MULTI calls can not be nested\r\n",
    ] {
        let mut traffic = proven();
        let answer = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
        traffic.inbox.extend_from_slice(reply.as_bytes());
        let failure = traffic.take_replies().unwrap_err();
        traffic.break_off(&failure);
        assert!(traffic.is_in_doubt(), "{reply}");
        traffic.settle(&evidence(None, true, &[]), &failure);
        assert_eq!(words(&answer.await.unwrap()), ["not sent", "not sent"], "{reply}");
    }
}

#[tokio::test]
async fn what_the_server_says_unasked_ends_the_connection() {
    let mut traffic = proven();
    traffic.inbox.extend_from_slice(b"-ERR max number of clients reached\r\n");
    assert_eq!(traffic.take_replies().unwrap_err().kind, "ERR");
    let (batch, _answer) = batch(&["LPUSH q a"], true, 0);
    traffic.inbox.clear();
    traffic.take_in(batch);
    traffic
        .inbox
        .extend_from_slice(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:1\r\n:1\r\n");
    assert!(traffic.take_replies().is_err(), "an answer to what was not written");
    let mut traffic = proven();
    let _answer = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
    let short = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n-WRONGTYPE no\r\n";
    traffic.inbox.extend_from_slice(short.as_bytes());
    assert!(traffic.take_replies().is_err(), "half the answers");
}

/// A lane of a cluster.
fn of_cluster() -> Traffic {
    Traffic { turns: Turns::Slots, ..proven() }
}

#[tokio::test]
async fn what_comes_to_the_wrong_server_was_not_sent_and_the_rest_is_answered_first() {
    let abort = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    let queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n";
    for refusal in [
        // When it is queued, by each or by one command, or by the cursor's own.
        format!("+OK\r\n{}{abort}", "-MOVED 1 h:2\r\n".repeat(4)),
        format!("+OK\r\n-ASK 1 h:2\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n{abort}"),
        format!("+OK\r\n+QUEUED\r\n+QUEUED\r\n-MOVED 1 h:2\r\n-MOVED 1 h:2\r\n{abort}"),
        // When it is to run.
        format!("{queued}-TRYAGAIN no\r\n"),
        format!("{queued}-EXECABORT Transaction discarded because of: CLUSTERDOWN no\r\n"),
    ] {
        let mut traffic = of_cluster();
        let first = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
        let second = written(&mut traffic, &["LPUSH q c"]);
        replies(&mut traffic, &refusal);
        assert!(traffic.turned.is_some() && traffic.flights.len() == 1, "{refusal}");
        let rest = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:26\r\n:1\r\n";
        replies(&mut traffic, rest);
        assert_eq!(words(&second.await.unwrap()), ["acked"]);
        let failure = traffic.turned.clone().unwrap();
        traffic.break_off(&failure);
        assert!(!traffic.is_in_doubt());
        assert_eq!(words(&first.await.unwrap()), ["not sent", "not sent"], "{refusal}");
    }
}

#[tokio::test]
async fn a_single_server_s_moved_is_a_refusal_like_any_other() {
    let mut traffic = Traffic::new(None, Turns::Never);
    let answer = written(&mut traffic, &["LPUSH q a"]);
    replies(&mut traffic, "-MOVED 1 h:2\r\n");
    assert_eq!(words(&answer.await.unwrap()), ["MOVED"]);
}

#[tokio::test]
async fn commands_are_announced_where_their_slot_is_on_its_way() {
    let mut traffic = of_cluster();
    traffic.set_asking(true);
    let answer = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
    let bytes = traffic.flights[0].bytes.clone();
    let names = wire::commands(&bytes).filter_map(|command| command.split(|b| *b == b'\n').nth(2));
    let names: Vec<_> = names.map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    assert_eq!(names, ["ASKING", "MULTI", "LPUSH", "LPUSH", "SETRANGE", "EXPIRE", "EXEC"]);
    let mut queues = BTreeSet::new();
    traffic.flights[0].name_queues(&mut queues);
    assert_eq!(queues.into_iter().collect::<Vec<_>>(), [b"q"]);
    replies(
        &mut traffic,
        "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n:1\r\n:2\r\n:26\r\n:1\r\n",
    );
    assert_eq!(words(&answer.await.unwrap()), ["acked", "acked"]);
    let mut traffic = Traffic::new(None, Turns::Slots);
    traffic.set_asking(true);
    let answer = written(&mut traffic, &["LPUSH q a", "LPUSH q b"]);
    replies(&mut traffic, "+OK\r\n:1\r\n+OK\r\n-TRYAGAIN no\r\n");
    let failure = traffic.turned.clone().unwrap();
    traffic.break_off(&failure);
    assert_eq!(words(&answer.await.unwrap()), ["acked", "not sent"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_batches_are_under_way_than_the_cursor_has_places() {
    for (is_proven, most) in [(true, SLOTS as usize), (false, 3000)] {
        let mut traffic = if is_proven { proven() } else { Traffic::new(None, Turns::Never) };
        let (sender, mut batches) = mpsc::unbounded_channel();
        let mut answers = Vec::new();
        for _ in 0..3000 {
            let (batch, answer) = batch(&["LPUSH q a"], is_proven, 0);
            sender.send(batch).unwrap();
            answers.push(answer);
        }
        // A server that takes everything and answers nothing.
        let (near, _far) = tokio::io::duplex(4 << 20);
        let driving = traffic.drive(Box::new(near), &mut batches, || None);
        // In this test's time the patience ends when there is nothing left to do.
        let patience = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(patience, driving).await.is_err());
        assert_eq!((traffic.flights.len(), traffic.unwritten), (most, 0));
    }
}

mod fuzz {
    use super::*;
    use proptest::prelude::*;

    /// Replies as servers send them, in any order, and what none sends.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(vec![
            "+OK\r\n",
            "+QUEUED\r\n",
            ":1\r\n",
            ":13\r\n",
            "$3\r\n1-1\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*4\r\n:1\r\n:2\r\n:13\r\n:1\r\n",
            "*4\r\n:1\r\n-WRONGTYPE no\r\n:13\r\n:1\r\n",
            "-OOM no\r\n",
            "-EXECABORT Transaction discarded because of previous errors.\r\n",
            "-EXECABORT Transaction discarded because of: BUSY no.\r\n",
            "-ERR MULTI calls can not be nested\r\n",
            "-ERR Protocol error: no\r\n",
            "-LOADING no\r\n",
            "-MOVED 1 h:1\r\n",
            "-ASK 1 h:1\r\n",
            "-READONLY no\r\n",
        ]);
        prop_oneof![
            20 => known.prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 1..20),
        ]
    }

    proptest! {
        /// Whatever comes back, and whatever the server says after the break: no panic, and every
        /// command has one outcome.
        #[test]
        fn every_command_has_its_outcome(
            pieces in prop::collection::vec(piece(), 0..40),
            is_proven: bool,
            asking: bool,
            turns in prop::sample::select(vec![Turns::Never, Turns::Demoted, Turns::Slots]),
            held in prop::collection::vec(1..6_u64, 0..4),
            gone: bool,
            fenced: bool,
        ) {
            let mut traffic = if is_proven { proven() } else { Traffic::new(None, turns) };
            traffic.turns = turns;
            traffic.set_asking(asking);
            let answers: Vec<_> =
                (0..3).map(|_| written(&mut traffic, &["LPUSH q a", "XADD s * f v"])).collect();
            let mut failure = broken("cut");
            for piece in pieces {
                traffic.inbox.extend_from_slice(&piece);
                if let Err(wrong) = traffic.take_replies() {
                    failure = wrong;
                    break;
                }
            }
            traffic.break_off(&failure);
            let numbers = (!gone).then_some(held.as_slice());
            let found = evidence(numbers, fenced, &[("q", "list"), ("s", "stream")]);
            traffic.settle(&found, &failure);
            for mut answer in answers {
                prop_assert_eq!(answer.try_recv().map(|outcomes| outcomes.len()), Ok(2));
            }
        }

        #[test]
        fn no_bytes_are_read_beyond_their_end(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some(reply)) = wire::reply(&bytes) {
                prop_assert!(reply.len <= bytes.len());
            }
            _ = wire::elements(&bytes).map(Iterator::count);
            _ = wire::first_two(&bytes);
        }
    }
}
