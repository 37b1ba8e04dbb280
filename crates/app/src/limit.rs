//! Limits on how often something may be done. They are kept in memory: a restart forgives, and each node counts for itself.

use jiff::SignedDuration;
use stave_domain::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// So many names are remembered before those that no longer count are forgotten; of twice as many every second one is, whoever it
/// is: a flood of names may make a limit forget, and must not shut out a stranger.
const CROWDED: usize = 10_000;
/// How often they are forgotten.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// So many times within a window, for each name.
#[derive(Debug)]
pub(crate) struct Limit<K> {
    most: usize,
    window: SignedDuration,
    seen: Mutex<Seen<K>>,
}

#[derive(Debug)]
struct Seen<K> {
    times: HashMap<K, VecDeque<Timestamp>>,
    /// When names were last forgotten.
    swept_at: Timestamp,
}

impl<K: Eq + Hash> Limit<K> {
    pub(crate) fn new(most: usize, window: SignedDuration) -> Self {
        let seen = Seen { times: HashMap::new(), swept_at: Timestamp::MIN };
        Self { most, window, seen: Mutex::new(seen) }
    }

    /// Counts one time; `Err` is how long to wait until the next.
    pub(crate) fn count(&self, name: K, now: Timestamp) -> Result<(), SignedDuration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { times: all, swept_at } = &mut *seen;
        let counts = |time: &Timestamp| now.duration_since(*time) < self.window;
        // A crowd must not make each of its members expensive.
        if all.len() >= CROWDED && now.duration_since(*swept_at) >= SWEEP_EVERY {
            all.retain(|_, times| times.back().is_some_and(counts));
            *swept_at = now;
        }
        if all.len() >= 2 * CROWDED {
            let mut is_kept = false;
            all.retain(|_, _| {
                is_kept = !is_kept;
                is_kept
            });
        }
        let times = all.entry(name).or_default();
        times.retain(counts);
        match times.front() {
            Some(first) if times.len() >= self.most => Err(self.window - now.duration_since(*first)),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }

    /// How long to wait, without counting; `Err` as in [`Limit::count`].
    pub(crate) fn ask(&self, name: &K, now: Timestamp) -> Result<(), SignedDuration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = seen.times.get_mut(name) else { return Ok(()) };
        times.retain(|time| now.duration_since(*time) < self.window);
        match times.front() {
            Some(first) if times.len() >= self.most => Err(self.window - now.duration_since(*first)),
            _ => Ok(()),
        }
    }
}

/// By what the limits of an address are counted: of IPv6 only the network, since one machine has all addresses in it.
#[must_use]
pub fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).to_string(),
        },
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_third_time_waits_until_the_first_no_longer_counts() {
        let limit = Limit::new(2, SignedDuration::from_secs(60));
        assert_eq!(limit.count("a", at(0)), Ok(()));
        assert_eq!(limit.count("a", at(10)), Ok(()));
        assert_eq!(limit.ask(&"a", at(20)), Err(SignedDuration::from_secs(40)));
        assert_eq!(limit.count("a", at(20)), Err(SignedDuration::from_secs(40)));
        assert_eq!((limit.count("b", at(20)), limit.ask(&"c", at(20))), (Ok(()), Ok(())));
        assert_eq!(limit.count("a", at(60)), Ok(()));
    }

    #[test]
    fn a_crowd_of_names_shuts_out_nobody() {
        let limit = Limit::new(2, SignedDuration::from_secs(60));
        for name in 0..100_000 {
            assert_eq!(limit.count(name, at(0)), Ok(()));
        }
        assert!(limit.seen.lock().unwrap().times.len() <= 2 * CROWDED);
        assert_eq!(limit.count(100_000, at(0)), Ok(()));
    }

    #[test]
    fn one_machine_has_all_addresses_of_its_network() {
        for (one, other, is_same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
        ] {
            assert_eq!(network(one) == network(other), is_same, "{one} {other}");
        }
    }
}
