//! The difference between what a workspace is and what is remembered of it. Applied, it makes a second run find none.

use super::{
    AccessSet, Choice, KnownPerson, KnownRepository, MISSING_TOO_LONG, Manifest, RemoteGroup, RemotePerson,
    RemoteRepository, Synchronization, Workspace,
};
use crate::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is remembered of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Its repositories.
    pub repositories: Vec<KnownRepository>,
    /// Its people.
    pub people: Vec<KnownPerson>,
    /// Its groups.
    pub groups: Vec<RemoteGroup>,
}

/// What a run read. What could not be read is `None`: it is not an absence, and changes nothing.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the workspace is called now.
    pub workspace: Workspace,
    /// All of its repositories that the credential sees, each once.
    pub repositories: Vec<RemoteRepository>,
    /// Whether the credential may see everything there: only then is what it does not see not there.
    pub is_complete: bool,
    /// When it was read.
    pub read_at: Timestamp,
    /// Its people.
    pub people: Option<Vec<RemotePerson>>,
    /// What everybody may read, by external id of the person; those who are missing may read nothing. People who are not of
    /// the workspace and may read something all the same are in [`people`](Self::people) too.
    pub rights: Option<BTreeMap<String, AccessSet>>,
    /// Its groups.
    pub groups: Option<Vec<RemoteGroup>>,
}

/// Which number each repository of a workspace has, new ones included.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    by_external_id: HashMap<String, u32>,
    /// The highest ever given.
    pub used: u32,
}

impl Numbers {
    /// Known repositories keep theirs; new ones get the next.
    #[must_use]
    pub fn of(used: u32, known: &[KnownRepository], seen: &[RemoteRepository]) -> Self {
        let mut numbers = Self {
            by_external_id: known
                .iter()
                .map(|known| (known.remote.external_id.clone(), known.number))
                .collect(),
            used,
        };
        for repository in seen {
            if !numbers.by_external_id.contains_key(&repository.external_id) {
                numbers.used += 1;
                numbers.by_external_id.insert(repository.external_id.clone(), numbers.used);
            }
        }
        numbers
    }

    /// The number of a repository; `None` if the workspace has none with this id.
    #[must_use]
    pub fn find(&self, external_id: &str) -> Option<u32> {
        self.by_external_id.get(external_id).copied()
    }
}

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The workspace is called otherwise now.
    pub workspace: Option<Workspace>,
    /// New repositories, and those of which something has changed.
    pub repositories: Vec<KnownRepository>,
    /// Repositories that are no longer there.
    pub repositories_gone: BTreeSet<u32>,
    /// New people, and those of whom something has changed.
    pub people: Vec<KnownPerson>,
    /// People who are no longer there, by external id.
    pub people_gone: BTreeSet<String>,
    /// New groups, and those whose people have changed.
    pub groups: Vec<RemoteGroup>,
    /// Groups that are no longer there.
    pub groups_gone: BTreeSet<String>,
    /// The highest number ever given, if it is another one now.
    pub numbers_used: Option<u32>,
}

impl Plan {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many rows are to be changed.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::from(self.workspace.is_some())
            + self.repositories.len()
            + self.repositories_gone.len()
            + self.people.len()
            + self.people_gone.len()
            + self.groups.len()
            + self.groups_gone.len()
    }
}

/// Computes what makes the remembered state equal to what was seen.
#[must_use]
pub fn plan(synchronization: &Synchronization, known: &Known, seen: &Seen, numbers: &Numbers) -> Plan {
    let (repositories, repositories_gone) = repositories(known, seen, numbers);
    let (people, people_gone) = people(known, seen, &repositories_gone);
    let (groups, groups_gone) = groups(known, seen);
    Plan {
        workspace: (synchronization.workspace != seen.workspace).then(|| seen.workspace.clone()),
        repositories,
        repositories_gone,
        people,
        people_gone,
        groups,
        groups_gone,
        numbers_used: (numbers.used != synchronization.numbers_used).then_some(numbers.used),
    }
}

