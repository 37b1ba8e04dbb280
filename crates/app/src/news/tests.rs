use super::*;
use crate::{KeySource, MailSettings, Settings, entropy};
use jiff::SignedDuration;
use stave_domain::{
    credential::CredentialKind,
    integration::{ApiTimeout, Client, Integration, Platform},
    job::PendingJob,
    organization::Member,
    outbound::Outbound,
    secret::Sealed,
    synchronization::{RightsFrom, Selection, Stage, Synchronization, SynchronizationAccess, Workspace},
};
use stave_testkit::FakeMailServer;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A Stave with the organization acme, and the mail server that it writes to.
struct Acme {
    app: App,
    organization: Organization,
    server: FakeMailServer,
    _data: TempDir,
}

impl Acme {
    /// Ada owns it, Grace is an admin, Linus a member, Margaret an owner whose address nobody confirmed, and Mallory was
    /// an owner before somebody deactivated her.
    async fn open() -> Self {
        let (data, server) = (tempfile::tempdir().unwrap(), FakeMailServer::start());
        let mail = MailSettings::new(server.url().parse().unwrap(), "stave@example.com").unwrap();
        let settings = Settings {
            data: data.path().to_owned(),
            url: "https://stave.example".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::default(),
            key: KeySource::DataFolder,
            mail: Some(mail),
            docs_edit_url: None,
            mirror_url: None,
            trusted_proxies: Vec::new(),
        };
        let app = App::start(settings).await.unwrap();
        let organization = Organization {
            id: entropy::id(),
            short_name: "acme".parse().unwrap(),
            name: "Acme".into(),
            enforced: None,
            deactivates_found: false,
            created_at: app.clock.now(),
        };
        app.storage.organization_insert(&organization).await.unwrap();
        let acme = Self { app, organization, server, _data: data };
        for (username, role, is_confirmed, is_active) in [
            ("ada", Role::Owner, true, true),
            ("grace", Role::Admin, true, true),
            ("linus", Role::Member, true, true),
            ("margaret", Role::Owner, false, true),
            ("mallory", Role::Owner, true, false),
        ] {
            acme.join(username, role, is_confirmed, is_active).await;
        }
        acme
    }

    async fn join(&self, username: &str, role: Role, is_confirmed: bool, is_active: bool) {
        let now = self.app.clock.now();
        let user = User {
            id: entropy::id(),
            username: username.parse().unwrap(),
            name: String::new(),
            email: Some(format!("{username}@example.com").parse().unwrap()),
            email_verified: is_confirmed,
            is_admin: false,
            created_at: now,
        };
        self.app.storage.user_insert(&user, None).await.unwrap();
        let (organization_id, user_id) = (self.organization.id, user.id);
        let member = Member { organization_id, user_id, role, given: Some(role), is_active, joined_at: now };
        self.app.storage.member_upsert(&member).await.unwrap();
    }

    async fn credential(&self, expires_at: Timestamp) -> StoredCredential {
        let credential = StoredCredential {
            id: entropy::id(),
            organization_id: self.organization.id,
            description: "Robot".into(),
            host: "bitbucket.org".into(),
            kind: CredentialKind::ApiToken,
            username: "robot@example.com".into(),
            secret: Sealed(Vec::new()),
            created_at: self.app.clock.now(),
            expires_at: Some(expires_at),
            checked_at: None,
            last_error: None,
            warned_at: None,
            seen: None,
        };
        self.app.storage.credential_insert(&credential).await.unwrap();
        credential
    }

    async fn synchronization(&self) -> Synchronization {
        let now = self.app.clock.now();
        let integration = Integration {
            id: entropy::id(),
            organization_id: None,
            slug: "bitbucket".parse().unwrap(),
            name: "Bitbucket".into(),
            platform: Platform::BitbucketCloud,
            base_url: "https://bitbucket.org".parse().unwrap(),
            client: Client::OAuth2 { id: "key".into(), secret: Sealed(Vec::new()) },
            previous: None,
            trust_email: false,
            api_timeout: ApiTimeout::default(),
            missing_permissions: None,
            last_error: None,
            seen: None,
            created_at: now,
        };
        self.app.storage.integration_insert(&integration).await.unwrap();
        let synchronization = Synchronization {
            id: entropy::id(),
            organization_id: self.organization.id,
            integration_id: integration.id,
            workspace: Workspace { external_id: "{1}".into(), key: "acme".into(), name: "Acme PHP".into() },
            access: SynchronizationAccess::AccountGone,
            rights_from: RightsFrom::Everybody,
            is_primary: true,
            selection: Selection::All,
            has_webhooks: false,
            stage: Stage::Active,
            numbers_used: 0,
            created_at: now,
        };
        self.app.storage.synchronization_insert(&synchronization).await.unwrap();
        synchronization
    }

