//! The two pages about access, and what a token reads, are answers to one question.

use crate::{Actor, App, KeySource, PeopleSearch, Settings, TeamForm, entropy};
use stave_domain::{
    Timestamp,
    access::{Barrier, Because, Reading},
    id::{IntegrationId, OrganizationId, PackageId, SynchronizationId, UserId},
    identity::Identity,
    integration::{ApiTimeout, Client, Integration, Platform},
    organization::{Member, Organization, Role},
    outbound::Outbound,
    package::{Origin, Package},
    repository::{Followed, Layout, Repository, SourceAccess},
    secret::Sealed,
    synchronization::{
        AccessSet, KnownPerson, Level, RemotePerson, RightsFrom, Selection, Stage, Synchronization,
        SynchronizationAccess, Workspace,
    },
    team::{FollowedGroup, Team},
    user::User,
};
use tempfile::TempDir;

/// The organization acme, which ada owns. It follows the workspace wacme, whose credential sees everybody's rights.
struct Acme {
    app: App,
    organization: Organization,
    integration: IntegrationId,
    synchronization: SynchronizationId,
    ada: Actor,
    /// When it was opened, and Bitbucket asked.
    opened_at: Timestamp,
    _data: TempDir,
}

impl Acme {
    async fn open(rights_from: RightsFrom) -> Self {
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
        let integration = integration(now);
        app.storage.integration_insert(&integration).await.unwrap();
        let synchronization = synchronization(&organization, integration.id, rights_from);
        app.storage.synchronization_insert(&synchronization).await.unwrap();
        app.storage.synchronization_succeeded(synchronization.id, now, now, &[]).await.unwrap();
        let mut acme = Self {
            app,
            organization,
            integration: integration.id,
            synchronization: synchronization.id,
            ada: Actor::default(),
            opened_at: now,
            _data: data,
        };
        let ada = acme.member("ada", Role::Owner, true).await;
        acme.ada.user = acme.app.storage.user_find(ada).await.unwrap();
        acme
    }

    async fn member(&self, name: &str, role: Role, is_active: bool) -> UserId {
        let now = self.opened_at;
        let user = User {
            id: entropy::id(),
            username: name.parse().unwrap(),
            name: String::new(),
            email: None,
            email_verified: false,
            is_admin: false,
            created_at: now,
        };
        self.app.storage.user_insert(&user, None).await.unwrap();
        let member = Member {
            organization_id: self.organization.id,
            user_id: user.id,
            role,
            given: Some(role),
            is_active,
            joined_at: now,
        };
        self.app.storage.member_upsert(&member).await.unwrap();
        user.id
    }

    /// Connects the account `{name}` of somebody.
    async fn connect(&self, user: UserId, name: &str) {
        let identity = Identity {
            id: entropy::id(),
            user_id: user,
            integration_id: self.integration,
            external_id: format!("{{{name}}}"),
            handle: format!("{name}-there"),
            display_name: String::new(),
            grant: Sealed(vec![9]),
            client_id: "key".into(),
            grant_revision: 1,
            broken_because: None,
            connected_at: self.opened_at,
        };
        self.app.storage.identity_insert(&identity).await.unwrap();
    }

    /// The workspace knows somebody, who may do this there; `None` if they were not asked.
    async fn knows(&self, name: &str, rights: Option<&[(u32, Level)]>) {
        let person = KnownPerson {
            person: RemotePerson {
                external_id: format!("{{{name}}}"),
                handle: format!("{name}-there"),
                name: String::new(),
                role: Role::Member,
            },
            access: rights.map(|rights| AccessSet::of(rights.iter().copied())),
            asked_at: rights.map(|_| self.opened_at),
            problem: None,
        };
        self.app.storage.remote_person_put_many(self.synchronization, &[person]).await.unwrap();
    }

