//! Branch aliases: `extra.branch-alias` lets `dev-main` pass for `2.0.x-dev`. Clients work them out themselves; Stave
//! shows them.

use super::manifest::Manifest;
use crate::version::normalize::{normalize_branch, numeric_alias_prefix};
use serde_json::Value;

/// What a branch passes for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchAlias {
    /// Composer's pretty form: `2.0.x-dev`.
    pub version: String,
    /// Composer's normalized form: `2.0.9999999.9999999-dev`.
    pub normalized: String,
}

impl BranchAlias {
    /// The alias of a development version, if its composer.json has one that counts (`ArrayLoader::getBranchAlias`).
    #[must_use]
    pub fn of(manifest: &Manifest, version: &str) -> Option<Self> {
        if !version.starts_with("dev-") && !version.ends_with("-dev") {
            return None;
        }
        let aliases = manifest.get("extra")?.get("branch-alias")?.as_object()?;
        let (_, target) = aliases.iter().find(|(source, target)| {
            source.eq_ignore_ascii_case(version) && problem(source, target).is_none()
        })?;
        let normalized = match target.as_str()? {
            "9999999-dev" => "9999999-dev".to_owned(),
            target => normalize_branch(target.strip_suffix("-dev")?),
        };
        Some(Self { version: pretty_branch(&normalized), normalized })
    }
}

/// The pretty form of a numeric branch: `1.9999999.9999999.9999999-dev` is `1.x-dev`.
pub(super) fn pretty_branch(normalized: &str) -> String {
    let mut pretty = normalized.replace(".9999999", ".x");
    while pretty.contains(".x.x") {
        pretty = pretty.replace(".x.x", ".x");
    }
    pretty
}

/// Why an alias does not count, in a sentence.
pub(super) fn problem(source: &str, target: &Value) -> Option<String> {
    let Some(target) = target.as_str() else {
        return Some(format!("The alias of {source} is not a text. Write one such as \"1.x-dev\"."));
    };
    let Some(number) = target.strip_suffix("-dev") else {
        return Some(format!("The alias {target} does not end in -dev."));
    };
    if normalize_branch(number).starts_with("dev-") {
        return Some(format!("The alias {target} is not a number such as 2.0-dev."));
    }
    let is_below = match (numeric_alias_prefix(source), numeric_alias_prefix(target)) {
        (Some(source), Some(target)) => target.starts_with(&source),
        _ => true,
    };
    (!is_below).then(|| format!("The alias {target} is not below {source}."))
}
