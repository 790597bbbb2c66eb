//! Files that are written: as a whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What went wrong with a file, without the number of the system's error.
pub(super) fn what(error: &std::io::Error) -> String {
    let what = error.to_string();
    what.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Writes a file that is not there yet; one that is is left alone.
pub(super) fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        // Half a script is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Gives a file another text: all of it or nothing, with the permissions it had. A link stays a
/// link.
pub(super) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let beside = beside(&path);
    let mut file = std::fs::File::create_new(&beside)?;
    let written = file
        .set_permissions(permissions)
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        // What remains of it is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Writes a file anew, all of it or nothing; what is no plain file (a pipe, a terminal) is written to.
pub(super) fn put(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_file() => replace(path, text),
        Ok(_) => std::fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes()),
        Err(_) => create(path, text),
    }
}

/// A name in the same folder, hidden, that no other process takes.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
