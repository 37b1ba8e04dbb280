//! What an older Stave stored is there after the steps that came later.

use super::Migrations;
use crate::{
    Storage, StorageError,
    testing::{
        TestDatabase, at, id, integration, login, member, organization, package, repository,
        synchronization::synchronization, test_database, user, website::website,
    },
};
use sea_orm::{ConnectOptions, Database};
use sea_orm_migration::MigratorTrait;
use stave_domain::{
    credential::CredentialKind,
    identity::Identity,
    integration::{ApiTimeout, Client, Integration, Permission},
    job::Job,
    log::LogFilter,
    login::{Attempt, Login, Purpose},
    organization::Role,
    package::Package,
    repository::{Repository, SourceAccess},
    run::RunState,
    secret::{Sealed, SecretHash},
    token::TokenOwner,
};

/// A database as the Stave left it that knew so many steps.
async fn database_after(steps: u32) -> TestDatabase {
    let database = test_database().await;
    database.run("SELECT 1").await;
    let options = ConnectOptions::new(database.url.expose()).max_connections(1).to_owned();
    let conn = Database::connect(options).await.unwrap();
    Migrations::up(&conn, Some(steps)).await.unwrap();
    conn.close().await.unwrap();
    database
}

/// An id, and 32 bytes, in the words of the database's engine.
fn literals(database: &TestDatabase) -> impl Fn(u8) -> (String, String) {
    let is_sqlite = database.url.expose().starts_with("sqlite:");
    move |number| {
        let (id, bytes) = (format!("{number:032x}"), format!("{number:02x}").repeat(32));
        if is_sqlite {
            (format!("X'{id}'"), format!("X'{bytes}'"))
        } else {
            (format!("'{id}'"), format!("'\\x{bytes}'"))
        }
    }
}

/// Fills the tables that the tenth step changes, as they were before it.
async fn fill_after_nine(database: &TestDatabase) {
    let [(id1, bytes1), (id2, bytes2), (id3, bytes3), (id4, bytes4)] = [1, 2, 3, 4].map(literals(database));
    let born = "1800000000000";
    for row in [
        format!("\"user\" VALUES ({id1}, 'ada', '', NULL, FALSE, FALSE, NULL, 'ada', {born})"),
        format!("organization VALUES ({id1}, 'acme', 'ACME', 'acme', {born})"),
        format!(
            "integration VALUES ({id1}, 'bitbucket', 'Bitbucket', 'bitbucket', 'https://bitbucket.org', 'key', {bytes1}, FALSE, NULL, 'email webhook', 'No.', {born})"
        ),
        format!(
            "integration VALUES ({id2}, 'twin', 'Twin', 'bitbucket', 'https://bitbucket.org', 'second', {bytes2}, TRUE, 5, NULL, NULL, {born})"
        ),
        format!(
            "integration VALUES ({id3}, 'other-twin', 'Twin', 'bitbucket', 'https://bitbucket.org', 'third', {bytes3}, FALSE, NULL, NULL, NULL, {born})"
        ),
        format!(
            "integration VALUES ({id4}, 'odd', 'password', 'bitbucket', 'https://bitbucket.org', 'fourth', {bytes4}, FALSE, NULL, NULL, NULL, {born})"
        ),
        format!("identity VALUES ({id1}, {id1}, {id1}, '{{1}}', 'ada', '', {bytes1}, 1, NULL, {born})"),
        format!("identity VALUES ({id2}, {id1}, {id2}, '{{1}}', 'ada', 'Ada', {bytes2}, 4, 'No.', {born})"),
        format!(
            "login VALUES ({id1}, {id1}, {bytes1}, 'Bitbucket', 'Firefox', '127.0.0.1', 1800000001000, 1800000001000)"
        ),
        format!(
            "login VALUES ({id2}, {id1}, {bytes2}, 'Twin', 'Firefox', '127.0.0.1', 1800000002000, 1800000002000)"
        ),
        format!(
            "login VALUES ({id3}, {id1}, {bytes3}, 'password', 'Firefox', '127.0.0.1', 1800000003000, 1800000003000)"
        ),
        format!("attempt VALUES ({bytes1}, {bytes2}, {id1}, '\"log_in\"', '/', {born})"),
    ] {
        database.run(&format!("INSERT INTO {row}")).await;
    }
}

