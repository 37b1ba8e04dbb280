//! What can go wrong with a repository, each as a sentence that says what to do.

use stave_domain::outbound::Outbound;
use std::{io, net::IpAddr};

/// Why a repository was not read. `Display` is for the user; [`std::error::Error::source`] is for the log.
///
/// No variant holds a credential or a URL with one.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// 401, or an ssh key that the host does not know.
    #[error(
        "{host} asks for a log-in, or does not accept the one that Stave has. Check that the credential of this package is \
         still valid and may read the repository."
    )]
    Unauthorized {
        /// Host, perhaps with port.
        host: String,
    },
    /// 403. Bitbucket gives 401, 403 or 404 for a private repository, without a rule that one could rely on.
    #[error(
        "{host} knows the credential of this package but does not let it read the repository. Give it read access, or choose another one."
    )]
    Forbidden {
        /// Host, perhaps with port.
        host: String,
    },
    /// 404, or what an ssh host says instead.
    #[error(
        "{host} has no such repository, or hides it from this credential. Check the address, and that the credential may read \
         the repository."
    )]
    NotFound {
        /// Host, perhaps with port.
        host: String,
    },
    /// 410. Bitbucket Cloud answers so to app passwords, which it no longer accepts.
    #[error(
        "{host} says that this way in is gone for good (410). Bitbucket no longer accepts app passwords: use an API token, an \
         access token or a connected account instead."
    )]
    Gone {
        /// Host, perhaps with port.
        host: String,
    },
    /// 429.
    #[error("{host} allows no more requests for now (429). Stave tries again later.")]
    RateLimited {
        /// Host, perhaps with port.
        host: String,
        /// How many seconds the host wants to be left alone, if it said so.
        retry_after_seconds: Option<u64>,
    },
    /// Any other status that is not a success.
    #[error("{host} answered with the unexpected status {status}. {}", if *.status >= 500 { "Stave tries again later." } else { "Check the address." })]
    Status {
        /// Host, perhaps with port.
        host: String,
        /// The HTTP status code.
        status: u16,
    },
    /// The address is not one that Stave may reach.
    #[error("{}", Outbound::refusal(*.0))]
    Refused(IpAddr),
    /// A password would travel unencrypted.
    #[error(
        "A credential is not sent to {host} over plain http. Use the https:// address, or let the operator name the address of \
         this host with --outbound-allow."
    )]
    InsecureCredential {
        /// Host, perhaps with port.
        host: String,
    },
    /// A key for http, or a password for ssh.
    #[error("{0}")]
    WrongCredential(&'static str),
    /// No connection, or a broken one.
    #[error("{host} cannot be reached: {reason}. Stave tries again later.")]
    Unreachable {
        /// Host, perhaps with port.
        host: String,
        /// In a few words, without full stop.
        reason: String,
    },
    /// Nobody answered in time, or the answer came too slowly.
    #[error("{host} did not answer in time. Stave tries again later.")]
    TimedOut {
        /// Host, perhaps with port.
        host: String,
    },
    /// More than five redirects.
    #[error("{host} redirects in circles. Check the address in a browser, and use the one where it ends.")]
    TooManyRedirects {
        /// Host, perhaps with port.
        host: String,
    },
    /// A redirect that must not be followed.
    #[error("{host} redirects to {to}, {because}. If that is right, use the address over there.")]
    RedirectRefused {
        /// Host, perhaps with port.
        host: String,
        /// Scheme, host and port that it leads to.
        to: String,
        /// Why it is not followed.
        because: &'static str,
    },
    /// The answer is something else, such as the HTML of a log-in page.
    #[error(
        "What {host} answers is not a git repository{}. Check the address; it is the one that `git clone` takes.",
        if *.html { " but a web page, perhaps a log-in" } else { "" }
    )]
    NotGit {
        /// Host, perhaps with port.
        host: String,
        /// Whether it is a web page.
        html: bool,
    },
    /// There is no `ssh` program.
    #[error(
        "Reading over ssh needs the program ssh, which this machine does not have. Install openssh-client, or use the https:// address."
    )]
    SshMissing,
    /// The host shows another key than the remembered one.
    #[error(
        "The ssh key of {host} has changed since Stave first saw it. If the host really has a new key, remove its line from \
         {known_hosts} and try again."
    )]
    HostKeyChanged {
        /// Host, perhaps with port.
        host: String,
        /// The file with the remembered keys.
        known_hosts: String,
    },
    /// The other side speaks git, but says no or makes no sense.
    #[error("The repository on {host} could not be read: {reason}.")]
    Protocol {
        /// Host, perhaps with port.
        host: String,
        /// In its own words, without full stop.
        reason: String,
    },
    /// More bytes than allowed.
    #[error("The repository is larger than {} MiB, the most that Stave fetches at once.", .limit_bytes >> 20)]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The caller asked to stop.
    #[error("The import was stopped before it was done. It starts again by itself.")]
    Cancelled,
    /// The commit is not in the mirror.
    #[error("The commit {0} is not in the repository (any more).")]
    NoSuchCommit(String),
    /// A tree with names that would leave the folder it is unpacked to.
    #[error(
        "The commit {commit} has a file or folder with a name that is not safe to unpack; no archive of it is made. Remove it from the repository."
    )]
    UnsafeTree {
        /// 40 hex digits.
        commit: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// A tree that unpacks to more than anybody can want, perhaps because it holds the same folder many times over.
    #[error(
        "The commit {commit} unpacks to more than 250,000 files or 4 GiB; no archive of it is made. Split the repository, or leave files out with export-ignore."
    )]
    HugeTree {
        /// 40 hex digits.
        commit: String,
    },
    /// The host gave a commit that does not follow git's own format, or that names things which do not fit.
    #[error(
        "The commit {commit} is malformed; no archive of it is made. Replace it in the repository: `git fsck` says what is wrong."
    )]
    Malformed {
        /// 40 hex digits.
        commit: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The mirror on Stave's disk is not whole. The next fetch starts it anew.
    #[error(
        "The copy of the repository on Stave's disk is damaged. Stave fetches it anew at the next update."
    )]
    Damaged(#[source] BoxError),
    /// Stave's own disk fails.
    #[error("Stave could not {doing} on its own disk. The operator finds the cause in the log.")]
    Disk {
        /// What was tried: "write the references".
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// A cause, for the log.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl GitError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status >= 500,
            Self::RateLimited { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Protocol { .. }
            | Self::Cancelled
            | Self::Damaged(_)
            | Self::Disk { .. } => true,
            _ => false,
        }
    }

    /// Whether Stave's own disk has no room left, or cannot be written.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if is_disk_full(source.kind()))
    }

    pub(crate) fn damaged(cause: impl Into<BoxError>) -> Self {
        Self::Damaged(cause.into())
    }

    pub(crate) fn disk(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, source }
    }
}

