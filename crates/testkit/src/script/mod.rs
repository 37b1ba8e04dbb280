//! Random changes of a pretended platform: what a year brings, in a minute.

mod change;
mod cloud;
mod data_center;
mod remote;

pub(crate) use remote::Remote;

use crate::{FakeBitbucket, FakeDataCenter, Truth};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{collections::HashMap, time::Instant};

/// Changes a workspace, or a project of Data Center, at random: people come and go, rights are granted and revoked,
/// repositories made, renamed, swapped, moved, pushed to, emptied and deleted, everything is renamed, and trouble comes and
/// goes. The same seed makes the same changes.
pub struct Script<'a> {
    remote: Box<dyn Remote + Send + 'a>,
    random: StdRng,
    spared: Vec<String>,
    has_trouble: bool,
    /// Of everything that needs a name of its own.
    last_number: u32,
    /// What the composer.json of a repository calls its package, by the id of the repository.
    packages: HashMap<String, String>,
    steps: Vec<Step>,
}

/// A change that was made.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was done, in a sentence.
    pub what: String,
    /// When it was done: requests before it may have been answered by what was, later ones not.
    pub done_at: Instant,
}

impl FakeBitbucket {
    /// A script for a workspace. Webhooks are rung as always.
    pub fn script(&self, workspace: &str, seed: u64) -> Script<'_> {
        Script::new(Box::new(cloud::Cloud::new(self, workspace)), seed)
    }
}

impl FakeDataCenter {
    /// A script for a project.
    pub fn script(&self, project: &str, seed: u64) -> Script<'_> {
        Script::new(Box::new(data_center::DataCenter::new(self, project)), seed)
    }
}

impl<'a> Script<'a> {
    fn new(remote: Box<dyn Remote + Send + 'a>, seed: u64) -> Self {
        Self {
            remote,
            random: StdRng::seed_from_u64(seed),
            spared: Vec::new(),
            has_trouble: false,
            last_number: 0,
            packages: HashMap::new(),
            steps: Vec::new(),
        }
    }

    /// Nothing is done to these people: with whose rights somebody follows the workspace, say.
    #[must_use]
    pub fn sparing(mut self, people: &[&str]) -> Self {
        self.spared.extend(people.iter().map(ToString::to_string));
        self
    }

    /// Makes one change.
    pub fn step(&mut self) -> &Step {
        let what = loop {
            if let Some(what) = self.change() {
                break what;
            }
        };
        self.steps.push(Step { what, done_at: Instant::now() });
        &self.steps[self.steps.len() - 1]
    }

    /// Ends every trouble.
    pub fn heal(&mut self) {
        self.remote.heal();
        self.has_trouble = false;
    }

    /// What was done so far, the first change first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is so now.
    pub fn truth(&self) -> Truth {
        self.remote.truth()
    }

    fn number(&mut self) -> u32 {
        self.last_number += 1;
        self.last_number
    }

    /// One of these, if there is one.
    fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.random.random_range(0..of.len())].clone()) }
    }
}
