//! A year of changes in a minute, with trouble, kill -9 and webhooks: in the end everything agrees, and no token ever read what its
//! person could not read.

use super::platform::{Followed, Platform, Rows, Token};
use super::truth::{agrees, is_fresh, package_of};
use crate::support::{
    Browser,
    chance::{Chance, number},
    process::{Place, Process},
};
use stave_app::Clock;
use stave_testkit::{Script, Truth, Version};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    time::Duration,
};

/// People whose tokens are watched; the script plays with them too.
const WATCHED: [&str; 4] = ["s-ada", "s-bob", "s-cem", "s-dan"];

/// How many changes are made; `STAVE_TEST_CHANGES` makes it more, `STAVE_TEST_SEED` others.
fn changes() -> u64 {
    number("STAVE_TEST_CHANGES", 60)
}

/// What was read by whom, and what they could read since the last run began.
struct Watch {
    tokens: BTreeMap<String, Token>,
    /// What was so, since the run began that was the last to succeed.
    truths: Vec<Truth>,
    /// In which repository each package is.
    homes: BTreeMap<String, String>,
    /// Person, package, and whether they read it.
    log: Vec<(String, String, bool)>,
}

impl Watch {
    fn of(tokens: BTreeMap<String, Token>) -> Self {
        Self { tokens, truths: Vec::new(), homes: BTreeMap::new(), log: Vec::new() }
    }

    /// What was asked; somebody read something, or nothing was proved.
    fn in_words(&self) -> String {
        let reads = self.log.iter().filter(|(_, _, reads)| *reads).count();
        assert!(reads > 0, "nobody read anything");
        let (questions, people) = (self.log.len(), self.tokens.len());
        format!("{questions} questions of {people} people, {reads} answered with a package")
    }

    fn learn(&mut self, truth: Truth) {
        for (id, repository) in &truth.repositories {
            if let Some(name) = package_of(repository) {
                self.homes.insert(name, id.clone());
            }
        }
        self.truths.push(truth);
    }

    /// From now on, only what is so now may be read, and what comes.
    fn forget(&mut self, truths: usize) {
        self.truths.drain(..truths);
    }

    fn may(&self, person: &str, package: &str) -> bool {
        let Some(home) = self.homes.get(package) else { return false };
        self.truths
            .iter()
            .any(|truth| truth.people.values().any(|it| it.name == person && it.readable.contains_key(home)))
    }

    /// Asks for every package with every token.
    async fn look(&mut self, steps: &Script<'_>) {
        let packages: BTreeSet<String> = self.homes.keys().cloned().collect();
        for (person, token) in &self.tokens {
            for package in &packages {
                let Some(reads) = token.try_read(package).await else { continue };
                self.log.push((person.clone(), package.clone(), reads));
                if reads && !self.may(person, package) {
                    let steps: Vec<_> = steps.steps().iter().rev().take(30).map(|step| &step.what).collect();
                    panic!(
                        "{person} reads {package} of {:?}, and could not since the last run began; the last steps, backwards: {steps:#?}",
                        self.homes.get(package)
                    );
                }
            }
        }
    }
}

/// A Stave that is killed again and again, always at the same address.
struct Victim {
    place: Place,
    address: String,
    process: Option<Process>,
    /// How often it was killed.
    falls: usize,
}

