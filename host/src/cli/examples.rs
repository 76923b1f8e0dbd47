//! What `--help` shows below the options: examples, and how a command ends.

macro_rules! help {
    ($examples:literal) => {
        concat!(
            "Examples:\n",
            $examples,
            "\n\n",
            "Exit codes: 0 done, 1 failed, 2 wrong usage"
        )
    };
}

pub(super) const ALL: &str = "\
Examples:
  airlock demo
  airlock serve --embedded-postgres
  airlock doctor --config airlock.toml

Exit codes, of every command:
  0  done
  1  failed: the call, the check, the start of the server
  2  wrong usage, or a file that is named cannot be read
  3  serve has stopped, and calls were cancelled";

pub(super) const SERVE: &str = "\
Examples:
  airlock serve
  airlock serve --config airlock.toml --log-format json
  airlock serve --connectors connectors --embedded-postgres

SIGTERM and SIGINT stop it: calls under way may finish. SIGHUP reads configuration and certificates again.

Exit codes: 0 stopped and every call finished, 1 it could not start, 2 wrong usage, 3 stopped and calls were cancelled";

pub(super) const NEW: &str = help!(
    "  airlock new notes
  airlock new notes --template python"
);

pub(super) const BUILD: &str = help!("  airlock build\n  airlock build notes");

pub(super) const TEST: &str = help!(
    "  airlock test
  airlock test --update
  airlock test notes --component notes.wasm

Plans that differ from what is expected make it fail."
);

pub(super) const DEV: &str = help!(
    "  airlock dev
  airlock dev notes --listen 127.0.0.1:7008
  airlock dev --into connectors"
);

pub(super) const DEMO: &str = help!("  airlock demo\n  airlock demo --serve");

pub(super) const CALL: &str = help!(
    "  airlock call postgres_v2/DoSQL --config airlock.toml --database orders --input @call.json
  airlock call postgres_v2/SelectValuesV2 --database 'host=127.0.0.1 user=me' --input -"
);

pub(super) const PLAN: &str = help!(
    "  airlock plan postgres_v2/DropTableV2 --input '{\"table_name\": \"users\"}'
  airlock plan postgres_v2/InsertValuesV2 --config airlock.toml --input @call.json"
);

pub(super) const CHECK: &str = help!("  airlock check airlock.toml");

pub(super) const DOCTOR: &str = help!(
    "  airlock doctor --config airlock.toml
  airlock doctor --config airlock.toml --json

Run it as the user and on the machine that serves. Warnings do not make it fail."
);

pub(super) const HEALTH: &str = help!(
    "  airlock health
  airlock health --live --url https://127.0.0.1:7004"
);

pub(super) const COMMANDS: &str = help!(
    "  airlock commands
  airlock commands --connectors connectors --json
  airlock commands --markdown > commands.md"
);

pub(super) const REPLAY: &str =
    help!("  airlock replay --old reports-1.4.wasm --new reports-1.5.wasm --calls calls.jsonl");

pub(super) const STATUS: &str = help!(
    "  airlock status --config airlock.toml
  airlock status --json --token-file token"
);

pub(super) const SWAP: &str = help!(
    "  airlock swap reports --config airlock.toml
  airlock swap reports --rollback"
);

pub(super) const INSPECT: &str = help!("  airlock inspect\n  airlock inspect reports-1.4.wasm");

pub(super) const COMPLETIONS: &str = help!(
    "  airlock completions bash > ~/.local/share/bash-completion/completions/airlock
  airlock completions zsh > ~/.zfunc/_airlock
  airlock completions fish > ~/.config/fish/completions/airlock.fish"
);

pub(super) const MAN: &str = help!(
    "  airlock man > airlock.1
  airlock man --out ~/.local/share/man/man1"
);

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use clap::{CommandFactory as _, Parser as _};

    /// The words of a line as a shell takes them, up to where its output goes.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (at, part) in line.split('\'').enumerate() {
            match at % 2 {
                1 => words.push(part.to_owned()),
                _ => words.extend(part.split_whitespace().map(str::to_owned)),
            }
        }
        let end = words.iter().position(|word| word == ">");
        words.truncate(end.unwrap_or(words.len()));
        words
    }

    #[test]
    fn every_command_has_examples_that_it_accepts() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let visible = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        for command in visible.chain([&command]) {
            let name = command.get_name();
            let help = command.get_after_help().expect(name).to_string();
            assert!(help.contains("Exit codes"), "{name}");
            let mut examples = help
                .lines()
                .filter(|line| line.starts_with("  airlock "))
                .peekable();
            assert!(examples.peek().is_some(), "{name} has no example");
            for example in examples {
                let words = words(example);
                if name != "airlock" {
                    assert_eq!(words[1], name, "{example}");
                }
                Arguments::try_parse_from(words)
                    .unwrap_or_else(|error| panic!("{example}: {error}"));
            }
        }
    }
}
