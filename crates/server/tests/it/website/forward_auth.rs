//! A site behind nginx and behind Caddy, with the texts that its owner copies: who gets through, and what the application hears.

use crate::support::{
    echo::{Heard, WELCOME},
    website::{BUTTON, LOG_OUT, Protected, Proxy},
};
use reqwest::{RequestBuilder, Response, StatusCode};

/// Headers with which a visitor could pretend to be somebody, in every spelling that an application might read.
const FORGED: [&str; 42] = [
    "Remote-User",
    "Remote_User",
    "Remote.User",
    "REMOTE-USER",
    "Remote-Groups",
    "Remote_Groups",
    "Remote-Name",
    "Remote_Name",
    "Remote-Email",
    "Remote_Email",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X_Forwarded_User",
    "X_Forwarded-Email",
    "X-Forwarded_User",
    "X.Forwarded-User",
    "X-Forwarded.Email",
    "X.Forwarded_Groups",
    "X-Forwarded_Preferred.Username",
    "X-Auth_Request-User",
    "X_Auth-Request-User",
    "X-Auth-Request_Email",
    "X.Auth_Request-Groups",
    "X-Auth.Request.Preferred_Username",
    "X_Stave-Jwt",
    "X-Stave_Jwt",
    "X.Stave.Proxy_Key",
    "Remote!User",
    "X!Forwarded!User",
    "X-Forwarded~Email",
    "X|Auth-Request-User",
    "X-Stave-Jwt",
    "X-Stave-Proxy-Key",
    "X-Forwarded-Host",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
];

impl Protected {
    /// A request of this visitor, who has the cookies of the site, as browsers navigate.
    fn navigate(&self, path: &str, cookies: &str) -> RequestBuilder {
        // The port of the site, without its name: nobody here resolves it.
        let url = self.at(path).replace("shop.localhost", "127.0.0.1");
        let host = self.origin.trim_start_matches("http://");
        let request = self.website.http().get(url).header("host", host).header("accept", "text/html");
        if cookies.is_empty() { request } else { request.header("cookie", cookies) }
    }

    /// Signs somebody in: what the application heard then, and the cookies of the site.
    async fn sign_in(&self, name: &'static str) -> (Heard, String) {
        let visitor = self.website.visitor(name);
        let page = visitor.sign_in(&self.at("/account?page=1&of=2")).await;
        assert_eq!(page.url.as_str(), self.at("/account?page=1&of=2"), "{}", page.text());
        let heard = serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{}", page.text()));
        (heard, visitor.browser.cookies(&self.origin))
    }
}

