//! The process: open everything, listen, serve until asked to stop, and stop without breaking anything.

use crate::{Config, cli::say};
use axum::{extract::Request, serve::ListenerExt};
use stave_app::{App, Failure, Settings, StartError};
use stave_domain::outbound::Outbound;
use stave_web::Front;
use std::{fs::File, io, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long requests may take to finish once Stave was asked to stop.
const LONGEST_STOP: Duration = Duration::from_secs(30);

/// Why Stave does not serve; `Display` is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("{}", listen_sentence(*.address, .source))]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The data folder, the key, the database or the blobs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Something failed that a page would have shown.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The operating system does not let Stave hear signals.
    #[error("Stave cannot listen for signals: {0}.")]
    Signal(io::Error),
    /// The listening socket broke.
    #[error("Stave can take no more connections: {0}.")]
    Accept(io::Error),
    /// The runner of jobs ended although nobody asked it to.
    #[error("The runner of jobs ended by a defect; the log tells more. Start Stave again: no job is lost.")]
    Jobs,
}

/// Serves until `stop` is cancelled. In Setup Mode a fresh link is printed on the standard output.
pub async fn serve(config: Config, stop: CancellationToken) -> Result<(), ServeError> {
    config.advice().iter().for_each(|advice| tracing::warn!("{advice}"));
    let stave = Stave::start(config).await?;
    if let Some(link) = stave.app.setup_link().await? {
        say(&setup_line(&link));
    }
    tracing::info!(listen = %stave.address, url = %stave.app.url(), version = env!("CARGO_PKG_VERSION"), "Stave serves");
    stave.run(stop).await?;
    tracing::info!("Stave has stopped");
    Ok(())
}

/// The line that says how to enter Setup Mode. Programs read it too.
pub(crate) fn setup_line(link: &str) -> String {
    format!("Setup Mode: open {link}")
}

/// What the app needs to know of the configuration.
pub(crate) fn settings(config: Config, url: Url) -> Settings {
    Settings {
        data: config.data,
        url,
        trusted_proxies: config.trusted_proxies,
        database_url: config.database_url,
        storage_url: config.storage_url,
        outbound: Outbound::allowing(config.outbound_allow),
        key: config.key,
        mail: config.mail,
        docs_edit_url: config.docs_edit_url,
        mirror_url: config.mirror_url,
    }
}

/// A Stave that has opened everything. It holds its port: connections wait until [`Stave::run`] answers them.
pub struct Stave {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
    /// No second process may work on the same data folder.
    _claim: File,
}

impl Stave {
    /// Takes the port first, so that the same Stave started twice fails there and touches nothing. One that was given another
    /// port fails when it claims the data folder: the database is up to date by then, and no job has run.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        let refuse = |source| ServeError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let url = config.public_url(address);
        let app = App::start(settings(config, url)).await?;
        let claim = app.folder_claim()?;
        Ok(Self { app, listener, address, _claim: claim })
    }

    /// The use cases, for tests and the demo.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where it listens; the port is a real one even if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests and runs jobs until `stop` is cancelled. Then requests may finish for 30 s, and a running job
    /// is handed back.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServeError> {
        let jobs = tokio::spawn({
            let (app, stop) = (self.app.clone(), stop.clone());
            async move { app.run_jobs(stop).await }
        });
        let listener = self.listener.tap_io(|connection| {
            // Answers are written whole; waiting to fill a packet only delays them.
            _ = connection.set_nodelay(true);
        });
        let app = self.app.clone();
        let front = Front::new(self.app);
        let service = axum::ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(front);
        let requests = axum::serve(listener, service)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future();
        let work = async {
            tokio::try_join!(async { requests.await.map_err(ServeError::Accept) }, async {
                jobs.await.map_err(|_| ServeError::Jobs)
            },)
        };
        let ended = tokio::select! {
            // First, so that the log always says that the end was asked for.
            biased;
            () = too_long(&stop) => {
                tracing::warn!("some requests did not finish in {LONGEST_STOP:?} and were cut off");
                Ok(())
            }
            ended = work => ended.map(|_| ()),
        };
        app.close().await?;
        ended
    }
}

async fn too_long(stop: &CancellationToken) {
    stop.cancelled().await;
    tracing::info!("stopping: requests may finish, the running job is handed back");
    tokio::time::sleep(LONGEST_STOP).await;
}

fn listen_sentence(address: SocketAddr, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Another program listens on {address} already. Stop it, or choose another address with --listen."
        ),
        io::ErrorKind::PermissionDenied => format!(
            "The user that runs Stave may not listen on {address}. Choose a port from 1024 with --listen, and put a \
             reverse proxy before it."
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "This machine has no address {}. Choose one that it has with --listen; 0.0.0.0 means all.",
            address.ip()
        ),
        _ => format!("Stave cannot listen on {address}: {source}. Choose another address with --listen."),
    }
}
