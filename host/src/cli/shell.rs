//! `airlock completions` and `airlock man`: what shells and `man` know of the command line.

use super::{Arguments, Ending, Result, input::Usage};
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<Ending> {
    // The generator panics where it cannot write, as into a pipe that is closed.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "airlock", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Ending::Done)
}

/// Prints the manual page, or writes those of all commands into a directory.
pub(super) fn man(directory: Option<&Path>) -> Result<Ending> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(Arguments::command()).render(&mut page)?;
        io::stdout().lock().write_all(&page)?;
        return Ok(Ending::Done);
    };
    let unusable =
        |error: io::Error| Usage(format!("cannot write to {}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(unusable)?;
    clap_mangen::generate_to(Arguments::command(), directory).map_err(unusable)?;
    Ok(Ending::Done)
}
