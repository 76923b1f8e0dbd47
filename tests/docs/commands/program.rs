//! What is said of `airlock` within a text has to be there: commands and options.

use crate::AIRLOCK;
use std::process::Command;

/// What is wrong with code in a text that calls the program; other code is right.
pub(super) fn check_words(code: &str) -> Result<(), String> {
    let words: Vec<&str> = code.split_whitespace().collect();
    let ["airlock", command, rest @ ..] = words.as_slice() else {
        return Ok(());
    };
    let output = Command::new(AIRLOCK)
        .args([*command, "--help"])
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(format!("there is no command {command}"));
    }
    let help = String::from_utf8(output.stdout).unwrap();
    // Its examples do not count.
    let options = help.split("Examples:").next().unwrap_or_default();
    let known: Vec<&str> = options.split([' ', ',', '\n', '[', ']']).collect();
    let mut options = rest.iter().filter(|word| word.starts_with('-'));
    let unknown = options.find(|option| !known.contains(option));
    unknown.map_or(Ok(()), |option| {
        Err(format!("{command} has no option {option}"))
    })
}

#[test]
fn what_texts_name_has_to_be_there() {
    for right in [
        "airlock",
        "airlock serve",
        "airlock swap NAME --rollback",
        "airlock commands --markdown",
        "airlock completions bash|zsh",
        "airlocked fly",
    ] {
        assert_eq!(check_words(right), Ok(()), "{right}");
    }
    let told = |code: &str| check_words(code).unwrap_err();
    assert_eq!(told("airlock fly"), "there is no command fly");
    assert_eq!(
        told("airlock swap NAME --rolback"),
        "swap has no option --rolback"
    );
}
