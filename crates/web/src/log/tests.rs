//! The Log through the front door.

use crate::testing::{Browser, TestSite};
use axum::http::{Request, StatusCode, header::CONTENT_TYPE};

const ACME: &str = "/orgs/acme/settings/log";

/// Creates a token in acme, which is a line of its Log.
async fn create_token(browser: &mut Browser, description: &str) {
    let form = [("description", description), ("access", "read")];
    let made = browser.post("/orgs/acme/settings/tokens", &form).await;
    assert!(made.status.is_success() || made.status.is_redirection(), "{}", made.body);
}

#[tokio::test]
async fn lines_are_found_by_who_what_and_when() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    create_token(&mut grace, "CI at night").await;
    site.app.clock().advance(jiff::SignedDuration::from_hours(72));
    create_token(&mut grace, "Deploy").await;
    let now = site.app.clock().now();
    let (today, before) = (day(now), day(now - jiff::SignedDuration::from_hours(72)));
    for (query, seen, hidden) in [
        (String::new(), "CI at night", "Nothing found"),
        ("?what=ci+AT".into(), "CI at night", "Deploy"),
        ("?who=GRA&what=deploy".into(), "Deploy", "CI at night"),
        (format!("?from={today}"), "Deploy", "CI at night"),
        (format!("?until={before}"), "CI at night", "Deploy"),
        (format!("?from={before}&until={today}"), "CI at night", "Nothing found"),
        ("?who=ada".into(), "Nothing found", "CI at night"),
        ("?what=%25".into(), "Nothing found", "CI at night"),
    ] {
        let page = grace.get(&format!("{ACME}{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(seen) && !page.body.contains(hidden), "{query}: {}", page.body);
    }
    let narrow = grace.get(&format!("{ACME}?who=grace&until={today}")).await.body;
    for part in [
        format!("{ACME}.csv?who=grace&#38;until={today}"),
        "value=\"grace\"".into(),
        format!("value=\"{today}\""),
    ] {
        assert!(narrow.contains(&part), "{part}: {narrow}");
    }
    let wrong = grace.get(&format!("{ACME}?from=yesterday")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("This is not a day") && wrong.body.contains("value=\"yesterday\""));
}

fn day(at: stave_domain::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[tokio::test]
async fn a_long_log_has_pages_that_keep_the_filter_and_an_export_that_has_it_all() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    for number in 0..101 {
        create_token(&mut grace, &format!("token {number}")).await;
    }
    let first = grace.get(&format!("{ACME}?what=token")).await.body;
    assert!(first.contains("“token 100”") && !first.contains("“token 0”"), "{first}");
    let older = first.split('"').find(|text| text.contains("before=")).unwrap().replace("&#38;", "&");
    assert!(older.starts_with(&format!("{ACME}?what=token&before=")), "{older}");
    let second = grace.get(&older).await.body;
    assert!(second.contains("“token 0”") && !second.contains("“token 1”"), "{second}");
    assert!(second.contains(&format!("href=\"{ACME}?what=token\"")), "the way back: {second}");

    let table = grace.get(&format!("{ACME}.csv?what=token")).await;
    assert_eq!(table.headers[CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(table.body.lines().count(), 102, "{}", table.body);
    assert!(table.body.starts_with("\"when\",\"who\",\"what\",\"address\"\r\n"), "{}", table.body);
    let lines = grace.get(&format!("{ACME}.jsonl?what=token+100")).await;
    assert_eq!(lines.headers["content-disposition"], "attachment; filename=\"log-acme.jsonl\"");
    let line: serde_json::Value = serde_json::from_str(lines.body.trim_end()).unwrap();
    assert_eq!((&line["who"], &line["what"]), (&"grace".into(), &"created the token “token 100”".into()));
}

#[tokio::test]
async fn a_line_says_from_where() {
    let (site, _bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
    let peer = axum::extract::ConnectInfo(std::net::SocketAddr::from(([192, 0, 2, 7], 4711)));
    let request = Request::post("/orgs/acme/settings/tokens")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(peer);
    grace.send(request, "description=CI&access=read").await;
    let log = grace.get(ACME).await.body;
    assert!(log.contains("192.0.2.7"), "{log}");
    site.app.setup_reopen().await.unwrap();
    let log = ada.get("/admin/log?what=from+the+command+line").await.body;
    assert!(log.contains("<span class=\"muted\">Stave</span>"), "{log}");
    // Nobody was logged in, and nobody knows from where: whoever it was, it was not Stave.
    let log = ada.get("/admin/log?what=opened+Setup+Mode").await.body;
    assert!(log.contains("data-label=\"Who\">the setup link</td>"), "{log}");
    assert!(log.contains("<span class=\"muted\">not known</span>"), "{log}");
}

#[tokio::test]
async fn the_log_is_for_those_who_manage() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    for address in [ACME, "/orgs/acme/settings/log.csv", "/orgs/acme/settings/log.jsonl"] {
        assert_eq!(linus.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    for address in [ACME, "/orgs/acme/settings/log.csv", "/orgs/acme/settings/log.jsonl"] {
        assert_eq!(linus.get(address).await.status, StatusCode::FORBIDDEN, "{address}");
    }
}
