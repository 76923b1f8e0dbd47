//! The keyword `options`: settings of the session, and nothing else.
//!
//! PostgreSQL takes it as a command line of the server process. Only what sets a parameter is passed
//! on; a session could mostly do the same with SET.

use super::connection_string::refused;
use crate::fault::Fault;

/// Parameters that only the start of a session can set, and that load code into the server process, hold
/// it up or write to its log.
const REFUSED: &[&str] = &[
    "ignore_system_indexes",
    "jit_debugging_support",
    "jit_profiling_support",
    "local_preload_libraries",
    "log_connections",
    "log_disconnections",
    "post_auth_delay",
    "pre_auth_delay",
    "session_preload_libraries",
];

/// What the server shall be given: `options`, and `client_encoding`. The driver always speaks UTF-8;
/// another encoding is named all the same, so that the server refuses one that does not exist.
///
/// # Errors
/// Where `options` holds anything but settings.
pub(super) fn options(
    options: Option<String>,
    encoding: Option<String>,
) -> Result<Option<String>, Fault> {
    if let Some(options) = &options {
        check(options)?;
    }
    let mut parts: Vec<String> = options.into_iter().collect();
    if parts
        .iter()
        .any(|part| part.to_ascii_lowercase().contains("datestyle"))
    {
        parts.push("-c datestyle=ISO".into());
    }
    let escape = |value: String| value.replace('\\', "\\\\").replace(' ', "\\ ");
    parts.extend(
        encoding
            .filter(|name| name != "auto")
            .map(|name| format!("-c client_encoding={}", escape(name))),
    );
    Ok((!parts.is_empty()).then(|| parts.join(" ")))
}

fn check(options: &str) -> Result<(), Fault> {
    let mut words = split(options).into_iter();
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(setting), _) => Some(setting.to_owned()),
            (None, Some("")) => words.next(),
            (None, Some(setting)) => Some(setting.to_owned()),
            (None, None) => None,
        };
        let name = setting
            .as_deref()
            .and_then(|setting| setting.split_once('='));
        let name = name.map(|(name, _)| name).filter(|name| is_name(name));
        match name.map(|name| name.replace('-', "_").to_ascii_lowercase()) {
            Some(name) if REFUSED.contains(&name.as_str()) => {
                return Err(refused(format!(
                    "the connection option \"options\" must not set \"{name}\"\n"
                )));
            }
            Some(_) => {}
            None => {
                return Err(refused(
                    "the connection option \"options\" takes settings only, as in -c name=value\n",
                ));
            }
        }
    }
    Ok(())
}

/// The words, as the server takes them apart: at white space, where no backslash is in front of it.
fn split(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = options.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next();
                word.get_or_insert_default().extend(escaped);
            }
            space if space.is_ascii_whitespace() || space == '\u{b}' => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_passed_on() {
        for text in [
            "-c statement_timeout=100",
            "-cstatement_timeout=100 --search-path=foo,public",
            "  -c  a.b=c\\ d\\\\  ",
            "-c nosuchguc=1",
            "",
        ] {
            let passed = options(Some(text.into()), None).unwrap();
            assert_eq!(passed.as_deref(), Some(text));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "-B 1",
            "-f s",
            "-d 5",
            "-W 60",
            "-o x",
            "-r /tmp/x",
            "-P",
            "-c",
            "-c x",
            "-c =x",
            "--",
            "--x",
            "---c=x",
            "-c a -B 1",
            "statement_timeout=1",
            "-c a=b c=d",
            "\\-c a=b -\\B 1",
            "-c \\  -B",
        ] {
            let fault = options(Some(text.into()), None).unwrap_err();
            assert!(fault.message.contains("settings only"), "{text}: {fault}");
        }
        for text in [
            "-c local_preload_libraries=x",
            "-clocal_preload_libraries=x",
            "--local-preload-libraries=x",
            "-c LOCAL_PRELOAD_LIBRARIES=x",
            "-\\c loca\\l_preload_libraries=x",
            "-c a=b -c post_auth_delay=60",
        ] {
            let fault = options(Some(text.into()), None).unwrap_err();
            assert!(fault.message.contains("must not set"), "{text}: {fault}");
        }
    }
}
