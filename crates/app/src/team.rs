//! Teams: who is in them, and which packages were given to them.

use crate::{Actor, App, Failure, Problems, entropy, member::Circle};
use stave_domain::{
    id::{PackageId, TeamId, UserId},
    organization::{Organization, Role},
    package::{Package, PackageName},
    team::{Team, TeamLine},
    user::User,
};
use stave_storage::StorageError;

/// What is typed into the form of a team.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct TeamForm {
    /// Unique in the organization; not asked for if a group gives it.
    pub name: String,
    /// Sent if its people read every package that is given to teams.
    pub reads_all: Option<String>,
    /// Sent if its people may add packages.
    pub adds_packages: Option<String>,
}

impl TeamForm {
    /// The form of a team that is there.
    #[must_use]
    pub fn of(team: &Team) -> Self {
        let sent = |ticked: bool| ticked.then(|| "on".to_owned());
        Self {
            name: team.name.clone(),
            reads_all: sent(team.reads_all),
            adds_packages: sent(team.adds_packages),
        }
    }
}

/// The teams of an organization.
#[derive(Debug)]
pub struct TeamListView {
    /// Whose.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// Its active members, by username.
    pub members: Vec<(User, Role)>,
    /// Each with the workspace whose group it is, if it is one's.
    pub teams: Vec<(TeamLine, Option<String>)>,
}

/// A team with everything that it has.
#[derive(Debug)]
pub struct TeamView {
    /// Whose.
    pub organization: Organization,
    /// Which.
    pub team: Team,
    /// The workspace whose group it is, if it is one's.
    pub workspace: Option<String>,
    /// Who is in it.
    pub people: Vec<User>,
    /// What was given to it.
    pub packages: Vec<Package>,
    /// The names of what can be given to it: packages about which no Bitbucket decides.
    pub offered: Vec<PackageName>,
}

impl App {
    /// The teams of an organization, for its members and for admins.
    pub async fn team_list(&self, actor: &Actor, short_name: &str) -> Result<TeamListView, Failure> {
        let (organization, role) = self.organization_visited(actor, short_name).await?;
        let circle = Circle::of(&self.storage, organization.id).await?;
        let teams = self.storage.team_list(organization.id).await?;
        let teams = teams.into_iter().map(|line| (circle.workspace_of(&line.team), line));
        let teams = teams.map(|(workspace, line)| (line, workspace)).collect();
        let members = self.storage.member_list(organization.id).await?;
        let members = members.into_iter().filter(|(_, member)| member.is_active);
        let members = members.map(|(user, member)| (user, member.role)).collect();
        Ok(TeamListView { organization, role, members, teams })
    }

