//! A package that people type as JSON, as they would write it into the `repositories` of a composer.json (Composer's
//! `PackageRepository`).

use super::PackageName;
use crate::{
    Invalid, Timestamp,
    composer::{
        Manifest,
        check::{Severity, check},
        metadata::Keys,
    },
    id::{CredentialId, PackageId},
    mirror::MirrorPackage,
    shortened,
    version::VersionFound,
};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use std::{collections::HashMap, fmt};

/// The largest definition that is read, in bytes.
const LARGEST_BYTES: usize = 512 * 1024;
/// So many problems are named; whoever mends them sees the others.
const MOST_PROBLEMS: usize = 8;
/// The kinds of archive that are served: everything becomes a zip. Composer calls every tar so, however it is compressed.
const ARCHIVES: [&str; 2] = ["zip", "tar"];

/// What somebody typed for a package, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// Of which package.
    pub package_id: PackageId,
    /// With what its archives are fetched; `None` if they are public.
    pub credential_id: Option<CredentialId>,
    /// The JSON, as it was typed.
    pub text: String,
}

/// A package as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is called.
    pub name: PackageName,
    /// From its newest version; may be empty.
    pub description: String,
    /// Whether it is abandoned; `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// Its versions, in their order. One that says no time has the beginning of 1970.
    pub found: Vec<VersionFound>,
}

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionProblem {
    /// Where: `version 2 (1.1.0), require.psr/log`; empty if it is the whole.
    pub place: String,
    /// What, and what to do.
    pub sentence: String,
}

impl fmt::Display for DefinitionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.sentence)
        } else {
            write!(f, "{}: {}", self.place, self.sentence)
        }
    }
}

impl Definition {
    /// Reads one version, a list of versions, or `{"type": "package", "package": ..}` around either, as strictly as public
    /// registries read a composer.json.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, Invalid> {
        let objects = versions_of(text)?;
        let name = name_of(&objects)?;
        let mut problems = Vec::new();
        let mut known = HashMap::new();
        for (at, keys) in objects.iter().enumerate() {
            let manifest = Manifest::from(keys.clone());
            let version = manifest.version().unwrap_or_default();
            let place = if objects.len() == 1 {
                String::new()
            } else {
                format!("version {} ({})", at + 1, shortened(&version, 40))
            };
            judge(&manifest, now, &mut |field, sentence| problems.push(problem(&place, field, sentence)));
            if manifest.name() != Some(name.as_str()) {
                let sentence = format!(
                    "All versions belong to one package, {name}. Make another custom package of this one."
                );
                problems.push(problem(&place, "name", &sentence));
            }
            if let Ok(normalized) = crate::version::normalize(&version)
                && let Some(before) = known.insert(normalized, at + 1)
            {
                let sentence = format!(
                    "This is the same version to Composer as number {before}. Leave one of them out."
                );
                problems.push(problem(&place, "version", &sentence));
            }
        }
        if problems.is_empty() {
            return Self::read(name, objects);
        }
        Err(in_one(&problems))
    }

    /// What was judged to be right is read as if another repository had said it.
    fn read(name: PackageName, objects: Vec<Keys>) -> Result<Self, Invalid> {
        let body = json!({"packages": {name.as_str(): objects}}).to_string();
        let package = MirrorPackage::read(&name, body.as_bytes())?.unwrap_or_default();
        if !package.left_out.versions.is_empty() {
            let problems = package.left_out.versions.into_iter();
            let problems = problems.map(|(version, sentence)| problem("", &version, &sentence));
            return Err(in_one(&problems.collect::<Vec<_>>()));
        }
        let found = package.found.into_iter().zip(objects).map(|(found, keys)| VersionFound {
            // Whoever mends a wrong address means other bytes.
            commit: hex::encode(Sha1::digest(Value::Object(keys).to_string())),
            published_at: None,
            ..found
        });
        let found = found.collect();
        Ok(Self { name, description: package.description, abandoned: package.abandoned, found })
    }
}

