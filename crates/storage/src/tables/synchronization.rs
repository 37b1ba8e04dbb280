//! Synchronizations, and how they fare.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::synchronization::{
    Condition, RightsFrom, Stage, Synchronization, SynchronizationAccess, Workspace,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "synchronization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub integration_id: Uuid,
    /// The workspace's.
    pub external_id: String,
    pub workspace_key: String,
    pub workspace_name: String,
    /// One of the `ACCESS_` texts.
    pub access_kind: String,
    /// Set to NULL when the connected account is deleted.
    pub identity_id: Option<Uuid>,
    /// A credential that a synchronization uses cannot be deleted.
    pub credential_id: Option<Uuid>,
    /// [`EVERYBODY`] or [`EACH_PERSON`].
    pub rights_from: String,
    pub is_primary: bool,
    /// JSON.
    pub selection: String,
    pub has_webhooks: bool,
    /// [`DRAFT`] or [`ACTIVE`].
    pub stage: String,
    pub numbers_used: i64,
    pub created_at: i64,
    pub succeeded_at: Option<i64>,
    pub failing_since: Option<i64>,
    pub last_error: Option<String>,
    /// JSON.
    pub notes: String,
    pub next_at: Option<i64>,
    pub told_at: Option<i64>,
    /// JSON.
    pub preview: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ACCESS_ACCOUNT: &str = "account";
const ACCESS_STORED: &str = "stored";
pub const EVERYBODY: &str = "everybody";
pub const EACH_PERSON: &str = "each_person";
pub const DRAFT: &str = "draft";
pub const ACTIVE: &str = "active";

/// As it is when it is new: no run yet, and no preview.
impl From<&Synchronization> for Model {
    fn from(synchronization: &Synchronization) -> Self {
        let (access_kind, identity_id, credential_id) = match synchronization.access {
            SynchronizationAccess::Account(id) => (ACCESS_ACCOUNT, Some(id.into()), None),
            SynchronizationAccess::AccountGone => (ACCESS_ACCOUNT, None, None),
            SynchronizationAccess::Stored(id) => (ACCESS_STORED, None, Some(id.into())),
        };
        let rights_from = match synchronization.rights_from {
            RightsFrom::Everybody => EVERYBODY,
            RightsFrom::EachPerson => EACH_PERSON,
        };
        let stage = match synchronization.stage {
            Stage::Draft => DRAFT,
            Stage::Active => ACTIVE,
        };
        Self {
            id: synchronization.id.into(),
            organization_id: synchronization.organization_id.into(),
            integration_id: synchronization.integration_id.into(),
            external_id: synchronization.workspace.external_id.clone(),
            workspace_key: synchronization.workspace.key.clone(),
            workspace_name: synchronization.workspace.name.clone(),
            access_kind: access_kind.to_owned(),
            identity_id,
            credential_id,
            rights_from: rights_from.to_owned(),
            is_primary: synchronization.is_primary,
            selection: json_text(&synchronization.selection),
            has_webhooks: synchronization.has_webhooks,
            stage: stage.to_owned(),
            numbers_used: synchronization.numbers_used.into(),
            created_at: synchronization.created_at.as_millisecond(),
            succeeded_at: None,
            failing_since: None,
            last_error: None,
            notes: json_text(&Vec::<String>::new()),
            next_at: None,
            told_at: None,
            preview: None,
        }
    }
}

impl TryFrom<Model> for Synchronization {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("synchronization", model.id);
        let access = match (model.access_kind.as_str(), model.identity_id, model.credential_id) {
            (ACCESS_ACCOUNT, Some(id), None) => SynchronizationAccess::Account(id.into()),
            (ACCESS_ACCOUNT, None, None) => SynchronizationAccess::AccountGone,
            (ACCESS_STORED, None, Some(id)) => SynchronizationAccess::Stored(id.into()),
            _ => return Err(row.corrupt("access_kind")),
        };
        Ok(Self {
            id: model.id.into(),
            organization_id: model.organization_id.into(),
            integration_id: model.integration_id.into(),
            workspace: Workspace {
                external_id: model.external_id,
                key: model.workspace_key,
                name: model.workspace_name,
            },
            access,
            rights_from: rights_from(&row, &model.rights_from)?,
            is_primary: model.is_primary,
            selection: row.json("selection", &model.selection)?,
            has_webhooks: model.has_webhooks,
            stage: match model.stage.as_str() {
                DRAFT => Stage::Draft,
                ACTIVE => Stage::Active,
                _ => return Err(row.corrupt("stage")),
            },
            numbers_used: row.number("numbers_used", model.numbers_used)?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}

/// Who is asked, by the text of the column.
pub fn rights_from(row: &Row, text: &str) -> Result<RightsFrom, StorageError> {
    match text {
        EVERYBODY => Ok(RightsFrom::Everybody),
        EACH_PERSON => Ok(RightsFrom::EachPerson),
        _ => Err(row.corrupt("rights_from")),
    }
}

impl TryFrom<Model> for Condition {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("synchronization", model.id);
        Ok(Self {
            succeeded_at: row.instant_or_null("succeeded_at", model.succeeded_at)?,
            failing_since: row.instant_or_null("failing_since", model.failing_since)?,
            last_error: model.last_error,
            notes: row.json("notes", &model.notes)?,
            next_at: row.instant_or_null("next_at", model.next_at)?,
            told_at: row.instant_or_null("told_at", model.told_at)?,
        })
    }
}

/// A synchronization and how it fares.
pub struct WithCondition(pub Synchronization, pub Condition);

impl TryFrom<Model> for WithCondition {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        Ok(Self(model.clone().try_into()?, model.try_into()?))
    }
}
