//! Remembered people on whichever engine the tests run.

use crate::{
    StorageError,
    testing::{
        ada, at, id, identity, organization,
        synchronization::{acme_follows, remote_person, synchronization},
        test_storage, user,
    },
};
use stave_domain::{
    id::{OrganizationId, UserId},
    organization::Role,
    synchronization::{AccessSet, KnownPerson, Level, RemotePerson, Stage, Synchronization},
};
use std::collections::BTreeMap;

#[tokio::test]
async fn what_is_put_comes_back() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let ada = remote_person("{1}", &[1, 2, 3]);
    let bob = KnownPerson {
        person: RemotePerson { role: Role::Owner, ..remote_person("{2}", &[]).person },
        access: None,
        asked_at: Some(at(5)),
        problem: Some("No.".into()),
    };
    storage.remote_person_put_many(one, &[bob.clone(), ada.clone()]).await.unwrap();
    storage.remote_person_put_many(two, std::slice::from_ref(&ada)).await.unwrap();
    let renamed = KnownPerson {
        person: RemotePerson { name: String::new(), handle: "lovelace".into(), ..ada.person.clone() },
        access: Some(AccessSet::of([(7, Level::Admin)])),
        ..ada.clone()
    };
    storage.remote_person_put_many(one, std::slice::from_ref(&renamed)).await.unwrap();
    assert_eq!(storage.remote_person_list(one).await.unwrap(), [renamed.clone(), bob]);
    assert_eq!(storage.remote_person_find(one, "{1}").await.unwrap(), Some(renamed.clone()));
    assert_eq!(storage.remote_person_find(one, "{9}").await.unwrap(), None);
    storage.remote_person_delete_many(one, &["{2}".to_owned(), "{9}".to_owned()].into()).await.unwrap();
    assert_eq!(storage.remote_person_list(one).await.unwrap(), [renamed]);
    assert_eq!(storage.remote_person_list(two).await.unwrap(), [ada]);
    let of_nothing = storage.remote_person_put_many(id(99), &[remote_person("{1}", &[])]).await;
    assert!(matches!(of_nothing, Err(StorageError::Detached)), "{of_nothing:?}");
}

#[tokio::test]
async fn what_their_own_account_answers() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let ada = remote_person("{1}", &[1]);
    for of in [one, two] {
        storage.remote_person_put_many(of, std::slice::from_ref(&ada)).await.unwrap();
    }
    let access = AccessSet::of([(2, Level::Write)]);
    storage.remote_person_answer(one, "{1}", Ok((&access, at(5)))).await.unwrap();
    storage.remote_person_answer(one, "{1}", Err("Bitbucket does not answer.")).await.unwrap();
    let mut asked = KnownPerson {
        access: Some(access.clone()),
        asked_at: Some(at(5)),
        problem: Some("Bitbucket does not answer.".into()),
        ..ada.clone()
    };
    assert_eq!(storage.remote_person_list(one).await.unwrap(), std::slice::from_ref(&asked));
    storage.remote_person_answer(one, "{1}", Ok((&AccessSet::default(), at(9)))).await.unwrap();
    asked = KnownPerson { access: Some(AccessSet::default()), asked_at: Some(at(9)), problem: None, ..asked };
    storage.remote_person_answer(one, "{9}", Ok((&access, at(9)))).await.unwrap();
    assert_eq!(storage.remote_person_list(one).await.unwrap(), [asked]);
    assert_eq!(storage.remote_person_list(two).await.unwrap(), [ada]);
}

#[tokio::test]
async fn a_page_tells_who_is_here() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    storage.integration_insert(&crate::testing::integration(2, "other")).await.unwrap();
    let ada = ada(&storage).await;
    storage.user_insert(&user(2, "bob"), None).await.unwrap();
    storage.identity_insert(&identity(1, ada, "{1}")).await.unwrap();
    // The same id at another integration is another person.
    let elsewhere = stave_domain::identity::Identity { integration_id: id(2), ..identity(2, id(2), "{2}") };
    storage.identity_insert(&elsewhere).await.unwrap();
    let named = |external_id, name: &str| {
        let known = remote_person(external_id, &[1]);
        KnownPerson { person: RemotePerson { name: name.into(), ..known.person }, ..known }
    };
    let people = [named("{1}", "Zoe"), named("{2}", "anna"), named("{3}", ""), named("{4}", "Émile")];
    storage.remote_person_put_many(one, &people).await.unwrap();
    storage.remote_person_put_many(two, &people[1..]).await.unwrap();
    let [zoe, anna, nameless, emile] = people;

    let page = storage.remote_person_page(one, "", 0, 9).await.unwrap();
    let all = [(anna, None), (nameless, None), (zoe, Some(user(1, "ada"))), (emile, None)];
    assert_eq!(page, all);
    assert_eq!(storage.remote_person_page(one, "", 1, 2).await.unwrap(), all[1..3]);
    assert_eq!(storage.remote_person_page(one, "ÉMI", 0, 9).await.unwrap(), all[3..]);
    assert_eq!(storage.remote_person_page(one, "\0", 0, 9).await.unwrap(), []);
    assert_eq!(storage.remote_person_page(one, "handle of {3}", 0, 9).await.unwrap(), all[1..2]);
    assert_eq!(storage.remote_person_count(one).await.unwrap(), (4, 1));
    assert_eq!(storage.remote_person_count(two).await.unwrap(), (3, 0));
}

