//! The workspace `acme` with more in it than the plain demo has, and what is typed to change it.

use stave_testkit::{FakeBitbucket, Level, Repository, Standing, Workspace, samples};
use std::{collections::BTreeSet, io::BufRead as _};

/// Everybody besides its owner ada: who owns it too, who is a member.
const OWNERS: [&str; 1] = ["radia"];
const MEMBERS: [&str; 5] = ["grace", "ken", "barbara", "dennis", "margaret"];
/// Packages that every member may read.
const OPEN: [&str; 3] = ["router", "queue", "cache"];
/// Packages for some of them.
const CLOSED: [(&str, &[&str]); 2] = [("payments", &["grace", "ken"]), ("invoices", &["barbara", "dennis"])];
/// Repositories without a composer.json at the top.
const NO_PACKAGES: [&str; 2] = ["handbook", "website"];
/// The folders of the repository `toolbox`, each with a package.
const TOOLS: [&str; 3] = ["text", "money", "http"];

/// What can be typed, for whoever asks.
pub(crate) const COMMANDS: &str = concat!(
    "   take <person> <repository>      give <person> <repository>      leave <person>\n",
    "   rename <repository> <new name>  delete <repository>             push <repository>\n",
    "   who                             (who may read what, as Bitbucket knows it)",
);

/// Fills it: 8 people, 12 repositories. Linus is in no workspace and may read one repository.
pub(crate) fn fill(bitbucket: &FakeBitbucket) {
    let acme = bitbucket.workspace("acme");
    for owner in OWNERS {
        acme.owner(owner);
    }
    for member in MEMBERS {
        acme.member(member);
    }
    for slug in OPEN {
        release(&acme.repository(slug), slug, "1.0.0");
    }
    for (slug, readers) in CLOSED {
        release(acme.repository(slug).only_for(readers), slug, "1.0.0");
    }
    for slug in NO_PACKAGES {
        acme.repository(slug).commit("main", &[("README.md", "No package.\n")]);
    }
    acme.repository("toolbox").push_as("ada", |git| {
        let manifests: Vec<_> = TOOLS.iter().map(|tool| (manifest_path(tool), manifest(tool))).collect();
        let files: Vec<_> = manifests.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let first = git.commit("main", &files);
        git.tag("v1.0.0", &first);
        git.tag("money/v1.1.0", &git.commit("main", &[("packages/money/README.md", "Money.\n")]));
    });
    acme.repository("history").push(|git| samples::history(git, "acme/history", 40));
}

fn manifest_path(tool: &str) -> String {
    format!("packages/{tool}/composer.json")
}

fn manifest(slug: &str) -> String {
    format!("{{\"name\": \"acme/{slug}\", \"license\": \"MIT\", \"require\": {{\"php\": \">=7.2\"}}}}\n")
}

fn release(repository: &Repository, slug: &str, version: &str) {
    repository.tag(version, &manifest(slug));
}

/// Does what is typed until there is no more of it.
#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
pub(crate) fn heed(bitbucket: &FakeBitbucket) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<_> = line.split_whitespace().collect();
        if !words.is_empty() {
            println!("{}", change(&bitbucket.workspace("acme"), &words).unwrap_or_else(|problem| problem));
        }
    }
}

/// Changes what these words say; gives what came of it, or why nothing did.
fn change(acme: &Workspace, words: &[&str]) -> Result<String, String> {
    match words {
        ["who"] => return Ok(readers(acme)),
        ["take", person, slug] => {
            let repository = found(acme, slug)?;
            let others: Vec<_> =
                readers_of(acme, &repository).into_iter().filter(|it| it != person).collect();
            repository.only_for(&others.iter().map(String::as_str).collect::<Vec<_>>());
        }
        ["give", person, slug] => {
            found(acme, slug)?.grant(person, Level::Read);
        }
        ["leave", person] => {
            acme.remove(person);
        }
        ["rename", slug, name] => {
            found(acme, slug)?.rename(name);
        }
        ["delete", slug] => found(acme, slug)?.delete(),
        ["push", slug] => {
            found(acme, slug)?.push(|git| {
                let tag = format!("9.0.{}", git.references().len());
                git.tag(&tag, "refs/heads/main");
            });
        }
        _ => return Err(format!("That is none of these:\n{COMMANDS}")),
    }
    Ok("Done on Bitbucket.".to_owned())
}

fn found(acme: &Workspace, slug: &str) -> Result<Repository, String> {
    let found = acme.repositories().into_iter().find(|repository| repository.slug() == slug);
    found.ok_or_else(|| format!("The workspace has no repository {slug}."))
}

/// Who may read a repository because somebody said so, and not as an owner.
fn readers_of(acme: &Workspace, repository: &Repository) -> Vec<String> {
    let people = acme.truth().people.into_values();
    people
        .filter(|person| {
            person.standing != Standing::Owner && person.readable.contains_key(repository.uuid())
        })
        .map(|person| person.name)
        .collect()
}

/// A line per person: what they may read.
fn readers(acme: &Workspace) -> String {
    let truth = acme.truth();
    let mut lines = Vec::new();
    for person in truth.people.values() {
        let slugs: BTreeSet<_> =
            person.readable.keys().map(|id| truth.repositories[id].slug.as_str()).collect();
        let slugs: Vec<_> = slugs.into_iter().collect();
        lines.push(format!("   {:<9} {}", person.name, slugs.join(", ")));
    }
    lines.sort();
    lines.join("\n")
}
