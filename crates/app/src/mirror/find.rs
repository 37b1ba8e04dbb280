//! Looking for a name that nobody used here before: lazily, in all mirrors at the same time, each name once.

use super::{
    read::{Found, Line, Look, Stored},
    seeking::Sought,
};
use crate::{App, Failure, Reader};
use futures::{FutureExt, StreamExt, stream};
use stave_domain::{
    id::OrganizationId,
    mirror::{Adds, Mirror, MirrorRoot},
    package::PackageName,
    token::TokenAccess,
};
use std::{collections::BTreeSet, error::Error, pin::pin, sync::Arc};

/// A mirror that has the package, with what it has.
type There<'a> = (Line<'a>, Box<Found>);

impl App {
    /// Looks for a package that is not here in the mirrors from which packages are added automatically. Afterwards it is here if
    /// one of them has it and the token may add it; `false` if nobody had to be asked.
    ///
    /// It fails with [`Failure::Absent`] if only the token is in the way, and otherwise if the first mirror that may have it
    /// cannot tell.
    pub(crate) async fn mirror_find(&self, reader: &Reader, name: &PackageName) -> Result<bool, Failure> {
        let organization = reader.organization.id;
        let is_asked = |mirror: &Mirror| mirror.root.as_ref().is_some_and(|root| root.may_have(name));
        if !self.mirrors_asked(organization).await?.iter().any(is_asked)
            || self.seeking.is_absent(organization, name, self.clock.now())
        {
            return Ok(false);
        }
        let adds = reader.access() == TokenAccess::Update;
        let (app, sought) = (self.clone(), name.clone());
        let look = || async move { app.mirror_seek(organization, &sought, adds).await }.boxed();
        match self.seeking.names.join((organization, name.clone(), adds), look).await? {
            Sought::Here => Ok(true),
            Sought::Nowhere => Ok(false),
            Sought::In(mirror) => Err(Failure::Absent(format!(
                "{name} is in the mirror {mirror}, but nobody uses it here yet, and this token may only read. Run “composer \
                 update” once with a token that may add packages: an update token, or your own user token."
            ))),
        }
    }

    /// Whether names that are not here are looked for in mirrors, so that clients have to ask for all.
    pub(crate) async fn mirrors_ask(&self, organization: OrganizationId) -> Result<bool, Failure> {
        Ok(!self.mirrors_asked(organization).await?.is_empty())
    }

    /// Which lists of versions that must not be installed the mirrors of an organization have.
    pub(crate) async fn mirror_filter_lists(
        &self,
        organization: OrganizationId,
    ) -> Result<BTreeSet<String>, Failure> {
        let mirrors = self.storage.mirror_list(organization).await?;
        let filters = mirrors.into_iter().filter_map(|mirror| mirror.root?.filter);
        Ok(filters.flat_map(|filter| filter.lists).collect())
    }

    /// The mirrors of an organization that are asked for names that are not here, the first one first.
    async fn mirrors_asked(&self, organization: OrganizationId) -> Result<Arc<Vec<Mirror>>, Failure> {
        let read = async {
            let mut mirrors = self.storage.mirror_list(organization).await?;
            mirrors.retain(|mirror| mirror.adds == Adds::Automatically && mirror.root.is_some());
            Ok(Arc::new(mirrors))
        };
        self.mirrors_open.get(&self.storage, organization, read).await
    }

    async fn mirror_seek(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        adds: bool,
    ) -> Result<Sought, Failure> {
        // Somebody else may have found it a moment ago. A name that is the organization's own is told to nobody.
        if self.storage.package_find_by_name(organization, name).await?.is_some() {
            return Ok(Sought::Here);
        }
        if self.is_never_asked(organization, name).await? {
            return Ok(Sought::Nowhere);
        }
        let mirrors = self.mirrors_asked(organization).await?;
        let (line, found) = match self.mirrors_seek(&mirrors, name).await {
            Ok(Some(there)) => there,
            Ok(None) => {
                self.seeking.note_absent(organization, name.clone(), self.clock.now());
                return Ok(Sought::Nowhere);
            }
            Err(failure) if self.seeking.was_lately_absent(organization, name, self.clock.now()) => {
                let error = &failure as &dyn Error;
                tracing::warn!(%name, error, "a mirror does not answer; it had no such package before");
                return Ok(Sought::Nowhere);
            }
            Err(failure) => return Err(failure),
        };
        if !adds {
            return Ok(Sought::In(line.mirror.name.clone()));
        }
        match self.mirrored_store(&line, name, *found).await? {
            Stored::Here | Stored::Taken => Ok(Sought::Here),
            Stored::Nowhere => Ok(Sought::Nowhere),
        }
    }

    /// Asks all at once. The first of them that has it counts, and none after one that cannot tell.
    async fn mirrors_seek<'a>(
        &self,
        mirrors: &'a [Mirror],
        name: &PackageName,
    ) -> Result<Option<There<'a>>, Failure> {
        let asked = mirrors.iter().filter_map(|mirror| {
            let root = mirror.root.as_ref().filter(|root| root.may_have(name))?;
            Some(self.mirror_look(mirror, root, name))
        });
        let asked: Vec<_> = asked.collect();
        let most = asked.len().max(1);
        let mut answers = pin!(stream::iter(asked).buffered(most));
        while let Some(answer) = answers.next().await {
            if let (line, Look::Found(found)) = answer? {
                return Ok(Some((line, found)));
            }
        }
        Ok(None)
    }

    async fn mirror_look<'a>(
        &self,
        mirror: &'a Mirror,
        root: &'a MirrorRoot,
        name: &PackageName,
    ) -> Result<(Line<'a>, Look), Failure> {
        let _slot = self.seeking.looks.take(mirror.organization_id).await?;
        let line = Line { mirror, root, client: self.mirror_client_kept(mirror).await? };
        let look = line.look(name, None).await?;
        Ok((line, look))
    }
}
