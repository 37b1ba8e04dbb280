//! The pictures of the guides: PNG files, those that were there when Stave was built.

use crate::error::PageError;
use axum::{
    extract::Path,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

/// By name, in alphabetical order; listed by build.rs.
const PICTURES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/pictures.rs"));

/// A PNG file.
pub(super) struct Picture(&'static [u8]);

impl Picture {
    /// Width and height in pixels: the first chunk of a PNG file says both (PNG, section 11.2.2). Nothing if this is none.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        let header = self.0.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(8..16)?;
        let (width, height) = header.split_first_chunk()?;
        Some((u32::from_be_bytes(*width), u32::from_be_bytes(height.try_into().ok()?)))
    }
}

/// The picture with this name, if it was made.
pub(super) fn find(name: &str) -> Option<Picture> {
    PICTURES.iter().find(|(known, _)| *known == name).map(|(_, content)| Picture(content))
}

/// `GET /docs/images/{name}`
pub(super) async fn show(Path(name): Path<String>) -> Result<Response, PageError> {
    let Picture(content) = find(&name)
        .ok_or_else(|| PageError::new(StatusCode::NOT_FOUND, "There is no picture at this address."))?;
    Ok(([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "public, max-age=3600")], content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_knows_its_size() {
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x05\0\0\0\x01\x2c\x08\x02";
        assert_eq!(Picture(header).size(), Some((1280, 300)));
        assert_eq!(Picture(b"GIF89a").size(), None);
        for (name, content) in PICTURES {
            assert!(Picture(content).size().is_some(), "{name} is no PNG");
        }
    }
}
