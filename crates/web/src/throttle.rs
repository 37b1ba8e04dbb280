//! A limit on guessing passwords: so many tries in ten minutes, per account and per address.
//!
//! It is kept in memory: a restart forgives, and each node counts for itself.

use jiff::SignedDuration;
use stave_app::network;
use stave_domain::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// How long a try counts.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Tries for one account.
const PER_ACCOUNT: usize = 10;
/// Tries from one address. A whole office may share it.
const PER_ADDRESS: usize = 50;
/// So many names are remembered before those that no longer count are forgotten.
const CROWDED: usize = 10_000;

/// Counts tries to log in.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tries: Mutex<HashMap<Key, VecDeque<Timestamp>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// As it was typed, in lower case: whether there is such an account is nobody's business here.
    Account(String),
    /// See [`network`].
    Address(String),
}

impl Key {
    fn limit(&self) -> usize {
        match self {
            Self::Account(_) => PER_ACCOUNT,
            Self::Address(_) => PER_ADDRESS,
        }
    }
}

impl Throttle {
    /// Counts a try before it is made, so that tries at the same time count too. `Err` is how long to wait.
    pub(crate) fn begin(&self, account: &str, address: &str, now: Timestamp) -> Result<(), SignedDuration> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() > CROWDED {
            tries.retain(|_, times| times.back().is_some_and(|last| counts(*last, now)));
        }
        let keys = keys(account, address);
        for key in &keys {
            let times = tries.entry(key.clone()).or_default();
            times.retain(|time| counts(*time, now));
            if times.len() >= key.limit()
                && let Some(first) = times.front()
            {
                return Err(WINDOW - now.duration_since(*first));
            }
        }
        for key in keys {
            tries.entry(key).or_default().push_back(now);
        }
        Ok(())
    }

    /// The password was right: the account starts anew, and the address gets this one try back.
    pub(crate) fn succeed(&self, account: &str, address: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(account, address) {
            match key {
                Key::Account(_) => drop(tries.remove(&key)),
                Key::Address(_) => drop(tries.get_mut(&key).and_then(VecDeque::pop_back)),
            }
        }
    }
}

fn counts(time: Timestamp, now: Timestamp) -> bool {
    now.duration_since(time) < WINDOW
}

fn keys(account: &str, address: &str) -> Vec<Key> {
    let account = account.trim().to_lowercase().chars().take(254).collect();
    let address = (!address.is_empty()).then(|| network(address));
    [Some(Key::Account(account)), address.map(Key::Address)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_eleventh_try_for_an_account_waits() {
        let throttle = Throttle::default();
        for try_ in 0..10 {
            assert_eq!(throttle.begin("ada@example.com", "192.0.2.1", at(try_)), Ok(()));
        }
        let other_spelling = throttle.begin(" Ada@Example.com", "192.0.2.2", at(60));
        assert_eq!(other_spelling, Err(SignedDuration::from_secs(540)));
        assert_eq!(throttle.begin("grace@example.com", "192.0.2.1", at(60)), Ok(()));
        assert_eq!(
            throttle.begin("ada@example.com", "192.0.2.1", at(600)),
            Ok(()),
            "the first no longer counts"
        );
        assert!(throttle.begin("ada@example.com", "192.0.2.1", at(600)).is_err());
    }

    #[test]
    fn success_forgives_the_account() {
        let throttle = Throttle::default();
        for _ in 0..3 {
            for _ in 0..10 {
                assert_eq!(throttle.begin("ada@example.com", "", at(0)), Ok(()));
            }
            throttle.succeed("ada@example.com", "");
        }
    }

    #[test]
    fn one_address_cannot_try_every_account() {
        for (one, other) in [
            ("192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8:0:1::1"),
            ("::ffff:192.0.2.1", "192.0.2.3"),
        ] {
            let throttle = Throttle::default();
            for number in 0..50 {
                assert_eq!(throttle.begin(&format!("{number}@example.com"), one, at(0)), Ok(()));
            }
            assert!(throttle.begin("new@example.com", one, at(0)).is_err(), "{one}");
            assert_eq!(throttle.begin("new@example.com", other, at(0)), Ok(()), "{other}");
        }
    }
}
