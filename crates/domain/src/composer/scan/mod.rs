//! From the tags and branches of a git repository to versions, as Composer's own `VcsRepository` reads them.
//!
//! What enters: every reference with its commit and the composer.json there. What leaves: the name of the package and
//! one outcome for each reference, so that nothing is passed over in silence.

mod label;
mod outcome;

use super::{
    alias::pretty_branch,
    check::unpublishable,
    manifest::{Manifest, ManifestProblem},
};
use crate::{
    Invalid, Timestamp,
    package::PackageName,
    version::{Archive, Constraint, VersionFound, compare, normalize, normalize::normalize_branch},
};
pub use label::Labels;
pub use outcome::{NoPackage, Outcome, Skip};
use std::{collections::BTreeMap, sync::Arc};

/// What kind of reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// Becomes a version of its own name.
    Tag,
    /// Becomes a development version.
    Branch,
}

/// A tag or branch of a repository.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Tag or branch.
    pub kind: ReferenceKind,
    /// The name without `refs/tags/` or `refs/heads/`.
    pub name: String,
    /// What of a tag's name is the version, if it begins with a label of the package: `v1.2` of `mailer/v1.2` ([`Labels`]).
    pub labelled: Option<String>,
    /// The commit that it leads to, annotated tags followed; `None` if that is a file or a folder.
    pub commit: Option<Commit>,
}

/// A commit, as far as a version needs it.
#[derive(Debug, Clone)]
pub struct Commit {
    /// 40 lower-case hex digits.
    pub id: String,
    /// Its author date: that is what Composer takes from a plain git repository.
    pub made_at: Timestamp,
    /// composer.json there. Commits with the same file can share it.
    pub manifest: Arc<Result<Manifest, ManifestProblem>>,
}

/// A repository that is a package.
#[derive(Debug, Clone)]
pub struct Scan {
    /// What all versions are called.
    pub name: PackageName,
    /// One line about it, from the composer.json that gives the name; may be empty.
    pub description: String,
    /// From the same place: `Some("")` is abandoned without replacement.
    pub abandoned: Option<String>,
    /// What became of each reference: tags by name, then the default branch, then the others by name.
    pub outcomes: Vec<Outcome>,
}

impl Scan {
    /// The versions, each normalized one once.
    pub fn found(&self) -> impl Iterator<Item = &VersionFound> {
        self.outcomes.iter().filter_map(Outcome::found)
    }
}

/// A repository that is no package: why, and what became of each reference.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{because}")]
pub struct ScanFailure {
    /// The sentence for the user.
    pub because: NoPackage,
    /// Why each reference was left out.
    pub outcomes: Vec<Outcome>,
}

/// Reads the references, given in any order. `default_branch` is where HEAD points to, if it points to anything.
pub fn scan(default_branch: Option<&str>, references: &[Reference]) -> Result<Scan, ScanFailure> {
    let failure = |because| ScanFailure { because, outcomes: Vec::new() };
    if references.is_empty() {
        return Err(failure(NoPackage::Empty));
    }
    let ordered = in_reading_order(default_branch, references);
    let naming = Naming::of(default_branch, &ordered).map_err(failure)?;
    let mut reading = Reading { default_branch, naming: naming.as_ref(), taken: BTreeMap::new() };
    let outcomes: Vec<_> = ordered.into_iter().map(|reference| reading.outcome(reference)).collect();
    match naming {
        None if references.iter().all(Reference::is_without_manifest) => {
            Err(ScanFailure { because: NoPackage::Absent, outcomes })
        }
        None => Err(ScanFailure { because: NoPackage::NoName, outcomes }),
        Some(_) if outcomes.iter().all(|outcome| outcome.found().is_none()) => {
            Err(ScanFailure { because: NoPackage::NothingUsable, outcomes })
        }
        Some(naming) => Ok(Scan {
            description: naming.manifest.description(),
            abandoned: naming.manifest.abandoned(),
            name: naming.name,
            outcomes,
        }),
    }
}

/// Tags by the bytes of their names, those made for this package before those for all, then the default branch, then the other branches by the bytes of theirs. The order
/// counts: of two references that give one version, the first wins.
fn in_reading_order<'a>(default_branch: Option<&str>, references: &'a [Reference]) -> Vec<&'a Reference> {
    let mut ordered: Vec<&Reference> = references.iter().collect();
    ordered.sort_by_key(|reference| {
        let is_for_all = reference.labelled.is_none();
        (reference.kind, is_for_all, !is_default(default_branch, reference), reference.name.as_bytes())
    });
    ordered
}

