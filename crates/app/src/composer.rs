//! What Composer asks for: who is it, packages.json, metadata, dists.

use crate::{App, Failure};
use bytes::Bytes;
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    composer::root::{Root, pattern_matches},
    id::OrganizationId,
    organization::{Organization, ShortName},
    package::{Package, PackageName},
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
        self.readers
            .get(&self.storage, (hash, short_name.to_owned()), self.reader_find(hash, short_name))
            .await
    }

    async fn reader_find(&self, hash: SecretHash, short_name: &str) -> Result<Reader, Failure> {
        let known = self.storage.token_find_by_hash(&hash).await?;
        let now = self.clock.now();
        let known = known.filter(|known| known.is_valid_at(now)).ok_or(Failure::LogInNeeded)?;
        if known.used_at.is_none_or(|used_at| now.duration_since(used_at) >= USED_PRECISION) {
            self.storage.token_used(known.id, now).await?;
        }
        let organization = self.organization_of_token(&known, short_name).await?;
        Ok(Reader { organization: organization.ok_or(Failure::NotFound("Composer repository"))? })
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
        let reaches = match token.owner {
            TokenOwner::Organization(id) => id == organization.id,
            TokenOwner::User(user) => self.storage.member_role(organization.id, user).await?.is_some(),
        };
        if reaches && let TokenOwner::User(user) = token.owner {
            self.access_pass_token(user, &organization).await?;
        }
        Ok(reaches.then_some(organization))
    }

    /// packages.json: it names the vendors, never the packages, so it does not grow with them.
    pub async fn composer_root(&self, reader: &Reader) -> Result<Vec<u8>, Failure> {
        let vendors = self.storage.package_vendor_list(reader.organization.id).await?.into_iter().collect();
        let path =
            format!("{}/repo/{}", self.url().path().trim_end_matches('/'), reader.organization.short_name);
        Ok(Root { path: &path, vendors: &vendors }.document())
    }

    /// A p2 file; `file` is `vendor/name` or `vendor/name~dev`. `None` if there is no such package or half of it.
    pub async fn composer_metadata(&self, reader: &Reader, file: &str) -> Result<Option<Metadata>, Failure> {
        let organization = reader.organization.id;
        let read = self.document_read(organization, file);
        self.documents.get(&self.storage, (organization, file.to_owned()), read).await
    }

    async fn document_read(
        &self,
        organization: OrganizationId,
        file: &str,
    ) -> Result<Option<Metadata>, Failure> {
        let (name, is_dev) = match file.strip_suffix("~dev") {
            Some(name) => (name, true),
            None => (file, false),
        };
        let Ok(name) = name.parse::<PackageName>() else { return Ok(None) };
        let found = self.storage.document_find(organization, &name, is_dev).await?;
        Ok(found.map(|document| Metadata {
            body_gzip: document.body_gzip.into(),
            modified_at: document.modified_at,
        }))
    }

    /// Names of packages, in order; with `*` in the pattern standing for anything.
    pub async fn composer_list(&self, reader: &Reader, pattern: &str) -> Result<Vec<PackageName>, Failure> {
        let mut names = self.storage.package_name_list(reader.organization.id).await?;
        names.retain(|name| pattern.is_empty() || pattern_matches(pattern, name.as_str()));
        Ok(names)
    }

    /// Packages whose name contains every word, at most 15, and how many there are.
    pub async fn composer_search(
        &self,
        reader: &Reader,
        words: &str,
    ) -> Result<(Vec<Package>, usize), Failure> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let first = words.first().map_or("", String::as_str);
        let mut found = self.storage.package_list(reader.organization.id, first, 0, 1000).await?;
        found.retain(|package| {
            package
                .name
                .as_ref()
                .is_some_and(|name| words.iter().all(|word| name.as_str().contains(word.as_str())))
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
        let package = match self.storage.package_find_by_name(organization, &name).await? {
            Some(package) => Some(package),
            // Lock files from before a renaming ask by the old name.
            None => self.storage.package_find_by_commit(organization, commit).await?,
        };
        match package {
            Some(package) => self.dist_open(&package, commit).await,
            None => Ok(None),
        }
    }
}
