//! People, and how the API shows them.

use super::{
    caller::Caller,
    error::ApiError,
    listing::Listing,
    permission::{self, Who},
    state::{Fake, State},
    token::HttpToken,
};
use axum::{
    Json,
    extract::{Path, State as Extract},
    response::Response,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// A person of the fake Data Center; the user name names them in the functions of this crate.
pub struct User {
    fake: Arc<Fake>,
    id: u32,
}

#[derive(Clone)]
pub(crate) struct UserRecord {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) slug: String,
    display_name: String,
    email: Option<String>,
    pub(crate) is_active: bool,
    is_service: bool,
    /// Whether it stands for an HTTP access token, and is in no list.
    is_token: bool,
    pub(crate) global: Option<Global>,
}

/// A right over the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Global {
    Admin,
    SystemAdmin,
}

impl User {
    pub(super) fn named(fake: &Arc<Fake>, name: &str) -> Self {
        let mut state = fake.state();
        let known = state.user_named(name).map(|user| user.id);
        let id = known.unwrap_or_else(|| {
            let user = UserRecord::new(state.id_new("user"), name);
            let id = user.id;
            state.users.push(user);
            id
        });
        Self { fake: Arc::clone(fake), id }
    }

    /// The immutable id. Somebody who is deleted and made again has another one.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What stands in paths: the name in lower case, with `_` for what would not do there.
    pub fn slug(&self) -> String {
        self.fake.state().user(self.id).map(|user| user.slug.clone()).unwrap_or_default()
    }

    /// Changes the user name, and the slug with it; the id stays.
    pub fn rename(&self, name: &str) -> &Self {
        self.change(|user| {
            name.clone_into(&mut user.name);
            user.slug = slug(name);
        })
    }

    /// Gives the person a slug that does not follow from the name.
    pub fn with_slug(&self, slug: &str) -> &Self {
        self.change(|user| slug.clone_into(&mut user.slug))
    }

    /// Changes the name that people read.
    pub fn display_name(&self, name: &str) -> &Self {
        self.change(|user| name.clone_into(&mut user.display_name))
    }

    /// Replaces the address, also by one that somebody else has; a new person has `<name>@example.com`.
    pub fn email(&self, address: &str) -> &Self {
        self.change(|user| user.email = Some(address.to_owned()))
    }

    /// Removes the address.
    pub fn without_email(&self) -> &Self {
        self.change(|user| user.email = None)
    }

    /// Makes the person an "Admin", who may administer links and every repository.
    pub fn admin(&self) -> &Self {
        self.change(|user| user.global = Some(Global::Admin))
    }

    /// Makes the person a "System admin".
    pub fn system_admin(&self) -> &Self {
        self.change(|user| user.global = Some(Global::SystemAdmin))
    }

    /// Takes back what `admin` and `system_admin` gave.
    pub fn no_admin(&self) -> &Self {
        self.change(|user| user.global = None)
    }

    /// Puts the person into these groups and takes them out of all others; new groups are made.
    pub fn groups(&self, names: &[&str]) -> &Self {
        let mut state = self.fake.state();
        state.groups.values_mut().for_each(|members| {
            members.remove(&self.id);
        });
        for name in names {
            state.groups.entry((*name).to_owned()).or_default().insert(self.id);
        }
        drop(state);
        self
    }

    /// Makes it a user of type `SERVICE`, who is no person.
    pub fn service(&self) -> &Self {
        self.change(|user| user.is_service = true)
    }

    /// Deactivates the person: credentials stop working.
    pub fn deactivate(&self) -> &Self {
        self.change(|user| user.is_active = false)
    }

    /// Undoes `deactivate`.
    pub fn activate(&self) -> &Self {
        self.change(|user| user.is_active = true)
    }

    /// Makes a personal HTTP access token: Bearer in the API, the password beside the user name in git.
    pub fn http_token(&self, permissions: &[&str]) -> String {
        HttpToken::issue(&self.fake, Who::User(self.id), permissions)
    }

    /// Deletes the person; credentials stop working.
    pub fn delete(self) {
        let mut state = self.fake.state();
        state.users.retain(|user| user.id != self.id);
        state.groups.values_mut().for_each(|members| {
            members.remove(&self.id);
        });
        state.revoke(self.id);
    }

    fn change(&self, change: impl FnOnce(&mut UserRecord)) -> &Self {
        let mut state = self.fake.state();
        let user = state.users.iter_mut().find(|user| user.id == self.id);
        change(user.expect("a person stays until they are deleted"));
        drop(state);
        self
    }
}

