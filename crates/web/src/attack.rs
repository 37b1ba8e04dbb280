//! Attacks on the log-in: each is tried here, and refused.

use crate::testing::{ALL_SCOPES, Browser, Seen, TestSite, path_of};
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use stave_app::{CheckBegun, Level};
use stave_domain::integration::{Integration, OAuthVersion};
use stave_testkit::{Email, FakeBitbucket, FakeDataCenter, Version};
use url::Url;

fn is_over(seen: &Seen) {
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(seen.body.contains("This log-in is over"), "{}", seen.body);
}

/// Whether this log-in still opens the Profile.
async fn is_alive(site: &TestSite, login: &str) -> bool {
    let mut browser = site.browser();
    browser.cookies.insert("stave_login".into(), login.into());
    browser.get("/profile").await.status == StatusCode::OK
}

fn login_of(browser: &Browser) -> String {
    browser.cookies.get("stave_login").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_callback_works_once_in_the_browser_that_left_and_for_ten_minutes() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let mut mallory = site.browser();
    let away = mallory.get("/login/bitbucket").await;
    let trap = path_of(&bitbucket.grant_access(&away.location, "mallory").await);
    let before = login_of(&grace);
    is_over(&grace.get(&trap).await);
    assert_eq!(login_of(&grace), before, "grace is not logged in as mallory");
    assert!(!grace.cookies.contains_key("stave_registration"));
    is_over(&mallory.get(&trap).await);

    let mut linus = site.browser();
    let away = linus.get("/login/bitbucket").await;
    let back = path_of(&bitbucket.grant_access(&away.location, "linus").await);
    assert_eq!(linus.get(&back).await.location, "/login/register");
    is_over(&linus.get(&back).await);

    let away = linus.get("/login/bitbucket").await;
    let back = path_of(&bitbucket.grant_access(&away.location, "linus").await);
    site.app.clock().advance(SignedDuration::from_mins(10));
    is_over(&linus.get(&back).await);
}

#[tokio::test]
async fn the_state_of_one_integration_opens_no_other() {
    let (site, bitbucket, [_, grace]) = TestSite::with_acme().await;
    let evil = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &evil).await;
    let honest = bitbucket.consumer("acme", "http://127.0.0.1:8080/oauth/callback/bitbucket", &ALL_SCOPES);

    // The evil server sends its visitor on to the honest one, with its own state: the honest code must not reach it.
    let mut linus = site.browser();
    let away = linus.get(&format!("/login/{}", own.slug)).await.location;
    let state = away.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let authorize = format!(
        "{}/site/oauth2/authorize?client_id={}&response_type=code&state={state}",
        bitbucket.base_url(),
        honest.key()
    );
    let back = path_of(&bitbucket.grant_access(&authorize, "linus").await);
    assert!(back.starts_with("/oauth/callback/bitbucket?"), "{back}");
    evil.forget_requests();
    is_over(&linus.get(&back).await);
    assert!(evil.requests().is_empty(), "nothing was told to the evil server");

    // The other way round: the state of a trip to the honest one, at the callback of the evil one.
    let away = linus.get("/login/bitbucket").await;
    let back = path_of(&bitbucket.grant_access(&away.location, "linus").await);
    let moved = back.replace("/callback/bitbucket", &format!("/callback/{}", own.slug));
    is_over(&linus.get(&moved).await);
    assert!(evil.requests().is_empty(), "the code was not told to the evil server");
    is_over(&linus.get(&back).await);
}

/// Two servers of one version whose integrations have the same owner.
async fn two_servers(
    version: Version,
    oauth: OAuthVersion,
) -> (TestSite, [FakeDataCenter; 2], [Integration; 2]) {
    let (site, _, [_, grace]) = TestSite::with_acme().await;
    let servers = [FakeDataCenter::start(version).await, FakeDataCenter::start(version).await];
    let first = site.add_own_data_center(&grace, "acme", (&servers[0], oauth)).await;
    let second = site.add_own_data_center(&grace, "acme", (&servers[1], oauth)).await;
    for server in &servers {
        server.user("linus");
    }
    (site, servers, [first, second])
}

