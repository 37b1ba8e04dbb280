//! Databases to test on, and people and packages to fill them with.
//!
//! Each test has a database of its own: a SQLite file or, if `STAVE_TEST_DATABASE_URL` names a PostgreSQL server and a
//! user who may make databases, a database there. It is gone when the test is over.

pub(crate) mod synchronization;
pub(crate) mod website;

use crate::Storage;
use sqlx::{Connection, PgConnection};
use stave_domain::{
    Secret, Timestamp,
    credential::{CredentialKind, StoredCredential},
    id::{OrganizationId, PackageId, UserId},
    identity::Identity,
    integration::{ApiTimeout, Client, Integration, Platform},
    login::Login,
    organization::{Member, Organization, Role},
    package::{Origin, Package},
    repository::{Layout, Repository, SourceAccess},
    secret::{Sealed, SecretHash},
    user::User,
};
use std::{
    env,
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// A database that no Stave has seen.
pub(crate) struct TestDatabase {
    pub(crate) url: Secret,
    place: Place,
}

enum Place {
    Folder(TempDir),
    Server { server: Url, database: String },
}

/// A fresh database, opened.
pub(crate) struct TestStorage {
    storage: Storage,
    pub(crate) database: TestDatabase,
}

impl Deref for TestStorage {
    type Target = Storage;

    fn deref(&self) -> &Storage {
        &self.storage
    }
}

pub(crate) async fn test_storage() -> TestStorage {
    let database = test_database().await;
    TestStorage { storage: Storage::open(&database.url).await.unwrap(), database }
}

pub(crate) async fn test_database() -> TestDatabase {
    static DATABASES: AtomicU64 = AtomicU64::new(0);
    let Ok(server) = env::var("STAVE_TEST_DATABASE_URL") else {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a new folder/stave.sqlite");
        return TestDatabase {
            url: Secret::new(format!("sqlite://{}", file.display())),
            place: Place::Folder(folder),
        };
    };
    let server: Url = server
        .parse()
        .expect("STAVE_TEST_DATABASE_URL is a URL such as postgres://postgres@127.0.0.1/postgres");
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let database = format!("stave_storage_test_{}_{number}", std::process::id());
    run_on(&server, &format!("CREATE DATABASE {database} TEMPLATE template0")).await;
    let mut url = server.clone();
    url.set_path(&database);
    TestDatabase { url: Secret::new(url.as_str()), place: Place::Server { server, database } }
}

impl TestDatabase {
    /// Runs a statement behind the back of Stave.
    pub(crate) async fn run(&self, statement: &str) {
        match &self.place {
            Place::Server { .. } => run_on(&self.url.expose().parse().unwrap(), statement).await,
            Place::Folder(folder) => {
                let file = folder.path().join("a new folder/stave.sqlite");
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
                let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server { server, database } = &self.place else { return };
        let (server, statement) = (server.clone(), format!("DROP DATABASE {database} WITH (FORCE)"));
        // A drop cannot wait, so a thread of its own does.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run_on(&server, &statement));
        });
        dropped.join().unwrap();
    }
}

async fn run_on(server: &Url, statement: &str) {
    let mut conn = PgConnection::connect(server.as_str()).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// An id that sorts after those with a lower number.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

/// So many seconds after the beginning of all tests.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn user(number: u128, username: &str) -> User {
    User {
        id: id(number),
        username: username.parse().unwrap(),
        name: String::new(),
        email: None,
        email_verified: false,
        is_admin: false,
        created_at: at(0),
    }
}

pub(crate) fn organization(number: u128, short_name: &str) -> Organization {
    Organization {
        id: id(number),
        short_name: short_name.parse().unwrap(),
        name: short_name.to_uppercase(),
        enforced: None,
        deactivates_found: false,
        created_at: at(0),
    }
}

/// Somebody to whom this role was given.
pub(crate) fn member(organization: OrganizationId, user: UserId, role: Role) -> Member {
    Member {
        organization_id: organization,
        user_id: user,
        role,
        given: Some(role),
        is_active: true,
        joined_at: at(0),
    }
}

/// A secret for bitbucket.org that does not expire.
pub(crate) fn credential(number: u128, organization: OrganizationId) -> StoredCredential {
    StoredCredential {
        id: id(number),
        organization_id: organization,
        description: format!("credential {number}"),
        host: "bitbucket.org".into(),
        kind: CredentialKind::AccessToken,
        username: "x-token-auth".into(),
        secret: Sealed(vec![1, 2, 3]),
        created_at: at(0),
        expires_at: None,
        checked_at: None,
        last_error: None,
        warned_at: None,
        seen: None,
    }
}

pub(crate) fn repository(number: u128, organization: OrganizationId) -> Repository {
    Repository {
        id: id(number),
        organization_id: organization,
        source: format!("https://bitbucket.org/x/source-{number}").parse().unwrap(),
        access: SourceAccess::Public,
        layout: Layout::Root,
        followed: None,
        created_at: at(0),
        checked_at: None,
        last_error: None,
    }
}

/// In the repository of the same number.
pub(crate) fn package(number: u128, organization: OrganizationId, name: &str) -> Package {
    Package {
        id: id(number),
        organization_id: organization,
        origin: Origin::root_of(id(number)),
        name: Some(name.parse().unwrap()),
        description: String::new(),
        abandoned: None,
        given_up: None,
        is_restricted: false,
        problem: None,
        created_at: at(0),
    }
}

/// Stores a package and the repository that it is in.
pub(crate) async fn package_store(storage: &Storage, package: &Package) {
    if let Some(repository_id) = package.repository_id() {
        let number = Uuid::from(repository_id).as_u128();
        storage.repository_insert(&repository(number, package.organization_id)).await.unwrap();
    }
    storage.package_insert(package).await.unwrap();
}

/// `acme` with the package `acme/mailer`.
pub(crate) async fn acme_mailer(storage: &Storage) -> (OrganizationId, PackageId) {
    let acme = organization(1, "acme");
    storage.organization_insert(&acme).await.unwrap();
    let mailer = package(1, acme.id, "acme/mailer");
    package_store(storage, &mailer).await;
    (acme.id, mailer.id)
}

/// The user `ada`.
pub(crate) async fn ada(storage: &Storage) -> UserId {
    let ada = user(1, "ada");
    storage.user_insert(&ada, None).await.unwrap();
    ada.id
}

/// A browser that signed in `number` seconds after the beginning.
pub(crate) fn login(number: u8, user: UserId) -> Login {
    Login {
        id: id(number.into()),
        user_id: user,
        secret_hash: SecretHash([number; 32]),
        method: "Bitbucket".into(),
        integration_id: None,
        proven_id: None,
        user_agent: "Firefox".into(),
        address: "127.0.0.1".into(),
        created_at: at(number.into()),
        seen_at: at(number.into()),
    }
}

pub(crate) fn integration(number: u128, slug: &str) -> Integration {
    Integration {
        id: id(number),
        slug: slug.parse().unwrap(),
        organization_id: None,
        name: "Bitbucket".into(),
        platform: Platform::BitbucketCloud,
        base_url: "https://bitbucket.org".parse().unwrap(),
        client: Client::OAuth2 { id: "key".into(), secret: Sealed(vec![1, 2, 3]) },
        previous: None,
        trust_email: false,
        api_timeout: ApiTimeout(None),
        missing_permissions: None,
        last_error: None,
        seen: None,
        created_at: at(0),
    }
}

/// An account that a user has connected at the integration 1.
pub(crate) fn identity(number: u128, user: UserId, external_id: &str) -> Identity {
    Identity {
        id: id(number),
        user_id: user,
        integration_id: id(1),
        external_id: external_id.into(),
        handle: "ada".into(),
        display_name: String::new(),
        grant: Sealed(vec![9]),
        client_id: "key".into(),
        grant_revision: 1,
        broken_because: None,
        connected_at: at(0),
    }
}

/// A user's account `{1}` at the integration `bitbucket`.
pub(crate) async fn connected(storage: &Storage, user: UserId) -> Identity {
    storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
    let identity = identity(1, user, "{1}");
    storage.identity_insert(&identity).await.unwrap();
    identity
}
