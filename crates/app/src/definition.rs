//! Custom packages: versions that people type as JSON.

use crate::{Actor, App, Failure, entropy, source_access::AccessChoice};
use stave_domain::{
    Invalid, Timestamp,
    id::{CredentialId, PackageId},
    organization::Organization,
    package::{Definition, Origin, Package, definition::Typed},
    version::{Archive, Version, VersionFound},
};
use stave_storage::Transaction;
use url::Url;

/// What is typed for a custom package.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct DefinitionForm {
    /// One version, a list of them, or `{"type": "package", "package": ..}`.
    pub json: String,
    /// The id of a stored credential, or empty.
    pub credential: String,
}

impl App {
    /// Adds a package that somebody typed as JSON.
    pub async fn definition_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &DefinitionForm,
    ) -> Result<PackageId, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let definition = self.definition_typed(form)?;
        let credential_id = self.definition_credential(actor, &organization, form, &definition).await?;
        let package = Package::new(entropy::id(), organization.id, Origin::Custom, self.clock.now());
        let package = Package { name: Some(definition.name.clone()), ..package };
        let txn = self.storage.begin().await?;
        if let Some(holder) = self.name_claim(&txn, organization.id, &definition.name).await? {
            return Err(Failure::invalid("json", self.name_is_held(&holder).await?));
        }
        txn.package_insert(&package).await?;
        let typed = Typed { package_id: package.id, credential_id, text: form.json.clone() };
        self.definition_publish(&txn, package.clone(), &typed, &definition).await?;
        txn.commit().await?;
        let action = format!("added the custom package {}", definition.name);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(package.id)
    }

    /// What was typed for a custom package, for those who manage it.
    pub async fn definition_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(Organization, Package, DefinitionForm), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        let typed = self.storage.definition_find(id).await?.ok_or(Failure::NotFound("custom package"))?;
        let credential = typed.credential_id.map(|id| id.to_string()).unwrap_or_default();
        Ok((organization, package, DefinitionForm { json: typed.text, credential }))
    }

    /// Changes what was typed for a custom package. Versions that are no longer in it leave the metadata; their zips stay.
    pub async fn definition_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
        form: &DefinitionForm,
    ) -> Result<(), Failure> {
        let (organization, known, _) = self.definition_show(actor, short_name, id).await?;
        let definition = self.definition_typed(form)?;
        if known.name.as_ref() != Some(&definition.name) {
            let sentence = format!(
                "This package is called {}. Keep the name, or add another custom package for {}.",
                known.title(None),
                definition.name
            );
            return Err(Failure::invalid("json", sentence));
        }
        let credential_id = self.definition_credential(actor, &organization, form, &definition).await?;
        let txn = self.storage.begin().await?;
        let package = txn.package_lock(id).await?.ok_or(Failure::NotFound("package"))?;
        let typed = Typed { package_id: id, credential_id, text: form.json.clone() };
        self.definition_publish(&txn, package, &typed, &definition).await?;
        txn.commit().await?;
        let action = format!("changed the custom package {}", definition.name);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// With what the archives of a custom package can be fetched; only those who manage the organization choose.
    pub async fn definition_credentials(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Vec<AccessChoice>, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let choice = |value: String, label: String| AccessChoice { value, label };
        let mut choices = vec![choice(String::new(), "None: the archives are public".into())];
        if self.is_manager(actor, &organization).await? {
            for credential in self.storage.credential_list(organization.id).await? {
                let label =
                    format!("{} ({} at {})", credential.description, credential.username, credential.host);
                choices.push(choice(credential.id.to_string(), label));
            }
        }
        Ok(choices)
    }

    fn definition_typed(&self, form: &DefinitionForm) -> Result<Definition, Failure> {
        Definition::parse(&form.json, self.clock.now())
            .map_err(|Invalid(sentence)| Failure::invalid("json", sentence))
    }

    /// The credential that was chosen, if the actor may choose it and it is for the host of one of the archives.
    async fn definition_credential(
        &self,
        actor: &Actor,
        organization: &Organization,
        form: &DefinitionForm,
        definition: &Definition,
    ) -> Result<Option<CredentialId>, Failure> {
        if form.credential.is_empty() {
            return Ok(None);
        }
        let choose = || Failure::invalid("credential", "Choose a credential from the list.");
        let id: CredentialId = form.credential.parse().map_err(|_| choose())?;
        let credential = self.storage.credential_find(id).await?;
        let credential = credential.filter(|it| it.organization_id == organization.id).ok_or_else(choose)?;
        if !self.is_manager(actor, organization).await? {
            let sentence = "Only owners and admins use the credentials of the organization.";
            return Err(Failure::invalid("credential", sentence));
        }
        if !hosts(definition).contains(&credential.host) {
            let sentence = format!("This credential is for {}, and no archive is there.", credential.host);
            return Err(Failure::invalid("credential", sentence));
        }
        Ok(Some(id))
    }

    async fn definition_publish(
        &self,
        txn: &Transaction,
        package: Package,
        typed: &Typed,
        definition: &Definition,
    ) -> Result<(), Failure> {
        let (description, abandoned) = (definition.description.clone(), definition.abandoned.clone());
        txn.package_update(&Package { description, abandoned, problem: None, ..package }).await?;
        txn.definition_put(typed).await?;
        let known = txn.version_list(typed.package_id).await?;
        let now = self.clock.now();
        let found: Vec<VersionFound> =
            definition.found.iter().map(|found| timed(found.clone(), &known, now)).collect();
        self.versions_store(txn, typed.package_id, &found).await?;
        self.documents_publish(txn, typed.package_id).await
    }
}

/// A version that says no time was released when it was first typed.
fn timed(found: VersionFound, known: &[Version], now: Timestamp) -> VersionFound {
    if found.released_at != Timestamp::UNIX_EPOCH {
        return found;
    }
    let before =
        known.iter().find(|version| version.normalized == found.normalized && version.commit == found.commit);
    VersionFound { released_at: before.map_or(now, |version| version.released_at), ..found }
}

/// From where archives are fetched, in the words of stored credentials.
fn hosts(definition: &Definition) -> Vec<String> {
    let archives = definition.found.iter().filter_map(|found| match &found.archive {
        Archive::Remote(archive) => Url::parse(&archive.url).ok(),
        Archive::Commit | Archive::Upload | Archive::Nothing => None,
    });
    archives.map(|url| stave_domain::mirror::authority(&url)).collect()
}
