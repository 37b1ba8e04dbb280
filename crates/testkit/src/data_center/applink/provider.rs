//! An incoming link of OAuth 2: its form, and the page with its id and secret.

use super::{Fields, Form, LIST, PROVIDER, alert, input, no_link, status};
use crate::{
    common::page::{self, Page, escape},
    data_center::{
        link::{External, Kind, LinkRecord},
        scope::BOXES,
        site::Admin,
        state::Fake,
    },
};
use axum::{
    body::Bytes,
    extract::{OriginalUri, Path, State as Extract},
    response::{IntoResponse as _, Redirect, Response},
};
use std::sync::Arc;

/// What stands in the fields of the form.
#[derive(Default)]
struct Filled {
    name: String,
    /// Several are separated by commas.
    redirect_url: String,
    scopes: Vec<String>,
}

impl Filled {
    fn read(fields: &Fields) -> Self {
        Self {
            name: fields.text("name"),
            redirect_url: fields.text("redirectUrl"),
            scopes: fields.all("scope").map(str::to_owned).collect(),
        }
    }

    /// The redirect URLs, or what is wrong.
    fn check(&self, https_only: bool) -> Result<Vec<String>, &'static str> {
        let urls: Vec<String> = self.redirect_url.split(',').map(|url| url.trim().to_owned()).collect();
        let is_url = |url: &String| url::Url::parse(url).is_ok_and(|url| url.has_host());
        if self.name.is_empty() {
            Err("A name is required.")
        } else if !urls.iter().all(is_url) {
            Err("The redirect URL is not a valid URL.")
        } else if https_only && !urls.iter().all(|url| url.starts_with("https:")) {
            Err("The redirect URL must be https.")
        } else {
            Ok(urls)
        }
    }
}

/// `GET /plugins/servlet/oauth2/provider`
pub(super) async fn new(Extract(fake): Extract<Arc<Fake>>, _: Admin) -> Response {
    if !fake.state().version.has_oauth2() {
        return page::not_found("There is no such page.");
    }
    form(&fake, "", &Filled::default(), "")
}

fn form(fake: &Fake, below: &str, filled: &Filled, complaint: &str) -> Response {
    let fields = [
        input("Name", "name", &filled.name),
        input("Redirect URL", "redirectUrl", &filled.redirect_url),
        "<h2>Application permissions</h2>".to_owned(),
        page::boxes(&BOXES, &filled.scopes),
    ];
    let action = format!("{PROVIDER}{below}");
    let form = Form { method: "post", action: &action, button: "Save" }.around(fake, &fields.concat());
    let text = format!("{}{form}", alert(complaint));
    Page::new("Configure an incoming link", text).with_status(status(complaint)).into_response()
}

/// `POST /plugins/servlet/oauth2/provider`
pub(super) async fn create(Extract(fake): Extract<Arc<Fake>>, _: Admin, body: Bytes) -> Response {
    let filled = Filled::read(&Fields::read(&body));
    let mut state = fake.state();
    match filled.check(state.switches.https_only) {
        Err(complaint) => form(&fake, "", &filled, complaint),
        Ok(urls) => {
            let kind = Kind::External(External::new(urls, filled.scopes));
            let id = state.link_insert(&filled.name, kind);
            Redirect::to(&fake.path(&format!("{PROVIDER}/{id}"))).into_response()
        }
    }
}

/// `GET /plugins/servlet/oauth2/provider/{id}`: with Client ID and Client secret, now and later
pub(super) async fn show(Extract(fake): Extract<Arc<Fake>>, Path(id): Path<u32>, _: Admin) -> Response {
    let state = fake.state();
    let Some((link, external)) = state.external_link(id) else {
        return no_link();
    };
    let text = format!(
        "<h2>Credentials</h2>\
         <p><label>Client ID <input readonly size=\"70\" value=\"{}\"></label></p>\
         <p><label>Client secret <input readonly size=\"70\" value=\"{}\"></label></p>\
         <h2>Application details</h2><p>Redirect URL: <code>{}</code></p><p>Permissions: <code>{}</code></p>\
         <p><a class=\"button\" href=\"{}\">Edit</a> <a href=\"{}\">Application links</a></p>",
        external.client_id,
        external.client_secret,
        escape(&external.redirect_urls.join(", ")),
        escape(&external.scopes.join(", ")),
        fake.path(&format!("{PROVIDER}/{id}/edit")),
        fake.path(LIST)
    );
    Page::new(&link.name, text).into_response()
}

/// `GET /plugins/servlet/oauth2/provider/{id}/edit`
pub(super) async fn edit(Extract(fake): Extract<Arc<Fake>>, Path(id): Path<u32>, _: Admin) -> Response {
    let state = fake.state();
    let Some((link, external)) = state.external_link(id) else {
        return no_link();
    };
    let filled = Filled {
        name: link.name.clone(),
        redirect_url: external.redirect_urls.join(", "),
        scopes: external.scopes.clone(),
    };
    form(&fake, &format!("/{id}"), &filled, "")
}

/// `POST /plugins/servlet/oauth2/provider/{id}`: id and secret stay
pub(super) async fn update(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<u32>,
    _: Admin,
    body: Bytes,
) -> Response {
    let filled = Filled::read(&Fields::read(&body));
    let mut state = fake.state();
    let urls = match filled.check(state.switches.https_only) {
        Err(complaint) => return form(&fake, &format!("/{id}"), &filled, complaint),
        Ok(urls) => urls,
    };
    let Some(LinkRecord { name, kind: Kind::External(external), .. }) = state.link_mut(id) else {
        return no_link();
    };
    *name = filled.name;
    external.redirect_urls = urls;
    external.scopes = filled.scopes;
    Redirect::to(uri.path()).into_response()
}