#[tokio::test]
async fn a_data_center_lets_in_through_its_own_callback_only() {
    for (version, oauth) in [(Version::V7_20, OAuthVersion::One), (Version::V9_4, OAuthVersion::Two)] {
        let (site, servers, [first, second]) = two_servers(version, oauth).await;
        let (door, callback) = (format!("/login/{}", first.slug), format!("/oauth/callback/{}", first.slug));
        let mut linus = site.browser();
        let left = linus.get(&door).await;
        assert_eq!(left.status, StatusCode::SEE_OTHER, "{oauth:?}: {}", left.body);
        let back = path_of(&servers[0].grant_access(&left.location, "linus").await);
        assert!(back.starts_with(&callback), "{back}");
        servers[1].forget_requests();
        is_over(&linus.get(&back.replace(first.slug.as_str(), second.slug.as_str())).await);
        assert!(servers[1].requests().is_empty(), "{oauth:?}: nothing was told to the other server");
        is_over(&linus.get(&back).await);

        let away = linus.get(&door).await.location;
        let back = path_of(&servers[0].grant_access(&away, "linus").await);
        is_over(&site.browser().get(&back).await);
        is_over(&linus.get(&back).await);

        let away = linus.get(&door).await.location;
        let denied = linus.get(&path_of(&servers[0].deny_access(&away, "linus").await)).await;
        assert_eq!(denied.status, StatusCode::FORBIDDEN, "{oauth:?}");
        assert!(denied.body.contains("did not grant"), "{oauth:?}: {}", denied.body);
        assert!(denied.body.contains(&format!("href=\"{door}\"")), "{}", denied.body);

        let away = linus.get(&door).await.location;
        let back = path_of(&servers[0].grant_access(&away, "linus").await);
        assert_eq!(linus.get(&back).await.location, "/login/register", "{oauth:?}");
        is_over(&linus.get(&back).await);

        let away = linus.get(&door).await.location;
        let back = path_of(&servers[0].grant_access(&away, "linus").await);
        site.app.clock().advance(SignedDuration::from_mins(10));
        is_over(&linus.get(&back).await);
    }
}

#[tokio::test]
async fn a_code_of_another_server_buys_nothing() {
    for (version, oauth) in [(Version::V7_20, OAuthVersion::One), (Version::V9_4, OAuthVersion::Two)] {
        let (site, servers, [first, second]) = two_servers(version, oauth).await;
        let mut linus = site.browser();
        let there = linus.get(&format!("/login/{}", first.slug)).await.location;
        let there = servers[0].grant_access(&there, "linus").await;
        let here = linus.get(&format!("/login/{}", second.slug)).await.location;
        let here = servers[1].grant_access(&here, "linus").await;
        let mixed = mixed(&here, &there);
        let refused = linus.get(&path_of(&mixed)).await;
        assert!(refused.status.is_client_error() || refused.status.is_server_error(), "{}", refused.location);
        assert!(!linus.cookies.contains_key("stave_registration"), "{oauth:?}");
        assert!(!linus.cookies.contains_key("stave_login"), "{oauth:?}");
    }
}

/// A callback with the code (OAuth 2) or the verifier (OAuth 1) of another one.
fn mixed(callback: &str, other: &str) -> String {
    let (mut callback, other) = (Url::parse(callback).unwrap(), Url::parse(other).unwrap());
    let proof = |url: &Url| -> Vec<(String, String)> {
        url.query_pairs()
            .into_owned()
            .filter(|(name, _)| name == "code" || name == "oauth_verifier")
            .collect()
    };
    let state: Vec<_> = callback
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| name != "code" && name != "oauth_verifier")
        .collect();
    assert_ne!(proof(&callback), proof(&other));
    callback.query_pairs_mut().clear().extend_pairs(state).extend_pairs(proof(&other));
    callback.into()
}

