//! Members at the servers where they say who they are.

use crate::{
    StorageError,
    tables::{Row, json_text, search_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::{Address, MemberIdentity, Place};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub website_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    pub member_id: Uuid,
    pub second_id: Option<String>,
    pub handle: String,
    pub display_name: String,
    /// JSON.
    pub addresses: String,
    /// The verified ones among `addresses`, to be looked for: see [`verified_text`].
    pub verified: String,
    pub search: String,
    pub connected_at: i64,
    pub signed_in_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::member::Entity",
        from = "Column::MemberId",
        to = "super::member::Column::Id"
    )]
    Member,
}

impl Related<super::member::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Member.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Each address between two spaces, which no address has in it: so each is found whole and by nothing else.
pub fn verified_text<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> String {
    let verified = addresses.into_iter().filter(|address| address.is_verified);
    let verified: Vec<_> = verified.map(|address| address.address.as_str()).collect();
    format!(" {} ", verified.join(" "))
}

impl From<&MemberIdentity> for Model {
    fn from(identity: &MemberIdentity) -> Self {
        Self {
            website_id: identity.website_id.into(),
            place: identity.place.as_str().to_owned(),
            external_id: identity.external_id.clone(),
            member_id: identity.member_id.into(),
            second_id: identity.second_id.clone(),
            handle: identity.handle.clone(),
            display_name: identity.display_name.clone(),
            addresses: json_text(&identity.addresses),
            verified: verified_text(&identity.addresses),
            search: search_text(&[&identity.external_id, &identity.handle, &identity.display_name]),
            connected_at: identity.connected_at.as_millisecond(),
            signed_in_at: identity.signed_in_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for MemberIdentity {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let key = format!("{}/{}/{}", model.website_id, model.place, model.external_id);
        let row = Row::of("website_identity", key);
        Ok(Self {
            website_id: model.website_id.into(),
            member_id: model.member_id.into(),
            place: Place::stored(model.place),
            external_id: model.external_id,
            second_id: model.second_id,
            handle: model.handle,
            display_name: model.display_name,
            addresses: row.json("addresses", &model.addresses)?,
            connected_at: row.instant("connected_at", model.connected_at)?,
            signed_in_at: row.instant("signed_in_at", model.signed_in_at)?,
        })
    }
}
