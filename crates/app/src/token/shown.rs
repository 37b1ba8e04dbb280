//! A token that a client shows: what is asked of it with every request, also when it is known already what it reads.

use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    organization::Organization,
    secret::SecretHash,
    token::{Token, is_well_formed},
};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

/// How exactly the last use of a token is kept.
const USED_PRECISION: SignedDuration = SignedDuration::from_mins(5);

/// A token that a client shows, perhaps many times a second.
#[derive(Debug)]
pub(crate) struct ShownToken {
    token: Token,
    /// When its use was last noted, in milliseconds since 1970.
    noted_at: AtomicI64,
}

impl ShownToken {
    /// What is kept of it.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }
}

/// The hash by which the token in a request is known; a text that cannot be one is asked about nowhere.
pub(crate) fn token_hash(shown: Option<&Secret>) -> Result<SecretHash, Failure> {
    let shown = shown.filter(|shown| is_well_formed(shown.expose())).ok_or(Failure::LogInNeeded)?;
    Ok(SecretHash::of(shown))
}

impl App {
    /// The token with this hash, while it is valid.
    pub(crate) async fn token_shown(&self, hash: SecretHash) -> Result<ShownToken, Failure> {
        let token = self.storage.token_find_by_hash(&hash).await?;
        let token = token.filter(|token| token.is_valid_at(self.clock.now())).ok_or(Failure::LogInNeeded)?;
        let noted_at = token.used_at.map_or(i64::MIN, stave_domain::Timestamp::as_millisecond);
        Ok(ShownToken { token, noted_at: AtomicI64::new(noted_at) })
    }

    /// Whether a client at this address may use a token now, and nothing has to be noted about that.
    pub(crate) fn token_goes_on(&self, shown: &ShownToken, address: Option<IpAddr>) -> bool {
        let now = self.clock.now();
        let since = i128::from(now.as_millisecond()) - i128::from(shown.noted_at.load(Relaxed));
        let is_noted = since < USED_PRECISION.as_millis();
        let address = address.map(|address| address.to_canonical());
        is_noted && shown.token.is_valid_at(now) && shown.token.addresses.allow(address)
    }

    /// Lets a client at this address use a token in an organization now, and notes that it did.
    pub(crate) async fn token_admit(
        &self,
        shown: &ShownToken,
        organization: &Organization,
        address: Option<IpAddr>,
    ) -> Result<(), Failure> {
        let ShownToken { token, noted_at } = shown;
        let now = self.clock.now();
        if !token.is_valid_at(now) {
            return Err(Failure::LogInNeeded);
        }
        let address = address.map(|address| address.to_canonical());
        if !token.addresses.allow(address) {
            return Err(refusal(token, organization, address));
        }
        let (millis, noted) = (now.as_millisecond(), noted_at.load(Relaxed));
        let is_due = i128::from(millis) - i128::from(noted) >= USED_PRECISION.as_millis();
        // Of several requests at the same moment one notes it.
        if is_due && noted_at.compare_exchange(noted, millis, Relaxed, Relaxed).is_ok() {
            self.storage.token_used(token.id, now, address).await?;
        }
        Ok(())
    }
}

fn refusal(token: &Token, organization: &Organization, address: Option<IpAddr>) -> Failure {
    let address =
        address.map_or_else(|| "an address that nobody knows".into(), |address| address.to_string());
    Failure::Denied(format!(
        "The token “{}” may not be used from {address}. Use it from one of the addresses that it allows, or ask an owner or admin of {} to add this one under Settings > Authentication Tokens.",
        token.description, organization.name
    ))
}
