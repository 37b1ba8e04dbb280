use crate::testing::{Browser, Seen, TestSite};
use axum::{
    extract::ConnectInfo,
    http::{Request, StatusCode, header::AUTHORIZATION},
};
use jiff::SignedDuration;
use std::net::{IpAddr, SocketAddr};

const TOKENS: &str = "/orgs/acme/settings/tokens";

/// Makes a token: its page and its text.
async fn make(owner: &mut Browser, form: &[(&str, &str)]) -> (String, String) {
    let made = owner.post(TOKENS, form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let text = text_of(&owner.get(&made.location).await);
    (made.location, text)
}

/// The text of a token on the page that shows it once.
fn text_of(page: &Seen) -> String {
    let at = page.body.find("stave_o").unwrap_or_else(|| panic!("no token: {}", page.body));
    page.body[at..at + 78].to_owned()
}

/// What Composer hears that shows a token from an address.
async fn composer(site: &TestSite, token: &str, address: &str) -> Seen {
    let peer = ConnectInfo(SocketAddr::from((address.parse::<IpAddr>().unwrap(), 4711)));
    let request = Request::get("/repo/acme/packages.json").header(AUTHORIZATION, format!("Bearer {token}"));
    site.browser().send(request.extension(peer), "").await
}

#[tokio::test]
async fn a_reload_makes_no_other_token() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let (robot, other) = (
        grace.post(TOKENS, &[("description", "Robot")]).await.location,
        grace.post(TOKENS, &[("description", "Other")]).await.location,
    );
    let page = grace.get(&robot).await.body;
    assert!(page.contains("Robot") && !page.contains("stave_ort_"), "the text is the other one's: {page}");
    let shown = grace.get(&other).await.body;
    for part in [
        "stave_ort_",
        "Generated Authentication Token “Other”",
        "Composer config command",
        "Environment variable",
        "Interactively during Composer command",
        "Local auth.json",
        "I've saved the authentication token",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!grace.get(&other).await.body.contains("stave_ort_"), "it was shown");

    let again = grace.post(&format!("{robot}/regenerate"), &[]).await.location;
    assert_eq!(again, format!("{robot}?done=token-replaced"));
    assert!(grace.get(&again).await.body.contains("stave_ort_"));
    assert!(!grace.get(&again).await.body.contains("stave_ort_"));
    assert!(!grace.get(TOKENS).await.body.contains("stave_ort_"));
    assert_eq!(grace.get(&format!("{robot}/regenerate")).await.location, robot);
}

#[tokio::test]
async fn a_token_is_refused_where_it_may_not_be_used() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = [("description", "CI"), ("addresses", "192.0.2.0/24\r\n2001:db8::/32")];
    let (page, token) = make(&mut grace, &form).await;
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::OK);
    assert_eq!(composer(&site, &token, "::ffff:192.0.2.8").await.status, StatusCode::OK);
    // What it reads is warm now; the address is asked all the same.
    let refused = composer(&site, &token, "198.51.100.1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert_eq!(refused.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
    let warning = body["warning"].as_str().unwrap();
    assert!(warning.starts_with("The token “CI” may not be used from 198.51.100.1."), "{warning}");
    let request = Request::get("/repo/acme/packages.json").header(AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(
        site.browser().send(request, "").await.status,
        StatusCode::FORBIDDEN,
        "nobody knows from where"
    );
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::OK);

    let list = grace.get(TOKENS).await.body;
    assert!(list.contains("from 192.0.2.0/24, 2001:db8::/32"), "{list}");
    let everywhere = [("description", "CI"), ("addresses", "")];
    assert_eq!(grace.post(&page, &everywhere).await.location, format!("{page}?done=saved"));
    assert_eq!(composer(&site, &token, "198.51.100.1").await.status, StatusCode::OK);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("changed the addresses of the token “CI”"), "{log}");
}

#[tokio::test]
async fn the_last_use_is_known_to_five_minutes() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let (page, token) = make(&mut grace, &[("description", "CI")]).await;
    assert!(grace.get(&page).await.body.contains("never used"));
    let used_from = async |grace: &mut Browser, address: &str| {
        composer(&site, &token, address).await;
        grace.get(&page).await.body
    };
    assert!(used_from(&mut grace, "192.0.2.7").await.contains("192.0.2.7"));
    site.app.clock().advance(SignedDuration::from_secs(299));
    assert!(used_from(&mut grace, "192.0.2.8").await.contains("192.0.2.7"), "it is too early");
    // The warm answer is used still.
    site.app.clock().advance(SignedDuration::from_secs(1));
    let seen = used_from(&mut grace, "::ffff:192.0.2.8").await;
    assert!(seen.contains("192.0.2.8") && !seen.contains("ffff"), "{seen}");
    assert!(grace.get(TOKENS).await.body.contains("from 192.0.2.8"));

    let user_token = site.token_of(&mut grace).await;
    composer(&site, &user_token, "192.0.2.9").await;
    let profile = grace.get("/profile").await.body;
    assert!(profile.contains("192.0.2.9"), "{profile}");
}

