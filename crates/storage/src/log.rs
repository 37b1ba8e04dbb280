//! The Log: who changed what, when.

use crate::{
    Storage, StorageError, query,
    tables::log::{Column, Entity, Model},
};
use futures::stream::{self, BoxStream, StreamExt};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use stave_domain::{
    id::{LogEntryId, OrganizationId},
    log::{LogEntry, LogFilter},
};
use uuid::Uuid;

/// Lines that an export holds in memory.
const LINES_AT_A_TIME: u64 = 500;

impl Storage {
    /// Something was changed.
    pub async fn log_insert(&self, entry: &LogEntry) -> Result<(), StorageError> {
        query::insert(Model::from(entry), &self.conn).await
    }

    /// A page of the Log of an organization or, with `None`, of the Admin section, newest first: what fits the filter and was
    /// written before the line `before`, which is the last one of the page shown.
    pub async fn log_list(
        &self,
        organization: Option<OrganizationId>,
        filter: &LogFilter,
        before: Option<LogEntryId>,
        limit: u64,
    ) -> Result<Vec<LogEntry>, StorageError> {
        let mut found = Entity::find().filter(of(organization)).filter(fits(filter));
        if let Some(before) = before {
            found = found.filter(Column::Id.lt(Uuid::from(before)));
        }
        query::all(found.order_by_desc(Column::Id).limit(limit), &self.conn).await
    }

    /// All lines that [`Self::log_list`] finds, newest first, some at a time: only as many as are asked for are read.
    #[must_use]
    pub fn log_each(
        &self,
        organization: Option<OrganizationId>,
        filter: LogFilter,
    ) -> BoxStream<'static, Result<Vec<LogEntry>, StorageError>> {
        let read_on = move |(storage, filter, before): (Self, LogFilter, Option<LogEntryId>)| async move {
            let lines = storage.log_list(organization, &filter, before, LINES_AT_A_TIME).await?;
            let Some(last) = lines.last().map(|entry| entry.id) else { return Ok(None) };
            Ok(Some((lines, (storage, filter, Some(last)))))
        };
        stream::try_unfold((self.clone(), filter, None), read_on).boxed()
    }
}

fn of(organization: Option<OrganizationId>) -> Expr {
    match organization {
        Some(id) => Column::OrganizationId.eq(Uuid::from(id)),
        None => Column::OrganizationId.is_null(),
    }
}

fn fits(filter: &LogFilter) -> Condition {
    let from = filter.from.map(|from| Column::CreatedAt.gte(from.as_millisecond()));
    let until = filter.until.map(|until| Column::CreatedAt.lt(until.as_millisecond()));
    Condition::all()
        .add(query::contains(Column::ActorSearch, &filter.actor))
        .add(query::contains(Column::ActionSearch, &filter.action))
        .add_option(from)
        .add_option(until)
}

#[cfg(test)]
mod tests {
    use super::LINES_AT_A_TIME;
    use crate::{
        Storage,
        testing::{at, id, test_storage},
    };
    use futures::TryStreamExt;
    use stave_domain::log::{LogEntry, LogFilter};

    fn entry(number: u128, organization: Option<u128>) -> LogEntry {
        LogEntry {
            id: id(number),
            organization_id: organization.map(id),
            user_id: Some(id(4)),
            actor: "ada".into(),
            action: "created the integration Bitbucket".into(),
            address: "127.0.0.1".into(),
            created_at: at(i64::try_from(number).unwrap()),
        }
    }

    async fn numbers(storage: &Storage, filter: &LogFilter) -> Vec<u128> {
        let found = storage.log_list(None, filter, None, 9).await.unwrap();
        found.iter().map(|entry| uuid::Uuid::from(entry.id).as_u128()).collect()
    }

    #[tokio::test]
    async fn the_log_is_paged_newest_first() {
        let storage = test_storage().await;
        for (number, organization) in [(1, None), (2, Some(1)), (3, None), (4, None), (5, Some(2))] {
            storage.log_insert(&entry(number, organization)).await.unwrap();
        }
        let all = LogFilter::default();
        let first = storage.log_list(None, &all, None, 2).await.unwrap();
        assert_eq!(first, [entry(4, None), entry(3, None)]);
        let rest = storage.log_list(None, &all, Some(first[1].id), 2).await.unwrap();
        assert_eq!(rest, [entry(1, None)]);
        assert_eq!(storage.log_list(Some(id(2)), &all, None, 9).await.unwrap(), [entry(5, Some(2))]);
    }

    #[tokio::test]
    async fn the_log_is_filtered() {
        let storage = test_storage().await;
        let by_eve = LogEntry { actor: "Ève 100%".into(), ..entry(2, None) };
        let deletion = LogEntry { action: "deleted the team ÄRZTE".into(), ..entry(3, None) };
        for entry in [&entry(1, None), &by_eve, &deletion] {
            storage.log_insert(entry).await.unwrap();
        }
        let by = |actor: &str| LogFilter { actor: actor.into(), ..LogFilter::default() };
        let saying = |action: &str| LogFilter { action: action.into(), ..LogFilter::default() };
        let between = |from: i64, until: i64| LogFilter {
            from: Some(at(from)),
            until: Some(at(until)),
            ..LogFilter::default()
        };
        for (filter, expected) in [
            (by(" ADA "), vec![3, 1]),
            (by("ève"), vec![2]),
            (by("0%"), vec![2]),
            (by("%"), vec![2]),
            (by("created"), vec![]),
            (saying("ärzte"), vec![3]),
            (saying("ada"), vec![]),
            (between(2, 3), vec![2]),
            (between(1, 9), vec![3, 2, 1]),
            (LogFilter { actor: "ada".into(), ..between(2, 9) }, vec![3]),
        ] {
            assert_eq!(numbers(&storage, &filter).await, expected, "{filter:?}");
        }
    }

    #[tokio::test]
    async fn an_export_has_every_line_once() {
        let storage = test_storage().await;
        let lines = u128::from(LINES_AT_A_TIME) + 3;
        let transaction = storage.begin().await.unwrap();
        for number in 1..=lines {
            transaction.log_insert(&entry(number, Some(1))).await.unwrap();
        }
        transaction.log_insert(&entry(lines + 1, Some(2))).await.unwrap();
        transaction.commit().await.unwrap();
        let newest = LogFilter { from: Some(at(2)), ..LogFilter::default() };
        let parts: Vec<Vec<LogEntry>> = storage.log_each(Some(id(1)), newest).try_collect().await.unwrap();
        assert_eq!(parts.len(), 2);
        let expected: Vec<_> = (2..=lines).rev().map(|number| entry(number, Some(1))).collect();
        assert_eq!(parts.concat(), expected);
    }
}
