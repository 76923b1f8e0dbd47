//! The blocks of a page as one script, in which each command is in the line that it has on the page.

use crate::document::{Block, Document};

/// The script of a document. Lines of the page that are no commands are empty, or tell that a block begins
/// or ends.
pub(super) fn of(document: &Document) -> String {
    let count = document.text.lines().count() + 1;
    let mut lines = vec![String::new(); count];
    for block in document.blocks() {
        match block.language.as_str() {
            "sh" if block.not_run.is_none() => put(&mut lines, &block),
            "toml" if block.text.starts_with("# airlock.toml\n") => {
                // Quoted so that it stays on the line of the fence.
                lines[block.line - 1] = format!("keep airlock.toml {}", quoted(&block.text));
            }
            _ => {}
        }
    }
    lines.join("\n") + "\n"
}

fn put(lines: &mut [String], block: &Block) {
    let first = block.line - 1;
    lines[first] = format!("begin_block {}", block.line);
    let mut at = first + 1;
    let mut text = block.text.lines().peekable();
    while let Some(line) = text.next() {
        let mut command = line.to_owned();
        let mut taken = 1;
        while command.ends_with('\\') && text.peek().is_some() {
            command.pop();
            command.push_str(text.next().unwrap().trim_start());
            taken += 1;
        }
        match server(&command) {
            Some(command) => lines[at] = command,
            None => {
                let original = block.text.lines().skip(at - first - 1).take(taken);
                lines[at..at + taken]
                    .iter_mut()
                    .zip(original)
                    .for_each(|(place, line)| line.clone_into(place));
            }
        }
        at += taken;
    }
    lines[at] = "end_block".into();
}

/// The line that starts a server as in another terminal, where `line` starts one.
fn server(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    let (before, last) = line.rsplit_once("&& ").map_or(("", line), |(_, last)| {
        line.split_at(line.len() - last.len())
    });
    let assigned = last
        .split_inclusive(' ')
        .take_while(|word| is_assignment(word))
        .map(str::len)
        .sum();
    let (assignments, command) = last.split_at(assigned);
    if !serves(command) {
        return None;
    }
    Some(match command.strip_suffix('&') {
        Some(command) => format!("{before}{assignments}terminal kept {}", command.trim_end()),
        None => format!("{before}{assignments}terminal own {command}"),
    })
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether a command goes on until it is stopped.
fn serves(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let arguments = match words.as_slice() {
        ["cargo", "run", rest @ ..] => {
            let at = rest.iter().position(|word| *word == "--");
            at.map_or(&[][..], |at| &rest[at + 1..])
        }
        [program, arguments @ ..] if *program == "airlock" || program.ends_with("/airlock") => {
            arguments
        }
        _ => &[],
    };
    match arguments {
        [_, rest @ ..] if rest.contains(&"--help") => false,
        ["serve" | "dev", ..] => true,
        ["demo", rest @ ..] => rest.contains(&"--serve"),
        _ => false,
    }
}

/// A text as a word of bash.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n");
    format!("$'{escaped}'")
}

#[test]
fn servers_are_found() {
    for (line, expected) in [
        ("airlock serve", "terminal own airlock serve"),
        (
            "target/release/airlock serve --connectors c &   # x",
            "terminal kept target/release/airlock serve --connectors c",
        ),
        (
            "A=1 B=\"x\" ./airlock dev --into d",
            "A=1 B=\"x\" terminal own ./airlock dev --into d",
        ),
        (
            "cd notes && airlock dev",
            "cd notes && terminal own airlock dev",
        ),
        (
            "cargo run --release -- demo --serve",
            "terminal own cargo run --release -- demo --serve",
        ),
    ] {
        assert_eq!(server(line).as_deref(), Some(expected), "{line}");
    }
    for line in [
        "airlock demo",
        "airlock serve --help",
        "cargo run -- check serve",
        "echo airlock serve",
        "# airlock serve",
        "airlock",
    ] {
        assert_eq!(server(line), None, "{line}");
    }
}

#[test]
fn commands_keep_their_lines() {
    let text = "a\n\n```toml\n# airlock.toml\nb = 'c'\n```\n- x\n\n  ```sh\n  a \\\n    b\n  airlock serve \\\n    --c\n  d\n  ```\n";
    let script = of(&Document::of("a.md", text));
    let lines: Vec<_> = script
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .collect();
    assert_eq!(
        lines,
        [
            (2, "keep airlock.toml $'# airlock.toml\\nb = \\'c\\'\\n'"),
            (8, "begin_block 9"),
            (9, "a \\"),
            (10, "  b"),
            (11, "terminal own airlock serve --c"),
            (13, "d"),
            (14, "end_block"),
        ]
    );
}
