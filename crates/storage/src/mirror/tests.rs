//! Mirrors on whichever engine the tests run.

use crate::{
    Storage, StorageError,
    testing::{acme_mailer, at, credential, id, organization, package, test_storage},
};
use serde_json::json;
use stave_domain::{
    id::{MirrorId, OrganizationId},
    mirror::{Adds, Mirror, MirrorAdvisory, MirrorRoot, MirrorTimeout, MirroredPackage},
    package::{Origin, Package},
};
use url::Url;

fn mirror(number: u128, organization: OrganizationId) -> Mirror {
    Mirror {
        id: id(number),
        organization_id: organization,
        name: format!("mirror {number}"),
        url: Url::parse("https://repo.example.com/acme").unwrap(),
        credential_id: None,
        timeout: MirrorTimeout(None),
        adds: Adds::Automatically,
        position: 0,
        root: None,
        changes_since: None,
        checked_at: None,
        last_error: None,
        failing_since: None,
        created_at: at(0),
    }
}

fn root() -> MirrorRoot {
    let root = json!({
        "packages": {"a/b": {}}, "metadata-url": "/p2/%package%.json", "available-package-patterns": ["acme/*"],
        "mirrors": [{"dist-url": "/d/%package%/%reference%.zip", "preferred": true}], "metadata-changes-url": "/changes.json",
        "security-advisories": {"metadata": true}, "filter": {"metadata": true, "lists": {"malware": {"enabled": true}}}
    });
    let url = Url::parse("https://repo.example.com").unwrap();
    MirrorRoot::parse(&url, root.to_string().as_bytes()).unwrap()
}

/// A package of a mirror that was added so many seconds after the beginning.
async fn mirrored(storage: &Storage, number: u128, mirror: MirrorId, name: &str) -> Package {
    let organization_id = storage.mirror_find(mirror).await.unwrap().unwrap().organization_id;
    let created_at = at(i64::try_from(number).unwrap());
    let package =
        Package { origin: Origin::Mirror(mirror), created_at, ..package(number, organization_id, name) };
    storage.package_insert(&package).await.unwrap();
    package
}

