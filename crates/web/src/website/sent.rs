//! A form that may hold a file, as browsers send it.

use crate::error::PageError;
use axum::{
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header::CONTENT_TYPE},
};

/// What was typed, by the names of the fields, and the file that was chosen. A form without a file may come either way.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) fields: Vec<(String, String)>,
    pub(super) file: Option<Vec<u8>>,
}

impl Sent {
    /// What was typed into a field; nothing if it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, text)| text)
    }
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("multipart/form-data") {
            let crate::form::Form(fields) = crate::form::Form::from_request(request, state).await?;
            return Ok(Self { fields, file: None });
        }
        let mut parts = Multipart::from_request(request, state).await.map_err(|_| damaged())?;
        let mut sent = Self::default();
        while let Some(part) = parts.next_field().await.map_err(refused)? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                let bytes = part.bytes().await.map_err(refused)?;
                sent.file = sent.file.or(Some(bytes.to_vec()).filter(|bytes| !bytes.is_empty()));
            } else {
                sent.fields.push((name, part.text().await.map_err(refused)?));
            }
        }
        Ok(sent)
    }
}

/// The error itself is not logged: it may quote what was typed.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn refused(error: MultipartError) -> PageError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return PageError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The picture is too large: at most 1 MiB. Nothing was stored. Go back and choose a smaller one; 512 by 128 pixels are enough.",
        );
    }
    damaged()
}

fn damaged() -> PageError {
    PageError::new(
        StatusCode::BAD_REQUEST,
        "The form did not arrive as it was made. Nothing was stored. Go back, reload the page and fill it in again.",
    )
}
