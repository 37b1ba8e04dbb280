//! Opening a database: SQLite or PostgreSQL, by its address.

use crate::{
    OpenError,
    change::Changes,
    conn::Conn,
    listener::Listener,
    migrations::{self, Migrations},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{collections::BTreeSet, path::Path, str::FromStr, time::Duration};

/// Connections that read from one SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL, of one process.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a statement waits for a connection, and on SQLite for another process that writes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to answer at the start.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// The number under which PostgreSQL knows the lock of whoever changes the tables: "stave" in ASCII.
const MIGRATION_LOCK: i64 = 0x73_74_61_76_65;

/// Connects, and brings the tables up to date.
pub(crate) async fn connect(url: &str) -> Result<Conn, OpenError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return sqlite(path).await.map_err(|error| sqlite_sentence(path, error));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        // The reason may hold parts of the address, and with it the password.
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            OpenError::Address("The database URL is not valid. It looks like postgres://user:password@host:5432/stave; signs such as @ or / in the password are written as %40 or %2F.".into())
        })?;
        return postgres(&options).await.map_err(|error| postgres_sentence(&options, error));
    }
    Err(OpenError::Address("The database URL starts with sqlite:// or postgres://, for example sqlite:///var/lib/stave/stave.sqlite.".into()))
}

/// What stopped a connection from being opened, before it is a sentence.
enum Obstacle {
    Driver(sqlx::Error),
    Folder(std::io::Error),
    Said(OpenError),
}

impl From<sqlx::Error> for Obstacle {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<DbErr> for Obstacle {
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::Conn(RuntimeErr::SqlxError(source))
            | DbErr::Exec(RuntimeErr::SqlxError(source))
            | DbErr::Query(RuntimeErr::SqlxError(source)) => match std::sync::Arc::try_unwrap(source) {
                Ok(source) => Self::Driver(source),
                Err(shared) => Self::Said(OpenError::engine(shared)),
            },
            other => Self::Said(OpenError::engine(other)),
        }
    }
}

async fn sqlite(path: &str) -> Result<Conn, Obstacle> {
    if path.is_empty() {
        let sentence = "The database URL names no file. It looks like sqlite:///var/lib/stave/stave.sqlite.";
        return Err(Obstacle::Said(OpenError::Address(sentence.into())));
    }
    if let Some(folder) = Path::new(path).parent() {
        std::fs::create_dir_all(folder).map_err(Obstacle::Folder)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns: a refresh token works once, so a lost one loses the account.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .foreign_keys(true);
    let pool =
        || SqlitePoolOptions::new().acquire_timeout(PATIENCE).min_connections(1).test_before_acquire(false);
    let writer = pool().max_connections(1).connect_with(options.clone()).await?;
    // A file that can only be read opens as well; only writing tells.
    sqlx::raw_sql("BEGIN IMMEDIATE; CREATE TABLE stave_probe (x); ROLLBACK").execute(&writer).await?;
    let writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(writer);
    // A step may make a table anew, and while references are watched, dropping the old one deletes what hangs on it.
    writer.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    migrate(&writer).await?;
    writer.execute_unprepared("PRAGMA foreign_keys = ON").await?;
    let readers = pool().max_connections(SQLITE_READERS).connect_lazy_with(options.read_only(true));
    Ok(Conn::alone(SqlxSqliteConnector::from_sqlx_sqlite_pool(readers), writer))
}

async fn postgres(options: &PgConnectOptions) -> Result<Conn, Obstacle> {
    let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(PATIENCE);
    // One connection by hand first: a pool would try again until its patience ends, and then say only that it ended.
    let attempt = <sqlx::PgConnection as sqlx::Connection>::connect_with(options);
    let first =
        tokio::time::timeout(START_PATIENCE, attempt).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    sqlx::Connection::close(first).await?;
    let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with(options.clone()));
    migrate(&pool).await?;
    let changes = Changes::shared();
    let listener = Listener::start(options.clone(), changes.clone()).await;
    Ok(Conn::shared(pool, changes, listener))
}

