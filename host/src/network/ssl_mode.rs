//! How much TLS, in the words of libpq.

use std::fmt;

/// How much TLS a connection has, from none to all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SslMode {
    /// None.
    #[default]
    Disable,
    /// None unless the server insists; here as `disable`.
    Allow,
    /// Where the server has it.
    Prefer,
    /// Always, with any certificate.
    Require,
    /// Always, with a certificate that comes from a trusted authority.
    VerifyCa,
    /// Always, with such a certificate for the name of the host.
    VerifyFull,
}

impl SslMode {
    /// All of them, by name, from the least to the most.
    pub const NAMED: [(&'static str, SslMode); 6] = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<SslMode> {
        let mut named = SslMode::NAMED.iter();
        named.find(|(its, _)| *its == name).map(|(_, mode)| *mode)
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut named = SslMode::NAMED.iter();
        f.write_str(
            named
                .find(|(_, mode)| mode == self)
                .map_or("", |(name, _)| name),
        )
    }
}
