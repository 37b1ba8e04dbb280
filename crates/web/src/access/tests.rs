//! Pages about who reads what. What they say is tested where it is decided, in `stave-app`.

use super::*;
use crate::testing::TestSite;
use axum::http::StatusCode;

#[test]
fn a_long_list_is_searched_and_shown_in_parts() {
    let query = ListQuery { q: " Mail ".into(), only: "no".into(), page: "1".into() };
    assert!(query.finds(&["acme/mailer"], false));
    assert!(!query.finds(&["acme/mailer"], true), "only those who cannot");
    assert!(!query.finds(&["acme/shop"], false));
    let part = query.part((0..=2 * PAGE).collect(), "/x");
    assert_eq!((part.lines.len(), part.count), (PAGE, 2 * PAGE + 1));
    assert_eq!(part.back.as_deref(), Some("/x?q=+Mail+&only=no&page=0"));
    assert_eq!(part.on.as_deref(), Some("/x?q=+Mail+&only=no&page=2"));
    let nonsense = ListQuery { page: "x".into(), ..ListQuery::default() };
    assert!(nonsense.is_everything() && nonsense.part(vec![1], "/x").lines == [1]);
}

#[tokio::test]
async fn people_see_what_they_read_and_owners_everybody() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    let page_of = async |browser| {
        let user = site.actor(browser).await.user.unwrap();
        format!("/orgs/acme/members/{}/access", user.id)
    };
    let (own, hers) = (page_of(&linus).await, page_of(&grace).await);
    let overview = linus.get("/orgs/acme").await.body;
    assert!(overview.contains(&own) && overview.contains("What can I read?"), "{overview}");
    let page = linus.get(&own).await.body;
    assert!(page.contains("What can I read, and why"), "{page}");
    assert!(page.contains("There is nothing that you can read here yet"), "{page}");
    assert_eq!(linus.get(&hers).await.status, StatusCode::FORBIDDEN);
    let page = grace.get(&own).await.body;
    assert!(page.contains("<bdi>linus</bdi>") && page.contains("can read 0 of 0"), "{page}");
    let table = grace.get(&format!("{own}.csv")).await;
    assert_eq!(table.body, "\"package\",\"can_read\",\"why\",\"what_to_do\"\r\n");
    let log = grace.get("/orgs/acme/settings/log").await.body;
    assert!(log.contains("exported what linus can read"), "{log}");

    let found = grace.get("/orgs/acme/settings/access?q=linus").await.body;
    assert!(found.contains(&own), "{found}");
    assert!(grace.get("/orgs/acme/settings/access?q=nobody").await.body.contains("No package and no member"));
}
