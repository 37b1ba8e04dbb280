//! A fresh database for each test: SQLite, or a new one on the PostgreSQL server of `STAVE_TEST_DATABASE_URL`.

use sqlx::{Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
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
