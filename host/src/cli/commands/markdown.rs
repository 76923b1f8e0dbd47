//! The reference of a connector, made from its manifest.

use super::outline::{self, Row};
use super::text::{cell, code, json, line};
use airlock::plan::Command;
use std::io::{self, Write};

/// Writes what a connector and each of its commands is.
pub(super) fn write<'c>(
    out: &mut impl Write,
    name: &str,
    summary: &str,
    commands: impl Iterator<Item = &'c Command>,
) -> io::Result<()> {
    write!(out, "## {}\n\n{}\n", line(name), line(summary))?;
    for command in commands {
        write_command(out, command)?;
    }
    Ok(())
}

fn write_command(out: &mut impl Write, command: &Command) -> io::Result<()> {
    let (name, summary) = (line(&command.name), line(&command.summary));
    write!(
        out,
        "\n### {name}\n\n{summary}\n\nAccess: `{}`",
        command.access
    )?;
    let raw = if command.raw {
        "; takes SQL text of the caller"
    } else {
        ""
    };
    writeln!(out, "{raw}.")?;
    if !command.parameters.is_empty() {
        writeln!(out, "\n| parameter | kind | required | default | meaning |")?;
        writeln!(out, "| --- | --- | --- | --- | --- |")?;
    }
    for row in command.parameters.iter().flat_map(outline::rows) {
        write_row(out, &row)?;
    }
    if let Some(example) = json(&command.example) {
        write!(out, "\n```json\n{example}\n```\n")?;
    }
    if !command.errors.is_empty() {
        writeln!(out, "\n| error code | meaning |\n| --- | --- |")?;
    }
    for (error, meaning) in &command.errors {
        writeln!(out, "| {} | {} |", code(error), cell(meaning))?;
    }
    Ok(())
}

fn write_row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let default = row.default.as_deref().map(code).unwrap_or_default();
    let required = if row.is_required { "yes" } else { "" };
    let (name, kind, meaning) = (code(&row.name), &row.kind, cell(&row.meaning));
    let cells = [name.as_str(), kind, required, &default, &meaning];
    for cell in cells {
        match cell {
            "" => write!(out, "| ")?,
            _ => write!(out, "| {cell} ")?,
        }
    }
    writeln!(out, "|")
}

#[cfg(test)]
mod tests;