#[tokio::test]
async fn the_tenth_step_keeps_what_is_there() {
    let database = database_after(9).await;
    fill_after_nine(&database).await;
    let storage = Storage::open(&database.url).await.unwrap();

    let client = |id: &str, number| Client::OAuth2 { id: id.into(), secret: Sealed(vec![number; 32]) };
    let known = |number, slug, name: &str, client| Integration {
        name: name.into(),
        client,
        ..integration(number, slug)
    };
    let bitbucket = Integration {
        missing_permissions: Some(vec![Permission::AccountEmail, Permission::WebhooksReadWrite]),
        last_error: Some("No.".into()),
        ..known(1, "bitbucket", "Bitbucket", client("key", 1))
    };
    let twin = Integration {
        trust_email: true,
        api_timeout: ApiTimeout(Some(5)),
        ..known(2, "twin", "Twin", client("second", 2))
    };
    let other_twin = known(3, "other-twin", "Twin", client("third", 3));
    let odd = known(4, "odd", "password", client("fourth", 4));
    assert_eq!(storage.integration_list_of(None).await.unwrap(), [bitbucket, twin, other_twin, odd]);

    let first = Identity {
        id: id(1),
        user_id: id(1),
        integration_id: id(1),
        external_id: "{1}".into(),
        handle: "ada".into(),
        display_name: String::new(),
        grant: Sealed(vec![1; 32]),
        client_id: "key".into(),
        grant_revision: 1,
        broken_because: None,
        connected_at: at(0),
    };
    let second = Identity {
        id: id(2),
        integration_id: id(2),
        display_name: "Ada".into(),
        grant: Sealed(vec![2; 32]),
        client_id: "second".into(),
        grant_revision: 4,
        broken_because: Some("No.".into()),
        ..first.clone()
    };
    assert_eq!(storage.identity_list_of_user(id(1)).await.unwrap(), [first, second]);

    // Which of two integrations of one name it was nobody knows, and a password is no integration's.
    let through_bitbucket = Login { integration_id: Some(id(1)), proven_id: Some(id(1)), ..login(1, id(1)) };
    let through_a_twin = Login { method: "Twin".into(), ..login(2, id(1)) };
    let by_password = Login { method: "password".into(), ..login(3, id(1)) };
    let logins = storage.login_list(id(1)).await.unwrap();
    assert_eq!(logins, [by_password, through_a_twin, through_bitbucket]);

    assert_eq!(storage.user_list("", 0, 9).await.unwrap(), [user(1, "ada")]);
    assert_eq!(storage.organization_list("", 0, 9).await.unwrap(), [organization(1, "acme")]);
}

#[tokio::test]
async fn after_the_tenth_step_trips_begin_again() {
    let database = database_after(9).await;
    fill_after_nine(&database).await;
    let storage = Storage::open(&database.url).await.unwrap();
    let state_hash = SecretHash([1; 32]);
    assert_eq!(storage.attempt_take(&state_hash).await.unwrap(), None);
    let attempt = Attempt {
        state_hash,
        browser_hash: SecretHash([2; 32]),
        integration_id: id(1),
        client_id: "key".into(),
        kept: Sealed(vec![]),
        purpose: Purpose::Check { started_at: at(1) },
        return_to: "/".into(),
        created_at: at(1),
    };
    storage.attempt_insert(&attempt).await.unwrap();
    assert_eq!(storage.attempt_take(&state_hash).await.unwrap(), Some(attempt));
}

#[tokio::test]
async fn the_eleventh_step_adds_websites_to_what_is_there() {
    let database = database_after(10).await;
    let (acme, _) = literals(&database)(1);
    let row = format!("organization VALUES ({acme}, 'acme', 'ACME', 'acme', 1800000000000, NULL)");
    database.run(&format!("INSERT INTO {row}")).await;
    let storage = Storage::open(&database.url).await.unwrap();
    assert_eq!(storage.organization_list("", 0, 9).await.unwrap(), [organization(1, "acme")]);
    let shop = website(1, "shop");
    storage.website_insert(&shop).await.unwrap();
    assert_eq!(storage.website_list(id(1)).await.unwrap(), [shop]);
}

