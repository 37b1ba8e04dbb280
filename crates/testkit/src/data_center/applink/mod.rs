//! Administration > Application links: the pages on which an admin makes a link.

mod choice;
mod incoming;
mod provider;

use super::{
    link::{Kind, LinkRecord},
    site::Admin,
    state::Fake,
};
use crate::common::page::{self, Page, escape};
use axum::{
    Router,
    extract::{Path, State as Extract},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};
use url::form_urlencoded;

const LIST: &str = "/plugins/servlet/applinks/listApplicationLinks";
const CHOICE: &str = "/plugins/servlet/applinks/createApplicationLink";
const WARNING: &str = "/plugins/servlet/applinks/confirmApplicationUrl";
const GENERIC: &str = "/plugins/servlet/applinks/linkApplications";
const INCOMING: &str = "/plugins/servlet/applinks/incoming";
const PROVIDER: &str = "/plugins/servlet/oauth2/provider";

pub(crate) fn router() -> Router<Arc<Fake>> {
    Router::new()
        .route(LIST, get(list))
        .route(&format!("{LIST}/{{id}}/delete"), post(delete))
        .route(CHOICE, get(choice::show).post(choice::create))
        .route(WARNING, get(choice::warning))
        .route(GENERIC, get(choice::generic).post(choice::link))
        .route(&format!("{INCOMING}/{{id}}"), get(incoming::show).post(incoming::save))
        .route(PROVIDER, get(provider::new).post(provider::create))
        .route(&format!("{PROVIDER}/{{id}}"), get(provider::show).post(provider::update))
        .route(&format!("{PROVIDER}/{{id}}/edit"), get(provider::edit))
}

/// The fields of a form; of a field that was sent several times, every value.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().collect())
    }

    /// The text without space around it; empty if there is none.
    fn text(&self, name: &str) -> String {
        self.all(name).next().unwrap_or_default().trim().to_owned()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// How a form is sent.
struct Form<'a> {
    /// `get` or `post`.
    method: &'a str,
    /// A path below the context path.
    action: &'a str,
    /// What is written on the button.
    button: &'a str,
}

impl Form<'_> {
    /// As HTML, around these fields, with the way back to the list.
    fn around(&self, fake: &Fake, fields: &str) -> String {
        format!(
            "<form method=\"{}\" action=\"{}\">{fields}\
             <p><button>{}</button> <a href=\"{}\">Cancel</a></p></form>",
            self.method,
            fake.path(self.action),
            self.button,
            fake.path(LIST)
        )
    }
}

/// A field of one line, as HTML.
fn input(label: &str, name: &str, value: &str) -> String {
    let value = escape(value);
    format!("<p><label>{label} <input name=\"{name}\" size=\"60\" value=\"{value}\"></label></p>")
}

/// What is wrong with the fields, as HTML; empty if nothing is.
fn alert(complaint: &str) -> String {
    format!("<p role=\"alert\">{complaint}</p>")
}

/// The status of a form that is shown with this complaint.
fn status(complaint: &str) -> StatusCode {
    if complaint.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

fn no_link() -> Response {
    page::not_found("There is no such link.")
}

/// `GET /plugins/servlet/applinks/listApplicationLinks`
async fn list(Extract(fake): Extract<Arc<Fake>>, _: Admin) -> Response {
    let state = fake.state();
    let mut text = if state.version.has_oauth2() {
        format!("<p><a class=\"button\" href=\"{}\">Create link</a></p>", fake.path(CHOICE))
    } else {
        format!(
            "<form method=\"get\" action=\"{}\"><p><label>Application URL <input name=\"url\" size=\"60\" \
             placeholder=\"Enter the URL of the application you want to link\"></label> \
             <button>Create new link</button></p></form>",
            fake.path(WARNING)
        )
    };
    text.push_str("<table><tr><th>Application</th><th>Type</th><th>Actions</th></tr>");
    for link in &state.links {
        let _ = write!(text, "<tr>{}</tr>", row(&fake, link));
    }
    text.push_str("</table>");
    Page::new("Application links", text).into_response()
}

/// The cells of a link, with its pencil.
fn row(fake: &Fake, link: &LinkRecord) -> String {
    let id = link.id;
    let (kind, about, edit) = match &link.kind {
        Kind::External(_) => ("External application, incoming", "", format!("{PROVIDER}/{id}")),
        Kind::Product(product) => ("Generic Application", product.url.as_str(), format!("{INCOMING}/{id}")),
    };
    let name = escape(&link.name);
    format!(
        "<td>{name}<br>{}</td><td>{kind}</td><td><a href=\"{}\" title=\"Edit\" aria-label=\"Edit {name}\">✎ Edit</a>\
         <form method=\"post\" action=\"{}\"><button class=\"plain\" aria-label=\"Delete {name}\">Delete</button></form></td>",
        escape(about),
        fake.path(&edit),
        fake.path(&format!("{LIST}/{id}/delete"))
    )
}

/// `POST /plugins/servlet/applinks/listApplicationLinks/{id}/delete`
async fn delete(Extract(fake): Extract<Arc<Fake>>, Path(id): Path<u32>, _: Admin) -> Response {
    fake.state().link_delete(id);
    Redirect::to(&fake.path(LIST)).into_response()
}

type Query = axum::extract::Query<HashMap<String, String>>;
