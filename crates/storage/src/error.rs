//! What can go wrong with rows and blobs.

use sea_orm::{DbErr, RuntimeErr, SqlErr};
use std::io;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why rows or blobs could not be read or written. Something that is not there is no error but `None`.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Something that has to be unique is there already.
    #[error("This exists already.")]
    Conflict,
    /// The row belongs to something that has been deleted meanwhile, or is still in use by something else.
    #[error(
        "Something that this belongs to has been deleted meanwhile, or something still uses it. Reload the page and try again."
    )]
    Detached,
    /// A row that cannot be: somebody edited the database by hand, or a newer Stave wrote it.
    #[error(
        "The database holds a value that Stave does not understand, in column {column} of table {table}, row {id}."
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What the row is found by.
        id: String,
    },
    /// There is no room left, or nothing can be written any more: on this machine or on that of PostgreSQL.
    #[error("The disk is full or cannot be written.")]
    Disk(#[source] Source),
    /// The database did not do what it was asked.
    #[error("The database failed.")]
    Engine(#[source] Source),
    /// The blob store did not do what it was asked.
    #[error("The store for zip files failed.")]
    Blob(#[source] Source),
}

impl StorageError {
    pub(crate) fn engine(source: impl Into<Source>) -> Self {
        Self::Engine(source.into())
    }

    pub(crate) fn blob(source: impl Into<Source>) -> Self {
        let source = source.into();
        match source.downcast_ref::<io::Error>() {
            Some(error) if is_of_disk(error.kind()) => Self::Disk(source),
            _ => Self::Blob(source),
        }
    }
}

/// Whether the system says that nothing more can be written.
fn is_of_disk(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem)
}

/// Whether an engine says the same. SQLite: `SQLITE_FULL`, and `SQLITE_IOERR_` with `WRITE`, `FSYNC`, `DIR_FSYNC`, `TRUNCATE` and
/// `SHMSIZE`; PostgreSQL: `disk_full`.
fn is_disk_code(code: &str) -> bool {
    matches!(code, "13" | "778" | "1034" | "1290" | "1546" | "4874" | "53100")
}

/// What the engine itself said, by its number.
fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(source))
    | DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    Some(source.as_database_error()?.code()?.into_owned())
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::RecordNotUpdated) {
            return Self::Detached;
        }
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict,
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Detached,
            _ if code(&error).is_some_and(|code| is_disk_code(&code)) => Self::Disk(error.into()),
            _ => Self::engine(error),
        }
    }
}

/// Why the rows or blobs could not be opened: a sentence for the operator, without any password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address has a form that Stave does not know.
    #[error("{0}")]
    Address(String),
    /// The database file cannot be made, opened or written.
    #[error(
        "The database file {path} cannot be opened for writing: {reason}. Make the file and its folder writable for the user that runs Stave, or name another one."
    )]
    FileNotWritable {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// The file is no SQLite database.
    #[error(
        "The file {path} is not a SQLite database, or it is damaged. Name another file, or restore it from a backup."
    )]
    NotADatabase {
        /// The file.
        path: String,
    },
    /// Another program holds the file.
    #[error(
        "The database file {path} is locked by another program. Stop that program, then start Stave again."
    )]
    FileLocked {
        /// The file.
        path: String,
    },
    /// No answer from PostgreSQL.
    #[error(
        "PostgreSQL at {server} cannot be reached: {reason}. Check that it runs and that the database URL names it."
    )]
    ServerUnreachable {
        /// Host and port.
        server: String,
        /// The system's words.
        reason: String,
    },
    /// PostgreSQL says no.
    #[error(
        "PostgreSQL at {server} refused the user {user}: {reason}. Check user name and password in the database URL."
    )]
    ServerRefused {
        /// Host and port.
        server: String,
        /// Whose name was given.
        user: String,
        /// The server's words.
        reason: String,
    },
    /// There is no such database.
    #[error(
        "PostgreSQL at {server} has no database {database}. Create it, or name another one in the database URL."
    )]
    NoSuchDatabase {
        /// Host and port.
        server: String,
        /// The name that was given.
        database: String,
    },
    /// A newer Stave has written to this database.
    #[error(
        "The database was made by a newer Stave: this one does not know its step {migration}. Start the newer Stave, or restore a backup from before."
    )]
    Newer {
        /// The first unknown migration.
        migration: String,
    },
    /// Something else lives there.
    #[error("The database holds tables but is not a database of Stave. Name an empty one.")]
    NotStave,
    /// The folder of the blobs cannot be made or written.
    #[error(
        "The folder {path} for zip files cannot be written: {reason}. Make it writable for the user that runs Stave, or name another one."
    )]
    FolderNotWritable {
        /// The folder.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// The bucket of the blobs does not answer as it should.
    #[error(
        "The bucket {bucket} cannot be used: {reason}. Check the storage URL and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL."
    )]
    Bucket {
        /// Its name.
        bucket: String,
        /// The server's words.
        reason: String,
    },
    /// Anything else.
    #[error("The database could not be prepared: {0}.")]
    Engine(#[source] Source),
}

impl OpenError {
    pub(crate) fn engine(source: impl Into<Source>) -> Self {
        Self::Engine(source.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_store() {
        for (kind, is_of_disk) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::FileTooLarge, true),
            (io::ErrorKind::ReadOnlyFilesystem, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::UnexpectedEof, false),
        ] {
            let error = StorageError::blob(io::Error::from(kind));
            assert_eq!(matches!(error, StorageError::Disk(_)), is_of_disk, "{kind}");
        }
        assert!(is_disk_code("13") && is_disk_code("53100") && !is_disk_code("5") && !is_disk_code("23505"));
    }
}
