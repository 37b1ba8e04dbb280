//! A secret with which a client acts on Stave.
//!
//! Format: prefix, 60 lower-case hex digits of chance, 8 hex digits of CRC-32 (IEEE) over both, so that a secret scanner
//! can recognise one and a typing mistake is told from a revoked token.

use crate::{
    Secret, Timestamp,
    id::{OrganizationId, TokenId, UserId},
    secret::SecretHash,
};

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
    /// Install.
    Read,
    /// Install and change.
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
    /// Last use, to five minutes.
    pub used_at: Option<Timestamp>,
}

impl Token {
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
