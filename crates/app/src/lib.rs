//! The use cases: the only room with a clock, randomness and keys; jobs are run here.
//!
//! A use case is a method of [`App`], in the file of its noun. It takes an [`Actor`] and what was typed, asks whether the
//! actor may, and returns what the page shows or a [`Failure`].

mod access;
mod account;
mod actor;
mod advisory;
pub mod archive;
mod artifact;
mod change;
mod check;
mod clock;
mod composer;
mod credential;
mod definition;
mod dist;
mod endpoint;
mod entropy;
mod export;
mod failure;
mod fetch;
mod filter;
mod garbage;
mod identity;
mod import;
mod install;
mod integration;
mod issuer;
mod job;
mod key_pair;
mod keys;
mod level;
mod limit;
mod locks;
mod log;
mod login;
mod login_link;
mod mail;
mod member;
mod metrics;
mod mirror;
mod news;
mod organization;
mod package;
mod publish;
mod reader;
mod readme;
mod registration;
mod repository;
mod scan;
mod search;
mod security;
mod setting;
mod setup;
mod sign_in;
mod source_access;
mod start;
mod synchronization;
mod team;
mod token;
mod update;
mod user;
mod warm;
mod website;

pub use access::{
    AccessForm, AccessFound, AccessRule, AccessView, Authority, LogInThrough, PackageAccess, PackageReading,
    PersonAccess, PersonReading, StrangerReading, WorkspaceStanding,
};
pub use account::Account;
pub use actor::{Actor, Visitor, Within};
pub use advisory::{AdvisoryForm, AdvisoryLine};
pub use artifact::{
    ArtifactForm, ArtifactPush, ArtifactView, PushedArtifact, Upload, too_large as upload_too_large,
};
pub use change::{ChangeAction, ChangeFeed, ChangeKind};
pub use check::CheckBegun;
pub use clock::Clock;
pub use composer::{Metadata, Reader};
pub use credential::{CredentialForm, CredentialLine, CredentialSaved, CredentialTrial, CredentialView};
pub use definition::DefinitionForm;
pub use endpoint::{EndpointsView, FailingEndpoint};
pub use export::{ExportAsked, ExportEvent, Exported, LeftOut};
pub use failure::{Failure, Problems};
pub use garbage::Garbage;
pub use import::{ImportForm, ImportReport, ImportState, ImportView};
pub use install::Told;
pub use integration::{
    ApplicationLink, Changeover, Doubt, Found, IntegrationEffect, IntegrationForm, IntegrationSaved, Look,
};
pub use issuer::{Answer, Authorized, Call, CallRefused, Credentials, LogOut, Tokens, UserInfo, Why};
pub use issuer::{
    Button, Door, Guest, Issuer, IssuerAccount, IssuerArrival, IssuerBrowser, Knock, SignedIn, SiteBrowser,
    Standing, VisitStep,
};
pub use job::{JobLine, JobPage, JobSubject};
pub use level::Level;
pub use limit::network;
pub use log::LogPage;
pub use login::PasswordForm;
pub use login_link::LoginLink;
pub use mail::{MailRoute, MailServer, MailSettings};
pub use member::{KnownLine, MemberLine, MemberListView, PeoplePage, PeopleSearch};
pub use metrics::Metrics;
pub use mirror::{
    MirrorAddForm, MirrorAddLine, MirrorAdded, MirrorFault, MirrorForm, MirrorLine, MirrorListView,
    MirrorView, Mirrorable,
};
pub use organization::{OrganizationForm, OrganizationView};
pub use package::{Dependents, PackageFilter, PackageView};
pub use registration::{RegistrationForm, RegistrationView};
pub use repository::{RepositoryForm, RepositoryView};
pub use search::{FoundPackage, PackageSearch, SearchPage};
pub use security::SecurityForm;
pub use setting::ConfigurationForm;
pub use setup::Checklist;
pub use sign_in::{Arrival, Departure};
pub use source_access::AccessChoice;
pub use start::{KeySource, Settings, StartError};
pub use synchronization::{
    ChosenWorkspace, Ending, FollowedLine, OfferedWorkspace, Promotion, RepositoryFilter, RepositoryListView,
    RepositorySearch, RepositoryState, Ring, RoleChange, SynchronizationForm, SynchronizationLine,
    SynchronizationListView, SynchronizationView, WorkspaceChoice, WorkspaceOffer,
};
pub use team::{TeamForm, TeamListView, TeamView};
pub use token::{NewToken, TokenForm, TokenView};
pub use website::{
    ClientForm, EventPage, Finding, KeyLine, KeyState, MemberAddress, MemberPage, MemberSearch, MemberView,
    NewClient, WebsiteForm, WebsiteLine, WebsiteView,
};
pub use website::{
    Held, ProviderForm, RevisionView, SettingForm, SettingView, email_choices, setting_changes,
};

