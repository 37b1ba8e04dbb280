//! Settings > Access: what an enforced log-in means for people who are inside already, and for their Composer.

use crate::support::TestStave;
use stave_testkit::Composer;

#[tokio::test]
async fn composer_prints_what_the_organization_asks_for() {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    stave.import(&ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    ada.send("/admin/configuration", &[("password_login", "on")]).await.shows("Saved");
    let linus = stave.browser();
    let account = [("username", "linus"), ("email", "linus@example.com"), ("password", "a short sentence")];
    linus.send("/register", &account).await;
    ada.send("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await.shows("linus");
    let token = stave.token(&linus).await;
    let composer = Composer::new();
    composer.repository(&format!("{}/repo/acme/", stave.url)).config_auth(&stave.url, "linus", &token);
    let run = composer.require("acme/lib").await;
    assert!(run.success(), "{run}");

    let page = ada.open("/orgs/acme/settings/access").await;
    let mut rule = page.body.split("value=\"").map(|rest| rest.split('"').next().unwrap());
    let rule = rule.find(|value| value.len() == 36).expect("Bitbucket can be chosen");
    ada.send("/orgs/acme/settings/access", &[("integration", rule)])
        .await
        .shows("Saved")
        .shows("One member has no account at Bitbucket");
    linus.open("/orgs/acme").await.shows("Acme asks its members to log in with Bitbucket");
    let run = composer.forget_cache().update().await;
    assert!(!run.success(), "{run}");
    let said = run.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Acme asks its members to log in with Bitbucket"), "{run}");
}
