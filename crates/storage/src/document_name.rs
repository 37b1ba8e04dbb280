//! Which published documents changed, and which are gone.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, document,
        document_name::{Column, Entity, Model},
        package,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationDef, Select,
};
use stave_domain::{Timestamp, access::Named, id::OrganizationId, package::PackageName};
use uuid::Uuid;

/// A document that is new or another than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChange {
    /// Of which package.
    pub named: Named,
    /// Whether it lists branches.
    pub is_dev: bool,
    /// Its Last-Modified.
    pub modified_at: Timestamp,
}

type ChangeRow = (Uuid, String, Option<Uuid>, bool, i64);

impl Storage {
    /// The documents of an organization that changed from an instant on, the oldest change first.
    pub async fn document_change_list(
        &self,
        organization: OrganizationId,
        since: Timestamp,
        limit: u64,
    ) -> Result<Vec<DocumentChange>, StorageError> {
        let to_package: RelationDef = document::Entity::belongs_to(package::Entity)
            .from(document::Column::PackageId)
            .to(package::Column::Id)
            .into();
        let changed = documents_of(organization)
            .join(JoinType::InnerJoin, to_package)
            .filter(document::Column::ModifiedAt.gte(since.as_millisecond()))
            .select_only()
            .columns([document::Column::PackageId, document::Column::Name])
            .column(package::Column::MirrorId)
            .columns([document::Column::IsDev, document::Column::ModifiedAt])
            .order_by_asc(document::Column::ModifiedAt)
            .order_by_asc(document::Column::Name)
            .limit(limit);
        let rows: Vec<ChangeRow> = changed.into_tuple().all(&self.conn).await?;
        let each = |(id, name, mirror, is_dev, modified_at): ChangeRow| {
            let row = Row::of("document", id);
            let name = row.parse("name", &name)?;
            let named = Named { package_id: id.into(), name, is_mirrored: mirror.is_some() };
            Ok(DocumentChange { named, is_dev, modified_at: row.instant("modified_at", modified_at)? })
        };
        rows.into_iter().map(each).collect()
    }

    /// The names of which it was noticed from an instant on that there are no documents any more, with that instant.
    pub async fn document_gone_list(
        &self,
        organization: OrganizationId,
        since: Timestamp,
        limit: u64,
    ) -> Result<Vec<(PackageName, Timestamp)>, StorageError> {
        let gone = names_of(organization)
            .filter(Column::GoneAt.gte(since.as_millisecond()))
            .order_by_asc(Column::GoneAt)
            .order_by_asc(Column::Name)
            .limit(limit);
        let each = |model: Model| {
            let row = Row::of("document_name", &model.name);
            Ok((row.parse("name", &model.name)?, row.instant("gone_at", model.gone_at.unwrap_or_default())?))
        };
        gone.all(&self.conn).await?.into_iter().map(each).collect()
    }

    /// Notices which names are new, which are gone and which are back, and forgets those that were gone before `forget`. There
    /// are many ways in which documents go, so what is there is compared with what was.
    pub async fn document_names_note(
        &self,
        organization: OrganizationId,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<(), StorageError> {
        let known = names_of(organization).select_only().column(Column::Name);
        let new = documents_of(organization)
            .filter(document::Column::IsDev.eq(false))
            .filter(
                document::Column::Name.not_in_subquery(known.filter(Column::GoneAt.is_null()).into_query()),
            )
            .select_only()
            .column(document::Column::Name);
        let there = documents_of(organization).select_only().column(document::Column::Name).into_query();
        let gone = Condition::all()
            .add(Column::OrganizationId.eq(Uuid::from(organization)))
            .add(Column::GoneAt.is_null())
            .add(Column::Name.not_in_subquery(there));
        let forgotten = Condition::all()
            .add(Column::OrganizationId.eq(Uuid::from(organization)))
            .add(Column::GoneAt.lt(forget.as_millisecond()));
        let new: Vec<String> = new.into_tuple().all(&self.conn).await?;
        let has_gone = Entity::find().filter(gone.clone()).one(&self.conn).await?.is_some();
        let has_forgotten = Entity::find().filter(forgotten.clone()).one(&self.conn).await?.is_some();
        if new.is_empty() && !has_gone && !has_forgotten {
            return Ok(());
        }
        let txn = self.begin().await?;
        let row = |name| Model { organization_id: organization.into(), name, gone_at: None };
        query::insert_many(new.into_iter().map(row).collect(), query::replace::<Entity>(), &txn).await?;
        let at = query::value(Some(now.as_millisecond()));
        Entity::update_many().col_expr(Column::GoneAt, at).filter(gone).exec(&txn.conn).await?;
        Entity::delete_many().filter(forgotten).exec(&txn.conn).await?;
        txn.commit().await
    }
}

fn documents_of(organization: OrganizationId) -> Select<document::Entity> {
    document::Entity::find().filter(document::Column::OrganizationId.eq(Uuid::from(organization)))
}

fn names_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, test_storage};
    use stave_domain::package::Document;

    #[tokio::test]
    async fn documents_that_change_come_and_go_are_noticed() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let tags = Document {
            organization_id: acme,
            package_id: mailer,
            name: "acme/mailer".parse().unwrap(),
            is_dev: false,
            body_gzip: vec![1],
            modified_at: at(1),
        };
        let branches = Document { is_dev: true, modified_at: at(5), ..tags.clone() };
        for document in [&tags, &branches] {
            storage.document_put(document).await.unwrap();
        }
        let note =
            async |seconds| storage.document_names_note(acme, at(seconds), at(seconds - 100)).await.unwrap();
        let gone = async |since| storage.document_gone_list(acme, at(since), 9).await.unwrap();
        note(6).await;
        let changed = storage.document_change_list(acme, at(1), 9).await.unwrap();
        assert_eq!(
            changed.iter().map(|it| (it.is_dev, it.modified_at)).collect::<Vec<_>>(),
            [(false, at(1)), (true, at(5))]
        );
        assert_eq!((changed[0].named.package_id, changed[0].named.is_mirrored), (mailer, false));
        assert_eq!(storage.document_change_list(acme, at(2), 9).await.unwrap(), changed[1..]);
        assert_eq!(gone(0).await, []);

        storage.document_delete_of(mailer).await.unwrap();
        note(10).await;
        note(20).await;
        assert_eq!(gone(10).await, [(tags.name.clone(), at(10))]);
        assert_eq!(gone(11).await, []);
        storage.document_put(&tags).await.unwrap();
        note(30).await;
        assert_eq!(gone(0).await, [], "it is back");
        storage.package_delete(mailer).await.unwrap();
        note(40).await;
        assert_eq!(gone(0).await, [(tags.name.clone(), at(40))]);
        note(141).await;
        assert_eq!(gone(0).await, [], "nobody follows from so long ago");
    }
}
