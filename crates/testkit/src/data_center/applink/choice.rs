//! "Create link": which kind, and the way of the old kind.

use super::{CHOICE, Fields, Form, GENERIC, LIST, PROVIDER, Query, WARNING, input};
use crate::{
    common::page::{Page, escape, query_value},
    data_center::{
        link::{Kind, Product},
        site::Admin,
        state::Fake,
    },
};
use axum::{
    body::Bytes,
    extract::State as Extract,
    response::{IntoResponse as _, Redirect, Response},
};
use std::sync::Arc;

/// `GET /plugins/servlet/applinks/createApplicationLink`: since 7.21
pub(super) async fn show(Extract(fake): Extract<Arc<Fake>>, _: Admin) -> Response {
    if !fake.state().version.has_oauth2() {
        return Redirect::to(&fake.path(LIST)).into_response();
    }
    let fields = "<fieldset><legend>Application type</legend>\
         <p><label><input type=\"radio\" name=\"type\" value=\"product\" checked> Atlassian product</label></p>\
         <p><label>Application URL <input name=\"url\" size=\"60\"></label></p>\
         <p><label><input type=\"radio\" name=\"type\" value=\"external\"> External application</label></p></fieldset>\
         <fieldset><legend>Direction</legend>\
         <p><label><input type=\"radio\" name=\"direction\" value=\"incoming\" checked> Incoming</label></p>\
         <p><label><input type=\"radio\" name=\"direction\" value=\"outgoing\"> Outgoing</label></p></fieldset>\
         <p>The Application URL is for an Atlassian product, the direction for an external application.</p>";
    let form = Form { method: "post", action: CHOICE, button: "Continue" };
    Page::new("Create link", form.around(&fake, fields)).into_response()
}

/// `POST /plugins/servlet/applinks/createApplicationLink`
pub(super) async fn create(Extract(fake): Extract<Arc<Fake>>, _: Admin, body: Bytes) -> Response {
    let fields = Fields::read(&body);
    let to = match (fields.text("type").as_str(), fields.text("direction").as_str()) {
        ("external", "incoming") => PROVIDER.to_owned(),
        ("external", _) => {
            let text = "<p>An outgoing link lets Bitbucket use another application. This fake uses none.</p>";
            return Page::new("Outgoing link", text.to_owned()).into_response();
        }
        _ => format!("{WARNING}?url={}", query_value(&fields.text("url"))),
    };
    Redirect::to(&fake.path(&to)).into_response()
}

/// `GET /plugins/servlet/applinks/confirmApplicationUrl?url=`: nobody who is no Atlassian product answers
pub(super) async fn warning(Extract(fake): Extract<Arc<Fake>>, query: Query, _: Admin) -> Response {
    let url = query.get("url").map(String::as_str).unwrap_or_default();
    let form = Form { method: "get", action: GENERIC, button: "Continue" };
    let text = format!(
        "<p>No response was received from the URL you entered - it may not be valid. Please fix the URL below, if \
         needed, and click Continue.</p>{}",
        form.around(&fake, &input("Application URL", "url", url))
    );
    Page::new("Configure Application URL", text).into_response()
}

/// `GET /plugins/servlet/applinks/linkApplications?url=`
pub(super) async fn generic(Extract(fake): Extract<Arc<Fake>>, query: Query, _: Admin) -> Response {
    form(&fake, query.get("url").map(String::as_str).unwrap_or_default(), "")
}

fn form(fake: &Fake, url: &str, complaint: &str) -> Response {
    let left_empty = [
        "Service Provider Name",
        "Consumer key",
        "Shared secret",
        "Request Token URL",
        "Access token URL",
        "Authorize URL",
    ];
    let left_empty = left_empty.map(|label| format!("<p><label>{label} <input></label></p>")).concat();
    let fields = format!(
        "<input type=\"hidden\" name=\"url\" value=\"{}\">\
         <p><label>Application Name <input name=\"name\" size=\"40\"></label></p>\
         <p><label>Application Type <select name=\"type\"><option>Generic Application</option><option>Jira</option>\
         <option>Confluence</option></select></label></p>{left_empty}\
         <p><label><input type=\"checkbox\" name=\"incoming\"> Create incoming link</label></p>",
        escape(url)
    );
    let form = Form { method: "post", action: GENERIC, button: "Continue" }.around(fake, &fields);
    Page::new("Link applications", format!("<p>{complaint}</p>{form}")).into_response()
}

/// `POST /plugins/servlet/applinks/linkApplications`
pub(super) async fn link(Extract(fake): Extract<Arc<Fake>>, _: Admin, body: Bytes) -> Response {
    let fields = Fields::read(&body);
    let (name, url) = (fields.text("name"), fields.text("url"));
    if name.is_empty() {
        return form(&fake, &url, "An application name is required.");
    }
    if fields.text("type") != "Generic Application" {
        return form(&fake, &url, "The application did not answer as this type. Choose Generic Application.");
    }
    fake.state().link_insert(&name, Kind::Product(Product { url, consumer: None }));
    Redirect::to(&fake.path(LIST)).into_response()
}
