//! What is being asked of mirrors, and what they did not have a moment ago.

use crate::locks::{Flights, Slots};
use jiff::SignedDuration;
use stave_domain::{
    Timestamp,
    id::{CredentialId, MirrorId, OrganizationId, PackageId},
    mirror::{Mirror, MirrorTimeout},
    package::PackageName,
    version::Dist,
};
use stave_upstream::ComposerRepository;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use url::Url;

/// So long nobody asks again for what no mirror has.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// So long the last good answer is given while a mirror that should be asked again does not answer.
const STALE: SignedDuration = SignedDuration::from_hours(12);
/// So many names that no mirror has are remembered.
const MOST_ABSENT: usize = 20_000;
/// So long a client serves several look-ups: of an upstream that speaks Composer 1 it knows the lists.
const CLIENT_KEPT: SignedDuration = SignedDuration::from_secs(30);
/// Look-ups and downloads that go on at the same time, in one process: a slow mirror must not take every connection.
const LOOKS: usize = 64;
const DOWNLOADS: usize = 16;
/// So many of them are for one organization.
const LOOKS_OF_ONE: usize = 48;
const DOWNLOADS_OF_ONE: usize = 12;

/// What came of looking for a name.
#[derive(Debug, Clone)]
pub(super) enum Sought {
    /// The organization has it, perhaps only since now.
    Here,
    /// This mirror has it, and whoever asked may not add it.
    In(String),
    /// No mirror has it.
    Nowhere,
}

/// What is being asked of mirrors, and what they did not have a moment ago. It is in memory: a restart asks once more.
pub(crate) struct Seeking {
    /// Names that are looked for, for somebody who may add them or not.
    pub(super) names: Flights<(OrganizationId, PackageName, bool), Sought>,
    /// Dists that are fetched, by commit.
    pub(super) dists: Flights<(PackageId, String), Dist>,
    pub(super) looks: Slots<OrganizationId>,
    pub(super) downloads: Slots<OrganizationId>,
    /// When each mirror was last asked for warnings.
    pub(super) warned_at: Mutex<HashMap<MirrorId, Timestamp>>,
    /// Those that were lately asked for names.
    clients: Mutex<HashMap<MirrorId, Kept>>,
    /// When no mirror of the organization had it.
    absent: Mutex<HashMap<(OrganizationId, PackageName), Timestamp>>,
}

impl Default for Seeking {
    fn default() -> Self {
        Self {
            names: Flights::default(),
            dists: Flights::default(),
            looks: Slots::new(LOOKS, LOOKS_OF_ONE),
            downloads: Slots::new(DOWNLOADS, DOWNLOADS_OF_ONE),
            warned_at: Mutex::default(),
            clients: Mutex::default(),
            absent: Mutex::default(),
        }
    }
}

/// A client, of which mirror as it was then, and since when.
struct Kept {
    client: Arc<ComposerRepository>,
    mirror: (Url, Option<CredentialId>, MirrorTimeout),
    at: Timestamp,
}

fn asked_as(mirror: &Mirror) -> (Url, Option<CredentialId>, MirrorTimeout) {
    (mirror.url.clone(), mirror.credential_id, mirror.timeout)
}

impl Seeking {
    /// The client of a mirror that was made a moment ago.
    pub(super) fn client(&self, mirror: &Mirror, now: Timestamp) -> Option<Arc<ComposerRepository>> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = clients.get(&mirror.id)?;
        let is_young = now.duration_since(kept.at) < CLIENT_KEPT;
        (is_young && kept.mirror == asked_as(mirror)).then(|| Arc::clone(&kept.client))
    }

    /// Keeps a client for the next look-ups.
    pub(super) fn keep_client(&self, mirror: &Mirror, client: Arc<ComposerRepository>, now: Timestamp) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, kept| now.duration_since(kept.at) < CLIENT_KEPT);
        clients.insert(mirror.id, Kept { client, mirror: asked_as(mirror), at: now });
    }

    /// No mirror has it.
    pub(super) fn note_absent(&self, organization: OrganizationId, name: PackageName, now: Timestamp) {
        let mut absent = self.absent();
        if absent.len() >= MOST_ABSENT {
            absent.retain(|_, at| now.duration_since(*at) < FRESH);
        }
        if absent.len() >= MOST_ABSENT {
            // Those that are asked for are soon here again.
            absent.clear();
        }
        absent.insert((organization, name), now);
    }

    /// Whether no mirror had it a moment ago.
    pub(super) fn is_absent(&self, organization: OrganizationId, name: &PackageName, now: Timestamp) -> bool {
        self.was_absent(organization, name, now, FRESH)
    }

    /// Whether no mirror had it when all could last be asked.
    pub(super) fn was_lately_absent(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        now: Timestamp,
    ) -> bool {
        self.was_absent(organization, name, now, STALE)
    }

    fn was_absent(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        now: Timestamp,
        within: SignedDuration,
    ) -> bool {
        let key = (organization, name.clone());
        self.absent().get(&key).is_some_and(|at| now.duration_since(*at) < within)
    }

    /// The mirrors of an organization are others now, or have more.
    pub(super) fn forget(&self, organization: OrganizationId) {
        self.absent().retain(|(owner, _), _| *owner != organization);
    }

    /// A mirror has these, or may have.
    pub(super) fn forget_names<'a>(
        &self,
        organization: OrganizationId,
        names: impl IntoIterator<Item = &'a PackageName>,
    ) {
        let mut absent = self.absent();
        for name in names {
            absent.remove(&(organization, name.clone()));
        }
    }

    fn absent(&self) -> MutexGuard<'_, HashMap<(OrganizationId, PackageName), Timestamp>> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn what_is_not_there_is_not_asked_for_again_for_a_while() {
        let (seeking, acme, zoo) = (Seeking::default(), crate::entropy::id(), crate::entropy::id());
        let name: PackageName = "acme/lib".parse().unwrap();
        assert!(!seeking.is_absent(acme, &name, at(0)));
        seeking.note_absent(acme, name.clone(), at(0));
        assert!(seeking.is_absent(acme, &name, at(299)) && !seeking.is_absent(zoo, &name, at(0)));
        assert!(!seeking.is_absent(acme, &name, at(300)) && seeking.was_lately_absent(acme, &name, at(300)));
        assert!(!seeking.was_lately_absent(acme, &name, at(12 * 3600)));

        seeking.forget(zoo);
        assert!(seeking.is_absent(acme, &name, at(0)));
        seeking.forget_names(acme, [&name]);
        assert!(!seeking.is_absent(acme, &name, at(0)));
        seeking.note_absent(acme, name.clone(), at(0));
        seeking.forget(acme);
        assert!(!seeking.was_lately_absent(acme, &name, at(0)));
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory() {
        let (seeking, acme) = (Seeking::default(), crate::entropy::id());
        for number in 0..MOST_ABSENT + 10 {
            seeking.note_absent(acme, format!("acme/p{number}").parse().unwrap(), at(0));
        }
        assert!(seeking.absent().len() <= MOST_ABSENT);
    }
}
