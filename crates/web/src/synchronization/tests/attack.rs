//! What somebody tries who wants more than they were given.

use super::*;
use axum::http::{Request, header::AUTHORIZATION};
use stave_app::{IntegrationForm, Level as Place};
use stave_domain::Secret;

/// linus is in the workspace that grace's organization follows; with the page of its synchronization.
async fn linus_in_acme(site: &TestSite, bitbucket: &FakeBitbucket, grace: &mut Browser) -> (Browser, String) {
    workspace(bitbucket);
    let page = start(grace).await;
    let mut linus = site.browser();
    linus.register(bitbucket, "linus").await;
    assert_eq!(
        linus.get("/orgs/acme").await.status,
        StatusCode::OK,
        "a member because of the synchronization"
    );
    (linus, page)
}

/// Where the buttons about a member send.
async fn member_of(site: &TestSite, browser: &Browser, verb: &str) -> String {
    format!("/orgs/acme/members/{}/{verb}", site.actor(browser).await.user.unwrap().id)
}

#[tokio::test]
async fn who_was_deactivated_does_not_come_back_by_another_door() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    let (mut linus, page) = linus_in_acme(&site, &bitbucket, &mut grace).await;
    let server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &server).await;
    linus.connect(&format!("/profile/accounts/{}/connect", own.slug), &server, "linus").await;
    let deactivated = grace.post(&member_of(&site, &linus, "deactivate").await, &[]).await;
    assert_eq!(deactivated.status, StatusCode::SEE_OTHER, "{}", deactivated.body);
    assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::FORBIDDEN);

    let profile = linus.get("/profile").await.body;
    for disconnect in profile.split('"').filter(|text| text.ends_with("/disconnect")) {
        linus.post(disconnect, &[]).await;
    }
    linus.connect("/profile/accounts/bitbucket/connect", &bitbucket, "linus").await;
    assert_eq!(
        linus.get("/orgs/acme").await.status,
        StatusCode::FORBIDDEN,
        "with the account connected anew"
    );
    let another = "/profile/accounts/bitbucket/connect?another=yes";
    linus.connect(another, &bitbucket, "linus-two").await;
    assert_ne!(linus.get("/orgs/acme").await.status, StatusCode::OK);

    let mut again = site.browser();
    let arrived = again.travel("/login/bitbucket", &bitbucket, "linus").await;
    if arrived.location == "/login/register" {
        again.post("/login/register", &[("username", "linus2"), ("email", ""), ("name", "")]).await;
    }
    assert_ne!(again.get("/orgs/acme").await.status, StatusCode::OK, "as somebody new");

    let acme = bitbucket.workspace("acme");
    acme.remove("linus");
    run(&mut grace, &page).await;
    acme.member("linus");
    run(&mut grace, &page).await;
    assert_ne!(linus.get("/orgs/acme").await.status, StatusCode::OK, "after leaving and coming back");
}

/// One whole run.
async fn run(browser: &mut Browser, page: &str) {
    browser.post(&format!("{page}/run"), &[]).await;
    when(browser, page, "Run now").await;
}

#[tokio::test]
async fn a_credential_goes_to_its_own_host_only() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    workspace(&bitbucket);
    let own = site.add_own(&grace, "acme", &bitbucket).await;
    let token = bitbucket.workspace("acme").access_token(&["repository", "account", "webhook"]);
    let host = bitbucket.base_url().replace("http://", "");
    let stored = [
        ("description", "Token of acme"),
        ("kind", "access_token"),
        ("host", host.as_str()),
        ("secret", token.as_str()),
        ("all_the_same", "on"),
    ];
    grace.post("/orgs/acme/settings/credentials", &stored).await;
    let form = grace.get(&format!("{LIST}/new")).await.body;
    let access = form.split('"').find(|text| text.starts_with("credential:")).unwrap().to_owned();
    let id = own.id.to_string();
    let choice = [("integration", id.as_str()), ("access", access.as_str()), ("workspace", "acme")];
    let begun = grace.post(&format!("{LIST}/new"), &choice).await;
    let page = begun.location.split('?').next().unwrap().to_owned();
    when(&mut grace, &page, "What would happen").await;

    // Whoever manages the organization may change the address of its own integration, and must not get the secret by that.
    let elsewhere = FakeBitbucket::start().await;
    let consumer =
        elsewhere.consumer("acme", &site.app.integration_callback(own.slug.as_str()), &["account"]);
    let form = IntegrationForm {
        base_url: elsewhere.base_url(),
        client_id: consumer.key().into(),
        client_secret: Secret::new(consumer.secret()),
        save_anyway: Some("on".into()),
        ..site.app.integration_form(&own)
    };
    let actor = site.actor(&grace).await;
    site.app.integration_update(&actor, &Place::Organization("acme".into()), own.id, &form).await.unwrap();
    grace.post(&format!("{page}/run"), &[]).await;
    let failed = when(&mut grace, &page, "The last run failed").await;
    assert!(failed.contains("The credential “Token of acme” is for"), "{failed}");
    for request in elsewhere.requests() {
        let said = request.header("authorization").unwrap_or_default();
        assert!(!said.contains(&token), "{} {} got the token", request.method, request.path);
    }
}

