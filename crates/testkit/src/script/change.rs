//! The changes that a script makes.

use super::{Script, remote::Content};
use crate::{Fault, Level};
use rand::RngExt as _;
use std::time::Duration;

/// People whom a script brings, besides those whom it finds.
const PEOPLE: [&str; 12] = [
    "s-ada", "s-bob", "s-cem", "s-dan", "s-eva", "s-fay", "s-gus", "s-ida", "s-jon", "s-kim", "s-lea",
    "s-max",
];
const GROUPS: [&str; 3] = ["s-red", "s-green", "s-blue"];

/// A sentence of what was done; `None` if it cannot be done now.
type Change<'a> = fn(&mut Script<'a>) -> Option<String>;

/// There are never more repositories than this.
const MOST_REPOSITORIES: usize = 40;
/// Once in so many changes, the workspace is renamed.
const WORKSPACE_RENAMED: u32 = 60;

impl<'a> Script<'a> {
    /// Each change with how often it is made, compared with the others.
    const CHANGES: [(u32, Change<'a>); 19] = [
        (8, Self::person_joins),
        (5, Self::person_leaves),
        (2, Self::person_is_promoted),
        (1, Self::person_is_redubbed),
        (10, Self::right_is_granted),
        (7, Self::right_is_revoked),
        (4, Self::group_changes),
        (4, Self::group_is_granted),
        (2, Self::group_is_granted_everything),
        (4, Self::repository_is_opened),
        (8, Self::repository_is_made),
        (4, Self::repository_is_renamed),
        (2, Self::names_are_swapped),
        (2, Self::repository_is_sent_away),
        (2, Self::repository_comes_back),
        (3, Self::repository_is_deleted),
        (2, Self::repository_is_emptied),
        (12, Self::repository_is_pushed),
        (8, Self::trouble_comes_or_goes),
    ];

    pub(super) fn change(&mut self) -> Option<String> {
        if self.random.random_range(0..WORKSPACE_RENAMED) == 0 {
            return Some(self.workspace_is_renamed());
        }
        let all: u32 = Self::CHANGES.iter().map(|(weight, _)| weight).sum();
        let mut left = self.random.random_range(0..all);
        let chosen = Self::CHANGES.iter().find(|(weight, _)| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        });
        let (_, change) = chosen.expect("the weights add up");
        change(self)
    }

    fn person(&mut self) -> Option<String> {
        let spared = self.spared.clone();
        let known = self.remote.members();
        let all = known.into_iter().chain(PEOPLE.map(str::to_owned));
        let all: Vec<String> = all.filter(|name| !spared.contains(name)).collect();
        self.one(&all)
    }

    fn repository(&mut self) -> Option<String> {
        let all = self.remote.repositories();
        self.one(&all)
    }

    fn level(&mut self) -> Level {
        self.one(&[Level::Read, Level::Read, Level::Write, Level::Admin]).expect("there are some")
    }

    fn person_joins(&mut self) -> Option<String> {
        let person = self.person()?;
        self.remote.join(&person);
        Some(format!("{person} joins as a member"))
    }

    fn person_leaves(&mut self) -> Option<String> {
        let person = self.person()?;
        self.remote.leave(&person);
        Some(format!("{person} leaves"))
    }

    fn person_is_promoted(&mut self) -> Option<String> {
        let person = self.person()?;
        self.remote.promote(&person);
        Some(format!("{person} becomes an owner"))
    }

    fn person_is_redubbed(&mut self) -> Option<String> {
        let (person, number) = (self.person()?, self.number());
        self.remote.redub(&person, &format!("Name {number}"));
        Some(format!("{person} is called Name {number}"))
    }

    fn right_is_granted(&mut self) -> Option<String> {
        let (person, repository, level) = (self.person()?, self.repository()?, self.level());
        self.remote.grant(&repository, &person, Some(level));
        Some(format!("{person} gets {} on {repository}", level.name()))
    }

    fn right_is_revoked(&mut self) -> Option<String> {
        let (person, repository) = (self.person()?, self.repository()?);
        self.remote.grant(&repository, &person, None);
        Some(format!("{person} loses what they were given on {repository}"))
    }

    fn group_changes(&mut self) -> Option<String> {
        let group = self.one(&GROUPS)?;
        let people: Vec<&str> = PEOPLE.into_iter().filter(|_| self.random.random_bool(0.3)).collect();
        self.remote.group(group, &people);
        Some(format!("the group {group} is now {}", people.join(", ")))
    }

    fn group_is_granted(&mut self) -> Option<String> {
        let (group, repository) = (self.one(&GROUPS)?, self.repository()?);
        let level = self.random.random_bool(0.6).then(|| self.level());
        self.remote.grant_group(&repository, group, level);
        Some(format!("the group {group} gets {} on {repository}", word(level)))
    }

    fn group_is_granted_everything(&mut self) -> Option<String> {
        let group = self.one(&GROUPS)?;
        let level = self.random.random_bool(0.3).then(|| self.level());
        self.remote.grant_everything(group, level);
        Some(format!("the group {group} gets {} on everything", word(level)))
    }