fn repositories(known: &Known, seen: &Seen, numbers: &Numbers) -> (Vec<KnownRepository>, BTreeSet<u32>) {
    let mut before: HashMap<u32, &KnownRepository> =
        known.repositories.iter().map(|it| (it.number, it)).collect();
    let mut put = Vec::new();
    for remote in &seen.repositories {
        let Some(number) = numbers.find(&remote.external_id) else { continue };
        match before.remove(&number) {
            Some(known) if known.remote == *remote && known.missing_since.is_none() => {}
            Some(known) => put.push(KnownRepository {
                manifest: if may_be_another(&known.remote, remote) {
                    Manifest::Unknown
                } else {
                    known.manifest
                },
                remote: remote.clone(),
                missing_since: None,
                ..known.clone()
            }),
            None => put.push(KnownRepository {
                number,
                remote: remote.clone(),
                manifest: Manifest::Unknown,
                looked_at: None,
                problem: None,
                choice: Choice::Selection,
                missing_since: None,
            }),
        }
    }
    let mut gone = BTreeSet::new();
    for (number, known) in before {
        match known.missing_since {
            _ if seen.is_complete => _ = gone.insert(number),
            Some(since) if seen.read_at.duration_since(since) >= MISSING_TOO_LONG => _ = gone.insert(number),
            Some(_) => {}
            None => put.push(KnownRepository { missing_since: Some(seen.read_at), ..known.clone() }),
        }
    }
    (put, gone)
}

/// Whether a composer.json may have come or gone.
fn may_be_another(before: &RemoteRepository, now: &RemoteRepository) -> bool {
    before.changed_at != now.changed_at || before.default_branch != now.default_branch
}

fn people(known: &Known, seen: &Seen, gone: &BTreeSet<u32>) -> (Vec<KnownPerson>, BTreeSet<String>) {
    let Some(people) = &seen.people else { return (without_gone(known, gone), BTreeSet::new()) };
    let mut before: BTreeMap<&str, &KnownPerson> =
        known.people.iter().map(|it| (it.person.external_id.as_str(), it)).collect();
    let mut put = Vec::new();
    for person in people {
        let known = before.remove(person.external_id.as_str());
        let now = person_now(known, person, seen, gone);
        if known != Some(&now) {
            put.push(now);
        }
    }
    // Whoever is not in the list of members may still have rights of their own, of which only their own account tells.
    let asked_themselves = |known: &&KnownPerson| seen.rights.is_none() && known.asked_at.is_some();
    let (staying, leaving): (Vec<_>, Vec<_>) = before.into_values().partition(asked_themselves);
    put.extend(staying.into_iter().filter_map(|known| shrunk(known, gone)));
    (put, leaving.into_iter().map(|known| known.person.external_id.clone()).collect())
}

fn person_now(
    known: Option<&KnownPerson>,
    person: &RemotePerson,
    seen: &Seen,
    gone: &BTreeSet<u32>,
) -> KnownPerson {
    match &seen.rights {
        Some(rights) => KnownPerson {
            person: person.clone(),
            access: Some(rights.get(&person.external_id).cloned().unwrap_or_default()),
            asked_at: None,
            problem: None,
        },
        None => KnownPerson {
            person: person.clone(),
            access: known.and_then(|known| known.access.as_ref()).map(|access| access.without(gone)),
            asked_at: known.and_then(|known| known.asked_at),
            problem: known.and_then(|known| known.problem.clone()),
        },
    }
}

/// People of whom only the repositories that are gone have to be taken away.
fn without_gone(known: &Known, gone: &BTreeSet<u32>) -> Vec<KnownPerson> {
    known.people.iter().filter_map(|known| shrunk(known, gone)).collect()
}

fn shrunk(known: &KnownPerson, gone: &BTreeSet<u32>) -> Option<KnownPerson> {
    let access = known.access.as_ref()?.without(gone);
    (Some(&access) != known.access.as_ref()).then(|| KnownPerson { access: Some(access), ..known.clone() })
}

fn groups(known: &Known, seen: &Seen) -> (Vec<RemoteGroup>, BTreeSet<String>) {
    let Some(groups) = &seen.groups else { return Default::default() };
    let mut before: BTreeMap<&str, &RemoteGroup> =
        known.groups.iter().map(|group| (group.name.as_str(), group)).collect();
    let changed = |group: &&RemoteGroup| before.remove(group.name.as_str()) != Some(*group);
    let put = groups.iter().filter(changed).cloned().collect();
    (put, before.into_keys().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