    /// A team with everything that it has, for owners and admins.
    pub async fn team_show(&self, actor: &Actor, short_name: &str, id: TeamId) -> Result<TeamView, Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        let circle = Circle::of(&self.storage, organization.id).await?;
        let people = self.storage.team_member_list(id).await?;
        let packages = self.storage.team_package_list(id).await?;
        let all = self.storage.package_list(organization.id, "", 0, u64::from(u32::MAX)).await?;
        let offered = all
            .into_iter()
            .filter(|(package, repository)| {
                repository.as_ref().is_none_or(|it| it.followed.is_none())
                    && packages.iter().all(|given| given.id != package.id)
            })
            .filter_map(|(package, _)| package.name)
            .collect();
        let workspace = circle.workspace_of(&team);
        Ok(TeamView { organization, team, workspace, people, packages, offered })
    }

    /// The organization for which a team can be made; for owners and admins.
    pub async fn team_form_new(&self, actor: &Actor, short_name: &str) -> Result<Organization, Failure> {
        self.organization_managed(actor, short_name).await
    }

    /// Makes a team, with nobody in it and nothing given to it yet.
    pub async fn team_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &TeamForm,
    ) -> Result<TeamId, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let team = Team {
            id: entropy::id(),
            organization_id: organization.id,
            name: name_typed(form)?,
            group: None,
            reads_all: form.reads_all.is_some(),
            adds_packages: form.adds_packages.is_some(),
            created_at: self.clock.now(),
        };
        self.storage.team_insert(&team).await.map_err(taken)?;
        self.log_by(actor, Some(organization.id), format!("created the team {}{}", team.name, rights(&team)))
            .await?;
        Ok(team.id)
    }

    /// Renames a team, or changes what its people may do. The name of a group's team is the group's.
    pub async fn team_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
        form: &TeamForm,
    ) -> Result<(), Failure> {
        let (organization, before) = self.team_managed(actor, short_name, id).await?;
        let name = match before.group {
            Some(_) => before.name.clone(),
            None => name_typed(form)?,
        };
        let team = Team {
            name,
            reads_all: form.reads_all.is_some(),
            adds_packages: form.adds_packages.is_some(),
            ..before.clone()
        };
        self.storage.team_update(&team).await.map_err(taken)?;
        let action = if team.name == before.name {
            format!("changed the team {}{}", team.name, rights(&team))
        } else {
            format!("renamed the team {} to {}{}", before.name, team.name, rights(&team))
        };
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Deletes a team. Its people stay members; what only they could read, only owners and admins read from then on.
    pub async fn team_delete(&self, actor: &Actor, short_name: &str, id: TeamId) -> Result<(), Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        own(&team, "It would come back with the next run: delete the group there")?;
        self.storage.team_delete(id).await?;
        self.log_by(actor, Some(organization.id), format!("deleted the team {}", team.name)).await
    }

    /// Puts a member, named by username or e-mail address, into a team.
    pub async fn team_member_add(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
        who: &str,
    ) -> Result<(), Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        own(&team, "Put them into the group there")?;
        let user = self.user_named(who).await?.ok_or_else(|| {
            Failure::invalid(
                "who",
                "Nobody here has this username or e-mail address. They log in once, then you can add them.",
            )
        })?;
        let txn = self.people_change().await?;
        if txn.member_find(organization.id, user.id).await?.is_none() {
            return Err(Failure::invalid(
                "who",
                format!(
                    "{} is no member of {}. Add them to the members first.",
                    user.username, organization.name
                ),
            ));
        }
        txn.team_member_put(id, user.id).await?;
        txn.commit().await?;
        let action = format!("put {} into the team {}", user.username, team.name);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Takes somebody out of a team.
    pub async fn team_member_remove(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
        user: UserId,
    ) -> Result<(), Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        own(&team, "Take them out of the group there")?;
        let people = self.storage.team_member_list(id).await?;
        let user = people.into_iter().find(|it| it.id == user).ok_or(Failure::NotFound("member"))?;
        self.storage.team_member_delete(id, user.id).await?;
        let action = format!("took {} out of the team {}", user.username, team.name);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Gives a package, by its name, to a team.
    pub async fn team_package_give(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
        name: &str,
    ) -> Result<(), Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        let mut problems = Problems::default();
        let Some(name) = problems.parse::<PackageName>("package", name.trim()) else {
            return Err(problems.into_failure());
        };
        let Some(package) = self.storage.package_find_by_name(organization.id, &name).await? else {
            return Err(Failure::invalid("package", "No package here has this name."));
        };
        let readable = self.storage.readable_find(package.id).await?;
        if readable.is_some_and(|it| it.followed.is_some()) {
            return Err(Failure::invalid(
                "package",
                "Who reads this package follows Bitbucket. Give the group there the right to read its repository.",
            ));
        }
        self.storage.team_package_put(id, package.id).await?;
        let action = format!("gave {name} to the team {}", team.name);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Takes a package from a team.
    pub async fn team_package_take(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
        package: PackageId,
    ) -> Result<(), Failure> {
        let (organization, team) = self.team_managed(actor, short_name, id).await?;
        let packages = self.storage.team_package_list(id).await?;
        let package = packages.into_iter().find(|it| it.id == package).ok_or(Failure::NotFound("package"))?;
        self.storage.team_package_delete(id, package.id).await?;
        let name = package.name.map_or_else(|| "a package without a name".into(), |name| name.to_string());
        self.log_by(actor, Some(organization.id), format!("took {name} from the team {}", team.name)).await
    }

    /// Whether the actor may add packages to an organization: owners and admins may, and the people of a team that may.
    pub async fn may_add_packages(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<bool, Failure> {
        if self.is_manager(actor, organization).await? {
            return Ok(true);
        }
        let Some(user) = &actor.user else { return Ok(false) };
        let teams = self.storage.team_list_of_user(organization.id, user.id).await?;
        let is_member = self.storage.member_role(organization.id, user.id).await?.is_some();
        Ok(is_member && teams.iter().any(|team| team.adds_packages))
    }

    /// Whether the actor is an owner or admin of an organization, or an admin of the installation.
    pub(crate) async fn is_manager(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<bool, Failure> {
        if actor.is_admin() {
            return Ok(true);
        }
        let Some(user) = &actor.user else { return Ok(false) };
        Ok(self.storage.member_role(organization.id, user.id).await? >= Some(Role::Admin))
    }

    /// An organization to which the actor may add packages.
    pub async fn organization_extended(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Organization, Failure> {
        let (organization, _) = self.organization_visited(actor, short_name).await?;
        if self.may_add_packages(actor, &organization).await? {
            return Ok(organization);
        }
        Err(Failure::Denied(
            "Only owners and admins of the organization add packages, and teams that may. Ask one of them."
                .into(),
        ))
    }

    async fn team_managed(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TeamId,
    ) -> Result<(Organization, Team), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let team = self.storage.team_find(id).await?.filter(|team| team.organization_id == organization.id);
        Ok((organization, team.ok_or(Failure::NotFound("team"))?))
    }
}

impl Circle {
    /// The workspace whose group a team is.
    fn workspace_of(&self, team: &Team) -> Option<String> {
        let synchronization = self.synchronizations.get(&team.group.as_ref()?.synchronization_id)?;
        Some(synchronization.workspace.title().to_owned())
    }
}

fn name_typed(form: &TeamForm) -> Result<String, Failure> {
    let mut problems = Problems::default();
    problems.text("name", "Name", &form.name, 100).ok_or_else(|| problems.into_failure())
}

fn taken(error: StorageError) -> Failure {
    match error {
        StorageError::Conflict => Failure::invalid("name", "Another team has this name. Choose another."),
        other => other.into(),
    }
}

/// Passes a team that somebody made here.
fn own(team: &Team, instead: &str) -> Result<(), Failure> {
    match team.group {
        None => Ok(()),
        Some(_) => Err(Failure::Conflict(format!(
            "The team {} follows the group on Bitbucket. {instead}.",
            team.name
        ))),
    }
}

/// What the people of a team may do beyond reading what is given to it, for the Log.
fn rights(team: &Team) -> &'static str {
    match (team.reads_all, team.adds_packages) {
        (true, true) => ", which reads all packages and adds packages",
        (true, false) => ", which reads all packages",
        (false, true) => ", which adds packages",
        (false, false) => "",
    }
}
