//! Organizations: teams with their own Composer repository.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    organization::{Member, Organization, Role, ShortName},
    package::PackageName,
    security::SecuritySettings,
    token::TokenOwner,
    user::User,
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
    /// How many packages the actor sees.
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

    /// Whoever asks, if they may make organizations.
    pub(crate) async fn organization_creator<'a>(&self, actor: &'a Actor) -> Result<&'a User, Failure> {
        let user = actor.whole()?;
        if self.organization_may_create(actor).await? {
            return Ok(user);
        }
        Err(Failure::Denied("Only admins create organizations here. Ask one to create it for you.".into()))
    }

    /// Makes an organization; the actor is its first owner.
    pub async fn organization_create(
        &self,
        actor: &Actor,
        form: &OrganizationForm,
    ) -> Result<Organization, Failure> {
        let user = self.organization_creator(actor).await?;
        let (name, short_name) = read(form)?;
        let organization = Organization {
            id: entropy::id(),
            short_name,
            name,
            enforced: None,
            deactivates_found: false,
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
        txn.security_put(organization.id, &SecuritySettings::of_new()).await?;
        let owner = Member {
            organization_id: organization.id,
            user_id: user.id,
            role: Role::Owner,
            given: Some(Role::Owner),
            is_active: true,
            joined_at: organization.created_at,
        };
        txn.member_upsert(&owner).await?;
        self.mirror_insert_first(&txn, organization.id).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
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
        let sight = self.sight_on_pages(actor, &organization, role).await?;
        let mut named = self.storage.package_name_list(organization.id).await?;
        named.retain(|it| sight.reads(it.package_id, &it.name, it.is_mirrored));
        let packages = match role {
            Role::Member => named.len() as u64,
            _ => self.storage.package_count(organization.id).await?,
        };
        let example = named.into_iter().next().map(|it| it.name);
        let has_token = !self.storage.token_list(TokenOwner::User(actor.user()?.id)).await?.is_empty();
        let repository_url = self.repository_url(&organization);
        Ok(OrganizationView { organization, role, repository_url, example, packages, has_token })
    }

    /// Where Composer finds an organization's packages; ends with a slash.
    #[must_use]
    pub fn repository_url(&self, organization: &Organization) -> String {
        self.address(&format!("/repo/{}/", organization.short_name))
    }

    /// An organization whose settings the actor may see, and whether they may also rename and delete it: that is for its
    /// owners.
    pub async fn organization_settings(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, bool), Failure> {
        if actor.is_admin() {
            return Ok((self.organization_managed(actor, short_name).await?, true));
        }
        let (_, role) = self.organization_seen(actor, short_name).await?;
        Ok((self.organization_managed(actor, short_name).await?, role == Role::Owner))
    }

    /// An organization and how many packages it has: what deleting it takes along. For its owners.
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
        let repositories = self.storage.repository_list(organization.id).await?;
        self.storage.organization_delete(organization.id).await?;
        for repository in repositories {
            self.mirror_remove(repository.id);
        }
        self.log_by(actor, None, format!("deleted the organization {}", organization.short_name)).await
    }

    /// An organization that the actor is an active member of; for others it does not exist.
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
        let member = self.storage.member_find(organization.id, user.id).await?.ok_or_else(missing)?;
        if !actor.reaches(organization.id) {
            actor.whole()?;
        }
        if !member.is_active {
            return Err(self.deactivated(&organization).await?);
        }
        Ok((organization, member.role))
    }

    /// An organization that the actor manages, to mend how its members log in: while nobody can log in the way that it asks for,
    /// its owners and admins get here however they did.
    pub(crate) async fn organization_mended(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        if !actor.is_admin()
            && let (organization, Role::Owner | Role::Admin) =
                self.organization_joined(actor, short_name).await?
            && let Some(enforced) = organization.enforced
            && let Some(integration) = self.storage.integration_find(enforced).await?
            && integration.last_error.is_some()
        {
            return Ok(organization);
        }
        self.organization_managed(actor, short_name).await
    }

    /// An organization that the actor manages: its owners and admins do, and admins of the installation.
    pub(crate) async fn organization_managed(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        let sentence = "Only owners and admins of the organization may do this. Ask one of them.";
        self.organization_of(actor, short_name, Role::Admin, sentence).await
    }

    /// An organization that the actor owns, or looks after as an admin of the installation: for what only owners do.
    pub(crate) async fn organization_owned(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        let sentence = "Only owners of the organization may do this. Ask one of them.";
        self.organization_of(actor, short_name, Role::Owner, sentence).await
    }

    /// An organization where the actor is this or more, or that they look after as an admin of the installation; others hear
    /// the sentence.
    async fn organization_of(
        &self,
        actor: &Actor,
        short_name: &str,
        least: Role,
        sentence: &str,
    ) -> Result<Organization, Failure> {
        if actor.is_admin() {
            let missing = || Failure::NotFound("organization");
            let short_name: ShortName = short_name.parse().map_err(|_| missing())?;
            return self.storage.organization_find_by_short_name(&short_name).await?.ok_or_else(missing);
        }
        match self.organization_seen(actor, short_name).await? {
            (organization, role) if role >= least => Ok(organization),
            _ => Err(Failure::Denied(sentence.to_owned())),
        }
    }
}

fn read(form: &OrganizationForm) -> Result<(String, ShortName), Failure> {
    let mut problems = Problems::default();
    let name = problems.text("name", "Name", &form.name, 100);
    let short_name = problems.parse::<ShortName>("short_name", &form.short_name);
    name.zip(short_name).ok_or_else(|| problems.into_failure())
}
