//! Following a workspace of a fake Bitbucket: read whole, or an error, and never less than the truth.

use crate::{
    sign_in,
    support::{Server, answer, connector_at, json, query_of},
};
use stave_domain::{
    Secret,
    integration::ApiTimeout,
    organization::Role,
    synchronization::{Level, RemoteRepository, Workspace},
};
use stave_testkit::{Fault, Level as Granted};
use stave_upstream::{Follow, Key, OwnRights, UpstreamError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

const MANIFEST: &str = r#"{"name":"acme/mailer"}"#;

/// A workspace of ada, with grace and linus in it, read in pages of ten.
pub(crate) struct Story {
    pub(crate) login: sign_in::Story,
    pub(crate) ada: Key,
    pub(crate) acme: Workspace,
}

impl Story {
    pub(crate) async fn start() -> Self {
        let login = sign_in::Story::start().await;
        let acme = login.bitbucket.workspace("acme");
        acme.member("grace").member("linus");
        login.bitbucket.page_length_at_most(10);
        let ada = key_of(&login, "ada").await;
        let acme = workspace(acme.uuid(), "acme", "Acme");
        Self { login, ada, acme }
    }

    /// Repositories with a composer.json.
    pub(crate) fn with(self, repositories: usize) -> Self {
        for number in 0..repositories {
            self.remote().sketch(&format!("library{number:02}"), Some(MANIFEST));
        }
        self
    }

    pub(crate) fn remote(&self) -> stave_testkit::Workspace {
        self.login.bitbucket.workspace("acme")
    }

    pub(crate) fn follow(&self) -> &dyn Follow {
        self.login.connector.follow().unwrap()
    }

    pub(crate) async fn key(&self, nickname: &str) -> Key {
        key_of(&self.login, nickname).await
    }

    pub(crate) async fn repositories(&self) -> Vec<RemoteRepository> {
        self.follow().repository_list(&self.ada, &self.acme, &|_| ()).await.unwrap()
    }

    pub(crate) async fn repository(&self, slug: &str) -> RemoteRepository {
        self.repositories().await.into_iter().find(|repository| repository.slug == slug).unwrap()
    }

    async fn has_manifest(&self, repository: &RemoteRepository) -> Result<bool, UpstreamError> {
        self.follow().manifest_look(&self.ada, &self.acme, repository).await
    }

    async fn own(&self, nickname: &str) -> Result<Option<OwnRights>, UpstreamError> {
        self.follow().own_rights(&self.key(nickname).await, &self.acme).await
    }

    /// By handle of the person and slug of the repository.
    async fn rights(&self) -> BTreeMap<(String, String), Level> {
        let repositories = self.repositories().await;
        let slugs: BTreeMap<&str, &str> =
            repositories.iter().map(|it| (it.external_id.as_str(), it.slug.as_str())).collect();
        let mut rights = BTreeMap::new();
        let mut tell = |right: stave_upstream::Right<'_>| {
            let slug = slugs[right.repository].to_owned();
            rights.insert((right.person.handle.clone(), slug), right.level);
        };
        self.follow().right_each(&self.ada, &self.acme, &repositories, &mut tell).await.unwrap();
        rights
    }
}

pub(crate) fn workspace(external_id: &str, key: &str, name: &str) -> Workspace {
    Workspace { external_id: external_id.to_owned(), key: key.to_owned(), name: name.to_owned() }
}

/// This person goes there and agrees.
async fn key_of(story: &sign_in::Story, nickname: &str) -> Key {
    let sign_in = story.connector.sign_in().unwrap();
    let url = sign_in.begin(&Secret::new("state")).await.unwrap().url;
    let query = query_of(&story.bitbucket.grant_access(url.as_str(), nickname).await);
    let (_, grant) = sign_in.finish(&Secret::default(), &query).await.unwrap();
    Key::of(&grant)
}

#[tokio::test]
async fn all_repositories_are_read_page_by_page() {
    let story = Story::start().await.with(25);
    let told = Mutex::new(Vec::new());
    story.login.bitbucket.forget_requests();
    let note = |count| told.lock().unwrap().push(count);
    let found = story.follow().repository_list(&story.ada, &story.acme, &note).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [10, 20, 25]);
    assert_eq!(story.login.bitbucket.requests().len(), 3);
    let ids: BTreeSet<_> = found.iter().map(|repository| repository.external_id.clone()).collect();
    let expected: BTreeSet<_> = story.remote().repositories().iter().map(|it| it.uuid().to_owned()).collect();
    assert_eq!(ids, expected);
    let base = story.login.bitbucket.base_url();
    let one = story.repository("library07").await;
    assert_eq!(one.source.as_str(), format!("{base}/acme/library07.git"));
    assert_eq!(one.default_branch.as_deref(), Some("main"));
    assert!(one.changed_at.is_some() && one.project.is_some() && !one.is_archived, "{one:?}");
}

