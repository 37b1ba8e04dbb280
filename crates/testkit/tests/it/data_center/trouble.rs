use super::{api, start};
use crate::{CALLBACK, client};
use reqwest::Response;
use stave_testkit::{DataCenterOptions, FakeDataCenter, Fault, RateLimit, TwoFactor, Version};
use std::{net::TcpListener, time::Duration};

async fn get(server: &FakeDataCenter, token: &str, path: &str) -> Response {
    let request = client().get(format!("{}{path}", server.base_url()));
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

const PROPERTIES: &str = "/rest/api/1.0/application-properties";

#[tokio::test]
async fn everything_is_below_the_context_path_and_at_the_address_that_was_asked_for() {
    let server = start(Version::V9_4).await;
    let origin = server.base_url().replace("/bitbucket", "");
    assert_eq!(client().get(format!("{origin}{PROPERTIES}")).send().await.unwrap().status(), 404);
    assert_eq!(get(&server, "", PROPERTIES).await.status(), 200);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = FakeDataCenter::start_with(DataCenterOptions::new(Version::V5_16).address(free)).await;
    assert_eq!(other.base_url(), format!("http://{free}"));
    assert_eq!(get(&other, "", PROPERTIES).await.status(), 200);
}

#[tokio::test]
async fn trouble_strikes_by_the_path_below_the_context() {
    let server = start(Version::V9_4).await;
    server.fail_next("/rest/api/*", Fault::status(500, "<html>")).fail_next(PROPERTIES, Fault::RateLimit);
    let status = async || get(&server, "", PROPERTIES).await.status().as_u16();
    assert_eq!([status().await, status().await, status().await], [500, 429, 200]);
    server.fail("*", Fault::status(503, ""));
    assert_eq!([status().await, status().await], [503, 503]);
    server.heal();
    assert_eq!(status().await, 200);
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, vec![format!("/bitbucket{PROPERTIES}"); 6]);
    assert!(server.forget_requests().requests().is_empty());
}

#[tokio::test]
async fn the_rate_limit_is_for_known_callers_and_says_more_or_less() {
    let server = start(Version::V9_4).await;
    let token = server.link(CALLBACK, &["REPO_READ"]).tokens_of("ada").access;
    server.rate_limit_after(1, RateLimit::Silent);
    assert_eq!(get(&server, &token, PROPERTIES).await.status(), 200);
    let refused = get(&server, &token, PROPERTIES).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, ""));
    assert_eq!(get(&server, "", PROPERTIES).await.status(), 200);
    server.rate_limit_after(0, RateLimit::Announced);
    let refused = get(&server, &token, PROPERTIES).await;
    assert_eq!((header(&refused, "retry-after"), header(&refused, "x-ratelimit-limit")), ("1", "60"));
    server.heal();
    assert_eq!(get(&server, &token, PROPERTIES).await.status(), 200);
}

#[tokio::test]
async fn the_two_factor_plugin_intercepts_until_oauth_is_whitelisted() {
    let server = start(Version::V9_4).await;
    let token = server.link(CALLBACK, &["REPO_READ"]).tokens_of("ada").access;
    let own = server.user("ada").http_token(&["REPO_READ"]);
    server.two_factor(TwoFactor::Redirect);
    let answer = get(&server, &token, PROPERTIES).await;
    assert_eq!(answer.status(), 302);
    assert_eq!(header(&answer, "location"), "/bitbucket/plugins/servlet/tfa/verify");
    assert_eq!(get(&server, "", PROPERTIES).await.status(), 200);
    server.two_factor_for_everybody().two_factor(TwoFactor::HtmlPage);
    let answer = get(&server, "", PROPERTIES).await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "content-type")),
        (200, "text/html; charset=utf-8")
    );
    let html = async |path: &str| {
        let url = format!("{}{path}", server.base_url());
        let request = client().post(url).form(&[("grant_type", "refresh_token")]);
        request.send().await.unwrap().text().await.unwrap().starts_with("<!doctype html>")
    };
    let steps = ["/rest/oauth2/latest/token", "/plugins/servlet/oauth/request-token"];
    assert!(html(steps[0]).await && html(steps[1]).await);
    assert!(get(&server, "", "/login").await.text().await.unwrap().contains("<h1>Log in</h1>"));
    server.whitelist_oauth();
    assert!(!html(steps[0]).await && !html(steps[1]).await);
    assert_eq!(header(&get(&server, &token, PROPERTIES).await, "x-ausername"), "ada");
    assert!(get(&server, &own, PROPERTIES).await.text().await.unwrap().starts_with("<!doctype html>"));
    server.heal();
    assert_eq!(header(&get(&server, &own, PROPERTIES).await, "x-ausername"), "ada");
}

#[tokio::test]
async fn a_single_sign_on_proxy_is_before_everything() {
    let server = start(Version::V9_4).await;
    server.single_sign_on();
    for path in [PROPERTIES, "/login", "/rest/oauth2/1.0/client", "/scm/php/mailer.git/info/refs"] {
        let answer = get(&server, "", path).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (302, "/sso/login"), "{path}");
    }
    let origin = server.base_url().replace("/bitbucket", "");
    let page = client().get(format!("{origin}/sso/login")).send().await.unwrap();
    assert_eq!((page.status().as_u16(), header(&page, "content-type")), (200, "text/html; charset=utf-8"));
}

#[tokio::test]
async fn the_clock_on_the_wall_is_in_every_answer() {
    let server = start(Version::V9_4).await;
    let hour = Duration::from_hours(1);
    let year = async || {
        let answer = get(&server, "", PROPERTIES).await;
        let date = header(&answer, "date").to_owned();
        assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
        date[12..16].parse::<u32>().unwrap()
    };
    let now = year().await;
    server.clock_ahead(24 * 800 * hour);
    assert!(year().await > now);
    server.clock_behind(24 * 1600 * hour);
    assert!(year().await < now);
}

#[tokio::test]
async fn a_path_that_is_not_there_answers_in_another_shape() {
    let server = start(Version::V9_4).await;
    let (status, body) = api(&server, "", "/nonsense").await;
    assert_eq!((status, body["status-code"].as_u64()), (404, Some(404)));
    let answer = get(&server, "", "/nonsense").await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "content-type")),
        (404, "text/html; charset=utf-8")
    );
}
