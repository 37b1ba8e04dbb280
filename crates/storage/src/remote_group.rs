//! Groups of workspaces that are followed.

use crate::{
    Storage, StorageError, query,
    tables::{
        remote_group::{Column, Entity, Model},
        remote_group_person as person,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{id::SynchronizationId, synchronization::RemoteGroup};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl Storage {
    /// The groups that a synchronization remembers and who is in them, by name.
    pub async fn remote_group_list(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<RemoteGroup>, StorageError> {
        let id = Uuid::from(synchronization);
        let groups = Entity::find().filter(Column::SynchronizationId.eq(id)).order_by_asc(Column::Name);
        let groups = groups.all(&self.conn).await?;
        let people = person::Entity::find().filter(person::Column::SynchronizationId.eq(id));
        let mut people_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for person in people.all(&self.conn).await? {
            people_of.entry(person.name).or_default().insert(person.external_id);
        }
        let with_people = |group: Model| {
            let people = people_of.remove(&group.name).unwrap_or_default();
            RemoteGroup { name: group.name, people }
        };
        Ok(groups.into_iter().map(with_people).collect())
    }

    /// Stores these groups with exactly these people.
    pub async fn remote_group_put_many(
        &self,
        synchronization: SynchronizationId,
        groups: &[RemoteGroup],
    ) -> Result<(), StorageError> {
        let synchronization_id = Uuid::from(synchronization);
        let names: BTreeSet<String> = groups.iter().map(|group| group.name.clone()).collect();
        let rows = names.iter().map(|name| Model { synchronization_id, name: name.clone() }).collect();
        let member_of = |group: &RemoteGroup, external_id: &String| person::Model {
            synchronization_id,
            name: group.name.clone(),
            external_id: external_id.clone(),
        };
        let people = groups.iter().flat_map(|group| group.people.iter().map(move |it| member_of(group, it)));
        let people: Vec<person::Model> = people.collect();
        let transaction = self.begin().await?;
        transaction.remote_group_empty(synchronization, &names).await?;
        query::insert_many(rows, query::keep::<Entity>(), &transaction).await?;
        query::insert_many(people, query::keep::<person::Entity>(), &transaction).await?;
        transaction.commit().await
    }

    /// Forgets these groups.
    pub async fn remote_group_delete_many(
        &self,
        synchronization: SynchronizationId,
        names: &BTreeSet<String>,
    ) -> Result<(), StorageError> {
        let transaction = self.begin().await?;
        transaction.remote_group_empty(synchronization, names).await?;
        for names in query::batches(names) {
            Entity::delete_many()
                .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
                .filter(Column::Name.is_in(names))
                .exec(&transaction.conn)
                .await?;
        }
        transaction.commit().await
    }

    async fn remote_group_empty(
        &self,
        synchronization: SynchronizationId,
        names: &BTreeSet<String>,
    ) -> Result<(), StorageError> {
        for names in query::batches(names) {
            person::Entity::delete_many()
                .filter(person::Column::SynchronizationId.eq(Uuid::from(synchronization)))
                .filter(person::Column::Name.is_in(names))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{id, synchronization::acme_follows, test_storage};
    use stave_domain::{id::SynchronizationId, synchronization::RemoteGroup};

    fn group(name: &str, people: &[&str]) -> RemoteGroup {
        RemoteGroup { name: name.into(), people: people.iter().map(|id| (*id).to_owned()).collect() }
    }

    #[tokio::test]
    async fn a_group_has_exactly_its_people() {
        let storage = test_storage().await;
        let (first, second) = acme_follows(&storage).await;
        let (devs, empty, ops) =
            (group("devs", &["{1}", "{2}"]), group("empty", &[]), group("ops", &["{1}"]));
        storage.remote_group_put_many(first, &[ops.clone(), devs, empty.clone()]).await.unwrap();
        storage.remote_group_put_many(second, std::slice::from_ref(&ops)).await.unwrap();
        let devs = group("devs", &["{2}", "{3}"]);
        storage.remote_group_put_many(first, std::slice::from_ref(&devs)).await.unwrap();
        let list = async |id: SynchronizationId| storage.remote_group_list(id).await.unwrap();
        assert_eq!(list(first).await, [devs, empty.clone(), ops.clone()]);

        let gone = ["devs".to_owned(), "ops".to_owned(), "nobody".to_owned()];
        storage.remote_group_delete_many(first, &gone.into()).await.unwrap();
        assert_eq!(list(first).await, [empty]);
        assert_eq!(list(second).await, [ops]);
        storage.remote_group_put_many(first, &[group("devs", &[])]).await.unwrap();
        assert_eq!(list(first).await[0], group("devs", &[]), "its people went with it");
        assert_eq!(list(id(99)).await, []);
    }

    #[tokio::test]
    async fn a_large_group_is_stored_in_parts() {
        let storage = test_storage().await;
        let (first, _) = acme_follows(&storage).await;
        let people: Vec<String> = (0..33_000).map(|number| format!("{{{number}}}")).collect();
        let all = RemoteGroup { name: "all".into(), people: people.into_iter().collect() };
        storage.remote_group_put_many(first, std::slice::from_ref(&all)).await.unwrap();
        assert_eq!(storage.remote_group_list(first).await.unwrap(), [all]);
    }
}
