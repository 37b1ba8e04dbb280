//! What of a composer.json goes into the metadata.
//!
//! Clients never read the composer.json inside an archive, so everything that the installer needs is carried over. Left
//! out is what Stave says itself (name, version, source, dist, times), what only counts in a root package, what a
//! client must not be told by a package, and information of the wrong JSON type: one such value makes some client
//! releases give up the whole file.

use super::manifest::Manifest;
use crate::package::PackageName;
use serde_json::{Map, Value};

/// Said by Stave, or to be said by nobody.
const NOT_CARRIED: [&str; 14] = [
    "name",
    "version",
    "version_normalized",
    "source",
    "dist",
    "time",
    "published-time",
    "default-branch",
    "uid",
    "notification-url",
    "installation-source",
    "transport-options",
    "minified",
    "security-advisories",
];

/// Of meaning only to the project that is being installed.
const ROOT_ONLY: [&str; 9] = [
    "config",
    "repositories",
    "minimum-stability",
    "prefer-stable",
    "autoload-dev",
    "scripts",
    "scripts-descriptions",
    "scripts-aliases",
    "filter",
];

/// The sections that link to other packages.
pub(super) const LINKS: [&str; 5] = ["require", "require-dev", "conflict", "provide", "replace"];

/// The keys that are served under a name, in the order of the file.
pub(crate) fn keys(manifest: &Manifest, name: &PackageName) -> Map<String, Value> {
    let carried = manifest.keys().iter().filter(|(key, value)| {
        !NOT_CARRIED.contains(&key.as_str()) && !ROOT_ONLY.contains(&key.as_str()) && !value.is_null()
    });
    carried.filter_map(|(key, value)| Some((key.clone(), served(key, value, name)?))).collect()
}

/// A value as clients can read it; `None` if they cannot.
fn served(key: &str, value: &Value, name: &PackageName) -> Option<Value> {
    match key {
        _ if LINKS.contains(&key) => links(value, name),
        "type" => Some(value.as_str()?.to_lowercase().into()),
        "extra" => extra(value),
        "keywords" => {
            value.as_array()?.iter().all(|word| word.is_string() || word.is_number()).then(|| value.clone())
        }
        "archive" => archive(value),
        "support" | "php-ext" | "autoload" => is_object_or_empty(value).then(|| value.clone()),
        "suggest" => (value.is_object() || value.is_array()).then(|| value.clone()),
        "authors" | "funding" => value.is_array().then(|| value.clone()),
        "description" | "homepage" => value.is_string().then(|| value.clone()),
        "abandoned" => (value.is_string() || value.is_boolean()).then(|| value.clone()),
        _ => Some(value.clone()),
    }
}

/// PHP writes an empty object as `[]`.
fn is_object_or_empty(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(Vec::is_empty)
}

/// Lower-case names; no link to the package itself, no constraint that is no text: clients drop both. `None` if nothing
/// is left.
fn links(value: &Value, name: &PackageName) -> Option<Value> {
    let links: Map<String, Value> = value
        .as_object()?
        .iter()
        .map(|(target, constraint)| (target.to_lowercase(), constraint))
        .filter(|(target, constraint)| target != name.as_str() && constraint.is_string())
        .map(|(target, constraint)| (target, constraint.clone()))
        .collect();
    (!links.is_empty()).then_some(Value::Object(links))
}

/// Of `extra`, only branch aliases are read by Composer itself; their targets must be texts.
fn extra(value: &Value) -> Option<Value> {
    if !value.is_object() && !value.is_array() {
        return None;
    }
    let mut extra = value.clone();
    if let Some(aliases) = extra.get_mut("branch-alias") {
        match aliases.as_object_mut() {
            Some(aliases) => aliases.retain(|_, target| target.is_string()),
            None => *aliases = Value::Object(Map::new()),
        }
    }
    Some(extra)
}

fn archive(value: &Value) -> Option<Value> {
    let archive = value.as_object()?;
    let is_readable = archive.get("name").is_none_or(Value::is_string)
        && archive.get("exclude").is_none_or(Value::is_array);
    is_readable.then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_they_need_and_nothing_else() {
        let composer_json = r#"{
            "name": "acme/lib", "version": "9", "description": "Demo", "type": "Library", "dist": {"type": "zip"},
            "require": {"PHP": ">=8", "Acme/Lib": "*", "psr/log": 5}, "replace": [], "conflict": "x",
            "autoload": {"psr-4": {"Acme\\": "src"}}, "autoload-dev": {}, "scripts": {"x": "y"}, "config": {},
            "repositories": [], "minimum-stability": "dev", "prefer-stable": true, "uid": 3,
            "notification-url": "https://evil.example/", "installation-source": "dist", "transport-options": {"x": 1},
            "version_normalized": "9.9.9.9", "default-branch": true, "published-time": "2020-01-01", "time": "2020-01-01",
            "source": {"type": "git"}, "keywords": [["a"]], "support": "x", "homepage": null, "foo": "bar",
            "extra": {"branch-alias": {"dev-main": 1, "dev-x": "1.x-dev"}, "kept": {"a": []}}
        }"#;
        let served = composer_json.parse::<Manifest>().unwrap().served(&"acme/lib".parse().unwrap());
        assert_eq!(
            served,
            r#"{"description":"Demo","type":"library","require":{"php":">=8"},"autoload":{"psr-4":{"Acme\\":"src"}},"foo":"bar","extra":{"branch-alias":{"dev-x":"1.x-dev"},"kept":{"a":[]}}}"#
        );
    }
}
