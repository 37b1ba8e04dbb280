//! Apache with `mod_auth_openidc` in front of files and of an application.

use crate::support::{
    TestWebsite,
    echo::{Echo, Heard},
    web_server::{WebServer, free_port},
    website::TestClient,
};
use std::path::Path;

/// As its documentation has it; what is under `/app` goes on to an application.
fn directives(website: &TestWebsite, client: &TestClient, (folder, application): (&Path, &str)) -> String {
    std::fs::create_dir(folder.join("docs")).unwrap();
    std::fs::write(folder.join("docs/index.html"), "<h1>Members only</h1>").unwrap();
    std::fs::create_dir(folder.join("cache")).unwrap();
    format!(
        "OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
         OIDCClientID {id}
         OIDCClientSecret {secret}
         OIDCRedirectURI {redirect_uri}
         OIDCCryptoPassphrase a-passphrase-of-this-test-only
         OIDCScope \"openid profile email groups\"
         OIDCPKCEMethod S256
         OIDCRemoteUserClaim sub
         OIDCPassClaimsAs headers
         ProxyPass /app {application}
         <Location />
             AuthType openid-connect
             Require valid-user
         </Location>
         ",
        issuer = website.issuer,
        id = client.id,
        secret = client.secret,
        redirect_uri = client.redirect_uri,
    )
}

#[tokio::test]
async fn mod_auth_openidc_protects_files_and_tells_the_application_who_it_is() {
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let website = TestWebsite::start_at(&origin).await;
    let application = Echo::start().await;
    let redirect_uri = format!("{origin}/oidc/callback");
    let client = website
        .client_with(&[("kind", "confidential"), ("pkce_required", "on"), ("redirect_uris", &redirect_uri)])
        .await;
    let _apache =
        WebServer::apache(port, |folder| directives(&website, &client, (folder, &application.url))).await;

    let ada = website.visitor("ada");
    ada.sign_in(&format!("{origin}/?page=1")).await.shows("Members only");
    let page = ada.browser.open(&format!("{origin}/app/hello")).await;
    let heard: Heard = serde_json::from_str(&page.body).expect("the application was reached");
    assert_eq!(heard.path, "/hello");
    assert_eq!(heard.header("oidc_claim_email"), ["ada@example.com"], "{heard:?}");
    assert_eq!(heard.header("oidc_claim_name"), ["Ada Example"], "{heard:?}");
    assert_eq!(heard.header("oidc_claim_iss"), [website.issuer.as_str()], "{heard:?}");
    assert_eq!(heard.header("oidc_claim_sub").len(), 1, "{heard:?}");

    let stranger = website.visitor("linus");
    stranger.browser.open(&origin).await.hides("Members only");
}

/// The text of the page for an application.
async fn copied(website: &TestWebsite, origin: &str) -> String {
    let redirect_uri = format!("{origin}/oidc/callback");
    let fields = [("kind", "confidential"), ("pkce_required", "on"), ("redirect_uris", &redirect_uri)];
    let page = website.client_page(&fields).await;
    page.inside("apache").unwrap_or_else(|| panic!("no text for Apache:\n{}", page.text()))
}

/// With one thing in place of another, which has to be there.
#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replace(from, to)
}

/// A site with a page for everybody and one for the staff.
fn site(folder: &Path) -> String {
    std::fs::create_dir_all(folder.join("docs/staff")).unwrap();
    std::fs::write(folder.join("docs/index.html"), "<h1>Members only</h1>").unwrap();
    std::fs::write(folder.join("docs/staff/index.html"), "<h1>Staff only</h1>").unwrap();
    folder.join("docs").display().to_string()
}

#[tokio::test]
async fn the_text_for_files_works_as_it_is_copied() {
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let website = TestWebsite::start_at(&origin).await;
    let text = copied(&website, &origin).await;
    // The part for a role, without its signs of a comment.
    let (from, to) = ("  #<Location \"/staff/\">", "  #</Location>");
    let (_, inside) = text.split_once(from).expect("a part for a role");
    let (inside, _) = inside.split_once(to).expect("its end");
    let role = format!("{from}{inside}{to}");
    let text = changed(&text, &role, &role.replace('#', ""));
    let _apache = WebServer::apache(port, |folder| changed(&text, "/var/www/html", &site(folder))).await;

    let ada = website.visitor("ada");
    ada.sign_in(&format!("{origin}/?page=1")).await.shows("Members only");
    ada.browser.open(&format!("{origin}/staff/")).await.hides("Staff only");
    website.publish("shop", |form| form.fill(&[("default_roles", "staff")])).await;
    let linus = website.visitor("linus");
    linus.sign_in(&format!("{origin}/staff/")).await.shows("Staff only");
    website.visitor("grace").browser.open(&origin).await.hides("Members only");
}

#[tokio::test]
async fn the_text_for_an_application_works_as_it_is_copied() {
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let website = TestWebsite::start_at(&origin).await;
    let application = Echo::start().await;
    let text = copied(&website, &origin).await;
    let text =
        changed(&text, "#ProxyPass / http://127.0.0.1:3000/", &format!("ProxyPass / {}/", application.url));
    let _apache = WebServer::apache(port, |folder| changed(&text, "/var/www/html", &site(folder))).await;

    let ada = website.visitor("ada");
    let page = ada.sign_in(&format!("{origin}/hello?page=1")).await;
    let heard: Heard = serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{}", page.text()));
    assert_eq!(heard.path, "/hello?page=1");
    assert_eq!(heard.header("oidc_claim_email"), ["ada@example.com"], "{heard:?}");
    assert_eq!(heard.header("oidc_claim_sub").len(), 1, "{heard:?}");
}
