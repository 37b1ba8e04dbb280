//! A fresh database for each test: SQLite, or a new one on the PostgreSQL server of `STAVE_TEST_DATABASE_URL`.

use sqlx::{Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use stave_domain::Secret;
use stave_storage::Storage;
use std::{
    collections::BTreeMap,
    env,
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};
use url::Url;

/// A database that is gone when this is dropped.
pub(crate) struct TestDatabase {
    /// `None`: the SQLite file in the data folder.
    postgresql: Option<Url>,
}

impl TestDatabase {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(server) = server() else { return Self { postgresql: None } };
        let name = format!("stave_it_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("CREATE DATABASE {name}")).await;
        let mut url = server;
        url.set_path(&name);
        Self { postgresql: Some(url) }
    }

    /// Runs a statement in the database of the Stave whose data folder this is, while no Stave has it open.
    pub(crate) async fn execute(&self, data: &Path, statement: &'static str) {
        if let Some(url) = &self.postgresql {
            execute(url, statement.to_owned()).await;
        } else {
            let options = SqliteConnectOptions::new().filename(data.join("stave.sqlite"));
            let mut connection = SqliteConnection::connect_with(&options).await.expect("the file opens");
            sqlx::query(statement).execute(&mut connection).await.expect("the statement is right");
            connection.close().await.expect("it closes");
        }
    }

    /// The rows of the Stave whose data folder this is, read beside it.
    pub(crate) async fn storage(&self, data: &Path) -> Storage {
        let url = match &self.postgresql {
            Some(url) => url.to_string(),
            None => format!("sqlite://{}", data.join("stave.sqlite").display()),
        };
        Storage::open(&Secret::new(url)).await.expect("the database opens")
    }

    /// Every row of every table, as text: what a dump would show.
    pub(crate) async fn dump(&self, data: &Path) -> BTreeMap<String, Vec<String>> {
        match &self.postgresql {
            Some(url) => dump_postgresql(url).await,
            None => dump_sqlite(&data.join("stave.sqlite")).await,
        }
    }

    /// What `--database-url` has to say; `None` is Stave's default.
    pub(crate) fn url(&self) -> Option<&str> {
        self.postgresql.as_ref().map(Url::as_str)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (Some(url), Some(server)) = (self.postgresql.take(), server()) else { return };
        let statement =
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.path().trim_start_matches('/'));
        // Dropping cannot wait inside a runtime, so another thread does.
        let dropping = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&server, statement));
        });
        _ = dropping.join();
    }
}

async fn dump_sqlite(file: &Path) -> BTreeMap<String, Vec<String>> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the file opens");
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> =
        sqlx::query_scalar(tables).fetch_all(&mut connection).await.expect("it has tables");
    let mut dump = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .expect("it has columns");
        let row = columns.iter().map(|column| format!("'{column}=' || quote(\"{column}\")"));
        let row = row.collect::<Vec<_>>().join(" || ' ' || ");
        let rows = sqlx::AssertSqlSafe(format!("SELECT {row} AS row FROM \"{table}\" ORDER BY row"));
        let rows = sqlx::query_scalar(rows).fetch_all(&mut connection).await.expect("it has rows");
        dump.insert(table, rows);
    }
    connection.close().await.expect("it closes");
    dump
}

async fn dump_postgresql(url: &Url) -> BTreeMap<String, Vec<String>> {
    let mut connection = PgConnection::connect(url.as_str()).await.expect("the test server answers");
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> =
        sqlx::query_scalar(tables).fetch_all(&mut connection).await.expect("it has tables");
    let mut dump = BTreeMap::new();
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("SELECT t::text AS row FROM \"{table}\" AS t ORDER BY row"));
        let rows = sqlx::query_scalar(rows).fetch_all(&mut connection).await.expect("it has rows");
        dump.insert(table, rows);
    }
    dump
}

fn server() -> Option<Url> {
    let url = env::var("STAVE_TEST_DATABASE_URL").ok()?;
    Some(Url::parse(&url).expect("STAVE_TEST_DATABASE_URL is a URL"))
}

async fn execute(server: &Url, statement: String) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the test server answers");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("the statement is right");
}
