//! People and their addresses.

use super::{
    caller::Caller,
    collection::Listing,
    error::ApiError,
    scope,
    state::{Fake, encoded, instant, uuid_of},
    token::{AccessToken, Actor},
};
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// A person of the fake; the nickname names them in the functions of this crate.
pub struct User {
    fake: Arc<Fake>,
    uuid: String,
}

/// An address of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The address.
    pub address: String,
    /// Whether it is the one that Bitbucket writes to.
    pub is_primary: bool,
    /// Whether its owner followed the link in Bitbucket's mail.
    pub is_confirmed: bool,
}

impl Email {
    /// The primary address, confirmed.
    pub fn primary(address: &str) -> Self {
        Self { address: address.to_owned(), is_primary: true, is_confirmed: true }
    }

    /// Another address, confirmed.
    pub fn confirmed(address: &str) -> Self {
        Self { is_primary: false, ..Self::primary(address) }
    }

    /// Another address, not confirmed.
    pub fn unconfirmed(address: &str) -> Self {
        Self { is_confirmed: false, ..Self::confirmed(address) }
    }
}

#[derive(Clone)]
pub(crate) struct UserRecord {
    pub(crate) uuid: String,
    pub(crate) account_id: String,
    pub(crate) nickname: String,
    pub(crate) display_name: String,
    pub(crate) emails: Vec<Email>,
    /// Where the picture is; `None` is a page of the fake.
    avatar: Option<String>,
    created_at: Timestamp,
}

impl User {
    pub(super) fn named(fake: &Arc<Fake>, nickname: &str) -> Self {
        let mut state = fake.state();
        let known = state.users.iter().find(|user| user.nickname == nickname).map(|user| user.uuid.clone());
        let uuid = known.unwrap_or_else(|| {
            let user = UserRecord::new(state.uuid_named("user", nickname), nickname, state.now());
            let uuid = user.uuid.clone();
            state.users.push(user);
            uuid
        });
        Self { fake: Arc::clone(fake), uuid }
    }

    /// The immutable id, in braces.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Replaces the addresses; a new person has one, `<nickname>@example.com`, primary and confirmed.
    pub fn emails(&self, emails: &[Email]) -> &Self {
        self.change(|user| user.emails = emails.to_vec())
    }

    /// Changes the nickname; the uuid stays.
    pub fn rename(&self, nickname: &str) -> &Self {
        self.change(|user| nickname.clone_into(&mut user.nickname))
    }

    /// Changes the name that people read.
    pub fn display_name(&self, name: &str) -> &Self {
        self.change(|user| name.clone_into(&mut user.display_name))
    }

    /// Changes where the picture is: a new person's is a page of the fake, most real ones are elsewhere, over https.
    pub fn avatar(&self, url: &str) -> &Self {
        self.change(|user| user.avatar = Some(url.to_owned()))
    }

    /// The other immutable id.
    pub fn account_id(&self) -> String {
        self.fake.state().user(&self.uuid).map(|user| user.account_id.clone()).unwrap_or_default()
    }

    /// Makes a personal API token: the password beside the e-mail address in the API, beside
    /// `x-bitbucket-api-token-auth` in git. Its scopes have names such as `read:repository:bitbucket`; without one it is
    /// good for nothing. It ends after a year.
    pub fn api_token(&self, scopes: &[&str]) -> String {
        AccessToken::issue_api_token(&mut self.fake.state(), &self.uuid, scopes)
    }

    /// Revokes what the person granted to consumers: all of their OAuth tokens end.
    pub fn revoke_grants(&self) -> &Self {
        self.fake.state().revoke_grants(&self.uuid);
        self
    }

    fn change(&self, change: impl FnOnce(&mut UserRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.users.iter_mut().find(|user| user.uuid == self.uuid).expect("a person stays"));
        drop(state);
        self
    }
}

impl UserRecord {
    fn new(uuid: String, nickname: &str, now: Timestamp) -> Self {
        let capital: String = nickname.chars().take(1).flat_map(char::to_uppercase).collect();
        let rest: String = nickname.chars().skip(1).collect();
        Self {
            account_id: hex::encode(Sha256::digest(&uuid))[..24].to_owned(),
            uuid,
            nickname: nickname.to_owned(),
            display_name: format!("{capital}{rest} Example"),
            emails: vec![Email::primary(&format!("{nickname}@example.com"))],
            avatar: None,
            created_at: now,
        }
    }

