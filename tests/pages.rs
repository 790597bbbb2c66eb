//! `loadc completions` and `loadc man`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output};

fn loadc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadc")).args(arguments).output().unwrap()
}

fn out(arguments: &[&str]) -> String {
    let output = loadc(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `loadc help` lists.
fn commands() -> Vec<String> {
    let help = out(&["help"]);
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let words = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let commands: Vec<String> = words.filter(|word| word != "help").collect();
    assert!(commands.len() > 9, "{commands:?}");
    commands
}

#[test]
fn every_shell_learns_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        assert!(script.contains("--dry-run") || script.contains("dry-run"), "{shell}");
    }
    assert_eq!(loadc(&["completions", "tcsh"]).status.code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes_a_command() {
    let script = out(&["completions", "bash"]);
    let ask =
        "\nCOMP_WORDS=(loadc exp); COMP_CWORD=1; _loadc loadc exp loadc; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", &format!("{script}{ask}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "explain");
}

#[test]
fn every_command_has_a_manual_page() {
    let root = out(&["man"]);
    assert!(root.contains(".TH loadc 1 "), "{root}");
    for command in commands() {
        assert!(root.contains(&format!("loadc\\-{command}(1)")), "{command}");
        let page = out(&["man", &command]);
        assert!(page.contains(&format!(".TH loadc-{command} 1 ")), "{page}");
        assert!(page.contains(".SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\nDone;"), "{page}");
    }
    let unknown = loadc(&["man", "nope"]);
    assert_eq!((unknown.status.code(), unknown.stdout.len()), (Some(2), 0));
}
