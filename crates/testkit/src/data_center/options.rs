//! How a fake Data Center is started.

use crate::Version;
use std::net::SocketAddr;

/// What is fixed once the server runs; everything else can be changed at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCenterOptions {
    pub(crate) version: Version,
    pub(crate) context: String,
    pub(crate) address: SocketAddr,
}

impl DataCenterOptions {
    /// This version, at the root of a free port.
    pub fn new(version: Version) -> Self {
        Self { version, context: String::new(), address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Everything hangs below this path, such as `/bitbucket`.
    ///
    /// # Panics
    /// If the path does not begin with a slash, or ends with one.
    #[must_use]
    pub fn context_path(self, context: &str) -> Self {
        assert!(
            context.starts_with('/') && !context.ends_with('/'),
            "a context path is /name, not {context}"
        );
        Self { context: context.to_owned(), ..self }
    }

    /// Listens here.
    #[must_use]
    pub fn address(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }
}
