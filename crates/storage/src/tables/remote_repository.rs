//! Repositories of workspaces that are followed.

use super::{Row, search_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    Timestamp,
    id::SynchronizationId,
    synchronization::{Choice, KnownRepository, Manifest, RemoteRepository},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "remote_repository")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub external_id: String,
    pub slug: String,
    pub name: String,
    pub project: Option<String>,
    pub source_url: String,
    pub default_branch: Option<String>,
    pub is_archived: bool,
    pub changed_at: Option<i64>,
    /// What [`manifest_key`] says.
    pub manifest: String,
    pub looked_at: Option<i64>,
    pub problem: Option<String>,
    /// What [`choice_key`] says.
    pub choice: String,
    pub missing_since: Option<i64>,
    pub search: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The text of `manifest`.
pub fn manifest_key(manifest: Manifest) -> &'static str {
    match manifest {
        Manifest::Unknown => "unknown",
        Manifest::Present => "present",
        Manifest::Absent => "absent",
    }
}

/// The text of `choice`.
pub fn choice_key(choice: Choice) -> &'static str {
    match choice {
        Choice::Selection => "selection",
        Choice::Wanted => "wanted",
        Choice::Unwanted => "unwanted",
    }
}

/// Whether there is a composer.json, by the text of the column.
pub fn manifest(row: &Row, text: &str) -> Result<Manifest, StorageError> {
    let all = [Manifest::Unknown, Manifest::Present, Manifest::Absent];
    all.into_iter().find(|manifest| manifest_key(*manifest) == text).ok_or_else(|| row.corrupt("manifest"))
}

fn choice(row: &Row, text: &str) -> Result<Choice, StorageError> {
    let all = [Choice::Selection, Choice::Wanted, Choice::Unwanted];
    all.into_iter().find(|choice| choice_key(*choice) == text).ok_or_else(|| row.corrupt("choice"))
}

impl From<(SynchronizationId, &KnownRepository)> for Model {
    fn from((synchronization, known): (SynchronizationId, &KnownRepository)) -> Self {
        let remote = &known.remote;
        Self {
            synchronization_id: synchronization.into(),
            number: known.number.into(),
            external_id: remote.external_id.clone(),
            slug: remote.slug.clone(),
            name: remote.name.clone(),
            project: remote.project.clone(),
            source_url: remote.source.to_string(),
            default_branch: remote.default_branch.clone(),
            is_archived: remote.is_archived,
            changed_at: remote.changed_at.map(Timestamp::as_millisecond),
            manifest: manifest_key(known.manifest).to_owned(),
            looked_at: known.looked_at.map(Timestamp::as_millisecond),
            problem: known.problem.clone(),
            choice: choice_key(known.choice).to_owned(),
            missing_since: known.missing_since.map(Timestamp::as_millisecond),
            search: search_text(&[&remote.slug, &remote.name, remote.project.as_deref().unwrap_or_default()]),
        }
    }
}

impl TryFrom<Model> for KnownRepository {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("remote_repository", format!("{}/{}", model.synchronization_id, model.number));
        Ok(Self {
            number: row.number("number", model.number)?,
            remote: RemoteRepository {
                external_id: model.external_id,
                slug: model.slug,
                name: model.name,
                project: model.project,
                source: row.parse("source_url", &model.source_url)?,
                default_branch: model.default_branch,
                is_archived: model.is_archived,
                changed_at: row.instant_or_null("changed_at", model.changed_at)?,
            },
            manifest: manifest(&row, &model.manifest)?,
            looked_at: row.instant_or_null("looked_at", model.looked_at)?,
            problem: model.problem,
            choice: choice(&row, &model.choice)?,
            missing_since: row.instant_or_null("missing_since", model.missing_since)?,
        })
    }
}
