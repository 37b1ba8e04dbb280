//! Endpoints are tried at a pretended Bitbucket, and what it removes is seen.

use crate::{App, KeySource, Settings, entropy};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    credential::{CredentialKind, StoredCredential},
    endpoint::EndpointState,
    id::IntegrationId,
    integration::{ApiTimeout, Client, Integration, Platform},
    job::Job,
    organization::Organization,
    outbound::Outbound,
    synchronization::{RightsFrom, Selection, Stage, Synchronization, SynchronizationAccess, Workspace},
};
use stave_testkit::{FakeBitbucket, Fault};
use tempfile::TempDir;

const SCOPES: [&str; 4] = [
    "read:user:bitbucket",
    "read:workspace:bitbucket",
    "read:repository:bitbucket",
    "read:webhook:bitbucket",
];
const PERMISSIONS: &str = "/2.0/workspaces/{workspace}/permissions";

/// The organization acme follows the workspace acme with an API token of ada's.
struct Acme {
    app: App,
    bitbucket: FakeBitbucket,
    integration: IntegrationId,
    token: String,
    _data: TempDir,
}

impl Acme {
    async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            data: data.path().to_owned(),
            url: "https://stave.example".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::allowing(vec!["127.0.0.0/8".parse().unwrap()]),
            key: KeySource::DataFolder,
            mail: None,
            docs_edit_url: None,
            mirror_url: None,
            trusted_proxies: Vec::new(),
        };
        let app = App::start(settings).await.unwrap();
        let bitbucket = FakeBitbucket::start().await;
        let workspace = bitbucket.workspace("acme");
        workspace.owner("ada").repository("mailer");
        let token = bitbucket.user("ada").api_token(&SCOPES);
        let acme = Self { app, integration: entropy::id(), token, bitbucket, _data: data };
        acme.follow(workspace.uuid()).await;
        acme
    }

    async fn follow(&self, workspace: &str) {
        let (storage, now) = (&self.app.storage, self.app.clock.now());
        let organization = Organization {
            id: entropy::id(),
            short_name: "acme".parse().unwrap(),
            name: "Acme".into(),
            enforced: None,
            deactivates_found: false,
            created_at: now,
        };
        storage.organization_insert(&organization).await.unwrap();
        storage.integration_insert(&self.integration_row()).await.unwrap();
        let id = entropy::id();
        let credential = StoredCredential {
            id,
            organization_id: organization.id,
            description: "ada's".into(),
            host: self.integration_row().base_url.authority(),
            kind: CredentialKind::ApiToken,
            username: "ada@example.com".into(),
            secret: self.app.keys.seal("credential", id, &Secret::new(self.token.as_str())),
            created_at: now,
            expires_at: None,
            checked_at: None,
            last_error: None,
            warned_at: None,
            seen: None,
        };
        storage.credential_insert(&credential).await.unwrap();
        let synchronization = Synchronization {
            id: entropy::id(),
            organization_id: organization.id,
            integration_id: self.integration,
            workspace: Workspace { external_id: workspace.into(), key: "acme".into(), name: "Acme".into() },
            access: SynchronizationAccess::Stored(id),
            rights_from: RightsFrom::Everybody,
            is_primary: true,
            selection: Selection::default(),
            has_webhooks: false,
            stage: Stage::Active,
            numbers_used: 0,
            created_at: now,
        };
        storage.synchronization_insert(&synchronization).await.unwrap();
    }

    fn integration_row(&self) -> Integration {
        let secret = self.app.keys.seal("client secret", self.integration, &Secret::new("unused"));
        Integration {
            id: self.integration,
            slug: "bitbucket".parse().unwrap(),
            organization_id: None,
            name: "Bitbucket".into(),
            platform: Platform::BitbucketCloud,
            base_url: self.bitbucket.base_url().parse().unwrap(),
            client: Client::OAuth2 { id: "key".into(), secret },
            previous: None,
            trust_email: false,
            api_timeout: ApiTimeout(None),
            missing_permissions: None,
            last_error: None,
            seen: None,
            created_at: self.app.clock.now(),
        }
    }

    async fn tried(&self) -> Vec<EndpointState> {
        self.app.endpoints_try(self.integration).await.unwrap();
        self.app.storage.endpoint_list(self.integration).await.unwrap()
    }

    async fn state(&self, path: &str) -> EndpointState {
        let all = self.tried().await;
        let found = all.iter().find(|state| state.path == path);
        found.unwrap_or_else(|| panic!("{path} was not asked: {all:?}")).clone()
    }

    /// Whether the schedule has the endpoints tried.
    async fn is_enqueued(&self) -> bool {
        self.app.endpoints_check().await.unwrap();
        let key = Job::TryEndpoints { integration: self.integration }.key();
        !self.app.storage.job_pending(&key).await.unwrap().is_empty()
    }
}

