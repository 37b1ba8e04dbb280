//! What the fake remembers.

use super::{
    consumer::ConsumerRecord,
    limit::Limit,
    lists::{Counted, Lists},
    permission::Right,
    repository::RepositoryRecord,
    token::{AccessToken, Code, RefreshToken},
    user::UserRecord,
    webhook::WebhookRecord,
    workspace::WorkspaceRecord,
};
use crate::{
    Delivery,
    common::{
        clock::Clock,
        courier::{Courier, Mishaps},
        fault::Plans,
        record::Record,
    },
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, HashSet},
    iter,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};
use tempfile::TempDir;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The fake: shared by the handles of the tests and the handlers of the requests.
pub(crate) struct Fake {
    /// `http://127.0.0.1:41234`, without a slash at the end.
    pub(crate) base: String,
    /// Who delivers what webhooks are told.
    pub(crate) courier: Courier,
    folder: TempDir,
    state: Mutex<State>,
}

/// Everything that changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) users: Counted<Vec<UserRecord>>,
    pub(crate) workspaces: Counted<Vec<WorkspaceRecord>>,
    /// The uuid of everything that has a name, and of what had one and is gone.
    uuids: HashSet<String>,
    pub(crate) repositories: Counted<Vec<RepositoryRecord>>,
    /// Permissions, as they were listed.
    pub(crate) rights: Lists<Right>,
    /// Repositories by their position, as they were listed.
    pub(crate) shown: Lists<usize>,
    pub(crate) consumers: Vec<ConsumerRecord>,
    pub(crate) webhooks: Vec<WebhookRecord>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Authorization codes that were not redeemed yet, by their text.
    pub(crate) codes: HashMap<String, Code>,
    /// By their text.
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    /// By their text.
    pub(crate) refresh_tokens: HashMap<String, RefreshToken>,
    /// Browsers that are logged in: the uuid of the user by the text of the cookie.
    pub(crate) sessions: HashMap<String, String>,
    pub(crate) record: Record,
    pub(crate) plans: Plans,
    pub(crate) switches: Switches,
    pub(crate) clock: Clock,
}

/// Behaviour that has two forms in the wild.
#[derive(Default)]
pub(crate) struct Switches {
    /// Token answers say `scopes`, as before 4 May 2026, and not `scope`.
    pub(crate) scopes_key: bool,
    /// A `redirect_uri` may also begin with the callback URL.
    pub(crate) redirect_prefix: bool,
    /// API requests that are still answered before 429.
    pub(crate) requests_left: Option<u32>,
    /// API requests that everybody may send in an hour.
    pub(crate) limit: Option<Limit>,
    /// API requests that are still answered before every OAuth access token ends.
    pub(crate) oauth_requests_left: Option<u32>,
    /// The longest page of a list, if it is not Bitbucket's own.
    pub(crate) page_length_at_most: Option<usize>,
    /// What happens to deliveries.
    pub(crate) mishaps: Mishaps,
}

impl Fake {
    pub(crate) fn new(base: String, runtime: Handle) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { base, courier: Courier::new(runtime), folder, state: Mutex::default() }
    }

    /// Never held across an await or a run of git.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no handler of the fake panicked before")
    }

    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}/2.0{path}", self.base)
    }

    pub(crate) fn site(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn repository_folder(&self, uuid: &str) -> PathBuf {
        self.folder.path().join(format!("{}.git", uuid.trim_matches(['{', '}'])))
    }
}

impl State {
    /// The fake's own time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn user(&self, uuid: &str) -> Option<&UserRecord> {
        self.users.iter().find(|user| user.uuid == uuid)
    }

    pub(crate) fn workspace(&self, uuid: &str) -> Option<&WorkspaceRecord> {
        self.workspaces.iter().find(|workspace| workspace.uuid == uuid)
    }

    pub(crate) fn workspace_mut(&mut self, uuid: &str) -> Option<&mut WorkspaceRecord> {
        self.workspaces.iter_mut().find(|workspace| workspace.uuid == uuid)
    }

    /// A uuid for something new that nothing else has or had: what was renamed or deleted keeps its own.
    pub(crate) fn uuid_named(&mut self, noun: &str, name: &str) -> String {
        let names = iter::once(name.to_owned()).chain((2..).map(|number| format!("{name} {number}")));
        let mut uuids = names.map(|name| uuid_of(noun, &name));
        uuids.find(|uuid| self.uuids.insert(uuid.clone())).expect("the names do not end")
    }

    /// Changes whenever people, workspaces or repositories do.
    pub(crate) fn revision(&self) -> u64 {
        self.users.changes() + self.workspaces.changes() + self.repositories.changes()
    }

    /// By slug or by `{uuid}`.
    pub(crate) fn workspace_named(&self, id: &str) -> Option<&WorkspaceRecord> {
        self.workspaces.iter().find(|workspace| workspace.slug == id || workspace.uuid == id)
    }

    pub(crate) fn repository(&self, uuid: &str) -> Option<&RepositoryRecord> {
        self.repositories.iter().find(|repository| repository.uuid == uuid)
    }

    pub(crate) fn repository_mut(&mut self, uuid: &str) -> Option<&mut RepositoryRecord> {
        self.repositories.iter_mut().find(|repository| repository.uuid == uuid)
    }

    /// By slug or by `{uuid}`; the workspace may be `{}` before a `{uuid}`.
    pub(crate) fn repository_named(&self, workspace: &str, id: &str) -> Option<&RepositoryRecord> {
        if workspace == "{}" {
            return self.repository(id);
        }
        let workspace = &self.workspace_named(workspace)?.uuid;
        self.repositories.iter().find(|repository| {
            repository.workspace == *workspace && (repository.slug == id || repository.uuid == id)
        })
    }

    pub(crate) fn consumer(&self, key: &str) -> Option<&ConsumerRecord> {
        self.consumers.iter().find(|consumer| consumer.key == key)
    }

    pub(crate) fn consumer_mut(&mut self, key: &str) -> Option<&mut ConsumerRecord> {
        self.consumers.iter_mut().find(|consumer| consumer.key == key)
    }
}

/// A uuid in braces, the same one for the same words, so that snapshots stay as they are.
pub(crate) fn uuid_of(noun: &str, name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("{noun}:{name}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid_braced(bytes)
}

/// A new uuid in braces.
pub(crate) fn uuid_new() -> String {
    uuid_braced(rand::random())
}

fn uuid_braced(bytes: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .braced()
        .encode_lower(&mut Uuid::encode_buffer())
        .to_owned()
}

/// An instant as Bitbucket writes it: microseconds and `+00:00`.
pub(crate) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// A uuid in braces as it stands in a path.
pub(crate) fn encoded(uuid: &str) -> String {
    uuid.replace('{', "%7B").replace('}', "%7D")
}
