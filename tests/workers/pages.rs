//! The pages of the documentation that lead from an empty directory to a worker under load, followed
//! to the letter, but for what is installed already and the server's port.

use crate::install::{self, Missing};
use crate::redis_server::RedisServer;
use crate::stage::{PATIENCE, Trouble, Worker};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Jobs that each page sends.
const JOBS: usize = 500;

/// A page, and where its framework is.
#[derive(Clone, Copy)]
pub struct Page {
    pub name: &'static str,
    place: fn() -> Result<Place, Missing>,
}

/// What to set so that a framework is found.
#[derive(Default)]
struct Place {
    /// A folder of commands.
    bin: Option<PathBuf>,
    /// Variables.
    set: Vec<(&'static str, PathBuf)>,
    /// What the page installs belongs to its own folder, so it is followed in that too.
    installs: bool,
}

fn python() -> Result<Place, Missing> {
    install::python("requirements.txt").map(|bin| Place { bin: Some(bin), ..Place::default() })
}

fn node() -> Result<Place, Missing> {
    let home = install::node()?;
    Ok(Place { set: vec![("NODE_PATH", home.join("node_modules"))], ..Place::default() })
}

fn resque() -> Result<Place, Missing> {
    let home = install::gem("resque", "3.0.0")?;
    Ok(Place { set: vec![("GEM_HOME", home.clone()), ("GEM_PATH", home)], ..Place::default() })
}

/// The pages that are followed.
pub const PAGES: &[Page] = &[
    Page {
        name: "sidekiq",
        place: || install::system("sidekiq", "Debian's ruby-sidekiq").map(|()| Place::default()),
    },
    Page { name: "bullmq", place: node },
    Page { name: "bull", place: node },
    Page { name: "celery", place: python },
    Page { name: "rq", place: python },
    Page {
        name: "arq",
        place: || {
            install::python("arq.txt").map(|bin| Place { bin: Some(bin), ..Place::default() })
        },
    },
    Page { name: "dramatiq", place: python },
    Page { name: "huey", place: python },
    Page { name: "taskiq", place: python },
    Page {
        name: "asynq",
        place: || install::go().map(|_| Place { installs: true, ..Place::default() }),
    },
    Page { name: "resque", place: resque },
    Page { name: "laravel", place: || install::php().map(|()| Place::default()) },
];

/// A fenced block: what stands before it, its language and its text.
struct Block<'t> {
    before: &'t str,
    language: &'t str,
    text: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let (mut before, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            let text = inside.collect::<Vec<_>>().join("\n") + "\n";
            found.push(Block { before, language, text });
        } else if !line.is_empty() {
            before = line;
        }
    }
    found
}

/// Follows a page.
pub fn follow(page: &Page) -> Result<String, Trouble> {
    let place = (page.place)().map_err(Trouble::Missing)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/queues/{}.md", page.name));
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let server = RedisServer::start();
    // The suite has two versions of BullMQ side by side, so they bear other names.
    let mut text = text.replace("127.0.0.1:6379", &format!("127.0.0.1:{}", server.port()));
    for port in ["port: ", "'port' => "] {
        text = text.replace(&format!("{port}6379"), &format!("{port}{}", server.port()));
    }
    let text = text.replace("require('bullmq')", "require('bullmq6')");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let blocks = blocks(&text);
    for block in &blocks {
        // A file's name begins the line before it.
        let line = block.before.strip_prefix('`').filter(|line| line.ends_with(':'));
        let name = line.and_then(|line| line.split('`').next());
        if let Some(name) = name {
            let written = std::fs::write(folder.path().join(name), &block.text);
            written.map_err(|error| error.to_string())?;
        }
    }
    let command = |before: &str| {
        let block = blocks.iter().find(|block| block.before == before && block.language == "sh");
        block.map(|block| block.text.clone()).ok_or_else(|| format!("no block behind `{before}`"))
    };
    let said = folder.path().join("said");
    if place.installs {
        let block = blocks.iter().find(|block| block.language == "sh");
        let install = block.map(|block| block.text.clone()).unwrap_or_default();
        let done = Command::new("sh").args(["-c", &install]).current_dir(folder.path()).output();
        let done = done.map_err(|error| error.to_string())?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
        }
    }
    let worker = start(&command("Start the worker:")?, folder.path(), &place, &said)?;
    let send = command("Send it, in another terminal:")?;
    let send = send.replacen("loadc", env!("CARGO_BIN_EXE_loadc"), 1);
    let sent = Command::new("sh").args(["-c", &send]).current_dir(folder.path()).output();
    let sent = sent.map_err(|error| error.to_string())?;
    if !sent.status.success() {
        return Err(String::from_utf8_lossy(&sent.stderr).into_owned().into());
    }
    let since = Instant::now();
    loop {
        let text = std::fs::read_to_string(&said).unwrap_or_default();
        let orders = orders(&text);
        if orders == JOBS {
            drop(worker);
            return Ok("its page leads to a worker under load".to_owned());
        }
        if since.elapsed() > PATIENCE {
            return Err(format!("the worker ran {orders} of {JOBS} orders: {text:.600}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The different orders that a worker has printed.
fn orders(text: &str) -> usize {
    let number = |part: &str| part.split(' ').next()?.parse::<u64>().ok();
    text.split("order ").skip(1).filter_map(number).collect::<HashSet<_>>().len()
}

fn start(command: &str, folder: &Path, place: &Place, said: &Path) -> Result<Worker, Trouble> {
    use std::os::unix::process::CommandExt as _;
    let out = std::fs::File::create(said).map_err(|error| error.to_string())?;
    let errors = out.try_clone().map_err(|error| error.to_string())?;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).process_group(0);
    shell.stdin(Stdio::null()).stdout(out).stderr(errors).env("PYTHONUNBUFFERED", "1");
    if let Some(bin) = &place.bin {
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", bin.display()));
    }
    shell.envs(place.set.iter().map(|(name, value)| (*name, value)));
    let child = shell.spawn().map_err(|error| format!("{command}: {error}"))?;
    Ok(Worker(child))
}
