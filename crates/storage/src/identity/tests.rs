//! Connected accounts, on whichever engine the tests run.

use crate::{
    StorageError,
    testing::{acme_mailer, ada, at, connected, id, integration, test_storage, user},
};
use stave_domain::{
    identity::{Identity, RemoteProfile},
    repository::SourceAccess,
    secret::Sealed,
};
use std::slice;

fn profile(external_id: &str, handle: &str, display_name: &str) -> RemoteProfile {
    RemoteProfile {
        external_id: external_id.into(),
        handle: handle.into(),
        display_name: display_name.into(),
        email: None,
        second_id: None,
        picture: None,
        emails: Vec::new(),
    }
}

#[tokio::test]
async fn an_account_is_known_by_the_platforms_id() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    let found = storage.identity_find_by_external(identity.integration_id, "{1}").await.unwrap();
    assert_eq!(found.as_ref(), Some(&identity));
    assert_eq!(storage.identity_find_by_external(identity.integration_id, "{2}").await.unwrap(), None);
    assert_eq!(storage.identity_find_by_external(id(99), "{1}").await.unwrap(), None);
    assert_eq!(storage.identity_list_of_user(identity.user_id).await.unwrap(), slice::from_ref(&identity));
    assert_eq!(storage.identity_count(identity.integration_id).await.unwrap(), 1);
    let with_integration = storage.identity_list_with_integration(identity.user_id).await.unwrap();
    assert_eq!(with_integration, [(identity.clone(), integration(1, "bitbucket"))]);
    assert_eq!(storage.identity_list_with_integration(id(99)).await.unwrap(), []);
    let mut twin = identity;
    twin.id = id(2);
    let twin = storage.identity_insert(&twin).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
}

#[tokio::test]
async fn of_two_refreshes_at_a_time_one_is_stored() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    let revision = identity.grant_revision;
    assert!(storage.identity_grant_update(identity.id, revision, &Sealed(vec![1])).await.unwrap());
    assert!(!storage.identity_grant_update(identity.id, revision, &Sealed(vec![2])).await.unwrap());
    assert_eq!(storage.identity_find(identity.id).await.unwrap().unwrap().grant, Sealed(vec![1]));
}

#[tokio::test]
async fn of_all_nodes_one_refreshes_a_grant() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    let claim = async |revision, now, until| {
        storage.identity_refresh_claim(identity.id, revision, at(now), at(until)).await.unwrap()
    };
    let revision = identity.grant_revision;
    assert!(claim(revision, 0, 30).await);
    assert!(!claim(revision, 1, 31).await, "somebody has it");
    assert!(!claim(revision, 29, 59).await);
    assert!(claim(revision, 30, 60).await, "whoever had it died");
    storage.identity_refresh_release(identity.id, revision).await.unwrap();
    assert!(claim(revision, 31, 60).await, "whoever had it gave it back");
    assert!(storage.identity_grant_update(identity.id, revision, &Sealed(vec![1])).await.unwrap());
    assert!(!claim(revision, 31, 61).await, "this grant is not the newest");
    assert!(claim(revision + 1, 31, 61).await);
    let profile = profile("{1}", "ada", "Ada");
    storage.identity_signed_in(identity.id, &profile, "key", &Sealed(vec![2])).await.unwrap();
    assert!(claim(revision + 2, 32, 62).await);
    storage.identity_replace(identity.id, &profile, "key", &Sealed(vec![3])).await.unwrap();
    assert!(claim(revision + 3, 33, 63).await);
}

#[tokio::test]
async fn signing_in_again_mends_a_broken_account() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    let revision = identity.grant_revision;
    assert!(storage.identity_broken(identity.id, revision, "Access was withdrawn.").await.unwrap());
    let broken = storage.identity_find(identity.id).await.unwrap().unwrap();
    assert_eq!(broken.broken_because.as_deref(), Some("Access was withdrawn."));
    let profile = profile("{1}", "ada2", "Ada");
    storage.identity_signed_in(identity.id, &profile, "new key", &Sealed(vec![7])).await.unwrap();
    let mended = storage.identity_find(identity.id).await.unwrap().unwrap();
    assert_eq!((mended.handle.as_str(), mended.display_name.as_str()), ("ada2", "Ada"));
    assert_eq!((mended.grant, mended.broken_because), (Sealed(vec![7]), None));
    assert_eq!(mended.client_id, "new key");
    assert_eq!(mended.grant_revision, revision + 1);
    // Who read the old grant and failed with it has nothing to say about the new one.
    assert!(!storage.identity_broken(identity.id, revision, "Too late.").await.unwrap());
    let working = storage.identity_find(identity.id).await.unwrap().unwrap();
    assert_eq!(working.broken_because, None);
}

