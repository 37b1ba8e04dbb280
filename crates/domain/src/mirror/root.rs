//! `packages.json` of a mirror: what of it Stave uses.

use super::{
    authority,
    raw::{Entries, read, text},
    root_url,
    template::{DistOf, Template, absolute, address},
};
use crate::{Invalid, composer::root::pattern_matches, package::PackageName, shortened};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::collections::BTreeSet;
use url::Url;

/// What the packages.json of a mirror says of it. Reading it again gives the same if the file is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorRoot {
    /// Where its packages are.
    pub files: Files,
    /// The names that are in packages.json itself, in lower case. Of them there are no other files.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub inline: BTreeSet<String>,
    /// The names that it has, in lower case, or patterns of them, if it tells: then it is not asked for any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Available>,
    /// Where else dists are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dists: Vec<DistMirror>,
    /// Where it tells what has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_url: Option<Url>,
    /// Where it warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<AdvisorySource>,
    /// Which lists it has of versions that must not be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterSource>,
}

/// Where the packages of a Composer repository are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// Composer 2, `metadata-url`: one file for the releases of each package, and one for its branches.
    Metadata(Template),
    /// Composer 1, `providers-lazy-url`: one file for each package.
    Lazy(Template),
    /// Composer 1, `providers-url`: one file for each package, found by a hash that lists name.
    Hashed(Template),
    /// They are in packages.json, and in the files that it includes.
    Here {
        /// Whether it includes any.
        has_includes: bool,
    },
}

/// Which names a Composer repository has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Available {
    /// `available-packages`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
    /// `available-package-patterns`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
}

/// Another place of dists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistMirror {
    /// `dist-url`.
    pub url: Template,
    /// Whether it comes before the address that a version itself names.
    pub is_preferred: bool,
}

/// `security-advisories`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisorySource {
    /// Whether they are in the files of packages.
    pub in_metadata: bool,
    /// Where whole ones can be asked for.
    pub api_url: Option<Url>,
}

/// `filter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterSource {
    /// The names of the lists: `malware` and others.
    pub lists: Vec<String>,
    /// Where entries can be asked for by package.
    pub api_url: Option<Url>,
    /// Where all packages are that have one.
    pub summary_url: Option<Url>,
}

/// Names that no list has, by the rule of clients (`FilterListConfig`).
const RESERVED_LISTS: [&str; 13] = [
    "advisories",
    "abandoned",
    "cooldown",
    "package",
    "packages",
    "license",
    "licenses",
    "licence",
    "licences",
    "support",
    "maintenance",
    "security",
    "minimum-release-age",
];

impl MirrorRoot {
    /// Reads the packages.json of the mirror at `url`. What it does not understand it passes over; without a way to packages it is
    /// none.
    pub fn parse(url: &Url, body: &[u8]) -> Result<Self, Invalid> {
        let keys = Keys::read(body)?;
        let base = root_url(url);
        let root = Reader { keys: &keys, base: &base };
        Ok(Self {
            files: root.files(url)?,
            inline: root.inline(),
            available: root.available(),
            dists: root.dists(),
            changes_url: keys.text("metadata-changes-url").and_then(|text| root.address(&text)),
            advisories: root.advisories(),
            filter: root.filter(),
        })
    }

    /// Whether it could have a package of this name; if not, it need not be asked.
    #[must_use]
    pub fn may_have(&self, name: &PackageName) -> bool {
        let name = name.as_str();
        if self.inline.contains(name) {
            return true;
        }
        match (&self.files, &self.available) {
            (Files::Here { has_includes: false }, _) => false,
            (_, Some(available)) => {
                available.names.contains(name)
                    || available.patterns.iter().any(|pattern| pattern_matches(pattern, name))
            }
            (_, None) => true,
        }
    }

    /// Whether a package is in packages.json, or in a file that this includes, and nowhere else.
    #[must_use]
    pub fn is_inline(&self, name: &PackageName) -> bool {
        matches!(self.files, Files::Here { .. }) || self.inline.contains(name.as_str())
    }

    /// Where a dist may be, in the order in which clients try (`Package::getUrls`).
    #[must_use]
    pub fn dist_urls(&self, dist: &DistOf<'_>) -> Vec<Url> {
        let mut urls: Vec<Url> = address(&dist.archive.url).into_iter().collect();
        for mirror in &self.dists {
            let Some(url) = mirror.url.of_dist(dist).filter(|url| !urls.contains(url)) else { continue };
            let at = if mirror.is_preferred { 0 } else { urls.len() };
            urls.insert(at, url);
        }
        urls
    }
}

/// The keys of a packages.json, whose values may be large.
struct Keys<'a>(Entries<&'a RawValue>);

