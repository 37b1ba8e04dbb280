//! Uploads by machines: one call makes a version.

use super::Upload;
use crate::{App, Failure, Reader, reader::Sight, token::token_hash};
use stave_domain::{
    Secret,
    id::{PackageId, VersionId},
    package::PackageName,
    token::{TokenAccess, TokenOwner},
};
use std::{net::IpAddr, sync::Arc};

/// What a machine says of the file that it sends.
#[derive(Debug, Clone, Default)]
pub struct ArtifactPush {
    /// To which package it belongs, if the address says so; it must be there.
    pub package: Option<String>,
    /// Its version; may be empty if composer.json names it.
    pub version: String,
    /// Whether it takes the place of what is there.
    pub may_replace: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct PushedArtifact {
    /// Of the version.
    pub id: VersionId,
    /// Of its package.
    pub package_id: PackageId,
    /// What the package is called.
    pub name: PackageName,
    /// The version, in Composer's pretty form.
    pub version: String,
    /// SHA-1 of the zip that is served.
    pub shasum: String,
    /// Whether it was not here before, with these bytes.
    pub is_changed: bool,
}

impl App {
    /// Lets a machine upload an archive with an organization's update token: whose packages it may change, and a place for the bytes.
    pub async fn artifact_push_begin(
        &self,
        token: Option<&Secret>,
        address: Option<IpAddr>,
        push: &ArtifactPush,
    ) -> Result<(Arc<Reader>, Upload), Failure> {
        let reader = self.reader_of_machine(token, address).await?;
        if reader.access() != TokenAccess::Update {
            return Err(Failure::Denied(
                "This token may only read. To upload packages, make one with update access under Settings > Authentication Tokens.".into(),
            ));
        }
        if let Some(name) = &push.package {
            let name: PackageName = name.parse().map_err(|_| Failure::NotFound("package"))?;
            may_change(&reader, &name)?;
            let known = self.storage.package_find_by_name(reader.organization.id, &name).await?;
            known.filter(|known| !known.is_mirrored()).ok_or(Failure::NotFound("package"))?;
        }
        Ok((reader, self.upload_begin()?))
    }

    /// Makes a file that came in a version.
    pub async fn artifact_push(
        &self,
        reader: &Reader,
        upload: Upload,
        push: &ArtifactPush,
    ) -> Result<PushedArtifact, Failure> {
        let file = upload.finish().await?;
        let artifact = self.artifact_read(file.to_path_buf()).await?;
        may_change(reader, &artifact.name)?;
        if let Some(name) = push.package.as_ref().filter(|name| **name != artifact.name.as_str()) {
            let sentence = format!(
                "Its composer.json names {}, and the address names {name}. Send it to the address without a name.",
                artifact.name
            );
            return Err(Failure::invalid("file", sentence));
        }
        let found = artifact.version(&push.version, self.clock.now())?;
        let packed = self.artifact_pack(file.to_path_buf(), &artifact).await?;
        let organization = reader.organization.id;
        let stored = self.artifact_store(organization, (&artifact, found, &packed), push.may_replace).await?;
        if stored.is_changed {
            let action = format!("uploaded {} {}", artifact.name, stored.version);
            let who = format!("the token “{}”", reader.description());
            self.log((&who, None), Some(organization), "", action).await?;
        }
        Ok(PushedArtifact {
            id: stored.version_id,
            package_id: stored.package_id,
            name: artifact.name,
            version: stored.version,
            shasum: stored.shasum,
            is_changed: stored.is_changed,
        })
    }

    /// Who a machine is, where the address names no organization: its token belongs to one.
    async fn reader_of_machine(
        &self,
        token: Option<&Secret>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Reader>, Failure> {
        let known =
            self.storage.token_find_by_hash(&token_hash(token)?).await?.ok_or(Failure::LogInNeeded)?;
        let TokenOwner::Organization(id) = known.owner else {
            return Err(Failure::Denied(
                "This is a person's own token, which belongs to no organization. Make one with update access under Settings > \
                 Authentication Tokens of the organization that has the package."
                    .into(),
            ));
        };
        let organization = self.storage.organization_find(id).await?.ok_or(Failure::LogInNeeded)?;
        self.composer_reader(token, organization.short_name.as_str(), address).await
    }
}

/// A token for a selection of packages changes no others.
fn may_change(reader: &Reader, name: &PackageName) -> Result<(), Failure> {
    match &reader.sight {
        Sight::Selected(chosen) if !chosen.fit(name) => Err(Failure::Denied(format!(
            "This token is for other packages than {name}. Change its selection under Settings > Authentication Tokens."
        ))),
        _ => Ok(()),
    }
}
