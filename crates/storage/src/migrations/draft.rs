//! A table in the making, or in change, in the same words for both engines.

use sea_orm_migration::{
    prelude::{
        ColumnDef, ConditionalStatement, DbErr, Expr, ExprTrait, ForeignKey, ForeignKeyAction, Index,
        IndexCreateStatement, SchemaManager, Table, TableCreateStatement,
    },
    sea_orm::{ConnectionTrait, DbBackend},
};

/// A table in the making, or what is added to one that is there. Columns hold a value unless they say `or_null`.
pub(super) struct Draft {
    name: &'static str,
    engine: DbBackend,
    table: TableCreateStatement,
    indexes: Vec<IndexCreateStatement>,
}

impl Draft {
    pub(super) fn new(name: &'static str, manager: &SchemaManager<'_>) -> Self {
        let table = Table::create().table(name).to_owned();
        Self { name, engine: manager.get_database_backend(), table, indexes: Vec::new() }
    }

    pub(super) fn uuid(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).uuid().not_null().to_owned())
    }

    pub(super) fn uuid_or_null(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).uuid().null().to_owned())
    }

    pub(super) fn text(self, name: &'static str) -> Self {
        let column = self.bytewise(ColumnDef::new(name).text().not_null());
        self.column(column)
    }

    pub(super) fn text_or_null(self, name: &'static str) -> Self {
        let column = self.bytewise(ColumnDef::new(name).text().null());
        self.column(column)
    }

    /// A text that is `value` in the rows that are there already.
    pub(super) fn text_until_now(self, name: &'static str, value: &'static str) -> Self {
        let column = self.bytewise(ColumnDef::new(name).text().not_null().default(value));
        self.column(column)
    }

    /// A whole number or, as milliseconds since 1970 in UTC, an instant.
    pub(super) fn number(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).big_integer().not_null().to_owned())
    }

    pub(super) fn number_or_null(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).big_integer().null().to_owned())
    }

    pub(super) fn flag(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).boolean().not_null().to_owned())
    }

    /// A flag that is `value` in the rows that are there already.
    pub(super) fn flag_until_now(self, name: &'static str, value: bool) -> Self {
        self.column(ColumnDef::new(name).boolean().not_null().default(value).to_owned())
    }

    /// A number that is 0 in the rows that are there already.
    pub(super) fn zero_until_now(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).big_integer().not_null().default(0).to_owned())
    }

    pub(super) fn bytes(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).blob().not_null().to_owned())
    }

    pub(super) fn bytes_or_null(self, name: &'static str) -> Self {
        self.column(ColumnDef::new(name).blob().null().to_owned())
    }

    /// A column that names a row of `table`, or nothing; `on_delete` says, in SQL, what happens here when that is deleted.
    /// To a table that is there SQLite adds column and reference in one piece only.
    pub(super) fn reference_or_null(
        self,
        name: &'static str,
        table: &'static str,
        on_delete: &'static str,
    ) -> Self {
        let reference = format!("REFERENCES \"{table}\" (\"id\") ON DELETE {on_delete}");
        self.column(ColumnDef::new(name).uuid().null().extra(reference).to_owned())
    }

    pub(super) fn key<const N: usize>(mut self, columns: [&'static str; N]) -> Self {
        let mut key = Index::create();
        for column in columns {
            key.col(column);
        }
        self.table.primary_key(&mut key);
        self
    }

    /// `column` names a row of `table`, and this row is deleted with it.
    pub(super) fn belongs_to(self, column: &'static str, table: &'static str) -> Self {
        self.refers_to(column, table, ForeignKeyAction::Cascade)
    }

    /// `column` names a row of `table`; `on_delete` says what happens here when that is deleted.
    pub(super) fn refers_to(
        mut self,
        column: &'static str,
        table: &'static str,
        on_delete: ForeignKeyAction,
    ) -> Self {
        self.table
            .foreign_key(ForeignKey::create().from(self.name, column).to(table, "id").on_delete(on_delete));
        self
    }

    pub(super) fn unique<const N: usize>(self, columns: [&'static str; N]) -> Self {
        let index = self.index_on(&columns).unique().to_owned();
        self.with(index)
    }

    /// Unique among the rows whose `column` is `value`.
    pub(super) fn unique_where(
        self,
        unique: &'static str,
        column: &'static str,
        value: &'static str,
    ) -> Self {
        // The value stands in the statement itself: an index cannot be made with bound values.
        let which = Expr::col(column).eq(Expr::cust(format!("'{value}'")));
        let name = format!("{}_{unique}_{value}", self.name);
        let index =
            Index::create().name(name).table(self.name).col(unique).unique().and_where(which).to_owned();
        self.with(index)
    }

    pub(super) fn index<const N: usize>(self, columns: [&'static str; N]) -> Self {
        let index = self.index_on(&columns);
        self.with(index)
    }

    /// Makes the table and its indexes.
    pub(super) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(self.table).await?;
        create_indexes(self.indexes, manager).await
    }

    /// On SQLite: makes the table in place of the one of this name, with the rows that `select`, from the old one, finds. What
    /// refers to it refers to the new one then; references are not watched meanwhile (`engine::migrate`).
    /// <https://www.sqlite.org/lang_altertable.html#otheralter>
    pub(super) async fn replace(mut self, select: &str, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let (name, new) = (self.name, format!("{}_new", self.name));
        self.table.table(new.clone());
        manager.create_table(self.table).await?;
        let db = manager.get_connection();
        db.execute_unprepared(&format!("INSERT INTO {new} {select}")).await?;
        db.execute_unprepared(&format!("DROP TABLE {name}")).await?;
        db.execute_unprepared(&format!("ALTER TABLE {new} RENAME TO {name}")).await?;
        create_indexes(self.indexes, manager).await
    }

    /// Adds the columns and indexes to the table, which is there. SQLite adds one column at a time.
    pub(super) async fn alter(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for column in self.table.get_columns() {
            manager
                .alter_table(Table::alter().table(self.name).add_column(column.clone()).to_owned())
                .await?;
        }
        create_indexes(self.indexes, manager).await
    }

    fn column(mut self, column: ColumnDef) -> Self {
        self.table.col(column);
        self
    }

    fn with(mut self, index: IndexCreateStatement) -> Self {
        self.indexes.push(index);
        self
    }

    fn index_on(&self, columns: &[&'static str]) -> IndexCreateStatement {
        let mut index = Index::create();
        index.name(format!("{}_{}", self.name, columns.join("_"))).table(self.name);
        for column in columns {
            index.col(*column);
        }
        index
    }

    /// SQLite orders and compares texts by their bytes; PostgreSQL does so if it is told.
    fn bytewise(&self, column: &mut ColumnDef) -> ColumnDef {
        match self.engine {
            DbBackend::Postgres => column.extra("COLLATE \"C\"").to_owned(),
            _ => column.to_owned(),
        }
    }
}

async fn create_indexes(
    indexes: Vec<IndexCreateStatement>,
    manager: &SchemaManager<'_>,
) -> Result<(), DbErr> {
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}
