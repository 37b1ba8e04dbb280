//! "From Mirror": packages of a mirror, by their names.

use super::read::{Line, Look, Stored};
use crate::{Actor, App, Failure, Problems};
use futures::{FutureExt, StreamExt, stream};
use stave_domain::{
    id::{MirrorId, PackageId},
    mirror::{Adds, Mirror},
    organization::Organization,
    package::{Origin, PackageName},
};
use std::collections::BTreeSet;

/// So many names are taken at once: somebody waits for the page.
const MOST: usize = 50;
/// Packages that are read at the same time.
const AT_ONCE: usize = 8;

/// What is typed into the form "From Mirror".
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct MirrorAddForm {
    /// The id of the mirror.
    pub mirror: String,
    /// Names, with commas, blanks or line ends between them.
    pub names: String,
}

/// A mirror from which somebody may add packages.
#[derive(Debug, Clone)]
pub struct Mirrorable {
    /// Which.
    pub id: MirrorId,
    /// What it is called.
    pub name: String,
}

/// What came of one name.
#[derive(Debug)]
pub struct MirrorAddLine {
    /// As it was typed.
    pub name: String,
    /// What came of it.
    pub added: MirrorAdded,
}

/// What came of adding a package of a mirror.
#[derive(Debug)]
pub enum MirrorAdded {
    /// It is here now.
    Added(PackageId),
    /// It was here before.
    Here(PackageId),
    /// It is not here, and why, in a sentence.
    Refused(String),
}

impl App {
    /// The mirrors from which the actor may add packages by hand.
    pub async fn mirror_add_choices(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<Mirrorable>), Failure> {
        let (organization, mirrors) = self.mirrors_addable(actor, short_name).await?;
        let choice = |mirror: &Mirror| Mirrorable { id: mirror.id, name: mirror.name.clone() };
        Ok((organization, mirrors.iter().map(choice).collect()))
    }

    async fn mirrors_addable(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<Mirror>), Failure> {
        let organization = if actor.is_admin() {
            self.organization_managed(actor, short_name).await?
        } else {
            self.organization_seen(actor, short_name).await?.0
        };
        let is_manager = self.is_manager(actor, &organization).await?;
        let mut mirrors = self.storage.mirror_list(organization.id).await?;
        mirrors.retain(|mirror| match mirror.adds {
            Adds::Automatically | Adds::ByMembers => true,
            Adds::ByManagers => is_manager,
            Adds::Disabled => false,
        });
        Ok((organization, mirrors))
    }

    /// Adds packages of a mirror; says of each name what came of it, in the order of typing.
    pub async fn mirror_add(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &MirrorAddForm,
    ) -> Result<Vec<MirrorAddLine>, Failure> {
        let (organization, mirrors) = self.mirrors_addable(actor, short_name).await?;
        let mut problems = Problems::default();
        let mirror = mirrors.iter().find(|mirror| mirror.id.to_string() == form.mirror);
        if mirror.is_none() {
            problems.add("mirror", "Choose a mirror from the list.");
        }
        let names = names_typed(&form.names, &mut problems);
        let (Some(mirror), true) = (mirror, problems.is_empty()) else {
            return Err(problems.into_failure());
        };
        let client = self.mirror_client(mirror).await?;
        let root = client.root().await?;
        let line = Line { mirror, root: &root, client };
        let add = |name: String| self.mirror_add_one(&line, name).boxed();
        let all: Vec<_> = names.into_iter().map(add).collect();
        let lines: Vec<_> = stream::iter(all).buffered(AT_ONCE).collect().await;
        let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
        let added: Vec<_> = lines.iter().filter(|line| matches!(line.added, MirrorAdded::Added(_))).collect();
        if !added.is_empty() {
            let names: Vec<_> = added.iter().map(|line| line.name.as_str()).collect();
            let action = format!("added {} from the mirror {}", names.join(", "), mirror.name);
            self.log_by(actor, Some(organization.id), action).await?;
        }
        Ok(lines)
    }

    /// What is wrong with one name keeps no other from being added.
    async fn mirror_add_one(&self, line: &Line<'_>, typed: String) -> Result<MirrorAddLine, Failure> {
        let added = match typed.to_lowercase().parse::<PackageName>() {
            Ok(name) => match self.mirror_add_named(line, &name).await {
                Ok(added) => added,
                Err(failure @ (Failure::Internal(_) | Failure::Disk(_))) => return Err(failure),
                Err(failure) => MirrorAdded::Refused(failure.to_string()),
            },
            Err(invalid) => MirrorAdded::Refused(invalid.to_string()),
        };
        Ok(MirrorAddLine { name: typed, added })
    }

    async fn mirror_add_named(&self, line: &Line<'_>, name: &PackageName) -> Result<MirrorAdded, Failure> {
        let (organization, mirror) = (line.mirror.organization_id, &line.mirror.name);
        if let Some(known) = self.storage.package_find_by_name(organization, name).await? {
            return Ok(match known.origin {
                Origin::Mirror(id) if id == line.mirror.id => MirrorAdded::Here(known.id),
                Origin::Mirror(_) => {
                    let sentence = format!(
                        "{name} is here from another mirror. Delete it there first: all versions of a package come from one place."
                    );
                    MirrorAdded::Refused(sentence)
                }
                _ => {
                    let sentence = format!(
                        "{name} is a package of the organization itself, which comes before any mirror's."
                    );
                    MirrorAdded::Refused(sentence)
                }
            });
        }
        if self.is_never_asked(organization, name).await? {
            let sentence = format!(
                "{name} is among the names that are never asked for at mirrors (Settings > Security)."
            );
            return Ok(MirrorAdded::Refused(sentence));
        }
        let missing = || Ok(MirrorAdded::Refused(format!("{mirror} has no package {name}.")));
        if !line.root.may_have(name) {
            return missing();
        }
        let Look::Found(found) = line.look(name, None).await? else { return missing() };
        match self.mirrored_store(line, name, *found).await? {
            Stored::Here => match self.storage.package_find_by_name(organization, name).await? {
                Some(package) => Ok(MirrorAdded::Added(package.id)),
                None => missing(),
            },
            Stored::Taken => Ok(MirrorAdded::Refused(format!("Somebody else added {name} at this moment."))),
            Stored::Nowhere => {
                Ok(MirrorAdded::Refused(format!("The mirror {mirror} was deleted at this moment.")))
            }
        }
    }
}

/// Each name once.
fn names_typed(text: &str, problems: &mut Problems) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let split = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
    let names: Vec<String> =
        split.filter(|name| seen.insert(name.to_lowercase())).map(str::to_owned).collect();
    match names.len() {
        0 => problems.add("names", "Enter the names of packages, such as monolog/monolog."),
        count if count > MOST => {
            problems.add(
                "names",
                format!("These are {count} names. At most {MOST} are added at once: somebody waits for it."),
            );
        }
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_comma_blank_or_line() {
        let names = |text: &str| {
            let mut problems = Problems::default();
            let names = names_typed(text, &mut problems);
            (names.join("|"), problems.of("names").map(str::to_owned))
        };
        assert_eq!(names(" a/b, c/d\r\ne/f\tA/B,,"), ("a/b|c/d|e/f".to_owned(), None));
        assert_eq!(
            names(" , \n").1.as_deref(),
            Some("Enter the names of packages, such as monolog/monolog.")
        );
        let many: Vec<_> = (0..=MOST).map(|number| format!("a/b{number}")).collect();
        assert!(names(&many.join(" ")).1.unwrap().starts_with("These are 51 names."));
        assert_eq!(names(&many[1..].join(" ")).1, None);
    }
}