use bytes::Bytes;
use ipnet::IpNet;
use keys::Keys;
use locks::Locks;
use stave_domain::{
    Timestamp,
    id::{IdentityId, IntegrationId, OrganizationId, RepositoryId},
    mirror::Mirror,
    outbound::Outbound,
};
use stave_storage::{Blobs, Storage};
use stave_upstream::HttpClient;
use std::{
    collections::HashMap,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::{Notify, Semaphore};
use url::Url;
use warm::{Answers, Documents, FoundDist, Shelf, Warm};
pub use warm::{DistBytes, DistFile, Text};

/// The application: everything that Stave can do, whoever asks. Clones share one state.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
}

/// What all clones of an [`App`] share; nothing of it can be touched from outside.
pub struct Shared {
    storage: Storage,
    blobs: Blobs,
    http: HttpClient,
    outbound: Outbound,
    clock: Clock,
    keys: Keys,
    /// Sends mail; `None` if the operator named no mail server.
    mailer: Option<mail::Mailer>,
    /// The public address; no trailing slash in what is built from it.
    url: Url,
    /// Below which address the sources of the guides can be changed.
    docs_edit_url: Option<Url>,
    /// Where mirrors and temporary files are.
    data: PathBuf,
    /// One refresh per connected account at a time: a refresh token works once.
    refreshing: Locks<IdentityId>,
    /// Which token reads which organization's repository, by the hash of both.
    readers: Warm<[u8; 32], Arc<Reader>>,
    /// All packages of an organization, with what decides about who reads them.
    readables: Warm<OrganizationId, Arc<reader::Readables>>,
    /// The names of all packages of an organization, in order.
    names: Warm<OrganizationId, Arc<Vec<stave_domain::access::Named>>>,
    /// Published documents.
    documents: Arc<Documents>,
    /// What was written for those who read the same.
    answers: Answers,
    /// Where the dists of commits are, by organization, package and commit.
    dists: Warm<(OrganizationId, String, String), Arc<FoundDist>>,
    /// Bytes that were sent lately, by their SHA-256; of a text, that of its compressed form.
    contents: Shelf<[u8; 32], Bytes>,
    /// One user of a mirror at a time.
    mirrors: Locks<RepositoryId>,
    /// What is being asked of Composer repositories that are followed.
    seeking: mirror::Seeking,
    /// Those that are asked for names that are not here, by organization.
    mirrors_open: Warm<OrganizationId, Arc<Vec<Mirror>>>,
    /// The mirror that every new organization has; `None` is none.
    mirror_url: Option<Url>,
    trusted_proxies: Vec<IpNet>,
    /// How many fetches may run at once: a slow host holds one, and no more.
    fetch_slots: Semaphore,
    /// How many scans and zips may be worked on at once: one per core.
    cpu_slots: Semaphore,
    /// When each server was last looked at.
    watched: Mutex<HashMap<IntegrationId, Timestamp>>,
    /// How often visitors of websites may do what costs something.
    issuer_limits: issuer::IssuerLimits,
    /// What proxies of websites were answered.
    warmth: issuer::Warmth,
    /// Installs and downloads that are not written yet.
    counter: install::Counter,
    /// When it was last looked which documents are gone.
    noted: change::Noted,
    /// Wakes the runner when a job was enqueued here.
    job_bell: Notify,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl App {
    /// The public address of a path on this server.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }

    /// The public address itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether somebody at this address is believed when they say for whom they ask: a proxy on this machine is.
    #[must_use]
    pub fn trusts_proxy(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.trusted_proxies.iter().any(|range| range.contains(&address))
    }

    /// Below which address the sources of the guides can be changed, if the operator named one.
    #[must_use]
    pub fn docs_edit_url(&self) -> Option<&Url> {
        self.docs_edit_url.as_ref()
    }

    /// The clock; tests let time pass with it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Writes what is not written yet and closes the database; to be called last.
    pub async fn close(&self) -> Result<(), Failure> {
        if let Err(failure) = self.counts_write().await {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                "the last installs could not be written"
            );
        }
        Ok(self.storage.close().await?)
    }

    /// Whether the database and the blobs answer.
    pub async fn ready(&self) -> Result<(), Failure> {
        self.storage.ping().await?;
        self.blobs.ping().await?;
        Ok(())
    }
}
