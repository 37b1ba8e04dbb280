//! "Incoming Authentication" of a link of OAuth 1.

use super::{Fields, INCOMING, LIST};
use crate::{
    common::page::{self, Page, escape},
    data_center::{
        link::{ConsumerRecord, Kind, LinkRecord},
        oauth1::PublicKey,
        site,
        state::Fake,
    },
};
use axum::{
    body::Bytes,
    extract::{OriginalUri, Path, State as Extract},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use std::sync::Arc;

/// What stands in the fields of the form.
#[derive(Default)]
struct Filled {
    key: String,
    name: String,
    description: String,
    public_key: String,
    callback: String,
}

impl Filled {
    fn of(consumer: &ConsumerRecord) -> Self {
        Self {
            key: consumer.key.clone(),
            name: consumer.name.clone(),
            description: consumer.description.clone(),
            public_key: consumer.public_key.pem().to_owned(),
            callback: consumer.callback.clone(),
        }
    }

    fn read(fields: &Fields) -> Self {
        Self {
            key: fields.text("key"),
            name: fields.text("name"),
            description: fields.text("description"),
            public_key: fields.text("publicKey"),
            callback: fields.text("callback"),
        }
    }

    /// The consumer, or what is wrong with it. `used` says whether another link has the key.
    fn check(&self, used: bool) -> Result<ConsumerRecord, &'static str> {
        if self.key.is_empty() {
            return Err("A consumer key is required.");
        }
        if used {
            return Err("The consumer key is already used by another link.");
        }
        if self.name.is_empty() {
            return Err("A consumer name is required.");
        }
        let is_callback = self.callback.is_empty() || url::Url::parse(&self.callback).is_ok();
        if !is_callback {
            return Err("The consumer callback URL is not a valid URL.");
        }
        Ok(ConsumerRecord {
            key: self.key.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            public_key: PublicKey::parse(&self.public_key)
                .ok_or("The public key is not valid. It begins with -----BEGIN PUBLIC KEY-----.")?,
            callback: self.callback.clone(),
        })
    }
}

/// `GET /plugins/servlet/applinks/incoming/{id}`
pub(super) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<u32>,
    headers: HeaderMap,
) -> Response {
    if let Err(page) = site::admin(&fake, &headers, &uri) {
        return page;
    }
    let state = fake.state();
    let Some(link) = state.link(id).filter(|link| matches!(link.kind, Kind::Product(_))) else {
        return page::not_found("There is no such link.");
    };
    form(&fake, link, &link.consumer().map(Filled::of).unwrap_or_default(), "")
}

fn form(fake: &Fake, link: &LinkRecord, filled: &Filled, complaint: &str) -> Response {
    let text = format!(
        "<h2>Incoming Authentication</h2><p role=\"alert\">{complaint}</p><form method=\"post\" action=\"{action}\">\
         <p><label>Consumer Key <input name=\"key\" size=\"60\" value=\"{key}\"></label></p>\
         <p><label>Consumer Name <input name=\"name\" size=\"60\" value=\"{name}\"></label></p>\
         <p><label>Description <input name=\"description\" size=\"60\" value=\"{description}\"></label></p>\
         <p><label>Public Key <textarea name=\"publicKey\" rows=\"10\" cols=\"66\">{public_key}</textarea></label></p>\
         <p><label>Consumer Callback URL <input name=\"callback\" size=\"60\" value=\"{callback}\"></label></p>\
         <p><label><input type=\"checkbox\" name=\"twoLegged\"> Allow 2-Legged OAuth</label></p>\
         <p><label>Execute as <input name=\"executeAs\"></label></p>\
         <p><label><input type=\"checkbox\" name=\"impersonate\"> Allow user impersonation through 2-Legged OAuth</label></p>\
         <p><button>Save</button> <a href=\"{list}\">Cancel</a></p></form>",
        action = fake.path(&format!("{INCOMING}/{}", link.id)),
        key = escape(&filled.key),
        name = escape(&filled.name),
        description = escape(&filled.description),
        public_key = escape(&filled.public_key),
        callback = escape(&filled.callback),
        list = fake.path(LIST),
    );
    let status = if complaint.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Page::new(&format!("Configure {}", link.name), text).with_status(status).into_response()
}

/// `POST /plugins/servlet/applinks/incoming/{id}`
pub(super) async fn save(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<u32>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(page) = site::admin(&fake, &headers, &uri) {
        return page;
    }
    let filled = Filled::read(&Fields::read(&body));
    let mut state = fake.state();
    let is_used = state.link_of_consumer(&filled.key).is_some_and(|(link, _)| link.id != id);
    let Some(link) = state.link_mut(id) else { return page::not_found("There is no such link.") };
    match (filled.check(is_used), &mut link.kind) {
        (_, Kind::External(_)) => page::not_found("There is no such link."),
        (Err(complaint), Kind::Product(_)) => form(&fake, link, &filled, complaint),
        (Ok(consumer), Kind::Product(product)) => {
            product.consumer = Some(consumer);
            Redirect::to(&fake.path(LIST)).into_response()
        }
    }
}
