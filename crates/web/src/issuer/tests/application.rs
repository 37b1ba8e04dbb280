//! What visitors see while an application waits for them.

use super::Shop;
use crate::testing::Browser;
use axum::http::StatusCode;
use stave_app::ClientForm;
use stave_testkit::Fault;
use url::form_urlencoded::Serializer;

/// An application that asks for consent.
async fn application(shop: &Shop) -> String {
    let actor = shop.site.actor(&shop.grace).await;
    let form = ClientForm {
        name: "The <i>Blog</i>".into(),
        kind: "browser".into(),
        redirect_uris: "https://blog.example/back".into(),
        ..ClientForm::default()
    };
    let made = shop.site.app.website_client_create(&actor, "acme", "shop", &form).await.unwrap();
    made.client.public_id
}

/// The query of its request, with something more.
fn request(client: &str, more: &[(&str, &str)]) -> String {
    Serializer::new(String::new())
        .extend_pairs([
            ("client_id", client),
            ("redirect_uri", "https://blog.example/back"),
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("state", "its-state"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ])
        .extend_pairs(more)
        .finish()
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split_once('"').unwrap().0.replace("&#38;", "&").replace("&#34;", "\"")
}

/// Logs in through the form of a page.
async fn log_in(shop: &Shop, visitor: &mut Browser, page: &str) -> crate::testing::Seen {
    let away = visitor.post("/w/shop/login/bitbucket", &[("request", &hidden(page, "request"))]).await;
    visitor.grant(&away, &shop.bitbucket, "mia").await
}

#[tokio::test]
async fn a_visitor_logs_in_consents_and_goes_back() {
    let shop = Shop::open().await;
    let client = application(&shop).await;
    let asked = format!("/w/shop/authorize?{}", request(&client, &[]));
    let mut mia = shop.site.browser();
    let form = mia.get(&asked).await;
    assert!(form.body.contains("Cancel") && form.body.contains("error=access_denied"), "{}", form.body);
    let question = log_in(&shop, &mut mia, &form.body).await;
    assert_eq!(question.status, StatusCode::OK, "{}", question.body);
    assert!(question.body.contains("May The &#60;i&#62;Blog&#60;/i&#62; know you?"), "{}", question.body);
    assert!(question.body.contains("know your e-mail address") && !question.body.contains("your roles"));
    assert_eq!(question.headers["referrer-policy"], "no-referrer", "its address has the code of Bitbucket");

    let (request, proof) = (hidden(&question.body, "request"), hidden(&question.body, "proof"));
    let answer =
        |answer| [("request", request.clone()), ("proof", proof.clone()), ("answer", String::from(answer))];
    let send = async |browser: &mut Browser, fields: [(&str, String); 3]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/w/shop/consent", &fields).await
    };
    let refused = send(&mut mia, answer("no")).await.location;
    assert!(
        refused.starts_with("https://blog.example/back?error=access_denied")
            && refused.contains("state=its-state")
    );
    let given = send(&mut mia, answer("yes")).await.location;
    assert!(given.starts_with("https://blog.example/back?code="), "{given}");
    assert!(mia.get(&asked).await.location.contains("code="), "it is asked once");

    let account = mia.get("/w/shop/account").await.body;
    assert!(
        account.contains("The &#60;i&#62;Blog&#60;/i&#62;") && account.contains("Take back"),
        "{account}"
    );
    let (_, rest) = account.split_once("/account/applications/").unwrap();
    let withdraw = format!("/w/shop/account/applications/{}", rest.split_once('"').unwrap().0);
    let mut linus = shop.visitor("linus").await;
    assert_eq!(linus.post(&withdraw, &[]).await.status, StatusCode::NOT_FOUND, "somebody else's");
    assert_eq!(mia.post(&withdraw, &[]).await.location, "/w/shop/account?done=withdrawn");
    assert!(mia.get(&asked).await.body.contains("know you?"), "it is asked again");
}

#[tokio::test]
async fn who_is_signed_in_goes_on_as_they_are_or_as_another() {
    let shop = Shop::open().await;
    let client = application(&shop).await;
    let mut mia = shop.visitor("mia").await;
    let page = mia
        .get(&format!("/w/shop/authorize?{}", request(&client, &[("prompt", "select_account")])))
        .await
        .body;
    assert!(page.contains("Continue as Mia Example") && page.contains("or with another account"), "{page}");
    let on = mia.post("/w/shop/continue", &[("request", &hidden(&page, "request"))]).await;
    assert!(on.body.contains("know you?"), "{}", on.body);

    let page = mia.get(&format!("/w/shop/authorize?{}", request(&client, &[("prompt", "login")]))).await.body;
    assert!(page.contains("asks you to log in once more") && !page.contains("Continue as"), "{page}");
    let skipped = mia.post("/w/shop/continue", &[("request", &hidden(&page, "request"))]).await;
    assert!(skipped.body.contains("asks you to log in once more"), "it cannot be left out: {}", skipped.body);
}

#[tokio::test]
async fn whoever_does_not_get_in_can_try_again_or_go_back() {
    let shop = Shop::open().await;
    let client = application(&shop).await;
    let asked = format!("/w/shop/authorize?{}", request(&client, &[]));
    let mut mia = shop.site.browser();
    let form = mia.get(&asked).await.body;
    shop.bitbucket.fail_next("/2.0/user", Fault::status(503, ""));
    let failed = log_in(&shop, &mut mia, &form).await;
    assert!(
        failed.body.contains("Try again") && failed.body.contains("error=access_denied"),
        "{}",
        failed.body
    );
    let (_, rest) = failed.body.split_once("href=\"/w/shop/authorize?").unwrap();
    let again = format!("/w/shop/authorize?{}", rest.split_once('"').unwrap().0.replace("&#38;", "&"));
    let form = mia.get(&again).await.body;
    assert!(log_in(&shop, &mut mia, &form).await.body.contains("know you?"));
}

#[tokio::test]
async fn a_hint_presses_the_button_but_not_after_a_sign_out() {
    let shop = Shop::open().await;
    let client = application(&shop).await;
    let asked = |more: &[(&str, &str)]| format!("/w/shop/authorize?{}", request(&client, more));
    let hint = ("provider_hint", "bitbucket");
    let mut mia = shop.site.browser();
    let away = mia.get(&asked(&[hint])).await;
    assert!(away.location.starts_with(&shop.bitbucket.base_url()), "{}", away.body);
    assert!(mia.grant(&away, &shop.bitbucket, "mia").await.body.contains("know you?"));
    for other in [&[hint, ("prompt", "login")][..], &[("provider_hint", "nonsense")]] {
        let page = shop.site.browser().get(&asked(other)).await;
        assert_eq!(page.status, StatusCode::OK, "{other:?}");
    }
    mia.post("/w/shop/account/sign-out-everywhere", &[]).await;
    assert_eq!(mia.get(&asked(&[hint])).await.status, StatusCode::OK, "the form, to be clicked");
}
