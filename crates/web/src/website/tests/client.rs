//! Applications: made, shown, changed, and their secrets.

use super::{SHOP, Shop, link_below, shown};
use axum::http::StatusCode;

const FORM: [(&str, &str); 5] = [
    ("name", "Backend"),
    ("kind", "confidential"),
    ("redirect_uris", "https://shop.example/callback\nhttps://shop.example/other"),
    ("post_logout_uris", "https://shop.example/"),
    ("pkce_required", "on"),
];

#[tokio::test]
async fn a_secret_is_shown_once_and_stands_in_every_text() {
    let mut shop = Shop::open().await;
    let grace = &mut shop.grace;
    let page = grace.post(&format!("{SHOP}/clients"), &FORM).await.location;
    let seen = grace.get(&page).await.body;
    let (id, secret) = (shown(&seen, "client-id"), shown(&seen, "client-secret"));
    assert!(secret.len() >= 43 && !id.is_empty(), "{id} {secret}");
    for text in ["apache", "node", "flask"] {
        let text = shown(&seen, text);
        for part in [id.as_str(), &secret, "http://127.0.0.1:8080/w/shop", "https://shop.example/callback"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("offline_access"), "{text}");
    }
    let again = grace.get(&page).await.body;
    assert!(
        !again.contains(&secret) && again.contains(&format!("…{}", &secret[secret.len() - 4..])),
        "{again}"
    );
    assert!(shown(&again, "node").contains("<client secret>"));

    let second = grace.post(&format!("{page}/secret"), &[]).await;
    assert_eq!(second.location, page);
    let fresh = shown(&grace.get(&page).await.body, "client-secret");
    assert_ne!(fresh, secret);
    let third = grace.post(&format!("{page}/secret"), &[]).await;
    assert_eq!(third.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(third.body.contains("Two secrets are valid already"), "{}", third.body);
    let removed = grace.post(&format!("{page}/secret/retire"), &[]).await.location;
    assert_eq!(removed, format!("{page}?done=secret-removed"));
    let left = grace.get(&page).await.body;
    assert!(left.contains(&fresh[fresh.len() - 4..]) && !left.contains("newest"), "{left}");
    let log = shop.log().await;
    for what in ["created", "made another secret for", "removed the older secret of"] {
        assert!(
            log.contains(&format!("{what} the application “Backend” of the website shop")),
            "{what}: {log}"
        );
    }
}

#[tokio::test]
async fn a_text_is_for_the_port_of_its_redirect_address_and_has_a_passphrase_of_its_own() {
    let mut shop = Shop::open().await;
    for (redirect_uri, host) in [
        ("https://shop.example/callback", "*:443>"),
        ("https://shop.example:8443/callback", "*:8443>"),
        ("http://127.0.0.1:3000/callback", "*:3000>"),
        ("http://127.0.0.1/callback", "*:80>"),
    ] {
        let form = [("name", "Backend"), ("kind", "confidential"), ("redirect_uris", redirect_uri)];
        let page = shop.grace.post(&format!("{SHOP}/clients"), &form).await.location;
        let (first, second) = (shop.grace.get(&page).await.body, shop.grace.get(&page).await.body);
        let apache = shown(&first, "apache");
        assert!(apache.contains(&format!("<VirtualHost {host}\n")), "{redirect_uri}: {apache}");
        let has_hint = apache.starts_with("# Listen");
        assert_eq!(has_hint, !matches!(host, "*:443>" | "*:80>"), "{redirect_uri}: {apache}");
        for (text, before) in [("apache", "OIDCCryptoPassphrase \""), ("flask", "app.secret_key = \"")] {
            let passphrase = |page: &str| {
                let (_, rest) =
                    shown(page, text).split_once(before).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            assert!(passphrase(&first).len() >= 43, "{text}");
            assert_ne!(passphrase(&first), passphrase(&second), "{text}");
        }
    }
}

#[tokio::test]
async fn a_form_names_every_line_that_is_wrong() {
    let mut shop = Shop::open().await;
    let grace = &mut shop.grace;
    let clients = format!("{SHOP}/clients");
    let bad = "https://shop.example/callback\nhttps://shop.example/#x\nhttp://shop.example/\n";
    let refused =
        grace.post(&clients, &[("name", "X"), ("kind", "confidential"), ("redirect_uris", bad)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["Line 2: “https://shop.example/#x”", "Line 3: “http://shop.example/”"] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert!(!refused.body.contains("Line 1:"), "{}", refused.body);
    for (kind, problem) in [("site", "Choose where"), ("", "Choose where")] {
        let form = [("name", "X"), ("kind", kind), ("redirect_uris", "https://shop.example/")];
        let refused = grace.post(&clients, &form).await;
        assert!(refused.body.contains(problem), "{kind}: {}", refused.body);
    }
}

#[tokio::test]
async fn a_program_in_a_browser_has_no_secret() {
    let mut shop = Shop::open().await;
    let grace = &mut shop.grace;
    let form = [
        ("name", "Single page"),
        ("kind", "browser"),
        ("redirect_uris", "https://shop.example/app"),
        ("may_refresh", "on"),
    ];
    let page = grace.post(&format!("{SHOP}/clients"), &form).await.location;
    let seen = grace.get(&page).await.body;
    assert!(!seen.contains("client-secret") && seen.contains("required, method S256"), "{seen}");
    assert!(shown(&seen, "oidc-client-ts").contains("offline_access"), "{seen}");
    assert_eq!(grace.post(&format!("{page}/secret"), &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let changed = [("name", "Renamed"), ("redirect_uris", "https://shop.example/app2")];
    assert_eq!(grace.post(&format!("{page}/edit"), &changed).await.location, format!("{page}?done=saved"));
    let seen = grace.get(&page).await.body;
    assert!(
        seen.contains("Renamed") && seen.contains("/app2") && seen.contains("required, method S256"),
        "{seen}"
    );
    assert!(!shown(&seen, "oidc-client-ts").contains("offline_access"), "the box was cleared: {seen}");
    let gone = grace.post(&format!("{page}/delete"), &[]).await.location;
    assert_eq!(gone, format!("{SHOP}/connect/openid?done=deleted"));
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_script_tag_is_filled_in() {
    let mut shop = Shop::open().await;
    let page = shop.grace.get(&format!("{SHOP}/connect/script")).await.body;
    let tag = shown(&page, "script-tag");
    assert!(tag.starts_with("<script src=\"http://127.0.0.1:8080/w/shop/site.js\" data-client=\""), "{tag}");
    assert!(shown(&page, "script-page").contains(&tag), "{page}");
    let openid = shop.grace.get(&format!("{SHOP}/connect/openid")).await.body;
    let client = link_below(&openid, &format!("{SHOP}/clients/0"));
    let id = shown(&shop.grace.get(&client).await.body, "client-id");
    assert!(tag.contains(&format!("data-client=\"{id}\"")), "{tag} {id}");
    shop.grace.post(&format!("{client}/delete"), &[]).await;
    assert!(
        shop.grace
            .get(&format!("{SHOP}/connect/script"))
            .await
            .body
            .contains("No application for the script")
    );
}
