//! What packages can be found by.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, package,
        package_facet::{Column, Entity, Model},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use stave_domain::{
    access::Named,
    id::{OrganizationId, PackageId},
    package::{Facet, FacetKind, PackageName},
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

impl Storage {
    /// From now on a package is found by these, and by nothing else. Writes nothing if it is so already.
    pub async fn facet_put(&self, package: PackageId, facets: &BTreeSet<Facet>) -> Result<(), StorageError> {
        let theirs = Column::PackageId.eq(Uuid::from(package));
        let known = Entity::find().filter(theirs.clone());
        let mut known = known.order_by_asc(Column::Kind).order_by_asc(Column::Text).all(&self.conn).await?;
        let mut rows: Vec<Model> = facets.iter().map(|facet| Model::new(package, facet)).collect();
        let order = |a: &Model, b: &Model| (&a.kind, &a.text).cmp(&(&b.kind, &b.text));
        known.sort_by(order);
        rows.sort_by(order);
        if known == rows {
            return Ok(());
        }
        let txn = self.begin().await?;
        Entity::delete_many().filter(theirs).exec(&txn.conn).await?;
        query::insert_many(rows, query::keep::<Entity>(), &txn).await?;
        txn.commit().await
    }

    /// The packages of an organization whose name, description or folder has every one of these words in it, and that have every
    /// one of these facets, by name. No words and no facets find all that have a name.
    pub async fn package_search(
        &self,
        organization: OrganizationId,
        words: &[&str],
        facets: &[Facet],
    ) -> Result<Vec<Named>, StorageError> {
        let mut found = package::Entity::find()
            .filter(package::Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(package::Column::Name.is_not_null());
        for word in words {
            found = found.filter(query::contains(package::Column::Search, word));
        }
        for facet in facets {
            found = found.filter(package::Column::Id.in_subquery(packages_with(facet).into_query()));
        }
        self.named(found).await
    }

    /// The packages of an organization that have one of these names, by name.
    pub async fn package_list_named(
        &self,
        organization: OrganizationId,
        names: &BTreeSet<PackageName>,
    ) -> Result<Vec<Named>, StorageError> {
        let mut found = Vec::new();
        for names in query::batches(names.iter().map(PackageName::as_str)) {
            let packages = package::Entity::find()
                .filter(package::Column::OrganizationId.eq(Uuid::from(organization)))
                .filter(package::Column::Name.is_in(names));
            found.extend(self.named(packages).await?);
        }
        Ok(found)
    }

    /// The type of each of these packages, such as `library`; of those that publish nothing there is none.
    pub async fn package_types(&self, ids: &[PackageId]) -> Result<HashMap<PackageId, String>, StorageError> {
        let mut types = HashMap::new();
        for ids in query::batches(ids.iter().map(|id| Uuid::from(*id))) {
            let rows = Entity::find()
                .filter(Column::Kind.eq(FacetKind::Type.key()))
                .filter(Column::PackageId.is_in(ids))
                .all(&self.conn)
                .await?;
            types.extend(rows.into_iter().map(|row| (PackageId::from(row.package_id), row.text)));
        }
        Ok(types)
    }

    async fn named(&self, packages: Select<package::Entity>) -> Result<Vec<Named>, StorageError> {
        let rows: Vec<(Uuid, String, Option<Uuid>)> = packages
            .select_only()
            .columns([package::Column::Id, package::Column::Name, package::Column::MirrorId])
            .order_by_asc(package::Column::Name)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let each = rows.into_iter().map(|(id, name, mirror)| {
            let name = Row::of("package", id).parse("name", &name)?;
            Ok(Named { package_id: id.into(), name, is_mirrored: mirror.is_some() })
        });
        each.collect()
    }
}

fn packages_with(facet: &Facet) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::PackageId)
        .filter(Column::Kind.eq(facet.kind.key()))
        .filter(Column::Text.eq(facet.text.as_str()))
}

#[cfg(test)]
mod tests {
    use crate::testing::{organization, package, package_store, test_storage};
    use stave_domain::package::{Facet, FacetKind};
    use std::collections::BTreeSet;

    fn facet(kind: FacetKind, text: &str) -> Facet {
        Facet { kind, text: text.into() }
    }

    #[tokio::test]
    async fn packages_are_found_by_words_and_facets() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let (log, mailer) = (package(1, acme.id, "acme/log"), package(2, acme.id, "acme/mailer"));
        for package in [&mailer, &log] {
            package_store(&storage, package).await;
        }
        let library = facet(FacetKind::Type, "library");
        let mail = facet(FacetKind::Keyword, "mail");
        let logs = facet(FacetKind::Provides, "psr/log-implementation");
        let put = async |id, facets: &[&Facet]| {
            let facets: BTreeSet<Facet> = facets.iter().map(|facet| (*facet).clone()).collect();
            storage.facet_put(id, &facets).await.unwrap();
        };
        put(log.id, &[&library, &mail, &logs]).await;
        put(mailer.id, &[&library, &mail]).await;
        put(log.id, &[&library, &logs]).await;
        let found = async |words: &[&str], facets: &[Facet]| -> Vec<String> {
            let found = storage.package_search(acme.id, words, facets).await.unwrap();
            found.into_iter().map(|it| it.name.to_string()).collect()
        };
        assert_eq!(found(&[], &[]).await, ["acme/log", "acme/mailer"]);
        assert_eq!(found(&["ACME", "mail"], &[]).await, ["acme/mailer"]);
        assert_eq!(found(&[], std::slice::from_ref(&library)).await, ["acme/log", "acme/mailer"]);
        assert_eq!(found(&[], &[library.clone(), logs]).await, ["acme/log"]);
        assert_eq!(found(&[], &[mail]).await, ["acme/mailer"], "what it was found by before is forgotten");
        assert_eq!(found(&["nothing"], &[]).await, [""; 0]);
        let types = storage.package_types(&[log.id, mailer.id]).await.unwrap();
        assert_eq!(types[&log.id], "library");

        let names = ["acme/mailer", "acme/none", "acme/log"].map(|name| name.parse().unwrap());
        let found = storage.package_list_named(acme.id, &names.into()).await.unwrap();
        assert_eq!(found.iter().map(|it| it.package_id).collect::<Vec<_>>(), [log.id, mailer.id]);
        let both = storage.package_list_of_ids(&[mailer.id, log.id]).await.unwrap();
        assert_eq!(both.into_iter().map(|(package, _)| package).collect::<Vec<_>>(), [mailer, log]);
    }
}
