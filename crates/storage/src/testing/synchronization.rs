//! Synchronizations to fill a database with.

use super::{at, id, integration, organization};
use crate::Storage;
use stave_domain::{
    id::SynchronizationId,
    organization::Role,
    synchronization::{
        AccessSet, Choice, KnownPerson, KnownRepository, Level, Manifest, RemotePerson, RemoteRepository,
        RightsFrom, Selection, Stage, Synchronization, SynchronizationAccess, Workspace,
    },
};

/// An active synchronization of the organization 1 with a workspace at the integration 1.
pub(crate) fn synchronization(number: u128, workspace: &str) -> Synchronization {
    Synchronization {
        id: id(number),
        organization_id: id(1),
        integration_id: id(1),
        workspace: Workspace {
            external_id: format!("{{w-{workspace}}}"),
            key: workspace.into(),
            name: workspace.to_uppercase(),
        },
        access: SynchronizationAccess::AccountGone,
        rights_from: RightsFrom::Everybody,
        is_primary: false,
        selection: Selection::All,
        has_webhooks: true,
        stage: Stage::Active,
        numbers_used: 0,
        created_at: at(0),
    }
}

/// The organization `acme`, which follows the workspaces `one` and `two`.
pub(crate) async fn acme_follows(storage: &Storage) -> (SynchronizationId, SynchronizationId) {
    storage.organization_insert(&organization(1, "acme")).await.unwrap();
    storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
    let (one, two) = (synchronization(1, "one"), synchronization(2, "two"));
    storage.synchronization_insert(&one).await.unwrap();
    storage.synchronization_insert(&two).await.unwrap();
    (one.id, two.id)
}

/// A repository with a composer.json.
pub(crate) fn remote_repository(number: u32, slug: &str) -> KnownRepository {
    KnownRepository {
        number,
        remote: RemoteRepository {
            external_id: format!("{{r-{number}}}"),
            slug: slug.into(),
            name: slug.to_uppercase(),
            project: Some("PHP".into()),
            source: format!("https://bitbucket.org/one/{slug}.git").parse().unwrap(),
            default_branch: Some("main".into()),
            is_archived: false,
            changed_at: Some(at(5)),
        },
        manifest: Manifest::Present,
        looked_at: Some(at(6)),
        problem: None,
        choice: Choice::Selection,
        missing_since: None,
    }
}

/// A member of a workspace, by the platform's id: `{1}` is the account of [`connected`](super::connected).
pub(crate) fn remote_person(external_id: &str, reads: &[u32]) -> KnownPerson {
    KnownPerson {
        person: RemotePerson {
            external_id: external_id.into(),
            handle: format!("handle of {external_id}"),
            name: format!("Name of {external_id}"),
            role: Role::Member,
        },
        access: Some(AccessSet::of(reads.iter().map(|number| (*number, Level::Read)))),
        asked_at: None,
        problem: None,
    }
}
