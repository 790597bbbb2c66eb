use super::*;
use crate::job::Format;
use crate::sink::Failure;

fn queues() -> Vec<Queue> {
    vec![
        Queue { name: "mail".to_owned(), format: Format::List },
        Queue { name: "log".to_owned(), format: Format::Stream { max_len: Some(1000) } },
        Queue { name: "push".to_owned(), format: Format::List },
        Queue { name: "all".to_owned(), format: Format::Stream { max_len: None } },
    ]
}

fn words(command: &Command) -> String {
    let words: Vec<_> = command.args.iter().map(String::from_utf8_lossy).collect();
    words.join(" ")
}

fn add(builder: &mut BatchBuilder<u64>, queue: usize, job: u64) {
    let name = queues()[queue].name.clone();
    builder.add(queue, job, |unit| match queue {
        0 | 2 => unit.push_to(&name, format!("job{job}").as_bytes()),
        _ => {
            let args = unit.command();
            let words = ["XADD", &name, "*", "n", &job.to_string()];
            words.iter().for_each(|word| args.push(word.as_bytes()));
        }
    });
}

#[test]
fn lists_share_a_push_and_streams_do_not() {
    let mut builder = BatchBuilder::new(queues(), Limits::default());
    for (queue, job) in [(0, 1), (1, 2), (0, 3), (2, 4), (1, 5), (3, 6), (0, 7)] {
        add(&mut builder, queue, job);
    }
    assert_eq!(builder.jobs(), 7);
    let (commands, ledger) = builder.finish();
    let words: Vec<_> = commands.iter().map(words).collect();
    assert_eq!(
        words,
        [
            "LPUSH mail job1 job3 job7",
            "XADD log * n 2",
            "LPUSH push job4",
            "XADD log * n 5",
            "XADD all * n 6",
        ]
    );
    assert_eq!(commands.iter().map(|command| command.jobs).collect::<Vec<_>>(), [3, 1, 1, 1, 1]);
    assert_eq!(ledger.metas(), [1, 3, 7, 2, 4, 5, 6]);
    assert!(builder.is_empty() && builder.jobs() == 0 && builder.byte_len() == 0);
}

#[test]
fn a_push_is_split_by_jobs_and_by_bytes() {
    let mut builder = BatchBuilder::new(queues(), Limits { jobs: 2, bytes: 1 << 20 });
    (1..=5).for_each(|job| add(&mut builder, 0, job));
    let jobs: Vec<_> = builder.finish().0.iter().map(|command| command.jobs).collect();
    assert_eq!(jobs, [2, 2, 1]);

    let mut builder = BatchBuilder::new(queues(), Limits { jobs: 512, bytes: 1000 });
    for job in 0..3 {
        builder.add(0, job, |unit| unit.push_to("mail", &[b'x'; 600]));
    }
    builder.add(0, 3, |unit| unit.push_to("mail", &[b'x'; 5000]));
    builder.add(0, 4, |unit| unit.push_to("mail", b"x"));
    let (commands, ledger) = builder.finish();
    let jobs: Vec<_> = commands.iter().map(|command| command.jobs).collect();
    assert_eq!(jobs, [2, 2, 1]);
    assert_eq!(ledger.metas(), [0, 1, 2, 3, 4]);
}

#[test]
fn the_next_tick_starts_a_push_of_its_own_in_the_old_room() {
    let mut builder = BatchBuilder::new(queues(), Limits::default());
    add(&mut builder, 0, 1);
    let (commands, _) = builder.finish();
    builder.recycle(commands);
    add(&mut builder, 2, 2);
    add(&mut builder, 0, 3);
    let (commands, ledger) = builder.finish();
    let words: Vec<_> = commands.iter().map(words).collect();
    assert_eq!(words, ["LPUSH push job2", "LPUSH mail job3"]);
    assert_eq!(ledger.metas(), [2, 3]);
}

#[test]
fn outcomes_find_their_jobs() {
    let mut builder = BatchBuilder::new(queues(), Limits::default());
    for (queue, job) in [(0, 1), (1, 2), (0, 3)] {
        add(&mut builder, queue, job);
    }
    let (_, ledger) = builder.finish();
    let failure = Failure { kind: "OOM".into(), message: "OOM".into(), lasting: false };
    let outcomes = [Outcome::Acked, Outcome::Failed(failure)];
    let settled: Vec<_> = ledger.settle(&outcomes).collect();
    assert_eq!(settled, [(&outcomes[0], &[1, 3][..]), (&outcomes[1], &[2][..])]);
}
