//! Two websites whose visitors log in with Bitbucket: what their owner clicks is clicked already, visiting them is left to you.

#[path = "../../tests/it/support/web_server.rs"]
#[expect(dead_code, reason = "the tests start other servers too")]
mod web_server;

use crate::{
    BITBUCKET, STAVE, bitbucket,
    newcomer::{self, Answer, Browser, text},
    ports_are_free,
};
use axum::{Router, response::Html, routing::get};
use stave_server::{Config, Stave};
use stave_testkit::FakeBitbucket;
use std::{error::Error, net::SocketAddr, process::Command};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web_server::WebServer;

const HANDBOOK: ([u8; 4], u16) = ([127, 0, 0, 1], 8092);
const BAKERY: ([u8; 4], u16) = ([127, 0, 0, 1], 8093);
/// The pages of the Handbook.
const HANDBOOK_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo/handbook");
/// The page of the Bakery.
const BAKERY_PAGE: &str = include_str!("bakery/index.html");
/// Where the Bakery's page wants the script tag.
const TAG: &str = "<!-- the script tag of the page Connect -->";
/// What the nginx of the demo knows besides: Debian's has its own, longer list.
const TYPES: &str = "types { text/html html; text/css css; text/javascript js; }\nindex index.html;\n";
const WEBSITES: &str = "/orgs/acme/websites";
const BUTTON: &str = "Log in with Bitbucket";

/// Starts everything and serves until `stop` is cancelled.
pub(crate) async fn show(config: Config, stop: CancellationToken) -> Result<(), Box<dyn Error>> {
    ports_are_free(&[STAVE, BITBUCKET, HANDBOOK, BAKERY])?;
    nginx_is_here()?;
    let bitbucket = bitbucket().await;
    let stave = Stave::start(config).await?;
    let link = stave.app().setup_link().await?.ok_or("Stave is not in Setup Mode.")?;
    let home = format!("http://{}", stave.address());
    let served = tokio::spawn(stave.run(stop.clone()));
    let owner = Owner { browser: newcomer::ada(&home, &link, &bitbucket).await, home, bitbucket };

    let (handbook, bakery) = (origin(HANDBOOK), origin(BAKERY));
    owner.website("Handbook", "handbook", &handbook).await;
    owner.member("handbook", "grace", "roles", "staff").await;
    owner.member("handbook", "linus", "status", "blocked").await;
    let nginx = WebServer::nginx(HANDBOOK.1, &owner.nginx("handbook").await).await;
    owner.website("Bakery", "bakery", &bakery).await;
    let page = BAKERY_PAGE.replace(TAG, &owner.script_tag("bakery").await);
    let bakery_served = tokio::spawn(serve_page(page, stop.clone()));

    say(&owner, &handbook, &bakery);
    served.await??;
    drop(nginx);
    Ok(bakery_served.await??)
}

fn origin((address, port): ([u8; 4], u16)) -> String {
    format!("http://{}", SocketAddr::from((address, port)))
}

fn nginx_is_here() -> Result<(), &'static str> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let found = Command::new("nginx").arg("-v").env("PATH", path).output();
    found
        .map(drop)
        .map_err(|_| "One of the two websites is behind nginx. Install it (Debian: nginx), then start again.")
}

#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
fn say(owner: &Owner, handbook: &str, bakery: &str) {
    let (home, bitbucket) = (&owner.home, owner.bitbucket.base_url());
    println!(
        "Two websites are there, and Bitbucket ({bitbucket}, a fake) says who their visitors are.

 {handbook}  Handbook: three files behind nginx, with the text of its page Connect.
                        Nobody sees them without logging in. As ada or grace you come in; the page Staff is for the
                        role staff, which grace has and ada has not; linus is blocked.
 {bakery}  Bakery: one HTML file with the script tag. It greets whoever signs in.

To be somebody else: sign out at the website, then choose at {bitbucket}/account/signin

Their owner is ada: {home}{WEBSITES}
Try, as the owner, while you look at the Handbook in another window:
 - Members: give ada the role staff, and open Staff again; block grace, and reload; let linus in.
 - Login: click the form, change the text of the button, OK, Apply, Preview, Save.
 - Connect: the three ways, filled in; “Test it” looks at the running site.

Ctrl+C ends everything.
"
    );
}

/// The Bakery's web server: it knows one page.
async fn serve_page(page: String, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new().route("/", get(|| async { Html(page) }));
    let listener = TcpListener::bind(SocketAddr::from(BAKERY)).await?;
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Ada at Stave.
struct Owner {
    browser: Browser,
    home: String,
    bitbucket: FakeBitbucket,
}

impl Owner {
    /// Makes a website, fills in its login setting with a consumer of its own, applies and saves it.
    async fn website(&self, name: &str, slug: &str, origin: &str) {
        let fields = [("name", name), ("slug", slug), ("origin", origin), ("origins", "")];
        let page = self.browser.send(WEBSITES, &fields).await;
        let callback = format!("{}/w/{slug}/callback/bitbucket", self.home);
        let consumer = self.bitbucket.consumer("acme", &callback, &["account", "email"]);
        let form = page.form("Apply").fill(&[
            ("bitbucket_on", "on"),
            ("bitbucket_label", BUTTON),
            ("bitbucket_base_url", &self.bitbucket.base_url()),
            ("bitbucket_client_id", consumer.key()),
            ("bitbucket_client_secret", &consumer.secret()),
        ]);
        let applied = self.browser.submit(&page, form).await;
        self.browser.press(&applied, "Save").await.shows("Visitors see revision 1");
    }

    /// Lets somebody visit the website for the first time, and sets something about the new member.
    async fn member(&self, slug: &str, name: &str, field: &str, value: &str) {
        let visitor = Browser::new(&self.home);
        let form = visitor.open(&format!("/w/{slug}/login")).await;
        let choice = visitor.press(&form, BUTTON).await;
        let consent = visitor.press(&choice, &format!("Log in as {name}")).await;
        visitor.press(&consent, "Grant access").await.shows("Your account");
        let list = self.browser.open(&format!("{WEBSITES}/{slug}/members?q={name}")).await;
        let member = between(&list, &format!("href=\"{WEBSITES}/{slug}/members/"), "\"");
        let address = format!("{WEBSITES}/{slug}/members/{member}/{field}");
        self.browser.send(&address, &[(field, value)]).await;
    }

    /// The texts for nginx as they are on the page: a folder with files, a part of it for a role.
    async fn nginx(&self, slug: &str) -> String {
        let address = format!("{WEBSITES}/{slug}/connect/proxy/key");
        let page = self.browser.send(&address, &[("target", HANDBOOK_FILES)]).await;
        let copied = |id: &str| text(&between(&page, &format!("<pre id=\"{id}\" tabindex=\"0\">"), "</pre>"));
        format!("{TYPES}{}\n{}", copied("nginx"), copied("nginx-role"))
    }

    /// The script tag, as it is on the page that tells of it.
    async fn script_tag(&self, slug: &str) -> String {
        let page = self.browser.open(&format!("{WEBSITES}/{slug}/connect/script")).await;
        text(&between(&page, "<pre id=\"script-tag\" tabindex=\"0\">", "</pre>"))
    }
}

/// What stands between these two on a page.
fn between(page: &Answer, start: &str, end: &str) -> String {
    let found = page.body.split_once(start).and_then(|(_, rest)| rest.split_once(end));
    found.unwrap_or_else(|| panic!("no {start} on {}:\n{}", page.url, page.text())).0.to_owned()
}
