//! Members of an organization.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::UserId,
    organization::{Member, Organization, Role},
    user::User,
};

impl App {
    /// Everybody in an organization, for its members and for admins; with what the actor may do there.
    pub async fn member_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Role, Vec<(User, Member)>), Failure> {
        let (organization, role) = if actor.is_admin() {
            (self.organization_owned(actor, short_name).await?, Role::Owner)
        } else {
            self.organization_seen(actor, short_name).await?
        };
        let members = self.storage.member_list(organization.id).await?;
        Ok((organization, role, members))
    }

    /// Adds somebody, named by username or e-mail address, or gives them another role.
    pub async fn member_put(
        &self,
        actor: &Actor,
        short_name: &str,
        who: &str,
        role: Role,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let user = self.user_named(who).await?.ok_or_else(|| {
            Failure::invalid(
                "who",
                "Nobody here has this username or e-mail address. They log in once, then you can add them.",
            )
        })?;
        let txn = self.people_change().await?;
        let before = txn.member_role(organization.id, user.id).await?;
        if before == Some(Role::Owner) && role != Role::Owner && txn.owner_count(organization.id).await? == 1
        {
            return Err(Failure::Conflict(last_owner(&user)));
        }
        let member =
            Member { organization_id: organization.id, user_id: user.id, role, joined_at: self.clock.now() };
        txn.member_upsert(&member).await?;
        txn.commit().await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("made {} {} of the organization", user.username, role.key()),
        )
        .await
    }

    /// Removes somebody from an organization; members may remove themselves. The last owner stays.
    pub async fn member_remove(&self, actor: &Actor, short_name: &str, id: UserId) -> Result<(), Failure> {
        let organization = if actor.user()?.id == id {
            self.organization_seen(actor, short_name).await?.0
        } else {
            self.organization_owned(actor, short_name).await?
        };
        let txn = self.people_change().await?;
        let role = txn.member_role(organization.id, id).await?.ok_or(Failure::NotFound("member"))?;
        let user = txn.user_find(id).await?.ok_or(Failure::NotFound("member"))?;
        if role == Role::Owner && txn.owner_count(organization.id).await? == 1 {
            return Err(Failure::Conflict(last_owner(&user)));
        }
        txn.member_delete(organization.id, id).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), format!("removed {} from the organization", user.username))
            .await
    }
}

fn last_owner(user: &User) -> String {
    format!("{} is the last owner. Make somebody else an owner first.", user.username)
}
