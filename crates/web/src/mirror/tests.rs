//! The pages of mirrors, with pretended Composer repositories.

use crate::testing::{Browser, Seen, TestSite};
use axum::http::StatusCode;
use serde_json::json;
use stave_testkit::{FakeComposerRepository, Fault};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LIST: &str = "/orgs/acme/settings/mirroring";
const FROM_MIRROR: &str = "/orgs/acme/packages/new/mirror";

/// Does jobs until it is dropped.
struct Jobs(CancellationToken);

impl Jobs {
    fn of(site: &TestSite) -> Self {
        let (app, stop) = (site.app.clone(), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move { app.run_jobs(stopped).await });
        Self(stop)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn form<'a>(name: &'a str, url: &'a str, adds: &'a str) -> [(&'a str, &'a str); 5] {
    [("name", name), ("url", url), ("credential", ""), ("timeout", ""), ("adds", adds)]
}

/// Adds a mirror; its page.
async fn add(browser: &mut Browser, name: &str, url: &str, adds: &str) -> String {
    let made = browser.post(LIST, &form(name, url, adds)).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    made.location.split_once('?').unwrap().0.to_owned()
}

/// A page once nothing goes on there.
async fn settled(browser: &mut Browser, page: &str) -> Seen {
    for _ in 0..200 {
        let seen = browser.get(page).await;
        if !seen.body.contains("data-refresh") {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{page} does not settle");
}

/// The names in a list, in its order.
fn order(list: &Seen, names: &[&str]) -> Vec<String> {
    // Above it, the banner may name the one that is being read.
    let table = list.body.split_once("id=\"mirrors\"").unwrap().1;
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| Some((table.find(&format!(">{name}</a>"))?, (*name).to_owned())))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

#[tokio::test]
async fn a_mirror_is_read_when_it_is_added_and_tells_what_it_offers() {
    let (site, _, [_, mut grace]) = TestSite::with_acme().await;
    let upstream = FakeComposerRepository::start().await;
    upstream.package("vendor/lib").version("1.0.0", &json!({}));
    let empty = grace.get(LIST).await;
    assert!(empty.body.contains("No mirrored repositories"), "{}", empty.body);
    let page = add(&mut grace, "Vendor", &upstream.url(), "automatically").await;
    assert!(grace.get(&page).await.body.contains("Not read yet"));

    let _jobs = Jobs::of(&site);
    let seen = settled(&mut grace, &page).await;
    for part in ["Works", "Composer 2", "asked every two minutes", "malware", &upstream.url()] {
        assert!(seen.body.contains(part), "{part}: {}", seen.body);
    }
    assert!(settled(&mut grace, LIST).await.body.contains("Works"));
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("added the mirror Vendor"), "{log}");
}

#[tokio::test]
async fn what_is_typed_wrong_is_told_beside_its_field() {
    let (_site, _, [_, mut grace]) = TestSite::with_acme().await;
    let url = "https://repo.example.com";
    add(&mut grace, "Vendor", url, "automatically").await;
    for (field, value, sentence) in [
        ("name", " ", "Name cannot be empty."),
        ("url", "repo.example.com", "This is not the address of a web server."),
        ("url", "https://ada:pass@repo.example.com", "Store them as a credential"),
        ("url", "https://git.example.com/lib.git", "This is a git repository."),
        ("url", url, "is followed already, as Vendor."),
        ("credential", "018f0000-0000-7000-8000-000000000001", "Choose a credential from the list."),
        ("timeout", "31", "a number of seconds from 5 to 30"),
        ("adds", "everybody", "Choose from the list who adds packages."),
    ] {
        let mut typed = form("Other", "https://other.example.com", "automatically");
        typed.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value;
        let refused = grace.post(LIST, &typed).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(refused.body.contains(sentence), "{field} {value}: {}", refused.body);
    }
    assert_eq!(order(&grace.get(LIST).await, &["Vendor", "Other"]), ["Vendor"]);
}

#[tokio::test]
async fn only_owners_and_admins_see_mirrors() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let page = add(&mut grace, "Vendor", "https://repo.example.com", "automatically").await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert_eq!(linus.get(LIST).await.status, StatusCode::NOT_FOUND);
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    for path in [LIST.to_owned(), format!("{LIST}/new"), page.clone()] {
        assert_eq!(linus.get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for action in ["", "/move", "/update", "/delete"] {
        let refused = linus.post(&format!("{page}{action}"), &[("place", "0")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{action}");
    }
    grace.post("/orgs/new", &[("name", "Zoo"), ("short_name", "zoo")]).await;
    let elsewhere = page.replace("/orgs/acme/", "/orgs/zoo/");
    assert_eq!(grace.get(&elsewhere).await.status, StatusCode::NOT_FOUND, "it is another organization's");
    assert_eq!(grace.get(&format!("{LIST}/nonsense")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn mirrors_are_put_into_an_order() {
    let (_site, _, [_, mut grace]) = TestSite::with_acme().await;
    let names = ["One", "Two", "Three"];
    let mut pages = Vec::new();
    for name in names {
        pages.push(add(&mut grace, name, &format!("https://{name}.example.com"), "automatically").await);
    }
    let list = grace.get(LIST).await;
    assert_eq!(order(&list, &names), names);
    assert!(list.body.contains("Ask Two earlier") && list.body.contains("Ask Two later"), "{}", list.body);
    assert!(
        !list.body.contains("Ask One earlier") && !list.body.contains("Ask Three later"),
        "{}",
        list.body
    );
    for (page, place, after) in [
        (&pages[2], "0", ["Three", "One", "Two"]),
        (&pages[2], "1", ["One", "Three", "Two"]),
        (&pages[0], "99", ["Three", "Two", "One"]),
    ] {
        let moved = grace.post(&format!("{page}/move"), &[("place", place)]).await;
        assert_eq!(moved.location, format!("{LIST}?done=saved"));
        assert_eq!(order(&grace.get(LIST).await, &names), after);
    }
    let refused = grace.post(&format!("{}/move", pages[0]), &[("place", "first")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_mirror_of_every_new_organization_stays_the_last() {
    let url = "https://everybody.example.com";
    let (site, bitbucket) =
        (TestSite::start_mirroring(url).await, stave_testkit::FakeBitbucket::start().await);
    let mut ada = site.setup_browser().await;
    site.connect(&mut ada, &bitbucket, &crate::testing::ALL_SCOPES).await;
    ada.register(&bitbucket, "ada").await;
    ada.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
    let names = ["everybody.example.com", "Mine"];
    assert_eq!(order(&ada.get(LIST).await, &names), names[..1]);
    add(&mut ada, "Mine", "https://mine.example.com", "automatically").await;
    let list = ada.get(LIST).await;
    assert_eq!(order(&list, &names), ["Mine", "everybody.example.com"]);
    let table = list.body.split_once("id=\"mirrors\"").unwrap().1;
    let address = table.split_once(">everybody.example.com</a>").unwrap().0.rsplit_once("href=\"").unwrap().1;
    let page = address.trim_end_matches('"').to_owned();
    let refused = ada.post(&format!("{page}/move"), &[("place", "0")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("stays the last one"), "{}", refused.body);

    let shown = ada.get(&page).await.body;
    assert!(
        shown.contains("name=\"adds\"") && !shown.contains("name=\"url\""),
        "only who adds packages: {shown}"
    );
    ada.post(&page, &[("adds", "disabled"), ("url", "https://other.example.com")]).await;
    let list = ada.get(LIST).await.body;
    assert!(list.contains("Disabled") && list.contains(url) && !list.contains("other.example.com"), "{list}");
}

#[tokio::test]
async fn packages_are_added_by_name_and_each_is_answered() {
    let (_site, _, [_, mut grace]) = TestSite::with_acme().await;
    let nothing = grace.get(FROM_MIRROR).await.body;
    assert!(nothing.contains("There is no mirror to add from"), "{nothing}");
    let (first, second) = (FakeComposerRepository::start().await, FakeComposerRepository::start().await);
    for name in ["vendor/one", "vendor/two", "vendor/three"] {
        first.package(name).version("1.0.0", &json!({}));
    }
    second.package("vendor/one").version("9.0.0", &json!({}));
    first.fail("/p2/vendor/three*", Fault::status(500, ""));
    let mirror = add(&mut grace, "First", &first.url(), "members").await;
    let other = add(&mut grace, "Second", &second.url(), "managers").await;
    let id = |page: &str| page.rsplit_once('/').unwrap().1.to_owned();

    let names = "vendor/one, Vendor/Two\r\nvendor/three vendor/none not-a-name";
    let report = grace.post(FROM_MIRROR, &[("mirror", &id(&mirror)), ("names", names)]).await;
    assert_eq!(report.status, StatusCode::OK, "{}", report.body);
    let said = report.body.split_once("id=\"report\"").unwrap().1.split_once("</section>").unwrap().0;
    assert_eq!(said.matches(">added<").count(), 2, "{said}");
    assert_eq!(said.matches(">not added<").count(), 3, "{said}");
    for sentence in ["First has no package vendor/none.", "not-a-name", "answered with error 500"] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    let kept = report.body.split_once("<textarea").unwrap().1.split_once("</textarea>").unwrap().0;
    assert!(kept.contains("vendor/three\nvendor/none\nnot-a-name") && !kept.contains("vendor/one"), "{kept}");

    let again = grace.post(FROM_MIRROR, &[("mirror", &id(&mirror)), ("names", "vendor/one")]).await.body;
    assert!(again.contains("here already"), "{again}");
    let second_source =
        grace.post(FROM_MIRROR, &[("mirror", &id(&other)), ("names", "vendor/one")]).await.body;
    assert!(second_source.contains("is here from another mirror"), "{second_source}");
    let packages = grace.get("/orgs/acme/packages").await.body;
    assert!(packages.contains("vendor/one") && packages.contains("vendor/two"), "{packages}");
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("added vendor/one, Vendor/Two from the mirror First"), "{log}");
    for (field, value) in [("mirror", "nonsense"), ("names", " , ")] {
        let mut typed = [("mirror", id(&mirror)), ("names", "vendor/one".to_owned())];
        typed.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value.to_owned();
        let typed = typed.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(grace.post(FROM_MIRROR, &typed).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
}

#[tokio::test]
async fn who_may_add_is_what_the_mirror_says() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    for (name, adds) in
        [("Auto", "automatically"), ("Members", "members"), ("Managers", "managers"), ("Off", "disabled")]
    {
        add(&mut grace, name, &format!("https://{name}.example.com"), adds).await;
    }
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    for (browser, offered) in
        [(&mut grace, &["Auto", "Members", "Managers"][..]), (&mut linus, &["Auto", "Members"])]
    {
        let page = browser.get(FROM_MIRROR).await.body;
        for name in ["Auto", "Members", "Managers", "Off"] {
            assert_eq!(
                page.contains(&format!(">{name}</option>")),
                offered.contains(&name),
                "{name}: {page}"
            );
        }
    }
}

#[tokio::test]
async fn deleting_says_how_many_packages_go_and_no_more_go() {
    let (_site, _, [_, mut grace]) = TestSite::with_acme().await;
    let upstream = FakeComposerRepository::start().await;
    upstream.package("vendor/one").version("1.0.0", &json!({}));
    upstream.package("vendor/two").version("1.0.0", &json!({}));
    let page = add(&mut grace, "Vendor", &upstream.url(), "automatically").await;
    let id = page.rsplit_once('/').unwrap().1.to_owned();
    grace.post(FROM_MIRROR, &[("mirror", &id), ("names", "vendor/one")]).await;
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("1 package of it can no longer be installed"), "{shown}");
    assert!(shown.contains("name=\"packages\" value=\"1\""), "{shown}");

    grace.post(FROM_MIRROR, &[("mirror", &id), ("names", "vendor/two")]).await;
    let refused = grace.post(&format!("{page}/delete"), &[("packages", "1")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("has 2 packages here now"), "{}", refused.body);
    let deleted = grace.post(&format!("{page}/delete"), &[("packages", "2")]).await;
    assert_eq!(deleted.location, format!("{LIST}?done=deleted"), "{}", deleted.body);
    assert!(!grace.get("/orgs/acme/packages").await.body.contains("vendor/one"));
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
}
