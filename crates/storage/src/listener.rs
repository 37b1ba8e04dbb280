//! Hearing what other processes wrote: PostgreSQL's `LISTEN`.
//!
//! What is lost while a connection is broken cannot be heard later. So the connection is asked at short intervals whether it
//! is sound, and each time it was not, everything counts as changed. Between two answers, what was kept before the last one is
//! good; see [`Changes::are_heard`].

use crate::change::{Changes, Notice};
use sqlx::{
    AssertSqlSafe, Executor,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use std::{future::Future, io, time::Duration};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout, timeout_at},
};

/// The channel of the notices.
pub(crate) const CHANNEL: &str = "stave_change";
/// What one says to hear oneself.
pub(crate) const ECHO: &str = "\"echo\"";
/// How often the connection is asked whether it is sound.
const ASK_EVERY: Duration = Duration::from_millis(400);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_millis(900);
/// How long to wait before a new connection, and how long that may take.
const PAUSE: Duration = Duration::from_millis(500);
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener(AbortHandle);

impl Listener {
    /// Listens from now on, if it can at all, and tells what it hears.
    pub(crate) async fn start(options: PgConnectOptions, changes: Changes) -> Self {
        let mut sound = connect(&options).await.ok();
        let listening = tokio::spawn(async move {
            loop {
                // Why it broke off is no news: the statements of everybody else meet it too, and say so.
                if let Some(connection) = sound.take() {
                    let _broken = hear(connection, &changes).await;
                }
                changes.heard_until(None);
                sleep(PAUSE).await;
                sound = connect(&options).await.ok();
                // What was missed until now.
                changes.tell(&Notice::everything());
            }
        });
        Self(listening.abort_handle())
    }

    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells what is heard, until the connection is lost.
async fn hear(mut connection: PgListener, changes: &Changes) -> Result<(), sqlx::Error> {
    loop {
        let asked_at = Instant::now();
        within(PATIENCE, (&mut connection).execute("SELECT 1")).await?;
        while let Some(notice) = connection.next_buffered() {
            changes.tell_letter(notice.payload());
        }
        changes.heard_until(Some(asked_at.into_std()));
        while let Ok(notice) = timeout_at(asked_at + ASK_EVERY, connection.try_recv()).await {
            match notice? {
                Some(notice) => changes.tell_letter(notice.payload()),
                None => return Ok(()),
            }
        }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let connected = within(CONNECTS_WITHIN, async {
        // Its own connection, so that it takes none from those who work.
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let mut connection = PgListener::connect_with(&own.connect_with(options.clone()).await?).await?;
        connection.eager_reconnect(false);
        connection.listen(CHANNEL).await?;
        // A proxy that shares connections among clients takes `LISTEN` and passes nothing on: whoever does not hear themself is
        // deaf.
        let echo = format!("SELECT pg_notify('{CHANNEL}', '{ECHO}')");
        within(PATIENCE, (&mut connection).execute(AssertSqlSafe(echo))).await?;
        while within(PATIENCE, connection.recv()).await?.payload() != ECHO {}
        Ok(connection)
    });
    // It is large, and whoever waits for it would be, too.
    Box::pin(connected).await
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    timeout(patience, work).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use crate::{
        Change, Storage,
        testing::{TestStorage, acme_mailer, at, id, test_storage},
    };
    use stave_domain::package::Document;
    use std::time::Duration;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    /// Another process on the same database, and what it is told; `None` on SQLite, where there is none.
    async fn another(storage: &TestStorage) -> Option<(Storage, UnboundedReceiver<Change>)> {
        if storage.engine_name() == "SQLite" {
            return None;
        }
        let other = Storage::open(&storage.database.url).await.unwrap();
        let (tell, told) = unbounded_channel();
        other.on_change(move |change| _ = tell.send(change.clone()));
        Some((other, told))
    }

    async fn next(told: &mut UnboundedReceiver<Change>) -> Change {
        tokio::time::timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_another_process_writes_is_heard() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let Some((other, mut told)) = another(&storage).await else { return };
        let document = Document {
            organization_id: acme,
            package_id: mailer,
            name: "acme/mailer".parse().unwrap(),
            is_dev: false,
            body_gzip: vec![1],
            modified_at: at(1),
        };
        let dropped = storage.begin().await.unwrap();
        dropped.document_put(&document).await.unwrap();
        drop(dropped);
        let readers_before = other.reader_change_count();
        storage.member_delete(acme, id(99)).await.unwrap();
        let package = storage.package_find(mailer).await.unwrap().unwrap();
        storage.package_update(&package).await.unwrap();
        storage.document_put(&document).await.unwrap();
        assert_eq!(next(&mut told).await, Change::Document(acme, document.name.clone()));
        assert_eq!(other.reader_change_count(), readers_before + 1, "it was told in order");
        other.document_put(&document).await.unwrap();
        assert_eq!(next(&mut told).await, Change::Document(acme, document.name.clone()));
        assert!(told.try_recv().is_err(), "its own notice tells it nothing new");
    }

    #[tokio::test]
    async fn after_a_lost_connection_everything_may_have_changed() {
        let storage = test_storage().await;
        let Some((other, mut told)) = another(&storage).await else { return };
        let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        storage.database.run(&format!("SELECT pg_terminate_backend(pid) {others}")).await;
        assert_eq!(next(&mut told).await, Change::Documents);
        let hears_again = async {
            while !other.hears_all() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), hears_again).await.unwrap();
    }
}
