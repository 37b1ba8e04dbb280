//! What an admin chose, as texts by key.

use crate::{
    Storage, StorageError,
    tables::setting::{Column, Entity, Model},
};
use sea_orm::{EntityTrait, IntoActiveModel, sea_query::OnConflict};

impl Storage {
    /// The text under a key.
    pub async fn setting_find(&self, key: &str) -> Result<Option<String>, StorageError> {
        let row = Entity::find_by_id(key.to_owned()).one(&self.conn).await?;
        Ok(row.map(|row| row.value))
    }

    /// Puts a text under a key, in place of what was there.
    pub async fn setting_put(&self, key: &str, value: &str) -> Result<(), StorageError> {
        let row = Model { key: key.to_owned(), value: value.to_owned() };
        let replace = OnConflict::column(Column::Key).update_column(Column::Value).to_owned();
        Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(&self.conn)
            .await?;
        Ok(())
    }

    /// Waits until no other transaction holds this lock, and holds it until the end of this one: what is counted within stays
    /// so. Call it first in a transaction; outside of one it does nothing.
    pub async fn lock(&self, what: &str) -> Result<(), StorageError> {
        // Both engines keep a row that was written from other writers.
        self.setting_put(&format!("lock.{what}"), "").await
    }

    /// Removes a key.
    pub async fn setting_delete(&self, key: &str) -> Result<(), StorageError> {
        Entity::delete_by_id(key.to_owned()).exec(&self.conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Storage, testing::test_storage};
    use tokio::task::JoinSet;

    #[tokio::test]
    async fn the_last_text_put_under_a_key_counts() {
        let storage = test_storage().await;
        assert_eq!(storage.setting_find("a").await.unwrap(), None);
        storage.setting_put("a", "1").await.unwrap();
        storage.setting_put("a", "2").await.unwrap();
        storage.setting_put("b", "3").await.unwrap();
        assert_eq!(storage.setting_find("a").await.unwrap().as_deref(), Some("2"));
        storage.setting_delete("a").await.unwrap();
        assert_eq!(storage.setting_find("a").await.unwrap(), None);
        assert_eq!(storage.setting_find("b").await.unwrap().as_deref(), Some("3"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_is_read_under_a_lock_stays_so() {
        let storage = test_storage().await;
        storage.setting_put("count", "0").await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..40 {
            let storage = Storage::clone(&storage);
            tasks.spawn(async move {
                let transaction = storage.begin().await?;
                transaction.lock("count").await?;
                let before: u32 = transaction.setting_find("count").await?.unwrap().parse().unwrap();
                transaction.setting_put("count", &(before + 1).to_string()).await?;
                transaction.commit().await
            });
        }
        for ended in tasks.join_all().await {
            ended.unwrap();
        }
        assert_eq!(storage.setting_find("count").await.unwrap().as_deref(), Some("40"));
    }
}
