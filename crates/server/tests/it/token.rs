//! Tokens: what they reach, and that they stop at once.

use crate::support::TestStave;

#[tokio::test]
async fn a_token_reaches_its_organizations_and_stops_at_once() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.commit("main", &[("composer.json", r#"{"name": "acme/lib"}"#)]);
    stave.import(&ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let token = stave.token(&ada).await;
    let client = reqwest::Client::new();
    let get = |path: &str, token: &str| {
        let request =
            client.get(format!("{}/repo/{path}", stave.url)).basic_auth("ada", Some(token.to_owned()));
        async { request.send().await.unwrap() }
    };
    let p2 = "acme/p2/acme/lib~dev.json";
    assert_eq!(get(p2, &token).await.status(), 200);
    assert_eq!(get("acme/p2/acme/other.json", &token).await.status(), 404);
    assert_eq!(get("others/packages.json", &token).await.status(), 404);

    let fresh = stave.token(&ada).await;
    assert_eq!(get(p2, &fresh).await.status(), 200);
    let refused = get(p2, &token).await;
    assert_eq!(refused.status(), 401, "the token before stops at once");
    assert!(refused.headers().contains_key("www-authenticate"));
    assert_eq!(refused.headers()["content-type"], "application/json");
    assert!(refused.text().await.unwrap().contains("\"warning\""));

    ada.send("/profile/token/revoke", &[]).await;
    assert_eq!(get(p2, &fresh).await.status(), 401);
}

#[tokio::test]
async fn a_machines_token_reads_one_organization() {
    let (stave, ada) = TestStave::with_acme().await;
    ada.send("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await.shows("Other");
    let page = ada.send("/orgs/acme/settings/tokens", &[("description", "CI")]).await;
    let at = page.body.find("stave_ort_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
    let token = page.body[at..at + 78].to_owned();
    ada.open("/orgs/acme/settings/tokens").await.shows("CI").hides(&token);
    let client = reqwest::Client::new();
    for (organization, status) in [("acme", 200), ("other", 404)] {
        let root = format!("{}/repo/{organization}/packages.json", stave.url);
        let answer = client.get(root).basic_auth("token", Some(&token)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{organization}");
    }
}

#[tokio::test]
async fn who_leaves_the_organization_reads_nothing_more() {
    let (stave, ada) = TestStave::with_acme().await;
    let grace = stave.browser();
    stave.sign_in(&grace, "grace").await;
    grace.send("/login/register", &[("username", "grace"), ("name", ""), ("email", "")]).await;
    let page = ada.send("/orgs/acme/teams", &[("who", "grace"), ("role", "member")]).await;
    page.shows("grace");
    let token = stave.token(&grace).await;
    let client = reqwest::Client::new();
    let root = format!("{}/repo/acme/packages.json", stave.url);
    let read = || client.get(&root).basic_auth("grace", Some(&token)).send();
    assert_eq!(read().await.unwrap().status(), 200);
    let is_removal = |text: &&str| text.starts_with("/orgs/acme/teams/") && text.ends_with("/remove");
    for action in page.body.split('"').filter(is_removal) {
        // The last owner stays, whatever is pressed.
        ada.send(action, &[]).await;
    }
    assert_eq!(read().await.unwrap().status(), 404);
}
