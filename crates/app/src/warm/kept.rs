//! What is in memory already, said at once: nothing here waits for anything. `None` says nothing but that it has to be asked for.

use crate::{App, Reader, Text, composer::asked_by};
use bytes::Bytes;
use stave_domain::Secret;
use std::{net::IpAddr, sync::Arc};

impl App {
    /// As [`App::composer_reader`].
    #[must_use]
    pub fn composer_reader_kept(
        &self,
        token: &Secret,
        short_name: &str,
        address: Option<IpAddr>,
    ) -> Option<Arc<Reader>> {
        let reader = self.readers.known(&self.storage, &asked_by(token, short_name))?;
        self.token_goes_on(reader.token(), address).then_some(reader)
    }

    /// As [`App::composer_root`].
    #[must_use]
    pub fn composer_root_kept(&self, reader: &Reader) -> Option<Text> {
        self.answers.known(&self.storage, &reader.asks("packages.json"))
    }

    /// As [`App::composer_metadata`], of a package that is there.
    #[must_use]
    pub fn composer_metadata_kept(&self, reader: &Reader, file: &str) -> Option<Text> {
        let found = self.documents.known(&self.storage, &(reader.organization.id, file.to_owned()))??;
        let reads = reader.sight.reads(found.package_id, &found.name, found.is_mirrored);
        reads.then(|| found.text.clone())
    }

    /// As [`App::composer_dist`], of a small one.
    #[must_use]
    pub fn composer_dist_kept(&self, reader: &Reader, name: &str, commit: &str) -> Option<Bytes> {
        let asked = (reader.organization.id, name.to_owned(), commit.to_owned());
        let found = self.dists.known(&self.storage, &asked)?;
        let bytes = self.contents.find(&found.digest).filter(|_| reader.sight.sees(&found.package))?;
        self.dist_used(found.package.id, commit);
        Some(bytes)
    }
}