#[tokio::test]
async fn a_token_works_until_its_last_day_is_over() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let day =
        |days: i64| stave_domain::expiry::day(site.app.clock().now() + SignedDuration::from_hours(24 * days));
    let (tomorrow, next_week) = (day(1), day(7));
    let (page, token) = make(&mut grace, &[("description", "CI"), ("expires_on", &tomorrow)]).await;
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::OK);
    site.app.clock().advance(SignedDuration::from_hours(48));
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::UNAUTHORIZED);
    assert!(grace.get(TOKENS).await.body.contains("expired"));
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("It has expired.") && shown.contains(&format!("value=\"{tomorrow}\"")), "{shown}");
    let refused = grace.post(&format!("{page}/regenerate"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("This token has expired"), "{}", refused.body);

    // The rest of it can be changed while it is dead, and another day revives it.
    let renamed = [("description", "Robot"), ("expires_on", tomorrow.as_str())];
    assert_eq!(grace.post(&page, &renamed).await.location, format!("{page}?done=saved"));
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::UNAUTHORIZED);
    let revived = [("description", "Robot"), ("expires_on", next_week.as_str())];
    assert_eq!(grace.post(&page, &revived).await.location, format!("{page}?done=saved"));
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::OK);
    let log = grace.get("/orgs/acme/settings/log").await.body;
    for line in ["changed the description of the token “CI”", "changed the last day of the token “Robot”"]
    {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_said_beside_the_field() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let empty = grace.get(TOKENS).await.body;
    assert!(empty.contains("No tokens yet") && empty.contains(&format!("{TOKENS}/new")), "{empty}");
    let bad = [
        ("description", " "),
        ("access", "everything"),
        ("reads", "selection"),
        ("selection", "acme/*\r\nmailer"),
        ("addresses", "ci.example.com"),
        ("expires_on", "2020-01-01"),
    ];
    let refused = grace.post(TOKENS, &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (field, _) in bad.into_iter().filter(|(field, _)| *field != "reads") {
        assert!(refused.body.contains(&format!("id=\"{field}-problem\"")), "{field}: {}", refused.body);
    }
    assert!(refused.body.contains("acme/*\r\nmailer"), "what was typed stays: {}", refused.body);
    let nothing = grace.post(TOKENS, &[("description", "CI"), ("reads", "selection")]).await;
    assert!(nothing.body.contains("at least one package"), "{}", nothing.body);
    assert!(grace.get(TOKENS).await.body.contains("No tokens yet"));
}

#[tokio::test]
async fn a_change_keeps_text_and_access() {
    let (site, _bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
    let form = [("description", "CI"), ("access", "update"), ("reads", "selection"), ("selection", "acme/*")];
    let (page, token) = make(&mut grace, &form).await;
    assert!(token.starts_with("stave_out_"), "{token}");
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("created the token “CI” with update access"), "{log}");
    let other = [("description", "CI"), ("access", "read"), ("reads", "all"), ("selection", "acme/*")];
    assert_eq!(grace.post(&page, &other).await.location, format!("{page}?done=saved"));
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::OK);
    let shown = grace.get(&page).await.body;
    assert!(shown.contains("Every package of this organization"), "{shown}");
    assert!(shown.contains("<span class=\"badge warn\">update</span>"), "{shown}");

    let mut nobody = site.browser();
    assert_eq!(nobody.post(&page, &other).await.status, StatusCode::SEE_OTHER, "to the log-in form");
    let elsewhere = page.replace("/acme/", "/other/");
    ada.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    for address in [elsewhere.clone(), format!("{elsewhere}/revoke"), format!("{elsewhere}/regenerate")] {
        assert_eq!(ada.post(&address, &other).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert_eq!(
        grace.post(&format!("{page}/revoke"), &[]).await.location,
        format!("{TOKENS}?done=token-revoked")
    );
    assert_eq!(composer(&site, &token, "192.0.2.7").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
}
