//! The feed of changes (`metadata-changes-url`).

use super::{Asked, ComposerRepository, MirrorProblem, problem, request::File};
use crate::UpstreamError;
use reqwest::StatusCode;
use serde::Deserialize;
use stave_domain::{mirror::MirrorRoot, package::PackageName};
use std::collections::BTreeSet;

/// What has changed in a Composer repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangesFetched {
    /// Whether it cannot tell: everything has to be looked at.
    pub is_resync: bool,
    /// Packages whose files changed, or are new.
    pub updated: BTreeSet<PackageName>,
    /// Packages that are gone.
    pub deleted: BTreeSet<PackageName>,
    /// From where to ask the next time.
    pub next: i64,
}

#[derive(Deserialize)]
struct Feed {
    #[serde(default)]
    actions: Vec<Action>,
    timestamp: i64,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    package: String,
}

impl ComposerRepository {
    /// What has changed since the feed was last read; without that, from where to read it. A repository without a feed cannot tell.
    pub async fn changes(
        &self,
        root: &MirrorRoot,
        since: Option<i64>,
    ) -> Result<ChangesFetched, UpstreamError> {
        let Some(mut url) = root.changes_url.clone() else {
            return Ok(ChangesFetched {
                is_resync: true,
                next: since.unwrap_or_default(),
                ..ChangesFetched::default()
            });
        };
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("since", &since.to_string());
        }
        let asked = Asked::Changes;
        let answer = self.get(&url, &asked).await?;
        // Without a beginning, or with one that it does not take, it says where to begin.
        if answer.status == StatusCode::BAD_REQUEST
            && let Ok(feed) = answer.json_as::<Feed>(&asked)
        {
            return Ok(ChangesFetched { is_resync: true, next: feed.timestamp, ..ChangesFetched::default() });
        }
        let answer = answer.success(&asked)?;
        let feed: Feed = answer.json_as(&asked)?;
        changes(feed, &answer)
    }
}

/// The last word about a package counts.
fn changes(feed: Feed, answer: &File) -> Result<ChangesFetched, UpstreamError> {
    let mut changes = ChangesFetched { next: feed.timestamp, ..ChangesFetched::default() };
    for Action { kind, package } in feed.actions {
        let name = package.strip_suffix("~dev").unwrap_or(&package).to_lowercase().parse::<PackageName>();
        match (kind.as_str(), name) {
            ("resync", _) => changes.is_resync = true,
            ("update", Ok(name)) => {
                changes.deleted.remove(&name);
                changes.updated.insert(name);
            }
            ("delete", Ok(name)) => {
                changes.updated.remove(&name);
                changes.deleted.insert(name);
            }
            ("update" | "delete", Err(_)) => {}
            _ => {
                let problem = MirrorProblem::Unreadable { saw: crate::Saw::OtherJson, asked: Asked::Changes };
                return Err(problem::of(&answer.url, problem));
            }
        }
    }
    Ok(changes)
}
