//! Reading a repository, beside Composer's own way, and making zips, beside `git archive`:
//! `cargo bench -p stave-server --bench index`. It prints a table and asserts no time.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails, and says where")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "common/page.rs"]
mod page;

use page::{Table, figure, publish};
use stave_domain::composer::{
    Manifest, ManifestProblem,
    scan::{Commit, Reference, ReferenceKind, scan},
};
use stave_git::{Manifest as Kept, Mirror, Target, Tree};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

/// Tags of the repository that is read, and how many of them become zips.
const TAGS: u32 = 600;
const ZIPS: u32 = 60;
const FILES: u32 = 60;
const ROUNDS: usize = 3;

/// Composer's reader, which Satis uses too: it prints how many packages it found, and in how many seconds.
const COMPOSER: &str = r#"<?php
foreach (['/usr/share/php/Composer/autoload.php', 'phar://' . $argv[2] . '/vendor/autoload.php'] as $file) {
    if (@file_exists($file)) { require $file; break; }
}
$io = new Composer\IO\NullIO();
$config = Composer\Factory::createConfig($io);
$config->merge(['config' => ['cache-dir' => $argv[3], 'home' => $argv[3]]]);
$http = new Composer\Util\HttpDownloader($io, $config);
$began = microtime(true);
$repository = new Composer\Repository\VcsRepository(['type' => 'git', 'url' => $argv[1]], $io, $config, $http);
$count = count($repository->getPackages());
printf("%d %.6f", $count, microtime(true) - $began);
"#;

fn main() {
    // Whoever builds all targets to run the tests does not want to wait for this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("mailer.git");
    make(&repository);
    let mut table = Table::new(&["", "Stave", "the other", "times faster"]);
    let reading = best(|| read(&repository));
    let floor = best(|| cat_file(&repository));
    let mut row = |what: &str, own: f64, other: f64, unit: &str| {
        let shown = |figures: f64| format!("{} {unit}", figure(figures));
        table.row(vec![what.into(), shown(own), shown(other), figure(other / own)]);
    };
    let composer = best(|| composer(&repository, folder.path()));
    row(
        "a branch or tag, beside Composer",
        reading * 1e6 / f64::from(TAGS),
        composer * 1e6 / f64::from(TAGS),
        "us",
    );
    row(
        "the same, beside git cat-file alone",
        reading * 1e6 / f64::from(TAGS),
        floor * 1e6 / f64::from(TAGS),
        "us",
    );
    let (own, git) = (best(|| zips(&repository)), best(|| archives(&repository, folder.path())));
    row("a zip, beside git archive", own * 1e3 / f64::from(ZIPS), git * 1e3 / f64::from(ZIPS), "ms");
    publish("index", &table.text());
}

/// The fastest of several rounds, in seconds.
fn best(mut work: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| work()).fold(f64::MAX, f64::min)
}

fn tag(number: u32) -> String {
    format!("v{}.{}.{}", number / 100, number / 10 % 10, number % 10)
}

/// A repository in which each release changes composer.json and a few files.
fn make(path: &Path) {
    git(path.parent().unwrap(), &["init", "--quiet", "--bare", "--initial-branch=main", "mailer.git"]);
    let mut stream = String::new();
    for number in 0..TAGS {
        let manifest = format!(
            r#"{{"name":"acme/mailer","description":"Sends mail, number {number}","license":"MIT","authors":[{{"name":"Ada Example"}}],
"require":{{"php":">=8.1","psr/log":"^{}.0","acme/queue":"~1.{number}"}},"autoload":{{"psr-4":{{"Acme\\Mailer\\":"src/"}}}}}}"#,
            number / 100 + 1
        );
        let at = 1_700_000_000 + number;
        _ = write!(
            stream,
            "commit refs/heads/main\ncommitter Ada <ada@example.com> {at} +0000\ndata 7\nRelease\n"
        );
        _ = write!(stream, "M 100644 inline composer.json\ndata {}\n{manifest}\n", manifest.len());
        let files = if number == 0 { 0..FILES } else { number % FILES..(number % FILES + 3).min(FILES) };
        for file in files {
            let text = format!(
                "<?php // {file} {number}\n{}",
                "function f() { return 'something'; }\n".repeat(60 + file as usize)
            );
            _ = write!(stream, "M 100644 inline src/File{file}.php\ndata {}\n{text}\n", text.len());
        }
        _ = write!(stream, "reset refs/tags/{}\nfrom refs/heads/main\n\n", tag(number));
    }
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    git(path, &["repack", "-adq"]);
    git(path, &["pack-refs", "--all"]);
}

fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What a job does with a mirror that was fetched for the first time: every branch and tag with its composer.json becomes versions.
fn read(path: &Path) -> f64 {
    let began = Instant::now();
    let mirror = Mirror::open_or_create(path).unwrap();
    let kept = mirror.references().unwrap();
    let mut manifests: HashMap<String, Arc<Result<Manifest, ManifestProblem>>> = HashMap::new();
    let tags = kept.tags.into_iter().map(|tag| (ReferenceKind::Tag, tag));
    let branches = kept.branches.into_iter().map(|branch| (ReferenceKind::Branch, branch));
    let references: Vec<Reference> = tags
        .chain(branches)
        .map(|(kind, reference)| {
            let Target::Commit { id, author_at } = reference.target else { panic!("all are commits") };
            let Kept::Found { blob } = mirror.manifest_in(Tree::root(&id)).unwrap() else {
                panic!("all have one")
            };
            let manifest = manifests
                .entry(blob)
                .or_insert_with_key(|blob| Arc::new(Manifest::parse(&mirror.blob(blob).unwrap())));
            let commit = Commit { id, made_at: author_at, manifest: Arc::clone(manifest) };
            Reference { kind, name: reference.name, labelled: None, commit: Some(commit) }
        })
        .collect();
    let found = scan(kept.default_branch.as_deref(), &references).unwrap();
    assert_eq!(found.found().count(), TAGS as usize + 1);
    began.elapsed().as_secs_f64()
}

/// The least that git itself takes to read them: two processes for all.
fn cat_file(path: &Path) -> f64 {
    let began = Instant::now();
    let names = git(path, &["for-each-ref", "--format=%(refname):composer.json", "refs/tags", "refs/heads"]);
    let mut cat = Command::new("git")
        .args(["cat-file", "--batch"])
        .current_dir(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = cat.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(&names).unwrap());
    let output = cat.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.stdout.windows(11).filter(|text| text == b"acme/mailer").count() > TAGS as usize);
    began.elapsed().as_secs_f64()
}

fn composer(repository: &Path, folder: &Path) -> f64 {
    let (script, cache) = (folder.join("read.php"), folder.join("composer-cache"));
    std::fs::write(&script, COMPOSER).unwrap();
    _ = std::fs::remove_dir_all(&cache);
    std::fs::create_dir(&cache).unwrap();
    let phar = std::env::var("STAVE_TEST_COMPOSER").unwrap_or_else(|_| "/usr/bin/composer".into());
    let output = Command::new("php")
        .args(["-d", "error_reporting=0"])
        .arg(&script)
        .arg(repository)
        .arg(&phar)
        .arg(&cache)
        .env("COMPOSER_HOME", &cache)
        .output()
        .expect("php runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let (count, seconds) =
        said.rsplit('\n').next().and_then(|line| line.split_once(' ')).unwrap_or_else(|| {
            panic!("Composer does not read it: {said} {}", String::from_utf8_lossy(&output.stderr))
        });
    assert!(count.parse::<u32>().unwrap() > TAGS, "{said}");
    seconds.trim().parse().unwrap()
}

fn zips(path: &Path) -> f64 {
    let began = Instant::now();
    let mirror = Mirror::open_or_create(path).unwrap();
    for number in 0..ZIPS {
        let commit =
            String::from_utf8(git(path, &["rev-parse", &format!("refs/tags/{}", tag(number * 7))])).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        mirror.archive(Tree::root(commit.trim()), "mailer", &|_, ignored| !ignored, &mut file).unwrap();
    }
    began.elapsed().as_secs_f64()
}

fn archives(path: &Path, folder: &Path) -> f64 {
    let zip = folder.join("git.zip").display().to_string();
    let began = Instant::now();
    for number in 0..ZIPS {
        git(path, &["archive", "--format=zip", "--prefix=mailer/", "-o", &zip, &tag(number * 7)]);
    }
    began.elapsed().as_secs_f64()
}
