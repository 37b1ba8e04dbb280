//! The queue under load, on whichever engine the tests run.

use super::{Column, Entity, RUNNING, WAITING};
use crate::{
    Storage, StorageError,
    testing::{at, id, test_storage},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use stave_domain::{
    id::JobId,
    job::{ClaimedJob, Job, ListedJob, NewJob, PendingJob, Progress, Urgency},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinSet;

fn update(repository: u128) -> Job {
    Job::UpdateRepository { repository: id(repository) }
}

fn new(number: u128, job: Job, seconds: i64) -> NewJob {
    let urgency = Urgency::Now;
    NewJob { id: id(number), job, organization_id: None, urgency, run_at: at(seconds), created_at: at(0) }
}

#[tokio::test]
async fn what_somebody_waits_for_comes_first() {
    let storage = test_storage().await;
    let patient =
        |number, seconds| NewJob { urgency: Urgency::InTurn, ..new(number, update(number), seconds) };
    for job in [patient(1, 0), patient(2, 1), new(3, update(3), 2)] {
        storage.job_enqueue(&job).await.unwrap();
    }
    let next = async || storage.job_claim("a", at(9), at(60)).await.unwrap().unwrap().job;
    assert_eq!(next().await, update(3));
    storage.job_enqueue(&new(4, update(2), 9)).await.unwrap();
    assert_eq!([next().await, next().await], [update(2), update(1)], "one that waits becomes urgent");
}

async fn enqueue(storage: &Storage, number: u128, job: Job, seconds: i64) {
    storage.job_enqueue(&new(number, job, seconds)).await.unwrap();
}

async fn claim(storage: &Storage, worker: &str, now: i64, lease_until: i64) -> Option<ClaimedJob> {
    storage.job_claim(worker, at(now), at(lease_until)).await.unwrap()
}

/// How many jobs wait, and how many run.
async fn count(storage: &Storage) -> (u64, u64) {
    let in_state = async |state: &str| {
        Entity::find().filter(Column::State.eq(state)).count(&storage.conn).await.unwrap()
    };
    (in_state(WAITING).await, in_state(RUNNING).await)
}

#[tokio::test]
async fn the_oldest_due_job_is_claimed_first() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 20).await;
    enqueue(&storage, 2, update(2), 10).await;
    enqueue(&storage, 3, Job::BuildDists { package: id(2) }, 30).await;
    assert_eq!(count(&storage).await, (3, 0));
    assert_eq!(claim(&storage, "a", 9, 40).await, None);
    let first = ClaimedJob { id: id(2), job: update(2), attempt: 1 };
    assert_eq!(claim(&storage, "a", 20, 40).await, Some(first));
    let second = ClaimedJob { id: id(1), job: update(1), attempt: 1 };
    assert_eq!(claim(&storage, "a", 20, 40).await, Some(second));
    assert_eq!(claim(&storage, "a", 20, 40).await, None);
    storage.job_done(id(2), "a").await.unwrap();
    assert_eq!(count(&storage).await, (1, 1));
}

#[tokio::test]
async fn a_bell_that_rings_during_a_run_leads_to_one_more_run() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 0).await;
    claim(&storage, "a", 0, 30).await.unwrap();
    for (number, seconds) in [(2, 9), (3, 5), (4, 7)] {
        enqueue(&storage, number, update(1), seconds).await;
    }
    let running = PendingJob {
        is_running: true,
        run_at: at(0),
        attempt: 1,
        last_error: None,
        progress: Progress::default(),
    };
    let waiting = PendingJob {
        is_running: false,
        run_at: at(5),
        attempt: 0,
        last_error: None,
        progress: Progress::default(),
    };
    assert_eq!(storage.job_pending(&update(1).key()).await.unwrap(), [running, waiting]);
    assert_eq!(claim(&storage, "b", 10, 30).await, None, "its key runs");
    storage.job_done(id(1), "a").await.unwrap();
    assert_eq!(claim(&storage, "b", 10, 30).await.unwrap().id, id(2));
    assert_eq!(count(&storage).await, (0, 1));
}