/// Whether the system says that nothing more can be written.
pub(crate) fn is_disk_full(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem)
}

/// A cause with everything below it, in one line, for texts that have no chain of their own.
pub(crate) fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.iter().any(|seen| seen.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    let line = causes.join(": ");
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_like_sentences() {
        let host = || "bitbucket.org".to_owned();
        let all = [
            GitError::Unauthorized { host: host() },
            GitError::Forbidden { host: host() },
            GitError::NotFound { host: host() },
            GitError::Gone { host: host() },
            GitError::RateLimited { host: host(), retry_after_seconds: Some(3) },
            GitError::Status { host: host(), status: 502 },
            GitError::Status { host: host(), status: 418 },
            GitError::Refused([169, 254, 169, 254].into()),
            GitError::InsecureCredential { host: host() },
            GitError::NotGit { host: host(), html: true },
            GitError::NotGit { host: host(), html: false },
            GitError::TooLarge { limit_bytes: 10 << 30 },
            GitError::Unreachable { host: host(), reason: "connection refused".to_owned() },
            GitError::Malformed { commit: "a".repeat(40), source: "no tree".into() },
        ];
        for error in all {
            let sentence = error.to_string();
            assert!(
                sentence.ends_with('.') && !sentence.contains("  ") && !sentence.contains(".."),
                "{sentence}"
            );
        }
        assert!(GitError::Status { host: host(), status: 502 }.is_transient());
        assert!(!GitError::Status { host: host(), status: 418 }.is_transient());
    }
}