    /// What is due is asked for, and every job that is due then is tried.
    async fn work(&self) {
        self.app.credentials_warn().await.unwrap();
        self.app.synchronizations_tell().await.unwrap();
        let (stop, now) = (CancellationToken::new(), self.app.clock.now());
        let runner = tokio::spawn({
            let (app, stop) = (self.app.clone(), stop.clone());
            async move { app.run_jobs(stop).await }
        });
        while self.jobs().await.iter().any(|job| job.is_running || job.run_at <= now) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        runner.await.unwrap();
    }

    async fn jobs(&self) -> Vec<PendingJob> {
        let jobs = self.app.storage.job_list(None, 10).await.unwrap();
        jobs.into_iter().map(|job| job.pending).collect()
    }

    /// Who got mail so far, in the order of their addresses.
    fn recipients(&self) -> Vec<String> {
        let mut all: Vec<_> = self.server.mails().into_iter().flat_map(|mail| mail.to).collect();
        all.sort();
        all
    }
}

#[tokio::test]
async fn who_manages_is_warned_once_of_a_credential_that_expires() {
    let acme = Acme::open().await;
    let now = acme.app.clock.now();
    acme.credential(now + SignedDuration::from_hours(15 * 24)).await;
    acme.work().await;
    assert_eq!(acme.recipients(), [""; 0], "there is still time");

    acme.app.clock.advance(SignedDuration::from_hours(2 * 24));
    acme.work().await;
    acme.work().await;
    assert_eq!(acme.recipients(), ["ada@example.com", "grace@example.com"]);
    let mails = acme.server.mails();
    let text = mails[0].text();
    for part in [
        "Hello ada,",
        "the credential “Robot” for bitbucket.org expires on",
        "https://stave.example/orgs/acme/settings/credentials/",
        "manage the organization Acme",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(mails[0].from, "stave@example.com");
    assert_eq!(mails[0].header("Auto-Submitted"), "auto-generated");
    assert!(mails[0].header("Message-ID").ends_with("@stave.example>"), "{}", mails[0].raw);
}

#[tokio::test]
async fn what_is_no_news_any_more_is_told_to_nobody() {
    let acme = Acme::open().await;
    let now = acme.app.clock.now();
    let credential = acme.credential(now + SignedDuration::from_hours(24)).await;
    acme.app.credentials_warn().await.unwrap();
    let later = Some(now + SignedDuration::from_hours(90 * 24));
    let rotated = StoredCredential { expires_at: later, ..credential };
    acme.app.storage.credential_update(&rotated).await.unwrap();
    acme.work().await;
    assert_eq!(acme.recipients(), [""; 0]);
    assert!(acme.jobs().await.is_empty());
}

#[tokio::test]
async fn a_mail_server_that_is_down_is_asked_again_later() {
    let acme = Acme::open().await;
    acme.credential(acme.app.clock.now() + SignedDuration::from_hours(24)).await;
    acme.server.refuse("451 4.3.0 The disk is full");
    acme.work().await;
    acme.work().await;
    let waiting = acme.jobs().await;
    let [job] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!(job.attempt, 1, "the schedule does not hurry it");
    let because = job.last_error.as_deref().unwrap();
    assert!(because.contains("451") && because.contains("The disk is full"), "{because}");

    acme.server.heal();
    acme.app.clock.advance(SignedDuration::from_mins(2));
    acme.work().await;
    assert_eq!(acme.recipients(), ["ada@example.com", "grace@example.com"]);
    assert!(acme.jobs().await.is_empty());
}

#[tokio::test]
async fn a_synchronization_that_fails_for_a_day_is_told_once() {
    let acme = Acme::open().await;
    let synchronization = acme.synchronization().await;
    let fail = async || {
        let (now, id) = (acme.app.clock.now(), synchronization.id);
        let next = now + SignedDuration::from_hours(1000);
        acme.app.storage.synchronization_failed(id, now, next, "Bitbucket says no.").await.unwrap();
    };
    fail().await;
    acme.work().await;
    acme.app.clock.advance(SignedDuration::from_hours(25));
    fail().await;
    assert_eq!(acme.recipients(), [""; 0], "it may pass");
    acme.work().await;
    acme.work().await;
    assert_eq!(acme.recipients(), ["ada@example.com", "grace@example.com"]);
    let mails = acme.server.mails();
    let text = mails[0].text();
    for part in [
        "with Acme PHP has been failing since",
        "Bitbucket says no.",
        "/orgs/acme/settings/synchronizations/",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        mails[0].header("Subject"),
        "Acme: the synchronization with Acme PHP has been failing for a day"
    );
}

#[test]
fn a_letter_says_what_stops() {
    assert_eq!(uses(0, 0), "Nothing uses it.");
    assert_eq!(uses(1, 0), "Stave reads 1 repository with it, and cannot from then on.");
    assert_eq!(uses(0, 2), "Stave follows 2 workspaces with it, and cannot from then on.");
    assert_eq!(
        uses(3, 1),
        "Stave reads 3 repositories and follows 1 workspace with it, and cannot from then on."
    );
}
