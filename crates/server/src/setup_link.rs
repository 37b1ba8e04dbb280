//! `stave setup-link`: a fresh link into Setup Mode, also while the server runs.

use crate::{
    Config,
    cli::say,
    serve::{self, setup_line},
};
use stave_app::{App, Failure, StartError};

/// Why there is no link; `Display` is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupLinkError {
    #[error("There is no Stave in the folder {0}. Start Stave first, or name its data folder with --data.")]
    NotThere(String),
    #[error(
        "The address of the link is not known: Stave was told to listen on any free port. Give its address with --url."
    )]
    NoAddress,
    #[error(
        "Setup Mode is over: log in as an admin at {0}/login. If every admin is locked out, `stave setup-link --reopen` \
         turns Setup Mode on again."
    )]
    Over(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Prints the same line as the first start. The link that was printed before stops working.
pub(crate) async fn print(config: Config, reopen: bool) -> Result<(), SetupLinkError> {
    if !config.data.is_dir() {
        return Err(SetupLinkError::NotThere(config.data.display().to_string()));
    }
    if config.url.is_none() && config.listen.port() == 0 {
        return Err(SetupLinkError::NoAddress);
    }
    let url = config.public_url(config.listen);
    let app = App::start(serve::settings(config, url)).await?;
    if reopen {
        app.setup_reopen().await?;
    }
    match app.setup_link().await? {
        Some(link) => {
            say(&setup_line(&link));
            Ok(())
        }
        None => Err(SetupLinkError::Over(app.address(""))),
    }
}
