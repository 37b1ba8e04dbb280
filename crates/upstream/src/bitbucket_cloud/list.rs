//! Lists, page by page. Bitbucket may give fewer entries on a page than it was asked for.

use super::{api::Api, wire::Page};
use crate::{
    UpstreamError,
    answer::without,
    follow::{Listed, Told, count, each_once},
};
use serde::de::DeserializeOwned;
use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};
use url::Url;

/// So often a list is read that loses entries meanwhile.
const READINGS: usize = 3;

impl Api<'_> {
    /// The address of a list, in the longest pages that there are, with these fields of each entry and no others.
    pub(super) fn list_at(&self, segments: &[&str], fields: &str) -> Url {
        let mut url = self.at_segments(segments);
        url.query_pairs_mut().append_pair("pagelen", "100").append_pair("fields", fields);
        url
    }

    /// Hands over a list, page by page. An entry may be on two pages, if the list changes meanwhile.
    pub(super) async fn page_each<E: DeserializeOwned + Send>(
        &self,
        first: &Url,
        mut take: impl FnMut(Page<E>) -> Result<(), UpstreamError> + Send,
    ) -> Result<(), UpstreamError> {
        let hasher = BuildHasherDefault::<DefaultHasher>::new();
        let mut asked = HashSet::new();
        let mut next = Some(first.clone());
        while let Some(url) = next {
            if !asked.insert(hasher.hash_one(url.as_str())) {
                return Err(without(self.host(), "an end of the list"));
            }
            let page: Page<E> = self.get(&url).await?.json()?;
            next = page.next.as_deref().map(|link| self.next(link)).transpose()?;
            take(page)?;
        }
        Ok(())
    }

    /// A whole list, each entry once; `read` leaves out what is none of it. While pages are read, entries that go let those
    /// behind them move up, perhaps to a page that was read already: such a list is read again.
    pub(super) async fn list<E: DeserializeOwned + Send, T: Listed + Send>(
        &self,
        first: &Url,
        told: Told<'_>,
        read: impl Fn(E) -> Result<Option<T>, UpstreamError> + Send + Sync,
    ) -> Result<Vec<T>, UpstreamError> {
        for _ in 0..READINGS {
            let (mut entries, mut size, mut has_shrunk) = (Vec::new(), None, false);
            self.page_each(first, |page: Page<E>| {
                has_shrunk |= page.size.is_some() && page.size < size;
                size = page.size.or(size);
                for entry in page.values {
                    entries.extend(read(entry)?);
                }
                told(count(&entries));
                Ok(())
            })
            .await?;
            if !has_shrunk {
                return Ok(each_once(entries));
            }
        }
        Err(UpstreamError::Restless { host: self.host() })
    }
}