async fn heard(request: RequestBuilder) -> Heard {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// Fails if the application was reached.
async fn assert_kept_out(answer: Response) {
    let status = answer.status();
    assert!(matches!(status.as_u16(), 302 | 303 | 401 | 403 | 404), "{status}");
    assert!(!answer.text().await.unwrap().contains(WELCOME), "{status}");
}

async fn a_visitor_comes_back_to_where_they_were_going(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    let (heard, _) = shop.sign_in("ada").await;
    assert_eq!((heard.method.as_str(), heard.path.as_str()), ("GET", "/account?page=1&of=2"));
    assert_eq!(heard.header("remote-user").len(), 1, "{heard:?}");
    assert!(!heard.header("remote-user")[0].is_empty(), "{heard:?}");
    assert_eq!(heard.header("remote-email"), ["ada@example.com"], "{heard:?}");
    assert_eq!(heard.header("remote-name"), ["Ada Example"], "{heard:?}");
    assert!(heard.headers.iter().all(|(_, value)| !value.contains("{http.")), "{heard:?}");
}

async fn what_visitors_forge_does_not_reach_the_application(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    let (first, cookies) = shop.sign_in("ada").await;
    let who = first.header("remote-user").concat();
    for path in ["/", "/?rd=/&user=evil&allow=evil", "//evil.example/%2e%2e/a", "/account?remote-user=evil"] {
        let all =
            FORGED.iter().fold(shop.navigate(path, &cookies), |request, name| request.header(*name, "evil"));
        let heard = heard(all).await;
        let forged: Vec<_> = heard.headers.iter().filter(|(_, value)| value.contains("evil")).collect();
        assert!(forged.is_empty(), "{proxy:?} {path}: {forged:?}");
        assert_eq!(heard.header("remote-user"), [who.as_str()], "{path}");
        assert_eq!(heard.header("remote-email"), ["ada@example.com"], "{path}");
    }
    for name in FORGED {
        assert_kept_out(shop.navigate("/", "").header(name, "evil").send().await.unwrap()).await;
    }
    let everything =
        FORGED.iter().fold(shop.navigate("/", ""), |request, name| request.header(*name, "evil"));
    assert_kept_out(everything.send().await.unwrap()).await;
}

async fn what_a_visitor_says_of_the_connection_hides_nobody(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    let (first, cookies) = shop.sign_in("ada").await;
    let names = "Remote-User, Remote-Email, X-Forwarded-Proto, X-Stave-Proxy-Key";
    for connection in [names.to_owned(), format!("{names}, Upgrade"), "close".to_owned()] {
        let heard = heard(shop.navigate("/", &cookies).header("connection", &connection)).await;
        for name in ["remote-user", "remote-email", "x-forwarded-proto"] {
            assert_eq!(heard.header(name), first.header(name), "{proxy:?} {connection}: {name}");
        }
        assert!(heard.header("upgrade").is_empty(), "{heard:?}");
    }
}

async fn somebody_without_an_address_has_no_address(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    shop.website.stave.bitbucket.user("linus").emails(&[]);
    let (first, cookies) = shop.sign_in("linus").await;
    let names = ["Remote-Email", "Remote-Groups"];
    let request =
        names.iter().fold(shop.navigate("/", &cookies), |request, name| request.header(*name, "evil"));
    for heard in [first, heard(request).await] {
        for name in names {
            let values = heard.header(&name.to_lowercase());
            assert!(values.iter().all(|value| value.is_empty()), "{proxy:?} {name}: {values:?}");
        }
        assert!(heard.headers.iter().all(|(_, value)| !value.contains("{http.")), "{heard:?}");
    }
}

async fn who_is_not_signed_in_is_kept_out(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    for path in ["/", "/?a=1&b=2", "/.stave/check", "/.stave/nothing", "/.stave/../secret", "/%2e/x"] {
        assert_kept_out(shop.navigate(path, "").send().await.unwrap()).await;
    }
    for cookies in ["stave_site=nonsense", "__Host-stave_site=nonsense", "stave_login=x; stave_site="] {
        assert_kept_out(shop.navigate("/", cookies).send().await.unwrap()).await;
    }
    let program = shop.navigate("/api", "").header("accept", "application/json");
    assert_kept_out(program.send().await.unwrap()).await;
    // The way to the log-in form keeps the query.
    let answer = shop.navigate("/a?x=1&y=2", "").send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.ends_with("/.stave/start?rd=/a?x=1&y=2"), "{location}");
}

async fn signing_out_ends_it(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    let visitor = shop.website.visitor("ada");
    visitor.sign_in(&shop.at("/")).await.shows(WELCOME);
    let cookies = visitor.browser.cookies(&shop.origin);
    heard(shop.navigate("/", &cookies)).await;
    let question = visitor.browser.open(&shop.at("/.stave/logout")).await;
    heard(shop.navigate("/", &cookies)).await;
    visitor.browser.press(&question, LOG_OUT).await;
    assert_kept_out(shop.navigate("/", &cookies).send().await.unwrap()).await;
    visitor.browser.open(&shop.at("/")).await.shows(BUTTON);
}

async fn only_the_proxy_may_ask(proxy: Proxy) {
    let shop = Protected::application(proxy).await;
    let (_, cookies) = shop.sign_in("ada").await;
    let host = shop.origin.trim_start_matches("http://");
    for path in
        [format!("/forward-auth/{}", proxy.key()), "/forward-auth/traefik".to_owned(), "/site/me".to_owned()]
    {
        for key in [None, Some("nonsense")] {
            let request = shop.website.http().get(shop.website.at(&path)).header("cookie", &cookies);
            let request = request
                .header("accept", "text/html")
                .header("x-forwarded-proto", "http")
                .header("x-forwarded-host", host)
                .header("x-forwarded-uri", "/")
                .header("x-forwarded-method", "GET");
            let request =
                if let Some(key) = key { request.header("x-stave-proxy-key", key) } else { request };
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {key:?}");
            assert!(answer.headers().get("remote-user").is_none(), "{path} {key:?}");
        }
    }
}

/// Each of these stories behind each of the web servers.
macro_rules! behind_both {
    ($($story:ident),+ $(,)?) => {
        mod nginx {
            $(#[tokio::test] async fn $story() { super::$story(super::Proxy::Nginx).await })+
        }
        mod caddy {
            $(#[tokio::test] async fn $story() { super::$story(super::Proxy::Caddy).await })+
        }
    };
}

behind_both!(
    a_visitor_comes_back_to_where_they_were_going,
    what_visitors_forge_does_not_reach_the_application,
    what_a_visitor_says_of_the_connection_hides_nobody,
    somebody_without_an_address_has_no_address,
    who_is_not_signed_in_is_kept_out,
    signing_out_ends_it,
    only_the_proxy_may_ask,
);
