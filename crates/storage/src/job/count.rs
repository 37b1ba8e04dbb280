//! How much there is to do.

use crate::{
    Storage, StorageError,
    tables::{
        Row,
        job::{Column, Entity, RUNNING},
    },
};
use sea_orm::{EntityTrait, QuerySelect};
use stave_domain::{
    Timestamp,
    job::{JobCount, JobState},
};
use std::collections::BTreeMap;

impl Storage {
    /// How many jobs of each kind are in each state, also those that only a newer Stave knows.
    pub async fn job_count_list(&self, now: Timestamp) -> Result<Vec<JobCount>, StorageError> {
        let columns = [Column::Key, Column::State, Column::RunAt, Column::CreatedAt];
        let rows = Entity::find().select_only().columns(columns).into_tuple::<(String, String, i64, i64)>();
        let mut counts: BTreeMap<(String, JobState), (u64, i64)> = BTreeMap::new();
        for (key, state, run_at, created_at) in rows.all(&self.conn).await? {
            let kind = key.split(':').next().unwrap_or_default().to_owned();
            let state = match state.as_str() {
                RUNNING => JobState::Running,
                _ if run_at <= now.as_millisecond() => JobState::Due,
                _ => JobState::Later,
            };
            let (count, oldest) = counts.entry((kind, state)).or_insert((0, created_at));
            *count += 1;
            *oldest = (*oldest).min(created_at);
        }
        let told = |((kind, state), (count, oldest))| {
            let oldest_at = Row::of("job", &kind).instant("created_at", oldest)?;
            Ok(JobCount { kind, state, count, oldest_at })
        };
        counts.into_iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{at, id, test_storage};
    use stave_domain::job::{Job, JobCount, JobState, NewJob, Urgency};

    #[tokio::test]
    async fn jobs_are_counted_by_kind_and_state() {
        let storage = test_storage().await;
        assert_eq!(storage.job_count_list(at(0)).await.unwrap(), []);
        let jobs = [
            (Job::UpdateRepository { repository: id(1) }, 10, 0),
            (Job::UpdateRepository { repository: id(2) }, 20, 2),
            (Job::UpdateRepository { repository: id(3) }, 20, 1),
            (Job::UpdateRepository { repository: id(4) }, 99, 3),
            (Job::PublishAll, 5, 4),
        ];
        for (number, (job, run_at, created_at)) in (1..).zip(jobs) {
            let new = NewJob {
                id: id(number),
                job,
                organization_id: None,
                urgency: Urgency::Now,
                run_at: at(run_at),
                created_at: at(created_at),
            };
            storage.job_enqueue(&new).await.unwrap();
        }
        storage.job_claim("a", at(5), at(60)).await.unwrap().unwrap();
        let count = |kind: &str, state, count, oldest| JobCount {
            kind: kind.to_owned(),
            state,
            count,
            oldest_at: at(oldest),
        };
        assert_eq!(
            storage.job_count_list(at(20)).await.unwrap(),
            [
                count("publish-all", JobState::Running, 1, 4),
                count("update-repository", JobState::Due, 3, 0),
                count("update-repository", JobState::Later, 1, 3),
            ]
        );
    }
}
