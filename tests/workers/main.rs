//! Every format against the worker of its framework: `./workers`, or `./workers rq celery`.
//!
//! It is no test harness of the usual kind, since a framework that can't be had here is neither
//! passed nor failed: it is skipped, and counted so.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it tells how far it is")]

mod agree;
mod frameworks;
mod install;
mod pages;
mod play;
mod proofs;
mod record;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod stage;

use frameworks::{FRAMEWORKS, Framework};
use pages::{PAGES, Page};
use stage::Trouble;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Frameworks that are tried at a time: they wait more than they work.
const SIDE_BY_SIDE: usize = 3;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let chosen: Vec<&Framework> = FRAMEWORKS
        .iter()
        .filter(|framework| names.is_empty() || names.iter().any(|name| name == framework.name))
        .collect();
    let pages = PAGES.iter().filter(|page| {
        names.is_empty() || names.iter().any(|name| name == page.name || name == "pages")
    });
    let mut tasks: Vec<Task> = chosen.into_iter().map(Task::Framework).collect();
    tasks.extend(pages.map(Task::Page));
    let next = AtomicUsize::new(0);
    let counts = Mutex::new([0_u32; 3]);
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = one(task);
                    counts.lock().unwrap()[place] += 1;
                }
            });
        }
    });
    let [passed, failed, skipped] = counts.into_inner().unwrap();
    println!("workers: {passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 || passed == 0 {
        std::process::exit(1);
    }
}

/// What is tried.
enum Task {
    Framework(&'static Framework),
    Page(&'static Page),
}

/// Tries one; 0 if it passed, 1 if it failed, 2 if it was skipped.
fn one(task: &Task) -> usize {
    let since = Instant::now();
    let outcome = std::panic::catch_unwind(|| match task {
        Task::Framework(framework) => play::play(framework),
        Task::Page(page) => pages::follow(page),
    });
    let name = match task {
        Task::Framework(framework) => framework.name.to_owned(),
        Task::Page(page) => format!("page {}", page.name),
    };
    let seconds = since.elapsed().as_secs_f64();
    match outcome {
        Ok(Ok(told)) => {
            println!("worker {} … ok: {told} ({seconds:.0} s)", name);
            0
        }
        Ok(Err(Trouble::Missing(why))) => {
            println!("worker {name} … SKIPPED: {why}");
            2
        }
        Ok(Err(Trouble::Wrong(why))) => {
            println!("worker {name} … FAILED: {why}");
            1
        }
        Err(_) => {
            println!("worker {name} … FAILED: the suite itself panicked");
            1
        }
    }
}
