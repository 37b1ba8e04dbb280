//! What Composer asks for: who is it, packages.json, metadata, dists.

use crate::{
    App, DistFile, Failure, Text,
    reader::Sight,
    token::{ShownToken, token_hash},
    warm::{Asked, FoundDist},
};
use sha2::{Digest, Sha256};
use stave_domain::{
    Secret,
    access::Named,
    composer::root::{Root, pattern_matches},
    id::{OrganizationId, PackageId},
    organization::{Organization, ShortName},
    package::{Package, PackageName},
    secret::SecretHash,
    security::SecuritySettings,
    token::{Token, TokenAccess, TokenOwner},
};
use std::{net::IpAddr, sync::Arc};

/// A token that may read an organization's packages.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) organization: Organization,
    /// Asked with every request whether it may be used still, and from there.
    token: Arc<ShownToken>,
    pub(crate) sight: Sight,
    security: SecuritySettings,
}

impl Reader {
    /// Whether they may only read what is here, or bring in what is not.
    #[must_use]
    pub fn access(&self) -> TokenAccess {
        self.token.token().access
    }

    /// What the token is for, in its maker's words.
    pub(crate) fn description(&self) -> &str {
        &self.token.token().description
    }

    pub(crate) fn token(&self) -> &ShownToken {
        &self.token
    }

    /// By what an answer is kept that follows from what they read and from what is asked.
    pub(crate) fn asks(&self, asked: &str) -> Asked {
        let who = match self.sight {
            Sight::All => None,
            Sight::Some(_) | Sight::Selected(_) | Sight::Nothing => Some(self.token.token().id),
        };
        (self.organization.id, who, asked.to_owned())
    }

    /// What the organization lets Composer see and download.
    #[must_use]
    pub fn security(&self) -> &SecuritySettings {
        &self.security
    }
}

/// A file that Composer reads.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Of which package.
    pub package_id: PackageId,
    /// The name it is asked for by.
    pub name: PackageName,
    /// Whether a mirror brought it.
    pub is_mirrored: bool,
    /// The file. Its date strictly increases with each change, in whole seconds.
    pub text: Text,
}