/// Takes the steps that are missing, all or none, while nobody else does.
async fn migrate(db: &DatabaseConnection) -> Result<(), Obstacle> {
    if is_up_to_date(db).await? {
        return Ok(());
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    }
    // Somebody else may have done it while this one waited.
    if !is_up_to_date(&transaction).await? {
        Migrations::up(&transaction, None).await?;
        references_check(&transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Nothing may refer to what is not there: on SQLite, steps are taken while nobody watches.
async fn references_check(db: &impl ConnectionTrait) -> Result<(), Obstacle> {
    if db.get_database_backend() == DbBackend::Sqlite
        && let Some(table) = names(db, "PRAGMA foreign_key_check").await?.first()
    {
        let because = format!("after an upgrade, rows of the table {table} would refer to nothing");
        return Err(Obstacle::Said(OpenError::engine(because)));
    }
    Ok(())
}

/// Whether every step was taken; an error if this is no database that this Stave may touch.
async fn is_up_to_date(db: &impl ConnectionTrait) -> Result<bool, Obstacle> {
    let tables = names(db, tables_query(db.get_database_backend())).await?;
    if !tables.contains(migrations::TABLE) {
        return if tables.is_empty() { Ok(false) } else { Err(Obstacle::Said(OpenError::NotStave)) };
    }
    let taken = names(db, "SELECT version FROM stave_migration").await?;
    let known: BTreeSet<_> = Migrations::migrations().iter().map(|step| step.name().to_owned()).collect();
    if let Some(migration) = taken.difference(&known).next() {
        return Err(Obstacle::Said(OpenError::Newer { migration: migration.clone() }));
    }
    Ok(taken == known)
}

fn tables_query(engine: DbBackend) -> &'static str {
    match engine {
        DbBackend::Postgres => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    }
}

async fn names(db: &impl ConnectionTrait, query: &str) -> Result<BTreeSet<String>, Obstacle> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), query)).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// Codes: <https://www.sqlite.org/rescode.html>, of which the lowest eight bits tell the kind.
fn sqlite_sentence(path: &str, obstacle: Obstacle) -> OpenError {
    let path = path.to_owned();
    let error = match obstacle {
        Obstacle::Said(sentence) => return sentence,
        Obstacle::Folder(error) => return OpenError::FileNotWritable { path, reason: error.to_string() },
        Obstacle::Driver(error) => error,
    };
    let kind =
        error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok()).map(|code| code & 0xff);
    match kind {
        Some(5 | 6) => OpenError::FileLocked { path },
        // Not permitted, read-only, disk error, disk full, cannot open.
        Some(3 | 8 | 10 | 13 | 14) => {
            let reason =
                error.as_database_error().map(|error| error.message().to_owned()).unwrap_or_default();
            OpenError::FileNotWritable { path, reason }
        }
        Some(11 | 26) => OpenError::NotADatabase { path },
        _ => OpenError::engine(error),
    }
}

