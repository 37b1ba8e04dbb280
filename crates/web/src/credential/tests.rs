//! Stories of credentials through the front door.

use crate::testing::{Browser, Seen, TestSite};
use axum::http::StatusCode;
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use stave_domain::integration::OAuthVersion;
use stave_testkit::{DataCenterOptions, FakeBitbucket, FakeDataCenter, Fault, Version};

const LIST: &str = "/orgs/acme/settings/credentials";
/// Everything that an API token can be given for Stave.
const API_SCOPES: [&str; 5] = [
    "read:user:bitbucket",
    "read:workspace:bitbucket",
    "read:repository:bitbucket",
    "read:webhook:bitbucket",
    "write:webhook:bitbucket",
];

/// A form of a credential, as a browser sends it.
#[derive(Clone)]
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn api_token(site: &TestSite, bitbucket: &FakeBitbucket, secret: &str) -> Self {
        let host = bitbucket.base_url().replace("http://", "");
        Self(vec![
            ("description", "Robot".into()),
            ("kind", "api_token".into()),
            ("host", host),
            ("email", "grace@example.com".into()),
            ("username", String::new()),
            ("secret", secret.into()),
            ("expires_on", day(site, 100)),
        ])
    }

    fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut fields = self.0.clone();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value.into()));
        Self(fields)
    }

    async fn send(&self, browser: &mut Browser, address: &str) -> Seen {
        let fields: Vec<_> = self.0.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(address, &fields).await
    }

    /// Stores a new one: the address of its page.
    async fn store(&self, browser: &mut Browser) -> String {
        let seen = self.send(browser, LIST).await;
        let (page, done) = seen.location.split_once('?').unwrap_or_else(|| panic!("{}", seen.body));
        assert_eq!(done, "done=credential-stored");
        page.to_owned()
    }
}

/// The day that is so many days away.
fn day(site: &TestSite, days: i64) -> String {
    let today = site.app.clock().now().to_zoned(TimeZone::UTC).date();
    (today + days.days()).to_string()
}

/// The secret that a refused form keeps for its next try.
fn kept(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"kept_secret\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_api_token_is_tested_before_it_is_stored() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let token = bitbucket.user("grace").api_token(&API_SCOPES);
    let form = Form::api_token(&site, &bitbucket, &token);

    let wrong = form.with("email", "somebody@example.com").send(&mut grace, LIST).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("does not accept this token"), "{}", wrong.body);
    assert!(wrong.body.contains("Store it all the same") && !wrong.body.contains(&token), "{}", wrong.body);
    assert!(grace.get(LIST).await.body.contains("No credentials yet"));

    // The form that comes back knows the secret, and only the address has to be mended.
    let again = form.with("secret", "").with("kept_secret", kept(&wrong.body));
    let page = again.store(&mut grace).await;
    let shown = grace.get(&page).await.body;
    for part in ["Bitbucket API token", "Belongs to</dt><dd>grace", "the platform does not tell"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(&token), "{shown}");
    let list = grace.get(LIST).await.body;
    assert!(list.contains("Robot") && list.contains("API token") && list.contains("nothing"), "{list}");
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("stored the credential “Robot”"), "{log}");
}

#[tokio::test]
async fn what_an_access_token_may_do_is_shown() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let token = bitbucket.workspace("acme").access_token(&["repository", "webhook"]);
    let form = Form::api_token(&site, &bitbucket, &token).with("kind", "access_token").with("expires_on", "");
    let page = form.store(&mut grace).await;
    let shown = grace.get(&page).await.body;
    assert_eq!(shown.matches("It may.").count(), 2, "{shown}");
    assert!(shown.contains("It may not: account is missing. Only a synchronization needs it."), "{shown}");
    // Whoever sends a form without a kind has it recognised.
    let unnamed = form.with("kind", "").with("description", "Unnamed").store(&mut grace).await;
    assert!(grace.get(&unnamed).await.body.contains("access token</dd>"));
}

