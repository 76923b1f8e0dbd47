//! Colours, progress, pipes, completions, manual pages, exit codes.

use crate::terminal::on_terminal;
use crate::{airlock, path, run};
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// What begins a colour.
const ESCAPE: &str = "\u{1b}[";

/// Green.
const GOOD: &str = "\u{1b}[32m";

#[test]
fn colours_are_for_terminals_and_never_where_no_color_is_set() {
    let doctor = || airlock(&["doctor"]);
    let term = ("TERM", "xterm-256color");
    // Variables, whether it is a terminal, whether there are colours.
    type Case<'c> = (&'c [(&'c str, &'c str)], bool, bool);
    let cases: [Case<'_>; 8] = [
        (&[term], true, true),
        (&[term, ("NO_COLOR", "1")], true, false),
        (
            &[term, ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            true,
            false,
        ),
        (&[("TERM", "dumb")], true, false),
        (&[("TERM", "dumb"), ("CI", "true")], true, true),
        (&[term], false, false),
        (&[term, ("CLICOLOR_FORCE", "1")], false, true),
        (
            &[term, ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            false,
            false,
        ),
    ];
    for (variables, is_terminal, is_coloured) in cases {
        let mut command = doctor();
        command.envs(variables.iter().copied());
        let text = match is_terminal {
            true => on_terminal(&mut command),
            false => run(&mut command).1,
        };
        assert!(text.contains("connectors.postgres_v2"), "{text}");
        assert_eq!(
            text.contains(GOOD),
            is_coloured,
            "{variables:?} {is_terminal}: {text:?}"
        );
    }
}

#[test]
fn help_and_errors_follow_the_same_rule() {
    let term = ("TERM", "xterm-256color");
    for arguments in [&["--help"][..], &["inspect", "/no/such/file"], &["fly"]] {
        let coloured = on_terminal(airlock(arguments).envs([term]));
        assert!(coloured.contains(ESCAPE), "{arguments:?}: {coloured:?}");
        let plain = on_terminal(airlock(arguments).envs([term, ("NO_COLOR", "1")]));
        assert!(!plain.contains(ESCAPE), "{arguments:?}: {plain:?}");
        let (_, out, err) = run(&mut airlock(arguments));
        assert!(
            !out.contains(ESCAPE) && !err.contains(ESCAPE),
            "{arguments:?}"
        );
    }
}

/// A database takes a second or so to be made.
#[test]
fn progress_is_for_terminals() {
    let term = ("TERM", "xterm-256color");
    let seen = on_terminal(airlock(&["demo"]).envs([term]));
    assert!(
        seen.contains("making a database") && seen.contains("Drop the table"),
        "{seen}"
    );
    let (code, out, err) = run(&mut airlock(&["demo"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(!out.contains("making a database"), "{out}");
}

/// Everything that prints, with a reader that is gone.
#[test]
fn nothing_panics_where_the_reader_of_a_pipe_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    fs::write(&config, "listen = 5\n").unwrap();
    let commands: [&[&str]; 13] = [
        &["--help"],
        &["--version"],
        &["commands"],
        &["commands", "--json"],
        &["inspect"],
        &[
            "plan",
            "postgres_v2/DropTableV2",
            "--input",
            r#"{"table_name": "t"}"#,
        ],
        &["plan", "postgres_v2/NoSuch"],
        &["check", path(&config)],
        &["doctor"],
        &["doctor", "--json"],
        &["completions", "bash"],
        &["man"],
        &[
            "call",
            "postgres_v2/DoSQL",
            "--database",
            "",
            "--input",
            "{}",
        ],
    ];
    for arguments in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = airlock(arguments).stdout(writer).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{arguments:?}: {err}"
        );
    }
}

#[test]
fn shells_complete_the_commands() {
    for (shell, begins) in [
        ("bash", "_airlock() {"),
        ("zsh", "#compdef airlock"),
        ("fish", "# Print an optspec"),
        ("elvish", "\nuse builtin;"),
        (
            "powershell",
            "\nusing namespace System.Management.Automation",
        ),
    ] {
        let (code, out, _) = run(&mut airlock(&["completions", shell]));
        assert_eq!(code, Some(0), "{shell}");
        assert!(out.starts_with(begins), "{shell}: {out:.200}");
        for command in ["serve", "doctor", "health"] {
            assert!(out.contains(command), "{shell} lacks {command}");
        }
    }
    assert_eq!(run(&mut airlock(&["completions", "tcsh"])).0, Some(2));
}

/// As a shell would: what completes `airlock do` and `airlock serve --lis`.
#[test]
fn bash_takes_the_completions() {
    let script = run(&mut airlock(&["completions", "bash"])).1;
    let ask = "COMP_WORDS=(airlock do) COMP_CWORD=1; _airlock airlock do airlock; echo \"${COMPREPLY[@]}\"\n\
               COMP_WORDS=(airlock serve --lis) COMP_CWORD=2; _airlock airlock --lis serve; echo \"${COMPREPLY[@]}\"\n";
    let mut bash = Command::new("bash")
        .args(["--noprofile", "--norc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = bash.stdin.take().unwrap();
    input
        .write_all(format!("{script}\n{ask}").as_bytes())
        .unwrap();
    drop(input);
    let output = bash.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "doctor\n--listen\n"
    );
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let (code, out, _) = run(&mut airlock(&["man"]));
    assert_eq!(code, Some(0));
    for part in [".TH airlock 1", ".SH NAME", ".SH SUBCOMMANDS", "Exit codes"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let directory = tempfile::tempdir().unwrap();
    let (code, ..) = run(&mut airlock(&["man", "--out", path(directory.path())]));
    assert_eq!(code, Some(0));
    for name in ["airlock.1", "airlock-serve.1", "airlock-doctor.1"] {
        let page = fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{name}: {page}");
    }
    let (code, _, err) = run(&mut airlock(&["man", "--out", "/proc/none"]));
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn commands_end_as_the_table_says_and_errors_say_what_to_do_next() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    fs::write(&config, "listen = 5\n").unwrap();
    let cases: [(&[&str], i32, &str); 9] = [
        (&["check", "/no/such/file"], 2, "cannot read"),
        (&["check", path(&config)], 1, ""),
        (
            &["serve", "--config", path(&config)],
            1,
            "1:10: listen must be a text",
        ),
        (&["serve", "--listen", &taken], 1, "--listen takes another"),
        (&["doctor", "--config", "/no/such/file"], 2, "cannot read"),
        (&["status"], 2, "set AIRLOCK_ADMIN_TOKEN"),
        (&["call", "DoSQL"], 2, "see airlock commands"),
        (&["inspect", "/no/such/file"], 2, "cannot read"),
        (&["serv"], 2, "similar subcommand"),
    ];
    for (arguments, code, says) in cases {
        let (ended, _, err) = run(&mut airlock(arguments));
        assert_eq!(ended, Some(code), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
    let mut unreached = airlock(&["status", "--admin", "http://127.0.0.1:1"]);
    let (code, _, err) = run(unreached.env("AIRLOCK_ADMIN_TOKEN", "canary-of-a-token"));
    assert_eq!(code, Some(1));
    assert!(err.contains("see that the server runs"), "{err}");
}
