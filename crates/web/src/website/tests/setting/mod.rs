//! The login setting of a website, from the first look at its callback to what visitors see.

mod button;
mod history;
mod look;
mod test_sign_in;

use crate::testing::{Browser, Seen, TestSite, path_of};
use axum::http::StatusCode;
use stave_testkit::{Consumer, FakeBitbucket};

const PAGE: &str = "/orgs/acme/websites/shop/login";
const PREVIEW: &str = "/orgs/acme/websites/shop/preview";
const CALLBACK: &str = "http://127.0.0.1:8080/w/shop/callback/bitbucket";
const SCOPES: [&str; 2] = ["account", "email"];

/// A website of acme, a consumer made for it, and what its owner types.
struct Desk {
    site: TestSite,
    bitbucket: FakeBitbucket,
    consumer: Consumer,
    ada: Browser,
    grace: Browser,
}

impl Desk {
    async fn new() -> Self {
        let (site, bitbucket, [ada, mut grace]) = TestSite::with_acme().await;
        for (name, slug) in [("Shop", "shop"), ("Blog", "blog")] {
            let origin = format!("https://{slug}.example");
            let form = [("name", name), ("slug", slug), ("origin", origin.as_str()), ("origins", "")];
            let made = grace.post("/orgs/acme/websites", &form).await;
            assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        }
        let consumer = bitbucket.consumer("acme", CALLBACK, &SCOPES);
        Self { site, bitbucket, consumer, ada, grace }
    }

    /// Sends the form with the consumer's keys, and more or other fields.
    async fn send(&mut self, action: &str, more: &[(&str, &str)]) -> Seen {
        let (secret, base_url) = (self.consumer.secret(), self.bitbucket.base_url());
        let usual = [
            ("bitbucket_on", "on"),
            ("bitbucket_base_url", base_url.as_str()),
            ("bitbucket_client_id", self.consumer.key()),
            ("bitbucket_client_secret", secret.as_str()),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let form: Vec<_> = [("action", action)].into_iter().chain(kept).chain(more.iter().copied()).collect();
        self.grace.post(PAGE, &form).await
    }

    async fn page(&mut self) -> String {
        self.grace.get(PAGE).await.body
    }

    /// The login form as a visitor sees it who was never there.
    async fn visitors_form(&self) -> String {
        self.site.browser().get("/w/shop/login").await.body
    }

    /// Takes the test of an owner: the sheet that follows.
    async fn test(&mut self, person: &str) -> String {
        let away = self.grace.post("/orgs/acme/websites/shop/test/bitbucket", &[]).await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.body);
        let back = self.bitbucket.grant_access(&away.location, person).await;
        let arrived = self.grace.get(&path_of(&back)).await;
        assert_eq!(arrived.location, "/orgs/acme/websites/shop/test", "{}", arrived.body);
        self.grace.get(&arrived.location).await.body
    }

    /// How many members and browsers the website has.
    async fn counts(&self) -> (u64, u64) {
        let view =
            self.site.app.website_show(&self.site.actor(&self.grace).await, "acme", "shop").await.unwrap();
        (view.counts.members, view.counts.logins)
    }
}

fn version(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"version\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn apply_preview_save() {
    let mut desk = Desk::new().await;
    let page = desk.page().await;
    assert!(page.contains(CALLBACK), "the callback stands there before anything is entered");
    assert!(page.contains("Visitors see nothing yet"));

    let applied = desk.send("apply", &[("title", "Come in"), ("bitbucket_label", "Bitbucket, please")]).await;
    assert_eq!(applied.location, format!("{PAGE}?done=draft-applied"), "{}", applied.body);
    assert!(!desk.visitors_form().await.contains("Bitbucket, please"), "a draft is not for visitors");
    let framed = desk.grace.get(&format!("{PREVIEW}/form")).await.body;
    assert!(framed.contains("Come in") && framed.contains("Bitbucket, please") && framed.contains("inert"));
    assert!(desk.page().await.contains("</b> applied by grace"));

    let version = version(&desk.grace.get(PREVIEW).await.body);
    let saved = desk.grace.post(PAGE, &[("action", "save"), ("version", &version)]).await;
    assert_eq!(saved.location, format!("{PAGE}?done=setting-saved"), "{}", saved.body);
    assert!(desk.visitors_form().await.contains("Bitbucket, please"), "the preview saves the draft as it is");
    assert!(desk.page().await.contains("Visitors see revision 1, saved by grace"));
    let same = desk.grace.post(PAGE, &[("action", "save")]).await;
    assert_eq!(
        same.location,
        format!("{PAGE}?done=setting-same"),
        "what visitors see already is no new revision"
    );

    let mut visitor = desk.site.browser();
    let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
    assert_eq!(visitor.grant(&away, &desk.bitbucket, "linus").await.location, "/w/shop/account");
    assert_eq!(desk.counts().await, (1, 1), "without a registration");
}