/// Fills the tables that the twelfth step changes, as they were before it, and those that hang on them.
async fn fill_after_eleven(database: &TestDatabase) {
    let [(id1, bytes1), (id2, _), (id3, _)] = [1, 2, 3].map(literals(database));
    let (born, commit) = ("1800000000000", "a".repeat(40));
    for row in [
        format!("organization VALUES ({id1}, 'acme', 'ACME', 'acme', {born}, NULL)"),
        format!("credential VALUES ({id1}, {id1}, '', 'bitbucket.org', 'ada', {bytes1}, {born})"),
        format!(
            "package VALUES ({id1}, {id1}, 'acme/mailer', 'https://bitbucket.org/Acme/mailer', 'stored', NULL, {id1}, \
             'Sends', '', 'acme/mailer', {born}, 1800000005000, 'No.')"
        ),
        format!(
            "package VALUES ({id2}, {id1}, NULL, 'git@bitbucket.org:acme/new.git', 'organization_key', NULL, NULL, \
             '', NULL, '', {born}, NULL, NULL)"
        ),
        format!(
            "version VALUES ({id1}, '1.0.0.0', {id3}, 'v1.0', FALSE, FALSE, 'v1.0', '{commit}', {born}, {born}, '{{}}', NULL)"
        ),
        format!("publication VALUES ({id1}, '{commit}', '1.0.0.0', {born})"),
        format!("dist VALUES ({id1}, '{commit}', '{}', '{commit}', 5)", "b".repeat(64)),
        format!("document VALUES ({id1}, 'acme/mailer', FALSE, {id1}, {born}, {bytes1})"),
        format!("run VALUES ({id1}, {id1}, {born}, 'done', '', 0, 0, 1800000005000, 2, '', '[]')"),
        format!(
            "job VALUES ({id1}, 'update-package:00000000-0000-0000-0000-000000000001', \
             '{{\"kind\":\"update_package\",\"package\":\"00000000-0000-0000-0000-000000000001\"}}', 'waiting', 0, {born}, \
             NULL, NULL, NULL, {born})"
        ),
    ] {
        database.run(&format!("INSERT INTO {row}")).await;
    }
}

#[tokio::test]
async fn the_twelfth_step_gives_each_package_a_repository() {
    let database = database_after(11).await;
    fill_after_eleven(&database).await;
    let storage = Storage::open(&database.url).await.unwrap();

    let mailer = Package {
        description: "Sends".into(),
        abandoned: Some(String::new()),
        ..package(1, id(1), "acme/mailer")
    };
    let nameless = Package { name: None, ..package(2, id(1), "acme/new") };
    let of_mailer = Repository {
        source: "https://bitbucket.org/Acme/mailer".parse().unwrap(),
        access: SourceAccess::Stored(id(1)),
        checked_at: Some(at(5)),
        last_error: Some("No.".into()),
        ..repository(1, id(1))
    };
    let of_nameless = Repository {
        source: "git@bitbucket.org:acme/new.git".parse().unwrap(),
        access: SourceAccess::OrganizationKey,
        ..repository(2, id(1))
    };
    let list = storage.package_list(id(1), "", 0, 9).await.unwrap();
    assert_eq!(list, [(mailer.clone(), Some(of_mailer)), (nameless, Some(of_nameless))]);
    let found = storage.package_list(id(1), "org/acme/mailer", 0, 9).await.unwrap();
    assert_eq!(found.len(), 1, "its source is still found");

    // What hangs on a package was not lost when its table was made anew.
    let commit = "a".repeat(40);
    assert_eq!(storage.version_list(mailer.id).await.unwrap().len(), 1);
    assert!(storage.publication_find(mailer.id, &commit).await.unwrap().is_some());
    assert!(storage.dist_find(mailer.id, &commit).await.unwrap().is_some());
    assert!(storage.document_find(id(1), &mailer.name.unwrap(), false).await.unwrap().is_some());
    let run = storage.run_latest(id(1)).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Done { at: at(5), changes: 2 });

    let update = Job::UpdateRepository { repository: id(1) };
    assert_eq!(storage.job_pending(&update.key()).await.unwrap().len(), 1);
    let claimed = storage.job_claim("me", at(1), at(2)).await.unwrap().unwrap();
    assert_eq!(claimed.job, update);
}

#[tokio::test]
async fn after_the_twelfth_step_references_are_watched() {
    let database = database_after(11).await;
    fill_after_eleven(&database).await;
    let storage = Storage::open(&database.url).await.unwrap();
    let in_use = storage.credential_delete(id(1)).await;
    assert!(matches!(in_use, Err(StorageError::Detached)), "{in_use:?}");
    storage.repository_delete(id(1)).await.unwrap();
    assert_eq!(storage.version_list(id(1)).await.unwrap(), []);
    assert_eq!(storage.run_latest(id(1)).await.unwrap(), None);
    storage.credential_delete(id(1)).await.unwrap();
}

