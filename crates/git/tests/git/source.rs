//! Repositories made with the git binary.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A folder with repositories in it, below which servers find them.
pub(crate) struct Source {
    pub(crate) folder: TempDir,
}

impl Source {
    /// With one repository, `acme/mailer`, that has no commit yet.
    pub(crate) fn new() -> Self {
        let source = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(source.work()).unwrap();
        source.git(&["init", "--quiet", "--initial-branch=main"]);
        source.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        source
    }

    /// With a commit on `main` that has this composer.json.
    pub(crate) fn with_manifest(manifest: &str) -> Self {
        let source = Self::new();
        source.commit(&[("composer.json", manifest)]);
        source
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("acme/mailer")
    }

    /// Runs git; returns what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git(&self.work(), arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Stores an object that git itself would not make; returns its id.
    pub(crate) fn object(&self, kind: &str, bytes: &[u8]) -> String {
        object(&self.work(), kind, bytes)
    }

    /// Makes a branch or tag of anything, by its full name.
    pub(crate) fn point(&self, reference: &str, id: &str) {
        // git's own commands refuse branches that are no commits.
        let file = self.work().join(".git").join(reference);
        std::fs::create_dir_all(file.parent().expect("it has one")).expect("the folder can be made");
        std::fs::write(file, format!("{id}\n")).expect("the reference can be written");
    }

    /// Writes the files and commits everything; returns the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, contents) in files {
            let file = self.work().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, contents).unwrap();
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Stores an object of any kind and bytes in this repository; returns its id.
pub(crate) fn object(repository: &Path, kind: &str, bytes: &[u8]) -> String {
    let file = TempDir::new().expect("there is room").path().with_extension("object");
    std::fs::write(&file, bytes).expect("there is room");
    let output = git(
        repository,
        &["hash-object", "-t", kind, "-w", "--literally", file.to_str().expect("a plain path")],
    );
    std::fs::remove_file(file).expect("it was just written");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// git without anything of this machine's configuration, at a fixed time.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Output {
    isolated(&mut Command::new("git"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the git binary is there")
}

pub(crate) fn isolated(command: &mut Command) -> &mut Command {
    command
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("HOME", "/nonexistent"),
            ("LC_ALL", "C"),
        ])
        .envs([
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.com"),
            ("GIT_AUTHOR_DATE", "1700000000 +0200"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.com"),
            ("GIT_COMMITTER_DATE", "1700000042 +0200"),
        ])
}