#[tokio::test]
async fn every_field_says_what_is_wrong_with_it() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let token = bitbucket.user("grace").api_token(&API_SCOPES);
    let form = Form::api_token(&site, &bitbucket, &token);
    for (name, value, problem) in [
        ("description", String::new(), "Description cannot be empty"),
        ("kind", "magic".into(), "Choose the kind of credential"),
        ("host", "https://bitbucket.org/acme".into(), "A host is a name"),
        ("email", "grace".into(), "Enter the e-mail address of the Atlassian account"),
        ("secret", String::new(), "Paste the password or token"),
        ("expires_on", String::new(), "Enter the day on which the token expires"),
        ("expires_on", day(&site, -1), "This day is over"),
        ("expires_on", day(&site, 400), "An API token lives for one year at most"),
        ("expires_on", "tomorrow".into(), "Write the day like"),
        ("kind", "access_token".into(), "The secret begins as a Bitbucket API token does"),
    ] {
        let refused = form.with(name, value.as_str()).send(&mut grace, LIST).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}: {}", refused.location);
        assert!(refused.body.contains(problem), "{problem}: {}", refused.body);
    }
    let refused = form.with("kind", "password").with("username", "a:b").with("secret", "x");
    let refused = refused.send(&mut grace, LIST).await;
    assert!(refused.body.contains("A user name has no colon in it"), "{}", refused.body);

    // What is recognised by its beginning is chosen in the form that comes back.
    let refused = form.with("kind", "password").with("username", "grace").send(&mut grace, LIST).await;
    assert!(refused.body.contains("<option value=\"api_token\" selected>"), "{}", refused.body);
    assert!(grace.get(LIST).await.body.contains("No credentials yet"));
}

#[tokio::test]
async fn a_bitbucket_that_is_down_says_nothing_about_a_token() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = Form::api_token(&site, &bitbucket, &bitbucket.user("grace").api_token(&API_SCOPES));
    bitbucket.fail("/2.0/user*", Fault::status(503, ""));
    let doubtful = form.send(&mut grace, LIST).await;
    assert_eq!(doubtful.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(doubtful.body.contains("nobody knows whether the credential is right"), "{}", doubtful.body);
    assert!(!doubtful.body.contains("does not accept"), "{}", doubtful.body);

    let page = form.with("all_the_same", "on").store(&mut grace).await;
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("not yet") && !shown.contains("Does not work"), "{shown}");
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("It could not be tested."), "{}", tested.body);
    bitbucket.heal();
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("It works.") && tested.body.contains("Belongs to"), "{}", tested.body);

    bitbucket.user("grace");
    bitbucket.revoke_token(&form.0.iter().find(|(name, _)| *name == "secret").unwrap().1);
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("It does not work."), "{}", tested.body);
    assert!(grace.get(LIST).await.body.contains("Does not work"), "it is remembered");
}

#[tokio::test]
async fn a_new_secret_takes_the_place_of_the_old_one_when_it_is_right() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let user = bitbucket.user("grace");
    let form = Form::api_token(&site, &bitbucket, &user.api_token(&API_SCOPES));
    let form = form.with("expires_on", day(&site, 5));
    let page = form.store(&mut grace).await;
    let banner = "The credential “Robot” expires in 5 days";
    assert!(grace.get("/orgs/acme").await.body.contains(banner));

    let wrong = form.with("secret", "ATATTwrong").with("expires_on", day(&site, 300));
    let refused = wrong.send(&mut grace, &page).await;
    assert!(refused.body.contains("does not accept this token"), "{}", refused.body);
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("It works."), "the old one is in use: {}", tested.body);

    let fresh = form.with("secret", user.api_token(&["read:repository:bitbucket"]));
    let same_day = fresh.send(&mut grace, &page).await;
    assert!(same_day.body.contains("the day on which the secret before expires"), "{}", same_day.body);
    let rotated = fresh.with("expires_on", day(&site, 300)).send(&mut grace, &page).await;
    assert_eq!(rotated.location, format!("{page}?done=saved"), "{}", rotated.body);
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("It may not: read:workspace:bitbucket is missing."), "{shown}");
    assert!(!grace.get("/orgs/acme").await.body.contains(banner));
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("entered a new secret for the credential “Robot”"), "{log}");
}

