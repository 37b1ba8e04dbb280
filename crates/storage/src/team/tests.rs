//! Teams, on whichever engine the tests run.

use crate::{
    Storage, StorageError,
    testing::{
        acme_mailer, ada, at, connected, id, member, organization, package, package_store,
        synchronization::synchronization, test_storage, user,
    },
};
use stave_domain::{
    identity::Identity,
    organization::Role,
    synchronization::RemoteGroup,
    team::{FollowedGroup, Team, TeamLine},
};
use std::slice;

/// Of the organization 1.
fn team(number: u128, name: &str) -> Team {
    Team {
        id: id(number),
        organization_id: id(1),
        name: name.into(),
        group: None,
        reads_all: false,
        adds_packages: false,
        created_at: at(0),
    }
}

async fn names_of_user(storage: &Storage, number: u128) -> Vec<String> {
    let teams = storage.team_list_of_user(id(1), id(number)).await.unwrap();
    teams.into_iter().map(|team| team.name).collect()
}

async fn usernames(storage: &Storage, team: &Team) -> Vec<String> {
    let users = storage.team_member_list(team.id).await.unwrap();
    users.into_iter().map(|user| user.username.to_string()).collect()
}

#[tokio::test]
async fn an_organization_has_each_name_once() {
    let storage = test_storage().await;
    for (number, name) in [(1, "acme"), (2, "zoo")] {
        storage.organization_insert(&organization(number, name)).await.unwrap();
    }
    let [mut devs, ops] = [team(1, "devs"), team(2, "ops")];
    storage.team_insert(&devs).await.unwrap();
    storage.team_insert(&ops).await.unwrap();
    storage.team_insert(&Team { organization_id: id(2), ..team(3, "devs") }).await.unwrap();
    let twin = storage.team_insert(&team(4, "devs")).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    let twin = storage.team_update(&Team { name: "devs".into(), ..ops.clone() }).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");

    devs = Team { name: "zebras".into(), reads_all: true, adds_packages: true, ..devs };
    storage.team_update(&devs).await.unwrap();
    assert_eq!(storage.team_find(devs.id).await.unwrap().as_ref(), Some(&devs));
    let line = |team| TeamLine { team, people: 0, packages: 0 };
    assert_eq!(storage.team_list(id(1)).await.unwrap(), [line(ops.clone()), line(devs.clone())]);
    storage.team_delete(ops.id).await.unwrap();
    assert_eq!(storage.team_find(ops.id).await.unwrap(), None);
    storage.organization_delete(id(1)).await.unwrap();
    assert_eq!(storage.team_find(devs.id).await.unwrap(), None);
    let gone = storage.team_insert(&devs).await;
    assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
}

#[tokio::test]
async fn people_are_put_into_teams_and_taken_out() {
    let storage = test_storage().await;
    ada(&storage).await;
    storage.user_insert(&user(2, "bob"), None).await.unwrap();
    for (number, name) in [(1, "acme"), (2, "zoo")] {
        storage.organization_insert(&organization(number, name)).await.unwrap();
        storage.member_upsert(&member(id(number), id(1), Role::Member)).await.unwrap();
    }
    let [devs, ops] = [team(1, "devs"), team(2, "ops")];
    let of_zoo = Team { organization_id: id(2), ..team(3, "devs") };
    for team in [&devs, &ops, &of_zoo] {
        storage.team_insert(team).await.unwrap();
        storage.team_member_put(team.id, id(1)).await.unwrap();
    }
    storage.team_member_put(devs.id, id(2)).await.unwrap();
    storage.team_member_put(devs.id, id(2)).await.unwrap();
    assert_eq!(usernames(&storage, &devs).await, ["ada", "bob"]);
    assert_eq!(names_of_user(&storage, 1).await, ["devs", "ops"]);
    assert_eq!(names_of_user(&storage, 2).await, ["devs"]);
    let people: Vec<_> =
        storage.team_list(id(1)).await.unwrap().into_iter().map(|line| line.people).collect();
    assert_eq!(people, [2, 1]);

    storage.team_member_delete(devs.id, id(2)).await.unwrap();
    assert_eq!(usernames(&storage, &devs).await, ["ada"]);
    // Whoever leaves an organization leaves its teams, and is in none of them when they come back.
    storage.member_delete(id(1), id(1)).await.unwrap();
    assert_eq!(names_of_user(&storage, 1).await, [""; 0]);
    assert_eq!(usernames(&storage, &of_zoo).await, ["ada"]);
    let nobody = storage.team_member_put(devs.id, id(99)).await;
    assert!(matches!(nobody, Err(StorageError::Detached)), "{nobody:?}");
}

