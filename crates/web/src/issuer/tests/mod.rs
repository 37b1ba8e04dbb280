//! Visitors of a website, with a fake Bitbucket.

mod account;
mod application;
mod authorize;
mod client;
mod log;
mod logout;
mod page;
mod proxy;
mod refresh;
mod sign_in;
mod token;
mod user_info;
mod visit;

use crate::testing::{ALL_SCOPES, Browser, Seen, TestSite, path_of};
use stave_app::{MemberAddress, MemberSearch, WebsiteForm};
use stave_domain::website::{Member, MemberStatus};
use stave_testkit::FakeBitbucket;

/// The website `shop` of acme, with a button for a consumer of its own. Grace owns it.
pub(super) struct Shop {
    pub(super) site: TestSite,
    pub(super) bitbucket: FakeBitbucket,
    pub(super) grace: Browser,
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// The same, with something else in its login setting.
    pub(super) async fn open_with(setting: &[(&str, &str)]) -> Self {
        let (site, bitbucket, [_, grace]) = TestSite::with_acme().await;
        let shop = Self { site, bitbucket, grace };
        shop.found("shop", "The Shop").await;
        shop.save("shop", setting).await;
        shop
    }

    /// Makes a website whose one button leads to the fake.
    pub(super) async fn found(&self, slug: &str, name: &str) {
        let form = WebsiteForm {
            name: name.into(),
            slug: slug.into(),
            origin: format!("https://{slug}.example"),
            origins: String::new(),
        };
        let actor = self.site.actor(&self.grace).await;
        self.site.app.website_create(&actor, "acme", &form).await.unwrap();
        let callback = format!("http://127.0.0.1:8080/w/{slug}/callback/bitbucket");
        let consumer = self.bitbucket.consumer("acme", &callback, &ALL_SCOPES);
        let (base_url, secret) = (self.bitbucket.base_url(), consumer.secret());
        let setting = [
            ("bitbucket_on", "on"),
            ("bitbucket_label", "Log in with Bitbucket"),
            ("bitbucket_base_url", &base_url),
            ("bitbucket_client_id", consumer.key()),
            ("bitbucket_client_secret", &secret),
        ];
        self.save(slug, &setting).await;
    }

    /// Changes these fields of a login setting, and lets visitors see it.
    pub(super) async fn save(&self, slug: &str, fields: &[(&str, &str)]) {
        let actor = self.site.actor(&self.grace).await;
        let mut form = self.site.app.website_setting_show(&actor, "acme", slug).await.unwrap().form;
        let sent: Vec<_> = fields.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        form.take(&sent);
        self.site.app.website_setting_save(&actor, ("acme", slug), &form).await.unwrap();
    }

    /// Presses the button as this person, and comes back: what the callback answers.
    pub(super) async fn log_in(&self, visitor: &mut Browser, person: &str) -> Seen {
        let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
        visitor.grant(&away, &self.bitbucket, person).await
    }

    /// A browser in which this person is signed in.
    pub(super) async fn visitor(&self, person: &str) -> Browser {
        let mut visitor = self.site.browser();
        let back = self.log_in(&mut visitor, person).await;
        assert_eq!(back.location, "/w/shop/account", "{}", back.body);
        visitor
    }

    /// Presses the button and grants access as this person: the path of the callback, not gone yet.
    pub(super) async fn almost(&self, visitor: &mut Browser, person: &str) -> String {
        let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
        path_of(&self.bitbucket.grant_access(&away.location, person).await)
    }

    pub(super) async fn members(&self) -> Vec<Member> {
        let actor = self.site.actor(&self.grace).await;
        let found = self.site.app.website_member_list(&actor, "acme", "shop", &MemberSearch::default()).await;
        found.unwrap().members.into_iter().map(|(member, _)| member).collect()
    }

    pub(super) async fn set_status(&self, member: &Member, status: MemberStatus) {
        let actor = self.site.actor(&self.grace).await;
        let at = MemberAddress { organization: "acme", website: "shop", id: member.id };
        self.site.app.website_member_status(&actor, at, status).await.unwrap();
    }
}

/// Whether a page is the one of somebody who is signed in.
pub(super) async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/w/shop/account").await.body.contains("This is what")
}

/// Goes through a door that leads to an integration, and comes back by the integration's own callback.
pub(super) async fn through(browser: &mut Browser, door: &str, server: &FakeBitbucket, person: &str) -> Seen {
    let away = browser.post(door, &[]).await;
    let on = browser.grant(&away, server, person).await;
    assert!(on.location.starts_with("/w/shop/callback/integration-"), "{}", on.body);
    browser.get(&on.location).await
}
