//! Security advisories: an organization's own, those of its mirrors, and what clients are told of both.

use crate::{Actor, App, Failure, Problems, composer::Reader, entropy};
use stave_domain::{
    Invalid, Timestamp,
    advisory::{Advisory, Affected, Report, Severity, Source, StoredAdvisory, is_web_address, own_id},
    id::{MirrorId, OrganizationId, PackageId},
    organization::Organization,
    package::PackageName,
    version::{Version, compare},
};
use stave_storage::{Storage, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// How many names one audit may ask about.
const MOST_NAMES: usize = 10_000;
/// How many advisories are told at once to whoever asks for all that changed.
const MOST_CHANGED: u64 = 10_000;

/// What is typed into the form of an advisory.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct AdvisoryForm {
    /// The package, as `vendor/name`.
    pub package: String,
    /// What the fault is, in a few words.
    pub title: String,
    /// A constraint.
    pub affected: String,
    /// `critical`, `high`, `medium`, `low` or nothing.
    pub severity: String,
    /// May be empty.
    pub cve: String,
    /// May be empty.
    pub link: String,
}

impl AdvisoryForm {
    /// The form of an advisory that is there.
    #[must_use]
    pub fn of(advisory: &Advisory) -> Self {
        let report = advisory.report.as_ref();
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        Self {
            package: advisory.package.to_string(),
            title: text(report.map(|it| &it.title)),
            affected: advisory.affected.to_string(),
            severity: report.and_then(|it| it.severity).map_or_else(String::new, |it| it.key().to_owned()),
            cve: text(report.and_then(|it| it.cve.as_ref())),
            link: text(report.and_then(|it| it.link.as_ref())),
        }
    }
}

/// An organization's own advisory, and whom it concerns.
#[derive(Debug)]
pub struct AdvisoryLine {
    /// What it says.
    pub advisory: Advisory,
    /// When it was made or last changed.
    pub updated_at: Timestamp,
    /// The package; `None` if there is none of this name any more.
    pub package_id: Option<PackageId>,
    /// Its published versions that have the fault, the newest first.
    pub affected: Vec<String>,
    /// How many versions it publishes.
    pub versions: usize,
}