fn is_default(default_branch: Option<&str>, reference: &Reference) -> bool {
    reference.kind == ReferenceKind::Branch && default_branch == Some(reference.name.as_str())
}

/// The name of the package and the composer.json that gives it.
struct Naming<'a> {
    name: PackageName,
    manifest: &'a Manifest,
    /// Whether it is the default branch's: then it holds for all references, whatever they say.
    is_for_all: bool,
}

impl<'a> Naming<'a> {
    /// The default branch gives the name. If it has none, the newest tag that has one does, else the first branch.
    fn of(default_branch: Option<&str>, ordered: &[&'a Reference]) -> Result<Option<Self>, NoPackage> {
        let default = ordered.iter().find(|reference| is_default(default_branch, reference));
        if let Some(reference) = default
            && let Ok(manifest) = reference.manifest()
            && let Some(name) = manifest.name()
        {
            let bad_name = |problem: Invalid| NoPackage::BadName { branch: reference.name.clone(), problem };
            return Ok(Some(Self { name: name.parse().map_err(bad_name)?, manifest, is_for_all: true }));
        }
        let named = ordered.iter().filter_map(|reference| {
            let manifest = reference.manifest().ok()?;
            Some((*reference, Self { name: manifest.name()?.parse().ok()?, manifest, is_for_all: false }))
        });
        let (tags, branches): (Vec<_>, Vec<_>) =
            named.partition(|(reference, _)| reference.kind == ReferenceKind::Tag);
        let newest = tags
            .into_iter()
            .filter_map(|(tag, naming)| Some((normalize(&tag.version()).ok()?, naming)))
            .max_by(|(a, _), (b, _)| compare(a, b));
        Ok(newest.map(|(_, naming)| naming).or_else(|| branches.into_iter().next().map(|(_, naming)| naming)))
    }
}

impl Reference {
    fn manifest(&self) -> Result<&Manifest, Skip> {
        let commit = self.commit.as_ref().ok_or(Skip::NotACommit)?;
        commit.manifest.as_ref().as_ref().map_err(|problem| Skip::NoManifest(problem.clone()))
    }

    fn is_without_manifest(&self) -> bool {
        self.commit.as_ref().is_none_or(|commit| matches!(*commit.manifest, Err(ManifestProblem::Absent)))
    }

    /// A tag as a version; Composer takes `release-` away wherever it stands.
    fn version(&self) -> String {
        self.labelled.as_ref().unwrap_or(&self.name).replace("release-", "")
    }
}

/// One pass over the references.
struct Reading<'a> {
    default_branch: Option<&'a str>,
    naming: Option<&'a Naming<'a>>,
    /// Which reference gave a normalized version first.
    taken: BTreeMap<String, String>,
}

impl Reading<'_> {
    fn outcome(&mut self, reference: &Reference) -> Outcome {
        match self.read(reference) {
            Ok(found) => {
                self.taken.insert(found.normalized.clone(), reference.name.clone());
                let own_name = reference.manifest().ok().and_then(Manifest::name);
                let served_as =
                    self.naming.map(|naming| &naming.name).filter(|name| own_name != Some(name.as_str()));
                Outcome::Imported {
                    renamed: own_name.zip(served_as).map(|(from, to)| (from.to_owned(), to.clone())),
                    found: Box::new(found),
                }
            }
            Err(reason) => {
                Outcome::Skipped { kind: reference.kind, reference: reference.name.clone(), reason }
            }
        }
    }

    fn read(&self, reference: &Reference) -> Result<VersionFound, Skip> {
        let (version, normalized) = match reference.kind {
            ReferenceKind::Tag => tag_version(reference)?,
            ReferenceKind::Branch => branch_version(&reference.name)?,
        };
        let manifest = reference.manifest()?;
        let naming = self.naming.ok_or(Skip::Unnamed)?;
        if !naming.is_for_all {
            match manifest.name() {
                None => return Err(Skip::Unnamed),
                Some(name) if name != naming.name.as_str() => {
                    return Err(Skip::OtherPackage(name.to_owned()));
                }
                Some(_) => {}
            }
        }
        if let Some(first) = self.taken.get(&normalized) {
            return Err(Skip::SameVersion { first: first.clone() });
        }
        if let Some(problem) = unpublishable(manifest) {
            return Err(Skip::Unpublishable(problem));
        }
        let commit = reference.commit.as_ref().ok_or(Skip::NotACommit)?;
        Ok(VersionFound {
            version,
            normalized,
            is_dev: reference.kind == ReferenceKind::Branch,
            is_default_branch: is_default(self.default_branch, reference),
            reference_name: reference.name.clone(),
            commit: commit.id.clone(),
            archive: Archive::Commit,
            released_at: manifest.time().unwrap_or(commit.made_at),
            published_at: None,
            manifest: manifest.served(&naming.name),
        })
    }
}

