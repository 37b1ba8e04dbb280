//! Texts as they are sent: compressed once, with what a client recognises them by.

use crate::{App, Failure};
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::fmt::rfc2822::DateTimePrinter;
use sha2::{Digest, Sha256};
use stave_domain::Timestamp;
use std::io::{self, Read, Write};

/// A text that is sent to whoever asks. Clones share their bytes.
#[derive(Debug, Clone)]
pub struct Text {
    /// gzip of it.
    pub body_gzip: Bytes,
    /// `ETag`, a weak one, because it stands for both forms of the text (RFC 9110, section 8.8.3).
    pub etag: Bytes,
    /// `Last-Modified` (RFC 9110, section 8.8.2); `None` of a text that depends on the token: clients would keep one token's for all.
    pub last_modified: Option<Bytes>,
    digest: [u8; 32],
}

impl Text {
    /// A text that lies compressed.
    pub(crate) fn of_gzip(body_gzip: Vec<u8>) -> Self {
        let digest: [u8; 32] = Sha256::digest(&body_gzip).into();
        let etag = format!("W/\"{}\"", hex::encode(&digest[..10]));
        Self { body_gzip: body_gzip.into(), etag: etag.into(), last_modified: None, digest }
    }

    /// A text that was just written.
    pub(crate) fn of(body: &[u8]) -> io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body)?;
        Ok(Self::of_gzip(encoder.finish()?))
    }

    /// The same with its date.
    pub(crate) fn modified_at(self, at: &Timestamp) -> Self {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(at).ok();
        Self { last_modified: date.map(Into::into), ..self }
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.body_gzip.len() + 256
    }
}

impl App {
    /// A text as it was before it was compressed. It is kept for a while too: clients that do not take gzip come in crowds.
    pub fn text_plain(&self, text: &Text) -> Result<Bytes, Failure> {
        if let Some(known) = self.contents.find(&text.digest) {
            return Ok(known);
        }
        let mut body = Vec::new();
        GzDecoder::new(&text.body_gzip[..]).read_to_end(&mut body).map_err(Failure::internal)?;
        let body = Bytes::from(body);
        self.contents.put(self.contents.ticket(&text.digest), text.digest, body.clone(), body.len());
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_recognised() {
        let at: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        let text = Text::of(b"{}").unwrap().modified_at(&at);
        assert_eq!(text.last_modified.unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(text.etag, Text::of(b"{}").unwrap().etag);
        assert_ne!(text.etag, Text::of(b"[]").unwrap().etag);
    }
}
