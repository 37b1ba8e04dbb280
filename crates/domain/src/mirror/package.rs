//! What a Composer repository says of one package: a file of `p2`, or one of Composer 1.
//!
//! What is bad in it costs the version that it is in, never the file: there are packages of fifteen years. Nothing here costs more
//! than the bytes that are read and the versions that come of them, of which there is a bound.

mod version;

use super::{
    MirrorAdvisory,
    advisory::LONGEST_CONSTRAINT,
    raw::{Entries, Versions, read},
    root::is_list,
};
use crate::{
    Invalid,
    composer::{Manifest, metadata::Keys},
    package::PackageName,
    shortened,
    version::{Constraint, VersionFound},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::collections::HashSet;

/// So many bytes of metadata are made of one file. The largest real ones expand to a tenth of it.
const MOST_SERVED_BYTES: usize = 128 * 1024 * 1024;
/// So many problems are named; the others are counted.
const MOST_PROBLEMS: usize = 100;
/// So many entries of one list are kept.
const MOST_ENTRIES: usize = 1_000;
/// What becomes of a key that the version before had (composer/metadata-minifier).
const UNSET: &str = "__unset";

/// What a Composer repository says of one package.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MirrorPackage {
    /// Its versions, in the order of the file; each normalized one once.
    pub found: Vec<VersionFound>,
    /// One line about it; may be empty.
    pub description: String,
    /// Whether it is abandoned; `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// What the repository warns of.
    pub advisories: Vec<MirrorAdvisory>,
    /// What its lists say against versions, by the name of the list.
    pub filter: Keys,
    /// Versions that cannot be used.
    pub left_out: LeftOut,
}

/// Versions of a mirror's file that are not here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// How many.
    pub count: usize,
    /// The first hundred, and why, in a sentence.
    pub versions: Vec<(String, String)>,
}

/// A file about packages.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    packages: Entries<&'a RawValue>,
    #[serde(borrow, default)]
    minified: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "security-advisories")]
    advisories: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filter: Option<&'a RawValue>,
}

impl<'a> File<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        serde_json::from_slice(body).map_err(|error| {
            let why = shortened(&error.to_string(), 200);
            Invalid::because(format!("The file is not one of a Composer repository: {why}."))
        })
    }

    /// What it has under a name. Clients want it in lower case; not every repository knows that.
    fn package(&self, name: &PackageName) -> Option<&'a RawValue> {
        let of_any_case = || self.packages.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_str()));
        self.packages.get(name.as_str()).copied().or_else(|| of_any_case().map(|(_, package)| *package))
    }
}

/// Whether a file has a package: if not, it says that there is none.
pub fn is_in(name: &PackageName, body: &[u8]) -> Result<bool, Invalid> {
    Ok(File::parse(body)?.package(name).is_some_and(|package| package.get() != "null"))
}

impl MirrorPackage {
    /// Reads a file; `None` if it has no package of this name. A package without versions is one.
    pub fn read(name: &PackageName, body: &[u8]) -> Result<Option<Self>, Invalid> {
        let file = File::parse(body)?;
        let Some(package) = file.package(name).filter(|package| package.get() != "null") else {
            return Ok(None);
        };
        let versions: Versions<'_> = serde_json::from_str(package.get()).map_err(|_| {
            Invalid::because(format!("The file has neither a list nor an object of versions for {name}."))
        })?;
        let is_minified = file.minified.is_some_and(|marker| marker.get() == "\"composer/2.0\"");
        let mut reading = Reading::new(name);
        reading.read(&versions, is_minified);
        let advisories = file.advisories.and_then(read::<Value>).map(|list| MirrorAdvisory::read_all(&list));
        let filter = file.filter.and_then(read::<Value>).map(|lists| filter_read(&lists));
        Ok(Some(Self {
            advisories: advisories.unwrap_or_default(),
            filter: filter.unwrap_or_default(),
            ..reading.package
        }))
    }

    /// The releases and the branches of a package, which are in two files. What both have counts as the releases say.
    #[must_use]
    pub fn and(mut self, branches: Self) -> Self {
        let known: HashSet<String> = self.found.iter().map(|version| version.normalized.clone()).collect();
        if self.found.is_empty() {
            self.description = branches.description;
            self.abandoned = branches.abandoned;
        }
        let has_default = self.found.iter().any(|version| version.is_default_branch);
        let new = branches.found.into_iter().filter(|version| !known.contains(&version.normalized));
        self.found.extend(new.map(|version| VersionFound {
            is_default_branch: version.is_default_branch && !has_default,
            ..version
        }));
        self.advisories.extend(branches.advisories);
        for (list, entries) in branches.filter {
            self.filter.entry(list).or_insert(entries);
        }
        self.left_out.versions.extend(branches.left_out.versions);
        self.left_out.versions.truncate(MOST_PROBLEMS);
        self.left_out.count += branches.left_out.count;
        self
    }

    fn leave_out(&mut self, version: &str, because: impl Into<String>) {
        self.left_out.count += 1;
        if self.left_out.versions.len() < MOST_PROBLEMS {
            self.left_out.versions.push((shortened(version, 100), because.into()));
        }
    }
}

