use super::*;
use crate::{
    organization::Role,
    synchronization::{Level, RightsFrom, Selection, Stage, SynchronizationAccess},
};
use uuid::Uuid;

fn synchronization(used: u32) -> Synchronization {
    Synchronization {
        id: Uuid::nil().into(),
        organization_id: Uuid::nil().into(),
        integration_id: Uuid::nil().into(),
        workspace: workspace("acme"),
        access: SynchronizationAccess::AccountGone,
        rights_from: RightsFrom::Everybody,
        is_primary: true,
        selection: Selection::All,
        has_webhooks: true,
        stage: Stage::Active,
        numbers_used: used,
        created_at: crate::Timestamp::UNIX_EPOCH,
    }
}

fn workspace(key: &str) -> Workspace {
    Workspace { external_id: "{1}".into(), key: key.into(), name: String::new() }
}

fn repository(id: &str, slug: &str) -> RemoteRepository {
    RemoteRepository {
        external_id: id.into(),
        slug: slug.into(),
        name: slug.into(),
        project: None,
        source: format!("https://bitbucket.org/acme/{slug}.git").parse().unwrap(),
        default_branch: Some("main".into()),
        is_archived: false,
        changed_at: None,
    }
}

fn person(id: &str) -> RemotePerson {
    RemotePerson { external_id: id.into(), handle: id.into(), name: String::new(), role: Role::Member }
}

fn seen(repositories: &[RemoteRepository], people: &[&str], rights: &[(&str, &[u32])]) -> Seen {
    let set = |numbers: &[u32]| AccessSet::of(numbers.iter().map(|number| (*number, Level::Read)));
    Seen {
        workspace: workspace("acme"),
        repositories: repositories.to_vec(),
        is_complete: true,
        read_at: crate::Timestamp::UNIX_EPOCH,
        people: Some(people.iter().map(|id| person(id)).collect()),
        rights: Some(rights.iter().map(|(id, numbers)| ((*id).to_owned(), set(numbers))).collect()),
        groups: Some(Vec::new()),
    }
}

/// What is remembered after a plan was carried out.
fn applied(known: &Known, plan: &Plan) -> Known {
    let mut repositories: BTreeMap<u32, _> =
        known.repositories.iter().map(|it| (it.number, it.clone())).collect();
    repositories.extend(plan.repositories.iter().map(|it| (it.number, it.clone())));
    repositories.retain(|number, _| !plan.repositories_gone.contains(number));
    let mut people: BTreeMap<String, _> =
        known.people.iter().map(|it| (it.person.external_id.clone(), it.clone())).collect();
    people.extend(plan.people.iter().map(|it| (it.person.external_id.clone(), it.clone())));
    people.retain(|id, _| !plan.people_gone.contains(id));
    let mut groups: BTreeMap<String, _> =
        known.groups.iter().map(|it| (it.name.clone(), it.clone())).collect();
    groups.extend(plan.groups.iter().map(|it| (it.name.clone(), it.clone())));
    groups.retain(|name, _| !plan.groups_gone.contains(name));
    Known {
        repositories: repositories.into_values().collect(),
        people: people.into_values().collect(),
        groups: groups.into_values().collect(),
    }
}

fn step(known: &Known, used: u32, seen: &Seen) -> (Known, Plan, u32) {
    let numbers = Numbers::of(used, &known.repositories, &seen.repositories);
    let first = plan(&synchronization(used), known, seen, &numbers);
    let after = applied(known, &first);
    let again = Numbers::of(numbers.used, &after.repositories, &seen.repositories);
    let second = plan(&synchronization(numbers.used), &after, seen, &again);
    let settled = Plan { workspace: None, ..second };
    assert!(settled.is_empty(), "a second run finds nothing: {settled:?}");
    (after, first, numbers.used)
}

#[test]
fn a_second_run_finds_nothing() {
    let all = [repository("{a}", "a"), repository("{b}", "b")];
    let (known, first, used) =
        step(&Known::default(), 0, &seen(&all, &["ada", "grace"], &[("ada", &[1, 2])]));
    assert_eq!((first.repositories.len(), first.people.len(), used), (2, 2, 2));
    let grace = known.people.iter().find(|it| it.person.external_id == "grace").unwrap();
    assert_eq!(grace.access, Some(AccessSet::default()), "whoever is not named may read nothing");
}

