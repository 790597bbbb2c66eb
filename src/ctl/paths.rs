//! Where the sockets of runs are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder for sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// The longest path of a socket, in bytes, that every Unix takes.
const LONGEST: usize = 103;

/// The socket of a run, which may be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run's id.
    pub run_id: String,
    /// Its socket.
    pub path: PathBuf,
}

/// The folders in which sockets may be, the one to use first.
pub fn folders() -> Vec<Folder> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
    let own = own.map(|dir| Folder(PathBuf::from(dir).join("loadc")));
    own.into_iter().chain(temporary()).collect()
}

#[cfg(unix)]
fn temporary() -> Option<Folder> {
    let user = rustix::process::geteuid().as_raw();
    Some(Folder(std::env::temp_dir().join(format!("loadc-{user}"))))
}

#[cfg(not(unix))]
fn temporary() -> Option<Folder> {
    None
}

impl Folder {
    /// That folder.
    pub fn at(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// The socket of a run.
    pub fn socket(&self, run_id: &str) -> PathBuf {
        self.0.join(format!("{run_id}.sock"))
    }

    /// Makes the folder where it is missing, for its owner alone.
    ///
    /// # Errors
    ///
    /// If it can't be made, is somebody else's, or open to others; or if its path is too long.
    #[cfg(unix)]
    pub fn prepare(&self, run_id: &str) -> io::Result<PathBuf> {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
        let socket = self.socket(run_id);
        if socket.as_os_str().len() > LONGEST {
            return Err(io::Error::other("its path is too long for a socket"));
        }
        match fs::DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Whoever made it first: it must be a folder of ours that nobody else may enter.
        let found = fs::symlink_metadata(&self.0)?;
        let ours = found.uid() == rustix::process::geteuid().as_raw();
        if !found.is_dir() || !ours || found.mode() & 0o077 != 0 {
            return Err(io::Error::other("it is not a folder of this user alone"));
        }
        Ok(socket)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Every socket in some folders.
pub fn runs(folders: &[Folder]) -> Vec<Found> {
    let mut found: Vec<Found> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(&folder.0).ok())
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let run_id = path.file_name()?.to_str()?.strip_suffix(".sock")?.to_owned();
            Some(Found { run_id, path })
        })
        .collect();
    found.sort_by(|a, b| a.run_id.cmp(&b.run_id));
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_folder_is_for_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path().join("loadc"));
        let socket = folder.prepare("run-1").unwrap();
        assert_eq!(socket, outer.path().join("loadc/run-1.sock"));
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(folder.prepare("run-1").is_err(), "others may look in");
        assert!(Folder::at(outer.path().join("a/b")).prepare("run-1").is_err(), "no folder above");
        let long = "r".repeat(LONGEST);
        assert!(folder.prepare(&long).unwrap_err().to_string().contains("too long"));
        fs::write(folder.socket("run-0"), "").unwrap();
        fs::write(folder.path().join("else"), "").unwrap();
        let ids: Vec<String> = runs(&[folder]).into_iter().map(|found| found.run_id).collect();
        assert_eq!(ids, ["run-0"]);
    }
}
