//! Following a project of a fake Bitbucket Data Center: read whole, or an error, and never less than the truth.

use crate::{
    data_center_oauth1,
    follow::workspace,
    support::{Patient, Server, answer, environment, http, oauth2_client, registration},
};
use stave_domain::{
    Secret,
    integration::Platform,
    organization::Role,
    synchronization::{Level, RemoteRepository, Workspace},
};
use stave_testkit::{
    DataCenterOptions, FakeDataCenter, Fault, Level as Granted, RateLimit, Version, data_center::Project,
};
use stave_upstream::{Connector, Follow, Key, OwnRights, Right, UpstreamError, connector};
use std::collections::{BTreeMap, BTreeSet};

const MANIFEST: &str = r#"{"name":"acme/mailer"}"#;
const API: &str = "/rest/api/1.0";

/// The project PHP, which ada administers and grace may read, in pages of ten, below a context path.
pub(crate) struct Story {
    pub(crate) server: FakeDataCenter,
    pub(crate) connector: Box<dyn Connector>,
    pub(crate) ada: Key,
    pub(crate) php: Workspace,
}

impl Story {
    pub(crate) async fn start(version: Version) -> Self {
        let options = DataCenterOptions::new(version).context_path("/bitbucket");
        let server = FakeDataCenter::start_with(options).await;
        server.page_limit_at_most(10);
        let project = server.project("PHP");
        project.grant("ada", Granted::Admin).grant("grace", Granted::Read);
        let client = oauth2_client("id", "secret");
        let registration = registration(Platform::BitbucketDataCenter, &server.base_url(), client);
        let connector = connector(http(), registration, environment());
        let php = workspace(&project.id().to_string(), "PHP", "PHP");
        let ada = key_of(&server, "ada");
        let story = Self { server, connector, ada, php };
        let named = story.follow().workspace_look(&story.ada, &story.php).await.unwrap();
        Self { php: named, ..story }
    }

    /// Repositories with a composer.json.
    fn with(self, repositories: usize) -> Self {
        for number in 0..repositories {
            self.remote().sketch(&format!("library{number:02}"), Some(MANIFEST));
        }
        self
    }

    pub(crate) fn remote(&self) -> Project {
        let now: u32 = self.php.external_id.parse().unwrap();
        let project = self.server.project("PHP");
        assert_eq!(project.id(), now);
        project
    }

    pub(crate) fn follow(&self) -> &dyn Follow {
        self.connector.follow().unwrap()
    }

    pub(crate) async fn repositories(&self) -> Vec<RemoteRepository> {
        self.follow().repository_list(&self.ada, &self.php, &|_| ()).await.unwrap()
    }

    pub(crate) async fn repository(&self, slug: &str) -> RemoteRepository {
        self.repositories().await.into_iter().find(|repository| repository.slug == slug).unwrap()
    }

    async fn own(&self, name: &str) -> Result<Option<OwnRights>, UpstreamError> {
        self.follow().own_rights(&key_of(&self.server, name), &self.php).await
    }

    /// User names of the readers, by slug.
    async fn readers(&self, repositories: &[RemoteRepository]) -> BTreeMap<String, BTreeSet<String>> {
        let mut readers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut tell = |right: Right<'_>| {
            assert_eq!(right.level, Level::Read);
            let one = repositories.iter().find(|one| one.external_id == right.repository).unwrap();
            readers.entry(one.slug.clone()).or_default().insert(right.person.handle.clone());
        };
        self.follow().right_each(&self.ada, &self.php, repositories, &mut tell).await.unwrap();
        readers
    }
}

