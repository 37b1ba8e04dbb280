//! Remembered repositories on whichever engine the tests run.

use super::RepositoryCounts;
use crate::{
    StorageError,
    testing::{
        at, id,
        synchronization::{acme_follows, remote_repository},
        test_storage,
    },
};
use stave_domain::{
    repository::Followed,
    synchronization::{Choice, KnownRepository, Manifest, RemoteRepository},
};

fn slugs(list: &[KnownRepository]) -> String {
    list.iter().map(|known| known.remote.slug.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_is_put_comes_back() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let mailer = remote_repository(2, "mailer");
    let bare = KnownRepository {
        remote: RemoteRepository {
            project: None,
            default_branch: None,
            is_archived: true,
            changed_at: None,
            ..remote_repository(1, "zoo").remote
        },
        manifest: Manifest::Unknown,
        looked_at: None,
        problem: Some("No.".into()),
        choice: Choice::Wanted,
        missing_since: Some(at(7)),
        ..remote_repository(1, "zoo")
    };
    storage.remote_repository_put_many(one, &[mailer.clone(), bare.clone()]).await.unwrap();
    storage.remote_repository_put_many(two, std::slice::from_ref(&mailer)).await.unwrap();
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), [bare.clone(), mailer.clone()]);

    let renamed = KnownRepository {
        remote: RemoteRepository { slug: "post".into(), is_archived: true, ..mailer.remote.clone() },
        manifest: Manifest::Absent,
        choice: Choice::Unwanted,
        ..mailer.clone()
    };
    let new = remote_repository(3, "log");
    storage.remote_repository_put_many(one, &[renamed.clone(), new.clone()]).await.unwrap();
    storage.remote_repository_put_many(one, &[]).await.unwrap();
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), [bare, renamed.clone(), new]);
    assert_eq!(storage.remote_repository_find(one, 2).await.unwrap().as_ref(), Some(&renamed));
    assert_eq!(storage.remote_repository_find(one, 9).await.unwrap(), None);
    let by_id =
        async |external_id: &str| storage.remote_repository_find_by_external(one, external_id).await.unwrap();
    assert_eq!(by_id("{r-2}").await, Some(renamed));
    assert_eq!(by_id("{r-9}").await, None);

    storage.remote_repository_delete_many(one, &[1, 2, 9].into()).await.unwrap();
    assert_eq!(slugs(&storage.remote_repository_list(one).await.unwrap()), "log");
    assert_eq!(storage.remote_repository_list(two).await.unwrap(), std::slice::from_ref(&mailer));
    let twin = KnownRepository { number: 7, ..mailer };
    let refused = storage.remote_repository_put_many(two, &[twin]).await;
    assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
}

#[tokio::test]
async fn a_page_is_searched() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let mut named = remote_repository(4, "a-name");
    named.remote.name = "The Ärgernis".into();
    named.remote.project = None;
    let all =
        [remote_repository(1, "mailer"), remote_repository(2, "log"), remote_repository(3, "zoo"), named];
    storage.remote_repository_put_many(one, &all).await.unwrap();
    storage.remote_repository_put_many(two, &[remote_repository(1, "other")]).await.unwrap();
    let page = async |search, offset, limit| {
        slugs(&storage.remote_repository_page(one, search, offset, limit).await.unwrap())
    };
    assert_eq!(page("", 0, 9).await, "a-name log mailer zoo");
    assert_eq!(page("", 1, 2).await, "log mailer");
    assert_eq!(page(" ärger", 0, 9).await, "a-name");
    assert_eq!(page("php", 0, 9).await, "log mailer zoo");
    assert_eq!(page("%", 0, 9).await, "");
}

#[tokio::test]
async fn looking_and_choosing() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let mailer = remote_repository(1, "mailer");
    for of in [one, two] {
        storage.remote_repository_put_many(of, std::slice::from_ref(&mailer)).await.unwrap();
    }
    let which = Followed { synchronization_id: one, number: 1 };
    storage.remote_repository_looked(which, Manifest::Unknown, at(8), Some("It is locked.")).await.unwrap();
    storage.remote_repository_choose(one, 1, Choice::Wanted).await.unwrap();
    let looked = KnownRepository {
        manifest: Manifest::Unknown,
        looked_at: Some(at(8)),
        problem: Some("It is locked.".into()),
        choice: Choice::Wanted,
        ..mailer.clone()
    };
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), std::slice::from_ref(&looked));
    storage.remote_repository_looked(which, Manifest::Absent, at(9), None).await.unwrap();
    let looked =
        KnownRepository { manifest: Manifest::Absent, looked_at: Some(at(9)), problem: None, ..looked };
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), [looked]);
    assert_eq!(storage.remote_repository_list(two).await.unwrap(), [mailer]);
    let nobodys = storage.remote_repository_choose(one, 9, Choice::Wanted).await;
    assert!(matches!(nobodys, Err(StorageError::Detached)), "{nobodys:?}");
}

#[tokio::test]
async fn what_is_to_be_looked_at() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    let known = |number, slug, manifest, looked: Option<i64>, changed: Option<i64>| {
        let known = remote_repository(number, slug);
        KnownRepository {
            remote: RemoteRepository { changed_at: changed.map(at), ..known.remote },
            manifest,
            looked_at: looked.map(at),
            ..known
        }
    };
    let unwanted =
        KnownRepository { choice: Choice::Unwanted, ..known(8, "unwanted", Manifest::Unknown, None, None) };
    let failed = KnownRepository {
        problem: Some("No.".into()),
        ..known(9, "failed", Manifest::Unknown, Some(99), None)
    };
    let all = [
        known(1, "changed", Manifest::Unknown, Some(40), Some(41)),
        known(2, "new", Manifest::Unknown, None, Some(1)),
        known(3, "present", Manifest::Present, Some(1), None),
        known(4, "absent-told", Manifest::Absent, Some(1), Some(1)),
        known(5, "absent-untold", Manifest::Absent, Some(29), None),
        known(6, "absent-lately", Manifest::Absent, Some(30), None),
        known(7, "newer", Manifest::Unknown, None, None),
        unwanted,
        failed,
    ];
    storage.remote_repository_put_many(one, &all).await.unwrap();
    let list =
        async |limit| slugs(&storage.remote_repository_list_unlooked(one, at(30), limit).await.unwrap());
    assert_eq!(list(9).await, "new newer absent-untold changed failed");
    assert_eq!(list(3).await, "new newer absent-untold");
    let counts = RepositoryCounts { all: 9, present: 1, absent: 3, unknown: 5, with_problem: 1 };
    assert_eq!(storage.remote_repository_counts(one).await.unwrap(), counts);
    assert_eq!(storage.remote_repository_counts(id(99)).await.unwrap(), RepositoryCounts::default());
}

#[tokio::test]
async fn three_thousand_are_one_matter() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    let all: Vec<_> = (1..=3_000).map(|number| remote_repository(number, &format!("r{number:04}"))).collect();
    storage.remote_repository_put_many(one, &all).await.unwrap();
    storage.remote_repository_put_many(one, &all).await.unwrap();
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), all);
    storage.remote_repository_delete_many(one, &(2..=40_000).collect()).await.unwrap();
    assert_eq!(storage.remote_repository_list(one).await.unwrap(), all[..1]);
}