#[tokio::test]
async fn a_repository_keeps_its_id_when_all_else_changes() {
    let story = Story::start().await;
    let remote = story.remote().sketch("mailer", Some(MANIFEST));
    let known = story.repository("mailer").await;
    let look = async || story.follow().repository_look(&story.ada, &story.acme, &known).await;
    remote.rename("post");
    story.remote().sketch("mailer", None);
    story.remote().rename("umbrella");
    assert!(story.has_manifest(&known).await.unwrap(), "asked for by uuid");
    let now = look().await.unwrap().unwrap();
    assert_eq!((now.slug.as_str(), &now.external_id), ("post", &known.external_id));
    assert!(now.source.as_str().ends_with("/umbrella/post.git"), "{}", now.source);
    remote.transfer("globex");
    assert_eq!(look().await.unwrap(), None);
    for fault in [Fault::status(404, "Not Found"), Fault::status(500, ""), Fault::status(403, "")] {
        story.login.bitbucket.fail_next("/2.0/repositories/*", fault.clone());
        assert!(look().await.is_err(), "{fault:?} is no absence");
    }
    remote.delete();
    assert_eq!(look().await.unwrap(), None);
}

#[tokio::test]
async fn a_manifest_is_looked_for_with_one_request() {
    let story = Story::start().await;
    let remote = story.remote();
    remote.sketch("with", Some(MANIFEST));
    remote.sketch("without", None);
    remote.repository("empty");
    remote.repository("slash").commit("release/1.x", &[("composer.json", MANIFEST)]);
    remote.repository("folder").commit("main", &[("composer.json/x", "")]);
    let mut slash = story.repository("slash").await;
    slash.default_branch = Some("release/1.x".to_owned());
    for (repository, expected, requests) in [
        (story.repository("with").await, true, 1),
        (story.repository("without").await, false, 1),
        (story.repository("empty").await, false, 0),
        (story.repository("folder").await, false, 1),
    ] {
        story.login.bitbucket.forget_requests();
        assert_eq!(story.has_manifest(&repository).await.unwrap(), expected, "{}", repository.slug);
        assert_eq!(story.login.bitbucket.requests().len(), requests, "{}", repository.slug);
    }
    let with = story.repository("with").await;
    for fault in [
        Fault::status(404, "Not Found"),
        Fault::status(404, r#"{"type":"error","error":{"message":"Repository acme/with not found"}}"#),
        Fault::status(403, "{}"),
        Fault::status(200, "<html>"),
        Fault::status(200, "{}"),
        Fault::gone(),
        Fault::RateLimit,
    ] {
        story.login.bitbucket.fail_next("/2.0/repositories/*", fault.clone());
        assert!(story.has_manifest(&with).await.is_err(), "{fault:?}");
    }
    remote.repository("with").delete();
    let error = story.has_manifest(&with).await.unwrap_err();
    assert!(matches!(error, UpstreamError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn people_come_with_their_roles() {
    let story = Story::start().await;
    let remote = story.remote();
    story.login.bitbucket.user("grace").display_name("Grace Hopper");
    remote.member_as("linus", "create-project").member_as("olaf", "collaborator");
    remote.member_as("nora", "something-new");
    for number in 0..10 {
        remote.member(&format!("member{number}"));
    }
    let people = story.follow().person_list(&story.ada, &story.acme, &|_| ()).await.unwrap();
    assert_eq!(people.len(), 15);
    let owners: Vec<_> = people.iter().filter(|person| person.role != Role::Member).collect();
    assert_eq!(owners.len(), 1);
    assert_eq!((owners[0].handle.as_str(), owners[0].role), ("ada", Role::Owner));
    assert_eq!(owners[0].external_id, story.login.bitbucket.user("ada").uuid());
    assert!(people.iter().any(|person| person.title() == "Grace Hopper"));
    let elsewhere = workspace("{another}", "acme", "");
    let error = story.follow().person_list(&story.ada, &elsewhere, &|_| ()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::NotFound { .. }), "its slug is somebody else's: {error:?}");
}

#[tokio::test]
async fn everybodys_rights_are_told_to_an_owner() {
    let story = Story::start().await.with(12);
    let remote = story.remote();
    remote.repository("library00").members(None).grant("linus", Granted::Write);
    remote.repository("library01").grant("guest", Granted::Admin);
    let rights = story.rights().await;
    let of = |person: &str, slug: &str| rights.get(&(person.to_owned(), slug.to_owned())).copied();
    assert_eq!(of("ada", "library00"), Some(Level::Admin));
    assert_eq!(of("linus", "library00"), Some(Level::Write));
    assert_eq!(of("grace", "library00"), None);
    assert_eq!(of("guest", "library01"), Some(Level::Admin), "who is no member");
    assert_eq!(rights.len(), 12 * 3 - 1 + 1);
    let grace = story.key("grace").await;
    let mut tell = |_: stave_upstream::Right<'_>| panic!("nothing is told");
    let error = story.follow().right_each(&grace, &story.acme, &[], &mut tell).await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
}

#[tokio::test]
async fn each_person_asks_for_their_own_rights() {
    let story = Story::start().await.with(12);
    story.remote().repository("library00").members(None);
    story.remote().repository("library01").grant("guest", Granted::Read);
    let grace = story.own("grace").await.unwrap().unwrap();
    assert_eq!((grace.role, grace.rights.len()), (Role::Member, 11));
    assert_eq!(story.own("ada").await.unwrap().unwrap().role, Role::Owner);
    let guest = story.own("guest").await.unwrap().unwrap();
    assert_eq!((guest.role, guest.rights.len()), (Role::Member, 1));
    story.remote().rename("umbrella");
    assert_eq!(story.own("grace").await.unwrap(), Some(grace), "asked for by uuid");
}

#[tokio::test]
async fn nobody_is_out_of_a_workspace_without_proof() {
    let story = Story::start().await.with(2);
    assert_eq!(story.own("stranger").await.unwrap(), None);
    let grace = story.key("grace").await;
    let own = async || story.follow().own_rights(&grace, &story.acme).await;
    let refusal = || Fault::status(403, r#"{"type":"error","error":{"message":"No."}}"#);
    story.login.bitbucket.fail("/2.0/user/workspaces/*", refusal());
    assert!(own().await.unwrap_err().is_refusal(), "she is in the list of her workspaces");
    story.login.bitbucket.heal();
    for fault in [
        Fault::status(401, "{}"),
        Fault::gone(),
        Fault::RateLimit,
        Fault::status(500, ""),
        Fault::status(200, "<html>"),
        Fault::status(200, "{}"),
        Fault::Redirect("https://other.example.com/".to_owned()),
    ] {
        for path in ["/2.0/user/workspaces/*/permissions/repositories", "/2.0/user/workspaces/*/permission"] {
            story.login.bitbucket.fail_next(path, fault.clone());
            assert!(own().await.is_err(), "{path} {fault:?}");
        }
    }
    story.remote().remove("grace");
    for fault in [Fault::status(403, ""), Fault::status(500, ""), Fault::status(200, "{}")] {
        story.login.bitbucket.fail_next("/2.0/user/workspaces", fault.clone());
        assert!(own().await.is_err(), "{fault:?}");
    }
    assert_eq!(own().await.unwrap(), None);
}

#[tokio::test]
async fn workspaces_are_known_by_their_uuid() {
    let story = Story::start().await;
    for number in 0..30 {
        story.login.bitbucket.workspace(&format!("team{number}")).member("ada");
    }
    let own = story.follow().workspace_list(&story.ada).await.unwrap();
    assert_eq!(own.len(), 31);
    assert!(own.contains(&workspace(&story.acme.external_id, "acme", "")), "names are not told");
    let find = async |key: &str| story.follow().workspace_find(&story.ada, key).await.unwrap();
    assert_eq!(find(" acme ").await, Some(story.acme.clone()));
    assert_eq!(find("nobody").await, None);
    assert_eq!(find("acme/mailer").await, None);
    let look = async || story.follow().workspace_look(&story.ada, &story.acme).await;
    story.remote().rename("umbrella");
    story.login.bitbucket.workspace("acme");
    assert_eq!(look().await.unwrap().key, "umbrella");
    story.login.bitbucket.workspace("umbrella").delete();
    assert!(matches!(look().await.unwrap_err(), UpstreamError::NotFound { .. }));
    assert_eq!(story.follow().group_list(&story.ada, &story.acme).await.unwrap(), None);
}

#[tokio::test]
async fn what_goes_wrong_half_way_is_an_error() {
    let story = Story::start().await.with(25);
    let repositories = story.repositories().await;
    let follow = story.follow();
    let beyond = r#"{"values":[],"next":"http://127.0.0.2:1/2.0/x"}"#;
    for (fault, name) in [
        (Fault::status(401, "{}"), "Unauthorized"),
        (Fault::status(403, "{}"), "Forbidden"),
        (Fault::status(404, "{}"), "NotFound"),
        (Fault::gone(), "CHANGE-2770"),
        (Fault::status(404, "CHANGE-3081: this was removed"), "CHANGE-3081"),
        (Fault::RateLimit, "RateLimited"),
        (Fault::status(502, "<html>"), "Unexpected"),
        (Fault::status(200, "<html>"), "WebPage"),
        (Fault::status(200, "{}"), "Unreadable"),
        (Fault::status(200, r#"{"values":[{"permission":"read","user":{}}]}"#), "Without"),
        (Fault::status(200, beyond), "Redirected"),
        (Fault::Redirect("https://other.example.com/".to_owned()), "Redirected"),
    ] {
        let told = |name: &str, error: UpstreamError, wanted: &str| {
            assert!(format!("{error:?}").contains(wanted), "{name}: {error:?}");
            if let UpstreamError::Gone { path, .. } = &error {
                assert!(error.to_string().contains(path.as_str()), "{error}");
            }
        };
        story.login.bitbucket.fail_after("/2.0/repositories/*", 2, fault.clone());
        told(
            "repositories",
            follow.repository_list(&story.ada, &story.acme, &|_| ()).await.unwrap_err(),
            name,
        );
        story.login.bitbucket.heal().fail_after("/2.0/workspaces/acme/permissions/*", 1, fault.clone());
        let mut count = 0;
        let mut tell = |_: stave_upstream::Right<'_>| count += 1;
        let outcome = follow.right_each(&story.ada, &story.acme, &repositories, &mut tell).await;
        told("rights", outcome.unwrap_err(), name);
        assert_eq!(count, 10, "what was read was told: {fault:?}");
        story.login.bitbucket.heal();
    }
}

#[tokio::test]
async fn what_changes_while_it_is_read_is_not_trusted() {
    let entry = |number: usize| format!(r#"{{"uuid":"{{{number}}}","full_name":"acme/r{number}"}}"#);
    let page = move |size: usize, entries: &[usize], next: &str| {
        let values: Vec<String> = entries.iter().map(|number| entry(*number)).collect();
        json(200, &format!(r#"{{"size":{size},"values":[{}]{next}}}"#, values.join(",")))
    };
    let next = r#","next":"/2.0/repositories/acme?page=2""#;
    let acme = workspace("{acme}", "acme", "");
    let key = Key::Token(Secret::new("token"));
    for (first, second, expected) in [
        // 4 came while the first page was read, so 2 is on both.
        ((3, vec![1, 2]), (4, vec![2, 3]), Ok(vec!["{1}", "{2}", "{3}"])),
        // 1 went, so 3 moved up to the page that was read already.
        ((4, vec![1, 2]), (3, vec![4]), Err(6)),
    ] {
        let server = Server::start(move |request| {
            let ((size, entries), next) =
                if request.contains("page=2") { (&second, "") } else { (&first, next) };
            page(*size, entries, next)
        })
        .await;
        let connector = connector_at(&server.base_url, ApiTimeout(Some(20)));
        let outcome = connector.follow().unwrap().repository_list(&key, &acme, &|_| ()).await;
        match expected {
            Ok(ids) => {
                let found: Vec<_> = outcome.unwrap().into_iter().map(|it| it.external_id).collect();
                assert_eq!(found, ids);
            }
            Err(requests) => {
                let error = outcome.unwrap_err();
                assert!(matches!(error, UpstreamError::Restless { .. }) && error.is_transient(), "{error:?}");
                assert_eq!(server.requests().len(), requests, "it was read again");
            }
        }
    }
    let server =
        Server::start(|_| json(200, r#"{"values":[],"next":"/2.0/repositories/acme?page=again"}"#)).await;
    let connector = connector_at(&server.base_url, ApiTimeout(Some(20)));
    let error = connector.follow().unwrap().repository_list(&key, &acme, &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("lacks an end of the list"), "{error}");
    let server = Server::start(|_| answer(200, &[], "{\"values\":[")).await;
    let connector = connector_at(&server.base_url, ApiTimeout(Some(20)));
    let error = connector.follow().unwrap().repository_list(&key, &acme, &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("breaks off"), "{error}");
}