/// A tag is a version, unless composer.json there says another one. The spelling of composer.json wins.
fn tag_version(reference: &Reference) -> Result<(String, String), Skip> {
    let tag = reference.version();
    let normalized = normalize(&tag).map_err(|_| Skip::NotAVersion)?;
    let manifest = reference.manifest()?;
    let own = manifest.version();
    let own_normalized = match &own {
        // White space at the ends is fine by Composer, control characters are fine by nobody else.
        Some(own) if own.contains(char::is_control) => return Err(Skip::BadVersion(own.clone())),
        Some(own) => normalize(own).map_err(|_| Skip::BadVersion(own.clone()))?,
        None => normalized.clone(),
    };
    if without_dev_prefix(without_dev_suffix(&normalized)) != normalized {
        return Err(Skip::DevelopmentTag);
    }
    if without_dev_prefix(without_dev_suffix(&own_normalized)) != normalized {
        return Err(Skip::OtherVersion(own.unwrap_or_default()));
    }
    Ok((without_dev_suffix(&own.unwrap_or(tag)).to_owned(), normalized))
}

fn without_dev_suffix(version: &str) -> &str {
    match version.len().checked_sub(3).and_then(|at| version.split_at_checked(at)) {
        Some((start, end)) if end.eq_ignore_ascii_case("dev") => {
            start.strip_suffix(['.', '-']).unwrap_or(start)
        }
        _ => version,
    }
}

fn without_dev_prefix(normalized: &str) -> &str {
    normalized.strip_prefix("dev-").unwrap_or(normalized)
}

