//! One version of a mirror's package.

use crate::{
    Timestamp,
    composer::{Manifest, check::unpublishable, manifest::LARGEST_BYTES, metadata::Keys, served},
    mirror::template::{DistOf, address, dist_filled},
    package::PackageName,
    shortened,
    version::{Archive, RemoteArchive, Stability, VersionFound, normalize},
};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

/// Longer names of versions fit into no index.
const LONGEST_VERSION: usize = 500;
/// How Composer 1 called the default branch.
const FORMER_DEFAULT: &str = "9999999-dev";

/// What is kept of a version, or why it is left out, in a sentence. The bytes that it costs are taken from `bytes_left`.
pub(super) fn read(
    name: &PackageName,
    manifest: &Manifest,
    bytes_left: &mut usize,
) -> Result<VersionFound, String> {
    let (version, normalized) = version(manifest)?;
    if let Some(other) = manifest.name().filter(|own| !own.eq_ignore_ascii_case(name.as_str())) {
        return Err(format!("It says that it is a version of {}.", shortened(other, 100)));
    }
    let dist = |archive: &RemoteArchive| {
        let dist = DistOf { name: name.as_str(), version: &version, normalized: &normalized, archive };
        dist_filled(&archive.url, &dist)
    };
    let (archive, source) = (archive(manifest, dist)?, source(manifest));
    if archive == Archive::Nothing && source.is_none() && !is_metapackage(manifest) {
        return Err("It has neither an archive nor a source from which it could be installed.".to_owned());
    }
    let mut keys = served::keys(manifest, name);
    keys.extend(source.clone().map(|source| ("source".to_owned(), source)));
    // How far a version differs from the one before in the file decides about the order of its keys there, and about nothing else.
    keys.sort_keys();
    let text = Value::Object(keys).to_string();
    *bytes_left = bytes_left.saturating_sub(text.len());
    if text.len() > LARGEST_BYTES {
        return Err("Its metadata is larger than 1 MiB, which is the most that Stave takes.".to_owned());
    }
    // Only now: to read constraints takes a while, and there may be very many.
    if let Some(problem) = unpublishable(manifest) {
        return Err(problem.sentence);
    }
    let released_at = manifest.time();
    let is_dev = Stability::of(&normalized) == Stability::Dev;
    let says_default = manifest.get("default-branch") == Some(&Value::Bool(true))
        || manifest.text("version_normalized") == Some(FORMER_DEFAULT);
    Ok(VersionFound {
        commit: commit(&archive, source.as_ref(), &text),
        reference_name: version.clone(),
        is_default_branch: is_dev && says_default,
        version,
        normalized,
        is_dev,
        archive,
        released_at: released_at.unwrap_or(Timestamp::UNIX_EPOCH),
        published_at: published_at(manifest).or(released_at),
        manifest: text,
    })
}

/// The version and its normalized form, which is worked out anew: clients do so, too, when they install from a lock file.
fn version(manifest: &Manifest) -> Result<(String, String), String> {
    let version = manifest.version().ok_or("It has no version.")?;
    if version.len() > LONGEST_VERSION || version.contains(char::is_control) {
        return Err(
            "What it has as its version is too long for one, or has control characters in it.".to_owned()
        );
    }
    let normalized = normalize(&version).map_err(|problem| problem.0)?;
    Ok((version, normalized))
}

fn is_metapackage(manifest: &Manifest) -> bool {
    manifest.text("type").is_some_and(|kind| kind.eq_ignore_ascii_case("metapackage"))
}

/// Where its archive is. `fill` puts into an address what belongs into its gaps.
fn archive(manifest: &Manifest, fill: impl Fn(&RemoteArchive) -> String) -> Result<Archive, String> {
    let Some(dist) = manifest.get("dist").filter(|_| !is_metapackage(manifest)) else {
        return Ok(Archive::Nothing);
    };
    let text = |key: &str| dist.get(key).and_then(scalar).filter(|text| !text.is_empty());
    let (Some(kind), Some(url)) = (text("type").map(|kind| kind.to_lowercase()), text("url")) else {
        return Ok(Archive::Nothing);
    };
    let is_hash = |text: &String| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let shasum = text("shasum").map(|shasum| shasum.to_ascii_lowercase());
    if shasum.as_ref().is_some_and(|shasum| !is_hash(shasum)) {
        return Err("The checksum of its archive is no SHA-1.".to_owned());
    }
    let mut archive = RemoteArchive { url, kind, shasum, reference: text("reference") };
    if archive.url.contains('%') {
        archive.url = fill(&archive);
    }
    let is_elsewhere = archive.kind != "path" && address(&archive.url).is_some();
    Ok(if is_elsewhere { Archive::Remote(archive) } else { Archive::Nothing })
}

/// Where its code is, if all is said that clients need for it; one thing missing makes them give up the package.
fn source(manifest: &Manifest) -> Option<Value> {
    let source = manifest.get("source")?;
    let text = |key: &str| {
        source
            .get(key)
            .and_then(scalar)
            .filter(|text| !text.is_empty() && !text.trim_start().starts_with('-'))
    };
    Some(json!({"type": text("type")?, "url": text("url")?, "reference": text("reference")?}))
}

/// PHP turns numbers into text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn published_at(manifest: &Manifest) -> Option<Timestamp> {
    let keys = Keys::from_iter([("time".to_owned(), manifest.get("published-time")?.clone())]);
    Manifest::from(keys).time()
}

/// What tells this state of the version from every other one: the commit, or what stands for it (see `Version::commit`).
fn commit(archive: &Archive, source: Option<&Value>, manifest: &str) -> String {
    let is_commit =
        |text: &&str| text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let identity = match archive {
        Archive::Remote(archive) => {
            let reference = archive.reference.as_deref().unwrap_or_default();
            if is_commit(&reference) {
                return reference.to_owned();
            }
            format!("{}\n{}\n{reference}", archive.url, archive.shasum.as_deref().unwrap_or_default())
        }
        Archive::Commit | Archive::Upload | Archive::Nothing => {
            let reference = source.and_then(|source| source["reference"].as_str());
            match reference.filter(is_commit) {
                Some(commit) => return commit.to_owned(),
                None => manifest.to_owned(),
            }
        }
    };
    hex::encode(Sha1::digest(identity))
}
