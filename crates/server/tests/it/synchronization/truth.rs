//! Whether what is here is what is so at the platform.

use super::platform::{Followed, Token};
use stave_domain::{organization::Role, synchronization::Level as Stored};
use stave_testkit::{Level, Standing, TrueRepository, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// The name of the package in a repository.
pub(super) fn package_of(repository: &TrueRepository) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(repository.manifest.as_ref()?).ok()?;
    manifest["name"].as_str().map(str::to_owned)
}

/// Compares people, roles, rights, repositories and packages. Data Center is not asked for levels.
pub(super) async fn agrees(followed: &Followed<'_>, truth: &Truth, with_levels: bool) {
    let (storage, id) = (&followed.rows.storage, followed.id());
    let synchronization = storage.synchronization_find(id).await.unwrap().expect("it is there");
    assert_eq!(
        (&synchronization.workspace.external_id, &synchronization.workspace.key),
        (&truth.id, &truth.key)
    );

    let known = storage.remote_repository_list(id).await.unwrap();
    let slugs: BTreeMap<_, _> =
        known.iter().map(|it| (it.remote.external_id.clone(), it.remote.slug.clone())).collect();
    let true_slugs = truth.repositories.iter().map(|(id, it)| (id.clone(), it.slug.clone())).collect();
    assert_eq!(slugs, true_slugs, "repositories");

    let numbers: BTreeMap<&str, u32> =
        known.iter().map(|it| (it.remote.external_id.as_str(), it.number)).collect();
    let mut people = BTreeMap::new();
    for known in storage.remote_person_list(id).await.unwrap() {
        let access = known.access.unwrap_or_default();
        let may = truth
            .repositories
            .keys()
            .filter_map(|id| Some((id.clone(), access.level(numbers[id.as_str()])?)));
        let may: BTreeMap<String, Stored> = may.collect();
        assert_eq!(may.len(), access.len(), "rights on what is gone: {}", known.person.handle);
        let may = may.into_iter().map(|(id, level)| (id, with_levels.then_some(level)));
        people.insert(known.person.external_id, (known.person.role == Role::Owner, may.collect()));
    }
    let true_people: BTreeMap<_, (bool, BTreeMap<String, Option<Stored>>)> = truth
        .people
        .iter()
        .map(|(id, person)| {
            let may =
                person.readable.iter().map(|(id, level)| (id.clone(), with_levels.then(|| stored(*level))));
            (id.clone(), (person.standing == Standing::Owner, may.collect()))
        })
        .collect();
    assert_eq!(people, true_people, "people and their rights");
    packages_agree(followed, truth).await;
}

fn stored(level: Level) -> Stored {
    match level {
        Level::Read => Stored::Read,
        Level::Write => Stored::Write,
        Level::Admin => Stored::Admin,
    }
}

/// Each repository with a composer.json is a package of its name; what is gone from the workspace is gone from here. One that lost
/// its composer.json may stay, since its tags are still versions.
async fn packages_agree(followed: &Followed<'_>, truth: &Truth) {
    let storage = &followed.rows.storage;
    let known = storage.remote_repository_list(followed.id()).await.unwrap();
    let mut mirrored = BTreeMap::new();
    for repository in storage.repository_list_followed(followed.id()).await.unwrap() {
        let number = repository.followed.expect("it is followed").number;
        let known = known.iter().find(|it| it.number == number).expect("it is in the workspace");
        let names = storage.package_list_of_repository(repository.id).await.unwrap();
        let names: Vec<_> = names.into_iter().filter_map(|it| Some(it.name?.to_string())).collect();
        assert_eq!(repository.source, known.remote.source);
        mirrored.insert(known.remote.external_id.clone(), (names, repository.last_error));
    }
    for (id, repository) in &truth.repositories {
        if let Some(name) = package_of(repository) {
            let (names, error) =
                mirrored.get(id).unwrap_or_else(|| panic!("{name} of {id} is no package: {known:#?}"));
            assert_eq!((names.as_slice(), error), ([name].as_slice(), &None), "{id}: {repository:?}");
        }
    }
    let there: BTreeSet<_> = truth.repositories.keys().collect();
    assert!(mirrored.keys().all(|id| there.contains(id)));
}

/// Whoever reads everything reads the last push of every repository.
pub(super) async fn is_fresh(reader: &Token, truth: &Truth) {
    for (id, repository) in &truth.repositories {
        if let Some(name) = package_of(repository) {
            let head = repository.references.get("refs/heads/main").cloned();
            assert_eq!(reader.commit(&name, "dev-main").await, head, "{name} of {id}: {repository:?}");
        }
    }
}
