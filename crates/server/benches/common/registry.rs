//! A data folder with packages in it, as if they had been imported.

use sha2::{Digest as _, Sha256};
use stave_domain::{
    Secret, Timestamp,
    id::{OrganizationId, PackageId},
    mirror::{Adds, Mirror, MirrorRoot, MirrorTimeout},
    organization::Organization,
    package::{Document, Origin, Package, Patterns},
    secret::SecretHash,
    token::{Addresses, RANDOM_BYTES, Token, TokenAccess, TokenOwner},
    version::{Archive, Dist, Version},
};
use stave_storage::{Blobs, Storage};
use std::{path::Path, sync::Arc, time::SystemTime};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// Where `acme` is.
const ORGANIZATION: u128 = 1;

/// The organization `acme`, before any Stave serves it.
pub(crate) struct Registry {
    folder: TempDir,
    pub(crate) storage: Storage,
}

/// So many seconds after all of this began.
fn at(seconds: usize) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn organization() -> OrganizationId {
    Uuid::from_u128(ORGANIZATION).into()
}

/// 40 hex digits that nobody else has.
pub(crate) fn commit(package: &str, number: usize) -> String {
    let digest = Sha256::digest(format!("{package} {number}"));
    hex::encode(&digest[..20])
}

impl Registry {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}", folder.path().join("stave.sqlite").display()));
        let storage = Storage::open(&url).await.unwrap();
        let acme = Organization {
            id: organization(),
            short_name: "acme".parse().unwrap(),
            name: "Acme".into(),
            enforced: None,
            deactivates_found: false,
            created_at: at(0),
        };
        storage.organization_insert(&acme).await.unwrap();
        Self { folder, storage }
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A token of the organization that may read: all packages, or those of a pattern.
    pub(crate) async fn token(&self, number: u16, selection: Option<&str>) -> String {
        self.token_that_may(TokenAccess::Read, number, selection).await
    }

    /// A token that also brings in what is not here yet.
    pub(crate) async fn update_token(&self) -> String {
        self.token_that_may(TokenAccess::Update, u16::MAX, None).await
    }

    async fn token_that_may(&self, access: TokenAccess, number: u16, selection: Option<&str>) -> String {
        let owner = TokenOwner::Organization(organization());
        let mut random = [0; RANDOM_BYTES];
        random[..2].copy_from_slice(&number.to_be_bytes());
        let secret = owner.token(access, random);
        let token = Token {
            id: Uuid::from_u128(u128::from(number)).into(),
            owner,
            access,
            description: "bench".into(),
            secret_hash: SecretHash::of(&secret),
            created_at: at(0),
            expires_at: None,
            selection: selection.map(|text| Arc::new(text.parse::<Patterns>().unwrap())),
            addresses: Addresses::default(),
            used_at: None,
            used_from: None,
        };
        self.storage.token_insert(&token).await.unwrap();
        secret.expose().to_owned()
    }

    /// A package with so many versions. Stave publishes it when it starts.
    pub(crate) async fn package(&self, name: &str, count: usize) -> PackageId {
        let package = package(Uuid::from_u128(u128::from(crc(name))).into(), name);
        self.storage.package_insert(&package).await.unwrap();
        let versions: Vec<Version> = (0..count).map(|number| version(package.id, name, number)).collect();
        self.storage.version_upsert_many(&versions).await.unwrap();
        package.id
    }

    /// A Composer repository of somebody else, which says this of itself.
    pub(crate) async fn mirror(&self, url: &str, packages_json: &[u8]) {
        let url = Url::parse(url).unwrap();
        let mirror = Mirror {
            id: Uuid::from_u128(1).into(),
            organization_id: organization(),
            name: "Upstream".into(),
            root: Some(MirrorRoot::parse(&url, packages_json).unwrap()),
            url,
            credential_id: None,
            timeout: MirrorTimeout::default(),
            adds: Adds::Automatically,
            position: 0,
            changes_since: None,
            checked_at: Some(Timestamp::try_from(SystemTime::now()).unwrap()),
            last_error: None,
            failing_since: None,
            created_at: at(0),
        };
        self.storage.mirror_insert(&mirror).await.unwrap();
    }

    /// Packages `bulk/p0`, `bulk/p1`, .. with the bytes of one document each, published already.
    pub(crate) async fn packages_published(&self, count: usize, body_gzip: &[u8]) {
        for first in (0..count).step_by(2_000) {
            let txn = self.storage.begin().await.unwrap();
            for number in first..count.min(first + 2_000) {
                let package = package(Uuid::from_u128(1 << 64 | number as u128).into(), &bulk_name(number));
                txn.package_insert(&package).await.unwrap();
                let document = Document {
                    organization_id: organization(),
                    package_id: package.id,
                    name: package.name.unwrap(),
                    is_dev: false,
                    body_gzip: body_gzip.to_vec(),
                    modified_at: at(0),
                };
                txn.document_put(&document).await.unwrap();
            }
            txn.commit().await.unwrap();
        }
    }

    /// The zip of a package at a commit.
    pub(crate) async fn dist(&self, package: PackageId, commit: &str, bytes: &[u8]) {
        let digest = hex::encode(Sha256::digest(bytes));
        let blobs = Blobs::open(&self.path().join("blobs").display().to_string()).await.unwrap();
        let file = self.path().join("zip");
        std::fs::write(&file, bytes).unwrap();
        blobs.put_file(&digest, &file).await.unwrap();
        let dist = Dist {
            package_id: package,
            commit: commit.to_owned(),
            digest,
            shasum: "0".repeat(40),
            size_bytes: bytes.len() as u64,
            created_at: Some(at(0)),
        };
        self.storage.dist_insert(&dist).await.unwrap();
    }
}

pub(crate) fn bulk_name(number: usize) -> String {
    format!("bulk/p{number}")
}

fn crc(text: &str) -> u64 {
    u64::from_be_bytes(Sha256::digest(text)[..8].try_into().unwrap())
}

fn package(id: PackageId, name: &str) -> Package {
    Package { name: Some(name.parse().unwrap()), ..Package::new(id, organization(), Origin::Custom, at(0)) }
}

/// One of a long line of releases, of which each tenth has other requirements.
pub(crate) fn version(package_id: PackageId, name: &str, number: usize) -> Version {
    let (major, minor, patch) = (number / 100, number / 10 % 10, number % 10);
    let parts: Vec<String> = (0..8).map(|of| format!(r#""acme/part-{of}": "^{major}.{minor}","#)).collect();
    let require = parts.concat();
    let manifest = format!(
        r#"{{"description":"What every project needs, and some more","keywords":["log","mail"],"homepage":"https://acme.example",
        "license":["MIT"],"authors":[{{"name":"Ada Example","email":"ada@acme.example"}}],"type":"library",
        "require":{{{require}"php":">=8.{minor}"}},"autoload":{{"psr-4":{{"Acme\\Part\\":"src/"}}}}}}"#
    );
    Version {
        id: Uuid::from_u128(u128::from(crc(name)) << 32 | number as u128).into(),
        package_id,
        version: format!("v{major}.{minor}.{patch}"),
        normalized: format!("{major}.{minor}.{patch}.0"),
        is_dev: false,
        is_default_branch: false,
        reference_name: format!("v{major}.{minor}.{patch}"),
        commit: commit(name, number),
        archive: Archive::Commit,
        released_at: at(number),
        published_at: at(number),
        manifest,
        removed_at: None,
    }
}
