//! A site behind a proxy: what the proxy asks, and the few pages of Stave there.

use super::Shop;
use crate::testing::{Browser, Seen, path_of};
use axum::http::{Request, StatusCode, request::Builder};
use jiff::SignedDuration;
use stave_app::{MemberAddress, WebsiteForm};
use stave_domain::{Secret, website::MemberStatus};
use stave_testkit::Email;
use std::collections::BTreeMap;

pub(super) const SITE: &str = "https://shop.example";

/// The shop, and its proxy.
pub(super) struct Guarded {
    pub(super) shop: Shop,
    pub(super) key: String,
}

impl Guarded {
    pub(super) async fn open() -> Self {
        let shop = Shop::open().await;
        let key = Self::key_of(&shop, "shop").await;
        Self { shop, key }
    }

    pub(super) async fn key_of(shop: &Shop, slug: &str) -> String {
        let actor = shop.site.actor(&shop.grace).await;
        let key: Secret = shop.site.app.website_proxy_key_add(&actor, "acme", slug).await.unwrap();
        key.expose().to_owned()
    }

    /// A request as the proxy sends it for a browser that opens a page.
    pub(super) fn told(&self, request: Builder) -> Builder {
        request
            .header("x-stave-proxy-key", &self.key)
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "shop.example")
            .header("accept", "text/html")
    }

    /// The check of a proxy for a page.
    pub(super) async fn check(&self, browser: &mut Browser, proxy: &str) -> Seen {
        let request =
            Request::get(format!("/w/shop/forward-auth/{proxy}")).header("x-forwarded-uri", "/a?b=c&d=e");
        browser.send(self.told(request), "").await
    }

    pub(super) async fn is_let_in(&self, browser: &mut Browser) -> bool {
        match self.check(browser, "nginx").await.status {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            other => panic!("{other}"),
        }
    }

    /// A page of Stave at the site.
    pub(super) async fn get(&self, browser: &mut Browser, page: &str) -> Seen {
        browser.send(self.told(Request::get(format!("/w/shop/site{page}"))), "").await
    }

    /// Leaves for the login form and comes back: the path of the callback, not gone yet.
    pub(super) async fn almost(&self, browser: &mut Browser, page: &str) -> String {
        let away = self.get(browser, &format!("/start?rd={page}")).await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.body);
        let back = browser.get(&path_of(&away.location)).await;
        let path =
            back.location.strip_prefix(&format!("{SITE}/.stave")).unwrap_or_else(|| panic!("{}", back.body));
        path.to_owned()
    }

    /// Goes the whole way, in a browser that is signed in at the login form.
    pub(super) async fn enter(&self, browser: &mut Browser, page: &str) -> Seen {
        let back = self.almost(browser, page).await;
        self.get(browser, &back).await
    }

    /// A browser in which this person may see the site.
    pub(super) async fn guest(&self, person: &str) -> Browser {
        let mut browser = self.shop.visitor(person).await;
        let home = self.enter(&mut browser, "/").await;
        assert_eq!(home.location, format!("{SITE}/"), "{}", home.body);
        browser
    }
}

pub(super) fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_visitor_is_led_to_the_login_form_and_back_to_the_page() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.shop.visitor("mia").await;
    let asked = guarded.check(&mut mia, "caddy").await;
    assert_eq!(asked.location, format!("{SITE}/.stave/start?rd=/a?b=c&d=e"));
    let home = guarded.enter(&mut mia, "/a?b=c&d=e").await;
    assert_eq!((home.status, home.location), (StatusCode::SEE_OTHER, format!("{SITE}/a?b=c&d=e")));
    let given: Vec<_> =
        home.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(given[0].starts_with("__Host-stave_site="), "some proxies let only the first one through");
    assert!(given[0].ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=7776000; Secure"), "{}", given[0]);
    assert!(given[1].starts_with("__Host-stave_tx=;"));
    assert!(guarded.is_let_in(&mut mia).await);
}