impl Victim {
    async fn new() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut victim =
            Self { place: Place::new().await, address: free.to_string(), process: None, falls: 0 };
        victim.rise().await;
        victim
    }

    async fn rise(&mut self) {
        let arguments = ["--outbound-allow", "127.0.0.0/8", "--listen", &self.address];
        self.process = Some(self.place.serve(&arguments).await);
    }

    async fn fall(&mut self) {
        let process = self.process.take().expect("it runs");
        process.signal("KILL").await;
        self.falls += 1;
        process.end().await;
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn play(platform: Platform, seed: u64) {
    platform.found();
    let mut script = platform.script(seed);
    for _ in 0..15 {
        script.step();
    }
    script.heal();
    let mut victim = Victim::new().await;
    let ada = Browser::new(&victim.url());
    ada.open(victim.process.as_ref().unwrap().setup_link()).await;
    let slug = platform.integrate(&ada, &victim.url()).await;
    platform.log_in(&ada, &slug, "ada").await;
    ada.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    let rows = Rows { storage: victim.place.storage().await, clock: Clock::default() };
    let rights = stored(&platform, &ada).await;
    let key = script.truth().key;
    let followed = Followed::start(&ada, &rows, (&slug, &key), rights.as_deref()).await;
    let mut watch = Watch::of(watched(&platform, &slug, &victim.url()).await);
    watch.learn(script.truth());
    let adas = Token::of(&ada, &victim.url()).await;

    let mut chance = Chance(seed);
    for change in 0..changes() {
        script.step();
        watch.learn(script.truth());
        match chance.of(8) {
            0 => _ = ada.send(&format!("{}/run", followed.page), &[]).await,
            1 => watch.look(&script).await,
            2 if chance.of(2) == 0 => {
                victim.fall().await;
                script.step();
                watch.learn(script.truth());
                victim.rise().await;
            }
            _ => tokio::time::sleep(Duration::from_millis(chance.of(60))).await,
        }
        if change % 20 == 19 {
            settle(&mut victim, &mut script, &followed).await;
            watch.forget(watch.truths.len() - 1);
            watch.look(&script).await;
        }
    }
    settle(&mut victim, &mut script, &followed).await;
    hasten(&rows).await;
    followed.succeeds().await;
    let truth = script.truth();
    let packages = followed.packages().await;
    platform.ring(truth.repositories.keys().filter(|id| !packages.contains(*id))).await;
    followed.rest().await;
    agrees(&followed, &truth, matches!(platform, Platform::Cloud(_))).await;
    watch.forget(watch.truths.len() - 1);
    watch.look(&script).await;
    is_fresh(&adas, &truth).await;
    println!("seed {seed}: {} changes, {} kills, {}", script.steps().len(), victim.falls, watch.in_words());
}

/// The tokens of the people who are watched.
async fn watched(platform: &Platform, slug: &str, url: &str) -> BTreeMap<String, Token> {
    let mut tokens = BTreeMap::new();
    for name in WATCHED {
        // Whoever is no member has no page of the organization's, so the token is made on the own one.
        let browser = Browser::new(url);
        platform.log_in(&browser, slug, name).await;
        tokens.insert(name.to_owned(), Token::of_profile(&browser, url).await);
    }
    tokens
}

/// The trouble is over, and a run succeeds. Whatever waits for Bitbucket to feel better would wait for minutes: it starts anew.
async fn settle(victim: &mut Victim, script: &mut Script<'_>, followed: &Followed<'_>) {
    script.heal();
    victim.fall().await;
    victim.rise().await;
    hasten(&followed.rows).await;
    followed.succeeds().await;
}

/// A credential of somebody who sees everything, where an account would not do.
async fn stored(platform: &Platform, ada: &Browser) -> Option<String> {
    let (kind, secret) = platform.secret()?;
    let host = platform.host();
    let fields = [("description", "Robot"), ("kind", kind), ("host", &host), ("secret", &secret)];
    let page = ada.send("/orgs/acme/settings/credentials", &fields).await;
    Some(format!("credential:{}", page.url.path().rsplit('/').next()?))
}

/// Nothing waits for its next try.
async fn hasten(rows: &Rows) {
    rows.rest().await;
    for _ in 0..3 {
        for job in rows.storage.job_list(None, 10_000).await.unwrap() {
            rows.storage.job_hasten(job.id, rows.clock.now()).await.unwrap();
        }
        rows.rest().await;
    }
}

#[tokio::test]
async fn a_workspace_that_never_rests() {
    play(Platform::cloud().await, number("STAVE_TEST_SEED", 1)).await;
}

#[tokio::test]
async fn a_project_of_data_center_that_never_rests() {
    play(Platform::data_center(Version::V9_4).await, number("STAVE_TEST_SEED", 2)).await;
}
