//! Artifacts: versions that people and machines upload as archives.
//!
//! A file comes in, is looked at, and is shown to whoever brought it; only then does it become a version. A machine does all of it in
//! one call.

mod push;
mod read;
mod upload;

pub use push::{ArtifactPush, PushedArtifact};
pub use upload::{Upload, too_large};

use crate::{Actor, App, Failure, entropy};
use read::Artifact;
use stave_domain::{
    composer::Manifest,
    id::{OrganizationId, PackageId, VersionId},
    organization::Organization,
    package::{Origin, Package, PackageName},
    version::{Dist, Stability, Version, VersionFound, compare},
};
use stave_storage::Transaction;

/// What is typed before an upload becomes a version.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct ArtifactForm {
    /// Its version; may be empty if composer.json names it.
    pub version: String,
    /// `on` if it takes the place of what is there.
    pub replace: String,
}

/// An upload, before it becomes a version.
#[derive(Debug)]
pub struct ArtifactView {
    /// For whom.
    pub organization: Organization,
    /// What it is called.
    pub name: PackageName,
    /// From composer.json; may be empty.
    pub description: String,
    /// What composer.json says its version is.
    pub version: Option<String>,
    /// The packages that it requires, with their constraints.
    pub requires: Vec<(String, String)>,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Files and folders in it.
    pub entries: usize,
    /// Whether a zip is made of it.
    pub is_tar: bool,
    /// SHA-1 of the file.
    pub shasum: String,
    /// What is not as it should be, and does not stop it; a sentence each.
    pub notes: Vec<String>,
    /// Whether the organization has no package of this name yet.
    pub is_new: bool,
    /// The version whose place it would take.
    pub replaces: Option<Version>,
    /// Why it cannot be saved, whatever is typed.
    pub refusal: Option<String>,
}

/// A version that was stored.
#[derive(Debug)]
pub(crate) struct Stored {
    package_id: PackageId,
    version_id: VersionId,
    version: String,
    shasum: String,
    is_changed: bool,
}

impl App {
    /// Lets somebody upload an archive: a place for its bytes.
    pub async fn artifact_begin(&self, actor: &Actor, short_name: &str) -> Result<Upload, Failure> {
        self.organization_extended(actor, short_name).await?;
        self.upload_begin()
    }

    /// Looks at a file that came in. One that is refused is gone; of any other, the secret is returned under which it waits.
    pub async fn artifact_receive(&self, upload: Upload) -> Result<String, Failure> {
        let file = upload.finish().await?;
        self.artifact_read(file.to_path_buf()).await?;
        self.upload_keep(file)
    }

