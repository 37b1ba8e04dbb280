use super::SecurityForm;
use crate::{Actor, App, Failure, KeySource, Settings, entropy};
use flate2::read::GzDecoder;
use jiff::SignedDuration;
use serde_json::{Value, json};
use stave_domain::{
    Timestamp,
    composer::metadata::Keys,
    job::Job,
    log::LogFilter,
    mirror::{Adds, Mirror, MirrorTimeout, MirroredPackage},
    organization::Organization,
    outbound::Outbound,
    package::{Origin, Package},
    security::SecuritySettings,
    version::{Archive, RemoteArchive, VersionFound},
};
use std::io::Read;
use tempfile::TempDir;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An organization that mirrors the package other/lib.
struct Acme {
    app: App,
    organization: Organization,
    package: Package,
    mirrored: MirroredPackage,
    _data: TempDir,
}

impl Acme {
    async fn start() -> Self {
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
        let mirror = mirror(&organization, now);
        app.storage.mirror_insert(&mirror).await.unwrap();
        let package = Package::new(entropy::id(), organization.id, Origin::Mirror(mirror.id), now);
        let package = Package { name: Some("other/lib".parse().unwrap()), ..package };
        app.storage.package_insert(&package).await.unwrap();
        let mirrored = MirroredPackage::new(package.id);
        app.storage.mirrored_package_put(&mirrored).await.unwrap();
        Self { app, organization, package, mirrored, _data: data }
    }

    /// What the mirror has now: releases with a source each.
    async fn mirror_has(&self, releases: &[(&str, Timestamp)]) {
        let found: Vec<VersionFound> = releases.iter().map(|(version, at)| found(version, *at)).collect();
        let txn = self.app.storage.begin().await.unwrap();
        self.app.versions_store(&txn, self.package.id, &found).await.unwrap();
        self.app.documents_publish(&txn, self.package.id).await.unwrap();
        txn.commit().await.unwrap();
    }

    async fn choose(&self, change: impl FnOnce(&mut SecurityForm)) -> Result<(), Failure> {
        let settings = self.app.security_of(self.organization.id).await.unwrap();
        let mut form = SecurityForm::from(&settings);
        change(&mut form);
        self.app.security_update(&admin(), "acme", &form).await
    }

