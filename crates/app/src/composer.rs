//! What Composer asks for: who is it, packages.json, metadata, dists.

use crate::{App, Failure, reader::Sight};
use bytes::Bytes;
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    composer::root::{Root, pattern_matches},
    id::OrganizationId,
    organization::{Organization, ShortName},
    package::{Package, PackageName},
    repository::Repository,
    secret::SecretHash,
    token::{Token, TokenOwner, is_well_formed},
};
use stave_storage::Blob;

/// How exactly the last use of a token is kept.
const USED_PRECISION: SignedDuration = SignedDuration::from_mins(5);

/// A token that may read an organization's packages.
#[derive(Debug, Clone)]
pub struct Reader {
    organization: Organization,
    /// From this instant on the token no longer works.
    expires_at: Option<Timestamp>,
    sight: Sight,
}

/// A file that Composer reads.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// gzip of the JSON.
    pub body_gzip: Bytes,
    /// Strictly increases with each change, in whole seconds.
    pub modified_at: Timestamp,
}

impl App {
    /// Who reads which organization's repository, by the token in a request.
    pub async fn composer_reader(&self, token: Option<&Secret>, short_name: &str) -> Result<Reader, Failure> {
        let token = token.filter(|token| is_well_formed(token.expose())).ok_or(Failure::LogInNeeded)?;
        let hash = SecretHash::of(token);
        let reader = self
            .readers
            .get(&self.storage, (hash, short_name.to_owned()), self.reader_find(hash, short_name))
            .await?;
        match reader.expires_at {
            Some(expires_at) if expires_at <= self.clock.now() => Err(Failure::LogInNeeded),
            _ => Ok(reader),
        }
    }

    async fn reader_find(&self, hash: SecretHash, short_name: &str) -> Result<Reader, Failure> {
        let known = self.storage.token_find_by_hash(&hash).await?;
        let now = self.clock.now();
        let known = known.filter(|known| known.is_valid_at(now)).ok_or(Failure::LogInNeeded)?;
        if known.used_at.is_none_or(|used_at| now.duration_since(used_at) >= USED_PRECISION) {
            self.storage.token_used(known.id, now).await?;
        }
        let organization = self.organization_of_token(&known, short_name).await?;
        let organization = organization.ok_or(Failure::NotFound("Composer repository"))?;
        let sight = match known.owner {
            TokenOwner::Organization(_) => Sight::All,
            TokenOwner::User(user) => self.sight_of_user(&organization, user).await?,
        };
        Ok(Reader { organization, expires_at: known.expires_at, sight })
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
    pub async fn composer_root(&self, reader: &Reader) -> Result<Vec<u8>, Failure> {
        let names = self.composer_list(reader, "").await?;
        let vendors = names.iter().map(|name| name.vendor().to_owned()).collect();
        let path =
            format!("{}/repo/{}", self.url().path().trim_end_matches('/'), reader.organization.short_name);
        Ok(Root { path: &path, vendors: &vendors }.document())
    }

    /// A p2 file; `file` is `vendor/name` or `vendor/name~dev`. `None` if there is no such package or half of it.
    pub async fn composer_metadata(&self, reader: &Reader, file: &str) -> Result<Option<Metadata>, Failure> {
        let Some((name, is_dev)) = file_name(file) else { return Ok(None) };
        if !reader.sight.has(&name) {
            return Ok(None);
        }
        let organization = reader.organization.id;
        let read = self.document_read(organization, &name, is_dev);
        self.documents.get(&self.storage, (organization, file.to_owned()), read).await
    }

    async fn document_read(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        is_dev: bool,
    ) -> Result<Option<Metadata>, Failure> {
        let found = self.storage.document_find(organization, name, is_dev).await?;
        Ok(found.map(|document| Metadata {
            body_gzip: document.body_gzip.into(),
            modified_at: document.modified_at,
        }))
    }

    /// Names of packages, in order; with `*` in the pattern standing for anything.
    pub async fn composer_list(&self, reader: &Reader, pattern: &str) -> Result<Vec<PackageName>, Failure> {
        let mut names = self.storage.package_name_list(reader.organization.id).await?;
        names.retain(|name| {
            reader.sight.has(name) && (pattern.is_empty() || pattern_matches(pattern, name.as_str()))
        });
        Ok(names)
    }

    /// Packages whose name contains every word, at most 15, and how many there are.
    pub async fn composer_search(
        &self,
        reader: &Reader,
        words: &str,
    ) -> Result<(Vec<(Package, Repository)>, usize), Failure> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let first = words.first().map_or("", String::as_str);
        let mut found = self.storage.package_list(reader.organization.id, first, 0, 1000).await?;
        found.retain(|(package, _)| {
            package.name.as_ref().is_some_and(|name| {
                reader.sight.has(name) && words.iter().all(|word| name.as_str().contains(word.as_str()))
            })
        });
        let total = found.len();
        found.truncate(15);
        Ok((found, total))
    }

    /// The zip of a published commit; built now if nobody asked before. `None` if it was never published.
    pub async fn composer_dist(
        &self,
        reader: &Reader,
        name: &str,
        commit: &str,
    ) -> Result<Option<Blob>, Failure> {
        let Ok(name) = name.parse::<PackageName>() else { return Ok(None) };
        let organization = reader.organization.id;
        let named = self.storage.package_find_by_name(organization, &name).await?;
        let package = match named {
            Some(package) => Some(package).filter(|package| reader.sight.has_id(package.id)),
            None => self.package_of_commit(reader, commit).await?,
        };
        match package {
            Some(package) => self.dist_open(&package, commit).await,
            None => Ok(None),
        }
    }

    /// Lock files from before a renaming ask by the old name: what the reader may read of what was published at the commit. Of
    /// several folders nobody can tell which one is meant, also if the reader sees but one: another folder's zip would be a wrong
    /// one.
    async fn package_of_commit(&self, reader: &Reader, commit: &str) -> Result<Option<Package>, Failure> {
        let published = self.storage.package_list_by_commit(reader.organization.id, commit).await?;
        let is_one_folder = published.windows(2).all(|pair| pair[0].path == pair[1].path);
        Ok(published.into_iter().find(|package| is_one_folder && reader.sight.has_id(package.id)))
    }
}

/// What a p2 file is about: a package, and whether its development versions.
fn file_name(file: &str) -> Option<(PackageName, bool)> {
    let (name, is_dev) = match file.strip_suffix("~dev") {
        Some(name) => (name, true),
        None => (file, false),
    };
    Some((name.parse().ok()?, is_dev))
}
