//! A bare repository in a folder, written with `git fast-import`.

use super::command;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

/// Committer date of the first commit, 2026-01-01T00:00:00Z. Each later commit is a minute younger, so that the same
/// calls give the same hashes.
const FIRST_COMMIT_AT: u64 = 1_767_225_600;
const AUTHOR: &str = "Ada Example <ada@example.com>";

/// A bare git repository.
#[derive(Debug, Clone)]
pub struct BareRepository {
    path: PathBuf,
}

impl BareRepository {
    /// Makes an empty repository in this folder; its default branch is `main`.
    pub fn create(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        std::fs::create_dir_all(&path).expect("the folder of a repository can be made");
        let repository = Self { path };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        repository
    }

    /// The repository that is already in this folder.
    pub(crate) fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds or replaces these files (path, content) on a branch, which starts at `main` if it is new. Gives the commit.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let reference = format!("refs/heads/{branch}");
        let parent = [reference.as_str(), "refs/heads/main"].into_iter().find_map(|name| self.resolve(name));
        let paths: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        let message = format!("Change {}\n", paths.join(", "));
        let mut stream = self.commit_header(&reference, &message);
        if let Some(parent) = parent {
            let _ = writeln!(stream, "from {parent}");
        }
        for (path, content) in files {
            let _ = writeln!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len());
        }
        self.import(stream.as_bytes());
        self.resolve(&reference).expect("the commit that was just made is there")
    }

    /// Commits this composer.json on `main`, or removes it, and puts a lightweight tag on the commit.
    pub fn release(&self, tag: &str, composer_json: Option<&str>) {
        let readme = ("README.md", tag);
        if let Some(manifest) = composer_json {
            self.commit("main", &[("composer.json", manifest), readme]);
        } else {
            self.commit("main", &[readme]);
            self.remove("main", "composer.json");
        }
        self.tag(tag, "refs/heads/main");
    }

    /// Removes a file on a branch. Gives the commit.
    pub fn remove(&self, branch: &str, path: &str) -> String {
        let reference = format!("refs/heads/{branch}");
        let parent = self.resolve(&reference).expect("a file is removed from a branch");
        let mut stream = self.commit_header(&reference, &format!("Remove {path}\n"));
        let _ = writeln!(stream, "from {parent}\nD {path}");
        self.import(stream.as_bytes());
        self.resolve(&reference).expect("the commit that was just made is there")
    }

    /// Puts a lightweight tag on an object, wherever it was before.
    pub fn tag(&self, name: &str, object: &str) {
        self.reference_set(&format!("refs/tags/{name}"), object);
    }

    /// Puts an annotated tag on a commit, wherever it was before.
    pub fn annotated_tag(&self, name: &str, object: &str, message: &str) {
        let at = self.next_commit_at();
        let stream = format!(
            "tag {name}\nfrom {object}\ntagger {AUTHOR} {at} +0000\ndata {}\n{message}\n",
            message.len() + 1
        );
        self.import(stream.as_bytes());
    }

    /// Points a reference (`refs/heads/main`) at an object.
    pub fn reference_set(&self, reference: &str, object: &str) {
        self.git(&["update-ref", reference, object]);
    }

    /// Removes a reference.
    pub fn reference_delete(&self, reference: &str) {
        self.git(&["update-ref", "-d", reference]);
    }

    /// Makes this branch the default one, whether it exists or not.
    pub fn head_set(&self, branch: &str) {
        self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
    }

    /// The name of the default branch.
    pub fn head(&self) -> String {
        self.git(&["symbolic-ref", "--short", "HEAD"]).trim().to_owned()
    }

    /// The name of the default branch, whether it exists or not; `None` if there is no branch at all. Without a run of git:
    /// lists of repositories ask it of each.
    pub(crate) fn main_branch(&self) -> Option<String> {
        let head = std::fs::read_to_string(self.path.join("HEAD")).expect("a repository has a HEAD");
        let packed = std::fs::read_to_string(self.path.join("packed-refs")).unwrap_or_default();
        let has_branch = packed.contains(" refs/heads/") || has_file(&self.path.join("refs/heads"));
        has_branch.then(|| head.trim().trim_start_matches("ref: refs/heads/").to_owned())
    }

    /// Stores a file that is in no commit. Gives its hash.
    pub fn blob(&self, content: &str) -> String {
        self.git_with(&["hash-object", "-w", "--stdin"], content.as_bytes()).trim().to_owned()
    }

    /// Every branch and tag by its full name, with the object it points at.
    pub fn references(&self) -> BTreeMap<String, String> {
        let listed =
            self.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"]);
        listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    }

    /// The composer.json of the default branch, and every branch and tag with its commit.
    pub(crate) fn truth(&self) -> (Option<String>, BTreeMap<String, String>) {
        let manifest = self.try_git(&["cat-file", "blob", "HEAD:composer.json"]);
        let manifest =
            manifest.status.success().then(|| String::from_utf8_lossy(&manifest.stdout).into_owned());
        let names = self.references().into_keys();
        let commits =
            names.filter_map(|name| Some((name.clone(), self.resolve(&format!("{name}^{{commit}}"))?)));
        (manifest, commits.collect())
    }

    /// What a name stands for: the hash of the object, peeled if the name asks for it; `None` if there is none.
    pub fn resolve(&self, name: &str) -> Option<String> {
        let output = self.try_git(&["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Feeds a stream to `git fast-import`.
    pub fn import(&self, stream: &[u8]) {
        self.git_with(&["fast-import", "--quiet", "--force"], stream);
    }

    /// The head of a commit in a fast-import stream, dated after every other commit.
    fn commit_header(&self, reference: &str, message: &str) -> String {
        let at = self.next_commit_at();
        format!("commit {reference}\ncommitter {AUTHOR} {at} +0000\ndata {}\n{message}", message.len())
    }

    fn next_commit_at(&self) -> u64 {
        let commits: u64 =
            self.git(&["rev-list", "--all", "--count"]).trim().parse().expect("git counts commits");
        FIRST_COMMIT_AT + 60 * commits
    }

    /// What git printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, b"")
    }

    /// What git printed after reading `input`.
    pub(crate) fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run(arguments, input);
        assert!(
            output.status.success(),
            "git {} failed in {}: {}",
            arguments.join(" "),
            self.path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The outcome of a git that may fail.
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Output {
        self.run(arguments, b"")
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = command(&self.path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("git cannot be started: {error}. Install git, version 2.28 or newer.")
            });
        let mut stdin = child.stdin.take().expect("the pipe to git is open");
        let input = input.to_vec();
        // On a thread, because git may print before it has read everything.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("git ends");
        // A git that stopped reading early says why on its own standard error.
        let _ = writer.join();
        output
    }
}

/// Whether there is a file in this folder, or anywhere below it.
fn has_file(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_file() || has_file(&path))
}