#[tokio::test]
async fn a_dead_credential_is_shown_as_such_and_can_be_described_anew() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let token = bitbucket.user("grace").api_token(&API_SCOPES);
    let form = Form::api_token(&site, &bitbucket, &token).with("expires_on", day(&site, 5));
    let (page, form) = (form.store(&mut grace).await, form.with("secret", ""));
    site.app.clock().advance(SignedDuration::from_hours(7 * 24));
    let overview = grace.get("/orgs/acme").await.body;
    assert!(overview.contains("The credential “Robot” expired on"), "{overview}");
    assert!(grace.get(LIST).await.body.contains("Expired"));
    let saved = form.with("description", "Old robot").send(&mut grace, &page).await;
    assert_eq!(saved.location, format!("{page}?done=saved"), "{}", saved.body);

    // The banner is for those who can do something about it.
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    let overview = linus.get("/orgs/acme").await;
    assert_eq!(overview.status, StatusCode::OK);
    assert!(!overview.body.contains("expired on"), "{}", overview.body);
    assert!(!grace.get("/profile").await.body.contains("expired on"), "only on the organization's pages");
}

#[tokio::test]
async fn what_cannot_be_tested_says_so() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = Form::api_token(&site, &bitbucket, "hunter2");
    let password = form.with("kind", "password").with("username", "grace").with("expires_on", "");
    let page = password.store(&mut grace).await;
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(
        tested.body.contains("no platform can be asked with a credential of this kind"),
        "{}",
        tested.body
    );

    let elsewhere = form.with("host", "git.example.com:8443").with("kind", "http_access_token");
    let page = elsewhere.with("description", "Elsewhere").store(&mut grace).await;
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("there is no integration with Bitbucket Data Center"), "{}", tested.body);
    assert_eq!(grace.get(&format!("{page}/test")).await.location, page, "a reload asks nothing");
}

#[tokio::test]
async fn a_bearer_token_and_a_header_are_for_mirrors() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = Form::api_token(&site, &bitbucket, "hunter2").with("expires_on", "");
    let bearer = form.with("kind", "bearer").store(&mut grace).await;
    let shown = grace.get(&bearer).await.body;
    assert!(shown.contains("Bearer token") && !shown.contains("<dt>Username</dt>"), "{shown}");

    let header = form.with("kind", "header").with("header", " X-Api-Key: ");
    let stored = header.store(&mut grace).await;
    let shown = grace.get(&stored).await.body;
    assert!(shown.contains(r#"<dt>Header</dt><dd class="mono">X-Api-Key</dd>"#), "{shown}");
    for (wrong, sentence) in [
        (header.with("header", ""), "The name of a header has letters"),
        (header.with("header", "Host"), "Stave says other things in the header Host"),
        (header.with("secret", "a\nb"), "has only letters, digits and signs of ASCII"),
    ] {
        let refused = wrong.send(&mut grace, LIST).await;
        assert!(refused.body.contains(sentence), "{}", refused.body);
        assert!(!refused.body.contains("hunter2"), "{}", refused.body);
    }
}

#[tokio::test]
async fn an_http_access_token_is_tested_at_the_data_center_of_the_organization() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let server = FakeDataCenter::start_with(DataCenterOptions::new(Version::V8_19)).await;
    site.add_own_data_center(&grace, "acme", (&server, OAuthVersion::Two)).await;
    let token = server.user("Grace").http_token(&["REPO_READ"]);
    let form = Form::api_token(&site, &bitbucket, &token)
        .with("kind", "http_access_token")
        .with("host", server.base_url().replace("http://", ""))
        .with("expires_on", "");
    let page = form.store(&mut grace).await;
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("Belongs to") && shown.contains("x-token-auth"), "{shown}");
    server.revoke_http_token(&token);
    let tested = grace.post(&format!("{page}/test"), &[]).await;
    assert!(tested.body.contains("It does not work."), "{}", tested.body);
}

