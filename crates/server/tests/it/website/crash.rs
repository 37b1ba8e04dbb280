//! kill -9 while an owner changes a login form and while a visitor is away: visitors see what was published, nothing that was applied
//! is lost, and nobody becomes two members.

use crate::{
    crash::first_owner,
    support::{
        Answer, Browser,
        process::{Place, Process},
        web_server::free_port,
        website::{BUTTON, LOG_OUT},
    },
};
use stave_testkit::FakeBitbucket;
use std::time::Duration;

const PAGES: &str = "/orgs/acme/websites";

/// The website `shop` at a process that can be killed.
struct Shop {
    place: Place,
    port: u16,
    stave: Process,
    bitbucket: FakeBitbucket,
    owner: Browser,
}

/// At the same address each time: browsers and the server come back to it.
async fn serve(place: &Place, port: u16) -> Process {
    place.serve(&["--listen", &format!("127.0.0.1:{port}"), "--outbound-allow", "127.0.0.0/8"]).await
}

impl Shop {
    async fn open() -> Self {
        let (place, port, bitbucket) = (Place::new().await, free_port(), FakeBitbucket::start().await);
        let stave = serve(&place, port).await;
        let owner = first_owner(&stave).await;
        bitbucket.user("ada");
        let shop = Self { place, port, stave, bitbucket, owner };
        let fields =
            [("name", "Shop"), ("slug", "shop"), ("origin", "http://shop.localhost:1"), ("origins", "")];
        shop.owner.send(PAGES, &fields).await.shows("Login setting");
        let callback = shop.stave.url("/w/shop/callback/bitbucket");
        let consumer = shop.bitbucket.consumer("acme", &callback, &["account", "email"]);
        let applied = shop
            .apply(&[
                ("title", "Welcome"),
                ("bitbucket_on", "on"),
                ("bitbucket_label", BUTTON),
                ("bitbucket_base_url", &shop.bitbucket.base_url()),
                ("bitbucket_client_id", consumer.key()),
                ("bitbucket_client_secret", &consumer.secret()),
            ])
            .await;
        shop.owner.press(&applied, "Save").await.shows("Visitors see revision 1");
        shop
    }

    /// Killed, and started again.
    async fn crash(self) -> Self {
        self.stave.signal("KILL").await;
        self.stave.end().await;
        Self { stave: serve(&self.place, self.port).await, ..self }
    }

    async fn setting(&self) -> Answer {
        self.owner.open(&format!("{PAGES}/shop/login")).await
    }

    async fn apply(&self, fields: &[(&str, &str)]) -> Answer {
        let page = self.setting().await;
        self.owner.submit(&page, page.form("Apply").fill(fields)).await
    }

    fn visitor(&self) -> Browser {
        Browser::new(&self.stave.url("/"))
    }

    /// A visitor who pressed the button of the login form: the page of Bitbucket.
    async fn leave(&self, visitor: &Browser) -> Answer {
        let form = visitor.open("/w/shop/account").await;
        visitor.press(&form, BUTTON).await
    }

    /// Who became a member.
    async fn members(&self) -> Vec<String> {
        let list = self.owner.open(&format!("{PAGES}/shop/members.csv")).await;
        list.body.lines().skip(1).map(str::to_owned).collect()
    }
}

/// Fails unless the visitor is in.
#[track_caller]
fn assert_in(page: &Answer) {
    assert!(page.url.path().ends_with("/account"), "{} ({}):\n{}", page.url, page.status, page.text());
    page.shows("Ada Example");
}

#[tokio::test]
async fn what_was_applied_stays_a_draft() {
    let shop = Shop::open().await;
    shop.apply(&[("title", "Half-finished")]).await.shows("Draft applied by");

    let shop = shop.crash().await;
    let visitor = shop.visitor();
    visitor.open("/w/shop/account").await.shows("Welcome").hides("Half-finished");
    let page = shop.setting().await;
    page.shows("Visitors see revision 1").shows("Draft applied by");
    assert_eq!(page.value("title").as_deref(), Some("Half-finished"));

    shop.owner.press(&page, "Save").await.shows("Visitors see revision 2").hides("Draft</b> applied by");
    visitor.open("/w/shop/account").await.shows("Half-finished");
    // With the secret that was typed in before the crash.
    let page = shop.leave(&visitor).await;
    let page = visitor.press(&page, "Log in as ada").await;
    assert_in(&visitor.press(&page, "Grant access").await);
}

#[tokio::test]
async fn who_is_at_bitbucket_comes_back_and_is_in() {
    let shop = Shop::open().await;
    let visitor = shop.visitor();
    let page = shop.leave(&visitor).await;
    let page = visitor.press(&page, "Log in as ada").await;

    let shop = shop.crash().await;
    assert_in(&visitor.press(&page, "Grant access").await);
    let members = shop.members().await;
    assert!(members.len() == 1 && members[0].contains("ada@example.com"), "{members:?}");

    // What they hold is good after another crash as well.
    let shop = shop.crash().await;
    assert_in(&visitor.open("/w/shop/account").await);
    assert_eq!(shop.members().await.len(), 1);
}

#[tokio::test]
async fn killed_while_they_come_in_nobody_is_two_members() {
    let mut shop = Shop::open().await;
    let visitor = shop.visitor();
    // As long as it takes to come in, or not.
    for pause in [0, 1, 5, 10, 20, 40, 80].map(Duration::from_millis) {
        let departure = shop.leave(&visitor).await;
        let back = shop.bitbucket.grant_access(departure.url.as_str(), "ada").await;
        let cookies = visitor.cookies(&shop.stave.url(""));
        let coming = tokio::spawn(reqwest::Client::new().get(&back).header("cookie", cookies).send());
        tokio::time::sleep(pause).await;
        shop = shop.crash().await;
        // Whether it was answered or not, their browser did not hear of it.
        _ = coming.await.expect("it was asked");
        let page = visitor.open(&back).await;
        if page.status.is_success() {
            assert_in(&page);
            let question = visitor.open("/w/shop/logout").await;
            visitor.press(&question, LOG_OUT).await;
        } else {
            let again = page.link("Try again").unwrap_or_else(|| panic!("no next step:\n{}", page.text()));
            visitor.open(&again).await.shows(BUTTON);
        }
        assert!(shop.members().await.len() <= 1, "{:?}", shop.members().await);
    }
    let page = shop.leave(&visitor).await;
    let page = visitor.press(&page, "Log in as ada").await;
    assert_in(&visitor.press(&page, "Grant access").await);
    assert_eq!(shop.members().await.len(), 1, "{:?}", shop.members().await);
}