/// Codes: PostgreSQL's documentation, appendix A.
fn postgres_sentence(options: &PgConnectOptions, obstacle: Obstacle) -> OpenError {
    let server = format!("{}:{}", options.get_host(), options.get_port());
    let error = match obstacle {
        Obstacle::Said(sentence) => return sentence,
        Obstacle::Folder(error) => return OpenError::engine(error),
        Obstacle::Driver(error) => error,
    };
    let unreachable = |reason: String| OpenError::ServerUnreachable { server: server.clone(), reason };
    match &error {
        sqlx::Error::Io(source) => unreachable(source.to_string()),
        sqlx::Error::Tls(source) => unreachable(format!("the encrypted connection failed, {source}")),
        sqlx::Error::PoolTimedOut => {
            unreachable(format!("no answer within {} seconds", START_PATIENCE.as_secs()))
        }
        sqlx::Error::Database(answer) => match answer.code().as_deref() {
            Some("3D000") => OpenError::NoSuchDatabase {
                server,
                database: options.get_database().unwrap_or(options.get_username()).to_owned(),
            },
            // Wrong password; no entry in pg_hba.conf; a role without a right that is needed.
            Some("28P01" | "28000" | "42501") => OpenError::ServerRefused {
                server,
                user: options.get_username().to_owned(),
                reason: answer.message().to_owned(),
            },
            // Starting up, shutting down, too many connections.
            Some(code) if code.starts_with("57P") || code.starts_with("53") => {
                unreachable(answer.message().to_owned())
            }
            _ => OpenError::engine(error),
        },
        _ => OpenError::engine(error),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        OpenError, Storage,
        testing::{test_database, test_storage},
    };
    use sea_orm::{ConnectionTrait, Statement};
    use stave_domain::Secret;
    use std::{fs, io};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    async fn refusal(url: &str) -> OpenError {
        Storage::open(&Secret::new(url)).await.expect_err(url)
    }

    #[tokio::test]
    async fn a_database_is_opened_again_and_by_several_at_once() {
        let database = test_database().await;
        let open = || Storage::open(&database.url);
        let (first, second, third) = tokio::join!(open(), open(), open());
        first.unwrap().setting_put("a", "1").await.unwrap();
        second.unwrap().ping().await.unwrap();
        third.unwrap().ping().await.unwrap();
        assert_eq!(open().await.unwrap().setting_find("a").await.unwrap().as_deref(), Some("1"));
    }

    #[tokio::test]
    async fn a_closed_database_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}", folder.path().join("stave.sqlite").display()));
        let storage = Storage::open(&url).await.unwrap();
        storage.setting_put("a", "1").await.unwrap();
        assert_eq!(storage.setting_find("a").await.unwrap().as_deref(), Some("1"));
        storage.close().await.unwrap();
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["stave.sqlite"]);
        assert!(storage.setting_find("a").await.is_err());
    }

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let storage = test_storage().await;
        storage
            .database
            .run("INSERT INTO stave_migration (version, applied_at) VALUES ('m9999_future', 0)")
            .await;
        let error = Storage::open(&storage.database.url).await.unwrap_err();
        assert!(matches!(&error, OpenError::Newer { migration } if migration == "m9999_future"), "{error}");
    }

    #[tokio::test]
    async fn the_database_of_another_program_is_left_alone() {
        let database = test_database().await;
        database.run("CREATE TABLE recipe (name text)").await;
        let error = Storage::open(&database.url).await.unwrap_err();
        assert!(matches!(error, OpenError::NotStave), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("letter"), "Dear Ada, ".repeat(1_000)).unwrap();
        fs::create_dir(path("folder")).unwrap();

        let error = refusal(&format!("sqlite://{}", path("letter"))).await;
        assert!(
            matches!(&error, OpenError::NotADatabase { path: named } if *named == path("letter")),
            "{error:?}"
        );
        for unusable in ["folder", "letter/stave.sqlite"] {
            let error = refusal(&format!("sqlite://{}", path(unusable))).await;
            assert!(
                matches!(&error, OpenError::FileNotWritable { path: named, .. } if *named == path(unusable)),
                "{error:?}"
            );
        }
        assert_eq!(fs::read_to_string(path("letter")).unwrap().len(), 10_000, "it is as it was");
    }

    #[tokio::test]
    async fn an_address_of_another_kind_is_refused_without_its_password() {
        for url in ["mysql://ada:hunter2@db/stave", "", "sqlite://", "postgres://ada:hunter2@db:x/stave"] {
            let error = refusal(url).await;
            assert!(matches!(error, OpenError::Address(_)), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    /// A server that speaks as much of PostgreSQL's protocol (version 3.0) as a refusal needs.
    async fn refusing_server(code: &'static str, message: &'static str) -> io::Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await?;
            let mut request = [0; 1024];
            let mut length = client.read(&mut request).await?;
            if request[4..8] == [4, 210, 22, 47] {
                // SSLRequest.
                client.write_all(b"N").await?;
                length = client.read(&mut request).await?;
            }
            assert!(length > 8);
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
            let mut answer = vec![b'E'];
            answer.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
            answer.extend(fields.as_bytes());
            client.write_all(&answer).await
        });
        Ok(port)
    }

    #[tokio::test]
    async fn a_server_that_refuses_is_named_without_the_password() {
        let cases = [
            ("28P01", "password authentication failed for user \"ada\"", "refused the user ada"),
            ("3D000", "database \"stave\" does not exist", "has no database stave"),
            (
                "57P03",
                "the database system is starting up",
                "cannot be reached: the database system is starting up",
            ),
        ];
        for (code, message, expected) in cases {
            let port = refusing_server(code, message).await.unwrap();
            let error = refusal(&format!("postgres://ada:hunter2@127.0.0.1:{port}/stave")).await;
            assert!(
                error.to_string().starts_with(&format!("PostgreSQL at 127.0.0.1:{port} {expected}")),
                "{error}"
            );
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        // Bound and dropped: nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let error = refusal(&format!("postgres://ada:hunter2@127.0.0.1:{port}/stave")).await;
        assert!(matches!(error, OpenError::ServerUnreachable { .. }), "{error:?}");
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    #[tokio::test]
    async fn the_tables_are_as_reviewed() {
        let storage = test_storage().await;
        let query = match storage.engine_name() {
            "SQLite" => {
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name"
            }
            _ => {
                "SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END \
                 || coalesce(' ' || collation_name, '') FROM information_schema.columns WHERE table_schema = current_schema() \
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() \
                 UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' \
                 ORDER BY 1"
            }
        };
        let conn = &storage.conn;
        let rows =
            conn.query_all_raw(Statement::from_string(conn.get_database_backend(), query)).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        insta::assert_snapshot!(format!("schema_{}", storage.engine_name().to_lowercase()), lines.join("\n"));
    }
}
