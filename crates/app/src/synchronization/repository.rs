//! The repositories of a workspace, and why each is a package here or not.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::SynchronizationId,
    organization::Organization,
    package::Package,
    repository::Repository,
    synchronization::{Choice, KnownRepository, Manifest, Synchronization},
};
use std::{collections::BTreeMap, str::FromStr};

/// Repositories on one page of the list.
const PAGE: usize = 50;

/// Whether a repository of a workspace is a package here, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryState {
    /// It is, or its package is on the way.
    Package,
    /// Somebody took it out, or deleted its package.
    TakenOut,
    /// It is not among those that are chosen.
    NotChosen,
    /// It has no composer.json at its root.
    NoManifest,
    /// Nobody looked yet.
    Unknown,
}

/// Which repositories of a workspace are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepositoryFilter {
    /// All.
    #[default]
    All,
    /// Those in this state.
    In(RepositoryState),
    /// Those that could not be looked at or read.
    Problem,
}

impl RepositoryFilter {
    /// Each with its name in addresses.
    pub const KEYS: [(&str, Self); 7] = [
        ("", Self::All),
        ("packages", Self::In(RepositoryState::Package)),
        ("no-composer-json", Self::In(RepositoryState::NoManifest)),
        ("not-chosen", Self::In(RepositoryState::NotChosen)),
        ("taken-out", Self::In(RepositoryState::TakenOut)),
        ("not-looked-at", Self::In(RepositoryState::Unknown)),
        ("problem", Self::Problem),
    ];

    fn finds(self, line: &FollowedLine) -> bool {
        match self {
            Self::All => true,
            Self::In(state) => line.state == state,
            Self::Problem => line.problem().is_some(),
        }
    }
}

impl FromStr for RepositoryFilter {
    type Err = std::convert::Infallible;

    /// What is no filter finds everything.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::KEYS.into_iter().find(|(key, _)| *key == text).map(|(_, it)| it).unwrap_or_default())
    }
}

/// Which repositories of a workspace are looked for.
#[derive(Debug, Clone, Default)]
pub struct RepositorySearch {
    /// A part of a name or project; empty finds all.
    pub text: String,
    /// Which of them.
    pub filter: RepositoryFilter,
    /// Counts from 0.
    pub page: usize,
}

/// A repository of a workspace, and what it is here.
#[derive(Debug)]
pub struct FollowedLine {
    /// As the platform knows it.
    pub known: KnownRepository,
    /// What it is here.
    pub state: RepositoryState,
    /// Its mirror, if it has one.
    pub repository: Option<Repository>,
    /// What is in it.
    pub packages: Vec<Package>,
}

impl FollowedLine {
    /// Why it could not be looked at or read, in a sentence.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        let read = self.repository.as_ref().and_then(|repository| repository.last_error.as_deref());
        self.known.problem.as_deref().or(read)
    }
}

/// A page of the repositories of a workspace.
#[derive(Debug)]
pub struct RepositoryListView {
    /// Whose.
    pub organization: Organization,
    /// Whose repositories.
    pub synchronization: Synchronization,
    /// What is on the page.
    pub lines: Vec<FollowedLine>,
    /// How many were found in all.
    pub count: usize,
    /// Whether more follow.
    pub more: bool,
}

impl App {
    /// The repositories that a synchronization knows, by name, for owners and admins.
    pub async fn synchronization_repositories(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        search: &RepositorySearch,
    ) -> Result<RepositoryListView, Failure> {
        let (organization, synchronization) = self.synchronization_managed(actor, short_name, id).await?;
        let mut mirrored = BTreeMap::new();
        for repository in self.storage.repository_list_followed(id).await? {
            mirrored.extend(repository.followed.map(|followed| (followed.number, repository)));
        }
        let found =
            self.storage.remote_repository_page(id, search.text.trim(), 0, u64::from(u32::MAX)).await?;
        let mut lines: Vec<_> = found
            .into_iter()
            .map(|known| {
                let repository = mirrored.remove(&known.number);
                let state = state(&synchronization, &known, repository.is_some());
                FollowedLine { known, state, repository, packages: Vec::new() }
            })
            .filter(|line| search.filter.finds(line))
            .collect();
        let count = lines.len();
        let start = search.page.saturating_mul(PAGE).min(count);
        lines.drain(..start);
        let more = lines.len() > PAGE;
        lines.truncate(PAGE);
        for line in &mut lines {
            if let Some(repository) = &line.repository {
                line.packages = self.storage.package_list_of_repository(repository.id).await?;
            }
        }
        Ok(RepositoryListView { organization, synchronization, lines, count, more })
    }
}

fn state(synchronization: &Synchronization, known: &KnownRepository, is_here: bool) -> RepositoryState {
    let selection = &synchronization.selection;
    match known.choice {
        _ if is_here || selection.follows(known) => RepositoryState::Package,
        Choice::Unwanted => RepositoryState::TakenOut,
        _ if !selection.wants(known) => RepositoryState::NotChosen,
        _ if known.manifest == Manifest::Unknown => RepositoryState::Unknown,
        _ => RepositoryState::NoManifest,
    }
}
