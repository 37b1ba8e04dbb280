//! The rate limit: a bucket of tokens for each user ("Improving instance stability with rate limiting").

use super::RateLimit;
use jiff::Timestamp;
use std::collections::HashMap;

/// What every caller has, and what is left of it.
pub(crate) struct Buckets {
    /// Requests that a full bucket holds; Bitbucket's own number is 60.
    pub(crate) capacity: u32,
    /// Requests that a bucket gains in a second; Bitbucket's own number is 5.
    pub(crate) fill_rate: u32,
    /// What the 429 says.
    pub(crate) kind: RateLimit,
    left: HashMap<String, (f64, Timestamp)>,
}

impl Buckets {
    pub(crate) fn new(capacity: u32, fill_rate: u32, kind: RateLimit) -> Self {
        Self { capacity, fill_rate, kind, left: HashMap::new() }
    }

    /// Takes a request out of the bucket of this caller; `false` if it is empty.
    pub(crate) fn admits(&mut self, who: &str, now: Timestamp) -> bool {
        let full = f64::from(self.capacity);
        let (left, since) = self.left.get(who).copied().unwrap_or((full, now));
        let gained = now.duration_since(since).as_secs_f64() * f64::from(self.fill_rate);
        let left = (left + gained).min(full);
        let is_admitted = left >= 1.0;
        self.left.insert(who.to_owned(), (if is_admitted { left - 1.0 } else { left }, now));
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_bucket_fills_again() {
        let mut buckets = Buckets::new(2, 1, RateLimit::Silent);
        let second = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let rows =
            [(0, true), (0, true), (0, false), (1, true), (1, false), (9, true), (9, true), (9, false)];
        for (at, expected) in rows {
            assert_eq!(buckets.admits("ada", second(at)), expected, "{at}");
        }
        assert!(buckets.admits("grace", second(0)));
    }
}
