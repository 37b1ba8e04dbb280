//! The third way to connect a website: a script tag on pages that are only HTML.

use super::place::{Place, Visit};
use crate::{error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Redirect,
    routing::{get, post},
};
use stave_app::{App, Failure, Finding};
use stave_domain::website::{Client, ClientKind};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/connect/script", get(show))
        .route("/connect/script/test", post(test).get(show_again))
}

#[derive(Template)]
#[template(path = "website/script.html")]
struct ScriptPage {
    frame: Frame,
    place: Place,
    /// With which client the tag asks; `None` if none comes back to the front page.
    client: Option<Client>,
    findings: Option<Vec<Finding>>,
}

/// A small page that uses the script.
#[derive(Template)]
#[template(path = "website/text/script_page.txt", escape = "none")]
struct WholePage<'a> {
    name: String,
    tag: &'a str,
}

/// The buttons and the greeting alone.
const MARKUP: &str = r#"<div data-stave-when="out" hidden>
  <button type="button" data-stave="sign-in">Log in with Bitbucket</button>
</div>
<div data-stave-when="in" hidden>
  Hello <span data-stave="name"></span>
  <button type="button" data-stave="sign-out">Log out</button>
</div>"#;

impl ScriptPage {
    async fn of(app: &App, Visit { frame, place }: Visit) -> Result<Self, Failure> {
        let (organization, website) = place.names();
        let clients = app.website_client_list(&frame.actor, organization, website).await?;
        let front = place.website.origin().at("/");
        let client = clients.into_iter().find(|client| {
            client.kind == ClientKind::Browser && client.redirect_uris.iter().any(|uri| uri.as_str() == front)
        });
        Ok(Self { frame, place, client, findings: None })
    }

    fn tag(&self, client: &Client) -> String {
        format!(
            "<script src=\"{}/site.js\" data-client=\"{}\" defer></script>",
            self.place.issuer, client.public_id
        )
    }

    fn whole_page(&self, client: &Client) -> Result<String, askama::Error> {
        let name = self.place.website.name.replace('&', "&amp;").replace('<', "&lt;");
        WholePage { name, tag: &self.tag(client) }.render()
    }
}

/// `GET /orgs/{organization}/websites/{website}/connect/script`
async fn show(State(app): State<App>, visit: Visit) -> Result<Page<ScriptPage>, PageError> {
    Ok(Page(ScriptPage::of(&app, visit).await?))
}

/// `POST /orgs/{organization}/websites/{website}/connect/script/test`
async fn test(State(app): State<App>, visit: Visit) -> Result<Page<ScriptPage>, PageError> {
    let (organization, website) = visit.place.names();
    let findings = app.website_wiring_script(&visit.frame.actor, organization, website).await?;
    let page = ScriptPage::of(&app, visit).await?;
    Ok(Page(ScriptPage { findings: Some(findings), ..page }))
}

/// `GET /orgs/{organization}/websites/{website}/connect/script/test`: what was found is not kept.
async fn show_again(visit: Visit) -> Redirect {
    Redirect::to(&format!("{}/connect/script", visit.place.base()))
}