    /// An upload that waits, and what would become of it.
    pub async fn artifact_show(
        &self,
        actor: &Actor,
        short_name: &str,
        upload: &str,
    ) -> Result<ArtifactView, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let artifact = self.artifact_read(self.upload_find(upload)?).await?;
        let own = artifact.own_version();
        let known = self.storage.package_find_by_name(organization.id, &artifact.name).await?;
        let known = known.filter(|known| !known.is_mirrored());
        let refusal = match &known {
            Some(holder) if holder.origin != Origin::Artifact => Some(self.name_is_held(holder).await?),
            _ => None,
        };
        let replaces = match (&known, artifact.version("", self.clock.now())) {
            (Some(package), Ok(found)) => {
                let versions = self.storage.version_list(package.id).await?;
                versions.into_iter().find(|version| is_replaced(version, &found))
            }
            _ => None,
        };
        Ok(ArtifactView {
            organization,
            description: artifact.manifest.description(),
            requires: requires(&artifact.manifest),
            size_bytes: artifact.inspected.size_bytes,
            entries: artifact.inspected.entries,
            is_tar: artifact.inspected.kind != crate::archive::ArchiveKind::Zip,
            notes: artifact.notes(own.as_deref().unwrap_or("1.0.0"), self.clock.now()),
            is_new: known.is_none(),
            version: own,
            name: artifact.name,
            shasum: artifact.commit,
            replaces,
            refusal,
        })
    }

    /// Makes an upload a version.
    pub async fn artifact_save(
        &self,
        actor: &Actor,
        short_name: &str,
        upload: &str,
        form: &ArtifactForm,
    ) -> Result<PackageId, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let file = self.upload_find(upload)?;
        let artifact = self.artifact_read(file.clone()).await?;
        let found = artifact.version(&form.version, self.clock.now())?;
        let packed = self.artifact_pack(file.clone(), &artifact).await?;
        let stored = self
            .artifact_store(organization.id, (&artifact, found, &packed), !form.replace.is_empty())
            .await?;
        // What waits longer than a day goes by itself.
        let _ = std::fs::remove_file(file);
        if stored.is_changed {
            let action = format!("uploaded {} {}", artifact.name, stored.version);
            self.log_by(actor, Some(organization.id), action).await?;
        }
        Ok(stored.package_id)
    }

    /// Forgets an upload that nobody wants.
    pub async fn artifact_discard(
        &self,
        actor: &Actor,
        short_name: &str,
        upload: &str,
    ) -> Result<(), Failure> {
        self.organization_extended(actor, short_name).await?;
        std::fs::remove_file(self.upload_find(upload)?).map_err(Failure::Disk)
    }

    /// Takes an uploaded version out of the metadata. Its zip stays, for lock files.
    pub async fn artifact_remove(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
        version: VersionId,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        if package.origin != Origin::Artifact {
            return Err(Failure::NotFound("artifact"));
        }
        let txn = self.storage.begin().await?;
        let package = txn.package_lock(id).await?.ok_or(Failure::NotFound("package"))?;
        let mut versions = txn.version_list(id).await?;
        versions.retain(|version| version.removed_at.is_none());
        let gone =
            versions.iter().find(|it| it.id == version).ok_or(Failure::NotFound("version"))?.version.clone();
        let found = versions.iter().filter(|it| it.id != version).map(found_again).collect();
        self.artifact_publish(&txn, package.clone(), found).await?;
        txn.commit().await?;
        let action = format!("removed the version {gone} of {}", package.title(None));
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Stores a version with its zip, all or nothing.
    async fn artifact_store(
        &self,
        organization: OrganizationId,
        (artifact, found, packed): (&Artifact, VersionFound, &read::Packed),
        may_replace: bool,
    ) -> Result<Stored, Failure> {
        // A blob that no version has is swept by and by.
        self.blobs.put_file(&packed.digest, packed.path()).await?;
        let txn = self.storage.begin().await?;
        let package = self.artifact_package(&txn, organization, &artifact.name).await?;
        let mut versions = txn.version_list(package.id).await?;
        versions.retain(|version| version.removed_at.is_none());
        let before = versions.iter().find(|version| version.normalized == found.normalized);
        if before.is_some_and(|before| is_replaced(before, &found)) && !may_replace {
            return Err(Failure::invalid(
                "replace",
                format!(
                    "{} {} is here already, with other bytes. Choose another version, or say that it is to be replaced: lock files that \
                     have the older archive still get it.",
                    artifact.name, found.version
                ),
            ));
        }
        let is_changed = before.is_none_or(|before| before.commit != found.commit);
        let (normalized, version) = (found.normalized.clone(), found.version.clone());
        let mut all: Vec<VersionFound> =
            versions.iter().filter(|version| version.normalized != normalized).map(found_again).collect();
        all.push(match before.filter(|_| !is_changed) {
            Some(same) => found_again(same),
            None => found,
        });
        let dist = Dist {
            package_id: package.id,
            commit: artifact.commit.clone(),
            digest: packed.digest.clone(),
            shasum: packed.shasum.clone(),
            size_bytes: packed.size_bytes,
            created_at: Some(self.clock.now()),
        };
        txn.dist_insert(&dist).await?;
        let package_id = package.id;
        self.artifact_publish(&txn, package, all).await?;
        let stored = txn.version_list(package_id).await?;
        let version_id = stored.iter().find(|it| it.normalized == normalized).map(|it| it.id);
        let version_id = version_id.ok_or(Failure::NotFound("version"))?;
        txn.commit().await?;
        self.readme_keep(package_id, &artifact.commit, packed.path()).await?;
        Ok(Stored { package_id, version_id, version, shasum: packed.shasum.clone(), is_changed })
    }

    /// The package of this name whose versions are uploaded; a new one, if there is none.
    async fn artifact_package(
        &self,
        txn: &Transaction,
        organization: OrganizationId,
        name: &PackageName,
    ) -> Result<Package, Failure> {
        match self.name_claim(txn, organization, name).await? {
            Some(holder) if holder.origin == Origin::Artifact => {
                txn.package_lock(holder.id).await?.ok_or(Failure::NotFound("package"))
            }
            Some(holder) => Err(Failure::invalid("file", self.name_is_held(&holder).await?)),
            None => {
                let package = Package::new(entropy::id(), organization, Origin::Artifact, self.clock.now());
                let package = Package { name: Some(name.clone()), ..package };
                txn.package_insert(&package).await?;
                Ok(package)
            }
        }
    }

    /// Publishes these versions and no others. The newest of them says what the package is.
    async fn artifact_publish(
        &self,
        txn: &Transaction,
        package: Package,
        versions: Vec<VersionFound>,
    ) -> Result<(), Failure> {
        let newest = versions
            .iter()
            .max_by(|a, b| b.is_dev.cmp(&a.is_dev).then_with(|| compare(&a.normalized, &b.normalized)));
        let manifest = newest.and_then(|newest| Manifest::parse(newest.manifest.as_bytes()).ok());
        let (description, abandoned) = match manifest {
            Some(manifest) => (manifest.description(), manifest.abandoned()),
            None => (package.description.clone(), package.abandoned.clone()),
        };
        let package = Package { description, abandoned, ..package };
        txn.package_update(&package).await?;
        self.versions_store(txn, package.id, &versions).await?;
        self.documents_publish(txn, package.id).await
    }

    /// Why a name cannot be taken.
    pub(crate) async fn name_is_held(&self, holder: &Package) -> Result<String, Failure> {
        let name = holder.title(None);
        let place = match self.source_of(holder).await? {
            Some(_) => "from a git repository".to_owned(),
            None => format!("as {}", holder.place(None)),
        };
        Ok(format!(
            "The organization has {name} already, {place}. Delete that package first, or choose another name in composer.json."
        ))
    }
}

/// Whether a version that is there would be another one afterwards.
fn is_replaced(version: &Version, found: &VersionFound) -> bool {
    version.removed_at.is_none() && version.normalized == found.normalized && version.commit != found.commit
}

/// A version that stays as it is.
fn found_again(version: &Version) -> VersionFound {
    VersionFound {
        version: version.version.clone(),
        normalized: version.normalized.clone(),
        is_dev: Stability::of(&version.normalized) == Stability::Dev,
        is_default_branch: version.is_default_branch,
        reference_name: version.reference_name.clone(),
        commit: version.commit.clone(),
        archive: version.archive.clone(),
        released_at: version.released_at,
        published_at: None,
        manifest: version.manifest.clone(),
    }
}

/// What a composer.json requires.
fn requires(manifest: &Manifest) -> Vec<(String, String)> {
    let requires = manifest.get("require").and_then(|value| value.as_object());
    let link = |(name, constraint): (&String, &serde_json::Value)| {
        (name.clone(), constraint.as_str().unwrap_or_default().to_owned())
    };
    requires.into_iter().flatten().map(link).collect()
}
