//! Stories of teams and those who manage them.

use crate::testing::TestSite;
use axum::http::StatusCode;

#[tokio::test]
async fn a_team_is_made_filled_changed_and_deleted() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert!(grace.get("/orgs/acme/teams").await.body.contains("No teams yet"));
    let refused = grace.post("/orgs/acme/teams/new", &[("name", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Name cannot be empty"), "{}", refused.body);
    let made = grace.post("/orgs/acme/teams/new", &[("name", "devs"), ("adds_packages", "on")]).await;
    let team = made.location.strip_suffix("?done=team-created").unwrap_or_else(|| panic!("{}", made.body));
    let twin = grace.post("/orgs/acme/teams/new", &[("name", "devs")]).await;
    assert!(twin.body.contains("Another team has this name"), "{}", twin.body);

    let stranger = grace.post(&format!("{team}/members"), &[("who", "linus")]).await;
    assert!(stranger.body.contains("linus is no member of Acme"), "{}", stranger.body);
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    let added = grace.post(&format!("{team}/members"), &[("who", "linus")]).await;
    assert_eq!(added.location, format!("{team}?done=saved"), "{}", added.body);
    let nowhere = grace.post(&format!("{team}/packages"), &[("package", "acme/nothing")]).await;
    assert!(nowhere.body.contains("No package here has this name"), "{}", nowhere.body);
    assert!(nowhere.body.contains("value=\"acme/nothing\""), "what was typed stays");

    let saved = grace.post(team, &[("name", "developers"), ("reads_all", "on")]).await;
    assert_eq!(saved.location, format!("{team}?done=saved"));
    let page = grace.get(team).await.body;
    assert!(page.contains("developers") && page.contains("name=\"reads_all\" checked"), "{page}");
    assert!(!page.contains("name=\"adds_packages\" checked"), "{page}");
    let list = linus.get("/orgs/acme/teams").await.body;
    assert!(list.contains("developers") && list.contains("all-package access"), "{list}");
    assert_eq!(linus.get(team).await.status, StatusCode::FORBIDDEN, "members see the list");
    assert_eq!(linus.post(team, &[("name", "x")]).await.status, StatusCode::FORBIDDEN);

    let id = site.actor(&linus).await.user.unwrap().id;
    let remove = format!("{team}/members/{id}/remove");
    assert_eq!(grace.post(&remove, &[]).await.location, format!("{team}?done=saved"));
    assert_eq!(grace.post(&remove, &[]).await.status, StatusCode::NOT_FOUND);
    let deleted = grace.post(&format!("{team}/delete"), &[]).await;
    assert_eq!(deleted.location, "/orgs/acme/teams?done=deleted");
    assert_eq!(grace.get(team).await.status, StatusCode::NOT_FOUND);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    for line in [
        "created the team devs, which adds packages",
        "put linus into the team devs",
        "renamed the team devs to developers, which reads all packages",
        "took linus out of the team developers",
        "deleted the team developers",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[tokio::test]
async fn a_team_belongs_to_its_organization() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    grace.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    let made = grace.post("/orgs/acme/teams/new", &[("name", "devs")]).await.location;
    let elsewhere = made.split('?').next().unwrap().replace("/orgs/acme/", "/orgs/other/");
    assert_eq!(grace.get(&elsewhere).await.status, StatusCode::NOT_FOUND);
    assert_eq!(grace.post(&format!("{elsewhere}/delete"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(grace.get(&made).await.status, StatusCode::OK);
}
