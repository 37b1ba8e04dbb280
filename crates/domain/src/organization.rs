//! A team with its own Composer repository.

use crate::{
    Invalid, Timestamp,
    id::{IntegrationId, OrganizationId, UserId},
};
use std::{fmt, str::FromStr};

/// The name in addresses: 1 to 40 of `a-z 0-9 -`, no dash first, last or twice in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortName(String);

impl ShortName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShortName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.trim().to_lowercase();
        let fits = (1..=40).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !name.starts_with('-')
            && !name.ends_with('-')
            && !name.contains("--");
        if !fits {
            return Err(Invalid::because(
                "A short name has 1 to 40 letters (a-z), digits or single dashes, and starts and ends with a letter or digit.",
            ));
        }
        if name == "new" {
            return Err(Invalid::because("“new” is the address of this form. Choose another short name."));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A team with its own Composer repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Immutable.
    pub id: OrganizationId,
    /// Unique here, part of every address.
    pub short_name: ShortName,
    /// As people write it.
    pub name: String,
    /// The integration through which members have to log in; `None` leaves it to them.
    pub enforced: Option<IntegrationId>,
    /// Whether people whom a synchronization finds are deactivated until somebody activates them.
    pub deactivates_found: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads packages.
    Member,
    /// Manages everything but owners and the organization itself.
    Admin,
    /// Does everything.
    Owner,
}

impl Role {
    /// The name in the database and in lists.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether they may give somebody this role, take it away, and deactivate or remove whoever has it: owners everybody,
    /// admins only members.
    #[must_use]
    pub fn manages(self, other: Self) -> bool {
        self == Self::Owner || (self == Self::Admin && other == Self::Member)
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(Invalid::because("A role is “member”, “admin” or “owner”.")),
        }
    }
}

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where.
    pub organization_id: OrganizationId,
    /// Who.
    pub user_id: UserId,
    /// What they may do: the highest of what was given to them and what a synchronization says.
    pub role: Role,
    /// What somebody here gave them; `None` if they are here because of a synchronization only.
    pub given: Option<Role>,
    /// Whether they may come in at all; a deactivated member keeps the place, and no run activates them.
    pub is_active: bool,
    /// Since when.
    pub joined_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_manage_everybody_and_admins_members() {
        use Role::{Admin, Member, Owner};
        for (who, managed) in [(Member, [].as_slice()), (Admin, &[Member]), (Owner, &[Member, Admin, Owner])]
        {
            for other in [Member, Admin, Owner] {
                assert_eq!(who.manages(other), managed.contains(&other), "{who:?} {other:?}");
            }
        }
    }

    #[test]
    fn short_names() {
        for good in ["acme", "Acme", "a", "acme-2", "7"] {
            assert!(good.parse::<ShortName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "a b", "a/b", "ä", "new", "..", &"a".repeat(41)] {
            assert!(bad.parse::<ShortName>().is_err(), "{bad}");
        }
    }
}
