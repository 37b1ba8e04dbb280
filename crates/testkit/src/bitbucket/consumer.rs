//! OAuth consumers: made by a test, or by a person in a browser.

use super::{
    scope::{self, BOXES},
    session,
    state::Fake,
    token,
    user::User,
};
use crate::common::{
    chance,
    page::{self, Page, escape},
};
use axum::{
    body::Bytes,
    extract::{OriginalUri, Path, State as Extract},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use std::{fmt, fmt::Write as _, sync::Arc};
use url::form_urlencoded;

/// An OAuth consumer of the fake.
pub struct Consumer {
    fake: Arc<Fake>,
    key: String,
}

/// What a person's consent is worth.
#[derive(Clone)]
pub struct Tokens {
    /// Good for two hours; at Data Center for one.
    pub access: String,
    /// Good for three months, and for ten minutes after its first use; at Data Center only until then.
    pub refresh: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens([hidden])")
    }
}

#[derive(Clone)]
pub(crate) struct ConsumerRecord {
    pub(crate) key: String,
    pub(crate) secret: String,
    /// Uuid.
    pub(crate) workspace: String,
    pub(crate) name: String,
    /// Empty if there is none.
    pub(crate) callback: String,
    pub(crate) scopes: Vec<String>,
    /// Whether it may act for itself (`client_credentials`).
    pub(crate) is_private: bool,
}

impl Consumer {
    pub(super) fn create(fake: &Arc<Fake>, workspace: &str, callback: &str, scopes: &[&str]) -> Self {
        let consumer = ConsumerRecord {
            callback: callback.to_owned(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..ConsumerRecord::new(workspace)
        };
        let key = consumer.key.clone();
        fake.state().consumers.push(consumer);
        Self { fake: Arc::clone(fake), key }
    }

    /// "Key" on the consumer's page; the client id.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// "Secret" on the consumer's page.
    pub fn secret(&self) -> String {
        self.fake.state().consumer(&self.key).map(|consumer| consumer.secret.clone()).unwrap_or_default()
    }

    /// Gives it another secret; the old one stops working at once.
    pub fn rotate_secret(&self) -> &Self {
        self.change(|consumer| consumer.secret = chance(16))
    }

    /// Replaces the ticked permissions; tokens that were issued before keep theirs.
    pub fn scopes(&self, scopes: &[&str]) -> &Self {
        self.change(|consumer| consumer.scopes = scopes.iter().map(ToString::to_string).collect())
    }

    /// Replaces the callback URL; an empty text removes it.
    pub fn callback(&self, callback: &str) -> &Self {
        self.change(|consumer| callback.clone_into(&mut consumer.callback))
    }

    /// Ticks "This is a private consumer", so that it may use `client_credentials`.
    pub fn private(&self) -> &Self {
        self.change(|consumer| consumer.is_private = true)
    }

    /// What this person would get by granting access, without the trip through a browser.
    pub fn tokens_of(&self, nickname: &str) -> Tokens {
        let user = User::named(&self.fake, nickname);
        let mut state = self.fake.state();
        let scopes = state.consumer(&self.key).map(|consumer| consumer.scopes.clone()).unwrap_or_default();
        let (access, refresh) = token::issue_pair(&mut state, &self.key, user.uuid(), &scopes);
        Tokens { access, refresh }
    }

    /// What it would get for itself by `client_credentials`, were it private.
    pub fn own_token(&self) -> String {
        let mut state = self.fake.state();
        let scopes = state.consumer(&self.key).map(|consumer| consumer.scopes.clone()).unwrap_or_default();
        let answer = token::app_json(&mut state, &self.key, &scopes);
        answer["access_token"].as_str().unwrap_or_default().to_owned()
    }

    fn change(&self, change: impl FnOnce(&mut ConsumerRecord)) -> &Self {
        let mut state = self.fake.state();
        change(state.consumer_mut(&self.key).expect("a consumer stays"));
        drop(state);
        self
    }
}

impl ConsumerRecord {
    fn new(workspace: &str) -> Self {
        Self {
            key: chance(9),
            secret: chance(16),
            workspace: workspace.to_owned(),
            name: "Consumer".to_owned(),
            callback: String::new(),
            scopes: Vec::new(),
            is_private: false,
        }
    }

    /// What a person typed and ticked.
    fn fill(&mut self, form: &[u8]) {
        let fields: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
        let text = |name| {
            fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim()).to_owned()
        };
        self.name = text("name");
        self.callback = text("callback");
        self.is_private = !text("private").is_empty();
        let ticked = fields.iter().filter(|(key, _)| key == "scope").map(|(_, value)| value.clone());
        self.scopes = scope::with_forced_boxes(ticked.collect());
    }
}

/// The uuid of the workspace, for an owner who is logged in; everybody else gets a page.
#[expect(clippy::result_large_err, reason = "the page is the answer, and it is made once")]
fn owned(fake: &Fake, headers: &HeaderMap, slug: &str, back: &str) -> Result<String, Response> {
    let Some(user) = session::user(fake, headers) else { return Err(session::choice(fake, back)) };
    let state = fake.state();
    let workspace = state.workspace_named(slug).filter(|workspace| workspace.is_owner(&user));
    workspace.map(|workspace| workspace.uuid.clone()).ok_or_else(|| {
        let text = format!(
            "<p>Only an owner of the workspace {} may see its consumers.</p>\
             <p><a href=\"/account/signin?next={}\">Log in as somebody else</a></p>",
            escape(slug),
            page::query_value(back)
        );
        Page::new("Not allowed", text).with_status(StatusCode::FORBIDDEN).into_response()
    })
}

