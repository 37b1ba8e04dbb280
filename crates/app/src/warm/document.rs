//! Published documents that were asked for lately, and names that have none: dropped exactly when one of that name is written.

use super::{LONGEST, Shelf, is_young};
use crate::{Failure, Metadata};
use stave_domain::{id::OrganizationId, package::PackageName};
use stave_storage::{Change, Storage};
use std::{sync::Arc, time::Instant};

/// What documents may take together.
const FOUND_BYTES: usize = 64 * 1024 * 1024;
/// What names without documents may take: any client can make up more of them.
const MISSING_BYTES: usize = 4 * 1024 * 1024;

/// An organization, and `vendor/name` or `vendor/name~dev`.
type Key = (OrganizationId, String);

/// Documents by name.
pub(crate) struct Documents {
    found: Shelf<Key, Kept>,
    missing: Shelf<Key, Kept>,
}

#[derive(Clone)]
struct Kept {
    metadata: Option<Arc<Metadata>>,
    read_at: Instant,
}

impl Documents {
    /// Those of a database, which says when one is written.
    pub(crate) fn of(storage: &Storage) -> Arc<Self> {
        let documents =
            Arc::new(Self { found: Shelf::of_bytes(FOUND_BYTES), missing: Shelf::of_bytes(MISSING_BYTES) });
        let told = Arc::downgrade(&documents);
        storage.on_change(move |change| {
            if let Some(documents) = told.upgrade() {
                documents.hear(change);
            }
        });
        documents
    }

    /// The document of this name, or else what `read` finds. What has failed is not kept.
    pub(crate) async fn get(
        &self,
        storage: &Storage,
        key: Key,
        read: impl Future<Output = Result<Option<Metadata>, Failure>>,
    ) -> Result<Option<Arc<Metadata>>, Failure> {
        if let Some(known) = self.known(storage, &key) {
            return Ok(known);
        }
        // Both before it is read: what is written meanwhile keeps it off the shelf.
        let (found, missing, read_at) = (self.found.ticket(&key), self.missing.ticket(&key), Instant::now());
        let metadata = read.await?.map(Arc::new);
        let kept = Kept { metadata: metadata.clone(), read_at };
        let key_bytes = 2 * key.1.len();
        match &metadata {
            Some(metadata) => self.found.put(found, key, kept, metadata.text.bytes() + key_bytes),
            None => self.missing.put(missing, key, kept, key_bytes),
        }
        Ok(metadata)
    }

    /// The document of this name, or that there is none, if that is known.
    #[expect(clippy::option_option, reason = "not known, not there, or this one")]
    pub(crate) fn known(&self, storage: &Storage, key: &Key) -> Option<Option<Arc<Metadata>>> {
        let kept = self.found.find(key).or_else(|| self.missing.find(key))?;
        is_young(storage, kept.read_at, LONGEST).then_some(kept.metadata)
    }

    fn hear(&self, change: &Change) {
        match change {
            Change::Document(organization, name) => self.forget(*organization, name),
            Change::Documents => {
                self.found.clear();
                self.missing.clear();
            }
        }
    }

    fn forget(&self, organization: OrganizationId, name: &PackageName) {
        for file in [name.to_string(), format!("{name}~dev")] {
            let key = (organization, file);
            self.found.take_away(&key);
            self.missing.take_away(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warm::{Text, tests as warm};
    use stave_domain::{
        Timestamp,
        package::{Document, Origin, Package},
    };
    use std::sync::atomic::{AtomicU32, Ordering};

    fn package(number: u128, name: &str) -> Package {
        let (id, acme) = (uuid::Uuid::from_u128(number).into(), warm::acme("Acme").id);
        let name = Some(name.parse().unwrap());
        Package { name, ..Package::new(id, acme, Origin::Custom, Timestamp::UNIX_EPOCH) }
    }

    fn document(of: &Package, body: u8) -> Document {
        Document {
            organization_id: of.organization_id,
            package_id: of.id,
            name: of.name.clone().unwrap(),
            is_dev: false,
            body_gzip: vec![body],
            modified_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_document_is_read_once_until_it_is_written() {
        let (_folder, storage) = warm::storage().await;
        let [mailer, queue] = [package(1, "acme/mailer"), package(2, "acme/queue")];
        storage.organization_insert(&warm::acme("Acme")).await.unwrap();
        for package in [&mailer, &queue] {
            storage.package_insert(package).await.unwrap();
        }
        let (documents, reads) = (Documents::of(&storage), AtomicU32::new(0));
        let ask = async |of: &Package| {
            let (organization, name) = (of.organization_id, of.name.clone().unwrap());
            let read = async {
                reads.fetch_add(1, Ordering::Relaxed);
                let found = storage.document_find(organization, &name, false).await?;
                Ok(found.map(|found| Metadata {
                    package_id: found.package_id,
                    name: found.name,
                    is_mirrored: false,
                    text: Text::of_gzip(found.body_gzip),
                }))
            };
            let found = documents.get(&storage, (organization, name.to_string()), read).await.unwrap();
            (found.map(|found| found.text.body_gzip[0]), reads.swap(0, Ordering::Relaxed))
        };
        assert_eq!(ask(&mailer).await, (None, 1));
        assert_eq!(ask(&mailer).await, (None, 0), "that there is none is known, too");
        storage.document_put(&document(&mailer, 7)).await.unwrap();
        storage.document_put(&document(&queue, 8)).await.unwrap();
        assert_eq!(ask(&mailer).await, (Some(7), 1));
        assert_eq!(ask(&queue).await, (Some(8), 1));

        storage.document_put(&document(&queue, 9)).await.unwrap();
        storage.setting_put("a", "1").await.unwrap();
        assert_eq!(ask(&mailer).await, (Some(7), 0), "another one's change is nothing to it");
        assert_eq!(ask(&queue).await, (Some(9), 1));

        storage.document_delete_of(queue.id).await.unwrap();
        assert_eq!(ask(&queue).await, (None, 1));
        storage.package_delete(mailer.id).await.unwrap();
        assert_eq!(ask(&mailer).await, (None, 1));
    }
}
