use crate::{App, KeySource, Settings, entropy};
use jiff::SignedDuration;
use stave_domain::{
    id::PackageId,
    organization::Organization,
    outbound::Outbound,
    package::{Origin, Package},
    version::{Archive, Dist, Publication, Version},
};
use tempfile::TempDir;

/// A package whose branch has moved on, and whose tag was deleted.
async fn open() -> (App, PackageId, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        data: data.path().to_owned(),
        url: "https://stave.example".parse().unwrap(),
        database_url: None,
        storage_url: None,
        outbound: Outbound::default(),
        key: KeySource::DataFolder,
        mail: None,
        docs_edit_url: None,
        mirror_url: None,
        trusted_proxies: Vec::new(),
    };
    let app = App::start(settings).await.unwrap();
    let now = app.clock.now();
    let organization = Organization {
        id: entropy::id(),
        short_name: "acme".parse().unwrap(),
        name: "Acme".into(),
        enforced: None,
        deactivates_found: false,
        created_at: now,
    };
    app.storage.organization_insert(&organization).await.unwrap();
    let mut package = Package::new(entropy::id(), organization.id, Origin::Artifact, now);
    package.name = Some("acme/mailer".parse().unwrap());
    app.storage.package_insert(&package).await.unwrap();
    for number in 0..6_i64 {
        let normalized = if number == 0 { "1.0.0.0" } else { "dev-main" };
        let publication = Publication {
            normalized: normalized.into(),
            commit: format!("{number:040x}"),
            archive: Archive::Commit,
            published_at: now + SignedDuration::from_mins(number),
        };
        app.storage.publication_insert_many(package.id, &[publication]).await.unwrap();
        dist_put(&app, package.id, number).await;
    }
    // What no dist names: its package was deleted.
    blob_put(&app, 9).await;
    (app, package.id, data)
}

async fn dist_put(app: &App, package_id: PackageId, number: i64) {
    let dist = Dist {
        package_id,
        commit: format!("{number:040x}"),
        digest: blob_put(app, number).await,
        shasum: format!("{number:040x}"),
        size_bytes: 10,
        created_at: Some(app.clock.now()),
    };
    app.storage.dist_insert(&dist).await.unwrap();
}

async fn blob_put(app: &App, number: i64) -> String {
    let (digest, file) = (format!("{number:064x}"), app.data.join("file"));
    std::fs::write(&file, "ten bytes!").unwrap();
    app.blobs.put_file(&digest, &file).await.unwrap();
    digest
}

async fn there(app: &App) -> String {
    let mut there = String::new();
    for number in 0..10 {
        if app.blobs.open_blob(&format!("{number:064x}")).await.unwrap().is_some() {
            there += &number.to_string();
        }
    }
    there
}

#[tokio::test]
async fn only_what_is_past_its_time_goes() {
    let (app, package, _data) = open().await;
    assert_eq!(app.garbage_collect(false).await.unwrap().blobs, 0, "all of it is young");
    app.clock.advance(SignedDuration::from_hours(24 * 91));
    let version = Version {
        id: entropy::id(),
        package_id: package,
        version: "dev-old".into(),
        normalized: "dev-old".into(),
        is_dev: true,
        is_default_branch: false,
        reference_name: "old".into(),
        commit: format!("{:040x}", 1),
        archive: Archive::Commit,
        released_at: app.clock.now(),
        published_at: app.clock.now(),
        manifest: "{}".into(),
        removed_at: None,
    };
    app.storage.version_upsert_many(&[version]).await.unwrap();

    // 0 is a tag's, 3 to 5 are the last three of the branch, 1 is where another branch is.
    let would = app.garbage_collect(true).await.unwrap();
    assert_eq!(there(&app).await, "0123459", "it was only looked at");
    let did = app.garbage_collect(false).await.unwrap();
    assert_eq!(did, would, "what was told is what is done");
    assert_eq!(there(&app).await, "01345");
    assert_eq!((did.dists.len(), did.blobs, did.blob_bytes), (1, 2, 20));
    assert_eq!((did.kept, did.kept_bytes), (5, 50));
    let again = app.garbage_collect(false).await.unwrap();
    assert_eq!((again.dists.len(), again.blobs), (0, 0));
}

#[tokio::test]
async fn bytes_that_two_packages_share_stay_for_the_other_one() {
    let (app, package, _data) = open().await;
    let other = app.storage.package_find(package).await.unwrap().unwrap();
    let other = Package { id: entropy::id(), name: Some("acme/other".parse().unwrap()), ..other };
    app.storage.package_insert(&other).await.unwrap();
    let shared = app.storage.dist_find(package, &format!("{:040x}", 2)).await.unwrap().unwrap();
    app.storage.dist_insert(&Dist { package_id: other.id, ..shared }).await.unwrap();
    app.clock.advance(SignedDuration::from_hours(24 * 91));
    let would = app.garbage_collect(true).await.unwrap();
    let did = app.garbage_collect(false).await.unwrap();
    assert_eq!(did, would);
    assert_eq!(did.dists.len(), 2);
    assert_eq!(there(&app).await, "02345");
}
