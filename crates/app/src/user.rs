//! Users, as admins manage them.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::UserId,
    organization::{Organization, Role},
    user::{EmailAddress, User, Username},
};
use stave_storage::Transaction;

/// Users on one page of the list.
const PAGE: u64 = 50;

impl App {
    /// Users whose name or address contains a text, by username; pages count from 0. The second value says whether more follow.
    pub async fn user_list(
        &self,
        actor: &Actor,
        search: &str,
        page: u64,
    ) -> Result<(Vec<User>, bool), Failure> {
        actor.admin()?;
        let mut users = self.storage.user_list(search.trim(), page.saturating_mul(PAGE), PAGE + 1).await?;
        let more = users.len() as u64 > PAGE;
        users.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok((users, more))
    }

    /// A user, with the organizations that they are in: what deleting them touches.
    pub async fn user_show(
        &self,
        actor: &Actor,
        id: UserId,
    ) -> Result<(User, Vec<(Organization, Role)>), Failure> {
        actor.admin()?;
        let user = self.storage.user_find(id).await?.ok_or(Failure::NotFound("user"))?;
        let organizations = self.storage.organization_list_of_user(id).await?;
        Ok((user, organizations))
    }

    /// Deletes a user with their connected accounts, log-ins and tokens. The last admin stays, and the last owner of an
    /// organization.
    pub async fn user_delete(&self, actor: &Actor, id: UserId) -> Result<(), Failure> {
        actor.admin()?;
        let txn = self.people_change().await?;
        let user = txn.user_find(id).await?.ok_or(Failure::NotFound("user"))?;
        if user.is_admin && txn.admin_list().await?.len() == 1 {
            return Err(Failure::Conflict(format!(
                "{} is the last admin. Make somebody else an admin first.",
                user.username
            )));
        }
        for (organization, role) in txn.organization_list_of_user(id).await? {
            if role == Role::Owner && txn.owner_count(organization.id).await? == 1 {
                return Err(Failure::Conflict(format!(
                    "{} is the last owner of the organization {}. Make somebody else an owner of it, or delete it, first.",
                    user.username, organization.name
                )));
            }
        }
        txn.user_delete(id).await?;
        txn.commit().await?;
        self.log_by(actor, None, format!("deleted the user {}", user.username)).await
    }

    /// Everybody to whom the Admin section is open.
    pub async fn admin_list(&self, actor: &Actor) -> Result<Vec<User>, Failure> {
        actor.admin()?;
        Ok(self.storage.admin_list().await?)
    }

    /// Opens the Admin section to somebody, named by username or e-mail address.
    pub async fn admin_grant(&self, actor: &Actor, who: &str) -> Result<(), Failure> {
        actor.admin()?;
        let found = self.user_named(who).await?;
        let named = found.ok_or_else(|| {
            Failure::invalid("who", "Nobody here has this username or e-mail address. They log in once, then you can make them an admin.")
        })?;
        let txn = self.people_change().await?;
        let user = txn.user_find(named.id).await?.ok_or(Failure::NotFound("user"))?;
        if user.is_admin {
            return Err(Failure::invalid("who", format!("{} is an admin already.", user.username)));
        }
        txn.user_update(&User { is_admin: true, ..user.clone() }).await?;
        txn.commit().await?;
        self.log_by(actor, None, format!("made {} an admin", user.username)).await
    }

    /// Closes the Admin section to somebody. The last admin stays.
    pub async fn admin_revoke(&self, actor: &Actor, id: UserId) -> Result<(), Failure> {
        actor.admin()?;
        let txn = self.people_change().await?;
        let user = txn.user_find(id).await?.filter(|user| user.is_admin).ok_or(Failure::NotFound("admin"))?;
        if txn.admin_list().await?.len() == 1 {
            return Err(Failure::Conflict(format!(
                "{} is the last admin. Make somebody else an admin first.",
                user.username
            )));
        }
        txn.user_update(&User { is_admin: false, ..user.clone() }).await?;
        txn.commit().await?;
        self.log_by(actor, None, format!("revoked the admin permissions of {}", user.username)).await
    }

    /// Somebody, by username or verified e-mail address. An address that nobody confirmed may be another person's.
    pub(crate) async fn user_named(&self, who: &str) -> Result<Option<User>, Failure> {
        if let Ok(email) = who.parse::<EmailAddress>() {
            return match self.storage.user_find_by_email(&email).await? {
                Some(user) if !user.email_verified => {
                    Err(Failure::invalid("who", "This address is not verified here. Name the username."))
                }
                found => Ok(found),
            };
        }
        match who.parse::<Username>() {
            Ok(username) => Ok(self.storage.user_find_by_username(&username).await?),
            Err(_) => Ok(None),
        }
    }

    /// A transaction in which admins, owners and ways in can be counted: no other one changes them before it ends. Others wait
    /// for it, each with a connection, so within it ask nothing outside of it.
    pub(crate) async fn people_change(&self) -> Result<Transaction, Failure> {
        let txn = self.storage.begin().await?;
        txn.lock("people").await?;
        Ok(txn)
    }
}