#[tokio::test]
async fn a_mirror_is_kept_as_it_is() {
    let storage = test_storage().await;
    let acme = organization(1, "acme");
    storage.organization_insert(&acme).await.unwrap();
    let secret = credential(1, acme.id);
    storage.credential_insert(&secret).await.unwrap();
    let bare = mirror(1, acme.id);
    let full = Mirror {
        credential_id: Some(secret.id),
        timeout: MirrorTimeout(Some(30)),
        adds: Adds::ByManagers,
        position: 1,
        root: Some(root()),
        changes_since: Some(17_000_000_000_000),
        checked_at: Some(at(1)),
        last_error: Some("No.".into()),
        failing_since: Some(at(2)),
        ..mirror(2, acme.id)
    };
    for one in [&bare, &full] {
        storage.mirror_insert(one).await.unwrap();
    }
    assert_eq!(storage.mirror_list(acme.id).await.unwrap(), [bare.clone(), full.clone()]);
    assert_eq!(storage.mirror_list(id(9)).await.unwrap(), []);
    assert_eq!(storage.mirror_list_of_credential(secret.id).await.unwrap(), std::slice::from_ref(&full));
    let deleted = storage.credential_delete(secret.id).await;
    assert!(matches!(deleted, Err(StorageError::Detached)), "{deleted:?}");
    let other = credential(2, acme.id);
    storage.credential_insert(&other).await.unwrap();
    storage.credential_replace(secret.id, other.id).await.unwrap();
    storage.credential_delete(secret.id).await.unwrap();
    let full = Mirror { credential_id: Some(other.id), ..full };
    assert_eq!(storage.mirror_find(full.id).await.unwrap().as_ref(), Some(&full));

    let renamed =
        Mirror { name: "Other".into(), url: "https://x.example/".parse().unwrap(), root: None, ..full };
    storage.mirror_update(&renamed).await.unwrap();
    assert_eq!(storage.mirror_find(renamed.id).await.unwrap().as_ref(), Some(&renamed));
    storage.mirror_delete(renamed.id).await.unwrap();
    let gone = storage.mirror_update(&renamed).await;
    assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    storage.organization_delete(acme.id).await.unwrap();
    assert_eq!(storage.mirror_find(bare.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_mirrors_bring_changes_lists_and_nobodys_rights() {
    let storage = test_storage().await;
    let acme = organization(1, "acme");
    storage.organization_insert(&acme).await.unwrap();
    storage.mirror_insert(&mirror(1, acme.id)).await.unwrap();
    let counts = || (storage.reader_change_count(), storage.list_change_count());
    let before = counts();
    let clock = mirrored(&storage, 2, id(1), "vendor/clock").await;
    assert_eq!(counts(), (before.0, before.1 + 1), "who reads one of them reads them all");
    storage.package_update(&Package { description: "Ticks".into(), ..clock }).await.unwrap();
    assert_eq!(counts(), (before.0, before.1 + 2));
    let own = Package { origin: Origin::Custom, ..package(3, acme.id, "acme/clock") };
    storage.package_insert(&own).await.unwrap();
    assert_eq!(counts(), (before.0 + 1, before.1 + 3), "who reads some own ones may read this one");
}

#[tokio::test]
async fn mirrors_have_an_order() {
    let storage = test_storage().await;
    let (acme, zoo) = (organization(1, "acme"), organization(2, "zoo"));
    for one in [&acme, &zoo] {
        storage.organization_insert(one).await.unwrap();
    }
    for number in 1..=3 {
        let position = u32::try_from(number).unwrap();
        storage.mirror_insert(&Mirror { position, ..mirror(number, acme.id) }).await.unwrap();
    }
    let others = Mirror { position: 7, ..mirror(4, zoo.id) };
    storage.mirror_insert(&others).await.unwrap();
    storage.mirror_reorder(acme.id, &[id(3), id(99), id(1), others.id, id(2)]).await.unwrap();
    let order: Vec<_> = storage.mirror_list(acme.id).await.unwrap().iter().map(|mirror| mirror.id).collect();
    assert_eq!(order, [id(3), id(1), id(2)]);
    assert_eq!(storage.mirror_list(zoo.id).await.unwrap(), [others]);
}

#[tokio::test]
async fn since_when_a_mirror_fails_is_remembered() {
    let storage = test_storage().await;
    let acme = organization(1, "acme");
    storage.organization_insert(&acme).await.unwrap();
    storage.mirror_insert(&mirror(1, acme.id)).await.unwrap();
    storage.mirror_insert(&mirror(2, acme.id)).await.unwrap();
    let mut seen = Vec::new();
    for (second, because) in
        [(1, None), (2, Some("No.")), (3, Some("Still no.")), (4, None), (5, Some("Again."))]
    {
        storage.mirror_checked(id(1), at(second), because).await.unwrap();
        let mirror = storage.mirror_find(id(1)).await.unwrap().unwrap();
        assert_eq!((mirror.checked_at, mirror.last_error.as_deref()), (Some(at(second)), because));
        seen.push(mirror.failing_since);
    }
    assert_eq!(seen, [None, Some(at(2)), Some(at(2)), None, Some(at(5))]);
    let due = async |before| {
        let due = storage.mirror_list_due(at(before), 9).await.unwrap();
        due.iter().map(|mirror| mirror.id).collect::<Vec<_>>()
    };
    assert_eq!(due(5).await, [id(2)]);
    assert_eq!(due(6).await, [id(2), id(1)]);
}

#[tokio::test]
async fn a_mirror_has_packages() {
    let storage = test_storage().await;
    let (acme, mailer) = acme_mailer(&storage).await;
    storage.mirror_insert(&mirror(1, acme)).await.unwrap();
    storage.mirror_insert(&mirror(2, acme)).await.unwrap();
    storage.mirror_insert(&mirror(3, acme)).await.unwrap();
    for (number, of, name) in [(11, 1, "zoo/b"), (12, 1, "acme/log"), (13, 1, "psr/log"), (14, 2, "x/y")] {
        mirrored(&storage, number, id(of), name).await;
    }
    let names = async |after: Option<&str>, limit| {
        let after = after.map(|name| name.parse().unwrap());
        let page = storage.package_list_of_mirror(id(1), after.as_ref(), limit).await.unwrap();
        page.iter().map(|package| package.name.as_ref().unwrap().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(None, 2).await, "acme/log psr/log");
    assert_eq!(names(Some("psr/log"), 2).await, "zoo/b");
    let mut counts: Vec<_> = storage.mirror_package_counts(acme).await.unwrap().into_iter().collect();
    counts.sort();
    assert_eq!(counts, [(id(1), 3), (id(2), 1)]);
    assert_eq!(storage.mirror_package_count(id(1)).await.unwrap(), 3);

    let deleted = [
        storage.package_delete_of_mirror(id(1), 2).await.unwrap(),
        storage.package_delete_of_mirror(id(1), 2).await.unwrap(),
        storage.package_delete_of_mirror(id(1), 2).await.unwrap(),
    ];
    assert_eq!(deleted, [2, 1, 0]);
    assert_eq!(storage.mirror_package_count(id(2)).await.unwrap(), 1);
    assert!(storage.package_find(mailer).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_remembered_of_a_package() {
    let storage = test_storage().await;
    let (acme, mailer) = acme_mailer(&storage).await;
    storage.mirror_insert(&mirror(1, acme)).await.unwrap();
    let log = mirrored(&storage, 12, id(1), "psr/log").await;
    assert_eq!(storage.mirrored_package_find(log.id).await.unwrap(), None);
    let bare = MirroredPackage::new(log.id);
    storage.mirrored_package_put(&bare).await.unwrap();
    assert_eq!(storage.mirrored_package_find(log.id).await.unwrap(), Some(bare));
    let advisory = json!({"advisoryId": "PKSA-1", "affectedVersions": "<2", "title": "A hole", "reportedAt": "2026-01-02 03:04:05",
        "sources": [{"name": "GitHub", "remoteId": "GHSA-1"}]});
    let full = MirroredPackage {
        last_modified: Some("Thu, 01 Oct 2026 10:00:00 GMT".into()),
        dev_last_modified: Some("sha256:1".into()),
        checked_at: Some(at(5)),
        last_error: Some("No.".into()),
        gone_at: Some(at(6)),
        advisories: vec![MirrorAdvisory::read(&advisory).unwrap()],
        filter: json!({"malware": [{"constraint": "1.0"}]}).as_object().unwrap().clone(),
        ..MirroredPackage::new(log.id)
    };
    storage.mirrored_package_put(&full).await.unwrap();
    assert_eq!(storage.mirrored_package_find(log.id).await.unwrap().as_ref(), Some(&full));

    let queue = mirrored(&storage, 11, id(1), "acme/queue").await;
    let due = async |before, limit| {
        let due = storage.mirrored_package_list_due(id(1), at(before), limit).await.unwrap();
        due.into_iter().map(|(package, mirrored)| (package.id, mirrored.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(due(5, 9).await, [(queue.id, false)]);
    assert_eq!(due(6, 9).await, [(queue.id, false), (log.id, true)]);
    assert_eq!(due(6, 1).await, [(queue.id, false)]);
    storage.package_delete(log.id).await.unwrap();
    assert_eq!(storage.mirrored_package_find(log.id).await.unwrap(), None);
    let of_nothing = storage.mirrored_package_put(&full).await;
    assert!(matches!(of_nothing, Err(StorageError::Detached)), "{of_nothing:?}");
    assert_eq!(storage.mirrored_package_find(mailer).await.unwrap(), None);
}
