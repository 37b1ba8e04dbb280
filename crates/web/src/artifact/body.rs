//! Files in bodies: they go to the disk piece by piece.

use axum::{
    body::{Body, BodyDataStream},
    extract::{FromRequest, Multipart, Request},
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, EXPECT},
    },
};
use futures::{StreamExt as _, TryStreamExt as _};
use stave_app::{Failure, Upload, upload_too_large};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_mins(1);
/// How long what nobody wants is read on: a client that still sends does not hear why it is refused.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a form may have around its file, in bytes.
const AROUND_BYTES: u64 = 1024 * 1024;

/// What a form brought.
pub(super) enum Received {
    File(Upload),
    /// No file was chosen.
    Nothing,
}

/// Reads the file of a form.
pub(super) async fn of_form(request: Request, mut upload: Upload) -> Result<Received, Failure> {
    if is_too_large(request.headers()) {
        let (parts, body) = request.into_parts();
        return Err(refuse(&parts.headers, body).await);
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| damaged())?;
    let mut has_file = false;
    while let Some(mut part) = timely(parts.next_field()).await? {
        if part.file_name().is_none_or(str::is_empty) || part.name() != Some("file") {
            continue;
        }
        while let Some(bytes) = timely(part.chunk()).await? {
            has_file = true;
            if let Err(failure) = upload.write(&bytes).await {
                // The rest is read, so that the browser shows why it is refused.
                let rest = async { while matches!(part.chunk().await, Ok(Some(_))) {} };
                let _ = timeout(PATIENCE, rest).await;
                return Err(failure);
            }
        }
    }
    Ok(if has_file { Received::File(upload) } else { Received::Nothing })
}

/// Reads a body that is nothing but the file.
pub(super) async fn whole(headers: &HeaderMap, body: Body, mut upload: Upload) -> Result<Upload, Failure> {
    if is_too_large(headers) {
        return Err(refuse(headers, body).await);
    }
    let mut stream = body.into_data_stream();
    while let Some(bytes) = timely(stream.try_next()).await? {
        if let Err(failure) = upload.write(&bytes).await {
            drain(stream).await;
            return Err(failure);
        }
    }
    Ok(upload)
}

fn is_too_large(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > stave_app::archive::LARGEST_BYTES + AROUND_BYTES)
}

/// A client that waits for a go-ahead gets an answer in its place (RFC 9110, section 10.1.1); any other is sending already.
async fn refuse(headers: &HeaderMap, body: Body) -> Failure {
    if !headers.contains_key(EXPECT) {
        drain(body.into_data_stream()).await;
    }
    upload_too_large()
}

async fn drain(mut stream: BodyDataStream) {
    let rest = async { while matches!(stream.next().await, Some(Ok(_))) {} };
    let _ = timeout(PATIENCE, rest).await;
}

/// The next piece; a client that falls silent is given up.
async fn timely<T, E>(next: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    timeout(SILENCE, next).await.map_err(|_| damaged())?.map_err(|_| damaged())
}

/// The error itself says nothing that helps whoever uploads.
fn damaged() -> Failure {
    Failure::invalid(
        "file",
        "The upload broke off before its end. Nothing was stored. Upload the archive once more.",
    )
}
