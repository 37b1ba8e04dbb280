//! How the pages look, and what browsers are told about them.

use super::Shop;
use crate::testing::path_of;

#[tokio::test]
async fn what_an_owner_types_is_text() {
    let shop = Shop::open().await;
    let nasty = "<script>alert(1)</script> url(//evil.example) \u{202e}x";
    shop.save("shop", &[("title", nasty), ("message", nasty), ("footer", nasty), ("bitbucket_label", nasty)])
        .await;
    let page = shop.site.browser().get("/w/shop/login").await.body;
    assert!(!page.contains("<script>alert"), "{page}");
    let shown = "<bdi>&#60;script&#62;alert(1)&#60;/script&#62; url(//evil.example) \u{202e}x</bdi>";
    assert_eq!(page.matches(shown).count(), 4, "each in an isolate of its own: {page}");
    assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
}

#[tokio::test]
async fn without_a_button_the_form_says_what_to_do() {
    let shop = Shop::open().await;
    let actor = shop.site.actor(&shop.grace).await;
    let form = stave_app::WebsiteForm {
        name: "New".into(),
        slug: "fresh".into(),
        origin: "https://fresh.example".into(),
        origins: String::new(),
    };
    shop.site.app.website_create(&actor, "acme", &form).await.unwrap();
    let page = shop.site.browser().get("/w/fresh/login").await.body;
    assert!(page.contains("Nobody can log in to <bdi>New</bdi> yet.") && !page.contains("<button"), "{page}");
}

/// S-16, S-21
#[tokio::test]
async fn pages_are_not_framed_kept_or_told_of() {
    let shop = Shop::open().await;
    let mut mia = shop.visitor("mia").await;
    let back = shop.almost(&mut mia, "mia").await;
    let away = mia.post("/w/shop/login/bitbucket", &[]).await.location;
    let denied = path_of(&shop.bitbucket.deny_access(&away, "mia").await);
    for (path, is_told) in [
        ("/w/shop/login?after=again", true),
        ("/w/shop/account", true),
        (back.as_str(), false),
        (denied.as_str(), false),
        ("/w/shop/callback/bitbucket?state=x&code=y", false),
        ("/w/shop/nothing", false),
    ] {
        let headers = mia.get(path).await.headers;
        let is = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert!(is("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(is("content-security-policy").contains("script-src 'self'"), "{path}");
        assert_eq!(is("x-frame-options"), "DENY", "{path}");
        assert_eq!(is("cache-control"), "no-store", "{path}");
        assert_eq!(is("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(is("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(is("referrer-policy"), if is_told { "same-origin" } else { "no-referrer" }, "{path}");
    }
}

/// S-21
#[tokio::test]
async fn nothing_on_a_page_comes_from_elsewhere() {
    let shop = Shop::open().await;
    shop.bitbucket.user("mia").avatar("https://pictures.example/mia.png");
    let mut mia = shop.visitor("mia").await;
    for path in ["/w/shop/account", "/w/shop/login?after=again", "/w/shop/callback/bitbucket"] {
        let page = mia.get(path).await.body;
        for attribute in ["src=\"", "<link rel=\"stylesheet\" href=\""] {
            for rest in page.split(attribute).skip(1) {
                assert!(rest.starts_with('/') && !rest.starts_with("//"), "{path}: {rest}");
            }
        }
    }
}
