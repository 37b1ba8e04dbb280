//! What a run over a package's repository changes: the whole rule, without a database.

use super::{Version, VersionFound};
use crate::{
    Timestamp,
    id::{PackageId, VersionId},
};
use std::collections::{BTreeMap, BTreeSet};

/// When a commit was first published under a version, by (normalized version, commit). It outlives the version: a tag
/// that comes back to an old commit comes back with its old time.
pub type Publications = BTreeMap<(String, String), Timestamp>;

/// What Stave knows of a package before a run.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Whose versions.
    pub package_id: PackageId,
    /// All of them, the removed ones too.
    pub versions: &'a [Version],
    /// Everything that was ever published.
    pub publications: &'a Publications,
}

/// What has to be stored after a run. Applied twice, it changes nothing the second time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The versions as they are from now on, to be inserted or updated by id. Each one's publication is kept too.
    pub upserts: Vec<Version>,
    /// How many of them are new or back again.
    pub added: u32,
    /// How many of them moved to another commit, or are described differently.
    pub updated: u32,
    /// How many of them are gone: `removed_at` is set.
    pub removed: u32,
}

impl Changes {
    /// Versions that were added, updated or removed.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.added + self.updated + self.removed
    }
}

/// Compares what is known with what was found. `found` holds each normalized version once.
pub fn plan(
    known: Known<'_>,
    found: &[VersionFound],
    now: Timestamp,
    mut new_id: impl FnMut() -> VersionId,
) -> Changes {
    let by_version: BTreeMap<&str, &Version> =
        known.versions.iter().map(|v| (v.normalized.as_str(), v)).collect();
    let mut changes = Changes::default();
    for found in found {
        let before = by_version.get(found.normalized.as_str()).copied();
        let id = before.map_or_else(&mut new_id, |version| version.id);
        let after = found.published(id, known.package_id, published_at(known, before, found, now));
        match before {
            Some(before) if *before == after => continue,
            Some(before) if before.removed_at.is_none() => changes.updated += 1,
            _ => changes.added += 1,
        }
        changes.upserts.push(after);
    }
    let still_there: BTreeSet<&str> = found.iter().map(|found| found.normalized.as_str()).collect();
    let gone = |version: &&Version| {
        version.removed_at.is_none() && !still_there.contains(version.normalized.as_str())
    };
    for version in known.versions.iter().filter(gone) {
        changes.upserts.push(Version { removed_at: Some(now), ..version.clone() });
        changes.removed += 1;
    }
    changes
}

/// The first time counts, for good: clients hold back versions that are younger than their policy allows.
fn published_at(
    known: Known<'_>,
    before: Option<&Version>,
    found: &VersionFound,
    now: Timestamp,
) -> Timestamp {
    let unmoved = before.filter(|version| version.commit == found.commit);
    let earlier = known.publications.get(&(found.normalized.clone(), found.commit.clone()));
    // Of a package that was never read before, another registry knows better. Later on only what was seen here counts: a release
    // must not be able to make itself older.
    let is_first = known.versions.is_empty() && known.publications.is_empty();
    let elsewhere = found.published_at.filter(|_| is_first);
    let seen = [unmoved.map(|version| version.published_at), earlier.copied(), elsewhere];
    seen.into_iter().flatten().min().unwrap_or(now).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn package_id() -> PackageId {
        uuid::Uuid::nil().into()
    }

    fn ids() -> impl FnMut() -> VersionId {
        let mut last = 0_u128;
        move || {
            last += 1;
            uuid::Uuid::from_u128(last).into()
        }
    }

    fn found(normalized: &str, commit: &str) -> VersionFound {
        VersionFound {
            version: normalized.to_owned(),
            normalized: normalized.to_owned(),
            is_dev: false,
            is_default_branch: false,
            reference_name: normalized.to_owned(),
            commit: commit.to_owned(),
            archive: crate::version::Archive::Commit,
            released_at: at(0),
            published_at: None,
            manifest: "{}".to_owned(),
        }
    }

    /// What a database keeps.
    #[derive(Default)]
    struct Stored {
        versions: Vec<Version>,
        publications: Publications,
    }

    impl Stored {
        fn run(&mut self, found: &[VersionFound], now: i64, new_id: impl FnMut() -> VersionId) -> Changes {
            let known = Known {
                package_id: package_id(),
                versions: &self.versions,
                publications: &self.publications,
            };
            let changes = plan(known, found, at(now), new_id);
            for version in &changes.upserts {
                self.versions.retain(|known| known.id != version.id);
                self.versions.push(version.clone());
                let key = (version.normalized.clone(), version.commit.clone());
                self.publications.entry(key).or_insert(version.published_at);
            }
            changes
        }

        fn published_at(&self, normalized: &str) -> Timestamp {
            self.versions.iter().find(|version| version.normalized == normalized).unwrap().published_at
        }
    }

    #[test]
    fn versions_come_move_go_and_return() {
        let (mut stored, mut new_id) = (Stored::default(), ids());
        let changes = stored.run(&[found("1.0.0.0", "a"), found("2.0.0.0", "b")], 1, &mut new_id);
        assert_eq!((changes.added, changes.updated, changes.removed), (2, 0, 0));

        let changes = stored.run(&[found("1.0.0.0", "moved"), found("2.0.0.0", "b")], 2, &mut new_id);
        assert_eq!((changes.added, changes.updated, changes.removed), (0, 1, 0));
        assert_eq!(stored.published_at("1.0.0.0"), at(2), "other content is published anew");

        let changes = stored.run(&[found("1.0.0.0", "a")], 3, &mut new_id);
        assert_eq!((changes.updated, changes.removed, changes.count()), (1, 1, 2));
        assert_eq!(stored.published_at("1.0.0.0"), at(1), "what was published before keeps its time");
        assert_eq!(changes.upserts[1].removed_at, Some(at(3)));

        let changes = stored.run(&[found("1.0.0.0", "a"), found("2.0.0.0", "b")], 4, &mut new_id);
        assert_eq!((changes.added, changes.count()), (1, 1));
        assert_eq!(stored.published_at("2.0.0.0"), at(1), "a version that returns is not new");
        assert_eq!(stored.versions.len(), 2, "and keeps its id");
    }

    proptest! {
        #[test]
        fn applying_a_plan_twice_changes_nothing(
            runs in proptest::collection::vec(proptest::collection::btree_map(0_u8..6, 0_u8..4, 0..6), 1..8)
        ) {
            let (mut stored, mut new_id) = (Stored::default(), ids());
            for (now, versions) in (0..).step_by(2).zip(runs) {
                let found: Vec<_> =
                    versions.iter().map(|(version, commit)| found(&format!("{version}.0.0.0"), &commit.to_string())).collect();
                stored.run(&found, now, &mut new_id);
                let there: Vec<_> = stored.versions.iter().filter(|version| version.removed_at.is_none()).collect();
                prop_assert_eq!(there.len(), found.len());
                prop_assert_eq!(stored.run(&found, now + 1, &mut new_id), Changes::default());
            }
        }
    }
}
