//! The few phrases that the files of this room share.

use crate::{Storage, StorageError, conn::Conn};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, Iterable, QueryFilter, Select,
    UpdateResult, Value,
    sea_query::{Expr, ExprTrait, LikeExpr, OnConflict},
};

/// Values that one statement may bind: SQLite ends at 32,766, PostgreSQL at 65,535.
const MOST_BINDS: usize = 32_000;

/// The record of the one row that a query finds.
pub(crate) async fn one<E, R>(select: Select<E>, conn: &Conn) -> Result<Option<R>, StorageError>
where
    E: EntityTrait,
    R: TryFrom<E::Model, Error = StorageError>,
{
    select.one(conn).await?.map(R::try_from).transpose()
}

/// The records of all rows that a query finds.
pub(crate) async fn all<E, R>(select: Select<E>, conn: &Conn) -> Result<Vec<R>, StorageError>
where
    E: EntityTrait,
    R: TryFrom<E::Model, Error = StorageError>,
{
    select.all(conn).await?.into_iter().map(R::try_from).collect()
}

/// Stores a new row.
pub(crate) async fn insert<A>(row: impl IntoActiveModel<A>, conn: &Conn) -> Result<(), StorageError>
where
    A: ActiveModelTrait,
{
    A::Entity::insert(row.into_active_model()).exec_without_returning(conn).await?;
    Ok(())
}

/// Stores a row in place of the one with the same key, if there is one.
pub(crate) async fn upsert<A>(row: impl IntoActiveModel<A>, conn: &Conn) -> Result<(), StorageError>
where
    A: ActiveModelTrait,
{
    A::Entity::insert(row.into_active_model())
        .on_conflict(replace::<A::Entity>())
        .exec_without_returning(conn)
        .await?;
    Ok(())
}

/// Stores every column of a row that is there; `Detached` if it is not there any more.
pub(crate) async fn update<A>(row: impl IntoActiveModel<A>, conn: &Conn) -> Result<(), StorageError>
where
    A: ActiveModelTrait,
{
    A::Entity::update(row.into_active_model().reset_all()).exec_without_returning(conn).await?;
    Ok(())
}

/// Stores the columns that the row knows, of one that is there and `is_meant`; `Detached` if there is none.
pub(crate) async fn update_if<A>(row: A, is_meant: Expr, conn: &Conn) -> Result<(), StorageError>
where
    A: ActiveModelTrait,
{
    A::Entity::update(row.reset_all()).validate()?.filter(is_meant).exec_without_returning(conn).await?;
    Ok(())
}

/// `Detached` if the row that was to be changed is not there any more.
pub(crate) fn one_changed(changed: &UpdateResult) -> Result<(), StorageError> {
    if changed.rows_affected == 0 { Err(StorageError::Detached) } else { Ok(()) }
}

/// Stores many rows, all or none; `or_else` says what happens to those that are there already.
pub(crate) async fn insert_many<A>(
    rows: Vec<impl IntoActiveModel<A>>,
    or_else: OnConflict,
    storage: &Storage,
) -> Result<(), StorageError>
where
    A: ActiveModelTrait,
{
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let batch_rows = MOST_BINDS / <A::Entity as EntityTrait>::Column::iter().count();
    let transaction = storage.begin().await?;
    while rows.peek().is_some() {
        let batch: Vec<A> = rows.by_ref().take(batch_rows).collect();
        let insert = A::Entity::insert_many(batch).on_conflict(or_else.clone());
        insert.exec_without_returning(&transaction.conn).await?;
    }
    transaction.commit().await
}

/// Ids in parts that one statement can bind. Nothing of the iterator is left in them: a future that waits between two parts can
/// then go to another thread.
pub(crate) fn batches<T>(ids: impl IntoIterator<Item = T>) -> std::vec::IntoIter<Vec<T>> {
    let mut ids = ids.into_iter().peekable();
    let parts = std::iter::from_fn(|| {
        ids.peek().is_some().then_some(()).map(|()| ids.by_ref().take(MOST_BINDS).collect())
    });
    parts.collect::<Vec<_>>().into_iter()
}

/// A row that is there already stays as it is.
pub(crate) fn keep<E: EntityTrait>() -> OnConflict {
    OnConflict::columns(E::PrimaryKey::iter().map(sea_orm::PrimaryKeyToColumn::into_column))
        .do_nothing()
        .to_owned()
}

/// A row that is there already gets every column but its key.
pub(crate) fn replace<E: EntityTrait>() -> OnConflict {
    let is_key = |column: &E::Column| {
        use sea_orm::PrimaryKeyToColumn;
        E::PrimaryKey::from_column(*column).is_some()
    };
    let (key, rest): (Vec<_>, Vec<_>) = E::Column::iter().partition(is_key);
    OnConflict::columns(key).update_columns(rest).to_owned()
}

/// A value to set a column to.
pub(crate) fn value(value: impl Into<Value>) -> Expr {
    Expr::val(value)
}

/// Rows whose search text has these words in it, whatever their case; an empty search finds all.
pub(crate) fn contains(search_text: impl ColumnTrait, search: &str) -> Condition {
    // PostgreSQL takes no text with U+0000 in it, so nothing that could be found has one.
    let words = search.trim().to_lowercase().replace('\0', "\u{fffd}");
    if words.is_empty() {
        return Condition::all();
    }
    Condition::all().add(has(search_text, &words))
}

/// Rows whose text has this part in it, which is in lower case like the text itself.
pub(crate) fn has(text: impl ColumnTrait, part: &str) -> Expr {
    let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
    Expr::col(text.as_column_ref()).like(pattern)
}