#[tokio::test]
async fn a_form_that_is_wrong_says_where() {
    let mut desk = Desk::new().await;
    let (long, many) = ("x".repeat(101), "r,".repeat(2));
    for (fields, sentence) in [
        (&[("bitbucket_client_id", "")][..], "App ID cannot be empty."),
        (&[("bitbucket_client_secret", "")], "Paste the secret that Bitbucket shows"),
        (&[("bitbucket_base_url", "bitbucket.org")], "Bitbucket, Base URL: This is not a URL."),
        (&[("bitbucket_label", &long)], "Bitbucket, Button text is too long"),
        (&[("bitbucket_workspaces", "https://bitbucket.org/acme")], "is neither a workspace"),
        (&[("bitbucket_email", "some")], "Choose from the list which addresses"),
        (&[("accent", "red")], "A colour is a #"),
        (&[("accent", "#777b7a")], "is hard to read"),
        (&[("title", &long)], "The title is too long"),
        (&[("default_roles", "a;b")], "A role has 1 to 40 letters"),
        (&[("idle_hours", "0")], "Hours without a visit: Type a whole number from 1 to 720."),
        (&[("longest_hours", "2161")], "from 1 to 2160"),
        (&[("allowed", "localhost")], "is neither an e-mail address nor a domain"),
        (&[("sign_up", "")], "Choose from the list who becomes a member."),
        (&[("data_center_on", "on"), ("data_center_base_url", "")], "This is not a URL."),
    ] {
        let refused = desk.send("apply", fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(refused.body.contains(sentence), "{fields:?}: {sentence}");
        assert!(!desk.page().await.contains("</b> applied by"), "{fields:?}: nothing is stored");
    }
    assert_eq!(desk.send("apply", &[("default_roles", &many)]).await.status, StatusCode::SEE_OTHER);
    let off = desk.grace.post(PAGE, &[("action", "save"), ("whole", "on")]).await;
    assert!(off.body.contains("no button is switched on"), "{}", off.body);
}

#[tokio::test]
async fn only_what_was_changed_is_not_applied_yet() {
    let mut desk = Desk::new().await;
    let marker = "role=\"status\" hidden><b>Not applied yet.";
    let empty = desk.page().await;
    let version = version(&empty);
    let refused = desk.grace.post(PAGE, &[("action", "save"), ("version", &version)]).await;
    assert!(refused.body.contains("no button is switched on") && refused.body.contains(marker));
    let refused = desk.send("save", &[("idle_hours", "0")]).await;
    assert!(!refused.body.contains(marker) && refused.body.contains("data-unapplied"), "{}", refused.body);
}

#[tokio::test]
async fn keys_without_a_button_are_told() {
    let mut desk = Desk::new().await;
    let (base_url, secret) = (desk.bitbucket.base_url(), desk.consumer.secret());
    let off = [
        ("action", "apply"),
        ("whole", "on"),
        ("bitbucket_base_url", base_url.as_str()),
        ("bitbucket_client_id", desk.consumer.key()),
        ("bitbucket_client_secret", secret.as_str()),
    ];
    let applied = desk.grace.post(PAGE, &off).await;
    assert_eq!(applied.location, format!("{PAGE}?done=draft-applied-off"), "{}", applied.body);
    let page = desk.grace.get(&applied.location).await.body;
    assert!(
        page.contains("Bitbucket is switched off</b>") && page.contains("href=\"#bitbucket_on\""),
        "{page}"
    );
    desk.send("apply", &[]).await;
    assert!(!desk.page().await.contains("is switched off</b>"));
}

#[tokio::test]
async fn visitors_find_the_form_where_the_page_says() {
    let mut desk = Desk::new().await;
    desk.send("save", &[]).await;
    let page = desk.grace.get(&format!("{PAGE}?done=setting-saved")).await.body;
    assert!(page.contains("Visitors log in at <a href=\"http://127.0.0.1:8080/w/shop/login\""), "{page}");
    assert!(page.contains("<a href=\"connect\">connect your website with it</a>"), "{page}");
    let come = desk.site.browser().get("/w/shop").await;
    assert_eq!((come.status, come.location.as_str()), (StatusCode::SEE_OTHER, "/w/shop/login"));
}

#[tokio::test]
async fn a_secret_is_write_only_and_goes_nowhere_else() {
    let mut desk = Desk::new().await;
    let secret = desk.consumer.secret();
    let refused = desk.send("apply", &[("idle_hours", "0")]).await;
    assert!(!refused.body.contains(&secret));
    let kept = refused.body.split_once("name=\"bitbucket_kept_secret\" value=\"").unwrap().1;
    let kept = kept.split_once('"').unwrap().0.to_owned();
    assert!(!kept.is_empty());
    let again = [("bitbucket_client_secret", ""), ("bitbucket_kept_secret", kept.as_str())];
    let applied = desk.send("apply", &again).await;
    assert_eq!(applied.status, StatusCode::SEE_OTHER, "what was typed survives a refusal: {}", applied.body);

    let page = desk.page().await;
    assert!(!page.contains(&secret));
    assert!(page.contains(&format!("ends with {}", &secret[secret.len() - 4..])));
    let blank = ("bitbucket_client_secret", "");
    assert_eq!(desk.send("apply", &[blank]).await.status, StatusCode::SEE_OTHER, "an empty field keeps it");
    for (other, sentence) in [
        (("bitbucket_base_url", "https://evil.example"), "leads to another server now"),
        (("bitbucket_client_id", "another"), "This is another App ID"),
    ] {
        let refused = desk.send("save", &[blank, other]).await;
        assert!(refused.body.contains(sentence), "{other:?}");
        let waiting = ("bitbucket_kept_secret", kept.as_str());
        let refused = desk.send("save", &[blank, other, waiting]).await;
        assert!(
            refused.body.contains(sentence),
            "what waits in the form is for one server and one id: {other:?}"
        );
    }
    let stolen = [
        ("action", "apply"),
        ("bitbucket_on", "on"),
        ("bitbucket_client_id", "x"),
        ("bitbucket_kept_secret", kept.as_str()),
    ];
    let blog = desk.grace.post("/orgs/acme/websites/blog/login", &stolen).await;
    assert!(blog.body.contains("Paste the secret"), "what was kept for one website is nothing for another");
}

#[tokio::test]
async fn nobody_overwrites_what_another_applied_meanwhile() {
    let mut desk = Desk::new().await;
    let began = version(&desk.page().await);
    let ada = desk.ada.post(PAGE, &[("action", "apply"), ("version", &began), ("title", "Ada’s")]).await;
    assert_eq!(ada.status, StatusCode::SEE_OTHER, "{}", ada.body);
    for action in ["apply", "save", "discard"] {
        let late = desk.send(action, &[("version", &began), ("title", "Grace’s")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("ada applied another draft on"), "{action}: {}", late.body);
        assert_eq!(version(&late.body), began, "it stays late until somebody decides");
        assert!(late.body.contains("Grace’s") && late.body.contains("Apply mine instead"), "{action}");
    }
    assert!(desk.page().await.contains("Ada’s"));
    let now = version(&desk.page().await);
    let mine = [("version", began.as_str()), ("replaces", now.as_str()), ("title", "Grace’s")];
    let replaced = desk.send("replace", &mine).await;
    assert_eq!(replaced.location, format!("{PAGE}?done=draft-applied"), "{}", replaced.body);
    assert!(desk.page().await.contains("Grace’s"));
    let again = desk.send("replace", &mine).await;
    assert!(again.body.contains("You applied another draft in another window on"), "{}", again.body);
}
