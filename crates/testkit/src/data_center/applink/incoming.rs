//! "Incoming Authentication" of a link of OAuth 1.

use super::{Fields, Form, INCOMING, LIST, alert, input, no_link, status};
use crate::{
    common::page::{Page, escape},
    data_center::{
        link::{ConsumerRecord, Kind, LinkRecord},
        oauth1::PublicKey,
        site::Admin,
        state::Fake,
    },
};
use axum::{
    body::Bytes,
    extract::{Path, State as Extract},
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
pub(super) async fn show(Extract(fake): Extract<Arc<Fake>>, Path(id): Path<u32>, _: Admin) -> Response {
    let state = fake.state();
    let Some(link) = state.link(id).filter(|link| matches!(link.kind, Kind::Product(_))) else {
        return no_link();
    };
    form(&fake, link, &link.consumer().map(Filled::of).unwrap_or_default(), "")
}

fn form(fake: &Fake, link: &LinkRecord, filled: &Filled, complaint: &str) -> Response {
    let fields = [
        input("Consumer Key", "key", &filled.key),
        input("Consumer Name", "name", &filled.name),
        input("Description", "description", &filled.description),
        format!(
            "<p><label>Public Key <textarea name=\"publicKey\" rows=\"10\" cols=\"66\">{}</textarea></label></p>",
            escape(&filled.public_key)
        ),
        input("Consumer Callback URL", "callback", &filled.callback),
        "<p><label><input type=\"checkbox\" name=\"twoLegged\"> Allow 2-Legged OAuth</label></p>\
         <p><label>Execute as <input name=\"executeAs\"></label></p>\
         <p><label><input type=\"checkbox\" name=\"impersonate\"> Allow user impersonation through 2-Legged OAuth</label></p>"
            .to_owned(),
    ];
    let action = format!("{INCOMING}/{}", link.id);
    let form = Form { method: "post", action: &action, button: "Save" }.around(fake, &fields.concat());
    let text = format!("<h2>Incoming Authentication</h2>{}{form}", alert(complaint));
    Page::new(&format!("Configure {}", link.name), text).with_status(status(complaint)).into_response()
}

/// `POST /plugins/servlet/applinks/incoming/{id}`
pub(super) async fn save(
    Extract(fake): Extract<Arc<Fake>>,
    Path(id): Path<u32>,
    _: Admin,
    body: Bytes,
) -> Response {
    let filled = Filled::read(&Fields::read(&body));
    let mut state = fake.state();
    let is_used = state.link_of_consumer(&filled.key).is_some_and(|(link, _)| link.id != id);
    let Some(link) = state.link_mut(id) else { return no_link() };
    match (filled.check(is_used), &mut link.kind) {
        (_, Kind::External(_)) => no_link(),
        (Err(complaint), Kind::Product(_)) => form(&fake, link, &filled, complaint),
        (Ok(consumer), Kind::Product(product)) => {
            product.consumer = Some(consumer);
            Redirect::to(&fake.path(LIST)).into_response()
        }
    }
}
