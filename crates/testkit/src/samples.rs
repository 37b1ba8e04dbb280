//! Realistic PHP packages as git repositories.

use crate::BareRepository;
use std::fmt::Write as _;

/// What fills an empty repository.
pub type Sample = fn(&BareRepository);

/// Every sample with the slug of its repository.
pub const ALL: [(&str, Sample); 3] = [("mailer", mailer), ("clock", clock), ("oddities", oddities)];

const MAILER: &str = r#"{
    "name": "acme/mailer",
    "description": "Sends mail",
    "type": "library",
    "license": "MIT",
    "authors": [{"name": "Ada Example", "email": "ada@example.com"}],
    "require": {"php": ">=7.2", "acme/clock": "^1.0"},
    "autoload": {"psr-4": {"Acme\\Mailer\\": "src/"}},
    "extra": {"branch-alias": {"dev-main": "2.x-dev"}}
}
"#;
const MAILER_README: &str = "# Mailer\n\nSends mail.\n\n    composer require acme/mailer\n";
const MAILER_SOURCE: &str =
    "<?php\n\nnamespace Acme\\Mailer;\n\nfinal class Mailer\n{\n    public const VERSION = '%';\n}\n";
const MAILER_TEST: &str = "<?php\n\nnamespace Acme\\Mailer\\Tests;\n\nfinal class MailerTest\n{\n}\n";
const ATTRIBUTES: &str = "/tests export-ignore\n/.gitattributes export-ignore\n";
const CLOCK: &str = r#"{
    "name": "acme/clock",
    "description": "Tells the time",
    "license": "MIT",
    "require": {"php": ">=7.2"},
    "autoload": {"psr-4": {"Acme\\Clock\\": "src/"}}
}
"#;
const CLOCK_SOURCE: &str = "<?php\n\nnamespace Acme\\Clock;\n\nfinal class Clock\n{\n}\n";

/// `acme/mailer`: seven releases, one of them a release candidate; branches `main` (an alias of 2.x-dev), `1.x` and a
/// feature branch; tests that are kept out of the archive. Requires `acme/clock`.
pub fn mailer(git: &BareRepository) {
    let release = |version: &str| {
        let source = MAILER_SOURCE.replace('%', version);
        let files =
            [("composer.json", MAILER), ("README.md", MAILER_README), ("src/Mailer.php", source.as_str())];
        git.commit("main", &files)
    };
    let first = release("1.0.0");
    git.tag("v1.0.0", &first);
    git.commit("main", &[("tests/MailerTest.php", MAILER_TEST), (".gitattributes", ATTRIBUTES)]);
    for version in ["1.0.1", "1.1.0", "1.2.0"] {
        git.annotated_tag(&format!("v{version}"), &release(version), &format!("Release {version}"));
    }
    git.reference_set("refs/heads/1.x", "refs/heads/main");
    for version in ["2.0.0-rc1", "2.0.0", "2.1.0"] {
        git.annotated_tag(&format!("v{version}"), &release(version), &format!("Release {version}"));
    }
    git.commit("feature/attachments", &[("src/Attachment.php", "<?php\n\nnamespace Acme\\Mailer;\n")]);
}

/// `acme/clock`: a library without dependencies, tagged without the letter v.
pub fn clock(git: &BareRepository) {
    for version in ["1.0.0", "1.0.1", "1.1.0"] {
        let readme = format!("# Clock\n\nThis is {version}.\n");
        let files =
            [("composer.json", CLOCK), ("README.md", readme.as_str()), ("src/Clock.php", CLOCK_SOURCE)];
        git.tag(version, &git.commit("main", &files));
    }
}

/// `acme/oddities`: of its tags only `1.0.0` and `1.4.0` are sound. `1.1.0` has a composer.json that is no JSON, `1.2.0`
/// names another package, `1.3.0` points to a file, `1.3.1` has no composer.json and `not-a-version` is none. A branch has
/// quotes in its name, another one no composer.json.
pub fn oddities(git: &BareRepository) {
    let named = |name: &str| format!("{{\"name\": \"{name}\", \"license\": \"MIT\"}}\n");
    let own = named("acme/oddities");
    git.tag("1.0.0", &git.commit("main", &[("composer.json", &own)]));
    git.tag("1.1.0", &git.commit("main", &[("composer.json", "{\"name\": \"acme/oddities\",\n")]));
    git.tag("1.2.0", &git.commit("main", &[("composer.json", &named("acme/other"))]));
    git.tag("1.3.0", &git.blob("A tag can point to a file.\n"));
    git.import(without_manifest("refs/heads/empty").as_bytes());
    git.tag("1.3.1", "refs/heads/empty");
    git.tag("1.4.0", &git.commit("main", &[("composer.json", &own)]));
    git.tag("not-a-version", "refs/heads/main");
    git.commit("feature/it's-\"quoted\"", &[("composer.json", &own)]);
}

/// A root commit on this branch without a composer.json.
fn without_manifest(reference: &str) -> String {
    format!(
        "commit {reference}\ncommitter Ada Example <ada@example.com> 1767225600 +0000\ndata 6\nEmpty\n\
         M 100644 inline README.md\ndata 6\nEmpty\n"
    )
}

/// `name` with this many tags, `0.0.0`, `0.0.1` ... `0.0.9`, `0.1.0` and so on, made quickly; two files change with each.
pub fn history(git: &BareRepository, name: &str, tags: usize) {
    let mut stream = String::new();
    for number in 0..tags {
        let version = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
        let manifest =
            format!("{{\"name\": \"{name}\", \"license\": \"MIT\", \"extra\": {{\"release\": {number}}}}}\n");
        let source = format!("<?php\n\nreturn '{version}';\n");
        let at = 1_767_225_600 + 60 * number;
        let _ = write!(
            stream,
            "commit refs/heads/main\nmark :{mark}\ncommitter Ada Example <ada@example.com> {at} +0000\ndata {}\n{version}\n\
             M 100644 inline composer.json\ndata {}\n{manifest}\nM 100644 inline src/version.php\ndata {}\n{source}\n\
             reset refs/tags/{version}\nfrom :{mark}\n\n",
            version.len(),
            manifest.len(),
            source.len(),
            mark = number + 1,
        );
    }
    git.import(stream.as_bytes());
}
