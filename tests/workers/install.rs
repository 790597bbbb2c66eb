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
