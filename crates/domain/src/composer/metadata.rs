//! `p2/<name>.json` and `p2/<name>~dev.json`: what clients read of a package.

use super::time;
use crate::{
    Invalid,
    advisory::Advisory,
    package::PackageName,
    version::{Dist, Version, compare::compare_in_list},
};
use serde_json::{Map, Value, json};

/// The keys of one version.
pub type Keys = Map<String, Value>;

const UNSET: &str = "__unset";

/// What all versions of a package have in common in its metadata.
#[derive(Clone, Copy)]
pub struct Metadata<'a> {
    /// What they are called.
    pub name: &'a PackageName,
    /// The package's own word, which holds for all versions: `Some("")` is abandoned without replacement.
    pub abandoned: Option<&'a str>,
    /// Where the code can be cloned from.
    pub source: Source<'a>,
    /// The absolute address of a version's dist, the same for ever.
    pub dist_url: &'a dyn Fn(&Version) -> String,
    /// Which versions have known faults.
    pub advisories: &'a [Advisory],
    /// What lists of bad versions say of it, by the name of the list (Composer 2.10: `filter`).
    pub filter: &'a Keys,
}

/// Where the code of a package can be cloned from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Nobody is told.
    Hidden,
    /// The git repository at this URL, each version at its commit.
    Of(&'a str),
    /// Each version says so itself.
    Own,
}

impl Metadata<'_> {
    /// The bytes of the file for these versions, newest first: the same versions give the same bytes. A version whose
    /// dist is not built yet has no checksum. Advisories and lists are in the file of tags alone, also when there are none:
    /// otherwise a client would ask for them elsewhere.
    pub fn document(&self, is_dev: bool, versions: &[(&Version, Option<&Dist>)]) -> Result<Vec<u8>, Invalid> {
        let mut versions = versions.to_vec();
        versions.sort_by(|(a, _), (b, _)| newest_first(a, b));
        let keys = versions
            .iter()
            .map(|(version, dist)| self.keys(version, *dist))
            .collect::<Result<Vec<_>, _>>()?;
        let packages = Map::from_iter([(self.name.to_string(), json!(minify(&keys)))]);
        let mut document = json!({"packages": packages, "minified": "composer/2.0"});
        if !is_dev {
            document["security-advisories"] = self.advisories.iter().map(Advisory::partial).collect();
            document["filter"] = json!(self.filter);
        }
        Ok(document.to_string().into_bytes())
    }

    fn keys(&self, version: &Version, dist: Option<&Dist>) -> Result<Keys, Invalid> {
        let manifest: Keys = serde_json::from_str(&version.manifest).map_err(|error| {
            Invalid::because(format!(
                "The stored manifest of {} {} is damaged: {error}.",
                self.name, version.version
            ))
        })?;
        let mut keys = Keys::from_iter([
            ("name".to_owned(), json!(self.name.as_str())),
            ("version".to_owned(), json!(version.version)),
            ("version_normalized".to_owned(), json!(version.normalized)),
        ]);
        keys.extend(manifest);
        match self.source {
            Source::Hidden => _ = keys.shift_remove("source"),
            Source::Of(url) => {
                let source = json!({"type": "git", "url": url, "reference": version.commit});
                keys.insert("source".to_owned(), source);
            }
            Source::Own => {}
        }
        if version.archive.is_there() {
            let dist = json!({
                "type": "zip",
                "url": (self.dist_url)(version),
                "reference": version.commit,
                "shasum": dist.map_or("", |dist| dist.shasum.as_str()),
            });
            keys.insert("dist".to_owned(), dist);
        }
        if let Some(at) = version.released_at() {
            keys.insert("time".to_owned(), json!(time::written(at)));
        }
        keys.insert("published-time".to_owned(), json!(time::written(version.published_at)));
        if version.is_default_branch {
            keys.insert("default-branch".to_owned(), json!(true));
        }
        if let Some(replacement) = self.abandoned {
            keys.insert(
                "abandoned".to_owned(),
                if replacement.is_empty() { json!(true) } else { json!(replacement) },
            );
        }
        Ok(keys)
    }
}

/// Branches have no order among themselves; the default branch comes first, then their names decide.
fn newest_first(a: &Version, b: &Version) -> std::cmp::Ordering {
    compare_in_list(&b.normalized, &a.normalized)
        .then(b.is_default_branch.cmp(&a.is_default_branch))
        .then_with(|| a.normalized.cmp(&b.normalized))
}

/// Leaves out of each version what it has in common with the one before (composer/metadata-minifier).
#[must_use]
pub fn minify(versions: &[Keys]) -> Vec<Keys> {
    let Some(first) = versions.first() else { return Vec::new() };
    let differences = versions.windows(2).map(|pair| difference(&pair[0], &pair[1]));
    std::iter::once(first.clone()).chain(differences).collect()
}

fn difference(before: &Keys, after: &Keys) -> Keys {
    let changed =
        after.iter().filter(|(key, value)| before.get(*key).is_none_or(|before| !is_same(before, value)));
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    changed
        .map(|(key, value)| (key.clone(), value.clone()))
        .chain(gone.map(|key| (key.clone(), json!(UNSET))))
        .collect()
}

/// Equal, and with its keys in the same order.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((a_key, a), (b_key, b))| a_key == b_key && is_same(a, b))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        _ => a == b,
    }
}

