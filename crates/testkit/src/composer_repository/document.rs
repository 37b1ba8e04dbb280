//! What is served of versions and packages.

use super::state::{Package, Version};
use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};

type Keys = Map<String, Value>;

/// The archive of a version.
pub(super) struct Dist<'a> {
    pub(super) url: String,
    pub(super) bytes: &'a [u8],
    /// Makes the reference another one than all others.
    pub(super) number: u32,
    /// When it was released.
    pub(super) time: String,
}

/// The keys of a version: its own, and what belongs to every one.
pub(super) fn version(name: &str, version: &str, dist: &Dist<'_>, own: &Keys) -> Keys {
    let reference = hex::encode(Sha1::digest(format!("{name} {version} {}", dist.number)));
    let mut keys = json!({
        "name": name,
        "version": version,
        "type": "library",
        "source": {"type": "git", "url": format!("https://git.example.com/{name}.git"), "reference": reference},
        "dist": {"type": "zip", "url": dist.url, "reference": reference, "shasum": hex::encode(Sha1::digest(dist.bytes))},
        "time": dist.time,
    });
    merge(&mut keys, &Value::Object(own.clone()));
    if keys["type"] == "metapackage" {
        let keys = keys.as_object_mut().expect("a version is an object");
        keys.remove("dist");
        keys.remove("source");
    }
    match keys {
        Value::Object(keys) => keys,
        other => panic!("the keys of a version are an object, not {other}"),
    }
}

/// Objects are put together; any other value, null too, takes the place of the one before.
pub(super) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A file of Composer 2: the releases or the branches; `None` if there are none.
pub(super) fn metadata(name: &str, package: &Package, is_dev: bool) -> Option<Value> {
    let versions: Vec<Keys> = package
        .versions
        .iter()
        .filter(|version| version.is_dev() == is_dev)
        .map(|it| whole(package, it))
        .collect();
    if versions.is_empty() {
        return None;
    }
    let mut file = json!({"packages": {name: minified(&versions)}, "minified": "composer/2.0"});
    if !is_dev {
        let partial = |full: &Value| json!({"advisoryId": full["advisoryId"], "affectedVersions": full["affectedVersions"]});
        file["security-advisories"] = package.advisories.iter().map(partial).collect();
        file["filter"] =
            if package.malware.is_empty() { json!({}) } else { json!({"malware": package.malware}) };
    }
    Some(file)
}

/// The versions of a package as Composer 1 reads them, by their names.
pub(super) fn versions(package: &Package) -> Value {
    let mut all = Map::new();
    for (uid, version) in package.versions.iter().enumerate() {
        let mut keys = whole(package, version);
        keys.insert("uid".to_owned(), json!(uid + 1));
        all.insert(version.pretty.clone(), Value::Object(keys));
    }
    Value::Object(all)
}

fn whole(package: &Package, version: &Version) -> Keys {
    let mut keys = version.keys.clone();
    if let Some(abandoned) = &package.abandoned {
        keys.insert("abandoned".to_owned(), abandoned.clone());
    }
    keys
}

/// Each version by its difference from the one before (composer/metadata-minifier).
fn minified(versions: &[Keys]) -> Vec<Keys> {
    let mut before = Keys::new();
    let mut all = Vec::new();
    for version in versions {
        let mut difference = Keys::new();
        for (key, value) in version {
            if before.get(key) != Some(value) {
                difference.insert(key.clone(), value.clone());
            }
        }
        for key in before.keys().filter(|key| !version.contains_key(*key)) {
            difference.insert(key.clone(), json!("__unset"));
        }
        all.push(difference);
        before.clone_from(version);
    }
    all
}
