//! What one fetch may take, and why it stopped.

use crate::{GitError, Network};
use std::{
    cell::{Cell, RefCell},
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Shared by everything that reads from the network during one fetch.
///
/// gix passes errors of a transport on as text; so a transport leaves the real one here, and whoever started
/// the fetch takes it out.
pub(crate) struct Meter<'a> {
    pub(crate) network: &'a Network,
    /// Host, perhaps with port, as it stands in sentences.
    pub(crate) host: String,
    pub(crate) cancel: &'a AtomicBool,
    progress: &'a dyn Fn(u64),
    received_bytes: Cell<u64>,
    limit_bytes: Cell<u64>,
    began_at: Instant,
    looked_at: Cell<Instant>,
    stretch: Cell<Stretch>,
    failure: RefCell<Option<GitError>>,
}

/// What the list of references may have: it is read into memory. A million references have about this much.
const REFERENCES_MAX_BYTES: u64 = 64 << 20;
/// How often a wait asks [`Meter::check`] whether it should go on.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A stretch of the fetch over which the rate is averaged.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    waited: Duration,
    bytes: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(
        network: &'a Network,
        host: String,
        progress: &'a dyn Fn(u64),
        cancel: &'a AtomicBool,
        began_at: Instant,
    ) -> Self {
        Self {
            network,
            host,
            cancel,
            progress,
            received_bytes: Cell::new(0),
            limit_bytes: Cell::new(REFERENCES_MAX_BYTES.min(network.max_bytes)),
            began_at,
            looked_at: Cell::new(Instant::now()),
            stretch: Cell::default(),
            failure: RefCell::new(None),
        }
    }

    /// Whether to go on: an error if the caller wants to stop, the time is over, or too little has come in of late.
    /// Whoever waits asks every [`LOOK_EVERY`].
    pub(crate) fn check(&self) -> Result<(), GitError> {
        if self.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        let is_over = self.began_at.elapsed() >= self.network.deadline;
        if is_over || self.is_slow() { Err(self.timed_out()) } else { Ok(()) }
    }

    /// Whether a stretch ends here in which too little came in.
    fn is_slow(&self) -> bool {
        let now = Instant::now();
        let since = now.saturating_duration_since(self.looked_at.replace(now));
        let mut stretch = self.stretch.get();
        // What took longer than a look was our own work, such as storing what came.
        stretch.waited += since.min(2 * LOOK_EVERY);
        let is_at_end = stretch.waited >= self.network.slow_timeout;
        self.stretch.set(if is_at_end { Stretch::default() } else { stretch });
        let least = u128::from(self.network.slowest_bytes_per_second) * stretch.waited.as_millis() / 1000;
        is_at_end && u128::from(stretch.bytes) < least
    }

    /// Notes that bytes came in; an error if there were too many or it is time to stop.
    pub(crate) fn received(&self, bytes: usize) -> Result<(), GitError> {
        let total = self.received_bytes.get() + bytes as u64;
        self.received_bytes.set(total);
        (self.progress)(total);
        let stretch = self.stretch.get();
        self.stretch.set(Stretch { bytes: stretch.bytes + bytes as u64, ..stretch });
        if total > self.limit_bytes.get() {
            return Err(GitError::TooLarge { limit_bytes: self.limit_bytes.get() });
        }
        self.check()
    }

    /// From now on a pack comes, which may be large; before it there are only references, which are kept in memory.
    pub(crate) fn expect_pack(&self) {
        self.limit_bytes.set(self.network.max_bytes);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(crate) fn timed_out(&self) -> GitError {
        GitError::TimedOut { host: self.host.clone() }
    }

    pub(crate) fn unreachable(&self, reason: impl Into<String>) -> GitError {
        GitError::Unreachable { host: self.host.clone(), reason: reason.into() }
    }

    /// Keeps the first failure, and gives gix something to stop at.
    pub(crate) fn fail(&self, error: GitError) -> io::Error {
        let mark = io::Error::other(error.to_string());
        self.failure.borrow_mut().get_or_insert(error);
        mark
    }

    pub(crate) fn take_failure(&self) -> Option<GitError> {
        self.failure.borrow_mut().take()
    }
}
