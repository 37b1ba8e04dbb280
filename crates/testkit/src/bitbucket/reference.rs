//! Branches, tags and commits, read from git.

use super::{
    caller::Caller, collection::Listing, error::ApiError, permission::Level, scope::REPOSITORY, state::Fake,
};
use crate::git::BareRepository;
use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const REFERENCE_FORMAT: &str = "--format=%(refname)%00%(objectname)%00%(*objectname)%00%(taggername) %(taggeremail)%00\
                                %(taggerdate:iso-strict)%00%(contents)%01";
const COMMIT_FORMAT: &str = "--format=%H%x00%cI%x00%an <%ae>%x00%P%x00%B%x01";
/// Commits in one answer to `GET /commits`, of all pages together.
const HISTORY: &str = "--max-count=1000";

/// Where links of a repository start.
pub(crate) struct Place<'a> {
    pub(crate) fake: &'a Fake,
    pub(crate) full_name: &'a str,
}

impl Place<'_> {
    fn links(&self, api: &str, html: &str) -> Value {
        let Self { fake, full_name } = self;
        json!({
            "self": {"href": fake.api(&format!("/repositories/{full_name}/{api}"))},
            "html": {"href": fake.site(&format!("/{full_name}/{html}"))},
        })
    }

    fn named_links(&self, api: &str, html: &str, name: &str) -> Value {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        self.links(&format!("{api}/{name}"), &format!("{html}/{name}"))
    }

    /// Commits by these names, in this order; names that are no commits are left out.
    pub(crate) fn commits(&self, git: &BareRepository, arguments: &[&str], names: &[String]) -> Vec<Value> {
        if names.is_empty() {
            return Vec::new();
        }
        let input = names.join("\n") + "\n";
        let arguments: Vec<&str> =
            ["log", "--ignore-missing", "--stdin", COMMIT_FORMAT].iter().chain(arguments).copied().collect();
        let listed = git.git_with(&arguments, input.as_bytes());
        listed.split('\x01').filter_map(|record| self.commit(record.trim_start())).collect()
    }

    fn commit(&self, record: &str) -> Option<Value> {
        let [hash, date, author, parents, message] =
            record.split('\0').collect::<Vec<_>>().try_into().ok()?;
        let link = |hash: &str| self.links(&format!("commit/{hash}"), &format!("commits/{hash}"));
        let parents = parents.split_whitespace();
        let parents = parents.map(|hash| json!({"type": "commit", "hash": hash, "links": link(hash)}));
        Some(json!({
            "type": "commit",
            "hash": hash,
            "date": date,
            "message": message,
            "author": {"type": "author", "raw": author},
            "parents": parents.collect::<Vec<_>>(),
            "links": link(hash),
        }))
    }

    /// Every branch and tag that stands for a commit, by its full name, in lexical order.
    pub(crate) fn references(&self, git: &BareRepository, below: &[&str]) -> Vec<(String, Value)> {
        let arguments: Vec<&str> = ["for-each-ref", REFERENCE_FORMAT].iter().chain(below).copied().collect();
        let listed = git.git(&arguments);
        let records: Vec<Vec<&str>> = listed
            .split('\x01')
            .map(|record| record.trim_start().split('\0').collect())
            .filter(|r: &Vec<_>| r.len() == 6)
            .collect();
        let names: Vec<String> = records.iter().map(|record| peeled(record).to_owned()).collect();
        let commits = self.commits(git, &["--no-walk=unsorted"], &only_commits(git, &names));
        let commits: HashMap<&str, &Value> =
            commits.iter().filter_map(|commit| Some((commit["hash"].as_str()?, commit))).collect();
        let of = |record: &Vec<&str>| {
            let target = commits.get(peeled(record))?;
            Some((record[0].to_owned(), self.reference(record, target)))
        };
        records.iter().filter_map(of).collect()
    }

    fn reference(&self, record: &[&str], target: &Value) -> Value {
        match record[0].strip_prefix("refs/tags/") {
            Some(name) => self.tag(name, record, target),
            None => self.branch(record[0].trim_start_matches("refs/heads/"), target),
        }
    }

    /// A lightweight tag has no message, no date and no tagger.
    fn tag(&self, name: &str, record: &[&str], target: &Value) -> Value {
        let is_annotated = !record[2].is_empty();
        let some = |value: Value| if is_annotated { value } else { Value::Null };
        json!({
            "type": "tag",
            "name": name,
            "target": target,
            "message": some(json!(record[5])),
            "date": some(json!(record[4])),
            "tagger": some(json!({"type": "author", "raw": record[3]})),
            "links": self.named_links("refs/tags", "commits/tag", name),
        })
    }

    fn branch(&self, name: &str, target: &Value) -> Value {
        json!({
            "type": "branch",
            "name": name,
            "target": target,
            "merge_strategies": ["merge_commit", "squash", "fast_forward"],
            "default_merge_strategy": "merge_commit",
            "links": self.named_links("refs/branches", "branch", name),
        })
    }
}

/// `git log` stops at a name that is no commit, such as a tag of a file: they are sorted out first.
fn only_commits(git: &BareRepository, names: &[String]) -> Vec<String> {
    let input = names.join("\n") + "\n";
    let checked = git.git_with(&["cat-file", "--batch-check=%(objectname) %(objecttype)"], input.as_bytes());
    checked.lines().filter_map(|line| line.strip_suffix(" commit")).map(str::to_owned).collect()
}