/// The objects of all versions.
fn versions_of(text: &str) -> Result<Vec<Keys>, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::because("Paste the package as JSON: an object with name, version and dist."));
    }
    if text.len() > LARGEST_BYTES {
        return Err(Invalid::because(
            "This is more than 512 KiB. Make a mirror of the repository that it comes from.",
        ));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Invalid::because(format!("This is not valid JSON: {}.", shortened(&error.to_string(), 200)))
    })?;
    let value = match value {
        Value::Object(mut keys)
            if keys.get("type") == Some(&json!("package")) && keys.contains_key("package") =>
        {
            keys.remove("package").unwrap_or_default()
        }
        other => other,
    };
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    if list.is_empty() {
        return Err(Invalid::because("There is no version in the list. A package has at least one."));
    }
    let objects = list.into_iter().enumerate().map(|(at, value)| match value {
        Value::Object(keys) => Ok(keys),
        _ => Err(Invalid::because(format!(
            "Version {} is no object. Put its keys between “{{” and “}}”.",
            at + 1
        ))),
    });
    objects.collect()
}

fn name_of(objects: &[Keys]) -> Result<PackageName, Invalid> {
    let name = objects.iter().find_map(|keys| keys.get("name")?.as_str());
    let name = name.ok_or_else(|| Invalid::because("“name” is missing. A package is called vendor/name."))?;
    name.parse().map_err(|Invalid(sentence)| Invalid::because(format!("name: {sentence}")))
}

/// Says what is wrong with a version: a field, and a sentence.
fn judge(manifest: &Manifest, now: Timestamp, say: &mut dyn FnMut(&str, &str)) {
    let strict = check(manifest, now);
    for problem in strict.iter().filter(|problem| problem.severity > Severity::Warning) {
        say(&problem.field, &problem.sentence);
    }
    let is_metapackage = manifest.text("type").is_some_and(|kind| kind.eq_ignore_ascii_case("metapackage"));
    match manifest.get("dist") {
        None if manifest.get("source").is_none() && !is_metapackage => {
            say(
                "dist",
                "Say where its archive is, such as {\"type\": \"zip\", \"url\": \"https://..\"}; only a metapackage has none.",
            );
        }
        Some(dist) => judge_dist(dist, say),
        None => {}
    }
}

fn judge_dist(dist: &Value, say: &mut dyn FnMut(&str, &str)) {
    if let Some(kind) = dist.get("type").and_then(Value::as_str)
        && !ARCHIVES.contains(&kind.to_lowercase().as_str())
    {
        let sentence =
            format!("Stave serves archives of the types zip and tar, not {}.", shortened(kind, 40));
        say("dist.type", &sentence);
    }
    if let Some(url) = dist.get("url").and_then(Value::as_str)
        && !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme))
    {
        say("dist.url", "An archive is fetched from an address that starts with https:// or http://.");
    }
    if let Some(shasum) = dist.get("shasum").and_then(Value::as_str)
        && !shasum.is_empty()
        && (shasum.len() != 40 || !shasum.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        say(
            "dist.shasum",
            "The checksum is the SHA-1 of the archive, 40 hex digits. Leave it empty if you do not know it.",
        );
    }
}

fn problem(place: &str, field: &str, sentence: &str) -> DefinitionProblem {
    let joint = if place.is_empty() || field.is_empty() { "" } else { ", " };
    DefinitionProblem { place: format!("{place}{joint}{field}"), sentence: sentence.to_owned() }
}