#[tokio::test]
async fn nobody_follows_a_workspace_in_which_they_are_not() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    bitbucket.workspace("victim").owner("linus");
    let form = grace.get(&format!("{LIST}/new")).await.body;
    let choice = [
        ("integration", hidden(&form, "integration")),
        ("access", hidden(&form, "access")),
        ("workspace", "victim"),
    ];
    let begun = grace.post(&format!("{LIST}/new"), &choice).await;
    assert_eq!(begun.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", begun.location);
    assert!(begun.body.contains("is not in it"), "{}", begun.body);
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_of_somebodys_own_account_stays_one() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    workspace(&bitbucket);
    let page = begin(&mut grace).await;
    when(&mut grace, &page, "2 repositories have a composer.json").await;
    grace.post(&format!("{page}/start"), &[("selection", "all"), ("rights_from", "each_person")]).await;
    when(&mut grace, &page, "2 packages from 3 repositories").await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    let token = site.token_of(&mut linus).await;
    let deadline = Instant::now() + Duration::from_mins(1);
    while !names(&site, &token).await.contains("acme/mailer") {
        assert!(Instant::now() < deadline, "the package is never read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // From now on nobody can be asked, and the credential does not see what everybody may read.
    bitbucket.fail("*", stave_testkit::Fault::status(503, ""));
    grace.post(&format!("{page}/settings"), &[("selection", "all"), ("rights_from", "everybody")]).await;
    site.app.clock().advance(jiff::SignedDuration::from_hours(25));
    let now = names(&site, &token).await;
    assert!(!now.contains("acme/mailer"), "the answer is a day old: {now}");
}

/// The list of packages that a token reads.
async fn names(site: &TestSite, token: &str) -> String {
    let request = Request::get("/repo/acme/list.json").header(AUTHORIZATION, format!("Bearer {token}"));
    site.browser().send(request, "").await.body
}

#[tokio::test]
async fn what_people_call_themselves_is_only_text() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    workspace(&bitbucket);
    let hostile = [
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>".to_owned(),
        "=HYPERLINK(\"https://evil.example\")".to_owned(),
        "\u{202e}nimda\u{0}\r\nBcc: eve@evil.example".to_owned(),
        "x".repeat(10_000),
    ];
    let acme = bitbucket.workspace("acme");
    for (number, name) in hostile.iter().enumerate() {
        let nickname = format!("eve{number}");
        acme.member(&nickname);
        bitbucket.user(&nickname).display_name(name);
    }
    let page = start(&mut grace).await;
    for shown in [format!("{page}/people"), "/orgs/acme/members".into(), "/orgs/acme/teams".into()] {
        let body = grace.get(&shown).await.body;
        assert!(!body.contains("<script>alert") && !body.contains("<img src=x"), "{shown}");
        assert!(!body.contains('\u{0}') && !body.contains('\u{202e}'), "{shown}");
    }
    let people = grace.get(&format!("{page}/people")).await.body;
    assert!(people.contains("&#60;script&#62;") || people.contains("&lt;script&gt;"), "{people}");
    assert!(people.len() < 60_000, "a long name is cut: {} bytes", people.len());
}
