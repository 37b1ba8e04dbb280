//! What the fake remembers.

use super::{
    DataCenterOptions,
    bucket::Buckets,
    link::{External, LinkRecord},
    oauth1::{AccessToken, RequestToken},
    project::ProjectRecord,
    repository::RepositoryRecord,
    token::{Code, HttpToken, Pair},
    user::UserRecord,
    version::Version,
    webhook::WebhookRecord,
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
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};
use tempfile::TempDir;
use tokio::runtime::Handle;

/// The fake: shared by the handles of the tests and the handlers of the requests.
pub(crate) struct Fake {
    /// `http://127.0.0.1:41234`
    origin: String,
    /// `/bitbucket`, or empty.
    context: String,
    /// Who delivers what webhooks are told.
    pub(crate) courier: Courier,
    folder: TempDir,
    state: Mutex<State>,
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) version: Version,
    pub(crate) users: Vec<UserRecord>,
    /// Ids of users by the name of their group.
    pub(crate) groups: BTreeMap<String, BTreeSet<u32>>,
    pub(crate) projects: Vec<ProjectRecord>,
    pub(crate) repositories: Vec<RepositoryRecord>,
    pub(crate) links: Vec<LinkRecord>,
    pub(crate) webhooks: Vec<WebhookRecord>,
    pub(crate) deliveries: Vec<Delivery>,
    /// OAuth 2 codes that were not redeemed yet, by their text.
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) pairs: Vec<Pair>,
    /// By their text.
    pub(crate) http_tokens: HashMap<String, HttpToken>,
    /// OAuth 1 request tokens by their text.
    pub(crate) request_tokens: HashMap<String, RequestToken>,
    /// OAuth 1 access tokens by their text.
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    /// Consumer key, timestamp and nonce of every signed request.
    pub(crate) nonces: HashSet<(String, String, String)>,
    /// Browsers that are logged in: the id of the user by the text of the cookie.
    pub(crate) sessions: HashMap<String, u32>,
    pub(crate) record: Record,
    pub(crate) plans: Plans,
    pub(crate) switches: Switches,
    /// By this clock things grow old.
    pub(crate) age: Clock,
    /// The clock on the wall of the server: its `Date`, and what it takes for the time of a signed request.
    pub(crate) wall: Clock,
    last_ids: HashMap<&'static str, u32>,
}

/// Behaviour that differs between installations.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Switches {
    /// The base URL that the server believes it has.
    pub(crate) believes: Option<String>,
    /// OAuth 2 is off unless the base URL is https, and takes https redirects only.
    pub(crate) https_only: bool,
    /// Whether a refresh works without `redirect_uri`.
    pub(crate) refresh_without_redirect: bool,
    /// Whether versions from 8 on refuse OAuth 1.
    pub(crate) oauth1_refused: bool,
    /// A wrong credential makes a request anonymous, and not 401.
    pub(crate) anonymous_instead: bool,
    /// Who intercepts requests, and how.
    pub(crate) two_factor: Option<TwoFactor>,
    /// Whether the plugin intercepts requests without a credential, too.
    pub(crate) two_factor_for_anonymous: bool,
    /// "Enable OAuth whitelist" of the plugin.
    pub(crate) oauth_whitelist: bool,
    /// Whether a single sign-on proxy stands before everything.
    pub(crate) single_sign_on: bool,
    /// Requests of logged-in callers that are still answered before 429, and what the 429 says.
    pub(crate) requests_left: Option<(u32, RateLimit)>,
    /// How much every caller may ask.
    pub(crate) buckets: Option<Buckets>,
    /// The longest page of a list, if it is not Bitbucket's own.
    pub(crate) page_limit_at_most: Option<usize>,
    /// What happens to deliveries.
    pub(crate) mishaps: Mishaps,
}

/// What a two-factor plugin does with a request whose user has not passed the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwoFactor {
    /// 302 to its own page below `/plugins/servlet/tfa`.
    Redirect,
    /// 200 with its page as HTML.
    HtmlPage,
}

/// What an answer 429 says besides its status and an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Nothing.
    Silent,
    /// `Retry-After` and the `X-RateLimit-` headers.
    Announced,
}

