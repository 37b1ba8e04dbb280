//! The real binary `stave`, in a folder of its own.

use super::database::TestDatabase;
use stave_storage::Storage;
use std::{
    collections::BTreeMap,
    path::Path,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

/// Longer than anything here takes, so that a test that hangs says so.
const PATIENCE: Duration = Duration::from_secs(50);

/// A place to run Stave in: an empty folder and an empty database.
pub(crate) struct Place {
    folder: TempDir,
    database: TestDatabase,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), database: TestDatabase::new().await }
    }

    /// The same with its folder in another one.
    pub(crate) async fn new_in(folder: &Path) -> Self {
        let folder = tempfile::tempdir_in(folder).expect("a temporary folder");
        Self { folder, database: TestDatabase::new().await }
    }

    /// Whether the rows are in the data folder too.
    pub(crate) fn has_rows(&self) -> bool {
        self.database.url().is_none()
    }

    /// The working directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder().join("data")
    }

    /// Runs a statement in the database while no Stave runs.
    pub(crate) async fn execute(&self, statement: &'static str) {
        self.database.execute(&self.data(), statement).await;
    }

    /// The rows of a Stave that has run here, read beside it.
    pub(crate) async fn storage(&self) -> Storage {
        self.database.storage(&self.data()).await
    }

    /// Every row of every table.
    pub(crate) async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        self.database.dump(&self.data()).await
    }

    /// `stave` with these arguments, listening on a free port, with nothing of this machine's own configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stave"));
        for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("STAVE_")) {
            command.env_remove(variable);
        }
        command
            .args(arguments)
            .env("STAVE_DATA", self.data())
            .env("STAVE_LISTEN", "127.0.0.1:0")
            .env("STAVE_MIRROR_URL", "none")
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(url) = self.database.url() {
            command.env("STAVE_DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
    }

    /// Starts serving, and waits for the line that invites into Setup Mode.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments)).await
    }
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Output {
    timeout(PATIENCE, command.output()).await.expect("it ends by itself").expect("it can be started")
}

/// Says that a command ended with exit code 1 and this single line on the standard error output.
#[track_caller]
pub(crate) fn assert_refused(output: &Output, sentence: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(sentence), "{said}");
}

/// A `stave` that serves.
pub(crate) struct Process {
    child: Child,
    stdout: tokio::io::Lines<BufReader<ChildStdout>>,
    log: Arc<Mutex<Vec<String>>>,
    logging: JoinHandle<()>,
    setup_link: String,
}

impl Process {
    pub(crate) async fn start(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        let log = Arc::new(Mutex::new(Vec::new()));
        let logging = tokio::spawn(keep(child.stderr.take().expect("a pipe"), log.clone()));
        let stdout = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut process = Self { child, stdout, log, logging, setup_link: String::new() };
        let invitation = process.line().await;
        let link = invitation.strip_prefix("Setup Mode: open ").expect("the line that programs read");
        link.clone_into(&mut process.setup_link);
        process
    }

    /// The next line of the standard output.
    async fn line(&mut self) -> String {
        let line =
            timeout(PATIENCE, self.stdout.next_line()).await.expect("a line comes").expect("it can be read");
        line.unwrap_or_else(|| panic!("stave ended instead: {:#?}", self.log.lock().expect("a whole log")))
    }

    /// The link that it printed.
    pub(crate) fn setup_link(&self) -> &str {
        &self.setup_link
    }

    /// The most memory that it ever had, in KiB (Linux).
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of memory");
        line.trim_end_matches("kB").trim().parse().expect("a number")
    }

    /// Its number in the system.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let base = self.setup_link.split("/setup/").next().expect("what stands before it");
        format!("{base}{path}")
    }

    /// Where it listens: `127.0.0.1:41234`.
    pub(crate) fn address(&self) -> String {
        self.url("").trim_start_matches("http://").to_owned()
    }

    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(
            Command::new("kill").args([&format!("-{name}"), &pid]).status().await.expect("kill").success()
        );
    }

    /// Waits until the log has a line with this text.
    pub(crate) async fn logs(&self, text: &str) {
        let found = async {
            while !self.log.lock().expect("a whole log").iter().any(|line| line.contains(text)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("{text} in {:#?}", self.log.lock().expect("a whole log")));
    }

    /// Waits for its end: how it ended, and the whole log.
    pub(crate) async fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a status");
        self.logging.await.expect("the log was read");
        let log = self.log.lock().expect("a whole log").clone();
        (status, log)
    }
}

async fn keep(output: impl AsyncRead + Unpin, log: Arc<Mutex<Vec<String>>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.lock().expect("a whole log").push(line);
    }
}
