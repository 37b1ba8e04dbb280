//! The queue under load, on whichever engine the tests run.

use super::{Column, Entity, RUNNING, WAITING};
use crate::{
    Storage,
    testing::{at, id, test_storage},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use stave_domain::job::{ClaimedJob, Job, PendingJob};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinSet;

fn update(package: u128) -> Job {
    Job::UpdatePackage { package: id(package) }
}

async fn enqueue(storage: &Storage, number: u128, job: Job, seconds: i64) {
    storage.job_enqueue(id(number), &job, at(seconds), at(0)).await.unwrap();
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
    let running = PendingJob { is_running: true, run_at: at(0), attempt: 1, last_error: None };
    let waiting = PendingJob { is_running: false, run_at: at(5), attempt: 0, last_error: None };
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
    let waiting = PendingJob { is_running: false, run_at: at(7), attempt: 0, last_error: None };
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
        let waiting = PendingJob { is_running: false, run_at: at(9), attempt: 0, last_error: None };
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
                let Job::UpdatePackage { package } = claimed.job else { unreachable!() };
                let bell = 1_000 + uuid::Uuid::from(package).as_u128();
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