#[tokio::test]
async fn another_account_takes_the_place_of_one() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    storage.user_insert(&user(2, "bob"), None).await.unwrap();
    let bobs = Identity { id: id(2), user_id: id(2), external_id: "{2}".into(), ..identity.clone() };
    storage.identity_insert(&bobs).await.unwrap();
    storage.identity_broken(identity.id, 1, "Access was withdrawn.").await.unwrap();
    let replace = async |external_id| {
        let profile = profile(external_id, "ada3", "Ada the Third");
        storage.identity_replace(identity.id, &profile, "new key", &Sealed(vec![7])).await
    };
    let taken = replace("{2}").await;
    assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
    replace("{3}").await.unwrap();
    let replaced = Identity {
        external_id: "{3}".into(),
        handle: "ada3".into(),
        display_name: "Ada the Third".into(),
        grant: Sealed(vec![7]),
        client_id: "new key".into(),
        grant_revision: identity.grant_revision + 1,
        ..identity.clone()
    };
    assert_eq!(storage.identity_list_of_user(identity.user_id).await.unwrap(), [replaced]);
    assert_eq!(storage.identity_find(bobs.id).await.unwrap(), Some(bobs));
    // Whoever signed in with the account before comes too late: its grant does not belong here any more.
    let before = profile("{1}", "ada", "");
    let late = storage.identity_signed_in(identity.id, &before, "key", &Sealed(vec![8])).await;
    assert!(matches!(late, Err(StorageError::Detached)), "{late:?}");
    storage.identity_delete(identity.id).await.unwrap();
    let gone = replace("{4}").await;
    assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
}

#[tokio::test]
async fn accounts_are_counted_by_the_client_that_they_came_through() {
    let storage = test_storage().await;
    let identity = connected(&storage, ada(&storage).await).await;
    storage.integration_insert(&integration(2, "other")).await.unwrap();
    for (number, at_integration, client_id) in [(2, 1, "key"), (3, 1, "new key"), (4, 2, "key")] {
        let another = Identity {
            id: id(number),
            integration_id: id(at_integration),
            external_id: format!("{{{number}}}"),
            client_id: client_id.into(),
            connected_at: at(i64::try_from(number).unwrap()),
            ..identity.clone()
        };
        storage.identity_insert(&another).await.unwrap();
    }
    let count =
        async |number, client_id| storage.identity_count_by_client(id(number), client_id).await.unwrap();
    assert_eq!((count(1, "key").await, count(1, "new key").await, count(2, "key").await), (2, 1, 1));
    assert_eq!((count(2, "new key").await, count(1, "").await), (0, 0));
    let found = async |integration| {
        let found = storage.identity_find_of_user(identity.user_id, integration).await.unwrap();
        found.map(|identity| identity.id)
    };
    assert_eq!(found(id(1)).await, Some(identity.id), "the oldest");
    assert_eq!(found(id(2)).await, Some(id(4)));
    assert_eq!(found(id(3)).await, None);
    assert_eq!(storage.identity_find_of_user(id(99), id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_repository_read_as_somebody_who_leaves_does_not_become_public() {
    let storage = test_storage().await;
    let (_, mailer) = acme_mailer(&storage).await;
    let identity = connected(&storage, ada(&storage).await).await;
    let mut repository = storage.repository_find(id(1)).await.unwrap().unwrap();
    repository.access = SourceAccess::Account(identity.id);
    repository.checked_at = Some(at(5));
    storage.repository_update(&repository).await.unwrap();
    let of_integration = storage.package_list_of_integration(identity.integration_id).await.unwrap();
    let package = storage.package_find(mailer).await.unwrap().unwrap();
    assert_eq!(of_integration, [(package, Some(repository.clone()))]);
    assert_eq!(storage.package_list_of_integration(id(99)).await.unwrap(), []);
    storage.user_delete(identity.user_id).await.unwrap();
    assert_eq!(storage.identity_find(identity.id).await.unwrap(), None);
    repository.access = SourceAccess::AccountGone;
    assert_eq!(storage.repository_find(id(1)).await.unwrap(), Some(repository.clone()));
    // And stays so when it is stored again.
    storage.repository_update(&repository).await.unwrap();
    assert_eq!(storage.repository_find(id(1)).await.unwrap().unwrap().access, SourceAccess::AccountGone);
}

#[tokio::test]
async fn an_account_belongs_to_a_user() {
    let storage = test_storage().await;
    let mut identity = connected(&storage, ada(&storage).await).await;
    identity.id = id(2);
    identity.external_id = "{2}".into();
    identity.user_id = user(77, "nobody").id;
    let orphan = storage.identity_insert(&identity).await;
    assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
}
