//! Writes findings: a line for each for people, one object for machines.

use super::finding::{Findings, Status};
use crate::cli::style::{self, Style};
use crate::cli::visible::line;
use serde_json::json;
use std::io::{self, Write};

/// Width of the names of what was looked at; longer ones push their line to the right.
const CHECK_WIDTH: usize = 28;

pub(super) fn as_json(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let report = json!({
        "ok": findings.count(Status::Ok),
        "warnings": findings.count(Status::Warning),
        "failed": findings.count(Status::Failed),
        "findings": findings.all(),
    });
    let text = serde_json::to_string_pretty(&report).map_err(io::Error::other)?;
    writeln!(out, "{text}")
}

pub(super) fn as_text(out: &mut impl Write, findings: &Findings, style: Style) -> io::Result<()> {
    for finding in findings.all() {
        let (word, look) = match finding.status {
            Status::Ok => ("ok", style::GOOD),
            Status::Warning => ("warning", style::DOUBTFUL),
            Status::Failed => ("failed", style::BAD),
        };
        let (on, off) = style.around(look);
        writeln!(
            out,
            "{on}{word:<8}{off} {:<CHECK_WIDTH$} {}",
            finding.check,
            line(&finding.found)
        )?;
        if let Some(next) = &finding.next {
            writeln!(out, "{:8} {:CHECK_WIDTH$} → {}", "", "", line(next))?;
        }
    }
    writeln!(
        out,
        "\n{} ok, {} to look at, {} failed",
        findings.count(Status::Ok),
        findings.count(Status::Warning),
        findings.count(Status::Failed)
    )
}