impl<'a> Keys<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Invalid> {
        let keys: Entries<&RawValue> = serde_json::from_slice(body).map_err(|error| {
            Invalid::because(format!(
                "The packages.json there is no JSON object: {}.",
                shortened(&error.to_string(), 200)
            ))
        })?;
        Ok(Self(keys))
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.get(key).copied().filter(|raw| raw.get() != "null")
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(read::<String>).filter(|text| !text.is_empty())
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.get(key).and_then(read)
    }

    /// Whether a key holds something.
    fn is_filled(&self, key: &str) -> bool {
        self.get(key).is_some_and(|raw| !matches!(raw.get(), "[]" | "{}" | "\"\""))
    }
}

struct Reader<'a> {
    keys: &'a Keys<'a>,
    /// Where packages.json is.
    base: &'a Url,
}

impl Reader<'_> {
    fn address(&self, text: &str) -> Option<Url> {
        absolute(self.base, text).as_deref().and_then(address)
    }

    fn files(&self, url: &Url) -> Result<Files, Invalid> {
        if let Some(template) = self.template("metadata-url", &["%package%"])? {
            return Ok(Files::Metadata(template));
        }
        if let Some(template) = self.template("providers-lazy-url", &["%package%"])? {
            return Ok(Files::Lazy(template));
        }
        let has_lists = self.keys.is_filled("provider-includes") || self.keys.is_filled("providers");
        if let Some(template) =
            self.template("providers-url", &["%package%", "%hash%"])?.filter(|_| has_lists)
        {
            return Ok(Files::Hashed(template));
        }
        let has_includes = self.keys.is_filled("includes");
        if has_includes || self.keys.get("packages").is_some() {
            return Ok(Files::Here { has_includes });
        }
        Err(Invalid::because(format!(
            "What {} has at {} is JSON, but not the packages.json of a Composer repository: it names no packages. Check the URL of \
             the mirror.",
            authority(url),
            self.base.path()
        )))
    }

    fn template(&self, key: &str, gaps: &[&str]) -> Result<Option<Template>, Invalid> {
        let Some(text) = self.keys.text(key) else { return Ok(None) };
        let template =
            Template::parse(self.base, &text).filter(|template| gaps.iter().all(|gap| template.has(gap)));
        template.map(Some).ok_or_else(|| {
            Invalid::because(format!(
                "Its packages.json has “{}” as {key}, which is not an address with {}. Whoever runs it has to mend that.",
                shortened(&text, 100),
                gaps.join(" and ")
            ))
        })
    }

    fn inline(&self) -> BTreeSet<String> {
        let packages = self.keys.get("packages").map_or("{}", RawValue::get);
        let packages: Entries<serde::de::IgnoredAny> = serde_json::from_str(packages).unwrap_or_default();
        packages.0.into_iter().map(|(name, _)| name.to_lowercase()).collect()
    }

    /// An empty list counts as absent, as it does for clients.
    fn available(&self) -> Option<Available> {
        let names = self.keys.get("available-packages").and_then(read::<Vec<String>>).unwrap_or_default();
        let patterns =
            self.keys.get("available-package-patterns").and_then(read::<Vec<String>>).unwrap_or_default();
        let names = names.into_iter().map(|name| name.to_lowercase()).collect();
        let available = Available { names, patterns };
        (available != Available::default()).then_some(available)
    }

    fn dists(&self) -> Vec<DistMirror> {
        let Some(Value::Array(mirrors)) = self.keys.value("mirrors") else { return Vec::new() };
        let mirror = |mirror: &Value| {
            let url = Template::parse(self.base, text(mirror, "dist-url")?)?;
            Some(DistMirror { url, is_preferred: mirror["preferred"] == true })
        };
        mirrors.iter().filter_map(mirror).take(10).collect()
    }

    fn advisories(&self) -> Option<AdvisorySource> {
        let section = self.keys.value("security-advisories")?;
        let source = AdvisorySource {
            in_metadata: section["metadata"] == true,
            api_url: text(&section, "api-url").and_then(|text| self.address(text)),
        };
        (source.in_metadata || source.api_url.is_some()).then_some(source)
    }

    /// Without `metadata`, the whole section is inert.
    fn filter(&self) -> Option<FilterSource> {
        let section = self.keys.value("filter").filter(|section| section["metadata"] == true)?;
        let lists = section.get("lists")?.as_object()?.iter();
        let lists: Vec<_> = lists
            .filter(|(name, list)| list["enabled"] == true && is_list(name))
            .map(|(name, _)| name.clone())
            .take(100)
            .collect();
        let address = |key| text(&section, key).and_then(|text| self.address(text));
        (!lists.is_empty()).then(|| FilterSource {
            lists,
            api_url: address("api-url"),
            summary_url: address("summary-url"),
        })
    }
}

/// Whether a list may be called so.
pub(super) fn is_list(name: &str) -> bool {
    !RESERVED_LISTS.contains(&name) && !name.starts_with("ignore") && !name.is_empty() && name.len() <= 100
}

#[cfg(test)]
mod tests;
