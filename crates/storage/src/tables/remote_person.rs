//! People of workspaces that are followed.

use super::{Row, identity, search_text, synchronization};
use crate::StorageError;
use sea_orm::{
    entity::prelude::*,
    sea_query::{ExprTrait, IntoCondition},
};
use stave_domain::{
    Timestamp,
    id::SynchronizationId,
    synchronization::{AccessSet, KnownPerson, RemotePerson},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "remote_person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    pub handle: String,
    pub name: String,
    pub role: String,
    /// What [`AccessSet::to_bytes`] says.
    pub access: Option<Vec<u8>>,
    pub asked_at: Option<i64>,
    pub problem: Option<String>,
    /// Begins with what to call them, so that it is also what they are sorted by.
    pub search: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::synchronization::Entity",
        from = "Column::SynchronizationId",
        to = "super::synchronization::Column::Id"
    )]
    Synchronization,
}

impl Related<synchronization::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Synchronization.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// To the connected account that is this person's: at the integration of the synchronization, which has to be joined before.
pub fn to_account() -> RelationDef {
    Entity::belongs_to(identity::Entity)
        .from(Column::ExternalId)
        .to(identity::Column::ExternalId)
        .on_condition(|_, account| {
            Expr::col((account, identity::Column::IntegrationId))
                .equals((synchronization::Entity, synchronization::Column::IntegrationId))
                .into_condition()
        })
        .into()
}

/// What may be read, by the bytes of the column.
pub fn access(row: &Row, bytes: Option<Vec<u8>>) -> Result<Option<AccessSet>, StorageError> {
    bytes.map(|bytes| AccessSet::from_bytes(&bytes).ok_or_else(|| row.corrupt("access"))).transpose()
}

impl From<(SynchronizationId, &KnownPerson)> for Model {
    fn from((synchronization, known): (SynchronizationId, &KnownPerson)) -> Self {
        let person = &known.person;
        Self {
            synchronization_id: synchronization.into(),
            external_id: person.external_id.clone(),
            handle: person.handle.clone(),
            name: person.name.clone(),
            role: person.role.key().to_owned(),
            access: known.access.as_ref().map(AccessSet::to_bytes),
            asked_at: known.asked_at.map(Timestamp::as_millisecond),
            problem: known.problem.clone(),
            search: search_text(&[person.title(), &person.handle, &person.external_id]),
        }
    }
}

impl TryFrom<Model> for KnownPerson {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("remote_person", format!("{}/{}", model.synchronization_id, model.external_id));
        Ok(Self {
            person: RemotePerson {
                external_id: model.external_id,
                handle: model.handle,
                name: model.name,
                role: row.parse("role", &model.role)?,
            },
            access: access(&row, model.access)?,
            asked_at: row.instant_or_null("asked_at", model.asked_at)?,
            problem: model.problem,
        })
    }
}