    /// Does the jobs that are due, and says which.
    async fn work(&self) -> Vec<Job> {
        let mut done = Vec::new();
        loop {
            let now = self.app.clock.now();
            let Some(claimed) = self.app.storage.job_claim("test", now, now + DAY).await.unwrap() else {
                return done;
            };
            match claimed.job {
                Job::PublishPackage { package } => self.app.package_publish(package).await.unwrap(),
                Job::PublishOrganization { organization } => {
                    self.app.documents_publish_of(organization, claimed.id).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
            self.app.storage.job_done(claimed.id, "test").await.unwrap();
            done.push(claimed.job);
        }
    }

    /// The releases that Composer sees, as they are written.
    async fn seen(&self) -> Vec<Value> {
        let name = self.package.name.as_ref().unwrap();
        let document =
            self.app.storage.document_find(self.organization.id, name, false).await.unwrap().unwrap();
        let mut text = String::new();
        GzDecoder::new(document.body_gzip.as_slice()).read_to_string(&mut text).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        document["packages"][name.as_str()].as_array().unwrap().clone()
    }

    async fn versions(&self) -> Vec<String> {
        self.seen().await.iter().map(|it| it["version"].as_str().unwrap().to_owned()).collect()
    }

    async fn refused(&self, version: &str) -> Option<String> {
        match self.app.dist_refused(self.package.id, &commit(version)).await {
            Ok(()) => None,
            Err(Failure::Gone(because)) => Some(because),
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn admin() -> Actor {
    Actor { is_setup: true, ..Actor::default() }
}

fn mirror(organization: &Organization, now: Timestamp) -> Mirror {
    Mirror {
        id: entropy::id(),
        organization_id: organization.id,
        name: "Upstream".into(),
        url: "https://packages.example".parse().unwrap(),
        credential_id: None,
        timeout: MirrorTimeout(None),
        adds: Adds::Automatically,
        position: 0,
        root: None,
        changes_since: None,
        checked_at: None,
        last_error: None,
        failing_since: None,
        created_at: now,
    }
}

fn commit(version: &str) -> String {
    format!("{:0>40}", version.replace('.', ""))
}

fn found(version: &str, published_at: Timestamp) -> VersionFound {
    let source = json!({"type": "git", "url": "https://git.example/lib.git", "reference": commit(version)});
    VersionFound {
        version: version.into(),
        normalized: format!("{version}.0"),
        is_dev: false,
        is_default_branch: false,
        reference_name: version.into(),
        commit: commit(version),
        archive: Archive::Remote(RemoteArchive {
            url: format!("https://packages.example/{version}.zip"),
            kind: "zip".into(),
            shasum: None,
            reference: Some(commit(version)),
        }),
        released_at: published_at,
        published_at: Some(published_at),
        manifest: json!({"type": "composer-plugin", "source": source}).to_string(),
    }
}

#[tokio::test]
async fn a_release_is_held_back_until_it_is_old_enough() {
    let acme = Acme::start().await;
    acme.choose(|form| form.cooldown_days = "7".into()).await.unwrap();
    acme.work().await;
    let now = acme.app.clock.now();
    let old = ("1.0.0", now - DAY * 100);
    acme.mirror_has(&[old]).await;
    assert_eq!(acme.versions().await, ["1.0.0"], "it was old when it was first seen");

    acme.app.clock.advance(DAY);
    let seen_at = acme.app.clock.now();
    acme.mirror_has(&[old, ("1.1.0", now - DAY * 50)]).await;
    assert_eq!(acme.versions().await, ["1.0.0"], "what upstream says now does not make it old");
    let withheld: Vec<_> = acme.app.versions_withheld(&acme.package).await.unwrap().into_values().collect();
    let [withheld] = withheld.as_slice() else { panic!("{withheld:?}") };
    assert_eq!(withheld.because, "It was first seen less than 7 days ago.");
    let until = withheld.until.unwrap();
    assert!(until >= seen_at + DAY * 7, "{until}");
    assert_eq!(acme.refused("1.1.0").await, None, "who has locked it goes on");

    assert_eq!(acme.work().await, [], "it is too early");
    acme.app.clock.advance(DAY * 7 + SignedDuration::from_secs(1));
    assert_eq!(acme.work().await, [Job::PublishPackage { package: acme.package.id }]);
    assert_eq!(acme.versions().await, ["1.1.0", "1.0.0"]);
    let published: Timestamp = acme.seen().await[0]["published-time"].as_str().unwrap().parse().unwrap();
    assert!(
        (published - seen_at).total(jiff::Unit::Second).unwrap().abs() < 60.0,
        "its own first sight: {published}"
    );
    assert!(acme.app.versions_withheld(&acme.package).await.unwrap().is_empty());
    assert_eq!(acme.work().await, []);
}

#[tokio::test]
async fn an_exception_is_not_held_back() {
    let acme = Acme::start().await;
    acme.mirror_has(&[]).await;
    acme.choose(|form| form.cooldown_days = "7".into()).await.unwrap();
    acme.work().await;
    acme.mirror_has(&[("1.0.0", acme.app.clock.now())]).await;
    assert_eq!(acme.versions().await, [] as [String; 0]);
    acme.choose(|form| form.cooldown_exceptions = "other/*".into()).await.unwrap();
    assert_eq!(acme.work().await, [Job::PublishOrganization { organization: acme.organization.id }]);
    assert_eq!(acme.versions().await, ["1.0.0"]);
}

#[tokio::test]
async fn what_is_chosen_is_published_and_logged() {
    let acme = Acme::start().await;
    let now = acme.app.clock.now();
    acme.mirror_has(&[("1.0.0", now)]).await;
    assert!(acme.seen().await[0]["source"].is_object(), "as it was before there were settings");
    acme.choose(|form| form.hides_source = "public_mirrors".into()).await.unwrap();
    acme.work().await;
    assert!(acme.seen().await[0]["source"].is_null(), "{:?}", acme.seen().await);

    acme.choose(|form| form.clients = "newest".into()).await.unwrap();
    assert_eq!(acme.work().await, [], "there is nothing of it in the documents");
    acme.choose(|_| ()).await.unwrap();
    let log =
        acme.app.storage.log_list(Some(acme.organization.id), &LogFilter::default(), None, 9).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "changed the security settings: Composer clients: 2.10.* or newer only",
            "changed the security settings: source code checkout URLs are hidden: only of packages mirrored from public \
             repositories, such as the public packagist",
        ]
    );
    let member = acme.app.security_update(&Actor::default(), "acme", &SecurityForm::default()).await;
    assert!(matches!(member, Err(Failure::LogInNeeded)), "{member:?}");
}

#[tokio::test]
async fn what_is_refused_follows_the_lists_and_the_settings() {
    let acme = Acme::start().await;
    let now = acme.app.clock.now();
    let releases = [("1.0.0", now), ("1.1.0", now)];
    acme.mirror_has(&releases).await;
    assert_eq!(acme.refused("1.1.0").await, None);

    let flagged =
        Keys::from_iter([("malware".into(), json!([{"constraint": "1.1.0", "reason": "Steals keys"}]))]);
    let mirrored = MirroredPackage { filter: flagged, ..acme.mirrored.clone() };
    acme.app.storage.mirrored_package_put(&mirrored).await.unwrap();
    acme.mirror_has(&releases).await;
    assert_eq!(acme.versions().await, ["1.0.0"]);
    let because = acme.refused("1.1.0").await.unwrap();
    assert!(
        because.starts_with("other/lib 1.1.0 is not downloaded. It is flagged as malware (Steals keys)."),
        "{because}"
    );
    assert_eq!(acme.refused("1.0.0").await, None);
    // The mirror took it away: lock files still name it.
    acme.mirror_has(&releases[..1]).await;
    assert!(acme.refused("1.1.0").await.is_some());

    acme.choose(|form| form.blocks_malware = None).await.unwrap();
    acme.work().await;
    assert_eq!(acme.refused("1.1.0").await, None);
    acme.choose(|form| {
        form.plugins = "limited".into();
        form.allowed_plugins = "acme/*".into();
        form.blocks_plugin_downloads = Some("on".into());
    })
    .await
    .unwrap();
    acme.work().await;
    assert_eq!(acme.versions().await, [] as [String; 0]);
    let because = acme.refused("1.0.0").await.unwrap();
    assert!(because.contains("It is a Composer plugin, and not on the list of allowed ones."), "{because}");
    acme.choose(|form| form.allowed_plugins = "other/lib".into()).await.unwrap();
    acme.work().await;
    assert_eq!((acme.versions().await, acme.refused("1.0.0").await), (vec!["1.0.0".to_owned()], None));
}

#[tokio::test]
async fn what_cannot_be_is_said_beside_the_field() {
    let acme = Acme::start().await;
    let refused = acme
        .choose(|form| {
            form.cooldown_days = "a week".into();
            form.private_names = "no name".into();
            form.allowed_plugins = "acme/[a]*".into();
            form.hides_source = "sometimes".into();
            form.clients = String::new();
            form.plugins = String::new();
        })
        .await;
    let Err(Failure::Invalid(problems)) = refused else { panic!("{refused:?}") };
    let fields: Vec<&str> = problems.iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        ["allowed_plugins", "clients", "cooldown_days", "hides_source", "plugins", "private_names"]
    );
    let settings = acme.app.security_of(acme.organization.id).await.unwrap();
    assert_eq!(settings, SecuritySettings::until_now());
}
