//! Stories of websites and their owners through the front door.

mod client;
mod member;
mod proxy;
mod rights;
mod setting;

use crate::testing::{ALL_SCOPES, Browser, TestSite};
use axum::http::StatusCode;
use stave_testkit::FakeBitbucket;

const LIST: &str = "/orgs/acme/websites";
const SHOP: &str = "/orgs/acme/websites/shop";

/// Grace's website `shop`, with a button that leads to the fake. Ada is the admin.
struct Shop {
    site: TestSite,
    bitbucket: FakeBitbucket,
    ada: Browser,
    grace: Browser,
}

impl Shop {
    async fn open() -> Self {
        let (site, bitbucket, [ada, mut grace]) = TestSite::with_acme().await;
        let form = [("name", "The Shop"), ("slug", "shop"), ("origin", "https://shop.example")];
        let made = grace.post(LIST, &form).await;
        assert_eq!(made.location, format!("{SHOP}/login?done=website-created"), "{}", made.body);
        Self { site, bitbucket, ada, grace }
    }

    /// Saves the login setting, so that people can log in.
    async fn publish(&mut self) {
        let callback = "http://127.0.0.1:8080/w/shop/callback/bitbucket";
        let consumer = self.bitbucket.consumer("acme", callback, &ALL_SCOPES);
        let (base_url, secret) = (self.bitbucket.base_url(), consumer.secret());
        let form = [
            ("action", "save"),
            ("bitbucket_on", "on"),
            ("bitbucket_label", "Log in with Bitbucket"),
            ("bitbucket_base_url", base_url.as_str()),
            ("bitbucket_client_id", consumer.key()),
            ("bitbucket_client_secret", secret.as_str()),
        ];
        let mut whole = form.to_vec();
        whole.extend(REST);
        let saved = self.grace.post(&format!("{SHOP}/login"), &whole).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    }

    /// A browser in which this person is signed in at the website.
    async fn visitor(&self, person: &str) -> Browser {
        let mut visitor = self.site.browser();
        let away = visitor.post("/w/shop/login/bitbucket", &[]).await;
        let back = visitor.grant(&away, &self.bitbucket, person).await;
        assert_eq!(back.location, "/w/shop/account", "{}", back.body);
        visitor
    }

    /// The address of the page of a member, as the list has it.
    async fn member(&mut self, name: &str) -> String {
        let list = self.grace.get(&format!("{SHOP}/members?q={name}")).await.body;
        link_below(&list, &format!("{SHOP}/members/"))
    }

    async fn log(&mut self) -> String {
        self.grace.get("/orgs/acme/settings/log").await.body
    }
}

/// What else the form of the login setting sends.
const REST: [(&str, &str); 5] = [
    ("sign_up", "open"),
    ("idle_hours", "8"),
    ("longest_hours", "168"),
    ("accent", "#0b5747"),
    ("background", "#f4f6f5"),
];

/// The first address on a page that begins like this and goes on.
fn link_below(page: &str, start: &str) -> String {
    let found = page.split('"').find(|text| text.starts_with(start) && text.len() > start.len());
    found.unwrap_or_else(|| panic!("nothing below {start}: {page}")).to_owned()
}

/// What stands in the `<pre>` or `<textarea>` with this id, as a browser shows it.
fn shown(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {page}"));
    let (_, inside) = rest.split_once('>').unwrap();
    let text = inside.split("</pre>").next().unwrap().split("</textarea>").next().unwrap();
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

#[tokio::test]
async fn a_website_is_made_changed_and_deleted() {
    let mut shop = Shop::open().await;
    let grace = &mut shop.grace;
    let list = grace.get(LIST).await.body;
    for part in ["The Shop", "https://shop.example", "http://127.0.0.1:8080/w/shop", "not published"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    for (form, problem) in [
        ([("name", ""), ("slug", "x2"), ("origin", "https://x.example")], "Name cannot be empty"),
        ([("name", "X"), ("slug", "Shop!"), ("origin", "https://x.example")], "A slug has 2 to 40"),
        (
            [("name", "X"), ("slug", "shop"), ("origin", "https://x.example")],
            "Another website here has this slug",
        ),
        ([("name", "X"), ("slug", "x2"), ("origin", "http://x.example")], "needs https"),
    ] {
        let refused = grace.post(LIST, &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(problem), "{problem}: {}", refused.body);
    }

    let form = [("name", "Shop 2"), ("origin", "https://new.example"), ("origins", "https://shop.example\n")];
    assert_eq!(grace.post(SHOP, &form).await.location, format!("{SHOP}?done=saved"));
    let settings = grace.get(SHOP).await.body;
    assert!(settings.contains("Shop 2") && settings.contains("signing"), "{settings}");
    let clients = grace.get(&format!("{SHOP}/connect/openid")).await.body;
    assert!(clients.contains("https://new.example/ and 1 more"), "the script follows: {clients}");
    let early = grace.post(&format!("{SHOP}/key"), &[]).await;
    assert!(
        early.status == StatusCode::UNPROCESSABLE_ENTITY && early.body.contains("not an hour old"),
        "{}",
        early.body
    );
    shop.site.app.clock().advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(
        grace.post(&format!("{SHOP}/key"), &[]).await.location,
        format!("{SHOP}?done=signing-key-made#keys")
    );
    assert!(grace.get(SHOP).await.body.contains("published, signs an hour after it was made"));

    let delete = format!("{SHOP}/delete");
    let asked = grace.get(&delete).await.body;
    assert!(asked.contains("no members") && asked.contains("1 application: it gets"), "{asked}");
    let wrong = grace.post(&delete, &[("typed", "Shop 2")]).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("Type shop to delete"),
        "{}",
        wrong.body
    );
    assert_eq!(grace.post(&delete, &[("typed", " shop ")]).await.location, format!("{LIST}?done=deleted"));
    assert!(grace.get(LIST).await.body.contains("No websites yet"));
    assert_eq!(grace.get("/w/shop/login").await.status, StatusCode::NOT_FOUND);
    let log = shop.log().await;
    for line in [
        "created the website shop",
        "changed the addresses of the website shop",
        "made a new signing key for the website shop",
        "deleted the website shop with 0 members",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}