    async fn package(&self, name: &str, followed: Option<u32>, is_restricted: bool) -> PackageId {
        let followed = followed.map(|number| Followed { synchronization_id: self.synchronization, number });
        let now = self.opened_at;
        let repository = Repository {
            id: entropy::id(),
            organization_id: self.organization.id,
            source: format!("https://git.example/{name}.git").parse().unwrap(),
            access: SourceAccess::Public,
            layout: Layout::Root,
            followed,
            created_at: now,
            checked_at: None,
            last_error: None,
        };
        self.app.storage.repository_insert(&repository).await.unwrap();
        let package = Package {
            id: entropy::id(),
            organization_id: self.organization.id,
            origin: Origin::root_of(repository.id),
            name: Some(name.parse().unwrap()),
            description: String::new(),
            abandoned: None,
            given_up: None,
            is_restricted,
            problem: None,
            created_at: now,
        };
        self.app.storage.package_insert(&package).await.unwrap();
        package.id
    }

    async fn team(&self, name: &str, reads_all: bool, people: &[UserId], packages: &[PackageId]) {
        let team = Team {
            id: entropy::id(),
            organization_id: self.organization.id,
            name: name.into(),
            group: None,
            reads_all,
            adds_packages: false,
            created_at: self.opened_at,
        };
        self.app.storage.team_insert(&team).await.unwrap();
        for user in people {
            self.app.storage.team_member_put(team.id, *user).await.unwrap();
        }
        for package in packages {
            self.app.storage.team_package_put(team.id, *package).await.unwrap();
        }
    }

    /// The answer of the page of a package, which has to be that of the page of the person.
    async fn reading(&self, user: UserId, package: PackageId) -> Reading {
        let of_package = self.app.package_access(&self.ada, "acme", package).await.unwrap();
        let of_person = self.app.person_access(&self.ada, "acme", user).await.unwrap();
        let by_package = of_package.people.into_iter().find(|it| it.user.id == user).unwrap().reading;
        let by_person = of_person.packages.into_iter().find(|it| it.package.id == package).unwrap().reading;
        assert_eq!(by_package, by_person);
        let sight = self.app.sight_of_user(&self.organization, user).await.unwrap();
        assert_eq!(
            sight.sees(&of_package.package),
            matches!(by_package, Reading::Yes(_)),
            "what a token reads"
        );
        by_package
    }
}

fn integration(now: Timestamp) -> Integration {
    Integration {
        id: entropy::id(),
        slug: "bitbucket".parse().unwrap(),
        organization_id: None,
        name: "Bitbucket".into(),
        platform: Platform::BitbucketCloud,
        base_url: "https://bitbucket.org".parse().unwrap(),
        client: Client::OAuth2 { id: "key".into(), secret: Sealed(vec![1]) },
        previous: None,
        trust_email: false,
        api_timeout: ApiTimeout(None),
        missing_permissions: None,
        last_error: None,
        seen: None,
        created_at: now,
    }
}

fn synchronization(
    organization: &Organization,
    integration_id: IntegrationId,
    rights_from: RightsFrom,
) -> Synchronization {
    let organization_id: OrganizationId = organization.id;
    Synchronization {
        id: entropy::id(),
        organization_id,
        integration_id,
        workspace: Workspace { external_id: "{w}".into(), key: "wacme".into(), name: "W. Acme".into() },
        access: SynchronizationAccess::AccountGone,
        rights_from,
        is_primary: true,
        selection: Selection::default(),
        has_webhooks: false,
        stage: Stage::Active,
        numbers_used: 9,
        created_at: organization.created_at,
    }
}