#[tokio::test]
async fn packages_are_given_to_teams() {
    let storage = test_storage().await;
    let (acme, mailer) = acme_mailer(&storage).await;
    let log = package(2, acme, "acme/log");
    package_store(&storage, &log).await;
    let ada = ada(&storage).await;
    let [devs, ops, strangers] = [team(1, "devs"), team(2, "ops"), team(3, "strangers")];
    for team in [&devs, &ops, &strangers] {
        storage.team_insert(team).await.unwrap();
        storage.team_package_put(team.id, mailer).await.unwrap();
    }
    storage.team_package_put(ops.id, log.id).await.unwrap();
    storage.team_package_put(ops.id, log.id).await.unwrap();
    for team in [&devs, &ops] {
        storage.team_member_put(team.id, ada).await.unwrap();
    }
    let mailer_row = storage.package_find(mailer).await.unwrap().unwrap();
    assert_eq!(storage.team_package_list(ops.id).await.unwrap(), [log.clone(), mailer_row]);
    assert_eq!(storage.team_list_of_package(mailer).await.unwrap(), [devs.clone(), ops.clone(), strangers]);
    assert_eq!(storage.team_list_of_package(log.id).await.unwrap(), slice::from_ref(&ops));
    let given = [(mailer, "devs".into()), (mailer, "ops".into()), (log.id, "ops".into())];
    assert_eq!(storage.team_given(acme, ada).await.unwrap(), given);
    assert_eq!(storage.team_given(id(2), ada).await.unwrap(), []);
    let packages: Vec<_> =
        storage.team_list(acme).await.unwrap().into_iter().map(|line| line.packages).collect();
    assert_eq!(packages, [1, 2, 1]);

    storage.team_package_delete(ops.id, mailer).await.unwrap();
    storage.package_delete(log.id).await.unwrap();
    assert_eq!(storage.team_package_list(ops.id).await.unwrap(), []);
    assert_eq!(storage.team_given(acme, ada).await.unwrap(), [(mailer, "devs".into())]);
}

#[tokio::test]
async fn who_is_in_a_group_is_in_its_team() {
    let storage = test_storage().await;
    let (acme, mailer) = acme_mailer(&storage).await;
    let identity = connected(&storage, ada(&storage).await).await;
    storage.user_insert(&user(2, "bob"), None).await.unwrap();
    let bobs = Identity { id: id(2), user_id: id(2), external_id: "{2}".into(), ..identity.clone() };
    storage.identity_insert(&bobs).await.unwrap();
    let followed = synchronization(1, "one");
    storage.synchronization_insert(&followed).await.unwrap();
    let group = |name: &str, people: &[&str]| RemoteGroup {
        name: name.into(),
        people: people.iter().map(|id| (*id).to_owned()).collect(),
    };
    // Whom Stave does not know yet is in no team of it.
    let groups = [group("devs", &["{1}", "{2}", "{99}"]), group("ops", &["{2}"])];
    storage.remote_group_put_many(followed.id, &groups).await.unwrap();
    let brought = |number, name: &str| Team {
        group: Some(FollowedGroup { synchronization_id: followed.id, name: name.into() }),
        ..team(number, &format!("{name} of one"))
    };
    let [devs, ops] = [brought(1, "devs"), brought(2, "ops")];
    // A team that somebody made has nobody by its name alone.
    let by_hand = Team { name: "hand".into(), ..team(3, "hand") };
    for team in [&devs, &ops, &by_hand] {
        storage.team_insert(team).await.unwrap();
    }
    assert_eq!(usernames(&storage, &devs).await, ["ada", "bob"]);
    assert_eq!(usernames(&storage, &ops).await, ["bob"]);
    assert_eq!(names_of_user(&storage, 2).await, ["devs of one", "ops of one"]);
    let of_it = storage.team_list_of_synchronization(followed.id).await.unwrap();
    assert_eq!(of_it, [devs.clone(), ops.clone()]);

    // Whoever is in a team both ways counts once.
    storage.team_member_put(devs.id, id(1)).await.unwrap();
    let people: Vec<_> = storage.team_list(acme).await.unwrap().into_iter().map(|line| line.people).collect();
    assert_eq!(people, [2, 0, 1]);
    storage.team_package_put(ops.id, mailer).await.unwrap();
    assert_eq!(storage.team_given(acme, id(2)).await.unwrap(), [(mailer, "ops of one".into())]);
    storage.identity_delete(bobs.id).await.unwrap();
    assert_eq!(storage.team_given(acme, id(2)).await.unwrap(), []);
    storage.synchronization_delete(followed.id).await.unwrap();
    assert_eq!(storage.team_find(devs.id).await.unwrap(), None);
    assert_eq!(storage.team_find(by_hand.id).await.unwrap(), Some(by_hand));
}