#[tokio::test]
async fn what_a_platform_removes_is_seen_and_forgotten_when_it_is_back() {
    let acme = Acme::open().await;
    let good = acme.tried().await;
    assert!(good.len() >= 5, "{good:?}");
    assert!(good.iter().all(|state| state.failing_since.is_none() && state.because.is_none()), "{good:?}");

    acme.bitbucket.fail("/2.0/workspaces/*/permissions", Fault::gone());
    let gone = acme.state(PERMISSIONS).await;
    let since = gone.failing_since.unwrap();
    assert!(gone.is_gone && gone.because.unwrap().contains("#CHANGE-2770"));
    acme.app.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(acme.state(PERMISSIONS).await.failing_since, Some(since), "since it began");
    let failing = acme.app.storage.endpoint_list_failing().await.unwrap();
    assert_eq!(failing.len(), 1, "only what is gone: {failing:?}");

    acme.bitbucket.heal();
    assert_eq!(acme.state(PERMISSIONS).await.failing_since, None);
}

#[tokio::test]
async fn a_bad_hour_or_a_dead_key_is_no_removed_endpoint() {
    let acme = Acme::open().await;
    acme.tried().await;
    for fault in [Fault::status(503, "busy"), Fault::RateLimit] {
        acme.bitbucket.fail("/2.0/*", fault);
        let states = acme.tried().await;
        assert!(states.iter().all(|state| state.failing_since.is_none()), "{states:?}");
        assert!(states.iter().all(|state| state.because.is_some()), "{states:?}");
        acme.bitbucket.heal();
    }
    acme.bitbucket.fail("/2.0/workspaces/*/permissions", Fault::status(500, "broken"));
    acme.tried().await;
    acme.app.clock.advance(SignedDuration::from_hours(24));
    let silent = acme.state(PERMISSIONS).await;
    assert!(silent.failing_since.is_some() && !silent.is_gone, "it lasts: {silent:?}");

    acme.bitbucket.heal();
    acme.tried().await;
    acme.bitbucket.revoke_token(&acme.token);
    acme.bitbucket.forget_requests();
    let states = acme.tried().await;
    assert!(states.iter().all(|state| state.failing_since.is_none()), "{states:?}");
    assert_eq!(acme.bitbucket.requests().len(), 1, "a key that is refused is shown once");
}

#[tokio::test]
async fn what_a_run_finds_removed_is_noted_at_once_and_does_not_put_off_the_daily_try() {
    let acme = Acme::open().await;
    assert!(acme.is_enqueued().await, "it was never tried");
    let claimed =
        acme.app.storage.job_claim("a", acme.app.clock.now(), acme.app.clock.now()).await.unwrap().unwrap();
    acme.tried().await;
    acme.app.storage.job_done(claimed.id, "a").await.unwrap();
    assert!(!acme.is_enqueued().await);

    acme.app.clock.advance(SignedDuration::from_hours(23));
    for path in ["/2.0/workspaces/acme/permissions", "/2.0/elsewhere"] {
        acme.app.endpoint_gone(acme.integration, path, "It was removed.").await.unwrap();
    }
    let mut gone = acme.app.storage.endpoint_list_failing().await.unwrap();
    gone.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<_> = gone.iter().map(|state| (state.path.as_str(), state.is_gone)).collect();
    assert_eq!(paths, [("/2.0/elsewhere", true), (PERMISSIONS, true)]);
    assert_eq!(gone[1].purpose, "who is in a workspace");
    acme.app.clock.advance(SignedDuration::from_hours(24));
    assert!(acme.is_enqueued().await);
    assert_eq!(acme.state(PERMISSIONS).await.failing_since, None, "it answers");
    assert_eq!(acme.app.storage.endpoint_list_failing().await.unwrap(), [], "nobody asks elsewhere");
}