/// `GET /{workspace}/workspace/settings/oauth-consumers`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    Path(slug): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let workspace = match owned(&fake, &headers, &slug, uri.path()) {
        Ok(workspace) => workspace,
        Err(page) => return page,
    };
    let state = fake.state();
    let here = format!("/{}/workspace/settings/oauth-consumers", escape(&slug));
    let mut text = String::from("<ul>");
    for consumer in state.consumers.iter().filter(|consumer| consumer.workspace == workspace) {
        let _ = write!(text, "<li><a href=\"{here}/{}\">{}</a></li>", consumer.key, escape(&consumer.name));
    }
    let _ = write!(text, "</ul><p><a class=\"button\" href=\"{here}/new\">Add consumer</a></p>");
    Page::new("OAuth consumers", text).into_response()
}

/// `GET /{workspace}/workspace/settings/oauth-consumers/new`
pub(crate) async fn new(
    Extract(fake): Extract<Arc<Fake>>,
    Path(slug): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    match owned(&fake, &headers, &slug, uri.path()) {
        Err(page) => page,
        Ok(workspace) => {
            let empty = ConsumerRecord { name: String::new(), ..ConsumerRecord::new(&workspace) };
            form(&slug, "", &empty, "Add OAuth consumer")
        }
    }
}

/// `POST /{workspace}/workspace/settings/oauth-consumers`
pub(crate) async fn create(
    Extract(fake): Extract<Arc<Fake>>,
    Path(slug): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match owned(&fake, &headers, &slug, uri.path()) {
        Err(page) => page,
        Ok(workspace) => {
            let mut consumer = ConsumerRecord::new(&workspace);
            consumer.fill(&body);
            let location = format!("/{slug}/workspace/settings/oauth-consumers/{}", consumer.key);
            fake.state().consumers.push(consumer);
            Redirect::to(&location).into_response()
        }
    }
}

/// `GET /{workspace}/workspace/settings/oauth-consumers/{key}`: with Key and Secret
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    Path((slug, key)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    match find(&fake, &headers, (&slug, &key), uri.path()) {
        Err(page) => page,
        Ok(consumer) => {
            let granted = consumer.scopes.join(", ");
            let text = format!(
                "<p><label>Key <input readonly size=\"40\" value=\"{}\"></label></p>\
                 <p><label>Secret <input readonly size=\"40\" value=\"{}\"></label></p>\
                 <p>Callback URL: <code>{}</code></p><p>Permissions: <code>{}</code></p>\
                 <p><a class=\"button\" href=\"/{}/workspace/settings/oauth-consumers/{}/edit\">Edit</a></p>",
                consumer.key,
                consumer.secret,
                escape(&consumer.callback),
                escape(&granted),
                escape(&slug),
                consumer.key
            );
            Page::new(&consumer.name, text).into_response()
        }
    }
}

/// `GET /{workspace}/workspace/settings/oauth-consumers/{key}/edit`
pub(crate) async fn edit(
    Extract(fake): Extract<Arc<Fake>>,
    Path((slug, key)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    match find(&fake, &headers, (&slug, &key), uri.path()) {
        Err(page) => page,
        Ok(consumer) => form(&slug, &format!("/{key}"), &consumer, "Edit OAuth consumer"),
    }
}

/// `POST /{workspace}/workspace/settings/oauth-consumers/{key}`
pub(crate) async fn update(
    Extract(fake): Extract<Arc<Fake>>,
    Path((slug, key)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match find(&fake, &headers, (&slug, &key), uri.path()) {
        Err(page) => page,
        Ok(consumer) => {
            if let Some(consumer) = fake.state().consumer_mut(&consumer.key) {
                consumer.fill(&body);
            }
            Redirect::to(uri.path()).into_response()
        }
    }
}

#[expect(clippy::result_large_err, reason = "the page is the answer, and it is made once")]
fn find(fake: &Fake, headers: &HeaderMap, at: (&str, &str), back: &str) -> Result<ConsumerRecord, Response> {
    let workspace = owned(fake, headers, at.0, back)?;
    let found = fake.state().consumer(at.1).filter(|consumer| consumer.workspace == workspace).cloned();
    found.ok_or_else(|| page::not_found("There is no such consumer."))
}

fn form(slug: &str, below: &str, consumer: &ConsumerRecord, title: &str) -> Response {
    let text = format!(
        "<form method=\"post\" action=\"/{slug}/workspace/settings/oauth-consumers{below}\">\
         <p><label>Name <input name=\"name\" required value=\"{name}\"></label></p>\
         <p><label>Description <input name=\"description\"></label></p>\
         <p><label>Callback URL <input name=\"callback\" size=\"70\" value=\"{callback}\"></label></p>\
         <p><label>URL <input name=\"url\" size=\"70\"></label></p>\
         <p><label><input type=\"checkbox\" name=\"private\" value=\"1\"{private}> This is a private consumer</label></p>\
         <h2>Permissions</h2>{boxes}<p><button>Save</button></p></form>",
        slug = escape(slug),
        name = escape(&consumer.name),
        callback = escape(&consumer.callback),
        private = if consumer.is_private { " checked" } else { "" },
        boxes = page::boxes(&BOXES, &consumer.scopes),
    );
    Page::new(title, text).into_response()
}
