//! Lists, page by page. Bitbucket may give fewer entries on a page than it was asked for.

use super::{api::Api, wire::Page};
use crate::{
    UpstreamError,
    answer::without,
    follow::{Listed, Told, count, each_once},
};
use serde::de::DeserializeOwned;
use url::Url;

/// As many as a server gives that was not told otherwise.
const LONGEST_PAGE: &str = "1000";

impl Api<'_> {
    /// Hands over a list, page by page. An entry may be on two pages, if the list changes meanwhile.
    pub(super) async fn page_each<E: DeserializeOwned + Send>(
        &self,
        list: &Url,
        mut take: impl FnMut(Vec<E>) -> Result<(), UpstreamError> + Send,
    ) -> Result<(), UpstreamError> {
        let mut start = 0;
        loop {
            let mut url = list.clone();
            url.query_pairs_mut().append_pair("start", &start.to_string()).append_pair("limit", LONGEST_PAGE);
            let page: Page<E> = self.get(&url).await?.json()?;
            take(page.values)?;
            match (page.next, page.is_last) {
                (Some(next), _) if next > start => start = next,
                (None, None | Some(true)) => return Ok(()),
                _ => return Err(without(self.host(), "an end of the list")),
            }
        }
    }

    /// A whole list, each entry once; `read` leaves out what is none of it.
    pub(super) async fn list<E: DeserializeOwned + Send, T: Listed + Send>(
        &self,
        list: &Url,
        told: Told<'_>,
        read: impl Fn(E) -> Result<Option<T>, UpstreamError> + Send + Sync,
    ) -> Result<Vec<T>, UpstreamError> {
        let mut entries = Vec::new();
        self.page_each(list, |values| {
            for entry in values {
                entries.extend(read(entry)?);
            }
            told(count(&entries));
            Ok(())
        })
        .await?;
        Ok(each_once(entries))
    }
}