#[test]
fn a_number_is_never_used_again() {
    let (a, b, c) = (repository("{a}", "a"), repository("{b}", "b"), repository("{c}", "c"));
    let (known, _, used) = step(&Known::default(), 0, &seen(&[a.clone(), b], &["ada"], &[("ada", &[1, 2])]));
    let (known, second, used) =
        step(&known, used, &seen(std::slice::from_ref(&a), &["ada"], &[("ada", &[1])]));
    assert_eq!(second.repositories_gone, [2].into());
    let (known, _, used) = step(&known, used, &seen(&[a, c], &["ada"], &[("ada", &[1, 3])]));
    assert_eq!((known.repositories[1].number, used), (3, 3));
}

#[test]
fn a_renamed_repository_is_the_same() {
    let (known, ..) = step(&Known::default(), 0, &seen(&[repository("{a}", "a")], &[], &[]));
    let (after, changes, _) = step(&known, 1, &seen(&[repository("{a}", "b")], &[], &[]));
    assert_eq!((after.repositories[0].number, after.repositories[0].remote.slug.as_str()), (1, "b"));
    assert_eq!(changes.repositories_gone, BTreeSet::new());
}

#[test]
fn a_failure_is_never_an_absence() {
    let everything = seen(&[repository("{a}", "a")], &["ada"], &[("ada", &[1])]);
    let group = RemoteGroup { name: "devs".into(), people: ["ada".to_owned()].into() };
    let (known, ..) = step(&Known::default(), 0, &Seen { groups: Some(vec![group]), ..everything.clone() });
    let unread = Seen { people: None, rights: None, groups: None, ..everything };
    let (after, changes, _) = step(&known, 1, &unread);
    assert!(changes.is_empty(), "{changes:?}");
    assert_eq!(after.people, known.people);
}

#[test]
fn what_people_told_themselves_stays_until_they_are_asked_again() {
    let (a, b) = (repository("{a}", "a"), repository("{b}", "b"));
    let mut known = step(&Known::default(), 0, &seen(&[a.clone(), b], &["ada", "linus", "grace"], &[])).0;
    for person in &mut known.people {
        person.access = Some(AccessSet::of([(1, Level::Read), (2, Level::Read)]));
        person.asked_at = (person.person.external_id != "grace").then_some(crate::Timestamp::UNIX_EPOCH);
    }
    let members = Seen { rights: None, ..seen(&[a], &["ada"], &[]) };
    let (after, changes, _) = step(&known, 2, &members);
    let left = AccessSet::of([(1, Level::Read)]);
    assert_eq!(after.people.len(), 2, "grace is no member, and nobody asked her");
    assert!(
        after.people.iter().all(|it| it.access.as_ref() == Some(&left)),
        "the repository is gone for both"
    );
    assert_eq!(changes.people_gone, ["grace".to_owned()].into());
}

#[test]
fn a_repository_that_changed_is_looked_at_again() {
    let mut known = step(&Known::default(), 0, &seen(&[repository("{a}", "a")], &[], &[])).0;
    known.repositories[0].manifest = Manifest::Absent;
    let renamed = seen(&[repository("{a}", "b")], &[], &[]);
    assert_eq!(step(&known, 1, &renamed).0.repositories[0].manifest, Manifest::Absent);
    let moved = RemoteRepository { default_branch: Some("next".into()), ..repository("{a}", "a") };
    assert_eq!(step(&known, 1, &seen(&[moved], &[], &[])).0.repositories[0].manifest, Manifest::Unknown);
}

#[test]
fn what_may_only_be_hidden_is_not_gone_at_once() {
    let all = [repository("{a}", "a"), repository("{b}", "b")];
    let hours = |hours| crate::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hours);
    let partly = |repositories: &[RemoteRepository], at| Seen {
        is_complete: false,
        read_at: hours(at),
        ..seen(repositories, &[], &[])
    };
    let (known, ..) = step(&Known::default(), 0, &partly(&all, 0));
    let (missing, changes, _) = step(&known, 2, &partly(&all[..1], 1));
    assert_eq!(changes.repositories_gone, BTreeSet::new());
    assert_eq!(missing.repositories[1].missing_since, Some(hours(1)));
    let (still, changes, _) = step(&missing, 2, &partly(&all[..1], 24));
    assert!(changes.is_empty(), "{changes:?}");
    assert_eq!(step(&still, 2, &partly(&all, 24)).0.repositories, known.repositories, "it was only hidden");
    assert_eq!(step(&still, 2, &partly(&all[..1], 25)).1.repositories_gone, [2].into(), "a day is enough");
    let complete = Seen { is_complete: true, ..partly(&all[..1], 2) };
    assert_eq!(step(&still, 2, &complete).1.repositories_gone, [2].into(), "somebody who sees everything");
}