#[tokio::test]
async fn the_site_is_told_who_it_is() {
    let guarded = Guarded::open().await;
    guarded
        .shop
        .bitbucket
        .user("mia")
        .display_name("Mia W\u{f6}ng")
        .emails(&[Email::primary("mia@example.com")]);
    let mut mia = guarded.guest("mia").await;
    let member = guarded.shop.members().await.remove(0);
    let actor = guarded.shop.site.actor(&guarded.shop.grace).await;
    let at = MemberAddress { organization: "acme", website: "shop", id: member.id };
    guarded.shop.site.app.website_member_roles(&actor, at, "editor staff").await.unwrap();
    for proxy in ["nginx", "caddy", "traefik"] {
        let seen = guarded.check(&mut mia, proxy).await;
        assert_eq!((seen.status, seen.body.as_str()), (StatusCode::OK, ""));
        for (name, value) in [
            ("remote-user", member.sub.as_str()),
            ("remote-name", "Mia W%C3%B6ng"),
            ("remote-email", "mia@example.com"),
            ("remote-groups", "editor,staff"),
            ("x-auth-request-user", &member.sub),
            ("x-auth-request-email", "mia@example.com"),
            ("x-auth-request-preferred-username", &member.handle),
            ("x-auth-request-groups", "editor,staff"),
            ("x-forwarded-user", &member.sub),
            ("x-forwarded-email", "mia@example.com"),
            ("cache-control", "no-store"),
            ("vary", "Cookie"),
        ] {
            assert_eq!(header(&seen, name), Some(value), "{name}");
        }
        let token = header(&seen, "x-stave-jwt").unwrap();
        assert_eq!(token.split('.').count(), 3);
        assert!(!seen.headers.contains_key("set-cookie"));
    }
}

/// What an application behind the proxy reads: a header that is missing would let the visitor's own through.
#[tokio::test]
async fn every_header_is_there_even_if_there_is_nothing_to_tell() {
    let guarded = Guarded::open().await;
    guarded.shop.bitbucket.user("mia").emails(&[Email::unconfirmed("boss@example.com")]);
    let mut mia = guarded.guest("mia").await;
    let seen = guarded.check(&mut mia, "caddy").await;
    for name in [
        "remote-email",
        "remote-groups",
        "x-auth-request-email",
        "x-auth-request-groups",
        "x-forwarded-email",
    ] {
        assert_eq!(header(&seen, name), Some(""), "{name}: an address that is not verified is nobody's");
    }
}

