//! A visitor who signed in to a website. The first time makes them a member; there is no registration form.

use super::Place;
use crate::{
    Invalid, Timestamp,
    id::{WebsiteId, WebsiteMemberId},
    user::EmailAddress,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A visitor who signed in to a website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Immutable.
    pub id: WebsiteMemberId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// By what its applications know them: random, immutable, at most 64 characters of ASCII (OpenID Connect Core, section 2).
    pub sub: String,
    /// Their full name at the last sign-in; may be empty.
    pub name: String,
    /// What the platform called them at the last sign-in; may change, is not unique.
    pub handle: String,
    /// Where their picture is.
    pub picture: Option<String>,
    /// The address to write to: a verified one if there is one.
    pub email: Option<Address>,
    /// What they are here.
    pub roles: Roles,
    /// Whether they may come in.
    pub status: MemberStatus,
    /// First sign-in.
    pub created_at: Timestamp,
    /// Last sign-in.
    pub signed_in_at: Timestamp,
}

impl Member {
    /// The name to show.
    #[must_use]
    pub fn display_name(&self) -> &str {
        [&self.name, &self.handle].into_iter().find(|name| !name.is_empty()).unwrap_or(&self.sub)
    }
}

/// An e-mail address of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    #[serde(with = "crate::as_text")]
    pub address: EmailAddress,
    /// Whether it counts as theirs; otherwise they only say so.
    pub is_verified: bool,
}

impl Address {
    /// The address to write to: the first verified one, else the first.
    #[must_use]
    pub fn best_of<'a>(addresses: impl IntoIterator<Item = &'a Self> + Clone) -> Option<&'a Self> {
        let verified = addresses.clone().into_iter().find(|address| address.is_verified);
        verified.or_else(|| addresses.into_iter().next())
    }
}

/// A member at one server: the only thing by which they are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberIdentity {
    /// Of which website.
    pub website_id: WebsiteId,
    /// Whose.
    pub member_id: WebsiteMemberId,
    /// At which server.
    pub place: Place,
    /// That server's immutable id; unique with website and place.
    pub external_id: String,
    /// Another immutable id there, if it has two; for people who look into it, never compared.
    pub second_id: Option<String>,
    /// What they were called there at the last sign-in.
    pub handle: String,
    /// Their full name there.
    pub display_name: String,
    /// Their addresses there, the primary one first.
    pub addresses: Vec<Address>,
    /// First sign-in with it.
    pub connected_at: Timestamp,
    /// Last sign-in with it.
    pub signed_in_at: Timestamp,
}

/// Whether a member may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// They may.
    Active,
    /// An owner has to approve them first.
    Pending,
    /// An owner keeps them out.
    Blocked,
}

impl MemberStatus {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Active, Self::Pending, Self::Blocked];

    /// The name in the database, in lists and in exports.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
        }
    }
}

impl FromStr for MemberStatus {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|status| status.key() == text);
        known.ok_or_else(|| Invalid::because("A member is active, pending or blocked."))
    }
}

/// What a member is at a website, as its applications read it: 1 to 40 of `a-z 0-9 - _`. It goes into headers and lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(String);

impl RoleName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.trim().to_lowercase();
        let fits = (1..=40).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(name))
        } else {
            Err(Invalid::because(
                "A role has 1 to 40 letters (a-z), digits, dashes or underscores, such as editor.",
            ))
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Roles, in order; typed and shown with commas between them. At most 20.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(pub BTreeSet<RoleName>);

impl Roles {
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(RoleName::as_str)
    }
}

impl FromStr for Roles {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let typed = text.split([',', ' ', '\n', '\r']).filter(|name| !name.trim().is_empty());
        let names: BTreeSet<RoleName> = typed.map(str::parse).collect::<Result<_, _>>()?;
        if names.len() > 20 {
            return Err(Invalid::because("These are too many roles: 20 at most."));
        }
        Ok(Self(names))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_cannot_break_a_header() {
        assert_eq!("Editor, staff".parse::<Roles>().unwrap().to_string(), "editor,staff");
        assert_eq!("".parse::<Roles>().unwrap(), Roles::default());
        let many = (0..21).map(|n| format!("r{n}")).collect::<Vec<_>>().join(",");
        for bad in ["a;b", "a\u{7}b", "ä", &"x".repeat(41), &many] {
            assert!(bad.parse::<Roles>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_verified_address_is_better_than_the_first() {
        let address = |text: &str, is_verified| Address { address: text.parse().unwrap(), is_verified };
        let (stated, verified) = (address("a@x.example", false), address("b@x.example", true));
        assert_eq!(Address::best_of(&[stated.clone(), verified.clone()]), Some(&verified));
        assert_eq!(Address::best_of(std::slice::from_ref(&stated)), Some(&stated));
        assert_eq!(Address::best_of(&[]), None);
    }
}
