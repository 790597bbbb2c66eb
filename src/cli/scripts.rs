//! The scripts that a command line names: files, and every script in a folder.

use ignore::WalkBuilder;
use std::path::Path;

/// What a name on the command line stands for.
pub(super) enum Named {
    /// A script.
    Script(String),
    /// Nothing that can be read: its name, what is wrong, and a way out.
    Fault(String, String, String),
}

/// The scripts in some files and folders, in order. A folder is walked for `*.load`, but for what is
/// hidden or ignored by git (or by an `.ignore`).
pub(super) fn scripts(names: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    for name in names {
        if name == "-" || !Path::new(name).is_dir() {
            found.push(Named::Script(name.clone()));
        } else {
            folder(name, &mut found);
        }
    }
    found
}

fn folder(name: &str, found: &mut Vec<Named>) {
    let before = found.len();
    let mut walk = WalkBuilder::new(name);
    walk.sort_by_file_name(Ord::cmp).require_git(false);
    for entry in walk.build() {
        match entry {
            Ok(entry) => {
                let path = entry.path();
                if path.extension().is_some_and(|extension| extension == "load") && path.is_file() {
                    // As it is called where another script uses it.
                    let path = path.strip_prefix("./").unwrap_or(path);
                    found.push(Named::Script(path.to_string_lossy().into_owned()));
                }
            }
            Err(error) => found.push(Named::Fault(
                name.to_owned(),
                format!("cannot look into {name}: {error}"),
                "check that the folder can be read".to_owned(),
            )),
        }
    }
    if found.len() == before {
        found.push(Named::Fault(
            name.to_owned(),
            format!("{name} holds no script"),
            "scripts are called `*.load`; what is hidden or ignored by git is passed over"
                .to_owned(),
        ));
    }
}
