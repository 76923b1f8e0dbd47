//! The languages that connectors are written in here.

use airlock::Profile;
use clap::ValueEnum;
use std::fmt;

/// A language that there is a template and a build for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Compiled by cargo; the smallest and fastest.
    #[default]
    Rust,
    /// Carries the CPython interpreter: 18 MiB.
    Python,
    /// Carries the QuickJS interpreter: 1.6 MiB.
    Javascript,
}

impl Language {
    /// The profile whose limits its components keep within.
    pub(super) fn profile(self) -> Profile {
        match self {
            Language::Rust => Profile::Native,
            Language::Python | Language::Javascript => Profile::Script,
        }
    }

    /// That profile, as the configuration has it.
    pub(super) fn profile_name(self) -> &'static str {
        match self.profile() {
            Profile::Native => "native",
            Profile::Script => "script",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::Javascript => "JavaScript",
        })
    }
}