/// The versions whole again, as a client sees them.
#[must_use]
pub fn expand(minified: &[Keys]) -> Vec<Keys> {
    let mut expanded: Vec<Keys> = Vec::with_capacity(minified.len());
    for difference in minified {
        let whole = match expanded.last() {
            None => difference.clone(),
            Some(before) => {
                let mut whole = before.clone();
                whole.extend(difference.clone());
                whole.retain(|key, value| !(difference.contains_key(key) && value == UNSET));
                whole
            }
        };
        expanded.push(whole);
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, version::Archive};

    fn version(version: &str, normalized: &str, manifest: &str) -> Version {
        Version {
            id: uuid::Uuid::nil().into(),
            package_id: uuid::Uuid::nil().into(),
            version: version.to_owned(),
            normalized: normalized.to_owned(),
            is_dev: normalized.starts_with("dev-"),
            is_default_branch: normalized == "dev-main",
            reference_name: version.to_owned(),
            commit: "c".repeat(40),
            archive: Archive::Commit,
            released_at: "2024-03-01T08:00:00Z".parse().unwrap(),
            published_at: "2024-03-02T08:00:00.5Z".parse().unwrap(),
            manifest: manifest.to_owned(),
            removed_at: None,
        }
    }

    fn document(versions: &[(&Version, Option<&Dist>)], abandoned: Option<&str>) -> Value {
        let name = "acme/mailer".parse().unwrap();
        let dist_url = |version: &Version| format!("https://stave.example/dists/{}.zip", version.normalized);
        let advisory = Advisory {
            id: "STAVE-1".to_owned(),
            package: "acme/mailer".parse().unwrap(),
            affected: "<1.10".parse().unwrap(),
            report: None,
        };
        let metadata = Metadata {
            name: &name,
            abandoned,
            source: Source::Hidden,
            dist_url: &dist_url,
            advisories: &[advisory],
            filter: &Keys::new(),
        };
        let is_dev = versions.iter().any(|(version, _)| version.is_dev);
        serde_json::from_slice(&metadata.document(is_dev, versions).unwrap()).unwrap()
    }

    #[test]
    fn the_newest_version_comes_first_and_whole() {
        let old = version("1.9.0", "1.9.0.0", r#"{"type":"library","require":{"php":">=8"}}"#);
        let new = version("v1.10.0", "1.10.0.0", r#"{"type":"library"}"#);
        let dist = Dist {
            package_id: uuid::Uuid::nil().into(),
            commit: "c".repeat(40),
            digest: "d".repeat(64),
            shasum: "5".repeat(40),
            size_bytes: 1,
            created_at: None,
        };
        insta::assert_json_snapshot!(document(&[(&old, None), (&new, Some(&dist))], None), @r#"
        {
          "packages": {
            "acme/mailer": [
              {
                "name": "acme/mailer",
                "version": "v1.10.0",
                "version_normalized": "1.10.0.0",
                "type": "library",
                "dist": {
                  "type": "zip",
                  "url": "https://stave.example/dists/1.10.0.0.zip",
                  "reference": "cccccccccccccccccccccccccccccccccccccccc",
                  "shasum": "5555555555555555555555555555555555555555"
                },
                "time": "2024-03-01T08:00:00+00:00",
                "published-time": "2024-03-02T08:00:00+00:00"
              },
              {
                "version": "1.9.0",
                "version_normalized": "1.9.0.0",
                "require": {
                  "php": ">=8"
                },
                "dist": {
                  "type": "zip",
                  "url": "https://stave.example/dists/1.9.0.0.zip",
                  "reference": "cccccccccccccccccccccccccccccccccccccccc",
                  "shasum": ""
                }
              }
            ]
          },
          "minified": "composer/2.0",
          "security-advisories": [
            {
              "advisoryId": "STAVE-1",
              "affectedVersions": "<1.10"
            }
          ],
          "filter": {}
        }
        "#);
    }

    #[test]
    fn branches_begin_with_the_default_one() {
        let versions =
            ["dev-alpha", "dev-main", "1.9999999.9999999.9999999-dev"].map(|name| version(name, name, "{}"));
        let document =
            document(&versions.iter().map(|version| (version, None)).collect::<Vec<_>>(), Some(""));
        let list: Vec<Keys> = serde_json::from_value(document["packages"]["acme/mailer"].clone()).unwrap();
        let list = expand(&list);
        let order: Vec<_> = list.iter().map(|keys| keys["version"].as_str().unwrap()).collect();
        assert_eq!(order, ["1.9999999.9999999.9999999-dev", "dev-main", "dev-alpha"]);
        let is_default: Vec<_> = list.iter().map(|keys| keys.contains_key("default-branch")).collect();
        assert_eq!(is_default, [false, true, false]);
        assert!(list.iter().all(|keys| keys["abandoned"] == true));
        assert!(document.get("security-advisories").is_none() && document.get("filter").is_none());
    }

    #[test]
    fn a_time_that_nobody_says_is_left_out() {
        let timeless = Version { released_at: Timestamp::UNIX_EPOCH, ..version("1.0", "1.0.0.0", "{}") };
        let served = document(&[(&timeless, None)], None)["packages"]["acme/mailer"][0].clone();
        assert_eq!((served.get("time"), served["published-time"].is_string()), (None, true));
    }
}
