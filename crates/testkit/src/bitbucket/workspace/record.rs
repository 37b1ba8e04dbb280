//! What is known of a workspace.

use crate::bitbucket::{
    project::ProjectRecord,
    state::{Fake, State, encoded, instant, uuid_of},
    user::UserRecord,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Clone)]
pub(crate) struct WorkspaceRecord {
    pub(crate) uuid: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    /// Uuids of people, in the order in which they came.
    members: Vec<String>,
    /// What each of them is.
    roles: HashMap<String, Role>,
    /// Uuids of people by the slug of their group.
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
    /// The first is where new repositories are.
    pub(crate) projects: Vec<ProjectRecord>,
    created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Owner,
    Member,
    /// A member whom the API calls something else.
    Other(String),
}

impl WorkspaceRecord {
    pub(super) fn new(slug: &str, uuid: String, now: Timestamp) -> Self {
        let capital: String = slug.chars().take(1).flat_map(char::to_uppercase).collect();
        let rest: String = slug.chars().skip(1).collect();
        let name = format!("{capital}{rest}");
        let projects = vec![ProjectRecord::new(uuid_of("project", &uuid), "PHP", "PHP libraries", now)];
        let (members, roles, groups) = (Vec::new(), HashMap::new(), BTreeMap::new());
        Self { uuid, slug: slug.to_owned(), name, members, roles, groups, projects, created_at: now }
    }

    pub(crate) fn role(&self, user: &str) -> Option<&Role> {
        self.roles.get(user)
    }

    pub(crate) fn is_owner(&self, user: &str) -> bool {
        self.role(user) == Some(&Role::Owner)
    }

    pub(crate) fn is_member(&self, user: &str) -> bool {
        self.role(user).is_some()
    }

    /// Takes somebody in, or changes what they are.
    pub(super) fn put(&mut self, user: &str, role: Role) {
        self.members.retain(|uuid| uuid != user);
        self.members.push(user.to_owned());
        self.roles.insert(user.to_owned(), role);
    }

    /// Takes somebody out, also of every group.
    pub(super) fn remove(&mut self, user: &str) {
        self.members.retain(|uuid| uuid != user);
        self.roles.remove(user);
        self.groups.values_mut().for_each(|members| {
            members.remove(user);
        });
    }

    /// The slugs of the groups that somebody is in.
    pub(crate) fn groups_of(&self, user: &str) -> impl Iterator<Item = &str> {
        self.groups.iter().filter(move |(_, members)| members.contains(user)).map(|(slug, _)| slug.as_str())
    }

    pub(crate) fn project(&self, uuid: &str) -> Option<&ProjectRecord> {
        self.projects.iter().find(|project| project.uuid == uuid)
    }

    /// As it stands inside other objects.
    pub(crate) fn to_condensed_json(&self, fake: &Fake) -> Value {
        json!({
            "type": "workspace",
            "uuid": self.uuid,
            "slug": self.slug,
            "name": self.name,
            "links": {
                "self": {"href": fake.api(&format!("/workspaces/{}", self.slug))},
                "html": {"href": fake.site(&format!("/{}/", self.slug))},
                "avatar": {"href": fake.site(&format!("/workspaces/{}/avatar/", self.slug))},
            },
        })
    }

    pub(super) fn to_json(&self, fake: &Fake) -> Value {
        let mut workspace = self.to_condensed_json(fake);
        workspace["is_private"] = json!(true);
        workspace["created_on"] = json!(instant(self.created_at));
        workspace["updated_on"] = json!(instant(self.created_at));
        for (name, path) in [
            ("members", format!("/workspaces/{}/members", self.slug)),
            ("owners", format!("/workspaces/{}/permissions?q=permission%3D%22owner%22", self.slug)),
            ("projects", format!("/workspaces/{}/projects", self.slug)),
            ("repositories", format!("/repositories/{}", self.slug)),
        ] {
            workspace["links"][name] = json!({"href": fake.api(&path)});
        }
        workspace
    }

    /// As an owner it is only found in lists of repositories.
    pub(crate) fn to_owner_json(&self, fake: &Fake) -> Value {
        let mut owner = self.to_condensed_json(fake);
        owner["type"] = json!("team");
        owner["display_name"] = json!(self.name);
        owner
    }

    pub(super) fn membership_json(&self, fake: &Fake, user: &UserRecord) -> Value {
        let path = format!("/workspaces/{}/members/{}", self.slug, encoded(&user.uuid));
        json!({
            "type": "workspace_membership",
            "user": user.to_json(fake),
            "workspace": self.to_condensed_json(fake),
            "links": {"self": {"href": fake.api(&path)}},
        })
    }

    pub(crate) fn memberships<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (&'a UserRecord, &'a Role)> {
        self.members.iter().filter_map(|uuid| Some((state.user(uuid)?, self.role(uuid)?)))
    }
}

impl Role {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Other(name) => name,
        }
    }
}
