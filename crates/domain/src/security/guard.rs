//! What the settings of an organization say of one package: what is left out of its metadata, and what is not downloaded.

use super::{HideSource, SecuritySettings};
use crate::{
    Timestamp,
    advisory::{Advisory, Affected},
    composer::metadata::Keys,
    mirror::Mirror,
    package::PackageName,
    version::Version,
};
use jiff::SignedDuration;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// The list of bad versions that every client since Composer 2.10 acts on; others are for projects that name them.
const MALWARE: &str = "malware";
/// The types of packages whose code Composer itself runs. The second is that of Composer 1, which still works.
const PLUGIN_TYPES: [&str; 2] = ["composer-plugin", "composer-installer"];

/// What is known against versions of a package.
#[derive(Debug, Clone, Default)]
pub struct KnownAgainst {
    /// Their known faults.
    pub advisories: Vec<Advisory>,
    /// What lists of bad versions say, by the name of the list, as its mirror has it.
    pub filter: Keys,
}

/// That a version is not in the metadata although it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Why, in a sentence.
    pub because: String,
    /// From when on it is; `None` if time does not change it.
    pub until: Option<Timestamp>,
}

/// The settings of an organization, about one of its packages.
#[derive(Debug)]
pub struct Guard<'a> {
    settings: &'a SecuritySettings,
    name: &'a PackageName,
    mirror: Option<&'a Mirror>,
    advisories: &'a [Advisory],
    flags: Vec<Flag>,
}

/// An entry of a list of malware.
#[derive(Debug)]
struct Flag {
    affected: Affected,
    /// What the list says of it, as a sentence goes on; may be empty.
    word: String,
}

/// What of a manifest decides.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    #[serde(rename = "type")]
    name: String,
    source: Option<IgnoredAny>,
}

impl<'a> Guard<'a> {
    /// `mirror` is where the package comes from, if it comes from one.
    #[must_use]
    pub fn new(
        settings: &'a SecuritySettings,
        name: &'a PackageName,
        mirror: Option<&'a Mirror>,
        known: &'a KnownAgainst,
    ) -> Self {
        let flags = if settings.blocks_malware { flags_of(&known.filter) } else { Vec::new() };
        let advisories = if settings.blocks_advisories { known.advisories.as_slice() } else { &[] };
        Self { settings, name, mirror, advisories, flags }
    }

    /// Whether nobody is told where its code can be cloned from.
    #[must_use]
    pub fn hides_source(&self) -> bool {
        match self.settings.hides_source {
            HideSource::Never => false,
            // What asks for no credential is open to everybody.
            HideSource::PublicMirrors => self.mirror.is_some_and(|mirror| mirror.credential_id.is_none()),
            HideSource::AllMirrors => self.mirror.is_some(),
            HideSource::Always => true,
        }
    }

    /// Whether a version is left out of the metadata, and why. Lock files that have it go on, unless it is [refused](Self::refuses).
    #[must_use]
    pub fn withholds(&self, version: &Version, now: Timestamp) -> Option<Withheld> {
        let for_good = |because| Withheld { because, until: None };
        if self.mirror.is_some() && self.settings.private_names.fit(self.name) {
            return Some(for_good("Its name is one that is never asked for at mirrors.".into()));
        }
        if let Some(because) = self.danger(version, self.is_disallowed_plugin(version)) {
            return Some(for_good(because));
        }
        if self.hides_source() && is_source_only(version) {
            return Some(for_good("It has no archive, and source code checkout URLs are hidden.".into()));
        }
        let until = self.cooldown_end(version).filter(|end| *end > now)?;
        let days = self.settings.cooldown_days.0;
        let because =
            format!("It was first seen less than {days} day{} ago.", if days == 1 { "" } else { "s" });
        Some(Withheld { because, until: Some(until) })
    }

    /// Why the dist of a version is not sent, also to lock files from before; `None` if it is.
    #[must_use]
    pub fn refuses(&self, version: &Version) -> Option<String> {
        let is_disallowed = self.settings.plugins.blocks_downloads() && self.is_disallowed_plugin(version);
        let because = self.danger(version, is_disallowed)?;
        Some(format!(
            "{} {} is not downloaded. {because} Run \"composer update {}\" to lock another version, or ask an owner of the \
             organization to look at Settings > Security.",
            self.name, version.version, self.name
        ))
    }

    /// Whether [`refuses`](Self::refuses) can say anything but `None`: if not, nobody has to look for versions.
    #[must_use]
    pub fn may_refuse(&self) -> bool {
        !self.flags.is_empty()
            || !self.advisories.is_empty()
            || (self.settings.plugins.blocks_downloads() && !self.settings.plugins.allowed.fit(self.name))
    }

    fn danger(&self, version: &Version, is_disallowed_plugin: bool) -> Option<String> {
        if let Some(flag) = self.flags.iter().find(|flag| flag.affected.contains(&version.normalized)) {
            return Some(format!("It is flagged as malware{}.", flag.word));
        }
        if is_disallowed_plugin {
            return Some("It is a Composer plugin, and not on the list of allowed ones.".into());
        }
        // A branch has no place among the versions that an advisory names (as Composer since 2.11).
        let found = self.advisories.iter().filter(|_| !version.normalized.starts_with("dev-"));
        let advisory = found.clone().find(|advisory| advisory.affected.contains(&version.normalized))?;
        let title = advisory.report.as_ref().map(|report| format!(" ({})", report.title)).unwrap_or_default();
        Some(format!("The security advisory {}{title} names it.", advisory.id))
    }

    fn is_disallowed_plugin(&self, version: &Version) -> bool {
        let plugins = &self.settings.plugins;
        plugins.is_limited
            && !plugins.allowed.fit(self.name)
            && PLUGIN_TYPES.contains(&kind_of(version).name.as_str())
    }

    /// When a version is old enough; `None` if its age does not matter. That of branches does not, as in Composer's own policy
    /// (2.11, `Policy/CooldownPolicyConfig.php`).
    fn cooldown_end(&self, version: &Version) -> Option<Timestamp> {
        let is_exempt = self.mirror.is_none()
            || version.is_dev
            || self.settings.cooldown_days.0 == 0
            || self.settings.cooldown_exceptions.fit(self.name);
        let age = SignedDuration::from_hours(24 * i64::from(self.settings.cooldown_days.0));
        (!is_exempt).then(|| version.published_at.checked_add(age).unwrap_or(Timestamp::MAX))
    }
}

/// The entries of the list of malware. One that cannot be read names no version, to clients neither.
fn flags_of(filter: &Keys) -> Vec<Flag> {
    let entries = filter.get(MALWARE).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(Flag::read).collect()
}

impl Flag {
    fn read(entry: &Value) -> Option<Self> {
        let affected = Affected::lenient(entry["constraint"].as_str()?).ok()?;
        let said = |key: &str| {
            entry[key].as_str().map(|text| text.trim().trim_end_matches('.').replace(char::is_control, " "))
        };
        let words: Vec<String> =
            ["reason", "url"].into_iter().filter_map(said).filter(|word| !word.is_empty()).collect();
        let word = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        Some(Self { affected, word })
    }
}

/// Whether it can be had by cloning only.
fn is_source_only(version: &Version) -> bool {
    !version.archive.is_there() && kind_of(version).source.is_some()
}

/// What cannot be read is of no kind; publishing it fails by itself.
fn kind_of(version: &Version) -> Kind {
    serde_json::from_str(&version.manifest).unwrap_or_default()
}

#[cfg(test)]
mod tests;
