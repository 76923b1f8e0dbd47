//! Connection strings: nothing of them shows, and both forms say the same.

use airlock::{ConnectionString, Limits, databases};
use arbitrary::{Result, Unstructured};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What must not show. Nothing else looks like it.
const CANARY: &str = "Zq7Zq9Zq";

/// Places where the canary is put into one text.
const PLACES: usize = 16;

/// Keywords that are used, ignored, refused and unknown.
const KEYS: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "options",
    "port",
    "sslmode",
    "target_session_attrs",
    "user",
    "keepalives",
    "gssencmode",
    "passfile",
    "replication",
    "service",
    "sslkey",
    "nonsense",
];

/// Keywords that take any text.
const TEXTS: &[&str] = &["application_name", "dbname", "host", "options", "user"];

/// Values that mean something, beside those that the input spells.
const VALUES: &[&str] = &[
    "",
    "5432",
    "65536",
    "localhost",
    "127.0.0.1,::1",
    "/var/run/postgresql",
    "require",
    "disable",
    "verify-full",
    "any",
    "read-write",
    "-c work_mem=1MB",
    "auto",
    "30",
    "a+b",
];

/// A URI that names nothing yet.
const URI: &str = "postgresql://?";

/// Takes an input whose first byte is odd as pairs of key and value, any other as text.
pub fn check(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    if first % 2 == 0 {
        match str::from_utf8(rest) {
            Ok(text) if !text.contains(CANARY) => check_text(text),
            _ => {}
        }
    } else if let Ok(pairs) = pairs(rest) {
        check_pairs(&pairs);
    }
}

/// Whatever it says, it is read to the same each time, and hides what it must.
fn check_text(text: &str) {
    assert_eq!(shown(text), shown(text));
    hides(|password| format!("password='{password}' {text}"));
    hides(|password| format!("postgresql://u:{password}@{text}"));
    // What is said of a mistake in the configuration quotes nothing.
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for at in boundaries.iter().step_by(boundaries.len() / PLACES + 1) {
        let (before, behind) = text.split_at(*at);
        if let Err(reason) =
            databases::check(&[before, CANARY, behind].concat(), &Limits::default())
        {
            assert!(!reason.contains(CANARY), "{text:?} at {at}: {reason}");
        }
    }
}

/// The same pairs are the same connection, however they are written, and a password does not show.
fn check_pairs(pairs: &BTreeMap<&str, String>) {
    let (mut quoted, mut escaped, mut uri) = (String::new(), String::new(), String::from(URI));
    for (key, value) in pairs {
        let inner = value.replace('\\', "\\\\").replace('\'', "\\'");
        let _ = write!(quoted, "{key}='{inner}' ");
        let _ = write!(escaped, "\n{key} = {}", backslashed(value));
        let _ = write!(uri, "{key}={}&", percent_encoded(value));
    }
    let expected = shown(&quoted);
    for other in [&escaped, &uri] {
        assert_eq!(expected, shown(other), "{quoted}\n{other}");
    }
    hides(|password| format!("{quoted} password={password}"));
    hides(|password| format!("{uri}password={password}"));
}

/// The canary does not show as a password, unless the rest spells it as well, behind escapes.
fn hides(text: impl Fn(&str) -> String) {
    let shows = |password: &str| {
        let (Ok(shown) | Err(shown)) = shown(&text(password));
        shown.contains(CANARY).then_some(shown)
    };
    if let Some(shown) = shows(CANARY) {
        assert!(shows("another").is_some(), "{:?}: {shown}", text(CANARY));
    }
}

/// All that anybody is shown of what was read, or of why it was not.
fn shown(text: &str) -> std::result::Result<String, String> {
    match ConnectionString::parse(text) {
        Ok(read) => Ok(format!("{read:?}")),
        Err(fault) => {
            let codes = ["ProgrammingError", "OperationalError", "PolicyDenied"];
            assert!(codes.contains(&&*fault.code), "{text:?}: {fault:?}");
            Err(format!("{fault:?}"))
        }
    }
}

fn backslashed(value: &str) -> String {
    match value {
        "" => "''".into(),
        value => value.chars().flat_map(|c| ['\\', c]).collect(),
    }
}

/// Encodes all but letters, digits and the plus sign, which stands for itself.
fn percent_encoded(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'+' | b'0'..=b'9' | b'a'..=b'z' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}

fn pairs(input: &[u8]) -> Result<BTreeMap<&'static str, String>> {
    let mut input = Unstructured::new(input);
    let mut pairs = BTreeMap::from([("user", "u".to_owned())]);
    while !input.is_empty() && pairs.len() < KEYS.len() {
        // Most take any text, or little would be read to its end.
        let keys = if input.ratio(1, 4)? { KEYS } else { TEXTS };
        let key = *input.choose(keys)?;
        let value = match input.ratio(1, 2)? {
            true => (*input.choose(VALUES)?).to_owned(),
            false => input.arbitrary::<String>()?,
        };
        pairs.insert(key, value.replace('\0', "").replace(CANARY, ""));
    }
    Ok(pairs)
}