#[tokio::test]
async fn a_code_of_another_trip_is_worth_what_its_state_is() {
    let (site, bitbucket, [mut ada, _]) = TestSite::with_acme().await;
    let actor = site.actor(&ada).await;
    let integration = site.app.integration_list().await.unwrap().remove(0);
    let begun = site.app.check_begin(&actor, (&Level::Installation, integration.id), "/admin", None).await;
    let CheckBegun::Away(departure) = begun.unwrap() else { panic!("the check goes on at Bitbucket") };
    ada.cookies.insert("stave_attempt".into(), departure.browser.expose().into());
    let checked = path_of(&bitbucket.grant_access(departure.url.as_str(), "linus").await);
    let before = login_of(&ada);
    assert_eq!(ada.get(&checked).await.location, "/admin");
    assert_eq!(login_of(&ada), before, "a check logs nobody in");
    assert!(!ada.cookies.contains_key("stave_registration"), "and registers nobody");

    let away = ada.post("/profile/accounts/bitbucket/connect", &[]).await;
    let connecting = path_of(&bitbucket.grant_access(&away.location, "ada").await);
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    ada.cookies.insert("stave_login".into(), login_of(&linus));
    let refused = ada.get(&connecting).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("logged in as somebody else"), "{}", refused.body);
}

#[tokio::test]
async fn the_secret_of_a_log_in_is_new_each_time_and_the_old_one_is_dead() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let own_server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &own_server).await;
    let mut planted = site.browser();
    planted.cookies.insert("stave_login".into(), "planted".into());
    planted.travel("/login/bitbucket", &bitbucket, "grace").await;
    assert_ne!(login_of(&planted), "planted");
    assert!(is_alive(&site, &login_of(&planted)).await && !is_alive(&site, "planted").await);

    let connect = format!("/profile/accounts/{}/connect", own.slug);
    let mut seen = vec![login_of(&grace)];
    grace.travel("/login/bitbucket", &bitbucket, "grace").await;
    seen.push(login_of(&grace));
    grace.connect(&connect, &own_server, "grace").await;
    seen.push(login_of(&grace));
    grace.travel(&format!("/login/{}", own.slug), &own_server, "grace").await;
    let (last, old) = (login_of(&grace), seen);
    for login in &old {
        assert_ne!(*login, last);
        assert!(!is_alive(&site, login).await, "an older secret still works");
    }
    assert!(is_alive(&site, &last).await);
}

#[tokio::test]
async fn an_address_that_was_not_confirmed_joins_nobody_and_is_not_verified() {
    let (site, bitbucket, [_, grace]) = TestSite::with_acme().await;
    let own_server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &own_server).await;
    bitbucket.user("linus").emails(&[Email::primary("linus@corp.example")]);
    let mut linus = site.browser();
    linus.travel("/login/bitbucket", &bitbucket, "linus").await;
    let form = [("username", "linus"), ("email", "linus@corp.example"), ("name", "")];
    assert_eq!(linus.post("/login/register", &form).await.location, "/");
    assert!(linus.get("/profile").await.body.contains(">verified<"));

    let unconfirmed = |address| Email { is_confirmed: false, ..Email::primary(address) };
    let cases = [
        (
            "bitbucket",
            &bitbucket,
            "mallory",
            unconfirmed("Linus@CORP.example"),
            "Not verified: Bitbucket has not",
        ),
        (own.slug.as_str(), &own_server, "eve", Email::primary("linus@corp.example"), "is one organization"),
    ];
    for (slug, server, person, email, hint) in cases {
        server.user(person).emails(std::slice::from_ref(&email));
        let mut browser = site.browser();
        let arrived = browser.travel(&format!("/login/{slug}"), server, person).await;
        assert_eq!(arrived.location, "/login/register", "{person} is nobody here");
        let page = browser.get("/login/register").await.body;
        assert!(page.contains(hint), "{page}");
        let form = [("username", person), ("email", email.address.as_str()), ("name", "")];
        for form in [form.to_vec(), [form.as_slice(), &[("take_email", "on")]].concat()] {
            let refused = browser.post("/login/register", &form).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{person}");
            assert!(
                refused.body.contains("There is an account with this address already"),
                "{}",
                refused.body
            );
            assert!(!refused.body.contains("name=\"take_email\"") || form.len() == 4, "{}", refused.body);
        }
        let address = format!("{person}@corp.example");
        let own_address = [("username", person), ("email", address.as_str()), ("name", "")];
        assert_eq!(browser.post("/login/register", &own_address).await.location, "/");
        assert!(browser.get("/profile").await.body.contains(">not verified<"));
    }
    server_confirms_and_is_not_believed(&site, &own_server, own.slug.as_str()).await;
    assert!(linus.get("/profile").await.body.contains("linus@corp.example"));
}