impl App {
    /// An organization's own advisories, for its owners and admins.
    pub async fn advisory_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<AdvisoryLine>), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let mut lines = Vec::new();
        for stored in self.storage.advisory_list_own(organization.id).await? {
            lines.push(self.advisory_line(stored).await?);
        }
        Ok((organization, lines))
    }

    /// An organization's own advisory with whom it concerns, for its owners and admins.
    pub async fn advisory_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: &str,
    ) -> Result<(Organization, AdvisoryLine), Failure> {
        let (organization, stored) = self.advisory_own(actor, short_name, id).await?;
        Ok((organization, self.advisory_line(stored).await?))
    }

    /// The organization for which an advisory can be made; for owners and admins.
    pub async fn advisory_form_new(&self, actor: &Actor, short_name: &str) -> Result<Organization, Failure> {
        self.organization_managed(actor, short_name).await
    }

    /// Makes an advisory: clients hear of it with the next update or audit.
    pub async fn advisory_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &AdvisoryForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let (id, now) = (own_id(entropy::id()), self.clock.now());
        let advisory = self.advisory_typed(&organization, form, (id, now)).await?;
        let action = format!("added the advisory {} about {}", advisory.id, advisory.package);
        let txn = self.storage.begin().await?;
        self.advisory_store(&txn, organization.id, advisory).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Changes an advisory.
    pub async fn advisory_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: &str,
        form: &AdvisoryForm,
    ) -> Result<(), Failure> {
        let (organization, before) = self.advisory_own(actor, short_name, id).await?;
        let reported_at = before.advisory.report.as_ref().map_or(before.updated_at, |it| it.reported_at);
        let about = before.advisory.package;
        let advisory = self.advisory_typed(&organization, form, (before.advisory.id, reported_at)).await?;
        let action = format!("changed the advisory {} about {}", advisory.id, advisory.package);
        let txn = self.storage.begin().await?;
        if advisory.package != about {
            self.advisory_forget(&txn, organization.id, (&about, id)).await?;
        }
        self.advisory_store(&txn, organization.id, advisory).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Deletes an advisory: clients do not hear of it any more.
    pub async fn advisory_delete(&self, actor: &Actor, short_name: &str, id: &str) -> Result<(), Failure> {
        let (organization, before) = self.advisory_own(actor, short_name, id).await?;
        let txn = self.storage.begin().await?;
        self.advisory_forget(&txn, organization.id, (&before.advisory.package, id)).await?;
        txn.commit().await?;
        let action = format!("deleted the advisory {id} about {}", before.advisory.package);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// All advisories about an organization's package of this name, whoever told them.
    pub async fn advisories_of(
        &self,
        organization: OrganizationId,
        package: &PackageName,
    ) -> Result<Vec<Advisory>, Failure> {
        advisories_about(&self.storage, organization, package).await
    }

    /// What a reader is told about these packages, whole: those that they see, with or without advisories. Without names it is
    /// about all that they see; with `since` only what came or changed from then on.
    pub async fn composer_advisories(
        &self,
        reader: &Reader,
        names: &[String],
        since: Option<Timestamp>,
    ) -> Result<BTreeMap<PackageName, Vec<StoredAdvisory>>, Failure> {
        let organization = reader.organization.id;
        let asked = names.iter().take(MOST_NAMES).filter_map(|name| name.to_lowercase().parse().ok());
        let mut asked: BTreeSet<PackageName> = asked.collect();
        let told = match since {
            Some(since) => self.storage.advisory_list_since(organization, since, MOST_CHANGED).await?,
            None => self.storage.advisory_list(organization, &asked).await?,
        };
        if names.is_empty() {
            asked.extend(told.iter().map(|it| it.advisory.package.clone()));
        }
        let mut seen = self.storage.package_list_named(organization, &asked).await?;
        seen.retain(|it| reader.sight.reads(it.package_id, &it.name, it.is_mirrored));
        let mut about: BTreeMap<_, _> = seen.into_iter().map(|it| (it.name, Vec::new())).collect();
        for stored in told {
            if let Some(list) = about.get_mut(&stored.advisory.package) {
                list.push(stored);
            }
        }
        Ok(about)
    }

    /// What a mirror tells about a package of it takes the place of what it told before. Whether clients are told something else
    /// now: then the package's documents have to be published in the same transaction. A report stays if now only id and versions
    /// are told; an organization's own advisory is not overwritten by one of the same id.
    pub(crate) async fn advisory_replace_of_mirror(
        &self,
        txn: &Transaction,
        (organization_id, mirror): (OrganizationId, MirrorId),
        package: &PackageName,
        advisories: Vec<Advisory>,
    ) -> Result<bool, Failure> {
        let before: BTreeMap<String, StoredAdvisory> = txn
            .advisory_list(organization_id, [package])
            .await?
            .into_iter()
            .map(|stored| (stored.advisory.id.clone(), stored))
            .collect();
        let told: BTreeSet<&str> = advisories.iter().map(|advisory| advisory.id.as_str()).collect();
        let gone =
            before.values().filter(|it| it.mirror_id == Some(mirror) && !told.contains(&*it.advisory.id));
        let gone: Vec<&str> = gone.map(|it| it.advisory.id.as_str()).collect();
        txn.advisory_delete(organization_id, package, &gone).await?;
        let mut changed = BTreeMap::new();
        for mut advisory in advisories {
            let known = before.get(&advisory.id);
            if known.is_some_and(|known| known.mirror_id.is_none()) {
                continue;
            }
            let report = known.and_then(|known| known.advisory.report.clone());
            advisory.report = advisory.report.or(report);
            if known.is_some_and(|it| it.advisory == advisory && it.mirror_id == Some(mirror)) {
                continue;
            }
            let (mirror_id, updated_at) = (Some(mirror), self.clock.now());
            // An id twice: the last one counts.
            let id = advisory.id.clone();
            changed.insert(id, StoredAdvisory { organization_id, mirror_id, advisory, updated_at });
        }
        let changed: Vec<StoredAdvisory> = changed.into_values().collect();
        txn.advisory_put_many(&changed).await?;
        Ok(!gone.is_empty() || !changed.is_empty())
    }

    async fn advisory_line(&self, stored: StoredAdvisory) -> Result<AdvisoryLine, Failure> {
        let StoredAdvisory { organization_id, advisory, updated_at, .. } = stored;
        let package = self.storage.package_find_by_name(organization_id, &advisory.package).await?;
        let package_id = package.map(|package| package.id);
        let mut versions: Vec<Version> = match package_id {
            Some(id) => self.storage.version_list(id).await?,
            None => Vec::new(),
        };
        versions.retain(|version| version.removed_at.is_none());
        versions.sort_by(|a, b| compare(&b.normalized, &a.normalized));
        let affected = versions.iter().filter(|version| advisory.affected.contains(&version.normalized));
        let affected = affected.map(|version| version.version.clone()).collect();
        Ok(AdvisoryLine { advisory, updated_at, package_id, affected, versions: versions.len() })
    }

    async fn advisory_own(
        &self,
        actor: &Actor,
        short_name: &str,
        id: &str,
    ) -> Result<(Organization, StoredAdvisory), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let stored = self.storage.advisory_find_own(organization.id, id).await?;
        Ok((organization, stored.ok_or(Failure::NotFound("advisory"))?))
    }

    /// What the form says, about a package that is there.
    async fn advisory_typed(
        &self,
        organization: &Organization,
        form: &AdvisoryForm,
        (id, reported_at): (String, Timestamp),
    ) -> Result<Advisory, Failure> {
        let mut problems = Problems::default();
        let package = problems.parse::<PackageName>("package", form.package.trim());
        if let Some(package) = &package
            && self.storage.package_find_by_name(organization.id, package).await?.is_none()
        {
            problems.add("package", format!("{} has no package of this name.", organization.name));
        }
        let title = problems.text("title", "Title", &form.title, 200);
        let affected = problems.check("affected", affected_typed(&form.affected));
        let severity = problems.check("severity", severity_typed(&form.severity));
        let cve = problems.check("cve", cve_typed(&form.cve));
        let link = problems.check("link", link_typed(&form.link));
        match (package, title, affected, severity, cve, link) {
            (Some(package), Some(title), Some(affected), Some(severity), Some(cve), Some(link))
                if problems.is_empty() =>
            {
                let sources = vec![Source { name: organization.name.clone(), remote_id: id.clone() }];
                let report = Some(Report { title, cve, link, severity, sources, reported_at });
                Ok(Advisory { id, package, affected, report })
            }
            _ => Err(problems.into_failure()),
        }
    }

    async fn advisory_store(
        &self,
        txn: &Transaction,
        organization_id: OrganizationId,
        advisory: Advisory,
    ) -> Result<(), Failure> {
        let package = advisory.package.clone();
        let stored =
            StoredAdvisory { organization_id, mirror_id: None, advisory, updated_at: self.clock.now() };
        txn.advisory_put_many(&[stored]).await?;
        self.advisories_publish(txn, organization_id, &package).await
    }

    async fn advisory_forget(
        &self,
        txn: &Transaction,
        organization: OrganizationId,
        (package, id): (&PackageName, &str),
    ) -> Result<(), Failure> {
        txn.advisory_delete(organization, package, &[id]).await?;
        self.advisories_publish(txn, organization, package).await
    }

    /// The published documents tell which versions are affected.
    async fn advisories_publish(
        &self,
        txn: &Transaction,
        organization: OrganizationId,
        package: &PackageName,
    ) -> Result<(), Failure> {
        match txn.package_find_by_name(organization, package).await? {
            Some(package) => self.documents_publish(txn, package.id).await,
            None => Ok(()),
        }
    }
}

