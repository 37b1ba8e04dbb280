//! Starting: the key, the database and the blobs, each with one clear sentence if it cannot be used.

use crate::{
    App, Clock, Shared,
    change::Noted,
    install::Counter,
    issuer::{IssuerLimits, Warmth},
    keys::{KeyError, Keys},
    locks::Locks,
    mail::{MailSettings, Mailer},
    mirror::Seeking,
    warm::{Answers, Documents, Shelf, Warm},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use stave_domain::{Secret, outbound::Outbound, secret::Sealed};
use stave_storage::{Blobs, OpenError, Storage, StorageError};
use stave_upstream::HttpClient;
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::{Notify, Semaphore};
use url::Url;

/// Fetches that run at the same time. Fewer than the workers of `job`, so that slow hosts leave some for everything else.
const FETCHES: usize = 4;
/// What small dists and texts that were sent uncompressed may take in memory, to be sent again.
const CONTENT_BYTES: usize = 32 * 1024 * 1024;

/// What the operator decides before the start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made if it is not there.
    pub data: PathBuf,
    /// The public address.
    pub url: Url,
    /// Proxies on other machines that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// `sqlite:` or `postgres:`; `None` is a SQLite file in the data folder.
    pub database_url: Option<Secret>,
    /// A folder or `s3://bucket/prefix`; `None` is a folder in the data folder.
    pub storage_url: Option<String>,
    /// Which addresses may be reached.
    pub outbound: Outbound,
    /// Where the key that seals is.
    pub key: KeySource,
    /// By which server mail goes out; `None` sends none.
    pub mail: Option<MailSettings>,
    /// Below which address the sources of the guides can be changed; `None` shows no such link.
    pub docs_edit_url: Option<Url>,
    /// The Composer repository that every new organization mirrors, after those that it adds itself; `None` is none.
    pub mirror_url: Option<Url>,
}

/// Where the key that seals is.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// In the file `key` of the data folder; made there on the first start.
    DataFolder,
    /// In this text.
    Given(Secret),
    /// In this file.
    File(PathBuf),
}

/// Why Stave cannot start; `Display` is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error(
        "The data folder {path} cannot be used: {source}. Choose another with --data, or give the user that runs Stave the right to write there."
    )]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else has it.
    #[error(
        "Another Stave is running on the data folder {0}. Stop it first, or choose another folder with --data."
    )]
    InUse(String),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is a key, but not the one.
    #[error(
        "This is not the key with which the secrets in this database were sealed. Give Stave the key file that belongs to the database (--key-file), or restore it from the backup."
    )]
    WrongKey,
    /// The database or the blobs.
    #[error(transparent)]
    Storage(#[from] OpenError),
    /// The database, later on.
    #[error("The database stopped answering during the start: {0}")]
    Database(#[from] StorageError),
    /// The client for other people's servers.
    #[error(transparent)]
    Http(#[from] stave_upstream::ClientError),
    /// The client for the mail server.
    #[error(
        "Stave cannot speak with a mail server from this machine: {0}. Check that the machine's list of certificate authorities can be read, or remove smtp-url."
    )]
    Mail(#[from] lettre::transport::smtp::Error),
}

impl App {
    /// Opens everything, brings the database up to date and checks the key.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let folder_error = |source| StartError::Folder { path: settings.data.display().to_string(), source };
        for folder in ["", "mirrors", "tmp"] {
            // For its owner only: the database is in it, and the key beside it.
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(settings.data.join(folder)).map_err(folder_error)?;
        }
        let data = settings.data.canonicalize().map_err(folder_error)?;
        let keys = match &settings.key {
            KeySource::DataFolder => Keys::read_or_create(&data.join("key"))?,
            KeySource::Given(text) => Keys::parse(text, "The key given in the environment")?,
            KeySource::File(path) => Keys::read(path)?,
        };
        let database_url = settings
            .database_url
            .unwrap_or_else(|| Secret::new(format!("sqlite://{}", data.join("stave.sqlite").display())));
        let storage = Storage::open(&database_url).await?;
        key_check(&storage, &keys).await?;
        let blobs = match settings.storage_url {
            Some(url) => Blobs::open(&url).await?,
            None => Blobs::open(&data.join("blobs").display().to_string()).await?,
        };
        let mailer = settings.mail.map(|mail| Mailer::new(mail, &settings.url)).transpose()?;
        let documents = Documents::of(&storage);
        let shared = Shared {
            storage,
            blobs,
            http: HttpClient::new(settings.outbound.clone())?,
            outbound: settings.outbound,
            clock: Clock::default(),
            keys,
            mailer,
            url: settings.url,
            docs_edit_url: settings.docs_edit_url,
            data,
            refreshing: Locks::default(),
            readers: Warm::of_readers(),
            readables: Warm::of_readers(),
            names: Warm::of_lists(),
            documents,
            answers: Answers::default(),
            dists: Warm::of_dists(),
            contents: Shelf::of_bytes(CONTENT_BYTES),
            mirrors: Locks::default(),
            seeking: Seeking::default(),
            mirrors_open: Warm::of_readers(),
            mirror_url: settings.mirror_url,
            trusted_proxies: settings.trusted_proxies,
            fetch_slots: Semaphore::new(FETCHES),
            cpu_slots: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            watched: Mutex::default(),
            issuer_limits: IssuerLimits::default(),
            warmth: Warmth::default(),
            counter: Counter::default(),
            noted: Noted::default(),
            job_bell: Notify::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Claims the data folder for this process until the returned file is dropped; mirrors have one user at a time.
    pub fn folder_claim(&self) -> Result<fs::File, StartError> {
        let path = self.data.join("lock");
        let folder_error = |source| StartError::Folder { path: self.data.display().to_string(), source };
        let file =
            fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(folder_error)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(StartError::InUse(self.data.display().to_string())),
            Err(fs::TryLockError::Error(source)) => Err(folder_error(source)),
        }
    }
}

/// A text sealed at the first start opens with the right key only.
async fn key_check(storage: &Storage, keys: &Keys) -> Result<(), StartError> {
    const CHECK: &str = "key.check";
    if let Some(text) = storage.setting_find(CHECK).await? {
        let sealed = Sealed(STANDARD.decode(text).unwrap_or_default());
        return keys.open(CHECK, "", &sealed).map(|_| ()).map_err(|_| StartError::WrongKey);
    }
    let sealed = keys.seal(CHECK, "", &Secret::new("stave"));
    Ok(storage.setting_put(CHECK, &STANDARD.encode(sealed.0)).await?)
}
