//! What a connector can be called.

use super::Usage;
use airlock::connector::EMBEDDED;

/// The longest name, as the contract has it.
const MAX_NAME_BYTES: usize = 64;

/// Checks the name of a new connector. It becomes part of the names of packages, so it begins with a
/// letter.
///
/// # Errors
/// With what is wrong.
pub(super) fn check(name: &str) -> Result<(), Usage> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let fits = (1..=MAX_NAME_BYTES).contains(&name.len());
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !fits || !begins || !name.bytes().all(plain) {
        return Err(Usage(format!(
            "no connector can be called {name:?}: names are 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and _, and begin with a letter{}",
            suggestion(name)
        )));
    }
    if name == EMBEDDED {
        return Err(Usage(format!(
            "{EMBEDDED} is the connector that airlock brings; choose another name"
        )));
    }
    Ok(())
}

/// A name that can be, where the one that was given is near.
fn suggestion(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let near = words.join("_");
    let begins = near.starts_with(|first: char| first.is_ascii_lowercase());
    match begins && near.len() <= MAX_NAME_BYTES {
        true => format!("; {near} could be"),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract() {
        for name in ["notes", "a", "a_1", &"n".repeat(64)] {
            assert!(check(name).is_ok(), "{name}");
        }
        for (name, part) in [
            ("", "1 to 64"),
            ("1st", "begin with a letter"),
            ("_x", "begin with a letter"),
            ("My-Notes", "my_notes could be"),
            ("../x", "x could be"),
            ("käse", "k_se could be"),
            (&"n".repeat(65), "1 to 64"),
            (EMBEDDED, "choose another"),
        ] {
            let message = check(name).unwrap_err().to_string();
            assert!(message.contains(part), "{name}: {message}");
        }
    }
}
