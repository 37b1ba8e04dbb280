//! The login setting of a website: a draft until it is saved, then a numbered revision that never changes.

use super::{Allowed, Look, Provider, ProviderKey, Roles};
use crate::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most hours without a sign of life: a month.
pub const MOST_IDLE_HOURS: u32 = 24 * 30;
/// The most hours in any case: three months.
pub const MOST_HOURS: u32 = 24 * 90;

/// Everything that decides how visitors sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The buttons, in the order in which visitors see them.
    pub providers: Vec<Provider>,
    /// Who becomes a member.
    pub sign_up: SignUp,
    /// What new members are.
    pub default_roles: Roles,
    /// Only people with one of these verified addresses; empty lets in everybody.
    pub allowed: Vec<Allowed>,
    /// Whether nobody comes in without a verified address.
    pub email_required: bool,
    /// Hours without a sign of life after which visitors sign in again: 1 to [`MOST_IDLE_HOURS`].
    pub idle_hours: u32,
    /// Hours after which they sign in again in any case: 1 to [`MOST_HOURS`].
    pub longest_hours: u32,
    /// How it looks.
    pub look: Look,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            sign_up: SignUp::Open,
            default_roles: Roles::default(),
            allowed: Vec::new(),
            email_required: false,
            idle_hours: 8,
            longest_hours: 24 * 7,
            look: Look::default(),
        }
    }
}

impl Setting {
    /// The button with this key.
    #[must_use]
    pub fn provider(&self, key: &ProviderKey) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.key == *key)
    }

    /// The buttons that visitors see.
    pub fn offered(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().filter(|provider| provider.is_on)
    }
}

/// Who becomes a member when they sign in for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Everybody who may sign in.
    Open,
    /// Whoever an owner of the website approves.
    Approval,
    /// Nobody new.
    Closed,
}

impl SignUp {
    /// All three, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Open, Self::Approval, Self::Closed];

    /// The name in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for SignUp {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|sign_up| sign_up.key() == text);
        known.ok_or_else(|| Invalid::because("Choose from the list who becomes a member."))
    }
}

/// A setting that visitors do not see yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it would be.
    pub setting: Setting,
    /// The revision that it began with; `None` if there was none.
    pub began_with: Option<u32>,
    /// Who applied it last.
    pub author: String,
    /// When.
    pub changed_at: Timestamp,
}

/// A setting that visitors see or saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts from 1 in each website.
    pub number: u32,
    /// What it is.
    pub setting: Setting,
    /// Who saved it.
    pub author: String,
    /// What they said about it; for example from which revision it was taken. May be empty.
    pub note: String,
    /// When.
    pub created_at: Timestamp,
}
