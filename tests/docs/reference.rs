//! The parts of the book that the program makes are what it makes.

use crate::document::PAGES;
use crate::{AIRLOCK, KEPT, repository};
use airlock::{ConnectorLimits, Limit, Limits};
use airlock_tests::POSTGRES_ADMIN;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// Where it is set, the parts are written in place of being compared.
const WRITE: &str = "AIRLOCK_WRITE_DOCS";

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The text with what is between the comments of `part` in place of what was there.
fn with_part(text: &str, part: &str, contents: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- {part}:begin -->\n"),
        format!("<!-- {part}:end -->"),
    );
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{contents}{end}{after}"))
}

/// Holds a part of a page to what it shall be, or writes it.
fn hold(page: &str, part: &str, contents: &str) {
    let file = repository().join(PAGES).join(page);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{page}: {error}"));
    let right = with_part(&text, part, contents)
        .unwrap_or_else(|| panic!("{page} has no <!-- {part}:begin --> … <!-- {part}:end -->"));
    if env::var_os(WRITE).is_some() {
        fs::write(&file, right).unwrap();
        return;
    }
    let difference = similar::TextDiff::from_lines(&text, &right);
    assert!(
        text == right,
        "{page} is not what the program says; {WRITE}=1 writes it:\n{}",
        difference.unified_diff()
    );
}

/// A number as people write it: bytes in their unit, other numbers in groups of three digits.
fn shown(name: &str, number: u64) -> String {
    let units = [(GIB, " GiB"), (MIB, " MiB"), (KIB, " KiB")];
    let is_whole = |(unit, _): &(u64, &str)| number >= *unit && number.is_multiple_of(*unit);
    match units.into_iter().find(is_whole) {
        Some((unit, name_of_unit)) if name.ends_with("_bytes") => {
            grouped(number / unit) + name_of_unit
        }
        _ => grouped(number),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The table of some limits, whose defaults stand in these columns.
fn table(limits: &[Limit], columns: &[&str]) -> String {
    let mut out = format!("| key | {} | meaning |\n", columns.join(" | "));
    writeln!(out, "| --- |{} --- |", " --- |".repeat(columns.len())).unwrap();
    for limit in limits {
        assert_eq!(limit.defaults.len(), columns.len());
        assert!(!limit.meaning.contains('|'), "{}", limit.name);
        let defaults = limit.defaults.iter();
        let defaults: Vec<_> = defaults
            .map(|default| shown(limit.name, *default))
            .collect();
        writeln!(
            out,
            "| `{}` | {} | {} |",
            limit.name,
            defaults.join(" | "),
            limit.meaning
        )
        .unwrap();
    }
    out
}

#[test]
fn commands_are_those_of_the_connectors() {
    let connectors = tempfile::tempdir().unwrap();
    fs::write(
        connectors.path().join("postgres_admin.wasm"),
        POSTGRES_ADMIN,
    )
    .unwrap();
    let output = Command::new(AIRLOCK)
        .args(["commands", "--markdown", "--connectors"])
        .arg(connectors.path())
        .env("XDG_CACHE_HOME", KEPT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("## postgres_v2\n") && text.contains("## postgres_admin\n"));
    hold("commands.md", "commands", &text);
}

#[test]
fn limits_are_those_of_the_host() {
    hold(
        "limits.md",
        "limits",
        &table(Limits::REFERENCE, &["default"]),
    );
}

#[test]
fn limits_of_connectors_are_those_of_the_profiles() {
    let table = table(ConnectorLimits::REFERENCE, &["`native`", "`script`"]);
    hold("limits.md", "connector-limits", &table);
}

#[test]
fn references_hold_every_limit_with_its_default() {
    let names = |limits: &[Limit]| limits.iter().map(|limit| limit.name).collect::<Vec<_>>();
    assert_eq!(names(Limits::REFERENCE), Limits::NAMES);
    assert_eq!(names(ConnectorLimits::REFERENCE), ConnectorLimits::NAMES);
    let rows = table(Limits::REFERENCE, &["default"]);
    assert!(rows.contains("| `body_bytes` | 64 MiB | Largest body of a request in bytes: 100,000 rows of a few columns fit several times. |\n"), "{rows}");
    assert!(
        rows.contains("| `deadline_ms` | 40,000 | Time for one call in milliseconds"),
        "{rows}"
    );
    assert!(rows.contains("| `compile_cache_bytes` | 2 GiB |"), "{rows}");
    let rows = table(ConnectorLimits::REFERENCE, &["`native`", "`script`"]);
    assert!(
        rows.contains("| `compile_memory_bytes` | 512 MiB | 2 GiB | "),
        "{rows}"
    );
    assert_eq!(shown("a_bytes", 1_000), "1,000");
    assert_eq!(shown("a_bytes", 64 * KIB), "64 KiB");
    assert_eq!(shown("a", 1_048_576), "1,048,576");
    let text = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb";
    assert_eq!(
        with_part(text, "x", "new\n").unwrap(),
        text.replace("old", "new")
    );
    assert_eq!(with_part(text, "y", ""), None);
}
