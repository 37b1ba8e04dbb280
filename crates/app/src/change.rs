//! What changed in a Composer repository, for others that mirror it.

use crate::{App, Failure, composer::Reader};
use jiff::SignedDuration;
use stave_domain::{Timestamp, id::OrganizationId};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How long changes can be asked for.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// More changes than this are "everything".
const MOST: u64 = 100_000;
/// The next question begins so long before this one: a document carries the second in which it was written, and can be seen a
/// moment later. Whoever follows hears of some changes twice, and of none never.
const OVERLAP: SignedDuration = SignedDuration::from_secs(30);
/// How often it is looked, at most, which documents are gone.
const NOTE_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// The parts of a second that the feed counts in.
const PARTS_OF_SECOND: i64 = 10_000;
/// Smaller numbers are seconds or milliseconds that somebody took for parts of them: no registry had such a feed by then.
const EARLIEST_SINCE: i64 = 10_000_000_000_000;

/// When it was last looked, for each organization, which documents are gone.
#[derive(Default)]
pub(crate) struct Noted(Mutex<HashMap<OrganizationId, Timestamp>>);

/// What happened from an instant on.
#[derive(Debug)]
pub struct ChangeFeed {
    /// What happened, the oldest first; `None` if it was not asked since when.
    pub actions: Option<Vec<ChangeAction>>,
    /// Since when to ask next.
    pub timestamp: i64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAction {
    /// What.
    pub kind: ChangeKind,
    /// `vendor/name`, or `vendor/name~dev` for a file of branches; `*` is everything.
    pub package: String,
    /// When.
    pub at: Timestamp,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A file is new or another than before.
    Update,
    /// Both files of a package are gone.
    Delete,
    /// Too much happened to be told: everything has to be looked at.
    Resync,
}

impl ChangeKind {
    /// As it is written in the feed.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Resync => "resync",
        }
    }
}

impl App {
    /// What changed of the packages that a reader sees, from `since` on, in parts of seconds since 1970.
    pub async fn composer_changes(&self, reader: &Reader, since: Option<i64>) -> Result<ChangeFeed, Failure> {
        let (organization, now) = (reader.organization.id, self.clock.now());
        if self.noted.is_due(organization, now) {
            self.storage.document_names_note(organization, now, now - KEPT).await?;
        }
        let timestamp = (now - OVERLAP).as_second() * PARTS_OF_SECOND;
        let Some(since) = since.filter(|since| *since >= EARLIEST_SINCE) else {
            return Ok(ChangeFeed { actions: None, timestamp });
        };
        let resync = || {
            let all = ChangeAction { kind: ChangeKind::Resync, package: "*".into(), at: now };
            ChangeFeed { actions: Some(vec![all]), timestamp }
        };
        let Some(since) =
            Timestamp::from_second(since / PARTS_OF_SECOND).ok().filter(|since| now - KEPT <= *since)
        else {
            return Ok(resync());
        };
        let changed = self.storage.document_change_list(organization, since, MOST + 1).await?;
        let gone = self.storage.document_gone_list(organization, since, MOST + 1).await?;
        if (changed.len() + gone.len()) as u64 > MOST {
            return Ok(resync());
        }
        let changed = changed
            .into_iter()
            .filter(|it| reader.sight.reads(it.named.package_id, &it.named.name, it.named.is_mirrored));
        let updates = changed.map(|it| ChangeAction {
            kind: ChangeKind::Update,
            package: format!("{}{}", it.named.name, if it.is_dev { "~dev" } else { "" }),
            at: it.modified_at,
        });
        let gone = gone.into_iter().filter(|(name, _)| reader.sight.misses(name));
        let deletions =
            gone.map(|(name, at)| ChangeAction { kind: ChangeKind::Delete, package: name.to_string(), at });
        let mut actions: Vec<_> = updates.chain(deletions).collect();
        actions.sort_by_key(|action| action.at);
        Ok(ChangeFeed { actions: Some(actions), timestamp })
    }
}

impl Noted {
    /// Whether it is time to look; whoever asks then does so.
    fn is_due(&self, organization: OrganizationId, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = noted.get(&organization).is_none_or(|last| now.duration_since(*last) >= NOTE_EVERY);
        if is_due {
            noted.insert(organization, now);
        }
        is_due
    }
}
