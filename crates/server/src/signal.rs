//! Asking the process to stop: SIGTERM from a service manager, SIGINT from Ctrl-C.

use crate::serve::ServeError;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The first signal cancels the token; the second ends the process at once.
pub(crate) fn cancels(stop: &CancellationToken) -> Result<(), ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signal)?;
    let stop = stop.clone();
    tokio::spawn(async move {
        for count in 1.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if count > 1 {
                tracing::warn!("stopping at once, as asked a second time");
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