#[tokio::test]
async fn each_proxy_gets_what_it_understands() {
    let guarded = Guarded::open().await;
    let mut nobody = guarded.shop.site.browser();
    let there = format!("{SITE}/.stave/start?rd=/a?b=c&d=e");
    for (proxy, status) in
        [("nginx", StatusCode::UNAUTHORIZED), ("caddy", StatusCode::FOUND), ("traefik", StatusCode::FOUND)]
    {
        let page = guarded.check(&mut nobody, proxy).await;
        assert_eq!((page.status, page.location.as_str()), (status, there.as_str()));
        assert_eq!(
            (header(&page, "cache-control"), header(&page, "vary")),
            (Some("no-store"), Some("Cookie"))
        );
        let asked = guarded.told(Request::get(format!("/w/shop/forward-auth/{proxy}")));
        let data = nobody.send(asked.header("sec-fetch-mode", "cors"), "").await;
        assert_eq!((data.status, data.location.as_str()), (StatusCode::UNAUTHORIZED, ""));
        assert!(
            data.body
                .starts_with(r#"{"error":"login_required","login_url":"https://shop.example/.stave/start"#)
        );
    }
    assert_eq!(guarded.check(&mut nobody, "apache").await.status, StatusCode::NOT_FOUND);
    let realm = guarded.check(&mut nobody, "nginx").await;
    assert_eq!(header(&realm, "www-authenticate"), Some("Stave realm=\"shop\""));
}

/// S-17
#[tokio::test]
async fn nothing_but_the_key_is_trusted() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.guest("mia").await;
    let good = [
        ("x-stave-proxy-key", guarded.key.as_str()),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];
    let with = |changes: &[(&'static str, &str)]| {
        let mut headers: BTreeMap<&str, String> = good.map(|(name, text)| (name, text.to_owned())).into();
        headers.extend(changes.iter().map(|(name, text)| (*name, (*text).to_owned())));
        headers.into_iter().filter(|(_, text)| !text.is_empty()).collect::<Vec<_>>()
    };
    let newer = Guarded::key_of(&guarded.shop, "shop").await;
    for (changes, status) in [
        (with(&[]), StatusCode::OK),
        (with(&[("x-stave-proxy-key", &newer)]), StatusCode::OK),
        (with(&[("x-forwarded-host", "SHOP.example:443")]), StatusCode::OK),
        (with(&[("x-forwarded-proto", "wss")]), StatusCode::OK),
        (with(&[("x-stave-proxy-key", "")]), StatusCode::FORBIDDEN),
        (with(&[("x-stave-proxy-key", "wrong")]), StatusCode::FORBIDDEN),
        (with(&[("x-stave-proxy-key", &guarded.key[1..])]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-proto", "http")]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-proto", "")]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-host", "")]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-host", "shop.example.evil.example")]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-host", "shop.example:80")]), StatusCode::FORBIDDEN),
        (with(&[("x-forwarded-host", "shop.example, evil.example")]), StatusCode::FORBIDDEN),
    ] {
        for proxy in ["nginx", "caddy"] {
            // The query is the visitor's: it never says who they are or where.
            let path = format!(
                "/w/shop/forward-auth/{proxy}?X-Stave-Proxy-Key={}&host=shop.example&user=admin&allow=1&rd=//evil.example",
                guarded.key
            );
            let request =
                changes.iter().fold(Request::get(path), |request, (name, text)| request.header(*name, text));
            let seen = mia.send(request.header("remote-user", "admin"), "").await;
            assert_eq!(seen.status, status, "{changes:?}");
            assert!(seen.body.len() <= 1024 && seen.headers.contains_key("cache-control"), "{}", seen.body);
            assert_eq!(seen.headers.contains_key("remote-user"), status == StatusCode::OK);
        }
    }
    for page in ["start?rd=/", "callback?code=a&state=b", "logout", "me"] {
        let direct = mia.get(&format!("/w/shop/site/{page}")).await;
        assert_eq!(direct.status, StatusCode::FORBIDDEN, "{page}");
    }
    let unknown = guarded.told(Request::get("/w/no-such-shop/forward-auth/nginx"));
    assert_eq!(mia.send(unknown, "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_refused_proxy_is_in_the_log_once() {
    let guarded = Guarded::open().await;
    let mut nobody = guarded.shop.site.browser();
    for _ in 0..3 {
        let wrong = Request::get("/w/shop/forward-auth/nginx").header("x-stave-proxy-key", "wrong");
        nobody.send(wrong, "").await;
    }
    let actor = guarded.shop.site.actor(&guarded.shop.grace).await;
    let log = guarded.shop.site.app.website_event_list(&actor, "acme", "shop", None).await.unwrap();
    let refused = log.events.iter().filter(|event| event.sentence.starts_with("A proxy was refused")).count();
    assert_eq!(refused, 1);
}

/// S-24, and 3.7: the application behind the proxy reads the cookie too.
#[tokio::test]
async fn a_pass_is_worth_nothing_anywhere_else() {
    let guarded = Guarded::open().await;
    let shop = &guarded.shop;
    let actor = shop.site.actor(&shop.grace).await;
    let form = WebsiteForm {
        name: "The Shop".into(),
        slug: "shop".into(),
        origin: SITE.into(),
        origins: "https://www.shop.example".into(),
    };
    shop.site.app.website_update(&actor, "acme", "shop", &form).await.unwrap();
    let mut mia = guarded.guest("mia").await;
    let pass = mia.cookies["__Host-stave_site"].clone();
    assert!(guarded.is_let_in(&mut mia).await);

    let beside = Request::get("/w/shop/forward-auth/nginx")
        .header("x-stave-proxy-key", &guarded.key)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "www.shop.example");
    assert_eq!(mia.send(beside, "").await.status, StatusCode::UNAUTHORIZED, "another address of the website");

    shop.found("other", "Other").await;
    let elsewhere = Request::get("/w/other/forward-auth/nginx")
        .header("x-stave-proxy-key", Guarded::key_of(shop, "other").await)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "other.example");
    assert_eq!(mia.send(elsewhere, "").await.status, StatusCode::UNAUTHORIZED, "another website");
    let other_key = Request::get("/w/other/forward-auth/nginx").header("x-stave-proxy-key", &guarded.key);
    assert_eq!(mia.send(other_key, "").await.status, StatusCode::FORBIDDEN, "the key of another website");

    let mut thief = shop.site.browser();
    for name in ["stave_op_shop", "stave_login", "stave_trip"] {
        thief.cookies.insert(name.into(), pass.clone());
    }
    assert_eq!(thief.get("/w/shop/account").await.location, "/w/shop/login");
    let login = mia.cookies["stave_op_shop"].clone();
    thief.cookies.insert("__Host-stave_site".into(), login);
    assert!(!guarded.is_let_in(&mut thief).await, "the log-in at the form is no pass");
}

