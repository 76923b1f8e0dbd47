//! Command line: what it takes and how each command ends.
//!
//! Exit codes: 0 done, 1 the command failed, 2 it was called wrongly, 3 `serve` cancelled calls when it
//! stopped.

mod admin;
mod build;
mod check;
mod commands;
mod connectors;
mod demo;
mod dev;
mod doctor;
mod embedded;
mod examples;
mod golden;
mod health;
mod input;
mod inspect;
mod language;
mod logging;
mod new;
mod notify;
mod once;
mod progress;
mod replay;
mod serve;
mod shell;
mod sources;
mod style;
mod surface;
mod test;
mod visible;

use airlock::connector::compile;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use language::Language;
use logging::LogFormat;
use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs workflow connectors as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(version, about, after_help = examples::ALL)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the connector-proxy protocol over HTTP.
    #[command(after_help = examples::SERVE)]
    Serve(ServeArguments),
    /// Show the user registration of the guide on a private PostgreSQL, step by step.
    #[command(after_help = examples::DEMO)]
    Demo {
        /// Go on serving on that database afterwards.
        #[arg(long)]
        serve: bool,
    },
    /// Run one command and print its reply.
    #[command(after_help = examples::CALL)]
    Call {
        #[command(flatten)]
        call: CallArguments,
        /// Connection string, or name of a database of the configuration; takes the place of the
        /// connection parameter in the input.
        #[arg(long, value_name = "DSN|NAME")]
        database: Option<String>,
    },
    /// Print the plan of one command and what its policy says to it, without touching a database.
    #[command(after_help = examples::PLAN)]
    Plan(CallArguments),
    /// Report every mistake in a configuration file.
    #[command(after_help = examples::CHECK)]
    Check {
        /// The file.
        #[arg(value_name = "CONFIG")]
        config: PathBuf,
    },
    /// Look whether machine, configuration, connectors and databases are fit to serve.
    #[command(after_help = examples::DOCTOR)]
    Doctor {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connectors: ConnectorArguments,
    },
    /// Ask a running server whether it is ready for calls.
    #[command(after_help = examples::HEALTH)]
    Health(HealthArguments),
    /// List the commands.
    #[command(after_help = examples::COMMANDS)]
    Commands {
        /// Print the whole manifests as JSON.
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// Print a reference for people as Markdown.
        #[arg(long)]
        markdown: bool,
        #[command(flatten)]
        connectors: ConnectorArguments,
    },
    /// Print how two versions of a connector plan the same recorded calls, where they differ.
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArguments),
    /// Print what goes on in a running server: versions, calls, what was refused.
    #[command(after_help = examples::STATUS)]
    Status {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        admin: AdminArguments,
    },
    /// Have a running server take the file of a connector again.
    #[command(after_help = examples::SWAP)]
    Swap {
        /// Name of the connector.
        name: String,
        /// Put the version that was live before back instead.
        #[arg(long)]
        rollback: bool,
        #[command(flatten)]
        admin: AdminArguments,
    },
    /// Compile the component on standard input: how `airlock` compiles what it does not trust.
    #[command(hide = true)]
    Compile {
        /// Time in milliseconds.
        #[arg(long)]
        compile_ms: u64,
        /// Memory in bytes.
        #[arg(long)]
        compile_memory_bytes: u64,
    },
    /// Make the project of a new connector, which works and is there to be changed.
    #[command(after_help = examples::NEW)]
    New(NewArguments),
    /// Build the connector of a project: NAME.wasm.
    #[command(after_help = examples::BUILD)]
    Build {
        /// Directory of the project.
        #[arg(value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
    /// Show where the connector of a project plans the calls of tests/plans differently than expected. It
    /// is built where it is older than its source; no database is needed.
    #[command(after_help = examples::TEST)]
    Test(TestArguments),
    /// Build the connector of a project at each change, and swap it into a running server.
    #[command(after_help = examples::DEV)]
    Dev(DevArguments),
    /// Print what a component file is: manifest, digest, size, imports.
    #[command(after_help = examples::INSPECT)]
    Inspect {
        /// The component; the embedded postgres_v2 where it is left out.
        file: Option<PathBuf>,
    },
    /// Print the completions of a shell for this command line.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    #[command(after_help = examples::MAN)]
    Man {
        /// Write the pages of all commands into this directory instead.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// Address to listen on; 127.0.0.1:7004 unless the configuration says otherwise.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    connectors: ConnectorArguments,
    /// Start a throw-away PostgreSQL: the database "embedded" for calls. Print its connection string, too.
    #[arg(long)]
    embedded_postgres: bool,
    /// How to write the log.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Debug, Args)]
struct HealthArguments {
    /// Where the server is. Its certificate is not checked.
    #[arg(
        long,
        value_name = "URL",
        env = "AIRLOCK_HEALTH_URL",
        default_value = "http://127.0.0.1:7004"
    )]
    url: String,
    /// Ask whether it is alive instead.
    #[arg(long)]
    live: bool,
    /// Time in milliseconds to wait for the answer.
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    timeout_ms: u64,
}

