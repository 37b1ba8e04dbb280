//! Synchronizations on whichever engine the tests run.

use crate::{
    Storage, StorageError,
    testing::{
        ada, at, connected, credential, id, integration, organization,
        synchronization::{acme_follows, remote_person, remote_repository, synchronization},
        test_storage,
    },
};
use stave_domain::{
    id::SynchronizationId,
    synchronization::{
        Condition, Preview, RemoteGroup, RightsFrom, Selection, Stage, Synchronization,
        SynchronizationAccess, Workspace,
    },
};

fn keys(list: &[Synchronization]) -> String {
    list.iter().map(|it| it.workspace.key.as_str()).collect::<Vec<_>>().join(" ")
}

/// Two more organizations beside `acme`, and an account and a credential with which synchronizations can ask.
async fn accesses(storage: &Storage) -> (SynchronizationAccess, SynchronizationAccess) {
    for (number, name) in [(1, "acme"), (2, "zoo")] {
        storage.organization_insert(&organization(number, name)).await.unwrap();
    }
    let account = connected(storage, ada(storage).await).await;
    let token = credential(1, id(1));
    storage.credential_insert(&token).await.unwrap();
    (SynchronizationAccess::Account(account.id), SynchronizationAccess::Stored(token.id))
}

#[tokio::test]
async fn what_is_stored_comes_back() {
    let storage = test_storage().await;
    let (account, token) = accesses(&storage).await;
    let mut one = Synchronization {
        access: account,
        stage: Stage::Draft,
        has_webhooks: false,
        ..synchronization(1, "one")
    };
    storage.synchronization_insert(&one).await.unwrap();
    assert_eq!(storage.synchronization_find(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(storage.synchronization_find(id(2)).await.unwrap(), None);
    one = Synchronization {
        workspace: Workspace { key: "uno".into(), name: String::new(), ..one.workspace },
        access: token,
        rights_from: RightsFrom::EachPerson,
        is_primary: true,
        selection: Selection::matching("PHP", "mail*").unwrap(),
        has_webhooks: true,
        stage: Stage::Active,
        numbers_used: 3_000,
        ..one
    };
    storage.synchronization_update(&one).await.unwrap();
    let transaction = storage.begin().await.unwrap();
    assert_eq!(transaction.synchronization_lock(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(transaction.synchronization_lock(id(2)).await.unwrap(), None);
    drop(transaction);
    let of_nothing = storage.synchronization_update(&synchronization(2, "two")).await;
    assert!(matches!(of_nothing, Err(StorageError::Detached)), "{of_nothing:?}");
}

#[tokio::test]
async fn an_organization_follows_a_workspace_once() {
    let storage = test_storage().await;
    storage.organization_insert(&organization(2, "zoo")).await.unwrap();
    acme_follows(&storage).await;
    storage.integration_insert(&integration(2, "other")).await.unwrap();
    let twin = synchronization(3, "one");
    let refused = storage.synchronization_insert(&twin).await;
    assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
    let becoming = Synchronization { id: id(2), ..twin.clone() };
    let refused = storage.synchronization_update(&becoming).await;
    assert!(matches!(refused, Err(StorageError::Conflict)), "{refused:?}");
    let elsewhere = Synchronization { integration_id: id(2), ..twin.clone() };
    storage.synchronization_insert(&elsewhere).await.unwrap();
    let of_others = Synchronization { id: id(4), organization_id: id(2), ..twin };
    storage.synchronization_insert(&of_others).await.unwrap();
    assert_eq!(storage.synchronization_count(id(1)).await.unwrap(), 3);
    let at_bitbucket = storage.synchronization_list_of_integration(id(1)).await.unwrap();
    assert_eq!(keys(&at_bitbucket), "one one two");
    assert_eq!(storage.synchronization_list_of_integration(id(2)).await.unwrap(), [elsewhere]);
}

#[tokio::test]
async fn one_is_primary() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    storage.organization_insert(&organization(2, "zoo")).await.unwrap();
    let of_zoo = Synchronization { organization_id: id(2), is_primary: true, ..synchronization(3, "one") };
    storage.synchronization_insert(&of_zoo).await.unwrap();
    let list = async || {
        let list = storage.synchronization_list(id(1)).await.unwrap();
        list.into_iter().map(|(it, _)| (it.id, it.is_primary)).collect::<Vec<_>>()
    };
    assert_eq!(list().await, [(one, false), (two, false)]);
    storage.synchronization_promote(id(1), one).await.unwrap();
    storage.synchronization_promote(id(1), two).await.unwrap();
    assert_eq!(list().await, [(two, true), (one, false)]);
    for nobodys in [of_zoo.id, id(99)] {
        let refused = storage.synchronization_promote(id(1), nobodys).await;
        assert!(matches!(refused, Err(StorageError::Detached)), "{refused:?}");
    }
    assert_eq!(list().await, [(two, true), (one, false)]);
    assert_eq!(storage.synchronization_find(of_zoo.id).await.unwrap(), Some(of_zoo));
}

#[tokio::test]
async fn how_it_fares() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let condition = async || storage.synchronization_condition(one).await.unwrap().unwrap();
    assert_eq!(condition().await, Condition::default());

    storage.synchronization_failed(one, at(10), at(20), "Bitbucket does not answer.").await.unwrap();
    storage.synchronization_failed(one, at(20), at(30), "The token is not valid.").await.unwrap();
    let failing = Condition {
        failing_since: Some(at(10)),
        last_error: Some("The token is not valid.".into()),
        next_at: Some(at(30)),
        ..Condition::default()
    };
    assert_eq!(condition().await, failing, "since the first time, because of the last");
    let told = async |before| {
        let list = storage.synchronization_list_failing_since(at(before)).await.unwrap();
        list.into_iter().map(|(it, condition)| (it.id, condition)).collect::<Vec<_>>()
    };
    assert_eq!(told(9).await, []);
    assert_eq!(told(10).await, [(one, failing.clone())]);
    storage.synchronization_told(one, at(25)).await.unwrap();
    assert_eq!(told(10).await, []);

    let changed = Synchronization { numbers_used: 7, ..synchronization(1, "one") };
    storage.synchronization_update(&changed).await.unwrap();
    assert_eq!(condition().await, Condition { told_at: Some(at(25)), ..failing }, "it is not of the record");

    let notes = ["The groups could not be read.".to_owned()];
    storage.synchronization_succeeded(one, at(30), at(90), &notes).await.unwrap();
    let well = Condition {
        succeeded_at: Some(at(30)),
        notes: notes.into(),
        next_at: Some(at(90)),
        ..Condition::default()
    };
    assert_eq!(condition().await, well);
    storage.synchronization_failed(one, at(90), at(95), "No.").await.unwrap();
    storage.synchronization_next(one, at(91)).await.unwrap();
    let again = Condition {
        failing_since: Some(at(90)),
        last_error: Some("No.".into()),
        next_at: Some(at(91)),
        ..well
    };
    assert_eq!(condition().await, again, "notes stay until the next success");
    let list = storage.synchronization_list(id(1)).await.unwrap();
    assert_eq!(list, [(changed, again), (synchronization(2, "two"), Condition::default())]);
    storage.synchronization_succeeded(id(99), at(1), at(1), &[]).await.unwrap();
    assert_eq!(storage.synchronization_condition(id(99)).await.unwrap(), None);
    assert_eq!(storage.synchronization_condition(two).await.unwrap(), Some(Condition::default()));
}

#[tokio::test]
async fn what_never_ran_is_due_first_and_a_draft_never_is() {
    let storage = test_storage().await;
    acme_follows(&storage).await;
    let draft = Synchronization { stage: Stage::Draft, ..synchronization(4, "draft") };
    for new in [&synchronization(3, "three"), &draft, &synchronization(5, "five")] {
        storage.synchronization_insert(new).await.unwrap();
    }
    let id = |number| id::<SynchronizationId>(number);
    for (number, next_at) in [(1, 20), (3, 10), (5, 30)] {
        storage.synchronization_next(id(number), at(next_at)).await.unwrap();
    }
    storage.synchronization_failed(draft.id, at(1), at(2), "No.").await.unwrap();
    let due = async |now, limit| keys(&storage.synchronization_list_due(at(now), limit).await.unwrap());
    assert_eq!(due(20, 9).await, "two three one");
    assert_eq!(due(19, 9).await, "two three");
    assert_eq!(due(20, 1).await, "two");
    assert_eq!(keys(&storage.synchronization_list_active().await.unwrap()), "one two three five");
    assert_eq!(storage.synchronization_list_failing_since(at(9)).await.unwrap(), []);
}

#[tokio::test]
async fn a_preview_is_kept() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    assert_eq!(storage.synchronization_preview(one).await.unwrap(), None);
    let preview = Preview {
        repositories: 3_000,
        people: Some(500),
        owners: vec!["Ada".into()],
        lacks: vec!["The groups could not be read.".into()],
        ..Preview::default()
    };
    storage.synchronization_preview_put(one, &Preview::default()).await.unwrap();
    storage.synchronization_preview_put(one, &preview).await.unwrap();
    storage.synchronization_update(&synchronization(1, "one")).await.unwrap();
    assert_eq!(storage.synchronization_preview(one).await.unwrap(), Some(preview));
    assert_eq!(storage.synchronization_preview(id(99)).await.unwrap(), None);
}

#[tokio::test]
async fn an_account_may_go_and_a_credential_in_use_stays() {
    let storage = test_storage().await;
    let (account, token) = accesses(&storage).await;
    let one = Synchronization { access: account, ..synchronization(1, "one") };
    let two = Synchronization { access: token, ..synchronization(2, "two") };
    for new in [&one, &two] {
        storage.synchronization_insert(new).await.unwrap();
    }
    let of_account = async || storage.synchronization_list_of_identity(id(1)).await.unwrap();
    assert_eq!(of_account().await, std::slice::from_ref(&one));
    assert_eq!(storage.synchronization_list_of_credential(id(1)).await.unwrap(), [two]);
    let refused = storage.credential_delete(id(1)).await;
    assert!(matches!(refused, Err(StorageError::Detached)), "{refused:?}");
    storage.user_delete(id(1)).await.unwrap();
    assert_eq!(of_account().await, []);
    let without = Synchronization { access: SynchronizationAccess::AccountGone, ..one };
    assert_eq!(storage.synchronization_find(without.id).await.unwrap(), Some(without));
    // The credential goes with its organization although a synchronization uses it, which goes too.
    storage.organization_delete(id(1)).await.unwrap();
    assert_eq!(storage.synchronization_list_active().await.unwrap(), []);
}

/// Something in each table of what is remembered of a workspace.
async fn remember(storage: &Storage, of: SynchronizationId) {
    storage.remote_repository_put_many(of, &[remote_repository(1, "mailer")]).await.unwrap();
    storage.remote_person_put_many(of, &[remote_person("{1}", &[1])]).await.unwrap();
    let group = RemoteGroup { name: "devs".into(), people: ["{1}".to_owned()].into() };
    storage.remote_group_put_many(of, &[group]).await.unwrap();
    storage.webhook_put(of, None, "hook", at(1)).await.unwrap();
    let delivery = stave_domain::delivery::Delivery {
        synchronization_id: of,
        delivery_id: "d".into(),
        event: "repo:push".into(),
        effect: String::new(),
        received_at: at(1),
    };
    storage.delivery_insert(&delivery).await.unwrap();
}

/// How many rows there are in each of these tables.
async fn remembered(storage: &Storage, of: SynchronizationId) -> [usize; 5] {
    [
        storage.remote_repository_list(of).await.unwrap().len(),
        storage.remote_person_list(of).await.unwrap().len(),
        storage.remote_group_list(of).await.unwrap().len(),
        storage.webhook_list(of).await.unwrap().len(),
        storage.delivery_list(of, 9).await.unwrap().len(),
    ]
}

#[tokio::test]
async fn what_is_remembered_goes_with_it() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    remember(&storage, one).await;
    remember(&storage, two).await;
    storage.synchronization_delete(one).await.unwrap();
    assert_eq!((remembered(&storage, one).await, remembered(&storage, two).await), ([0; 5], [1; 5]));
    storage.integration_delete(id(1)).await.unwrap();
    assert_eq!(remembered(&storage, two).await, [0; 5]);
    assert_eq!(storage.synchronization_count(id(1)).await.unwrap(), 0);
}