/// A branch is a development version, if a constraint can name it.
fn branch_version(branch: &str) -> Result<(String, String), Skip> {
    let normalized = normalize_branch(branch);
    Constraint::parse(&normalized).map_err(|_| Skip::UnusableName)?;
    if normalized.starts_with("dev-") {
        // A `#` would begin the commit in a constraint.
        return Ok((format!("dev-{}", branch.replace('#', "+")), normalized.replace('#', "+")));
    }
    let v = if branch.starts_with('v') { "v" } else { "" };
    Ok((format!("{v}{}", pretty_branch(&normalized)), normalized))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(kind: ReferenceKind, name: &str, composer_json: &str) -> Reference {
        let manifest =
            if composer_json.is_empty() { Err(ManifestProblem::Absent) } else { composer_json.parse() };
        let made_at = "2024-03-01T08:00:00Z".parse().unwrap();
        let commit = Commit { id: "a".repeat(40), made_at, manifest: Arc::new(manifest) };
        Reference { kind, name: name.to_owned(), labelled: None, commit: Some(commit) }
    }

    fn tag(name: &str, composer_json: &str) -> Reference {
        reference(ReferenceKind::Tag, name, composer_json)
    }

    fn branch(name: &str, composer_json: &str) -> Reference {
        reference(ReferenceKind::Branch, name, composer_json)
    }

    fn log(outcomes: &[Outcome]) -> Vec<String> {
        outcomes.iter().map(Outcome::line).map(|line| format!("{}: {}", line.subject, line.message)).collect()
    }

    #[test]
    fn every_reference_has_a_line_in_the_log() {
        let no_commit = Reference { commit: None, ..tag("1.9", "") };
        let scan = scan(
            Some("main"),
            &[
                branch(
                    "main",
                    r#"{"name": "acme/mailer", "description": "Sends", "abandoned": "acme/post"}"#,
                ),
                tag("v1.0.0", r#"{"name": "acme/mailer"}"#),
                tag("v1.1.0", r#"{"name": "acme/other"}"#),
                tag("latest", "{}"),
                tag("1.0", r#"{"version": "1.0"}"#),
                tag("2.0", "{oops"),
                tag("3.0", r#"{"require": {"php": "bad bad"}}"#),
                no_commit,
            ],
        )
        .unwrap();
        assert_eq!((scan.name.as_str(), scan.description.as_str()), ("acme/mailer", "Sends"));
        assert_eq!(scan.abandoned.as_deref(), Some("acme/post"));
        insta::assert_snapshot!(log(&scan.outcomes).join("\n"), @"
        1.0: imported as 1.0
        1.9: skipped, it points to no commit
        2.0: skipped, composer.json is not valid JSON: key must be a string at line 1, column 2
        3.0: skipped, composer.json has a mistake in “require.php”: “bad bad” is not a version constraint. One looks like ^1.2, ~2.0.3, >=1.0 <3.0 or dev-main.
        latest: skipped, its name is not a version
        v1.0.0: skipped, it is the same version as 1.0
        v1.1.0: imported as v1.1.0; composer.json names acme/other here, served as acme/mailer
        main: imported as dev-main
        ");
    }

    #[test]
    fn without_a_name_on_the_default_branch_the_newest_tag_gives_it() {
        let references = [
            branch("main", r#"{"description": "no name"}"#),
            tag("1.0", r#"{"name": "acme/old"}"#),
            tag("10.0", r#"{"name": "acme/new"}"#),
            tag("9.0", r#"{"name": "acme/new"}"#),
            branch("other", ""),
        ];
        let scan = scan(Some("main"), &references).unwrap();
        assert_eq!(scan.name.as_str(), "acme/new");
        insta::assert_snapshot!(log(&scan.outcomes).join("\n"), @"
        1.0: skipped, composer.json names acme/old
        10.0: imported as 10.0
        9.0: imported as 9.0
        main: skipped, composer.json has no usable name
        other: skipped, composer.json is not there
        ");
    }

    #[test]
    fn a_repository_that_is_no_package_gets_a_sentence() {
        for (references, sentence) in [
            (
                vec![],
                "The repository is empty. It has no branches and no tags yet: push a commit with a composer.json, then update the package.",
            ),
            (
                vec![branch("main", r#"{"name": "Acme/Mailer"}"#), tag("1.0", r#"{"name": "acme/mailer"}"#)],
                "composer.json of the branch main has no usable name: “Acme/Mailer” has upper-case letters. Use acme/mailer instead.",
            ),
            (
                vec![branch("main", ""), tag("1.0", "")],
                "No branch and no tag has a composer.json here. Push one; if it is in another folder, edit the repository and name that folder.",
            ),
            (
                vec![branch("main", ""), tag("1.0", "[]")],
                "No branch and no tag has a composer.json with a name. Add \"name\": \"vendor/name\" to it on the default branch.",
            ),
            (
                vec![branch("main", r#"{"name": "acme/mailer", "type": 1}"#)],
                "No branch and no tag could be imported. The log says for each of them why.",
            ),
        ] {
            assert_eq!(scan(Some("main"), &references).unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn a_tag_made_for_the_package_comes_before_one_for_all() {
        let composer_json = r#"{"name": "acme/mailer"}"#;
        let labelled = |name, version: &str| Reference {
            labelled: Some(version.to_owned()),
            ..tag(name, composer_json)
        };
        let references =
            [tag("1.0", composer_json), labelled("mailer/1.0.0", "1.0.0"), labelled("mailer@x", "x")];
        let scan = scan(Some("main"), &references).unwrap();
        insta::assert_snapshot!(log(&scan.outcomes).join("\n"), @"
        mailer/1.0.0: imported as 1.0.0
        mailer@x: skipped, its name is not a version
        1.0: skipped, it is the same version as mailer/1.0.0
        ");
    }

    #[test]
    fn control_characters_do_not_get_through() {
        let odd = r#"{"name": "acme/\u0000", "version": "1.0+\u0000", "abandoned": "\u0000"}"#;
        let references = [branch("main", r#"{"name": "acme/mailer"}"#), branch("odd", odd), tag("1.0", odd)];
        let scan = scan(Some("main"), &references).unwrap();
        let log = log(&scan.outcomes).join("\n");
        insta::assert_snapshot!(log, @"
        1.0: skipped, composer.json says that it is version “1.0+ ”, which is not a version
        main: imported as dev-main
        odd: imported as dev-odd; composer.json names acme/  here, served as acme/mailer
        ");
    }

    #[test]
    fn odd_names_are_only_names() {
        let composer_json = r#"{"name": "acme/mailer"}"#;
        for name in ["../../etc", "a \"b\" 'c'", "--upload-pack=x", "💥", "dev", "-", "v"] {
            for reference in [tag(name, composer_json), branch(name, composer_json)] {
                let scan = scan(Some("main"), &[branch("main", composer_json), reference]).unwrap();
                assert_eq!(scan.outcomes.len(), 2, "{name}");
            }
        }
    }
}