/// S-18
#[tokio::test]
async fn what_ends_a_log_in_ends_it_at_the_next_check() {
    let guarded = Guarded::open().await;
    let shop = &guarded.shop;
    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    mia.post("/w/shop/account/everywhere", &[]).await;
    let member = shop.members().await.remove(0);
    let actor = shop.site.actor(&shop.grace).await;
    let at = || MemberAddress { organization: "acme", website: "shop", id: member.id };
    shop.site.app.website_member_log_out(&actor, at()).await.unwrap();
    assert!(!guarded.is_let_in(&mut mia).await, "signed out by an owner");

    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    shop.set_status(&member, MemberStatus::Blocked).await;
    assert!(!guarded.is_let_in(&mut mia).await, "blocked");
    shop.set_status(&member, MemberStatus::Active).await;
    assert!(!guarded.is_let_in(&mut mia).await, "who is let in again has to log in again");

    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    shop.site.app.website_member_delete(&actor, at()).await.unwrap();
    assert!(!guarded.is_let_in(&mut mia).await, "deleted");

    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    shop.site.app.website_proxy_key_add(&actor, "acme", "shop").await.unwrap();
    shop.site.app.website_proxy_key_retire(&actor, "acme", "shop").await.unwrap();
    assert_eq!(guarded.check(&mut mia, "nginx").await.status, StatusCode::FORBIDDEN, "the key was removed");
    shop.site.app.website_delete(&actor, "acme", "shop", "shop").await.unwrap();
    assert_eq!(guarded.check(&mut mia, "nginx").await.status, StatusCode::FORBIDDEN, "the website is gone");
}

#[tokio::test]
async fn a_role_is_told_at_the_next_check() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.guest("mia").await;
    assert_eq!(header(&guarded.check(&mut mia, "caddy").await, "remote-groups"), Some(""));
    let member = guarded.shop.members().await.remove(0);
    let actor = guarded.shop.site.actor(&guarded.shop.grace).await;
    let at = MemberAddress { organization: "acme", website: "shop", id: member.id };
    guarded.shop.site.app.website_member_roles(&actor, at, "editor").await.unwrap();
    assert_eq!(header(&guarded.check(&mut mia, "caddy").await, "remote-groups"), Some("editor"));
}

#[tokio::test]
async fn a_part_of_the_site_can_be_for_members_with_a_role() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.guest("mia").await;
    let member = guarded.shop.members().await.remove(0);
    let actor = guarded.shop.site.actor(&guarded.shop.grace).await;
    let at = MemberAddress { organization: "acme", website: "shop", id: member.id };
    for (roles, status) in [("", 403), ("staff-2, staf", 403), ("editor, staff", 200)] {
        guarded.shop.site.app.website_member_roles(&actor, at, roles).await.unwrap();
        for proxy in ["nginx/staff", "caddy/staff", "traefik/staff"] {
            assert_eq!(guarded.check(&mut mia, proxy).await.status, status, "{proxy}: {roles}");
        }
        assert_eq!(guarded.check(&mut mia, "nginx").await.status, StatusCode::OK);
    }
    let denied = guarded.get(&mut mia, "/denied").await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert!(
        denied.body.contains("You are logged in as Mia") && denied.body.contains("Log out"),
        "{}",
        denied.body
    );
    let mut stranger = guarded.shop.site.browser();
    assert_eq!(
        guarded.check(&mut stranger, "caddy/staff").await.status,
        StatusCode::FOUND,
        "they log in first"
    );
}

#[tokio::test]
async fn who_is_away_too_long_has_to_log_in_again() {
    let guarded = Guarded::open().await;
    let clock = guarded.shop.site.app.clock().clone();
    let mut mia = guarded.guest("mia").await;
    // The setting says 8 hours without a sign of life, and 7 days at most.
    for _ in 0..23 {
        clock.advance(SignedDuration::from_hours(7));
        assert!(guarded.is_let_in(&mut mia).await, "a check is a sign of life");
    }
    clock.advance(SignedDuration::from_hours(7));
    assert!(!guarded.is_let_in(&mut mia).await, "a week is over");
    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    clock.advance(SignedDuration::from_hours(8));
    assert!(!guarded.is_let_in(&mut mia).await);
}

#[tokio::test]
async fn a_warm_check_asks_the_database_nothing() {
    let guarded = Guarded::open().await;
    let mut mia = guarded.guest("mia").await;
    assert!(guarded.is_let_in(&mut mia).await);
    guarded.shop.site.app.close().await.unwrap();
    for _ in 0..10 {
        assert!(guarded.is_let_in(&mut mia).await);
    }
    mia.cookies.insert("__Host-stave_site".into(), "a".repeat(43));
    assert_eq!(guarded.check(&mut mia, "nginx").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(guarded.check(&mut mia, "caddy").await.status, StatusCode::SERVICE_UNAVAILABLE);
    mia.cookies.insert("__Host-stave_site".into(), "nonsense".into());
    assert!(!guarded.is_let_in(&mut mia).await, "what cannot be a pass is not looked up");
}
