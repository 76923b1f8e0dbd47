//! From WebAssembly to machine code, in a process of its own.
//!
//! A component can be made so that it takes the compiler minutes and gigabytes. A child process compiles
//! it, with bounds on time and memory that the system keeps and far below all else in priority, so that it
//! neither stops the service nor slows its calls. [`serve`] is the child's side.

use super::compile_cache::{CompileCache, CompileCacheKey};
use super::{Digest, engine};
use crate::fault::Fault;
use crate::limits::ConnectorLimits;
use crate::priority::ASIDE;
use rustix::process::{Resource, Rlimit, Signal, getpriority_process, nice, setrlimit};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Has the allocator of the `airlock` program take memory as it is needed: what it sets aside in
/// advance would count against the limit.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// Threads that compile. Each takes memory, so their number must not depend on the machine.
const THREADS: u64 = 2;

/// That of Airlock.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longest complaint of the child that is looked at, in bytes.
const COMPLAINT_BYTES: u64 = 4 << 10;

/// Who compiles components.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// This process, without bounds on time and memory: for components that are trusted.
    InProcess,
    /// A child process. It gets the bounds as its last two arguments, `--compile-ms` and
    /// `--compile-memory-bytes` with their values, and has to call [`serve`].
    Child {
        /// The program, such as that of this process.
        program: PathBuf,
        /// What makes it call [`serve`].
        arguments: Vec<OsString>,
    },
    /// Another one, where the component was not compiled before.
    Cached {
        /// Who compiles what is not in the cache.
        compiler: Box<Compiler>,
        /// Where compiled components are kept.
        cache: Arc<CompileCache>,
    },
}

impl Compiler {
    /// This compiler, asked only for components that are not in `cache`.
    #[must_use]
    pub fn cached(self, cache: Arc<CompileCache>) -> Compiler {
        Compiler::Cached {
            compiler: Box::new(self),
            cache,
        }
    }

    /// The component with the digest `digest`, ready to run.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: Digest,
        limits: &ConnectorLimits,
    ) -> Result<Loaded, Fault> {
        match self {
            Compiler::InProcess => Component::from_binary(engine, bytes)
                .map(Loaded::in_memory)
                .map_err(|error| invalid(&format!("{error:#}"))),
            Compiler::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                let compiled = Compilation { bytes, limits }.run(command)?;
                // Here it shows whether the component asks for more than is set aside for instances.
                deserialize(engine, Compiled::Memory(&compiled))
                    .map(Loaded::in_memory)
                    .map_err(|error| invalid(&format!("{error:#}")))
            }
            Compiler::Cached { compiler, cache } => {
                let hash = engine.precompile_compatibility_hash();
                let key = CompileCacheKey::new(digest, &hash, VERSION);
                if let Some(recalled) = recall(cache, &key, engine) {
                    return Ok(recalled);
                }
                let loaded = compiler.compile(engine, bytes, digest, limits)?;
                Ok(match loaded.component.serialize() {
                    Ok(compiled) => {
                        let mapped = map(cache, &compiled, engine);
                        cache.put(&key, compiled);
                        mapped.unwrap_or(loaded)
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot keep a compiled component");
                        loaded
                    }
                })
            }
        }
    }
}

/// The component as it was compiled before.
fn recall(cache: &CompileCache, key: &CompileCacheKey, engine: &Engine) -> Option<Loaded> {
    let compiled = cache.get(key)?;
    if let Some(mapped) = map(cache, &compiled, engine) {
        return Some(mapped);
    }
    // Fails where less is set aside for instances than when it was stored.
    deserialize(engine, Compiled::Memory(&compiled))
        .map(Loaded::in_memory)
        .map_err(|error| cache.refuse(key, &error))
        .ok()
}