impl UserRecord {
    fn new(id: u32, name: &str) -> Self {
        let first = name.split('@').next().unwrap_or(name);
        let capital: String = first.chars().take(1).flat_map(char::to_uppercase).collect();
        let rest: String = first.chars().skip(1).collect();
        Self {
            id,
            name: name.to_owned(),
            slug: slug(name),
            display_name: format!("{capital}{rest} Example"),
            email: Some(if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") }),
            is_active: true,
            is_service: false,
            is_token: false,
            global: None,
        }
    }

    /// The id of the service user behind the HTTP access tokens of a project or a repository; a new one is made.
    pub(super) fn of_token(state: &mut State, noun: &str, id: u32) -> u32 {
        let name = format!("access-token-user/{noun}/{id}");
        if let Some(known) = state.user_named(&name) {
            return known.id;
        }
        let user =
            Self { is_service: true, is_token: true, email: None, ..Self::new(state.id_new("user"), &name) };
        let id = user.id;
        state.users.push(user);
        id
    }

    pub(crate) fn is_system_admin(&self) -> bool {
        self.global == Some(Global::SystemAdmin)
    }

    /// A person with an account, and not a machine: whom default permissions are for.
    pub(crate) fn is_licensed(&self) -> bool {
        self.is_active && !self.is_service
    }

    /// As the API shows it; an address that is missing is left out.
    pub(crate) fn to_json(&self, fake: &Fake, state: &State) -> Value {
        let mut user = json!({
            "name": self.name,
            "slug": self.slug,
            "id": self.id,
            "displayName": self.display_name,
            "active": self.is_active,
            "type": if self.is_service { "SERVICE" } else { "NORMAL" },
            "links": {"self": [{"href": fake.url(state, &format!("/users/{}", self.slug))}]},
        });
        if let Some(email) = &self.email {
            user["emailAddress"] = json!(email);
        }
        user
    }

    fn matches(&self, filter: &str) -> bool {
        let texts = [Some(&self.name), Some(&self.display_name), self.email.as_ref()];
        texts.into_iter().flatten().any(|text| text.to_lowercase().contains(filter))
    }
}

/// The name in lower case, with `_` for what would not do in a path.
fn slug(name: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    name.chars().map(|c| if fits(c) { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// `GET /rest/api/1.0/users/{slug}`: not by name
pub(crate) async fn show(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(slug): Path<String>,
    listing: Listing,
) -> Result<Json<Value>, ApiError> {
    caller.user()?;
    let state = fake.state();
    let user = state.user_with_slug(&slug).ok_or_else(|| ApiError::no_user(&slug))?;
    let mut body = user.to_json(&fake, &state);
    if let Some(size) = listing.parameter("avatarSize") {
        body["avatarUrl"] = json!(fake.path(&format!("/users/{slug}/avatar.png?s={size}")));
    }
    Ok(Json(body))
}

/// `GET /rest/api/1.0/users?filter=&group=&permission.1=`
pub(crate) async fn list(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.user()?;
    let state = fake.state();
    let filter = listing.parameter("filter").map(str::to_lowercase);
    let group = listing.parameter("group").map(|name| state.group_named(name).cloned().unwrap_or_default());
    let wanted = permission::Wanted::read(&listing, &state)?;
    let is_listed = |user: &UserRecord| {
        !user.is_token
            && filter.as_ref().is_none_or(|filter| user.matches(filter))
            && group.as_ref().is_none_or(|members| members.contains(&user.id))
            && wanted.iter().all(|wanted| wanted.is_met_by(&state, user))
    };
    listing.answer(state.users.iter(), |user| is_listed(user).then(|| user.to_json(&fake, &state)))
}

/// `GET /rest/api/1.0/groups?filter=`: names, as plain texts
pub(crate) async fn groups(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    caller.user()?;
    let filter = listing.parameter("filter").unwrap_or_default().to_lowercase();
    let state = fake.state();
    let is_named = |name: &String| name.to_lowercase().contains(&filter);
    listing.answer(state.groups.keys(), |name| is_named(name).then(|| json!(name)))
}

/// `GET /rest/api/1.0/admin/groups/more-members?context=`: the members of a group; for admins before 9.4
pub(crate) async fn group_members(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    listing: Listing,
) -> Result<Response, ApiError> {
    let state = fake.state();
    let user = caller.user()?;
    let is_admin = state.user(user).is_some_and(|user| user.global.is_some()) && caller.has("ADMIN_WRITE");
    if !is_admin && !state.version.shows_groups_to_everybody() {
        return Err(ApiError::not_permitted());
    }
    let name = listing.parameter("context").unwrap_or_default();
    let members = state.groups.get(name).cloned().unwrap_or_default();
    let users = members.iter().filter_map(|id| state.user(*id));
    listing.answer(users, |user| Some(user.to_json(&fake, &state)))
}