#[tokio::test]
async fn a_job_left_behind_is_taken_over_when_its_lease_ends() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 0).await;
    claim(&storage, "a", 0, 30).await.unwrap();
    enqueue(&storage, 2, update(1), 0).await;
    assert!(storage.job_renew(id(1), "a", at(60)).await.unwrap());
    assert_eq!(claim(&storage, "b", 59, 90).await, None);
    let again = ClaimedJob { id: id(1), job: update(1), attempt: 2 };
    assert_eq!(claim(&storage, "b", 60, 90).await, Some(again));

    assert!(!storage.job_renew(id(1), "a", at(99)).await.unwrap(), "it is no longer a's");
    storage.job_done(id(1), "a").await.unwrap();
    storage.job_retry(id(1), "a", at(0), "too late").await.unwrap();
    storage.job_release(id(1), "a", at(0)).await.unwrap();
    assert_eq!(count(&storage).await, (1, 1));
    storage.job_done(id(1), "b").await.unwrap();
    assert_eq!(count(&storage).await, (1, 0));
}

#[tokio::test]
async fn a_failed_try_waits_for_the_next_one() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 0).await;
    claim(&storage, "a", 0, 30).await.unwrap();
    storage.job_retry(id(1), "a", at(50), "Bitbucket is down.").await.unwrap();
    let waiting = PendingJob {
        is_running: false,
        run_at: at(50),
        attempt: 1,
        last_error: Some("Bitbucket is down.".into()),
        progress: Progress::default(),
    };
    assert_eq!(storage.job_pending(&update(1).key()).await.unwrap(), [waiting]);
    assert_eq!(claim(&storage, "a", 50, 80).await.unwrap().attempt, 2);
}

#[tokio::test]
async fn a_job_handed_back_has_not_been_tried() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 0).await;
    claim(&storage, "a", 0, 30).await.unwrap();
    storage.job_release(id(1), "a", at(7)).await.unwrap();
    let waiting = PendingJob {
        is_running: false,
        run_at: at(7),
        attempt: 0,
        last_error: None,
        progress: Progress::default(),
    };
    assert_eq!(storage.job_pending(&update(1).key()).await.unwrap(), [waiting]);
    assert_eq!(claim(&storage, "b", 7, 30).await.unwrap().attempt, 1);
}

