//! What a package can be found by besides its name and description.

use crate::version::{Version, compare::compare_in_list};
use serde_json::Value;
use std::collections::BTreeSet;

/// One thing that a package can be found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facet {
    /// Of which kind.
    pub kind: FacetKind,
    /// In lower case.
    pub text: String,
}

/// The kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FacetKind {
    /// Its `type`, such as `library`; of each package there is one.
    Type,
    /// One of its `keywords`.
    Keyword,
    /// A name that one of its versions provides, such as `psr/log-implementation`.
    Provides,
    /// A name that it requires.
    Requires,
    /// A name that it requires for its own development.
    RequiresDev,
}

impl FacetKind {
    /// The name in the database.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Keyword => "keyword",
            Self::Provides => "provides",
            Self::Requires => "requires",
            Self::RequiresDev => "requires-dev",
        }
    }
}

/// Longer ones are no words that somebody looks for.
const LONGEST_TEXT: usize = 255;

/// What a package with these versions can be found by: type, keywords and requirements as the default branch says or, without
/// one, the newest version; what any of them provides. Versions that are gone do not count; nothing is left if all are.
#[must_use]
pub fn facets_of(versions: &[Version]) -> BTreeSet<Facet> {
    let there: Vec<(&Version, Value)> = versions
        .iter()
        .filter(|version| version.removed_at.is_none())
        .map(|version| (version, serde_json::from_str(&version.manifest).unwrap_or_default()))
        .collect();
    let newest = there.iter().max_by(|(a, _), (b, _)| {
        a.is_default_branch
            .cmp(&b.is_default_branch)
            .then_with(|| compare_in_list(&a.normalized, &b.normalized))
    });
    let Some((_, newest)) = newest else { return BTreeSet::new() };
    let keywords = newest["keywords"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let provided =
        there.iter().filter_map(|(_, manifest)| manifest["provide"].as_object()).flat_map(|it| it.keys());
    let names = |section: &str| newest[section].as_object().into_iter().flat_map(serde_json::Map::keys);
    let to_work = names("require").map(|name| (FacetKind::Requires, name.as_str()));
    let to_develop = names("require-dev").map(|name| (FacetKind::RequiresDev, name.as_str()));
    let facets = std::iter::once((FacetKind::Type, newest["type"].as_str().unwrap_or("library")))
        .chain(keywords.map(|word| (FacetKind::Keyword, word)))
        .chain(provided.map(|name| (FacetKind::Provides, name.as_str())))
        // Nobody looks for those who require PHP.
        .chain(to_work.chain(to_develop).filter(|(_, name)| name.contains('/')));
    facets
        .map(|(kind, text)| Facet { kind, text: text.trim().to_lowercase() })
        .filter(|facet| {
            !facet.text.is_empty() && facet.text.len() <= LONGEST_TEXT && !facet.text.contains('\0')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, version::Archive};

    fn version(normalized: &str, manifest: &str) -> Version {
        Version {
            id: uuid::Uuid::nil().into(),
            package_id: uuid::Uuid::nil().into(),
            version: normalized.to_owned(),
            normalized: normalized.to_owned(),
            is_dev: normalized.starts_with("dev-"),
            is_default_branch: normalized == "dev-main",
            reference_name: normalized.to_owned(),
            commit: "c".repeat(40),
            archive: Archive::Commit,
            released_at: Timestamp::UNIX_EPOCH,
            published_at: Timestamp::UNIX_EPOCH,
            manifest: manifest.to_owned(),
            removed_at: None,
        }
    }

    fn told(versions: &[Version]) -> Vec<String> {
        facets_of(versions).into_iter().map(|facet| format!("{} {}", facet.kind.key(), facet.text)).collect()
    }

    #[test]
    fn the_default_branch_speaks_for_the_package() {
        let old = version("1.0.0.0", r#"{"keywords":["Old"],"provide":{"psr/log-implementation":"1"}}"#);
        let new = version("1.10.0.0", r#"{"type":"symfony-bundle","keywords":["Mail"," "]}"#);
        let main = version("dev-main", r#"{"type":"project","keywords":"mail"}"#);
        assert_eq!(told(&[]), [""; 0]);
        assert_eq!(
            told(std::slice::from_ref(&old)),
            ["type library", "keyword old", "provides psr/log-implementation"]
        );
        let both = [new.clone(), old.clone()];
        assert_eq!(told(&both), ["type symfony-bundle", "keyword mail", "provides psr/log-implementation"]);
        let gone = Version { removed_at: Some(Timestamp::UNIX_EPOCH), ..old };
        assert_eq!(told(&[new, gone, main]), ["type project"]);
        assert_eq!(told(&[version("1.0.0.0", "no JSON")]), ["type library"]);
    }
}
