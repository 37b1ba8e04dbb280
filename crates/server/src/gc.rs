//! `stave gc`: what need not be kept is deleted, or only named; also while the server runs.

use crate::{Config, cli::say, serve};
use stave_app::{App, Failure, StartError};

/// Why nothing could be deleted; `Display` is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GcError {
    #[error("There is no Stave in the folder {0}. Start Stave first, or name its data folder with --data.")]
    NotThere(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Prints each dist that goes, and how much room that makes.
pub(crate) async fn run(config: Config, dry_run: bool) -> Result<(), GcError> {
    if !config.data.is_dir() {
        return Err(GcError::NotThere(config.data.display().to_string()));
    }
    let url = config.public_url(config.listen);
    let app = App::start(serve::settings(config, url)).await?;
    let garbage = app.garbage_collect(dry_run).await?;
    for dist in &garbage.dists {
        say(&format!("zip of package {} at {}, {} bytes", dist.package_id, dist.commit, dist.size_bytes));
    }
    let verb = if dry_run { "would be deleted" } else { "were deleted" };
    say(&format!(
        "{} zips of branches are past their time; {} files with {} bytes {verb}, {} with {} bytes stay.",
        garbage.dists.len(),
        garbage.blobs,
        garbage.blob_bytes,
        garbage.kept,
        garbage.kept_bytes
    ));
    app.close().await?;
    Ok(())
}