impl App {
    /// Who reads which organization's repository, by the token in a request and the address that it came from.
    pub async fn composer_reader(
        &self,
        token: Option<&Secret>,
        short_name: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Reader>, Failure> {
        let shown = token.ok_or(Failure::LogInNeeded)?;
        let asked = asked_by(shown, short_name);
        let reader = if let Some(known) = self.readers.known(&self.storage, &asked) {
            known
        } else {
            let since = self.readers.since(&self.storage);
            let found = Arc::new(self.reader_find(token_hash(token)?, short_name).await?);
            self.readers.keep(&self.storage, asked, Arc::clone(&found), since);
            found
        };
        self.token_admit(&reader.token, &reader.organization, address).await?;
        Ok(reader)
    }

    async fn reader_find(&self, hash: SecretHash, short_name: &str) -> Result<Reader, Failure> {
        let shown = self.token_shown(hash).await?;
        let token = shown.token();
        let organization = self.organization_of_token(token, short_name).await?;
        let organization = organization.ok_or(Failure::NotFound("Composer repository"))?;
        let sight = match (token.owner, &token.selection) {
            (TokenOwner::User(user), _) => self.sight_of_user(&organization, user).await?,
            (TokenOwner::Organization(_), None) => Sight::All,
            (TokenOwner::Organization(_), Some(chosen)) => Sight::Selected(Arc::clone(chosen)),
        };
        let security = self.security_of(organization.id).await?;
        Ok(Reader { organization, token: Arc::new(shown), sight, security })
    }

    /// An organization that a token reaches; `None` if there is none or the token does not reach it.
    async fn organization_of_token(
        &self,
        token: &Token,
        short_name: &str,
    ) -> Result<Option<Organization>, Failure> {
        let Ok(short_name) = short_name.parse::<ShortName>() else { return Ok(None) };
        let Some(organization) = self.storage.organization_find_by_short_name(&short_name).await? else {
            return Ok(None);
        };
        let user = match token.owner {
            TokenOwner::Organization(id) => return Ok((id == organization.id).then_some(organization)),
            TokenOwner::User(user) => user,
        };
        match self.storage.member_find(organization.id, user).await? {
            None => Ok(None),
            Some(member) if !member.is_active => Err(self.deactivated(&organization).await?),
            Some(_) => {
                self.access_pass_token(user, &organization).await?;
                Ok(Some(organization))
            }
        }
    }

    /// packages.json: it names the vendors, never the packages, so it does not grow with them.
    pub async fn composer_root(&self, reader: &Reader) -> Result<Text, Failure> {
        self.composer_answer(reader, "packages.json", self.root_write(reader)).await
    }

    /// An answer that follows from what somebody reads and from what is asked: written once, until it may be another one.
    pub async fn composer_answer(
        &self,
        reader: &Reader,
        asked: &str,
        write: impl Future<Output = Result<Vec<u8>, Failure>>,
    ) -> Result<Text, Failure> {
        self.answers.get(&self.storage, reader.asks(asked), write).await
    }

    async fn root_write(&self, reader: &Reader) -> Result<Vec<u8>, Failure> {
        let names = self.composer_list(reader, "").await?;
        let vendors = names.iter().map(|name| name.vendor().to_owned()).collect();
        let url = self.repository_url(&reader.organization);
        let path =
            format!("{}/repo/{}", self.url().path().trim_end_matches('/'), reader.organization.short_name);
        let root = Root {
            url: url.trim_end_matches('/'),
            path: &path,
            vendors: &vendors,
            is_open: self.mirrors_ask(reader.organization.id).await?,
            filter_lists: &self.mirror_filter_lists(reader.organization.id).await?,
        };
        Ok(root.document())
    }

    /// A p2 file; `file` is `vendor/name` or `vendor/name~dev`. `None` if there is no such package or half of it.
    pub async fn composer_metadata(
        &self,
        reader: &Reader,
        file: &str,
    ) -> Result<Option<Arc<Metadata>>, Failure> {
        let Some((name, is_dev)) = file_name(file) else { return Ok(None) };
        let organization = reader.organization.id;
        let read = || {
            let read = self.document_read(organization, &name, is_dev);
            self.documents.get(&self.storage, (organization, file.to_owned()), read)
        };
        let found = match read().await? {
            None if self.mirror_find(reader, &name).await? => read().await?,
            found => found,
        };
        Ok(found.filter(|it| reader.sight.reads(it.package_id, &name, it.is_mirrored)))
    }

    async fn document_read(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        is_dev: bool,
    ) -> Result<Option<Metadata>, Failure> {
        let Some(document) = self.storage.document_find(organization, name, is_dev).await? else {
            return Ok(None);
        };
        let Some(package) = self.storage.package_find(document.package_id).await? else { return Ok(None) };
        Ok(Some(Metadata {
            package_id: package.id,
            name: document.name,
            is_mirrored: package.is_mirrored(),
            text: Text::of_gzip(document.body_gzip).modified_at(&document.modified_at),
        }))
    }

    /// Names of packages, in order; with `*` in the pattern standing for anything.
    pub async fn composer_list(&self, reader: &Reader, pattern: &str) -> Result<Vec<PackageName>, Failure> {
        let id = reader.organization.id;
        let read = async { Ok(Arc::new(self.storage.package_name_list(id).await?)) };
        let named = self.names.get(&self.storage, id, read).await?;
        let is_asked_for = |it: &&Named| {
            reader.sight.reads(it.package_id, &it.name, it.is_mirrored)
                && (pattern.is_empty() || pattern_matches(pattern, it.name.as_str()))
        };
        Ok(named.iter().filter(is_asked_for).map(|it| it.name.clone()).collect())
    }

    /// The zip of a published commit; built now if nobody asked before. `None` if it was never published.
    pub async fn composer_dist(
        &self,
        reader: &Reader,
        name: &str,
        commit: &str,
    ) -> Result<Option<DistFile>, Failure> {
        let asked = (reader.organization.id, name.to_owned(), commit.to_owned());
        if let Some(found) = self.dists.known(&self.storage, &asked) {
            if !reader.sight.sees(&found.package) {
                return Ok(None);
            }
            if let Some(file) = self.dist_file(&found).await? {
                self.dist_used(found.package.id, commit);
                return Ok(Some(file));
            }
        }
        let Ok(name) = name.parse::<PackageName>() else { return Ok(None) };
        let since = self.dists.since(&self.storage);
        let named = self.storage.package_find_by_name(reader.organization.id, &name).await?;
        let is_named = named.is_some();
        let package = match named {
            Some(package) => Some(package).filter(|package| reader.sight.sees(package)),
            None => self.package_of_commit(reader, commit).await?,
        };
        let Some(package) = package else { return Ok(None) };
        self.dist_refused(package.id, commit).await?;
        let Some(blob) = self.dist_open(&package, commit).await? else {
            return self.dist_from_before(reader, &package, commit).await;
        };
        self.dist_used(package.id, commit);
        let dist = self.storage.dist_find(package.id, commit).await?;
        let Some(dist) = dist.filter(|_| is_named) else { return Ok(Some(blob.into())) };
        let found = Arc::new(FoundDist::new(package, dist)?);
        self.dists.keep(&self.storage, asked, Arc::clone(&found), since);
        self.dist_file(&found).await
    }

    /// Lock files from before the organization had a package of its own under this name: what the mirror had there.
    async fn dist_from_before(
        &self,
        reader: &Reader,
        package: &Package,
        commit: &str,
    ) -> Result<Option<DistFile>, Failure> {
        let mut published = self.storage.package_list_by_commit(package.organization_id, commit).await?;
        published.retain(|it| it.is_mirrored() && it.name.is_none() && reader.sight.sees(it));
        let [before] = published.as_slice() else { return Ok(None) };
        self.dist_refused(before.id, commit).await?;
        Ok(self.dist_open(before, commit).await?.map(DistFile::from))
    }

    /// Lock files from before a renaming ask by the old name: what the reader may read of what was published at the commit. Of
    /// several folders nobody can tell which one is meant, also if the reader sees but one: another folder's zip would be a wrong
    /// one. What the organization itself published comes first: of a mirror's packages others say at which commits they are.
    async fn package_of_commit(&self, reader: &Reader, commit: &str) -> Result<Option<Package>, Failure> {
        let mut published = self.storage.package_list_by_commit(reader.organization.id, commit).await?;
        if published.iter().any(|package| !package.is_mirrored()) {
            published.retain(|package| !package.is_mirrored());
        }
        let is_one_folder = published.windows(2).all(|pair| pair[0].path() == pair[1].path());
        Ok(published.into_iter().find(|package| is_one_folder && reader.sight.sees(package)))
    }
}

/// By what the reader with this token in the organization of this name is kept: a hash of both. No name has a zero byte in it.
pub(crate) fn asked_by(token: &Secret, short_name: &str) -> [u8; 32] {
    let both = Sha256::new().chain_update(token.expose()).chain_update([0]).chain_update(short_name);
    both.finalize().into()
}

/// What a p2 file is about: a package, and whether its development versions.
fn file_name(file: &str) -> Option<(PackageName, bool)> {
    let (name, is_dev) = match file.strip_suffix("~dev") {
        Some(name) => (name, true),
        None => (file, false),
    };
    Some((name.parse().ok()?, is_dev))
}
