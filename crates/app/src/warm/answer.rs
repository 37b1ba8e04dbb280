//! Answers about all that somebody reads, such as packages.json: kept until something is written that decides who reads
//! what, or which packages there are.

use super::{LONGEST_READER, Shelf, Text, is_young};
use crate::Failure;
use stave_domain::id::{OrganizationId, TokenId};
use stave_storage::Storage;
use std::time::Instant;

/// What they may take together.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Where, who (`None` is whoever reads everything), and what was asked.
pub(crate) type Asked = (OrganizationId, Option<TokenId>, String);

/// Answers by what was asked.
pub(crate) struct Answers(Shelf<Asked, Kept>);

#[derive(Clone)]
struct Kept {
    text: Text,
    change_count: u64,
    read_at: Instant,
}

impl Default for Answers {
    fn default() -> Self {
        Self(Shelf::of_bytes(MOST_BYTES))
    }
}

impl Answers {
    /// The answer, or else what `write` writes. What has failed is not kept.
    pub(crate) async fn get(
        &self,
        storage: &Storage,
        asked: Asked,
        write: impl Future<Output = Result<Vec<u8>, Failure>>,
    ) -> Result<Text, Failure> {
        if let Some(known) = self.known(storage, &asked) {
            return Ok(known);
        }
        // Counted before it is read: what is written meanwhile makes the answer old.
        let (change_count, read_at) = (storage.list_change_count(), Instant::now());
        let text = Text::of(&write.await?).map_err(Failure::internal)?;
        let kept = Kept { text: text.clone(), change_count, read_at };
        let bytes = text.bytes() + 2 * asked.2.len();
        self.0.put(self.0.ticket(&asked), asked, kept, bytes);
        Ok(text)
    }

    /// The answer, if it is still true.
    pub(crate) fn known(&self, storage: &Storage, asked: &Asked) -> Option<Text> {
        let kept = self.0.find(asked)?;
        let is_good = kept.change_count == storage.list_change_count()
            && is_young(storage, kept.read_at, LONGEST_READER);
        is_good.then_some(kept.text)
    }
}