/// As [`App::advisories_of`], also within a transaction.
pub(crate) async fn advisories_about(
    storage: &Storage,
    organization: OrganizationId,
    package: &PackageName,
) -> Result<Vec<Advisory>, Failure> {
    let stored = storage.advisory_list(organization, [package]).await?;
    Ok(stored.into_iter().map(|it| it.advisory).collect())
}

fn affected_typed(typed: &str) -> Result<Affected, Invalid> {
    if typed.trim().is_empty() {
        return Err(Invalid::because(
            "Say which versions have the fault, such as >=1.0,<1.2.5. A * means all versions.",
        ));
    }
    typed.parse()
}

fn severity_typed(typed: &str) -> Result<Option<Severity>, Invalid> {
    if typed.is_empty() {
        return Ok(None);
    }
    Severity::of_key(typed).map(Some).ok_or_else(|| Invalid::because("Choose one of the list."))
}

fn cve_typed(typed: &str) -> Result<Option<String>, Invalid> {
    let cve = typed.trim().to_uppercase();
    let is_number = |text: &str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = cve.splitn(3, '-');
    let is_cve = parts.next() == Some("CVE")
        && parts.next().is_some_and(|year| year.len() == 4 && is_number(year))
        && parts.next().is_some_and(|number| number.len() <= 19 && is_number(number));
    match (cve.is_empty(), is_cve) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(cve)),
        (false, false) => {
            Err(Invalid::because("A CVE looks like CVE-2026-12345. Leave it empty if there is none."))
        }
    }
}

fn link_typed(typed: &str) -> Result<Option<String>, Invalid> {
    let link = typed.trim();
    if link.is_empty() {
        return Ok(None);
    }
    if !is_web_address(link) || link.len() > 2000 {
        return Err(Invalid::because("A link begins with https:// or http://."));
    }
    Ok(Some(link.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_checked() {
        for (typed, kept) in [
            ("", Some(None)),
            (" cve-2026-1234 ", Some(Some("CVE-2026-1234"))),
            ("CVE-2026-123", None),
            ("CVE-26-12345", None),
            ("CVE-2026-12x45", None),
            ("2026-12345", None),
        ] {
            let read = cve_typed(typed).ok();
            assert_eq!(read.as_ref().map(Option::as_deref), kept, "{typed}");
        }
        assert!(link_typed("javascript:alert(1)").is_err() && link_typed("example.com").is_err());
        assert_eq!(link_typed("https://example.com/a").unwrap().as_deref(), Some("https://example.com/a"));
        assert!(affected_typed(" ").is_err() && affected_typed(">=1.0 nonsense").is_err());
        assert!(severity_typed("dreadful").is_err());
    }
}