fn key_of(server: &FakeDataCenter, name: &str) -> Key {
    Key::Token(Secret::new(server.user(name).http_token(&["PROJECT_ADMIN"])))
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_version_is_followed() {
    for version in [Version::V7_20, Version::V8_19, Version::V9_4, Version::V10_0] {
        let story = Story::start(version).await.with(12);
        story.server.project("OTHER").sketch("elsewhere", None);
        story.server.project("OTHER").grant("grace", Granted::Read);
        story.server.forget_requests();
        let found = story.repositories().await;
        assert_eq!((found.len(), story.server.requests().len()), (12, 2), "{version:?}");
        let one = found.iter().find(|one| one.slug == "library07").unwrap();
        let base = story.server.base_url();
        assert_eq!(one.source.as_str(), format!("{base}/scm/php/library07.git"));
        assert_eq!((one.default_branch.as_ref(), one.project.as_ref(), one.is_archived), (None, None, false));
        let people = story.follow().person_list(&story.ada, &story.php, &|_| ()).await.unwrap();
        let roles: BTreeMap<_, _> = people.iter().map(|it| (it.handle.as_str(), it.role)).collect();
        assert_eq!(roles, BTreeMap::from([("ada", Role::Owner), ("grace", Role::Member)]), "{version:?}");
        let own = story.own("grace").await.unwrap().unwrap();
        assert_eq!((own.role, own.rights.len()), (Role::Member, 12), "{version:?}");
        assert_eq!(story.own("ada").await.unwrap().unwrap().role, Role::Owner);
        assert_eq!(story.own("stranger").await.unwrap(), None, "{version:?}");
    }
}

#[tokio::test]
async fn oauth1_signs_what_is_asked_in_a_long_piece_of_work() {
    let story = data_center_oauth1::Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    let project = story.server.project("PHP");
    project.grant("ada", Granted::Read).sketch("mailer", Some(MANIFEST));
    let follow = story.connector.follow().unwrap();
    let key = Key::of(&grant);
    let php = follow.workspace_find(&key, "PHP").await.unwrap().unwrap();
    let found = follow.repository_list(&key, &php, &|_| ()).await.unwrap();
    assert!(follow.manifest_look(&key, &php, &found[0]).await.unwrap());
    assert_eq!(follow.own_rights(&key, &php).await.unwrap().unwrap().rights.len(), 1);
    story.server.set_version(Version::V8_19).refuse_oauth1();
    let error = follow.own_rights(&key, &php).await.unwrap_err();
    assert!(error.needs_admin() && error.to_string().contains("no longer takes OAuth 1"), "{error}");
    story.server.set_version(Version::V7_20);
    let token = Key::Token(Secret::new(story.server.user("ada").http_token(&["REPO_READ"])));
    assert_eq!(
        follow.repository_list(&token, &php, &|_| ()).await.unwrap(),
        found,
        "sent, and not signed for"
    );
    let story = data_center_oauth1::Story::start(Version::V7_20).await;
    let (_, grant) = story.log_in().await.unwrap();
    story.server.project("PHP").grant("ada", Granted::Read);
    story.server.revoke_tokens("ada");
    let follow = story.connector.follow().unwrap();
    let error = follow.repository_list(&Key::of(&grant), &php, &|_| ()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn everybody_who_may_read_in_the_end_is_told() {
    let story = Story::start(Version::V9_4).await.with(30);
    let remote = story.remote();
    story.server.group("php", &["linus", "robot", "gone"]);
    story.server.user("robot").service();
    story.server.user("gone").deactivate();
    story.server.user("root").system_admin();
    remote.repository("library01").grant_group("php", Granted::Write);
    remote.repository("library02").grant("olaf", Granted::Read);
    let repositories = story.repositories().await;
    let readers = story.readers(&repositories).await;
    assert_eq!(readers.len(), 30);
    assert_eq!(readers["library00"], names(&["ada", "grace", "root"]));
    assert_eq!(readers["library01"], names(&["ada", "grace", "linus", "root"]));
    assert_eq!(readers["library02"], names(&["ada", "grace", "olaf", "root"]));
    remote.repository("library03").rename("renamed");
    remote.repository("library04").delete();
    let readers = story.readers(&repositories).await;
    assert_eq!(readers["library03"], names(&["ada", "grace", "root"]), "it has another name by now");
    assert!(!readers.contains_key("library04"));
    story.server.fail_after(&format!("{API}/users"), 20, Fault::status(500, ""));
    let outcome = story.follow().right_each(&story.ada, &story.php, &repositories, &mut |_| ()).await;
    assert!(outcome.unwrap_err().is_transient());
}

#[tokio::test]
async fn groups_come_with_their_people() {
    let story = Story::start(Version::V8_19).await;
    let many: Vec<String> = (0..25).map(|number| format!("member{number}")).collect();
    story.server.group("a b&c", &many.iter().map(String::as_str).collect::<Vec<_>>());
    story.server.group("empty", &[]).group("elsewhere", &["linus"]);
    story.remote().grant_group("a b&c", Granted::Read).grant_group("empty", Granted::Write);
    let groups = story.follow().group_list(&story.ada, &story.php).await.unwrap().unwrap();
    let sizes: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.people.len())).collect();
    assert_eq!(sizes, [("a b&c", 25), ("empty", 0)]);
    assert!(groups[0].people.contains(&story.server.user("member7").id().to_string()));
    let grace = key_of(&story.server, "grace");
    let error = story.follow().group_list(&grace, &story.php).await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
}

#[tokio::test]
async fn a_repository_is_found_by_its_id() {
    let story = Story::start(Version::V8_19).await.with(15);
    let remote = story.remote();
    let known = story.repository("library03").await;
    let look = async || story.follow().repository_look(&story.ada, &story.php, &known).await;
    remote.repository("library03").rename("post");
    remote.repository("post").archive();
    remote.sketch("library03", None);
    let now = look().await.unwrap().unwrap();
    assert_eq!((now.slug.as_str(), now.is_archived), ("post", true));
    assert!(story.repositories().await.contains(&now), "archived ones are listed too");
    let own = story.own("grace").await.unwrap().unwrap();
    assert!(own.rights.contains(&(now.external_id.clone(), Level::Read)), "and read");
    let path = format!("{API}/projects/PHP/repos/library03");
    for fault in [
        Fault::status(404, "Not Found"),
        Fault::status(404, r#"{"status-code":404,"message":"null for uri"}"#),
        Fault::status(500, ""),
    ] {
        story.server.fail_next(&path, fault.clone());
        assert!(look().await.is_err(), "{fault:?} is no absence");
    }
    remote.repository("post").delete();
    assert_eq!(look().await.unwrap(), None);
    remote.sketch("unfinished", None).initialising(true);
    assert!(story.repositories().await.iter().all(|repository| repository.slug != "unfinished"));
}

#[tokio::test]
async fn a_manifest_is_looked_for_with_one_request() {
    let story = Story::start(Version::V9_4).await;
    let remote = story.remote();
    remote.sketch("with", Some(MANIFEST));
    remote.sketch("without", None);
    remote.repository("empty");
    remote.repository("real").commit("main", &[("composer.json", MANIFEST)]);
    let look = async |repository: &RemoteRepository| {
        story.follow().manifest_look(&story.ada, &story.php, repository).await
    };
    for (slug, expected) in [("with", true), ("without", false), ("empty", false), ("real", true)] {
        let repository = story.repository(slug).await;
        story.server.forget_requests();
        assert_eq!(look(&repository).await.unwrap(), expected, "{slug}");
        assert_eq!(story.server.requests().len(), 1);
    }
    let with = story.repository("with").await;
    let no_repository =
        r#"{"errors":[{"exceptionName":"com.atlassian.bitbucket.repository.NoSuchRepositoryException"}]}"#;
    for fault in [
        Fault::status(404, no_repository),
        Fault::status(404, "Not Found"),
        Fault::status(401, "{}"),
        Fault::status(200, "<html>"),
        Fault::status(503, ""),
    ] {
        story.server.fail_next("*/raw/composer.json", fault.clone());
        assert!(look(&with).await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_project_is_found_under_another_key() {
    let story = Story::start(Version::V9_4).await.with(2);
    for number in 0..15 {
        story.server.project(&format!("P{number}")).grant("ada", Granted::Read);
    }
    story.server.project("~ada").sketch("own", None);
    let follow = story.follow();
    let own = follow.workspace_list(&story.ada).await.unwrap();
    assert_eq!(own.len(), 17, "{own:?}");
    assert!(own.contains(&story.php) && own.iter().any(|project| project.key.eq_ignore_ascii_case("~ada")));
    let mine = follow.workspace_find(&story.ada, "~ada").await.unwrap().unwrap();
    let found = follow.repository_list(&story.ada, &mine, &|_| ()).await.unwrap();
    assert!(found[0].source.as_str().to_lowercase().ends_with("/scm/~ada/own.git"), "{}", found[0].source);
    for typed in ["", "NOBODY", "PHP/repos", "?x"] {
        assert_eq!(follow.workspace_find(&story.ada, typed).await.unwrap(), None, "{typed}");
    }
    story.remote().rename("LIB");
    story.server.project("PHP").grant("linus", Granted::Read).sketch("another", None);
    let now = follow.workspace_look(&story.ada, &story.php).await.unwrap();
    assert_eq!((now.key.as_str(), &now.external_id), ("LIB", &story.php.external_id));
    assert_eq!(story.own("grace").await.unwrap().unwrap().rights.len(), 2, "asked for under its new key");
    for error in [
        follow.repository_list(&story.ada, &story.php, &|_| ()).await.unwrap_err(),
        follow.person_list(&story.ada, &workspace("4711", "NOBODY", ""), &|_| ()).await.unwrap_err(),
        follow.workspace_look(&story.ada, &workspace("4711", "PHP", "")).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, UpstreamError::NotFound { .. } | UpstreamError::Forbidden { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_in_particular_is_not_believed() {
    let story = Story::start(Version::V8_19).await.with(2);
    story.remote().repository("library00").public();
    story.server.anonymous_for_wrong_credentials();
    let dead = Key::Token(Secret::new("dead"));
    let follow = story.follow();
    for error in [
        follow.workspace_list(&dead).await.unwrap_err(),
        follow.repository_list(&dead, &story.php, &|_| ()).await.unwrap_err(),
        follow.own_rights(&dead, &story.php).await.unwrap_err(),
    ] {
        assert!(matches!(error, UpstreamError::Unauthorized { .. }), "{error:?}");
    }
    let patient = Patient::new(&[dead, story.ada.clone()], 0);
    assert_eq!(follow.repository_list(&patient, &story.php, &|_| ()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_half_way_is_an_error() {
    let story = Story::start(Version::V9_4).await.with(25);
    let follow = story.follow();
    for (fault, name) in [
        (Fault::status(401, "{}"), "Unauthorized"),
        (Fault::status(403, "{}"), "Forbidden"),
        (Fault::status(404, "{}"), "NotFound"),
        (Fault::status(410, ""), "Gone"),
        (Fault::RateLimit, "RateLimited"),
        (Fault::status(503, "<html>"), "Unexpected"),
        (Fault::status(200, "<html>"), "Intercepted"),
        (Fault::status(200, "{}"), "Unreadable"),
        (Fault::Redirect("https://other.example.com/".to_owned()), "Redirected"),
    ] {
        story.server.fail_after(&format!("{API}/projects/PHP/repos"), 1, fault.clone());
        let error = follow.repository_list(&story.ada, &story.php, &|_| ()).await.unwrap_err();
        let found = format!("{error:?}");
        assert!(found.contains(name) || name == "Intercepted" && found.contains("Un"), "{fault:?}: {found}");
        story.server.heal().fail_next(&format!("{API}/repos"), fault.clone());
        assert!(story.own("grace").await.is_err(), "{fault:?}");
        story.server.fail_next(&format!("{API}/users"), fault.clone());
        assert!(follow.person_list(&story.ada, &story.php, &|_| ()).await.is_err(), "{fault:?}");
        story.server.heal();
    }
    let patient = Patient::new(std::slice::from_ref(&story.ada), 1);
    story.server.fail_next(&format!("{API}/projects/PHP/repos"), Fault::RateLimit);
    assert_eq!(follow.repository_list(&patient, &story.php, &|_| ()).await.unwrap().len(), 25);
    story.server.rate_limit_after(1, RateLimit::Silent);
    let error = follow.repository_list(&patient, &story.php, &|_| ()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::RateLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn a_list_without_an_end_is_an_error() {
    let endless = r#"{"values":[],"isLastPage":false,"nextPageStart":0}"#;
    let cut = r#"{"values":[],"isLastPage":false}"#;
    for page in [endless, cut] {
        let server = Server::start(move |_| answer(200, &["x-ausername: ada"], page)).await;
        let client = oauth2_client("id", "secret");
        let registration = registration(Platform::BitbucketDataCenter, server.base_url.as_str(), client);
        let connector = connector(http(), registration, environment());
        let (key, php) = (Key::Token(Secret::new("token")), workspace("1", "PHP", ""));
        let error = connector.follow().unwrap().repository_list(&key, &php, &|_| ()).await.unwrap_err();
        assert!(error.to_string().contains("lacks an end of the list"), "{error}");
    }
}
