//! The keys with which a website's tokens are signed.

use crate::{Timestamp, id::WebsiteId, secret::Sealed};
use jiff::SignedDuration;

/// How long a key is published before it signs, so that every client has fetched it by then.
pub const KEY_LEAD: SignedDuration = SignedDuration::from_hours(1);
/// How long clients may keep what they fetched, with some to spare: so long a key stays published after it last signed, on top of
/// the life of a token.
pub const KEY_CACHE: SignedDuration = SignedDuration::from_hours(1);

/// An RSA key for RS256 (RFC 7518, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// `kid`: random, unique.
    pub id: String,
    /// Of which website.
    pub website_id: WebsiteId,
    /// PKCS#8 as PEM, sealed.
    pub private_key: Sealed,
    /// `n`: the modulus in base64url without padding.
    pub modulus: String,
    /// `e`: the exponent in base64url without padding.
    pub exponent: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The key that signs now: the newest that was published long enough, or else the oldest. `keys` are one website's, oldest first.
#[must_use]
pub fn signing_key(keys: &[SigningKey], now: Timestamp) -> Option<&SigningKey> {
    let is_ready = |key: &&SigningKey| now.duration_since(key.created_at) >= KEY_LEAD;
    keys.iter().rev().find(is_ready).or_else(|| keys.first())
}

/// The keys that clients have to know now: those to come, the one that signs, and those whose last tokens may still be about.
/// `keys` are one website's, oldest first.
#[must_use]
pub fn keys_published(keys: &[SigningKey], now: Timestamp) -> Vec<&SigningKey> {
    keys.iter()
        .enumerate()
        .filter(|(place, _)| {
            // A key signed last when the next one had been published long enough.
            keys.get(place + 1)
                .is_none_or(|next| now.duration_since(next.created_at) < KEY_LEAD + KEY_CACHE * 2)
        })
        .map(|(_, key)| key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, minutes: i64) -> SigningKey {
        SigningKey {
            id: id.into(),
            website_id: uuid::Uuid::nil().into(),
            private_key: Sealed(vec![]),
            modulus: String::new(),
            exponent: String::new(),
            created_at: at(minutes),
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after() {
        let keys = [key("a", 0), key("b", 100)];
        let seen = |minutes| {
            let published =
                keys_published(&keys, at(minutes)).iter().map(|key| key.id.as_str()).collect::<String>();
            (signing_key(&keys, at(minutes)).unwrap().id.as_str(), published)
        };
        assert_eq!(signing_key(&keys[..1], at(0)).unwrap().id, "a", "the first one signs at once");
        assert_eq!(seen(101), ("a", "ab".into()));
        assert_eq!(seen(159), ("a", "ab".into()));
        assert_eq!(seen(160), ("b", "ab".into()));
        assert_eq!(seen(279), ("b", "ab".into()));
        assert_eq!(seen(280), ("b", "b".into()));
        assert_eq!(signing_key(&[], at(0)), None);
    }
}