#[tokio::test]
async fn bitbucket_decides_about_what_follows_it_and_teams_about_the_rest() {
    let acme = Acme::open(RightsFrom::Everybody).await;
    let ada = acme.ada.user.as_ref().unwrap().id;
    let [grace, linus, mallory] = [
        acme.member("grace", Role::Member, true).await,
        acme.member("linus", Role::Member, false).await,
        acme.member("mallory", Role::Admin, true).await,
    ];
    acme.connect(grace, "grace").await;
    acme.connect(linus, "linus").await;
    acme.connect(mallory, "mallory").await;
    for person in ["grace", "linus", "eve"] {
        acme.knows(person, Some(&[(1, Level::Write)])).await;
    }
    let followed = acme.package("acme/followed", Some(1), true).await;
    let other = acme.package("acme/other", Some(2), false).await;
    let open = acme.package("acme/open", None, false).await;
    let given = acme.package("acme/given", None, true).await;
    acme.team("devs", false, &[grace], &[given, followed]).await;

    let asked_at = Some(acme.opened_at);
    let lets = Reading::Yes(Because::Platform { level: Level::Write, asked_at });
    for (user, package, expected) in [
        (ada, followed, Reading::No(Barrier::NotInWorkspace)),
        (ada, open, Reading::Yes(Because::EveryMember)),
        (ada, given, Reading::Yes(Because::Role(Role::Owner))),
        (grace, followed, lets),
        (grace, other, Reading::No(Barrier::NotOnPlatform)),
        (grace, given, Reading::Yes(Because::Team("devs".into()))),
        (linus, followed, Reading::No(Barrier::Deactivated)),
        (linus, open, Reading::No(Barrier::Deactivated)),
        (mallory, followed, Reading::No(Barrier::NotInWorkspace)),
        (mallory, given, Reading::Yes(Because::Role(Role::Admin))),
    ] {
        assert_eq!(acme.reading(user, package).await, expected);
    }
    let view = acme.app.package_access(&acme.ada, "acme", followed).await.unwrap();
    let strangers: Vec<_> = view.strangers.iter().map(|it| it.person.handle.as_str()).collect();
    assert_eq!(strangers, ["eve-there"], "who never logged in here");
    let accounts: Vec<_> = view.people.iter().filter_map(|it| it.account.as_deref()).collect();
    assert_eq!(accounts, ["grace-there", "linus-there", "mallory-there"]);
    let refused = acme.app.package_restrict(&acme.ada, "acme", followed, false).await.unwrap_err();
    assert!(refused.to_string().contains("follows Bitbucket"), "{refused}");
}

#[tokio::test]
async fn a_team_with_all_package_access_reads_what_is_given_to_others() {
    let acme = Acme::open(RightsFrom::Everybody).await;
    let grace = acme.member("grace", Role::Member, true).await;
    let linus = acme.member("linus", Role::Member, true).await;
    let secret = acme.package("acme/secret", None, false).await;
    acme.team("auditors", true, &[grace], &[]).await;
    assert_eq!(acme.reading(linus, secret).await, Reading::Yes(Because::EveryMember));
    acme.app.package_restrict(&acme.ada, "acme", secret, true).await.unwrap();
    assert_eq!(acme.reading(grace, secret).await, Reading::Yes(Because::Team("auditors".into())));
    assert_eq!(acme.reading(linus, secret).await, Reading::No(Barrier::NoTeam));
    let linus_asks = Actor { user: acme.app.storage.user_find(linus).await.unwrap(), ..Actor::default() };
    let own = acme.app.person_access(&linus_asks, "acme", linus).await.unwrap();
    assert!(own.packages.is_empty(), "a member is not told of what they cannot read");
    assert!(acme.app.person_access(&linus_asks, "acme", grace).await.is_err(), "nor of others");
    assert!(acme.app.package_access(&linus_asks, "acme", secret).await.is_err());
}