#[tokio::test]
async fn a_credential_in_use_is_deleted_when_another_takes_its_place() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let user = bitbucket.user("grace");
    let repository = bitbucket.workspace("acme").repository("mailer");
    let form = Form::api_token(&site, &bitbucket, &user.api_token(&API_SCOPES));
    let old = form.store(&mut grace).await;
    let id = old.rsplit('/').next().unwrap();
    let choice = format!("credential:{id}");
    let added =
        grace.post("/orgs/acme/packages", &[("url", &repository.clone_url()), ("credential", &choice)]).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let shown = grace.get(&old).await.body;
    assert!(shown.contains("/acme/mailer.git") && shown.contains("can take its place"), "{shown}");
    assert!(grace.get(LIST).await.body.contains("1 repository"));
    let alone = grace.post(&format!("{old}/delete"), &[("replacement", "")]).await;
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);

    let elsewhere = form.with("host", "git.example.com").with("description", "Elsewhere");
    let elsewhere = elsewhere.store(&mut grace).await;
    let fresh = form.with("secret", user.api_token(&API_SCOPES)).with("description", "Robot 2");
    let new = fresh.store(&mut grace).await;
    let page = grace.get(&old).await.body;
    assert!(page.contains(">Robot 2</option>") && !page.contains(">Elsewhere</option>"), "{page}");
    let wrong = elsewhere.rsplit('/').next().unwrap();
    let refused = grace.post(&format!("{old}/delete"), &[("replacement", wrong)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let replacement = new.rsplit('/').next().unwrap();
    let deleted = grace.post(&format!("{old}/delete"), &[("replacement", replacement)]).await;
    assert_eq!(deleted.location, format!("{LIST}?done=deleted"), "{}", deleted.body);
    assert_eq!(grace.get(&old).await.status, StatusCode::NOT_FOUND);
    assert!(grace.get(&new).await.body.contains("/acme/mailer.git"));
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("deleted the credential “Robot”, whose place “Robot 2” takes"), "{log}");
}

#[tokio::test]
async fn credentials_are_for_owners_and_admins_of_their_organization() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = Form::api_token(&site, &bitbucket, &bitbucket.user("grace").api_token(&API_SCOPES));
    let page = form.store(&mut grace).await;
    let [mut linus, mut mallory, mut stranger] = [site.browser(), site.browser(), site.browser()];
    linus.register(&bitbucket, "linus").await;
    mallory.register(&bitbucket, "mallory").await;
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    mallory.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    let (test, delete) = (format!("{page}/test"), format!("{page}/delete"));
    let new = format!("{LIST}/new");
    for address in [LIST, &new, &page] {
        assert_eq!(linus.get(address).await.status, StatusCode::FORBIDDEN, "{address}");
        assert_eq!(mallory.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
        assert!(stranger.get(address).await.location.starts_with("/login"), "{address}");
    }
    let form = form.with("description", "Mine now");
    for address in [LIST, &page, &test, &delete] {
        assert_eq!(form.send(&mut linus, address).await.status, StatusCode::FORBIDDEN, "{address}");
        assert_eq!(form.send(&mut mallory, address).await.status, StatusCode::NOT_FOUND, "{address}");
        assert!(form.send(&mut stranger, address).await.location.starts_with("/login"), "{address}");
    }
    let theirs = page.replace("/acme/", "/other/");
    assert_eq!(mallory.get(&theirs).await.status, StatusCode::NOT_FOUND);
    assert!(grace.get(&page).await.body.contains("Robot"), "nothing was changed");
    // Who was made an admin may.
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "admin")]).await;
    assert_eq!(linus.get(&page).await.status, StatusCode::OK);
}