/// The component, mapped from a file without a name: only what is run of it takes memory, and the system
/// can have that back. None where the file system knows no such files or runs nothing from them.
fn map(cache: &CompileCache, compiled: &[u8], engine: &Engine) -> Option<Loaded> {
    let unnamed = cache.write_unnamed(compiled).map_err(wasmtime::Error::from);
    let mapped = unnamed.and_then(|file| {
        Ok(Loaded {
            component: deserialize(engine, Compiled::Unnamed(&file))?,
            unnamed: Some(file),
        })
    });
    mapped
        .map_err(|error| tracing::debug!(%error, "a compiled component is held in memory"))
        .ok()
}

/// A component that is ready to run.
pub(super) struct Loaded {
    pub(super) component: Component,
    /// The file that it is mapped from.
    unnamed: Option<File>,
}

impl Loaded {
    fn in_memory(component: Component) -> Loaded {
        Loaded {
            component,
            unnamed: None,
        }
    }

    /// The component mapped anew, so that none of it is in memory; none where it is not mapped.
    pub(super) fn map_anew(&self, engine: &Engine) -> Option<Component> {
        deserialize(engine, Compiled::Unnamed(self.unnamed.as_ref()?)).ok()
    }
}

fn invalid(reason: &str) -> Fault {
    Fault::connector(format!("the file is not a valid component: {reason}"))
}

/// Machine code that our own compiler wrote.
enum Compiled<'a> {
    /// In memory of this process.
    Memory(&'a [u8]),
    /// In a file that this process wrote and nobody else has a name for.
    Unnamed(&'a File),
}

/// The machine code that our own compiler wrote, now or before.
///
/// # Safety of the calls inside
/// They trust their input: machine code that was tampered with does as it likes. These bytes are those
/// of our own compiler, and came one of two ways:
/// - Over a pipe from a child process of this program, which nobody else can write to, or from the
///   compiler in this process. It compiled them with this version of the engine, which checks that the
///   settings are the same. A component that takes over the compiler itself would be inside of this
///   process without the child.
/// - From the compile cache. Only this module can put something there ([`CompileCache`] has no public
///   way), and it puts what came the first way. What lies in the cache between can be changed only by
///   who can read its key, a file in a directory of mode 700 that belongs to this user; the bytes are
///   verified with that key, over the component, the settings and the version that they were compiled
///   for. They are read into memory of this process once and verified there.
///
/// From there they are loaded, or from a file that they were written to, which never had a name and
/// cannot get one, so that a change of anything that has a name changes nothing. Who can reach the open
/// file in this process can reach its memory as well.
#[allow(unsafe_code, reason = "see above")]
fn deserialize(engine: &Engine, compiled: Compiled<'_>) -> wasmtime::Result<Component> {
    unsafe {
        match compiled {
            Compiled::Memory(bytes) => Component::deserialize(engine, bytes),
            Compiled::Unnamed(file) => {
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                Component::deserialize_file(engine, path)
            }
        }
    }
}

/// One component on its way through a child.
struct Compilation<'a> {
    bytes: &'a [u8],
    limits: &'a ConnectorLimits,
}

impl Compilation<'_> {
    fn run(&self, mut command: Command) -> Result<Vec<u8>, Fault> {
        let limits = self.limits;
        command
            .args(["--compile-ms", &limits.compile_ms.to_string()])
            .args([
                "--compile-memory-bytes",
                &limits.compile_memory_bytes.to_string(),
            ])
            .env_clear()
            .env(ALLOCATOR.0, ALLOCATOR.1)
            .env("RAYON_NUM_THREADS", THREADS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(Fault::internal)?;
        let ended = self.attend(child).map_err(Fault::internal)?;
        if ended.status.success() {
            return Ok(ended.compiled);
        }
        Err(ended.fault())
    }

    /// Feeds the child, takes what it gives, and ends it when its time is over.
    fn attend(&self, mut child: Child) -> io::Result<Ended> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (done, ended) = channel::<()>();
        let most = self.limits.compile_memory_bytes as u64;
        let wall = Duration::from_millis(self.limits.compile_ms);
        thread::scope(|threads| {
            let feed = threads.spawn(move || stdin.map(|mut pipe| pipe.write_all(self.bytes)));
            let complain = threads.spawn(move || {
                let mut text = String::new();
                stderr.map(|pipe| pipe.take(COMPLAINT_BYTES).read_to_string(&mut text));
                text
            });
            let take = threads.spawn(move || {
                let mut compiled = Vec::new();
                stdout.map(|pipe| pipe.take(most).read_to_end(&mut compiled));
                drop(done);
                compiled
            });
            // Nothing is sent: it hangs up when the child has nothing more to give.
            let expired = ended.recv_timeout(wall) == Err(RecvTimeoutError::Timeout);
            if expired {
                child.kill()?;
            }
            let status = child.wait()?;
            // A child that refuses does not read to the end; its status tells.
            let _ = feed.join();
            Ok(Ended {
                status,
                expired,
                compiled: take.join().unwrap_or_default(),
                complaint: complain.join().unwrap_or_default(),
            })
        })
    }
}