/// The very address that an organization's own server calls confirmed, and that nobody has here.
async fn server_confirms_and_is_not_believed(site: &TestSite, server: &FakeBitbucket, slug: &str) {
    server.user("trudy").emails(&[Email::primary("ceo@corp.example")]);
    let mut trudy = site.browser();
    trudy.travel(&format!("/login/{slug}"), server, "trudy").await;
    let form = [("username", "trudy"), ("email", "ceo@corp.example"), ("name", "")];
    assert_eq!(trudy.post("/login/register", &form).await.location, "/");
    assert!(trudy.get("/profile").await.body.contains(">not verified<"));
}

#[tokio::test]
async fn an_organizations_own_server_opens_that_organization_only() {
    let (site, bitbucket, [mut ada, grace]) = TestSite::with_acme().await;
    let own_server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &own_server).await;
    let mut grace = grace;
    grace.post("/orgs/acme/teams", &[("who", "ada"), ("role", "owner")]).await;
    ada.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    let connected = ada.connect(&format!("/profile/accounts/{}/connect", own.slug), &own_server, "ada").await;
    assert_eq!(connected.location, "/profile?done=account-connected", "{}", connected.body);
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK, "she came in another way");

    // Whoever runs the server can say that they are ada.
    let mut mallory = site.browser();
    let arrived = mallory.travel(&format!("/login/{}", own.slug), &own_server, "ada").await;
    assert_eq!(arrived.location, "/");
    let home = mallory.get("/").await.body;
    assert!(home.contains("/orgs/acme") && !home.contains("/orgs/other"), "{home}");
    assert!(home.contains("which opens Acme and nothing else"), "{home}");
    assert_eq!(mallory.get("/orgs/acme").await.status, StatusCode::OK);
    for closed in ["/orgs/other", "/orgs/other/packages", "/admin", "/admin/users"] {
        assert_eq!(mallory.get(closed).await.status, StatusCode::FORBIDDEN, "{closed}");
    }
    let profile = ada.get("/profile").await.body;
    let end = profile.split('"').find(|text| text.starts_with("/profile/logins/")).unwrap();
    let disconnect = profile.split('"').find(|text| text.ends_with("/disconnect")).unwrap();
    let again = "/profile/accounts/bitbucket/connect?another=yes";
    for closed in
        ["/profile/token", "/orgs/acme/token", "/profile/accounts/bitbucket/connect", again, disconnect, end]
    {
        let refused = mallory.post(closed, &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{closed}: {}", refused.location);
    }
    let refused = mallory.post("/orgs/new", &[("name", "New"), ("short_name", "new")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let profile = mallory.get("/profile").await.body;
    assert!(!profile.contains("/connect\"") && !profile.contains("/profile/token"), "{profile}");

    // Logging in the other way opens everything in the same browser.
    mallory.travel("/login/bitbucket", &bitbucket, "ada").await;
    assert_eq!(mallory.get("/admin").await.status, StatusCode::OK);
    let stepped = mallory.travel(&format!("/login/{}", own.slug), &own_server, "ada").await;
    assert_eq!(stepped.status, StatusCode::SEE_OTHER);
    assert_eq!(mallory.get("/admin").await.status, StatusCode::OK, "a step more takes nothing away");
}

#[tokio::test]
async fn whoever_has_no_other_way_in_is_not_limited() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let own_server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &own_server).await;
    let mut linus = site.browser();
    linus.travel(&format!("/login/{}", own.slug), &own_server, "linus").await;
    linus.post("/login/register", &[("username", "linus"), ("email", ""), ("name", "")]).await;
    grace.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    grace.post("/orgs/other/teams", &[("who", "linus"), ("role", "member")]).await;
    assert_eq!(linus.get("/orgs/other").await.status, StatusCode::OK);
    assert_eq!(linus.post("/profile/token", &[]).await.location, "/profile/token");

    linus.connect("/profile/accounts/bitbucket/connect", &bitbucket, "linus").await;
    assert_eq!(
        linus.get("/orgs/other").await.status,
        StatusCode::OK,
        "this browser proved the other way too"
    );
    let mut mallory = site.browser();
    mallory.travel(&format!("/login/{}", own.slug), &own_server, "linus").await;
    assert_eq!(mallory.get("/orgs/other").await.status, StatusCode::FORBIDDEN, "now there is another way in");
}

