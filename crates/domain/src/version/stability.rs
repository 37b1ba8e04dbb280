//! How finished a version claims to be.

use super::normalize::MODIFIER;
use regex::Regex;
use std::{fmt, str::FromStr, sync::LazyLock};

/// How finished a version claims to be; the least finished comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stability {
    /// A branch, or marked `dev`.
    Dev,
    /// Marked `alpha` or `a`.
    Alpha,
    /// Marked `beta` or `b`.
    Beta,
    /// Marked `RC`.
    Rc,
    /// Unmarked, or a patch of such a one.
    Stable,
}

impl Stability {
    /// The name as Composer writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Rc => "RC",
            Self::Stable => "stable",
        }
    }

    /// The stability of a version, raw or normalized. Every text has one (composer/semver, `parseStability`).
    #[must_use]
    pub fn of(version: &str) -> Self {
        static SUFFIX: LazyLock<Regex> =
            LazyLock::new(|| super::normalize::regex(&format!(r"{MODIFIER}(?:\+.*)?$")));
        let version = match version.split_once('#') {
            Some((version, reference)) if !reference.is_empty() => version,
            _ => version,
        };
        if version.starts_with("dev-") || version.ends_with("-dev") {
            return Self::Dev;
        }
        let Some(found) = SUFFIX.captures(version) else { return Self::Stable };
        if found.name("dev").is_some() {
            return Self::Dev;
        }
        match found.name("word").map(|word| word.as_str().to_ascii_lowercase()).as_deref() {
            Some("alpha" | "a") => Self::Alpha,
            Some("beta" | "b") => Self::Beta,
            Some("rc") => Self::Rc,
            _ => Self::Stable,
        }
    }
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stability {
    type Err = crate::Invalid;

    /// In any case: composer.json files say `RC` and `rc`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Dev, Self::Alpha, Self::Beta, Self::Rc, Self::Stable]
            .into_iter()
            .find(|stability| stability.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                crate::Invalid::because(format!("“{text}” is not one of stable, RC, beta, alpha, dev."))
            })
    }
}