    fn repository_is_opened(&mut self) -> Option<String> {
        let repository = self.repository()?;
        let level = self.one(&[None, Some(Level::Read), Some(Level::Write)])?;
        let is_done = self.remote.open(&repository, level);
        is_done.then(|| format!("members get {} on {repository}", word(level)))
    }

    fn repository_is_made(&mut self) -> Option<String> {
        if self.remote.repositories().len() >= MOST_REPOSITORIES {
            return None;
        }
        let number = self.number();
        let slug = format!("s-{number}");
        let name = format!("script/package-{number}");
        let manifest = manifest(&name, number);
        let content = match self.random.random_range(0..10) {
            0 => Content::Nothing,
            1..=4 => Content::NoManifest,
            _ => Content::Manifest(&manifest),
        };
        let id = self.remote.make(&slug, content);
        self.packages.insert(id.clone(), name);
        let word = match content {
            Content::Nothing => "empty",
            Content::NoManifest => "without a composer.json",
            Content::Manifest(_) => "with a composer.json",
        };
        Some(format!("{slug} ({id}) is made, {word}"))
    }

    fn repository_is_renamed(&mut self) -> Option<String> {
        let (repository, number) = (self.repository()?, self.number());
        self.remote.rename(&repository, &format!("s-renamed-{number}"));
        Some(format!("{repository} is called s-renamed-{number}"))
    }

    /// Whoever follows names, and not ids, mistakes one for the other.
    fn names_are_swapped(&mut self) -> Option<String> {
        let (one, other) = (self.repository()?, self.repository()?);
        if one == other {
            return None;
        }
        let (slug, other_slug) = (self.remote.slug(&one), self.remote.slug(&other));
        self.remote.rename(&one, "s-swapping");
        self.remote.rename(&other, &slug);
        self.remote.rename(&one, &other_slug);
        Some(format!("{one} and {other} swap their names"))
    }

    fn repository_is_sent_away(&mut self) -> Option<String> {
        let repository = self.repository()?;
        self.remote.send_away(&repository);
        Some(format!("{repository} is moved elsewhere"))
    }

    fn repository_comes_back(&mut self) -> Option<String> {
        let repository = self.remote.fetch_back()?;
        Some(format!("{repository} is moved back"))
    }

    fn repository_is_deleted(&mut self) -> Option<String> {
        let repository = self.repository()?;
        self.remote.delete(&repository);
        Some(format!("{repository} is deleted"))
    }

    fn repository_is_emptied(&mut self) -> Option<String> {
        let repository = self.repository()?;
        self.remote.empty(&repository);
        Some(format!("{repository} is emptied"))
    }

    fn repository_is_pushed(&mut self) -> Option<String> {
        let (repository, number) = (self.repository()?, self.number());
        let tag = format!("2.0.{number}");
        let manifest = self.random.random_bool(0.8).then(|| self.manifest_of(&repository, number));
        self.remote.push(&repository, &tag, manifest.as_deref());
        let word = if manifest.is_some() { "with" } else { "without" };
        Some(format!("{tag} is pushed to {repository}, {word} a composer.json"))
    }

    /// A repository that was there before has its package's name from the first push.
    fn manifest_of(&mut self, repository: &str, number: u32) -> String {
        let name =
            self.packages.entry(repository.to_owned()).or_insert_with(|| format!("script/package-{number}"));
        manifest(name, number)
    }

    fn workspace_is_renamed(&mut self) -> String {
        let key = format!("renamed{}", self.number());
        self.remote.rename_workspace(&key);
        format!("everything is called {key}")
    }

    fn trouble_comes_or_goes(&mut self) -> Option<String> {
        if self.has_trouble {
            self.heal();
            return Some("the trouble is over".to_owned());
        }
        self.has_trouble = true;
        let gone = Fault::removed("CHANGE-4711");
        let lasting = [Fault::status(401, ""), Fault::status(403, ""), Fault::RateLimit, gone];
        let passing = [
            Fault::status(500, ""),
            Fault::status(503, "<html>"),
            Fault::RateLimit,
            Fault::Slow(Duration::from_millis(50)),
        ];
        let requests = self.random.random_range(0..20);
        Some(match self.random.random_range(0..4) {
            0 => {
                let fault = self.one(&lasting)?;
                self.remote.fail_after(requests, fault.clone());
                format!("after {requests} requests, the API answers: {fault:?}")
            }
            1 => {
                let fault = Fault::status(200, "<html>Log in</html>");
                self.remote.fail_after(requests, fault);
                format!("after {requests} requests, the API answers with a page")
            }
            2 => {
                self.remote.lose_deliveries(50);
                "half of all deliveries are lost".to_owned()
            }
            _ => {
                let fault = self.one(&passing)?;
                self.remote.fail_some(30, fault.clone());
                format!("of a hundred requests, 30 are answered: {fault:?}")
            }
        })
    }
}

fn word(level: Option<Level>) -> &'static str {
    level.map_or("nothing", Level::name)
}

fn manifest(name: &str, release: u32) -> String {
    format!("{{\"name\": \"{name}\", \"license\": \"MIT\", \"extra\": {{\"release\": {release}}}}}\n")
}
