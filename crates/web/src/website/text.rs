//! Texts to copy: configuration and code with everything filled in. A secret that is not known any more is a name in angle
//! brackets.

use super::place::Place;
use askama::Template;
use stave_app::App;
use stave_domain::{
    Secret,
    website::{Client, ClientKind, Scope},
};

/// What stands where a secret would, once it was shown.
const SECRET: &str = "<client secret>";

/// A text to copy.
pub(super) struct Text {
    /// Names it on its page.
    pub(super) id: &'static str,
    /// For what it is.
    pub(super) title: &'static str,
    /// What has to be known about it.
    pub(super) hint: &'static str,
    pub(super) content: String,
}

/// What the texts of an application are made of.
struct Application<'a> {
    issuer: &'a str,
    client: &'a Client,
    secret: &'a str,
    /// Where visitors come back to, and the path of that.
    redirect_uri: String,
    callback: String,
    /// Where they go after they signed out.
    after: String,
    /// Below which address the application is.
    origin: String,
    /// Its name without a port.
    host: String,
    port: u16,
    /// With which it seals its own sessions.
    passphrase: Secret,
    scopes: String,
    /// Whether the issuer is reached over TLS.
    is_https: bool,
}

#[derive(Template)]
#[template(path = "website/text/apache.txt", escape = "none")]
struct Apache<'a>(&'a Application<'a>);

#[derive(Template)]
#[template(path = "website/text/node.txt", escape = "none")]
struct Node<'a>(&'a Application<'a>);

#[derive(Template)]
#[template(path = "website/text/flask.txt", escape = "none")]
struct Flask<'a>(&'a Application<'a>);

#[derive(Template)]
#[template(path = "website/text/browser.txt", escape = "none")]
struct Browser<'a>(&'a Application<'a>);

/// The texts of an application. `secret` is there while it is shown.
pub(super) fn of_client(
    app: &App,
    place: &Place,
    client: &Client,
    secret: Option<&Secret>,
) -> Result<Vec<Text>, askama::Error> {
    let Some(redirect_uri) = client.redirect_uris.first() else { return Ok(Vec::new()) };
    let origin = redirect_uri.origin();
    let after = client.post_logout_uris.first().map_or_else(|| origin.at("/"), ToString::to_string);
    let url = redirect_uri.url();
    let it = Application {
        issuer: &place.issuer,
        client,
        secret: secret.map_or(SECRET, Secret::expose),
        redirect_uri: redirect_uri.to_string(),
        callback: url.path().to_owned(),
        after,
        host: url.host_str().unwrap_or_default().to_owned(),
        // Redirect addresses are http or https.
        port: url.port_or_known_default().unwrap_or(443),
        passphrase: App::website_client_passphrase(),
        origin: origin.to_string(),
        scopes: scopes(client),
        is_https: app.url().scheme() == "https",
    };
    let text = |id, title, hint, content: String| Text { id, title, hint, content };
    if client.kind == ClientKind::Browser {
        return Ok(vec![text(
            "oidc-client-ts",
            "JavaScript in the browser: oidc-client-ts",
            "For a program in the browser that is built with a bundler. A page that is only HTML is better off with the script tag.",
            Browser(&it).render()?,
        )]);
    }
    Ok(vec![
        text(
            "apache",
            "Apache: mod_auth_openidc",
            "Protects a static site or an application behind Apache. Debian and Ubuntu: apt install libapache2-mod-auth-openidc.",
            Apache(&it).render()?,
        ),
        text(
            "node",
            "Node.js: openid-client",
            "Works in every framework: it makes addresses and checks answers.",
            Node(&it).render()?,
        ),
        text(
            "flask",
            "Python: Authlib with Flask",
            "Authlib looks the same in Django, FastAPI and Starlette.",
            Flask(&it).render()?,
        ),
    ])
}

/// What an application asks for.
pub(super) fn scopes(client: &Client) -> String {
    let wanted = |scope: &Scope| *scope != Scope::OfflineAccess || client.may_refresh;
    Scope::ALL.into_iter().filter(wanted).map(Scope::key).collect::<Vec<_>>().join(" ")
}

/// A text in the quotes of JavaScript and Python.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