/// The first problems, in one text.
fn in_one(problems: &[DefinitionProblem]) -> Invalid {
    let mut sentences: Vec<String> = problems.iter().take(MOST_PROBLEMS).map(ToString::to_string).collect();
    if problems.len() > MOST_PROBLEMS {
        sentences.push(format!("{} more problems follow.", problems.len() - MOST_PROBLEMS));
    }
    Invalid::because(sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Archive;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn parsed(text: &str) -> Definition {
        Definition::parse(text, NOW).unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    fn version(version: &str) -> String {
        format!(
            r#"{{"name": "acme/paid", "version": "{version}", "require": {{"php": ">=8"}}, "dist": {{"type": "zip", "url": "https://x.example/{version}.zip"}}}}"#
        )
    }

    #[test]
    fn one_several_and_as_in_a_composer_json() {
        let (one, other) = (version("1.0.0"), version("v1.1"));
        for (text, versions) in [
            (one.clone(), vec!["1.0.0.0"]),
            (format!("[{one}, {other}]"), vec!["1.0.0.0", "1.1.0.0"]),
            (format!(r#"{{"type": "package", "package": {one}}}"#), vec!["1.0.0.0"]),
            (format!(r#"{{"type": "package", "package": [{one}, {other}]}}"#), vec!["1.0.0.0", "1.1.0.0"]),
        ] {
            let definition = parsed(&text);
            assert_eq!(definition.name.as_str(), "acme/paid");
            let normalized: Vec<_> = definition.found.iter().map(|found| found.normalized.as_str()).collect();
            assert_eq!(normalized, versions);
            let Archive::Remote(archive) = &definition.found[0].archive else { panic!("{definition:?}") };
            assert_eq!((archive.kind.as_str(), archive.url.as_str()), ("zip", "https://x.example/1.0.0.zip"));
            assert_eq!(definition.found[0].manifest, r#"{"require":{"php":">=8"}}"#);
        }
    }

    #[test]
    fn another_address_is_another_archive() {
        let one = parsed(&version("1.0.0"));
        let other = parsed(&version("1.0.0").replace("x.example", "y.example"));
        assert_ne!(one.found[0].commit, other.found[0].commit);
        assert_eq!(one.found[0].commit, parsed(&version("1.0.0")).found[0].commit);
    }

    #[test]
    fn metapackages_and_sources_need_no_archive() {
        let meta = parsed(
            r#"{"name": "acme/all", "version": "1", "type": "metapackage", "require": {"acme/a": "*"}}"#,
        );
        assert_eq!(meta.found[0].archive, Archive::Nothing);
        let source = parsed(
            r#"{"name": "acme/git", "version": "dev-main", "source": {"type": "git", "url": "https://x.example/x.git", "reference": "main"}}"#,
        );
        assert!(source.found[0].is_dev && source.found[0].manifest.contains("\"source\""), "{source:?}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let one = version("1.0.0");
        for (text, sentence) in [
            (String::new(), "Paste the package as JSON"),
            ("{".into(), "This is not valid JSON: EOF while parsing an object at line 1 column 1."),
            ("[]".into(), "There is no version in the list"),
            ("[7]".into(), "Version 1 is no object"),
            ("{}".into(), "“name” is missing"),
            (one.replace("acme/paid", "Acme/Paid"), "name: “Acme/Paid” has upper-case letters"),
            (one.replace("1.0.0", "soon"), "version: “soon” is not a version"),
            (
                one.replace("\"zip\"", "\"rar\""),
                "dist.type: Stave serves archives of the types zip and tar, not rar.",
            ),
            (one.replace("https:", "ftp:"), "dist.url: An archive is fetched from an address"),
            (
                one.replace("\"type\": \"zip\"", "\"shasum\": \"abc\", \"type\": \"zip\""),
                "dist.shasum: The checksum is the SHA-1",
            ),
            (one.replace(">=8", "what"), "require.php: "),
            (r#"{"name": "acme/x", "version": "1"}"#.into(), "dist: Say where its archive is"),
            (
                format!("[{one}, {one}]"),
                "version 2 (1.0.0), version: This is the same version to Composer as number 1.",
            ),
            (
                format!("[{one}, {}]", one.replace("acme/paid", "acme/other")),
                "version 2 (1.0.0), name: All versions belong to one package, acme/paid.",
            ),
        ] {
            let problem = Definition::parse(&text, NOW).unwrap_err().to_string();
            assert!(problem.contains(sentence), "{text}: {problem}");
        }
    }
}
