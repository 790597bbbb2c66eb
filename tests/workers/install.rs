//! Gets the frameworks from their registries into a folder of the build, once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// Why a framework is not there.
pub type Missing = String;

/// The folder of this suite.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workers")
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("workers")
}

/// The folder of Python's commands, with the frameworks of a list of requirements.
pub fn python(list: &'static str) -> Result<PathBuf, Missing> {
    static PYTHONS: Mutex<BTreeMap<&str, Result<PathBuf, Missing>>> = Mutex::new(BTreeMap::new());
    let mut known = PYTHONS.lock().unwrap();
    let made = known.entry(list).or_insert_with(|| {
        let requirements = here().join("python").join(list);
        let home = cache().join(list);
        let bin = home.join("bin");
        installed(&home, &requirements, || {
            run(Command::new("python3").arg("-m").arg("venv").arg("--clear").arg(&home))?;
            let pip = bin.join("pip");
            run(Command::new(pip).args(["install", "--quiet", "--requirement"]).arg(&requirements))
        })
        .map(|()| bin.clone())
    });
    made.clone()
}

/// The folder with `node_modules`.
pub fn node() -> Result<PathBuf, Missing> {
    static NODE: OnceLock<Result<PathBuf, Missing>> = OnceLock::new();
    NODE.get_or_init(|| {
        let list = here().join("node/package.json");
        let home = cache().join("node");
        installed(&home, &list, || {
            std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
            std::fs::copy(&list, home.join("package.json")).map_err(|error| error.to_string())?;
            let quiet = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
            run(Command::new("npm").args(quiet).current_dir(&home))
        })
        .map(|()| home.clone())
    })
    .clone()
}

/// Whether a command of the system's is there.
pub fn system(command: &str, package: &str) -> Result<(), Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(command).exists());
    if found { Ok(()) } else { Err(format!("no `{command}`: install {package}")) }
}

/// The folder of a gem, with its program in `bin`.
pub fn gem(name: &str, version: &str) -> Result<PathBuf, Missing> {
    static GEMS: Mutex<BTreeMap<String, Result<PathBuf, Missing>>> = Mutex::new(BTreeMap::new());
    system("gem", "Ruby")?;
    let which = format!("{name}-{version}");
    let mut known = GEMS.lock().unwrap();
    let made = known.entry(which.clone()).or_insert_with(|| {
        let home = cache().join(&which);
        if !home.join("bin").exists() {
            let mut gem = Command::new("gem");
            gem.args(["install", "--no-document", name, "--version", version, "--install-dir"]);
            run(gem.arg(&home))?;
        }
        Ok(home)
    });
    made.clone()
}

/// Whether a library of Ruby's is there.
pub fn ruby(library: &str, package: &str) -> Result<(), Missing> {
    let tried = run(Command::new("ruby").args(["-e", &format!("require '{library}'")]));
    tried.map_err(|_| format!("no `{library}`: install {package}"))
}

/// Whether Laravel's queues are there.
pub fn php() -> Result<(), Missing> {
    system("php", "Debian's php-cli")?;
    let code = "foreach (['Queue', 'Redis', 'Events'] as $part) \
                require \"Illuminate/$part/autoload.php\"; exit(extension_loaded('redis') ? 0 : 1);";
    let packages =
        "Debian's php-illuminate-queue, php-illuminate-redis, php-illuminate-events, php-redis";
    run(Command::new("php").args(["-r", code])).map_err(|_| format!("install {packages}"))
}

/// The worker of asynq, built where there is Go and its modules can be had.
pub fn go() -> Result<PathBuf, Missing> {
    static GO: OnceLock<Result<PathBuf, Missing>> = OnceLock::new();
    GO.get_or_init(|| {
        system("go", "Go")?;
        let (from, home) = (here().join("go"), cache().join("go"));
        let program = home.join("worker");
        installed(&home, &from.join("main.go"), || {
            std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
            for file in ["go.mod", "main.go"] {
                let copied = std::fs::copy(from.join(file), home.join(file));
                copied.map_err(|error| error.to_string())?;
            }
            let build = ["build", "-mod=mod", "-o"];
            run(Command::new("go").args(build).arg(&program).current_dir(&home))
        })
        .map(|()| program.clone())
    })
    .clone()
}

/// Installs unless what the list names is there already.
fn installed(
    home: &Path,
    list: &Path,
    install: impl FnOnce() -> Result<(), Missing>,
) -> Result<(), Missing> {
    let wanted = std::fs::read_to_string(list).map_err(|error| error.to_string())?;
    let mark = home.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    install()?;
    std::fs::write(&mark, wanted).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), Missing> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
    Err(format!("{command:?} failed: {last}"))
}