#[derive(Debug, Args)]
struct NewArguments {
    /// Name of the connector, and of the directory that is made: a-z, 0-9 and _.
    name: String,
    /// Language of the connector.
    #[arg(long, value_enum, default_value_t)]
    template: Language,
}

#[derive(Debug, Args)]
struct TestArguments {
    /// Directory of the project.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Take the plans as they are as expected from here on.
    #[arg(long)]
    update: bool,
    /// Test this component, and build nothing.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DevArguments {
    /// Directory of the project.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Address to listen on; that of the project's airlock.toml, or 127.0.0.1:7004.
    #[arg(long, value_name = "ADDR", conflicts_with = "into")]
    listen: Option<SocketAddr>,
    /// Start no server and no database: put the component into this directory, which a running server has
    /// as its connectors, and ask its admin surface what became of it.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Debug, Args)]
struct ReplayArguments {
    /// Component of the version before.
    #[arg(long, value_name = "FILE")]
    old: PathBuf,
    /// Component of the version that shall take its place.
    #[arg(long, value_name = "FILE")]
    new: PathBuf,
    /// Recorded calls.
    #[arg(long, value_name = "FILE")]
    calls: PathBuf,
    /// Configuration file, for the limits and grants of the connector.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AdminArguments {
    /// Address of the admin surface; http://127.0.0.1:7005 unless the configuration says otherwise.
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
    /// File with its token, in place of AIRLOCK_ADMIN_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Configuration file of the server.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct ConnectorArguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory with components to load besides the embedded postgres_v2: NAME.wasm for each
    /// connector NAME.
    #[arg(long, value_name = "DIR")]
    connectors: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CallArguments {
    /// What to run, such as postgres_v2/SelectValuesV2.
    #[arg(value_name = "CONNECTOR/COMMAND", value_parser = input::command_name)]
    command: (String, String),
    /// Parameters as a JSON object, as @FILE, or - for standard input.
    #[arg(long, default_value = "{}")]
    input: String,
    #[command(flatten)]
    connectors: ConnectorArguments,
}

/// How a command ended, short of an error.
enum Ending {
    Done,
    Failed,
    CutOff,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

impl Arguments {
    /// Runs the command to its end.
    pub(crate) fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Serve(arguments) => serve::run(arguments),
            Command::Demo { serve } => demo::run(serve),
            Command::Call { call, database } => once::call(&call, database),
            Command::Plan(call) => once::plan(&call),
            Command::Check { config } => check::run(&config),
            Command::Doctor { json, connectors } => doctor::run(json, &connectors),
            Command::Health(arguments) => health::run(&arguments),
            Command::Commands {
                json,
                markdown,
                connectors,
            } => {
                let form = match (json, markdown) {
                    (true, _) => commands::Form::Json,
                    (_, true) => commands::Form::Markdown,
                    _ => commands::Form::List,
                };
                commands::run(form, &connectors)
            }
            Command::Compile {
                compile_ms,
                compile_memory_bytes,
            } => {
                return compile(compile_ms, compile_memory_bytes);
            }
            Command::Replay(arguments) => replay::run(&arguments),
            Command::Status { json, admin } => admin::status(json, &admin),
            Command::Swap {
                name,
                rollback,
                admin,
            } => admin::swap(&name, rollback, &admin),
            Command::New(arguments) => new::run(&arguments),
            Command::Build { directory } => build::run(&directory),
            Command::Test(arguments) => test::run(&arguments),
            Command::Dev(arguments) => dev::run(arguments),
            Command::Inspect { file } => inspect::run(file.as_deref()),
            Command::Completions { shell } => shell::completions(shell),
            Command::Man { out } => shell::man(out.as_deref()),
        };
        match result {
            Ok(Ending::Done) => ExitCode::SUCCESS,
            Ok(Ending::Failed) => ExitCode::from(1),
            Ok(Ending::CutOff) => ExitCode::from(3),
            // The reader of a pipe has seen enough.
            Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
            Err(error) => {
                let (on, off) = style::Style::of(&io::stderr()).around(style::BAD);
                let text = error.to_string();
                let text = visible::lines(&text);
                let _ = writeln!(io::stderr(), "{on}airlock:{off} {text}");
                ExitCode::from(if error.is::<input::Usage>() { 2 } else { 1 })
            }
        }
    }
}

/// The other side is this program, so it alone has to make sense of the end.
fn compile(compile_ms: u64, compile_memory_bytes: u64) -> ExitCode {
    match compile::serve(compile_ms, compile_memory_bytes) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = write!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn async_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}