    /// The person as others see them.
    pub(crate) fn to_json(&self, fake: &Fake) -> Value {
        let id = encoded(&self.uuid);
        let avatar = self.avatar.clone().unwrap_or_else(|| fake.site(&format!("/account/{id}/avatar/")));
        json!({
            "type": "user",
            "uuid": self.uuid,
            "account_id": self.account_id,
            "nickname": self.nickname,
            "display_name": self.display_name,
            "links": {
                "self": {"href": fake.api(&format!("/users/{id}"))},
                "html": {"href": fake.site(&format!("/{id}/"))},
                "avatar": {"href": avatar},
                "repositories": {"href": fake.api(&format!("/repositories/{id}"))},
            },
        })
    }

    /// The little that lists of permissions say of a person.
    pub(crate) fn to_condensed_json(&self) -> Value {
        json!({"type": "user", "uuid": self.uuid, "nickname": self.nickname, "display_name": self.display_name})
    }

    /// The person as they see themselves.
    fn own_json(&self, fake: &Fake) -> Value {
        let own = json!({
            "username": self.nickname,
            "account_status": "active",
            "created_on": instant(self.created_at),
            "is_staff": false,
            "has_2fa_enabled": null,
            "location": null,
            "website": null,
        });
        merged(self.to_json(fake), own)
    }
}

/// The keys of both objects; of a key that both have, the value of the second.
pub(crate) fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

/// `GET /2.0/user`
pub(crate) async fn show(Extract(fake): Extract<Arc<Fake>>, caller: Caller) -> Result<Json<Value>, ApiError> {
    caller.require(scope::USER)?;
    let state = fake.state();
    let account = match caller.actor() {
        Some(Actor::Person(uuid)) => state.user(uuid).map(|user| user.own_json(&fake)),
        Some(Actor::App(key)) => Some(pseudo_user(&fake, key, "consumer")),
        Some(Actor::Repository(uuid)) => Some(pseudo_user(&fake, uuid, "repository_access_token")),
        Some(Actor::Project(uuid)) => Some(pseudo_user(&fake, uuid, "project_access_token")),
        Some(Actor::Workspace(uuid)) => Some(pseudo_user(&fake, uuid, "workspace_access_token")),
        None => None,
    };
    account.map(Json).ok_or_else(|| ApiError::not_found("There is no such account."))
}

/// Who acts when no person does.
pub(crate) fn pseudo_user(fake: &Fake, name: &str, kind: &str) -> Value {
    let uuid = uuid_of("app_user", name);
    let link = fake.api(&format!("/users/{}", encoded(&uuid)));
    json!({
        "type": "app_user",
        "uuid": uuid,
        "account_id": hex::encode(Sha256::digest(name))[..24].to_owned(),
        "account_status": "active",
        "kind": kind,
        "display_name": format!("App {}", &name[..name.len().min(8)]),
        "created_on": "2026-01-01T00:00:00.000000+00:00",
        "links": {"self": {"href": link}},
    })
}

/// `GET /2.0/user/emails`
pub(crate) async fn emails(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    let values = own_emails(&fake, &caller)?.iter().map(|email| email_json(&fake, email)).collect();
    listing.answer(&fake, values)
}

/// `GET /2.0/user/emails/{email}`
pub(crate) async fn email(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(address): Path<String>,
) -> Result<Response, ApiError> {
    let emails = own_emails(&fake, &caller)?;
    let found = emails.iter().find(|email| email.address == address);
    let email =
        found.ok_or_else(|| ApiError::not_found(format!("{address} is not one of your addresses.")))?;
    Ok(Json(email_json(&fake, email)).into_response())
}

fn own_emails(fake: &Fake, caller: &Caller) -> Result<Vec<Email>, ApiError> {
    caller.require(scope::EMAIL)?;
    let state = fake.state();
    let user = caller.person().and_then(|uuid| state.user(uuid));
    Ok(user.map(|user| user.emails.clone()).unwrap_or_default())
}

fn email_json(fake: &Fake, email: &Email) -> Value {
    json!({
        "type": "email",
        "email": email.address,
        "is_primary": email.is_primary,
        "is_confirmed": email.is_confirmed,
        "links": {"self": {"href": fake.api(&format!("/user/emails/{}", email.address))}},
    })
}

/// `GET /2.0/users/{account_id or {uuid}}`
pub(crate) async fn profile(
    Extract(fake): Extract<Arc<Fake>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let state = fake.state();
    let found = state.users.iter().find(|user| user.uuid == id || user.account_id == id);
    let user = found.ok_or_else(|| ApiError::not_found(format!("No such user: {id}")))?;
    Ok(Json(user.to_json(&fake)))
}
