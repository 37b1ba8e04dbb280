//! What the repository knows.

use super::{Composer1, archive, document};
use crate::common::{clock::Clock, fault::Plans, record::Record};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

/// The repository behind its HTTP.
pub(super) struct Fake {
    /// Without a slash at the end.
    pub(super) base: String,
    state: Mutex<State>,
}

impl Fake {
    pub(super) fn new(base: String) -> Self {
        let state = State { base: base.clone(), ..State::default() };
        Self { base, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it changes the fake")
    }
}

/// What every request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    Basic(String, String),
    /// Its name in lower case, and its value.
    Header(String, String),
}

#[derive(Default)]
pub(super) struct State {
    /// Without a slash at the end.
    base: String,
    pub(super) packages: BTreeMap<String, Package>,
    /// Every archive that there ever was, by its path.
    pub(super) archives: HashMap<String, Vec<u8>>,
    pub(super) composer1: Option<Composer1>,
    pub(super) root_keys: Map<String, Value>,
    pub(super) tells_names: bool,
    pub(super) hides_times: bool,
    pub(super) dist_base: Option<String>,
    pub(super) login: Option<Login>,
    pub(super) changes: Vec<Change>,
    pub(super) notified: Vec<(String, String)>,
    pub(super) record: Record,
    pub(super) plans: Plans,
    pub(super) clock: Clock,
    /// When something changed last, in ten-thousandths of a second: no two changes have one time.
    last_change: i64,
    archive_count: u32,
}

/// What changed.
pub(super) struct Change {
    pub(super) at: i64,
    /// `update` or `delete`.
    pub(super) kind: &'static str,
    /// With `~dev`, if it is the file of the branches.
    pub(super) file: String,
}

#[derive(Default)]
pub(super) struct Package {
    /// Newest first.
    pub(super) versions: Vec<Version>,
    pub(super) abandoned: Option<Value>,
    pub(super) advisories: Vec<Value>,
    /// Entries of the list `malware`.
    pub(super) malware: Vec<Value>,
    /// Seconds since 1970: of the file of releases, and of that of branches.
    pub(super) modified: [i64; 2],
}

pub(super) struct Version {
    /// As people write it.
    pub(super) pretty: String,
    /// As it is served.
    pub(super) keys: Map<String, Value>,
    /// The path of its archive.
    pub(super) archive: String,
}

impl Version {
    pub(super) fn is_dev(&self) -> bool {
        self.pretty.starts_with("dev-") || self.pretty.ends_with("-dev")
    }
}

impl State {
    /// Makes an archive for a version and stores what is served of it, in place of the one before.
    pub(super) fn put(&mut self, name: &str, version: &str, keys: &Map<String, Value>, filler: usize) {
        self.archive_count += 1;
        let number = self.archive_count;
        let bytes = archive::zip(name, version, number, filler);
        let archive = format!("/dists/{name}/{number}.zip");
        let base = self.dist_base.as_ref().unwrap_or(&self.base);
        let time = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S+00:00", self.clock.now())
            .expect("a time can be written");
        let keys = document::version(
            name,
            version,
            &document::Dist { url: format!("{base}{archive}"), bytes: &bytes, number, time },
            keys,
        );
        self.archives.insert(archive.clone(), bytes);
        let versions = &mut self.packages.entry(name.to_owned()).or_default().versions;
        let new = Version { pretty: version.to_owned(), keys, archive };
        match versions.iter_mut().find(|known| known.pretty == version) {
            Some(known) => *known = new,
            None => versions.insert(0, new),
        }
        let is_dev = version.starts_with("dev-") || version.ends_with("-dev");
        self.changed(name, is_dev);
    }

    /// A file of a package is another one now.
    pub(super) fn changed(&mut self, name: &str, is_dev: bool) {
        let at = self.tick();
        if let Some(package) = self.packages.get_mut(name) {
            let modified = &mut package.modified[usize::from(is_dev)];
            // Clients tell times apart by the second.
            *modified = (at / 10_000).max(*modified + 1);
        }
        let file = if is_dev { format!("{name}~dev") } else { name.to_owned() };
        self.changes.push(Change { at, kind: "update", file });
    }

    pub(super) fn remove(&mut self, name: &str) {
        if self.packages.remove(name).is_some() {
            let at = self.tick();
            self.changes.push(Change { at, kind: "delete", file: name.to_owned() });
        }
    }

    /// The time in ten-thousandths of a second, later than every one before.
    pub(super) fn tick(&mut self) -> i64 {
        self.last_change = (self.clock.now().as_microsecond() / 100).max(self.last_change + 1);
        self.last_change
    }

    /// A package with a version in it; of others nobody knows.
    pub(super) fn present(&self, name: &str) -> Option<&Package> {
        self.packages.get(name).filter(|package| !package.versions.is_empty())
    }
}

/// As HTTP writes times (RFC 9110, section 5.6.7).
pub(super) fn http_date(second: i64) -> String {
    let at = Timestamp::from_second(second).expect("the fake's times are near");
    jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", at).expect("a time can be written")
}
