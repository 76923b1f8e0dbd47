//! The `airlock` command.
#![forbid(unsafe_code)]

mod cli;

use clap::Parser as _;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Small calls are made of small allocations: a third of their time in user space with the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::Arguments::parse().run()
}
