//! The only place that asks for the time.

use jiff::{SignedDuration, Timestamp, Unit};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Tells the time, to the millisecond: what both database engines keep.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The present instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks")]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now() + SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        now.round(Unit::Millisecond).unwrap_or(now)
    }

    /// Lets time pass at once; for tests.
    pub fn advance(&self, by: SignedDuration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
