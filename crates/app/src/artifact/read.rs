//! What an uploaded archive is: its composer.json, and which version it makes.

use crate::{
    App, Failure,
    archive::{self, ArchiveKind, Inspected},
    artifact::upload::released_at,
    dist::{checksums, top_directory},
};
use stave_domain::{
    Invalid, Timestamp,
    composer::{
        Manifest,
        check::{Severity, check, unpublishable},
    },
    package::PackageName,
    version::{Archive, Stability, VersionFound, normalize},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// An archive that was read.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) manifest: Manifest,
    pub(super) name: PackageName,
    pub(super) inspected: Inspected,
    /// SHA-1 of the file as it was uploaded: what its version is known by.
    pub(super) commit: String,
}

impl Artifact {
    /// What composer.json itself says its version is.
    pub(super) fn own_version(&self) -> Option<String> {
        self.manifest.version().filter(|version| !version.is_empty())
    }

    /// The version that it makes: as composer.json says, else as somebody typed.
    pub(super) fn version(&self, typed: &str, now: Timestamp) -> Result<VersionFound, Failure> {
        let version = self
            .version_name(typed.trim())
            .map_err(|Invalid(sentence)| Failure::invalid("version", sentence))?;
        let normalized =
            normalize(&version).map_err(|Invalid(sentence)| Failure::invalid("version", sentence))?;
        if let Some(problem) = unpublishable(&self.manifest) {
            let sentence =
                format!("composer.json, {}: {} No client could install it.", problem.field, problem.sentence);
            return Err(Failure::invalid("file", sentence));
        }
        Ok(VersionFound {
            is_dev: Stability::of(&normalized) == Stability::Dev,
            is_default_branch: false,
            reference_name: version.clone(),
            version,
            normalized,
            commit: self.commit.clone(),
            archive: Archive::Upload,
            released_at: released_at(self.manifest.time(), now),
            published_at: None,
            manifest: self.manifest.served(&self.name),
        })
    }

    fn version_name(&self, typed: &str) -> Result<String, Invalid> {
        match (self.own_version(), typed) {
            (None, "") => {
                Err(Invalid::because("Its composer.json names no version. Type one, such as 1.2.0."))
            }
            (None, typed) => Ok(typed.to_owned()),
            (Some(own), "") => Ok(own),
            (Some(own), typed) if normalize(&own)? == normalize(typed)? => Ok(own),
            (Some(own), _) => Err(Invalid::because(format!(
                "Its composer.json says that it is version {own}. Leave this as it is, or change composer.json and upload the archive \
                 once more."
            ))),
        }
    }

    /// What public registries would refuse, or what does not mean what its author thinks.
    pub(super) fn notes(&self, version: &str, now: Timestamp) -> Vec<String> {
        let manifest = self.manifest.clone().with("version", version);
        let problems = check(&manifest, now).into_iter().filter(|problem| problem.severity < Severity::Fatal);
        problems.map(|problem| format!("{}: {}", problem.field, problem.sentence)).collect()
    }
}

impl App {
    /// Reads an uploaded archive, on a thread for that.
    pub(super) async fn artifact_read(&self, file: PathBuf) -> Result<Artifact, Failure> {
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(move || read(&file)).await.map_err(Failure::internal)?
    }

    /// The zip that is served: the file itself or, of a tar, a zip with what is in it.
    pub(super) async fn artifact_pack(&self, file: PathBuf, artifact: &Artifact) -> Result<Packed, Failure> {
        let (kind, top, folder) =
            (artifact.inspected.kind, top_directory(&artifact.commit), self.data.join("tmp"));
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let work = move || {
            if kind == ArchiveKind::Zip {
                return packed(Zip::AsItCame(file));
            }
            packed(Zip::Made(archive::to_zip(&file, &top, &folder)?))
        };
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?
    }
}

/// The zip of a version, still outside the blob store.
pub(super) struct Packed {
    zip: Zip,
    pub(super) digest: String,
    pub(super) shasum: String,
    pub(super) size_bytes: u64,
}

enum Zip {
    AsItCame(PathBuf),
    Made(NamedTempFile),
}

impl Packed {
    pub(super) fn path(&self) -> &Path {
        match &self.zip {
            Zip::AsItCame(path) => path,
            Zip::Made(file) => file.path(),
        }
    }
}

fn packed(zip: Zip) -> Result<Packed, Failure> {
    let path = match &zip {
        Zip::AsItCame(path) => path.as_path(),
        Zip::Made(file) => file.path(),
    };
    let mut file = File::open(path).map_err(Failure::Disk)?;
    let (digest, shasum, size_bytes) = checksums(&mut file).map_err(Failure::Disk)?;
    Ok(Packed { zip, digest, shasum, size_bytes })
}

fn read(file: &Path) -> Result<Artifact, Failure> {
    let inspected = archive::check(file)?;
    let refuse = |sentence: String| Failure::invalid("file", sentence);
    let manifest = Manifest::parse(&inspected.manifest).map_err(|problem| {
        refuse(format!("Its composer.json {problem} Mend it, then pack the archive once more."))
    })?;
    let name = manifest
        .name()
        .ok_or_else(|| refuse("Its composer.json has no “name”. A package is called vendor/name.".into()))?;
    let name = name.parse().map_err(|Invalid(sentence)| {
        refuse(format!("Its composer.json has a name that cannot be used: {sentence}"))
    })?;
    let (_, commit, _) = checksums(&mut File::open(file).map_err(Failure::Disk)?).map_err(Failure::Disk)?;
    Ok(Artifact { manifest, name, inspected, commit })
}