#[tokio::test]
async fn a_job_given_back_makes_room_for_the_one_that_waits() {
    let storage = test_storage().await;
    for (number, is_retried) in [(1, true), (3, false)] {
        enqueue(&storage, number, update(1), 0).await;
        claim(&storage, "a", 0, 30).await.unwrap();
        enqueue(&storage, number + 1, update(1), 9).await;
        if is_retried {
            storage.job_retry(id(number), "a", at(50), "no").await.unwrap();
        } else {
            storage.job_release(id(number), "a", at(50)).await.unwrap();
        }
        let waiting = PendingJob {
            is_running: false,
            run_at: at(9),
            attempt: 0,
            last_error: None,
            progress: Progress::default(),
        };
        assert_eq!(storage.job_pending(&update(1).key()).await.unwrap(), [waiting]);
        let next = claim(&storage, "a", 9, 30).await.unwrap();
        assert_eq!(next.id, id(number + 1));
        storage.job_done(next.id, "a").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn giving_back_and_ringing_at_the_same_instant_leave_one_job() {
    let storage = test_storage().await;
    for round in 0..50 {
        enqueue(&storage, 2 * round + 1, update(1), 0).await;
        let claimed = claim(&storage, "a", 0, 30).await.unwrap();
        let (bell, giver) = (Storage::clone(&storage), Storage::clone(&storage));
        let rung = tokio::spawn(async move { enqueue(&bell, 2 * round + 2, update(1), 0).await });
        let failed_try = tokio::spawn(async move { giver.job_retry(claimed.id, "a", at(0), "no").await });
        rung.await.unwrap();
        failed_try.await.unwrap().unwrap();
        assert_eq!(count(&storage).await, (1, 0));
        let left = claim(&storage, "a", 0, 30).await.unwrap();
        storage.job_done(left.id, "a").await.unwrap();
    }
}

/// What the runners of the next test have to agree on.
#[derive(Default)]
struct Ledger {
    running: BTreeSet<String>,
    runs: HashMap<String, u32>,
}

/// Runs jobs until each of 200 keys has run twice: once, and once more because a bell rang during the first run.
async fn runner(storage: Storage, worker: String, ledger: Arc<Mutex<Ledger>>) {
    loop {
        if let Some(claimed) = claim(&storage, &worker, 10, 1_000).await {
            let key = claimed.job.key();
            let runs = {
                let mut ledger = ledger.lock().unwrap();
                assert!(ledger.running.insert(key.clone()), "{key} was given to two runners");
                *ledger.runs.entry(key.clone()).and_modify(|runs| *runs += 1).or_insert(1)
            };
            if runs == 1 {
                let Job::UpdateRepository { repository } = claimed.job else { unreachable!() };
                let bell = 1_000 + uuid::Uuid::from(repository).as_u128();
                enqueue(&storage, bell, claimed.job, 0).await;
            }
            assert!(ledger.lock().unwrap().running.remove(&key));
            storage.job_done(claimed.id, &worker).await.unwrap();
        } else if count(&storage).await == (0, 0) {
            return;
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_runners_never_share_a_job_or_a_key() {
    let storage = test_storage().await;
    for number in 1..=200 {
        enqueue(&storage, number, update(number), 0).await;
    }
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut runners = JoinSet::new();
    for number in 0..8 {
        runners.spawn(runner(Storage::clone(&storage), format!("runner {number}"), Arc::clone(&ledger)));
    }
    while let Some(ended) = runners.join_next().await {
        ended.unwrap();
    }
    let ledger = ledger.lock().unwrap();
    assert_eq!(ledger.runs.len(), 200);
    assert!(ledger.runs.values().all(|runs| *runs == 2), "{:?}", ledger.runs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_job_left_behind_is_taken_over_once() {
    let storage = test_storage().await;
    for round in 1..=20 {
        enqueue(&storage, round, update(1), 0).await;
        claim(&storage, "crashed", 0, 5).await.unwrap();
        enqueue(&storage, 100 + round, update(1), 0).await;
        let mut claims = JoinSet::new();
        for number in 0..8 {
            let storage = Storage::clone(&storage);
            claims.spawn(async move { claim(&storage, &format!("runner {number}"), 5, 10).await });
        }
        let given: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
        assert_eq!(given.len(), 1, "{given:?}");
        assert_eq!((given[0].id, given[0].attempt), (id(round), 2));
        storage.database.run("DELETE FROM job").await;
    }
}

/// Of the organization 7.
async fn enqueue_for_seven(storage: &Storage, number: u128, job: Job, seconds: i64) {
    let for_seven = NewJob { organization_id: Some(id(7)), ..new(number, job, seconds) };
    storage.job_enqueue(&for_seven).await.unwrap();
}

async fn listed(storage: &Storage, organization: Option<u128>, limit: u64) -> Vec<JobId> {
    let jobs = storage.job_list(organization.map(id), limit).await.unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

async fn busy(storage: &Storage, now: i64) -> Option<JobId> {
    storage.job_busy(id(7), at(now)).await.unwrap().map(|job| job.id)
}

#[tokio::test]
async fn jobs_are_listed_running_ones_first() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 10).await;
    enqueue_for_seven(&storage, 2, update(2), 9).await;
    enqueue_for_seven(&storage, 3, update(3), 20).await;
    enqueue_for_seven(&storage, 4, update(4), 0).await;
    claim(&storage, "a", 0, 30).await.unwrap();
    assert_eq!(listed(&storage, None, 9).await, [id(4), id(2), id(1), id(3)]);
    assert_eq!(listed(&storage, None, 2).await, [id(4), id(2)]);
    assert_eq!(listed(&storage, Some(7), 9).await, [id(4), id(2), id(3)]);
    assert_eq!(listed(&storage, Some(8), 9).await, []);
    let found = storage.job_find(id(3)).await.unwrap().unwrap();
    let waiting = PendingJob {
        is_running: false,
        run_at: at(20),
        attempt: 0,
        last_error: None,
        progress: Progress::default(),
    };
    let expected = ListedJob {
        id: id(3),
        job: update(3),
        organization_id: Some(id(7)),
        pending: waiting,
        created_at: at(0),
    };
    assert_eq!(found, expected);
    assert_eq!(storage.job_find(id(9)).await.unwrap(), None);
}

#[tokio::test]
async fn a_job_that_only_a_newer_stave_knows_is_not_listed() {
    let storage = test_storage().await;
    enqueue_for_seven(&storage, 1, update(1), 0).await;
    enqueue_for_seven(&storage, 2, update(2), 5).await;
    let id1 = if storage.engine_name() == "SQLite" {
        "X'00000000000000000000000000000001'"
    } else {
        "'00000000000000000000000000000001'"
    };
    storage.database.run(&format!("UPDATE job SET body = '{{\"kind\":\"fly\"}}' WHERE id = {id1}")).await;
    assert_eq!(listed(&storage, None, 9).await, [id(2)]);
    assert_eq!(busy(&storage, 5).await, Some(id(2)));
    let unknown = storage.job_find(id(1)).await;
    assert!(matches!(unknown, Err(StorageError::Corrupt { column: "body", .. })), "{unknown:?}");
}

#[tokio::test]
async fn an_organization_is_busy_while_a_job_of_its_own_runs_or_is_due() {
    let storage = test_storage().await;
    enqueue(&storage, 9, update(9), 0).await;
    claim(&storage, "z", 0, 30).await.unwrap();
    enqueue_for_seven(&storage, 1, update(1), 5).await;
    enqueue_for_seven(&storage, 2, update(2), 6).await;
    enqueue_for_seven(&storage, 3, update(3), 7).await;
    assert_eq!(busy(&storage, 4).await, None);
    assert_eq!(busy(&storage, 7).await, Some(id(1)), "the one that is due the longest");
    assert_eq!(claim(&storage, "a", 6, 30).await.unwrap().id, id(1));
    assert_eq!(claim(&storage, "b", 6, 30).await.unwrap().id, id(2));
    assert_eq!(busy(&storage, 7).await, Some(id(1)));
    let half = Progress { phase: "Reading people".into(), done: 10, total: 20 };
    storage.job_progress(id(2), &half).await.unwrap();
    assert_eq!(busy(&storage, 7).await, Some(id(2)), "one that says how far it is");
    storage.job_progress(id(3), &half).await.unwrap();
    assert_eq!(storage.job_find(id(3)).await.unwrap().unwrap().pending.progress, Progress::default());
}

#[tokio::test]
async fn every_try_begins_from_the_beginning() {
    let storage = test_storage().await;
    let half = Progress { phase: "Reading people".into(), done: 10, total: 20 };
    let progress = async || storage.job_find(id(1)).await.unwrap().unwrap().pending.progress;
    enqueue(&storage, 1, update(1), 0).await;
    for way_back in ["retry", "release", "release all", "lease"] {
        claim(&storage, "a", 0, 30).await.unwrap();
        assert_eq!(progress().await, Progress::default());
        storage.job_progress(id(1), &half).await.unwrap();
        assert_eq!(progress().await, half);
        match way_back {
            "retry" => storage.job_retry(id(1), "a", at(0), "no").await.unwrap(),
            "release" => storage.job_release(id(1), "a", at(0)).await.unwrap(),
            "release all" => storage.job_release_all("a", at(0)).await.unwrap(),
            _ => assert_eq!(claim(&storage, "b", 30, 60).await.unwrap().id, id(1)),
        }
        assert_eq!(progress().await, Progress::default(), "{way_back}");
    }
}

#[tokio::test]
async fn a_waiting_job_can_be_hastened() {
    let storage = test_storage().await;
    enqueue(&storage, 1, update(1), 50).await;
    assert!(storage.job_hasten(id(1), at(9)).await.unwrap());
    assert_eq!(storage.job_find(id(1)).await.unwrap().unwrap().pending.run_at, at(9));
    assert!(storage.job_hasten(id(1), at(12)).await.unwrap());
    assert_eq!(storage.job_find(id(1)).await.unwrap().unwrap().pending.run_at, at(9), "it was due already");
    claim(&storage, "a", 9, 30).await.unwrap();
    assert!(!storage.job_hasten(id(1), at(5)).await.unwrap());
    assert!(!storage.job_hasten(id(2), at(5)).await.unwrap());
}
