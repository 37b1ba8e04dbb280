//! Stories of members and those who manage them.

use crate::testing::{Browser, TestSite};
use axum::http::{Request, StatusCode, header::AUTHORIZATION};
use stave_testkit::FakeBitbucket;

const MEMBERS: &str = "/orgs/acme/members";

/// grace owns acme; linus is what she made him.
async fn acme(role: &str) -> (TestSite, FakeBitbucket, [Browser; 3]) {
    let (site, bitbucket, [ada, mut grace]) = TestSite::with_acme().await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    let added = grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", role)]).await;
    assert_eq!(added.location, format!("{MEMBERS}?done=member-added"), "{}", added.body);
    (site, bitbucket, [ada, grace, linus])
}

/// Where the buttons of a member send, as the page of somebody has them.
async fn action(site: &TestSite, browser: &Browser, below: &str, verb: &str) -> String {
    format!("/orgs/acme/{below}/{}/{verb}", site.actor(browser).await.user.unwrap().id)
}

async fn composer(site: &TestSite, token: &str) -> (StatusCode, String) {
    let request = Request::get("/repo/acme/packages.json").header(AUTHORIZATION, format!("Bearer {token}"));
    let answer = site.browser().send(request, "").await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_deactivated_member_is_told_and_their_token_stops() {
    let (site, _bitbucket, [_, mut grace, mut linus]) = acme("member").await;
    let token = site.token_of(&mut linus).await;
    assert_eq!(composer(&site, &token).await.0, StatusCode::OK);
    let deactivate = action(&site, &linus, "members", "deactivate").await;
    let done = grace.post(&deactivate, &[]).await;
    assert_eq!(done.location, format!("{MEMBERS}?done=member-deactivated"), "{}", done.body);

    for page in ["/orgs/acme", "/orgs/acme/packages", "/orgs/acme/teams", MEMBERS] {
        let refused = linus.get(page).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{page}");
        assert!(refused.body.contains("Acme deactivated you. Ask an owner: grace."), "{}", refused.body);
    }
    let (status, body) = composer(&site, &token).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    assert!(body.contains("Acme deactivated you"), "{body}");
    assert!(grace.get(MEMBERS).await.body.contains("deactivated"));

    let activate = action(&site, &linus, "members", "activate").await;
    assert_eq!(grace.post(&activate, &[]).await.location, format!("{MEMBERS}?done=member-activated"));
    assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::OK);
    assert_eq!(composer(&site, &token).await.0, StatusCode::OK);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    for line in ["made linus a member of the organization", "deactivated linus", "activated linus"] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[tokio::test]
async fn admins_manage_members_and_nobody_above() {
    let (site, bitbucket, [_, mut grace, mut linus]) = acme("admin").await;
    let mut mallory = site.browser();
    mallory.register(&bitbucket, "mallory").await;
    let page = linus.get(MEMBERS).await.body;
    assert!(page.contains("Organization Member Settings") && !page.contains("value=\"owner\""), "{page}");
    let member = [("who", "mallory"), ("role", "member")];
    assert_eq!(linus.post("/orgs/acme/teams", &member).await.status, StatusCode::SEE_OTHER);
    let owner = [("who", "mallory"), ("role", "owner")];
    let refused = linus.post("/orgs/acme/teams", &owner).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("Only owners make owners and admins"), "{}", refused.body);
    for verb in ["deactivate", "remove", "role"] {
        let below = if verb == "deactivate" { "members" } else { "teams" };
        let action = action(&site, &grace, below, verb).await;
        let refused = linus.post(&action, &[("role", "member")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}");
        assert!(refused.body.contains("grace is an owner"), "{}", refused.body);
    }
    let role = action(&site, &linus, "teams", "role").await;
    assert_eq!(grace.post(&role, &[("role", "owner")]).await.location, format!("{MEMBERS}?done=saved"));
    assert!(linus.get(MEMBERS).await.body.contains("value=\"owner\""), "an owner makes owners");
}

#[tokio::test]
async fn the_last_active_owner_stays() {
    let (site, _bitbucket, [mut ada, mut grace, linus]) = acme("owner").await;
    let hers = action(&site, &grace, "members", "deactivate").await;
    let his = action(&site, &linus, "members", "deactivate").await;
    let themselves = grace.post(&hers, &[]).await;
    assert_eq!(themselves.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(themselves.body.contains("You cannot deactivate yourself"), "{}", themselves.body);
    assert_eq!(grace.post(&his, &[]).await.status, StatusCode::SEE_OTHER);
    // ada administers the installation.
    let last = ada.post(&hers, &[]).await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(last.body.contains("grace is the last owner"), "{}", last.body);
    for (verb, form) in [("role", [("role", "member")]), ("remove", [("role", "")])] {
        let action = action(&site, &grace, "teams", verb).await;
        let refused = grace.post(&action, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{verb}: {}", refused.body);
    }
    assert_eq!(grace.get(MEMBERS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn members_are_found_and_see_each_other() {
    let (site, _bitbucket, [_, mut grace, mut linus]) = acme("member").await;
    let found = grace.get(&format!("{MEMBERS}?q=LIN")).await.body;
    assert!(found.contains(">linus<") && !found.contains("<span class=\"under\">grace<"), "{found}");
    assert!(grace.get(&format!("{MEMBERS}?q=nobody")).await.body.contains("Nobody found"));
    let seen = linus.get(MEMBERS).await.body;
    assert!(
        seen.contains("grace") && !seen.contains("Deactivate") && !seen.contains("Add a member"),
        "{seen}"
    );
    let teams = linus.get("/orgs/acme/teams").await.body;
    assert!(teams.contains("View all members of this organization"), "{teams}");
    assert!(
        grace.get("/orgs/acme/teams").await.body.contains("View and manage all members of this organization")
    );
    let remove = action(&site, &linus, "teams", "remove").await;
    assert_eq!(linus.post(&remove, &[]).await.location, "/?done=organization-left");
    assert_eq!(linus.get(MEMBERS).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn new_members_can_be_deactivated_by_default() {
    let (_site, _bitbucket, [_, mut grace, mut linus]) = acme("member").await;
    let settings = format!("{MEMBERS}/settings");
    let ticked = "name=\"deactivates_found\" checked";
    assert!(!grace.get(MEMBERS).await.body.contains(ticked));
    let saved = grace.post(&settings, &[("deactivates_found", "on")]).await;
    assert_eq!(saved.location, format!("{MEMBERS}?done=saved"));
    assert!(grace.get(MEMBERS).await.body.contains(ticked));
    grace.post(&settings, &[]).await;
    assert!(!grace.get(MEMBERS).await.body.contains(ticked));
    assert_eq!(linus.post(&settings, &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_those_who_manage_find_members_by_their_address() {
    let (site, bitbucket, [_, mut grace, mut linus]) = acme("member").await;
    let mut hedy = site.browser();
    let away = hedy.get("/login/bitbucket").await;
    hedy.grant(&away, &bitbucket, "hedy").await;
    let typed = [("username", "hedy"), ("name", ""), ("email", "kiesler@example.com")];
    hedy.post("/login/register", &typed).await;
    grace.post("/orgs/acme/teams", &[("who", "hedy"), ("role", "member")]).await;
    let (by_name, by_address) = (format!("{MEMBERS}?q=HED"), format!("{MEMBERS}?q=kiesler"));
    assert!(grace.get(&by_address).await.body.contains(">hedy<"));
    assert!(linus.get(&by_name).await.body.contains(">hedy<"));
    let seen = linus.get(&by_address).await.body;
    assert!(seen.contains("Nobody found") && !seen.contains(">hedy<"), "{seen}");
    let role = action(&site, &linus, "teams", "role").await;
    grace.post(&role, &[("role", "admin")]).await;
    assert!(linus.get(&by_address).await.body.contains(">hedy<"), "admins manage");
}
