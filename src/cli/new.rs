//! `loadc new`: a script to start from.

use super::Exit;
use super::files;
use super::output::Output;
use crate::problem::did_you_mean;
use crate::profiles::{ALL, Profile};
use crate::show;
use std::path::Path;

/// Write a commented script to start from.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to write it; standard output if not given
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The scenario to start from: `loadc profiles` lists them
    #[arg(long, value_name = "NAME", default_value = "demo")]
    from: String,
    /// Overwrite a file that is there already
    #[arg(long)]
    force: bool,
}

/// Writes a script.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let Some(profile) = Profile::named(&args.from) else {
        let names: Vec<&str> = ALL.iter().map(|profile| profile.name).collect();
        let help = match did_you_mean(&args.from, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? `loadc profiles` lists them"),
            None => format!("there are {}", names.join(", ")),
        };
        out.fault(&format!("there is no scenario `{}`", args.from), &help);
        return Exit::Wrong;
    };
    let Some(name) = args.file.as_deref().filter(|name| *name != "-") else {
        out.raw(profile.text);
        return Exit::Done;
    };
    let path = Path::new(name);
    let text = profile.text.replace("FILE", &show::clean(&word(name)));
    let written = match args.force && path.exists() {
        true => files::replace(path, &text),
        false => files::create(path, &text),
    };
    if let Err(error) = written {
        let help = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "give it another name, or --force to overwrite it",
            std::io::ErrorKind::NotFound => "the folder must exist",
            _ => "name a file that can be written; without one it goes to standard output",
        };
        out.fault(&format!("cannot write {name}: {}", files::what(&error)), help);
        return Exit::Wrong;
    }
    out.note(&format!("wrote {name}: see `loadc plan {}`", word(name)));
    Exit::Done
}

/// A name as it is typed on a command line.
fn word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+,@%:".contains(c);
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
