//! Organizations: teams with their own Composer repository.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    organization::{Member, Organization, Role, ShortName},
    package::PackageName,
    token::TokenOwner,
};

/// Organizations on one page of the list.
const PAGE: u64 = 50;

/// What is typed into the form of an organization.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct OrganizationForm {
    /// As people write it.
    pub name: String,
    /// A [`ShortName`].
    pub short_name: String,
}

/// An organization's Overview.
#[derive(Debug)]
pub struct OrganizationView {
    /// Which.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// The Composer repository: ends with a slash.
    pub repository_url: String,
    /// A package to try it with, if there is one.
    pub example: Option<PackageName>,
    /// How many packages there are.
    pub packages: u64,
    /// Whether the actor has a user token; its text cannot be shown again.
    pub has_token: bool,
}

impl App {
    /// Whether the actor may make organizations.
    pub async fn organization_may_create(&self, actor: &Actor) -> Result<bool, Failure> {
        Ok(actor.user.is_some()
            && (actor.is_admin() || !self.configuration().await?.limit_organization_creation))
    }

    /// Makes an organization; the actor is its first owner.
    pub async fn organization_create(
        &self,
        actor: &Actor,
        form: &OrganizationForm,
    ) -> Result<Organization, Failure> {
        let user = actor.whole()?;
        if !self.organization_may_create(actor).await? {
            return Err(Failure::Denied(
                "Only admins create organizations here. Ask one to create it for you.".into(),
            ));
        }
        let (name, short_name) = read(form)?;
        let organization = Organization {
            id: entropy::id(),
            short_name,
            name,
            enforced: None,
            created_at: self.clock.now(),
        };
        let txn = self.storage.begin().await?;
        if txn.organization_find_by_short_name(&organization.short_name).await?.is_some() {
            return Err(Failure::invalid(
                "short_name",
                "Another organization has this short name. Choose another.",
            ));
        }
        txn.organization_insert(&organization).await?;
        let owner = Member {
            organization_id: organization.id,
            user_id: user.id,
            role: Role::Owner,
            joined_at: organization.created_at,
        };
        txn.member_upsert(&owner).await?;
        txn.commit().await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("created the organization {}", organization.short_name),
        )
        .await?;
        Ok(organization)
    }

    /// Changes an organization's name. Its short name is in every address and stays.
    pub async fn organization_rename(
        &self,
        actor: &Actor,
        short_name: &str,
        name: &str,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let mut problems = Problems::default();
        let name = problems.text("name", "Name", name, 100).ok_or_else(|| problems.into_failure())?;
        let organization = Organization { name: name.clone(), ..organization };
        self.storage.organization_rename(&organization).await?;
        self.log_by(actor, Some(organization.id), format!("renamed the organization to {name}")).await
    }

    /// The organizations that the actor is a member of.
    pub async fn organization_list_own(&self, actor: &Actor) -> Result<Vec<(Organization, Role)>, Failure> {
        match &actor.user {
            Some(user) => {
                let mut list = self.storage.organization_list_of_user(user.id).await?;
                list.retain(|(organization, _)| actor.reaches(organization.id));
                Ok(list)
            }
            None => Ok(Vec::new()),
        }
    }

    /// All organizations whose name contains a text, for admins; pages count from 0. The second value says whether more follow.
    pub async fn organization_list(
        &self,
        actor: &Actor,
        search: &str,
        page: u64,
    ) -> Result<(Vec<Organization>, bool), Failure> {
        actor.admin()?;
        let mut list =
            self.storage.organization_list(search.trim(), page.saturating_mul(PAGE), PAGE + 1).await?;
        let more = list.len() as u64 > PAGE;
        list.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok((list, more))
    }

    /// The Overview of an organization, for its members.
    pub async fn organization_show(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<OrganizationView, Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let example = self.storage.package_name_list(organization.id).await?.into_iter().next();
        let packages = self.storage.package_count(organization.id).await?;
        let has_token = !self.storage.token_list(TokenOwner::User(actor.user()?.id)).await?.is_empty();
        let repository_url = self.repository_url(&organization);
        Ok(OrganizationView { organization, role, repository_url, example, packages, has_token })
    }

    /// Where Composer finds an organization's packages; ends with a slash.
    #[must_use]
    pub fn repository_url(&self, organization: &Organization) -> String {
        self.address(&format!("/repo/{}/", organization.short_name))
    }

    /// An organization and how many packages it has: what deleting it takes along. For owners and admins.
    pub async fn organization_effect(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, u64), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let packages = self.storage.package_count(organization.id).await?;
        Ok((organization, packages))
    }

    /// Deletes an organization with everything in it.
    pub async fn organization_delete(&self, actor: &Actor, short_name: &str) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let packages = self.storage.package_list(organization.id, "", 0, u64::from(u32::MAX)).await?;
        self.storage.organization_delete(organization.id).await?;
        for package in packages {
            self.mirror_remove(package.id);
        }
        self.log_by(actor, None, format!("deleted the organization {}", organization.short_name)).await
    }

    /// An organization that the actor is a member of; for others it does not exist.
    pub(crate) async fn organization_seen(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Role), Failure> {
        let (organization, role) = self.organization_joined(actor, short_name).await?;
        self.access_pass(actor, &organization).await?;
        Ok((organization, role))
    }

    /// The same, however they logged in.
    async fn organization_joined(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Role), Failure> {
        let user = actor.user()?;
        let missing = || Failure::NotFound("organization");
        let short_name: ShortName = short_name.parse().map_err(|_| missing())?;
        let organization =
            self.storage.organization_find_by_short_name(&short_name).await?.ok_or_else(missing)?;
        let role = self.storage.member_role(organization.id, user.id).await?.ok_or_else(missing)?;
        if !actor.reaches(organization.id) {
            actor.whole()?;
        }
        Ok((organization, role))
    }

    /// An organization that the actor owns, to mend how its members log in: while nobody can log in the way that it asks for,
    /// its owners get here however they did.
    pub(crate) async fn organization_mended(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        if !actor.is_admin()
            && let (organization, Role::Owner) = self.organization_joined(actor, short_name).await?
            && let Some(enforced) = organization.enforced
            && let Some(integration) = self.storage.integration_find(enforced).await?
            && integration.last_error.is_some()
        {
            return Ok(organization);
        }
        self.organization_owned(actor, short_name).await
    }

    /// An organization that the actor owns, or administers as an admin of the installation.
    pub(crate) async fn organization_owned(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        if actor.is_admin() {
            let missing = || Failure::NotFound("organization");
            let short_name: ShortName = short_name.parse().map_err(|_| missing())?;
            return self.storage.organization_find_by_short_name(&short_name).await?.ok_or_else(missing);
        }
        match self.organization_seen(actor, short_name).await? {
            (organization, Role::Owner) => Ok(organization),
            (_, Role::Member) => {
                Err(Failure::Denied("Only owners of the organization may do this. Ask one of them.".into()))
            }
        }
    }
}

fn read(form: &OrganizationForm) -> Result<(String, ShortName), Failure> {
    let mut problems = Problems::default();
    let name = problems.text("name", "Name", &form.name, 100);
    let short_name = problems.parse::<ShortName>("short_name", &form.short_name);
    name.zip(short_name).ok_or_else(|| problems.into_failure())
}
