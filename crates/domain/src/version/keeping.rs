//! Which dists need not be kept: those of commits that branches have left behind, which can be made again.

use super::{Archive, Dist, Publication, Version, stability::Stability};
use crate::Timestamp;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// How long dists of development versions are kept after the branch has moved on. Those of releases are kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Keeping {
    /// Days after their last download, or their making if nobody ever asked for them; 0 is for ever.
    pub days: u32,
    /// How many of the last commits of each branch keep theirs whatever their age.
    pub newest: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { days: 90, newest: 3 }
    }
}

/// What is known of a package's dists.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Its versions, the removed ones too.
    pub versions: &'a [Version],
    /// Everything that was ever published.
    pub publications: &'a [Publication],
    /// When the dist of a commit was last downloaded.
    pub used: &'a BTreeMap<String, Timestamp>,
}

impl Keeping {
    /// The dists of a package that need not be kept. What cannot be made again is always kept: uploads, and what comes from a
    /// mirror.
    #[must_use]
    pub fn garbage<'a>(self, dists: &'a [Dist], history: History<'_>, now: Timestamp) -> Vec<&'a Dist> {
        if self.days == 0 {
            return Vec::new();
        }
        let kept = self.kept(history.versions, history.publications);
        let Ok(oldest) = now.checked_sub(SignedDuration::from_hours(24 * i64::from(self.days))) else {
            return Vec::new();
        };
        let touched = |dist: &Dist| history.used.get(&dist.commit).copied().or(dist.created_at);
        // Of those from before it was kept when they were made, the age begins with the next download.
        let is_old = |dist: &Dist| touched(dist).is_some_and(|at| at < oldest);
        let published: BTreeSet<&str> = history.publications.iter().map(|one| one.commit.as_str()).collect();
        let is_known = |dist: &Dist| published.contains(dist.commit.as_str());
        dists
            .iter()
            .filter(|dist| is_known(dist) && !kept.contains(dist.commit.as_str()) && is_old(dist))
            .collect()
    }

    /// The commits whose dists are kept whatever their age.
    fn kept<'a>(self, versions: &'a [Version], publications: &'a [Publication]) -> BTreeSet<&'a str> {
        let there = versions.iter().filter(|version| version.removed_at.is_none());
        let mut kept: BTreeSet<&str> = there.map(|version| version.commit.as_str()).collect();
        let mut by_branch: BTreeMap<&str, Vec<&Publication>> = BTreeMap::new();
        for one in publications {
            if Stability::of(&one.normalized) != Stability::Dev || one.archive != Archive::Commit {
                kept.insert(&one.commit);
            } else {
                by_branch.entry(&one.normalized).or_default().push(one);
            }
        }
        for mut commits in by_branch.into_values() {
            commits.sort_by_key(|one| std::cmp::Reverse(one.published_at));
            kept.extend(commits.into_iter().take(self.newest as usize).map(|one| one.commit.as_str()));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * DAY).unwrap()
    }

    fn publication(normalized: &str, commit: &str, published: i64) -> Publication {
        Publication {
            normalized: normalized.into(),
            commit: commit.into(),
            archive: Archive::Commit,
            published_at: day(published),
        }
    }

    fn dist(commit: &str, created: i64) -> Dist {
        Dist {
            package_id: uuid::Uuid::nil().into(),
            commit: commit.into(),
            digest: commit.into(),
            shasum: commit.into(),
            size_bytes: 1,
            created_at: Some(day(created)),
        }
    }

    #[test]
    fn only_what_branches_left_behind_goes() {
        let mut publications = vec![publication("1.0.0.0", "tag", 0), publication("dev-main", "tag", 0)];
        publications.extend((1..=4).map(|number| publication("dev-main", &format!("main{number}"), number)));
        publications.push(publication("1.9999999.9999999.9999999-dev", "numeric", 2));
        publications.push(Publication { archive: Archive::Upload, ..publication("dev-x", "upload", 1) });
        let dists = [
            dist("tag", 1),
            dist("main1", 1),
            dist("main2", 1),
            dist("main3", 1),
            dist("main4", 4),
            dist("numeric", 2),
            dist("upload", 1),
            dist("unknown", 1),
            Dist { created_at: None, ..dist("main1", 1) },
        ];
        let used = BTreeMap::from([("main2".to_owned(), day(195)), ("main3".to_owned(), day(2))]);
        let garbage = |keeping: Keeping, now| {
            let history = History { versions: &[], publications: &publications, used: &used };
            let found = keeping.garbage(&dists, history, day(now));
            found.into_iter().map(|dist| dist.commit.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(garbage(Keeping { days: 90, newest: 1 }, 200), "main1 main3");
        assert_eq!(garbage(Keeping { days: 90, newest: 2 }, 200), "main1");
        assert_eq!(garbage(Keeping { days: 90, newest: 0 }, 200), "main1 main3 main4 numeric");
        assert_eq!(garbage(Keeping { days: 90, newest: 0 }, 91), "", "a day of the month too early");
        assert_eq!(garbage(Keeping { days: 1, newest: 0 }, 400), "main1 main2 main3 main4 numeric");
        assert_eq!(garbage(Keeping { days: 0, newest: 0 }, 4000), "", "for ever");
    }
}