/// What lists say against versions, as it stands under `filter`: entries that clients understand, without anything else.
#[must_use]
pub fn filter_read(lists: &Value) -> Keys {
    let Some(lists) = lists.as_object() else { return Keys::new() };
    let named = lists.iter().filter(|(name, _)| is_list(name)).take(100);
    let read = named.filter_map(|(name, entries)| {
        let entries: Vec<_> = entries.as_array()?.iter().filter_map(entry).take(MOST_ENTRIES).collect();
        (!entries.is_empty()).then(|| (name.clone(), Value::Array(entries)))
    });
    read.collect()
}

/// An entry of a list. One that means versions in a way that nobody understands makes clients give up.
fn entry(entry: &Value) -> Option<Value> {
    let constraint = entry.get("constraint")?.as_str().filter(|text| text.len() <= LONGEST_CONSTRAINT)?;
    Constraint::parse(constraint).ok()?;
    let mut kept = Keys::from_iter([("constraint".to_owned(), constraint.into())]);
    for key in ["url", "reason", "id", "source"] {
        if let Some(text) = entry.get(key).and_then(Value::as_str) {
            kept.insert(key.to_owned(), shortened(text, 1_000).into());
        }
    }
    Some(Value::Object(kept))
}

/// One pass over the versions of a file.
struct Reading<'a> {
    name: &'a PackageName,
    package: MirrorPackage,
    /// The normalized versions that were found.
    known: HashSet<String>,
    bytes_left: usize,
}

impl<'a> Reading<'a> {
    fn new(name: &'a PackageName) -> Self {
        Self { name, package: MirrorPackage::default(), known: HashSet::new(), bytes_left: MOST_SERVED_BYTES }
    }

    fn read(&mut self, versions: &Versions<'_>, is_minified: bool) {
        let mut keys = Keys::new();
        for (at, raw) in versions.all.iter().enumerate() {
            let rest = versions.all.len() - at + versions.more;
            match serde_json::from_str::<Keys>(raw.get()) {
                Ok(difference) if is_minified => expand(&mut keys, difference),
                Ok(whole) => keys = whole,
                Err(_) if is_minified => {
                    let because = "The file breaks off here: what follows is told by its difference from something unreadable.";
                    return self.give_up(rest, because);
                }
                Err(_) => {
                    self.package.leave_out("?", "It is no JSON object, or one that is nested too deep.");
                    continue;
                }
            }
            keys = self.version(keys);
            if self.bytes_left == 0 {
                return self.give_up(rest - 1, "The package has more metadata than Stave takes: 128 MiB.");
            }
        }
        if versions.more > 0 {
            self.give_up(versions.more, "The package has more versions than Stave takes: 50,000.");
        }
    }

    /// Reads a version, and gives its keys back: the next one may be told by its difference from them.
    fn version(&mut self, keys: Keys) -> Keys {
        let manifest = Manifest::from(keys);
        match version::read(self.name, &manifest, &mut self.bytes_left) {
            Err(because) => {
                self.package.leave_out(&manifest.version().unwrap_or_else(|| "?".to_owned()), because);
            }
            Ok(found) if !self.known.insert(found.normalized.clone()) => {
                let because = "Another version of the package is the same to Composer; that one counts.";
                self.package.leave_out(&found.version, because);
            }
            Ok(found) => self.add(found, &manifest),
        }
        manifest.into_keys()
    }

    /// The first version says what the package is; if it has a default branch, that does.
    fn add(&mut self, mut found: VersionFound, manifest: &Manifest) {
        let package = &mut self.package;
        found.is_default_branch &= !package.found.iter().any(|version| version.is_default_branch);
        if package.found.is_empty() || found.is_default_branch {
            package.description = manifest.description();
            package.abandoned = manifest.abandoned();
        }
        package.found.push(found);
    }

    fn give_up(&mut self, rest: usize, because: &str) {
        if rest > 0 {
            self.package.leave_out("?", because);
            self.package.left_out.count += rest - 1;
        }
    }
}

/// The version before becomes this one.
fn expand(keys: &mut Keys, difference: Keys) {
    for (key, value) in difference {
        if value == UNSET {
            keys.remove(&key);
        } else {
            keys.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests;
