//! Where a site behind a proxy sends its visitors back to, as Node.js reads addresses: nowhere but to itself.

use crate::support::{TestWebsite, form, judge::Judge, website::BUTTON};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;
use url::Url;

const SITE: &str = "http://shop.localhost:8080";

/// The proxy in front of the site, and a visitor who is logged in at the issuer.
struct Door {
    website: TestWebsite,
    key: String,
    login: String,
}

impl Door {
    async fn open() -> Self {
        let website = TestWebsite::start_at(SITE).await;
        let texts = website.proxy(SITE, "http://127.0.0.1:1").await;
        let (_, key) = texts.caddy.split_once("X-Stave-Proxy-Key ").expect("a key");
        let key = key.split_whitespace().next().expect("a key").to_owned();
        let visitor = website.visitor("ada");
        visitor.sign_in(&website.at("/account")).await.hides(BUTTON);
        let login = visitor.browser.cookies(&website.stave.url);
        Self { website, key, login }
    }

    /// What the proxy hands on of somebody's request: each time somebody else's, since nobody does this so often.
    fn asks(&self, path: &str, number: usize) -> RequestBuilder {
        let request = self.website.http().get(self.website.at(path)).header("x-stave-proxy-key", &self.key);
        request
            .header("accept", "text/html")
            .header("x-forwarded-proto", "http")
            .header("x-forwarded-host", SITE.trim_start_matches("http://"))
            .header("x-forwarded-for", format!("10.1.{}.{}", number / 250, number % 250))
    }

    /// From the link to the login form and back to the site: where that ends, and the pass.
    async fn trip(&self, rd: &str, number: usize) -> (String, String) {
        let start = self.asks(&format!("/site/start?rd={rd}"), number).send().await.unwrap();
        let (visit, authorize) = (cookie(&start), location(&start));
        let request = self.website.http().get(&authorize).header("cookie", &self.login);
        let back: Url = location(&request.send().await.unwrap()).parse().unwrap();
        assert!(back.as_str().starts_with(&format!("{SITE}/.stave/callback?")), "{rd:?}: {back}");
        let callback = format!("/site/callback?{}", back.query().unwrap());
        let end = self.asks(&callback, number).header("cookie", visit).send().await.unwrap();
        let pass = cookie(&end);
        (leads_to(end).await, pass)
    }

    /// Both, for each of these: what was asked for, and where it leads.
    async fn try_all(self: Arc<Self>, attacks: Vec<String>, first: usize) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (number, attack) in attacks.into_iter().enumerate() {
            let (there, pass) = self.trip(&attack, first + number).await;
            let straight = self.straight(&attack, &pass).await;
            pairs.extend([(attack.clone(), there), (attack, straight)]);
        }
        pairs
    }

    /// The same link for somebody who has a pass.
    async fn straight(&self, rd: &str, pass: &str) -> String {
        let request = self.asks(&format!("/site/start?rd={rd}"), 0).header("cookie", pass);
        leads_to(request.send().await.unwrap()).await
    }
}

fn location(answer: &Response) -> String {
    let location = answer.headers().get(header::LOCATION).unwrap_or_else(|| panic!("{answer:?}"));
    location.to_str().unwrap().to_owned()
}

/// The first cookie, as it is sent back.
fn cookie(answer: &Response) -> String {
    let cookie = answer.headers().get(header::SET_COOKIE).unwrap_or_else(|| panic!("{answer:?}"));
    cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Where an answer leads: by itself, or by the link of the page that comes when somebody was there often.
async fn leads_to(answer: Response) -> String {
    if answer.status() == StatusCode::SEE_OTHER {
        return location(&answer);
    }
    let page = answer.text().await.unwrap();
    let before = page.split(">Go on anyway<").next().filter(|before| before.len() < page.len());
    let link = before.and_then(|before| before.rsplit_once("href=\"")).unwrap_or_else(|| panic!("{page}"));
    form::text(link.1.split('"').next().unwrap())
}

/// What attackers make up, and what visitors were really looking for.
fn corpus() -> (Vec<String>, [&'static str; 4]) {
    let corpus = include_str!("../../../../domain/tests/website/return_path.json");
    let corpus: Value = serde_json::from_str(corpus).unwrap();
    let list = |name: &str| -> Vec<String> { serde_json::from_value(corpus[name].clone()).unwrap() };
    let (beginnings, hosts) = (list("beginnings"), list("hosts"));
    let attacks = beginnings.iter().flat_map(|start| hosts.iter().map(move |host| format!("{start}{host}")));
    (attacks.collect(), ["/", "/account?page=1&of=2", "/a//b", "/a?next=https://other.example/"])
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_another_site() {
    let door = Arc::new(Door::open().await);
    let mut judge = Judge::node(include_str!("judges/redirects.mjs"), &json!({ "site": SITE }));
    let (attacks, pages) = corpus();
    assert!(attacks.len() >= 300, "{}", attacks.len());
    for (number, page) in pages.iter().enumerate() {
        let (there, pass) = door.trip(page, 9000 + number).await;
        assert_eq!(
            (there, door.straight(page, &pass).await),
            (format!("{SITE}{page}"), format!("{SITE}{page}"))
        );
    }

    // A few at a time, or it would take long.
    let mut trips = JoinSet::new();
    for (share, attacks) in attacks.chunks(attacks.len().div_ceil(4)).enumerate() {
        trips.spawn(door.clone().try_all(attacks.to_vec(), share * 1000));
    }
    let pairs = trips.join_all().await.concat();
    let verdict = judge.ask(&json!(pairs)).await;
    assert_eq!(verdict, json!({ "judged": attacks.len() * 2, "elsewhere": [] }));

    // The judge knows what it looks for.
    let bad = ["http://evil.example/", "//evil.example/", "/\\evil.example", "http:/\\evil.example"];
    let bad = bad.map(str::to_owned).into_iter().chain(
        ["@evil.example/", ".evil.example/", "0/", "\t@evil.example"].map(|end| format!("{SITE}{end}")),
    );
    let bad: Vec<_> = bad.map(|address| ("/", address)).collect();
    let verdict = judge.ask(&json!(bad)).await;
    assert_eq!(verdict, json!({ "judged": bad.len(), "elsewhere": bad }));
}
