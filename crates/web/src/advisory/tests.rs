//! The page of advisories; what clients hear of them is told in the stories of the whole Stave.

use crate::testing::TestSite;
use axum::http::StatusCode;

const PAGE: &str = "/orgs/acme/settings/security/advisories";

#[tokio::test]
async fn a_form_that_is_wrong_says_so_beside_each_field() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let empty = grace.get(PAGE).await;
    assert_eq!(empty.status, StatusCode::OK, "{}", empty.body);
    assert!(empty.body.contains("No advisories yet"), "{}", empty.body);
    let form = grace.get(&format!("{PAGE}/new")).await.body;
    assert!(form.contains("Affected versions") && form.contains("Not judged"), "{form}");

    let typed = [
        ("package", "acme/nothing"),
        ("title", " "),
        ("affected", ">=1.0 nonsense"),
        ("severity", "dreadful"),
        ("cve", "CVE-1"),
        ("link", "javascript:alert(1)"),
    ];
    let refused = grace.post(&format!("{PAGE}/new"), &typed).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for sentence in [
        "Acme has no package of this name.",
        "Title cannot be empty.",
        "Choose one of the list.",
        "A CVE looks like CVE-2026-12345.",
        "A link begins with https:// or http://.",
    ] {
        assert!(refused.body.contains(sentence), "{sentence}: {}", refused.body);
    }
    assert!(refused.body.contains("id=\"affected-problem\""), "{}", refused.body);
    assert!(refused.body.contains("value=\"acme/nothing\""), "what was typed stays");
}

#[tokio::test]
async fn advisories_are_for_owners_and_admins() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert_eq!(linus.get(PAGE).await.status, StatusCode::NOT_FOUND, "an organization of others");
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    for refused in [
        linus.get(PAGE).await,
        linus.get(&format!("{PAGE}/new")).await,
        linus.post(&format!("{PAGE}/new"), &[]).await,
        linus.post(&format!("{PAGE}/STAVE-1/delete"), &[]).await,
    ] {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    }
    assert_eq!(grace.get(&format!("{PAGE}/STAVE-1")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(grace.post(&format!("{PAGE}/STAVE-1/delete"), &[]).await.status, StatusCode::NOT_FOUND);
}