#[tokio::test]
async fn after_the_thirteenth_step_what_is_there_can_follow_a_workspace() {
    let database = database_after(12).await;
    let ([(id1, bytes1)], born) = ([1].map(literals(&database)), "1800000000000");
    for row in [
        format!("organization VALUES ({id1}, 'acme', 'ACME', 'acme', {born}, NULL)"),
        format!(
            "integration (id, slug, name, platform, base_url, client_id, client_secret, trust_email, created_at, oauth) \
             VALUES ({id1}, 'bitbucket', 'Bitbucket', 'bitbucket', 'https://bitbucket.org', 'key', {bytes1}, FALSE, {born}, '2')"
        ),
    ] {
        database.run(&format!("INSERT INTO {row}")).await;
    }
    let storage = Storage::open(&database.url).await.unwrap();
    let one = synchronization(1, "one");
    storage.synchronization_insert(&one).await.unwrap();
    assert_eq!(storage.synchronization_list_active().await.unwrap(), [one]);
}

#[tokio::test]
async fn the_fourteenth_step_keeps_what_is_there() {
    let database = database_after(13).await;
    let [(id1, bytes1), (id2, bytes2), (id3, bytes3)] = [1, 2, 3].map(literals(&database));
    let born = "1800000000000";
    let person = |username| format!("'{username}', '', NULL, FALSE, FALSE, NULL, '{username}', {born}");
    for row in [
        format!("\"user\" VALUES ({id1}, {})", person("ada")),
        format!("\"user\" VALUES ({id2}, {})", person("bob")),
        format!("organization VALUES ({id1}, 'acme', 'ACME', 'acme', {born}, NULL)"),
        format!("member VALUES ({id1}, {id1}, 'owner', {born})"),
        format!("member VALUES ({id1}, {id2}, 'member', {born})"),
        format!("credential VALUES ({id1}, {id1}, '', 'bitbucket.org', 'ada', {bytes1}, {born})"),
        format!("credential VALUES ({id2}, {id1}, '', 'bitbucket.org', 'x-token-auth', {bytes2}, {born})"),
        format!("credential VALUES ({id3}, {id1}, '', 'git.example.com', 'x-token-auth', {bytes3}, {born})"),
        format!("log VALUES ({id1}, {id1}, {id1}, 'Ada', 'deleted the package Acme/Mailer', {born})"),
        format!(
            "job VALUES ({id1}, 'publish-all', '{{\"kind\":\"publish_all\"}}', 'waiting', 2, {born}, NULL, NULL, 'No.', {born})"
        ),
    ] {
        database.run(&format!("INSERT INTO {row}")).await;
    }
    let storage = Storage::open(&database.url).await.unwrap();

    assert_eq!(storage.organization_list("", 0, 9).await.unwrap(), [organization(1, "acme")]);
    let [ada, bob] =
        [(1, Role::Owner), (2, Role::Member)].map(|(number, role)| member(id(1), id(number), role));
    let members = storage.member_list(id(1)).await.unwrap();
    assert_eq!(members, [(user(1, "ada"), ada), (user(2, "bob"), bob)]);

    let kinds: Vec<_> =
        storage.credential_list(id(1)).await.unwrap().into_iter().map(|credential| credential.kind).collect();
    let expected = [CredentialKind::Password, CredentialKind::AccessToken, CredentialKind::HttpAccessToken];
    assert_eq!(kinds, expected);

    let filter = LogFilter { actor: "ada".into(), action: "acme/".into(), ..LogFilter::default() };
    let lines = storage.log_list(Some(id(1)), &filter, None, 9).await.unwrap();
    assert_eq!((lines.len(), lines[0].address.as_str()), (1, ""));
    let job = storage.job_find(id(1)).await.unwrap().unwrap();
    assert_eq!((job.job, job.organization_id, job.pending.attempt), (Job::PublishAll, None, 2));
}

#[tokio::test]
async fn the_seventeenth_step_lets_tokens_do_what_they_did() {
    let database = database_after(14).await;
    let ([(id1, bytes1)], born) = ([1].map(literals(&database)), "1800000000000");
    for row in [
        format!(
            "organization (id, short_name, name, search, created_at, deactivates_found) VALUES ({id1}, 'acme', 'ACME', 'acme', {born}, FALSE)"
        ),
        format!("token VALUES ({id1}, NULL, {id1}, 'read', 'CI', {bytes1}, {born}, NULL, {born})"),
    ] {
        database.run(&format!("INSERT INTO {row}")).await;
    }
    let storage = Storage::open(&database.url).await.unwrap();
    let tokens = storage.token_list(TokenOwner::Organization(id(1))).await.unwrap();
    let [token] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert_eq!((token.selection.as_ref(), token.used_from), (None, None));
    assert!(token.addresses.is_everywhere());
}