/// The object at the end: behind an annotated tag, its commit.
fn peeled<'a>(record: &[&'a str]) -> &'a str {
    if record[2].is_empty() { record[1] } else { record[2] }
}

type At = (String, String);
type AtName = (String, String, String);

fn read(fake: &Fake, caller: &Caller, at: &At) -> Result<(BareRepository, String), ApiError> {
    let repository = caller.repository(&at.0, &at.1, REPOSITORY, Level::Read)?;
    let full_name = repository.full_name(&fake.state());
    Ok((repository.bare(fake), full_name))
}

fn list(
    fake: &Fake,
    caller: &Caller,
    at: &At,
    listing: &Listing,
    below: &[&str],
) -> Result<Response, ApiError> {
    let (git, full_name) = read(fake, caller, at)?;
    let references = Place { fake, full_name: &full_name }.references(&git, below);
    listing.answer(fake, references.into_iter().map(|(_, reference)| reference).collect())
}

fn one(
    fake: &Fake,
    caller: &Caller,
    at: AtName,
    kind: &str,
    listing: &Listing,
) -> Result<Response, ApiError> {
    let (git, full_name) = read(fake, caller, &(at.0, at.1))?;
    let wanted = format!("refs/{kind}/{}", at.2);
    let references = Place { fake, full_name: &full_name }.references(&git, &[&wanted]);
    let found = references.into_iter().find(|(name, _)| *name == wanted);
    let (_, reference) =
        found.ok_or_else(|| ApiError::not_found(format!("Reference {} not found.", at.2)))?;
    Ok(listing.object(reference))
}

/// `GET /2.0/repositories/{workspace}/{repository}/refs`
pub(crate) async fn list_all(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<At>,
    listing: Listing,
) -> Result<Response, ApiError> {
    list(&fake, &caller, &at, &listing, &["refs/heads", "refs/tags"])
}

/// `GET /2.0/repositories/{workspace}/{repository}/refs/branches`
pub(crate) async fn list_branches(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<At>,
    listing: Listing,
) -> Result<Response, ApiError> {
    list(&fake, &caller, &at, &listing, &["refs/heads"])
}

/// `GET /2.0/repositories/{workspace}/{repository}/refs/tags`
pub(crate) async fn list_tags(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<At>,
    listing: Listing,
) -> Result<Response, ApiError> {
    list(&fake, &caller, &at, &listing, &["refs/tags"])
}

/// `GET /2.0/repositories/{workspace}/{repository}/refs/branches/{name}`: a name may contain slashes, encoded or not
pub(crate) async fn branch(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<AtName>,
    listing: Listing,
) -> Result<Response, ApiError> {
    one(&fake, &caller, at, "heads", &listing)
}

/// `GET /2.0/repositories/{workspace}/{repository}/refs/tags/{name}`
pub(crate) async fn tag(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<AtName>,
    listing: Listing,
) -> Result<Response, ApiError> {
    one(&fake, &caller, at, "tags", &listing)
}

/// `GET /2.0/repositories/{workspace}/{repository}/commit/{commit}`
pub(crate) async fn commit(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id, name)): Path<AtName>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let (git, full_name) = read(&fake, &caller, &(workspace, id))?;
    let hash = commit_hash(&git, &name)?;
    let mut found = Place { fake: &fake, full_name: &full_name }.commits(&git, &["--no-walk"], &[hash]);
    found.pop().map(|commit| listing.object(commit)).ok_or_else(|| no_commit(&name))
}

/// `GET /2.0/repositories/{workspace}/{repository}/commits`: everything that a branch reaches
pub(crate) async fn history(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path(at): Path<At>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let (git, full_name) = read(&fake, &caller, &at)?;
    let tips = git.references().into_iter().filter(|(name, _)| name.starts_with("refs/heads/"));
    let tips: Vec<String> = tips.map(|(_, hash)| hash).collect();
    let commits = Place { fake: &fake, full_name: &full_name }.commits(&git, &[HISTORY], &tips);
    listing.answer_uncounted(&fake, commits)
}

/// `GET /2.0/repositories/{workspace}/{repository}/commits/{revision}`: from this commit back
pub(crate) async fn history_of(
    Extract(fake): Extract<Arc<Fake>>,
    caller: Caller,
    Path((workspace, id, name)): Path<AtName>,
    listing: Listing,
) -> Result<Response, ApiError> {
    let (git, full_name) = read(&fake, &caller, &(workspace, id))?;
    let hash = commit_hash(&git, &name)?;
    let commits = Place { fake: &fake, full_name: &full_name }.commits(&git, &[HISTORY], &[hash]);
    listing.answer_uncounted(&fake, commits)
}

/// The hash of the commit that a hash, a branch, a tag or `HEAD` stands for.
pub(crate) fn commit_hash(git: &BareRepository, name: &str) -> Result<String, ApiError> {
    git.resolve(&format!("{name}^{{commit}}")).ok_or_else(|| no_commit(name))
}

fn no_commit(name: &str) -> ApiError {
    ApiError::not_found(format!("Commit not found: {name}"))
}
