//! What organizations let Composer see and download, and the dists that are not sent because of that.

use crate::{
    Storage, StorageError, query,
    tables::{refusal, security},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use stave_domain::{
    id::{OrganizationId, PackageId},
    security::SecuritySettings,
};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Storage {
    /// What an organization lets Composer see; `None` if nobody ever chose.
    pub async fn security_find(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<SecuritySettings>, StorageError> {
        query::one(security::Entity::find_by_id(Uuid::from(organization)), &self.conn).await
    }

    /// Stores what an organization lets Composer see.
    pub async fn security_put(
        &self,
        organization: OrganizationId,
        settings: &SecuritySettings,
    ) -> Result<(), StorageError> {
        query::upsert(security::Model::from((organization, settings)), &self.conn).await
    }

    /// Why the dist of a commit is not sent, in a sentence; `None` if it is.
    pub async fn refusal_find(
        &self,
        package: PackageId,
        commit: &str,
    ) -> Result<Option<String>, StorageError> {
        let found = refusal::Entity::find_by_id((Uuid::from(package), commit.to_owned()));
        Ok(found.one(&self.conn).await?.map(|row| row.because))
    }

    /// Stores which dists of a package are not sent, by their commits, and why: all others are. Nothing is written if it is so already.
    pub async fn refusal_replace(
        &self,
        package: PackageId,
        refusals: &BTreeMap<String, String>,
    ) -> Result<(), StorageError> {
        let of_package = refusal::Column::PackageId.eq(Uuid::from(package));
        let rows = refusal::Entity::find().filter(of_package.clone()).all(&self.conn).await?;
        let known: BTreeMap<String, String> = rows.into_iter().map(|row| (row.commit, row.because)).collect();
        let over: Vec<&String> = known.keys().filter(|commit| !refusals.contains_key(*commit)).collect();
        for commits in query::batches(over) {
            let gone = refusal::Entity::delete_many().filter(of_package.clone());
            gone.filter(refusal::Column::Commit.is_in(commits)).exec(&self.conn).await?;
        }
        let new = refusals.iter().filter(|(commit, because)| known.get(*commit) != Some(*because));
        let new = new.map(|(commit, because)| refusal::Model {
            package_id: package.into(),
            commit: commit.clone(),
            because: because.clone(),
        });
        query::insert_many(new.collect(), query::replace::<refusal::Entity>(), self).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, id, organization, test_storage},
    };
    use stave_domain::security::{ClientPolicy, CooldownDays, HideSource, PluginPolicy, SecuritySettings};
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn an_organization_has_its_own_settings() {
        let storage = test_storage().await;
        let (acme, zoo) = (organization(1, "acme"), organization(2, "zoo"));
        for organization in [&acme, &zoo] {
            storage.organization_insert(organization).await.unwrap();
        }
        assert_eq!(storage.security_find(acme.id).await.unwrap(), None);
        let strict = SecuritySettings {
            hides_source: HideSource::Always,
            plugins: PluginPolicy {
                is_limited: true,
                allowed: "acme/*".parse().unwrap(),
                blocks_downloads: true,
            },
            clients: ClientPolicy::Newest,
            blocks_malware: false,
            blocks_advisories: true,
            cooldown_days: CooldownDays(7),
            cooldown_exceptions: "symfony/*".parse().unwrap(),
            private_names: "acme/*".parse().unwrap(),
        };
        for settings in [SecuritySettings::of_new(), strict] {
            storage.security_put(acme.id, &settings).await.unwrap();
            assert_eq!(storage.security_find(acme.id).await.unwrap(), Some(settings));
        }
        assert_eq!(storage.security_find(zoo.id).await.unwrap(), None);
        let nobody = storage.security_put(id(99), &SecuritySettings::of_new()).await;
        assert!(matches!(nobody, Err(StorageError::Detached)), "{nobody:?}");
        storage.organization_delete(acme.id).await.unwrap();
        assert_eq!(storage.security_find(acme.id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn settings_of_an_older_stave_are_whole() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        storage.security_put(acme.id, &SecuritySettings::of_new()).await.unwrap();
        storage.database.run(r#"UPDATE security SET settings = '{"hides_source":"always"}'"#).await;
        let expected = SecuritySettings { hides_source: HideSource::Always, ..SecuritySettings::until_now() };
        assert_eq!(storage.security_find(acme.id).await.unwrap(), Some(expected));
        storage.database.run(r#"UPDATE security SET settings = '{"hides_source":"?"}'"#).await;
        let damaged = storage.security_find(acme.id).await.unwrap_err();
        assert!(matches!(damaged, StorageError::Corrupt { table: "security", column: "settings", .. }));
    }

    #[tokio::test]
    async fn refusals_are_those_that_were_stored_last() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let refusals = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(commit, because)| ((*commit).to_owned(), (*because).to_owned())).collect()
        };
        let find = async |commit| storage.refusal_find(mailer, commit).await.unwrap();
        storage.refusal_replace(mailer, &refusals(&[("a", "Bad."), ("b", "Bad.")])).await.unwrap();
        assert_eq!((find("a").await.as_deref(), find("c").await), (Some("Bad."), None));
        assert_eq!(storage.refusal_find(id(99), "a").await.unwrap(), None);

        let count = storage.dist_change_count();
        storage.refusal_replace(mailer, &refusals(&[("a", "Bad."), ("b", "Bad.")])).await.unwrap();
        assert_eq!(storage.dist_change_count(), count, "nothing was written");
        storage.refusal_replace(mailer, &refusals(&[("b", "Worse."), ("c", "Bad.")])).await.unwrap();
        assert!(storage.dist_change_count() > count, "who keeps dists hears of it");
        assert_eq!(find("a").await, None);
        assert_eq!((find("b").await.as_deref(), find("c").await.as_deref()), (Some("Worse."), Some("Bad.")));
        storage.refusal_replace(mailer, &BTreeMap::new()).await.unwrap();
        assert_eq!((find("b").await, find("c").await), (None, None));
    }
}