impl Fake {
    pub(crate) fn new(options: &DataCenterOptions, origin: String, runtime: Handle) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (context, state) = (options.context.clone(), Mutex::new(State::new(options.version)));
        Self { origin, context, courier: Courier::new(runtime), folder, state }
    }

    /// Never held across an await or a run of git.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no handler of the fake panicked before")
    }

    /// Where it really is, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        format!("{}{}", self.origin, self.context)
    }

    /// A path of the fake, as browsers know it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}{below}", self.context)
    }

    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    /// A URL of the fake, as the fake knows it.
    pub(crate) fn url(&self, state: &State, below: &str) -> String {
        let base = state.switches.believes.clone().unwrap_or_else(|| self.base());
        format!("{base}{below}")
    }

    pub(crate) fn repository_folder(&self, id: u32) -> PathBuf {
        self.folder.path().join(format!("{id}.git"))
    }
}

impl State {
    fn new(version: Version) -> Self {
        Self {
            version,
            users: Vec::new(),
            groups: BTreeMap::new(),
            projects: Vec::new(),
            repositories: Vec::new(),
            links: Vec::new(),
            webhooks: Vec::new(),
            deliveries: Vec::new(),
            codes: HashMap::new(),
            pairs: Vec::new(),
            http_tokens: HashMap::new(),
            request_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
            nonces: HashSet::new(),
            sessions: HashMap::new(),
            record: Record::default(),
            plans: Plans::default(),
            switches: Switches::default(),
            age: Clock::default(),
            wall: Clock::default(),
            last_ids: HashMap::new(),
        }
    }

    /// The instant by which things grow old.
    pub(crate) fn now(&self) -> Timestamp {
        self.age.now()
    }

    /// A number that no other of this noun has or had, from 1 on.
    pub(crate) fn id_new(&mut self, noun: &'static str) -> u32 {
        let last = self.last_ids.entry(noun).or_default();
        *last += 1;
        *last
    }

    pub(crate) fn user(&self, id: u32) -> Option<&UserRecord> {
        self.users.iter().find(|user| user.id == id)
    }

    /// User names are compared without regard to case.
    pub(crate) fn user_named(&self, name: &str) -> Option<&UserRecord> {
        self.users.iter().find(|user| user.name.eq_ignore_ascii_case(name))
    }

    /// Names of groups are compared without regard to case.
    pub(crate) fn group_named(&self, name: &str) -> Option<&BTreeSet<u32>> {
        let mut groups = self.groups.iter();
        groups.find(|(group, _)| group.eq_ignore_ascii_case(name)).map(|(_, members)| members)
    }

    pub(crate) fn user_with_slug(&self, slug: &str) -> Option<&UserRecord> {
        self.users.iter().find(|user| user.slug == slug)
    }

    pub(crate) fn project(&self, id: u32) -> Option<&ProjectRecord> {
        self.projects.iter().find(|project| project.id == id)
    }

    /// Keys are compared without regard to case.
    pub(crate) fn project_with_key(&self, key: &str) -> Option<&ProjectRecord> {
        self.projects.iter().find(|project| project.key.eq_ignore_ascii_case(key))
    }

    pub(crate) fn repository(&self, id: u32) -> Option<&RepositoryRecord> {
        self.repositories.iter().find(|repository| repository.id == id)
    }

    pub(crate) fn repository_at(&self, key: &str, slug: &str) -> Option<&RepositoryRecord> {
        let project = self.project_with_key(key)?.id;
        self.repositories
            .iter()
            .find(|repository| repository.project == project && repository.slug.eq_ignore_ascii_case(slug))
    }

    pub(crate) fn link(&self, id: u32) -> Option<&LinkRecord> {
        self.links.iter().find(|link| link.id == id)
    }

    pub(crate) fn external_link(&self, id: u32) -> Option<(&LinkRecord, &External)> {
        let link = self.link(id)?;
        Some((link, link.external()?))
    }

    pub(crate) fn link_mut(&mut self, id: u32) -> Option<&mut LinkRecord> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    /// Forgets what this user's consent was worth.
    pub(crate) fn revoke(&mut self, user: u32) {
        self.codes.retain(|_, code| code.user != user);
        self.pairs.retain(|pair| pair.user != user);
        self.access_tokens.retain(|_, token| token.user != user);
    }
}
