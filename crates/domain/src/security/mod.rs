//! What an organization lets Composer see and download: Settings > Security.
//!
//! [`SecuritySettings`] is what is chosen, [`Guard`] what that says of one package, and [`ClientPolicy`] which Composer may ask.

mod client;
mod guard;

use crate::{Invalid, package::Patterns, shortened};
pub use client::ClientPolicy;
pub use guard::{Guard, KnownAgainst, Withheld};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What an organization lets Composer see and download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default = "SecuritySettings::until_now")]
pub struct SecuritySettings {
    /// Of which packages the source is not told. Whoever has it clones the code, whatever is said of the download.
    pub hides_source: HideSource,
    /// Which Composer plugins there are.
    pub plugins: PluginPolicy,
    /// Which Composer may ask.
    pub clients: ClientPolicy,
    /// Whether versions that a mirror's list of malware names are left out, and not downloaded.
    pub blocks_malware: bool,
    /// The same for versions that a security advisory names.
    pub blocks_advisories: bool,
    /// So many days a release of a mirrored package is left out after it was first seen; 0 is off.
    pub cooldown_days: CooldownDays,
    /// Packages that come at once all the same.
    pub cooldown_exceptions: Patterns,
    /// Names for which no mirror is ever asked.
    pub private_names: Patterns,
}

/// How much of a text of the Log says what a list holds.
const LOGGED_CHARS: usize = 120;

impl SecuritySettings {
    /// What a new organization begins with.
    #[must_use]
    pub fn of_new() -> Self {
        Self { hides_source: HideSource::AllMirrors, ..Self::until_now() }
    }

    /// What counts for organizations that were there before there were settings: nothing is hidden or blocked but malware.
    #[must_use]
    pub fn until_now() -> Self {
        Self {
            hides_source: HideSource::Never,
            plugins: PluginPolicy::default(),
            clients: ClientPolicy::All,
            blocks_malware: true,
            blocks_advisories: false,
            cooldown_days: CooldownDays(0),
            cooldown_exceptions: Patterns::default(),
            private_names: Patterns::default(),
        }
    }

    /// Whether something is refused that clients before Composer 2.10 then clone from its source.
    #[must_use]
    pub fn is_passed_by(&self) -> bool {
        self.hides_source < HideSource::AllMirrors
            && (self.blocks_malware || self.blocks_advisories || self.plugins.blocks_downloads())
    }

    /// What is different from the settings before, for the Log: the name of each field, and what it says now.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let pairs = self.fields().into_iter().zip(before.fields());
        let changed = pairs.filter(|(now, before)| now != before);
        changed.map(|((field, now), _)| format!("{field}: {}", shortened(&now, LOGGED_CHARS))).collect()
    }

    fn fields(&self) -> [(&'static str, String); 10] {
        let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
        let list = |patterns: &Patterns| {
            let names = patterns.iter().collect::<Vec<_>>().join(", ");
            if names.is_empty() { "none".to_owned() } else { names }
        };
        let policy = if self.plugins.is_limited { "limited to the list" } else { "all are allowed" };
        [
            ("malware is blocked", on_off(self.blocks_malware)),
            ("versions with security advisories are blocked", on_off(self.blocks_advisories)),
            ("source code checkout URLs are hidden", self.hides_source.label().to_lowercase()),
            ("Composer clients", self.clients.label().to_owned()),
            ("Composer plugins", policy.to_owned()),
            ("allowed plugins", list(&self.plugins.allowed)),
            ("downloads of disallowed plugins are blocked", on_off(self.plugins.blocks_downloads)),
            ("minimum age of a release in days", self.cooldown_days.0.to_string()),
            ("packages without a minimum age", list(&self.cooldown_exceptions)),
            ("names that are never asked for at mirrors", list(&self.private_names)),
        ]
    }
}

/// Of which packages the source is not told; each hides more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HideSource {
    /// Of none.
    Never,
    /// Of those from mirrors that everybody may read.
    PublicMirrors,
    /// Of those from any mirror.
    AllMirrors,
    /// Of all.
    Always,
}

impl HideSource {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Never, Self::PublicMirrors, Self::AllMirrors, Self::Always];

    /// The name in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::PublicMirrors => "public_mirrors",
            Self::AllMirrors => "all_mirrors",
            Self::Always => "always",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::PublicMirrors => {
                "Only of packages mirrored from public repositories, such as the public Packagist"
            }
            Self::AllMirrors => "Of all mirrored packages",
            Self::Always => "Always",
        }
    }
}

impl FromStr for HideSource {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|it| it.key() == text);
        found.ok_or_else(|| {
            Invalid::because("Choose from the list whose source code checkout URLs are hidden.")
        })
    }
}

/// Which Composer plugins there are: they run code on every machine that installs them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginPolicy {
    /// Whether only those on the list are there; the others are left out.
    pub is_limited: bool,
    /// The list. It is kept while it does not count.
    pub allowed: Patterns,
    /// Whether the others are not downloaded either, by lock files that have them.
    pub blocks_downloads: bool,
}

impl PluginPolicy {
    /// Whether something that a lock file has is not downloaded.
    #[must_use]
    pub fn blocks_downloads(&self) -> bool {
        self.is_limited && self.blocks_downloads
    }
}

/// Days from 0 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CooldownDays(pub u32);

impl CooldownDays {
    const MOST: u32 = 365;
}

impl FromStr for CooldownDays {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let days = match text.trim() {
            "" => Some(0),
            typed => typed.parse().ok().filter(|days| *days <= Self::MOST),
        };
        days.map(Self).ok_or_else(|| {
            Invalid::because(format!("Type a number of days from 0 to {}; 0 is no minimum age.", Self::MOST))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (typed, days) in
            [("", Some(0)), (" 7 ", Some(7)), ("365", Some(365)), ("366", None), ("-1", None), ("a", None)]
        {
            assert_eq!(typed.parse::<CooldownDays>().ok().map(|it| it.0), days, "{typed}");
        }
    }

    #[test]
    fn what_is_chosen_in_a_form_is_what_was_offered() {
        for choice in HideSource::ALL {
            assert_eq!(choice.key().parse(), Ok(choice));
        }
        assert!("sometimes".parse::<HideSource>().is_err());
    }

    #[test]
    fn the_log_says_what_changed() {
        let before = SecuritySettings::of_new();
        assert_eq!(before.changes_since(&before), Vec::<String>::new());
        let after = SecuritySettings {
            hides_source: HideSource::Always,
            cooldown_days: CooldownDays(7),
            private_names: "acme/*\nother/one".parse().unwrap(),
            ..before.clone()
        };
        assert_eq!(
            after.changes_since(&before),
            [
                "source code checkout URLs are hidden: always",
                "minimum age of a release in days: 7",
                "names that are never asked for at mirrors: other/one, acme/*",
            ]
        );
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let settings = SecuritySettings {
            clients: ClientPolicy::Newest,
            plugins: PluginPolicy {
                is_limited: true,
                allowed: "acme/*".parse().unwrap(),
                blocks_downloads: true,
            },
            ..SecuritySettings::of_new()
        };
        let stored = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<SecuritySettings>(&stored).unwrap(), settings);
    }

    #[test]
    fn a_refusal_can_be_passed_by_while_sources_are_told() {
        let hidden = |hides_source| SecuritySettings { hides_source, ..SecuritySettings::until_now() };
        let passed = HideSource::ALL.map(|hides| hidden(hides).is_passed_by());
        assert_eq!(passed, [true, true, false, false]);
        assert!(!SecuritySettings { blocks_malware: false, ..hidden(HideSource::Never) }.is_passed_by());
    }
}
