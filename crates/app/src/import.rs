//! Taking over the repositories of a satis.json or composer.json: first a report, then the work.

use crate::{Actor, App, DefinitionForm, Failure, MirrorForm, RepositoryForm};
use stave_domain::{
    Invalid,
    credential::StoredCredential,
    import::{ImportLine, Importable, parse},
    mirror::{Adds, authority},
    organization::Organization,
    repository::SourceUrl,
};
use url::Url;

/// What is pasted, and with what is tried to read it.
#[derive(Debug, Clone, Default)]
pub struct ImportForm {
    /// A satis.json or composer.json.
    pub json: String,
    /// Ids of stored credentials that may be used: each for its own host.
    pub credentials: Vec<String>,
}

/// A line of the report.
#[derive(Debug)]
pub struct ImportReport {
    /// What stands in the file, and what it becomes.
    pub line: ImportLine,
    /// How that stands.
    pub state: ImportState,
}

/// How it stands with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportState {
    /// It will be added; with which credential, if with one.
    New(Option<String>),
    /// It is here already.
    Here,
    /// It was added now.
    Added,
    /// It cannot be, or was not: why, in a sentence.
    Not(String),
}

/// What can be imported, and with what.
#[derive(Debug)]
pub struct ImportView {
    /// For whom.
    pub organization: Organization,
    /// The stored credentials; none for those who do not manage the organization.
    pub credentials: Vec<StoredCredential>,
}

impl App {
    /// The page of the import.
    pub async fn import_show(&self, actor: &Actor, short_name: &str) -> Result<ImportView, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let credentials = if self.is_manager(actor, &organization).await? {
            self.storage.credential_list(organization.id).await?
        } else {
            Vec::new()
        };
        Ok(ImportView { organization, credentials })
    }

    /// What would come of a file. Nothing is changed.
    pub async fn import_report(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &ImportForm,
    ) -> Result<Vec<ImportReport>, Failure> {
        let view = self.import_show(actor, short_name).await?;
        let mut report = Vec::new();
        for line in self.import_typed(form)? {
            let state = self.import_state(actor, &view, &line, form).await?;
            report.push(ImportReport { line, state });
        }
        Ok(report)
    }

    /// Adds everything of a file that can be added, line by line: what cannot be keeps nothing else from it.
    pub async fn import_run(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &ImportForm,
    ) -> Result<Vec<ImportReport>, Failure> {
        let view = self.import_show(actor, short_name).await?;
        let mut report = self.import_report(actor, short_name, form).await?;
        for it in &mut report {
            if !matches!(it.state, ImportState::New(_)) {
                continue;
            }
            it.state = match self.import_add(actor, &view, &it.line, form).await {
                Ok(()) => ImportState::Added,
                Err(failure @ (Failure::Internal(_) | Failure::Disk(_))) => return Err(failure),
                Err(failure) => ImportState::Not(failure.to_string()),
            };
        }
        Ok(report)
    }

    fn import_typed(&self, form: &ImportForm) -> Result<Vec<ImportLine>, Failure> {
        parse(&form.json, self.clock.now()).map_err(|Invalid(sentence)| Failure::invalid("json", sentence))
    }

    async fn import_state(
        &self,
        actor: &Actor,
        view: &ImportView,
        line: &ImportLine,
        form: &ImportForm,
    ) -> Result<ImportState, Failure> {
        let organization = &view.organization;
        let is_here = match &line.what {
            Importable::Nothing(sentence) | Importable::Refused(sentence) => {
                return Ok(ImportState::Not(sentence.clone()));
            }
            Importable::Repository(source) => {
                self.storage.repository_find_by_source(organization.id, source).await?.is_some()
            }
            Importable::Mirror(_) if !self.is_manager(actor, organization).await? => {
                return Ok(ImportState::Not(
                    "Only owners and admins add mirrored repositories. Ask one of them.".into(),
                ));
            }
            Importable::Mirror(url) => {
                self.storage.mirror_list(organization.id).await?.iter().any(|mirror| mirror.url == *url)
            }
            Importable::Custom { name, .. } => {
                let holder = self.storage.package_find_by_name(organization.id, name).await?;
                holder.is_some_and(|holder| !holder.is_mirrored())
            }
        };
        let credential = view.credential(line, form).map(|credential| credential.description.clone());
        Ok(if is_here { ImportState::Here } else { ImportState::New(credential) })
    }

    async fn import_add(
        &self,
        actor: &Actor,
        view: &ImportView,
        line: &ImportLine,
        form: &ImportForm,
    ) -> Result<(), Failure> {
        let short_name = view.organization.short_name.as_str();
        let credential = view.credential(line, form).map(|credential| credential.id.to_string());
        match &line.what {
            Importable::Repository(source) => {
                let credential =
                    credential.map_or_else(|| "auto".to_owned(), |id| format!("credential:{id}"));
                let form =
                    RepositoryForm { url: source.to_string(), credential, ..RepositoryForm::default() };
                self.repository_add(actor, short_name, &form).await?;
            }
            Importable::Mirror(url) => {
                let form = MirrorForm {
                    name: url.host_str().unwrap_or("Mirror").to_owned(),
                    url: url.to_string(),
                    credential: credential.unwrap_or_default(),
                    adds: Adds::default().key().to_owned(),
                    ..MirrorForm::default()
                };
                self.mirror_create(actor, short_name, &form).await?;
            }
            Importable::Custom { text, .. } => {
                let form = DefinitionForm { json: text.clone(), credential: credential.unwrap_or_default() };
                self.definition_create(actor, short_name, &form).await?;
            }
            Importable::Nothing(_) | Importable::Refused(_) => {}
        }
        Ok(())
    }
}

impl ImportView {
    /// The credential with which a line is read: the first of those that were chosen which is for its host.
    fn credential(&self, line: &ImportLine, form: &ImportForm) -> Option<&StoredCredential> {
        let host = match &line.what {
            Importable::Repository(source) if !SourceUrl::is_ssh(source) => source.authority(),
            Importable::Mirror(url) => authority(url),
            Importable::Custom { text, .. } => host_of_archive(text)?,
            _ => return None,
        };
        let is_chosen = |it: &&StoredCredential| form.credentials.contains(&it.id.to_string());
        self.credentials.iter().filter(is_chosen).find(|credential| credential.host == host)
    }
}

/// From where the first archive of a custom package is fetched.
fn host_of_archive(text: &str) -> Option<String> {
    let versions: serde_json::Value = serde_json::from_str(text).ok()?;
    let url = versions.as_array()?.iter().find_map(|version| version["dist"]["url"].as_str())?;
    Some(authority(&Url::parse(url).ok()?))
}
