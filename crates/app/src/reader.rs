//! What a person may read in an organization: the one rule behind Composer, the lists of packages and the pages that explain it.

use crate::{App, Failure};
use stave_domain::{
    access::{Readable, Reader},
    id::{OrganizationId, PackageId, UserId},
    organization::Organization,
    package::PackageName,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// All packages of an organization, with what decides about who reads them. A package without a name cannot be asked for yet.
pub(crate) type Readables = Arc<Vec<Readable>>;

/// The packages that somebody sees.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// All.
    All,
    /// These.
    Some(Arc<Seen>),
}

/// Packages by what they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    names: HashSet<PackageName>,
    ids: HashSet<PackageId>,
}

impl Sight {
    /// Whether the package of this name is among them.
    pub(crate) fn has(&self, name: &PackageName) -> bool {
        match self {
            Self::All => true,
            Self::Some(seen) => seen.names.contains(name),
        }
    }

    /// Whether this package is among them.
    pub(crate) fn has_id(&self, id: PackageId) -> bool {
        match self {
            Self::All => true,
            Self::Some(seen) => seen.ids.contains(&id),
        }
    }
}

impl App {
    /// What decides about what somebody may read in an organization.
    pub(crate) async fn reader_of_user(
        &self,
        organization: &Organization,
        user: UserId,
    ) -> Result<Reader, Failure> {
        let id = organization.id;
        let member = self.storage.member_find(id, user).await?;
        let teams = self.storage.team_list_of_user(id, user).await?;
        let mut given = BTreeMap::new();
        for (package, team) in self.storage.team_given(id, user).await? {
            given.entry(package).or_insert(team);
        }
        Ok(Reader {
            organization_id: id,
            role: member.as_ref().map(|member| member.role),
            is_active: member.is_some_and(|member| member.is_active),
            given,
            reads_all: teams.into_iter().find(|team| team.reads_all).map(|team| team.name),
            rights: self.storage.rights_of_user(id, user).await?.into_iter().collect(),
        })
    }

    /// The packages that somebody may read now.
    pub(crate) async fn sight_of_user(
        &self,
        organization: &Organization,
        user: UserId,
    ) -> Result<Sight, Failure> {
        let readables = self.readables_of(organization.id).await?;
        let reader = self.reader_of_user(organization, user).await?;
        let now = self.clock.now();
        let mut seen = Seen::default();
        for readable in readables.iter().filter(|readable| reader.may_read(readable, now)) {
            seen.ids.insert(readable.package_id);
            seen.names.extend(readable.name.clone());
        }
        Ok(Sight::Some(Arc::new(seen)))
    }

    /// All packages of an organization, with what decides about who reads them.
    pub(crate) async fn readables_of(&self, id: OrganizationId) -> Result<Readables, Failure> {
        let read = async { Ok(Arc::new(self.storage.readable_list(id).await?)) };
        self.readables.get(&self.storage, id, read).await
    }
}
