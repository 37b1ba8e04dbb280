//! A package, as a test changes it.

use super::{
    document,
    state::{Fake, State, Version},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A package of the repository.
#[derive(Clone)]
pub struct FakePackage {
    fake: Arc<Fake>,
    name: String,
}

impl FakePackage {
    pub(super) fn named(fake: &Arc<Fake>, name: &str) -> Self {
        Self { fake: Arc::clone(fake), name: name.to_owned() }
    }

    /// Publishes a version, or publishes it anew with another archive; its metadata has these keys besides its own.
    pub fn version(&self, version: &str, keys: &Value) -> &Self {
        self.version_of(version, keys, 0)
    }

    /// The same with an archive that is so many bytes larger.
    pub fn version_of(&self, version: &str, keys: &Value, filler: usize) -> &Self {
        let keys = keys.as_object().expect("the keys of a version are an object");
        self.fake.state().put(&self.name, version, keys, filler);
        self
    }

    /// The same version with another archive and another reference.
    pub fn retag(&self, version: &str) -> &Self {
        let mut state = self.fake.state();
        let mut keys = self.find(&mut state, version).keys.clone();
        for key in ["source", "dist", "time"] {
            keys.remove(key);
        }
        state.put(&self.name, version, &keys, 0);
        drop(state);
        self
    }

    /// Takes a version away; its archive stays.
    pub fn remove_version(&self, version: &str) -> &Self {
        let mut state = self.fake.state();
        let is_dev = self.find(&mut state, version).is_dev();
        let package = state.packages.get_mut(&self.name).expect("the version is in a package");
        package.versions.retain(|known| known.pretty != version);
        state.changed(&self.name, is_dev);
        drop(state);
        self
    }

    /// Puts these keys into the metadata of a version, also deep in it: `{"dist": {"reference": null}}`.
    pub fn alter(&self, version: &str, keys: &Value) -> &Self {
        let mut state = self.fake.state();
        let found = self.find(&mut state, version);
        let mut all = Value::Object(std::mem::take(&mut found.keys));
        document::merge(&mut all, keys);
        found.keys = all.as_object().cloned().unwrap_or_else(Map::new);
        let is_dev = found.is_dev();
        state.changed(&self.name, is_dev);
        drop(state);
        self
    }

    /// The metadata of a version tells another checksum than its archive has.
    pub fn wrong_checksum(&self, version: &str) -> &Self {
        self.alter(version, &json!({"dist": {"shasum": "0".repeat(40)}}))
    }

    /// Marks the package as abandoned; without a replacement, give an empty text.
    pub fn abandon(&self, replacement: &str) -> &Self {
        let value = if replacement.is_empty() { json!(true) } else { json!(replacement) };
        let mut state = self.fake.state();
        state.packages.entry(self.name.clone()).or_default().abandoned = Some(value);
        state.changed(&self.name, false);
        state.changed(&self.name, true);
        drop(state);
        self
    }

    /// Warns of the versions that fit a constraint.
    pub fn advisory(&self, id: &str, affected: &str) -> &Self {
        let full = json!({
            "advisoryId": id, "packageName": self.name, "remoteId": id, "title": format!("A hole in {}", self.name),
            "link": format!("https://advisories.example.com/{id}"), "cve": null, "affectedVersions": affected,
            "source": "Test", "sources": [{"name": "Test", "remoteId": id}], "reportedAt": "2026-01-02 03:04:05",
            "composerRepository": self.fake.base, "severity": "high"
        });
        let mut state = self.fake.state();
        state.packages.entry(self.name.clone()).or_default().advisories.push(full);
        state.changed(&self.name, false);
        drop(state);
        self
    }

    /// Puts the versions that fit a constraint on the list `malware`.
    pub fn malware(&self, constraint: &str, reason: &str) -> &Self {
        let entry =
            json!({"constraint": constraint, "reason": reason, "url": "https://malware.example.com/"});
        let mut state = self.fake.state();
        state.packages.entry(self.name.clone()).or_default().malware.push(entry);
        state.changed(&self.name, false);
        drop(state);
        self
    }

    /// Where the archive of a version is.
    pub fn dist_url(&self, version: &str) -> String {
        let mut state = self.fake.state();
        let url = self.find(&mut state, version).keys["dist"]["url"].as_str().map(str::to_owned);
        url.expect("the version has an archive")
    }

    /// The commit that the metadata names beside the archive of a version.
    pub fn dist_reference(&self, version: &str) -> String {
        let mut state = self.fake.state();
        let reference = self.find(&mut state, version).keys["dist"]["reference"].as_str().map(str::to_owned);
        reference.expect("the archive has a reference")
    }

    /// The archive of a version.
    pub fn dist_bytes(&self, version: &str) -> Vec<u8> {
        let mut state = self.fake.state();
        let archive = self.find(&mut state, version).archive.clone();
        state.archives[&archive].clone()
    }

    fn find<'a>(&self, state: &'a mut State, version: &str) -> &'a mut Version {
        let package = state.packages.get_mut(&self.name);
        let found =
            package.and_then(|package| package.versions.iter_mut().find(|known| known.pretty == version));
        found.unwrap_or_else(|| panic!("{} has no version {version}", self.name))
    }
}