/// What a child left behind.
struct Ended {
    status: ExitStatus,
    /// It was ended because it took too long.
    expired: bool,
    compiled: Vec<u8>,
    complaint: String,
}

/// Exit code of a child whose component is not valid.
const REFUSED: i32 = 3;

/// Exit codes of a child that did not come to compile: the bounds cannot be set, a pipe broke, or it was
/// started wrongly.
const NOT_BEGUN: [i32; 2] = [1, 2];

/// What a child complains of where it gets no memory: the allocator's words, then those of the system
/// and of Rust.
const NO_MEMORY: [&str; 3] = [
    "memory allocation of ",
    "Cannot allocate memory",
    "out of memory",
];

impl Ended {
    /// Why there is no machine code.
    fn fault(&self) -> Fault {
        if self.expired || is_out_of_time(self.status) {
            return stopped("compile_ms");
        }
        if NO_MEMORY.iter().any(|words| self.complaint.contains(words)) {
            return stopped("compile_memory_bytes");
        }
        match self.status.code() {
            Some(REFUSED) => invalid(&self.complaint),
            Some(code) if NOT_BEGUN.contains(&code) => Fault::internal(format!(
                "the process that compiles did not begin: {}: {}",
                self.status, self.complaint
            )),
            _ => {
                let (status, complaint) = (self.status, &self.complaint);
                tracing::error!(%status, complaint, "the compiler broke off");
                let message = format!("the compiler broke off on the component: {status}");
                Fault::connector(message)
            }
        }
    }
}

/// The system ends a process that takes more processor time than it may by SIGXCPU.
fn is_out_of_time(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::XCPU.as_raw())
}

fn stopped(limit: &str) -> Fault {
    Fault::connector(format!(
        "compiling the component was stopped at the limit {limit}"
    ))
}

/// Compiles the component on standard input and writes the machine code to standard
/// output: the child's side of [`Compiler::Child`]. Gives the exit code of the process.
///
/// # Errors
/// When the bounds cannot be set or the pipes break.
pub fn serve(compile_ms: u64, compile_memory_bytes: u64) -> io::Result<u8> {
    // Who started it may have gone down some of the way.
    let lowered = getpriority_process(None)?;
    nice((ASIDE - lowered).max(0))?;
    bound(Resource::Core, 0, 0)?;
    // All threads may be at work; the parent keeps the time on the wall. Where both bounds were the same, the
    // end would be by SIGKILL, which others send as well.
    let seconds = 1 + THREADS * compile_ms.div_ceil(1_000);
    bound(Resource::Cpu, seconds, seconds + 1)?;
    bound(Resource::Data, compile_memory_bytes, compile_memory_bytes)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let compiled =
        Engine::new(&engine::compiling()).and_then(|engine| engine.precompile_component(&bytes));
    match compiled {
        Ok(compiled) => {
            io::stdout().lock().write_all(&compiled)?;
            Ok(0)
        }
        Err(error) => {
            write!(io::stderr(), "{error:#}")?;
            Ok(REFUSED as u8)
        }
    }
}

fn bound(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(current),
        maximum: Some(maximum),
    };
    Ok(setrlimit(resource, limit)?)
}
