//! A secret with which a client acts on Stave.
//!
//! Format: prefix, 60 lower-case hex digits of chance, 8 hex digits of CRC-32 (IEEE) over both, so that a secret scanner
//! can recognise one and a typing mistake is told from a revoked token.

mod addresses;
mod authorization;

use crate::{
    Invalid, Secret, Timestamp,
    id::{OrganizationId, TokenId, UserId},
    package::{PackageName, Patterns},
    secret::SecretHash,
};
pub use addresses::Addresses;
pub use authorization::in_authorization;
use std::{net::IpAddr, str::FromStr, sync::Arc};

/// Random bytes in a token.
pub const RANDOM_BYTES: usize = 30;

/// What kind of token, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    /// A person's own: reaches every organization they are a member of.
    User(UserId),
    /// A machine's: reaches one organization, whoever leaves.
    Organization(OrganizationId),
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAccess {
    /// Install: read what is here.
    Read,
    /// Install, and bring in what is not here yet: packages of mirrors that nobody used before, versions that it uploads.
    Update,
}

impl TokenAccess {
    /// The name in the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Update => "update",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Read => "Read-only",
            Self::Update => "Update",
        }
    }
}

impl FromStr for TokenAccess {
    type Err = Invalid;

    fn from_str(key: &str) -> Result<Self, Invalid> {
        let known = [Self::Read, Self::Update].into_iter().find(|access| access.key() == key);
        known.ok_or_else(|| Invalid::because("Choose what the token may do: read-only or update."))
    }
}

impl TokenOwner {
    fn prefix(self, access: TokenAccess) -> &'static str {
        match (self, access) {
            (Self::User(_), _) => "stave_uut_",
            (Self::Organization(_), TokenAccess::Read) => "stave_ort_",
            (Self::Organization(_), TokenAccess::Update) => "stave_out_",
        }
    }

    /// The token's text for these random bytes.
    #[must_use]
    pub fn token(self, access: TokenAccess, random: [u8; RANDOM_BYTES]) -> Secret {
        let body = format!("{}{}", self.prefix(access), hex::encode(random));
        let checksum = crc32fast::hash(body.as_bytes());
        Secret::new(format!("{body}{checksum:08x}"))
    }
}

/// Whether a text is whole: it has the shape of a token and its checksum is right.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some((body, checksum)) = text.len().checked_sub(8).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    ["stave_uut_", "stave_ort_", "stave_out_"]
        .iter()
        .any(|prefix| body.strip_prefix(prefix).is_some_and(|random| random.len() == 2 * RANDOM_BYTES))
        && checksum == format!("{:08x}", crc32fast::hash(body.as_bytes()))
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Immutable.
    pub id: TokenId,
    /// Whose.
    pub owner: TokenOwner,
    /// What it may do.
    pub access: TokenAccess,
    /// What it is for, in its maker's words.
    pub description: String,
    /// How it is recognised.
    pub secret_hash: SecretHash,
    /// When it was made or last regenerated.
    pub created_at: Timestamp,
    /// From this instant on it no longer works; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// Which of its organization's own packages it reads; `None` is all that its owner reads. What mirrors bring is everybody's.
    pub selection: Option<Arc<Patterns>>,
    /// From where it may be used.
    pub addresses: Addresses,
    /// Last use, to five minutes.
    pub used_at: Option<Timestamp>,
    /// From where that was, if anybody knows.
    pub used_from: Option<IpAddr>,
}

impl Token {
    /// Whether its selection holds a package; whoever owns it may have to be asked besides.
    #[must_use]
    pub fn selects(&self, name: &PackageName, is_mirrored: bool) -> bool {
        is_mirrored || self.selection.as_ref().is_none_or(|chosen| chosen.fit(name))
    }

    /// At the instant `expires_at` itself the token is no longer valid.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_carries_its_checksum() {
        let owner = TokenOwner::Organization(uuid::Uuid::nil().into());
        let token = owner.token(TokenAccess::Read, [0x5a; RANDOM_BYTES]);
        assert_eq!(token.expose().len(), 10 + 60 + 8);
        assert!(token.expose().starts_with("stave_ort_5a5a"));
        assert!(is_well_formed(token.expose()));
        assert!(!is_well_formed(&token.expose().replace("5a5a", "5a5b")));
        for bad in ["", "stave", "stave_ort_", "é", "packagist_ort_"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
