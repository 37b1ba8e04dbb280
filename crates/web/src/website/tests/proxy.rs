//! Proxy keys, the texts for proxies, and what "Test it" says.

use super::{SHOP, Shop, shown};
use axum::http::StatusCode;

#[tokio::test]
async fn a_proxy_key_is_shown_once_in_the_texts_that_were_chosen() {
    let mut shop = Shop::open().await;
    let grace = &mut shop.grace;
    let proxy = format!("{SHOP}/connect/proxy");
    let before = grace.get(&proxy).await.body;
    assert!(
        before.contains("There is no key yet") && shown(&before, "nginx").contains("<proxy-key>"),
        "{before}"
    );

    let chosen = [("origin", "https://shop.example"), ("family", "auth-request"), ("target", "/srv/shop")];
    let made = grace.post(&format!("{proxy}/key"), &chosen).await.location;
    let seen = grace.get(made.split('#').next().unwrap()).await.body;
    let nginx = shown(&seen, "nginx");
    let (_, rest) = nginx.split_once("X-Stave-Proxy-Key \"").unwrap();
    let key = rest.split('"').next().unwrap().to_owned();
    assert!(key.len() >= 43, "{nginx}");
    assert!(
        nginx.contains("proxy_pass http://127.0.0.1:8080/w/shop/forward-auth/nginx;")
            && nginx.contains("root /srv/shop;"),
        "{nginx}"
    );
    let caddy = shown(&seen, "caddy");
    assert!(caddy.starts_with("https://shop.example {") && caddy.contains(&key), "{caddy}");
    assert!(
        caddy.contains("copy_headers X-Auth-Request-User") && caddy.contains("root * /srv/shop"),
        "{caddy}"
    );
    assert!(shown(&seen, "traefik").contains(&format!("X-Stave-Proxy-Key: \"{key}\"")), "{seen}");
    assert!(!grace.get(&proxy).await.body.contains(&key), "it was shown");

    assert_eq!(grace.post(&format!("{proxy}/key"), &[]).await.status, StatusCode::SEE_OTHER);
    let third = grace.post(&format!("{proxy}/key"), &[]).await;
    assert!(third.body.contains("Two proxy keys are valid already"), "{}", third.body);
    let removed = grace.post(&format!("{proxy}/key/retire"), &[]).await.location;
    assert_eq!(removed, format!("{proxy}?done=proxy-key-removed"));
    assert!(
        !grace.get(&proxy).await.body.contains(&format!("…{}", &key[key.len() - 4..])),
        "the older one is gone"
    );
    let log = shop.log().await;
    assert!(
        log.contains("made a proxy key for the website shop") && log.contains("removed the older proxy key"),
        "{log}"
    );
}

#[tokio::test]
async fn what_cannot_stand_in_a_text_is_said_at_its_field() {
    let mut shop = Shop::open().await;
    let proxy = format!("{SHOP}/connect/proxy");
    let refused = shop.grace.get(&format!("{proxy}?target=/srv%3B%20evil&family=nonsense")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("The text can name folders") && refused.body.contains("Choose from the list"),
        "{}",
        refused.body
    );
    assert!(!shown(&refused.body, "nginx").contains("evil"), "{}", refused.body);
    let test =
        shop.grace.post(&format!("{proxy}/test"), &[("origin", "https://evil.example"), ("path", "/")]).await;
    assert!(test.body.contains("Choose one of the addresses of the website"), "{}", test.body);
    let test = shop
        .grace
        .post(&format!("{proxy}/test"), &[("origin", "https://shop.example"), ("path", "//evil")])
        .await;
    assert_ne!(test.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", test.body);
}

#[tokio::test]
async fn a_test_of_a_site_that_does_not_answer_says_so() {
    let mut shop = Shop::open().await;
    // Nobody listens at the discard port of this machine.
    let form = [("name", "The Shop"), ("origin", "http://127.0.0.1:9")];
    shop.grace.post(SHOP, &form).await;
    let found = shop
        .grace
        .post(&format!("{SHOP}/connect/proxy/test"), &[("origin", "http://127.0.0.1:9"), ("path", "/")])
        .await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.body.contains("127.0.0.1:9 does not answer: nothing listens there"), "{}", found.body);
    let found = shop.grace.post(&format!("{SHOP}/connect/script/test"), &[]).await.body;
    assert!(found.contains("failed: </span>The tag on http://127.0.0.1:9/"), "{found}");
    let found = shop.grace.post(&format!("{SHOP}/connect/openid/test"), &[]).await.body;
    assert!(
        found.contains("Discovery document") && found.contains("Redirect address of Script tag"),
        "{found}"
    );
}