#[tokio::test]
async fn what_an_owner_reads_with_an_account_is_closed_to_a_server_that_claims_to_be_them() {
    let (site, _, [_, grace]) = TestSite::with_acme().await;
    let own_server = FakeBitbucket::start().await;
    let own = site.add_own(&grace, "acme", &own_server).await;
    let mut grace = grace;
    grace.connect(&format!("/profile/accounts/{}/connect", own.slug), &own_server, "grace").await;
    let mut mallory = site.browser();
    mallory.travel(&format!("/login/{}", own.slug), &own_server, "grace").await;
    let form = mallory.get("/orgs/acme/packages/new").await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.location);
    assert!(!form.body.contains("My account grace at Bitbucket<"), "{}", form.body);
}

#[tokio::test]
async fn where_a_log_in_leads_is_always_on_this_site() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let own = site.add_own(&grace, "acme", &FakeBitbucket::start().await).await;
    let hostile = [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "/%09/evil.example",
        "%09//evil.example",
        "javascript:alert(1)",
        "/%0D%0ALocation:%20https://evil.example",
    ];
    for text in hostile {
        let mut browser = site.browser();
        let back = browser.travel(&format!("/login/bitbucket?return_to={text}"), &bitbucket, "grace").await;
        assert_eq!(back.location, "/", "{text}");
        let connect = format!("/profile/accounts/bitbucket/connect?return_to={text}");
        let back = grace.connect(&connect, &bitbucket, "grace").await;
        assert_eq!(back.location, "/?done=account-connected", "{text}");
        let link = grace.get(&format!("/login/acme/{}?return_to={text}", own.slug)).await;
        assert_eq!(link.location, "/", "{text}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_does_not_change_who_somebody_is() {
    let (_site, _bitbucket, [mut ada, _]) = TestSite::with_acme().await;
    let sent = |site| Request::get("/login/bitbucket").header("sec-fetch-site", site);
    let refused = ada.send(sent("cross-site"), "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("you are logged in already"), "{}", refused.body);
    assert_eq!(ada.send(sent("same-origin"), "").await.status, StatusCode::SEE_OTHER);
    ada.post("/logout", &[]).await;
    assert_eq!(ada.send(sent("cross-site"), "").await.status, StatusCode::SEE_OTHER, "nobody yet");
}
