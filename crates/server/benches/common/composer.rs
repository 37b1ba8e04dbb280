//! The real Composer with a home and a cache of its own, timed.

use super::{
    process::{CLIENT_CORE, pinned},
    upstream::{NAMED, name},
};
use serde_json::{Value, json};
use std::{fs, time::Instant};
use tempfile::TempDir;

/// A client that was never there before, with a project that needs what is in one repository.
pub(crate) struct Composer {
    folder: TempDir,
}

impl Composer {
    pub(crate) fn new(repository: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let require: serde_json::Map<String, Value> =
            (0..NAMED).map(|number| (name(number), json!("*"))).collect();
        let repositories = json!([{"type": "composer", "url": repository}, {"packagist.org": false}]);
        let host = repository.trim_start_matches("http://").split('/').next().unwrap();
        let composer = Self { folder };
        composer.write(
            "project/composer.json",
            &json!({
                "name": "test/project", "config": {"secure-http": false}, "repositories": repositories, "require": require
            }),
        );
        composer.write(
            "home/auth.json",
            &json!({"http-basic": {host: {"username": "token", "password": password}}}),
        );
        composer
    }

    fn write(&self, path: &str, content: &Value) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.to_string()).unwrap();
    }

    /// Which versions there are: composer.lock, anew. In seconds.
    pub(crate) fn update(&self) -> f64 {
        _ = fs::remove_file(self.folder.path().join("project/composer.lock"));
        self.run(&["update", "--no-install"])
    }

    /// What composer.lock names, into an empty folder. In seconds.
    pub(crate) fn install(&self) -> f64 {
        _ = fs::remove_dir_all(self.folder.path().join("project/vendor"));
        self.run(&["install"])
    }

    /// What composer.lock says of versions and checksums, without addresses.
    pub(crate) fn locked(&self) -> Vec<(String, String, String)> {
        let lock = fs::read(self.folder.path().join("project/composer.lock")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let packages = lock["packages"].as_array().unwrap().iter();
        packages.map(|it| (text(&it["name"]), text(&it["version"]), text(&it["dist"]["reference"]))).collect()
    }

    fn run(&self, arguments: &[&str]) -> f64 {
        let program = std::env::var("STAVE_TEST_COMPOSER").unwrap_or_else(|_| "composer".into());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = pinned(CLIENT_CORE, &program);
        command.args(arguments).args(["--no-interaction", "--no-ansi", "--no-progress"]);
        command.current_dir(self.folder.path().join("project")).env_clear().env("PATH", path);
        for (variable, of) in [("HOME", "home"), ("COMPOSER_HOME", "home"), ("COMPOSER_CACHE_DIR", "cache")] {
            command.env(variable, self.folder.path().join(of));
        }
        command.env("COMPOSER_ALLOW_SUPERUSER", "1").env("LC_ALL", "C.UTF-8");
        let began = Instant::now();
        let output = command.output().expect("Composer runs");
        let took = began.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "composer {arguments:?}: {said}");
        took
    }
}