#[tokio::test]
async fn the_primary_one_says_who_is_owner() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let draft = Synchronization { stage: Stage::Draft, ..synchronization(3, "draft") };
    storage.synchronization_insert(&draft).await.unwrap();
    let [ada, bob, eve]: [UserId; 3] = [1, 2, 3].map(id);
    for (number, name) in [(1, "ada"), (2, "bob"), (3, "eve"), (4, "sue")] {
        storage.user_insert(&user(number, name), None).await.unwrap();
    }
    for (number, of, external_id) in [(1, ada, "{1}"), (2, bob, "{2}"), (3, eve, "{3}"), (4, bob, "{4}")] {
        storage.identity_insert(&identity(number, of, external_id)).await.unwrap();
    }
    let owner = |external_id| {
        let known = remote_person(external_id, &[]);
        KnownPerson { person: RemotePerson { role: Role::Owner, ..known.person }, ..known }
    };
    storage.remote_person_put_many(one, &[owner("{1}"), remote_person("{2}", &[])]).await.unwrap();
    storage.remote_person_put_many(two, &[owner("{2}"), owner("{4}"), owner("{9}")]).await.unwrap();
    storage.remote_person_put_many(draft.id, &[owner("{3}")]).await.unwrap();

    let roles = async |user| storage.roles_followed(id(1), user).await.unwrap();
    let expected = |roles: &[(UserId, Role)]| roles.iter().copied().collect::<BTreeMap<_, _>>();
    assert_eq!(roles(None).await, expected(&[(ada, Role::Member), (bob, Role::Member)]));
    storage.synchronization_promote(id(1), one).await.unwrap();
    assert_eq!(roles(None).await, expected(&[(ada, Role::Owner), (bob, Role::Member)]));
    storage.synchronization_promote(id(1), two).await.unwrap();
    assert_eq!(roles(None).await, expected(&[(ada, Role::Member), (bob, Role::Owner)]));
    assert_eq!(roles(Some(ada)).await, expected(&[(ada, Role::Member)]));
    assert_eq!(roles(Some(eve)).await, expected(&[]));
    assert_eq!(storage.roles_followed(id(2), None).await.unwrap(), expected(&[]));
}

#[tokio::test]
async fn who_came_and_who_did_not() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let draft = Synchronization { stage: Stage::Draft, ..synchronization(3, "draft") };
    storage.synchronization_insert(&draft).await.unwrap();
    let ada = ada(&storage).await;
    storage.identity_insert(&identity(1, ada, "{1}")).await.unwrap();
    let [came, waits] = ["{1}", "{2}"].map(|external_id| remote_person(external_id, &[1]));
    for of in [one, two, draft.id] {
        storage.remote_person_put_many(of, &[waits.clone(), came.clone()]).await.unwrap();
    }
    let mut here = storage.remote_person_list_here(id(1)).await.unwrap();
    here.sort();
    assert_eq!(here, [(ada, one), (ada, two)]);
    let mut waiting = storage.remote_person_list_waiting(id(1)).await.unwrap();
    waiting.sort_by_key(|(synchronization, _)| *synchronization);
    assert_eq!(waiting, [(one, waits.person.clone()), (two, waits.person)]);
    assert_eq!(storage.remote_person_list_here(id(2)).await.unwrap(), []);
    assert_eq!(storage.remote_person_list_waiting(id(2)).await.unwrap(), []);
}

#[tokio::test]
async fn organizations_that_know_a_person() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    storage.organization_insert(&organization(2, "zoo")).await.unwrap();
    let of_zoo = Synchronization { organization_id: id(2), ..synchronization(3, "one") };
    let draft = Synchronization { stage: Stage::Draft, ..of_zoo.clone() };
    storage.synchronization_insert(&draft).await.unwrap();
    for of in [one, two, draft.id] {
        storage.remote_person_put_many(of, &[remote_person("{1}", &[])]).await.unwrap();
    }
    let knowing =
        async |integration, person| storage.organization_list_knowing(id(integration), person).await.unwrap();
    let [acme, zoo]: [OrganizationId; 2] = [1, 2].map(id);
    assert_eq!(knowing(1, "{1}").await, [acme]);
    storage.synchronization_update(&of_zoo).await.unwrap();
    assert_eq!(knowing(1, "{1}").await, [acme, zoo]);
    assert_eq!(knowing(1, "{2}").await, []);
    assert_eq!(knowing(2, "{1}").await, []);
}

#[tokio::test]
async fn five_hundred_people_who_read_three_thousand_repositories() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    let all_numbers: Vec<u32> = (1..=3_000).collect();
    let mut people: Vec<KnownPerson> =
        (0..500).map(|number| remote_person(&format!("{{{number:03}}}"), &all_numbers)).collect();
    storage.remote_person_put_many(one, &people).await.unwrap();
    people[7].access = Some(AccessSet::of([(3_000, Level::Read)]));
    storage.remote_person_put_many(one, &people[7..8]).await.unwrap();
    assert_eq!(storage.remote_person_list(one).await.unwrap(), people);
}