#[tokio::test]
async fn what_only_the_person_can_ask_says_how_old_it_is() {
    let acme = Acme::open(RightsFrom::EachPerson).await;
    let [grace, linus] =
        [acme.member("grace", Role::Member, true).await, acme.member("linus", Role::Member, true).await];
    acme.connect(grace, "grace").await;
    acme.connect(linus, "linus").await;
    acme.knows("grace", Some(&[(1, Level::Read)])).await;
    acme.knows("linus", None).await;
    let followed = acme.package("acme/followed", Some(1), false).await;
    let asked_at = Some(acme.opened_at);
    assert_eq!(acme.reading(linus, followed).await, Reading::No(Barrier::NotAsked));
    let lets = Because::Platform { level: Level::Read, asked_at };
    assert_eq!(acme.reading(grace, followed).await, Reading::Yes(lets));
    acme.app.clock().advance(jiff::SignedDuration::from_hours(24));
    assert_eq!(acme.reading(grace, followed).await, Reading::No(Barrier::TooOld { asked_at }));
    let view = acme.app.person_access(&acme.ada, "acme", grace).await.unwrap();
    let standing = view.standings.values().next().unwrap();
    assert_eq!(standing.barrier, Some(Barrier::TooOld { asked_at }));
    assert_eq!((standing.repositories, standing.account.as_deref()), (1, Some("grace-there")));
}

#[tokio::test]
async fn what_follows_bitbucket_is_changed_there() {
    let acme = Acme::open(RightsFrom::Everybody).await;
    let grace = acme.member("grace", Role::Member, true).await;
    acme.connect(grace, "grace").await;
    for person in ["grace", "eve"] {
        acme.knows(person, Some(&[(1, Level::Read)])).await;
    }
    let (app, ada) = (&acme.app, &acme.ada);
    let refused = app.member_put(ada, "acme", "grace", Role::Admin).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "grace is in W. Acme, and what its people may do here follows Bitbucket. Change it there."
    );
    let refused = app.member_remove(ada, "acme", grace).await.unwrap_err().to_string();
    assert!(refused.contains("would come back. Deactivate grace"), "{refused}");
    let view = app.member_list(ada, "acme", &PeopleSearch::default()).await.unwrap();
    let led: Vec<_> = view.members.lines.iter().map(|line| line.led_by.as_deref()).collect();
    assert_eq!(led, [None, Some("W. Acme")], "ada, grace");
    let waiting = app.member_list_waiting(ada, "acme", &PeopleSearch::default()).await.unwrap().unwrap();
    let waiting: Vec<_> = waiting.lines.iter().map(|line| line.person.handle.as_str()).collect();
    assert_eq!(waiting, ["eve-there"]);

    let team = Team {
        id: entropy::id(),
        organization_id: acme.organization.id,
        name: "group".into(),
        group: Some(FollowedGroup { synchronization_id: acme.synchronization, name: "group".into() }),
        reads_all: false,
        adds_packages: false,
        created_at: acme.opened_at,
    };
    app.storage.team_insert(&team).await.unwrap();
    for refused in [
        app.team_delete(ada, "acme", team.id).await,
        app.team_member_add(ada, "acme", team.id, "grace").await,
        app.team_member_remove(ada, "acme", team.id, grace).await,
    ] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.starts_with("The team group follows the group on Bitbucket."), "{refused}");
    }
    let form = TeamForm { name: "other".into(), reads_all: Some("on".into()), ..TeamForm::default() };
    app.team_change(ada, "acme", team.id, &form).await.unwrap();
    let view = app.team_show(ada, "acme", team.id).await.unwrap();
    assert_eq!((view.team.name.as_str(), view.team.reads_all), ("group", true), "its name is the group's");
    let given = acme.package("acme/given", None, true).await;
    app.team_package_give(ada, "acme", team.id, "acme/given").await.unwrap();
    assert_eq!(acme.reading(grace, given).await, Reading::No(Barrier::NoTeam), "she is not in the group");
    acme.package("acme/followed", Some(1), false).await;
    let refused = app.team_package_give(ada, "acme", team.id, "acme/followed").await.unwrap_err();
    assert!(refused.to_string().contains("follows Bitbucket"), "{refused}");
}
