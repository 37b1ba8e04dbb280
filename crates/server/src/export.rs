//! `stave export`: an organization's packages as files, from which Composer installs without Stave; also while the server runs.

use crate::{Config, cli::say, serve};
use stave_app::{App, ExportAsked, Failure, StartError};

/// Why not everything was exported; `Display` is for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("There is no Stave in the folder {0}. Start Stave first, or name its data folder with --data.")]
    NotThere(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("{}\n{} of the archives are missing from the export, and their versions with them.", .0.join("\n"), .0.len())]
    Incomplete(Vec<String>),
}

/// Writes the files and says how Composer is told of them.
pub(crate) async fn run(config: Config, asked: ExportAsked) -> Result<(), ExportError> {
    if !config.data.is_dir() {
        return Err(ExportError::NotThere(config.data.display().to_string()));
    }
    let url = config.public_url(config.listen);
    let app = Box::pin(App::start(serve::settings(config, url))).await?;
    let exported = app
        .export(&asked, &mut |event| say(&format!("{} of {}: {}", event.done, event.total, event.package)))
        .await?;
    app.close().await?;
    say(&format!(
        "{} packages with {} versions and {} zips are in {}.",
        exported.packages,
        exported.versions,
        exported.dists,
        asked.to.display()
    ));
    say(&format!(
        "Composer installs from them with {{\"type\": \"composer\", \"url\": \"{}\"}} in “repositories”.",
        exported.url
    ));
    if asked.base_url.is_none() {
        say("To serve them from a web server, export with --base-url and the address of the folder there.");
    }
    say("Not in it:");
    for sentence in exported.left_out.sentences() {
        say(&format!("- {sentence}"));
    }
    match exported.problems {
        problems if problems.is_empty() => Ok(()),
        problems => Err(ExportError::Incomplete(problems)),
    }
}
