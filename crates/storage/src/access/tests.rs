//! Who may read what, on whichever engine the tests run.

use crate::testing::{
    ada, at, id, identity, package, repository,
    synchronization::{acme_follows, remote_person, synchronization},
    test_storage, user,
};
use stave_domain::{
    access::{Readable, Rights},
    identity::Identity,
    package::{Origin, Package},
    repository::{Followed, Repository},
    synchronization::{AccessSet, KnownPerson, Level, RightsFrom, Stage, Synchronization},
};

fn reads(number: u32) -> AccessSet {
    AccessSet::of([(number, Level::Read)])
}

#[tokio::test]
async fn the_rights_of_each_workspace_that_knows_an_account() {
    let storage = test_storage().await;
    let (one, two) = acme_follows(&storage).await;
    let ada = ada(&storage).await;
    storage.user_insert(&user(2, "bob"), None).await.unwrap();
    storage.identity_insert(&identity(1, ada, "{1}")).await.unwrap();
    storage.identity_insert(&identity(2, id(2), "{2}")).await.unwrap();
    storage.synchronization_update(&each_person(2, "two")).await.unwrap();
    let draft = Synchronization { stage: Stage::Draft, ..synchronization(3, "draft") };
    storage.synchronization_insert(&draft).await.unwrap();
    let unknown = synchronization(4, "unknown");
    storage.synchronization_insert(&unknown).await.unwrap();
    storage.remote_person_put_many(unknown.id, &[remote_person("{2}", &[1])]).await.unwrap();
    for of in [one, draft.id] {
        storage.remote_person_put_many(of, &[remote_person("{1}", &[1])]).await.unwrap();
    }
    let unasked = KnownPerson { access: None, ..remote_person("{1}", &[]) };
    storage.remote_person_put_many(two, &[unasked]).await.unwrap();

    let rights = async || storage.rights_of_user(id(1), ada).await.unwrap();
    let of_one = |asked_at| (one, Rights { access: Some(reads(1)), asked_at, is_own: false });
    let of_two = |access, asked_at| (two, Rights { access, asked_at, is_own: true });
    assert_eq!(rights().await, [of_one(None), of_two(None, None)]);
    storage.synchronization_succeeded(one, at(7), at(9), &[]).await.unwrap();
    storage.synchronization_succeeded(two, at(8), at(9), &[]).await.unwrap();
    let answer = reads(2);
    storage.remote_person_answer(two, "{1}", Ok((&answer, at(5)))).await.unwrap();
    assert_eq!(rights().await, [of_one(Some(at(7))), of_two(Some(answer), Some(at(5)))]);
    assert_eq!(storage.rights_of_user(id(2), ada).await.unwrap(), []);

    // What somebody's own account said does not live longer because everybody is asked from now on.
    storage.synchronization_update(&synchronization(2, "two")).await.unwrap();
    assert_eq!(rights().await[1], of_two(Some(reads(2)), Some(at(5))));

    // Whoever disconnects an account is nobody in a workspace.
    storage.identity_delete(id(1)).await.unwrap();
    assert_eq!(rights().await, []);
}

fn each_person(number: u128, workspace: &str) -> Synchronization {
    Synchronization { rights_from: RightsFrom::EachPerson, ..synchronization(number, workspace) }
}

#[tokio::test]
async fn of_several_accounts_the_oldest_counts() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    let ada = ada(&storage).await;
    let younger = Identity { connected_at: at(9), ..identity(1, ada, "{1}") };
    storage.identity_insert(&younger).await.unwrap();
    storage.identity_insert(&Identity { connected_at: at(3), ..identity(2, ada, "{2}") }).await.unwrap();
    let people = [remote_person("{1}", &[1]), remote_person("{2}", &[2])];
    storage.remote_person_put_many(one, &people).await.unwrap();
    let rights = Rights { access: Some(reads(2)), asked_at: None, is_own: false };
    assert_eq!(storage.rights_of_user(id(1), ada).await.unwrap(), [(one, rights)]);
}

#[tokio::test]
async fn what_decides_about_packages() {
    let storage = test_storage().await;
    let (one, _) = acme_follows(&storage).await;
    let acme = id(1);
    let followed = Followed { synchronization_id: one, number: 7 };
    let brought = Repository { followed: Some(followed), ..repository(2, acme) };
    for repository in [&repository(1, acme), &brought] {
        storage.repository_insert(repository).await.unwrap();
    }
    let own = Package { is_restricted: true, ..package(1, acme, "acme/own") };
    let mailer = package(2, acme, "acme/mailer");
    let log = Origin::Folder { repository_id: id(2), path: "log".into() };
    let second = Package { origin: log, ..package(3, acme, "acme/log") };
    let mirrored = Package { origin: Origin::Mirror(id(1)), ..package(4, acme, "other/mirrored") };
    for package in [&own, &mailer, &second, &mirrored] {
        storage.package_insert(package).await.unwrap();
    }
    let of_own = Readable { package_id: own.id, name: own.name.clone(), followed: None, is_restricted: true };
    let of_mailer = Readable {
        package_id: mailer.id,
        name: mailer.name.clone(),
        followed: Some(followed),
        is_restricted: false,
    };
    let of_second = Readable { package_id: second.id, name: second.name.clone(), ..of_mailer.clone() };
    assert_eq!(storage.readable_list(acme).await.unwrap(), [of_own, of_mailer.clone(), of_second]);
    assert_eq!(storage.readable_list(id(2)).await.unwrap(), []);
    let every_member = storage.readable_find(mirrored.id).await.unwrap().unwrap();
    assert_eq!((every_member.followed, every_member.is_restricted), (None, false));
    let named = storage.package_name_list(acme).await.unwrap();
    let mirrored: Vec<&str> = named.iter().filter(|it| it.is_mirrored).map(|it| it.name.as_str()).collect();
    assert_eq!(mirrored, ["other/mirrored"]);
    assert_eq!(storage.readable_find(mailer.id).await.unwrap(), Some(of_mailer.clone()));
    assert_eq!(storage.readable_find(id(99)).await.unwrap(), None);
    // A repository whose synchronization is gone is nobody's: it does not become everybody's.
    storage.synchronization_delete(one).await.unwrap();
    assert_eq!(storage.readable_find(mailer.id).await.unwrap(), Some(of_mailer));
}
