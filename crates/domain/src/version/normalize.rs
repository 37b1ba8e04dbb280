//! Composer's normalized form of a version: four numbers and a suffix, so that versions can be compared.
//!
//! The rules, the odd ones too, are those of composer/semver's `VersionParser`: what Stave calls a version and what
//! a client calls one must never differ.

use crate::{Invalid, shortened};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The suffix of a version: `-beta2`, `RC.1-dev`, `_p3`. May be empty.
pub(super) const MODIFIER: &str = r"[._-]?(?:(?P<word>(?-u:stable)|beta|b|RC|alpha|a|patch|pl|p)(?P<number>(?:[.-]?[0-9]+)*)?)?(?P<dev>[.-]?dev)?";

/// White space as PHP's regular expressions mean it.
pub(super) const SPACE: &str = r"\t-\r ";

/// A pattern of this module, without regard to case (of ASCII letters only, as in PHP).
pub(super) fn regex(pattern: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "every pattern is a constant of this crate and is built by its tests"
    )]
    regex::RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build()
        .expect("a pattern of this crate is valid")
}

/// The normalized form of a version: `v1.2-b3` is `1.2.0.0-beta3`, `1.x-dev` is `1.9999999.9999999.9999999-dev`.
pub fn normalize(version: &str) -> Result<String, Invalid> {
    let whole = php_trim(version);
    let bare = without_stability(without_alias(whole));
    if matches!(bare, "master" | "trunk" | "default") {
        return Ok(format!("dev-{bare}"));
    }
    if let Some(branch) = strip_prefix_ignoring_case(bare, "dev-") {
        return Ok(format!("dev-{branch}"));
    }
    let bare = without_build(bare);
    classical(bare).or_else(|| dated(bare)).or_else(|| numeric_branch_with_suffix(bare)).ok_or_else(|| {
        let version = shortened(whole, 80);
        Invalid::because(format!(
            "“{version}” is not a version. One looks like 1.2.3, v2.0.0-beta1 or dev-main."
        ))
    })
}

/// The normalized form of a branch: `2.x` is `2.9999999.9999999.9999999-dev`, `main` is `dev-main`.
#[must_use]
pub fn normalize_branch(name: &str) -> String {
    let name = php_trim(name);
    numeric_branch(name).unwrap_or_else(|| format!("dev-{name}"))
}

/// What a numeric branch alias must begin with to be below this version: `1.2.x-dev` has `1.2.`; a name has none.
#[must_use]
pub fn numeric_alias_prefix(version: &str) -> Option<String> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| regex(r"^((?:[0-9]+\.)*[0-9]+)(?:\.x)?-dev$"));
    PATTERN.captures(version).map(|found| format!("{}.", &found[1]))
}

/// `1.0` of `1.0 as 2.0`.
pub(super) fn without_alias(version: &str) -> &str {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"^([^,{SPACE}]+) +(?-i:as) +[^,{SPACE}]+$")));
    PATTERN.captures(version).and_then(|found| found.get(1)).map_or(version, |m| m.as_str())
}

fn without_stability(version: &str) -> &str {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| regex(r"@(?:(?-u:stable)|RC|beta|alpha|dev)$"));
    PATTERN.find(version).map_or(version, |flag| &version[..flag.start()])
}

fn without_build(version: &str) -> &str {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"^([^,{SPACE}+]+)\+[^{SPACE}]+$")));
    PATTERN.captures(version).and_then(|found| found.get(1)).map_or(version, |m| m.as_str())
}

/// `1.2.3`: up to four numbers, the first of at most five digits.
fn classical(version: &str) -> Option<String> {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"^v?([0-9]{{1,5}})(\.[0-9]+)?(\.[0-9]+)?(\.[0-9]+)?{MODIFIER}$")));
    let found = PATTERN.captures(version)?;
    let part = |index| found.get(index).map_or(".0", |part: regex::Match<'_>| part.as_str());
    Some(format!("{}{}{}{}{}", &found[1], part(2), part(3), part(4), suffix(&found)))
}

/// `2024-03-03`, `20240303.1`: dates keep their shape, nothing is padded.
fn dated(version: &str) -> Option<String> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        regex(&format!(r"^v?([0-9]{{4}}(?:[.:-]?[0-9]{{2}}){{1,6}}(?:[.:-]?[0-9]{{1,3}}){{0,2}}){MODIFIER}$"))
    });
    let found = PATTERN.captures(version)?;
    Some(format!("{}{}", found[1].replace([':', '-'], "."), suffix(&found)))
}

/// The suffix in its long form. A `stable` written small ends it, even if `dev` follows.
fn suffix(found: &Captures<'_>) -> String {
    let mut suffix = String::new();
    if let Some(word) = found.name("word") {
        if word.as_str() == "stable" {
            return suffix;
        }
        let number = found.name("number").map_or("", |number| number.as_str());
        suffix = format!("-{}{}", long_form(word.as_str()), number.trim_start_matches(['.', '-']));
    }
    if found.name("dev").is_some() {
        suffix.push_str("-dev");
    }
    suffix
}

fn long_form(word: &str) -> String {
    match word.to_ascii_lowercase().as_str() {
        "a" => "alpha".to_owned(),
        "b" => "beta".to_owned(),
        "p" | "pl" => "patch".to_owned(),
        "rc" => "RC".to_owned(),
        other => other.to_owned(),
    }
}

/// `1.x-dev`: a numeric branch, marked as such.
fn numeric_branch_with_suffix(version: &str) -> Option<String> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| regex(r"^(.*?)[.-]?dev$"));
    numeric_branch(php_trim(PATTERN.captures(version)?.get(1)?.as_str()))
}

fn numeric_branch(name: &str) -> Option<String> {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| regex(r"^v?([0-9]+)(\.(?:[0-9]+|[x*]))?(\.(?:[0-9]+|[x*]))?(\.(?:[0-9]+|[x*]))?$"));
    let found = PATTERN.captures(name)?;
    let part = |index| match found.get(index).map_or(".x", |part: regex::Match<'_>| part.as_str()) {
        ".x" | ".X" | ".*" => ".9999999",
        number => number,
    };
    Some(format!("{}{}{}{}-dev", &found[1], part(2), part(3), part(4)))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// PHP's `trim`: Unicode's other white space stays.
pub(crate) fn php_trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\0', '\u{b}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_only_look_alike_are_no_modifiers() {
        // U+017F and U+212A fold to s and k when Unicode's rules are used; PHP's do not know them.
        for bad in ["1.0-\u{17f}table", "é1.0", "1.0-é", "１.０"] {
            assert!(normalize(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_text_has_an_answer() {
        for text in ["dev-é", "\u{0}", "💥-dev", "1.0@é", "1.0+é as é"] {
            let _ = normalize(text);
            assert!(normalize_branch(text).starts_with("dev-"), "{text}");
        }
    }
}
