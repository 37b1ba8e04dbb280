//! The real Composer, away from the user's own configuration.

use serde_json::{Map, Value, json};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    sync::Mutex,
};
use tempfile::TempDir;
use tokio::process::Command;

/// A Composer client with a home, a cache and an empty project of its own.
///
/// The program is `$STAVE_TEST_COMPOSER`, or `composer` on the path. Plain HTTP is allowed, the public repository is off.
pub struct Composer {
    folder: TempDir,
    program: OsString,
    /// Content of the project's composer.json.
    manifest: Mutex<Map<String, Value>>,
    /// Content of `auth.json` under `http-basic`.
    logins: Mutex<Map<String, Value>>,
}

/// What one run of Composer gave.
#[derive(Debug, Clone)]
pub struct ComposerRun {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output and standard error, in this order.
    pub output: String,
}

impl ComposerRun {
    /// Whether Composer was content.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

impl fmt::Display for ComposerRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "composer ended with {:?}:\n{}", self.code, self.output)
    }
}

impl Default for Composer {
    fn default() -> Self {
        Self::new()
    }
}

impl Composer {
    /// A client with an empty project.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "cache", "project"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        let config = json!({"config": {"secure-http": false}, "repositories": {"packagist": false}});
        let program = std::env::var_os("STAVE_TEST_COMPOSER").unwrap_or_else(|| "composer".into());
        let composer = Self { folder, program, manifest: Mutex::default(), logins: Mutex::default() };
        composer.write("home/config.json", &config);
        composer.manifest(&json!({"name": "test/project", "repositories": []}));
        composer
    }

    /// The folder of the project.
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The folder of the cache.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Sets these keys of the project's composer.json.
    pub fn manifest(&self, keys: &Value) -> &Self {
        let keys = keys.as_object().expect("a composer.json is an object").clone();
        self.read_manifest();
        let mut manifest = self.manifest.lock().expect("the client is sound");
        manifest.extend(keys);
        self.write("project/composer.json", &Value::Object(manifest.clone()));
        drop(manifest);
        self
    }

    /// Adds a Composer repository by its URL.
    pub fn repository(&self, url: &str) -> &Self {
        self.read_manifest();
        let listed = self.manifest.lock().expect("the client is sound")["repositories"].clone();
        let mut repositories = listed.as_array().expect("the repositories of the project are a list").clone();
        repositories.push(json!({"type": "composer", "url": url}));
        self.manifest(&json!({"repositories": repositories}))
    }

    /// Keeps user and password for a host (`repo.example.com`, `127.0.0.1:8080`; of a URL, its host is taken), as
    /// `composer config http-basic.<host>` does.
    pub fn config_auth(&self, host: &str, user: &str, password: &str) -> &Self {
        let host = host.split_once("://").map_or(host, |(_, rest)| rest).split('/').next().unwrap_or(host);
        let mut logins = self.logins.lock().expect("the client is sound");
        logins.insert(host.to_owned(), json!({"username": user, "password": password}));
        self.write("home/auth.json", &json!({"http-basic": *logins}));
        drop(logins);
        self
    }

    /// `composer require <package>`, for example `acme/mailer:^1.0`.
    pub async fn require(&self, package: &str) -> ComposerRun {
        self.run(&["require", package]).await
    }

    /// `composer install`
    pub async fn install(&self) -> ComposerRun {
        self.run(&["install"]).await
    }

    /// `composer update`
    pub async fn update(&self) -> ComposerRun {
        self.run(&["update"]).await
    }

    /// Any other command.
    ///
    /// # Panics
    /// If there is no Composer.
    pub async fn run(&self, arguments: &[&str]) -> ComposerRun {
        let mut command = self.command(&self.program);
        command.args(arguments).args(["--no-interaction", "--no-ansi"]);
        finish(command).await
    }

    /// A line for the shell, as people copy it from a page, in the folder of the project.
    ///
    /// # Panics
    /// If there is no shell.
    pub async fn shell(&self, line: &str) -> ComposerRun {
        let mut command = self.command("sh".as_ref());
        command.args(["-c", line]).env("COMPOSER_NO_INTERACTION", "1");
        finish(command).await
    }

    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.project())
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_kept(name)))
            .env("HOME", self.folder.path().join("home"))
            .env("COMPOSER_HOME", self.folder.path().join("home"))
            .env("COMPOSER_CACHE_DIR", self.cache())
            .env("COMPOSER_ALLOW_SUPERUSER", "1")
            .env("COMPOSER_MAX_PARALLEL_HTTP", "6")
            .env("LC_ALL", "C.UTF-8")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// A file of the project, such as `composer.lock` or `vendor/acme/mailer/composer.json`; `None` if there is none.
    pub fn file(&self, path: &str) -> Option<String> {
        read(&self.project().join(path))
    }

    /// Removes a file or folder of the project, such as `vendor`.
    pub fn remove(&self, path: &str) -> &Self {
        let path = self.project().join(path);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).expect("a folder of the project can be removed");
        } else if path.exists() {
            std::fs::remove_file(&path).expect("a file of the project can be removed");
        }
        self
    }

    /// Empties the cache, so that the next run downloads again.
    pub fn forget_cache(&self) -> &Self {
        std::fs::remove_dir_all(self.cache()).expect("the cache can be removed");
        std::fs::create_dir(self.cache()).expect("the cache can be made");
        self
    }

    /// Composer itself changes the file, by `require`.
    fn read_manifest(&self) {
        let on_disk = self.file("composer.json").and_then(|text| serde_json::from_str(&text).ok());
        if let Some(Value::Object(manifest)) = on_disk {
            *self.manifest.lock().expect("the client is sound") = manifest;
        }
    }

    fn write(&self, path: &str, content: &Value) {
        std::fs::write(self.folder.path().join(path), format!("{content:#}\n"))
            .expect("a file can be written");
    }
}

async fn finish(mut command: Command) -> ComposerRun {
    let output = command.output().await.unwrap_or_else(|error| {
        let program = command.as_std().get_program().display();
        panic!(
            "{program} cannot be started: {error}. Install Composer or set STAVE_TEST_COMPOSER to its path."
        )
    });
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ComposerRun { code: output.status.code(), output: text }
}

/// What Composer and PHP need of the caller's environment; proxies and Composer's own variables are not among it.
fn is_kept(name: &OsStr) -> bool {
    ["PATH", "TMPDIR", "PHPRC", "PHP_INI_SCAN_DIR", "LD_LIBRARY_PATH"].iter().any(|kept| name == *kept)
}

fn read(path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    }
}
